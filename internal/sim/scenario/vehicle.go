package scenario

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"gatehouse/internal/sim/paper"
	"gatehouse/internal/sim/plate"
	"gatehouse/internal/sim/portal"
	"gatehouse/internal/sim/render"
)

// How somebody may follow the one before.
const (
	TailGate   = "tail-gate"    // inside the same occupancy
	BackToBack = "back-to-back" // in the next one, without a pause
)

// Course is what the plans of vehicles and persons have in common.
type Course struct {
	Number  int           // over all runs of all lanes
	Headway time.Duration // after the one before, simulated time
	Follows string        // TailGate, BackToBack or empty
	NoGX    bool
	Threat  string // empty for none

	Approach, Portal, Drive, Beam, Image time.Duration // simulated time
	Settle, Stand, Leave                 time.Duration // on the bridge

	SpeedKMH     float64
	Shielding    float64
	GammaSigma   float64
	NeutronSigma float64
	Humps        []portal.Hump
	Background   bool     // the portal's background is out of its limits meanwhile
	Tamper       bool     // the portal's cabinet is opened meanwhile
	WrongWay     bool     // comes against the lane's direction
	Away         []string // devices that give nothing of this one
	Cut          float64  // where an interlock would open the door, share of the scan
	Seed         uint64   // of its pictures and counts
}

// Vehicle is one lorry's plan.
type Vehicle struct {
	Course
	Reverse bool // backs out first and comes again
	Plate   plate.Plate
	Rear    plate.Plate
	Light   render.Light
	Layout  string
	Load    string
	Declare string

	RealPhoto float64 // 0..1: below the wanted share, a real photo is taken

	Axles       int
	GrossKG     float64 // what it weighs
	Restless    bool    // never comes to rest on the scale
	Container   string  // on its label; empty for none
	Declaration string  // on its paper
	// Listed is its row on the list of expected vehicles, and whether it is the
	// row of this lorry at all.
	Listed   Row
	OnList   bool
	Unlisted bool // it has no row at all

	OtherRear    bool // the rear bears a plate of another lorry
	BadContainer bool // the container's check digit is wrong
}

// Row is a row of the list of expected vehicles.
type Row struct {
	Declaration, Plate, RearPlate, Container, Goods string
	GrossKG, NetKG                                  int
}

// Special says what is fixed about one lorry of the run; the rest is drawn.
type Special struct {
	Number  int     `yaml:"number"` // counts from 1 in each run of the lane
	Plate   string  `yaml:"plate"`  // as people write it
	Rows    int     `yaml:"rows"`
	Colour  string  `yaml:"colour"`
	Load    string  `yaml:"load"`
	Layout  string  `yaml:"layout"`
	Light   string  `yaml:"light"`
	Threat  string  `yaml:"threat"` // "none" for certainly none
	Gamma   float64 `yaml:"gamma"`  // wanted sigma of the gamma peak
	Neutron float64 `yaml:"neutron"`
	Clean   bool    `yaml:"clean"`   // nothing that leads to a finding is drawn
	Follows string  `yaml:"follows"` // "tail-gate" or "back-to-back" behind the one before
	Reverse bool    `yaml:"reverse"`
	NoGX    bool    `yaml:"no_gx"`
	After   string  `yaml:"headway"`  // time after the one before
	Declare string  `yaml:"declared"` // what the papers say
	// Plant names further things that lead to findings: overweight, speeding,
	// other-rear, unlisted, look-alike, container-check, container-ten, restless,
	// background, tamper, wrong-way, chinese.
	Plant []string `yaml:"plant"`
	Away  []string `yaml:"away"` // devices that give nothing of it
}

// plants are what a lorry's Plant may name.
func plants() []string {
	return []string{
		"overweight", "speeding", "other-rear", "unlisted", "look-alike", "container-check", "container-ten", "restless",
		"background", "tamper", "wrong-way", "chinese",
	}
}

// Vehicle plans lorry number, which is the nth of this run. han says whether
// Chinese plates can be painted.
func (l *Lane) Vehicle(number, nth int, seed uint64, han bool) Vehicle {
	r := rand.New(rand.NewPCG(seed, uint64(number)))
	var special Special
	if i := slices.IndexFunc(l.Vehicles, func(v Special) bool { return v.Number == nth }); i >= 0 {
		special = l.Vehicles[i]
	}
	chance := func(p float64) bool { return r.Float64() < p }
	v := Vehicle{Light: render.Light(pick(r, l.Mix.Lights)), Load: pick(r, l.Mix.Loads), Layout: render.Rigid, RealPhoto: r.Float64()}
	v.Course = l.course(r, number)
	v.Shielding = 0.05 + 0.25*r.Float64()
	if chance(l.Mix.Semi) {
		v.Layout = render.Semi
	}
	if v.Load == render.Empty {
		v.Shielding = 0.03 + 0.05*r.Float64()
	}
	rows := 1
	if chance(l.Mix.TwoRows) {
		rows = 2
	}
	v.Plate = plate.Random(r, rows)
	chinese := plate.RandomChinese(r)
	threat := pick(r, l.Mix.Threats)
	if chance(l.Mix.Threat) && v.Load != render.Empty {
		v.Threat = threat
	}
	l.source(&v.Course, r)
	if chance(l.Mix.TailGate) && nth > 1 {
		v.Follows = TailGate
	}
	v.Reverse, v.NoGX = chance(l.Mix.Reverse), chance(l.Mix.NoGX)
	planted := l.plant(r)
	if r.Float64() < l.Mix.BackToBack && nth > 1 && v.Follows == "" {
		planted[BackToBack] = true
	}
	if special.Clean {
		planted = map[string]bool{}
		v.Away = nil
	}
	for _, name := range special.Plant {
		planted[name] = true
	}
	if planted["chinese"] && han {
		v.Plate = chinese
	}
	if planted[BackToBack] {
		v.Follows = BackToBack
	}
	special.apply(&v)
	l.burden(&v, r, planted)
	v.Declare = declared(v.Load)
	if special.Declare != "" {
		v.Declare = special.Declare
	}
	l.papers(&v, r, planted)
	return v
}

// course draws what vehicles and persons have in common.
func (l *Lane) course(r *rand.Rand, number int) Course {
	p := l.Phases
	c := Course{
		Number: number, Seed: r.Uint64(), Cut: 0.3 + 0.4*r.Float64(),
		Headway:  time.Duration(float64(l.Traffic.Headway) * (1 + l.Traffic.Jitter*(2*r.Float64()-1))),
		Approach: p.Approach.draw(r), Portal: p.Portal.draw(r), Drive: p.Drive.draw(r), Beam: p.Beam.draw(r), Image: p.Image.draw(r),
		Settle: p.Settle.draw(r), Stand: p.Stand.draw(r), Leave: p.Leave.draw(r),
	}
	for _, device := range slices.Sorted(maps.Keys(l.Mix.Away)) {
		if r.Float64() < l.Mix.Away[device] {
			c.Away = append(c.Away, device)
		}
	}
	return c
}

// plant draws what else leads to a finding.
func (l *Lane) plant(r *rand.Rand) map[string]bool {
	m, planted := l.Mix, map[string]bool{}
	for _, p := range []struct {
		name   string
		chance float64
	}{
		{"overweight", m.Overweight}, {"speeding", m.Speeding}, {"other-rear", m.OtherRear}, {"unlisted", m.Unlisted},
		{"look-alike", m.LookAlike}, {"container-check", m.ContainerCheck}, {"container-ten", m.ContainerTen}, {"restless", m.Restless},
		{"background", m.Background}, {"tamper", m.Tamper}, {"wrong-way", m.WrongWay}, {"chinese", m.Chinese},
	} {
		if r.Float64() < p.chance {
			planted[p.name] = true
		}
	}
	return planted
}

// burden is how heavy and how fast the lorry is.
func (l *Lane) burden(v *Vehicle, r *rand.Rand, planted map[string]bool) {
	length, tare, goods := 11.0, 7000+3500*r.Float64(), 3500+7500*r.Float64()
	v.Axles = 2 + r.IntN(2)
	if v.Layout == render.Semi {
		length, tare, goods = 16, 14000+2500*r.Float64(), 10000+16000*r.Float64()
		v.Axles = 5 + r.IntN(2)
	}
	if v.Load == render.Empty {
		goods = 0
	}
	v.GrossKG = math.Round((tare+goods)/20) * 20
	v.Restless = planted["restless"]
	v.Background, v.Tamper, v.WrongWay = planted["background"], planted["tamper"], planted["wrong-way"]
	if fast := 26 + 4*r.Float64(); planted["speeding"] {
		v.Portal = time.Duration(length / fast * 3.6 * float64(time.Second))
	}
	v.SpeedKMH = length / v.Portal.Seconds() * 3.6
}

// papers are the lorry's second plate, its codes and its row on the list.
func (l *Lane) papers(v *Vehicle, r *rand.Rand, planted map[string]bool) {
	v.Rear = v.Plate
	trailer := plate.Random(r, 1)
	own := r.Float64() < l.Mix.Trailer && v.Layout == render.Semi
	wrong := 1.08 + 0.1*r.Float64()
	off := 1 + 0.016*r.Float64() - 0.008 // what the papers are off by honestly
	kind := paper.Right
	switch {
	case planted["container-check"]:
		kind = paper.WrongEnd
	case planted["container-ten"]:
		kind = paper.Ten
	}
	container, other := paper.Container(r, kind), plate.Random(r, 1)
	v.Declaration = paper.Declaration(r)
	elsewhere := Row{Declaration: paper.Declaration(r), Container: paper.Container(r, paper.Right), Goods: v.Declare, GrossKG: int(v.GrossKG)}
	if v.Layout == render.Semi || kind != paper.Right {
		v.Container = container
	}
	v.OnList = !planted["unlisted"] && !planted["look-alike"]
	v.Unlisted, v.OtherRear, v.BadContainer = planted["unlisted"], planted["other-rear"], kind == paper.WrongEnd
	if v.OnList && own {
		v.Rear = trailer
	}
	v.Listed = Row{
		Declaration: v.Declaration, Plate: v.Plate.Display, RearPlate: v.Rear.Display, Container: v.Container, Goods: v.Declare,
	}
	if v.Container != "" && kind == paper.WrongEnd {
		v.Listed.Container = "" // the papers would have the right number
	}
	gross := v.GrossKG * off
	if planted["overweight"] {
		gross = v.GrossKG/wrong - 320
	}
	v.Listed.GrossKG = int(math.Round(gross/10)) * 10
	v.Listed.NetKG = max(0, v.Listed.GrossKG-9000)
	if planted["look-alike"] {
		elsewhere.Plate = lookAlike(v.Plate)
		v.Listed = elsewhere
	}
	if planted["other-rear"] {
		v.Rear = other
	}
}

// Replan changes a planned lorry by one of look-alike, plate-foreign,
// container-ten and container-check.
func (l *Lane) Replan(v *Vehicle, name string, han bool) {
	r := rand.New(rand.NewPCG(v.Seed, 0x7265706c616e))
	if name == "plate-foreign" {
		if han {
			v.Plate = plate.RandomChinese(r)
		}
		name = ""
	}
	l.papers(v, r, map[string]bool{name: true})
}

// lookAlike is the plate with one figure that cameras confuse with another.
func lookAlike(p plate.Plate) string {
	for _, pair := range []string{"83", "38", "17", "71", "56", "65", "08", "80", "29", "92", "41", "14"} {
		if i := strings.LastIndexByte(p.Display, pair[0]); i > 3 {
			return p.Display[:i] + pair[1:] + p.Display[i+1:]
		}
	}
	return p.Display
}

// source draws what radiates in a vehicle or on a person: natural radioactivity all over the
// load, or a point somewhere in it.
func (l *Lane) source(v *Course, r *rand.Rand) {
	point := portal.Hump{At: 0.3 + 0.55*r.Float64(), Width: 0.05 + 0.06*r.Float64(), High: 1}
	spread := []portal.Hump{{At: 0.45, Width: 0.16, High: 1}, {At: 0.75, Width: 0.14, High: 0.6 + 0.5*r.Float64()}}
	gamma, neutron := r.Float64() < l.Mix.Gamma, r.Float64() < l.Mix.Neutron
	strong, weak := 14+40*r.Float64(), 12+16*r.Float64()
	v.Humps = []portal.Hump{point}
	switch {
	case neutron:
		v.GammaSigma, v.NeutronSigma = strong, 14+18*r.Float64()
	case gamma && r.IntN(2) == 0:
		v.GammaSigma = strong
	case gamma:
		v.GammaSigma, v.Humps = weak, spread
	}
}

func (x Special) apply(v *Vehicle) {
	if x.Clean {
		v.Threat, v.GammaSigma, v.NeutronSigma, v.Reverse, v.NoGX, v.Follows = "", 0, 0, false, false, ""
	}
	set := func(to *string, value string) {
		if value != "" {
			*to = value
		}
	}
	v.Away = append(v.Away, x.Away...)
	if x.Gamma > 0 {
		v.GammaSigma = x.Gamma
	}
	if x.Neutron > 0 {
		v.NeutronSigma = x.Neutron
	}
	set(&v.Load, x.Load)
	set(&v.Layout, x.Layout)
	set(&v.Threat, x.Threat)
	set(&v.Follows, x.Follows)
	if v.Threat == "none" {
		v.Threat = ""
	}
	if x.Light != "" {
		v.Light = render.Light(x.Light)
	}
	v.Reverse, v.NoGX = v.Reverse || x.Reverse, v.NoGX || x.NoGX
	colour, rows := v.Plate.Colour, v.Plate.Rows()
	if x.Colour != "" {
		colour = plate.Colour(x.Colour)
	}
	if x.Rows != 0 {
		rows = x.Rows
	}
	if x.Plate != "" || x.Colour != "" || x.Rows != 0 {
		text := v.Plate.Display
		set(&text, x.Plate)
		if p, err := plate.Parse(text, rows, colour); err == nil { // a drawn Chinese plate stays
			v.Plate = p
		}
	}
	if d, err := time.ParseDuration(x.After); err == nil {
		v.Headway = d
	}
}

func (x Special) check(devices []string) error {
	var errs []error
	one := func(field, value string, known ...string) {
		if value != "" && !slices.Contains(known, value) {
			errs = append(errs, fmt.Errorf("vehicle %d: %s %q is none of %s", x.Number, field, value, strings.Join(known, ", ")))
		}
	}
	if x.Number < 1 {
		errs = append(errs, errors.New("vehicles: number counts from 1"))
	}
	if x.Plate != "" {
		if _, err := plate.Parse(x.Plate, 1, plate.Yellow); err != nil {
			errs = append(errs, fmt.Errorf("vehicle %d: %w", x.Number, err))
		}
	}
	if x.Rows < 0 || x.Rows > 2 {
		errs = append(errs, fmt.Errorf("vehicle %d: rows is 1 or 2", x.Number))
	}
	if x.After != "" {
		if _, err := time.ParseDuration(x.After); err != nil {
			errs = append(errs, fmt.Errorf("vehicle %d: headway: %w", x.Number, err))
		}
	}
	one("colour", x.Colour, string(plate.Yellow), string(plate.White), string(plate.Blue))
	one("load", x.Load, render.Loads()...)
	one("layout", x.Layout, render.Rigid, render.Semi)
	one("light", x.Light, lights()...)
	one("threat", x.Threat, append(render.Threats(), "none")...)
	one("follows", x.Follows, TailGate, BackToBack)
	for _, p := range x.Plant {
		one("plant", p, plants()...)
	}
	for _, d := range x.Away {
		one("away", d, devices...)
	}
	return errors.Join(errs...)
}

func (r Range) draw(dice *rand.Rand) time.Duration {
	return r.Min + time.Duration(dice.Int64N(int64(r.Max-r.Min)+1))
}

// pick draws a key by its weight.
func pick(r *rand.Rand, weights map[string]float64) string {
	keys := slices.Sorted(maps.Keys(weights))
	sum := 0.0
	for _, k := range keys {
		sum += max(0, weights[k])
	}
	at := r.Float64() * sum
	for _, k := range keys {
		if at -= max(0, weights[k]); at < 0 {
			return k
		}
	}
	return keys[len(keys)-1]
}

// declared is what the papers of such a load say.
func declared(load string) string {
	switch load {
	case render.Empty:
		return "empty / không hàng"
	case render.Boxes:
		return "household goods / hàng gia dụng"
	case render.Sacks:
		return "tapioca starch / tinh bột sắn"
	case render.Drums:
		return "lubricants / dầu nhờn"
	case render.Fruit:
		return "fresh fruit / trái cây tươi"
	case render.Machine:
		return "machine parts / linh kiện máy"
	}
	return "mixed goods / hàng tổng hợp"
}
