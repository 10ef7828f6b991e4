// Package scale drives scales and weighbridges whose indicator sends its
// display all the time: Mettler Toledo continuous, Yaohua XK3190 continuous,
// and others by a template of start, length or end, and pattern.
//
// The Toledo frame follows the maker's indicator manuals (IND and Wildcat
// class), the Yaohua frame those of the XK3190-A9 and DS3. Neither fixes the
// line's parity and rate: they are the site's to set.
//
// A weight is stable only after several equal readings without motion, all of
// one load and of one unbroken line. What the indicator marks as over or under
// range, invalid or not zeroed is never a value. The driver sends nothing to
// the indicator: it neither tares nor zeroes a scale.
package scale
