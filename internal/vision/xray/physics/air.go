package physics

import (
	"math"
	"slices"
	"sync"
)

// Levels are the pixels of a scan, 0..1 of the range, row by row. Rows are
// detector channels and columns are lines in time.
type Levels struct {
	W, H  int
	High  []float32
	Low   []float32 // nil with one energy
	Steps float64   // levels that the file can tell apart: 256 or 65536
}

// Setup is what is known of a scanner.
type Setup struct {
	AirHigh, AirLow float64   // level of the open beam, 0..1; 0: taken from the scan
	AirFrom         string    // where AirHigh is from
	GainHigh        []float32 // of each channel, relative to AirHigh; nil: taken from the scan
	GainLow         []float32
	// Scatter is radiation from around: shares of the means over windows.
	Scatter []Scatter
	Curves  *Curves // of materials; nil: none
}

// Scatter is a share of the mean signal over a window, three times averaged,
// that is added to every pixel.
type Scatter struct {
	Share float64 `json:"share"`
	Reach int     `json:"reach"` // radius of the window in pixels
}

// View is a calibrated scan.
type View struct {
	W, H    int
	High    []float32 // transmission, 1 is open beam
	Low     []float32 // nil with one energy
	Air     float64   // level of the open beam at the high energy
	AirFrom string    // "sidecar", "calibration" or "scan"
	Noise   float64   // standard deviation of the open beam at the high energy
	Floor   float64   // transmission below which nothing is known
	setup   Setup
	// doubt is how well the scattered radiation at a place is known, in
	// transmission; nil when none was taken out.
	doubtHigh, doubtLow []float32
}

// airFrom is the share of the open beam from which a pixel may be open beam
// itself; channels and lines differ by less.
const airFrom = 0.9

// Calibrate divides the open beam out, channel by channel and line by line
// where the scan shows it.
func Calibrate(l Levels, s Setup) View {
	v := View{W: l.W, H: l.H, AirFrom: s.AirFrom, setup: s}
	var wg sync.WaitGroup // the energies know nothing of each other
	if l.Low != nil {
		wg.Go(func() {
			v.Low, _, _ = flatten(l.Low, l.W, l.H, s.AirLow, s.GainLow)
			if len(s.Scatter) > 0 {
				v.doubtLow = unscatter(v.Low, v.W, v.H, s.Scatter)
			}
		})
	}
	v.High, v.Air, v.Noise = flatten(l.High, l.W, l.H, s.AirHigh, s.GainHigh)
	if s.AirHigh == 0 || v.AirFrom == "" {
		v.AirFrom = "scan"
	}
	// Two steps of the converter, or the photon noise of what is left.
	v.Floor = max(2/l.Steps/v.Air, 4*v.Noise*v.Noise)
	if low := bottom(l.High, l.Steps); low > 0 {
		v.Floor = max(v.Floor, (low+1.5/l.Steps)/v.Air)
	}
	if len(s.Scatter) > 0 {
		v.doubtHigh = unscatter(v.High, v.W, v.H, s.Scatter)
	}
	wg.Wait()
	return v
}

// piled is the share of pixels at the lowest level from which that level is the
// end of the scale and not a measurement.
const piled = 0.002

// bottom is the level at which the scan is cut off below, or 0: displays and
// 8-bit files often stop above zero.
func bottom(level []float32, steps float64) float64 {
	lowest := slices.Min(level)
	n := 0
	for _, v := range level {
		if float64(v-lowest) < 0.5/steps {
			n++
		}
	}
	if float64(n) < piled*float64(len(level)) {
		return 0
	}
	return float64(lowest)
}

// flatten makes transmission of levels.
func flatten(level []float32, w, h int, known float64, gain []float32) (out []float32, air, noise float64) {
	air = known
	if air <= 0 {
		air = openBeam(level)
	}
	out = make([]float32, len(level))
	rows := make([]float32, h)
	var kept []float32
	for y := range h {
		rows[y] = 1
		if len(gain) == h {
			rows[y] = gain[y]
			continue
		}
		kept = kept[:0]
		for _, v := range level[y*w : (y+1)*w] {
			if r := float64(v) / air; r > airFrom && r < 2-airFrom {
				kept = append(kept, float32(r))
			}
		}
		if len(kept) >= max(8, w/12) {
			rows[y] = middle(kept)
		}
	}
	for y := range h {
		k := 1 / (float32(air) * rows[y])
		for i := y * w; i < (y+1)*w; i++ {
			out[i] = level[i] * k
		}
	}
	lines(out, w, h)
	return out, air, airNoise(out, w)
}

// lines takes out what the dose changes from line to line, measured where the
// line shows open beam.
func lines(t []float32, w, h int) {
	var kept []float32
	for x := range w {
		kept = kept[:0]
		for y := range h {
			if v := t[y*w+x]; v > 0.95 && v < 1.05 {
				kept = append(kept, v)
			}
		}
		if len(kept) < max(8, h/20) {
			continue
		}
		k := 1 / middle(kept)
		for y := range h {
			t[y*w+x] *= k
		}
	}
}

// openBeam is the level of the open beam: the middle of the brightest levels.
func openBeam(level []float32) float64 {
	const bins = 1024
	var counts [bins + 1]int
	for _, v := range level {
		counts[int(min(max(v, 0), 1)*bins)]++
	}
	top, seen := bins, 0
	for ; top > 0 && seen < len(level)/50; top-- {
		seen += counts[top]
	}
	// What is within a tenth of the brightest fiftieth; its mode is the beam.
	best, at := 0, top
	for i := int(float64(top) * airFrom); i <= bins; i++ {
		if sum := counts[i] + counts[max(0, i-1)] + counts[min(bins, i+1)]; sum > best {
			best, at = sum, i
		}
	}
	return max(0.05, (float64(at)+0.5)/bins)
}

// airNoise is the standard deviation of the open beam from differences of
// neighbours, so that what changes slowly does not count.
func airNoise(t []float32, w int) float64 {
	var d []float32
	step := max(1, len(t)/200_000)
	for i := 0; i+1 < len(t); i += step {
		if (i+1)%w == 0 {
			continue
		}
		if a, b := t[i], t[i+1]; a > 0.95 && b > 0.95 && a < 1.05 && b < 1.05 {
			d = append(d, float32(math.Abs(float64(a-b))))
		}
	}
	if len(d) < 50 {
		return 0.01
	}
	return float64(middle(d)) * 1.4826 / math.Sqrt2
}

// middle is the median of values from 0 to 2; of many by counting, to a
// resolution of 6e-5 and finer.
func middle(v []float32) float32 {
	const bins = 1 << 15
	if len(v) < 4096 {
		s := slices.Clone(v)
		slices.Sort(s)
		return s[len(s)/2]
	}
	counts := make([]int32, bins+1)
	for _, x := range v {
		counts[int(min(max(x, 0), 2)*(bins/2))]++
	}
	seen, half := int32(0), int32(len(v)/2)
	for i, n := range counts {
		if seen+n > half {
			return (float32(i) + float32(half-seen)/float32(n)) / (bins / 2)
		}
		seen += n
	}
	return v[0]
}

// scatterDoubt is the share of the scattered radiation that stays unknown: the
// window's shape is not the scanner's.
const scatterDoubt = 0.08

// unscatter takes out radiation that came from all around: a share of the
// mean over a wide window. It returns how well that is known.
func unscatter(t []float32, w, h int, parts []Scatter) []float32 {
	all := make([]float32, len(t))
	total := float32(0)
	for _, p := range parts {
		for i, v := range wide(t, w, h, p.Reach) {
			all[i] += float32(p.Share) * v
		}
		total += float32(p.Share)
	}
	for i := range t {
		t[i] = t[i]*(1+total) - all[i] // also below nothing: cut off there, the noise would pass for signal
		all[i] *= scatterDoubt
	}
	return all
}

// coarse is the size in pixels of the cells on which wide means are taken:
// what scatters is smooth.
const coarse = 4

// wide is nearly a Gaussian: three means over a window.
func wide(t []float32, w, h, reach int) []float32 {
	cw, ch := (w+coarse-1)/coarse, (h+coarse-1)/coarse
	small := make([]float32, cw*ch)
	for y := range ch {
		for x := range cw {
			sum, n := float32(0), float32(0)
			for j := y * coarse; j < min(h, (y+1)*coarse); j++ {
				for i := x * coarse; i < min(w, (x+1)*coarse); i++ {
					sum += t[j*w+i]
					n++
				}
			}
			small[y*cw+x] = sum / n
		}
	}
	r := max(1, reach/coarse)
	// The border goes on beyond the scan once, not anew with each mean.
	bw, bh := cw+6*r, ch+6*r
	around := make([]float32, bw*bh)
	for i := range around {
		around[i] = small[min(max(i/bw-3*r, 0), ch-1)*cw+min(max(i%bw-3*r, 0), cw-1)]
	}
	around = Mean(Mean(Mean(around, bw, bh, r), bw, bh, r), bw, bh, r)
	for y := range ch {
		copy(small[y*cw:(y+1)*cw], around[(y+3*r)*bw+3*r:])
	}
	out := make([]float32, len(t))
	for y := range h {
		fy := max(0, (float32(y)+0.5)/coarse-0.5)
		y0 := int(fy)
		y1, ky := min(y0+1, ch-1), fy-float32(y0)
		for x := range w {
			fx := max(0, (float32(x)+0.5)/coarse-0.5)
			x0 := int(fx)
			x1, kx := min(x0+1, cw-1), fx-float32(x0)
			top := small[y0*cw+x0]*(1-kx) + small[y0*cw+x1]*kx
			low := small[y1*cw+x0]*(1-kx) + small[y1*cw+x1]*kx
			out[y*w+x] = top*(1-ky) + low*ky
		}
	}
	return out
}

// Mean is the mean over a window of 2r+1 by 2r+1 pixels, the border repeated.
func Mean(v []float32, w, h, r int) []float32 {
	mid, out := make([]float32, len(v)), make([]float32, len(v))
	slide := func(from, to []float32, count, start, step int) {
		at := func(i int) float64 { return float64(from[start+min(max(i, 0), count-1)*step]) }
		sum := 0.0
		for k := -r; k <= r; k++ {
			sum += at(k)
		}
		for i := range count {
			to[start+i*step] = float32(sum / float64(2*r+1))
			sum += at(i+r+1) - at(i-r)
		}
	}
	for y := range h {
		slide(v, mid, w, y*w, 1)
	}
	for x := range w {
		slide(mid, out, h, x, w)
	}
	return out
}

// Attenuation is minus the natural logarithm of a transmission, at most that of
// the floor.
func (v View) Attenuation(t float32) float64 {
	return -math.Log(max(v.Floor, float64(t)))
}

// Limit is the attenuation from which nothing is known.
func (v View) Limit() float64 { return -math.Log(v.Floor) }
