// Package fault is the simulator's fault menu and the board on which faults
// are switched on, by a scenario or by hand while the gate runs.
//
// A fault is one of two kinds. A window lasts for a time: while it is on, the
// device behaves so. An occasion waits for the next thing it can spoil (the
// next picture, the next lorry) and is used up by it.
package fault
