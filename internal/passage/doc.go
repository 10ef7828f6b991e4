// Package passage joins what the devices of one lane saw into one record per
// vehicle, person or consignment.
//
// It is a pure fold over the lane's journal: Engine.Apply takes one entry and
// answers with effects, and nothing else moves it. There is no clock, no I/O,
// no goroutine and no randomness in it. The state is a plain value that
// Snapshot writes and Restore reads; the same entries, from the start or from
// any snapshot, make the same state, the same effects and the same ids.
//
// # Boundaries
//
// A passage begins and ends with presence: a portal's occupancy, a loop, a
// light curtain. Plate texts decide nothing, ever. Vehicles keep their order
// in a lane, so that
//   - a capture of a camera before the portal waits up to Join.Before for the
//     presence that it announces;
//   - a scan belongs to the earliest passage that has begun and was not yet
//     scanned by that scanner, and an image to the passage that owns its scan;
//   - where no presence device is configured or able to look, camera captures
//     and scanner items open passages, marked "no-presence".
//
// # Instruments
//
// A device stands before, in or behind the presence zone, and devices of one
// position stand along the lane in the order of Lane.Devices.
//   - Documents and codes that are given before wait like captures. One person's
//     documents stay together, and a vehicle's codes that follow each other
//     within codeBurst.
//   - What comes onto a scale behind the zone is the earliest passage that has
//     left the zone and was neither weighed nor seen further along. A weight is
//     that of the load it settled under, and of nothing after it; a settled part
//     of a vehicle never takes the place of the whole.
//   - Codes behind a scale are of what stands on it or has just left it; so are
//     the pictures of a camera there. Without a scale they follow the order.
//   - A bag is of the person who came through the portal last.
//   - In a two-way lane the first of two presence devices, or a camera, tells
//     the direction.
//
// # Findings
//
// Findings that follow from the record as a whole are concluded anew with each
// version: raised once for each cause, updated, and withdrawn when they no
// longer hold. Look-ups in the lists of expected vehicles are effects, answered
// by journalled results.
//
// # Corrections
//
// An officer's correction is an entry, applied once by its id. What devices said
// stays as it was; Stated and Corrections tell what officers changed. A passage
// that is no longer kept comes back from its last shared version, which the
// entry carries: its facts, weights and plates are judged again, its coverage
// stays. Passages entered by hand or called back stand aside: no reading of a
// device can become theirs.
//
// # Tail-gating
//
// Who comes so close that the zone is not seen empty in between is inside the
// other's occupancy. Between a camera or document reader and the zone there is
// room for one (Device.Room); so when it has shown two, the first of them came in
// with whoever was ahead, or turned back. A scan that begins when everybody before is scanned
// is of such a one, too. It stays in the passage it came in with, which tells of
// tail-gating; an officer may split it.
//
// What this cannot tell: when a queue stands still for longer than Join.Before
// between a camera and the portal, the capture of the vehicle that waits is
// given to the one in the portal. Join.Before must exceed the usual wait.
//
// # What is not remembered
//
// A closed passage is kept for Keep.For (and at most Keep.Count of them), so
// that late results and readings add versions to it. Passages with images that
// vision has not answered are kept longer, up to Keep.Pending of them. After
// that a late scan image of a forgotten passage is recognised by its scan id
// (the last forgottenScans of them) and only accounted for in the frame log; a
// late result is ignored. Re-delivered readings are recognised by the last
// keysPerDevice keys of their device.
package passage
