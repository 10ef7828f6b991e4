package plate

import (
	"image"
	"image/color"
	"math"

	"gocv.io/x/gocv"
)

// rectify draws the plate with a margin (a fraction of its width and height on
// each side) as grey pixels of the given size. A large plate is first brought
// near that size by the mean of its pixels, so that it does not alias; the
// training scripts do the same.
func rectify(img gocv.Mat, q quad, margin float64, width, height int) gocv.Mat {
	w, h := q.size()
	part, q := surrounding(img, q, 0.4*max(w, h))
	grey := gocv.NewMat()
	gocv.CvtColor(part, &grey, gocv.ColorBGRToGray)
	_ = part.Close()
	defer func() { _ = grey.Close() }()

	if f := min(w/float64(width), h/float64(height)); f > 1.5 {
		size := image.Pt(max(1, int(float64(grey.Cols())/f)), max(1, int(float64(grey.Rows())/f)))
		q = q.scaled(float64(size.X)/float64(grey.Cols()), float64(size.Y)/float64(grey.Rows()))
		small := gocv.NewMat()
		gocv.Resize(grey, &small, size, 0, 0, gocv.InterpolationArea)
		_ = grey.Close()
		grey = small
	}
	k := 1 + 2*margin
	mx, my := float64(width)*margin/k, float64(height)*margin/k
	x1, y1 := float64(width)-mx, float64(height)-my
	m := transform(q, quad{{mx, my}, {x1, my}, {x1, y1}, {mx, y1}})
	defer m.Close()
	out := gocv.NewMat()
	gocv.WarpPerspectiveWithParams(grey, &out, m, image.Pt(width, height), gocv.InterpolationLinear,
		gocv.BorderReplicate, color.RGBA{})
	return out
}

// surrounding is the part of img within a distance of the quad, which is moved into
// it. The part shares the pixels of img.
func surrounding(img gocv.Mat, q quad, distance float64) (gocv.Mat, quad) {
	x0, y0, x1, y1 := q.bounds()
	r := image.Rect(
		int(math.Floor(x0-distance)), int(math.Floor(y0-distance)),
		int(math.Ceil(x1+distance))+1, int(math.Ceil(y1+distance))+1,
	)
	r.Min.X = max(0, min(r.Min.X, img.Cols()-2))
	r.Min.Y = max(0, min(r.Min.Y, img.Rows()-2))
	r.Max.X = min(max(r.Max.X, r.Min.X+2), img.Cols())
	r.Max.Y = min(max(r.Max.Y, r.Min.Y+2), img.Rows())
	return img.Region(r), q.moved(-float64(r.Min.X), -float64(r.Min.Y))
}

func transform(from, to quad) gocv.Mat {
	vector := func(q quad) gocv.Point2fVector {
		var p [4]gocv.Point2f
		for i, c := range q {
			p[i] = gocv.Point2f{X: float32(c.X), Y: float32(c.Y)}
		}
		return gocv.NewPoint2fVectorFromPoints(p[:])
	}
	a, b := vector(from), vector(to)
	defer a.Close()
	defer b.Close()
	return gocv.GetPerspectiveTransform2f(a, b)
}
