package watch

import (
	"cmp"
	"math"
	"slices"
	"time"

	"gatehouse/internal/vision/wire"
)

// How tracks are kept. Distances are in widths of the plate.
const (
	lost      = 1200 * time.Millisecond // without a sight a track is over
	reach     = 0.8                     // from where the plate should be to where it is
	reachPerS = 1.5                     // more for every second without a sight
	growth    = 1.22                    // largest ratio of sizes from sight to sight
	growthPer = 1.6                     // times more for every second without one
	smooth    = 0.5                     // weight of the newest step in the speed
)

// Sight is a plate in one frame.
type Sight struct {
	At    time.Duration // since the video began
	X, Y  float64       // middle, pixels
	W, H  float64       // mean width and height, pixels
	Plate wire.Plate
	Crop  func() []byte // JPEG of the plate with what is around it; may be nil
}

// track is one plate over time.
type track struct {
	first, last Sight
	vx, vy      float64 // pixels a second
	sights      []Sight
	best        Sight
	crop        []byte
}

// place is where the plate should be at a time.
func (t *track) place(at time.Duration) (x, y float64) {
	dt := (at - t.last.At).Seconds()
	return t.last.X + t.vx*dt, t.last.Y + t.vy*dt
}

// fits is the cost of continuing the track with a sight, or infinity.
func (t *track) fits(s Sight) float64 {
	dt := (s.At - t.last.At).Seconds()
	x, y := t.place(s.At)
	away := math.Hypot(s.X-x, s.Y-y) / max(t.last.W, 1)
	ratio := s.size() / t.last.size()
	ratio = max(ratio, 1/ratio)
	if away > reach+reachPerS*dt || ratio > growth*math.Pow(growthPer, dt) {
		return math.Inf(1)
	}
	return away + 2*math.Log(ratio)
}

func (t *track) add(s Sight) {
	if dt := (s.At - t.last.At).Seconds(); len(t.sights) > 0 && dt > 0 {
		w := smooth
		if len(t.sights) == 1 {
			w = 1
		}
		t.vx += ((s.X-t.last.X)/dt - t.vx) * w
		t.vy += ((s.Y-t.last.Y)/dt - t.vy) * w
	}
	if len(t.sights) == 0 {
		t.first = s
	}
	if s.worth() > t.best.worth() {
		t.best = s
		if s.Crop != nil {
			t.crop = s.Crop()
		}
	}
	s.Crop = nil
	t.best.Crop = nil
	t.last = s
	t.sights = append(t.sights, s)
}

// size is the side of a square as large, in pixels.
func (s Sight) size() float64 { return math.Sqrt(max(s.W*s.H, 1)) }

// worth orders sights by how good a picture of the plate they are.
func (s Sight) worth() float64 { return s.W * s.H * (0.1 + s.Plate.Score) }

// tracker holds the tracks that are not over.
type tracker struct {
	open []*track
	// wide and high are the frame's size in pixels; a plate that should have left
	// it is not found again inside. 0 for unknown.
	wide, high float64
}

// left says whether a track should be out of the frame by now.
func (k *tracker) left(t *track, at time.Duration) bool {
	x, y := t.place(at)
	return k.wide > 0 && (x < 0 || y < 0 || x > k.wide || y > k.high)
}

// look joins the sights of one frame to tracks and gives those that are over.
func (k *tracker) look(at time.Duration, sights []Sight) (over []*track) {
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
			t := &track{}
			t.add(s)
			k.open = append(k.open, t)
		}
	}
	k.open = slices.DeleteFunc(k.open, func(t *track) bool {
		if at-t.last.At <= lost {
			return false
		}
		over = append(over, t)
		return true
	})
	return over
}

// end gives all tracks that are left.
func (k *tracker) end() []*track {
	all := k.open
	k.open = nil
	return all
}
