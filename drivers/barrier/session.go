package barrier

import (
	"context"
	"errors"
	"reflect"
	"time"

	"gatehouse/internal/driver"
	"gatehouse/internal/event"
)

// order is a command on its way to the session.
type order struct {
	ctx    context.Context
	verb   Verb
	result chan error // takes one without blocking
}

// session is one opening of the line. Its goroutine alone uses the board.
type session struct {
	config Config
	now    func() time.Time
	board  *board
	ring   *driver.Ring
	lock   *Interlock
	orders chan order
	done   chan struct{}

	inputs   Bits
	relays   Bits // as read last
	written  Bits
	told     *event.Barrier // last state that was told
	toldAt   time.Time
	reported string // code of the last report
	present  bool
}

// run looks after the board until ctx ends, which leaves it safe, or the line
// is given up.
func (s *session) run(ctx context.Context) error {
	failures := 0
	var next *order
	first := true
	for {
		err := s.cycle(next, first)
		if next != nil {
			next.result <- err
			next = nil
		}
		var f *failure
		// After a failure whatever was written may not have come to be.
		if first = errors.As(err, &f); first {
			s.lock.Lost()
			if f.answered() {
				s.ring.Put(f.invalid(s.config.Unit, s.now().UTC()))
			}
			failures++
			if f.lost() || failures > retries {
				_ = s.board.write(s.lock.Want())
				return s.board.givenUp(f)
			}
			if err := s.board.settle(ctx); err != nil {
				return err
			}
		} else {
			failures = 0
		}
		var stopped bool
		if next, stopped = s.wait(ctx); stopped {
			return s.stop()
		}
	}
}

// wait returns with an order, at the time of the next look, or stopped.
func (s *session) wait(ctx context.Context) (o *order, stopped bool) {
	pause := s.config.Poll
	if s.lock.Pulsing() {
		pause = min(pause, watch, max(0, time.Until(s.lock.Ends())))
	}
	t := time.NewTimer(pause)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return nil, true
	case got := <-s.orders:
		return &got, false
	case <-t.C:
		return nil, false
	}
}

// stop leaves the board with no pulse and red.
func (s *session) stop() error {
	s.lock.Lost()
	var err error
	for range 1 + retries {
		if err = s.board.write(s.lock.Want()); err == nil {
			return nil
		}
	}
	return err
}

// cycle is one look at the board: inputs, what the interlock makes of them,
// relays. An order is carried out in between.
func (s *session) cycle(o *order, first bool) error {
	if first {
		// Whatever was before: no pulse, and red, before anything is known.
		if err := s.write(); err != nil {
			return err
		}
	}
	if err := s.look(); err != nil {
		return err
	}
	var refused error
	if o != nil {
		refused = s.take(o)
		if _, ok := errors.AsType[*failure](refused); ok {
			return refused
		}
	}
	// A relay that is not what it should be is told again each time.
	if s.lock.Want() != s.written || s.relays&owned != s.written {
		if err := s.write(); err != nil {
			return err
		}
	}
	if err := s.readBack(); err != nil {
		return err
	}
	if s.lock.Want() != s.written { // the relays were not what was written
		if err := s.write(); err != nil {
			return err
		}
	}
	s.tell()
	return refused
}

// take carries out an order. Inputs are read twice with another question in
// between: an answer that came late would be one to the wrong question.
func (s *session) take(o *order) error {
	if o.ctx.Err() != nil {
		return o.ctx.Err()
	}
	if err := s.readBack(); err != nil {
		return err
	}
	before := s.inputs
	if err := s.look(); err != nil {
		return err
	}
	if o.verb == VerbClose && before.Obstructed() {
		return &Refused{Verb: o.verb, Why: "OBSTRUCTED"}
	}
	return s.lock.Command(o.verb, time.Now())
}

func (s *session) look() error {
	in, err := s.board.inputs()
	if err != nil {
		return err
	}
	s.inputs = in
	s.lock.Observe(in, time.Now())
	return nil
}

func (s *session) readBack() error {
	got, err := s.board.relays()
	if err != nil {
		return err
	}
	s.relays = got
	s.lock.Relays(got, s.written)
	return nil
}

func (s *session) write() error {
	want := s.lock.Want()
	if err := s.board.write(want); err != nil {
		return err
	}
	s.written, s.relays = want, want
	return nil
}

// tell puts what changed, and now and then what did not.
func (s *session) tell() {
	at := s.now().UTC()
	state := s.state()
	changed := !reflect.DeepEqual(state, s.told)
	if !changed && time.Since(s.toldAt) < s.config.Idle {
		return
	}
	s.told, s.toldAt = state, time.Now()
	in := Format(s.inputs.Reply(s.config.Unit, ReadInputs))
	out := Format(s.relays.Reply(s.config.Unit, ReadCoils))
	r := event.Reading{
		Kind: event.BarrierState, Class: event.Idle, ReceivedAt: at, Quality: event.Good,
		Frames: []string{event.Digest(in), event.Digest(out)}, Raw: in, Barrier: state,
	}
	if changed {
		r.Class = event.Active
	}
	if len(state.Faults) > 0 {
		r.Quality, r.Note = event.Suspect, "barrier has a fault"
	}
	s.ring.Put(append([]event.Reading{r}, s.edges(at)...)...)
}

// edges are the presence and the report that a change leads to.
func (s *session) edges(at time.Time) []event.Reading {
	var out []event.Reading
	base := event.Reading{Class: event.Active, ReceivedAt: at, Quality: event.Good, Frames: []string{}}
	if loop := s.loop(); loop != 0 && s.inputs.Has(loop) != s.present {
		s.present = !s.present
		edge := base
		edge.Kind, edge.Presence = event.PresenceChange, &event.PresenceEdge{Occupied: s.present}
		out = append(out, edge)
	}
	if report := s.report(); report.Code != s.reported {
		s.reported = report.Code
		told := base
		told.Kind, told.Report = event.DeviceReport, report
		out = append(out, told)
	}
	return out
}

// loop is the one that tells of presence, 0 for none.
func (s *session) loop() Bits {
	switch s.config.Presence {
	case "entry":
		return LoopEntry
	case "safety":
		return LoopSafety
	case "exit":
		return LoopExit
	}
	return 0
}

// report is what the barrier is able to do.
func (s *session) report() *event.Report {
	out := &event.Report{State: event.Up, Code: "OK", Detail: map[string]string{"watchdog": s.config.Watchdog}}
	faults := s.lock.Faults()
	switch {
	case s.inputs.EStop():
		out.State, out.Code = event.Faulty, "ESTOP"
	case len(faults) > 0:
		out.State, out.Code = event.Faulty, faults[0]
	case s.inputs.Has(Manual):
		out.State, out.Code = event.Bypassed, "MANUAL"
	}
	return out
}

// state is the board in the words of the shared record.
func (s *session) state() *event.Barrier {
	in, out := s.inputs, s.relays
	b := &event.Barrier{
		Arm: in.Arm(), Lights: []string{}, Loops: []string{}, Photocell: in.Has(Photocell), EStop: in.EStop(),
		Manual: in.Has(Manual), Faults: s.lock.Faults(), Watchdog: s.config.Watchdog,
	}
	for _, n := range []struct {
		bit  Bits
		name string
	}{{Red, "red"}, {Amber, "amber"}, {Green, "green"}, {Beacon, "beacon"}} {
		if out.Has(n.bit) {
			b.Lights = append(b.Lights, n.name)
		}
	}
	for _, n := range []struct {
		bit  Bits
		name string
	}{{LoopEntry, "entry"}, {LoopSafety, "safety"}, {LoopExit, "exit"}} {
		if in.Has(n.bit) {
			b.Loops = append(b.Loops, n.name)
		}
	}
	for _, n := range []struct {
		bit  Bits
		name string
	}{{Open, "open"}, {Close, "close"}, {Stop, "stop"}} {
		if out.Has(n.bit) {
			b.Commanded = n.name
		}
	}
	return b
}
