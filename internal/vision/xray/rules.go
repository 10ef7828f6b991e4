package xray

import (
	"fmt"
	"image"
	"math"
	"strings"
	"time"

	"gatehouse/internal/lot"
	"gatehouse/internal/vision/wire"
)

// Names of the cargo rules, with their versions.
const (
	ruleForeign   = "xray-foreign-density@1"
	ruleHidden    = "xray-hidden-volume@1"
	ruleFalseWall = "xray-false-wall@1"
	ruleMass      = "xray-mass@1"
	ruleDeclared  = "xray-declared-goods@2"
)

// codeMismatch is of findings that compare a scan with papers or a scale.
const codeMismatch = "XRAY-ANOMALY"

// Figures of the rules.
const (
	structureFrom = 0.22 // attenuation over the empty inside from which a template shows structure
	hiddenFrom    = 0.22 // excess over the template
	hiddenLong    = 0.03 // of the body's longer side
	hiddenWidth   = 0.03 // of the logistic
	wallLine      = 0.12 // attenuation of a false wall over what is beside it
	wallReach     = 0.20 // of the room from either end
	wallRows      = 0.20 // quantile of the rows: the line goes through all but a fifth
	massMore      = 1.40 // image over paper
	massLess      = 0.65
	leastKG       = 200.0 // below, papers and images cannot be compared
	mixedFrom     = 0.62  // spread of the load's parts over their middle
	levelFrom     = 0.14  // of the room's height: a liquid's surfaces differ by less
	metalFrom     = 1.30  // attenuation of the densest tenth of metal goods: 38 mm of steel over a body's whole width
	leastLoad     = 20    // columns with goods, below which nothing is said of them
	// massFactor is g/cm2 of goods per log attenuation of a 6 MV machine when the
	// scanner has none of its own: light goods at 2 MeV have 0.0469 cm2/g (water
	// and polyethylene of NISTIR 5632, thinned by the hardening of the beam).
	massFactor = 1 / 0.0469
)

// template is an empty scan of the same scanner.
type template struct {
	a      plane
	bodies []body
}

// cargoView is a scan on its way through the rules.
type cargoView struct {
	a      plane
	limit  float32
	bodies []body
	parts  []vehiclePart
	toFile func(image.Rectangle) wire.Box
	mm     float64 // of the object a pixel of a; 0 unknown
	scan   *wire.Scan
	start  time.Time
}

// add appends a finding of a rule.
func (v *cargoView) add(rule, class string, r image.Rectangle, score float64, text wire.Text, figures ...wire.Figure) {
	v.scan.Score = max(v.scan.Score, rounded(score))
	if score < reportFrom {
		return
	}
	v.scan.Findings = append(v.scan.Findings, wire.Finding{
		Code: codeMismatch, Class: class, Box: v.toFile(r), Score: rounded(score), Rule: rule, Figures: figures, Text: &text,
	})
}

func logistic(x float64) float64 { return 1 / (1 + math.Exp(-x)) }

// part is a body's outside cut out of a scan, at the size of the template's.
func part(a plane, r image.Rectangle, w, h int) (plane, error) {
	cut := newPlane(r.Dx(), r.Dy())
	for y := range cut.H {
		copy(cut.V[y*cut.W:], a.row(r.Min.Y+y, r.Min.X, r.Max.X))
	}
	return cut.resized(w, h)
}

// hidden compares the structure of each body with that of the empty template:
// roof, floor, posts and end walls are filled where they attenuate more.
func (v *cargoView) hidden(t *template) error {
	if t == nil || len(t.bodies) != len(v.bodies) {
		return nil
	}
	v.falseWalls()
	for i, b := range v.bodies {
		base := t.bodies[i]
		w, h := base.outer.Dx(), base.outer.Dy()
		// Within a body of another length there is another structure.
		if math.Abs(float64(b.outer.Dx()-w)) > 0.04*float64(w) || math.Abs(float64(b.outer.Dy()-h)) > 0.06*float64(h) {
			continue
		}
		empty, err := part(t.a, base.outer, w, h)
		if err != nil {
			return err
		}
		best := plane{}
		least := math.Inf(1)
		for dy := -2; dy <= 2; dy++ {
			for dx := -2; dx <= 2; dx++ {
				r := image.Rect(b.outer.Min.X+dx, b.outer.Min.Y+dy, b.outer.Min.X+dx+w, b.outer.Min.Y+dy+h)
				if !r.In(image.Rect(0, 0, v.a.W, v.a.H)) {
					continue
				}
				own, err := part(v.a, r, w, h)
				if err != nil {
					return err
				}
				if d := apart(own, empty); d < least {
					best, least = own, d
				}
			}
		}
		if best.V != nil {
			v.excess(b, best, empty)
		}
	}
	return nil
}

// apart is how much two parts differ along their border, by the median: what is
// hidden is a small piece of it.
func apart(a, b plane) float64 {
	var d []float32
	for y := range a.H {
		for x := range a.W {
			if y < 6 || y >= a.H-12 || x < 8 || x >= a.W-8 {
				d = append(d, float32(math.Abs(float64(a.at(x, y)-b.at(x, y)))))
			}
		}
	}
	return float64(percentile(d, 0.6))
}

// excess finds where the structure attenuates more than that of the template.
func (v *cargoView) excess(b body, own, empty plane) {
	inside := median(empty.V)
	structure := make([]bool, len(empty.V))
	for i, a := range empty.V {
		structure[i] = a > inside+structureFrom
	}
	mask := make([]bool, len(own.V))
	over := newPlane(own.W, own.H)
	for y := 1; y < own.H-1; y++ {
		for x := 2; x < own.W-2; x++ {
			// Bodies lie at fractions of a pixel: goods against an end wall blend
			// two columns into it.
			most, whole := float32(0), structure[y*own.W+x-2] && structure[y*own.W+x+2]
			for dy := -1; dy <= 1; dy++ {
				for dx := -1; dx <= 1; dx++ {
					k := (y+dy)*own.W + x + dx
					most = max(most, empty.V[k])
					// Goods touch the structure's inner rim only.
					whole = whole && (structure[k] || dx != 0 && dy != 0)
				}
			}
			i := y*own.W + x
			over.V[i] = own.V[i] - most
			mask[i] = whole && over.V[i] > hiddenFrom*0.6
		}
	}
	for _, blob := range blobs(mask, own.W) {
		if float64(max(blob.Rect.Dx(), blob.Rect.Dy())) < hiddenLong*float64(own.W) {
			continue
		}
		var values []float32
		for _, i := range blob.Pixels {
			values = append(values, over.V[i])
		}
		excess := float64(median(values))
		where := image.Rect(b.outer.Min.X+blob.Rect.Min.X, b.outer.Min.Y+blob.Rect.Min.Y, b.outer.Min.X+blob.Rect.Max.X, b.outer.Min.Y+blob.Rect.Max.Y)
		v.add(ruleHidden, "hidden-volume", where.Inset(-2), logistic((excess-hiddenFrom)/hiddenWidth),
			wire.Text{
				VI: fmt.Sprintf("Kết cấu thùng dày hơn thùng rỗng mẫu: độ suy giảm vượt %.2f", excess),
				EN: fmt.Sprintf("The structure is denser than that of the empty template: attenuation %.2f more", excess),
			},
			wire.Figure{Name: "excess_attenuation", Value: rounded(excess), Limit: hiddenFrom})
	}
}

// falseWalls finds a thin upright wall near an end of a room. It speaks only of
// scanners with an empty template, whose containers are known to have none.
func (v *cargoView) falseWalls() {
	const beside = 5
	for _, b := range v.bodies {
		r := b.outer
		// Walls and posts of the body itself.
		rim := max(beside+3, int(0.018*float64(r.Dx())))
		top, bottom := b.inner.Min.Y, b.inner.Max.Y
		strongest, at := 0.0, 0
		for x := r.Min.X + rim; x < r.Max.X-rim; x++ {
			if near := min(x-r.Min.X, r.Max.X-x); float64(near) > wallReach*float64(r.Dx()) {
				continue
			}
			var rise []float32
			for y := top; y < bottom; y++ {
				rise = append(rise, v.a.at(x, y)-max(v.a.at(x-beside, y), v.a.at(x+beside, y)))
			}
			if d := float64(percentile(rise, wallRows)); d > strongest {
				strongest, at = d, x
			}
		}
		v.add(ruleFalseWall, "false-wall", image.Rect(at-3, top, at+4, bottom), logistic((strongest-wallLine)/0.02),
			wire.Text{
				VI: fmt.Sprintf("Có vách mỏng suốt chiều cao gần đầu thùng (độ suy giảm %.2f)", strongest),
				EN: fmt.Sprintf("A thin wall over the whole height near an end (attenuation %.2f)", strongest),
			},
			wire.Figure{Name: "line_attenuation", Value: rounded(strongest), Limit: wallLine})
	}
}

// goodsOf is the attenuation of the goods of a body times its area, the empty
// body taken off; opaque tells that it is a lower bound.
func (v *cargoView) goodsOf(b body) (sum float64, opaque bool) {
	r := b.inner
	var all []float32
	for y := r.Min.Y; y < r.Max.Y; y++ {
		all = append(all, v.a.row(y, r.Min.X, r.Max.X)...)
	}
	wall := min(0.25, float64(percentile(all, 0.02)))
	dark := 0
	for _, a := range all {
		goods := float64(a) - wall
		if a >= v.limit {
			dark++
		}
		sum += max(0, goods)
	}
	// What the inside leaves out at the walls holds goods too.
	sum *= float64(b.outer.Dx()-8) / float64(max(1, r.Dx()))
	return sum, float64(dark) > 0.05*float64(len(all))
}

// mass compares the mass that the image shows with papers and scale.
func (v *cargoView) mass(declared, weighed float64) {
	if v.mm <= 0 || len(v.bodies) == 0 {
		return
	}
	kg, least := 0.0, false
	for i, b := range v.bodies {
		sum, opaque := v.goodsOf(b)
		own := sum * massFactor * (v.mm / 10) * (v.mm / 10) / 1000
		kg, least = kg+own, least || opaque
		if v.scan.Cargo != nil && i < len(v.scan.Cargo.Bodies) {
			v.scan.Cargo.Bodies[i].MassKG = math.Round(own)
		}
	}
	for name, want := range map[string]float64{"declared_kg": declared, "weighed_kg": weighed} {
		if want < leastKG {
			continue
		}
		ratio := kg / want
		score := logistic((math.Log(ratio / massMore)) / 0.06)
		limit := massMore
		if ratio < 1 {
			score, limit = logistic(math.Log(massLess/ratio)/0.06), massLess
			if least {
				score = min(score, reportFrom-0.01)
			}
		}
		v.add(ruleMass, "mass-mismatch", v.bodies[0].outer, score,
			wire.Text{
				VI: fmt.Sprintf("Ảnh cho khoảng %.0f kg hàng, giấy tờ hoặc cân là %.0f kg", kg, want),
				EN: fmt.Sprintf("The image shows about %.0f kg of goods, paper or scale says %.0f kg", kg, want),
			},
			wire.Figure{Name: "image_over_" + strings.TrimSuffix(name, "_kg"), Value: rounded(ratio), Limit: limit}, wire.Figure{Name: "image_mass_kg", Value: math.Round(kg), Limit: math.Round(want * limit), Unit: "kg"})
	}
}

// declared compares the goods by the papers with what the image can support.
func (v *cargoView) declared(goods string) error {
	if goods == "" || v.scan.Cargo == nil {
		return nil
	}
	switch goods {
	case "empty", "rỗng":
		for i, b := range v.bodies {
			fill := v.scan.Cargo.Bodies[i].Fill
			v.add(ruleDeclared, "declared-empty", b.inner, logistic((fill-emptyFill)/0.012),
				wire.Text{
					VI: fmt.Sprintf("Khai rỗng nhưng %.0f %% thùng có hàng", 100*fill),
					EN: fmt.Sprintf("Declared empty, and %.0f %% of the inside is filled", 100*fill),
				},
				wire.Figure{Name: "fill", Value: fill, Limit: emptyFill})
		}
	case "uniform", "đồng nhất":
		for _, b := range v.bodies {
			spread, err := v.spread(b)
			if err != nil {
				return err
			}
			v.add(ruleDeclared, "declared-uniform", b.inner, logistic((spread-mixedFrom)/0.05),
				wire.Text{
					VI: fmt.Sprintf("Khai một loại hàng nhưng mật độ khác nhau nhiều (%.2f)", spread),
					EN: fmt.Sprintf("Declared as one kind of goods, and its parts differ (%.2f)", spread),
				},
				wire.Figure{Name: "spread_over_middle", Value: rounded(spread), Limit: mixedFrom})
		}
	case "liquid", "chất lỏng":
		for _, b := range v.bodies {
			v.surface(b)
		}
	case "metal", "kim loại":
		v.tooLight()
	}
	return nil
}

// surface compares the heights of what was declared as a liquid: in one tank, or
// in vessels that are filled alike, they are the same.
func (v *cargoView) surface(b body) {
	const sustained = 3 // rows: less is noise
	const low = 0.12    // of the room's height: below it the floor shows between vessels
	var tops []float32
	floor := b.inner.Max.Y - int(low*float64(b.inner.Dy()))
	for x := b.inner.Min.X; x < b.inner.Max.X; x++ {
		run := 0
		for y := b.inner.Min.Y; y < floor; y++ {
			if run++; v.a.at(x, y) <= loadFrom {
				run = 0
			}
			if run == sustained {
				tops = append(tops, float32(y))
				break
			}
		}
	}
	if len(tops) < leastLoad {
		return
	}
	// A bag of liquid falls off towards its ends.
	uneven := float64(percentile(tops, 0.88)-percentile(tops, 0.05)) / float64(b.inner.Dy())
	v.add(ruleDeclared, "declared-liquid", b.inner, logistic((uneven-levelFrom)/0.02),
		wire.Text{
			VI: fmt.Sprintf("Khai chất lỏng nhưng mặt hàng cao thấp khác nhau (%.0f %% chiều cao thùng)", 100*uneven),
			EN: fmt.Sprintf("Declared as a liquid, and its surface is not level (%.0f %% of the room's height)", 100*uneven),
		},
		wire.Figure{Name: "surface_unevenness", Value: rounded(uneven), Limit: levelFrom})
}

// tooLight compares the densest tenth of what was declared as metal with the
// least that metal goods are.
func (v *cargoView) tooLight() {
	var goods []float32
	var where image.Rectangle
	for _, b := range v.bodies {
		for y := b.inner.Min.Y; y < b.inner.Max.Y; y++ {
			for _, a := range v.a.row(y, b.inner.Min.X, b.inner.Max.X) {
				if a > loadFrom {
					goods = append(goods, a)
				}
			}
		}
		where = where.Union(b.inner)
	}
	if len(goods) < leastLoad*leastLoad {
		return
	}
	dense := float64(percentile(goods, 0.9))
	v.add(ruleDeclared, "declared-metal", where, logistic((metalFrom-dense)/0.08),
		wire.Text{
			VI: fmt.Sprintf("Khai kim loại nhưng chỗ đặc nhất của hàng quá nhẹ (độ suy giảm %.2f)", dense),
			EN: fmt.Sprintf("Declared as metal, and even the densest of the goods is too light (attenuation %.2f)", dense),
		},
		wire.Figure{Name: "densest_attenuation", Value: rounded(dense), Limit: metalFrom})
}

// spread is how much the columns of a load differ, over their middle. Columns
// are what pallets and goods of several kinds differ in.
func (v *cargoView) spread(b body) (float64, error) {
	var columns []float32
	var one []float32
	for x := b.inner.Min.X; x < b.inner.Max.X; x++ {
		one = one[:0]
		for y := b.inner.Min.Y; y < b.inner.Max.Y; y++ {
			if a := v.a.at(x, y); a > loadFrom {
				one = append(one, a)
			}
		}
		if len(one) > b.inner.Dy()/8 {
			columns = append(columns, median(one))
		}
	}
	if len(columns) < 20 {
		return 0, nil
	}
	return float64((percentile(columns, 0.9) - percentile(columns, 0.1)) / median(columns)), nil
}

// LotOf is what of a result is compared among the containers of one
// declaration.
func LotOf(r *wire.Scan) lot.Item {
	if r.Cargo == nil {
		return lot.Item{}
	}
	item := lot.Item{Fill: r.Cargo.Fill, Load: r.Cargo.Load}
	for _, b := range r.Cargo.Bodies {
		item.KG += b.MassKG
	}
	return item
}
