package render

import (
	"image"
	"math"

	"gatehouse/internal/sim/plate"
)

// vehicle draws the lorry, from the back to the front. Measures are those of a
// European-size cab-over: 2.5 m wide.
func (p *painter) vehicle(pl plate.Plate) error {
	p.shadow()
	p.load()
	p.wheels()
	p.cab()
	p.windscreen()
	p.mirrors()
	p.grille()
	p.bumper()
	p.headlamps()
	if err := p.lettering(); err != nil {
		return err
	}
	return p.mount(pl)
}

func (p *painter) shadow() {
	p.solid(disc(0, 10, 1650, 190), 0.55, flat(grey(0.03)))
	p.solid(box(-1250, -40, 1250, 420, 60), 0.75, flat(grey(0.03)))
}

func (p *painter) load() {
	c := p.lorry.boxColour
	if !p.lorry.boxed { // a tarpaulin or a flat bed: only a rim shows
		return
	}
	p.solid(box(-1270, 900, 1270, 3900, 15), 1, func(x, y float64) rgb {
		ridge := float32(0.92 + 0.08*math.Sin(x/32))
		return c.times(ridge * float32(0.75+0.1*y/3900))
	})
}

func (p *painter) wheels() {
	p.mirrored(box(830, 0, 1180, 900, 90), 1, func(_, y float64) rgb {
		v := float32(0.07 + 0.03*math.Sin(y/14))
		return rgb{v, v, v}
	})
	p.solid(box(-800, 250, 800, 430, 20), 1, flat(grey(0.05))) // axle and underrun in the dark
}

// skin is the painted metal: lit from above, falling off towards the edges.
func (p *painter) skin(x, y float64) rgb {
	round := 1 - 0.35*math.Pow(math.Abs(x)/1250, 4)
	up := 0.78 + 0.22*min(1, max(0, (y-300)/2300))
	shine := 0.10 * math.Exp(-(y-1520)/60*((y-1520)/60))
	c := p.lorry.body.times(float32(round * up))
	return rgb{c[0] + float32(shine), c[1] + float32(shine), c[2] + float32(shine)}
}

func (p *painter) cab() {
	outline := []point{
		{-1235, 480}, {1235, 480}, {1245, 1100}, {1225, 1560}, {1190, 2100}, {1150, 2600}, {1080, 2820}, {900, 2900},
		{-900, 2900}, {-1080, 2820}, {-1150, 2600}, {-1190, 2100}, {-1225, 1560}, {-1245, 1100},
	}
	p.solid(outline, 1, p.skin)
	seam := p.lorry.body.times(0.45)
	p.mirrored(stripe(point{1130, 500}, point{1135, 1540}, 9), 0.8, flat(seam)) // corner panel
	p.solid(stripe(point{-1230, 1545}, point{1230, 1545}, 10), 0.8, flat(seam))
	p.mirrored(box(1140, 1150, 1225, 1500, 25), 0.6, flat(seam)) // air deflector
	for i := range 5 {                                           // marker lamps
		x := float64(i-2) * 420
		p.solid(box(x-55, 2840, x+55, 2885, 20), 1, flat(rgb{1, 0.55, 0.1}))
	}
}

func (p *painter) windscreen() {
	p.solid([]point{{-1130, 1590}, {1130, 1590}, {1085, 2430}, {1010, 2490}, {-1010, 2490}, {-1085, 2430}}, 1, flat(grey(0.06)))
	glass := []point{{-1095, 1625}, {1095, 1625}, {1052, 2410}, {985, 2460}, {-985, 2460}, {-1052, 2410}}
	top, low := rgb{0.34, 0.44, 0.52}, rgb{0.10, 0.13, 0.15}
	if p.dark() {
		top, low = grey(0.06), grey(0.03)
	}
	slope := 0.35 + 0.3*p.dice.Float64()
	p.solid(glass, 1, func(x, y float64) rgb {
		c := low.mix(top, float32((y-1625)/840))
		if band := math.Mod(x+slope*y+4000, 1700); band > 1150 && band < 1420 {
			c = c.mix(grey(0.75), 0.10)
		}
		return c
	})
	cabin := grey(0.07)
	for _, x := range []float64{-520, 520} { // seats
		p.solid(box(x-240, 1625, x+240, 2080, 90), 0.75, flat(cabin))
		p.solid(box(x-130, 2040, x+130, 2270, 70), 0.75, flat(cabin))
	}
	p.solid(disc(520, 2120, 105, 135), 0.55, flat(rgb{0.42, 0.30, 0.23})) // the driver, on the left of the lorry
	p.solid(box(300, 1625, 740, 1960, 130), 0.55, flat(rgb{0.16, 0.20, 0.30}))
	p.solid(disc(520, 1690, 250, 60), 0.8, flat(grey(0.03)))
	p.solid(box(-860, 1660, -700, 1800, 8), 0.9, flat(rgb{0.85, 0.75, 0.25})) // inspection stamp
	p.solid(box(-990, 1660, -890, 1790, 8), 0.9, flat(rgb{0.75, 0.85, 0.80}))
	for _, x := range []float64{-900, -150, 600} { // wipers
		p.solid(stripe(point{x, 1600}, point{x + 520, 1690}, 22), 1, flat(grey(0.03)))
		p.solid(stripe(point{x + 140, 1632}, point{x + 660, 1665}, 12), 1, flat(grey(0.04)))
	}
	p.solid(box(-1110, 2440, 1110, 2600, 40), 1, func(_, y float64) rgb { // sun visor
		return grey(0.10 + 0.10*float32((y-2440)/160))
	})
}

func (p *painter) mirrors() {
	p.mirrored(stripe(point{1180, 2380}, point{1370, 2330}, 34), 1, flat(grey(0.08)))
	p.mirrored(stripe(point{1200, 1690}, point{1370, 1760}, 30), 1, flat(grey(0.08)))
	p.mirrored(box(1320, 1700, 1540, 2390, 60), 1, func(x, _ float64) rgb {
		return grey(0.09 + 0.05*float32((x-1320)/220))
	})
}

func (p *painter) grille() {
	top := p.lorry.grilleTop
	p.solid([]point{{-840, 930}, {840, 930}, {900, top}, {-900, top}}, 1, flat(grey(0.05)))
	step := (top - 950) / p.lorry.slats
	for y := 950 + step/2; y < top-20; y += step {
		p.solid(box(-850, y-step*0.22, 850, y+step*0.22, 14), 1, func(_, v float64) rgb {
			t := float32((v - y) / (step * 0.22)) // -1..1
			return p.lorry.trim.mix(grey(0.62), 0.5+0.5*t)
		})
	}
	p.solid(disc(0, (top+960)/2, 120, 88), 1, flat(grey(0.16)))
	p.solid(disc(0, (top+960)/2, 104, 74), 1, func(_, y float64) rgb {
		return grey(0.55 + 0.35*float32(math.Sin(y/30)))
	})
	p.solid([]point{{-60, (top + 960) / 2}, {0, (top+960)/2 + 52}, {60, (top + 960) / 2}, {0, (top+960)/2 - 30}}, 1, flat(p.lorry.body.times(0.8)))
}

func (p *painter) bumper() {
	bump := p.lorry.trim.mix(grey(0.22), 0.6)
	if p.lorry.bodyBump {
		bump = p.lorry.body.times(0.92)
	}
	outline := []point{{-1240, 350}, {-1180, 300}, {1180, 300}, {1240, 350}, {1250, 800}, {1200, 905}, {-1200, 905}, {-1250, 800}}
	p.solid(outline, 1, func(x, y float64) rgb {
		c := bump.times(float32(0.72 + 0.3*(y-300)/600 - 0.25*math.Pow(math.Abs(x)/1250, 4)))
		// Mud from below.
		return c.mix(rgb{0.34, 0.29, 0.23}, float32(max(0, 0.5*(1-(y-300)/260))))
	})
	p.solid(stripe(point{-1240, 905}, point{1240, 905}, 16), 0.9, flat(grey(0.04)))
	p.solid(box(-620, 325, 620, 425, 30), 1, flat(grey(0.05))) // intake
	p.mirrored(box(760, 350, 930, 450, 40), 1, func(_, y float64) rgb {
		return grey(0.75).mix(grey(0.3), float32(math.Abs(y-400)/60))
	})
	p.mirrored(box(1010, 330, 1180, 480, 20), 1, flat(grey(0.08))) // step
	p.mirrored(disc(660, 620, 36, 36), 1, flat(grey(0.09)))        // towing eye
}

func (p *painter) headlamps() {
	lit := p.dark() || p.light == Dusk || p.light == Fog || p.light == Rain && p.dice.IntN(2) == 0
	lens := func(x, y float64) rgb {
		v := 0.55 + 0.25*math.Sin(x/17)*math.Sin(y/23)
		return rgb{float32(v), float32(v), float32(v + 0.04)}
	}
	if p.lorry.roundLamps {
		p.mirrored(box(780, 610, 1215, 880, 60), 1, flat(grey(0.06)))
		p.mirrored(disc(1070, 745, 118, 118), 1, lens)
		p.mirrored(disc(870, 745, 78, 78), 1, lens)
	} else {
		p.mirrored([]point{{770, 640}, {1180, 600}, {1235, 700}, {1225, 880}, {820, 850}}, 1, flat(grey(0.06)))
		p.mirrored([]point{{800, 665}, {1140, 630}, {1140, 850}, {840, 825}}, 1, lens)
		p.mirrored(disc(1000, 745, 82, 82), 1, flat(grey(0.86)))
	}
	p.mirrored([]point{{1155, 640}, {1195, 640}, {1215, 720}, {1200, 845}, {1155, 845}}, 1, flat(rgb{0.95, 0.50, 0.12}))
	if !lit {
		return
	}
	strength := float32(0.8)
	if p.dark() {
		strength = 1.0
	}
	for _, side := range []float64{-1, 1} {
		p.solid(disc(side*1010, 745, 70, 70), 1, flat(grey(1.4)))
		p.glow(p.proj.at(side*1010, 745), 26*p.proj.scale/0.28, rgb{1, 0.97, 0.88}.times(strength))
	}
}

// lettering writes the haulier's sign on the visor: text that is no plate.
func (p *painter) lettering() error {
	if p.lorry.sign == "" {
		return nil
	}
	mask, err := lettering(p.lorry.sign, 120, p.fonts.signs)
	if err != nil {
		return err
	}
	high := 78.0
	wide := min(1500, high*float64(mask.Bounds().Dx())/float64(mask.Bounds().Dy()))
	p.print(mask, -wide/2, 2480, wide, high, rgb{0.92, 0.80, 0.25})
	return nil
}

// print paints a mask onto the vehicle: x, y is its lower left corner in mm.
func (p *painter) print(mask *image.Alpha, x, y, w, h float64, c rgb) {
	m := fit(mask, max(8, int(w/3)), max(8, int(h/3)))
	p.solid(box(x, y, x+w, y+h, 0), 1, func(px, py float64) rgb {
		at := p.under(px, py)
		u, v := (px-x)/w*float64(m.Rect.Dx()), (1-(py-y)/h)*float64(m.Rect.Dy())
		return at.mix(c, float32(m.AlphaAt(int(u), int(v)).A)/255)
	})
}

// under is the colour that the picture has at that place so far.
func (p *painter) under(x, y float64) rgb {
	q := p.proj.at(x, y)
	px, py := min(p.w-1, max(0, int(q.x))), min(p.h-1, max(0, int(q.y)))
	return p.pix[py*p.w+px]
}

// mount puts the plate on the bumper and notes where it is in the picture.
func (p *painter) mount(pl plate.Plate) error {
	art, err := paintPlate(p.fonts, p.dice, pl)
	if err != nil {
		return err
	}
	w, h := plateSize(pl)
	y := p.lorry.plateAt
	p.solid(box(-w/2-22, y-h/2-20, w/2+22, y+h/2+20, 12), 1, flat(grey(0.05)))
	tilt := (p.dice.Float64()*2 - 1) * 0.012
	outline := []point{{-w / 2, y - h/2 - tilt*w/2}, {w / 2, y - h/2 + tilt*w/2}, {w / 2, y + h/2 + tilt*w/2}, {-w / 2, y + h/2 - tilt*w/2}}
	gain := map[Light]float32{Night: 0.95, IR: 1.25, Dusk: 0.85}[p.light]
	if gain == 0 {
		gain = 1
	}
	if p.dark() { // what p.develop will take away again, less the retro-reflection
		gain *= 1.7
	}
	p.solid(outline, 1, func(x, py float64) rgb {
		u := (x + w/2) / w
		v := 1 - (py-tilt*x-(y-h/2))/h
		return art.sample(u, v).times(gain)
	})
	p.plateBox = bounds(p.proj, outline).Intersect(image.Rect(0, 0, p.w, p.h))
	return nil
}

func bounds(proj projection, outline []point) image.Rectangle {
	x0, y0, x1, y1 := math.Inf(1), math.Inf(1), math.Inf(-1), math.Inf(-1)
	for _, o := range outline {
		q := proj.at(o.x, o.y)
		x0, y0, x1, y1 = min(x0, q.x), min(y0, q.y), max(x1, q.x), max(y1, q.y)
	}
	return image.Rect(int(x0), int(y0), int(math.Ceil(x1)), int(math.Ceil(y1)))
}
