// Package faults says of every fault that the simulator can play what has to be
// seen of it in both agencies' stores, and finds it there: a device's state, a
// gap, frames that were not understood, coverage, findings; or nothing at all
// where a fault must do no harm. It is pure: a run of real programs hands it the
// simulator's books and the stores. `make faults` plays the whole menu and
// prints the table; the test that does so has the build tag "faults".
package faults
