package rpm

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// MaxLine is the longest line that is taken for a record, in bytes. The
// longest that is known has about 70.
const MaxLine = 256

// Detectors is the number of value columns of a count record.
const Detectors = 4

// ErrRecord is wrapped by every parse error.
var ErrRecord = errors.New("not an RPM record")

// Shape groups records by their columns.
type Shape int

// Record shapes.
const (
	Background Shape = iota + 1 // NB NH GB GH GL
	Sample                      // GS GA NS NA
	Speed                       // SP
	End                         // GX
	Tamper                      // TT TC
	Setup                       // SG1 SG2 SG3 SN1 SN2
)

// shapeOf is the shape of a record name; 0 when there is no such record.
func shapeOf(name string) Shape {
	switch name {
	case "NB", "NH", "GB", "GH", "GL":
		return Background
	case "GS", "GA", "NS", "NA":
		return Sample
	case "SP":
		return Speed
	case "GX":
		return End
	case "TT", "TC":
		return Tamper
	case "SG1", "SG2", "SG3", "SN1", "SN2":
		return Setup
	}
	return 0
}

// Record is one line of the stream.
type Record struct {
	Name   string   // two letters, setup records three characters
	Fields []string // the columns after the name as on the wire, extra ones too
}

// Shape is the record's shape.
func (r Record) Shape() Shape { return shapeOf(r.Name) }

// Parse reads a line without its terminator. The error wraps ErrRecord.
func Parse(line []byte) (Record, error) {
	if len(line) > MaxLine {
		return Record{}, fmt.Errorf("%w: %d bytes", ErrRecord, len(line))
	}
	for i, c := range line {
		if c < ' ' || c > '~' {
			return Record{}, fmt.Errorf("%w: byte %#02x at column %d", ErrRecord, c, i+1)
		}
	}
	columns := strings.Split(string(line), ",")
	r := Record{Name: columns[0], Fields: columns[1:]}
	if err := r.check(); err != nil {
		return Record{}, err
	}
	return r, nil
}

// Format is the record's line without a terminator. Parse takes it back when
// the record came from Parse.
func Format(r Record) []byte {
	return []byte(strings.Join(append([]string{r.Name}, r.Fields...), ","))
}

// Counts makes a count record from four counts.
func Counts(name string, counts [Detectors]int) Record {
	r := Record{Name: name}
	for _, c := range counts {
		r.Fields = append(r.Fields, fmt.Sprintf("%06d", c))
	}
	return r
}

func (r Record) check() error {
	shape := r.Shape()
	if shape == 0 {
		return fmt.Errorf("%w: unknown name %q", ErrRecord, r.Name)
	}
	least := Detectors
	if shape == Setup {
		least = 3 // the shortest setup records of the sources have four, some firmware sends fewer
	}
	if len(r.Fields) < least {
		return fmt.Errorf("%w: %s has %d columns, wants %d", ErrRecord, r.Name, len(r.Fields), least)
	}
	switch shape {
	case Background, Sample, Tamper, End:
		for i, f := range r.Fields[:Detectors] {
			if !digits(f) {
				return fmt.Errorf("%w: %s column %d is %q, not a count", ErrRecord, r.Name, i+1, f)
			}
		}
	case Speed:
		for i, f := range r.Fields[:3] {
			if _, ok := decimal(f); !ok {
				return fmt.Errorf("%w: SP column %d is %q, not a decimal", ErrRecord, i+1, f)
			}
		}
		if f := r.Fields[3]; !digits(f) {
			return fmt.Errorf("%w: SP column 4 is %q, not a count", ErrRecord, f)
		}
	}
	return nil
}

// Counts are the four detectors' counts of a Background or Sample record.
func (r Record) Counts() []float64 {
	out := make([]float64, 0, Detectors)
	for _, f := range r.Fields[:Detectors] {
		n, _ := strconv.ParseUint(f, 10, 32) // Parse has checked it
		out = append(out, float64(n))
	}
	return out
}

// Regular says whether the counts are padded to six digits as the monitor
// sends them. A count of another width may be the rest of a torn line.
func (r Record) Regular() bool {
	for _, f := range r.Fields[:min(Detectors, len(r.Fields))] {
		if len(f) != 6 {
			return false
		}
	}
	return true
}

// KMH is the speed of a Speed record in km/h.
func (r Record) KMH() float64 {
	v, _ := decimal(r.Fields[2])
	return v
}

// Occupancy is the occupancy number of an End record as on the wire. It starts
// again daily or at a power cycle.
func (r Record) Occupancy() string { return r.Fields[0] }

// Alarm is the monitor's own alarm flag of a Sample record.
func (r Record) Alarm() bool { return r.Name == "GA" || r.Name == "NA" }

// Neutron says whether a count record is of the neutron channel.
func (r Record) Neutron() bool { return r.Name[0] == 'N' }

// Fault is what a Background record says is wrong, or "".
func (r Record) Fault() string {
	switch r.Name {
	case "GH", "NH":
		return "high-background"
	case "GL":
		return "low-background"
	}
	return ""
}

// Detail names the columns of a Setup record; columns beyond the known ones
// are numbered.
func (r Record) Detail() map[string]string {
	names := setupColumns(r.Name)
	out := make(map[string]string, len(r.Fields))
	for i, f := range r.Fields {
		name := "column_" + strconv.Itoa(i+1)
		if i < len(names) {
			name = names[i]
		}
		out[name] = f
	}
	return out
}

func setupColumns(name string) []string {
	switch name {
	case "SG1":
		return []string{"high_background_fault", "low_background_fault", "intervals", "holdin", "nsigma"}
	case "SG2":
		return []string{"detectors", "master_lld", "master_uld", "relay", "algorithm", "software"}
	case "SG3":
		return []string{"slave_lld", "slave_uld", "background_time", "background_sigma", "firmware"}
	case "SN1":
		return []string{"high_background_fault", "intervals", "alpha", "zmax", "sequential_intervals", "background_time"}
	case "SN2":
		return []string{"master_lld", "master_uld", "slave_lld", "slave_uld"}
	}
	return nil
}

// Salvage finds a record at the end of a line that could not be parsed, as
// after noise without a terminator or two lines run into one. before is what
// stands in front of it. Only a record in the monitor's exact form counts.
func Salvage(line []byte) (before, record []byte, ok bool) {
	for i := len(line) - 3; i > 0; i-- {
		if shapeOf(string(line[i:i+2])) == 0 || line[i+2] != ',' {
			continue
		}
		r, err := Parse(line[i:])
		if err == nil && (r.Regular() || r.Shape() == Speed) {
			return line[:i], line[i:], true
		}
	}
	return nil, nil, false
}

// digits says whether f is a plain number of 1 to 9 digits.
func digits(f string) bool {
	if f == "" || len(f) > 9 {
		return false
	}
	for _, c := range []byte(f) {
		if c < '0' || c > '9' {
			return false
		}
	}
	return true
}

// decimal reads an unsigned decimal such as 03.032.
func decimal(f string) (float64, bool) {
	whole, part, dotted := strings.Cut(f, ".")
	if !digits(whole) || dotted && !digits(part) {
		return 0, false
	}
	v, err := strconv.ParseFloat(f, 64)
	return v, err == nil
}
