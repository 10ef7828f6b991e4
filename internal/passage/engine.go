package passage

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"gatehouse/internal/event"
)

// Engine joins the entries of one lane into passages. It is not safe for use
// by several goroutines: the lane runtime owns it.
type Engine struct {
	lane Lane
	s    state

	// Only while Apply runs:
	now   time.Time // of the entry
	entry event.ID
	out   []Effect
	later []Effect // shared after the passages they speak of
	// tellAll says that the agencies are told of every device, changed or not.
	tellAll bool
	next    *Lane // in force from the next EntryConfig on
}

// ErrSnapshot is wrapped when a snapshot cannot be read. The journal can then
// be replayed from its start.
var ErrSnapshot = errors.New("snapshot of the lane cannot be read")

// New is the engine of a lane before its first entry.
func New(lane Lane) *Engine {
	e := &Engine{lane: lane.complete()}
	e.s = state{Format: format, Frames: *NewFrameFold(lane.Gate, lane.ID, "active")}
	e.meetDevices()
	return e
}

// Restore is the engine of a lane after the entries that the snapshot covers.
// Devices that the lane did not have then are added, and those that it has no
// longer are dropped; their records stay in the passages.
func Restore(lane Lane, snapshot []byte) (*Engine, error) {
	e := &Engine{lane: lane.complete()}
	if err := json.Unmarshal(snapshot, &e.s); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSnapshot, err)
	}
	if e.s.Format != format {
		return nil, fmt.Errorf("%w: it has format %d, this version reads %d", ErrSnapshot, e.s.Format, format)
	}
	e.meetDevices()
	return e, nil
}

// Snapshot is the whole state as JSON.
func (e *Engine) Snapshot() ([]byte, error) {
	b, err := json.Marshal(e.s)
	if err != nil {
		return nil, fmt.Errorf("encode lane %s: %w", e.lane.ID, err)
	}
	return b, nil
}

// Last is the id of the newest applied entry; empty before the first.
func (e *Engine) Last() event.ID { return e.s.Last }

// Apply takes the next entry of the lane's journal. Each entry is applied
// once, in journal order.
func (e *Engine) Apply(entry event.JournalEntry) []Effect {
	e.now, e.entry, e.out, e.later = wall(entry.At), entry.ID, nil, nil
	if entry.Kind != event.EntryLink { // changes that could not be stored come late
		e.followStep(entry.Kind == event.EntryStart)
	}
	if entry.Kind == event.EntryReading && entry.Reading != nil {
		e.followAhead(entry.Reading.Clock)
	}
	e.s.Frames.apply(e, entry)
	switch entry.Kind {
	case event.EntryReading:
		e.reading(entry.Reading)
	case event.EntryStart:
		e.started(entry.Start)
	case event.EntryStop:
		e.stopped()
	case event.EntryLink:
		e.link(entry.Link)
	case event.EntryTimer:
		e.timer(entry.Timer)
	case event.EntryDispatch:
		e.dispatched(entry.Analysis)
	case event.EntryResult:
		e.result(entry.Analysis)
	case event.EntryConfig:
		e.configured(entry.Config)
	case event.EntryCorrect:
		e.correct(entry.Correct, entry.Recalled)
	}
	e.tellDevices()
	e.publish()
	e.forget()
	e.s.Now, e.s.Last = e.now, e.entry
	out := slices.Concat(e.out, e.later)
	e.out, e.later, e.tellAll = nil, nil, false
	return out
}

// reading sorts a reading by its kind.
func (e *Engine) reading(given *event.Reading) {
	if given == nil {
		return
	}
	r := *given
	r.ReceivedAt = wall(r.ReceivedAt)
	d, ok := e.lane.device(r.Device)
	if !ok {
		return // of a device that the lane no longer has; its frames are accounted for
	}
	ds := e.s.device(d.ID)
	e.heard(ds, &r)
	e.clock(&r)
	if ds.repeated(r.Key) {
		return
	}
	switch r.Kind {
	case event.PresenceChange:
		e.presence(d, ds, &r)
	case event.RadiationSample:
		e.sample(d, ds, &r)
	case event.CameraCapture:
		e.capture(d, &r)
	case event.ScanEvent, event.ScanImage:
		e.scan(d, &r)
	case event.WeightSample, event.WeightStable:
		e.weight(d, ds, &r)
	case event.DocumentRead:
		e.document(d, &r)
	case event.BarcodeRead:
		e.barcode(d, &r)
	case event.BarrierState:
		if r.Barrier != nil {
			ds.Barrier = r.Barrier
		}
	case event.DeviceReport:
		e.report(d, ds, &r)
	case event.RadiationBackground:
		e.background(d, ds, &r)
	case event.FrameInvalid, event.FrameLoss:
		// Of no passage: invalid and lost
		// frames are accounted for in frame logs and gaps.
	default:
		if p := e.newest(event.Open); p != nil {
			p.attach(&r)
		}
	}
}

// repeated remembers a key, and says whether it was there already.
func (ds *deviceState) repeated(key string) bool {
	if key == "" {
		return false
	}
	if slices.Contains(ds.Keys, key) {
		return true
	}
	ds.Keys = appendBounded(ds.Keys, key, keysPerDevice)
	return false
}

// appendBounded appends and drops the oldest beyond limit.
func appendBounded[T any](list []T, item T, limit int) []T {
	list = append(list, item)
	if over := len(list) - limit; over > 0 {
		list = slices.Delete(list, 0, over)
	}
	return list
}

// stepTolerance is how much later than the next entry an entry may be without
// the clock having been set back: devices append side by side, and readings
// wait in their drivers while the disk is slow.
const stepTolerance = 30 * time.Second

// followStep moves the deadlines along when the wall clock was set back, so
// that no passage stays open for the length of the step, and what waits for a
// passage does not seem to have come after it. Where that happened
// while the gate was off, as with a clock without a battery, no reading tells it,
// and passages that are under way are told here.
func (e *Engine) followStep(off bool) {
	step := e.s.Now.Sub(e.now)
	if e.s.Now.IsZero() || step <= stepTolerance {
		return
	}
	if off {
		e.noteClock(clockStepped(-float64(step) / float64(time.Millisecond)))
	}
	e.move(-step)
}

// stepRetold is how long other devices may tell of a step that one has told.
const stepRetold = time.Minute

// followAhead moves the deadlines along when a device tells that the clock was
// set ahead, or a passage that is under way would be over at once, and what
// announced it too old for it. Each device tells of the step once.
func (e *Engine) followAhead(c event.Clock) {
	step := time.Duration(c.SteppedMS * float64(time.Millisecond))
	if step < clockStep || !e.s.Ahead.IsZero() && e.now.Sub(e.s.Ahead).Abs() <= stepRetold {
		return
	}
	e.s.Ahead = e.now
	e.move(step)
}

// move brings what is awaited, and what waits, into step with a clock that was
// set.
func (e *Engine) move(step time.Duration) {
	if !e.s.Clock.Lost.IsZero() {
		e.s.Clock.Lost = e.s.Clock.Lost.Add(step)
	}
	for _, p := range e.s.Passages {
		if p.Deadline != nil {
			p.Deadline.At = p.Deadline.At.Add(step)
		}
	}
	for _, h := range e.s.Held {
		h.Until, h.Reading.ReceivedAt = h.Until.Add(step), h.Reading.ReceivedAt.Add(step)
	}
	for _, ds := range e.s.Devices {
		if !ds.TellAt.IsZero() {
			ds.TellAt = ds.TellAt.Add(step)
		}
		ds.ToldAt = ds.ToldAt.Add(step)
	}
}

// timer acts on a deadline. One that has been taken away or moved since the
// runtime saw it is ignored.
func (e *Engine) timer(t *event.Timer) {
	if t == nil || t.Name == TimerTell { // what is due is told with every entry
		return
	}
	if t.Name == TimerHold {
		e.release(t.Passage)
		return
	}
	p := e.s.passage(t.Passage)
	if p == nil || p.Deadline == nil || p.Deadline.Name != t.Name || e.now.Before(p.Deadline.At) {
		return
	}
	p.Deadline = nil
	switch t.Name {
	case TimerMissingEnd:
		e.missingEnd(p)
	case TimerJoin:
		p.JoinOver = true
	case TimerVision:
		p.VisionOver = true
	}
	e.settle(p)
}

// Deadlines are the moments at which the runtime journals a timer entry, the
// earliest first.
func (e *Engine) Deadlines() []Deadline {
	var ds []Deadline
	for _, p := range e.s.Passages {
		if p.Deadline != nil {
			ds = append(ds, *p.Deadline)
		}
	}
	for _, h := range e.s.Held {
		ds = append(ds, Deadline{Passage: h.Passage, Name: TimerHold, At: h.Until})
	}
	for _, d := range e.s.Devices {
		if !d.TellAt.IsZero() {
			ds = append(ds, Deadline{Name: TimerTell, At: d.TellAt})
		}
	}
	slices.SortStableFunc(ds, func(a, b Deadline) int { return a.At.Compare(b.At) })
	return ds
}

// Waiting are the analyses without a final result, the oldest first: never
// dispatched, dispatched without an answer, or answered with "unavailable".
// The runtime dispatches them again after a restart and when vision is back.
func (e *Engine) Waiting() []Request {
	var rs []Request
	for _, p := range e.s.Passages {
		for _, a := range p.Analyses {
			if e.lane.Vision && !a.final() {
				rs = append(rs, a.Request)
			}
		}
		if e.lane.Expected {
			rs = append(rs, p.waitingLookups()...)
		}
	}
	return rs
}
