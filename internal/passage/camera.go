package passage

import (
	"cmp"
	"slices"
	"time"

	"gatehouse/internal/event"
)

// lateCapture is how long after a passage began a camera before the portal may
// deliver its picture of it: cameras report a plate after they have tracked it.
const lateCapture = 2 * time.Second

// capture takes an image of a plate camera. A picture from before the portal
// belongs to the next presence; one that shows the same track, or that a
// camera behind took, belongs to a passage that is there already.
func (e *Engine) capture(d *Device, r *event.Reading) {
	if r.Capture == nil {
		return
	}
	t := trackOf(d, r)
	if p := e.following(t); p != nil {
		e.photo(p, d, r)
		return
	}
	if p := e.delayed(d, t, r); p != nil {
		e.photo(p, d, r)
		return
	}
	if p := e.pictured(d, t, r.ReceivedAt); p != nil {
		e.photo(p, d, r)
		return
	}
	if e.hasPresence() {
		e.hold(r)
		return
	}
	e.photo(e.openAlone(r), d, r)
}

func trackOf(d *Device, r *event.Reading) track {
	switch {
	case r.Capture != nil:
		return track{Device: d.ID, View: cmp.Or(r.Capture.View, d.View), Event: r.Capture.EventID}
	case r.Document != nil:
		return track{Device: d.ID, View: viewDocument, Event: bearer(r.Document)}
	case r.Barcode != nil:
		return track{Device: d.ID, View: viewCode, Event: event.Digest([]byte(r.Barcode.Text))}
	default:
		return track{Device: d.ID}
	}
}

// Views of tracks that no camera has.
const (
	viewDocument = "document"
	viewCode     = "code"
)

// following is the passage that the camera's track belongs to already.
func (e *Engine) following(t track) *passage {
	if t.Event == "" {
		return nil
	}
	for _, p := range slices.Backward(e.s.Passages) {
		if !p.Aside && slices.ContainsFunc(p.Tracks, func(o sighting) bool { return o.Device == t.Device && o.Event == t.Event }) {
			return p
		}
	}
	return nil
}

// pictured is the passage that a new track shows, by the camera's position; nil
// when that is not known yet.
func (e *Engine) pictured(d *Device, t track, at time.Time) *passage {
	if !e.hasPresence() {
		return e.firstWithout(t, func(p *passage) bool {
			return !p.ended() && at.Sub(p.Record.OpenedAt) <= e.lane.Join.Before
		})
	}
	switch d.Position {
	case PositionDuring:
		return e.newest(event.Open)
	case PositionAfter:
		if p := e.leavingScale(d, t, at); p != nil {
			return p
		}
		p := e.firstWithout(t, func(p *passage) bool { return e.reachable(p, at) && !e.turnedAway(p, d, at) })
		return cmp.Or(p, e.newest(event.Open), e.newest(event.Waiting))
	default:
		p := e.storedBefore(t, at)
		if p == nil || p.shows(t) || at.Sub(p.Record.OpenedAt) > lateCapture {
			return nil
		}
		return p
	}
}

// storedBefore is the passage that stands in the zone; or else the last one,
// when it began so shortly after this reading came that it was only stored
// before it.
func (e *Engine) storedBefore(t track, at time.Time) *passage {
	if p := e.newest(event.Open); p != nil || len(e.s.Passages) == 0 {
		return p
	}
	p := e.s.Passages[len(e.s.Passages)-1]
	if wait := p.Record.OpenedAt.Sub(at); p.Aside || p.gone() || p.shows(t) || len(p.Spans) == 0 || wait <= 0 || wait > lateCapture {
		return nil
	}
	return p
}

// delayed is the passage that a capture before the portal announced although
// it comes late, such as after a break of the camera's link: the first that
// began soon after the picture was taken and lacks one. Without such a passage
// the camera's clock decides nothing.
func (e *Engine) delayed(d *Device, t track, r *event.Reading) *passage {
	if d.Position != PositionBefore || r.DeviceTime == nil || r.ReceivedAt.Sub(*r.DeviceTime) <= lateCapture {
		return nil
	}
	taken := wall(*r.DeviceTime)
	for _, p := range e.s.Passages {
		if wait := p.Record.OpenedAt.Sub(taken); !p.Aside && !p.shows(t) && wait >= -lateCapture && wait <= e.lane.Join.Before {
			return p
		}
	}
	return nil
}

// firstWithout is the earliest fitting passage after the last one that the
// camera has shown in this view: vehicles keep their order.
func (e *Engine) firstWithout(t track, fits func(*passage) bool) *passage {
	var first *passage
	for _, p := range e.s.Passages {
		switch {
		case p.Aside:
		case p.shows(t):
			first = nil
		case first == nil && fits(p):
			first = p
		}
	}
	return first
}

// reachable says whether a device behind the presence zone may still deliver
// for the passage: it has not ended, or closed so early that it did not wait.
func (e *Engine) reachable(p *passage, at time.Time) bool {
	if p.Aside || p.gone() {
		return false
	}
	if p.Record.State == event.Closed && p.Record.LeftAt != nil || p.scanOnly() {
		return at.Sub(p.passed()) <= e.lane.Join.After
	}
	return !p.ended()
}

// shows says whether the passage has a capture of the camera in this view.
func (p *passage) shows(t track) bool { return p.shown(t) > 0 }

// shown is how many tracks of the camera in this view the passage has.
func (p *passage) shown(t track) (n int) {
	for _, s := range p.Tracks {
		if s.Device == t.Device && s.View == t.View {
			n++
		}
	}
	return n
}

// follows says whether the passage has this very track already.
func (p *passage) follows(t track) bool {
	return t.Event != "" && slices.ContainsFunc(p.Tracks, func(o sighting) bool { return o.track == t })
}

// see notes a track with the passage.
func (p *passage) see(t track, at time.Time) {
	if !slices.ContainsFunc(p.Tracks, func(o sighting) bool { return o.track == t }) {
		p.Tracks = append(p.Tracks, sighting{track: t, At: at})
	}
}

// hold keeps a capture, document or code for the presence it announces.
func (e *Engine) hold(r *event.Reading) {
	h := &held{
		Reading: *r, Passage: passageID(r.ReceivedAt, r.ID), Until: e.now.Add(e.lane.Join.Before),
	}
	h.Reading.Raw = nil // the frame is in the journal; a passage does not need it
	// While the presence device is away nobody knows who stands in the zone: a
	// second picture by the same camera is of the next vehicle then.
	d, known := e.lane.device(r.Device)
	if p := e.newest(event.Open); p != nil {
		if another := known && p.broken() && p.shows(trackOf(d, r)); !another {
			h.During = p.Record.ID
		}
	}
	e.s.Held = append(e.s.Held, h)
}

// adopt gives a passage that begins what announced it: of each camera or reader
// the earliest track of those for whom there is room before the zone. What is
// older is of others that turned back or came through unseen. Were it taken,
// everybody after such a one would bear the papers or the plate of the one ahead.
func (e *Engine) adopt(p *passage, at time.Time) {
	waiting := slices.DeleteFunc(slices.Clone(e.s.Held), func(h *held) bool { return h.behind(at) })
	e.take(p, func(d *Device, h *held) bool {
		return (d.Position != PositionAfter || e.lane.twoWay()) && at.Sub(h.Reading.ReceivedAt) <= e.lane.Join.Before &&
			!h.behind(at) && !e.overtaken(d, h, waiting)
	})
}

// behind says that a reading came too long after a presence began to have
// announced it. While a disk writes slowly, what came later may be stored
// earlier: devices store side by side.
func (h *held) behind(began time.Time) bool {
	late := lateCapture
	if h.Reading.Capture == nil {
		late = latePaper
	}
	return h.Reading.ReceivedAt.Sub(began) > late
}

// take moves the held captures that fit to a passage.
func (e *Engine) take(p *passage, fits func(*Device, *held) bool) {
	waiting := e.s.Held
	e.s.Held = nil
	for _, h := range waiting {
		d, ok := e.lane.device(h.Reading.Device)
		if !ok {
			continue // the lane no longer has the camera
		}
		t := trackOf(d, &h.Reading)
		lacks := !p.shows(t) || p.burst(d, &h.Reading)
		if p.follows(t) || lacks && fits(d, h) {
			e.give(p, d, &h.Reading)
			continue
		}
		e.s.Held = append(e.s.Held, h)
	}
}

// release ends the waiting of a held capture. It belongs to the passage that
// stood in the zone when it was taken, such as a trailer's plate, or else to a
// passage of its own that no presence device has seen.
func (e *Engine) release(id event.ID) {
	i := slices.IndexFunc(e.s.Held, func(h *held) bool { return h.Passage == id })
	if i < 0 || e.now.Before(e.s.Held[i].Until) {
		return
	}
	e.releaseAt(i)
}

func (e *Engine) releaseAt(i int) *passage {
	h := e.s.Held[i]
	e.s.Held = slices.Delete(e.s.Held, i, i+1)
	d, ok := e.lane.device(h.Reading.Device)
	if !ok {
		return nil
	}
	t := trackOf(d, &h.Reading)
	p := e.s.passage(h.During)
	before, second := p, e.secondIn(p, d, t)
	if p != nil && t.View == viewDocument && p.shows(t) {
		p = nil // of another person than the one in the zone
	}
	if followed := e.following(t); followed != nil {
		p = followed
	}
	if p == nil || p.gone() {
		p = e.openAlone(&h.Reading)
		e.give(p, d, &h.Reading)
		e.take(p, func(_ *Device, o *held) bool {
			return o.Reading.ReceivedAt.Sub(h.Reading.ReceivedAt).Abs() <= lateCapture
		})
	} else {
		e.give(p, d, &h.Reading)
	}
	if second {
		p.irregular(irregularTailGate)
		e.raiseTailGate(p, before, d, &h.Reading)
	}
	return p
}

// secondIn says that a document that was shown before the presence zone is of
// a second person in the occupancy of the one who stood there: no occupancy of
// its own came. Of a second picture nobody can say so, since it may be of a
// trailer: its scan tells.
func (e *Engine) secondIn(p *passage, d *Device, t track) bool {
	return p != nil && !p.gone() && d.Position == PositionBefore && t.View == viewDocument && len(p.Spans) > 0 &&
		p.shows(t) && e.following(t) == nil
}

// give adds a capture, document or code to a passage.
func (e *Engine) give(p *passage, d *Device, r *event.Reading) {
	switch {
	case r.Capture != nil:
		e.photo(p, d, r)
	case r.Document != nil:
		p.paper(d, r)
	case r.Barcode != nil:
		p.code(d, r)
	}
}

// openAlone opens a passage that only a camera has seen.
func (e *Engine) openAlone(r *event.Reading) *passage {
	p := e.open(r.ReceivedAt, r.ID)
	p.irregular(irregularNoPresence)
	e.left(p, r.ReceivedAt)
	return p
}

// photo adds a capture to a passage.
func (e *Engine) photo(p *passage, d *Device, r *event.Reading) {
	p.attach(r)
	p.dirty = true
	t := trackOf(d, r)
	p.see(t, r.ReceivedAt)
	if c := r.Capture.Direction; p.Record.Direction == event.DirectionUnknown && (c == event.Entry || c == event.Exit) {
		p.Record.Direction = c
	}
	if r.Capture.Image == nil {
		p.Blank = append(p.Blank, d.ID)
		return
	}
	if d.Container {
		e.analyse(p, Request{Evidence: r.Capture.Image.SHA256, Op: OpContainer})
	}
	taken := r.ReceivedAt
	if r.DeviceTime != nil {
		taken = wall(*r.DeviceTime)
	}
	p.Shots = append(p.Shots, shot{track: t, Photo: r.Capture.Image.SHA256, At: taken})
	p.Record.Photos = append(p.Record.Photos, event.Photo{
		Image: *r.Capture.Image, View: t.View, Device: d.ID, TakenAt: r.ReceivedAt,
		Analysis: e.analyse(p, Request{Evidence: r.Capture.Image.SHA256, Op: OpPlate}), Track: t.Event,
	})
}
