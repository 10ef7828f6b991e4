package xray

import (
	"cmp"
	"fmt"
	"image"
	"math"
	"slices"

	"gocv.io/x/gocv"
)

// Figures of the rule "density foreign to an otherwise uniform load".
const (
	leastFill   = 0.25  // of the interior: with less there is no uniform load to be foreign to
	ringLoad    = 0.70  // share of load around a region that makes it lie inside the load
	goods       = 0.20  // mean attenuation around a pixel that belongs to a load, gaps included
	leastSide   = 0.035 // of the interior's height: thinner things are posts, straps and edges
	leastArea   = 0.0006
	mostArea    = 0.12 // of the interior
	leastMiddle = 0.28 // median attenuation around a region: below is air between machines, no load
	mostLong    = 6.0  // longer side over shorter
	leastSolid  = 0.45 // share of its box that a region fills
	likeCount   = 3    // so many alike are goods and not foreign
	noiseFloor  = 0.03 // attenuation
	noiseShare  = 0.06 // of the surrounding attenuation: goods vary by so much
	unlikeShare = 0.45 // of the diversity of the load
	// scoreAt is the robust z-score that gives 0.5, scoreWidth the logistic's
	// width; fitted on rendered loads, see the package's tests.
	scoreAt    = 6.0
	scoreWidth = 1.2
	reportFrom = 0.5
	tapeLevels = 255.0 // 8-bit steps for the median filter
)

// suspect is a region denser than the load around it.
type suspect struct {
	Rect   image.Rectangle
	Score  float64
	level  float32 // median attenuation inside
	around float32 // median attenuation of the load around
	z      float64 // their difference over the load's own spread
}

// rises are attenuations above the median of the surroundings from which a
// pixel may belong to something foreign. The low ones find what differs little,
// the high ones part what is dense from the texture of the goods around it.
func rises() []float32 { return []float32{0.18, 0.4, 0.8, 1.5} }

// load is the inside of a body with what is known of all of it.
type load struct {
	crop   plane
	smooth plane   // local mean of crop
	unlike float32 // see diversity
}

// foreign finds regions that are denser than the load that surrounds them and
// that are not known to be something else. The score is that of the strongest
// region, reported or not.
func foreign(a plane, room image.Rectangle, known func(image.Rectangle) bool) ([]suspect, float64, error) {
	crop := newPlane(room.Dx(), room.Dy())
	for y := range crop.H {
		copy(crop.V[y*crop.W:], a.row(room.Min.Y+y, room.Min.X, room.Max.X))
	}
	if crop.W < 16 || crop.H < 12 {
		return nil, 0, nil
	}
	filled := 0
	for _, v := range crop.V {
		if v > loadFrom {
			filled++
		}
	}
	if float64(filled) < leastFill*float64(len(crop.V)) {
		return nil, 0, nil
	}
	background, err := medians(crop)
	if err != nil {
		return nil, 0, err
	}
	smooth, err := means(crop)
	if err != nil {
		return nil, 0, err
	}
	l := load{crop: crop, smooth: smooth, unlike: diversity(background)}
	var all []suspect
	mask := make([]bool, len(crop.V))
	for _, rise := range rises() {
		for i, v := range crop.V {
			mask[i] = v > loadFrom && v-background.V[i] > rise
		}
		for _, b := range blobs(mask, crop.W) {
			if s, ok := l.judge(b); ok {
				all = append(all, s)
			}
		}
	}
	all = distinct(all)
	alike(all)
	var found []suspect
	best := 0.0
	for _, s := range all {
		s.Rect = s.Rect.Add(room.Min)
		if known(s.Rect) {
			continue
		}
		best = max(best, s.Score)
		if s.Score >= reportFrom {
			found = append(found, s)
		}
	}
	return found, best, nil
}

// diversity is how much the parts of a load differ: between the 15th and 85th
// percentile of the local medians. In a load of many goods each is foreign to
// the next, so the rule must ask for more there.
func diversity(background plane) float32 {
	var load []float32
	for _, v := range background.V {
		if v > loadFrom {
			load = append(load, v)
		}
	}
	return percentile(load, 0.85) - percentile(load, 0.15)
}

// medians is the local median over a window larger than what is looked for.
func medians(p plane) (plane, error) {
	top := max(0.5, float64(slices.Max(p.V)))
	levels := gocv.NewMatWithSize(p.H, p.W, gocv.MatTypeCV8U)
	defer levels.Close()
	data, err := levels.DataPtrUint8()
	if err != nil {
		return plane{}, fmt.Errorf("median: %w", err)
	}
	for i, v := range p.V {
		data[i] = uint8(math.Round(float64(v) / top * tapeLevels))
	}
	window := min(p.W, p.H)*2/3 | 1
	out := gocv.NewMat()
	defer out.Close()
	gocv.MedianBlur(levels, &out, min(max(window, 9), 255))
	smooth, err := out.DataPtrUint8()
	if err != nil {
		return plane{}, fmt.Errorf("median: %w", err)
	}
	m := newPlane(p.W, p.H)
	for i, v := range smooth {
		m.V[i] = float32(float64(v) / tapeLevels * top)
	}
	return m, nil
}

// means is the local mean over a window that bridges the gaps between goods.
func means(p plane) (plane, error) {
	src, err := p.mat()
	if err != nil {
		return plane{}, err
	}
	defer src.Close()
	dst := gocv.NewMat()
	defer dst.Close()
	window := max(3, p.H/16) | 1
	gocv.Blur(src, &dst, sizeOf(window, window))
	data, err := dst.DataPtrFloat32()
	if err != nil {
		return plane{}, fmt.Errorf("mean: %w", err)
	}
	m := newPlane(p.W, p.H)
	copy(m.V, data)
	return m, nil
}

// distinct keeps, of regions that overlap, the strongest, and sorts by score.
func distinct(all []suspect) []suspect {
	slices.SortStableFunc(all, func(x, y suspect) int { return cmp.Compare(y.Score, x.Score) })
	var kept []suspect
	for _, s := range all {
		if !slices.ContainsFunc(kept, func(k suspect) bool { return k.Rect.Overlaps(s.Rect) }) {
			kept = append(kept, s)
		}
	}
	return kept
}

// judge compares a region with the ring around it.
func (l load) judge(b blob) (suspect, bool) {
	p := l.crop
	w, h := float64(b.Rect.Dx()), float64(b.Rect.Dy())
	area, whole := float64(len(b.Pixels)), float64(len(p.V))
	if min(w, h) < max(3, leastSide*float64(p.H)) || area < max(9, leastArea*whole) || area > mostArea*whole ||
		max(w, h) > mostLong*min(w, h) || area < leastSolid*w*h {
		return suspect{}, false
	}
	own := make(map[int]bool, len(b.Pixels))
	in := make([]float32, 0, len(b.Pixels))
	for _, i := range b.Pixels {
		own[i] = true
		in = append(in, p.V[i])
	}
	reach := max(4, int(0.6*max(w, h)))
	ring := b.Rect.Inset(-reach).Intersect(image.Rect(0, 0, p.W, p.H))
	near := b.Rect.Inset(-1)
	var around []float32
	inLoad, all := 0, 0
	for y := ring.Min.Y; y < ring.Max.Y; y++ {
		for x := ring.Min.X; x < ring.Max.X; x++ {
			if own[y*p.W+x] || image.Pt(x, y).In(near) {
				continue
			}
			all++
			if l.smooth.at(x, y) > goods {
				inLoad++
				around = append(around, p.at(x, y))
			}
		}
	}
	if all == 0 || float64(inLoad) < ringLoad*float64(all) {
		return suspect{}, false
	}
	middle := median(around)
	if middle < leastMiddle {
		return suspect{}, false
	}
	spread := make([]float32, len(around))
	for i, v := range around {
		spread[i] = float32(math.Abs(float64(v - middle)))
	}
	// A ring whose upper part is as dense as the region is a mixed load: the
	// 95th percentile enters as spread too.
	noise := max(1.4826*median(spread), (percentile(around, 0.95)-middle)/1.645, noiseShare*middle, unlikeShare*l.unlike, noiseFloor)
	z := float64((median(in) - middle) / noise)
	return suspect{Rect: b.Rect, Score: 1 / (1 + math.Exp(-(z-scoreAt)/scoreWidth)), level: median(in), around: middle, z: z}, true
}

// alike lowers the score of regions that come in numbers with like density:
// drums and rolls are goods.
func alike(all []suspect) {
	for i := range all {
		n := 0
		for k := range all {
			if math.Abs(float64(all[k].level-all[i].level)) < 0.15*float64(all[i].level) {
				n++
			}
		}
		if n >= likeCount {
			all[i].Score = min(all[i].Score, reportFrom-0.01)
		}
	}
}
