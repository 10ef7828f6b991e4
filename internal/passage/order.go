package passage

import (
	"cmp"
	"slices"
	"time"

	"gatehouse/internal/event"
)

// offScale is how long after a vehicle left a scale a device behind it may
// still be at it.
const offScale = 10 * time.Second

// ahead is the passage that comes to a device behind the presence zone next:
// the earliest that it has not served, after the last that it has, since
// vehicles keep their order. What left longer ago than the way there takes is
// passed over when another has left that fits; what still stands in the
// presence zone comes last.
func (e *Engine) ahead(d *Device, at time.Time, served func(*passage) bool) *passage {
	var due, late, standing *passage
	for _, p := range e.s.Passages {
		switch {
		case p.Aside || p.gone():
		case served(p):
			due, late, standing = nil, nil, nil
		case !e.reachable(p, at) || e.beyond(p, d):
		case p.Record.LeftAt == nil:
			standing = cmp.Or(standing, p)
		case at.Sub(*p.Record.LeftAt) <= d.Transit:
			due = cmp.Or(due, p)
		default:
			late = p
		}
	}
	return cmp.Or(due, late, standing)
}

// beyond says whether a passage was seen by a device that stands behind this
// one. Readers prove nothing: papers are handed over anywhere.
func (e *Engine) beyond(p *passage, d *Device) bool {
	here := e.lane.order(d.ID)
	behind := func(id string) bool {
		o, ok := e.lane.device(id)
		return ok && o.Position == PositionAfter && e.lane.order(id) > here
	}
	return slices.ContainsFunc(p.Tracks, func(s sighting) bool {
		return s.View != viewDocument && s.View != viewCode && behind(s.Device)
	}) || slices.ContainsFunc(p.Weighs, func(w weighing) bool { return behind(w.Device) }) ||
		slices.ContainsFunc(p.Scans, func(s scanState) bool { return behind(s.Device) })
}

// scaleBefore is the last scale that stands in front of a device behind the
// presence zone.
func (e *Engine) scaleBefore(d *Device) *Device {
	for i := e.lane.order(d.ID) - 1; i >= 0; i-- {
		if o := &e.lane.Devices[i]; o.Role == RoleScale && o.Position == PositionAfter {
			return o
		}
	}
	return nil
}

// standsOnScale is the passage on the scale in front of a device.
func (e *Engine) standsOnScale(d *Device) *passage {
	scale := e.scaleBefore(d)
	if scale == nil {
		return nil
	}
	return e.s.passage(e.s.device(scale.ID).Load.Passage)
}

// leftScale is the passage that left the scale in front of a device last, not
// long ago.
func (e *Engine) leftScale(d *Device, at time.Time) *passage {
	scale := e.scaleBefore(d)
	if scale == nil {
		return nil
	}
	for _, p := range slices.Backward(e.s.Passages) {
		w := p.weighing(scale.ID)
		if p.Aside || p.gone() || w == nil || w.Ended.IsZero() {
			continue
		}
		if since := at.Sub(w.Ended); since <= offScale {
			return p
		}
		return nil
	}
	return nil
}

// leavingScale is the passage that a camera behind a scale shows: the one that
// has just left the scale, or else the one that stands on it.
func (e *Engine) leavingScale(d *Device, at time.Time) *passage {
	t := track{Device: d.ID, View: d.View}
	if p := e.leftScale(d, at); p != nil && !p.shows(t) {
		return p
	}
	return e.standsOnScale(d)
}

// alone opens a passage for something that no presence device has seen.
func (e *Engine) alone(d *Device, r *event.Reading) *passage {
	if d.Role == RoleScale {
		return e.openForScanner(d, r)
	}
	return e.openAlone(r)
}
