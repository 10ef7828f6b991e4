package lane

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"gatehouse/internal/event"
	"gatehouse/internal/journal"
	"gatehouse/internal/passage"
)

// snapshotEvery is how many journal records pass between two snapshots of a
// lane. A restart replays at most so many, which takes well under a second.
const snapshotEvery = 400

// timerPause is the pause before a deadline that has passed is journalled
// again, should the first entry not have reached the fold.
const timerPause = time.Second

// Store is the journal as a lane uses it.
type Store interface {
	Journal
	SaveSnapshot(ctx context.Context, name string, snap journal.Snapshot) error
	LoadSnapshot(ctx context.Context, name string) (journal.Snapshot, bool, error)
}

// Lane folds one lane's entries. Its methods may be called from several
// goroutines.
type Lane struct {
	cfg     passage.Lane
	store   Store
	analyst *Analyst
	log     *slog.Logger

	mu       sync.Mutex
	engine   *passage.Engine
	idle     *passage.FrameFold
	position map[journal.Stream]uint64 // last record applied
	unsaved  map[journal.Stream]int    // records since the last snapshot
	live     bool
	renewed  bool          // another configuration came into force in this record
	changed  chan struct{} // tells the timer that deadlines may have moved
}

// New restores the lane from its snapshots, or begins before the first entry.
func New(ctx context.Context, cfg passage.Lane, store Store, analyst *Analyst, log *slog.Logger) (*Lane, error) {
	l := &Lane{
		cfg: cfg, store: store, analyst: analyst, log: log.With("lane", cfg.ID),
		position: map[journal.Stream]uint64{}, unsaved: map[journal.Stream]int{}, changed: make(chan struct{}, 1),
	}
	if err := l.restore(ctx); err != nil {
		return nil, fmt.Errorf("restore lane %s: %w", cfg.ID, err)
	}
	return l, nil
}

// ID is the lane's id within the gate.
func (l *Lane) ID() string { return l.cfg.ID }

func (l *Lane) snapshotName(s journal.Stream) string {
	return string(s) + "." + l.cfg.ID
}

func (l *Lane) restore(ctx context.Context) error {
	l.engine = passage.New(l.cfg)
	l.idle = passage.NewFrameFold(l.cfg.Gate, l.cfg.ID, "idle")
	snap, ok, err := l.store.LoadSnapshot(ctx, l.snapshotName(journal.Main))
	if err != nil {
		return err
	}
	if ok {
		engine, err := passage.Restore(l.cfg, snap.State)
		switch {
		case errors.Is(err, passage.ErrSnapshot): // of another version: replay from the start
			l.log.Warn("snapshot not usable, replaying the whole journal", "err", err)
		case err != nil:
			return err
		default:
			l.engine, l.position[journal.Main] = engine, snap.Sequence
		}
	}
	snap, ok, err = l.store.LoadSnapshot(ctx, l.snapshotName(journal.Idle))
	if err != nil || !ok {
		return err
	}
	if err := json.Unmarshal(snap.State, l.idle); err != nil {
		return fmt.Errorf("idle frames: %w", err)
	}
	l.position[journal.Idle] = snap.Sequence
	return nil
}

// Prepare makes cfg the lane's description from the next EntryConfig on that is
// journalled for it. Passages that are open go on.
func (l *Lane) Prepare(cfg passage.Lane) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.engine.Prepare(cfg)
}

// Config is the digest of the configuration that the lane's entries name as the
// one in force.
func (l *Lane) Config() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.engine.Config()
}

// Position is the sequence of the last record of the stream that the lane's
// state covers.
func (l *Lane) Position(s journal.Stream) uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.position[s]
}

// carryOut does what the effects ask for and returns the events to share.
func (l *Lane) carryOut(effects []passage.Effect) []event.Envelope {
	var shares []event.Envelope
	for _, e := range effects {
		switch {
		case e.Share != nil:
			shares = append(shares, *e.Share)
		case e.Analyse != nil:
			l.request(*e.Analyse)
		case e.Shadow != nil:
			l.log.Info("finding in shadow mode", "code", e.Shadow.Code, "score", e.Shadow.Score, "event_id", e.Shadow.ID)
		case e.NotApplied != nil:
			l.log.Warn("correction not applied", "correction", e.NotApplied.Correction, "passage", e.NotApplied.Passage, "why", e.NotApplied.Why)
		case e.Fault != "":
			l.log.Error("event could not be made", "err", e.Fault)
		}
	}
	return shares
}

// fold applies the entries; ok is false when the record is not new.
func (l *Lane) fold(s journal.Stream, rec journal.Record) (effects []passage.Effect, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if rec.Sequence <= l.position[s] {
		return nil, false
	}
	for _, e := range rec.Entries {
		if e.Lane != l.cfg.ID {
			continue
		}
		if s == journal.Idle {
			effects = append(effects, l.idle.Apply(e)...)
			continue
		}
		effects = append(effects, l.engine.Apply(e)...)
		switch e.Kind {
		case event.EntryResult:
			l.analyst.answered(e.Analysis)
		case event.EntryConfig:
			l.renewed = true
		}
	}
	select {
	case l.changed <- struct{}{}:
	default:
	}
	return effects, true
}

// request hands an analysis to vision. During a replay it waits: the journal
// may hold the answer further on.
func (l *Lane) request(r passage.Request) {
	l.mu.Lock()
	live := l.live
	l.mu.Unlock()
	if live {
		l.analyst.Submit(l.cfg.ID, r)
	}
}

// advance notes the record as done and saves a snapshot now and then.
func (l *Lane) advance(ctx context.Context, s journal.Stream, sequence uint64) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.position[s] = sequence
	l.unsaved[s]++
	if l.unsaved[s] < snapshotEvery && !(l.renewed && s == journal.Main) {
		return nil
	}
	l.renewed = false // entries before it are not folded again with what came after
	return l.save(ctx, s)
}

// save writes the snapshot of one fold. A full disk only makes the next replay
// longer.
func (l *Lane) save(ctx context.Context, s journal.Stream) error {
	var state []byte
	var err error
	if s == journal.Idle {
		state, err = json.Marshal(l.idle)
	} else {
		state, err = l.engine.Snapshot()
	}
	if err != nil {
		return err
	}
	err = l.store.SaveSnapshot(ctx, l.snapshotName(s), journal.Snapshot{Sequence: l.position[s], State: state})
	if err != nil {
		l.log.Warn("snapshot not saved, a restart will replay more", "err", err)
		return nil
	}
	l.unsaved[s] = 0
	return nil
}

// Save writes the snapshots of both folds, at an orderly end.
func (l *Lane) Save(ctx context.Context) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return errors.Join(l.save(ctx, journal.Main), l.save(ctx, journal.Idle))
}

// GoLive ends the replay: the analyses without an answer are asked for, and
// from now on timers run.
func (l *Lane) GoLive() {
	l.mu.Lock()
	l.live = true
	waiting := l.engine.Waiting()
	l.mu.Unlock()
	for _, r := range waiting {
		l.analyst.Submit(l.cfg.ID, r)
	}
	select {
	case l.changed <- struct{}{}:
	default:
	}
}

// RunTimers journals a timer entry whenever one of the lane's deadlines is
// due, until ctx ends.
func (l *Lane) RunTimers(ctx context.Context) {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		due, next := l.due(time.Now())
		for _, d := range due {
			l.expire(ctx, d)
		}
		if len(due) > 0 {
			// The fold takes the deadlines away when it has seen the entries.
			next = min(next, timerPause)
		}
		timer.Reset(next)
		select {
		case <-ctx.Done():
			return
		case <-l.changed:
		case <-timer.C:
		}
	}
}

// due lists the deadlines that have passed and the time to the next.
func (l *Lane) due(now time.Time) (due []passage.Deadline, next time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	next = time.Hour
	if !l.live {
		return nil, next
	}
	for _, d := range l.engine.Deadlines() {
		if left := d.At.Sub(now); left > 0 {
			return due, left
		}
		due = append(due, d)
	}
	return due, next
}

func (l *Lane) expire(ctx context.Context, d passage.Deadline) {
	now := time.Now().UTC()
	entry := event.JournalEntry{
		// Derived, so that a timer journalled twice is one.
		ID:   event.DeriveID(d.At, "timer."+d.Name, "1", d.Passage),
		Lane: l.cfg.ID, At: now, Kind: event.EntryTimer,
		Timer: &event.Timer{Passage: d.Passage, Name: d.Name},
	}
	if err := l.store.Append(ctx, journal.Main, entry); err != nil && ctx.Err() == nil {
		l.log.Warn("timer not journalled, trying again", "err", err)
	}
}
