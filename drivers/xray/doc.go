// Package xray drives X-ray scanners over XSP/1, Gatehouse's vendor-neutral
// control profile, and the scanner's drop folder of images.
//
// XSP/1 is specified in README.md of this folder: no maker of cargo or baggage
// scanners publishes its interface, so a site's adapter speaks this profile.
// It is a line protocol in the manner of NMEA 0183: a sentence is $body*HH
// with the exclusive or of the body's bytes, ends in CR LF and has at most 200
// bytes. Images are files in a folder: written as .part, renamed when
// complete, beside a description in JSON or XML.
//
// Nothing in the profile can defeat an interlock.
package xray
