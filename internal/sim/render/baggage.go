package render

import (
	"image"
	"math"
	"math/rand/v2"
)

// Geometry of the simulated baggage scanner: a 160 kV tunnel seen from below.
const (
	BagMMPerPixel = 1.5
	BagKV         = 160
	bagMargin     = 40.0 // pixels of open beam around the bag
	bagCM         = 10 / BagMMPerPixel

	// Everyday things are drawn thinner and with softer edges than they are, so
	// that what is planted is what stands out. How well a net tells weapons from
	// clutter is for real scans to say, not for these.
	soft  = 0.5
	edges = 4 // pixels, three times over
)

// Bags.
const (
	Suitcase = "suitcase"
	Backpack = "backpack"
	Handbag  = "handbag"
)

// Bags are all of them.
func Bags() []string { return []string{Suitcase, Backpack, Handbag} }

// Threats of baggage.
const (
	BagPistol = "pistol"
	BagKnife  = "knife"
)

// BagThreats are all of them.
func BagThreats() []string { return []string{BagPistol, BagKnife} }

// Bag is a piece of baggage to be scanned.
type Bag struct {
	Seed   uint64
	Kind   string
	Threat string // empty for none
}

// The tunnel's tube has 160 kV; its beam is stood for by 80 keV. The
// coefficients are NIST's mass attenuation coefficients at that energy, and at
// 50 keV for the low view, rounded to three digits.
func bagSteel() Material     { return Material{"steel", 7.87, 0.595, 1.96} }
func bagAluminium() Material { return Material{"aluminium", 2.70, 0.202, 0.368} }
func bagCopper() Material    { return Material{"copper", 8.96, 0.763, 2.61} }
func bagWater() Material     { return Material{"water", 1.00, 0.184, 0.227} }
func bagGlass() Material     { return Material{"glass", 2.50, 0.190, 0.330} }
func cloth() Material        { return Material{"cloth", 0.25, 0.176, 0.208} }
func plastic() Material      { return Material{"plastic", 1.05, 0.177, 0.205} }
func leather() Material      { return Material{"leather", 0.90, 0.175, 0.208} }
func cell() Material         { return Material{"cell", 2.20, 0.40, 1.10} } // lithium cells: copper and oxides in between

// luggage is a bag under construction; measures are cm.
type luggage struct {
	*slab
	dice  *rand.Rand
	x, y  float64 // of the bag's corner, pixels
	w, h  float64 // cm
	boxes []image.Rectangle
	hot   bool // what is put in now is a threat
}

// XRayBag scans a bag. share is how much of it passed before the beam went off.
func XRayBag(b Bag, share float64) (Scan, error) {
	dice := rand.New(rand.NewPCG(b.Seed, 0x626167))
	w, h := 48+14*dice.Float64(), 32+8*dice.Float64()
	switch b.Kind {
	case Backpack:
		w, h = 36+10*dice.Float64(), 27+6*dice.Float64()
	case Handbag:
		w, h = 26+8*dice.Float64(), 20+5*dice.Float64()
	}
	l := &luggage{
		slab: newSlab(int(w*bagCM+2*bagMargin), int(h*bagCM+2*bagMargin)),
		dice: dice, x: bagMargin, y: bagMargin, w: w, h: h,
	}
	l.shell(b.Kind)
	l.clothes()
	l.things(b.Kind)
	l.threat(b.Threat)
	out := Scan{State: "loaded", Fill: 1}
	var err error
	out.High, out.Size, err = encode(expose(l.high, l.slab.w, l.slab.h, rand.New(rand.NewPCG(b.Seed, 0x6e6f697365))), share)
	for _, r := range l.boxes {
		if r = r.Intersect(out.Size); !r.Empty() {
			out.Boxes = append(out.Boxes, r)
		}
	}
	return out, err
}

// put adds an outline given in cm of the bag.
func (l *luggage) put(outline []point, m Material, cm float64) {
	if !l.hot {
		cm *= soft
	}
	px := make([]point, len(outline))
	for i, p := range outline {
		px[i] = point{l.x + p.x*bagCM, l.y + p.y*bagCM}
	}
	l.add(px, m, even(cm))
}

// turned is an outline turned by an angle around its own origin and moved to a
// place of the bag.
func turned(outline []point, x, y, angle float64) []point {
	sin, cos := math.Sincos(angle)
	out := make([]point, len(outline))
	for i, p := range outline {
		out[i] = point{x + p.x*cos - p.y*sin, y + p.x*sin + p.y*cos}
	}
	return out
}

// place is somewhere in the bag at least edge cm from its sides.
func (l *luggage) place(edge float64) (x, y, angle float64) {
	return edge + (l.w-2*edge)*l.dice.Float64(), edge + (l.h-2*edge)*l.dice.Float64(), 2 * math.Pi * l.dice.Float64()
}

func (l *luggage) shell(kind string) {
	if kind == Suitcase {
		l.put(box(0, 0, l.w, l.h, 3), plastic(), 0.6)
		for _, y := range []float64{0.4, l.h - 1.2} {
			l.put(box(1, y, l.w-1, y+0.8, 0.3), plastic(), 2.5) // frame
		}
		for _, y := range []float64{l.h * 0.36, l.h * 0.64} { // the handle's tubes
			l.put(box(2, y, l.w-6, y+1.1, 0.2), bagAluminium(), 0.35)
		}
		for _, c := range []point{{2.2, 2}, {2.2, l.h - 2}} { // wheels
			l.put(disc(c.x, c.y, 1.6, 1.6), plastic(), 2.2)
			l.put(disc(c.x, c.y, 0.4, 0.4), bagSteel(), 1.2)
		}
		return
	}
	l.put(box(0, 0, l.w, l.h, 5), leather(), 0.5)
	l.put(stripe(point{2, 1.2}, point{l.w - 2, 1.2}, 0.5), bagSteel(), 0.06) // zip
	l.put(box(l.w*0.62, l.h*0.2, l.w-1.5, l.h*0.8, 2), cloth(), 0.8)         // pocket
	for i := range 2 {
		l.put(ring(l.w*0.2+float64(i)*6, l.h-2, 1, 0.7), bagSteel(), 0.12) // buckles
	}
}

// clothes are what fills a bag: soft layers that overlap.
func (l *luggage) clothes() {
	for range 9 {
		x, y, a := l.place(4)
		w, h := 8+12*l.dice.Float64(), 6+8*l.dice.Float64()
		l.put(l.inside(turned(box(-w/2, -h/2, w/2, h/2, 2.5), x, y, a)), cloth(), 1.5+3*l.dice.Float64())
	}
}

// inside keeps an outline within the bag.
func (l *luggage) inside(outline []point) []point {
	for i, p := range outline {
		outline[i] = point{min(l.w-0.5, max(0.5, p.x)), min(l.h-0.5, max(0.5, p.y))}
	}
	return outline
}

func (l *luggage) things(kind string) {
	all := []func(){l.shoes, l.bottle, l.phone, l.laptop, l.charger, l.toilet, l.book}
	n := 3 + l.dice.IntN(3)
	if kind == Handbag {
		n, all = 2+l.dice.IntN(2), []func(){l.bottle, l.phone, l.charger, l.toilet, l.book}
	}
	for _, i := range l.dice.Perm(len(all))[:min(n, len(all))] {
		all[i]()
	}
}

func (l *luggage) shoes() {
	x, y, a := l.place(8)
	for i := range 2 {
		sole := turned([]point{{-13, -2}, {-11, -4}, {-3, -3}, {6, -4.5}, {12, -4}, {14, -1}, {13, 2.5}, {6, 4}, {-3, 2.5}, {-11, 3.5}, {-13, 2}}, x, y+9*float64(i), a)
		l.put(l.inside(sole), plastic(), 1.6)
		heel := turned(disc(-9, 0, 3, 3), x, y+9*float64(i), a)
		l.put(l.inside(heel), plastic(), 1.2)
	}
}

func (l *luggage) bottle() {
	x, y, a := l.place(7)
	long := 12 + 6*l.dice.Float64()
	m, body := plastic(), 0.2
	if l.dice.IntN(3) == 0 {
		m, body = bagGlass(), 0.5
	}
	l.put(l.inside(turned(box(-long/2, -3.2, long/2, 3.2, 1.2), x, y, a)), m, body)
	l.put(l.inside(turned(box(-long/2+0.3, -2.9, long/2-3, 2.9, 1), x, y, a)), bagWater(), 4.5)
	l.put(l.inside(turned(box(long/2, -1.2, long/2+2.5, 1.2, 0.3), x, y, a)), plastic(), 1.2)
}

func (l *luggage) phone() {
	x, y, a := l.place(6)
	l.put(l.inside(turned(box(-7.3, -3.5, 7.3, 3.5, 0.8), x, y, a)), bagGlass(), 0.25)
	l.put(l.inside(turned(box(-5.5, -2.6, 3, 2.6, 0.2), x, y, a)), cell(), 0.35)
	l.put(l.inside(turned(box(4, -2.8, 6.5, 2.8, 0.2), x, y, a)), bagCopper(), 0.04)
}

func (l *luggage) laptop() {
	x, y, _ := l.place(12)
	w, h := 31.0, 21.0
	if l.dice.IntN(2) == 0 {
		w, h = h, w
	}
	at := func(x0, y0, x1, y1, r float64) []point {
		return l.inside(turned(box(x0*w, y0*h, x1*w, y1*h, r), x, y, 0))
	}
	l.put(at(-0.5, -0.5, 0.5, 0.5, 0.8), bagAluminium(), 0.22)
	l.put(at(-0.48, -0.48, 0.48, 0.48, 0.2), bagGlass(), 0.12)
	for i := range 4 {
		f := float64(i) * 0.2
		l.put(at(-0.42+f, 0.14, -0.25+f, 0.42, 0.1), cell(), 0.4)
	}
	l.put(at(-0.4, -0.4, 0.15, -0.08, 0), bagCopper(), 0.05)
	l.put(at(-0.3, -0.32, -0.18, -0.18, 0), bagCopper(), 0.12)
}

func (l *luggage) charger() {
	x, y, a := l.place(6)
	l.put(l.inside(turned(box(-4, -2.5, 4, 2.5, 0.6), x, y, a)), plastic(), 1.2)
	l.put(l.inside(turned(box(-2.5, -1.5, 0.5, 1.5, 0.2), x, y, a)), bagCopper(), 0.25)
	for i := range 3 { // the cable, coiled
		r := 2.4 + 0.4*float64(i)
		l.put(l.inside(turned(ring(7, 0, r, r-0.16), x, y, a)), bagCopper(), 0.10)
	}
}

func (l *luggage) toilet() {
	x, y, _ := l.place(7)
	for i := range 4 {
		cx, cy := x+4*float64(i%2)-2, y+5*float64(i/2)-2.5
		l.put(l.inside(box(cx-1.5, cy-2.2, cx+1.5, cy+2.2, 0.6)), bagWater(), 2+l.dice.Float64())
	}
	l.put(l.inside(stripe(point{x - 5, y - 4}, point{x + 5, y - 5}, 0.8)), plastic(), 0.8)
}

func (l *luggage) book() {
	x, y, a := l.place(9)
	l.put(l.inside(turned(box(-10, -7, 10, 7, 0.2), x, y, a)), Material{"paper", 0.8, 0.176, 0.208}, 2+l.dice.Float64())
}

// threat hides a weapon and notes where it is.
func (l *luggage) threat(kind string) {
	var parts [][]point
	var thick []float64
	switch kind {
	case BagPistol:
		parts = [][]point{
			box(-9, -1.6, 9, 1.3, 0.3),                        // slide
			box(-8.5, 1.2, 6, 2.6, 0.3),                       // frame
			{{-8, 2.4}, {-4, 2.4}, {-5.4, 10.5}, {-9.6, 9.7}}, // grip
			{{-7.4, 3}, {-4.9, 3}, {-6.2, 9.8}, {-8.7, 9.3}},  // magazine
			ring(-1.4, 4, 2.1, 1.6),                           // trigger guard
		}
		thick = []float64{1.9, 1.2, 1.0, 1.1, 0.6}
	case BagKnife:
		parts = [][]point{{{-2, -1.6}, {11, -1.5}, {16, 0.6}, {11, 1.7}, {-2, 1.7}}, box(-13, -1.4, -2, 1.4, 0.6), box(-2.4, -2.2, -1.4, 2.2, 0.2)}
		thick = []float64{0.45, 0.35, 0.8}
	}
	l.soften()
	if parts == nil {
		return
	}
	x, y, a := l.place(min(12, l.h/2-1))
	l.hot = true
	b := image.Rectangle{Min: image.Pt(l.slab.w, l.slab.h)}
	for i, part := range parts {
		outline := l.inside(turned(part, x, y, a))
		l.put(outline, bagSteel(), thick[i])
		for _, p := range outline {
			px, py := int(l.x+p.x*bagCM), int(l.y+p.y*bagCM)
			b.Min.X, b.Min.Y = min(b.Min.X, px), min(b.Min.Y, py)
			b.Max.X, b.Max.Y = max(b.Max.X, px+1), max(b.Max.Y, py+1)
		}
	}
	l.boxes = append(l.boxes, b)
}

// soften blurs what is in the bag so far: soft goods are rounded and thin out
// towards their edges.
func (l *luggage) soften() {
	for range 3 {
		blurSlab(l.high, l.slab.w, l.slab.h)
		blurSlab(l.low, l.slab.w, l.slab.h)
	}
}

// blurSlab is a mean over edge pixels each way, rows then columns.
func blurSlab(t []float32, w, h int) {
	const edge = edges
	line := make([]float32, max(w, h))
	pass := func(n, start, step int) {
		for i := range n {
			line[i] = t[start+i*step]
		}
		for i := range n {
			var sum float32
			for k := i - edge; k <= i+edge; k++ {
				sum += line[min(n-1, max(0, k))]
			}
			t[start+i*step] = sum / (2*edge + 1)
		}
	}
	for y := range h {
		pass(w, y*w, 1)
	}
	for x := range w {
		pass(h, x, w)
	}
}
