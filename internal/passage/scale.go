package passage

import (
	"math"
	"slices"
	"time"

	"gatehouse/internal/event"
)

const (
	// coursePoints bounds a weighing's course.
	coursePoints = 240
	// stepOff is how much lighter a vehicle may become while it stands on a
	// scale: people get off. What is lighter by more is only part of it.
	stepOff = 300.0
)

// load is what stands on a scale.
type load struct {
	On      bool     `json:"on,omitempty"`
	Passage event.ID `json:"passage,omitempty"` // empty while it is nobody's
	// Broken says that the scale or the daemon was away since, from Since on.
	Broken bool      `json:"broken,omitempty"`
	Since  time.Time `json:"since,omitzero"`
}

// weighing is how far a weighing of a passage has got.
type weighing struct {
	Device string    `json:"device"`
	Began  time.Time `json:"began"` // beginning of the course
	Ended  time.Time `json:"ended,omitzero"`
	// Downs is how often something came onto the scale, Settled whether the
	// present or last one settled, and Unsettled how many did not.
	Downs     int       `json:"downs"`
	Settled   bool      `json:"settled,omitempty"`
	Unsettled int       `json:"unsettled,omitempty"`
	Axles     []float64 `json:"axles,omitempty"`
	// Stride is of how many points of the course one is kept.
	Stride  int `json:"stride"`
	Skipped int `json:"skipped,omitempty"`
	// Doubt is why the weight is not dependable, or would not be if it settled.
	Doubt string `json:"doubt,omitempty"`
}

// Reasons why a weight is not dependable.
const (
	doubtMotion      = "motion"
	doubtOver        = "over-range"
	doubtUnder       = "under-range"
	doubtZeroed      = "not-zeroed"
	doubtZeroBefore  = "no-zero-before"
	doubtCalibration = "calibration"
	doubtQuality     = "quality"
)

// weight takes a frame of a scale, or the weight at which it has settled.
func (e *Engine) weight(d *Device, ds *deviceState, r *event.Reading) {
	w := r.Weight
	if w == nil {
		return
	}
	if ds.Load.Broken {
		e.weighedAgain(d, ds, r)
	}
	switch {
	case w.Loaded && !ds.Load.On:
		e.loadOn(d, ds, r)
	case !w.Loaded && ds.Load.On:
		e.loadOff(d, ds, r)
		return
	case !w.Loaded:
		return
	}
	settled := r.Kind == event.WeightStable && w.Stable && r.Quality != event.Bad && indicated(w) != nil
	if settled {
		e.nextOnScale(d, ds, r)
	}
	p := e.s.passage(ds.Load.Passage)
	if p == nil {
		if !settled {
			return // a moment's load is nobody's
		}
		p = e.alone(d, r)
		e.weigh(p, d, ds, r)
	}
	ws, record := p.present(d.ID)
	if ws == nil {
		return
	}
	if r.Class != event.Idle {
		p.attach(r)
	}
	ws.follow(record, r)
	if settled {
		p.settleWeight(d, ws, record, r)
	}
}

// indicated is the gross weight, or the net weight of an indicator that gives
// that alone.
func indicated(w *event.Weight) *float64 {
	if w.Gross != nil {
		return w.Gross
	}
	return w.Net
}

// loadOn takes something that comes onto a scale.
func (e *Engine) loadOn(d *Device, ds *deviceState, r *event.Reading) {
	ds.Load = load{On: true}
	if p := e.comesOnto(d, r.ReceivedAt); p != nil {
		e.weigh(p, d, ds, r)
	}
}

// comesOnto is the passage that a scale weighs next.
func (e *Engine) comesOnto(d *Device, at time.Time) *passage {
	switch d.Position {
	case PositionDuring:
		return e.newest(event.Open)
	case PositionBefore:
		return nil // it has not begun
	default:
		if p := e.weighedTwice(d, at); p != nil {
			return p
		}
		return e.ahead(d, at, func(p *passage) bool { return p.weighing(d.ID) != nil })
	}
}

// weighedTwice is the passage that was weighed last, when a second load on the
// scale is of it too: a trailer, or a second vehicle that went through the
// presence zone with the first.
func (e *Engine) weighedTwice(d *Device, at time.Time) *passage {
	for _, p := range slices.Backward(e.s.Passages) {
		w := p.weighing(d.ID)
		if w == nil || p.Aside || p.gone() {
			continue
		}
		another := !e.beyond(p, d) || p.tailed() // beyond is only the first of two
		if p.weighings(d.ID) < p.vehicles() && !w.Ended.IsZero() && at.Sub(w.Ended) <= offScale && another {
			return p
		}
		return nil
	}
	return nil
}

// weigh begins a weighing of a passage, or goes on with that of its axles.
func (e *Engine) weigh(p *passage, d *Device, ds *deviceState, r *event.Reading) {
	ds.Load.Passage = p.Record.ID
	if w := p.weighing(d.ID); w != nil && d.Position == PositionDuring {
		w.Downs++
		w.Settled, w.Ended = false, time.Time{}
		return
	}
	p.Weighs = append(p.Weighs, weighing{Device: d.ID, Began: r.ReceivedAt, Downs: 1, Stride: 1})
	p.Record.Weighings = append(p.Record.Weighings, event.Weighing{Device: d.ID, At: r.ReceivedAt, Reading: r.ID})
	if p.Deadline != nil && p.Deadline.Name == TimerJoin {
		e.expect(p, TimerJoin, e.lane.Join.After) // it waited its turn
	}
}

// loadOff takes that the scale is empty again.
func (e *Engine) loadOff(d *Device, ds *deviceState, r *event.Reading) {
	p := e.s.passage(ds.Load.Passage)
	ds.Load = load{}
	if p == nil {
		return
	}
	if r.Class != event.Idle {
		p.attach(r)
	}
	e.offScale(p, d, r.ReceivedAt)
}

// offScale ends the present weighing of a passage.
func (e *Engine) offScale(p *passage, d *Device, at time.Time) {
	ws, _ := p.present(d.ID)
	if ws == nil {
		return
	}
	ws.Ended = at
	if !ws.Settled {
		ws.Unsettled++
	}
	p.dirty = true
	if p.Scanner == d.ID && len(p.Spans) == 0 && p.Record.State == event.Open {
		e.left(p, at) // opened by the scale, so it ends with it
	}
}

// nextOnScale gives a scale to the next passage when what has settled cannot be
// the one before: that has been seen behind the scale, and the scale was not
// empty in between.
func (e *Engine) nextOnScale(d *Device, ds *deviceState, r *event.Reading) {
	p := e.s.passage(ds.Load.Passage)
	if p == nil || d.Position != PositionAfter || !e.beyond(p, d) {
		return
	}
	w, record := p.present(d.ID)
	if w == nil || !w.Settled || record.Weight == nil || math.Abs(*indicated(record.Weight)-*indicated(r.Weight)) <= stepOff {
		return
	}
	if next := e.comesOnto(d, r.ReceivedAt); next != nil {
		e.offScale(p, d, r.ReceivedAt)
		e.weigh(next, d, ds, r)
	}
}

// breakLoads notes that a scale, or with "" every one, was away while something
// stood on it.
func (e *Engine) breakLoads(device string, since time.Time) {
	for _, ds := range e.s.Devices {
		if ds.Load.On && !ds.Load.Broken && (device == "" || ds.ID == device) {
			ds.Load.Broken, ds.Load.Since = true, since
		}
	}
}

// weighedAgain takes the first weight after a break. What stands there now is
// what stood there before, unless there was time to change or it is as heavy as
// another.
func (e *Engine) weighedAgain(d *Device, ds *deviceState, r *event.Reading) {
	broken := ds.Load.Since
	p := e.s.passage(ds.Load.Passage)
	if !r.Weight.Loaded {
		ds.Load = load{}
		if p != nil {
			e.offScale(p, d, broken)
		}
		return
	}
	another := r.ReceivedAt.Sub(broken) > e.lane.Join.Resume
	if p != nil && !another {
		ws, record := p.present(d.ID)
		settled := r.Kind == event.WeightStable && indicated(r.Weight) != nil
		if ws != nil && ws.Settled && !settled {
			return // its weight will tell
		}
		another = ws != nil && ws.Settled && record.Weight != nil && indicated(record.Weight) != nil &&
			math.Abs(*indicated(record.Weight)-*indicated(r.Weight)) > stepOff
	}
	ds.Load.Broken = false
	if another {
		if p != nil {
			e.offScale(p, d, broken)
		}
		e.loadOn(d, ds, r)
	}
}

// present is the passage's newest weighing on a scale with its record.
func (p *passage) present(device string) (*weighing, *event.Weighing) {
	for i := range slices.Backward(p.Weighs) {
		if p.Weighs[i].Device == device {
			return &p.Weighs[i], &p.Record.Weighings[i]
		}
	}
	return nil, nil
}

func (p *passage) weighing(device string) *weighing {
	w, _ := p.present(device)
	return w
}

func (p *passage) weighings(device string) int {
	n := 0
	for _, w := range p.Weighs {
		if w.Device == device {
			n++
		}
	}
	return n
}

// follow adds a frame to the course, and notes what speaks against its weight.
func (w *weighing) follow(record *event.Weighing, r *event.Reading) {
	v := r.Weight
	switch {
	case w.Settled: // what comes later is on its way off
	case v.OverRange:
		w.Doubt = doubtOver
	case v.UnderRange:
		w.Doubt = doubtUnder
	case !v.Zeroed:
		w.Doubt = doubtZeroed
	case r.Quality == event.Bad:
		w.Doubt = doubtQuality
	default:
		w.Doubt = doubtMotion
	}
	shown := indicated(v)
	if r.Kind != event.WeightSample || shown == nil || !finite(*shown) {
		return
	}
	if !w.Settled {
		record.At, record.Reading = r.ReceivedAt, r.ID
	}
	w.point(record, r.ReceivedAt, *shown)
}

// point adds a point to the course. When it is full, every other one goes, and
// from then on of twice as many one is kept.
func (w *weighing) point(record *event.Weighing, at time.Time, kg float64) {
	if w.Skipped++; w.Skipped < w.Stride && len(record.Course) > 0 {
		return
	}
	w.Skipped = 0
	record.Course = append(record.Course, event.WeightPoint{AtMS: max(at.Sub(w.Began).Milliseconds(), 0), GrossKG: kg})
	if len(record.Course) < coursePoints {
		return
	}
	kept := make([]event.WeightPoint, 0, coursePoints)
	for i := 0; i < len(record.Course); i += 2 {
		kept = append(kept, record.Course[i])
	}
	record.Course, w.Stride = kept, w.Stride*2
}

// settleWeight takes the weight at which a scale has settled. Of a vehicle that
// has not driven up wholly, or is leaving, it is less than its weight and never
// takes the place of it.
func (p *passage) settleWeight(d *Device, w *weighing, record *event.Weighing, r *event.Reading) {
	v := *r.Weight
	kg := *indicated(&v)
	if w.Settled && record.Weight != nil && kg < *indicated(record.Weight)-stepOff {
		return
	}
	again := w.Settled
	w.Settled, w.Doubt = true, ""
	if !v.ZeroBefore && w.Downs == 1 { // axles follow each other too closely
		w.Doubt = doubtZeroBefore
	}
	if r.Quality != event.Good {
		w.Doubt = doubtQuality
	}
	p.dirty = true
	record.At, record.Reading = r.ReceivedAt, r.ID
	if d.Position != PositionDuring {
		record.Weight = &v
		return
	}
	if again && len(w.Axles) > 0 {
		w.Axles = w.Axles[:len(w.Axles)-1]
	}
	w.Axles = append(w.Axles, kg)
	record.Weight, record.AxlesKG = &v, nil
	if w.Downs > 1 {
		record.Weight, record.AxlesKG = nil, slices.Clone(w.Axles)
	}
}
