package scale

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"gatehouse/internal/link"
)

// Template describes the frames of an indicator that has no protocol of its
// own here.
type Template struct {
	// Start is the bytes with which every frame begins; may be empty when End
	// is set.
	Start string `yaml:"start"`
	// Length of a whole frame in bytes, with Start; 0 when End ends it.
	Length int `yaml:"length" validate:"min=0,max=256"`
	// End is the bytes that end a frame; not part of it.
	End string `yaml:"end"`
	// Pattern is a regular expression for all of the frame between Start and
	// Checksum, with the group weight and, where the frame has them, sign, tare,
	// unit and status.
	Pattern string `yaml:"pattern"`
	// Status says what the words of the group status mean: stable, motion, net,
	// over, under, invalid or not-zeroed. A word that is not listed makes the
	// frame invalid.
	Status map[string][]string `yaml:"status"`
	// Checksum is none, xor (two hexadecimal characters, XOR of what stands
	// between Start and it) or sum7 (one byte, with which the low 7 bits of the
	// sum of the frame are 0).
	Checksum string `yaml:"checksum" validate:"oneof=none xor sum7"`
}

// Generic is a template put to work.
type Generic struct {
	template Template
	pattern  *regexp.Regexp
	unit     string
}

// Compile checks a template; unit is meant where frames have none.
func (t Template) Compile(unit string) (*Generic, error) {
	switch {
	case (t.Length == 0) == (t.End == ""):
		return nil, errors.New("template: set exactly one of length and end")
	case t.Length > 0 && t.Start == "":
		return nil, errors.New("template: length needs start, or frames could not be found")
	case t.Length > 0 && t.Length <= len(t.Start):
		return nil, errors.New("template: length counts start and is longer than it")
	case t.Checksum == "sum7" && t.Length == 0:
		return nil, errors.New("template: checksum sum7 needs length, because its byte may equal end")
	}
	re, err := regexp.Compile(`\A(?:` + t.Pattern + `)\z`)
	if err != nil {
		return nil, fmt.Errorf("template: pattern: %w", err)
	}
	for _, name := range re.SubexpNames() {
		if name != "" && !slices.Contains([]string{"sign", "weight", "tare", "unit", "status"}, name) {
			return nil, fmt.Errorf("template: pattern has the group %q; there are sign, weight, tare, unit and status", name)
		}
	}
	if re.SubexpIndex("weight") < 0 {
		return nil, errors.New("template: pattern has no group weight, as in (?P<weight>[0-9. ]+)")
	}
	for word, meanings := range t.Status {
		for _, m := range meanings {
			if !slices.Contains([]string{"stable", "motion", "net", "over", "under", "invalid", "not-zeroed"}, m) {
				return nil, fmt.Errorf("template: status %q means %q; there are stable, motion, net, over, under, invalid and not-zeroed", word, m)
			}
		}
	}
	return &Generic{template: t, pattern: re, unit: unit}, nil
}

// Split implements Protocol.
func (g *Generic) Split() link.Split {
	t := g.template
	switch {
	case t.Length > 0:
		return fixed([]byte(t.Start), func([]byte) int { return t.Length }, func(f []byte) bool {
			_, err := g.Parse(f)
			return err == nil
		})
	case t.End == "\n" || t.End == "\r\n":
		return link.Lines(MaxFrame)
	}
	end := []byte(t.End)
	return func(data []byte) (int, []byte, link.Fault) {
		if i := bytes.Index(data, end); i >= 0 && i <= MaxFrame {
			return i + len(end), data[:i], link.Whole
		}
		if len(data) >= MaxFrame+len(end) {
			return MaxFrame, data[:MaxFrame], link.TooLong
		}
		return 0, nil, link.Whole
	}
}

// Parse implements Protocol.
func (g *Generic) Parse(f []byte) (Sample, error) {
	body, err := g.body(f)
	if err != nil {
		return Sample{}, err
	}
	m := g.pattern.FindSubmatch(body)
	if m == nil {
		return Sample{}, fmt.Errorf("%w: the pattern does not match", ErrFrame)
	}
	group := func(name string) string {
		if i := g.pattern.SubexpIndex(name); i >= 0 {
			return strings.TrimSpace(string(m[i]))
		}
		return ""
	}
	s := Sample{Unit: g.unit}
	if sent := group("unit"); sent != "" {
		s.Unit = Unit(sent)
		if s.Unit == "" {
			return Sample{Unit: sent}.void(fmt.Sprintf("unit %q is not known", sent)), nil
		}
	}
	net, invalid := false, false
	s.Unsteady = true
	if g.pattern.SubexpIndex("status") >= 0 {
		meanings, ok := g.template.Status[group("status")]
		if !ok {
			return s.void(fmt.Sprintf("status %q is not listed", group("status"))), nil
		}
		has := func(m string) bool { return slices.Contains(meanings, m) }
		s.Motion, s.Over, s.Under, s.NotZeroed = has("motion"), has("over"), has("under"), has("not-zeroed")
		s.Unsteady = !has("stable") && !has("motion")
		net, invalid = has("net"), has("invalid")
	}
	if s = s.judged(); s.Invalid != "" {
		return s, nil
	}
	if invalid {
		return s.void("indicator marks the weight as invalid"), nil
	}
	return g.weigh(s, group("sign"), group("weight"), group("tare"), net)
}

// weigh fills in the values.
func (g *Generic) weigh(s Sample, sign, weight, tare string, net bool) (Sample, error) {
	shown, ok := number(sign, weight, s.Unit)
	if !ok {
		return Sample{}, fmt.Errorf("%w: weight %q is no number", ErrFrame, sign+weight)
	}
	var tared *float64
	if tare != "" {
		v, ok := number("", tare, s.Unit)
		if !ok {
			return Sample{}, fmt.Errorf("%w: tare %q is no number", ErrFrame, tare)
		}
		tared = &v
	}
	s.Tare = tared
	if !net {
		s.Gross = &shown
		return s, nil
	}
	s.Net = &shown
	if tared != nil {
		gross := shown + *tared
		s.Gross = &gross
	}
	return s, nil
}

// number reads a decimal with an optional sign in front of it, in kilograms.
func number(sign, digits, unit string) (float64, bool) {
	if sign == "" && digits != "" && strings.ContainsAny(digits[:1], "+-") {
		sign, digits = digits[:1], strings.TrimSpace(digits[1:])
	}
	whole, part, _ := strings.Cut(digits, ".")
	for _, c := range []byte(whole + part) {
		if c < '0' || c > '9' {
			return 0, false
		}
	}
	if sign != "" && sign != "+" && sign != "-" || whole+part == "" || len(digits) > 16 {
		return 0, false
	}
	return Kilograms(sign+digits, 0, unit)
}

// body takes start and checksum off a frame.
func (g *Generic) body(f []byte) ([]byte, error) {
	t := g.template
	if len(f) > MaxFrame {
		return nil, fmt.Errorf("%w: %d bytes", ErrFrame, len(f))
	}
	if t.Length > 0 && len(f) != t.Length {
		return nil, fmt.Errorf("%w: %d bytes, wants %d", ErrFrame, len(f), t.Length)
	}
	body, ok := bytes.CutPrefix(f, []byte(t.Start))
	if !ok {
		return nil, fmt.Errorf("%w: it does not begin with %q", ErrFrame, t.Start)
	}
	switch t.Checksum {
	case "xor":
		if len(body) < 2 {
			return nil, fmt.Errorf("%w: no room for a checksum", ErrFrame)
		}
		body, sum := body[:len(body)-2], body[len(body)-2:]
		if high, low := YaohuaSum(body); !bytes.EqualFold(sum, []byte{high, low}) {
			return nil, fmt.Errorf("%w: checksum is %q, wants %q", ErrFrame, sum, []byte{high, low})
		}
		return body, nil
	case "sum7":
		if len(body) < 1 {
			return nil, fmt.Errorf("%w: no room for a checksum", ErrFrame)
		}
		last := len(f) - 1
		if want := ToledoSum(f[:last]); f[last]&0x7f != want {
			return nil, fmt.Errorf("%w: checksum is %02x, wants %02x", ErrFrame, f[last], want)
		}
		return body[:len(body)-1], nil
	}
	return body, nil
}

// Salvage implements Protocol. The longest frame counts: a pattern that is
// loose about leading figures must not lose some of them.
func (g *Generic) Salvage(f []byte) ([]byte, bool) {
	if g.template.Length > 0 || len(f) > MaxFrame {
		return nil, false
	}
	for i := 1; i < len(f); i++ {
		if _, err := g.Parse(f[i:]); err == nil {
			return f[i:], true
		}
	}
	return nil, false
}
