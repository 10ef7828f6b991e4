package sim

import (
	"maps"
	"math"
	"slices"
	"sync"
	"time"

	"gatehouse/internal/sim/book"
	"gatehouse/internal/sim/paper"
	"gatehouse/internal/sim/scenario"
)

// journey is one lorry or one traveller under way.
type journey struct {
	course  *scenario.Course
	vehicle *scenario.Vehicle // nil for a traveller
	person  *scenario.Person  // nil for a lorry
	name    string
	listed  bool

	drawn map[string]func() (drawing, error) // pictures by camera, drawn ahead

	mu    sync.Mutex // of the truth's faults and pictures: those are made aside
	truth book.Truth
}

// depart notes that somebody is under way.
func (l *lane) depart(j *journey) error {
	l.mu.Lock()
	l.started++
	l.mu.Unlock()
	if l.replan(j) {
		if err := l.list(j); err != nil {
			return err
		}
	}
	c := j.course
	class := "none"
	switch {
	case c.GammaSigma > 0 && c.NeutronSigma > 0:
		class = "both"
	case c.NeutronSigma > 0:
		class = "neutron"
	case c.GammaSigma > 0:
		class = "gamma"
	}
	t := &j.truth
	t.Lane, t.Vehicle, t.Follows, t.WrongWay, t.Missing = l.plan.ID, j.name, c.Follows == scenario.TailGate, c.WrongWay, c.Away
	t.Began, t.SpeedKMH, t.Findings = time.Now().UTC(), math.Round(10*c.SpeedKMH)/10, []string{}
	t.Rad = book.Radiation{Class: class, GammaSigma: c.GammaSigma, NeutronSigma: c.NeutronSigma, Shielding: c.Shielding}
	t.Scan.Boxes = [][4]int{}
	if j.vehicle != nil {
		j.describeVehicle()
	} else {
		j.describePerson()
	}
	return l.book.Begin(j.truth)
}

func (j *journey) describeVehicle() {
	v, t := j.vehicle, &j.truth
	t.Kind, t.Plate, t.Display, t.Rows, t.Country = v.Layout, v.Plate.Text, v.Plate.Display, v.Plate.Rows(), v.Plate.Country
	t.View, t.Scene, t.Reverse, t.Declare = "front", string(v.Light), v.Reverse, v.Declare
	t.Scan.Load, t.Scan.Threat = v.Load, v.Threat != ""
	t.RearPlate, t.Container, t.Declaration = v.Rear.Text, v.Container, v.Declaration
	t.Weight = &book.Weight{}
	if v.OnList {
		t.Weight.DeclaredKG = float64(v.Listed.GrossKG)
	}
}

func (j *journey) describePerson() {
	d, t := j.person.Document, &j.truth
	t.Kind = "person"
	t.Document = &book.Document{Format: d.Format, Number: d.Number, Name: d.Full, Flaw: d.Flaw}
	if !d.Expiry.IsZero() {
		t.Document.Expiry = d.Expiry.Format(time.DateOnly)
	}
	for _, b := range j.person.Bags {
		t.Bags = append(t.Bags, book.Bag{Tag: b.Tag, Scan: book.Scan{Load: b.Kind, Threat: b.Threat != "", Boxes: [][4]int{}}})
	}
}

// touched notes a fault that spoilt something of this one.
func (j *journey) touched(device string, names ...string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, n := range names {
		j.truth.Faults = append(j.truth.Faults, device+"/"+n)
	}
}

// tell notes what a picture shows.
func (j *journey) tell(note func(*book.Truth)) {
	j.mu.Lock()
	defer j.mu.Unlock()
	note(&j.truth)
}

// arrive finishes the truth.
func (l *lane) arrive(j *journey, cut bool) error {
	t := &j.truth
	t.Ended, t.Cut = time.Now().UTC(), cut
	for _, a := range l.board.Windows(t.Began) {
		j.touched(a.Device, a.Fault)
	}
	t.Findings = l.findings(j)
	l.mu.Lock()
	switch {
	case cut:
		l.sum.Cut++
	case j.person != nil:
		l.sum.Persons++
	default:
		l.sum.Vehicles++
	}
	if t.Rad.GammaAlarm {
		l.sum.GammaAlarms++
	}
	if t.Rad.NeutronAlarm {
		l.sum.NeutronAlarm++
	}
	if j.threat() {
		l.sum.Threats++
	}
	if !cut {
		for _, code := range t.Findings {
			l.sum.Findings[code]++
		}
	}
	l.mu.Unlock()
	return l.book.Finish(*t)
}

func (j *journey) threat() bool {
	return j.truth.Scan.Threat || slices.ContainsFunc(j.truth.Bags, func(b book.Bag) bool { return b.Scan.Threat })
}

// hidden says whether a threat lies in a scan that was made.
func (j *journey) hidden() bool {
	in := func(s book.Scan) bool { return s.Threat && s.ID != "" && len(s.Boxes) > 0 }
	return in(j.truth.Scan) || slices.ContainsFunc(j.truth.Bags, func(b book.Bag) bool { return in(b.Scan) })
}

// Tolerances of a weight against the declared one, and the speed above which
// planted speeding lies: the defaults of a lane's limits.
const (
	tolerance   = 0.05
	toleranceKG = 300
	speedingKMH = 25
)

// findings are the codes that the gate has to conclude: they follow from what
// was planted and from what the simulated instruments flagged. What faults lead
// to is not in them.
func (l *lane) findings(j *journey) []string {
	t, c, found := &j.truth, j.course, map[string]bool{}
	found["RPM-GAMMA"], found["RPM-NEUTRON"] = t.Rad.GammaAlarm, t.Rad.NeutronAlarm
	found["RPM-FAULT"], found["DEVICE-TAMPER"] = c.Background, c.Tamper
	found["XRAY-ANOMALY"] = j.hidden()
	found["TAIL-GATE"] = c.Follows != ""
	for _, device := range []string{scenario.Camera, scenario.Camera2, scenario.XRay, scenario.Scale, scenario.MRZ} {
		needed := device != scenario.XRay || j.vehicle != nil // not everybody has a bag
		if l.plan.Has(device) && needed && (j.away(device) || c.WrongWay) {
			found["COVERAGE-GAP"] = true
		}
	}
	if c.Tamper { // a portal with an open cabinet is no portal
		found["COVERAGE-GAP"] = true
	}
	if t.Reverse && (l.plan.Has(scenario.XRay) || l.plan.Has(scenario.Scale) || l.plan.Has(scenario.Camera2)) {
		found["COVERAGE-GAP"] = true // its first try was seen by nothing behind the portal
	}
	if c.WrongWay {
		return codes(found)
	}
	if v := j.vehicle; v != nil {
		l.vehicleFindings(j, v, found)
	}
	if p := j.person; p != nil && !j.away(scenario.MRZ) {
		found["DOCUMENT-EXPIRED"] = p.Document.Flaw == paper.Expired
		found["DOCUMENT-CHECK"] = p.Document.Flaw == paper.Check
	}
	return codes(found)
}

func (l *lane) vehicleFindings(j *journey, v *scenario.Vehicle, found map[string]bool) {
	seen := func(device string) bool { return l.plan.Has(device) && !j.away(device) }
	w := j.truth.Weight
	found["OVERSPEED"] = v.SpeedKMH > speedingKMH
	found["NOT-EXPECTED"] = !v.OnList
	if seen(scenario.Scale) {
		found["WEIGHT-UNCERTAIN"] = v.Restless
		found["COVERAGE-GAP"] = found["COVERAGE-GAP"] || v.Restless // no weight was got of it
		off := math.Abs(w.GrossKG - w.DeclaredKG)
		found["WEIGHT-MISMATCH"] = !v.Restless && w.DeclaredKG > 0 && off > max(toleranceKG, tolerance*w.DeclaredKG)
	}
	if seen(scenario.Camera) && seen(scenario.Camera2) {
		found["PLATE-MISMATCH"] = v.OtherRear
	}
	if seen(scenario.Barcode) {
		found["CONTAINER-CHECK"] = v.BadContainer
	}
}

func codes(found map[string]bool) []string {
	maps.DeleteFunc(found, func(_ string, on bool) bool { return !on })
	out := slices.Sorted(maps.Keys(found))
	if out == nil {
		out = []string{}
	}
	return out
}

// take uses a fault up for this one and notes it.
func (l *lane) take(j *journey, device, name string) bool {
	used := l.board.Take(device, name, j.course.Number)
	if used {
		j.touched(device, name)
	}
	return used
}
