package tracks

import (
	"cmp"
	"math"
	"slices"
	"time"

	"gatehouse/internal/vision/wire"
)

// How tracks are kept. Distances are in widths of the plate.
const (
	reach     = 0.8  // from where the plate should be to where it is
	reachPerS = 1.5  // more for every second without a sight
	growth    = 1.22 // largest ratio of sizes from sight to sight
	growthPer = 1.6  // times more for every second without one
	smooth    = 0.5  // weight of the newest step in the speed
)

// Sight is a plate in one frame.
type Sight struct {
	At    time.Duration // since the video began
	X, Y  float64       // middle, pixels
	W, H  float64       // mean width and height, pixels
	Plate wire.Plate
	Crop  func() []byte // JPEG of the plate with what is around it; may be nil
}

// Track is one plate over time.
type Track struct {
	First, Last Sight
	Sights      []Sight // in the order of time
	Best        Sight   // the best picture of it
	Crop        []byte  // of Best

	vx, vy float64 // pixels a second
}

// place is where the plate should be at a time.
func (t *Track) place(at time.Duration) (x, y float64) {
	dt := (at - t.Last.At).Seconds()
	return t.Last.X + t.vx*dt, t.Last.Y + t.vy*dt
}

// fits is the cost of continuing the track with a sight, or infinity.
func (t *Track) fits(s Sight) float64 {
	dt := (s.At - t.Last.At).Seconds()
	x, y := t.place(s.At)
	away := math.Hypot(s.X-x, s.Y-y) / max(t.Last.W, 1)
	ratio := s.Size() / t.Last.Size()
	ratio = max(ratio, 1/ratio)
	if away > reach+reachPerS*dt || ratio > growth*math.Pow(growthPer, dt) {
		return math.Inf(1)
	}
	return away + 2*math.Log(ratio)
}

func (t *Track) add(s Sight) {
	if dt := (s.At - t.Last.At).Seconds(); len(t.Sights) > 0 && dt > 0 {
		w := smooth
		if len(t.Sights) == 1 {
			w = 1
		}
		t.vx += ((s.X-t.Last.X)/dt - t.vx) * w
		t.vy += ((s.Y-t.Last.Y)/dt - t.vy) * w
	}
	if len(t.Sights) == 0 {
		t.First = s
	}
	if s.worth() > t.Best.worth() {
		t.Best = s
		if s.Crop != nil {
			t.Crop = s.Crop()
		}
	}
	s.Crop = nil
	t.Best.Crop = nil
	t.Last = s
	t.Sights = append(t.Sights, s)
}

// Size is the side of a square as large, in pixels.
func (s Sight) Size() float64 { return math.Sqrt(max(s.W*s.H, 1)) }

// worth orders sights by how good a picture of the plate they are.
func (s Sight) worth() float64 { return s.W * s.H * (0.1 + s.Plate.Score) }

// Tracker joins the plates of one look after another to tracks, by where they
// are and how they move and never by what is read on them.
type Tracker struct {
	// Lost is the time without a sight after which a track is over; 0 for never.
	Lost time.Duration
	// Wide and High are the frame's size in pixels; a plate that should have left
	// it is not found again inside. 0 for unknown.
	Wide, High float64

	open []*Track
}

// Open are the tracks that are not over.
func (k *Tracker) Open() []*Track { return k.open }

// left says whether a track should be out of the frame by now.
func (k *Tracker) left(t *Track, at time.Duration) bool {
	x, y := t.place(at)
	return k.Wide > 0 && (x < 0 || y < 0 || x > k.Wide || y > k.High)
}

// Look joins the sights of one frame to tracks and gives those that are over.
func (k *Tracker) Look(at time.Duration, sights []Sight) (over []*Track) {
	type pair struct {
		cost float64
		t, s int
	}
	var pairs []pair
	for i, t := range k.open {
		if k.left(t, at) {
			continue
		}
		for j, s := range sights {
			if c := t.fits(s); !math.IsInf(c, 1) {
				pairs = append(pairs, pair{c, i, j})
			}
		}
	}
	slices.SortFunc(pairs, func(a, b pair) int { return cmp.Compare(a.cost, b.cost) })
	joined, used := make([]bool, len(k.open)), make([]bool, len(sights))
	for _, p := range pairs {
		if !joined[p.t] && !used[p.s] {
			joined[p.t], used[p.s] = true, true
			k.open[p.t].add(sights[p.s])
		}
	}
	for j, s := range sights {
		if !used[j] {
			t := &Track{}
			t.add(s)
			k.open = append(k.open, t)
		}
	}
	k.open = slices.DeleteFunc(k.open, func(t *Track) bool {
		if k.Lost == 0 || at-t.Last.At <= k.Lost {
			return false
		}
		over = append(over, t)
		return true
	})
	return over
}

// End gives all tracks that are left.
func (k *Tracker) End() []*Track {
	all := k.open
	k.open = nil
	return all
}
