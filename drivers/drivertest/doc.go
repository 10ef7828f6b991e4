// Package drivertest is the conformance suite that every driver passes: it
// plays the far end of a device and checks what the driver makes of it. It
// also has the store, the evidence and the golden cases that drivers' own
// tests use.
package drivertest
