package xray

import (
	"image"
	"math"
	"slices"
)

// Figures of the search for parts of the vehicle. Lengths are shares of the
// picture's height or, with "radii", of the wheels' radius.
const (
	wheelFrom     = 0.25  // attenuation: less is air, or noise on it
	wheelLeast    = 0.025 // radius
	wheelMost     = 0.14
	wheelFill     = 0.92 // share of a wheel that is no air
	wheelCorners  = 0.55 // share of air beside its lower half
	wheelUnlike   = 0.35 // difference of its halves, over its attenuation
	engineFrom    = 1.5  // attenuation
	engineHigh    = 6.0  // radii above the ground to which an engine reaches
	engineLow     = 2.6  // radii above the ground to which it reaches down
	engineLong    = 5.0  // radii
	engineSolid   = 0.5  // share of its box that it fills
	tankFrom      = 0.35 // attenuation
	tankAir       = 0.2  // share of air in a row between the wheels that lies under floor and chassis
	tankLeast     = 0.35 // radii
	tankLong      = 8.0  // radii
	ofVehicleFrom = 0.7  // share of a region within a part that makes it that part
)

// Parts of a vehicle.
const (
	partWheel  = "wheel"
	partEngine = "engine"
	partTank   = "tank"
)

// vehiclePart is what belongs to the vehicle and not to its load.
type vehiclePart struct {
	kind string
	rect image.Rectangle
}

// vehicle finds wheels by their symmetry, and engine and tank by the place and
// size that they have beside the wheels. Of a lorry they lie outside the body; a
// van and a bus have them within. Without two wheels nothing is claimed.
func vehicle(a plane) []vehiclePart {
	ground := contact(a)
	if ground == 0 {
		return nil
	}
	var parts []vehiclePart
	for _, run := range touching(a, ground) {
		if r, ok := wheel(a, ground, run); ok {
			parts = append(parts, vehiclePart{partWheel, r})
		}
	}
	if len(parts) < 2 {
		return nil
	}
	wheels := parts
	return append(append(parts, engines(a, ground, wheels)...), tanks(a, ground, wheels)...)
}

// contact is the row under the wheels; 0 when the picture ends above it.
func contact(a plane) int {
	for y := a.H - 1; y > a.H/2; y-- {
		n := 0
		for _, v := range a.row(y, 0, a.W) {
			if v > wheelFrom {
				n++
			}
		}
		if n >= 3 {
			if y == a.H-1 {
				return 0
			}
			return y + 1
		}
	}
	return 0
}

// bandOf is how many rows above the ground tell where something stands on it.
func bandOf(a plane) int { return max(2, a.H/60) }

// touching are the stretches of columns in which something stands on the ground.
func touching(a plane, ground int) [][2]int {
	on := make([]bool, a.W)
	for y := ground - bandOf(a); y < ground; y++ {
		for x, v := range a.row(y, 0, a.W) {
			on[x] = on[x] || v > wheelFrom
		}
	}
	return runs(on, 1)
}

// wheel is the disc that stands on a stretch of ground, if there is one.
func wheel(a plane, ground int, run [2]int) (image.Rectangle, bool) {
	k, chord, middle := float64(bandOf(a)), float64(run[1]-run[0]), (run[0]+run[1])/2
	guess := (chord*chord/4 + k*k) / (2 * k)
	best, found := 0.0, image.Rectangle{}
	for r := max(4, int(max(0.6*guess, wheelLeast*float64(a.H)))); float64(r) <= min(1.5*guess, wheelMost*float64(a.H)); r++ {
		for x := middle - 2; x <= middle+2; x++ {
			box := image.Rect(x-r, ground-2*r, x+r+1, ground)
			if !box.In(image.Rect(0, 0, a.W, a.H)) {
				continue
			}
			if score := math.Sqrt(float64(r)) * disc(a, x, ground-r, r); score > best { // a larger one is more of the wheel
				best, found = score, box
			}
		}
	}
	return found, best > 0
}

// disc tells how much a place looks like a wheel, 0 when it does not: filled,
// with air beside its lower half, and its left half as its right. Its upper part
// may lie behind the body.
func disc(a plane, cx, cy, r int) float64 {
	filled, within, air, beside := 0, 0, 0, 0
	unlike, sum := 0.0, 0.0
	for dy := -r / 4; dy < r; dy++ {
		for dx := 0; dx <= r; dx++ {
			left, right := a.at(cx-dx, cy+dy), a.at(cx+dx, cy+dy)
			d := math.Hypot(float64(dx), float64(dy)) / float64(r)
			for _, v := range []float32{left, right} {
				switch {
				case d < 0.92:
					within++
					if v > wheelFrom {
						filled++
					}
				case d > 1.08 && dy > r/4:
					beside++
					if v <= wheelFrom {
						air++
					}
				}
			}
			if d < 0.92 {
				unlike += math.Abs(float64(left - right))
				sum += float64(left + right)
			}
		}
	}
	fill, corners, halves := float64(filled)/float64(max(1, within)), float64(air)/float64(max(1, beside)), 2*unlike/max(1e-6, sum)
	if fill < wheelFill || corners < wheelCorners || halves > wheelUnlike {
		return 0
	}
	return fill + corners - halves
}

// region finds the connected parts of a window that attenuate more than a value,
// but what is known already.
func region(a plane, window image.Rectangle, from float32, but []vehiclePart) []image.Rectangle {
	window = window.Intersect(image.Rect(0, 0, a.W, a.H))
	if window.Empty() {
		return nil
	}
	mask := make([]bool, window.Dx()*window.Dy())
	for i := range mask {
		p := window.Min.Add(image.Pt(i%window.Dx(), i/window.Dx()))
		mask[i] = a.at(p.X, p.Y) > from && !slices.ContainsFunc(but, func(k vehiclePart) bool { return p.In(k.rect) })
	}
	var out []image.Rectangle
	for _, b := range blobs(mask, window.Dx()) {
		if float64(len(b.Pixels)) >= engineSolid*float64(b.Rect.Dx()*b.Rect.Dy()) {
			out = append(out, b.Rect.Add(window.Min))
		}
	}
	return out
}

// engines are dense blocks over the first or the last wheel.
func engines(a plane, ground int, wheels []vehiclePart) []vehiclePart {
	var out []vehiclePart
	first, last := wheels[0].rect, wheels[len(wheels)-1].rect
	for _, w := range []image.Rectangle{first, last} {
		r := float64(w.Dx()) / 2
		from, to := 0, w.Max.X+int(2*r)
		if w == last {
			from, to = w.Min.X-int(2*r), a.W
		}
		for _, b := range region(a, image.Rect(from, ground-int(engineHigh*r)-1, to, w.Min.Y+int(r)), engineFrom, wheels) {
			if float64(b.Dx()) >= 1.5*r && float64(b.Dx()) <= engineLong*r && float64(b.Dy()) >= 1.2*r &&
				b.Min.Y > ground-int(engineHigh*r) && float64(ground-b.Max.Y) <= engineLow*r {
				out = append(out, vehiclePart{partEngine, b})
			}
		}
	}
	return out
}

// tanks hang between the wheels, with air under them.
func tanks(a plane, ground int, wheels []vehiclePart) []vehiclePart {
	var out []vehiclePart
	for i := range len(wheels) - 1 {
		left, right := wheels[i].rect, wheels[i+1].rect
		r := float64(left.Dx()) / 2
		gap := image.Rect(left.Max.X+1, left.Min.Y, right.Min.X-1, ground)
		if gap.Empty() {
			continue
		}
		under := gap.Max.Y // floor and chassis end above it
		for under > gap.Min.Y && percentile(a.row(under-1, gap.Min.X, gap.Max.X), tankAir) <= wheelFrom {
			under--
		}
		gap.Min.Y = under
		for _, b := range region(a, gap, tankFrom, wheels) {
			if float64(b.Dx()) >= r && float64(b.Dx()) <= tankLong*r && float64(b.Dy()) >= tankLeast*r &&
				float64(ground-b.Max.Y) >= 0.15*r {
				out = append(out, vehiclePart{partTank, b})
			}
		}
	}
	return out
}

// ofVehicle tells whether a region is a part of the vehicle rather than of its
// load.
func (v *cargoView) ofVehicle(r image.Rectangle) bool {
	for _, p := range v.parts {
		common := r.Intersect(p.rect)
		if float64(common.Dx()*common.Dy()) >= ofVehicleFrom*float64(r.Dx()*r.Dy()) {
			return true
		}
	}
	return false
}

// masked tells whether a pixel lies in a part of the vehicle.
func (v *cargoView) masked(x, y int) bool {
	for _, p := range v.parts {
		if image.Pt(x, y).In(p.rect) {
			return true
		}
	}
	return false
}
