// Package watch follows vehicles through a video: the plates of every look are
// joined to tracks by where they are and how they move, each track is read in
// many frames and its readings are put to a vote, and a vehicle that has gone
// gives one result. Texts never join tracks: two lorries with like plates stay
// two.
package watch
