package plate

import (
	"fmt"
	"image"
	"image/color"
	"slices"

	"gocv.io/x/gocv"

	"gatehouse/internal/vision/model"
)

// What the net for corners was trained with; the training scripts hold the same.
const (
	around = 0.5  // of the plate's height, seen on each side of it
	along  = 0.05 // of its width besides, left and right
)

// straightener moves corners that are about right to where they are. It sees
// the plate straightened by the corners given, with a rim around it.
type straightener struct{ net *model.Net }

// refine gives better corners for all plates in one run of the net. Corners
// that come out as no plate has them stay as they were.
func (s straightener) refine(img gocv.Mat, plates []quad) ([]quad, error) {
	w, h := s.net.Manifest.Input.Width, s.net.Manifest.Input.Height
	input := make([]float32, 3*w*h*len(plates))
	views := make([]quad, len(plates))
	for i, q := range plates {
		views[i] = inView(q, float64(w), float64(h))
		if err := s.draw(img, q, views[i], input[3*w*h*i:]); err != nil {
			return nil, err
		}
	}
	out, err := s.net.Run([]int64{int64(len(plates)), 3, int64(h), int64(w)}, input)
	if err != nil {
		return nil, err
	}
	corners, err := model.Output(out, "corners", 3)
	if err != nil {
		return nil, err
	}
	if !slices.Equal(corners.Shape, []int{len(plates), 4, 2}) {
		return nil, fmt.Errorf("the net gave corners %v for %d plates", corners.Shape, len(plates))
	}
	better := make([]quad, len(plates))
	for i, q := range plates {
		var seen quad
		for k := range seen {
			seen[k] = point{float64(corners.Data[8*i+2*k]) * float64(w), float64(corners.Data[8*i+2*k+1]) * float64(h)}
		}
		better[i] = seen.through(views[i], q)
		if !better[i].plausible() || overlap(better[i], q) < nearMiddle {
			better[i] = q
		}
	}
	return better, nil
}

// inView is where the corners of a plate lie in its view.
func inView(q quad, w, h float64) quad {
	pw, ph := q.mean()
	mx := around*max(ph, 1)/max(pw, 1) + along
	x, y := w*mx/(1+2*mx), h*around/(1+2*around)
	return quad{{x, y}, {w - x, y}, {w - x, h - y}, {x, h - y}}
}

// draw lays the view of a plate out as planes of RGB, 0..1. A large plate is
// first brought near the view's size, so that it does not alias.
func (s straightener) draw(img gocv.Mat, q, view quad, input []float32) error {
	w, h := s.net.Manifest.Input.Width, s.net.Manifest.Input.Height
	pw, ph := q.size()
	part, q := surrounding(img, q, 0.9*max(ph, 0.2*pw))
	defer func() { _ = part.Close() }()
	vw, vh := view.size()
	if f := min(vw/pw, vh/ph); f < 1/1.5 {
		size := image.Pt(max(1, int(float64(part.Cols())*f)), max(1, int(float64(part.Rows())*f)))
		q = q.scaled(float64(size.X)/float64(part.Cols()), float64(size.Y)/float64(part.Rows()))
		small := gocv.NewMat()
		gocv.Resize(part, &small, size, 0, 0, gocv.InterpolationArea)
		_ = part.Close()
		part = small
	}
	m := transform(q, view)
	defer m.Close()
	out := gocv.NewMat()
	defer out.Close()
	gocv.WarpPerspectiveWithParams(part, &out, m, image.Pt(w, h), gocv.InterpolationLinear, gocv.BorderReplicate, color.RGBA{})
	bgr, err := out.DataPtrUint8()
	if err != nil {
		return fmt.Errorf("read view of a plate: %w", err)
	}
	planes(bgr, input[:3*w*h])
	return nil
}

// planes lays interleaved BGR out as planes of RGB, 0..1.
func planes(bgr []uint8, out []float32) {
	n := len(out) / 3
	for i := range n {
		out[i] = float32(bgr[3*i+2]) / 255
		out[n+i] = float32(bgr[3*i+1]) / 255
		out[2*n+i] = float32(bgr[3*i]) / 255
	}
}
