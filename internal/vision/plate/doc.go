// Package plate reads licence plates: a detector finds their four corners, each
// is rectified and read whole, one row or two, and the rules of the country
// choose among what the characters could be. A reading too weak to stand on
// carries no text: a wrong plate is worse than none.
package plate
