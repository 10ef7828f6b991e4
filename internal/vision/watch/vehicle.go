package watch

import (
	"math"
	"slices"
	"time"

	"gatehouse/internal/vision/tracks"
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
	swing     = 1.22 // by which the ratio of sizes of two parts of one body may seem to change
	onBody    = 9.0  // widths of a plate from it to lettering on the same vehicle at most
	stood     = 0.25 // of its size, by which an edge of what stands still may seem to move
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
func widths(sights []tracks.Sight) []float64 {
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
func direction(sights []tracks.Sight) (way string, reversed bool) {
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
// behind is farther off, so its plate is smaller and comes nearer. What cannot
// be read may be lettering of any size anywhere on the vehicle.
func oneVehicle(a, b *tracks.Track) bool {
	both := pairs(a, b)
	if len(both) < fewest || float64(len(both)) < together*float64(min(len(a.Sights), len(b.Sights))) {
		return false
	}
	if unread(a) || unread(b) {
		return rigid(both, unread(b))
	}
	var dx, dy []float64
	ratio := 1.0
	for _, p := range both {
		w := (p[0].W + p[1].W) / 2
		dx, dy = append(dx, (p[1].X-p[0].X)/w), append(dy, (p[1].Y-p[0].Y)/w)
		ratio = max(ratio, math.Exp(math.Abs(math.Log(p[0].Size()/p[1].Size()))))
	}
	if ratio > sameScale {
		return false
	}
	spread := max(slices.Max(dx)-slices.Min(dx), slices.Max(dy)-slices.Min(dy))
	return spread < 2*steady && math.Hypot(dx[0], dy[0]) < nextTo
}

// pairs are the sights of two tracks in the same looks.
func pairs(a, b *tracks.Track) (both [][2]tracks.Sight) {
	for _, s := range a.Sights {
		if i, ok := slices.BinarySearchFunc(b.Sights, s.At, func(o tracks.Sight, at time.Duration) int { return int(o.At - at) }); ok {
			both = append(both, [2]tracks.Sight{s, b.Sights[i]})
		}
	}
	return both
}

// rigid says whether two things keep their distance, in widths of the first, and
// the ratio of their sizes from the beginning to the end, as parts of one body
// do. Boxes around lettering vary, so the middle of many is compared.
func rigid(both [][2]tracks.Sight, first bool) bool {
	var dx, dy, ratio []float64
	for _, p := range both {
		s, o := p[0], p[1]
		if !first {
			s, o = o, s
		}
		dx, dy = append(dx, (o.X-s.X)/s.W), append(dy, (o.Y-s.Y)/s.W)
		ratio = append(ratio, math.Log(o.Size()/s.Size()))
	}
	third := (len(ratio) + 2) / 3
	drift := math.Abs(median(ratio[:third]) - median(ratio[len(ratio)-third:]))
	return drift < math.Log(swing)+jitter(ratio) && spread(dx) < 2*steady && spread(dy) < 2*steady &&
		math.Hypot(median(dx), median(dy)) < onBody
}

// jitter is how much values differ from one to the next.
func jitter(v []float64) float64 {
	var steps []float64
	for i := range len(v) - 1 {
		steps = append(steps, math.Abs(v[i+1]-v[i]))
	}
	return median(steps)
}

// median is the middle value.
func median(v []float64) float64 { return quantile(v, 0.5) }

// quantile is the value below which a share of the values lies.
func quantile(v []float64, share float64) float64 {
	v = slices.Sorted(slices.Values(v))
	return v[int(share*float64(len(v)-1)+0.5)]
}

// spread is the range of values without the outermost tenths.
func spread(v []float64) float64 { return quantile(v, 0.9) - quantile(v, 0.1) }

// unread says that no text can be given out for a track.
func unread(t *tracks.Track) bool {
	p, _ := tracks.Vote(t.Sights)
	return p.Text == ""
}

// scenery says that a track is of something that stood: at least one corner of
// it never moved. Of what stands behind passing vehicles more and less shows, so
// the others may.
func scenery(t *tracks.Track) bool {
	var left, right, top, bottom, wide, high []float64
	for _, s := range t.Sights {
		left, right = append(left, s.X-s.W/2), append(right, s.X+s.W/2)
		top, bottom = append(top, s.Y-s.H/2), append(bottom, s.Y+s.H/2)
		wide, high = append(wide, s.W), append(high, s.H)
	}
	w, h := median(wide), median(high)
	return min(spread(left), spread(right)) < stood*w && min(spread(top), spread(bottom)) < stood*max(h, w/4)
}

// vehicles groups tracks that are over. What was lost and found again has two
// tracks, which only a third joins.
func vehicles(over []*tracks.Track) [][]*tracks.Track {
	var out [][]*tracks.Track
	for _, t := range over {
		own := []*tracks.Track{}
		out = slices.DeleteFunc(out, func(v []*tracks.Track) bool {
			same := slices.ContainsFunc(v, func(o *tracks.Track) bool { return oneVehicle(o, t) })
			if same {
				own = append(own, v...)
			}
			return same
		})
		out = append(out, append(own, t))
	}
	return out
}

// nothing says that a track is no plate of a vehicle: a glint, or what could not
// be read and is a part of the scene.
func nothing(t *tracks.Track) bool {
	return len(t.Sights) < fewest || unread(t) && (score(t, 1) < glint || scenery(t))
}

// conclude makes the result of one vehicle.
func conclude(all []*tracks.Track) (v Vehicle) {
	slices.SortStableFunc(all, func(a, b *tracks.Track) int { return int(b.Best.W*b.Best.H - a.Best.W*a.Best.H) })
	long := slices.MaxFunc(all, func(a, b *tracks.Track) int { return len(a.Sights) - len(b.Sights) })
	v.Direction, v.Reversed = direction(long.Sights)
	v.From, v.To = long.First.At.Seconds(), long.Last.At.Seconds()
	var weak []bool
	for _, t := range all {
		v.From, v.To = min(v.From, t.First.At.Seconds()), max(v.To, t.Last.At.Seconds())
		v.Frames = max(v.Frames, len(t.Sights))
		p, votes := tracks.Vote(t.Sights)
		weak = append(weak, p.Text == "" && score(t, 0.5) < weakBeside)
		v.Plates = append(v.Plates, Plate{
			Plate: p, Facing: facing(v.Direction), Frames: len(t.Sights), Votes: votes, At: t.Best.At.Seconds(), Crop: t.Crop,
		})
	}
	if slices.ContainsFunc(v.Plates, func(p Plate) bool { return p.Text != "" }) { // lettering beside a plate is no plate
		i := -1
		v.Plates = slices.DeleteFunc(v.Plates, func(Plate) bool { i++; return weak[i] })
	}
	return v
}

// score is the score below which a share of the track's readings lies.
func score(t *tracks.Track, share float64) float64 {
	var all []float64
	for _, s := range t.Sights {
		all = append(all, s.Plate.Score)
	}
	return quantile(all, share)
}

// glint is the score below which something that could not be read in any look
// is no plate.
const glint = 0.05

// weakBeside is the score below which half the looks at what cannot be read
// must not lie, for it to be a second plate beside one that can.
const weakBeside = 0.2
