package passage

import (
	"slices"
	"time"

	"gatehouse/internal/event"
)

// visionName stands for vision in coverage, where a device's id stands else.
const visionName = "vision"

// condition is the worse of what the link and what the device itself says. All is
// well since the later of the two is.
func (ds *deviceState) condition() condition {
	switch {
	case ds.Link.State == event.Up && ds.Report.State == event.Up && ds.Report.Since.After(ds.Link.Since):
		return condition{State: event.Up, Since: ds.Report.Since}
	case worse(ds.Link.State, ds.Report.State) || ds.Link.State == ds.Report.State:
		return ds.Link
	}
	return ds.Report
}

// order lists the device states from best to worst.
func order() []event.DeviceState {
	return []event.DeviceState{event.Up, event.Degraded, event.Faulty, event.Down, event.Bypassed, event.InTest}
}

func worse(a, b event.DeviceState) bool {
	return slices.Index(order(), a) > slices.Index(order(), b)
}

// blind says that a device in this state does not look, or not in earnest.
func blind(s event.DeviceState) bool { return s != event.Up && s != event.Degraded }

// heard takes a reading as the proof that a device is there after a start.
func (e *Engine) heard(ds *deviceState, r *event.Reading) {
	if r.Report != nil && r.Report.State == event.Down {
		return // a goodbye, or the broker's word that the device is away
	}
	if r.ReceivedAt.After(ds.Heard) {
		ds.Heard = r.ReceivedAt
	}
	if !ds.Unheard || r.Kind == event.FrameInvalid || r.Kind == event.FrameLoss {
		return
	}
	e.linked(ds, condition{State: event.Up, Since: r.ReceivedAt}, time.Time{})
}

// link takes the runtime's word on a device.
func (e *Engine) link(l *event.LinkChange) {
	if l == nil {
		return
	}
	if ds := e.s.device(l.Device); ds != nil {
		since := wall(l.Since)
		if l.Since.IsZero() {
			since = e.now
		}
		e.linked(ds, condition{State: l.State, Since: since, Reason: l.Reason}, l.Heard)
	}
}

// linked takes the state of the device as the runtime knows it. While the link
// is down, frames may go missing: from when the device was last heard to when
// it is back. A link that is back proves nothing else: what the device itself
// reported holds until it is reported otherwise.
func (e *Engine) linked(ds *deviceState, c condition, heard time.Time) {
	wasDown := ds.Link.State == event.Down
	ds.Unheard = false
	if c.State == event.Down {
		ds.Link = c
		if ds.GapFrom.IsZero() {
			ds.GapFrom, ds.GapReason = c.Since, "link"
			if !heard.IsZero() {
				ds.GapFrom = wall(heard)
			}
		}
		e.breakSpans(ds.ID)
		e.breakLoads(ds.ID, ds.GapFrom)
	} else {
		if wasDown {
			ds.Link = condition{State: event.Up, Since: c.Since}
		}
		if !wasDown || c.State != event.Up {
			ds.Report = c
			if c.State != event.Up {
				ds.Report.Code = c.Reason // the runtime passes the device's own word on
			}
		}
		if ds.GapFrom.After(c.Since) && !heard.IsZero() { // the clock was set back in the gap
			ds.GapFrom = wall(heard)
		}
		e.shareGap(ds, c.Since)
		ds.GapFrom, ds.GapReason = time.Time{}, ""
	}
	e.watchDevice(ds)
}

// report takes what a device says about itself.
func (e *Engine) report(d *Device, ds *deviceState, r *event.Reading) {
	if r.Report == nil || r.Report.State == "" {
		return
	}
	e.tamper(d, ds, r)
	ds.backgroundBack(r)
	since := r.ReceivedAt
	if r.Report.State == ds.Report.State {
		since = ds.Report.Since // another word for the same state
	}
	ds.Report = condition{State: r.Report.State, Since: since, Reason: r.Report.Code, Code: r.Report.Code}
	e.watchDevice(ds)
}

// started takes a new run of the daemon. Nothing was heard since the last one
// ended, and no device counts as there before it is heard: what it sends until
// then, as to a broker that has no session yet, may be missing.
func (e *Engine) started(s *event.Start) {
	since := e.now
	if s != nil && !s.LastSeen.IsZero() {
		since = wall(s.LastSeen)
	}
	for _, ds := range e.s.Devices {
		ds.Unheard = true
		if ds.GapFrom.After(e.now) {
			ds.GapFrom = time.Time{} // the clock was set back in the gap
		}
		if ds.GapFrom.IsZero() && !since.After(e.now) {
			ds.GapFrom, ds.GapReason = since, irregularRestart
			if ds.Heard.After(since) && ds.Heard.Before(e.now) {
				ds.GapFrom = ds.Heard // a device's frames are stored in their order
			}
		}
		if ds.Link.State != event.Down {
			ds.Link = condition{State: event.Down, Since: since, Reason: irregularRestart}
		}
		e.watchDevice(ds)
		ds.Faults = nil // a fault that lasts is told again
		e.breakLoads(ds.ID, ds.GapFrom)
	}
	if s != nil && s.Config != "" {
		e.s.Config = s.Config
	}
	e.breakSpans("")
	e.tellAll = true
}

// stopped tells the gaps that stay open over an orderly end, since nobody can
// tell when they will close.
func (e *Engine) stopped() {
	for _, ds := range e.s.Devices {
		e.shareGap(ds, e.now)
	}
}

// shareGap shares the time in which a device was not heard, up to its end.
func (e *Engine) shareGap(ds *deviceState, to time.Time) {
	if ds.GapFrom.IsZero() || !ds.GapFrom.Before(to) {
		return
	}
	ds.AwayFrom, ds.AwayTo = ds.GapFrom, to
	gap := event.Gap{
		ID:    event.DeriveID(ds.GapFrom, "gap", "1", e.entry, event.ID(ds.ID)),
		Where: e.lane.where(ds.ID), From: ds.GapFrom, To: to, Reason: ds.GapReason,
	}
	e.share(event.TypeGap, gap.ID, e.lane.subject(ds.ID), e.now, gap)
}

// watchDevice notes a device's state with the passages that it should be
// looking at.
func (e *Engine) watchDevice(ds *deviceState) {
	d, ok := e.lane.device(ds.ID)
	if !ok {
		return
	}
	c := ds.condition()
	for _, p := range e.s.Passages {
		for i := range p.Watch {
			w := &p.Watch[i]
			if w.Device == d.ID && !p.ended() && !p.answered(d) && worse(c.State, w.Worst.State) {
				w.Worst = c
				p.dirty = true
			}
		}
	}
}

// answered says that the device will deliver nothing more that the passage
// waits for, be it good or bad.
func (p *passage) answered(d *Device) bool {
	blank := 0
	for _, b := range p.Blank {
		if b == d.ID {
			blank++
		}
	}
	switch {
	case d.Radiation || d.Role == RolePresence:
		return p.Record.LeftAt != nil
	case d.Role == RoleCamera:
		return blank > 0 || slices.ContainsFunc(p.Record.Photos, func(f event.Photo) bool { return f.Device == d.ID })
	case d.Role == RoleScanner:
		return blank+len(p.views(d.ID)) >= d.Views && !slices.ContainsFunc(p.Scans, func(s scanState) bool {
			return s.Device == d.ID && p.imageless(s)
		})
	case d.Role == RoleScale:
		w := p.weighing(d.ID)
		return w != nil && !w.Ended.IsZero()
	case d.Role == RoleBarrier:
		return p.Record.LeftAt != nil
	default:
		return slices.ContainsFunc(p.Record.Readings, func(r event.ReadingRef) bool { return r.Device == d.ID })
	}
}

func (p *passage) views(device string) []event.ScanView {
	var vs []event.ScanView
	for _, v := range p.Record.Scans {
		if v.Device == device {
			vs = append(vs, v)
		}
	}
	return vs
}

// coverage says for each required device, and for vision when the passage has
// images, whether it looked.
func (e *Engine) coverage(p *passage) []event.Coverage {
	rows := make([]event.Coverage, 0, len(p.Watch)+1)
	for _, w := range p.Watch {
		d, ok := e.lane.device(w.Device)
		if !ok {
			continue
		}
		row := event.Coverage{Device: d.ID, State: w.Worst.State, Looked: true}
		if w.Worst.State != event.Up && !w.Worst.Since.IsZero() {
			since := w.Worst.Since
			row.From = &since
		}
		if why, looked := p.looked(d, w.Worst); !looked {
			row.Looked = false
			if slices.Contains(p.Record.Irregular, irregularByHand) && len(p.Record.Readings) == 0 {
				why = reasonByHand()
			}
			if p.ended() || p.answered(d) || blind(w.Worst.State) {
				row.Reason = why
			}
		}
		rows = append(rows, row)
	}
	if len(p.Analyses) > 0 {
		rows = append(rows, e.visionCoverage(p))
	}
	return rows
}

func (e *Engine) visionCoverage(p *passage) event.Coverage {
	row := event.Coverage{Device: visionName, State: event.Up, Looked: len(p.pending()) == 0}
	down := slices.ContainsFunc(p.Analyses, func(a analysis) bool { return a.Outcome == outcomeUnavailable })
	if down {
		row.State = event.Down
	}
	if !row.Looked && (down || p.ended()) {
		row.Reason = reasonVision()
	}
	return row
}

// looked says whether a device delivered what the lane requires of it, and if
// not, why.
func (p *passage) looked(d *Device, worst condition) (why event.Text, looked bool) {
	if worst.State == event.Bypassed || worst.State == event.InTest {
		return reasonState(worst), false
	}
	switch {
	case d.Radiation:
		why, looked = p.measured(worst)
	case d.Role == RolePresence:
		why, looked = reasonNothing(), p.spanOf(d.ID) != nil && !blind(worst.State)
	case d.Role == RoleCamera:
		why, looked = p.photographed(d)
	case d.Role == RoleScanner:
		why, looked = p.xrayed(d)
	case d.Role == RoleScale:
		why, looked = reasonNoWeight(), p.weighing(d.ID) != nil && p.weighing(d.ID).Settled
	case d.Role == RoleBarrier:
		why, looked = reasonNothing(), !blind(worst.State)
	case d.Role == RoleDocument:
		why, looked = reasonNoDocument(), p.answered(d)
	default:
		why, looked = reasonNothing(), p.answered(d)
	}
	if !looked && blind(worst.State) {
		why = reasonState(worst)
	}
	return why, looked
}

func (p *passage) measured(worst condition) (event.Text, bool) {
	if p.Record.Radiation == nil || len(p.Record.Radiation.Gamma) == 0 {
		return reasonNoSample(), false
	}
	return reasonState(worst), p.Record.LeftAt != nil && !blind(worst.State)
}

func (p *passage) photographed(d *Device) (event.Text, bool) {
	why := reasonNoPhoto()
	for _, f := range p.Record.Photos {
		if f.Device != d.ID {
			continue
		}
		if f.Analysis != outcomeUnreadable {
			return event.Text{}, true
		}
		why = reasonUnreadable()
	}
	return why, false
}

func (p *passage) xrayed(d *Device) (event.Text, bool) {
	good, why := 0, reasonNoScan()
	if slices.ContainsFunc(p.Scans, func(s scanState) bool { return s.Device == d.ID && p.imageless(s) }) {
		return why, false
	}
	for _, v := range p.views(d.ID) {
		switch {
		case v.Cut:
			why = reasonCut()
		case v.Analysis == outcomeUnreadable:
			why = reasonUnreadable()
		case v.Analysed > 0:
			why = reasonPart(v.Analysed)
		default:
			good++
		}
	}
	return why, good >= d.Views
}

// imageless says that a scan which nothing broke off has given no image. One
// that was broken off may be made again.
func (p *passage) imageless(s scanState) bool {
	return !s.Cut && !slices.ContainsFunc(p.Record.Scans, func(v event.ScanView) bool {
		return v.Device == s.Device && v.ScanID == s.ID
	})
}

// expectImage makes a scanner that is not required one that has to look: what it
// has begun to scan was there to be looked at.
func (e *Engine) expectImage(p *passage, d *Device) {
	if !slices.ContainsFunc(p.Watch, func(w watch) bool { return w.Device == d.ID }) {
		p.Watch = append(p.Watch, watch{Device: d.ID, Worst: e.s.device(d.ID).condition()})
	}
}
