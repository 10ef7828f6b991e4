// Package scale simulates a weighbridge whose indicator sends its display all
// the time: Mettler Toledo continuous output with checksum, or Yaohua XK3190.
//
// A vehicle drives on axle by axle while the display moves, rocks to rest,
// stands, and drives off. An empty bridge shows zero.
package scale
