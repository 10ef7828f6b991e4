package scale

import "fmt"

// Protocols.
const (
	Toledo = "toledo" // 18 bytes with checksum
	Yaohua = "xk3190" // 12 bytes
)

// Display is what an indicator shows.
type Display struct {
	KG        int // a multiple of the step
	Step      int // 1, 2, 5 and their tens
	Motion    bool
	Over      bool
	NotZeroed bool
}

// Encode is the display as a frame of the protocol.
func (d Display) Encode(protocol string) []byte {
	if protocol == Yaohua {
		return d.yaohua()
	}
	return d.toledo()
}

// toledo is STX, three status words, six characters of weight, six of tare, CR
// and a checksum that makes the low seven bits of the sum 0.
func (d Display) toledo() []byte {
	shown, step := d.KG, d.Step
	scale := byte(0x02) // x1
	if step >= 10 {
		scale, shown, step = 0x01, shown/10, step/10 // x10
	}
	swa := 0x20 | scale
	switch step {
	case 1:
		swa |= 0x08
	case 2:
		swa |= 0x10
	case 5:
		swa |= 0x18
	}
	swb := byte(0x30) // gross, kilograms
	for _, bit := range []struct {
		set  bool
		mask byte
	}{{shown < 0, 0x02}, {d.Over, 0x04}, {d.Motion, 0x08}, {d.NotZeroed, 0x40}} {
		if bit.set {
			swb |= bit.mask
		}
	}
	f := fmt.Appendf([]byte{0x02, swa, swb, 0x20}, "%6d%6d\r", max(shown, -shown)%1000000, 0)
	sum := byte(0)
	for _, c := range f {
		sum += c
	}
	return append(f, -sum&0x7f)
}

// yaohua is STX, sign, six digits, the point's place, the exclusive or of these
// as two characters, ETX. It has no flags.
func (d Display) yaohua() []byte {
	sign, kg := '+', d.KG
	if kg < 0 {
		sign, kg = '-', -kg
	}
	f := fmt.Appendf([]byte{0x02}, "%c%06d0", sign, kg%1000000)
	x := byte(0)
	for _, c := range f[1:] {
		x ^= c
	}
	return append(f, nibble(x>>4), nibble(x&0x0f), 0x03)
}

func nibble(n byte) byte {
	if n <= 9 {
		return n + 0x30
	}
	return n + 0x37
}
