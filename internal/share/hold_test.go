package share_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatehouse/internal/event"
)

// A hold travels as verdicts do, and both agencies get it before the records.
func TestALegalHoldReachesTheGateAndBothAgencies(t *testing.T) {
	s := newSite(t, nil)
	h, _ := s.listening(nil, nil)
	now := time.Now().UTC().Truncate(time.Millisecond)
	hold := event.LegalHold{ID: event.NewID(now), Agency: event.Customs, Gate: gate, Passage: event.NewID(now), Set: true, Reason: "án", Badge: "b1", At: now}
	require.NoError(t, s.say(event.Customs, said(t, event.Customs, event.TypeHold, hold.ID, hold)))
	eventually(t, func() bool { return s.chain.Head().Sequence == 1 }, "it is on the chain")
	s.handed(h, event.Agencies()...)
	for _, a := range event.Agencies() {
		got := s.stored(a)
		require.Len(t, got, 1)
		require.Equal(t, hold.ID, got[0].Header.Event)
		require.Equal(t, event.DeliverAlert, got[0].Header.Delivery)
		require.NoError(t, got[0].VerifyOrigin(s.keys[event.Customs].Public()))
	}
}
