package scenario

import (
	"maps"
	"math/rand/v2"
	"slices"
	"time"

	"gatehouse/internal/sim/plate"
	"gatehouse/internal/sim/portal"
	"gatehouse/internal/sim/render"
)

// How a lorry may follow the one before it.
const (
	TailGate   = "tail-gate"    // inside the same occupancy
	BackToBack = "back-to-back" // in the next one, without a pause
)

// Vehicle is one lorry's plan.
type Vehicle struct {
	Number  int           // over all runs
	Headway time.Duration // after the one before, simulated time
	Follows string        // TailGate, BackToBack or empty
	Reverse bool          // backs out first and comes again
	NoGX    bool
	Plate   plate.Plate
	Light   render.Light
	Layout  string
	Load    string
	Threat  string // empty for none
	Declare string

	Approach, Portal, Drive, Beam, Image time.Duration // simulated time

	SpeedKMH     float64
	Shielding    float64
	GammaSigma   float64
	NeutronSigma float64
	Humps        []portal.Hump
	Cut          float64 // where an interlock would open the door, share of the scan
	RealPhoto    float64 // 0..1: below the wanted share, a real photo is taken
	Seed         uint64  // of its pictures and counts
}

// Vehicle plans lorry number, which is the nth of this run. han says whether
// Chinese plates can be painted.
func (s *Scenario) Vehicle(number, nth int, seed uint64, han bool) Vehicle {
	r := rand.New(rand.NewPCG(seed, uint64(number)))
	var special Special
	if i := slices.IndexFunc(s.Vehicles, func(v Special) bool { return v.Number == nth }); i >= 0 {
		special = s.Vehicles[i]
	}
	chance := func(p float64) bool { return r.Float64() < p }
	v := Vehicle{
		Number: number, Seed: r.Uint64(), RealPhoto: r.Float64(), Cut: 0.3 + 0.4*r.Float64(),
		Headway:  time.Duration(float64(s.Traffic.Headway) * (1 + s.Traffic.Jitter*(2*r.Float64()-1))),
		Approach: s.Phases.Approach.draw(r), Portal: s.Phases.Portal.draw(r), Drive: s.Phases.Drive.draw(r),
		Beam: s.Phases.Beam.draw(r), Image: s.Phases.Image.draw(r),
		Light:     render.Light(pick(r, s.Mix.Lights)),
		Load:      pick(r, s.Mix.Loads),
		Shielding: 0.05 + 0.25*r.Float64(),
		Layout:    render.Rigid,
	}
	if chance(s.Mix.Semi) {
		v.Layout = render.Semi
	}
	if v.Load == render.Empty {
		v.Shielding = 0.03 + 0.05*r.Float64()
	}
	rows := 1
	if chance(s.Mix.TwoRows) {
		rows = 2
	}
	v.Plate = plate.Random(r, rows)
	if chance(s.Mix.Chinese) && han {
		v.Plate = plate.RandomChinese(r)
	}
	threat := pick(r, s.Mix.Threats)
	if chance(s.Mix.Threat) && v.Load != render.Empty {
		v.Threat = threat
	}
	s.source(&v, r)
	if chance(s.Mix.TailGate) && nth > 1 {
		v.Follows = TailGate
	}
	v.Reverse, v.NoGX = chance(s.Mix.Reverse), chance(s.Mix.NoGX)
	special.apply(&v)
	length := 11.0
	if v.Layout == render.Semi {
		length = 16
	}
	v.SpeedKMH = length / v.Portal.Seconds() * 3.6
	v.Declare = declared(v.Load)
	if special.Declare != "" {
		v.Declare = special.Declare
	}
	return v
}

// source draws what radiates in the lorry: natural radioactivity all over the
// load, or a point somewhere in it.
func (s *Scenario) source(v *Vehicle, r *rand.Rand) {
	point := portal.Hump{At: 0.3 + 0.55*r.Float64(), Width: 0.05 + 0.06*r.Float64(), High: 1}
	spread := []portal.Hump{{At: 0.45, Width: 0.16, High: 1}, {At: 0.75, Width: 0.14, High: 0.6 + 0.5*r.Float64()}}
	gamma, neutron := r.Float64() < s.Mix.Gamma, r.Float64() < s.Mix.Neutron
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
