package physics

import (
	"cmp"
	"errors"
	"fmt"
	"image"
	"math"
	"slices"

	"gatehouse/internal/vision/xray/matter"
)

// TestObject is the body that a scanner is checked with, as it lies in the scan.
type TestObject struct {
	Name  string `json:"name"`
	Steps []Step `json:"steps"`
	// Opaque is a place behind which nothing can come through, such as 20 mm of
	// lead; what is measured there is scattered. Edge is a place across which a
	// straight edge of metal runs upright.
	Opaque *[4]int `json:"opaque,omitempty"` // x, y, width, height in pixels
	Edge   *[4]int `json:"edge,omitempty"`
	MM     float64 `json:"mm_per_pixel"`
}

// Step is a place of even thickness.
type Step struct {
	Material string  `json:"material"`
	MM       float64 `json:"mm"`
	Box      [4]int  `json:"box"` // x, y, width, height in pixels
}

// ErrTestObject is wrapped by the errors of a test-object scan.
var ErrTestObject = errors.New("the test-object scan is of no use")

// place is the part of a box that lies in the scan, a quarter off each side.
func (v View) place(b [4]int) (image.Rectangle, error) {
	r := image.Rect(b[0]+b[2]/4, b[1]+b[3]/4, b[0]+b[2]-b[2]/4, b[1]+b[3]-b[3]/4)
	if !r.In(image.Rect(0, 0, v.W, v.H)) || r.Dx() < 2 || r.Dy() < 2 {
		return r, fmt.Errorf("%w: the place %v lies not in the scan of %dx%d pixels", ErrTestObject, b, v.W, v.H)
	}
	return r, nil
}

// stats are the mean and the standard deviation within a place.
func stats(t []float32, w int, r image.Rectangle) (mean, deviation float64) {
	var sum, square float64
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for _, v := range t[y*w+r.Min.X : y*w+r.Max.X] {
			sum += float64(v)
			square += float64(v) * float64(v)
		}
	}
	n := float64(r.Dx() * r.Dy())
	mean = sum / n
	return mean, math.Sqrt(max(0, square/n-mean*mean))
}

// Measure makes a scanner's setup of a scan of the test object: curves, and the
// share of scattered radiation where the object has an opaque place.
func Measure(l Levels, o TestObject) (Setup, error) {
	if l.Low == nil {
		return Setup{}, fmt.Errorf("%w: it has one energy, and materials need two", ErrTestObject)
	}
	s := Setup{}
	raw := Calibrate(l, s)
	if o.Opaque != nil {
		r, err := raw.place(*o.Opaque)
		if err != nil {
			return s, err
		}
		// The whole place but its rim: how the scattered share falls off within it
		// tells the reach.
		b := *o.Opaque
		s.Scatter = raw.scatter(r.Union(image.Rect(b[0]+3, b[1]+3, b[0]+b[2]-3, b[1]+b[3]-3)))
	}
	v := Calibrate(l, s)
	c := &Curves{}
	for _, step := range o.Steps {
		to := map[string]*[]Point{refOrganic: &c.Organic, refInorganic: &c.Inorganic, refMetal: &c.Metal}[step.Material]
		if to == nil {
			continue
		}
		m, _ := matter.Named(step.Material)
		r, err := v.place(step.Box)
		if err != nil {
			return s, err
		}
		high, _ := stats(v.High, v.W, r)
		low, _ := stats(v.Low, v.W, r)
		// What is scattered must not pass for what came through.
		if high <= max(v.Floor*2, 6*v.doubt(v.doubtHigh, r)) {
			continue
		}
		p := Point{Areal: step.MM / 10 * m.Density, High: -math.Log(high)}
		if low > max(v.Floor*2, 6*v.doubt(v.doubtLow, r)) {
			p.Low = -math.Log(low)
		}
		*to = append(*to, p)
	}
	for _, p := range []*[]Point{&c.Organic, &c.Inorganic, &c.Metal} {
		slices.SortFunc(*p, func(a, b Point) int { return cmp.Compare(a.Areal, b.Areal) })
	}
	if err := c.Check(); err != nil {
		return s, fmt.Errorf("%w: %w", ErrTestObject, err)
	}
	s.Curves = c
	return s, nil
}

// doubt is how well scattered radiation is known at a place.
func (v View) doubt(of []float32, r image.Rectangle) float64 {
	if of == nil {
		return 0
	}
	return float64(of[(r.Min.Y+r.Dy()/2)*v.W+r.Min.X+r.Dx()/2])
}

// mostScatter is the largest share that is believed of one window.
const mostScatter = 0.1

// reaches are the windows of which scattered radiation is put together.
func reaches() []int { return []int{10, 14, 20, 28, 40, 56, 80} }

// scatter is the one or two windows, with their shares, that explain best, by
// least squares, what is measured behind something opaque. More windows than two
// cannot be told apart there: they then add up to too much elsewhere.
func (v View) scatter(r image.Rectangle) []Scatter {
	var around [][]float32
	for _, reach := range reaches() {
		around = append(around, wide(v.High, v.W, v.H, reach))
	}
	n := len(around)
	aa, ab := make([][]float64, n), make([]float64, n)
	for i := range aa {
		aa[i] = make([]float64, n)
	}
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for x := r.Min.X; x < r.Max.X; x++ {
			p := y*v.W + x
			for i := range n {
				ab[i] += float64(around[i][p]) * float64(v.High[p])
				for k := range n {
					aa[i][k] += float64(around[i][p]) * float64(around[k][p])
				}
			}
		}
	}
	var best []Scatter
	explained := 0.0 // of the sum of squares
	try := func(parts ...Scatter) {
		gain := 0.0
		for _, p := range parts {
			if p.Share <= 0 || p.Share > mostScatter {
				return
			}
			i := slices.Index(reaches(), p.Reach)
			gain += 2 * p.Share * ab[i]
			for _, q := range parts {
				gain -= p.Share * q.Share * aa[i][slices.Index(reaches(), q.Reach)]
			}
		}
		if gain > explained {
			best, explained = parts, gain
		}
	}
	for i, reach := range reaches() {
		try(Scatter{ab[i] / aa[i][i], reach})
		for k := range i {
			d := aa[i][i]*aa[k][k] - aa[i][k]*aa[i][k]
			try(Scatter{(ab[k]*aa[i][i] - ab[i]*aa[i][k]) / d, reaches()[k]}, Scatter{(ab[i]*aa[k][k] - ab[k]*aa[i][k]) / d, reach})
		}
	}
	return best
}

// Quality is how well a scanner sees, by a scan of the test object; the
// measures are in the spirit of IEC 62523 and ANSI N42.46, not those tests.
type Quality struct {
	AirNoise float64 `json:"air_noise"` // share of the open beam
	// PenetrationMM is the thickest step of steel that stands out from the one
	// before it by more than three times the noise of a pixel.
	PenetrationMM float64 `json:"penetration_mm"`
	// ContrastPercent is the least change of thickness seen at a step of steel,
	// three times the noise, percent of the step; by step.
	ContrastPercent map[string]float64 `json:"contrast_percent"`
	// ResolutionMM is the width over which an edge goes from a tenth to nine
	// tenths; 0 without an edge.
	ResolutionMM float64 `json:"resolution_mm,omitempty"`
}

// Assess measures the quality.
func Assess(l Levels, o TestObject, s Setup) (Quality, error) {
	v := Calibrate(l, s)
	q := Quality{AirNoise: v.Noise, ContrastPercent: map[string]float64{}}
	var steel []Step
	for _, step := range o.Steps {
		if step.Material == refMetal {
			steel = append(steel, step)
		}
	}
	slices.SortFunc(steel, func(a, b Step) int { return cmp.Compare(a.MM, b.MM) })
	if len(steel) < 2 {
		return q, fmt.Errorf("%w: it has no steps of steel", ErrTestObject)
	}
	for i := range len(steel) - 1 {
		a, err := v.place(steel[i].Box)
		if err != nil {
			return q, err
		}
		b, err := v.place(steel[i+1].Box)
		if err != nil {
			return q, err
		}
		thin, noise := stats(v.High, v.W, a)
		thick, _ := stats(v.High, v.W, b)
		difference := thin - thick
		if difference <= 3*noise {
			break
		}
		q.PenetrationMM = steel[i+1].MM
		perMM := difference / (steel[i+1].MM - steel[i].MM)
		q.ContrastPercent[fmt.Sprintf("%g mm", steel[i].MM)] = 100 * 3 * noise / perMM / steel[i].MM
	}
	if o.Edge != nil && o.MM > 0 {
		width, err := v.edge(*o.Edge)
		if err != nil {
			return q, err
		}
		q.ResolutionMM = width * o.MM
	}
	return q, nil
}

// edge is the distance in pixels from a tenth to nine tenths of an edge.
func (v View) edge(b [4]int) (float64, error) {
	r := image.Rect(b[0], b[1], b[0]+b[2], b[1]+b[3])
	if !r.In(image.Rect(0, 0, v.W, v.H)) || r.Dx() < 8 {
		return 0, fmt.Errorf("%w: the edge %v lies not in the scan", ErrTestObject, b)
	}
	profile := make([]float64, r.Dx())
	for x := range profile {
		profile[x], _ = stats(v.High, v.W, image.Rect(r.Min.X+x, r.Min.Y, r.Min.X+x+1, r.Max.Y))
	}
	if profile[0] > profile[len(profile)-1] {
		slices.Reverse(profile)
	}
	lo, hi := profile[0], profile[len(profile)-1]
	cross := func(level float64) float64 {
		for x := 1; x < len(profile); x++ {
			if profile[x] >= level {
				return float64(x-1) + (level-profile[x-1])/max(1e-9, profile[x]-profile[x-1])
			}
		}
		return float64(len(profile))
	}
	if hi-lo < 0.1 {
		return 0, fmt.Errorf("%w: there is no edge at %v", ErrTestObject, b)
	}
	return cross(lo+0.9*(hi-lo)) - cross(lo+0.1*(hi-lo)), nil
}
