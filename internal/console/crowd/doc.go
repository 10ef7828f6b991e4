// Package crowd fills a console's store with the passages of a busy gate, so
// that what its pages cost at that size can be measured (`make bench-console`)
// and, in small, be tested.
package crowd
