// Package container reads container numbers by ISO 6346: three letters of the
// owner, one of the category, six digits and a check digit. It is pure.
package container

import (
	"regexp"
	"strings"
)

// Number is a container number as it was written.
type Number struct {
	Text     string // eleven characters without separators
	SizeType string // such as 45G1; empty when it was not beside the number
}

// length of a number without separators.
const length = 11

// written finds numbers in running text. People put blanks, hyphens and a box
// around the check digit.
var written = regexp.MustCompile(`(?:^|[^A-Z0-9])([A-Z]{3}[UJZ])[ -]?(\d{3}[ -]?\d{3})[ -]?(\d)(?:[ /,;|-]{1,2}([1-9LM][0-9A-Z][A-Z][0-9A-Z]))?(?:$|[^A-Z0-9])`)

// Find lists the numbers in a text, each once, in their order.
func Find(text string) []Number {
	var found []Number
	seen := map[string]bool{}
	text = strings.ToUpper(text)
	for at := 0; at < len(text); {
		m := written.FindStringSubmatchIndex(text[at:])
		if m == nil {
			return found
		}
		group := func(i int) string {
			if m[2*i] < 0 {
				return ""
			}
			return text[at+m[2*i] : at+m[2*i+1]]
		}
		n := Number{Text: group(1) + digits(group(2)) + group(3), SizeType: group(4)}
		if !seen[n.Text] {
			seen[n.Text] = true
			found = append(found, n)
		}
		at += m[7] // behind the check digit: what bounds it may bound the next
	}
	return found
}

func digits(s string) string { return strings.NewReplacer(" ", "", "-", "").Replace(s) }

// Canonical is a number as people write it in its canonical form; false when it
// has not that form.
func Canonical(s string) (string, bool) {
	s = digits(strings.ToUpper(strings.TrimSpace(s)))
	if len(s) != length {
		return "", false
	}
	for i, c := range []byte(s) {
		letter, digit := c >= 'A' && c <= 'Z', c >= '0' && c <= '9'
		if i < 4 && !letter || i >= 4 && !digit {
			return "", false
		}
	}
	return s, strings.IndexByte("UJZ", s[3]) >= 0
}

// Valid says whether the check digit is right.
func (n Number) Valid() bool {
	want, ok := Check(n.Text)
	return ok && n.Text[length-1] == want
}

// Check is the check digit that a number must have: the sum of the characters'
// values times two to the power of their position, modulo 11, where 10 is
// written as 0.
func Check(text string) (byte, bool) {
	if _, ok := Canonical(text); !ok || len(text) != length {
		return 0, false
	}
	sum := 0
	for i := range length - 1 {
		sum += value(text[i]) << i
	}
	return byte('0' + sum%11%10), true
}

// value of a character: letters count from 10 on and leave out the multiples of
// 11.
func value(c byte) int {
	if c <= '9' {
		return int(c - '0')
	}
	v := int(c-'A') + 10
	return v + (v-1)/10
}
