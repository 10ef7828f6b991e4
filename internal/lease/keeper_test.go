package lease_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"gatehouse/internal/driver"
	"gatehouse/internal/event"
	"gatehouse/internal/journal"
	"gatehouse/internal/lease"
)

// refusal is an interlock's no.
type refusal struct{}

func (refusal) Error() string { return "obstructed" }
func (refusal) Refusal() (string, event.Text) {
	return "OBSTRUCTED", event.Text{VI: "có xe", EN: "a vehicle"}
}

// site is a gate's disk, shared record and one barrier. It outlives keepers.
type site struct {
	t    *testing.T
	mu   sync.Mutex
	main []journal.Record
	snap map[string]journal.Snapshot
	log  []event.ControlChange
	done []event.ControlVerb // that the barrier was given
	fail error               // of the barrier
	full bool                // the shared record takes nothing
	hold chan struct{}       // the barrier waits for it, unless nil
}

func newSite(t *testing.T) *site { return &site{t: t, snap: map[string]journal.Snapshot{}} }

func (s *site) Append(_ context.Context, _ journal.Stream, entries ...event.JournalEntry) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.main = append(s.main, journal.Record{Sequence: uint64(len(s.main) + 1), Entries: entries})
	return nil
}

func (s *site) SaveSnapshot(_ context.Context, name string, snap journal.Snapshot) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.snap[name] = snap
	return nil
}

func (s *site) LoadSnapshot(_ context.Context, name string) (journal.Snapshot, bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	snap, ok := s.snap[name]
	return snap, ok, nil
}

func (s *site) share(_ context.Context, events []event.Envelope) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.full {
		return fmt.Errorf("share: %w", journal.ErrReserve)
	}
	for _, e := range events {
		var c event.ControlChange
		if err := json.Unmarshal(e.Data, &c); err != nil {
			return err
		}
		if !slices.ContainsFunc(s.log, func(o event.ControlChange) bool { return o.ID == c.ID }) {
			s.log = append(s.log, c)
		}
	}
	return nil
}

func (s *site) find(_ context.Context, id event.ID) (event.ControlChange, bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.log {
		if c.ID == id {
			return c, true, nil
		}
	}
	return event.ControlChange{}, false, nil
}

// Command implements lease.Device.
func (s *site) Command(ctx context.Context, v event.ControlVerb) error {
	s.mu.Lock()
	hold := s.hold
	s.mu.Unlock()
	if hold != nil {
		select {
		case <-hold:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fail != nil {
		return s.fail
	}
	s.done = append(s.done, v)
	return nil
}

func (s *site) device(lane, device string) lease.Device {
	if lane != "01" || device != "barrier" {
		return nil
	}
	return s
}

// keeper is one run of the gate, with the replay done.
func (s *site) keeper() *lease.Keeper {
	s.t.Helper()
	k, err := lease.Open(s.t.Context(), lease.Config{
		Gate: "15BB", Journal: s, Share: s.share, Find: s.find, Device: s.device, Now: time.Now, Log: slog.New(slog.DiscardHandler),
	})
	require.NoError(s.t, err)
	s.replay(k)
	require.NoError(s.t, k.GoLive(s.t.Context()))
	return k
}

func (s *site) replay(k *lease.Keeper) {
	s.mu.Lock()
	records := slices.Clone(s.main)
	s.mu.Unlock()
	for _, r := range records {
		k.Apply(s.t.Context(), r)
	}
}

func said(a event.Agency, v event.ControlVerb) event.Command {
	now := time.Now()
	return event.Command{ID: event.NewID(now), Agency: a, Where: event.Where{Gate: "15BB", Lane: "01", Device: "barrier"}, Verb: v, At: now, Badge: "B-1"}
}

func do(t *testing.T, k *lease.Keeper, c event.Command) event.ControlChange {
	t.Helper()
	r, err := k.Do(t.Context(), c)
	require.NoError(t, err)
	return r
}

func TestOnlyTheHolderCommands(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		k := s.keeper()
		r := do(t, k, said(event.Customs, event.ControlClose))
		require.Equal(t, event.ControlRefused, r.Outcome)
		require.Equal(t, event.ControlNoLease, r.Code)

		r = do(t, k, said(event.Customs, event.ControlTake))
		require.Equal(t, event.ControlDone, r.Outcome)
		require.Equal(t, event.Customs, r.Holder)
		require.True(t, r.Until.Equal(time.Now().Add(event.ControlLease)))
		require.Equal(t, event.ControlDone, do(t, k, said(event.Customs, event.ControlClose)).Outcome)

		for _, v := range []event.ControlVerb{event.ControlOpen, event.ControlTake, event.ControlRelease} {
			r = do(t, k, said(event.BorderGuard, v))
			require.Equal(t, event.ControlRefused, r.Outcome, v)
			require.Equal(t, event.ControlHeld, r.Code, v)
			require.Equal(t, "Customs holds control.", r.Why.EN)
			require.Equal(t, event.Customs, r.Holder)
		}
		require.Equal(t, []event.ControlVerb{event.ControlClose}, s.done)

		r = do(t, k, said(event.Customs, event.ControlRelease))
		require.Empty(t, r.Holder)
		require.Equal(t, []event.ControlVerb{event.ControlClose, event.ControlRed}, s.done, "red when nobody has control")
		require.Equal(t, event.ControlDone, do(t, k, said(event.BorderGuard, event.ControlTake)).Outcome)

		forced := said(event.Customs, event.ControlTake)
		forced.Force = true
		require.Equal(t, event.ControlNoReason, do(t, k, forced).Code)
		forced = said(event.Customs, event.ControlTake)
		forced.Force, forced.Reason = true, "xe bị giữ"
		r = do(t, k, forced)
		require.Equal(t, event.Customs, r.Holder)
		require.Equal(t, "xe bị giữ", s.log[len(s.log)-1].Reason, "the other agency reads why")
		require.NoError(t, k.Close(t.Context()))
	})
}

// A lease that nobody renews ends at its minute, with a red light; a command
// renews it.
func TestALeaseEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		k := s.keeper()
		do(t, k, said(event.Customs, event.ControlTake))
		time.Sleep(event.ControlLease - time.Second)
		do(t, k, said(event.Customs, event.ControlOpen))
		time.Sleep(event.ControlLease - time.Second)
		synctest.Wait()
		require.Equal(t, event.Customs, k.Lease("01", "barrier").Holder, "the command renewed it")
		time.Sleep(time.Second)
		synctest.Wait()
		require.Empty(t, k.Lease("01", "barrier").Holder)
		last := s.log[len(s.log)-1]
		require.Equal(t, event.ControlExpired, last.Code)
		require.Equal(t, event.Customs, last.Agency)
		require.Empty(t, last.Command)
		require.Equal(t, []event.ControlVerb{event.ControlOpen, event.ControlRed}, s.done)
		require.Equal(t, event.ControlNoLease, do(t, k, said(event.Customs, event.ControlOpen)).Code)
		require.Equal(t, event.ControlDone, do(t, k, said(event.BorderGuard, event.ControlTake)).Outcome)
		require.NoError(t, k.Close(t.Context()))
		last = s.log[len(s.log)-1]
		require.Equal(t, event.ControlStopped, last.Code)
		require.Equal(t, event.BorderGuard, last.Agency)
		_, err := k.Do(t.Context(), said(event.BorderGuard, event.ControlOpen))
		require.ErrorIs(t, err, lease.ErrEnding)
		// A run that follows finds nothing to end.
		n := len(s.log)
		k = s.keeper()
		require.Len(t, s.log, n)
		require.NoError(t, k.Close(t.Context()))
	})
}

func TestALateCommandIsVoid(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		k := s.keeper()
		do(t, k, said(event.Customs, event.ControlTake))
		late, early, intime := said(event.Customs, event.ControlOpen), said(event.Customs, event.ControlOpen), said(event.Customs, event.ControlOpen)
		late.At = late.At.Add(-event.CommandValidity - time.Millisecond)
		early.At = early.At.Add(event.CommandValidity + time.Millisecond)
		intime.At = intime.At.Add(-event.CommandValidity)
		require.Equal(t, event.ControlStale, do(t, k, late).Code)
		require.Equal(t, event.ControlStale, do(t, k, early).Code)
		require.Empty(t, s.done)
		require.Equal(t, event.ControlDone, do(t, k, intime).Outcome)

		// One that waits too long at the device is not carried out either.
		s.hold = make(chan struct{})
		for range 4 {
			require.NoError(t, k.Take(t.Context(), said(event.Customs, event.ControlStop)))
		}
		waits := said(event.Customs, event.ControlClose)
		require.Equal(t, event.ControlStale, do(t, k, waits).Code)
		require.NotContains(t, s.done, event.ControlClose)
		close(s.hold)
		require.NoError(t, k.Close(t.Context()))
	})
}

// The same command said again is one, while it is under way, afterwards, and
// after a restart.
func TestACommandIsCarriedOutOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		k := s.keeper()
		do(t, k, said(event.Customs, event.ControlTake))
		c := said(event.Customs, event.ControlOpen)
		for range 3 {
			require.NoError(t, k.Take(t.Context(), c))
		}
		synctest.Wait()
		require.NoError(t, k.Take(t.Context(), c))
		_, err := k.Do(t.Context(), c)
		require.ErrorContains(t, err, "was given before")
		next := s.keeper()
		require.NoError(t, next.Take(t.Context(), c))
		synctest.Wait()
		require.Equal(t, 1, count(s.done, event.ControlOpen))
		require.NoError(t, next.Close(t.Context()))
		require.NoError(t, k.Close(t.Context()))
	})
}

func count(list []event.ControlVerb, v event.ControlVerb) (n int) {
	for _, o := range list {
		if o == v {
			n++
		}
	}
	return n
}

// What was journalled and not answered when the process died is answered as
// lost, and not carried out; what was answered on the shared record stays so.
func TestARestartLosesWhatWasBegun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, after := range []bool{false, true} {
			s := newSite(t)
			k := s.keeper()
			do(t, k, said(event.Customs, event.ControlTake))
			s.hold = make(chan struct{})
			c := said(event.Customs, event.ControlOpen)
			require.NoError(t, k.Take(t.Context(), c))
			synctest.Wait()
			if after { // answered, but the answer was not journalled any more
				require.NoError(t, s.share(t.Context(), []event.Envelope{wrap(t, event.ControlChange{
					ID: event.AnswerID(c.ID), Where: c.Where, Command: c.ID, Agency: event.Customs, Verb: c.Verb, Outcome: event.ControlDone, Holder: event.Customs,
				})}))
			}
			// Killed here: another run on the same disk.
			s2 := &site{t: t, main: slices.Clone(s.main), snap: s.snap, log: slices.Clone(s.log)}
			next := s2.keeper()
			require.NoError(t, next.Take(t.Context(), c), "it comes again from the hub")
			synctest.Wait()
			require.Empty(t, s2.done)
			answer, ok, _ := s2.find(t.Context(), event.AnswerID(c.ID))
			require.True(t, ok)
			if after {
				require.Equal(t, event.ControlDone, answer.Outcome)
			} else {
				require.Equal(t, event.ControlLost, answer.Outcome)
				require.Equal(t, event.ControlRestart, answer.Code)
			}
			last := s2.log[len(s2.log)-1]
			require.Equal(t, event.ControlRelease, last.Verb)
			require.Equal(t, event.ControlRestart, last.Code)
			require.Empty(t, last.Holder)
			require.Empty(t, next.Lease("01", "barrier").Holder)
			// A third run has nothing left to answer.
			n := len(s2.log)
			third := s2.keeper()
			require.Len(t, s2.log, n)
			close(s.hold)
			for _, k := range []*lease.Keeper{k, next, third} {
				require.NoError(t, k.Close(t.Context()))
			}
		}
	})
}

func wrap(t *testing.T, c event.ControlChange) event.Envelope {
	e, err := event.Wrap("/gate/15BB", event.TypeControl, c.ID, "01/barrier", time.Now(), c)
	require.NoError(t, err)
	return e
}

// The snapshot is enough: a run that has it needs no older records.
func TestASnapshotReplacesTheReplay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		k := s.keeper()
		do(t, k, said(event.BorderGuard, event.ControlTake))
		s.replay(k)
		k.Save(t.Context())
		s2 := &site{t: t, snap: s.snap, log: slices.Clone(s.log)}
		next := s2.keeper()
		require.EqualValues(t, len(s.main), next.Position())
		last := s2.log[len(s2.log)-1]
		require.Equal(t, event.ControlRestart, last.Code)
		require.Equal(t, event.BorderGuard, last.Agency)
		require.NoError(t, k.Close(t.Context()))
		require.NoError(t, next.Close(t.Context()))
	})
}

func TestWhatTheDeviceSays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		k := s.keeper()
		do(t, k, said(event.Customs, event.ControlTake))
		for _, c := range []struct {
			fail    error
			outcome event.ControlOutcome
			code    string
		}{
			{fmt.Errorf("close: %w", refusal{}), event.ControlRefused, "OBSTRUCTED"},
			{fmt.Errorf("close: %w", driver.ErrOffline), event.ControlRefused, event.ControlOffline},
			{driver.ErrNoCommand, event.ControlRefused, event.ControlNoVerb},
			{errors.New("write relays: timeout"), event.ControlLost, event.ControlBoard},
			{nil, event.ControlDone, ""},
		} {
			s.fail = c.fail
			r := do(t, k, said(event.Customs, event.ControlClose))
			require.Equal(t, c.outcome, r.Outcome)
			require.Equal(t, c.code, r.Code)
			require.Equal(t, c.outcome != event.ControlDone, r.Why.VI != "" && r.Why.EN != "")
			require.Equal(t, event.Customs, r.Holder)
		}
		other := said(event.Customs, event.ControlTake)
		other.Device = "rpm"
		require.Equal(t, event.ControlNoDevice, do(t, k, other).Code)
		odd := said(event.Customs, "fly")
		require.Equal(t, event.ControlNoVerb, do(t, k, odd).Code)
		require.NoError(t, k.Close(t.Context()))
	})
}

// A full disk keeps an answer waiting; it does not lose it.
func TestAnAnswerWaitsForRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		k := s.keeper()
		s.full = true
		c := said(event.Customs, event.ControlTake)
		require.NoError(t, k.Take(t.Context(), c))
		time.Sleep(20 * time.Second)
		require.NoError(t, k.Take(t.Context(), c))
		s.mu.Lock()
		s.full = false
		s.mu.Unlock()
		time.Sleep(2 * time.Second)
		synctest.Wait()
		require.Len(t, s.log, 1)
		require.Equal(t, event.ControlDone, s.log[0].Outcome)
		require.NoError(t, k.Close(t.Context()))
	})
}
