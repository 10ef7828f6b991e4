// Package uplink joins an agency's store to its account on the hub: what the
// gates hand over is verified and committed before it is acknowledged, and
// what the store's outbox holds is said to the gates in its order.
package uplink
