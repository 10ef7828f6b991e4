// Package mrz reads machine-readable zones of travel and identity documents
// (ICAO Doc 9303: TD1, TD2, TD3, MRV-A, MRV-B) and the QR code of Viet Nam's
// citizen identity cards. It is pure: no clock, no I/O.
//
// Each document carries what was checked. A character is repaired only inside
// a numeric field, only where one single replacement of a letter that readers
// confuse with a digit makes every check digit hold, and the repair is named.
package mrz
