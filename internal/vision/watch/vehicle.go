package watch

import (
	"math"
	"slices"
	"time"

	"gatehouse/internal/vision/wire"
)

// What makes a vehicle of tracks.
const (
	fewest    = 3    // sights, else it was a glint
	turnBack  = 0.17 // change of a plate's size that counts as the other direction
	moved     = 0.15 // change of size that shows a direction
	sideways  = 0.8  // widths to the side that show one
	together  = 0.6  // share of the shorter track in which two plates of a vehicle are seen together
	steady    = 0.35 // widths by which their distance may vary
	nextTo    = 5.0  // widths from each other at most
	sameScale = 1.5  // ratio of their sizes at most
)

// Directions of a vehicle as the camera sees it.
const (
	Approaching = "approaching"
	Receding    = "receding"
	ToLeft      = "left"
	ToRight     = "right"
	Still       = "still"
)

// Vehicle is one result of watching.
type Vehicle struct {
	Source    string  `json:"source"`
	Vehicle   int     `json:"vehicle"` // from 1 on, in the order of leaving
	From      float64 `json:"from"`    // seconds since the video began
	To        float64 `json:"to"`
	Frames    int     `json:"frames"` // in which a plate of it was seen
	Direction string  `json:"direction"`
	// Reversed says that the vehicle went back on its way.
	Reversed bool    `json:"reversed"`
	Plates   []Plate `json:"plates"` // the largest first
	Model    string  `json:"model"`
}

// Plate is the vote on one plate of a vehicle. The box is in pixels of the
// frame at At, which Crop was cut from.
type Plate struct {
	wire.Plate
	Facing string  `json:"facing"` // "front", "rear" or "unknown"
	Frames int     `json:"frames"`
	Votes  int     `json:"votes"` // frames that read the text
	At     float64 `json:"at"`    // seconds since the video began
	Crop   []byte  `json:"crop"`  // JPEG; base64 in JSON
}

// widths are the logarithms of a plate's width, each the median of five.
func widths(sights []Sight) []float64 {
	out := make([]float64, len(sights))
	for i := range sights {
		var near []float64
		for _, s := range sights[max(0, i-2):min(len(sights), i+3)] {
			near = append(near, math.Log(max(s.W, 1)))
		}
		slices.Sort(near)
		out[i] = near[len(near)/2]
	}
	return out
}

// direction is how a track went, and whether it turned back on the way.
func direction(sights []Sight) (way string, reversed bool) {
	first, last := sights[0], sights[len(sights)-1]
	wide := widths(sights)
	low, high, sign := wide[0], wide[0], 0
	for _, v := range wide {
		low, high = min(low, v), max(high, v)
		switch {
		case sign <= 0 && v > low+turnBack:
			reversed = reversed || sign < 0
			sign, high = 1, v
		case sign >= 0 && v < high-turnBack:
			reversed = reversed || sign > 0
			sign, low = -1, v
		}
	}
	grown := wide[len(wide)-1] - wide[0]
	aside := (last.X - first.X) / max((first.W+last.W)/2, 1)
	switch {
	case grown > moved:
		return Approaching, reversed
	case grown < -moved:
		return Receding, reversed
	case aside < -sideways:
		return ToLeft, reversed
	case aside > sideways:
		return ToRight, reversed
	}
	return Still, reversed
}

func facing(way string) string {
	switch way {
	case Approaching:
		return "front"
	case Receding:
		return "rear"
	}
	return "unknown"
}

// oneVehicle says whether two plates move as plates of one vehicle do: seen
// together, alike in size, and at the same distance all the time. The lorry
// behind is farther off, so its plate is smaller and comes nearer.
func oneVehicle(a, b *track) bool {
	var dx, dy []float64
	common, ratio := 0, 1.0
	for _, s := range a.sights {
		i, ok := slices.BinarySearchFunc(b.sights, s.At, func(o Sight, at time.Duration) int { return int(o.At - at) })
		if !ok {
			continue
		}
		o := b.sights[i]
		w := (s.W + o.W) / 2
		common++
		dx, dy = append(dx, (o.X-s.X)/w), append(dy, (o.Y-s.Y)/w)
		ratio = max(ratio, math.Sqrt(max(s.W*s.H/(o.W*o.H), o.W*o.H/(s.W*s.H))))
	}
	if common < fewest || float64(common) < together*float64(min(len(a.sights), len(b.sights))) || ratio > sameScale {
		return false
	}
	spread := max(slices.Max(dx)-slices.Min(dx), slices.Max(dy)-slices.Min(dy))
	return spread < 2*steady && math.Hypot(dx[0], dy[0]) < nextTo
}

// vehicles groups tracks that are over. Those of a vehicle end about together;
// a track waits until no other that may belong to it is open.
func vehicles(over []*track) [][]*track {
	var out [][]*track
	for _, t := range over {
		i := slices.IndexFunc(out, func(v []*track) bool {
			return slices.ContainsFunc(v, func(o *track) bool { return oneVehicle(o, t) })
		})
		if i < 0 {
			out = append(out, []*track{t})
		} else {
			out[i] = append(out[i], t)
		}
	}
	return out
}

// conclude makes the result of one vehicle; ok is false for a glint.
func conclude(tracks []*track) (v Vehicle, ok bool) {
	tracks = slices.DeleteFunc(slices.Clone(tracks), func(t *track) bool { return len(t.sights) < fewest })
	if len(tracks) == 0 {
		return v, false
	}
	slices.SortStableFunc(tracks, func(a, b *track) int { return int(b.best.W*b.best.H - a.best.W*a.best.H) })
	long := slices.MaxFunc(tracks, func(a, b *track) int { return len(a.sights) - len(b.sights) })
	v.Direction, v.Reversed = direction(long.sights)
	v.From, v.To = long.first.At.Seconds(), long.last.At.Seconds()
	for _, t := range tracks {
		v.From, v.To = min(v.From, t.first.At.Seconds()), max(v.To, t.last.At.Seconds())
		v.Frames = max(v.Frames, len(t.sights))
		p, votes := vote(t.sights)
		v.Plates = append(v.Plates, Plate{
			Plate: p, Facing: facing(v.Direction), Frames: len(t.sights), Votes: votes, At: t.best.At.Seconds(), Crop: t.crop,
		})
	}
	v.Plates = slices.DeleteFunc(v.Plates, func(p Plate) bool { return p.Score < glint && p.Votes < fewest })
	if slices.ContainsFunc(v.Plates, func(p Plate) bool { return p.Text != "" }) { // lettering beside a plate is no plate
		v.Plates = slices.DeleteFunc(v.Plates, func(p Plate) bool { return p.Text == "" && p.Kind != "foreign" && p.Score < weakBeside })
	}
	if len(v.Plates) == 0 {
		return v, false
	}
	// What never moved and was never read is a part of the scene.
	a, b := long.first, long.last
	stood := math.Hypot(b.X-a.X, b.Y-a.Y) < sideways*a.W && v.Direction == Still && !v.Reversed
	scenery := stood && !slices.ContainsFunc(v.Plates, func(p Plate) bool { return p.Text != "" })
	return v, !scenery
}

// glint is the score below which something that was seen and never read alike
// is no plate.
const glint = 0.05

// weakBeside is the score below which what was seen beside a plate that could be
// read is no second plate.
const weakBeside = 0.2
