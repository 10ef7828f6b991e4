package store_test

import (
	"context"
	"log/slog"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatehouse/internal/console/store"
	"gatehouse/internal/console/uplink"
	"gatehouse/internal/event"
)

// An alert that comes while a backlog is being stored goes between its records.
func TestAnAlertGoesBetweenTheRecordsOfABacklog(t *testing.T) {
	b := newBench(t)
	var s *store.Store
	writing := make(chan struct{})
	var first sync.Once
	s, err := store.Open(t.Context(), store.Options{
		Dir: t.TempDir(), Agency: event.Customs, Seal: uplink.Sealer(event.Customs, b.key), Log: slog.New(slog.DiscardHandler),
		Now: func() time.Time { // the transaction of the backlog has begun and waits here for the alert
			if s != nil {
				first.Do(func() {
					close(writing)
					for !s.Wanted() {
						runtime.Gosched()
					}
				})
			}
			return b.now
		},
	})
	require.NoError(t, err)
	defer s.Close()
	var backlog []store.Event
	for range 40 {
		id := event.NewID(b.now)
		backlog = append(backlog, b.add(t, event.TypeGap, id, event.Gap{ID: id, Where: event.Where{Gate: "15BB", Lane: "01"}}))
	}
	a := event.Alert{ID: event.NewID(b.now), Where: event.Where{Gate: "15BB", Lane: "01"}, Sent: b.now}
	live := b.add(t, event.TypeAlert, a.ID, a)

	var order []string
	var mu sync.Mutex
	stored := func(what string) {
		mu.Lock()
		defer mu.Unlock()
		order = append(order, what)
	}
	var all sync.WaitGroup
	all.Go(func() {
		for left := backlog; len(left) > 0; {
			r, err := s.Commit(t.Context(), store.Batch{Events: left, Patient: true})
			if err != nil {
				t.Error(err)
				return
			}
			if left = left[len(left)-r.Left:]; len(left) == 0 {
				stored("backlog")
			}
		}
	})
	<-writing
	all.Go(func() {
		if _, err := s.Commit(t.Context(), store.Batch{Events: []store.Event{live}}); err != nil {
			t.Error(err)
		}
		stored("alert")
	})
	all.Wait()
	require.Equal(t, []string{"alert", "backlog"}, order)
	chains, err := s.Chains(t.Context())
	require.NoError(t, err)
	require.Len(t, chains, 1)
	require.EqualValues(t, 41, chains[0].Sequence, "nothing was left out")
}

func TestWhoDoesNotWaitAnyLongerHoldsNobodyUp(t *testing.T) {
	b := newBench(t)
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	for range 20 {
		_, err := b.Commit(gone, store.Batch{})
		require.Error(t, err)
	}
	id := event.NewID(b.now)
	b.commit(t, b.add(t, event.TypeGap, id, event.Gap{ID: id, Where: event.Where{Gate: "15BB", Lane: "01"}}))
}
