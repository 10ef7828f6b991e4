// Package soak plays a whole gate for an hour of simulated traffic at four
// times Lang Son's peak, with the programs that are shipped, and judges what
// only time shows: whether every planted finding was found and none invented,
// whether memory and goroutines stay level, whether both consoles hold the same.
// `make soak` runs it; its test files have the build tag "soak". Package trend
// tells a level figure from one that climbs.
package soak
