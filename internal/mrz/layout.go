package mrz

import (
	"fmt"
	"strings"
	"time"
)

// span is a range of the zone, all lines joined, 0-based and half open.
type span struct{ from, to int }

func (s span) of(zone []byte) string { return string(zone[s.from:s.to]) }

// layout is where a format keeps its fields.
type layout struct {
	format      Format
	width       int
	name        span
	number      span
	numberDigit int
	nationality span
	birth       span // its digit follows
	sex         int
	expiry      span // its digit follows
	optional    []span
	overflow    span   // where a long document number goes on; empty for none
	personal    bool   // the optional data has a digit of its own behind it
	composite   []span // empty when the format has none
	last        int    // the composite digit
}

func td1() layout {
	return layout{
		format: TD1, width: 30,
		number: span{5, 14}, numberDigit: 14, overflow: span{15, 30},
		birth: span{30, 36}, sex: 37, expiry: span{38, 44}, nationality: span{45, 48},
		optional: []span{{15, 30}, {48, 59}}, name: span{60, 90},
		composite: []span{{5, 30}, {30, 37}, {38, 45}, {48, 59}}, last: 59,
	}
}

func td2(f Format) layout {
	l := layout{
		format: f, width: 36, name: span{5, 36},
		number: span{36, 45}, numberDigit: 45, nationality: span{46, 49},
		birth: span{49, 55}, sex: 56, expiry: span{57, 63}, optional: []span{{64, 72}},
	}
	if f == TD2 {
		l.optional, l.overflow = []span{{64, 71}}, span{64, 71}
		l.composite, l.last = []span{{36, 46}, {49, 56}, {57, 71}}, 71
	}
	return l
}

func td3(f Format) layout {
	l := layout{
		format: f, width: 44, name: span{5, 44},
		number: span{44, 53}, numberDigit: 53, nationality: span{54, 57},
		birth: span{57, 63}, sex: 64, expiry: span{65, 71}, optional: []span{{72, 88}},
	}
	if f == TD3 {
		l.optional, l.personal = []span{{72, 86}}, true
		l.composite, l.last = []span{{44, 54}, {57, 64}, {65, 87}}, 87
	}
	return l
}

// check is one check digit: what it covers and where it stands.
type check struct {
	field string
	over  string
	digit int
}

// long is the document number that goes on in the optional data, with the
// place of its digit; ok says whether there is one.
func (l layout) long(zone []byte) (number string, digit int, ok bool) {
	if l.overflow.to == 0 || zone[l.numberDigit] != '<' {
		return "", 0, false
	}
	rest, _, _ := strings.Cut(l.overflow.of(zone), "<")
	if len(rest) < 2 {
		return "", 0, false
	}
	return l.number.of(zone) + rest[:len(rest)-1], l.overflow.from + len(rest) - 1, true
}

// checks are the digits that the zone carries.
func (l layout) checks(zone []byte) []check {
	number := check{"number", l.number.of(zone), l.numberDigit}
	if long, digit, ok := l.long(zone); ok {
		number.over, number.digit = long, digit
	}
	out := []check{
		number,
		{"birth", l.birth.of(zone), l.birth.to},
		{"expiry", l.expiry.of(zone), l.expiry.to},
	}
	if l.personal {
		out = append(out, check{"personal", l.optional[0].of(zone), l.optional[0].to})
	}
	if len(l.composite) > 0 {
		var over strings.Builder
		for _, s := range l.composite {
			over.WriteString(s.of(zone))
		}
		out = append(out, check{"composite", over.String(), l.last})
	}
	return out
}

// outcome of a check. Where the field is empty its digit may be a filler.
func (c check) outcome(zone []byte) Outcome {
	switch got := zone[c.digit]; {
	case got == '<' && strings.Trim(c.over, "<") == "":
		return Absent
	case got == Digit(c.over):
		return OK
	}
	return Wrong
}

// failed are the checks that do not hold.
func failed(l layout, zone []byte) []check {
	var out []check
	for _, c := range l.checks(zone) {
		if c.outcome(zone) == Wrong {
			out = append(out, c)
		}
	}
	return out
}

// confused is the digit that a reader takes for the letter c.
func confused(c byte) (byte, bool) {
	switch c {
	case 'O':
		return '0', true
	case 'I':
		return '1', true
	case 'B':
		return '8', true
	case 'S':
		return '5', true
	case 'Z':
		return '2', true
	}
	return 0, false
}

// numeric are the places that only digits and fillers may stand in, by field.
func (l layout) numeric(zone []byte) map[int]string {
	out := map[int]string{}
	for _, c := range l.checks(zone) {
		out[c.digit] = c.field
	}
	for i := l.birth.from; i < l.birth.to; i++ {
		out[i] = "birth"
	}
	for i := l.expiry.from; i < l.expiry.to; i++ {
		out[i] = "expiry"
	}
	return out
}

// repair replaces one letter inside a numeric field by the digit it is mistaken
// for. It is taken only when then every check holds and no other single
// replacement does the same.
func (l layout) repair(zone []byte) (fixed []byte, note string, ok bool) {
	for i, field := range l.numeric(zone) {
		digit, may := confused(zone[i])
		if !may {
			continue
		}
		try := []byte(string(zone))
		try[i] = digit
		if len(failed(l, try)) > 0 {
			continue
		}
		if ok {
			return nil, "", false // two ways to repair are a guess
		}
		fixed, note, ok = try, fmt.Sprintf("%s: %c read as %c", field, zone[i], digit), true
	}
	return fixed, note, ok
}

// document takes the fields out of the zone.
func (l layout) document(zone []byte, today time.Time) Document {
	d := Document{
		Format: l.format, Type: trim(string(zone[:2])), Issuer: trim(string(zone[2:5])),
		Number: trim(l.number.of(zone)), Nationality: trim(l.nationality.of(zone)),
		Names: names(l.name.of(zone)), Checks: map[string]Outcome{},
	}
	if s := zone[l.sex]; s == 'M' || s == 'F' {
		d.Sex = string(s)
	}
	for _, c := range l.checks(zone) {
		d.Checks[c.field] = c.outcome(zone)
	}
	var optional []string
	for _, s := range l.optional {
		text := s.of(zone)
		if long, digit, ok := l.long(zone); ok && s == l.overflow {
			d.Number = trim(long)
			text = string(zone[digit+1 : s.to])
		}
		if text = trim(text); text != "" {
			optional = append(optional, text)
		}
	}
	d.Optional = strings.Join(optional, " ")
	var sound bool
	if d.Birth, sound = date(l.birth.of(zone), birthCentury(l.birth.of(zone), today)); !sound {
		d.Checks["birth_date"] = Wrong
	}
	if d.Expiry, sound = date(l.expiry.of(zone), 2000); !sound {
		d.Checks["expiry_date"] = Wrong
	}
	return d
}

// trim turns fillers to spaces and takes those at the ends off.
func trim(s string) string { return strings.TrimSpace(strings.ReplaceAll(s, "<", " ")) }

// names are the primary and the secondary identifier, without empty ones.
func names(s string) []string {
	var out []string
	for part := range strings.SplitSeq(strings.TrimRight(s, "<"), "<<") {
		if part = trim(part); part != "" {
			out = append(out, part)
		}
	}
	return out
}

// date is yymmdd as an ISO date of the given century; fillers become X. It is
// not sound when it is no date of the calendar.
func date(s string, century int) (text string, sound bool) {
	year, month, day := s[:2], s[2:4], s[4:]
	text = fmt.Sprintf("%02d%s-%s-%s", century/100, year, month, day)
	if year == "<<" {
		text = fmt.Sprintf("XXXX-%s-%s", month, day)
	}
	text = strings.ReplaceAll(text, "<", "X")
	// Whatever is left open, the rest has to fit a leap year.
	probe := strings.ReplaceAll(month, "<<", "01") + strings.ReplaceAll(day, "<<", "01")
	if year == "<<" {
		_, err := time.Parse("20060102", "2000"+probe)
		return text, err == nil
	}
	_, err := time.Parse("20060102", fmt.Sprintf("%02d", century/100)+year+probe)
	return text, err == nil
}

// birthCentury is the century of a birth yymmdd: the latest in which it is not
// after today.
func birthCentury(s string, today time.Time) int {
	probe := strings.ReplaceAll(s, "<", "0")
	if fmt.Sprintf("20%s", probe) > today.UTC().Format("20060102") {
		return 1900
	}
	return 2000
}
