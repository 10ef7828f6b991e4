// Package sim plays a simulated gate: lorries and travellers come, each lane's
// instruments see them one after the other, and every instrument talks on the
// wire that a real one would use. It shares no code with the drivers that
// listen, and what a lorry or a traveller really was goes into a file, never on
// a wire.
//
// A lorry's way: photo, approach, portal, drive, beam, image; then the bridge,
// where it is weighed, hands its codes over and is photographed from behind as
// the barrier lets it out. A traveller's way: document, portal, belt, bag tags;
// the next one enters the portal once the belt is empty.
// Each instrument holds one group at a time and their order never changes. A
// group is one, or one with those that tail-gate it or come back to back.
package sim
