package scale

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"gatehouse/internal/link"
)

// ErrFrame is wrapped by every parse error.
var ErrFrame = errors.New("not a weight frame")

// MaxFrame is the longest frame, or run of noise, that is taken at once, in
// bytes. The longest that is known has 22.
const MaxFrame = 256

// Sample is one frame of an indicator.
type Sample struct {
	// Gross, Tare and Net are in kilograms; what the frame does not have is nil,
	// and so are all of them when the frame shows no weight that may be used.
	Gross, Tare, Net *float64
	Unit             string  // as sent: kg, lb, t or g
	DivisionKG       float64 // 0 when the frame does not tell
	Motion           bool
	Over, Under      bool // out of range above and below
	NotZeroed        bool // since power-up
	// Invalid is why there is no weight, for technicians; "" when there is.
	Invalid string
	// Unsteady says that the protocol has no motion flag, so that rest has to
	// be concluded from the weights.
	Unsteady bool
}

// Indicated is the gross weight in kilograms, or the net weight of an
// indicator that gives that alone; nil when there is none.
func (s Sample) Indicated() *float64 {
	if s.Gross != nil {
		return s.Gross
	}
	return s.Net
}

// void takes the values out, for the given reason.
func (s Sample) void(why string) Sample {
	s.Gross, s.Tare, s.Net, s.Invalid = nil, nil, nil, why
	return s
}

// judged voids the sample when one of its flags forbids its use.
func (s Sample) judged() Sample {
	switch {
	case s.Over:
		return s.void("indicator is over range")
	case s.Under:
		return s.void("indicator is under range")
	case s.NotZeroed:
		return s.void("indicator was not zeroed since power-up")
	}
	return s
}

// Protocol is one way in which indicators send.
type Protocol interface {
	// Split makes the splitter of one line; noise comes as frames of its own.
	Split() link.Split
	// Parse reads a frame of Split. The error wraps ErrFrame.
	Parse(frame []byte) (Sample, error)
	// Salvage finds a frame at the end of one that could not be parsed.
	Salvage(frame []byte) (rest []byte, ok bool)
}

// Kilograms is the weight digits * 10^exponent of a unit in kilograms; false
// for an unknown unit or when digits is no number.
func Kilograms(digits string, exponent int, unit string) (float64, bool) {
	factor := 1.0
	switch unit {
	case "kg":
	case "g":
		exponent -= 3
	case "t":
		exponent += 3
	case "lb":
		factor = 0.45359237 // the international avoirdupois pound, exact by definition
	default:
		return 0, false
	}
	// Scaling in decimal keeps 4567.8 what it is.
	v, err := strconv.ParseFloat(digits+"e"+strconv.Itoa(exponent), 64)
	if err != nil {
		return 0, false
	}
	return v*factor + 0, true // + 0 turns -0 into 0
}

// Unit is the plain name of a unit as sent, or "".
func Unit(sent string) string {
	switch strings.ToLower(strings.TrimSpace(sent)) {
	case "kg", "k":
		return "kg"
	case "lb", "lbs", "l":
		return "lb"
	case "t", "tn":
		return "t"
	case "g":
		return "g"
	}
	return ""
}

// fixed splits frames that begin with start. size gives a frame's length, 0
// while there are too few bytes to tell; valid says whether a frame is whole.
// One that is not is torn off where the next may begin.
func fixed(start []byte, size func([]byte) int, valid func([]byte) bool) link.Split {
	return func(data []byte) (int, []byte, link.Fault) {
		i := bytes.Index(data, start)
		switch {
		case i < 0 && len(data) >= MaxFrame:
			n := len(data) - len(start) + 1 // the rest may begin a frame
			return n, data[:n], link.TooLong
		case i < 0:
			return 0, nil, link.Whole
		case i > 0:
			return i, data[:i], link.Whole
		}
		n := size(data)
		if n == 0 || len(data) < n {
			return 0, nil, link.Whole
		}
		if !valid(data[:n]) {
			if next := bytes.Index(data[1:n], start); next >= 0 {
				return next + 1, data[:next+1], link.Torn
			}
		}
		return n, data[:n], link.Whole
	}
}

// figures reads a field of digits with leading blanks.
func figures(field []byte) (string, error) {
	s := strings.TrimLeft(string(field), " ")
	if s == "" {
		return "", fmt.Errorf("%w: weight is blank", ErrFrame)
	}
	for _, c := range []byte(s) {
		if c < '0' || c > '9' {
			return "", fmt.Errorf("%w: weight %q is no number", ErrFrame, field)
		}
	}
	return s, nil
}
