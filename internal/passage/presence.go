package passage

import (
	"cmp"
	"slices"
	"time"

	"gatehouse/internal/event"
)

// presence takes an edge of a device that tells when something is there.
func (e *Engine) presence(d *Device, ds *deviceState, r *event.Reading) {
	switch {
	case r.Presence == nil:
	case d.Role != RolePresence:
		if p := e.newest(event.Open); p != nil {
			p.attach(r)
		}
	case r.Presence.Occupied:
		e.begin(d, ds, r)
	default:
		e.end(d, ds, r)
	}
}

// begin takes the begin of an occupancy. It opens a passage, unless it goes on
// with one: after a break, or when a passage moves on to the lane's next
// presence device.
func (e *Engine) begin(d *Device, ds *deviceState, r *event.Reading) {
	before, tailGate := e.occupant(d.ID), false
	if before != nil {
		s := before.openSpan(d.ID)
		if e.resumes(before, ds, s, r) {
			e.resume(before, s, r)
			return
		}
		tailGate = !s.Broken
		e.endUntold(before, s, r)
	} else if gap := r.ReceivedAt.Sub(ds.LastEnd); !ds.LastEnd.IsZero() && gap >= 0 && gap < e.lane.Join.TailGate {
		before, tailGate = e.lastIn(d.ID), true
	}
	p := cmp.Or(e.movedOn(d, r), e.foundStanding(ds, r))
	if p == nil {
		p = e.open(r.ReceivedAt, r.ID)
	}
	if len(p.Spans) == 0 {
		e.adopt(p, r.ReceivedAt)
	}
	e.direct(p, d)
	e.enter(p, d, r, r.Presence.Number)
	p.attach(r)
	if tailGate {
		p.irregular(irregularTailGate)
		e.raiseTailGate(p, before, d, r)
	}
}

// direct tells the direction of a passage in a two-way lane by the order in
// which it meets the presence devices: they are listed in the order of entry.
func (e *Engine) direct(p *passage, d *Device) {
	if p.Record.Direction != event.DirectionUnknown || len(p.Spans) == 0 {
		return
	}
	switch first, here := e.lane.order(p.Spans[0].Device), e.lane.order(d.ID); {
	case first < here:
		p.Record.Direction = event.Entry
	case first > here:
		p.Record.Direction = event.Exit
	}
}

// enter begins a stay in the zone of a presence device.
func (e *Engine) enter(p *passage, d *Device, r *event.Reading, number string) {
	p.Spans = append(p.Spans, span{Device: d.ID, Number: number, Begin: r.ReceivedAt, Heard: r.ReceivedAt})
	p.Record.State, p.Record.LeftAt, p.JoinOver = event.Open, nil, false
	p.dirty = true
	e.expect(p, TimerMissingEnd, e.lane.Join.MissingEnd)
}

// backAtOnce is how soon after a device is heard again it tells that it is
// occupied, if it is: a portal sends a sample every 200 ms then.
const backAtOnce = time.Second

// resumes says whether a begin goes on with the occupancy of s: one that was
// known from its samples only, or one in which the device or the daemon was
// away for a short time. A device that comes back in the middle of an
// occupancy tells its begin again, and at once. It is another vehicle when the
// zone was seen empty in between, or when a camera has announced another.
func (e *Engine) resumes(p *passage, ds *deviceState, s *span, r *event.Reading) bool {
	if s.Number != "" && r.Presence.Number != "" && s.Number != r.Presence.Number {
		return false
	}
	if s.Assumed {
		return true
	}
	return s.Broken && r.ReceivedAt.Sub(s.Heard) <= e.lane.Join.Resume &&
		r.ReceivedAt.Sub(ds.Link.Since) <= backAtOnce && !e.announced(p)
}

// announced says whether a capture waits that cannot be of p, since the same
// camera has shown p already.
func (e *Engine) announced(p *passage) bool {
	return slices.ContainsFunc(e.s.Held, func(h *held) bool {
		d, ok := e.lane.device(h.Reading.Device)
		return ok && d.Position == PositionBefore && p.shows(trackOf(d, &h.Reading))
	})
}

func (e *Engine) resume(p *passage, s *span, r *event.Reading) {
	if s.Broken {
		p.irregular(irregularRestart)
	}
	s.Assumed, s.Broken, s.Heard = false, false, r.ReceivedAt
	if s.Number == "" {
		s.Number = r.Presence.Number
	}
	p.attach(r)
	e.expect(p, TimerMissingEnd, e.lane.Join.MissingEnd)
}

// endUntold ends the occupancy of s because the next has begun.
func (e *Engine) endUntold(p *passage, s *span, next *event.Reading) {
	s.End = next.ReceivedAt
	if s.Broken {
		s.End = s.Heard
		p.irregular(irregularRestart)
		p.irregular(irregularMissingEnd)
	}
	e.leftIfClear(p)
}

// movedOn finds the passage that a begin continues although the device has not
// seen it before: one that comes from the lane's earlier presence device, or
// one that a scanner before the presence zone has opened.
func (e *Engine) movedOn(d *Device, r *event.Reading) *passage {
	first := slices.IndexFunc(e.lane.Devices, func(o Device) bool { return o.Role == RolePresence })
	later := e.lane.Devices[first].ID != d.ID
	for _, p := range e.s.Passages {
		if p.ended() || p.Aside || p.spanOf(d.ID) != nil {
			continue
		}
		if (later || e.lane.twoWay()) && len(p.Spans) > 0 {
			return p
		}
		if s, ok := e.lane.device(p.Scanner); ok && len(p.Spans) == 0 && (s.Position == PositionBefore || e.lane.twoWay()) &&
			r.ReceivedAt.Sub(p.Record.OpenedAt) <= e.lane.Join.After {
			p.Record.Irregular = slices.DeleteFunc(p.Record.Irregular, func(s string) bool { return s == irregularNoPresence })
			return p
		}
	}
	return nil
}

// foundStanding finds the passage of the vehicle that a presence device finds
// in its zone when it comes back: the newest that a camera has announced while
// the device was away, if it has not been scanned yet.
func (e *Engine) foundStanding(ds *deviceState, r *event.Reading) *passage {
	if len(e.s.Passages) == 0 || r.ReceivedAt.Sub(ds.Link.Since) > backAtOnce {
		return nil
	}
	i := len(e.s.Passages) - 1
	for i > 0 && e.s.Passages[i].Aside {
		i--
	}
	p := e.s.Passages[i]
	if p.ended() || p.Aside || len(p.Spans) > 0 || len(p.Scans) > 0 || r.ReceivedAt.Sub(p.Record.OpenedAt) > e.lane.Join.Before+e.lane.Join.Resume {
		return nil
	}
	return p
}

// end takes the end of an occupancy.
func (e *Engine) end(d *Device, ds *deviceState, r *event.Reading) {
	p := e.occupant(d.ID)
	if p == nil {
		e.lateEnd(d, r)
		return
	}
	p.attach(r)
	s := p.openSpan(d.ID)
	s.End, s.Heard, ds.LastEnd = r.ReceivedAt, r.ReceivedAt, r.ReceivedAt
	if s.Broken {
		p.irregular(irregularRestart)
	}
	if r.Presence.Unterminated {
		p.irregular(irregularMissingEnd)
	}
	if r.Presence.Reverse {
		e.cancel(p, r.ReceivedAt, irregularReversed)
		return
	}
	e.leftIfClear(p)
}

// lateEnd takes an end that comes after a timer has ended its occupancy.
func (e *Engine) lateEnd(d *Device, r *event.Reading) {
	p := e.lastIn(d.ID)
	if p == nil {
		return
	}
	s := p.spanOf(d.ID)
	if !s.Inferred || r.ReceivedAt.Before(s.Begin) || p.Record.State == event.Cancelled {
		return
	}
	p.attach(r)
	at := r.ReceivedAt
	s.End, s.Inferred, p.Record.LeftAt, p.dirty = at, false, &at, true
	if r.Presence.Reverse {
		e.cancel(p, at, irregularReversed)
	}
}

// missingEnd ends the occupancies of a passage that nothing was heard of.
func (e *Engine) missingEnd(p *passage) {
	p.irregular(irregularMissingEnd)
	for i := range p.Spans {
		s := &p.Spans[i]
		if !s.open() {
			continue
		}
		s.End, s.Inferred = s.Heard, true
		if s.Broken {
			p.irregular(irregularRestart)
		}
	}
	if len(p.Spans) == 0 {
		e.left(p, e.now)
		return
	}
	e.leftIfClear(p)
}

// leftIfClear ends the passage's presence when no device sees it any more.
func (e *Engine) leftIfClear(p *passage) {
	if p.Record.State != event.Open {
		return
	}
	at := p.Record.OpenedAt
	for _, s := range p.Spans {
		if s.open() {
			return
		}
		if s.End.After(at) {
			at = s.End
		}
	}
	e.left(p, at)
}

// occupant is the passage that stands in the zone of a presence device.
func (e *Engine) occupant(device string) *passage {
	for _, p := range slices.Backward(e.s.Passages) {
		if p.openSpan(device) != nil {
			return p
		}
	}
	return nil
}

// lastIn is the passage that was in the zone of a presence device last.
func (e *Engine) lastIn(device string) *passage {
	for _, p := range slices.Backward(e.s.Passages) {
		if p.spanOf(device) != nil {
			return p
		}
	}
	return nil
}

func (p *passage) openSpan(device string) *span {
	if s := p.spanOf(device); s != nil && s.open() {
		return s
	}
	return nil
}

// spanOf is the passage's latest stay in the zone of a presence device.
func (p *passage) spanOf(device string) *span {
	for i := range slices.Backward(p.Spans) {
		if p.Spans[i].Device == device {
			return &p.Spans[i]
		}
	}
	return nil
}

// broken says that the passage stands in a zone whose device is away.
func (p *passage) broken() bool {
	return slices.ContainsFunc(p.Spans, func(s span) bool { return s.open() && s.Broken })
}

// breakSpans marks occupancies in which a device, or with "" the daemon, was
// away, and gives them a new deadline.
func (e *Engine) breakSpans(device string) {
	for _, p := range e.s.Passages {
		if p.Record.State != event.Open {
			continue
		}
		for i := range p.Spans {
			if s := &p.Spans[i]; s.open() && (device == "" || s.Device == device) {
				s.Broken = true
				e.expect(p, TimerMissingEnd, e.lane.Join.MissingEnd)
			}
		}
	}
}

// canSeePresence says whether a presence device is there and able to look.
func (e *Engine) canSeePresence() bool {
	return slices.ContainsFunc(e.lane.Devices, func(d Device) bool {
		return d.Role == RolePresence && !blind(e.s.device(d.ID).condition().State)
	})
}

// hasPresence says whether the lane has a presence device at all.
func (e *Engine) hasPresence() bool {
	return slices.ContainsFunc(e.lane.Devices, func(d Device) bool { return d.Role == RolePresence })
}
