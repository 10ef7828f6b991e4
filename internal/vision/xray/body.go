package xray

import (
	"image"
	"math"
	"slices"
)

// Figures of the search for the cargo body, as transmissions relative to air or
// as fractions of the body. Found on side views of container lorries.
const (
	airFrom      = 0.93 // what lets more through is air
	roofBand     = 0.06 // of the picture's height: how level a roof is
	gapWidth     = 0.01 // of the picture's width: a wider gap parts cab from body
	bodyWidth    = 0.15 // of the picture's width: the least of a body
	twinWidth    = 0.6  // of the widest body: the least of a second one
	underAir     = 0.10 // share of air in a row that lies below the floor
	floorFrom    = 0.75 // of the body's height: where the floor may begin
	floorRise    = 1.35 // growth of a row's attenuation that begins the floor
	wallMargin   = 0.03 // of the body: left out at walls and roof
	leastColumns = 16   // of a body, in analysed pixels
	darkStep     = 1.2  // level of an 8-bit scan up to which nothing came through
	darkShare    = 4e-4 // of the range: what electronics add in 16 bit
)

// attenuation is minus the natural logarithm of the transmission, with the
// scan's air level as 1. limit is the value from which nothing is known: the
// scan's darkest step.
func attenuation(g plane, steps float64) (a plane, limit float32) {
	air := airLevel(g)
	limit = float32(-math.Log(max(darkStep/steps, darkShare) / air))
	a = newPlane(g.W, g.H)
	for i, v := range g.V {
		t := float64(v) / air
		a.V[i] = min(limit, float32(-math.Log(min(1, max(t, 1e-6)))))
	}
	return a, limit
}

// airLevel is the brightest level that a fiftieth of the scan reaches.
func airLevel(g plane) float64 {
	return max(0.05, float64(percentile(g.V, 0.98)))
}

// percentile of a copy of the values; 0 without values.
func percentile(values []float32, p float64) float32 {
	if len(values) == 0 {
		return 0
	}
	s := slices.Sorted(slices.Values(values))
	return s[min(len(s)-1, int(p*float64(len(s))))]
}

func median(values []float32) float32 { return percentile(values, 0.5) }

// body is a container or box body seen from the side.
type body struct {
	outer image.Rectangle // from the roof to the underside
	inner image.Rectangle // without walls, roof, floor and chassis
}

// bodies finds the cargo bodies. The cab, with its engine, is not part of them.
func bodies(a plane) []body {
	tops := roofs(a)
	var present []float32
	for _, t := range tops {
		if t >= 0 {
			present = append(present, float32(t))
		}
	}
	if len(present) == 0 {
		return nil
	}
	roof := int(percentile(present, 0.15))
	band := max(2, int(roofBand*float64(a.H)))
	level := make([]bool, a.W)
	for x, t := range tops {
		level[x] = t >= 0 && abs(t-roof) <= band
	}
	var out []body
	widest := 0
	for _, run := range runs(level, max(1, int(gapWidth*float64(a.W)))) {
		width := run[1] - run[0]
		if width >= leastColumns && float64(width) >= bodyWidth*float64(a.W) {
			out = append(out, inside(a, tops, run[0], run[1]))
			widest = max(widest, width)
		}
	}
	return slices.DeleteFunc(out, func(b body) bool {
		return b.inner.Empty() || float64(b.inner.Dx()) < twinWidth*(1-2*wallMargin)*float64(widest)
	})
}

// roofs is for each column the first row that is not air for three rows, or -1.
func roofs(a plane) []int {
	solid := float32(-math.Log(airFrom))
	tops := make([]int, a.W)
	for x := range tops {
		tops[x] = -1
		for y := 0; y+2 < a.H; y++ {
			if a.at(x, y) > solid && a.at(x, y+1) > solid && a.at(x, y+2) > solid {
				tops[x] = y
				break
			}
		}
	}
	return tops
}

// runs are the [from, to) stretches of true values, bridging gaps up to a width.
func runs(on []bool, gap int) [][2]int {
	var out [][2]int
	for x, v := range on {
		if !v {
			continue
		}
		if n := len(out); n > 0 && x-out[n-1][1] <= gap {
			out[n-1][1] = x + 1
		} else {
			out = append(out, [2]int{x, x + 1})
		}
	}
	return out
}

// inside is the body between two columns.
func inside(a plane, tops []int, x0, x1 int) body {
	var own []float32
	for _, t := range tops[x0:x1] {
		if t >= 0 {
			own = append(own, float32(t))
		}
	}
	roof := int(median(own))
	under := underside(a, roof, x0, x1)
	height := under - roof
	if height < 12 {
		return body{}
	}
	mx, my := max(2, int(wallMargin*float64(x1-x0))), max(2, int(wallMargin*float64(height)))
	return body{
		outer: image.Rect(x0, roof, x1, under),
		inner: image.Rect(x0+mx, roof+my, x1-mx, floorRow(a, roof, under, x0+mx, x1-mx)),
	}
}

// underside is the first row below the body where air shows, or the last row.
func underside(a plane, roof, x0, x1 int) int {
	solid := float32(-math.Log(airFrom))
	bottom := roof + (a.H-roof)*2/5
	for y := bottom; y < a.H; y++ {
		air := 0
		for _, v := range a.row(y, x0, x1) {
			if v <= solid {
				air++
			}
		}
		if float64(air) > underAir*float64(x1-x0) {
			return y
		}
	}
	return a.H
}

// floorRow is where the floor begins: from three quarters of the height down,
// the first row that is clearly denser than the rows above it.
func floorRow(a plane, roof, under, x0, x1 int) int {
	from := roof + int(floorFrom*float64(under-roof))
	var above []float32
	for y := roof + (under-roof)*55/100; y < from; y++ {
		above = append(above, median(a.row(y, x0, x1)))
	}
	limit := floorRise*median(above) + 0.08
	y := from
	for y < under && median(a.row(y, x0, x1)) <= limit {
		y++
	}
	return y - max(1, (under-roof)/50)
}

func abs(v int) int { return max(v, -v) }
