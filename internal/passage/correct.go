package passage

import (
	"slices"
	"time"

	"gatehouse/internal/event"
)

const irregularByHand = "by-hand"

// correct applies what an officer changed, once. What cannot be applied is an
// effect for the log, and in no version of a passage.
func (e *Engine) correct(c *event.Correction, recalled []event.Passage) {
	if c == nil || c.ID == "" || slices.Contains(e.s.Corrected, c.ID) || e.recorded(c) {
		return
	}
	e.s.Corrected = appendBounded(e.s.Corrected, c.ID, correctionsKept)
	var why string
	switch c.Kind {
	case event.CorrectEnter:
		why = e.enterByHand(c, recalled)
	case event.CorrectFacts:
		why = e.onPassage(c, recalled, func(p *passage) string {
			p.state(c.Facts)
			return ""
		})
	case event.CorrectCancel:
		why = e.onPassage(c, recalled, e.cancelByHand)
	case event.CorrectSplit:
		why = e.onPassage(c, recalled, func(p *passage) string { return e.split(p, c) })
	case event.CorrectMerge:
		why = e.onPassage(c, recalled, func(p *passage) string {
			other, why := e.named(c.Other, recalled)
			if other == nil {
				return why
			}
			return e.merge(p, other, c)
		})
	default:
		why = "its kind is not known"
	}
	if why != "" {
		e.out = append(e.out, Effect{NotApplied: &NotApplied{Correction: c.ID, Passage: c.Passage, Why: why}})
	}
}

// recorded says whether a passage that is kept has the correction already.
func (e *Engine) recorded(c *event.Correction) bool {
	return slices.ContainsFunc(e.s.Passages, func(p *passage) bool {
		return slices.ContainsFunc(p.Record.Corrections, func(o event.Correcting) bool { return o.ID == c.ID })
	})
}

// onPassage applies a change to the passage that a correction names.
func (e *Engine) onPassage(c *event.Correction, recalled []event.Passage, change func(*passage) string) string {
	p, why := e.named(c.Passage, recalled)
	if p == nil {
		return why
	}
	if p.Record.State == event.Merged {
		return "the passage is part of " + string(p.Record.MergedInto)
	}
	if why := change(p); why != "" {
		return why
	}
	e.record(p, c, c.Other)
	return ""
}

// record keeps a correction with a passage that it changed.
func (e *Engine) record(p *passage, c *event.Correction, other event.ID) {
	p.Record.Corrections = append(p.Record.Corrections, event.Correcting{
		ID: c.ID, Agency: c.Agency, Kind: c.Kind, Other: other, Facts: c.Facts, Reason: c.Reason, Badge: c.Badge, At: c.At,
	})
	p.Touched, p.dirty = e.now, true
}

// named finds the passage of an id: one that is kept, or one that the gate has
// read back from the shared record.
func (e *Engine) named(id event.ID, recalled []event.Passage) (*passage, string) {
	if p := e.s.passage(id); p != nil {
		return p, ""
	}
	i := slices.IndexFunc(recalled, func(p event.Passage) bool { return p.ID == id && p.Lane == e.lane.ID })
	if i < 0 {
		return nil, "the passage is not known in this lane"
	}
	p, err := e.recall(recalled[i])
	if err != nil {
		return nil, "its record cannot be read: " + err.Error()
	}
	p.Touched = e.now
	// It goes where it was in the order, although no reading can be its own.
	at, _ := slices.BinarySearchFunc(e.s.Passages, p, func(a, b *passage) int { return a.Record.OpenedAt.Compare(b.Record.OpenedAt) })
	e.s.Passages = slices.Insert(e.s.Passages, at, p)
	return p, ""
}

// state takes what an officer states; kind, direction and flow are then so.
func (p *passage) state(f event.Facts) {
	s := &p.Record.Stated
	set(&s.Kind, f.Kind)
	set(&s.Direction, f.Direction)
	set(&s.Flow, f.Flow)
	set(&s.Plate, f.Plate)
	set(&s.RearPlate, f.RearPlate)
	set(&s.Container, f.Container)
	set(&s.Document, f.Document)
	set(&s.Declaration, f.Declaration)
	set(&p.Record.Kind, f.Kind)
	set(&p.Record.Direction, f.Direction)
	set(&p.Record.Flow, f.Flow)
}

func set[T ~string](field *T, value T) {
	if value != "" {
		*field = value
	}
}

// enterByHand records a passage that no device saw.
func (e *Engine) enterByHand(c *event.Correction, recalled []event.Passage) string {
	known := slices.ContainsFunc(recalled, func(p event.Passage) bool { return p.ID == c.Passage })
	switch {
	case c.Passage.Time().IsZero():
		return "the id of the new passage is no ULID"
	case known || e.s.passage(c.Passage) != nil:
		return "there is a passage with this id"
	case c.Moment == nil || c.Moment.After(e.now.Add(time.Minute)):
		return "the moment is missing or in the future"
	}
	at := wall(*c.Moment)
	p := &passage{Record: event.Passage{
		ID: c.Passage, Where: e.lane.where(""), Kind: e.lane.Kind, Direction: e.lane.Direction, Flow: e.lane.Flow,
		State: event.Closed, OpenedAt: at, LeftAt: &at, Irregular: []string{irregularByHand},
		Readings: []event.ReadingRef{},
	}, Aside: true}
	closed := e.now
	p.Record.ClosedAt = &closed
	for _, d := range e.lane.Devices {
		if d.Required {
			p.Watch = append(p.Watch, watch{Device: d.ID, Worst: condition{State: event.Up}})
		}
	}
	p.state(c.Facts)
	e.s.Passages = append(e.s.Passages, p)
	e.record(p, c, "")
	return ""
}

// cancelByHand says that the passage was none.
func (e *Engine) cancelByHand(p *passage) string {
	if p.Record.State == event.Cancelled {
		return "the passage is cancelled already"
	}
	at := e.now
	if p.Record.LeftAt != nil {
		at = *p.Record.LeftAt
	}
	e.letGo(p)
	e.cancel(p, at, irregularByHand)
	return ""
}

// letGo takes a passage off the scales: what stands there is nobody's then.
func (e *Engine) letGo(p *passage) {
	for _, ds := range e.s.Devices {
		if ds.Load.Passage == p.Record.ID {
			ds.Load.Passage = ""
		}
	}
}

// merge joins other into the passage. Other ends as merged.
func (e *Engine) merge(p, other *passage, c *event.Correction) string {
	switch {
	case p == other:
		return "a passage cannot be merged with itself"
	case other.gone():
		return "the other passage is " + string(other.Record.State)
	case p.Record.State == event.Cancelled:
		return "the passage is cancelled"
	}
	if p.Aside && !other.Aside { // it is in the lane now, where the other is
		p.Aside = false
		i, j := slices.Index(e.s.Passages, p), slices.Index(e.s.Passages, other)
		e.s.Passages[i], e.s.Passages[j] = other, p
	}
	p.Frozen = p.Frozen || other.Frozen
	e.moveFindings(other, p, func(event.Finding) bool { return true })
	p.join(other)
	e.takeAnalyses(p, other, func(analysis) bool { return true })
	p.Plate = ""
	for _, ds := range e.s.Devices {
		if ds.Load.Passage == other.Record.ID {
			ds.Load.Passage = p.Record.ID
		}
	}
	for _, h := range e.s.Held {
		if h.During == other.Record.ID {
			h.During = p.Record.ID
		}
	}
	e.reopen(p)
	left := other.Record
	*other = passage{Record: event.Passage{
		ID: left.ID, Version: left.Version, Where: left.Where, Kind: left.Kind, Direction: left.Direction, Flow: left.Flow,
		State: event.Merged, OpenedAt: left.OpenedAt, LeftAt: left.LeftAt, ClosedAt: left.ClosedAt, Irregular: left.Irregular,
		Stated: left.Stated, Corrections: left.Corrections, MergedInto: p.Record.ID, Coverage: left.Coverage,
		Findings: left.Findings, Readings: []event.ReadingRef{},
	}, Derived: other.Derived, Alerts: other.Alerts, Aside: true, Frozen: true}
	now := e.now
	if other.Record.ClosedAt == nil {
		other.Record.ClosedAt = &now
	}
	if other.Record.LeftAt == nil {
		other.Record.LeftAt = &now
	}
	e.record(other, c, p.Record.ID)
	return ""
}

// reopen makes the state of a passage that was joined or cut what its stays in
// the lane say.
func (e *Engine) reopen(p *passage) {
	p.dirty = true
	if p.Aside {
		return
	}
	left := p.Record.OpenedAt
	for _, s := range p.Spans {
		if s.open() {
			p.Record.State, p.Record.LeftAt, p.Record.ClosedAt, p.JoinOver = event.Open, nil, nil, false
			e.expect(p, TimerMissingEnd, e.lane.Join.MissingEnd)
			return
		}
		left = later(left, s.End)
	}
	if p.Record.LeftAt == nil || len(p.Spans) > 0 {
		p.Record.LeftAt = &left
	}
	if p.Record.State == event.Open {
		p.Record.State = event.Waiting
		e.expect(p, TimerJoin, e.lane.Join.After)
	}
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
