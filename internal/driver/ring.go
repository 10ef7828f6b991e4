package driver

import (
	"context"
	"fmt"
	"sync"
	"time"

	"gatehouse/internal/event"
)

// FlushGrace is how long Ring.Run still lets emit work after its context
// ended, so that readings which had arrived are not lost to an orderly stop.
const FlushGrace = time.Second

// Ring is a bounded queue between a device's reader and emit: the reader never
// waits for the store. What has queued while emit was busy goes to the next
// call together. At the limit the oldest idle readings are dropped first, then
// the oldest active ones, and the drop itself becomes a frame.loss reading.
type Ring struct {
	limit int

	mu     sync.Mutex
	queue  []queued
	closed bool
	lost   *event.Reading
	ready  chan struct{} // holds one token while there may be something to take
}

type queued struct {
	reading event.Reading
	group   *group // nil for the ring's own loss readings
}

// group is what one Put queued.
type group struct {
	left   int    // readings not stored yet; a dropped one is never stored
	stored func() // may be nil
}

// NewRing makes a ring of at most limit readings; limit is at least 1.
func NewRing(limit int) *Ring {
	return &Ring{limit: max(limit, 1), ready: make(chan struct{}, 1)}
}

// Put queues readings that belong together; they go to one call of emit. It
// never blocks. After Close it does nothing.
func (r *Ring) Put(readings ...event.Reading) { r.PutThen(nil, readings...) }

// PutThen is Put with a function that is called, in the goroutine of Run, once
// all of the readings are stored. It is not called when they were dropped or
// could not be stored.
func (r *Ring) PutThen(stored func(), readings ...event.Reading) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return
	}
	g := &group{left: len(readings), stored: stored}
	for _, reading := range readings {
		r.queue = append(r.queue, queued{reading: reading, group: g})
	}
	for len(r.queue) > r.limit {
		r.drop()
	}
	r.wake()
}

// drop takes out the reading that is missed least. The caller holds mu.
func (r *Ring) drop() {
	victim := 0
	for i, q := range r.queue {
		if q.reading.Class == event.Idle {
			victim = i
			break
		}
	}
	gone := r.queue[victim].reading
	r.queue = append(r.queue[:victim], r.queue[victim+1:]...)
	if r.lost == nil {
		r.lost = &event.Reading{
			Kind: event.FrameLoss, Class: event.Active, ReceivedAt: gone.ReceivedAt, Quality: event.Good,
			Loss: &event.Loss{From: gone.ReceivedAt, To: gone.ReceivedAt, Reason: "overflow"},
		}
	}
	l := r.lost.Loss
	l.Frames += len(gone.Frames)
	if gone.ReceivedAt.Before(l.From) {
		l.From = gone.ReceivedAt
	}
	if gone.ReceivedAt.After(l.To) {
		l.To = gone.ReceivedAt
	}
	r.lost.ReceivedAt = l.To
}

// Close says that nothing more comes; Run returns when the rest is stored.
func (r *Ring) Close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = true
	r.wake()
}

func (r *Ring) wake() {
	select {
	case r.ready <- struct{}{}:
	default:
	}
}

// take empties the queue; the loss, if any, stands before what survived it.
func (r *Ring) take() (batch []queued, closed bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.lost != nil {
		batch = append(batch, queued{reading: *r.lost})
		r.lost = nil
	}
	batch = append(batch, r.queue...)
	r.queue = nil
	return batch, r.closed
}

// Run hands what is put to emit until the ring is closed and empty or ctx
// ends; both give nil. When ctx ends, emit still gets FlushGrace for what had
// been put. An error of emit ends Run with that error.
func (r *Ring) Run(ctx context.Context, emit Emit) error {
	work, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	stop := context.AfterFunc(ctx, func() {
		t := time.NewTimer(FlushGrace)
		defer t.Stop()
		select {
		case <-t.C:
			cancel()
		case <-work.Done():
		}
	})
	defer stop()
	for {
		batch, closed := r.take()
		if len(batch) > 0 {
			if err := r.store(work, emit, batch); err != nil {
				return err
			}
			continue
		}
		if closed || ctx.Err() != nil {
			return nil
		}
		select {
		case <-r.ready:
		case <-ctx.Done():
		}
	}
}

func (r *Ring) store(ctx context.Context, emit Emit, batch []queued) error {
	readings := make([]event.Reading, len(batch))
	for i, q := range batch {
		readings[i] = q.reading
	}
	if err := emit(ctx, readings...); err != nil {
		return fmt.Errorf("emit %d readings: %w", len(readings), err)
	}
	for _, q := range batch {
		if q.group == nil {
			continue
		}
		if q.group.left--; q.group.left == 0 && q.group.stored != nil {
			q.group.stored()
		}
	}
	return nil
}

// Drive runs a device's work beside the ring: work puts readings until it
// fails or its context ends, and what it put is stored before Drive returns.
// The work's context ends when ctx ends or the store fails. Drive returns the
// store's error, else the work's, and nil when ctx has ended.
func (r *Ring) Drive(ctx context.Context, emit Emit, work func(context.Context) error) error {
	inner, cancel := context.WithCancel(ctx)
	defer cancel()
	done := make(chan error, 1)
	go func() {
		err := work(inner)
		r.Close()
		done <- err
	}()
	stored := r.Run(ctx, emit)
	cancel()
	worked := <-done
	if stored == nil {
		// What came between the end of ctx and the end of work.
		stored = r.Run(ctx, emit)
	}
	switch {
	case ctx.Err() != nil:
		return nil
	case stored != nil:
		return stored
	default:
		return worked
	}
}
