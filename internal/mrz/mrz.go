package mrz

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Format is the layout of a document.
type Format string

// Formats, with their lines.
const (
	TD1  Format = "TD1"     // card, three lines of 30
	TD2  Format = "TD2"     // small booklet, two lines of 36
	TD3  Format = "TD3"     // passport, two lines of 44
	MRVA Format = "MRV-A"   // visa, two lines of 44
	MRVB Format = "MRV-B"   // visa, two lines of 36
	CCCD Format = "CCCD-QR" // QR code of a Vietnamese identity card
)

// ErrFormat is wrapped by every parse error: what was read is no document.
var ErrFormat = errors.New("not a machine-readable document")

// Outcome is what checking a field gave.
type Outcome string

// Outcomes.
const (
	OK     Outcome = "ok"
	Wrong  Outcome = "wrong"
	Absent Outcome = "absent" // the document carries no digit for the field
)

// Document is what a document says. Texts are as printed, fillers taken off.
type Document struct {
	Format      Format
	Type        string // one or two letters
	Issuer      string
	Number      string // of a CCCD its twelve digits
	Nationality string
	Birth       string // 2006-01-02, with X for what the document leaves open
	Sex         string // M, F or empty
	Expiry      string // as Birth
	Names       []string
	Optional    string
	Checks      map[string]Outcome // by field: number, birth, expiry, personal, composite, …
	Repaired    []string           // such as "birth: O read as 0"
}

// Sound says whether nothing that was checked is wrong and nothing was repaired.
func (d Document) Sound() bool { return len(d.Repaired) == 0 && len(d.Wrong()) == 0 }

// Wrong are the fields whose check failed, sorted.
func (d Document) Wrong() []string {
	var out []string
	for field, o := range d.Checks {
		if o == Wrong {
			out = append(out, field)
		}
	}
	slices.Sort(out)
	return out
}

// Digit is the check digit of s by weights 7, 3, 1: digits count as they are,
// A to Z as 10 to 35 and the filler as 0. Any other character counts as 0 and
// is refused by Parse before.
func Digit(s string) byte {
	sum := 0
	for i, c := range []byte(s) {
		v := 0
		switch {
		case c >= '0' && c <= '9':
			v = int(c - '0')
		case c >= 'A' && c <= 'Z':
			v = int(c-'A') + 10
		}
		sum += v * [3]int{7, 3, 1}[i%3]
	}
	return byte('0' + sum%10)
}

// Split cuts one text into the lines of a document: at CR and LF, or by length
// when a reader sends 90, 88 or 72 characters without them. It gives nil when
// no document has such lines.
func Split(text string) []string {
	lines := strings.FieldsFunc(text, func(r rune) bool { return r == '\r' || r == '\n' })
	if len(lines) == 1 {
		switch s := lines[0]; len(s) {
		case 90:
			lines = []string{s[:30], s[30:60], s[60:]}
		case 88, 72:
			lines = []string{s[:len(s)/2], s[len(s)/2:]}
		}
	}
	if len(lines) == 0 || Lines(len(lines[0])) != len(lines) {
		return nil
	}
	return lines
}

// Lines is how many lines a document has whose first line has n characters; 0
// when there is no such document.
func Lines(n int) int {
	switch n {
	case 30:
		return 3
	case 36, 44:
		return 2
	}
	return 0
}

// Parse reads the lines of a document. Years have two digits: a birth is the
// latest that is not after today, an expiry is of the 2000s. The error wraps
// ErrFormat; a wrong check digit is no error but a Wrong check.
func Parse(lines []string, today time.Time) (Document, error) {
	l, err := layoutOf(lines)
	if err != nil {
		return Document{}, err
	}
	zone := []byte(strings.Join(lines, ""))
	var repaired []string
	if len(failed(l, zone)) > 0 {
		if fixed, note, ok := l.repair(zone); ok {
			zone, repaired = fixed, []string{note}
		}
	}
	d := l.document(zone, today)
	d.Repaired = repaired
	return d, nil
}

// layoutOf says which document the lines are of.
func layoutOf(lines []string) (layout, error) {
	if len(lines) == 0 {
		return layout{}, fmt.Errorf("%w: no line", ErrFormat)
	}
	width := len(lines[0])
	if n := Lines(width); n == 0 || n != len(lines) {
		return layout{}, fmt.Errorf("%w: %d lines, the first of %d characters", ErrFormat, len(lines), width)
	}
	for i, line := range lines {
		if len(line) != width {
			return layout{}, fmt.Errorf("%w: line %d has %d characters, line 1 has %d", ErrFormat, i+1, len(line), width)
		}
		for j, c := range []byte(line) {
			if c != '<' && (c < '0' || c > '9') && (c < 'A' || c > 'Z') {
				return layout{}, fmt.Errorf("%w: byte %#02x at line %d column %d", ErrFormat, c, i+1, j+1)
			}
		}
	}
	first := lines[0][0]
	switch {
	case width == 30 && strings.IndexByte("IAC", first) >= 0:
		return td1(), nil
	case width == 36 && strings.IndexByte("IACP", first) >= 0:
		return td2(TD2), nil
	case width == 44 && first == 'P':
		return td3(TD3), nil
	case width == 44 && first == 'V':
		return td3(MRVA), nil
	case width == 36 && first == 'V':
		return td2(MRVB), nil
	}
	return layout{}, fmt.Errorf("%w: a line of %d characters begins with %q", ErrFormat, width, first)
}
