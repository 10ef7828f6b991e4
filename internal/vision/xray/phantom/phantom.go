// Package phantom renders dual-energy X-ray scans of bodies of known material
// and thickness, to measure the analysis on. It shares the attenuation
// coefficients with the analysis and nothing else: the spectrum is continuous,
// the detectors integrate energy, radiation scatters, and photons are counted.
package phantom

import (
	"math"
	"math/rand/v2"

	"gatehouse/internal/vision/xray/matter"
	"gatehouse/internal/vision/xray/scantest"
)

// Scanner is what a scan is taken with.
type Scanner struct {
	KV       float64 // end point of the tube
	FilterAl float64 // mm in the beam
	FilterCu float64 // mm between the two detectors
	Thin     float64 // keV at which the front detector stops 63 %
	Thick    float64 // the same for the rear detector
	Photons  float64 // per pixel in the open beam and detector
	Read     float64 // electronic noise, share of the open beam
	Scatter  float64 // share of the mean signal around a place that is added to it
	Blur     float64 // of the detector, pixels (standard deviation)
	Gain     float64 // spread of the channels' gain
	Flicker  float64 // spread of the dose from line to line
	Air      float64 // level of the open beam, 0..1
}

// Scanners are several of different make. Scatter is that of a fan beam on a
// collimated line of detectors: behind 30 mm of steel it is about as much as
// what came through.
func Scanners() map[string]Scanner {
	return map[string]Scanner{
		"140kV": {140, 2, 0.4, 42, 95, 6e5, 1.5e-5, 0.0004, 0.5, 0.01, 0.004, 0.90},
		"160kV": {160, 3, 0.6, 45, 105, 1e6, 1e-5, 0.0006, 0.6, 0.02, 0.006, 0.94},
		"180kV": {180, 1.5, 0.8, 50, 120, 1.5e6, 1e-5, 0.0009, 0.4, 0.01, 0.003, 0.88},
	}
}

// Scene is areal densities in g/cm2 by material, pixel by pixel.
type Scene struct {
	W, H   int
	Layers []Layer
}

// Layer is one material.
type Layer struct {
	Material matter.Material
	Areal    []float32
}

// NewScene is open air.
func NewScene(w, h int) *Scene { return &Scene{W: w, H: h} }

// Put adds thickness in mm where the function says so; outside it is negative
// or zero.
func (s *Scene) Put(m matter.Material, mm func(x, y float64) float64) {
	var layer []float32
	for _, l := range s.Layers {
		if l.Material.Name == m.Name {
			layer = l.Areal
		}
	}
	if layer == nil {
		layer = make([]float32, s.W*s.H)
		s.Layers = append(s.Layers, Layer{m, layer})
	}
	for i := range layer {
		if t := mm(float64(i%s.W)+0.5, float64(i/s.W)+0.5); t > 0 {
			layer[i] += float32(t / 10 * m.Density)
		}
	}
}

// Box is a plate of even thickness.
func Box(x0, y0, x1, y1, mm float64) func(x, y float64) float64 {
	return func(x, y float64) float64 {
		if x < x0 || x >= x1 || y < y0 || y >= y1 {
			return 0
		}
		return mm
	}
}

// Ball is a ball, its thickness scaled to mm in the middle.
func Ball(cx, cy, r, mm float64) func(x, y float64) float64 {
	return func(x, y float64) float64 {
		d := 1 - ((x-cx)*(x-cx)+(y-cy)*(y-cy))/(r*r)
		if d <= 0 {
			return 0
		}
		return mm * math.Sqrt(d)
	}
}

// line is one energy of a detector's response.
type line struct{ keV, weight float64 }

// responses are the two detectors' energy-weighted responses to the open beam.
func (s Scanner) responses() (high, low []line) {
	al, cu := mustNamed("aluminium"), mustNamed("copper")
	var sumHigh, sumLow float64
	for e := 21.0; e < s.KV; e += 3 {
		flux := s.KV/e - 1 // Kramers
		flux *= math.Exp(-al.Mu(e) * al.Density * s.FilterAl / 10)
		stop := func(at float64) float64 { return 1 - math.Exp(-math.Pow(at/e, 2.7)) }
		front := flux * stop(s.Thin)
		rear := (flux - front) * math.Exp(-cu.Mu(e)*cu.Density*s.FilterCu/10) * stop(s.Thick)
		low, high = append(low, line{e, front * e}), append(high, line{e, rear * e})
		sumLow, sumHigh = sumLow+front*e, sumHigh+rear*e
	}
	for i := range low {
		low[i].weight /= sumLow
		high[i].weight /= sumHigh
	}
	return high, low
}

func mustNamed(name string) matter.Material {
	m, ok := matter.Named(name)
	if !ok {
		panic("phantom: no material " + name)
	}
	return m
}

// Expose takes the scan. The planes are levels 0..1 with the open beam at Air.
func (s Scanner) Expose(scene *Scene, seed uint64) (high, low scantest.Plane) {
	dice := rand.New(rand.NewPCG(seed, 0x7068616e746f6d))
	rh, rl := s.responses()
	dose := make([]float64, scene.W)
	for x := range dose {
		dose[x] = 1 + s.Flicker*dice.NormFloat64()
	}
	return s.detect(scene, rh, dose, dice), s.detect(scene, rl, dose, dice)
}

func (s Scanner) detect(scene *Scene, response []line, dose []float64, dice *rand.Rand) scantest.Plane {
	mus := make([][]float64, len(response))
	for i, r := range response {
		for _, l := range scene.Layers {
			mus[i] = append(mus[i], l.Material.Mu(r.keV))
		}
	}
	t := make([]float32, scene.W*scene.H)
	memory := map[[4]float32]float32{} // plates have few thicknesses
	for p := range t {
		var key [4]float32
		for k, l := range scene.Layers {
			if k < len(key) {
				key[k] = l.Areal[p]
			}
		}
		if v, ok := memory[key]; ok && len(scene.Layers) <= len(key) {
			t[p] = v
			continue
		}
		sum := 0.0
		for i, r := range response {
			a := 0.0
			for k, l := range scene.Layers {
				a += mus[i][k] * float64(l.Areal[p])
			}
			sum += r.weight * math.Exp(-a)
		}
		t[p] = float32(sum)
		memory[key] = t[p]
	}
	blur(t, scene.W, scene.H, s.Blur)
	around := append([]float32(nil), t...)
	blur(around, scene.W, scene.H, 40)
	gain := make([]float64, scene.H)
	for y := range gain {
		gain[y] = 1 + s.Gain*dice.NormFloat64()
	}
	out := scantest.Plane{W: scene.W, H: scene.H, V: t}
	for p := range t {
		v := (float64(t[p]) + s.Scatter*float64(around[p])) / (1 + s.Scatter) * dose[p%scene.W]
		v += dice.NormFloat64() * math.Sqrt(v/s.Photons+s.Read*s.Read)
		t[p] = float32(min(1, max(0, v*gain[p/scene.W]*s.Air)))
	}
	return out
}

// blur is a Gaussian of the standard deviation sigma in pixels, by both axes.
func blur(v []float32, w, h int, sigma float64) {
	if sigma <= 0 {
		return
	}
	n := int(3*sigma + 1)
	kernel := make([]float32, n+1)
	total := float32(0)
	for i := range kernel {
		kernel[i] = float32(math.Exp(-float64(i*i) / (2 * sigma * sigma)))
		total += kernel[i]
		if i > 0 {
			total += kernel[i]
		}
	}
	from := make([]float32, max(w, h))
	pass := func(count, start, step int) {
		for i := range count {
			from[i] = v[start+i*step]
		}
		for i := range count {
			sum := kernel[0] * from[i]
			for k := 1; k <= n; k++ {
				sum += kernel[k] * (from[max(0, i-k)] + from[min(count-1, i+k)])
			}
			v[start+i*step] = sum / total
		}
	}
	for y := range h {
		pass(w, y*w, 1)
	}
	for x := range w {
		pass(h, x, w)
	}
}

// Through is the transmission of a material in the open geometry, without
// scatter and noise, at the high or the low energy.
func (s Scanner) Through(m matter.Material, mm float64, lowEnergy bool) float64 {
	high, low := s.responses()
	if lowEnergy {
		high = low
	}
	sum := 0.0
	for _, r := range high {
		sum += r.weight * math.Exp(-m.Mu(r.keV)*m.Density*mm/10)
	}
	return sum
}

// Equivalent is the thickness in mm of a material that lets as much of the
// high energy through as mm of steel.
func (s Scanner) Equivalent(m matter.Material, steelMM float64) float64 {
	want := s.Through(mustNamed("steel"), steelMM, false)
	lo, hi := 0.0, 2000.0
	for range 60 {
		mid := (lo + hi) / 2
		if s.Through(m, mid, false) > want {
			lo = mid
		} else {
			hi = mid
		}
	}
	return lo
}

// Wedge is a test object of the reference materials, as the calibration wants
// it, with the places of its steps.
func Wedge() (*Scene, map[string][]float64, [][4]int) {
	steps := map[string][]float64{
		"polyethylene": {5, 10, 20, 40, 70, 110, 160, 220, 290, 360, 440},
		"aluminium":    {1, 3, 7, 14, 25, 40, 58, 80, 105, 130, 160},
		"steel":        {0.3, 0.7, 1.5, 3, 6, 10, 15, 20, 25, 30, 36},
	}
	s := NewScene(40*13, 300)
	var places [][4]int
	for row, name := range []string{"polyethylene", "aluminium", "steel"} {
		m := mustNamed(name)
		for k, mm := range steps[name] {
			x, y := 20+k*40, 20+row*80
			s.Put(m, Box(float64(x), float64(y), float64(x+32), float64(y+60), mm))
			places = append(places, [4]int{x, y, 32, 60})
		}
	}
	s.Put(mustNamed("lead"), Box(20+11*40, 20, 20+11*40+40, 260, 30))
	return s, steps, places
}
