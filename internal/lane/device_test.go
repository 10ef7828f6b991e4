package lane_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"gatehouse/internal/clock"
	"gatehouse/internal/driver"
	"gatehouse/internal/event"
	"gatehouse/internal/journal"
	"gatehouse/internal/lane"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// memory is a journal that keeps entries in memory and can refuse.
type memory struct {
	mu         sync.Mutex
	refuse     error
	refuseIdle error
	entries    []event.JournalEntry
	idle       []event.JournalEntry
}

func (m *memory) Append(_ context.Context, s journal.Stream, entries ...event.JournalEntry) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.refuse != nil {
		return m.refuse
	}
	if s == journal.Idle && m.refuseIdle != nil && len(entries) > 0 {
		return m.refuseIdle
	}
	if s == journal.Idle {
		m.idle = append(m.idle, entries...)
	} else {
		m.entries = append(m.entries, entries...)
	}
	return nil
}

func (m *memory) setRefuse(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.refuse = err
}

// states lists the device states in the order they were journalled.
func (m *memory) states() []event.DeviceState {
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []event.DeviceState
	for _, e := range m.entries {
		if e.Kind == event.EntryLink {
			out = append(out, e.Link.State)
		}
	}
	return out
}

// script is a driver whose runs are given functions; later runs block.
type script struct {
	runs  []func(ctx context.Context, emit driver.Emit) error
	count int
}

func (s *script) Run(ctx context.Context, emit driver.Emit) error {
	n := s.count
	s.count++
	if n < len(s.runs) {
		return s.runs[n](ctx, emit)
	}
	<-ctx.Done()
	return nil
}

func newDevice(d driver.Driver, j lane.Journal, silence time.Duration) *lane.Device {
	c := clock.NewFrom(time.Now, func() (clock.State, error) { return clock.State{Synchronised: true}, nil })
	cfg := lane.DeviceConfig{Where: event.Where{Gate: "15BB", Lane: "01", Device: "rpm"}, Driver: "rpm", Silence: silence}
	return lane.NewDevice(cfg, d, j, c, slog.New(slog.DiscardHandler))
}

func reading(class event.Class) event.Reading {
	return event.Reading{Kind: event.RadiationSample, Class: class, ReceivedAt: time.Now(), Frames: []string{"f"}}
}

func TestDeviceComesUpGoesDownAndComesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := &memory{}
		speak := func(ctx context.Context, emit driver.Emit) error {
			if err := emit(ctx, reading(event.Active), reading(event.Idle)); err != nil {
				return err
			}
			return errors.New("cable pulled")
		}
		d := newDevice(&script{runs: []func(context.Context, driver.Emit) error{speak, speak}}, j, 0)
		ctx, cancel := context.WithCancel(t.Context())
		var run sync.WaitGroup
		run.Go(func() { d.Run(ctx) })
		time.Sleep(time.Minute)
		cancel()
		run.Wait()

		require.Equal(t, []event.DeviceState{event.Up, event.Down, event.Up, event.Down}, j.states())
		require.Len(t, j.idle, 2)
		back := j.entries[3]
		require.Equal(t, event.EntryLink, back.Kind)
		require.False(t, back.Link.Heard.IsZero(), "the gap begins when it was last heard")
		r := j.entries[1].Reading
		require.NotEmpty(t, r.ID)
		require.Equal(t, "ntp", r.Clock.Source)
		require.Equal(t, "15BB", r.Gate)
	})
}

func TestDeadLinkIsSaidOnceAndTriedWithGrowingPauses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := &memory{}
		var starts []time.Time
		fail := func(context.Context, driver.Emit) error {
			starts = append(starts, time.Now())
			return errors.New("no such port")
		}
		s := &script{}
		for range 100 {
			s.runs = append(s.runs, fail)
		}
		d := newDevice(s, j, 0)
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
		defer cancel()
		d.Run(ctx)

		require.Equal(t, []event.DeviceState{event.Down}, j.states(), "one change, not one for each try")
		require.Greater(t, len(starts), 5)
		last := starts[len(starts)-1].Sub(starts[len(starts)-2])
		require.Greater(t, last, starts[1].Sub(starts[0]), "pauses grow")
		require.Less(t, last, 30*time.Second, "and stay bounded")
	})
}

func TestSilentDeviceIsDownUntilHeard(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := &memory{}
		speak := make(chan struct{})
		listen := func(ctx context.Context, emit driver.Emit) error {
			for {
				select {
				case <-ctx.Done():
					return nil
				case <-speak:
					if err := emit(ctx, reading(event.Idle)); err != nil {
						return err
					}
				}
			}
		}
		d := newDevice(&script{runs: []func(context.Context, driver.Emit) error{listen}}, j, 12*time.Second)
		ctx, cancel := context.WithCancel(t.Context())
		var run sync.WaitGroup
		run.Go(func() { d.Run(ctx) })
		speak <- struct{}{}
		synctest.Wait()
		require.Equal(t, event.Up, d.Status().State)
		time.Sleep(11 * time.Second)
		require.Equal(t, event.Up, d.Status().State)
		time.Sleep(2 * time.Second)
		synctest.Wait()
		require.Equal(t, event.Down, d.Status().State, "stale is not a value")
		speak <- struct{}{}
		synctest.Wait()
		require.Equal(t, event.Up, d.Status().State)
		cancel()
		run.Wait()
	})
}

func TestRefusedReadingIsReturnedAndTheChangeComesLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		full := errors.New("disk full")
		j := &memory{refuse: full}
		var got error
		first := func(ctx context.Context, emit driver.Emit) error {
			got = emit(ctx, reading(event.Active))
			return got
		}
		second := func(ctx context.Context, emit driver.Emit) error {
			j.setRefuse(nil)
			if err := emit(ctx, reading(event.Active)); err != nil {
				return err
			}
			<-ctx.Done()
			return nil
		}
		d := newDevice(&script{runs: []func(context.Context, driver.Emit) error{first, second}}, j, 0)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		d.Run(ctx)
		require.ErrorIs(t, got, driver.ErrStore)
		require.ErrorIs(t, got, full)
		require.Equal(t, []event.DeviceState{event.Down, event.Up}, j.states(), "the change that could not be stored is not lost")
	})
}

func TestDeviceReportSetsTheState(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := &memory{}
		report := func(state event.DeviceState, code string) event.Reading {
			r := reading(event.Active)
			r.Kind, r.Report = event.DeviceReport, &event.Report{State: state, Code: code}
			return r
		}
		run := func(ctx context.Context, emit driver.Emit) error {
			for _, r := range []event.Reading{
				report(event.Up, "READY"), report(event.Faulty, "INTERLOCK"),
				reading(event.Active), // a reading does not end what the device reported
				report(event.Up, "READY"),
			} {
				if err := emit(ctx, r); err != nil {
					return err
				}
			}
			<-ctx.Done()
			return nil
		}
		d := newDevice(&script{runs: []func(context.Context, driver.Emit) error{run}}, j, 0)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		d.Run(ctx)
		require.Equal(t, []event.DeviceState{event.Up, event.Faulty, event.Up}, j.states())
	})
}

// What a full disk refused is missing from when it came, not from when the device
// was heard last, and that is journalled as soon as there is room: the device may
// say nothing more.
func TestRefusedReadingBeginsTheGapAndIsToldWithoutAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := &memory{}
		var came time.Time
		speak := func(ctx context.Context, emit driver.Emit) error {
			if err := emit(ctx, reading(event.Active)); err != nil {
				return err
			}
			time.Sleep(time.Hour)
			j.setRefuse(errors.New("disk full"))
			came = time.Now()
			return emit(ctx, reading(event.Active))
		}
		d := newDevice(&script{runs: []func(context.Context, driver.Emit) error{speak}}, j, 0)
		ctx, cancel := context.WithCancel(t.Context())
		var run sync.WaitGroup
		run.Go(func() { d.Run(ctx) })
		time.Sleep(time.Hour + time.Minute)
		require.Equal(t, []event.DeviceState{event.Up}, j.states())
		j.setRefuse(nil)
		time.Sleep(time.Second)
		require.Equal(t, []event.DeviceState{event.Up, event.Down}, j.states())
		down := j.entries[len(j.entries)-1].Link
		require.True(t, down.Heard.Equal(came), "%s is not %s", down.Heard, came)
		cancel()
		run.Wait()
	})
}

// A picture that could not be stored is no sign that the device was away before.
func TestAPictureThatCouldNotBeStoredBeginsTheGap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := &memory{}
		speak := func(ctx context.Context, emit driver.Emit) error {
			if err := emit(ctx, reading(event.Active)); err != nil {
				return err
			}
			time.Sleep(time.Hour)
			return fmt.Errorf("store picture: %w", driver.ErrStore)
		}
		d := newDevice(&script{runs: []func(context.Context, driver.Emit) error{speak}}, j, 0)
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour+time.Minute)
		defer cancel()
		d.Run(ctx)
		down := j.entries[len(j.entries)-1].Link
		require.Equal(t, event.Down, down.State)
		require.InDelta(t, 1, down.Since.Sub(down.Heard).Seconds(), 0.5)
	})
}

// When only the idle part of what came together is refused, the rest is stored and
// the device goes down all the same.
func TestRefusedIdleReadingsAreAGap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := &memory{}
		speak := func(ctx context.Context, emit driver.Emit) error {
			j.refuseIdle = errors.New("disk full")
			return emit(ctx, reading(event.Active), reading(event.Idle))
		}
		again := func(ctx context.Context, emit driver.Emit) error {
			j.refuseIdle = nil
			if err := emit(ctx, reading(event.Active)); err != nil {
				return err
			}
			<-ctx.Done()
			return nil
		}
		d := newDevice(&script{runs: []func(context.Context, driver.Emit) error{speak, again}}, j, 0)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		d.Run(ctx)
		require.Equal(t, []event.DeviceState{event.Up, event.Down, event.Up}, j.states())
	})
}

// What is owed when the daemon ends is journalled once more.
func TestAChangeThatWasRefusedIsStoredAtTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := &memory{refuse: errors.New("disk full")}
		fail := func(context.Context, driver.Emit) error { return errors.New("no such port") }
		d := newDevice(&script{runs: []func(context.Context, driver.Emit) error{fail}}, j, 0)
		ctx, cancel := context.WithCancel(t.Context())
		var run sync.WaitGroup
		run.Go(func() { d.Run(ctx) })
		time.Sleep(time.Second + time.Millisecond)
		cancel()
		j.setRefuse(nil)
		run.Wait()
		require.Equal(t, []event.DeviceState{event.Down}, j.states())
	})
}
