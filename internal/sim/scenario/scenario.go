// Package scenario says what happens at the simulated gate: in each lane how
// often somebody comes, what they carry, which of them are special, and which
// faults happen when. What a lorry or a traveller is follows from the seed,
// the lane and their number in it alone.
package scenario

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml"

	"gatehouse/internal/sim/fault"
)

// Scenario is a scenario file.
type Scenario struct {
	Gate  string  `yaml:"gate"`  // office code, such as 15BB
	Root  string  `yaml:"root"`  // first part of the cameras' topics
	Speed float64 `yaml:"speed"` // simulated seconds in a real one
	Seed  uint64  `yaml:"seed"`
	// Keep is how long the scanners leave their images in the drop folders.
	Keep   time.Duration `yaml:"keep"`
	Lanes  []Lane        `yaml:"lanes"`
	Faults []Planned     `yaml:"faults"`
}

// Planned is a fault at a time of the run (real time) or with a vehicle or
// person of its lane.
type Planned struct {
	Fault   string        `yaml:"fault"`
	Lane    string        `yaml:"lane"` // the first lane when empty
	Device  string        `yaml:"device"`
	At      time.Duration `yaml:"at"`
	Vehicle int           `yaml:"vehicle"` // counts from 1 in each run of the lane
	For     time.Duration `yaml:"for"`
	Count   int           `yaml:"count"`
}

// Default is the scenario that a file changes; it has one goods lane.
func Default() Scenario {
	s := defaults()
	s.Lanes = []Lane{{
		ID: "01", Kind: KindVehicle,
		Mix: Mix{Semi: 0.4, TwoRows: 0.4, Gamma: 0.07, Neutron: 0.02, Threat: 0.15},
	}}
	s.fill()
	return s
}

func defaults() Scenario {
	return Scenario{Gate: "15BB", Root: "gatehouse", Speed: 1, Seed: 1, Keep: 24 * time.Hour}
}

// Load reads a scenario file; every mistake is shown with its line.
func Load(path string) (Scenario, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return Scenario{}, fmt.Errorf("read scenario: %w", err)
	}
	s := defaults()
	if err := yaml.NewDecoder(bytes.NewReader(data), yaml.Strict()).Decode(&s); err != nil {
		return Scenario{}, fmt.Errorf("scenario %s: %s", path, yaml.FormatError(err, false, true))
	}
	s.fill()
	if err := s.check(); err != nil {
		return Scenario{}, fmt.Errorf("scenario %s: %w", path, err)
	}
	return s, nil
}

// fill sets what the lanes leave out.
func (s *Scenario) fill() {
	for i := range s.Lanes {
		s.Lanes[i].fill()
	}
	for i := range s.Faults {
		if s.Faults[i].Lane == "" && len(s.Lanes) > 0 {
			s.Faults[i].Lane = s.Lanes[0].ID
		}
	}
}

// check finds what the decoder cannot.
func (s *Scenario) check() error {
	var errs []error
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	for name, v := range map[string]string{"gate": s.Gate, "root": s.Root} {
		if !word(v) {
			bad("%s: %q cannot be part of an MQTT topic: use letters, digits and hyphens", name, v)
		}
	}
	if s.Speed <= 0 || s.Speed > 1000 {
		bad("speed: %v is not above 0 and at most 1000", s.Speed)
	}
	if len(s.Lanes) == 0 {
		bad("lanes: name at least one, as - {id: \"01\", kind: vehicle}")
	}
	seen := map[string]bool{}
	for i := range s.Lanes {
		l := &s.Lanes[i]
		if seen[l.ID] {
			bad("lanes: %q is there twice", l.ID)
		}
		seen[l.ID] = true
		if err := l.check(); err != nil {
			bad("lane %s: %w", l.ID, err)
		}
	}
	for _, f := range s.Faults {
		errs = append(errs, s.checkFault(f))
	}
	return errors.Join(errs...)
}

// word says whether a text can be part of an MQTT topic and of a file's name.
func word(v string) bool { return v != "" && !strings.ContainsAny(v, " +#$.*>/") }

func (s *Scenario) checkFault(f Planned) error {
	spec, ok := fault.Find(f.Fault)
	if !ok {
		return fmt.Errorf("faults: %q: %w; gatesim fault list names them all", f.Fault, fault.ErrUnknown)
	}
	i := slices.IndexFunc(s.Lanes, func(l Lane) bool { return l.ID == f.Lane })
	switch {
	case i < 0:
		return fmt.Errorf("faults: %s: there is no lane %q", f.Fault, f.Lane)
	case f.At == 0 && f.Vehicle == 0:
		return fmt.Errorf("faults: %s needs at (a time) or vehicle (a number)", f.Fault)
	case f.At != 0 && f.Vehicle != 0:
		return fmt.Errorf("faults: %s has both at and vehicle; give one", f.Fault)
	}
	if _, err := fault.NewBoard(nil, s.Lanes[i].Board()...).Device(spec, f.Device); err != nil {
		return fmt.Errorf("faults: lane %s: %w", f.Lane, err)
	}
	return nil
}
