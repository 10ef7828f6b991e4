package port

import (
	"bytes"
	"math/bits"
	"slices"
	"strings"

	"gatehouse/internal/sim/book"
)

// Frame is what a device with a framing of its own puts on the wire at once.
type Frame struct {
	Wire []byte // all bytes that go out
	// Body is what the host takes as the frame, for the ledger; nil when it is
	// not to be noted.
	Body    []byte
	Kind    string // book.Packet when empty
	Check   int    // how many of the last bytes of Wire are a checksum
	End     int    // how many of them tell the host that the frame is over
	Passage string
}

// Bytes makes the port hand on what the host writes as it comes, instead of as
// lines. It is called before Run.
func (p *Port) Bytes() <-chan []byte {
	if p.raw == nil {
		p.raw = make(chan []byte, 64)
	}
	return p.raw
}

// Put puts a frame on the wire, spoilt by whatever fault is on. It says whether
// somebody could hear it, be it spoilt.
func (p *Port) Put(f Frame) bool {
	if f.Kind == "" {
		f.Kind = book.Packet
	}
	p.sending.Lock()
	defer p.sending.Unlock()
	p.sent++
	if p.board.On(p.device, "silence") {
		return false
	}
	if p.board.On(p.device, "burst") && len(p.waiting)*len(f.Wire) < overrun/2 ||
		p.board.On(p.device, "merge") && len(p.waiting) == 0 {
		p.waiting = append(p.waiting, f)
		return true
	}
	all := slices.Concat(p.waiting, []Frame{f})
	p.waiting = nil
	if len(all) > 1 {
		return p.together(all)
	}
	pieces, faults := p.damage(f)
	if !p.pieces(pieces, f) {
		return false
	}
	if len(faults) > 0 {
		p.book.Spoilt(p.device, f.Kind, slices.Concat(wires(pieces)...), f.Passage, strings.Join(faults, "+"))
		return true
	}
	p.note(f)
	if p.board.On(p.device, "repeat") && p.sent%2 == 0 && p.pieces(pieces, f) {
		p.note(f)
	}
	return true
}

func (p *Port) note(f Frame) {
	if f.Body != nil {
		p.book.Sent(p.device, f.Kind, f.Body, f.Passage)
	}
}

// together puts what was held back out in one write.
func (p *Port) together(all []Frame) bool {
	var wire bytes.Buffer
	for _, f := range all {
		wire.Write(f.Wire)
	}
	heard := p.pieces([]piece{{bytes: wire.Bytes()}}, all...)
	if heard {
		for _, f := range all {
			p.note(f)
		}
	}
	return heard
}

// pieces writes, and says whether all of it went out to somebody. The frames
// are those that are in them.
func (p *Port) pieces(list []piece, in ...Frame) bool {
	for _, c := range list {
		if c.after > 0 {
			pause(c.after)
		}
		if reason := p.push(c.bytes); reason != "" {
			for _, f := range in {
				if f.Body != nil {
					p.book.Unheard(p.device, f.Kind, f.Body, f.Passage, reason)
				}
			}
			return false
		}
	}
	return true
}

// push puts bytes on the wire; it says why nobody can hear them, if so.
func (p *Port) push(b []byte) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.out(b, nil)
}

func wires(list []piece) [][]byte {
	var all [][]byte
	for _, c := range list {
		all = append(all, c.bytes)
	}
	return all
}

// damage is what the faults that are on make of a frame, and which of them
// changed its bytes. The caller holds sending.
func (p *Port) damage(f Frame) (out []piece, faults []string) {
	b := bytes.Clone(f.Wire)
	second, third := p.sent%2 == 0, p.sent%3 == 0
	on := func(name string, when bool) bool {
		if !when || !p.board.On(p.device, name) {
			return false
		}
		faults = append(faults, name)
		return true
	}
	if on("wrong-baud", true) {
		return []piece{{bytes: bytes.TrimSuffix(p.garbage(), []byte("\r\n"))}}, faults
	}
	if on("bad-checksum", second && f.Check > 0) {
		b[len(b)-f.Check] ^= 0x01
	}
	if on("noise", second) {
		b = p.insert(b, func() byte { return byte(0x80 + p.dice.IntN(0x80)) }, 1+p.dice.IntN(8))
	}
	if on("xoff", true) {
		b = p.insert(b, func() byte { return [2]byte{0x11, 0x13}[p.dice.IntN(2)] }, 1)
	}
	if p.board.On(p.device, "parity") {
		was := bytes.Clone(b)
		for i, c := range b {
			if bits.OnesCount8(c)%2 == 1 {
				b[i] |= 0x80
			}
		}
		if !bytes.Equal(b, was) {
			faults = append(faults, "parity")
		}
	}
	if on("torn", third) {
		b = b[:len(b)/2]
	}
	if on("no-terminator", third && f.End > 0) {
		b = b[:max(1, len(b)-f.End)]
	}
	if p.board.On(p.device, "split") && len(b) > 4 {
		cut := 2 + p.dice.IntN(len(b)-3)
		return []piece{{bytes: b[:cut]}, {bytes: b[cut:], after: between}}, faults
	}
	return []piece{{bytes: b}}, faults
}
