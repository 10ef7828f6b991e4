package xray_test

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"gatehouse/internal/vision/picture"
)

// scanner is a rendered side view of a lorry as attenuation (minus the natural
// logarithm of the transmission). It shares no figure with the analysis.
type scanner struct {
	w, h int
	a    []float64
	rng  *rand.Rand
}

func newScanner(seed uint64, w, h int) *scanner {
	return &scanner{w: w, h: h, a: make([]float64, w*h), rng: rand.New(rand.NewPCG(seed, 7))}
}

func (s *scanner) between(lo, hi float64) float64 { return lo + (hi-lo)*s.rng.Float64() }

// put adds attenuation to a rectangle; rays pass everything on their way.
func (s *scanner) put(r image.Rectangle, a float64) {
	r = r.Intersect(image.Rect(0, 0, s.w, s.h))
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for x := r.Min.X; x < r.Max.X; x++ {
			s.a[y*s.w+x] += a
		}
	}
}

// disc adds a sphere-like bulge or, flat, a disc.
func (s *scanner) disc(cx, cy, radius int, a float64, flat bool) {
	for y := max(0, cy-radius); y < min(s.h, cy+radius+1); y++ {
		for x := max(0, cx-radius); x < min(s.w, cx+radius+1); x++ {
			d := math.Hypot(float64(x-cx), float64(y-cy)) / float64(radius)
			if d >= 1 {
				continue
			}
			if flat {
				s.a[y*s.w+x] += a
			} else {
				s.a[y*s.w+x] += a * math.Sqrt(1-d*d)
			}
		}
	}
}

// lorry draws cab, engine, chassis, wheels and a box body, and returns the
// inside of the body.
func (s *scanner) lorry() image.Rectangle {
	w, h := float64(s.w), float64(s.h)
	ground := int(h * s.between(0.90, 0.96))
	under := ground - int(h*s.between(0.16, 0.22))
	roof := int(h * s.between(0.06, 0.14))
	left := int(w * s.between(0.24, 0.30))
	right := int(w * s.between(0.88, 0.97))
	cabRoof := int(h * s.between(0.12, 0.32))
	cabLeft, cabRight := int(w*s.between(0.04, 0.08)), left-int(w*s.between(0.025, 0.04))
	s.put(image.Rect(cabLeft, cabRoof, cabRight, under), s.between(0.15, 0.35))                     // cab
	s.put(image.Rect(cabLeft+s.w/50, under-s.h/5, cabRight-s.w/40, under+s.h/20), s.between(2, 4))  // engine
	s.put(image.Rect(cabLeft, under, right, under+max(3, s.h/40)), s.between(1.2, 2.2))             // chassis
	s.put(image.Rect(cabRight+s.w/60, under+s.h/40, left+s.w/12, under+s.h/9), s.between(0.8, 1.5)) // tank
	for _, x := range []float64{0.13, 0.62, 0.70, 0.78} {
		s.disc(int(w*x), ground-s.h/13, s.h/13, 1.4, true)
		s.disc(int(w*x), ground-s.h/13, s.h/28, 2.5, true)
	}
	body := image.Rect(left, roof, right, under)
	s.put(body, s.between(0.06, 0.16)) // both walls
	s.put(image.Rect(left, roof, right, roof+max(2, s.h/80)), s.between(0.3, 0.8))
	s.put(image.Rect(left, under-max(3, s.h/45), right, under), s.between(0.6, 1.0)) // floor
	for _, x := range []int{left, right - max(2, s.w/200)} {
		s.put(image.Rect(x, roof, x+max(2, s.w/200), under), s.between(0.8, 1.6)) // posts
	}
	return image.Rect(left+s.w/100, roof+s.h/30, right-s.w/100, under-s.h/45)
}

// load is a way to fill a body. It returns where a block could be hidden.
type load func(s *scanner, room image.Rectangle) image.Rectangle

// uniform goods: cartons of one kind, stacked in columns with thin gaps.
func uniform(s *scanner, room image.Rectangle) image.Rectangle {
	level := s.between(0.6, 1.8)
	top := room.Min.Y + int(float64(room.Dy())*s.between(0.05, 0.4))
	end := room.Max.X - int(float64(room.Dx())*s.between(0, 0.25))
	carton := max(6, room.Dy()/5)
	for x := room.Min.X; x < end; x += carton {
		for y := room.Max.Y; y > top; y -= carton {
			box := image.Rect(x, max(top, y-carton), min(end, x+carton-1), y-1)
			s.put(box, level*s.between(0.96, 1.04))
		}
	}
	return image.Rect(room.Min.X+room.Dx()/20, top+room.Dy()/12, end-room.Dx()/20, room.Max.Y-room.Dy()/15)
}

// bulk is grain or sand: a smooth heap.
func bulk(s *scanner, room image.Rectangle) image.Rectangle {
	level, height := s.between(0.9, 2.2), s.between(0.45, 0.8)
	phase := s.between(0, 6)
	for x := room.Min.X; x < room.Max.X; x++ {
		t := float64(x-room.Min.X) / float64(room.Dx())
		top := room.Max.Y - int(float64(room.Dy())*height*(0.9+0.1*math.Sin(6*t+phase)))
		s.put(image.Rect(x, top, x+1, room.Max.Y), level)
	}
	return image.Rect(room.Min.X+room.Dx()/20, room.Max.Y-int(float64(room.Dy())*(height*0.75)),
		room.Max.X-room.Dx()/20, room.Max.Y-room.Dy()/15)
}

// mixed pallets, each of its own density and height.
func mixed(s *scanner, room image.Rectangle) image.Rectangle {
	n := 6 + s.rng.IntN(6)
	for i := range n {
		x0, x1 := room.Min.X+room.Dx()*i/n, room.Min.X+room.Dx()*(i+1)/n-2
		top := room.Max.Y - int(float64(room.Dy())*s.between(0.2, 0.9))
		s.put(image.Rect(x0, top, x1, room.Max.Y), s.between(0.3, 2.4))
		for range s.rng.IntN(4) { // machines, tins and bottles
			y := top + s.rng.IntN(max(1, room.Max.Y-top))
			s.put(image.Rect(x0, y, x0+(x1-x0)/2, y+room.Dy()/9), s.between(0.1, 0.8))
		}
	}
	return image.Rectangle{}
}

// drums stand in a row, dense and alike.
func drums(s *scanner, room image.Rectangle) image.Rectangle {
	n, level, height := 6+s.rng.IntN(8), s.between(1.2, 3), s.between(0.3, 0.7)
	width := room.Dx() / n
	for i := range n {
		for x := range width - 3 {
			d := 2*float64(x)/float64(width-3) - 1
			s.put(image.Rect(room.Min.X+i*width+x, room.Max.Y-int(float64(room.Dy())*height), room.Min.X+i*width+x+1, room.Max.Y),
				level*math.Sqrt(max(0.05, 1-d*d)))
		}
	}
	return image.Rectangle{}
}

// few pallets in an otherwise empty body.
func few(s *scanner, room image.Rectangle) image.Rectangle {
	for range 1 + s.rng.IntN(3) {
		x := room.Min.X + s.rng.IntN(room.Dx()*4/5)
		s.put(image.Rect(x, room.Max.Y-int(float64(room.Dy())*s.between(0.2, 0.6)), x+room.Dx()/8, room.Max.Y), s.between(0.4, 3))
	}
	return image.Rectangle{}
}

func empty(*scanner, image.Rectangle) image.Rectangle { return image.Rectangle{} }

// hide puts a dense block of a random size into the load.
func (s *scanner) hide(in image.Rectangle) image.Rectangle {
	w, h := max(6, int(float64(s.w)*s.between(0.025, 0.07))), max(6, int(float64(s.h)*s.between(0.07, 0.16)))
	x := in.Min.X + s.rng.IntN(max(1, in.Dx()-w))
	y := in.Min.Y + s.rng.IntN(max(1, in.Dy()-h))
	block := image.Rect(x, y, x+w, y+h)
	s.put(block, s.between(0.7, 2.5))
	return block
}

// picture exposes the scan: blur, photon and electronic noise, 8 or 16 bit.
func (s *scanner) picture(t testing.TB, bits int) *picture.Picture {
	t.Helper()
	through := make([]float64, len(s.a))
	for i, a := range s.a {
		through[i] = math.Exp(-a)
	}
	blurred := make([]float64, len(s.a))
	for y := range s.h {
		for x := range s.w {
			sum, n := 0.0, 0.0
			for dy := -1; dy <= 1; dy++ {
				for dx := -1; dx <= 1; dx++ {
					if px, py := x+dx, y+dy; px >= 0 && py >= 0 && px < s.w && py < s.h {
						sum += through[py*s.w+px]
						n++
					}
				}
			}
			blurred[y*s.w+x] = sum / n
		}
	}
	photons := s.between(1500, 8000)
	line := make([]float64, s.h) // a detector's channels differ a little
	for y := range line {
		line[y] = 1 + 0.006*s.rng.NormFloat64()
	}
	air := s.between(0.93, 0.99)
	value := func(i int) float64 {
		v := blurred[i] * line[i/s.w]
		v += s.rng.NormFloat64()*math.Sqrt(max(v, 1e-4)/photons) + 0.0008*s.rng.NormFloat64()
		return min(1, max(0, v*air))
	}
	var b bytes.Buffer
	if bits == 16 {
		m := image.NewGray16(image.Rect(0, 0, s.w, s.h))
		for i := range s.a {
			m.SetGray16(i%s.w, i/s.w, color.Gray16{Y: uint16(value(i) * 65535)})
		}
		require.NoError(t, png.Encode(&b, m))
	} else {
		m := image.NewGray(image.Rect(0, 0, s.w, s.h))
		for i := range s.a {
			m.Pix[i] = uint8(value(i) * 255)
		}
		require.NoError(t, png.Encode(&b, m))
	}
	p, err := picture.Decode(b.Bytes(), picture.Raw, picture.DefaultLimits())
	require.NoError(t, err)
	return p
}
