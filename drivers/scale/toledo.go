package scale

import (
	"fmt"
	"strings"

	"gatehouse/internal/link"
)

const (
	stx = 0x02
	etx = 0x03
	cr  = 0x0d

	toledoShort = 17 // bytes without checksum
	toledoLong  = 18 // bytes with it
)

// Checksum says whether Toledo frames end in a checksum byte.
type Checksum string

// Checksum settings.
const (
	Auto Checksum = "auto" // as the frames show
	On   Checksum = "on"
	Off  Checksum = "off"
)

// Toledo is the Mettler Toledo continuous output.
type Toledo struct{ Checksum Checksum }

// ToledoSum is the checksum byte after the given 17 bytes: with it the low 7
// bits of the sum of all are 0.
func ToledoSum(frame []byte) byte {
	sum := byte(0)
	for _, c := range frame {
		sum += c
	}
	return -sum & 0x7f
}

// Split implements Protocol. The checksum may have any value, that of CR and
// STX too, so that a frame is known by its start and length alone.
func (p Toledo) Split() link.Split {
	length := 0 // learned; 0 while unknown
	switch p.Checksum {
	case On:
		length = toledoLong
	case Off:
		length = toledoShort
	}
	size := func(data []byte) int {
		if length != 0 {
			return length
		}
		return toledoLength(data)
	}
	return fixed([]byte{stx}, size, func(frame []byte) bool {
		_, err := p.Parse(frame)
		switch {
		case p.Checksum != Auto:
		case err == nil && length == 0:
			length = len(frame)
		case err != nil && length == toledoShort:
			length = 0 // a checksum that was taken for noise
		}
		return err == nil
	})
}

// toledoLength tells from what follows a frame whether it has a checksum; 0
// while too little has come.
func toledoLength(data []byte) int {
	if len(data) < toledoLong {
		return 0
	}
	sum := data[toledoShort]
	if sum != stx {
		return toledoLong
	}
	// A checksum of this value and the next frame's start look the same; what
	// follows does not.
	switch {
	case len(data) == toledoLong:
		return 0
	case data[toledoLong] == stx:
		return toledoLong
	default:
		return toledoShort
	}
}

// Parse implements Protocol.
func (p Toledo) Parse(f []byte) (Sample, error) {
	switch {
	case len(f) != toledoShort && len(f) != toledoLong:
		return Sample{}, fmt.Errorf("%w: %d bytes, wants %d or %d", ErrFrame, len(f), toledoShort, toledoLong)
	case p.Checksum == On && len(f) != toledoLong, p.Checksum == Off && len(f) != toledoShort:
		return Sample{}, fmt.Errorf("%w: %d bytes with checksum %s", ErrFrame, len(f), p.Checksum)
	case f[0] != stx || f[toledoShort-1] != cr:
		return Sample{}, fmt.Errorf("%w: no STX in front or no CR at its place", ErrFrame)
	case f[1]&0x60 != 0x20 || f[2]&0x20 == 0 || f[3]&0x60 != 0x20 || (f[1]|f[2]|f[3])&0x80 != 0:
		return Sample{}, fmt.Errorf("%w: status bytes % x", ErrFrame, f[1:4])
	}
	if len(f) == toledoLong {
		if want := ToledoSum(f[:toledoShort]); f[toledoShort] != want {
			return Sample{}, fmt.Errorf("%w: checksum is %02x, wants %02x", ErrFrame, f[toledoShort], want)
		}
	}
	return toledoSample(f)
}

func toledoSample(f []byte) (Sample, error) {
	swa, swb, swc := f[1], f[2], f[3]
	exponent := 2 - int(swa&7)
	s := Sample{
		Motion: swb&0x08 != 0, NotZeroed: swb&0x40 != 0,
		Over: swb&0x04 != 0 && swb&0x02 == 0, Under: swb&0x04 != 0 && swb&0x02 != 0,
	}
	switch swc & 7 {
	case 0:
		s.Unit = "lb"
		if swb&0x10 != 0 {
			s.Unit = "kg"
		}
	case 1:
		s.Unit = "g"
	case 2:
		s.Unit = "t"
	default:
		return s.void(fmt.Sprintf("unit code %d is not known", swc&7)), nil
	}
	if step := []string{"", "1", "2", "5"}[swa>>3&3]; step != "" {
		s.DivisionKG, _ = Kilograms(step, exponent, s.Unit)
	}
	switch {
	case s.Over || s.Under || s.NotZeroed: // the figures may be blank
		return s.judged(), nil
	case swc&0x10 != 0:
		return s.void("display is expanded by ten"), nil
	}
	digits, err := figures(f[4:10])
	if err != nil {
		return Sample{}, err
	}
	if swb&0x02 != 0 {
		digits = "-" + digits
	}
	shown, _ := Kilograms(digits, exponent, s.Unit)
	tare, tared := 0.0, strings.TrimSpace(string(f[10:16])) != ""
	if tared {
		digits, err := figures(f[10:16])
		if err != nil {
			return Sample{}, err
		}
		tare, _ = Kilograms(digits, exponent, s.Unit)
	}
	if swb&1 == 0 {
		s.Gross = &shown
		if tare != 0 {
			s.Tare = &tare
		}
		return s, nil
	}
	s.Net = &shown
	if tared {
		gross := shown + tare
		s.Tare, s.Gross = &tare, &gross
	}
	return s, nil
}

// Salvage implements Protocol: Split finds frames behind damage itself.
func (Toledo) Salvage([]byte) ([]byte, bool) { return nil, false }
