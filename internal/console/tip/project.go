package tip

import (
	"errors"
	"fmt"
	"image"
	"image/color"
	"math"
	"math/rand/v2"
	"slices"

	"golang.org/x/image/vector"
)

// ErrNoItem is the error of Project for a scan in which there is nothing to put
// a threat into.
var ErrNoItem = errors.New("nothing in the scan to project a threat into")

// Figures of a projection.
const (
	airFrom    = 0.93 // of the open beam: lighter than this is air
	leastCover = 0.6  // of a threat's box that must lie in the item
	tries      = 60
	// blackest is the least transmission that a display shows.
	blackest = 0.02
)

// piece is a part of a threat: an outline in a unit square and how much of the
// beam goes through it.
type piece struct {
	points  [][2]float64
	through float64
}

// Threats are the kinds that are projected.
func Threats() []string { return []string{"pistol", "knife", "revolver", "pipe"} }

// pieces draws a threat of a kind; the dice vary its parts.
func pieces(kind string, dice *rand.Rand) []piece {
	in := func(lo, hi float64) float64 { return lo + (hi-lo)*dice.Float64() }
	rect := func(x0, y0, x1, y1, through float64) piece {
		return piece{[][2]float64{{x0, y0}, {x1, y0}, {x1, y1}, {x0, y1}}, through}
	}
	switch kind {
	case "pistol":
		lean, top := in(0.04, 0.14), in(0.24, 0.34)
		return []piece{
			rect(0.06, top, 0.94, top+0.13, in(0.05, 0.15)),
			rect(0.08, top+0.13, 0.70, top+0.19, in(0.15, 0.3)),
			{[][2]float64{{0.1, top + 0.13}, {0.28, top + 0.13}, {0.28 - lean, top + 0.52}, {0.1 - lean, top + 0.52}}, in(0.2, 0.45)},
			rect(0.42, top+0.19, 0.45, top+0.31, 0.35), rect(0.28, top+0.29, 0.45, top+0.32, 0.35),
		}
	case "revolver":
		y := in(0.28, 0.36)
		return []piece{
			rect(0.45, y-0.045, 0.95, y+0.045, in(0.1, 0.2)),
			rect(0.30, y-0.06, 0.52, y+0.15, in(0.12, 0.25)),
			{[][2]float64{{0.30, y}, {0.42, y + 0.15}, {0.24, y + 0.52}, {0.08, y + 0.48}}, in(0.2, 0.45)},
		}
	case "pipe":
		w := in(0.09, 0.15)
		return []piece{
			rect(0.1, 0.5-w, 0.9, 0.5-w*0.7, 0.25), rect(0.1, 0.5+w*0.7, 0.9, 0.5+w, 0.25),
			rect(0.1, 0.5-w*0.7, 0.9, 0.5+w*0.7, in(0.35, 0.55)),
			rect(0.04, 0.5-w*1.2, 0.14, 0.5+w*1.2, 0.3), rect(0.86, 0.5-w*1.2, 0.96, 0.5+w*1.2, 0.3),
		}
	}
	w, joint := in(0.04, 0.09), in(0.32, 0.45)
	return []piece{
		{[][2]float64{{joint, 0.5 - w}, {in(0.7, 0.85), 0.5 - w}, {0.96, 0.5 + w*0.6}, {0.9, 0.5 + w}, {joint, 0.5 + w}}, in(0.2, 0.45)},
		rect(0.05, 0.5-w, joint, 0.5+w, in(0.5, 0.8)),
		rect(0.1, 0.5-w*0.4, joint, 0.5+w*0.4, 0.5),
	}
}

// Project puts a trial's threat into a copy of a scan and tells where. The same
// trial and scan give the same picture. Pixels are taken as transmission, which
// multiplies; colours keep their hue.
func Project(scan image.Image, t Trial) (*image.NRGBA64, image.Rectangle, error) {
	copied, level := copyOf(scan)
	if t.Threat == "" {
		return copied, image.Rectangle{}, nil
	}
	dice := rand.New(rand.NewPCG(t.Seed, 0x746970))
	b := copied.Bounds()
	size := int(float64(min(b.Dx(), b.Dy())) * (0.16 + 0.14*dice.Float64()))
	if size < 12 {
		return nil, image.Rectangle{}, ErrNoItem
	}
	through := stamp(pieces(t.Threat, dice), size, 2*math.Pi*dice.Float64(), dice.IntN(2) == 1)
	where, ok := place(level, b, size, dice)
	if !ok {
		return nil, image.Rectangle{}, ErrNoItem
	}
	box := image.Rectangle{}
	for y := range size {
		for x := range size {
			f := through[y*size+x]
			if f >= 0.995 {
				continue
			}
			px, py := where.X+x, where.Y+y
			c := copied.NRGBA64At(px, py)
			c.R, c.G, c.B = dim(c.R, f), dim(c.G, f), dim(c.B, f)
			copied.SetNRGBA64(px, py, c)
			box = box.Union(image.Rect(px, py, px+1, py+1))
		}
	}
	return copied, box, nil
}

func dim(v uint16, f float64) uint16 {
	return uint16(max(float64(v)*f, min(float64(v), blackest*65535)))
}

// copyOf is the scan with 16 bits a channel, and the level of each pixel as a
// share of the open beam.
func copyOf(scan image.Image) (*image.NRGBA64, []float64) {
	b := scan.Bounds()
	out := image.NewNRGBA64(image.Rect(0, 0, b.Dx(), b.Dy()))
	level := make([]float64, b.Dx()*b.Dy())
	for y := range b.Dy() {
		for x := range b.Dx() {
			c := color.NRGBA64Model.Convert(scan.At(b.Min.X+x, b.Min.Y+y)).(color.NRGBA64)
			out.SetNRGBA64(x, y, c)
			level[y*b.Dx()+x] = 0.299*float64(c.R) + 0.587*float64(c.G) + 0.114*float64(c.B)
		}
	}
	sample := make([]float64, 0, len(level)/13+1)
	for i := 0; i < len(level); i += 13 {
		sample = append(sample, level[i])
	}
	slices.Sort(sample)
	air := max(sample[len(sample)*98/100], 1)
	for i := range level {
		level[i] = min(level[i]/air, 1)
	}
	return out, level
}

// stamp rasterises a threat, turned about its middle: how much comes through
// each pixel.
func stamp(parts []piece, size int, angle float64, mirrored bool) []float64 {
	through := make([]float64, size*size)
	for i := range through {
		through[i] = 1
	}
	sin, cos := math.Sincos(angle)
	for _, p := range parts {
		r := vector.NewRasterizer(size, size)
		for i, q := range p.points {
			x, y := (q[0]-0.5)/math.Sqrt2, (q[1]-0.5)/math.Sqrt2 // stays inside at any angle
			if mirrored {
				x = -x
			}
			px, py := float32((0.5+x*cos-y*sin)*float64(size)), float32((0.5+x*sin+y*cos)*float64(size))
			if i == 0 {
				r.MoveTo(px, py)
			} else {
				r.LineTo(px, py)
			}
		}
		r.ClosePath()
		m := image.NewAlpha(image.Rect(0, 0, size, size))
		r.Draw(m, m.Bounds(), image.Opaque, image.Point{})
		for i, a := range m.Pix {
			through[i] *= 1 - float64(a)/255*(1-p.through)
		}
	}
	return through
}

// place finds where an item fills the threat's box and something would still be
// seen behind it.
func place(level []float64, b image.Rectangle, size int, dice *rand.Rand) (image.Point, bool) {
	for range tries {
		at := image.Pt(dice.IntN(b.Dx()-size+1), dice.IntN(b.Dy()-size+1))
		covered, lit := 0, 0
		for y := range size {
			for x := range size {
				v := level[(at.Y+y)*b.Dx()+at.X+x]
				if v < airFrom {
					covered++
				}
				if v > 0.15 {
					lit++
				}
			}
		}
		if n := float64(size * size); float64(covered) >= leastCover*n && float64(lit) >= leastCover*n {
			return at, true
		}
	}
	return image.Point{}, false
}

// Describe names a trial's threat in a sentence for the reveal.
func (r Reveal) Describe() (vi, en string) {
	if !r.Projected {
		return "Ảnh này không có vật giả.", "Nothing was projected into this scan."
	}
	names := map[string][2]string{
		"pistol": {"súng ngắn", "a pistol"}, "revolver": {"súng ổ quay", "a revolver"},
		"knife": {"dao", "a knife"}, "pipe": {"ống kín", "a capped pipe"},
	}
	n := names[r.Trial.Threat]
	return fmt.Sprintf("Vật giả đã được ghép vào ảnh: %s. Hãy quyết định lại trên ảnh thật.", n[0]),
		fmt.Sprintf("A fictional threat was projected: %s. Decide on the real scan now.", n[1])
}
