package physics

import (
	"math"
	"runtime"
	"sync"

	"gatehouse/internal/vision/xray/matter"
)

// Figures of the material decision.
const (
	leastSomething = 0.03 // log attenuation from which there is something
	smoothReach    = 3    // pixels around one that are averaged with it when alike
	darkReach      = 5    // the same where less than darkFrom comes through
	darkFrom       = 0.03
	blackReach     = 9 // and where less than blackFrom does
	blackFrom      = 6e-4
	alikeSigmas    = 3.0
	alikeShare     = 0.012 // of the transmission: what calibration leaves
	sureTo         = 4.2   // log attenuation to which the ratio tells metals apart
	thinLayer      = 0.05  // log attenuation between organic and metal below which the class is unknown
)

// Materials is the class of every pixel and the mass before it.
type Materials struct {
	Class  []matter.Class
	Areal  []float32                // g/cm2; without curves as if all were organic... 0 where unknown
	Shares map[matter.Class]float64 // of what is not air
}

// Materials judges every pixel. Without a second energy or curves only air,
// opaque and unknown are told.
func (v View) Materials() Materials {
	m := Materials{Class: make([]matter.Class, len(v.High)), Areal: make([]float32, len(v.High)), Shares: map[matter.Class]float64{}}
	limit := v.Limit()
	var t table
	two := v.Low != nil && v.setup.Curves != nil
	if v.setup.Curves != nil {
		t = v.setup.Curves.table(limit + 1)
	}
	bands := min(runtime.GOMAXPROCS(0), 4)
	var wg sync.WaitGroup
	for b := range bands {
		wg.Go(func() {
			for y := v.H * b / bands; y < v.H*(b+1)/bands; y++ {
				for x := range v.W {
					i := y*v.W + x
					if !two {
						m.Class[i], m.Areal[i] = v.single(i, t)
						continue
					}
					m.Class[i], m.Areal[i] = v.pixel(x, y, limit, t)
				}
			}
		})
	}
	wg.Wait()
	n := 0
	for _, c := range m.Class {
		if c != matter.Air {
			n++
			m.Shares[c]++
		}
	}
	for c := range m.Shares {
		m.Shares[c] /= float64(n)
	}
	return m
}

// single judges a pixel by one energy; mass is as of steel when curves exist.
func (v View) single(i int, t table) (matter.Class, float32) {
	h := v.Attenuation(v.High[i])
	switch {
	case h < leastSomething:
		return matter.Air, 0
	case h >= v.Limit():
		return matter.Opaque, 0
	}
	if len(t.areal[2]) == 0 {
		return matter.Unknown, 0
	}
	return matter.Unknown, t.areal[2][min(int(h/tableStep), len(t.areal[2])-1)]
}

// pixel judges a pixel by both energies, averaged with what is alike around it.
func (v View) pixel(x, y int, limit float64, t table) (matter.Class, float32) {
	i := y*v.W + x
	here := float64(v.High[i])
	if here > 0.999 && float64(v.Low[i]) > 0.99 {
		return matter.Air, 0
	}
	photons := 1 / max(1e-12, v.Noise*v.Noise)
	tol := float32(alikeSigmas*math.Sqrt(max(here, 0)/photons+v.Floor*v.Floor/4) + alikeShare*here)
	var sumH, sumL float32
	n := 0
	mid := v.High[i]
	reach := smoothReach
	switch {
	case here < blackFrom:
		reach = blackReach
	case here < darkFrom:
		reach = darkReach
	}
	from, to := max(0, x-reach), min(v.W, x+reach+1)
	for row := max(0, y-reach) * v.W; row <= min(v.H-1, y+reach)*v.W; row += v.W {
		high := v.High[row+from : row+to]
		low := v.Low[row+from : row+to][:len(high)] // spares a check a pixel
		for k, t := range high {
			if d := t - mid; d < tol && d > -tol {
				sumH += t
				sumL += low[k]
				n++
			}
		}
	}
	h := -math.Log(max(v.Floor/4, float64(sumH)/float64(n)))
	low := max(v.Floor/4, float64(sumL)/float64(n))
	if h < leastSomething {
		return matter.Air, 0
	}
	if h >= limit || v.doubtHigh != nil && math.Exp(-h) < float64(v.doubtHigh[i]) {
		return matter.Opaque, 0
	}
	if doubt := v.lowDoubt(i, n, photons); low < doubt {
		return t.atLeast(h, -math.Log(doubt))
	}
	return t.judge(h, -math.Log(low))
}

// lowDoubt is the transmission at the low energy that could as well be none.
func (v View) lowDoubt(i, n int, photons float64) float64 {
	doubt := v.Floor / 2
	if v.doubtLow != nil {
		doubt = max(doubt, float64(v.doubtLow[i]))
	}
	return max(doubt, 4/(photons*float64(n)))
}

// atLeast judges where the low energy attenuates by l or more. What lets that
// little through is metal if light materials would let more through.
func (t table) atLeast(h, l float64) (matter.Class, float32) {
	i := min(int(h/tableStep), len(t.low[0])-1)
	if l > float64(t.low[1][i]) {
		return matter.Metal, t.areal[2][i] * float32(between(float64(t.ratio[i])))
	}
	return matter.Unknown, t.areal[2][i]
}

// between is the factor between 1 and ratio whose larger relative error is the
// least, whichever of the two is right.
func between(ratio float64) float64 { return 2 * ratio / (1 + ratio) }

// judge places a pair of attenuations between the curves.
func (t table) judge(h, l float64) (matter.Class, float32) {
	f := h / tableStep
	i := min(int(f), len(t.low[0])-2)
	k := float32(f - float64(i))
	at := func(v []float32) float64 { return float64(v[i]*(1-k) + v[i+1]*k) }
	organic, inorganic, metal := at(t.low[0]), at(t.low[1]), at(t.low[2])
	if !(organic < inorganic && inorganic < metal) || metal-organic < thinLayer*min(1, h) {
		return matter.Unknown, float32(at(t.areal[1]))
	}
	place := (l - organic) / (inorganic - organic)
	if l > inorganic {
		place = 1 + (l-inorganic)/(metal-inorganic)
	}
	// Mass between organic and inorganic changes evenly; from aluminium to steel,
	// and from there to copper, it falls by a factor.
	p := min(max(place, 0), 1)
	areal := at(t.areal[0])*(1-p) + at(t.areal[1])*p
	if place > 1 {
		ratio := at(t.areal[2]) / max(1e-9, at(t.areal[1]))
		areal = at(t.areal[1]) * math.Pow(ratio, min(place, 2)-1)
		switch {
		case h >= sureTo && place >= inorganicTo:
			// Steel or copper, which differ by a sixth.
			areal = at(t.areal[2]) * between(at(t.ratio))
		case place > 2:
			areal *= math.Pow(at(t.ratio), min(1, (place-2)/t.place))
		}
	}
	switch {
	case place < organicTo:
		return matter.Organic, float32(areal)
	case place < inorganicTo:
		return matter.Inorganic, float32(areal)
	}
	return matter.Metal, float32(areal)
}

// MassKG is the mass of what is not air, for pixels of mm in the object's plane.
func (m Materials) MassKG(mm float64) float64 {
	sum := 0.0
	for _, a := range m.Areal {
		sum += float64(a)
	}
	return sum * (mm / 10) * (mm / 10) / 1000
}

// SteelMM is the thickness of steel that attenuates as much, or 0 without curves.
func (v View) SteelMM(attenuation float64) float64 {
	if v.setup.Curves == nil {
		return 0
	}
	steel, _ := matter.Named(refMetal)
	areal := smooth(v.setup.Curves.Metal, func(q Point) float64 { return q.Areal })
	return areal(attenuation) / steel.Density * 10
}

// PenetrationMM is the steel behind which a signal is left, or 0 without curves.
func (v View) PenetrationMM() float64 { return v.SteelMM(v.Limit()) }
