package render

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"math"
	"math/rand/v2"

	"gatehouse/internal/sim/plate"
)

// Photo size in pixels.
const (
	PhotoWidth  = 960
	PhotoHeight = 600
)

// Light is the weather and the time of day in a photo.
type Light string

// Lights.
const (
	Day   Light = "day"
	Sun   Light = "sun"
	Dusk  Light = "dusk"
	Night Light = "night"
	Rain  Light = "rain"
	Fog   Light = "fog"
	IR    Light = "infrared"
)

// Lights are all of them.
func Lights() []Light { return []Light{Day, Sun, Dusk, Night, Rain, Fog, IR} }

// Scene is a lorry to be photographed: its front, or its rear as it leaves.
type Scene struct {
	Seed  uint64
	Plate plate.Plate
	Light Light
	Dirty bool // the camera's lens is dirty
	Rear  bool
	// Away is how much smaller the lorry is than at the line where it is
	// photographed, as on the earlier pictures of a burst: 0 at the line, below 1.
	Away float64
}

// Photo is a picture with its truth.
type Photo struct {
	JPEG []byte
	Box  image.Rectangle // of the plate, in pixels
}

// Photograph draws the scene.
func Photograph(fonts *Fonts, s Scene) (Photo, error) {
	dice := rand.New(rand.NewPCG(s.Seed, 0x7363656e65))
	c := newCanvas(PhotoWidth, PhotoHeight)
	c.proj = viewpoint(dice, s.Plate.Rows())
	c.proj.scale *= 1 - s.Away
	paint := painter{canvas: c, dice: dice, fonts: fonts, light: s.Light, lorry: design(dice)}
	paint.scenery()
	draw := paint.vehicle
	if s.Rear {
		draw = paint.rear
	}
	if err := draw(s.Plate); err != nil {
		return Photo{}, err
	}
	develop(c, dice, s)
	img := image.NewRGBA(image.Rect(0, 0, c.w, c.h))
	for i, p := range c.pix {
		img.Pix[4*i], img.Pix[4*i+1], img.Pix[4*i+2], img.Pix[4*i+3] = level(p[0]), level(p[1]), level(p[2]), 255
	}
	var out bytes.Buffer
	if err := jpeg.Encode(&out, img, &jpeg.Options{Quality: 80 + dice.IntN(13)}); err != nil {
		return Photo{}, fmt.Errorf("encode the photo: %w", err)
	}
	return Photo{JPEG: out.Bytes(), Box: paint.plateBox}, nil
}

func level(v float32) uint8 { return uint8(min(255, max(0, v*255+0.5))) }

// viewpoint is where the camera stands: near enough that a plate is 110 to 200
// pixels wide, two-row plates being the smaller ones.
func viewpoint(dice *rand.Rand, rows int) projection {
	wide := 0.215 + 0.08*dice.Float64()
	if rows == 2 {
		wide = 0.34 + 0.035*dice.Float64()
	}
	side := dice.Float64()*2 - 1
	height := float64(PhotoHeight) / wide
	roll := (dice.Float64()*2 - 1) * 0.025
	return projection{
		scale: wide, cx: PhotoWidth/2 + 50*(dice.Float64()*2-1), cy: PhotoHeight / 2,
		level: height*0.5 - 60 - 120*dice.Float64(),
		yaw:   side * 5e-5, pitch: -4e-5 * dice.Float64(), cos: math.Cos(roll), sin: math.Sin(roll),
	}
}

// lorry is how one make of cab looks; no real make is drawn.
type lorry struct {
	body, trim, boxColour rgb
	grilleTop, slats      float64
	roundLamps, bodyBump  bool
	plateAt               float64 // height of the plate's middle, mm
	sign                  string
	boxed                 bool
}

func design(dice *rand.Rand) lorry {
	bodies := []rgb{{0.78, 0.10, 0.09}, {0.86, 0.87, 0.88}, {0.10, 0.28, 0.62}, {0.13, 0.42, 0.30}, {0.90, 0.62, 0.10}, {0.55, 0.57, 0.60}, {0.45, 0.07, 0.10}, {0.20, 0.50, 0.68}}
	boxes := []rgb{{0.62, 0.22, 0.14}, {0.20, 0.35, 0.55}, {0.75, 0.75, 0.72}, {0.25, 0.42, 0.30}, {0.85, 0.80, 0.70}}
	signs := []string{"", "VẬN TẢI HÀNG HÓA", "XE TẢI NẶNG", "LẠNG SƠN", "HÀNG NÔNG SẢN", "THƯỢNG LỘ BÌNH AN"}
	return lorry{
		body: bodies[dice.IntN(len(bodies))], boxColour: boxes[dice.IntN(len(boxes))], trim: grey(0.10 + 0.08*dice.Float32()),
		grilleTop: 1350 + 120*dice.Float64(), slats: float64(3 + dice.IntN(5)),
		roundLamps: dice.IntN(4) == 0, bodyBump: dice.IntN(2) == 0,
		plateAt: 520 + 130*dice.Float64(), sign: signs[dice.IntN(len(signs))], boxed: dice.IntN(4) > 0,
	}
}

// painter draws one scene.
type painter struct {
	*canvas
	dice     *rand.Rand
	fonts    *Fonts
	light    Light
	lorry    lorry
	plateBox image.Rectangle
}

func (p *painter) dark() bool { return p.light == Night || p.light == IR }

// scenery draws the gate that the camera looks at past the lorry: hills, the
// canopy with its lamps, a booth on its island, and the road.
func (p *painter) scenery() {
	_, horizon := p.horizon()
	sky := map[Light][2]rgb{
		Day: {{0.62, 0.72, 0.83}, {0.83, 0.87, 0.90}}, Sun: {{0.36, 0.58, 0.86}, {0.80, 0.88, 0.95}},
		Dusk: {{0.30, 0.32, 0.46}, {0.86, 0.58, 0.42}}, Night: {{0.02, 0.03, 0.06}, {0.06, 0.06, 0.09}},
		Rain: {{0.50, 0.54, 0.58}, {0.64, 0.67, 0.69}}, Fog: {{0.72, 0.74, 0.75}, {0.78, 0.79, 0.80}}, IR: {grey(0.02), grey(0.05)},
	}[p.light]
	w, h := float64(p.w), float64(p.h)
	p.paint(box(0, 0, w, h, 0), 1, func(_, y float64) rgb {
		return sky[0].mix(sky[1], float32(min(1, y/horizon)))
	})
	phase := 6 * p.dice.Float64()
	for layer := range 2 {
		ridge := []point{{0, horizon}}
		for x := 0.0; x <= w; x += 12 {
			t := x/130 + phase + 4*float64(layer)
			up := 60 + 34*math.Sin(t) + 22*math.Sin(2.3*t+1) + 8*math.Sin(7*t)
			ridge = append(ridge, point{x, horizon - up*(1.2-0.5*float64(layer))})
		}
		ridge = append(ridge, point{w, horizon})
		hill := rgb{0.26, 0.38, 0.30}.mix(sky[1], 0.65-0.3*float32(layer))
		if p.dark() {
			hill = grey(0.03)
		}
		p.paint(ridge, 1, flat(hill))
	}
	p.road(horizon)
	p.canopy(horizon)
}

// horizon is where the road meets the sky: a little above the middle.
func (p *painter) horizon() (x, y float64) { return p.proj.cx, float64(p.h) * 0.42 }

func (p *painter) road(horizon float64) {
	w, h := float64(p.w), float64(p.h)
	near, far := grey(0.33), grey(0.48)
	if p.light == Rain {
		near, far = rgb{0.20, 0.21, 0.23}, rgb{0.42, 0.44, 0.46}
	}
	if p.dark() {
		near, far = grey(0.16), grey(0.05)
	}
	p.paint(box(0, horizon, w, h, 0), 1, func(x, y float64) rgb {
		t := (y - horizon) / (h - horizon)
		grain := float32(math.Sin(x*0.9/(0.2+t))*math.Sin(y*3.1+x*0.13)) * 0.012
		c := far.mix(near, float32(t))
		return rgb{c[0] + grain, c[1] + grain, c[2] + grain}
	})
	vx := p.proj.cx
	line := grey(0.80)
	if p.dark() {
		line = grey(0.28)
	}
	for _, side := range []float64{-1, 1} {
		foot := vx + side*w*0.62
		p.paint([]point{{vx + side*26, horizon + 4}, {vx + side*29, horizon + 4}, {foot + side*26, h}, {foot, h}}, 0.75, flat(line))
		// The island's kerb, striped black and yellow.
		for i := range 9 {
			t0, t1 := float64(i)/9, float64(i+1)/9
			a := func(t, out float64) point {
				return point{vx + side*(70+out*20+t*(w*0.78+out*60)), horizon + 10 + t*(h-horizon)*0.9}
			}
			c := rgb{0.85, 0.70, 0.10}
			if i%2 == 0 {
				c = grey(0.12)
			}
			if p.dark() {
				c = c.times(0.35)
			}
			p.paint([]point{a(t0*t0, 0), a(t0*t0, 1), a(t1*t1, 1), a(t1*t1, 0)}, 1, flat(c))
		}
	}
}

// canopy is the roof over the lanes with its pillars, lamps and a booth.
func (p *painter) canopy(horizon float64) {
	w := float64(p.w)
	under := rgb{0.70, 0.71, 0.70}
	lamp := rgb{1.1, 1.1, 1.05}
	if p.dark() {
		under, lamp = grey(0.16), rgb{1.6, 1.55, 1.4}
	}
	if p.light == Dusk {
		under = rgb{0.40, 0.38, 0.38}
	}
	edge := horizon - 0.30*float64(p.h)
	p.paint([]point{{0, 0}, {w, 0}, {w, edge}, {w * 0.74, edge + 38}, {w * 0.26, edge + 38}, {0, edge}}, 1, func(_, y float64) rgb {
		rib := float32(0)
		if int(y)%26 < 2 {
			rib = -0.08
		}
		c := under.mix(grey(0.4), float32(y/edge)*0.3)
		return rgb{c[0] + rib, c[1] + rib, c[2] + rib}
	})
	for i := range 4 {
		x := w * (0.14 + 0.24*float64(i))
		p.paint(box(x-34, 16, x+34, 25, 3), 1, flat(lamp))
		if p.dark() {
			p.glow(point{x, 20}, 22, rgb{0.5, 0.48, 0.42})
		}
	}
	beam := rgb{0.16, 0.30, 0.52}
	if p.dark() {
		beam = beam.times(0.4)
	}
	p.paint([]point{{0, edge - 12}, {w * 0.26, edge + 28}, {w * 0.74, edge + 28}, {w, edge - 12}, {w, edge + 6}, {w * 0.74, edge + 42}, {w * 0.26, edge + 42}, {0, edge + 6}}, 1, flat(beam))
	for _, side := range []float64{-1, 1} {
		x := p.proj.cx + side*w*0.42
		shade := func(px, _ float64) rgb {
			v := 0.62 + 0.2*float32(math.Cos((px-x)/16))
			if p.dark() {
				v *= 0.3
			}
			return rgb{v, v, v * 0.98}
		}
		p.paint(box(x-15, edge-20, x+15, horizon+120, 0), 1, shade)
	}
	p.booth(horizon)
}

func (p *painter) booth(horizon float64) {
	w := float64(p.w)
	x := p.proj.cx + w*0.33
	wall, pane := rgb{0.80, 0.80, 0.76}, rgb{0.32, 0.42, 0.48}
	if p.dark() {
		wall, pane = grey(0.22), rgb{0.85, 0.78, 0.55}
	}
	p.paint(box(x-60, horizon-95, x+130, horizon+95, 2), 1, flat(wall))
	p.paint(box(x-50, horizon-75, x+30, horizon+5, 2), 1, flat(pane))
	p.paint(box(x+42, horizon-75, x+120, horizon+5, 2), 1, flat(pane.times(0.9)))
	p.paint(box(x-64, horizon-108, x+136, horizon-92, 2), 1, flat(rgb{0.65, 0.12, 0.10}.times(map[bool]float32{true: 0.4, false: 1}[p.dark()])))
}

// opaque is a colour for the standard image packages.
func opaque(c rgb) color.RGBA { return color.RGBA{level(c[0]), level(c[1]), level(c[2]), 255} }
