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
		case p.Scanner == d.ID && len(p.Spans) == 0 && e.canSeePresence(): // of nobody: it says nothing of the order
		case served(p):
			due, late, standing = nil, nil, nil
		case !e.reachable(p, at) || e.beyond(p, d) || e.turnedAway(p, d, at):
		case p.Record.LeftAt == nil:
			standing = cmp.Or(standing, p)
		case at.Sub(p.passed()) <= d.Transit:
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

// turnedAway says that a passage never came as far as a device behind a
// scanner: the scanner was there and passed it over, since it had left longer
// ago than the way there takes, and scanned one that came after it; and nothing
// behind the scanner saw it. A vehicle that was seen nowhere may have gone
// through unseen and be just ahead of the one in the scanner, so it is given up
// only when that one is through, or may be.
func (e *Engine) turnedAway(p *passage, d *Device, at time.Time) bool {
	if p.Record.LeftAt == nil {
		return false
	}
	for i := range e.lane.order(d.ID) {
		s := &e.lane.Devices[i]
		if s.Role != RoleScanner || s.Position != PositionAfter || p.scannedBy(s.ID) || p.away(s.ID) || e.beyond(p, s) {
			continue
		}
		later := e.s.Passages[slices.Index(e.s.Passages, p)+1:]
		for _, q := range later {
			if !q.Aside && !q.gone() && len(q.Spans) > 0 && q.scannedPast(s, *p.Record.LeftAt, at) {
				return true
			}
		}
	}
	return false
}

// scannedPast says that a scanner has scanned the passage, or must have by now,
// so long after another had left that the other was not on its way any more.
func (p *passage) scannedPast(s *Device, left, at time.Time) bool {
	return slices.ContainsFunc(p.Scans, func(x scanState) bool {
		return x.Device == s.ID && x.At.Sub(left) > s.Transit && (x.Ended || at.Sub(x.At) >= s.Transit/2)
	})
}

// away says that a required device was not up all the time while the passage
// lasted.
func (p *passage) away(device string) bool {
	return slices.ContainsFunc(p.Watch, func(w watch) bool { return w.Device == device && w.Worst.State != event.Up })
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
// has just left the scale, unless the camera has shown it as often as it was
// weighed, or else the one that stands on it.
func (e *Engine) leavingScale(d *Device, t track, at time.Time) *passage {
	if p := e.leftScale(d, at); p != nil && p.shown(t) < p.weighings(e.scaleBefore(d).ID) {
		return p
	}
	if p := e.standsOnScale(d); p != nil && p.shown(t) < p.weighings(e.scaleBefore(d).ID) {
		return p
	}
	return nil
}

// alone opens a passage for something that no presence device has seen.
func (e *Engine) alone(d *Device, r *event.Reading) *passage {
	if d.Role == RoleScale {
		return e.openForScanner(d, r)
	}
	return e.openAlone(r)
}
