// Package scenario says what happens at the simulated lane: how often lorries
// come, what they carry, which of them are special, and which faults happen
// when. What a lorry is follows from the seed and its number alone.
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
	"gatehouse/internal/sim/plate"
	"gatehouse/internal/sim/render"
)

// Scenario is a scenario file.
type Scenario struct {
	Gate  string  `yaml:"gate"`  // office code, such as 15BB
	Lane  string  `yaml:"lane"`  // two digits
	Root  string  `yaml:"root"`  // first part of the camera's topics
	Speed float64 `yaml:"speed"` // simulated seconds in a real one
	Seed  uint64  `yaml:"seed"`

	Traffic  Traffic   `yaml:"traffic"`
	Phases   Phases    `yaml:"phases"`
	Mix      Mix       `yaml:"mix"`
	Vehicles []Special `yaml:"vehicles"`
	Faults   []Planned `yaml:"faults"`
	// Keep is how long the scanner leaves its images in the drop folder.
	Keep time.Duration `yaml:"keep"`
}

// Traffic is how often a lorry arrives.
type Traffic struct {
	Headway time.Duration `yaml:"headway"` // mean, simulated time
	Jitter  float64       `yaml:"jitter"`  // 0 regular .. 1 anything up to twice the mean
}

// Phases are how long a lorry takes for each part of its way, simulated time.
type Phases struct {
	Approach Range `yaml:"approach"` // from the photo to the portal
	Portal   Range `yaml:"portal"`   // in the portal
	Drive    Range `yaml:"drive"`    // from the portal to the beam
	Beam     Range `yaml:"beam"`     // through the beam
	Image    Range `yaml:"image"`    // until the image is ready
}

// Range is a span from which a duration is drawn evenly.
type Range struct {
	Min time.Duration `yaml:"min"`
	Max time.Duration `yaml:"max"`
}

// Mix is how often what comes. Weights are relative to each other; chances are
// 0..1.
type Mix struct {
	Loads    map[string]float64 `yaml:"loads"`
	Lights   map[string]float64 `yaml:"lights"`
	Threats  map[string]float64 `yaml:"threats"`
	Semi     float64            `yaml:"semi"`     // chance of a semi-trailer
	TwoRows  float64            `yaml:"two_rows"` // chance of a two-row plate
	Chinese  float64            `yaml:"chinese"`  // chance of a Chinese plate
	Gamma    float64            `yaml:"gamma"`    // chance of a gamma source
	Neutron  float64            `yaml:"neutron"`  // chance of a neutron source
	Threat   float64            `yaml:"threat"`   // chance of a hidden object
	TailGate float64            `yaml:"tail_gate"`
	Reverse  float64            `yaml:"reverse"`
	NoGX     float64            `yaml:"no_gx"`
}

// Special says what is fixed about one lorry of the run; the rest is drawn.
type Special struct {
	Number  int     `yaml:"number"` // counts from 1 in each run
	Plate   string  `yaml:"plate"`  // as people write it
	Rows    int     `yaml:"rows"`
	Colour  string  `yaml:"colour"`
	Load    string  `yaml:"load"`
	Layout  string  `yaml:"layout"`
	Light   string  `yaml:"light"`
	Threat  string  `yaml:"threat"` // "none" for certainly none
	Gamma   float64 `yaml:"gamma"`  // wanted sigma of the gamma peak
	Neutron float64 `yaml:"neutron"`
	Clean   bool    `yaml:"clean"`    // no alarm of any kind is drawn
	Follows string  `yaml:"follows"`  // "tail-gate" or "back-to-back" behind the one before
	Reverse bool    `yaml:"reverse"`  //
	NoGX    bool    `yaml:"no_gx"`    //
	After   string  `yaml:"headway"`  // time after the one before
	Declare string  `yaml:"declared"` // what the papers say
}

// Planned is a fault at a time of the run (real time) or with a lorry of it.
type Planned struct {
	Fault   string        `yaml:"fault"`
	Device  string        `yaml:"device"`
	At      time.Duration `yaml:"at"`
	Vehicle int           `yaml:"vehicle"`
	For     time.Duration `yaml:"for"`
	Count   int           `yaml:"count"`
}

// Default is the scenario that a file changes.
func Default() Scenario {
	s := func(a, b float64) Range {
		return Range{time.Duration(a * float64(time.Second)), time.Duration(b * float64(time.Second))}
	}
	return Scenario{
		Gate: "15BB", Lane: "01", Root: "gatehouse", Speed: 1, Seed: 1, Keep: 24 * time.Hour,
		Traffic: Traffic{Headway: 20 * time.Second, Jitter: 0.35},
		Phases:  Phases{Approach: s(1, 4), Portal: s(5, 12), Drive: s(2, 5), Beam: s(5, 8), Image: s(0.5, 1)},
		Mix: Mix{
			Loads:   map[string]float64{"empty": 2, "boxes": 4, "sacks": 3, "drums": 1, "fruit": 4, "machinery": 1, "mixed": 3},
			Lights:  map[string]float64{"day": 6, "sun": 3, "dusk": 2, "night": 2, "rain": 2, "fog": 1, "infrared": 1},
			Threats: map[string]float64{"dense-block": 3, "organic-bundles": 3, "pistol": 2},
			Semi:    0.4, TwoRows: 0.4, Chinese: 0, Gamma: 0.07, Neutron: 0.02, Threat: 0.15,
		},
	}
}

// Load reads a scenario file; every mistake is shown with its line.
func Load(path string) (Scenario, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return Scenario{}, fmt.Errorf("read scenario: %w", err)
	}
	s := Default()
	if err := yaml.NewDecoder(bytes.NewReader(data), yaml.Strict()).Decode(&s); err != nil {
		return Scenario{}, fmt.Errorf("scenario %s: %s", path, yaml.FormatError(err, false, true))
	}
	if err := s.check(); err != nil {
		return Scenario{}, fmt.Errorf("scenario %s: %w", path, err)
	}
	return s, nil
}

// check finds what the decoder cannot.
func (s *Scenario) check() error {
	var errs []error
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	for name, v := range map[string]string{"gate": s.Gate, "lane": s.Lane, "root": s.Root} {
		if v == "" || strings.ContainsAny(v, " +#$.*>") {
			bad("%s: %q cannot be part of an MQTT topic: use letters, digits and hyphens", name, v)
		}
	}
	if s.Speed <= 0 || s.Speed > 1000 {
		bad("speed: %v is not above 0 and at most 1000", s.Speed)
	}
	if s.Traffic.Headway <= 0 || s.Traffic.Jitter < 0 || s.Traffic.Jitter > 1 {
		bad("traffic: headway has to be above 0 and jitter between 0 and 1")
	}
	for name, r := range map[string]Range{"approach": s.Phases.Approach, "portal": s.Phases.Portal, "drive": s.Phases.Drive, "beam": s.Phases.Beam, "image": s.Phases.Image} {
		if r.Min <= 0 || r.Max < r.Min {
			bad("phases.%s: min has to be above 0 and max not below it", name)
		}
	}
	weights := func(name string, given map[string]float64, known []string) {
		sum := 0.0
		for k, v := range given {
			if !slices.Contains(known, k) {
				bad("mix.%s: %q is none of %s", name, k, strings.Join(known, ", "))
			}
			sum += max(0, v)
		}
		if sum == 0 {
			bad("mix.%s: no weight is above 0", name)
		}
	}
	weights("loads", s.Mix.Loads, render.Loads())
	weights("lights", s.Mix.Lights, lights())
	weights("threats", s.Mix.Threats, render.Threats())
	for _, v := range s.Vehicles {
		errs = append(errs, v.check())
	}
	for _, f := range s.Faults {
		errs = append(errs, f.check())
	}
	return errors.Join(errs...)
}

func lights() []string {
	var names []string
	for _, l := range render.Lights() {
		names = append(names, string(l))
	}
	return names
}

func (v Special) check() error {
	var errs []error
	one := func(field, value string, known ...string) {
		if value != "" && !slices.Contains(known, value) {
			errs = append(errs, fmt.Errorf("vehicle %d: %s %q is none of %s", v.Number, field, value, strings.Join(known, ", ")))
		}
	}
	if v.Number < 1 {
		errs = append(errs, errors.New("vehicles: number counts from 1"))
	}
	if v.Plate != "" {
		if _, err := plate.Parse(v.Plate, 1, plate.Yellow); err != nil {
			errs = append(errs, fmt.Errorf("vehicle %d: %w", v.Number, err))
		}
	}
	if v.Rows < 0 || v.Rows > 2 {
		errs = append(errs, fmt.Errorf("vehicle %d: rows is 1 or 2", v.Number))
	}
	if v.After != "" {
		if _, err := time.ParseDuration(v.After); err != nil {
			errs = append(errs, fmt.Errorf("vehicle %d: headway: %w", v.Number, err))
		}
	}
	one("colour", v.Colour, string(plate.Yellow), string(plate.White), string(plate.Blue))
	one("load", v.Load, render.Loads()...)
	one("layout", v.Layout, render.Rigid, render.Semi)
	one("light", v.Light, lights()...)
	one("threat", v.Threat, append(render.Threats(), "none")...)
	one("follows", v.Follows, TailGate, BackToBack)
	return errors.Join(errs...)
}

func (f Planned) check() error {
	spec, ok := fault.Find(f.Fault)
	switch {
	case !ok:
		return fmt.Errorf("faults: %q: %w; gatesim list-faults names them all", f.Fault, fault.ErrUnknown)
	case f.Device != "" && !slices.Contains(spec.Devices, f.Device):
		return fmt.Errorf("faults: %s is not a fault of %q (it has: %s)", f.Fault, f.Device, strings.Join(spec.Devices, ", "))
	case f.At == 0 && f.Vehicle == 0:
		return fmt.Errorf("faults: %s needs at (a time) or vehicle (a number)", f.Fault)
	case f.At != 0 && f.Vehicle != 0:
		return fmt.Errorf("faults: %s has both at and vehicle; give one", f.Fault)
	}
	return nil
}
