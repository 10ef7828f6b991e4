// Package expect knows the vehicles that a place expects: CSV lists in a folder
// that others write into. A list is a file of the folder whose name ends in
// .csv, in UTF-8, with a header row that names its columns in any order:
//
//	declaration,plate,rear_plate,container,gross_kg,net_kg,goods,direction,from,to
//
// All lists together are what is expected. A file is taken when it is complete:
// when nothing was written to it for a second. A row that is wrong is refused
// with file and line, and the others go on.
//
// What is looked up is compared character by character in its canonical form.
// Look-alikes are named in the answer and never taken for the same.
package expect
