package lettering

import "gatehouse/internal/vision/wire"

// Painted is a character as a test paints it: what it is, what it is taken for
// with a probability, and its middle and height in pixels.
type Painted struct {
	C    byte
	Also byte // 0 for none
	P    float64
	X, Y float64
	H    float64
}

// ReadPainted reads the numbers among painted characters.
func ReadPainted(chars []Painted) []wire.ContainerCode {
	names := newAlphabet([]string{"", "0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "A", "B", "C", "D", "E", "F", "G", "H", "I", "J", "K", "L",
		"M", "N", "O", "P", "Q", "R", "S", "T", "U", "V", "W", "X", "Y", "Z"})
	var all []char
	for _, c := range chars {
		one := char{X: c.X, Y: c.Y, W: 0.6 * c.H, H: c.H, Heat: 0.9, P: make([]float32, len(names.chars))}
		one.P[names.index[c.C]] = float32(c.P)
		if c.Also != 0 {
			one.P[names.index[c.Also]] = float32(1 - c.P)
		}
		all = append(all, one)
	}
	found := append(lines(all, false), lines(all, true)...)
	var out []wire.ContainerCode
	for _, n := range names.numbers(found) {
		names.withSize(&n, found)
		b := n.bounds()
		out = append(out, wire.ContainerCode{Text: n.text, CheckOK: n.checkOK, Repaired: n.repaired, SizeType: n.sizeType, Score: n.score,
			Box: wire.Box{b.Min.X, b.Min.Y, b.Dx(), b.Dy()}})
	}
	return out
}

// Starts are where parts of a side begin that cover a length.
func Starts(length, side int) []int { return starts(length, side) }
