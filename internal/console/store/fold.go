package store

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// plain takes accents and case away: "Gỗ tấm, Đồng Đăng" is "go tam dong dang".
// What is neither letter nor digit separates words.
func plain(text string) string {
	var b strings.Builder
	gap := false
	for _, r := range norm.NFD.String(text) {
		switch {
		case unicode.Is(unicode.Mn, r):
			continue
		case !unicode.IsLetter(r) && !unicode.IsDigit(r):
			gap = b.Len() > 0
			continue
		}
		if gap {
			b.WriteByte(' ')
			gap = false
		}
		if r = unicode.ToLower(r); r == 'đ' {
			r = 'd'
		}
		b.WriteRune(r)
	}
	return b.String()
}

// code is a plate, a number or a part of one as it is compared: capitals and
// digits without separators, Đ as D. Wildcards stay.
func code(text string) string {
	var b strings.Builder
	for _, r := range norm.NFD.String(text) {
		if r = unicode.ToUpper(r); r == 'Đ' {
			r = 'D'
		}
		if unicode.IsLetter(r) || unicode.IsDigit(r) || r == '*' || r == '?' {
			b.WriteRune(r)
		}
	}
	return b.String()
}

// alike makes characters equal that cameras and people mistake for one
// another, in a text that code has made.
func alike(text string) string {
	return strings.Map(func(r rune) rune {
		switch r {
		case 'O', 'D', 'Q':
			return '0'
		case 'I', 'L', '7':
			return '1'
		case 'B':
			return '8'
		case 'S':
			return '5'
		case 'Z':
			return '2'
		case 'G':
			return '6'
		case 'A':
			return '4'
		}
		return r
	}, text)
}

// tokens joins codes so that a part can be looked for in all of them and never
// reaches from one into the next.
func tokens(list []string) string {
	if len(list) == 0 {
		return ""
	}
	return " " + strings.Join(list, " ") + " "
}

// grams lists each pair of neighbours followed by a bar, which makes a part of
// two characters as long as the index asks for.
func grams(list []string) string {
	var b strings.Builder
	for _, text := range list {
		r := []rune(text)
		for i := 0; i+1 < len(r); i++ {
			b.WriteString(string(r[i : i+2]))
			b.WriteByte('|')
		}
	}
	return b.String()
}

// pattern is what somebody looks for in codes: a part of one, or with
// wildcards (* for any characters, ? for one) a whole one.
type pattern struct {
	text string
	wild bool
}

func newPattern(text string) pattern {
	text = code(text)
	return pattern{text, strings.ContainsAny(text, "*?")}
}

func (p pattern) empty() bool { return strings.Trim(p.text, "*") == "" }

// literals are the parts that a match must contain.
func (p pattern) literals() []string {
	return strings.FieldsFunc(p.text, func(r rune) bool { return r == '*' || r == '?' })
}

// in tells whether one of the tokens matches.
func (p pattern) in(tokens string) bool {
	if !p.wild {
		return strings.Contains(tokens, p.text)
	}
	for token := range strings.FieldsSeq(tokens) {
		if glob([]rune(p.text), []rune(token)) {
			return true
		}
	}
	return false
}

// glob matches a whole text; it goes back to the last star only, so that it is
// quick for every pattern.
func glob(p, text []rune) bool {
	i, j, star, mark := 0, 0, -1, 0
	for j < len(text) {
		switch {
		case i < len(p) && p[i] == '*':
			star, mark = i, j
			i++
		case i < len(p) && (p[i] == '?' || p[i] == text[j]):
			i++
			j++
		case star >= 0:
			mark++
			i, j = star+1, mark
		default:
			return false
		}
	}
	for i < len(p) && p[i] == '*' {
		i++
	}
	return i == len(p)
}
