package render

import (
	"math"
	"math/rand/v2"
)

// develop makes the picture of the painted scene: light, weather, lens, sensor.
func develop(c *canvas, dice *rand.Rand, s Scene) {
	ambient(c, dice, s.Light)
	if s.Light == Rain {
		rain(c, dice)
	}
	sigma := 0.45 + 0.45*dice.Float64()
	if s.Dirty {
		sigma = 2.6
		haze(c, grey(0.55), 0.25)
	}
	blur(c, sigma, true)
	blur(c, sigma+1.1*dice.Float64(), false) // the lorry is moving: a little more down the picture
	grain := map[Light]float32{Night: 0.028, IR: 0.022, Dusk: 0.018, Fog: 0.010, Rain: 0.012}[s.Light]
	sensor(c, dice, max(grain, 0.007))
}

func ambient(c *canvas, dice *rand.Rand, light Light) {
	var gain, lift rgb
	switch light {
	case Sun:
		gain = rgb{1.12, 1.09, 1.02}
	case Dusk:
		gain, lift = rgb{0.62, 0.54, 0.50}, rgb{0.03, 0.02, 0.03}
	case Night:
		gain = rgb{0.52, 0.50, 0.46}
	case IR:
		gain = grey(0.62)
	case Rain:
		gain, lift = rgb{0.78, 0.80, 0.82}, grey(0.03)
	case Fog:
		gain = grey(0.90)
	default:
		gain = grey(0.97 + 0.08*dice.Float32())
	}
	low := 0.55 + 0.2*dice.Float64() // of a sun beam's shadow line
	for i := range c.pix {
		x, y := float64(i%c.w)/float64(c.w), float64(i/c.w)/float64(c.h)
		p := &c.pix[i]
		f := float32(1 - 0.28*((x-0.5)*(x-0.5)+(y-0.5)*(y-0.5))*2) // vignette
		if light == Sun && y-0.35*x < low-0.45 {
			f *= 0.72 // the canopy's shadow
		}
		for k := range p {
			p[k] = p[k]*gain[k]*f + lift[k]
		}
		switch light {
		case IR:
			*p = grey(0.45*p[0] + 0.40*p[1] + 0.15*p[2])
		case Rain:
			*p = p.mix(grey((p[0]+p[1]+p[2])/3), 0.3)
		}
	}
	if light == Fog {
		haze(c, rgb{0.76, 0.77, 0.78}, 0.30)
	}
}

func haze(c *canvas, fog rgb, share float32) {
	for i := range c.pix {
		// Thinner towards the bottom, which is nearer.
		t := 1 - 0.45*float32(i/c.w)/float32(c.h)
		c.pix[i] = c.pix[i].mix(fog, share*t)
	}
}

func rain(c *canvas, dice *rand.Rand) {
	lean := dice.Float64()*10 - 5
	for range 420 {
		x, y := dice.Float64()*float64(c.w), dice.Float64()*float64(c.h)
		l := 10 + 22*dice.Float64()
		c.paint(stripe(point{x, y}, point{x + lean*l/30, y + l}, 1.2), 0.16+0.1*dice.Float32(), flat(grey(0.85)))
	}
}

// blur is a Gaussian along the rows or along the columns.
func blur(c *canvas, sigma float64, rows bool) {
	reach := int(math.Ceil(2.5 * sigma))
	if reach == 0 {
		return
	}
	kernel := make([]float32, 2*reach+1)
	var sum float32
	for i := range kernel {
		d := float64(i-reach) / sigma
		kernel[i] = float32(math.Exp(-d * d / 2))
		sum += kernel[i]
	}
	for i := range kernel {
		kernel[i] /= sum
	}
	lines, length, step, next := c.h, c.w, 1, c.w
	if !rows {
		lines, length, step, next = c.w, c.h, c.w, 1
	}
	line := make([]rgb, length)
	for l := range lines {
		for i := range line {
			line[i] = c.pix[l*next+i*step]
		}
		for i := range line {
			var s rgb
			for k, w := range kernel {
				q := line[min(length-1, max(0, i+k-reach))]
				s[0] += w * q[0]
				s[1] += w * q[1]
				s[2] += w * q[2]
			}
			c.pix[l*next+i*step] = s
		}
	}
}

// sensor adds read noise, more in the dark parts' colours, and clips.
func sensor(c *canvas, dice *rand.Rand, grain float32) {
	for i := range c.pix {
		common := float32(dice.NormFloat64()) * grain
		for k := range c.pix[i] {
			c.pix[i][k] += common + float32(dice.NormFloat64())*grain*0.4
		}
	}
}
