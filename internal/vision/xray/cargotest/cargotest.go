// Package cargotest renders side views of containers on trailers, honest and
// not, from a frozen list of cases, to measure the cargo rules on. It shares no
// figure with the rules.
package cargotest

import (
	"bufio"
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	"image"
	"math"
	"math/rand/v2"

	"gatehouse/internal/vision/xray/scantest"
)

// Case is a line of the list. It says all that is drawn, but for what the seed
// varies.
type Case struct {
	Rule     string  `json:"rule"` // that it measures
	Seed     uint64  `json:"seed"`
	Positive bool    `json:"positive"`
	Load     string  `json:"load"`         // "empty", "uniform", "bulk", "mixed", "tank", "crates", "coils" or "sheets"
	Twins    bool    `json:"twins"`        // two twenties
	Place    string  `json:"place"`        // of what is hidden: "roof", "floor", "front" or "wall"
	Amount   float64 `json:"amount"`       // attenuation of what is hidden, or factor on mass
	Level    float64 `json:"level"`        // attenuation of the load
	Top      float64 `json:"top"`          // height of the load, share of the room
	Declared string  `json:"declared"`     // goods by the papers
	KG       float64 `json:"kg,omitempty"` // set by the renderer
}

//go:embed cases.jsonl
var list embed.FS

// Cases are those of a rule.
func Cases(rule string) ([]Case, error) {
	text, err := list.ReadFile("cases.jsonl")
	if err != nil {
		return nil, fmt.Errorf("read the cargo cases: %w", err)
	}
	var out []Case
	lines := bufio.NewScanner(bytes.NewReader(text))
	for lines.Scan() {
		var c Case
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
			return nil, fmt.Errorf("read the cargo cases: %w", err)
		}
		if c.Rule == rule {
			out = append(out, c)
		}
	}
	return out, lines.Err()
}

// Draw makes the list; the committed one was made with seed 20261122 before any
// rule was tuned.
func Draw(seed uint64) []Case {
	dice := rand.New(rand.NewPCG(seed, 1))
	loads := []string{"uniform", "bulk", "mixed", "empty"}
	var out []Case
	for _, rule := range []string{"hidden-volume", "mass", "declared-empty", "declared-uniform", "twins", "lot", "declared-liquid", "declared-metal"} {
		for i := range 400 {
			c := Case{Rule: rule, Seed: uint64(len(out)) + 7000, Positive: i%4 == 3, Load: loads[dice.IntN(4)],
				Level: 0.4 + 1.4*dice.Float64(), Top: 0.45 + 0.5*dice.Float64(), Twins: dice.IntN(4) == 0}
			switch rule {
			case "hidden-volume":
				c.Place, c.Amount = []string{"roof", "floor", "front", "wall"}[dice.IntN(4)], 0.35+0.9*dice.Float64()
				c.Twins = false
			case "mass":
				c.Load, c.Amount = loads[dice.IntN(3)], []float64{0.5, 1.8}[dice.IntN(2)]
			case "declared-empty":
				c.Declared = "empty"
				if !c.Positive {
					c.Load = "empty"
				} else if c.Load == "empty" {
					c.Load = "uniform"
				}
			case "declared-uniform":
				c.Declared, c.Twins = "uniform", false
				if c.Load = loads[dice.IntN(2)]; c.Positive {
					c.Load = "mixed"
				}
			case "twins":
				c.Twins = c.Positive
			case "lot":
				c.Load, c.Twins = "uniform", false
				c.Amount = []float64{0.45, 1.9}[dice.IntN(2)]
			case "declared-liquid":
				c.Declared, c.Twins, c.Load, c.Level = "liquid", false, []string{"tank", "crates"}[dice.IntN(2)], 1+3.5*dice.Float64()
				if c.Positive {
					c.Load = "mixed"
				}
			case "declared-metal":
				c.Declared, c.Load = "metal", []string{"coils", "sheets"}[dice.IntN(2)]
				if c.Positive {
					c.Load, c.Level = loads[dice.IntN(2)], 0.4+0.6*dice.Float64()
				} else {
					c.Level, c.Top = 2+3*dice.Float64(), 0.15+0.4*dice.Float64()
				}
			}
			out = append(out, c)
		}
	}
	return out
}

// Size of the renders in pixels, and what a pixel is.
const (
	Width, Height = 800, 300
	MMPerPixel    = 16.0
	// perAttenuation is g/cm2 of goods per unit of log attenuation of the drawn
	// machine: 1 / (0.0445 cm2/g), light goods at about 2.4 MeV.
	perAttenuation = 1 / 0.0445
)

// View is a rendered scan with its truth.
type View struct {
	scantest.Plane
	KG     float64           // of the load
	Rooms  []image.Rectangle // insides of the bodies
	Hidden image.Rectangle
}

type sketch struct {
	a    []float64
	dice *rand.Rand
}

func (s *sketch) put(r image.Rectangle, a float64) float64 {
	r = r.Intersect(image.Rect(0, 0, Width, Height))
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for x := r.Min.X; x < r.Max.X; x++ {
			s.a[y*Width+x] += a
		}
	}
	return a * float64(r.Dx()*r.Dy())
}

func (s *sketch) between(lo, hi float64) float64 { return lo + (hi-lo)*s.dice.Float64() }

// Render draws a case. The container is that of the machine's template, moved
// and exposed anew; empty draws the template itself.
func Render(c Case, empty bool) View {
	s := &sketch{a: make([]float64, Width*Height), dice: rand.New(rand.NewPCG(c.Seed, 2))}
	dx, dy := s.dice.IntN(17)-8, s.dice.IntN(9)-4
	if empty {
		dx, dy = 0, 0
	}
	ground := 270 + dy
	for x := dx; x < Width; x += 150 {
		s.put(image.Rect(x+30, ground-20, x+70, ground), 2.2) // wheels
	}
	s.put(image.Rect(80+dx, 226+dy, 740+dx, 234+dy), 1.6) // chassis
	spans := [][2]int{{90, 730}}
	if c.Twins {
		spans = [][2]int{{90, 402}, {418, 730}}
	}
	var v View
	mass := 0.0
	for _, span := range spans {
		room := s.container(span[0]+dx, span[1]+dx, 24+dy, 226+dy)
		v.Rooms = append(v.Rooms, room)
		if !empty {
			mass += s.load(c, room)
		}
	}
	if c.Positive && !empty && c.Place != "" {
		v.Hidden = s.hide(c, v.Rooms[0])
	}
	v.KG = mass * perAttenuation * (MMPerPixel / 10) * (MMPerPixel / 10) / 1000
	v.Plane = s.expose()
	return v
}

// container draws walls, posts, roof, floor, bulkhead and doors.
func (s *sketch) container(x0, x1, roof, under int) image.Rectangle {
	for x := x0; x < x1; x++ {
		s.put(image.Rect(x, roof, x+1, under), 0.09+0.012*math.Sin(float64(x)/2.2))
	}
	s.put(image.Rect(x0, roof, x1, roof+4), 0.55)
	s.put(image.Rect(x0, under-9, x1, under), 0.75)
	s.put(image.Rect(x0, roof, x0+6, under), 0.9)
	s.put(image.Rect(x1-6, roof, x1, under), 1.0)
	return image.Rect(x0+6, roof+4, x1-6, under-9)
}

// load fills a room and returns its attenuation times area.
func (s *sketch) load(c Case, room image.Rectangle) float64 {
	sum := 0.0
	top := room.Max.Y - int(c.Top*float64(room.Dy()))
	switch c.Load {
	case "uniform":
		level := c.Level
		if c.Rule == "lot" && c.Positive {
			level *= c.Amount
		}
		if c.Rule == "lot" {
			level, top = level/c.Level*0.9*s.between(0.96, 1.04), room.Max.Y-int(0.8*float64(room.Dy()))
		}
		n := 22 + s.dice.IntN(10)
		for x := room.Min.X + 2; x+n < room.Max.X; x += n {
			for y := room.Max.Y; y-n > top; y -= n {
				sum += s.put(image.Rect(x, y-n, x+n-1, y-1), level*s.between(0.96, 1.04))
			}
		}
	case "bulk":
		phase := s.between(0, 6)
		for x := room.Min.X; x < room.Max.X; x++ {
			t := top + int(7*math.Sin(float64(x)/45+phase))
			sum += s.put(image.Rect(x, t, x+1, room.Max.Y), c.Level)
		}
	case "mixed":
		for x := room.Min.X + 3; x < room.Max.X-30; {
			w := 26 + s.dice.IntN(34)
			h := int(s.between(0.3, 0.95) * float64(room.Dy()))
			sum += s.put(image.Rect(x, room.Max.Y-h, min(room.Max.X, x+w), room.Max.Y), s.between(0.25, 2.2))
			x += w + 2 + s.dice.IntN(6)
		}
	default:
		return s.special(c, room, top)
	}
	return sum
}

// special fills a room with a bag of liquid, crates of it, or metal.
func (s *sketch) special(c Case, room image.Rectangle, top int) float64 {
	sum := 0.0
	switch c.Load {
	case "tank": // lower towards its ends
		left, right := room.Min.X+s.dice.IntN(40), room.Max.X-s.dice.IntN(40)
		for x := left; x < right; x++ {
			ends := math.Exp(-float64(min(x-left, right-1-x)) / 9)
			sum += s.put(image.Rect(x, top+int(ends*0.8*float64(room.Max.Y-top)), x+1, room.Max.Y), c.Level)
		}
	case "crates": // all filled alike, some places left empty
		w := 55 + s.dice.IntN(15)
		for x := room.Min.X + 4; x+w < room.Max.X; x += w + 3 {
			if s.dice.IntN(6) > 0 {
				sum += s.put(image.Rect(x, top+s.dice.IntN(4), x+w, room.Max.Y), c.Level*s.between(0.95, 1.05))
			}
		}
	case "coils":
		r := int(max(14, c.Top*float64(room.Dy())/2))
		for x := room.Min.X + r + 5; x+r < room.Max.X; x += 2*r + 8 + s.dice.IntN(60) {
			for d := -r; d < r; d++ {
				h := int(math.Sqrt(float64(r*r - d*d)))
				sum += s.put(image.Rect(x+d, room.Max.Y-r-h, x+d+1, room.Max.Y-r+h), c.Level)
			}
		}
	case "sheets":
		n := 60 + s.dice.IntN(120)
		for x := room.Min.X + 10; x+n < room.Max.X; x += n + 12 + s.dice.IntN(50) {
			sum += s.put(image.Rect(x, room.Max.Y-int(c.Top*s.between(0.7, 1)*float64(room.Dy())), x+n, room.Max.Y), c.Level*s.between(0.8, 1.1))
		}
	}
	return sum
}

// hide packs something into the structure.
func (s *sketch) hide(c Case, room image.Rectangle) image.Rectangle {
	w := int(s.between(0.10, 0.35) * float64(room.Dx()))
	x := room.Min.X + s.dice.IntN(room.Dx()-w)
	var r image.Rectangle
	switch c.Place {
	case "roof":
		r = image.Rect(x, room.Min.Y-4, x+w, room.Min.Y)
	case "floor":
		r = image.Rect(x, room.Max.Y, x+w, room.Max.Y+9)
	case "front": // a false bulkhead with something behind it
		d := 12 + s.dice.IntN(18)
		r = image.Rect(room.Min.X, room.Min.Y, room.Min.X+d, room.Max.Y)
		s.put(image.Rect(r.Max.X-3, r.Min.Y, r.Max.X, r.Max.Y), 0.5)
	case "wall": // in the end wall's posts
		r = image.Rect(room.Max.X, room.Min.Y, room.Max.X+6, room.Max.Y-s.dice.IntN(room.Dy()/2))
	}
	s.put(r, c.Amount)
	return r
}

// expose adds what a machine adds.
func (s *sketch) expose() scantest.Plane {
	p := scantest.Plane{W: Width, H: Height, V: make([]float32, Width*Height)}
	photons, air := s.between(8000, 30000), s.between(0.9, 0.97)
	gain := make([]float64, Height)
	for y := range gain {
		gain[y] = 1 + 0.004*s.dice.NormFloat64()
	}
	dose := make([]float64, Width)
	for x := range dose {
		dose[x] = 1 + 0.004*s.dice.NormFloat64()
	}
	for i := range p.V {
		x := i % Width
		t := 0.0
		for _, d := range []int{-1, 0, 0, 1} {
			t += math.Exp(-s.a[i-x+min(max(x+d, 0), Width-1)]) / 4
		}
		t = (t + 0.001) * gain[i/Width] * dose[x]
		t += s.dice.NormFloat64() * math.Sqrt(max(t, 1e-5)/photons+1e-8)
		p.V[i] = float32(min(1, max(0, t*air)))
	}
	return p
}
