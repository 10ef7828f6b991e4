package render

import (
	"image"
	"math"

	"golang.org/x/image/vector"
)

// rgb is a colour in linear steps of 0..1; it may run over 1 in bright lights
// until the picture is developed.
type rgb [3]float32

func grey(v float32) rgb { return rgb{v, v, v} }

func (c rgb) times(f float32) rgb { return rgb{c[0] * f, c[1] * f, c[2] * f} }

func (c rgb) mix(d rgb, share float32) rgb {
	for i := range c {
		c[i] += (d[i] - c[i]) * share
	}
	return c
}

type point struct{ x, y float64 }

// projection maps millimetres on the vehicle's front (x from its middle to the
// right, y up from the road) to pixels, with the perspective of a camera that
// looks slightly from above and from the side.
type projection struct {
	scale  float64 // pixels per millimetre at the middle
	cx, cy float64 // pixel of x=0, y=level
	level  float64 // height of the optical axis, mm
	yaw    float64 // perspective per millimetre of x
	pitch  float64 // perspective per millimetre of y
	cos    float64 // of the camera's roll
	sin    float64
}

func (p projection) at(x, y float64) point {
	y -= p.level
	w := 1 + p.yaw*x + p.pitch*y
	u, v := p.scale*x/w, -p.scale*y/w
	return point{p.cx + u*p.cos - v*p.sin, p.cy + u*p.sin + v*p.cos}
}

// back is the inverse of at.
func (p projection) back(px, py float64) (x, y float64) {
	c, s := p.cos, -p.sin
	du, dv := px-p.cx, py-p.cy
	u, v := (du*c-dv*s)/p.scale, -(du*s+dv*c)/p.scale
	// u = x/(1+yaw*x+pitch*y), v = y/(...): with w known both are linear.
	w := 1 / (1 - p.yaw*u - p.pitch*v)
	return u * w, v*w + p.level
}

// canvas is a picture under work.
type canvas struct {
	w, h int
	pix  []rgb
	proj projection
}

func newCanvas(w, h int) *canvas { return &canvas{w: w, h: h, pix: make([]rgb, w*h)} }

// shader gives the colour of a place in the shape's own coordinates.
type shader func(x, y float64) rgb

func flat(c rgb) shader { return func(_, _ float64) rgb { return c } }

// solid paints a closed outline given in millimetres on the vehicle; the
// shader gets millimetres too.
func (c *canvas) solid(outline []point, opacity float32, s shader) {
	px := make([]point, len(outline))
	for i, p := range outline {
		px[i] = c.proj.at(p.x, p.y)
	}
	c.paint(px, opacity, func(x, y float64) rgb { return s(c.proj.back(x, y)) })
}

// paint paints a closed outline given in pixels.
func (c *canvas) paint(px []point, opacity float32, s shader) {
	box := image.Rectangle{Min: image.Pt(c.w, c.h)}
	for _, p := range px {
		box.Min.X, box.Min.Y = min(box.Min.X, int(p.x)-1), min(box.Min.Y, int(p.y)-1)
		box.Max.X, box.Max.Y = max(box.Max.X, int(p.x)+2), max(box.Max.Y, int(p.y)+2)
	}
	box = box.Intersect(image.Rect(0, 0, c.w, c.h))
	if box.Empty() {
		return
	}
	r := vector.NewRasterizer(box.Dx(), box.Dy())
	for i, p := range px {
		x, y := float32(p.x)-float32(box.Min.X), float32(p.y)-float32(box.Min.Y)
		if i == 0 {
			r.MoveTo(x, y)
			continue
		}
		r.LineTo(x, y)
	}
	r.ClosePath()
	mask := image.NewAlpha(image.Rect(0, 0, box.Dx(), box.Dy()))
	r.Draw(mask, mask.Rect, image.Opaque, image.Point{})
	for y := range box.Dy() {
		row := mask.Pix[y*mask.Stride : y*mask.Stride+box.Dx()]
		for x, a := range row {
			if a == 0 {
				continue
			}
			at := (y+box.Min.Y)*c.w + x + box.Min.X
			c.pix[at] = c.pix[at].mix(s(float64(x+box.Min.X)+0.5, float64(y+box.Min.Y)+0.5), opacity*float32(a)/255)
		}
	}
}

// glow adds light around a pixel.
func (c *canvas) glow(at point, radius float64, light rgb) {
	x0, x1 := max(0, int(at.x-4*radius)), min(c.w, int(at.x+4*radius))
	y0, y1 := max(0, int(at.y-4*radius)), min(c.h, int(at.y+4*radius))
	for y := y0; y < y1; y++ {
		for x := x0; x < x1; x++ {
			d2 := ((float64(x)-at.x)*(float64(x)-at.x) + (float64(y)-at.y)*(float64(y)-at.y)) / (radius * radius)
			f := float32(math.Exp(-d2/2)*0.7 + 0.3/(1+4*d2)*max(0, 1-d2/16))
			p := &c.pix[y*c.w+x]
			for i := range p {
				p[i] += light[i] * f
			}
		}
	}
}

// box is the outline of a rectangle with round corners.
func box(x0, y0, x1, y1, r float64) []point {
	r = min(r, math.Abs(x1-x0)/2, math.Abs(y1-y0)/2)
	if r <= 0 {
		return []point{{x0, y0}, {x1, y0}, {x1, y1}, {x0, y1}}
	}
	var out []point
	const steps = 6
	corner := func(cx, cy, from float64) {
		for i := range steps + 1 {
			a := from + math.Pi/2*float64(i)/steps
			out = append(out, point{cx + r*math.Cos(a), cy + r*math.Sin(a)})
		}
	}
	corner(x1-r, y1-r, 0)
	corner(x0+r, y1-r, math.Pi/2)
	corner(x0+r, y0+r, math.Pi)
	corner(x1-r, y0+r, 3*math.Pi/2)
	return out
}

func disc(cx, cy, rx, ry float64) []point {
	const steps = 36
	out := make([]point, steps)
	for i := range out {
		a := 2 * math.Pi * float64(i) / steps
		out[i] = point{cx + rx*math.Cos(a), cy + ry*math.Sin(a)}
	}
	return out
}

// stripe is the outline of a straight line of that width.
func stripe(a, b point, width float64) []point {
	dx, dy := b.x-a.x, b.y-a.y
	l := math.Hypot(dx, dy)
	if l == 0 {
		return nil
	}
	nx, ny := -dy/l*width/2, dx/l*width/2
	return []point{{a.x + nx, a.y + ny}, {b.x + nx, b.y + ny}, {b.x - nx, b.y - ny}, {a.x - nx, a.y - ny}}
}

// mirrored paints a shape of the vehicle and its mirror image.
func (c *canvas) mirrored(outline []point, opacity float32, s shader) {
	c.solid(outline, opacity, s)
	other := make([]point, len(outline))
	for i, p := range outline {
		other[i] = point{-p.x, p.y}
	}
	c.solid(other, opacity, func(x, y float64) rgb { return s(-x, y) })
}
