package render

import (
	"image"
	"image/color"
	"math"
	"math/rand/v2"

	"golang.org/x/image/draw"

	"gatehouse/internal/sim/plate"
)

// Plate sizes in millimetres: long and short car plate; the Chinese lorry's.
const (
	longWidth, longHeight       = 520, 110
	shortWidth, shortHeight     = 330, 165
	chineseWidth, chineseHeight = 440, 140
)

// dots per millimetre of a painted plate.
const dots = 2

func plateSize(p plate.Plate) (w, h float64) {
	switch {
	case p.Country == "CN":
		return chineseWidth, chineseHeight
	case p.Rows() == 2:
		return shortWidth, shortHeight
	}
	return longWidth, longHeight
}

// art is a painted plate.
type art struct{ img *image.RGBA }

// sample is the plate's colour at u, v in 0..1 from its upper left corner, the
// mean of the dots that fall on one pixel of a photo.
func (a art) sample(u, v float64) rgb {
	b := a.img.Rect
	x, y := u*float64(b.Dx()), v*float64(b.Dy())
	var sum rgb
	const reach = 3 // at 0.25-0.37 pixels per mm one pixel covers 5-8 dots
	n := float32(0)
	for dy := -reach; dy <= reach; dy += 2 {
		for dx := -reach; dx <= reach; dx += 2 {
			px, py := min(b.Dx()-1, max(0, int(x)+dx)), min(b.Dy()-1, max(0, int(y)+dy))
			o := a.img.PixOffset(px, py)
			sum[0] += float32(a.img.Pix[o])
			sum[1] += float32(a.img.Pix[o+1])
			sum[2] += float32(a.img.Pix[o+2])
			n++
		}
	}
	return sum.times(1 / (255 * n))
}

// paintPlate paints a plate with its border, characters, screws and dirt.
func paintPlate(fonts *Fonts, dice *rand.Rand, p plate.Plate) (art, error) {
	wmm, hmm := plateSize(p)
	w, h := int(wmm*dots), int(hmm*dots)
	ground, ink := map[plate.Colour]rgb{
		plate.Yellow: {0.96, 0.76, 0.10}, plate.White: grey(0.93), plate.Blue: {0.05, 0.22, 0.60},
	}[p.Colour], grey(0.05)
	if p.Colour == plate.Blue {
		ink = grey(0.93)
	}
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	draw.Draw(img, img.Rect, image.NewUniform(opaque(ground)), image.Point{}, draw.Src)
	frame(img, ink)
	face := fonts.plates[dice.IntN(len(fonts.plates))]
	rowHigh := 0.70 * float64(h)
	if p.Rows() == 2 {
		rowHigh = 0.385 * float64(h)
	}
	for i, line := range p.Lines {
		mask, err := lettering(line, 200, face, fonts.han)
		if err != nil {
			return art{}, err
		}
		room := 0.88 * float64(w)
		if p.Rows() == 2 && i == 0 {
			room = 0.62 * float64(w)
		}
		natural := rowHigh * float64(mask.Bounds().Dx()) / float64(mask.Bounds().Dy())
		lw, lh := int(min(room, natural*1.15)), int(rowHigh)
		y := (h - lh) / 2
		if p.Rows() == 2 {
			y = int(float64(h) * [2]float64{0.085, 0.53}[i])
		}
		x := (w - lw) / 2
		at := image.Rect(x, y, x+lw, y+lh)
		draw.DrawMask(img, at, image.NewUniform(opaque(ink)), image.Point{}, fit(mask, lw, lh), image.Point{}, draw.Over)
	}
	age(img, dice)
	return art{img}, nil
}

// frame is the embossed border line and the screws.
func frame(img *image.RGBA, ink rgb) {
	b := img.Rect
	line := image.NewUniform(opaque(ink))
	const in, thick = 5 * dots / 2, 3 * dots / 2
	for _, r := range []image.Rectangle{
		image.Rect(in, in, b.Dx()-in, in+thick), image.Rect(in, b.Dy()-in-thick, b.Dx()-in, b.Dy()-in),
		image.Rect(in, in, in+thick, b.Dy()-in), image.Rect(b.Dx()-in-thick, in, b.Dx()-in, b.Dy()-in),
	} {
		draw.Draw(img, r, line, image.Point{}, draw.Src)
	}
	for _, x := range []int{b.Dx() / 4, 3 * b.Dx() / 4} {
		for _, y := range []int{7 * dots, b.Dy() - 7*dots} {
			for dy := -4; dy <= 4; dy++ {
				for dx := -4; dx <= 4; dx++ {
					if dx*dx+dy*dy <= 16 {
						img.SetRGBA(x+dx, y+dy, color.RGBA{150, 150, 145, 255})
					}
				}
			}
		}
	}
}

// age adds uneven light, dirt from below and a few splashes.
func age(img *image.RGBA, dice *rand.Rand) {
	dirt := 0.35 * dice.Float64() * dice.Float64()
	b := img.Rect
	phase := 6 * dice.Float64()
	type splash struct{ x, y, r float64 }
	splashes := make([]splash, dice.IntN(7))
	for i := range splashes {
		splashes[i] = splash{dice.Float64() * float64(b.Dx()), dice.Float64() * float64(b.Dy()), 4 + 14*dice.Float64()}
	}
	mud := rgb{0.38, 0.33, 0.26}
	for y := range b.Dy() {
		for x := range b.Dx() {
			o := img.PixOffset(x, y)
			c := rgb{float32(img.Pix[o]) / 255, float32(img.Pix[o+1]) / 255, float32(img.Pix[o+2]) / 255}
			fx, fy := float64(x), float64(y)
			share := dirt * (0.4 + 0.6*fy/float64(b.Dy())) * (0.8 + 0.4*math.Sin(fx/90+phase)*math.Sin(fy/40))
			for _, s := range splashes {
				if d := math.Hypot(fx-s.x, fy-s.y) / s.r; d < 1 {
					share = max(share, 0.45*(1-d*d))
				}
			}
			c = c.times(float32(0.97+0.05*math.Sin(fx/300+phase))).mix(mud, float32(min(0.8, max(0, share))))
			img.Pix[o], img.Pix[o+1], img.Pix[o+2] = level(c[0]), level(c[1]), level(c[2])
		}
	}
}
