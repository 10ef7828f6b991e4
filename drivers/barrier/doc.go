// Package barrier drives a lane's barrier, traffic lights, loops and photocell
// behind a Modbus RTU input/output board with eight relays and eight inputs, on
// a serial line or RTU over TCP. Frames and vectors follow the Modbus serial
// line specification; the wiring of relays and inputs is this project's own.
//
// The interlock is part of the driver and no setting reaches it: the arm is
// never pulsed down with the safety loop or the photocell occupied, or with
// inputs that were not read just before; the emergency stop wins over
// everything; the light is red at start, at an orderly stop and on any doubt.
//
// The library github.com/simonvetter/modbus is the master. It checks replies
// and keeps their bytes to itself, so frames are put together again from the
// checked fields, which is the same bytes; those of a reply with a wrong
// checksum are lost, and only that it came is told.
package barrier
