// Package tip projects fictional threats into scans that reviewers look at, so
// that they stay watchful and their hit and false-alarm rates are known.
//
// A projection is made into a copy of a scan, for one reviewer and one look. The
// package knows scans by their digest and hands out pictures and figures; it
// imports nothing that shares, stores or decides on traffic, so nothing of it
// can come into findings, evidence, holds or statistics of real passages. An
// answer is revealed at once, and then the reviewer decides on the real scan.
package tip
