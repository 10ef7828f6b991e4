package passage

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"gatehouse/internal/event"
)

// bucketLength is how much time one frame log covers at most. Boundaries are
// multiples of it.
const bucketLength = 10 * time.Second

// framesPerLog bounds a frame log so that its event stays well below NATS'
// default payload limit of 1 MB: 4,000 digests are 76 kB.
const framesPerLog = 4000

// digestLength is how much of a frame's SHA-256 a frame log keeps.
const digestLength = 16

// FrameFold accounts for every frame of a lane's readings, in frame logs. The
// idle readings have a journal stream and a fold of their own; Engine has one
// inside for the active entries. It is pure like Engine: buckets are closed by
// entries only, never by a clock.
type FrameFold struct {
	Gate    string   `json:"gate"`
	Lane    string   `json:"lane"`
	Stream  string   `json:"stream"` // part of the ids, so that two folds never make the same
	Buckets []bucket `json:"buckets,omitempty"`
	Last    event.ID `json:"last,omitempty"`
}

type bucket struct {
	Device  string    `json:"device"`
	Start   time.Time `json:"start"` // boundary of the stretch, by entry time
	First   event.ID  `json:"first"` // reading
	From    time.Time `json:"from"`  // receive times of its frames
	To      time.Time `json:"to"`
	Digests []string  `json:"digests"`
	Invalid int       `json:"invalid,omitempty"` // frames not understood
}

// NewFrameFold is the fold over a stream of a lane's entries.
func NewFrameFold(gate, lane, stream string) *FrameFold {
	return &FrameFold{Gate: gate, Lane: lane, Stream: stream}
}

// RestoreFrameFold is the fold after the entries that the snapshot covers.
func RestoreFrameFold(snapshot []byte) (*FrameFold, error) {
	var f FrameFold
	if err := json.Unmarshal(snapshot, &f); err != nil {
		return nil, fmt.Errorf("%w: frame logs: %w", ErrSnapshot, err)
	}
	return &f, nil
}

// Snapshot is the whole state as JSON.
func (f *FrameFold) Snapshot() ([]byte, error) {
	b, err := json.Marshal(f)
	if err != nil {
		return nil, fmt.Errorf("encode frame logs of lane %s: %w", f.Lane, err)
	}
	return b, nil
}

// Apply accounts for one entry. Any entry of the lane may be given and closes
// buckets of earlier stretches; an EntryStop closes all. The idle stream's fold
// must be given the lane's EntryStop too.
func (f *FrameFold) Apply(entry event.JournalEntry) []Effect {
	e := &Engine{lane: Lane{Gate: f.Gate, ID: f.Lane}, now: wall(entry.At), entry: entry.ID}
	f.Last = entry.ID
	f.apply(e, entry)
	return e.out
}

// apply adds the effects to the engine's.
func (f *FrameFold) apply(e *Engine, entry event.JournalEntry) {
	start := e.now.Truncate(bucketLength)
	f.Buckets = slices.DeleteFunc(f.Buckets, func(b bucket) bool {
		over := entry.Kind == event.EntryStop || !b.Start.Equal(start)
		if over {
			f.share(e, b)
		}
		return over
	})
	if r := entry.Reading; entry.Kind == event.EntryReading && r != nil {
		e.lossGap(r)
		f.add(e, start, r)
	}
}

func (f *FrameFold) add(e *Engine, start time.Time, r *event.Reading) {
	bad := 0
	if r.Kind == event.FrameInvalid {
		bad = max(1, len(r.Frames))
	}
	if len(r.Frames)+bad == 0 {
		return
	}
	at := wall(r.ReceivedAt)
	i := slices.IndexFunc(f.Buckets, func(b bucket) bool { return b.Device == r.Device })
	if i < 0 {
		f.Buckets = append(f.Buckets, bucket{Device: r.Device, Start: start, First: r.ID, From: at, To: at, Digests: []string{}})
		i = len(f.Buckets) - 1
	}
	b := &f.Buckets[i]
	if at.Before(b.From) {
		b.From = at
	}
	if at.After(b.To) {
		b.To = at
	}
	for _, digest := range r.Frames {
		b.Digests = append(b.Digests, digest[:min(len(digest), digestLength)])
	}
	b.Invalid += bad
	if len(b.Digests) >= framesPerLog {
		f.share(e, *b)
		f.Buckets = slices.Delete(f.Buckets, i, i+1)
	}
}

func (f *FrameFold) share(e *Engine, b bucket) {
	log := event.FrameLog{
		ID:    event.DeriveID(b.From, "framelog", f.Stream, b.First),
		Where: e.lane.where(b.Device), From: b.From, To: b.To,
		Count: len(b.Digests), Invalid: b.Invalid, Digests: b.Digests,
	}
	e.share(event.TypeFrameLog, log.ID, e.lane.subject(b.Device), b.To, log)
}

// lossGap shares frames that a driver knows to be lost.
func (e *Engine) lossGap(r *event.Reading) {
	if r.Loss == nil {
		return
	}
	gap := event.Gap{
		ID:    event.DeriveID(r.Loss.From, "gap", "1", r.ID),
		Where: e.lane.where(r.Device), From: wall(r.Loss.From), To: wall(r.Loss.To),
		Frames: r.Loss.Frames, Reason: r.Loss.Reason,
	}
	e.share(event.TypeGap, gap.ID, e.lane.subject(r.Device), gap.To, gap)
}

// wall strips what JSON does not carry, so that a live entry and its replay
// are the same.
func wall(t time.Time) time.Time { return t.Round(0).UTC() }
