package lane_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"gatehouse/internal/event"
	"gatehouse/internal/journal"
	"gatehouse/internal/lane"
	"gatehouse/internal/passage"
	"gatehouse/internal/risk"
)

// shelf is a chain that keeps events in memory, each id once.
type shelf struct {
	mu     sync.Mutex
	byID   map[event.ID]event.Envelope
	again  int // events that were there already
	refuse int // how many calls are refused
}

func (s *shelf) Share(_ context.Context, events []event.Envelope) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.refuse > 0 {
		s.refuse--
		return journal.ErrReserve
	}
	if s.byID == nil {
		s.byID = map[event.ID]event.Envelope{}
	}
	for _, e := range events {
		if _, there := s.byID[e.ID]; there {
			s.again++
		}
		s.byID[e.ID] = e
	}
	return nil
}

func goodsLane(t *testing.T) passage.Lane {
	t.Helper()
	policy, err := risk.Default()
	require.NoError(t, err)
	return passage.Lane{
		Gate: "15BB", ID: "01", Kind: event.Vehicle, Flow: event.Goods, Policy: policy,
		Devices: []passage.Device{{ID: "rpm", Driver: "rpm", Role: passage.RolePresence, Required: true, Radiation: true}},
	}
}

// occupancy is the journal of one vehicle in the portal.
func occupancy(began time.Time, number string) []event.JournalEntry {
	var out []event.JournalEntry
	add := func(after time.Duration, fill func(*event.Reading)) {
		at := began.Add(after)
		r := event.Reading{
			ID: event.NewID(at), Where: event.Where{Gate: "15BB", Lane: "01", Device: "rpm"}, Class: event.Active,
			ReceivedAt: at, Quality: event.Good, Frames: []string{event.Digest([]byte(at.String()))},
		}
		fill(&r)
		out = append(out, event.JournalEntry{ID: event.NewID(at), Lane: "01", At: at, Kind: event.EntryReading, Reading: &r})
	}
	add(0, func(r *event.Reading) { r.Kind, r.Presence = event.PresenceChange, &event.PresenceEdge{Occupied: true} })
	for i := range 10 {
		add(time.Duration(i+1)*200*time.Millisecond, func(r *event.Reading) {
			r.Kind = event.RadiationSample
			r.Radiation = &event.Radiation{Record: "GS", Channel: "gamma", Counts: []float64{50, 50, 50, 50}, IntervalMS: 200, GammaBackgroundCPS: 1000}
		})
	}
	add(2500*time.Millisecond, func(r *event.Reading) {
		r.Kind, r.Presence = event.PresenceChange, &event.PresenceEdge{Number: number}
	})
	return out
}

func openJournal(t *testing.T, dir string) *journal.Journal {
	t.Helper()
	j, err := journal.Open(t.Context(), journal.Options{
		Dir: dir, MaxBytes: 64 << 20, MaxAge: time.Hour, IdleMaxBytes: 64 << 20, IdleMaxAge: time.Hour,
		Log: slog.New(slog.DiscardHandler),
	})
	require.NoError(t, err)
	return j
}

func newLanes(t *testing.T, j *journal.Journal, chain *shelf) *lane.Lanes {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	l, err := lane.New(t.Context(), goodsLane(t), j, lane.NewAnalyst(nil, j, log), log)
	require.NoError(t, err)
	return lane.NewLanes([]*lane.Lane{l}, chain, log)
}

// foldAll applies all that the journal holds now.
func foldAll(t *testing.T, j *journal.Journal, ls *lane.Lanes) {
	t.Helper()
	last, _, err := j.Last(t.Context(), journal.Main)
	require.NoError(t, err)
	if ls.Position(journal.Main) >= last {
		return
	}
	err = j.Follow(t.Context(), journal.Main, ls.Position(journal.Main)+1, func(rec journal.Record) error {
		if err := ls.Apply(t.Context(), journal.Main, rec); err != nil {
			return err
		}
		if rec.Sequence == last {
			return io.EOF
		}
		return nil
	})
	require.ErrorIs(t, err, io.EOF)
}

func TestReplayAfterACrashSharesNothingNew(t *testing.T) {
	j := openJournal(t, t.TempDir())
	defer j.Close()
	began := time.Now().UTC().Add(-time.Minute)
	chain := &shelf{}
	first := newLanes(t, j, chain)
	for i, e := range occupancy(began, "000001") {
		require.NoError(t, j.Append(t.Context(), journal.Main, e))
		if i == 5 {
			foldAll(t, j, first)
			require.NoError(t, first.Save(t.Context())) // the crash comes after a snapshot in the middle
		}
	}
	foldAll(t, j, first)
	before := len(chain.byID)
	require.NotZero(t, before)

	second := newLanes(t, j, chain) // what the first did since its snapshot is done again
	foldAll(t, j, second)
	require.Len(t, chain.byID, before, "derived ids are the same")
	require.NotZero(t, chain.again)

	var passages int
	for _, e := range chain.byID {
		if e.Type == event.TypePassage {
			var p event.Passage
			require.NoError(t, json.Unmarshal(e.Data, &p))
			if p.Version == 1 {
				passages++
			}
		}
	}
	require.Equal(t, 1, passages)
}

func TestSharingWaitsForTheDisk(t *testing.T) {
	j := openJournal(t, t.TempDir())
	defer j.Close()
	chain := &shelf{refuse: 1}
	ls := newLanes(t, j, chain)
	require.NoError(t, j.Append(t.Context(), journal.Main, occupancy(time.Now().UTC(), "000001")...))
	foldAll(t, j, ls)
	require.NotEmpty(t, chain.byID)
}

// answers is a vision that says what it is told to.
type answers struct {
	mu   sync.Mutex
	up   bool
	down string // an operation that is down although the others are up
	said []lane.Outcome
	got  []passage.Request
}

func (a *answers) Up(op string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.up && op != a.down
}

func (a *answers) Analyse(_ context.Context, r passage.Request) (lane.Outcome, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.got = append(a.got, r)
	next := a.said[0]
	a.said = a.said[1:]
	return next, nil
}

func (a *answers) requests() []passage.Request {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.got
}

func TestAnalystTriesOnlyWhileVisionIsUpAndJournalsEachAttempt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := &memory{}
		v := &answers{said: []lane.Outcome{{Outcome: "done", Result: []byte(`{"plates":[]}`)}}}
		a := lane.NewAnalyst(v, j, slog.New(slog.DiscardHandler))
		ctx, cancel := context.WithCancel(t.Context())
		var run sync.WaitGroup
		run.Go(func() { a.Run(ctx, 2) })
		now := time.Now()
		request := passage.Request{Passage: event.NewID(now), Evidence: "e", Op: passage.OpPlate}
		a.Submit("01", request)
		a.Submit("01", request) // asked twice, done once
		time.Sleep(time.Minute)
		require.Empty(t, v.requests(), "pictures wait while vision is down")
		require.Empty(t, j.entries)

		v.mu.Lock()
		v.up = true
		v.mu.Unlock()
		time.Sleep(time.Minute)
		cancel()
		run.Wait()
		require.Len(t, v.requests(), 1)
		require.Len(t, j.entries, 2)
		require.Equal(t, event.EntryDispatch, j.entries[0].Kind)
		require.Equal(t, event.EntryResult, j.entries[1].Kind)
		require.Equal(t, 1, j.entries[1].Analysis.Attempt)
		require.Equal(t, "done", j.entries[1].Analysis.Outcome)
	})
}

func TestAnOperationThatIsDownHoldsUpNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := &answers{up: true, down: passage.OpPlate, said: []lane.Outcome{{Outcome: "done"}, {Outcome: "done"}}}
		a := lane.NewAnalyst(v, &memory{}, slog.New(slog.DiscardHandler))
		now := time.Now()
		older, newer := event.NewID(now), event.NewID(now.Add(time.Minute))
		a.Submit("01", passage.Request{Passage: newer, Evidence: "photo", Op: passage.OpPlate})
		a.Submit("01", passage.Request{Passage: older, Evidence: "scan", Op: passage.OpXray})
		ctx, cancel := context.WithCancel(t.Context())
		var run sync.WaitGroup
		run.Go(func() { a.Run(ctx, 1) })
		time.Sleep(time.Minute)
		require.Len(t, v.requests(), 1)
		require.Equal(t, "scan", v.requests()[0].Evidence)
		v.mu.Lock()
		v.down = ""
		v.mu.Unlock()
		time.Sleep(time.Minute)
		cancel()
		run.Wait()
		require.Len(t, v.requests(), 2)
		require.Equal(t, "photo", v.requests()[1].Evidence)
	})
}

// slow is a vision that takes its time for each picture.
type slow struct {
	takes time.Duration
	mu    sync.Mutex
	began []string // evidence
	done  map[string]time.Time
}

func (s *slow) Up(string) bool { return true }

func (s *slow) Analyse(ctx context.Context, r passage.Request) (lane.Outcome, error) {
	s.mu.Lock()
	s.began = append(s.began, r.Evidence)
	s.mu.Unlock()
	select {
	case <-ctx.Done():
		return lane.Outcome{}, ctx.Err()
	case <-time.After(s.takes):
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.done[r.Evidence] = time.Now()
	return lane.Outcome{Outcome: "done"}, nil
}

// sharing runs an analyst with one worker over what cameras of several lanes
// submit, in the time of a synctest bubble.
func sharing(t *testing.T, takes time.Duration, scene func(v *slow, submit func(camera, picture string, due time.Duration))) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		v := &slow{takes: takes, done: map[string]time.Time{}}
		a := lane.NewAnalyst(v, &memory{}, slog.New(slog.DiscardHandler))
		ctx, cancel := context.WithCancel(t.Context())
		var run sync.WaitGroup
		run.Go(func() { a.Run(ctx, 1) })
		scene(v, func(camera, picture string, due time.Duration) {
			now := time.Now()
			a.Submit(camera, passage.Request{Passage: event.NewID(now), Evidence: picture, Op: passage.OpPlate, Due: now.Add(due)})
		})
		cancel()
		run.Wait()
	})
}

// The cameras' pictures go in the order in which their answers are due, not in
// that of their coming, nor camera by camera.
func TestEarliestDeadlineFirst(t *testing.T) {
	sharing(t, time.Second, func(v *slow, submit func(string, string, time.Duration)) {
		submit("01", "begun at once", time.Minute)
		time.Sleep(500 * time.Millisecond)
		submit("01", "fourth", 50*time.Second)
		submit("02", "second", 20*time.Second)
		submit("03", "third", 30*time.Second)
		submit("02", "first", 10*time.Second)
		time.Sleep(10 * time.Second)
		synctest.Wait()
		require.Equal(t, []string{"begun at once", "first", "second", "third", "fourth"}, v.began)
	})
}

// A camera that was away delivers hours of pictures at once. Somebody at another
// lane waits for none of them.
func TestUrgentPictureOvertakesLateOnes(t *testing.T) {
	sharing(t, time.Second, func(v *slow, submit func(string, string, time.Duration)) {
		for i := range 100 {
			submit("01", fmt.Sprintf("late %d", i), -time.Hour+time.Duration(i)*time.Second)
		}
		time.Sleep(10500 * time.Millisecond)
		submit("02", "urgent", 5*time.Second)
		came := time.Now()
		time.Sleep(200 * time.Second)
		synctest.Wait()
		require.LessOrEqual(t, v.done["urgent"].Sub(came), 2*time.Second, "the picture in hand and its own time")
		require.Len(t, v.began, 101)
		require.Equal(t, "urgent", v.began[11])
		require.Equal(t, "late 99", v.began[100], "the late ones in their order")
	})
}

// Two lanes keep the worker as busy as it can be. What is late already goes
// every so often all the same.
func TestNothingStarves(t *testing.T) {
	sharing(t, time.Second, func(v *slow, submit func(string, string, time.Duration)) {
		for i := range 5 {
			submit("01", fmt.Sprintf("late %d", i), -time.Hour)
		}
		for i := range 60 {
			submit("02", fmt.Sprintf("in time %d", i), 10*time.Minute)
			time.Sleep(time.Second)
		}
		synctest.Wait()
		for i := range 5 {
			require.Contains(t, v.done, fmt.Sprintf("late %d", i))
		}
		require.GreaterOrEqual(t, len(v.done), 59, "no time is lost")
	})
}

// Without a time at which they are due, as before an older state is replayed,
// the newest goes first.
func TestNewestPassageIsAnalysedFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := &answers{said: []lane.Outcome{{Outcome: "done"}, {Outcome: "done"}}}
		a := lane.NewAnalyst(v, &memory{}, slog.New(slog.DiscardHandler))
		now := time.Now()
		older, newer := event.NewID(now), event.NewID(now.Add(time.Minute))
		for _, id := range []event.ID{older, newer} {
			a.Submit("01", passage.Request{Passage: id, Evidence: "e", Op: passage.OpPlate})
		}
		v.up = true
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		a.Run(ctx, 1)
		require.Equal(t, newer, v.got[0].Passage)
		require.Equal(t, older, v.got[1].Passage)
	})
}
