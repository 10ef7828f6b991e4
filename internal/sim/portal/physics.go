package portal

import (
	"math"
	"math/rand/v2"
)

const (
	detectors         = 4
	perSecond         = 5  // gamma records in a second, one every 200 ms
	backgroundAverage = 20 // seconds over which the monitor averages its background
)

// rates are counts per second of each detector.
type rates [detectors]float64

func (r rates) sum() float64 {
	var s float64
	for _, v := range r {
		s += v
	}
	return s
}

func (r rates) times(f float64) rates {
	for i := range r {
		r[i] *= f
	}
	return r
}

// Hump is one Gaussian bump of a vehicle's signature.
type Hump struct {
	At    float64 // place of its middle in the vehicle, 0 front .. 1 end
	Width float64 // standard deviation as a share of the vehicle
	High  float64 // height relative to the other humps
}

// course is the signature's height at each of n samples, scaled so that the
// largest mean over window samples is 1. It is all zero without humps.
func course(humps []Hump, n, window int) []float64 {
	c := make([]float64, n)
	for i := range c {
		x := (float64(i) + 0.5) / float64(n)
		for _, h := range humps {
			d := (x - h.At) / h.Width
			c[i] += h.High * math.Exp(-d*d/2)
		}
	}
	var peak, sum float64
	for i := range c {
		sum += c[i]
		if i >= window {
			sum -= c[i-window]
		}
		peak = max(peak, sum/float64(min(window, n)))
	}
	if peak > 0 {
		for i := range c {
			c[i] /= peak
		}
	}
	return c
}

// shade is how far the vehicle's body has come between the detectors and the
// ground at sample i of n: up over the first seventh, down over the last.
func shade(i, n int) float64 {
	x := (float64(i) + 0.5) / float64(n)
	return min(1, 7*min(x, 1-x))
}

// poisson draws a Poisson number. Above a mean of 60 the normal
// approximation's error is far below what four digits on a wire can show.
func poisson(r *rand.Rand, mean float64) int {
	if mean <= 0 {
		return 0
	}
	if mean > 60 {
		return max(0, int(math.Round(mean+math.Sqrt(mean)*r.NormFloat64())))
	}
	limit, p, k := math.Exp(-mean), r.Float64(), 0
	for p > limit {
		p *= r.Float64()
		k++
	}
	return k
}
