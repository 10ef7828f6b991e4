// Package share is the record that a gate shares with both agencies, and its
// way to them and back.
//
// The record is a chain: every event has a signed header that holds the hash
// of the header before it (Link). One Chain per gate appends to it. A Handover
// takes it to each agency's own stream on the hub, and Sayings brings back
// what the agencies say: verdicts and receipts, which are chained too, and
// requests for evidence, which Images serves. Consoles use the same code from
// the other end: ParseMessage and Link.Verify for what they receive, NewSaying
// for what they say. Verify checks an export of the record for holes, changes
// and moved events, with keys given out of band.
//
// Signatures are always over the stored bytes, never over re-made JSON.
package share
