package lane

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/cenkalti/backoff/v5"

	"gatehouse/internal/clock"
	"gatehouse/internal/driver"
	"gatehouse/internal/event"
	"gatehouse/internal/journal"
)

const (
	// firstPause and lastPause bound the pause before a driver is started again,
	// jittered by a quarter. A cable that is plugged in again has to be heard
	// within two seconds, also after a night; trying costs next to nothing, and
	// only the first failure is journalled.
	firstPause = 250 * time.Millisecond
	lastPause  = time.Second
	// savePause is how long a change that the journal refused waits. As long as it
	// waits nobody but this process knows that frames are missing, and asking a
	// full disk again costs next to nothing.
	savePause = 250 * time.Millisecond
)

// Journal is where a device's readings and changes go. Append returns when
// they are on disk.
type Journal interface {
	Append(ctx context.Context, s journal.Stream, entries ...event.JournalEntry) error
}

// DeviceConfig says what one device is.
type DeviceConfig struct {
	Where   event.Where
	Driver  string
	Silence time.Duration // after which the device counts as down; zero for never
	// Fault is why the device cannot run, as when its settings are wrong: it is
	// faulty for as long as it exists, and its driver may be nil.
	Fault string
}

// Device supervises one driver: it starts it again when its link fails, stamps
// and journals its readings, and knows its state and when it was last heard.
type Device struct {
	cfg     DeviceConfig
	driver  driver.Driver
	journal Journal
	clock   *clock.Clock
	log     *slog.Logger

	// mu orders journal appends with the state they follow from.
	mu      sync.Mutex
	state   event.DeviceState
	since   time.Time            // of the state; zero before the first
	reason  string               // of the state
	heard   time.Time            // when the newest stored frame was received
	stamped time.Time            // by the clock, with its monotonic reading, when the last reading came
	refused time.Time            // when the first reading was received that the journal refused; zero while none is
	unsaved []event.JournalEntry // changes that the journal refused, oldest first
	owing   chan struct{}        // tells persist that there are some
	poke    chan struct{}        // tells the silence watch that something was heard
	watches map[chan event.Reading]struct{}
}

// NewDevice is a device that has not been heard yet.
func NewDevice(cfg DeviceConfig, d driver.Driver, j Journal, c *clock.Clock, log *slog.Logger) *Device {
	return &Device{
		cfg: cfg, driver: d, journal: j, clock: c, poke: make(chan struct{}, 1), owing: make(chan struct{}, 1),
		log: log.With("lane", cfg.Where.Lane, "device", cfg.Where.Device, "driver", cfg.Driver),
	}
}

// Command asks the device for something, in its driver's own words. It fails
// with driver.ErrNoCommand where the driver takes none.
func (d *Device) Command(ctx context.Context, verb string) error {
	c, ok := d.driver.(driver.Commander)
	if !ok {
		return driver.ErrNoCommand
	}
	return c.Command(ctx, verb)
}

// Run keeps the driver running until ctx ends. A device that cannot run is
// journalled as faulty, and nothing else comes of it.
func (d *Device) Run(ctx context.Context) {
	watchCtx, stop := context.WithCancel(ctx)
	var watch sync.WaitGroup
	watch.Go(func() { d.persist(watchCtx) })
	defer watch.Wait()
	defer stop()
	if d.cfg.Fault != "" {
		d.become(ctx, event.Faulty, d.cfg.Fault, func() { d.log.Error("device left out", "reason", d.cfg.Fault) })
		<-ctx.Done()
		return
	}
	watch.Go(func() { d.watchSilence(watchCtx) })

	pause := &backoff.ExponentialBackOff{
		InitialInterval: firstPause, MaxInterval: lastPause, RandomizationFactor: 0.25, Multiplier: 2,
	}
	pause.Reset()
	for ctx.Err() == nil {
		before := d.lastHeard()
		err := d.driver.Run(ctx, d.emit)
		if ctx.Err() != nil {
			return
		}
		if err == nil {
			err = errors.New("driver ended without a reason")
		}
		if d.lastHeard().After(before) {
			pause.Reset()
		}
		d.lost(ctx, err)
		wait(ctx, pause.NextBackOff())
	}
}

func wait(ctx context.Context, pause time.Duration) {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

func (d *Device) lastHeard() time.Time {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.heard
}

// emit implements driver.Emit.
func (d *Device) emit(ctx context.Context, readings ...event.Reading) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	byStream := map[journal.Stream][]event.JournalEntry{}
	state, heard := d.state, d.heard
	var changes []event.JournalEntry
	stamped := make([]event.Reading, 0, len(readings))
	for _, r := range readings {
		r.ID = event.NewID(r.ReceivedAt)
		r.ReceivedAt = r.ReceivedAt.UTC()
		r.Where = d.cfg.Where
		r.Clock = d.stamp()
		if stepped(r.Clock) {
			r.Class = event.Active // the lane's passages are told of it
		}
		stamped = append(stamped, r)
		if next, why := stateAfter(state, r); next != state {
			changes = append(changes, d.change(next, r.ReceivedAt, why, cmp.Or(d.refused, heard)))
			byStream[journal.Main] = append(byStream[journal.Main], changes[len(changes)-1])
			state = next
		}
		stream := journal.Main
		if r.Class == event.Idle {
			stream = journal.Idle
		}
		byStream[stream] = append(byStream[stream], d.entry(event.EntryReading, r.ReceivedAt, func(e *event.JournalEntry) { e.Reading = &r }))
		if r.ReceivedAt.After(heard) || heard.After(d.stamped) { // or the clock was set back
			heard = r.ReceivedAt
		}
	}
	byStream[journal.Main] = append(d.unsaved, byStream[journal.Main]...)
	if err := d.journal.Append(ctx, journal.Main, byStream[journal.Main]...); err != nil {
		return d.refuse(stamped, err)
	}
	d.unsaved = nil
	was := d.heard
	d.settle(state, heard, changes)
	if err := d.journal.Append(ctx, journal.Idle, byStream[journal.Idle]...); err != nil {
		d.heard = was
		return d.refuse(stamped, err)
	}
	d.show(stamped)
	return nil
}

// refuse remembers since when frames are missing that were received and could not
// be stored. The device was heard until then.
func (d *Device) refuse(readings []event.Reading, err error) error {
	for _, r := range readings {
		if d.refused.IsZero() || r.ReceivedAt.Before(d.refused) {
			d.refused = r.ReceivedAt
		}
	}
	return fmt.Errorf("%w: %w", driver.ErrStore, err)
}

// lastStored is when the last frame came that is not missing.
func (d *Device) lastStored() time.Time {
	if !d.refused.IsZero() {
		return d.refused
	}
	return d.heard
}

const (
	// clockStep is the step of the gate's clock from which on a reading is active,
	// though it is idle by itself: passages that are under way have to know of it.
	clockStep = time.Second
	// stepAge is how old the reading before may be for a step since then to be
	// told: what was set longer ago is of passages that are over.
	stepAge = 30 * time.Second
)

// stamp is the quality of the clock now. The clock itself tells a step once, to
// the device that asks next; each other device that speaks often tells it too,
// since it may stand in another lane.
func (d *Device) stamp() event.Clock {
	c, now := d.clock.Stamp(), d.clock.Now()
	if c.SteppedMS == 0 && now.Sub(d.stamped) <= stepAge {
		c.SteppedMS = float64(clock.Step(d.stamped, now)) / float64(time.Millisecond)
	}
	d.stamped = now
	return c
}

func stepped(c event.Clock) bool {
	return time.Duration(c.SteppedMS*float64(time.Millisecond)).Abs() >= clockStep
}

// settle makes what was stored the device's state.
func (d *Device) settle(state event.DeviceState, heard time.Time, changes []event.JournalEntry) {
	if len(changes) > 0 {
		last := changes[len(changes)-1].Link
		d.log.Info("device state changed", "state", last.State, "was", d.state, "reason", last.Reason)
		d.since, d.reason = last.Since, last.Reason
		d.refused = time.Time{} // the gap has ended
	}
	d.state, d.heard = state, heard
	select {
	case d.poke <- struct{}{}:
	default:
	}
}

// stateAfter is the device's state once r was received.
func stateAfter(state event.DeviceState, r event.Reading) (next event.DeviceState, why string) {
	if r.Kind == event.DeviceReport && r.Report != nil {
		if r.Report.State != state {
			return r.Report.State, r.Report.Code
		}
		return state, ""
	}
	// A reading proves that the link is there again; it does not end what the
	// device itself has reported.
	if (state == "" || state == event.Down) && r.Kind != event.FrameInvalid && r.Kind != event.FrameLoss {
		return event.Up, "heard again"
	}
	return state, ""
}

// storing is how long a driver may have tried to store what came with a reading,
// such as a picture, before it gave up.
const storing = time.Second

// lost records that the driver's link has failed, or that it could not store what
// it had heard.
func (d *Device) lost(ctx context.Context, err error) {
	if errors.Is(err, driver.ErrStore) {
		d.mu.Lock()
		if from := d.clock.Now().Add(-storing); d.refused.IsZero() && from.After(d.heard) {
			d.refused = from
		}
		d.mu.Unlock()
	}
	d.down(ctx, err.Error(), func() {
		attrs := []any{"err", err}
		if hint, ok := errors.AsType[*driver.Hint](err); ok {
			attrs = append(attrs, "try", hint.Try.EN)
		}
		d.log.Warn("device lost", attrs...)
	})
}

// down makes the device's state Down once, with the reason.
func (d *Device) down(ctx context.Context, reason string, say func()) {
	d.become(ctx, event.Down, reason, say)
}

// become changes the device's state where no reading did.
func (d *Device) become(ctx context.Context, state event.DeviceState, reason string, say func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.state == state {
		return
	}
	say()
	now := d.clock.Now().UTC()
	d.unsaved = append(d.unsaved, d.change(state, now, reason, d.lastStored()))
	d.state, d.since, d.reason = state, now, reason
	if !d.save(ctx) {
		select {
		case d.owing <- struct{}{}:
		default:
		}
	}
}

// save journals the changes that were not journalled yet, and says whether none is
// left. The caller holds mu.
func (d *Device) save(ctx context.Context) bool {
	if len(d.unsaved) > 0 && d.journal.Append(ctx, journal.Main, d.unsaved...) == nil {
		d.unsaved = nil
	}
	return len(d.unsaved) == 0
}

// persist journals what the journal has refused as soon as it can, until ctx ends,
// and then once more. A reading that can be stored brings it along, but a device
// that says something once an hour must not have its gap known an hour later.
func (d *Device) persist(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			d.mu.Lock()
			defer d.mu.Unlock()
			d.save(context.WithoutCancel(ctx))
			return
		case <-d.owing:
		}
		for saved := false; !saved && ctx.Err() == nil; {
			wait(ctx, savePause)
			d.mu.Lock()
			saved = d.save(ctx)
			d.mu.Unlock()
		}
	}
}

// watchSilence makes the device Down when it has not been heard for the time
// its driver allows.
func (d *Device) watchSilence(ctx context.Context) {
	if d.cfg.Silence == 0 {
		return
	}
	timer := time.NewTimer(d.cfg.Silence)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-d.poke:
			timer.Reset(d.cfg.Silence)
		case <-timer.C:
			reason := fmt.Sprintf("no signal for %s", d.cfg.Silence)
			d.down(ctx, reason, func() { d.log.Warn("device silent", "silence", d.cfg.Silence) })
			timer.Reset(d.cfg.Silence)
		}
	}
}

// change is the entry of a change. heard is told by the clock as it goes at that
// moment: between the two it may have been set.
func (d *Device) change(state event.DeviceState, at time.Time, reason string, heard time.Time) event.JournalEntry {
	if !heard.IsZero() {
		heard = at.Round(0).Add(-at.Sub(heard)) // Sub goes by the monotonic readings
	}
	return d.entry(event.EntryLink, at, func(e *event.JournalEntry) {
		e.Link = &event.LinkChange{
			Device: d.cfg.Where.Device, Driver: d.cfg.Driver, State: state, Since: at, Reason: reason, Heard: heard,
		}
	})
}

func (d *Device) entry(kind event.EntryKind, at time.Time, fill func(*event.JournalEntry)) event.JournalEntry {
	e := event.JournalEntry{ID: event.NewID(at), Lane: d.cfg.Where.Lane, At: at, Kind: kind}
	fill(&e)
	return e
}

// Status is the device's state and when it was last heard.
type Status struct {
	event.Where
	Driver string            `json:"driver"`
	State  event.DeviceState `json:"state"`
	// Since is when the state began; zero before the device was heard first.
	Since  time.Time `json:"since,omitzero"`
	Reason string    `json:"reason,omitempty"`
	Heard  time.Time `json:"heard,omitzero"` // when the newest stored frame was received
}

// Status tells the device's state now.
func (d *Device) Status() Status {
	d.mu.Lock()
	defer d.mu.Unlock()
	st := Status{Where: d.cfg.Where, Driver: d.cfg.Driver, State: d.state, Since: d.since, Reason: d.reason, Heard: d.heard}
	switch {
	case d.state != "":
	case d.cfg.Fault != "":
		st.State, st.Reason = event.Faulty, d.cfg.Fault
	default:
		st.State = event.Down // never heard is no state to trust
	}
	return st
}
