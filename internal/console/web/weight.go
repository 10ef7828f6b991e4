package web

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"gatehouse/internal/console/store"
	"gatehouse/internal/event"
)

// weightChart is a weighing's course ready to be drawn: the indicated weight
// over time, where it settled, and the declared weight beside it.
type weightChart struct {
	Line            string
	SettledY        float64
	Settled         *float64 // kg; nil when nothing settled
	Declared        *float64 // kg; nil when not declared
	DeclaredY       float64
	Ticks, Seconds  []tick
	Device          string
	Axles           []float64
	Stable, Over    bool
	DurationSeconds float64
}

// newWeightChart draws the last weighing of a passage; nil when there is none.
func newWeightChart(p Page, x *event.Passage) *weightChart {
	if len(x.Weighings) == 0 {
		return nil
	}
	w := x.Weighings[len(x.Weighings)-1]
	c := &weightChart{Device: w.Device, Axles: w.AxlesKG}
	if w.Weight != nil {
		c.Settled, c.Stable, c.Over = w.Weight.Gross, w.Weight.Stable, w.Weight.OverRange
	}
	if x.Expected != nil {
		c.Declared = x.Expected.GrossKG
	}
	top := 0.0
	for _, at := range w.Course {
		top = max(top, at.GrossKG)
	}
	for _, v := range []*float64{c.Settled, c.Declared} {
		if v != nil {
			top = max(top, *v)
		}
	}
	top = niceTop(max(top, 1) * 1.08)
	y := func(v float64) float64 {
		return chartTop + (chartHeight-chartTop-chartBottom)*(1-max(0, v)/top)
	}
	c.course(w.Course, y)
	if c.Settled != nil {
		c.SettledY = y(*c.Settled)
	}
	if c.Declared != nil {
		c.DeclaredY = y(*c.Declared)
	}
	for i := 0; i <= 2; i++ {
		v := top * float64(i) / 2
		c.Ticks = append(c.Ticks, tick{y(v), decimal(p.Lang, v/1000, 1) + " t"})
	}
	return c
}

// unchangedMS is the pause in a course that means that the indicated weight
// did not change: equal samples are not kept.
const unchangedMS = 600

func (c *weightChart) course(points []event.WeightPoint, y func(float64) float64) {
	if len(points) < 2 {
		return
	}
	span := max(1, float64(points[len(points)-1].AtMS-points[0].AtMS))
	c.DurationSeconds = span / 1000
	var line strings.Builder
	add := func(atMS int64, kg float64) {
		x := chartLeft + (chartWidth-chartLeft-chartRight)*float64(atMS-points[0].AtMS)/span
		fmt.Fprintf(&line, "%.1f,%.1f ", x, y(kg))
	}
	for i, p := range points {
		if i > 0 && p.AtMS-points[i-1].AtMS > unchangedMS {
			add(p.AtMS-unchangedMS/2, points[i-1].GrossKG)
		}
		add(p.AtMS, p.GrossKG)
	}
	c.Line = strings.TrimSpace(line.String())
	c.Seconds = secondsAxis(c.DurationSeconds)
}

// secondsAxis marks whole seconds, at most seven of them.
func secondsAxis(duration float64) []tick {
	if duration <= 0 {
		return nil
	}
	step := 1.0
	for duration/step > 6 {
		step *= 2
	}
	var list []tick
	for s := 0.0; s <= duration; s += step {
		list = append(list, tick{chartLeft + (chartWidth-chartLeft-chartRight)*s/duration, fmt.Sprintf("%.0f s", s)})
	}
	return list
}

// compared is one line of what was declared beside what was measured.
type compared struct {
	Label, Declared, Measured string
	State                     string // "same", "differs" or "" where one side is missing
}

// comparison sets the list's row beside what was measured.
func comparison(p Page, x *event.Passage) []compared {
	var rows []compared
	e := x.Expected
	if e == nil {
		e = &event.Expected{}
	}
	add := func(label, declared, measured string, same bool) {
		if declared == "" && measured == "" {
			return
		}
		row := compared{Label: label, Declared: declared, Measured: measured}
		if declared != "" && measured != "" {
			row.State = "differs"
			if same {
				row.State = "same"
			}
		}
		rows = append(rows, row)
	}
	front, rear := plateOf(x, false), plateOf(x, true)
	if x.Kind != event.Person {
		name := p.T("fact.plate")
		if x.Kind == event.Wagon {
			name = p.T("fact.wagon")
		}
		add(name, e.Plate, front.Text, e.Plate == front.Text)
		add(p.T("fact.rear"), e.RearPlate, rear.Text, e.RearPlate == rear.Text)
		container, same := containerBeside(x, e.Container)
		add(p.T("fact.container"), e.Container, container, same)
	}
	add(p.T("fact.declaration"), e.Declaration, declarationRead(x, e.Declaration), true)
	declared, measured := "", ""
	if e.GrossKG != nil {
		declared = kilograms(p, *e.GrossKG)
	}
	gross := grossOf(x)
	if gross != nil {
		measured = kilograms(p, *gross)
		if e.GrossKG != nil && *e.GrossKG > 0 {
			measured += " " + signed(p, (*gross-*e.GrossKG)/(*e.GrossKG)*100)
		}
	}
	add(p.T("fact.gross"), declared, measured, !hasFinding(x, event.FindingWeightDeclared))
	if e.Goods != "" {
		add(p.T("fact.goods"), e.Goods, "", true)
	}
	if e.Direction != "" {
		add(p.T("fact.direction"), p.Code("direction", string(e.Direction)), p.Code("direction", string(x.Direction)), e.Direction == x.Direction)
	}
	return rows
}

func signed(p Page, percent float64) string {
	text := decimal(p.Lang, math.Abs(percent), 1) + " %"
	if percent < 0 {
		return "−" + text
	}
	return "+" + text
}

// containerBeside is the container that was read: the one on the list if it
// was, else the first.
func containerBeside(x *event.Passage, listed string) (text string, same bool) {
	if x.Stated.Container != "" {
		return x.Stated.Container, x.Stated.Container == listed
	}
	for _, c := range x.Containers {
		if c.Text == listed {
			return c.Text, true
		}
	}
	if len(x.Containers) > 0 {
		return x.Containers[0].Text, false
	}
	return "", false
}

// declarationRead is the declaration that a code of the passage carries or an
// officer stated.
func declarationRead(x *event.Passage, listed string) string {
	if x.Stated.Declaration != "" {
		return x.Stated.Declaration
	}
	for _, b := range x.Barcodes {
		if listed != "" && strings.Contains(b.Barcode.Text, listed) {
			return listed
		}
	}
	return ""
}

func grossOf(x *event.Passage) *float64 {
	for _, g := range slices.Backward(x.Weighings) {
		if w := g.Weight; w != nil && w.Gross != nil {
			return w.Gross
		}
	}
	return nil
}

func hasFinding(x *event.Passage, code string) bool {
	for _, f := range x.Findings {
		if f.Code == code {
			return true
		}
	}
	return false
}

// plateOf is the best reading of the front, or of the rear or trailer.
func plateOf(x *event.Passage, rear bool) event.PlateReading {
	var best event.PlateReading
	found := false
	for _, r := range x.Plates {
		if (r.View == "rear") != rear {
			continue
		}
		readable, had := r.Text != "", best.Text != ""
		if !found || readable && !had || readable == had && r.Score > best.Score {
			best, found = r, true
		}
	}
	text := x.Stated.Plate
	if rear {
		text = x.Stated.RearPlate
	}
	if text != "" && text != best.Text {
		best.Text, best.Display, best.Country, best.Score, best.Alternates, best.Model = text, text, "", 1, nil, store.StatedModel
	}
	return best
}
