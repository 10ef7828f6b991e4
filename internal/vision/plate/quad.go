package plate

import (
	"image"
	"math"
)

// point is a place in a picture, in pixels.
type point struct{ X, Y float64 }

// quad holds a plate's corners: top left, top right, bottom right, bottom left
// as the plate is read.
type quad [4]point

func dist(a, b point) float64 { return math.Hypot(a.X-b.X, a.Y-b.Y) }

// size is the longer of each pair of opposite sides, at least 1.
func (q quad) size() (w, h float64) {
	w = max(dist(q[0], q[1]), dist(q[3], q[2]), 1)
	h = max(dist(q[0], q[3]), dist(q[1], q[2]), 1)
	return w, h
}

// mean is width and height as the mean of opposite sides: the proportions.
func (q quad) mean() (w, h float64) {
	w = (dist(q[0], q[1]) + dist(q[3], q[2])) / 2
	h = (dist(q[0], q[3]) + dist(q[1], q[2])) / 2
	return w, h
}

func (q quad) scaled(sx, sy float64) quad {
	for i := range q {
		q[i].X *= sx
		q[i].Y *= sy
	}
	return q
}

func (q quad) moved(dx, dy float64) quad {
	for i := range q {
		q[i].X += dx
		q[i].Y += dy
	}
	return q
}

// through maps the quad by the homography that takes one quad to another.
func (q quad) through(from, to quad) quad {
	m := transform(from, to)
	defer m.Close()
	for i, p := range q {
		z := m.GetDoubleAt(2, 0)*p.X + m.GetDoubleAt(2, 1)*p.Y + m.GetDoubleAt(2, 2)
		q[i] = point{
			(m.GetDoubleAt(0, 0)*p.X + m.GetDoubleAt(0, 1)*p.Y + m.GetDoubleAt(0, 2)) / z,
			(m.GetDoubleAt(1, 0)*p.X + m.GetDoubleAt(1, 1)*p.Y + m.GetDoubleAt(1, 2)) / z,
		}
	}
	return q
}

// bounds is the rectangle around the quad.
func (q quad) bounds() (x0, y0, x1, y1 float64) {
	x0, y0, x1, y1 = q[0].X, q[0].Y, q[0].X, q[0].Y
	for _, p := range q[1:] {
		x0, y0 = min(x0, p.X), min(y0, p.Y)
		x1, y1 = max(x1, p.X), max(y1, p.Y)
	}
	return x0, y0, x1, y1
}

// rect is bounds in whole pixels.
func (q quad) rect() image.Rectangle {
	x0, y0, x1, y1 := q.bounds()
	return image.Rect(int(math.Round(x0)), int(math.Round(y0)), int(math.Round(x1)), int(math.Round(y1)))
}

// plausible is false for corners that no plate has: not convex in reading
// order, turned over, or thinner than 4 pixels.
func (q quad) plausible() bool {
	for i := range q {
		a, b, c := q[i], q[(i+1)%4], q[(i+2)%4]
		if (b.X-a.X)*(c.Y-b.Y)-(b.Y-a.Y)*(c.X-b.X) <= 0 {
			return false
		}
	}
	w, h := q.mean()
	return w >= 8 && h >= 4
}

// overlap is the shared area of the bounds over the smaller of both areas.
func overlap(a, b quad) float64 {
	ax0, ay0, ax1, ay1 := a.bounds()
	bx0, by0, bx1, by1 := b.bounds()
	w, h := min(ax1, bx1)-max(ax0, bx0), min(ay1, by1)-max(ay0, by0)
	if w <= 0 || h <= 0 {
		return 0
	}
	smaller := min((ax1-ax0)*(ay1-ay0), (bx1-bx0)*(by1-by0))
	return w * h / max(smaller, 1e-9)
}
