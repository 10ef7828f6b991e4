// Package board simulates the road barrier at the end of a lane: an arm with
// its motor, limit switches, loops, photocell, emergency stop and lamps behind
// a Modbus RTU board of eight relays and eight inputs, and the lane's own
// controller that lets weighed vehicles out.
//
// The relays are the host's: the lane's controller moves the arm by its own
// contacts and leaves them alone, as two masters of one relay would quarrel.
// Only while no host has ever asked does it light the lamps too.
package board
