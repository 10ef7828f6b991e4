package scenario

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"gatehouse/internal/sim/fault"
	"gatehouse/internal/sim/paper"
	"gatehouse/internal/sim/render"
	"gatehouse/internal/sim/scale"
)

// Kinds of lane.
const (
	KindVehicle = "vehicle" // goods: camera, portal, scanner, weighbridge, codes, rear camera, barrier
	KindPerson  = "person"  // baggage hall: document reader, portal, scanner, tag reader
)

// Devices of lanes. Those of one kind have the kind's name.
const (
	Camera  = "camera"
	Camera2 = "camera2"
	RPM     = "rpm"
	XRay    = "xray"
	Scale   = "scale"
	Barcode = "barcode"
	Barrier = "barrier"
	MRZ     = "mrz"
)

// Lane is one lane of the gate.
type Lane struct {
	ID   string `yaml:"id"`   // two digits
	Kind string `yaml:"kind"` // vehicle or person
	// Devices are those that are there; all of its kind's when empty.
	Devices []string `yaml:"devices"`
	// Scale is the weighbridge's protocol: toledo or xk3190.
	Scale string `yaml:"scale"`
	// Burst is how many pictures the front camera takes of a vehicle as it comes, 1 to 9.
	Burst int `yaml:"burst"`
	// Watchdog says that the barrier's board drops to red without a host.
	Watchdog bool      `yaml:"watchdog"`
	Traffic  Traffic   `yaml:"traffic"`
	Phases   Phases    `yaml:"phases"`
	Mix      Mix       `yaml:"mix"`
	Vehicles []Special `yaml:"vehicles"` // of a lane for vehicles
	Persons  []Visitor `yaml:"persons"`  // of a lane for persons
}

// Traffic is how often somebody arrives.
type Traffic struct {
	Headway time.Duration `yaml:"headway"` // mean, simulated time
	Jitter  float64       `yaml:"jitter"`  // 0 regular .. 1 anything up to twice the mean
}

// Phases are how long each part of the way takes, simulated time.
type Phases struct {
	Approach Range `yaml:"approach"` // from photo or document to the portal
	Portal   Range `yaml:"portal"`   // in the portal
	Drive    Range `yaml:"drive"`    // from the portal to the beam
	Beam     Range `yaml:"beam"`     // through the beam, a vehicle or a bag
	Image    Range `yaml:"image"`    // until the image is ready
	Settle   Range `yaml:"settle"`   // onto the bridge until it rests
	Stand    Range `yaml:"stand"`    // at rest on the bridge
	Leave    Range `yaml:"leave"`    // off the bridge
}

// Range is a span from which a duration is drawn evenly.
type Range struct {
	Min time.Duration `yaml:"min"`
	Max time.Duration `yaml:"max"`
}

// Mix is how often what comes. Weights are relative to each other and have
// defaults; chances are 0..1 and 0 when left out.
type Mix struct {
	Loads     map[string]float64 `yaml:"loads"`
	Lights    map[string]float64 `yaml:"lights"`
	Threats   map[string]float64 `yaml:"threats"`
	Documents map[string]float64 `yaml:"documents"`
	Bags      map[string]float64 `yaml:"bags"` // how many a person has: "0", "1", "2"

	// Of vehicles.
	Semi           float64 `yaml:"semi"`     // a semi-trailer
	TwoRows        float64 `yaml:"two_rows"` // a two-row plate
	Chinese        float64 `yaml:"chinese"`  // a Chinese plate
	Trailer        float64 `yaml:"trailer"`  // of semi-trailers: the trailer has a plate of its own, which the list has
	Overweight     float64 `yaml:"overweight"`
	Speeding       float64 `yaml:"speeding"`
	OtherRear      float64 `yaml:"other_rear"`      // a plate on the rear that belongs to another lorry
	Unlisted       float64 `yaml:"unlisted"`        // not on the list of expected vehicles
	LookAlike      float64 `yaml:"look_alike"`      // the list has a plate that is one look-alike character off
	ContainerCheck float64 `yaml:"container_check"` // a container number with a wrong check digit
	ContainerTen   float64 `yaml:"container_ten"`   // one with remainder 10
	Restless       float64 `yaml:"restless"`        // never at rest on the scale
	Reverse        float64 `yaml:"reverse"`

	// Of persons.
	Expired float64 `yaml:"expired"` // an expired document
	Check   float64 `yaml:"check"`   // a document with a wrong check digit
	OCR     float64 `yaml:"ocr"`     // one with a misread character
	Extra   float64 `yaml:"extra"`   // of CCCDs: with further fields

	// Of both.
	Gamma      float64            `yaml:"gamma"`        // a gamma source
	Neutron    float64            `yaml:"neutron"`      // a neutron source
	Threat     float64            `yaml:"threat"`       // something hidden in the load, or in a bag
	TailGate   float64            `yaml:"tail_gate"`    // inside the same occupancy
	BackToBack float64            `yaml:"back_to_back"` // in the next one without a pause, which is tail-gating too
	NoGX       float64            `yaml:"no_gx"`
	Background float64            `yaml:"background"` // the portal's background is out of its limits meanwhile
	Tamper     float64            `yaml:"tamper"`     // the portal's cabinet is opened meanwhile
	WrongWay   float64            `yaml:"wrong_way"`  // against the lane's direction
	Away       map[string]float64 `yaml:"away"`       // by device: it gives nothing of this one
}

// devices are all that a kind of lane has.
func devices(kind string) []string {
	if kind == KindPerson {
		return []string{MRZ, RPM, XRay, Barcode}
	}
	return []string{Camera, RPM, XRay, Scale, Barcode, Camera2, Barrier}
}

// Has says whether the lane has that device.
func (l *Lane) Has(device string) bool { return slices.Contains(l.Devices, device) }

// Board are the lane's devices with their kinds on the fault menu.
func (l *Lane) Board() []fault.Device {
	all := make([]fault.Device, 0, len(l.Devices))
	for _, name := range l.Devices {
		kind := strings.TrimRight(name, "0123456789")
		if name == Barcode && l.Kind == KindPerson {
			kind = fault.SSI
		}
		all = append(all, fault.Device{Name: name, Kind: kind})
	}
	return all
}

// fill sets what is left out.
func (l *Lane) fill() {
	s := func(a, b float64) Range {
		return Range{time.Duration(a * float64(time.Second)), time.Duration(b * float64(time.Second))}
	}
	if l.Kind == "" {
		l.Kind = KindVehicle
	}
	if len(l.Devices) == 0 {
		l.Devices = devices(l.Kind)
	}
	if l.Scale == "" {
		l.Scale = scale.Toledo
	}
	if l.Burst == 0 {
		l.Burst = 1
	}
	if l.Traffic == (Traffic{}) {
		l.Traffic = Traffic{Headway: 20 * time.Second, Jitter: 0.35}
	}
	phases := Phases{
		Approach: s(1, 4), Portal: s(5, 10), Drive: s(2, 5), Beam: s(5, 8), Image: s(0.5, 1), Settle: s(2, 3), Stand: s(2, 3), Leave: s(1.5, 2.5),
	}
	threats := map[string]float64{render.Block: 3, render.Bundles: 3, render.Pistol: 2}
	if l.Kind == KindPerson {
		phases = Phases{Approach: s(1.2, 3), Portal: s(2, 4), Drive: s(2.2, 3.5), Beam: s(2.5, 4), Image: s(0.3, 0.6), Settle: s(1, 1), Stand: s(1, 1), Leave: s(1, 1)}
		threats = map[string]float64{render.BagPistol: 1, render.BagKnife: 1}
	}
	span := func(at *Range, or Range) {
		if *at == (Range{}) {
			*at = or
		}
	}
	p := &l.Phases
	span(&p.Approach, phases.Approach)
	span(&p.Portal, phases.Portal)
	span(&p.Drive, phases.Drive)
	span(&p.Beam, phases.Beam)
	span(&p.Image, phases.Image)
	span(&p.Settle, phases.Settle)
	span(&p.Stand, phases.Stand)
	span(&p.Leave, phases.Leave)
	weights := func(at *map[string]float64, or map[string]float64) {
		if len(*at) == 0 {
			*at = or
		}
	}
	m := &l.Mix
	weights(&m.Loads, map[string]float64{"empty": 2, "boxes": 4, "sacks": 3, "drums": 1, "fruit": 4, "machinery": 1, "mixed": 3})
	weights(&m.Lights, map[string]float64{"day": 6, "sun": 3, "dusk": 2, "night": 2, "rain": 2, "fog": 1, "infrared": 1})
	weights(&m.Threats, threats)
	weights(&m.Documents, map[string]float64{paper.TD3: 65, paper.CCCD: 20, paper.TD1: 10, paper.MRVA: 3, paper.MRVB: 2})
	weights(&m.Bags, map[string]float64{"0": 35, "1": 45, "2": 20})
}

// check finds what the decoder cannot.
func (l *Lane) check() error {
	var errs []error
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if !word(l.ID) {
		bad("id: %q cannot be part of an MQTT topic: use letters, digits and hyphens", l.ID)
	}
	if l.Kind != KindVehicle && l.Kind != KindPerson {
		bad("kind: %q is none of %s, %s", l.Kind, KindVehicle, KindPerson)
		return errors.Join(errs...)
	}
	for _, d := range l.Devices {
		if !slices.Contains(devices(l.Kind), d) {
			bad("devices: %q is none of %s", d, strings.Join(devices(l.Kind), ", "))
		}
	}
	if l.Scale != scale.Toledo && l.Scale != scale.Yaohua {
		bad("scale: %q is none of %s, %s", l.Scale, scale.Toledo, scale.Yaohua)
	}
	if l.Burst < 1 || l.Burst > 9 {
		bad("burst: %d pictures are not 1 to 9", l.Burst)
	}
	if l.Traffic.Headway <= 0 || l.Traffic.Jitter < 0 || l.Traffic.Jitter > 1 {
		bad("traffic: headway has to be above 0 and jitter between 0 and 1")
	}
	p := l.Phases
	for name, r := range map[string]Range{
		"approach": p.Approach, "portal": p.Portal, "drive": p.Drive, "beam": p.Beam, "image": p.Image, "settle": p.Settle, "stand": p.Stand, "leave": p.Leave,
	} {
		if r.Min <= 0 || r.Max < r.Min {
			bad("phases.%s: min has to be above 0 and max not below it", name)
		}
	}
	errs = append(errs, l.checkMix())
	for _, v := range l.Vehicles {
		errs = append(errs, v.check(l.Devices))
	}
	for _, v := range l.Persons {
		errs = append(errs, v.check(l.Devices))
	}
	if l.Kind == KindVehicle && len(l.Persons) > 0 || l.Kind == KindPerson && len(l.Vehicles) > 0 {
		bad("a lane of kind %s has no %s", l.Kind, map[string]string{KindVehicle: "persons", KindPerson: "vehicles"}[l.Kind])
	}
	return errors.Join(errs...)
}

func (l *Lane) checkMix() error {
	var errs []error
	weights := func(name string, given map[string]float64, known []string) {
		sum := 0.0
		for k, v := range given {
			if !slices.Contains(known, k) {
				errs = append(errs, fmt.Errorf("mix.%s: %q is none of %s", name, k, strings.Join(known, ", ")))
			}
			sum += max(0, v)
		}
		if sum == 0 && name != "away" {
			errs = append(errs, fmt.Errorf("mix.%s: no weight is above 0", name))
		}
	}
	weights("loads", l.Mix.Loads, render.Loads())
	weights("lights", l.Mix.Lights, lights())
	weights("threats", l.Mix.Threats, l.threats())
	weights("documents", l.Mix.Documents, documents())
	weights("bags", l.Mix.Bags, []string{"0", "1", "2"})
	weights("away", l.Mix.Away, l.Devices)
	return errors.Join(errs...)
}

func (l *Lane) threats() []string {
	if l.Kind == KindPerson {
		return render.BagThreats()
	}
	return render.Threats()
}

func documents() []string {
	return []string{paper.TD3, paper.CCCD, paper.TD1, paper.TD2, paper.MRVA, paper.MRVB}
}

func lights() []string {
	var names []string
	for _, l := range render.Lights() {
		names = append(names, string(l))
	}
	return names
}
