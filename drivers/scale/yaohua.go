package scale

import (
	"fmt"

	"gatehouse/internal/link"
)

const yaohuaLength = 12 // bytes

// Yaohua is the continuous output of the XK3190 family. It has neither unit
// nor division nor motion flag.
type Yaohua struct{ Unit string }

// YaohuaSum is the XOR of bytes as the two characters that are sent.
func YaohuaSum(b []byte) (high, low byte) {
	sum := byte(0)
	for _, c := range b {
		sum ^= c
	}
	const hex = "0123456789ABCDEF"
	return hex[sum>>4], hex[sum&15]
}

// Split implements Protocol.
func (p Yaohua) Split() link.Split {
	return fixed([]byte{stx}, func([]byte) int { return yaohuaLength }, func(f []byte) bool {
		_, err := p.Parse(f)
		return err == nil
	})
}

// Parse implements Protocol.
func (p Yaohua) Parse(f []byte) (Sample, error) {
	if len(f) != yaohuaLength || f[0] != stx || f[yaohuaLength-1] != etx {
		return Sample{}, fmt.Errorf("%w: %d bytes or no STX and ETX around them", ErrFrame, len(f))
	}
	if high, low := YaohuaSum(f[1:9]); f[9] != high || f[10] != low {
		return Sample{}, fmt.Errorf("%w: checksum is %q, wants %q", ErrFrame, f[9:11], []byte{high, low})
	}
	sign, places := f[1], f[8]
	if sign != '+' && sign != '-' || places < '0' || places > '4' {
		return Sample{}, fmt.Errorf("%w: sign %q or places %q", ErrFrame, sign, places)
	}
	digits, err := figures(f[2:8])
	if err != nil {
		return Sample{}, err
	}
	s := Sample{Unit: p.Unit, Unsteady: true}
	kg, ok := Kilograms(string(sign)+digits, -int(places-'0'), p.Unit)
	if !ok {
		return s.void("unit is not known"), nil
	}
	s.Gross = &kg
	return s, nil
}

// Salvage implements Protocol: Split finds frames behind damage itself.
func (Yaohua) Salvage([]byte) ([]byte, bool) { return nil, false }
