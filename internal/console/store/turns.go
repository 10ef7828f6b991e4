package store

import (
	"context"
	"slices"
	"sync"
)

// turns lets the writers of a store in one after the other: first those for whom
// people wait, then the others, each in the order in which they came.
type turns struct {
	mu             sync.Mutex
	busy           bool
	urgent, others []chan struct{}
}

// take waits for a turn, which give ends.
func (w *turns) take(ctx context.Context, urgent bool) error {
	w.mu.Lock()
	if !w.busy {
		w.busy = true
		w.mu.Unlock()
		return nil
	}
	queue := &w.others
	if urgent {
		queue = &w.urgent
	}
	mine := make(chan struct{})
	*queue = append(*queue, mine)
	w.mu.Unlock()
	select {
	case <-mine:
		return nil
	case <-ctx.Done():
	}
	w.mu.Lock()
	i := slices.Index(*queue, mine)
	if i >= 0 {
		*queue = slices.Delete(*queue, i, i+1)
	}
	w.mu.Unlock()
	if i < 0 {
		w.give() // it came just now
	}
	return ctx.Err()
}

// give lets the next one in.
func (w *turns) give() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, queue := range []*[]chan struct{}{&w.urgent, &w.others} {
		if len(*queue) > 0 {
			close((*queue)[0])
			*queue = (*queue)[1:]
			return
		}
	}
	w.busy = false
}

// wanted says that somebody urgent waits.
func (w *turns) wanted() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.urgent) > 0
}
