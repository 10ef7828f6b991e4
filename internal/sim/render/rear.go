package render

import (
	"math"

	"gatehouse/internal/sim/plate"
)

// rear draws the lorry as it drives away: the doors of its box, the underrun
// guard with lamps and the plate.
func (p *painter) rear(pl plate.Plate) error {
	p.shadow()
	p.wheels()
	p.doors()
	p.guard()
	p.tailLamps()
	return p.mount(pl)
}

// doors are the two wings of the box with their locking bars.
func (p *painter) doors() {
	c := p.lorry.boxColour
	p.solid(box(-1275, 930, 1275, 3950, 15), 1, flat(c.times(0.55)))
	p.mirrored(box(15, 1000, 1215, 3880, 8), 1, func(x, y float64) rgb {
		ridge := float32(0.94 + 0.06*math.Sin(x/46))
		return c.times(ridge * float32(0.78+0.14*(y-1000)/2900))
	})
	for _, x := range []float64{330, 900} {
		p.mirrored(stripe(point{x, 960}, point{x, 3920}, 34), 1, flat(grey(0.42)))
		p.mirrored(stripe(point{x - 10, 1700}, point{x + 170, 1700}, 40), 1, flat(grey(0.36))) // handles
		for _, y := range []float64{1150, 2450, 3600} {
			p.mirrored(box(x-40, y, x+40, y+70, 10), 1, flat(grey(0.30)))
		}
	}
	for _, y := range []float64{1250, 2100, 2950, 3700} { // hinges
		p.mirrored(box(1190, y, 1265, y+90, 8), 1, flat(grey(0.34)))
	}
	p.mirrored(box(700, 1010, 1180, 1120, 6), 1, func(x, _ float64) rgb { // warning stripes
		if math.Mod(x, 160) < 80 {
			return rgb{0.80, 0.12, 0.10}
		}
		return rgb{0.92, 0.90, 0.86}
	})
}

// guard is the beam below the box that the plate is mounted on.
func (p *painter) guard() {
	trim := p.lorry.trim.mix(grey(0.25), 0.5)
	p.solid(box(-1240, 330, 1240, 905, 20), 1, func(_, y float64) rgb {
		c := trim.times(float32(0.7 + 0.35*(y-330)/575))
		return c.mix(rgb{0.34, 0.29, 0.23}, float32(max(0, 0.6*(1-(y-330)/300)))) // mud
	})
	p.solid(stripe(point{-1240, 905}, point{1240, 905}, 18), 0.9, flat(grey(0.05)))
	p.mirrored(box(1040, 60, 1180, 380, 10), 0.9, flat(grey(0.04))) // mud flaps
}

func (p *painter) tailLamps() {
	lit := p.dark() || p.light == Dusk || p.light == Fog
	p.mirrored(box(820, 640, 1215, 800, 20), 1, flat(grey(0.07)))
	p.mirrored(box(830, 652, 960, 788, 14), 1, flat(rgb{0.92, 0.50, 0.12}))
	p.mirrored(box(970, 652, 1110, 788, 14), 1, flat(rgb{0.72, 0.07, 0.06}))
	p.mirrored(box(1120, 652, 1205, 788, 14), 1, flat(grey(0.72)))
	if !lit {
		return
	}
	for _, side := range []float64{-1, 1} {
		p.glow(p.proj.at(side*1040, 720), 14*p.proj.scale/0.28, rgb{1, 0.12, 0.08}.times(0.7))
	}
}
