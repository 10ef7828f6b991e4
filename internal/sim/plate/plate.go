// Package plate makes and reads the number plates that simulated vehicles wear.
// The grammar is that of Vietnamese plates for goods vehicles, plus the common
// Chinese one at the northern gates.
package plate

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"regexp"
	"strings"
)

// Colour is a plate's ground.
type Colour string

// Colours of plates.
const (
	Yellow Colour = "yellow" // transport business; Chinese lorries
	White  Colour = "white"  // private
	Blue   Colour = "blue"   // state bodies; Chinese cars
)

// Plate is one plate as it is painted.
type Plate struct {
	Text    string // canonical: letters and digits only, rows joined
	Display string // as people write it: 12C-123.45
	Lines   []string
	Colour  Colour
	Country string // ISO 3166 alpha-2: VN or CN
}

// Rows is 1 or 2.
func (p Plate) Rows() int { return len(p.Lines) }

// ErrGrammar is a text that no goods vehicle's plate could have.
var ErrGrammar = errors.New("not a plate of a goods vehicle")

// provinces are the 81 codes in use.
func provinces() []string {
	var codes []string
	for n := 11; n <= 99; n++ {
		switch n {
		case 13, 42, 44, 45, 46, 87, 91, 96:
		default:
			codes = append(codes, fmt.Sprint(n))
		}
	}
	return codes
}

// nearby are provinces whose lorries are common at the northern gates.
func nearby() []string {
	return []string{"12", "12", "12", "98", "98", "99", "29", "29", "15", "15", "14", "20", "34", "89", "11"}
}

// Random draws a Vietnamese goods vehicle's plate with that many rows.
func Random(r *rand.Rand, rows int) Plate {
	codes := nearby()
	if r.IntN(3) == 0 {
		codes = provinces()
	}
	series := "C"
	switch n := r.IntN(20); {
	case n < 2:
		series = "H"
	case n < 3:
		series = "D"
	case n < 4:
		series = "LD"
	}
	number := fmt.Sprintf("%05d", r.IntN(100000))
	if r.IntN(8) == 0 {
		number = fmt.Sprintf("%04d", r.IntN(10000))
	}
	colour := Yellow
	if r.IntN(3) == 0 {
		colour = White
	}
	return vietnamese(codes[r.IntN(len(codes))]+series, number, rows, colour)
}

// RandomChinese draws a lorry's plate of Guangxi or Yunnan.
func RandomChinese(r *rand.Rand) Plate {
	const letters, tail = "ABCDEFGHJKLMNPQRSTUVWXYZ", "ABCDEFGHJKLMNPQRSTUVWXYZ0123456789"
	var text strings.Builder
	text.WriteString([]string{"桂", "桂", "桂", "云"}[r.IntN(4)] + string(letters[r.IntN(11)]))
	for i := range 5 {
		c := string(tail[24+r.IntN(10)])
		if i < 2 && r.IntN(3) == 0 {
			c = string(tail[r.IntN(24)])
		}
		text.WriteString(c)
	}
	rest := []rune(text.String())
	return Plate{
		Text: text.String(), Display: string(rest[:2]) + "·" + string(rest[2:]),
		Lines: []string{string(rest[:2]) + "·" + string(rest[2:])}, Colour: Yellow, Country: "CN",
	}
}

func vietnamese(head, number string, rows int, colour Colour) Plate {
	p := Plate{Text: head + number, Colour: colour, Country: "VN"}
	if len(number) == 5 {
		number = number[:3] + "." + number[3:]
	}
	p.Display = head + "-" + number
	p.Lines = []string{p.Display}
	if rows == 2 {
		p.Lines = []string{head, number}
	}
	return p
}

// Parse reads a Vietnamese plate as people write it.
func Parse(s string, rows int, colour Colour) (Plate, error) {
	text := strings.NewReplacer("-", "", ".", "", " ", "").Replace(strings.ToUpper(s))
	grammar := regexp.MustCompile(`^((?:1[1-24-9]|2\d|3\d|4[0137-9]|[56]\d|7\d|8[0-689]|9[02-57-9])(?:[ABCDEFGHKLMNPSTUVXYZ]|LD|KT|DA|R|RM))(\d{4,5})$`)
	m := grammar.FindStringSubmatch(text)
	if m == nil {
		return Plate{}, fmt.Errorf("%w: %q; write it like 12C-123.45", ErrGrammar, s)
	}
	return vietnamese(m[1], m[2], rows, colour), nil
}
