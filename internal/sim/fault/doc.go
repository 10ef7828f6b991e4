// Package fault is the simulator's fault menu and the board on which faults
// are switched on, by a scenario or by hand while the gate runs.
//
// A fault is one of two kinds. A window lasts for a time: while it is on, the
// device behaves so. An occasion waits for the next thing it can spoil (the
// next picture, the next lorry, the next document) and is used up by it.
//
// The menu has what a lane's instruments are known to do. A low battery and
// N42 files are not in it: no simulated device has either.
package fault
