package render

import (
	"image"
	"math"
)

// load fills a part of the interior.
func (s *scene) load(kind string, in image.Rectangle) {
	x0, x1 := float64(in.Min.X)+6, float64(in.Max.X)-10
	floor, top := float64(s.interior.Max.Y)-1, float64(s.interior.Min.Y)+14
	switch kind {
	case Empty:
		if s.dice.IntN(2) == 0 { // a pallet and some straps are left
			s.pallet(x1-130, floor)
		}
	case Boxes:
		s.cartons(x0, x1, floor, top)
	case Sacks:
		s.sacks(x0, x1, floor, top)
	case Drums:
		s.drums(x0, x1, floor)
	case Fruit:
		s.crates(x0, x1, floor, top)
	case Machine:
		s.machines(x0, x1, floor)
	case Mixed:
		kinds := []string{Boxes, Sacks, Drums, Fruit, Machine, Boxes}
		for x := in.Min.X; x < in.Max.X-100; {
			end := min(in.Max.X, x+170+s.dice.IntN(180))
			if in.Max.X-end < 130 {
				end = in.Max.X
			}
			if s.dice.IntN(6) > 0 {
				s.load(kinds[s.dice.IntN(len(kinds))], image.Rect(x, in.Min.Y, end, in.Max.Y))
			}
			x = end
		}
	}
}

func (s *scene) pallet(x, floor float64) {
	s.add(box(x, floor-14, x+120, floor-11, 0), wood(), even(90))
	s.add(box(x, floor-3, x+120, floor, 0), wood(), even(60))
	for _, bx := range []float64{0, 53, 106} {
		s.add(box(x+bx, floor-11, x+bx+14, floor-3, 0), wood(), even(45))
	}
}

// cartons are pallets of one product each, wrapped, two abreast.
func (s *scene) cartons(x0, x1, floor, top float64) {
	for x := x0; x+112 < x1; x += 124 {
		s.pallet(x, floor)
		cw, ch := []float64{40, 30, 24, 60}[s.dice.IntN(4)], []float64{30, 24, 36, 20}[s.dice.IntN(4)]
		high := (floor - top - 20) * (0.55 + 0.42*s.dice.Float64())
		density := 0.05 + 0.13*s.dice.Float64()
		core := s.dice.IntN(3) // what the product looks like inside its carton
		for y := floor - 14 - ch; y > floor-14-high; y -= ch {
			for bx := x; bx+cw <= x+122; bx += cw {
				s.carton(bx, y, cw, ch, density*(0.9+0.2*s.dice.Float64()), core)
			}
			s.cover(x, y, x+120, floor)
		}
	}
}

func (s *scene) carton(x, y, w, h, density float64, core int) {
	s.add(box(x+0.4, y+0.4, x+w-0.4, y+h-0.4, 0), packed(density), even(200))
	for _, e := range [][4]float64{{0, 0, w, 0.9}, {0, h - 0.9, w, h}, {0, 0, 0.9, h}, {w - 0.9, 0, w, h}} {
		s.add(box(x+e[0], y+e[1], x+e[2], y+e[3], 0), packed(0.35), even(35))
	}
	switch core {
	case 1: // bottles
		for bx := x + 5; bx < x+w-4; bx += 8 {
			s.add(box(bx, y+h*0.35, bx+6, y+h-2, 2), packed(0.25), even(120))
		}
	case 2: // appliances with metal in them
		s.add(box(x+w*0.25, y+h*0.35, x+w*0.75, y+h*0.8, 2), aluminium(), even(1.6))
		s.add(disc(x+w*0.5, y+h*0.58, h*0.16, h*0.16), steel(), even(2.2))
	}
}

// sacks lie in layers across the lorry, each bulging in the middle.
func (s *scene) sacks(x0, x1, floor, top float64) {
	high := (floor - top) * (0.45 + 0.35*s.dice.Float64())
	density := 0.14 + 0.10*s.dice.Float64()
	const wide, thick = 62.0, 15.0
	row := 0
	for y := floor - thick; y > floor-high; y -= thick {
		shift := float64(row%2) * wide / 2
		for x := x0 + shift; x+wide < x1; x += wide {
			drop := 1.6 * s.dice.Float64()
			full := 0.92 + 0.16*s.dice.Float64()
			cx, cy := x+wide/2, y+thick/2+drop
			s.add(box(x, y+drop, x+wide, y+thick+drop, 6.5), packed(density*full), func(px, py float64) float64 {
				u, v := (px-cx)/(wide/2), (py-cy)/(thick/2)
				return 215 * math.Sqrt(max(0.05, 1-0.30*u*u-0.45*v*v*v*v))
			})
		}
		s.cover(x0+shift, y, x1, floor)
		row++
	}
}

// drums stand in a row, two across; full ones nearly stop the beam.
func (s *scene) drums(x0, x1, floor float64) {
	const r, high = 29.0, 88.0
	full := 0.45 + 0.5*s.dice.Float64()
	layers := 1 + s.dice.IntN(2)
	for layer := range layers {
		base := floor - float64(layer)*(high+4)
		for x := x0 + r; x+r < x1; x += 2*r + 2 {
			round := func(px, _ float64) float64 { return 2 * math.Sqrt(max(0, r*r-(px-x)*(px-x))) }
			s.add(box(x-r, base-high, x+r, base, 0), steel(), func(px, _ float64) float64 {
				// Two thin walls, seen ever more edge on; two drums abreast.
				return min(9, 2*2*0.12*r/math.Sqrt(max(2, r*r-(px-x)*(px-x))))
			})
			level := base - high*full*(0.96+0.04*s.dice.Float64())
			s.add(box(x-r, level, x+r, base-1, 0), packed(0.86), func(px, py float64) float64 { return round(px, py) })
			for _, y := range []float64{base - high, base - high*0.66, base - high*0.33, base - 2} {
				s.add(box(x-r-0.5, y, x+r+0.5, y+1.6, 0), steel(), even(1.8))
			}
			s.cover(x-r, base-high, x+r, base)
		}
	}
}

// crates of round fruit, stacked.
func (s *scene) crates(x0, x1, floor, top float64) {
	const w, h = 58.0, 32.0
	high := (floor - top) * (0.6 + 0.38*s.dice.Float64())
	r := 5.5 + 5*s.dice.Float64()
	for y := floor - h; y > floor-high; y -= h {
		for x := x0; x+w < x1; x += w + 1 {
			for _, e := range [][4]float64{{0, h - 1.5, w, h}, {0, 0, w, 1.2}, {0, 0, 1.4, h}, {w - 1.4, 0, w, h}, {0, h / 2, w, h/2 + 1}} {
				s.add(box(x+e[0], y+e[1], x+e[2], y+e[3], 0), packed(0.9), even(14))
			}
			s.add(box(x+2, y+4, x+w-2, y+h-2, 2), packed(0.10), even(200))
			for fy := y + h - 2 - r; fy > y+r; fy -= 1.75 * r {
				for fx := x + 2 + r; fx < x+w-r; fx += 2 * r {
					cx, cy := fx+1.5*s.dice.NormFloat64(), fy+1.2*s.dice.NormFloat64()
					s.add(disc(cx, cy, r, r), packed(0.75), func(px, py float64) float64 {
						// Some of the dozen behind each other line up.
						return 2.2 * math.Sqrt(max(0, r*r-(px-cx)*(px-cx)-(py-cy)*(py-cy)))
					})
				}
			}
		}
		s.cover(x0, y, x1, floor)
	}
}

// machines are frames with motors, shafts and rollers on skids.
func (s *scene) machines(x0, x1, floor float64) {
	for x := x0 + 10; x+150 < x1; {
		w, h := 120+90*s.dice.Float64(), 95+75*s.dice.Float64()
		y := floor - h
		for _, e := range [][4]float64{{0, 0, w, 6}, {0, h - 8, w, h}, {0, 0, 6, h}, {w - 6, 0, w, h}, {0, h * 0.5, w, h*0.5 + 5}} {
			s.add(box(x+e[0], y+e[1], x+e[2], y+e[3], 0), steel(), even(3.5+2*s.dice.Float64()))
		}
		s.add(box(x+4, y+4, x+w-4, y+h-4, 0), steel(), even(0.5)) // covers
		for range 3 + s.dice.IntN(4) {
			cx, cy, r := x+18+(w-36)*s.dice.Float64(), y+16+(h-32)*s.dice.Float64(), 7+15*s.dice.Float64()
			s.add(disc(cx, cy, r, r), steel(), even(2+6*s.dice.Float64()))
			s.add(ring(cx, cy, r, r*0.75), steel(), even(4))
			s.add(disc(cx, cy, r*0.2, r*0.2), steel(), even(16))
		}
		mx, my := x+10+(w-70)*s.dice.Float64(), floor-40
		s.add(box(mx, my, mx+48, my+30, 6), steel(), func(px, _ float64) float64 { return 9 + 2*math.Sin(px*1.2) }) // motor
		s.cover(x, y, x+w, floor)
		x += w + 18 + 50*s.dice.Float64()
	}
}

// threat hides something in the load and notes where it is.
func (s *scene) threat(kind string) {
	if kind == "" {
		return
	}
	in := s.interior
	x := float64(in.Min.X) + 60 + s.dice.Float64()*float64(in.Dx()-190)
	floor := float64(in.Max.Y) - 14
	y := floor - 40 - s.dice.Float64()*80
	note := func(x0, y0, x1, y1 float64) {
		s.boxes = append(s.boxes, image.Rect(int(x0), int(y0), int(math.Ceil(x1)), int(math.Ceil(y1))))
	}
	switch kind {
	case Block:
		w, h := 26+26*s.dice.Float64(), 18+18*s.dice.Float64()
		m, cm := steel(), 9+6*s.dice.Float64()
		if s.dice.IntN(2) == 0 {
			m, cm = lead(), 6+4*s.dice.Float64()
		}
		s.add(box(x, y, x+w, y+h, 1), m, even(cm))
		note(x, y, x+w, y+h)
	case Bundles:
		cols, rows := 3+s.dice.IntN(4), 2+s.dice.IntN(3)
		const w, h = 19.0, 7.5
		for r := range rows {
			for c := range cols {
				bx, by := x+float64(c)*(w+1.2), y+float64(r)*(h+1)
				s.add(box(bx, by, bx+w, by+h, 2), packed(1.15), even(26+6*s.dice.Float64()))
				s.add(box(bx, by, bx+w, by+0.8, 0), packed(1.2), even(20))
			}
		}
		note(x, y, x+float64(cols)*(w+1.2), y+float64(rows)*(h+1))
	case Pistol:
		// A holdall with a few of them, as they are smuggled.
		n := 1 + s.dice.IntN(3)
		for i := range n {
			px, py := x+float64(i)*26, y+7*s.dice.Float64()
			s.add(box(px, py, px+20, py+3.6, 1), steel(), even(2.6))     // slide
			s.add(box(px+1, py+3.2, px+15, py+6, 1), steel(), even(1.6)) // frame
			s.add(stripe(point{px + 3.5, py + 4}, point{px + 1.5, py + 14}, 5), steel(), even(2.4))
			s.add(ring(px+9, py+7.5, 3, 2), steel(), even(1))
			note(px-1, py, px+20, py+15)
		}
	}
}
