package passage

import (
	"slices"
	"strconv"
	"time"

	"gatehouse/internal/event"
)

// Who comes close behind another may be inside the other's occupancy: the
// presence device then tells of one, and the devices around it of two. What they
// saw of the second is sorted here.

// before is the passage that a held capture came close behind: the one
// that stood in the zone when it was taken, or had left no longer before than a
// camera's picture may be late.
func (e *Engine) before(h *held) *passage {
	if p := e.s.passage(h.During); p != nil {
		return p
	}
	for _, p := range slices.Backward(e.s.Passages) {
		if p.Aside || p.gone() || len(p.Spans) == 0 || p.Record.LeftAt == nil || p.Record.LeftAt.After(h.Reading.ReceivedAt) {
			continue
		}
		if h.Reading.ReceivedAt.Sub(*p.Record.LeftAt) <= lateCapture {
			return p
		}
		return nil
	}
	return nil
}

// overtaken says that a capture or document is not of what enters the zone now:
// the same device has shown so many others since as there is room for before the
// zone.
func (e *Engine) overtaken(d *Device, h *held, waiting []*held) bool {
	t := trackOf(d, &h.Reading)
	if t.View == viewCode {
		return false // one vehicle has any number of codes
	}
	since := map[track]bool{}
	for i, o := range waiting {
		other := trackOf(d, &o.Reading)
		if o.Reading.Device != d.ID || !o.Reading.ReceivedAt.After(h.Reading.ReceivedAt) || other.View != t.View || other == t && t.Event != "" {
			continue
		}
		if other.Event == "" {
			other.Event = strconv.Itoa(i)
		}
		since[other] = true
	}
	return len(since) >= d.Room
}

// cameBehind is the passage whose scan begins a second time because another
// vehicle was in its occupancy: a camera before the zone has shown the other,
// the zone was empty after it, and everybody before it is scanned. The capture
// becomes the passage's.
func (e *Engine) cameBehind(d *Device, at time.Time) *passage {
	if e.lane.Kind != event.Vehicle || d.Position != PositionAfter || e.lane.twoWay() || !e.canSeePresence() {
		return nil
	}
	for i, h := range e.s.Held {
		camera, ok := e.lane.device(h.Reading.Device)
		if !ok || camera.Position != PositionBefore || h.Reading.Capture == nil {
			continue
		}
		p := e.before(h)
		if p == nil || p.gone() || !p.shows(trackOf(camera, &h.Reading)) || p != e.lastScannedBy(d) ||
			p.scansBy(d.ID) < p.vehicles() || at.Sub(later(p.left(), p.lastScanned(d.ID))) > d.Transit {
			continue
		}
		e.s.Held = slices.Delete(e.s.Held, i, i+1)
		e.photo(p, camera, &h.Reading)
		return p
	}
	return nil
}

// left is when the passage left the zone, or began while it has not.
func (p *passage) left() time.Time {
	if p.Record.LeftAt != nil {
		return *p.Record.LeftAt
	}
	return p.Record.OpenedAt
}

// lastScannedBy is the latest passage through the zone that a scanner has
// scanned.
func (e *Engine) lastScannedBy(d *Device) *passage {
	for _, p := range slices.Backward(e.s.Passages) {
		if !p.Aside && !p.gone() && len(p.Spans) > 0 && p.scannedBy(d.ID) {
			return p
		}
	}
	return nil
}

// judgeScanned tells tail-gating by a new scan. Two pictures from before the
// zone and two scans behind it are two vehicles: a trailer has a picture of its
// own, but no scan. And what a camera saw before the zone and a scanner behind
// it came through it: in another's occupancy, if the presence device looked and
// told of none.
func (e *Engine) judgeScanned(p *passage, d *Device, r *event.Reading) {
	if e.lane.Kind != event.Vehicle || p.finding(event.FindingTailgate, d.ID) != nil {
		return
	}
	switch {
	case p.vehicles() > 1 && p.scansBy(d.ID) == 2:
		p.irregular(irregularTailGate)
		e.raiseTailGate(p, nil, d, r)
	case len(p.Spans) == 0 && p.scansBy(d.ID) == 1 && d.Position == PositionAfter && e.hiddenBehind(p):
		p.irregular(irregularTailGate)
		e.raiseTailGate(p, e.passageBefore(p), d, r)
	}
}

// tailed says that one more vehicle was in the passage's occupancy, as far as
// scans tell.
func (p *passage) tailed() bool {
	return slices.ContainsFunc(p.Scans, func(s scanState) bool { return p.scansBy(s.Device) > 1 })
}

// hiddenBehind says that the passage was announced by a camera before the zone,
// and that a presence device was there all the time since and told of nothing.
func (e *Engine) hiddenBehind(p *passage) bool {
	announced := slices.ContainsFunc(p.Record.Photos, func(f event.Photo) bool {
		c, ok := e.lane.device(f.Device)
		return ok && c.Position == PositionBefore
	})
	return announced && !e.lane.twoWay() && slices.ContainsFunc(e.lane.Devices, func(o Device) bool {
		if o.Role != RolePresence {
			return false
		}
		c := e.s.device(o.ID).condition()
		return !blind(c.State) && !c.Since.After(p.Record.OpenedAt)
	})
}

// passageBefore is the last one through the zone before a passage.
func (e *Engine) passageBefore(p *passage) *passage {
	for _, o := range slices.Backward(e.s.Passages[:slices.Index(e.s.Passages, p)]) {
		if !o.Aside && !o.gone() && len(o.Spans) > 0 {
			return o
		}
	}
	return nil
}

// missedSince says that somebody may have come through the zone after a moment,
// while its device was away, and be at the scanner by now.
func (e *Engine) missedSince(since time.Time, d *Device, at time.Time) bool {
	stay := d.toTheBelt() / 2 // nobody is through a portal sooner
	for i := range e.lane.Devices {
		if e.lane.Devices[i].Role != RolePresence {
			continue
		}
		ds := e.s.device(e.lane.Devices[i].ID)
		from, to := ds.AwayFrom, ds.AwayTo
		if !ds.GapFrom.IsZero() {
			from, to = ds.GapFrom, at
		}
		through := later(from, since).Add(stay)
		if !from.IsZero() && !through.After(to) && !through.Add(d.toTheBelt()).After(at) {
			return true
		}
	}
	return false
}

// passedUnseen says that whom a held document announces may have come through
// the zone while its device was away.
func (e *Engine) passedUnseen(h *held, d *Device, at time.Time) bool {
	return e.lane.Kind == event.Person && e.missedSince(h.Reading.ReceivedAt, d, at)
}
