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
	return nil
}

// Deadlines are the moments at which the runtime journals a timer entry, the
// earliest first.
func (e *Engine) Deadlines() []Deadline {
	var ds []Deadline
	return ds
}

// Waiting are the analyses without a final result, the oldest first: never
// dispatched, dispatched without an answer, or answered with "unavailable".
// The runtime dispatches them again after a restart and when vision is back.
func (e *Engine) Waiting() []Request {
	return nil
}

var _ = slices.Sort[[]string]
