// Package account compares what a simulated gate sent with what the agencies'
// stores hold: frames lost or doubled, gaps that nothing explains, passages,
// alerts and verdicts lost or doubled, evidence that is not there, and stores
// that differ.
//
// Load reads a store and ReadBooks the simulator's books; Judge is a pure
// function of them. Every rule is applied to each store by itself.
package account
