package share_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatehouse/internal/event"
	"gatehouse/internal/share"
)

// TestACorrectionIsToldUntilItIsTaken has the gate's journal refuse twice, as a
// full disk or a crash before the journal's sync does: the correction is on the
// chain once, and is told until it was taken.
func TestACorrectionIsToldUntilItIsTaken(t *testing.T) {
	s := newSite(t, nil)
	var mu sync.Mutex
	var told []event.Correction
	taken := make(chan struct{})
	_, _ = s.listening(nil, func(c *share.SayingsConfig) {
		c.OnCorrection = func(_ context.Context, said event.Correction) error {
			mu.Lock()
			defer mu.Unlock()
			told = append(told, said)
			if len(told) < 3 {
				return errors.New("disk full")
			}
			close(taken)
			return nil
		}
	})
	now := time.Now().UTC().Truncate(time.Millisecond)
	c := event.Correction{
		ID: event.NewID(now), Agency: event.Customs, Gate: gate, Lane: "01", Kind: event.CorrectFacts,
		Passage: event.NewID(now), At: now, Facts: event.Facts{Plate: "12C12345"}, Reason: "misread", Badge: "b1",
	}
	require.NoError(t, s.say(event.Customs, said(t, event.Customs, event.TypeCorrection, c.ID, c)))
	<-taken
	require.NoError(t, s.say(event.BorderGuard, verdict(t, event.BorderGuard)))
	eventually(t, func() bool { return s.chain.Head().Sequence >= 2 }, "what comes after is heard")
	mu.Lock()
	defer mu.Unlock()
	for _, got := range told {
		require.Equal(t, c, got)
	}
	all := entries(t, s.chain, 0)
	require.Len(t, all, 2, "chained once however often it is told")
	e, ok, err := s.chain.Find(t.Context(), c.ID)
	require.NoError(t, err)
	require.True(t, ok)
	require.Equal(t, c.ID, e.Header.Event)
	_, ok, err = s.chain.Find(t.Context(), event.NewID(now))
	require.NoError(t, err)
	require.False(t, ok)
}
