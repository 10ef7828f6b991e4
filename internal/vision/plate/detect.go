package plate

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

// What the detector was trained with; the training scripts hold the same.
const (
	stride     = 8   // input pixels per cell of the heat map
	maxUpscale = 1.5 // of small frames
	padGrey    = 114 // value of the border right and below
	padTo      = 32
	maxPlates  = 8   // of one picture
	linearFrom = 0.6 // scale from which no area has to be averaged
	sameShare  = 0.5 // overlap from which two detections are one plate
)

// detection is a plate in the picture's pixels.
type detection struct {
	Quad  quad
	Score float64 // heat, 0..1
}

type detector struct{ net *model.Net }

// find locates plates with at least threshold of heat, the surest first, in the
// picture scaled to a share of the width and height that the net was trained
// with.
func (d detector) find(img gocv.Mat, share, threshold float64) ([]detection, error) {
	input, scale, shape, err := letterbox(img, share*float64(d.net.Manifest.Input.Width), share*maxUpscale)
	if err != nil {
		return nil, err
	}
	out, err := d.net.Run([]int64{1, 3, int64(shape.Y), int64(shape.X)}, input)
	if err != nil {
		return nil, err
	}
	heat, err := model.Output(out, "heat", 4)
	if err != nil {
		return nil, err
	}
	corners, err := model.Output(out, "corners", 4)
	if err != nil {
		return nil, err
	}
	if h, w := heat.Shape[2], heat.Shape[3]; h*stride != shape.Y || w*stride != shape.X ||
		!slices.Equal(corners.Shape, []int{1, 8, h, w}) {
		return nil, fmt.Errorf("detector gave heat %v and corners %v for %v pixels", heat.Shape, corners.Shape, shape)
	}
	found := peaks(heat, corners, threshold)
	for i := range found {
		found[i].Quad = found[i].Quad.scaled(1/scale.X, 1/scale.Y)
	}
	return found, nil
}

// letterbox scales the long side to side, but by most at the utmost, pads to a multiple of 32 at the right and
// bottom, and lays the pixels out as planes of RGB, 0..1.
func letterbox(img gocv.Mat, side, most float64) (input []float32, scale point, shape image.Point, err error) {
	w, h := img.Cols(), img.Rows()
	s := min(side/float64(max(w, h)), most)
	nw, nh := max(1, int(math.RoundToEven(float64(w)*s))), max(1, int(math.RoundToEven(float64(h)*s)))
	shape = image.Pt((nw+padTo-1)/padTo*padTo, (nh+padTo-1)/padTo*padTo)

	small := gocv.NewMat()
	defer small.Close()
	if s < 0.5 { // OpenCV halves much faster than it takes the mean over any other area
		half := gocv.NewMat()
		defer half.Close()
		gocv.Resize(img, &half, image.Pt(w/2, h/2), 0, 0, gocv.InterpolationArea)
		img, s = half, 2*s
	}
	interpolation := gocv.InterpolationLinear
	if s < linearFrom {
		interpolation = gocv.InterpolationArea
	}
	gocv.Resize(img, &small, image.Pt(nw, nh), 0, 0, interpolation)
	padded := gocv.NewMat()
	defer padded.Close()
	gocv.CopyMakeBorder(small, &padded, 0, shape.Y-nh, 0, shape.X-nw, gocv.BorderConstant,
		color.RGBA{R: padGrey, G: padGrey, B: padGrey})
	bgr, err := padded.DataPtrUint8()
	if err != nil {
		return nil, point{}, shape, fmt.Errorf("read scaled picture: %w", err)
	}
	input = make([]float32, 3*shape.X*shape.Y)
	planes(bgr, input)
	return input, point{float64(nw) / float64(w), float64(nh) / float64(h)}, shape, nil
}

// peaks are the 3x3 local maxima of heat above the threshold, without those
// that overlap a surer one.
func peaks(heat, corners model.Tensor, threshold float64) []detection {
	h, w := heat.Shape[2], heat.Shape[3]
	var all []detection
	for y := range h {
		for x := range w {
			v := heat.Data[y*w+x]
			if float64(v) < threshold || !localMax(heat.Data, w, h, x, y) {
				continue
			}
			var q quad
			for k := range q {
				q[k].X = (float64(x)+0.5)*stride + float64(corners.Data[(2*k)*h*w+y*w+x])
				q[k].Y = (float64(y)+0.5)*stride + float64(corners.Data[(2*k+1)*h*w+y*w+x])
			}
			if q.plausible() {
				all = append(all, detection{q, float64(v)})
			}
		}
	}
	slices.SortStableFunc(all, func(a, b detection) int { return cmp.Compare(b.Score, a.Score) })
	var kept []detection
	for _, d := range all {
		if !slices.ContainsFunc(kept, func(k detection) bool { return overlap(k.Quad, d.Quad) > sameShare }) {
			kept = append(kept, d)
		}
	}
	return kept[:min(len(kept), maxPlates)]
}

func localMax(data []float32, w, h, x, y int) bool {
	v := data[y*w+x]
	for ny := max(0, y-1); ny <= min(h-1, y+1); ny++ {
		for nx := max(0, x-1); nx <= min(w-1, x+1); nx++ {
			n := data[ny*w+nx]
			// Of equal neighbours the first in reading order is the maximum.
			if n > v || (n == v && (ny < y || (ny == y && nx < x))) {
				return false
			}
		}
	}
	return true
}

// The canvas of a second look: the plate as first found, straightened, in the
// middle of a third of the width. The canvas is scaled up by maxUpscale, so that
// the plate then has the size at which the detector was trained to be exact.
const (
	canvasWidth  = 320
	canvasHeight = 224
	canvasPlate  = 107  // width on it of a plate of one row
	twoRows      = 0.75 // of that width for a plate of two rows
	rowsApart    = 2.6  // width over height between one row and two
	nearMiddle   = 0.4  // overlap from which what is found is the same plate
)

// again looks a second time at a plate whose corners may be off: it is
// straightened by the corners found, and what the detector now finds in the
// middle of that view is mapped back. ok is false when nothing is there.
func (d detector) again(img gocv.Mat, first quad) (second quad, ok bool, err error) {
	w, h := first.mean()
	half := canvasPlate / 2.0
	if w < rowsApart*h {
		half *= twoRows
	}
	tall := min(max(half*h/max(w, 1), 16), canvasHeight/3)
	const cx, cy = canvasWidth / 2.0, canvasHeight / 2.0
	middle := quad{{cx - half, cy - tall}, {cx + half, cy - tall}, {cx + half, cy + tall}, {cx - half, cy + tall}}

	there := transform(first, middle)
	defer there.Close()
	view := gocv.NewMat()
	defer view.Close()
	gocv.WarpPerspectiveWithParams(img, &view, there, image.Pt(canvasWidth, canvasHeight), gocv.InterpolationLinear,
		gocv.BorderConstant, color.RGBA{R: padGrey, G: padGrey, B: padGrey})
	found, err := d.find(view, 1, d.net.Manifest.Threshold)
	if err != nil {
		return quad{}, false, err
	}
	best := nearMiddle
	for _, f := range found {
		if o := overlap(f.Quad, middle); o >= best {
			best, second, ok = o, f.Quad, true
		}
	}
	if !ok {
		return quad{}, false, nil
	}
	second = second.through(middle, first)
	return second, second.plausible(), nil
}
