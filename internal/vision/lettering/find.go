package lettering

import (
	"cmp"
	"fmt"
	"image"
	"image/color"
	"math"
	"slices"

	"gocv.io/x/gocv"

	"gatehouse/internal/vision/model"
)

// What the net was trained with; the training scripts hold the same.
const (
	stride     = 4
	padTo      = 8
	leastTall  = 10.0 // height of a character that the net reads, pixels
	mostTall   = 46.0
	longest    = 1600 // side of the largest picture that is looked at
	shortSide  = 640  // below, a picture is looked at enlarged as well
	sameShare  = 0.35 // overlap over the smaller area from which two characters are one
	mostGlyphs = 600  // of one picture
)

// char is a character on the picture: its middle, its size in pixels and how
// likely each character of the alphabet is.
type char struct {
	X, Y, W, H float64
	Heat       float64
	P          []float32
}

func (c char) best() (int, float64) {
	k := 0
	for i, p := range c.P {
		if p > c.P[k] {
			k = i
		}
	}
	return k, float64(c.P[k])
}

type finder struct{ net *model.Net }

// find looks at the picture in several sizes, because the net knows characters
// of some heights alone, and keeps the surest of what was seen twice.
func (f finder) find(grey gocv.Mat) ([]char, error) {
	long := float64(max(grey.Cols(), grey.Rows()))
	first := min(1, longest/long)
	scales := []float64{first, first / 2}
	if long < shortSide {
		scales = append(scales, 2*first)
	}
	var all []char
	for _, s := range scales {
		if long*s < 48 {
			continue
		}
		got, err := f.at(grey, s)
		if err != nil {
			return nil, err
		}
		all = append(all, got...)
	}
	slices.SortStableFunc(all, func(a, b char) int { return cmp.Compare(b.weight(), a.weight()) })
	var kept []char
	for _, c := range all {
		if !slices.ContainsFunc(kept, func(k char) bool { return shared(k, c) > sameShare }) {
			kept = append(kept, c)
		}
		if len(kept) == mostGlyphs {
			break
		}
	}
	return kept, nil
}

// weight orders characters: where it is sure to be one, and sure which.
func (c char) weight() float64 { _, p := c.best(); return c.Heat * (0.3 + p) }

func shared(a, b char) float64 {
	w := min(a.X+a.W/2, b.X+b.W/2) - max(a.X-a.W/2, b.X-b.W/2)
	h := min(a.Y+a.H/2, b.Y+b.H/2) - max(a.Y-a.H/2, b.Y-b.H/2)
	if w <= 0 || h <= 0 {
		return 0
	}
	return w * h / max(min(a.W*a.H, b.W*b.H), 1e-9)
}

// at runs the net at one scale and gives characters in the picture's pixels.
func (f finder) at(grey gocv.Mat, scale float64) ([]char, error) {
	w, h := max(1, int(math.Round(float64(grey.Cols())*scale))), max(1, int(math.Round(float64(grey.Rows())*scale)))
	shape := image.Pt((w+padTo-1)/padTo*padTo, (h+padTo-1)/padTo*padTo)
	interpolation := gocv.InterpolationArea
	if scale > 1 {
		interpolation = gocv.InterpolationLinear
	}
	small, padded := gocv.NewMat(), gocv.NewMat()
	defer small.Close()
	defer padded.Close()
	gocv.Resize(grey, &small, image.Pt(w, h), 0, 0, interpolation)
	gocv.CopyMakeBorder(small, &padded, 0, shape.Y-h, 0, shape.X-w, gocv.BorderReplicate, color.RGBA{})
	pixels, err := padded.DataPtrUint8()
	if err != nil {
		return nil, fmt.Errorf("read scaled picture: %w", err)
	}
	input := make([]float32, len(pixels))
	for i, v := range pixels {
		input[i] = float32(v) / 255
	}
	out, err := f.net.Run([]int64{1, 1, int64(shape.Y), int64(shape.X)}, input)
	if err != nil {
		return nil, err
	}
	var heat, kinds, sizes model.Tensor
	for name, t := range map[string]*model.Tensor{"heat": &heat, "kinds": &kinds, "sizes": &sizes} {
		if *t, err = model.Output(out, name, 4); err != nil {
			return nil, err
		}
	}
	rows, cols, classes := shape.Y/stride, shape.X/stride, len(f.net.Manifest.Alphabet)
	if !slices.Equal(heat.Shape, []int{1, 1, rows, cols}) || !slices.Equal(kinds.Shape, []int{1, classes, rows, cols}) ||
		!slices.Equal(sizes.Shape, []int{1, 4, rows, cols}) {
		return nil, fmt.Errorf("the net gave heat %v, kinds %v, sizes %v for %v pixels", heat.Shape, kinds.Shape, sizes.Shape, shape)
	}
	sx, sy := float64(grey.Cols())/float64(w), float64(grey.Rows())/float64(h)
	var found []char
	n := rows * cols
	for y := range rows {
		for x := range cols {
			i := y*cols + x
			if float64(heat.Data[i]) < f.net.Manifest.Threshold || !highest(heat.Data, cols, rows, x, y) {
				continue
			}
			c := char{
				X: (float64(x) + 0.5 + float64(sizes.Data[i])) * stride, Y: (float64(y) + 0.5 + float64(sizes.Data[n+i])) * stride,
				W: math.Exp(float64(sizes.Data[2*n+i])) * stride, H: math.Exp(float64(sizes.Data[3*n+i])) * stride,
				Heat: float64(heat.Data[i]), P: make([]float32, classes),
			}
			if c.H < leastTall || c.H > mostTall || c.X > float64(w) || c.Y > float64(h) {
				continue
			}
			for k := range classes {
				c.P[k] = kinds.Data[k*n+i]
			}
			c.X, c.Y, c.W, c.H = c.X*sx, c.Y*sy, c.W*sx, c.H*sy
			found = append(found, c)
		}
	}
	return found, nil
}

// highest tells a local maximum; of equal neighbours the first in reading order.
func highest(data []float32, cols, rows, x, y int) bool {
	v := data[y*cols+x]
	for ny := max(0, y-1); ny <= min(rows-1, y+1); ny++ {
		for nx := max(0, x-1); nx <= min(cols-1, x+1); nx++ {
			if n := data[ny*cols+nx]; n > v || (n == v && (ny < y || (ny == y && nx < x))) {
				return false
			}
		}
	}
	return true
}
