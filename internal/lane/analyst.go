package lane

import (
	"cmp"
	"context"
	"encoding/json"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"gatehouse/internal/event"
	"gatehouse/internal/journal"
	"gatehouse/internal/passage"
)

// retryPause is the pause before a picture is tried again after vision was not
// available.
const retryPause = 3 * time.Second

// upPause is how often vision is asked whether it is back.
const upPause = 500 * time.Millisecond

// Outcome is what came of an analysis.
type Outcome struct {
	Outcome string // "done", "unreadable" or "unavailable"
	Result  json.RawMessage
	Error   string
}

// Vision analyses pictures, and looks vehicles up in the lists of expected ones.
type Vision interface {
	// Up tells whether an operation has a chance now. While it has none, nothing
	// is tried and nothing is journalled: pictures wait. It may say yes once in a
	// while for an operation that is down, so that it is noticed when it is back.
	Up(op string) bool
	// Analyse returns an error only when ctx ends.
	Analyse(ctx context.Context, r passage.Request) (Outcome, error)
}

// lateShare is how many pictures in time may go before one that is late goes.
const lateShare = 3

// Analyst has the pictures of all lanes analysed: it journals each attempt
// before it begins and each answer when it comes. Whatever camera a picture is
// from, the one whose answer is due first goes first. Those whose answer is late
// already wait for the others, so that an officer at a lane does not wait for a
// backlog; but one of them goes after every lateShare others, so that none waits
// for ever.
type Analyst struct {
	vision  Vision
	journal Journal
	log     *slog.Logger

	mu      sync.Mutex
	pending map[analysisKey]*pendingAnalysis
	ahead   int                    // pictures in time that went since a late one did, while one waited
	wake    map[bool]chan struct{} // of pictures, and with true of look-ups
}

type analysisKey struct {
	passage  event.ID
	evidence string
	op       string
}

type pendingAnalysis struct {
	lane    string
	request passage.Request
	busy    bool      // an attempt runs, or its answer is on its way through the journal
	after   time.Time // not before
}

// NewAnalyst is an analyst without work. With a nil vision it only keeps what
// waits.
func NewAnalyst(v Vision, j Journal, log *slog.Logger) *Analyst {
	return &Analyst{vision: v, journal: j, log: log, pending: map[analysisKey]*pendingAnalysis{}, wake: map[bool]chan struct{}{false: make(chan struct{}, 1), true: make(chan struct{}, 1)}}
}

func keyOf(p event.ID, evidence, op string) analysisKey { return analysisKey{p, evidence, op} }

// Submit asks for an analysis. One that is waiting already is not asked twice.
func (a *Analyst) Submit(lane string, r passage.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	key := keyOf(r.Passage, r.Evidence, r.Op)
	if _, there := a.pending[key]; there {
		return
	}
	a.pending[key] = &pendingAnalysis{lane: lane, request: r}
	a.poke()
}

// lookup says that a request is no picture: it takes no worker's time.
func lookup(r passage.Request) bool { return r.Op == passage.OpExpected }

func (a *Analyst) poke() {
	for _, wake := range a.wake {
		select {
		case wake <- struct{}{}:
		default:
		}
	}
}

// answered is told of every result that a lane's fold has seen.
func (a *Analyst) answered(r *event.Analysis) {
	a.mu.Lock()
	defer a.mu.Unlock()
	key := keyOf(r.Passage, r.Evidence, r.Op)
	p, there := a.pending[key]
	if !there {
		return
	}
	if r.Outcome != unavailable {
		delete(a.pending, key)
		return
	}
	p.busy, p.after = false, time.Now().Add(retryPause)
	a.poke()
}

const unavailable = "unavailable"

// Run analyses what is submitted with so many attempts at pictures at once,
// until ctx ends. Look-ups wait for no picture.
func (a *Analyst) Run(ctx context.Context, workers int) {
	if a.vision == nil {
		return
	}
	var both sync.WaitGroup
	both.Go(func() { a.serve(ctx, max(workers, 1), false) })
	both.Go(func() { a.serve(ctx, 1, true) })
	both.Wait()
}

func (a *Analyst) serve(ctx context.Context, workers int, lookups bool) {
	var all sync.WaitGroup
	defer all.Wait()
	slots := make(chan struct{}, workers)
	for {
		select {
		case slots <- struct{}{}:
		case <-ctx.Done():
			return
		}
		next := a.await(ctx, lookups) // chosen when there is room, not before
		if next == nil {
			return
		}
		all.Go(func() {
			a.attempt(ctx, next)
			<-slots
		})
	}
}

// await is the next analysis to be tried; nil when ctx has ended.
func (a *Analyst) await(ctx context.Context, lookups bool) *pendingAnalysis {
	for ctx.Err() == nil {
		next, pause := a.take(time.Now(), lookups)
		if next != nil {
			return next
		}
		timer := time.NewTimer(pause)
		select {
		case <-ctx.Done():
		case <-a.wake[lookups]:
		case <-timer.C:
		}
		timer.Stop()
	}
	return nil
}

// turn is a place in the order of analyses: of one operation, in time or late.
type turn struct {
	op   string
	late bool
}

// take picks the pending analysis whose turn it is, or tells how long to wait
// for one. An operation that is down holds up no other.
func (a *Analyst) take(now time.Time, lookups bool) (*pendingAnalysis, time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	first := map[turn]*pendingAnalysis{}
	pause := time.Hour
	for _, p := range a.pending {
		t := turn{p.request.Op, !p.request.Due.After(now)}
		switch {
		case p.busy || lookup(p.request) != lookups:
		case p.after.After(now):
			pause = min(pause, p.after.Sub(now))
		case first[t] == nil || sooner(p, first[t]) < 0:
			first[t] = p
		}
	}
	late := func(p *pendingAnalysis) bool { return !p.request.Due.After(now) }
	lateFirst := a.ahead >= lateShare
	order := slices.SortedFunc(maps.Values(first), func(x, y *pendingAnalysis) int {
		if late(x) != late(y) {
			if late(x) == lateFirst {
				return -1
			}
			return 1
		}
		return sooner(x, y)
	})
	for _, p := range order {
		if !a.vision.Up(p.request.Op) {
			pause = min(pause, upPause)
			continue
		}
		p.busy = true
		switch {
		case lookups:
		case late(p) || !slices.ContainsFunc(order, late):
			a.ahead = 0
		default:
			a.ahead++
		}
		return p, 0
	}
	return nil, pause
}

// sooner orders analyses by when their answers are due, and those without such a
// time, as look-ups are, from the newest passage on.
func sooner(x, y *pendingAnalysis) int {
	return cmp.Or(x.request.Due.Compare(y.request.Due), -cmp.Compare(x.request.Passage, y.request.Passage),
		cmp.Compare(x.request.Op, y.request.Op), cmp.Compare(x.request.Evidence, y.request.Evidence))
}

// attempt journals, analyses and journals the answer. The pending entry goes
// when the lane's fold has seen the answer.
func (a *Analyst) attempt(ctx context.Context, p *pendingAnalysis) {
	p.request.Attempts++
	said := event.Analysis{Passage: p.request.Passage, Evidence: p.request.Evidence, Op: p.request.Op, Attempt: p.request.Attempts}
	if !lookup(p.request) { // asking a list harms nobody
		if err := a.write(ctx, p.lane, event.EntryDispatch, said); err != nil {
			a.later(p, err)
			return
		}
	}
	got, err := a.vision.Analyse(ctx, p.request)
	if err != nil {
		a.later(p, err)
		return
	}
	said.Outcome, said.Result, said.Error = got.Outcome, got.Result, got.Error
	if err := a.write(ctx, p.lane, event.EntryResult, said); err != nil {
		a.later(p, err)
	}
}

// later gives the analysis back to be tried again.
func (a *Analyst) later(p *pendingAnalysis, err error) {
	a.log.Debug("analysis put off", "evidence", p.request.Evidence, "err", err)
	a.mu.Lock()
	defer a.mu.Unlock()
	p.busy, p.after = false, time.Now().Add(retryPause)
}

func (a *Analyst) write(ctx context.Context, lane string, kind event.EntryKind, said event.Analysis) error {
	now := time.Now().UTC()
	return a.journal.Append(ctx, journal.Main, event.JournalEntry{
		ID: event.NewID(now), Lane: lane, At: now, Kind: kind, Analysis: &said,
	})
}
