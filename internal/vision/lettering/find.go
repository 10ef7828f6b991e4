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
	leastTall = 9    // height of a character, pixels
	mostTall  = 90   // "
	around    = 1.3  // side of a patch over the larger side of the character
	rim       = 64   // pixels added around the picture, so that every patch lies inside
	longest   = 1600 // side of the largest picture that is looked at
	closer    = 2.0  // times that size a large picture is looked at in parts, when nothing is read on the whole
	worth     = 1.4  // times that size a picture has at least for it
	overlap   = 0.15 // of a part's side that it shares with the next
	shortest  = 900  // side below which a picture is enlarged
	enlarged  = 2.0
	sameShare = 0.35 // overlap over the smaller area from which two characters are one
	twice     = 0.8  // intersection over union from which two areas are looked at once
	mostAreas = 4000 // of one picture
	chunk     = 256  // patches in one run of the net
	heat      = 0.35 // probability of a character from which an area is one
)

// char is a character on the picture: its middle, its size in pixels and how
// likely each character of the alphabet is; the first is none.
type char struct {
	X, Y, W, H float64
	Heat       float64
	P          []float32
}

// weight orders characters: where it is sure to be one, and sure which.
func (c char) weight() float64 { return c.Heat * (0.3 + float64(slices.Max(c.P[1:]))) }

type finder struct{ net *model.Net }

// find cuts out what is lighter or darker than its neighbourhood, and lets the
// net name it.
func (f finder) find(grey gocv.Mat) ([]char, error) {
	long := float64(max(grey.Cols(), grey.Rows()))
	scale := min(1, longest/long)
	if long < shortest {
		scale = enlarged
	}
	all, err := f.characters(grey, scale)
	return foremost(all), err
}

// large says that a picture shows more than find looks at.
func large(grey gocv.Mat) bool { return max(grey.Cols(), grey.Rows()) > worth*longest }

// findCloser is find on the parts of a large picture: small lettering on the
// photographs of telephones.
func (f finder) findCloser(grey gocv.Mat) ([]char, error) {
	scale := min(1, closer*longest/float64(max(grey.Cols(), grey.Rows())))
	side := int(longest / scale)
	var all []char
	for _, y := range starts(grey.Rows(), side) {
		for _, x := range starts(grey.Cols(), side) {
			r := image.Rect(x, y, min(x+side, grey.Cols()), min(y+side, grey.Rows()))
			part := grey.Region(r)
			chars, err := f.characters(part, scale)
			_ = part.Close()
			if err != nil {
				return nil, err
			}
			for _, c := range chars {
				c.X, c.Y = c.X+float64(x), c.Y+float64(y)
				all = append(all, c)
			}
		}
	}
	return foremost(all), nil
}

// starts are where parts of a side begin so that they cover a length.
func starts(length, side int) []int {
	out := []int{0}
	for step := int(float64(side) * (1 - overlap)); out[len(out)-1]+side < length; {
		out = append(out, min(out[len(out)-1]+step, length-side))
	}
	return out
}

// characters are those of a picture looked at with a scale, several times where
// several areas show the same.
func (f finder) characters(grey gocv.Mat, scale float64) ([]char, error) {
	interpolation := gocv.InterpolationArea
	if scale > 1 {
		interpolation = gocv.InterpolationLinear
	}
	small, rimmed := gocv.NewMat(), gocv.NewMat()
	defer small.Close()
	defer rimmed.Close()
	size := image.Pt(max(1, int(math.Round(float64(grey.Cols())*scale))), max(1, int(math.Round(float64(grey.Rows())*scale))))
	gocv.Resize(grey, &small, size, 0, 0, interpolation)
	gocv.CopyMakeBorder(small, &rimmed, rim, rim, rim, rim, gocv.BorderReplicate, color.RGBA{})
	found := areas(small)
	var all []char
	for part := range slices.Chunk(found, chunk) {
		named, err := f.name(rimmed, part)
		if err != nil {
			return nil, err
		}
		all = append(all, named...)
	}
	for i := range all {
		c := &all[i]
		c.X, c.Y, c.W, c.H = c.X/scale, c.Y/scale, c.W/scale, c.H/scale
	}
	return all, nil
}

// foremost leaves of characters that overlap the one that is the surest.
func foremost(all []char) (kept []char) {
	slices.SortStableFunc(all, func(a, b char) int { return cmp.Compare(b.weight(), a.weight()) })
	for _, c := range all {
		if !slices.ContainsFunc(kept, func(k char) bool { return shared(k, c) > sameShare }) {
			kept = append(kept, c)
		}
	}
	return kept
}

// areas are the connected areas that have about a character's form.
func areas(grey gocv.Mat) []image.Rectangle {
	mask, labels, stats, centres := gocv.NewMat(), gocv.NewMat(), gocv.NewMat(), gocv.NewMat()
	defer mask.Close()
	defer labels.Close()
	defer stats.Close()
	defer centres.Close()
	var found []image.Rectangle
	// Pixels of the neighbourhood, grey levels lighter or darker than it.
	for _, block := range [...]int{15, 31, 61} {
		for _, offset := range [...]float32{6, 14} {
			for _, t := range []struct {
				kind gocv.ThresholdType
				c    float32
			}{{gocv.ThresholdBinary, -offset}, {gocv.ThresholdBinaryInv, offset}} {
				gocv.AdaptiveThreshold(grey, &mask, 255, gocv.AdaptiveThresholdMean, t.kind, block, t.c)
				n := gocv.ConnectedComponentsWithStats(mask, &labels, &stats, &centres)
				for i := 1; i < n; i++ {
					at := func(k int) int { return int(stats.GetIntAt(i, k)) }
					x, y, w, h, area := at(0), at(1), at(2), at(3), at(4)
					if h >= leastTall && h <= mostTall && 4*w <= 5*h && 10*w >= h && 100*area >= 12*w*h && area >= 14 {
						found = append(found, image.Rect(x, y, x+w, y+h))
					}
				}
			}
		}
	}
	return distinct(found)
}

// distinct leaves out areas that nearly cover another one.
func distinct(all []image.Rectangle) []image.Rectangle {
	slices.SortFunc(all, func(a, b image.Rectangle) int {
		return cmp.Or(cmp.Compare(a.Min.X, b.Min.X), cmp.Compare(a.Min.Y, b.Min.Y), cmp.Compare(a.Dx(), b.Dx()), cmp.Compare(a.Dy(), b.Dy()))
	})
	var kept []image.Rectangle
	for _, r := range all {
		same := false
		for k := len(kept) - 1; k >= 0 && kept[k].Min.X >= r.Min.X-4 && !same; k-- {
			both := kept[k].Intersect(r)
			n := both.Dx() * both.Dy()
			same = float64(n) > twice*float64(kept[k].Dx()*kept[k].Dy()+r.Dx()*r.Dy()-n)
		}
		if !same {
			kept = append(kept, r)
		}
	}
	return kept[:min(len(kept), mostAreas)]
}

// name lets the net name areas of the picture with its rim; what is no
// character is left out.
func (f finder) name(rimmed gocv.Mat, found []image.Rectangle) ([]char, error) {
	side := f.net.Manifest.Input.Width
	input := make([]float32, 0, len(found)*side*side)
	patch := gocv.NewMat()
	defer patch.Close()
	for _, r := range found {
		n := max(4, int(math.Round(around*float64(max(r.Dx(), r.Dy())))))
		x := int(math.RoundToEven(float64(r.Min.X+r.Max.X)/2-float64(n)/2)) + rim
		y := int(math.RoundToEven(float64(r.Min.Y+r.Max.Y)/2-float64(n)/2)) + rim
		x, y = max(0, min(x, rimmed.Cols()-n)), max(0, min(y, rimmed.Rows()-n))
		interpolation := gocv.InterpolationLinear
		if n > side {
			interpolation = gocv.InterpolationArea
		}
		part := rimmed.Region(image.Rect(x, y, x+n, y+n))
		gocv.Resize(part, &patch, image.Pt(side, side), 0, 0, interpolation)
		_ = part.Close()
		pixels, err := patch.DataPtrUint8()
		if err != nil {
			return nil, fmt.Errorf("read a patch: %w", err)
		}
		for _, v := range pixels {
			input = append(input, float32(v)/255)
		}
	}
	out, err := f.net.Run([]int64{int64(len(found)), 1, int64(side), int64(side)}, input)
	if err != nil {
		return nil, err
	}
	names, err := model.Output(out, "names", 2)
	if err != nil {
		return nil, err
	}
	count := len(f.net.Manifest.Alphabet)
	if !slices.Equal(names.Shape, []int{len(found), count}) {
		return nil, fmt.Errorf("the net gave names %v for %d patches", names.Shape, len(found))
	}
	var all []char
	for i, r := range found {
		p := names.Data[i*count : (i+1)*count]
		if there := 1 - float64(p[0]); there >= heat {
			all = append(all, char{
				X: float64(r.Min.X+r.Max.X) / 2, Y: float64(r.Min.Y+r.Max.Y) / 2, W: float64(r.Dx()), H: float64(r.Dy()),
				Heat: there, P: slices.Clone(p),
			})
		}
	}
	return all, nil
}

func shared(a, b char) float64 {
	w := min(a.X+a.W/2, b.X+b.W/2) - max(a.X-a.W/2, b.X-b.W/2)
	h := min(a.Y+a.H/2, b.Y+b.H/2) - max(a.Y-a.H/2, b.Y-b.H/2)
	if w <= 0 || h <= 0 {
		return 0
	}
	return w * h / max(min(a.W*a.H, b.W*b.H), 1e-9)
}
