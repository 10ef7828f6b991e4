package render

import (
	"image"
	"math"
	"math/rand/v2"
	"slices"
)

// Vehicle layouts.
const (
	Rigid = "rigid"        // cab and box body on one frame
	Semi  = "semi-trailer" // tractor with a container trailer
)

// Loads.
const (
	Empty   = "empty"
	Boxes   = "boxes"
	Sacks   = "sacks"
	Drums   = "drums"
	Fruit   = "fruit"
	Machine = "machinery"
	Mixed   = "mixed"
)

// Loads are all of them.
func Loads() []string { return []string{Empty, Boxes, Sacks, Drums, Fruit, Machine, Mixed} }

// Threats.
const (
	Block   = "dense-block" // metal or lead inside goods
	Bundles = "organic-bundles"
	Pistol  = "pistol"
)

// Threats are all of them.
func Threats() []string { return []string{Block, Bundles, Pistol} }

// Cargo is a lorry to be scanned, seen from its right side, its front to the
// left.
type Cargo struct {
	Seed   uint64
	Layout string
	Load   string
	Threat string // empty for none
}

// Scan is an X-ray image with its truth.
type Scan struct {
	High  []byte // PNG, 16 bit grey, linear in transmission
	Low   []byte // the low-energy view; nil unless asked for
	Size  image.Rectangle
	Boxes []image.Rectangle // of the threat, in pixels
	State string            // "empty", "partial" or "loaded"
	Fill  float64           // share of the interior's area with goods in front
}

// XRay scans the cargo. share is how much of the lorry passed before the beam
// went off, 1 for all; dual asks for the low-energy view too.
func XRay(c Cargo, share float64, dual bool) (Scan, error) {
	s, truth := compose(c)
	dice := rand.New(rand.NewPCG(c.Seed, 0x6e6f697365))
	out := truth
	var err error
	out.High, out.Size, err = encode(expose(s.high, s.w, s.h, dice), share)
	if err == nil && dual {
		out.Low, _, err = encode(expose(s.low, s.w, s.h, dice), share)
	}
	out.Boxes = nil
	for _, b := range truth.Boxes {
		if b = b.Intersect(out.Size); !b.Empty() {
			out.Boxes = append(out.Boxes, b)
		}
	}
	return out, err
}

// The frame of a scene, in pixels of 1 cm.
const (
	margin = 60.0
	road   = 470.0 // y of the ground
	axle   = 50.0  // wheel radius
	deck   = 352.0 // y of the load floor
)

// scene is a lorry under construction.
type scene struct {
	*slab
	dice     *rand.Rand
	interior image.Rectangle
	filled   []bool // columns and rows of the interior that have goods, see cover
	boxes    []image.Rectangle
}

func compose(c Cargo) (*slab, Scan) {
	dice := rand.New(rand.NewPCG(c.Seed, 0x636172676f))
	length := 205.0 + 40 + 700 + 40*float64(dice.IntN(6)) // cab, gap, box
	high := 225 + 10*float64(dice.IntN(5))
	boxed := length - 245
	if c.Layout == Semi {
		boxed, high = 1219, 259 // ISO 40 ft
		if dice.IntN(3) == 0 {
			boxed = 606 // 20 ft
		}
		length = 205 + 95 + max(boxed, 900)
	}
	s := &scene{slab: newSlab(int(length+2*margin), ScanHeight), dice: dice}
	s.ground()
	s.cab()
	x0 := margin + length - boxed - 8
	s.interior = image.Rect(int(x0)+4, int(deck-high)+5, int(x0+boxed)-4, int(deck)-4)
	s.filled = make([]bool, s.interior.Dx()*s.interior.Dy())
	s.chassis(length, c.Layout == Semi)
	s.body(x0, deck-high, boxed, high, c.Layout == Semi)
	s.load(c.Load, s.interior)
	s.threat(c.Threat)
	n := 0
	for _, f := range s.filled {
		if f {
			n++
		}
	}
	truth := Scan{Boxes: s.boxes, Fill: float64(n) / float64(len(s.filled)), State: "loaded"}
	switch {
	case truth.Fill < 0.03:
		truth.State = "empty"
	case truth.Fill < 0.5:
		truth.State = "partial"
	}
	return s.slab, truth
}

// cover notes that a rectangle of the interior has goods in it.
func (s *scene) cover(x0, y0, x1, y1 float64) {
	b := image.Rect(int(x0), int(y0), int(math.Ceil(x1)), int(math.Ceil(y1))).Intersect(s.interior)
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			s.filled[(y-s.interior.Min.Y)*s.interior.Dx()+x-s.interior.Min.X] = true
		}
	}
}

// ground is the portal's ramp, with the marks that give the scale.
func (s *scene) ground() {
	s.add(box(0, road, float64(s.w), road+5, 0), steel(), even(12))
	for x := 100.0; x < float64(s.w); x += 200 {
		s.add(box(x, road, x+3, road+14, 0), steel(), even(12))
	}
}

func (s *scene) wheel(x float64, twin bool) {
	y := road - axle
	tyres := 2.0
	if twin {
		tyres = 4
	}
	s.add(ring(x, y, axle, 30), rubber(), even(24*tyres/2))
	s.add(ring(x, y, axle-1, axle-5), steel(), even(0.8*tyres)) // belts
	s.add(ring(x, y, 30, 26), steel(), even(6*tyres/2))         // rim
	s.add(disc(x, y, 26, 26), steel(), even(1.6*tyres/2))
	s.add(disc(x, y, 17, 17), steel(), even(14)) // drum and hub
	s.add(disc(x, y, 8, 8), steel(), even(20))   // axle seen along its length
	for i := range 8 {
		a := float64(i) * math.Pi / 4
		s.add(disc(x+21*math.Cos(a), y+21*math.Sin(a), 2, 2), steel(), even(4))
	}
}

// ring is the outline of an annulus, its hole joined to its edge by a cut.
func ring(cx, cy, outer, inner float64) []point {
	out := disc(cx, cy, outer, outer)
	out = append(out, out[0])
	hole := disc(cx, cy, inner, inner)
	hole = append(hole, hole[0])
	for _, h := range slices.Backward(hole) {
		out = append(out, h)
	}
	return out
}

func (s *scene) cab() {
	x := margin
	shell := []point{{x + 6, 205}, {x + 30, 160}, {x + 190, 160}, {x + 198, 175}, {x + 200, 385}, {x, 385}, {x - 2, 300}}
	s.add(shell, steel(), even(0.5)) // two door skins
	s.add(stripe(point{x, 300}, point{x + 28, 165}, 6), steel(), even(4))
	s.add(stripe(point{x + 28, 163}, point{x + 195, 163}, 6), steel(), even(8))
	s.add(stripe(point{x + 197, 165}, point{x + 197, 385}, 7), steel(), even(9))
	s.add(stripe(point{x, 385}, point{x + 200, 385}, 9), steel(), even(9))
	s.add(stripe(point{x + 95, 165}, point{x + 95, 385}, 5), steel(), even(2.5)) // door pillar
	s.add(box(x+4, 285, x+40, 330, 8), packed(0.5), even(130))                   // dashboard
	s.add(stripe(point{x + 48, 262}, point{x + 34, 296}, 4), steel(), even(3))   // steering wheel
	for _, seat := range []float64{62} {
		s.add(box(x+seat, 300, x+seat+48, 325, 8), packed(0.12), even(110))
		s.add(stripe(point{x + seat + 44, 318}, point{x + seat + 58, 235}, 15), packed(0.12), even(110))
	}
	s.add(disc(x+88, 222, 11, 14), water(), even(15)) // the driver
	s.add(box(x+74, 238, x+106, 305, 14), water(), even(26))
	s.add(box(x+60, 290, x+100, 312, 8), water(), even(24))
	s.add(box(x+125, 305, x+192, 325, 6), packed(0.15), even(190)) // bunk
	s.engine(x)
	s.wheel(x+62, false)
}

func (s *scene) engine(x float64) {
	s.add(box(x+18, 345, x+135, 415, 10), steel(), func(px, py float64) float64 {
		return 14 + 7*math.Abs(math.Sin((px-x)/9)) + 4*math.Sin(py/6)
	})
	for i := range 6 {
		s.add(box(x+30+float64(i)*16, 335, x+40+float64(i)*16, 350, 2), steel(), even(10))
	}
	s.add(box(x+2, 335, x+14, 425, 2), aluminium(), even(7))      // radiator
	s.add(box(x+135, 370, x+195, 405, 10), aluminium(), even(24)) // gearbox
	s.add(box(x-6, 405, x+12, 445, 4), steel(), even(3))          // bumper
	s.add(disc(x+14, 350, 14, 14), steel(), even(2))
}

func (s *scene) chassis(length float64, semi bool) {
	x0, x1 := margin, margin+length
	rail := func(from, to, y float64) {
		s.add(box(from, y, to, y+26, 2), steel(), even(1.6))
		s.add(box(from, y, to, y+3, 0), steel(), even(14)) // flanges
		s.add(box(from, y+23, to, y+26, 0), steel(), even(14))
	}
	if !semi {
		rail(x0+20, x1-10, 372)
		s.tanks(x0 + 300)
		s.wheel(x1-190, true)
		if length > 1050 {
			s.wheel(x1-190-125, true)
		}
		return
	}
	rail(x0+20, x0+345, 390)
	s.wheel(x0+245, true)
	s.wheel(x0+345, true)
	s.add(box(x0+270, 378, x0+330, 392, 4), steel(), even(30)) // fifth wheel
	rail(x0+225, x1-10, 358)
	s.tanks(x0 + 470)
	for i := range 3 {
		s.wheel(x1-120-float64(i)*125, true)
	}
	for _, x := range []float64{x0 + 560, x0 + 590} { // landing legs
		s.add(box(x, 372, x+9, 440, 1), steel(), even(5))
		s.add(box(x-7, 440, x+16, 446, 1), steel(), even(12))
	}
}

// tanks are the fuel tank, half full, the battery box and air bottles.
func (s *scene) tanks(x float64) {
	s.add(box(x, 388, x+95, 445, 10), aluminium(), even(0.8))
	fuel := 400 + 25*s.dice.Float64()
	s.add(box(x+2, fuel, x+93, 443, 8), packed(0.84), even(55))
	s.add(box(x+110, 395, x+145, 435, 3), lead(), even(3.5))
	for i := range 2 {
		cy := 403 + 30*float64(i)
		s.add(disc(x+170, cy, 13, 13), steel(), even(0.8))
		s.add(ring(x+170, cy, 13, 11), steel(), even(8))
	}
	s.add(stripe(point{x - 60, 440}, point{x - 20, 440}, 3), steel(), even(6)) // guard rail
	s.add(stripe(point{x + 200, 432}, point{x + 330, 432}, 4), aluminium(), even(2))
}

// body is the box or container: walls, posts, roof, floor beams, doors.
func (s *scene) body(x, y, w, h float64, iso bool) {
	wall := func(px, _ float64) float64 { // corrugated sheet seen face on
		return 0.34 + 0.05*math.Sin(px/4.5)
	}
	m := steel()
	if !iso {
		m = aluminium()
		wall = func(px, _ float64) float64 {
			d := 0.5
			if math.Mod(px-x, 60) < 4 {
				d = 2.2 // posts
			}
			return d
		}
	}
	s.add(box(x, y, x+w, y+h, 0), m, wall)
	s.add(box(x, y, x+w, y+h, 0), wood(), even(0.8)) // lining
	s.add(box(x, y, x+w, y+6, 0), steel(), even(3))  // top rails
	s.add(box(x, y+1, x+w, y+3, 0), steel(), even(35*0.12))
	for _, px := range []float64{x, x + w - 8} {
		s.add(box(px, y, px+8, y+h, 0), steel(), even(4)) // corner posts
		for _, py := range []float64{y, y + h - 12} {
			s.add(box(px-1, py, px+10, py+12, 0), steel(), even(7)) // castings
		}
	}
	s.add(box(x, y+h-4, x+w, y+h, 0), wood(), even(240)) // floor, seen along its width
	for px := x + 20; px < x+w-10; px += 30 {
		s.add(box(px, y+h, px+4, y+h+12, 0), steel(), even(9)) // cross members
	}
	s.add(box(x, y+h+1, x+w, y+h+14, 0), steel(), even(0.9)) // bottom rails
	for _, py := range []float64{0.2, 0.5, 0.8} {            // door bars and hinges
		s.add(box(x+w-12, y+h*py, x+w+3, y+h*py+7, 1), steel(), even(7))
	}
}
