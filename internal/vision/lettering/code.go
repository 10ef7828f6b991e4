package lettering

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"gatehouse/internal/container"
)

// Decisions on numbers. Probabilities are those of the net within what may
// stand at a place.
const (
	ownerLength = 4
	length      = 11 // owner, serial number, check digit
	weakest     = 0.02
	plausible   = 0.02 // of another character that a repair may take
	sureDigit   = 0.8  // of a check digit that a repair may rely on
	unproven    = 0.49 // highest score of a number that its check digit does not prove
	quality     = 0.4  // geometric mean of the probabilities below which nothing is said
)

// number is a container number as it was read.
type number struct {
	text     string
	checkOK  bool
	repaired bool
	sizeType string
	score    float64
	chars    []char
	down     bool
}

// alphabet maps characters of the net to their places.
type alphabet struct {
	chars []string
	index map[byte]int
}

func newAlphabet(chars []string) alphabet {
	a := alphabet{chars, map[byte]int{}}
	for i, c := range chars {
		if len(c) == 1 {
			a.index[c[0]] = i
		}
	}
	return a
}

// Of each character of from, the one at the same place of to is drawn alike in
// most faces (twins), or nearly (lookalikes).
const (
	twinFrom, twinTo           = "0O1I", "O0I1"
	lookalikeFrom, lookalikeTo = "B8S5Z2G6QD", "8B5S2Z6G00"
)

// weight is how likely a character is at a place where its twin cannot stand.
func (a alphabet) weight(p []float32, c byte) float64 {
	w := float64(p[a.index[c]])
	if i := strings.IndexByte(twinFrom, c); i >= 0 {
		w += float64(p[a.index[twinTo[i]]])
	}
	if i := strings.IndexByte(lookalikeFrom, c); i >= 0 {
		w += 0.5 * float64(p[a.index[lookalikeTo[i]]])
	}
	return w
}

// choice is a character with its probability at a place.
type choice struct {
	c byte
	p float64
}

const (
	letters    = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	categories = "UJZ"
	figures    = "0123456789"
)

func allowedAt(i int) string {
	switch {
	case i < ownerLength-1:
		return letters
	case i == ownerLength-1:
		return categories
	}
	return figures
}

// choices are the characters that may stand at a place, the likeliest first.
// The probabilities are not stretched to one: what the net thinks impossible
// here counts against all.
func (a alphabet) choices(c char, allowed string) []choice {
	out := make([]choice, len(allowed))
	for i := range len(allowed) {
		out[i] = choice{allowed[i], min(1, a.weight(c.P, allowed[i]))}
	}
	slices.SortStableFunc(out, func(x, y choice) int { return cmp.Compare(y.p, x.p) })
	return out
}

// read makes a number of 11 characters, or of 10 whose check digit is missing.
// ok is false for what is none.
func (a alphabet) read(chars []char, down bool) (n number, ok bool) {
	all := make([][]choice, len(chars))
	text := make([]byte, len(chars))
	product := 1.0
	for i, c := range chars {
		all[i] = a.choices(c, allowedAt(i))
		if all[i][0].p < weakest {
			return n, false
		}
		text[i] = all[i][0].c
		product *= all[i][0].p
	}
	if math.Pow(product, 1/float64(len(chars))) < quality {
		return n, false
	}
	n = number{text: string(text), score: product, chars: chars, down: down}
	if len(chars) < length {
		digit, ok := container.Check(n.text + "0")
		if !ok {
			return n, false
		}
		n.text += string(digit)
		n.score = min(n.score, unproven)
		return n, true
	}
	n.checkOK = container.Number{Text: n.text}.Valid()
	if !n.checkOK {
		n.repair(all)
		n.score = min(n.score, unproven) // nothing may be concluded from it
	}
	return n, true
}

// repair changes the one character whose change makes the number valid, if
// there is exactly one such change that the net thinks possible. The check
// digit itself is never changed: a digit made to fit proves nothing.
func (n *number) repair(all [][]choice) {
	if all[length-1][0].p < sureDigit {
		return
	}
	var fixed string
	var gain float64
	ways := 0
	for i := range length - 1 {
		for _, c := range all[i][1:] {
			if c.p < plausible {
				break
			}
			t := n.text[:i] + string(c.c) + n.text[i+1:]
			if (container.Number{Text: t}).Valid() {
				ways++
				fixed, gain = t, c.p/all[i][0].p
			}
		}
	}
	if ways == 1 {
		n.text, n.repaired = fixed, true
		n.score *= gain
	}
}

// numbers are the container numbers among lines.
func (a alphabet) numbers(all []line) []number {
	var found []number
	try := func(chars []char, down bool) {
		if n, ok := a.read(chars, down); ok {
			found = append(found, n)
		}
	}
	for _, l := range all {
		for i := range len(l.Chars) {
			if i+length <= len(l.Chars) {
				try(l.Chars[i:i+length], l.Down)
			}
			if i+length-1 <= len(l.Chars) && a.alone(l, i, length-1) {
				try(l.Chars[i:i+length-1], l.Down)
			}
			if i+ownerLength <= len(l.Chars) && a.owner(l.Chars[i:i+ownerLength]) {
				for _, rest := range beneath(all, l, i) {
					for _, k := range []int{length - ownerLength, length - ownerLength - 1} {
						if len(rest) >= k {
							try(slices.Concat(l.Chars[i:i+ownerLength], rest[:k]), l.Down)
						}
					}
				}
			}
		}
	}
	return strongest(found)
}

// alone says whether ten characters are all that stand there: a longer line
// holds another reading of the same number.
func (a alphabet) alone(l line, i, n int) bool {
	if i+n < len(l.Chars) && distance(l.Chars[i+n-1], l.Chars[i+n]) < 3*l.Chars[i].H {
		return false
	}
	return i == 0 || distance(l.Chars[i-1], l.Chars[i]) > 2*l.Chars[i].H
}

// owner says whether four characters can be an owner's code.
func (a alphabet) owner(chars []char) bool {
	p := 1.0
	for i, c := range chars {
		p *= a.choices(c, allowedAt(i))[0].p
	}
	return p > 0.05
}

// beneath are the lines that continue an owner's code which stands at place i
// of a line: right under it, or in the column beside it.
func beneath(all []line, l line, i int) [][]char {
	var out [][]char
	first, last := l.Chars[i], l.Chars[i+ownerLength-1]
	for _, m := range all {
		if m.Down != l.Down {
			continue
		}
		for k, c := range m.Chars {
			if len(m.Chars)-k < length-ownerLength-1 {
				break
			}
			if k > 0 && distance(m.Chars[k-1], c) < 0.9*c.H { // within a word
				continue
			}
			a0, b0 := along(first, l.Down)
			a1, b1 := along(c, l.Down)
			step := b1 - b0
			if l.Down {
				step = math.Abs(step) // a column to either side
			}
			end, _ := along(last, l.Down)
			if sameSize(first, c) && step > 0.8*first.H && step < 3*first.H && a1 > a0-4*first.H && a1 < end+first.H {
				out = append(out, m.Chars[k:])
			}
		}
	}
	return out
}

// strongest keeps the best of the readings that share characters or are
// readings of the same number, the best first.
func strongest(found []number) []number {
	slices.SortStableFunc(found, func(x, y number) int { return cmp.Compare(y.rank(), x.rank()) })
	var kept []number
	for _, n := range found {
		if !slices.ContainsFunc(kept, func(k number) bool { return sameChars(k, n) > 2 || differ(k.text, n.text) <= 2 }) {
			kept = append(kept, n)
		}
	}
	return kept
}

// rank prefers what its own check digit proves.
func (n number) rank() float64 {
	switch {
	case n.checkOK:
		return 2 + n.score
	case len(n.chars) == length:
		return n.score
	}
	return n.score / 2
}

func sameChars(a, b number) int {
	n := 0
	for _, x := range a.chars {
		for _, y := range b.chars {
			if x.X == y.X && x.Y == y.Y {
				n++
			}
		}
	}
	return n
}

func differ(a, b string) int {
	n := 0
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			n++
		}
	}
	return n
}

// sizeForm is what may stand at the places of a size and type code by ISO 6346:
// length, height and width, and type with its detail.
func sizeForm() [4]string {
	return [...]string{"1234BCDEFGHKLMNP", "0245689CDEFLMNP", "GVBSRHUPTAK", figures}
}

// sizeWritten tells whether a code is one that is found on containers.
func sizeWritten(code string) bool {
	for i, found := range [...]string{"1234LM", figures + "CDEF", "GVBSRHUPTAK", figures} {
		if i >= len(code) || strings.IndexByte(found, code[i]) < 0 {
			return false
		}
	}
	return len(code) == 4
}

// withSize adds the size and type code that stands with a number.
func (a alphabet) withSize(n *number, all []line) {
	best := 0.15
	h := n.chars[len(n.chars)-1].H
	for _, l := range all {
		for i := 0; i+4 <= len(l.Chars); i++ {
			four := l.Chars[i : i+4]
			if !sameSize(four[0], n.chars[len(n.chars)-1]) || sharesAny(four, n.chars) || !word(l, i) {
				continue
			}
			var text strings.Builder
			p, away := 1.0, math.Inf(1)
			for k, c := range four {
				one := a.choices(c, sizeForm()[k])[0]
				p *= one.p
				text.WriteByte(one.c)
				for _, o := range n.chars {
					away = min(away, distance(c, o))
				}
			}
			if away > 7*h || !sizeWritten(text.String()) {
				continue
			}
			if p *= math.Exp(-away / (12 * h)); p > best {
				best, n.sizeType = p, text.String()
			}
		}
	}
}

// word says whether the four characters from i on stand apart from others.
func word(l line, i int) bool {
	room := 0.9
	if l.Down {
		room = 1.4
	}
	before := i == 0 || distance(l.Chars[i-1], l.Chars[i]) > room*l.Chars[i].H
	after := i+4 == len(l.Chars) || distance(l.Chars[i+3], l.Chars[i+4]) > room*l.Chars[i].H
	return before && after
}

func sharesAny(a, b []char) bool {
	return slices.ContainsFunc(a, func(x char) bool {
		return slices.ContainsFunc(b, func(y char) bool { return x.X == y.X && x.Y == y.Y })
	})
}
