// Package sim plays a simulated goods lane: lorries come, are photographed,
// pass a radiation portal and an X-ray scanner, and every instrument talks on
// the wire that a real one would use. It shares no code with the drivers that
// listen, and what a lorry really was goes into a file, never on a wire.
//
// A lorry's way: photo, approach, portal, drive, beam, image. Each instrument
// holds one group of lorries at a time and their order never changes. A group
// is one lorry, or one with those that tail-gate it or come back to back.
package sim
