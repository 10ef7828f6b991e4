package physics

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"

	"gatehouse/internal/vision/xray/matter"
)

// Point is a measured or computed thickness of a reference material.
type Point struct {
	Areal float64 `json:"areal"`         // g/cm2
	High  float64 `json:"high"`          // log attenuation
	Low   float64 `json:"low,omitempty"` // 0 where too little came through
}

// Curves are a scanner's reference materials: what is organic, inorganic or
// metal lies between them.
type Curves struct {
	Organic   []Point `json:"organic"`   // polyethylene
	Inorganic []Point `json:"inorganic"` // aluminium
	Metal     []Point `json:"metal"`     // steel
	Nominal   bool    `json:"nominal,omitempty"`
	KV        float64 `json:"kv,omitempty"` // tube voltage; 0 is taken for 160
}

// Names of the reference materials.
const (
	refOrganic   = "polyethylene"
	refInorganic = "aluminium"
	refMetal     = "steel"
)

// Places between the reference materials, 0 organic, 1 inorganic, 2 metal, at
// which a class ends: effective atomic numbers 10 and 20 by the cube that the
// photoelectric effect follows (6, 13 and 26 are the references').
const (
	organicTo   = 0.42
	inorganicTo = 1.38
)

// Nominal are curves for a tube voltage when the scanner has not been
// calibrated: three lines stand for each detector's spectrum.
func Nominal(kv float64) (*Curves, error) {
	if kv < 80 || kv > 320 {
		return nil, fmt.Errorf("there are no nominal material curves for %.0f kV", kv)
	}
	c := &Curves{Nominal: true, KV: kv}
	for name, to := range map[string]*[]Point{refOrganic: &c.Organic, refInorganic: &c.Inorganic, refMetal: &c.Metal} {
		m, _ := matter.Named(name)
		most := map[string]float64{refOrganic: 60, refInorganic: 40, refMetal: 35}[name]
		for k := 1; k <= 24; k++ {
			areal := most * math.Pow(float64(k)/24, 2)
			*to = append(*to, nominalPoint(kv, m, areal))
		}
	}
	return c, nil
}

// nominalPoint is a thickness before a detector pair whose spectra are three
// lines each.
func nominalPoint(kv float64, m matter.Material, areal float64) Point {
	through := func(lines [][2]float64) float64 {
		sum := 0.0
		for _, l := range lines {
			sum += l[1] * math.Exp(-m.Mu(l[0]*kv)*areal)
		}
		return -math.Log(sum)
	}
	return Point{
		Areal: areal,
		High:  through([][2]float64{{0.42, 0.35}, {0.60, 0.45}, {0.85, 0.20}}),
		Low:   through([][2]float64{{0.26, 0.45}, {0.38, 0.35}, {0.58, 0.20}}),
	}
}

// defaultKV is the tube voltage of most baggage scanners.
const defaultKV = 160

// thinHigh is the log attenuation of a layer that hardens the beam little.
const thinHigh = 0.3

// beyond tells how copper differs from steel: how far beyond it it lies, in
// units of the way from aluminium to steel, and by log attenuation how its areal
// density compares. No test object has a wedge of copper, so both come from
// published coefficients at the tube's voltage, and only as ratios, in which the
// spectrum counts little. The place is that of a thin layer: three lines harden
// otherwise than a spectrum does, whose ratio of differences hardly changes.
func beyond(kv float64) (place float64, ratio func(h float64) float64) {
	kv = cmp.Or(kv, defaultKV)
	curve := func(name string) (low, areal func(h float64) float64) {
		m, _ := matter.Named(name)
		var p []Point
		for k := 1; k <= 24; k++ {
			p = append(p, nominalPoint(kv, m, map[string]float64{refInorganic: 60, refMetal: 40, "copper": 40}[name]*math.Pow(float64(k)/24, 2)))
		}
		return smooth(p, func(q Point) float64 { return q.Low }), smooth(p, func(q Point) float64 { return q.Areal })
	}
	alLow, _ := curve(refInorganic)
	feLow, feAreal := curve(refMetal)
	cuLow, cuAreal := curve("copper")
	place = (cuLow(thinHigh) - feLow(thinHigh)) / (feLow(thinHigh) - alLow(thinHigh))
	return place, func(h float64) float64 {
		h = max(h, thinHigh)
		return cuAreal(h) / feAreal(h)
	}
}

// ErrCurves is wrapped by the errors of Check.
var ErrCurves = errors.New("the material curves are of no use")

// leastPoints is how many steps a curve must have.
const leastPoints = 4

// Check tells whether the curves can part materials.
func (c *Curves) Check() error {
	for name, p := range map[string][]Point{refOrganic: c.Organic, refInorganic: c.Inorganic, refMetal: c.Metal} {
		if n := len(measuredLow(p)); n < leastPoints {
			return fmt.Errorf("%w: %s has %d steps that both energies pass, at least %d are needed", ErrCurves, name, n, leastPoints)
		}
		for i, q := range p {
			if q.Areal <= 0 || q.High <= 0 || q.Low < 0 || i > 0 && q.High <= p[i-1].High {
				return fmt.Errorf("%w: %s does not attenuate more from step to step", ErrCurves, name)
			}
		}
	}
	t := c.table(8)
	apart := 0
	for i := 10; i < len(t.low[0]) && float64(i)*tableStep < 3; i++ {
		if t.low[0][i] < t.low[1][i] && t.low[1][i] < t.low[2][i] {
			apart++
		}
	}
	if apart < 50 {
		return fmt.Errorf("%w: the two energies do not tell the materials apart", ErrCurves)
	}
	return nil
}

// tableStep is the log attenuation between entries of a table.
const tableStep = 0.02

// table is the curves by the high energy's log attenuation: the low energy's
// and the areal density of each material.
type table struct {
	low, areal [3][]float32
	most       float64
	// place and ratio of copper beyond steel; see beyond.
	place float64
	ratio []float32
}

func (c *Curves) table(most float64) table {
	t := table{most: most}
	for k, p := range [][]Point{c.Organic, c.Inorganic, c.Metal} {
		p = slices.SortedFunc(slices.Values(p), func(a, b Point) int { return cmp.Compare(a.High, b.High) })
		n := int(most/tableStep) + 2
		t.low[k], t.areal[k] = make([]float32, n), make([]float32, n)
		low, areal := smooth(measuredLow(p), func(q Point) float64 { return q.Low }), smooth(p, func(q Point) float64 { return q.Areal })
		for i := range n {
			h := float64(i) * tableStep
			t.low[k][i], t.areal[k][i] = float32(low(h)), float32(areal(h))
		}
	}
	place, ratio := beyond(c.KV)
	t.place, t.ratio = max(place, 0.02), make([]float32, len(t.low[0]))
	for i := range t.ratio {
		t.ratio[i] = float32(ratio(float64(i) * tableStep))
	}
	return t
}

// measuredLow are the points at which the low energy was measured.
func measuredLow(p []Point) []Point {
	return slices.DeleteFunc(slices.Clone(p), func(q Point) bool { return q.Low <= 0 })
}

// smooth is a monotone curve through the origin and the points, by cubics with
// the slopes of Fritsch and Carlson (SIAM J. Numer. Anal. 17, 1980). Beyond the
// last point it goes on straight.
func smooth(p []Point, value func(Point) float64) func(h float64) float64 {
	n := len(p) + 1
	x, y := make([]float64, n), make([]float64, n)
	for i, q := range p {
		x[i+1], y[i+1] = q.High, value(q)
	}
	d := make([]float64, n-1) // of the chords
	for i := range d {
		d[i] = (y[i+1] - y[i]) / (x[i+1] - x[i])
	}
	m := make([]float64, n) // at the points
	m[0], m[n-1] = d[0], d[n-2]
	if n > 2 {
		// The curve bends most at its beginning: half the change of the chords.
		m[0] = max(0, d[0]+(d[0]-d[1])*(x[1]-x[0])/(x[2]-x[0]))
	}
	for i := 1; i < n-1; i++ {
		if d[i-1] > 0 && d[i] > 0 {
			w1, w2 := 2*(x[i+1]-x[i])+(x[i]-x[i-1]), (x[i+1]-x[i])+2*(x[i]-x[i-1])
			m[i] = (w1 + w2) / (w1/d[i-1] + w2/d[i])
		}
	}
	return func(h float64) float64 {
		i := 0
		for i < n-2 && h > x[i+1] {
			i++
		}
		w := x[i+1] - x[i]
		t := (h - x[i]) / w
		if t > 1 {
			return y[n-1] + (h-x[n-1])*m[n-1]
		}
		return y[i]*(1+2*t)*(1-t)*(1-t) + m[i]*w*t*(1-t)*(1-t) + y[i+1]*t*t*(3-2*t) + m[i+1]*w*t*t*(t-1)
	}
}
