package port

import (
	"bytes"
	"math/bits"
	"time"
)

// piece is bytes to write after a pause.
type piece struct {
	bytes []byte
	after time.Duration
}

// between is the pause inside a line that comes in two halves, in line with a
// USB converter's latency timer.
const between = 30 * time.Millisecond

// spoil is what the faults of a line that are on make of one line. The caller
// holds sending.
func (p *Port) spoil(line string) []piece {
	b := append([]byte(line), '\r', '\n')
	on := func(name string) bool { return p.board.On(p.device, name) }
	second, third := p.sent%2 == 0, p.sent%3 == 0
	if on("wrong-baud") {
		return []piece{{bytes: p.garbage()}}
	}
	if on("bad-value") && second {
		b = badValue(b)
	}
	if on("noise") && second {
		b = p.insert(b, func() byte { return byte(0x80 + p.dice.IntN(0x80)) }, 1+p.dice.IntN(8))
	}
	if on("xoff") {
		b = p.insert(b, func() byte { return [2]byte{0x11, 0x13}[p.dice.IntN(2)] }, 1)
	}
	if on("parity") {
		for i, c := range b[:len(b)-2] {
			if bits.OnesCount8(c)%2 == 1 {
				b[i] |= 0x80
			}
		}
	}
	if on("torn") && third {
		b = append(b[:len(b)/2], '\r', '\n')
	}
	// A missing line end runs two lines into one: only while that still fits.
	if on("no-terminator") && third && 2*len(b) < MaxFrame {
		b = bytes.TrimSuffix(b, []byte("\r\n"))
	}
	if on("split") && len(b) > 4 {
		cut := 2 + p.dice.IntN(len(b)-3)
		return []piece{{bytes: b[:cut]}, {bytes: b[cut:], after: between}}
	}
	return []piece{{bytes: b}}
}

// insert puts n strange bytes into the line, before its line end and behind its
// first byte: in front of it they would leave a frame sound.
func (p *Port) insert(b []byte, strange func() byte, n int) []byte {
	for range n {
		at := 1 + p.dice.IntN(len(b)-2)
		b = append(b[:at], append([]byte{strange()}, b[at:]...)...)
	}
	return b
}

// garbage is a burst as read at a wrong rate. It has no line end but its own
// last two bytes, so that it is a frame that can be accounted for.
func (p *Port) garbage() []byte {
	b := make([]byte, 40+p.dice.IntN(60))
	for i := range b {
		for b[i] = '\n'; b[i] == '\n' || b[i] == '\r'; {
			b[i] = byte(p.dice.IntN(256))
		}
	}
	return append(b, '\r', '\n')
}

// badValue turns the last digit of the line's last field but one into a letter.
func badValue(b []byte) []byte {
	last := bytes.LastIndexByte(b, ',')
	if last < 1 {
		return b
	}
	b[last-1] = 'x'
	return b
}
