package journal

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"gatehouse/internal/event"
)

// Record is the entries of one commit.
type Record struct {
	Sequence uint64
	Entries  []event.JournalEntry
}

// Follow calls fn with every record from sequence from on, in order, and then
// with each new one as it is committed, until ctx ends (nil) or fn fails (its
// error). A from that retention has removed begins at the oldest record.
func (j *Journal) Follow(ctx context.Context, s Stream, from uint64, fn func(Record) error) error {
	cons, err := j.js.OrderedConsumer(ctx, string(s), jetstream.OrderedConsumerConfig{
		DeliverPolicy: jetstream.DeliverByStartSequencePolicy, OptStartSeq: max(from, 1),
	})
	if err != nil {
		return fmt.Errorf("follow %s: %w", s, err)
	}
	it, err := cons.Messages()
	if err != nil {
		return fmt.Errorf("follow %s: %w", s, err)
	}
	defer context.AfterFunc(ctx, it.Stop)()
	defer it.Stop()
	for {
		msg, err := it.Next()
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return fmt.Errorf("follow %s: %w", s, err)
		}
		meta, err := msg.Metadata()
		if err != nil {
			return fmt.Errorf("follow %s: %w", s, err)
		}
		rec, err := parse(meta.Sequence.Stream, msg.Data())
		if err != nil {
			return fmt.Errorf("follow %s: %w", s, err)
		}
		if err := fn(rec); err != nil {
			return err
		}
	}
}

func parse(seq uint64, data []byte) (Record, error) {
	rec := Record{Sequence: seq}
	for line := range bytes.Lines(data) {
		var e event.JournalEntry
		if err := json.Unmarshal(line, &e); err != nil {
			return Record{}, fmt.Errorf("record %d: %w", seq, err)
		}
		rec.Entries = append(rec.Entries, e)
	}
	return rec, nil
}

// Last is the sequence of the stream's newest record and the time of its last
// entry; zero values when the stream is empty.
func (j *Journal) Last(ctx context.Context, s Stream) (uint64, time.Time, error) {
	st, err := j.js.Stream(ctx, string(s))
	if err != nil {
		return 0, time.Time{}, fmt.Errorf("look at %s: %w", s, err)
	}
	seq := st.CachedInfo().State.LastSeq
	if seq == 0 {
		return 0, time.Time{}, nil
	}
	msg, err := st.GetMsg(ctx, seq)
	if errors.Is(err, jetstream.ErrMsgNotFound) { // aged out
		return seq, st.CachedInfo().State.LastTime.UTC(), nil
	}
	if err != nil {
		return 0, time.Time{}, fmt.Errorf("read record %d of %s: %w", seq, s, err)
	}
	rec, err := parse(seq, msg.Data)
	if err != nil {
		return 0, time.Time{}, fmt.Errorf("read %s: %w", s, err)
	}
	return seq, rec.Entries[len(rec.Entries)-1].At, nil
}

// lagOf is over how many records Lag looks.
const lagOf = 64

// Lag is the longest that an entry among the newest records took from its own
// time, which is that of its arrival, to the disk; zero when the stream is empty.
func (j *Journal) Lag(ctx context.Context, s Stream) (time.Duration, error) {
	st, err := j.js.Stream(ctx, string(s))
	if err != nil {
		return 0, fmt.Errorf("look at %s: %w", s, err)
	}
	state := st.CachedInfo().State
	var worst time.Duration
	for seq := state.LastSeq; seq > 0 && seq >= state.FirstSeq && state.LastSeq-seq < lagOf; seq-- {
		msg, err := st.GetMsg(ctx, seq)
		if errors.Is(err, jetstream.ErrMsgNotFound) {
			break
		}
		if err != nil {
			return 0, fmt.Errorf("read record %d of %s: %w", seq, s, err)
		}
		rec, err := parse(seq, msg.Data)
		if err != nil {
			return 0, fmt.Errorf("read %s: %w", s, err)
		}
		for _, e := range rec.Entries {
			worst = max(worst, msg.Time.Sub(e.At))
		}
	}
	return worst, nil
}

// Snapshot is a fold's state after the record at Sequence.
type Snapshot struct {
	Sequence uint64          `json:"sequence"`
	State    json.RawMessage `json:"state"`
}

// SaveSnapshot replaces the snapshot of the named fold, such as "lane.01".
func (j *Journal) SaveSnapshot(ctx context.Context, name string, snap Snapshot) error {
	b, err := json.Marshal(snap)
	if err != nil {
		return fmt.Errorf("encode snapshot %s: %w", name, err)
	}
	if _, err := j.js.Publish(ctx, "snapshot."+name, b); err != nil {
		return fmt.Errorf("save snapshot %s: %w", name, err)
	}
	return nil
}

// LoadSnapshot reads the snapshot of the named fold; ok is false when it has
// none.
func (j *Journal) LoadSnapshot(ctx context.Context, name string) (snap Snapshot, ok bool, err error) {
	st, err := j.js.Stream(ctx, snapshots)
	if err != nil {
		return Snapshot{}, false, fmt.Errorf("load snapshot %s: %w", name, err)
	}
	msg, err := st.GetLastMsgForSubject(ctx, "snapshot."+name)
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return Snapshot{}, false, nil
	}
	if err != nil {
		return Snapshot{}, false, fmt.Errorf("load snapshot %s: %w", name, err)
	}
	if err := json.Unmarshal(msg.Data, &snap); err != nil {
		return Snapshot{}, false, fmt.Errorf("load snapshot %s: %w", name, err)
	}
	return snap, true, nil
}
