// Package bench holds the benchmarks of `make bench`. Absolute times of a
// machine say little; every benchmark measures a peer or a physical limit in
// the same run, interleaved, and reports the ratio with its spread.
package bench
