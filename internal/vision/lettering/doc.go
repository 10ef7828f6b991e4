// Package lettering reads container numbers: a net finds and names the
// characters on a picture, they are joined to lines across or down, and ISO
// 6346 chooses which of the lines are a number. A check digit that was not read
// proves nothing and is never said to be right.
package lettering
