// Package rpm drives radiation portal monitors that send the TSA / Rapiscan
// ASCII stream (VM-250 and SC-770 controller class), over a serial line or TCP.
//
// The record set, timing and units follow the open Rapiscan driver of
// osh-oakridge-modules (MessageHandler.java and its unit tests) and the RPM
// simulator of sandialabs/SRLS (RPMSimulator.ts); the serial baud rate is not
// documented in either, so 9600 8N1 is only a default to change on site. The
// two sources disagree on the order of the four detectors: columns are kept
// in the order of the wire and called detector 1 to 4.
//
// The stream is one-way. The driver recomputes no alarm: the monitor's own GA
// and NA flags are passed on, with the backgrounds that they stand on.
package rpm
