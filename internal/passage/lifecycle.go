package passage

import (
	"slices"
	"strconv"
	"time"

	"gatehouse/internal/event"
)

// Irregularities of a passage's boundaries.
const (
	irregularTailGate   = "tail-gate"
	irregularReversed   = "reversed"
	irregularMissingEnd = "missing-end"
	irregularNoPresence = "no-presence"
	irregularRestart    = "restart"
)

// passageRule is the version of the rules that derive a passage's identity.
const passageRule = "1"

func passageID(at time.Time, cause event.ID) event.ID {
	return event.DeriveID(at, "passage", passageRule, cause)
}

// open begins a passage.
func (e *Engine) open(at time.Time, cause event.ID) *passage {
	p := &passage{
		Record: event.Passage{
			ID: passageID(at, cause), Where: e.lane.where(""), Kind: e.lane.Kind,
			Direction: e.lane.Direction, Flow: e.lane.Flow, State: event.Open, OpenedAt: at,
		},
		dirty: true,
	}
	e.expect(p, TimerMissingEnd, e.lane.Join.MissingEnd)
	for i := range e.lane.Devices {
		if d := &e.lane.Devices[i]; d.Required {
			p.Watch = append(p.Watch, watch{Device: d.ID, Worst: e.s.device(d.ID).condition()})
		}
	}
	e.noteDevices(p)
	e.s.Passages = append(e.s.Passages, p)
	return p
}

// expect sets the passage's one deadline.
func (e *Engine) expect(p *passage, name string, in time.Duration) {
	p.Deadline = &Deadline{Passage: p.Record.ID, Name: name, At: e.now.Add(in)}
}

// left ends the presence of an open passage.
func (e *Engine) left(p *passage, at time.Time) {
	p.Record.State, p.Record.LeftAt = event.Waiting, &at
	p.dirty = true
	e.settleRadiation(p)
	e.expect(p, TimerJoin, e.lane.Join.After)
}

// cancel ends a passage that was none.
func (e *Engine) cancel(p *passage, at time.Time, why string) {
	for i := range p.Spans {
		if p.Spans[i].open() {
			p.Spans[i].End = at
		}
	}
	p.irregular(why)
	closed := e.now
	p.Record.State, p.Record.LeftAt, p.Record.ClosedAt = event.Cancelled, &at, &closed
	p.Deadline = nil
	p.dirty = true
}

// settle closes a passage that nothing more is expected for.
func (e *Engine) settle(p *passage) {
	if p.Record.State != event.Waiting {
		return
	}
	if !p.JoinOver && !e.complete(p) {
		if p.Deadline == nil || p.Deadline.Name != TimerJoin { // it lacked nothing else, and then a scan began
			e.expect(p, TimerJoin, max(0, e.lane.Join.After-e.now.Sub(p.left())))
		}
		return
	}
	if e.awaitsVision(p) && !p.VisionOver {
		if p.Deadline == nil || p.Deadline.Name != TimerVision {
			e.expect(p, TimerVision, e.lane.Join.Vision)
		}
		return
	}
	closed := e.now
	p.Record.State, p.Record.ClosedAt = event.Closed, &closed
	p.Deadline = nil
	p.dirty = true
}

// complete says whether every required sensor has answered and no scan runs.
func (e *Engine) complete(p *passage) bool {
	for _, w := range p.Watch {
		if d, ok := e.lane.device(w.Device); ok && !p.answered(d) {
			return false
		}
	}
	if e.comesBy(p) {
		return false
	}
	return !slices.ContainsFunc(p.Scans, func(s scanState) bool {
		return !s.Ended && !slices.ContainsFunc(p.Record.Scans, func(v event.ScanView) bool {
			return v.Device == s.Device && v.ScanID == s.ID
		})
	})
}

// comesBy says that the passage has met one of the lane's presence devices and
// may still come by another.
func (e *Engine) comesBy(p *passage) bool {
	return len(p.Spans) > 0 && slices.ContainsFunc(e.lane.Devices, func(d Device) bool {
		return d.Role == RolePresence && p.spanOf(d.ID) == nil && !blind(e.s.device(d.ID).condition().State)
	})
}

// lastTouched is from when on a passage that has ended is kept: its newest
// version is on the chain before it can be forgotten and called back.
func (p *passage) lastTouched() time.Time {
	if p.Record.ClosedAt == nil || p.Touched.After(*p.Record.ClosedAt) {
		return p.Touched
	}
	return *p.Record.ClosedAt
}

// ended says that the passage is over: closed, cancelled or merged.
func (p *passage) ended() bool { return p.Record.State == event.Closed || p.gone() }

// gone says that the passage was none, or is part of another now.
func (p *passage) gone() bool {
	return p.Record.State == event.Cancelled || p.Record.State == event.Merged
}

func (p *passage) irregular(why string) {
	if !slices.Contains(p.Record.Irregular, why) {
		p.Record.Irregular = append(p.Record.Irregular, why)
		p.dirty = true
	}
}

// attach lists a reading with the passage.
func (p *passage) attach(r *event.Reading) {
	p.Record.Clock = worseClock(p.Record.Clock, r.Clock)
	if len(p.Record.Readings) >= readingsPerRecord {
		return
	}
	p.Record.Readings = append(p.Record.Readings, event.ReadingRef{
		ID: r.ID, Device: r.Device, Kind: r.Kind, ReceivedAt: r.ReceivedAt, Quality: r.Quality, Frames: r.Frames,
	})
}

// newest is the passage that opened last among those in the state.
func (e *Engine) newest(state event.PassageState) *passage {
	for _, p := range slices.Backward(e.s.Passages) {
		if p.Record.State == state {
			return p
		}
	}
	return nil
}

// publish shares every passage that the entry has changed, as one version, and
// after them the alerts.
func (e *Engine) publish() {
	for _, p := range e.s.Passages {
		if !p.dirty {
			continue
		}
		p.dirty = false
		e.settle(p)
		if !p.Frozen {
			p.Record.Coverage = e.coverage(p)
		}
		e.lookUp(p)
		e.judge(p)
		p.Record.Pending = p.pending()
		p.dirty, p.Touched = false, e.now
		p.Record.Version++
		version := VersionID(p.Record.ID, p.Record.Version)
		e.share(event.TypePassage, version, string(p.Record.ID), e.now, p.Record)
	}
}

// VersionID is the id under which a version of a passage is shared.
func VersionID(passage event.ID, version int) event.ID {
	return event.DeriveID(passage.Time(), "passage.version", strconv.Itoa(version), passage)
}

// forget drops what is no longer kept; see Keep.
func (e *Engine) forget() {
	closed, pending := 0, 0
	keep := make([]*passage, 0, len(e.s.Passages))
	for _, p := range slices.Backward(e.s.Passages) {
		drop := false
		switch {
		case !p.ended():
		case e.awaitsVision(p):
			pending++
			drop = pending > e.lane.Keep.Pending
		default:
			closed++
			drop = closed > e.lane.Keep.Count || e.now.Sub(p.lastTouched()) > e.lane.Keep.For
		}
		if !drop {
			keep = append(keep, p)
			continue
		}
		for _, s := range p.Scans {
			e.s.Forgotten = appendBounded(e.s.Forgotten, s.scanKey, forgottenScans)
		}
	}
	slices.Reverse(keep)
	e.s.Passages = keep
}
