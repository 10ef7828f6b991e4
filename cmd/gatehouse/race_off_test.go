//go:build !race

package main

// raced has the programs built with the race detector when the tests are.
const raced = false
