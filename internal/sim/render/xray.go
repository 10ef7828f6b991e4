package render

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math"
	"math/rand/v2"

	"golang.org/x/image/vector"
)

// Geometry and detector of the simulated scanner.
const (
	// MMPerPixel is one pixel at the lorry's middle.
	MMPerPixel = 10.0
	// ScanHeight is the number of detector channels in the fan, pixels.
	ScanHeight = 500
	// AirLevel is the pixel value of the open beam.
	AirLevel = 60000

	photons   = 20000 // per pixel and pulse in the open beam
	readNoise = 10    // electronic noise in photons
	scatter   = 0.0015
	flicker   = 0.004  // dose from pulse to pulse
	uneven    = 0.0025 // what is left of the channels' gain after calibration
	step      = 16     // of the 12-bit converter in a 16-bit file
)

// slab is the attenuation (line integral of mu) that a scene has at each
// pixel, for both energies.
type slab struct {
	w, h      int
	high, low []float32
}

func newSlab(w, h int) *slab {
	return &slab{w: w, h: h, high: make([]float32, w*h), low: make([]float32, w*h)}
}

// depth is how many cm of the material lie behind a place of a shape.
type depth func(x, y float64) float64

func even(cm float64) depth { return func(_, _ float64) float64 { return cm } }

// add puts a shape, outlined in pixels, into the beam.
func (s *slab) add(outline []point, m Material, d depth) {
	if len(outline) == 0 {
		return
	}
	b := image.Rectangle{Min: image.Pt(s.w, s.h)}
	for _, p := range outline {
		b.Min.X, b.Min.Y = min(b.Min.X, int(math.Floor(p.x))), min(b.Min.Y, int(math.Floor(p.y)))
		b.Max.X, b.Max.Y = max(b.Max.X, int(math.Ceil(p.x))), max(b.Max.Y, int(math.Ceil(p.y)))
	}
	b = b.Intersect(image.Rect(0, 0, s.w, s.h))
	if b.Empty() {
		return
	}
	r := vector.NewRasterizer(b.Dx(), b.Dy())
	for i, p := range outline {
		x, y := float32(p.x)-float32(b.Min.X), float32(p.y)-float32(b.Min.Y)
		if i == 0 {
			r.MoveTo(x, y)
			continue
		}
		r.LineTo(x, y)
	}
	r.ClosePath()
	mask := image.NewAlpha(image.Rect(0, 0, b.Dx(), b.Dy()))
	r.Draw(mask, mask.Rect, image.Opaque, image.Point{})
	high, low := m.Mu(false), m.Mu(true)
	for y := range b.Dy() {
		for x := range b.Dx() {
			a := mask.Pix[y*mask.Stride+x]
			if a == 0 {
				continue
			}
			cm := d(float64(x+b.Min.X)+0.5, float64(y+b.Min.Y)+0.5) * float64(a) / 255
			at := (y+b.Min.Y)*s.w + x + b.Min.X
			s.high[at] += float32(cm * high)
			s.low[at] += float32(cm * low)
		}
	}
}

// expose is the detector: Poisson noise of the photons that are left, scatter,
// the electronics' noise, pulse-to-pulse dose and channel gain, and the point
// spread of the detector.
func expose(tau []float32, w, h int, dice *rand.Rand) *image.Gray16 {
	t := make([]float32, len(tau))
	for i, v := range tau {
		t[i] = float32(math.Exp(-float64(v))) + scatter
	}
	spread(t, w, h)
	gain := make([]float32, h)
	for y := range gain {
		gain[y] = float32(1 + uneven*dice.NormFloat64())
	}
	dose := make([]float32, w)
	for x := range dose {
		dose[x] = float32(1 + flicker*dice.NormFloat64())
	}
	img := image.NewGray16(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			n := float64(photons * t[y*w+x] * dose[x])
			n += math.Sqrt(n+readNoise*readNoise) * dice.NormFloat64()
			v := n / photons * AirLevel * float64(gain[y])
			q := min(65535-65535%step, max(0, math.Round(v/step)*step))
			img.SetGray16(x, y, color.Gray16{Y: uint16(q)})
		}
	}
	return img
}

// spread blurs by about half a pixel, in both directions.
func spread(t []float32, w, h int) {
	const side = 0.16
	line := make([]float32, max(w, h))
	pass := func(n, start, step int) {
		for i := range n {
			line[i] = t[start+i*step]
		}
		for i := range n {
			a, b := line[max(0, i-1)], line[min(n-1, i+1)]
			t[start+i*step] = line[i]*(1-2*side) + side*(a+b)
		}
	}
	for y := range h {
		pass(w, y*w, 1)
	}
	for x := range w {
		pass(h, x, w)
	}
}

// encode is the PNG of the first share of the image's columns.
func encode(img *image.Gray16, share float64) ([]byte, image.Rectangle, error) {
	part := img.Rect
	part.Max.X = max(1, int(math.Round(float64(part.Dx())*min(1, share))))
	var out bytes.Buffer
	e := png.Encoder{CompressionLevel: png.BestSpeed}
	if err := e.Encode(&out, img.SubImage(part)); err != nil {
		return nil, part, fmt.Errorf("encode the scan: %w", err)
	}
	return out.Bytes(), part, nil
}

// Phantom exposes a step wedge, the body that scanners are checked with: one
// step of width pixels for each thickness of the material in cm, and the same
// width of open beam before them.
func Phantom(seed uint64, m Material, width int, cm ...float64) *image.Gray16 {
	s := newSlab(width*(len(cm)+1), 64)
	for i, t := range cm {
		x := float64(width * (i + 1))
		s.add(box(x, 0, x+float64(width), 64, 0), m, even(t))
	}
	return expose(s.high, s.w, s.h, rand.New(rand.NewPCG(seed, 0x7765646765)))
}
