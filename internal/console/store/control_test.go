package store_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatehouse/internal/console/store"
	"gatehouse/internal/event"
)

func TestControlIsWhatTheGateSaysOfIt(t *testing.T) {
	b := newBench(t)
	where := event.Where{Gate: "15BB", Lane: "01", Device: "barrier"}
	id := store.DeviceID{Gate: "15BB", Lane: "01", Device: "barrier"}
	c := event.Command{ID: event.NewID(b.now), Agency: event.Customs, Where: where, Verb: event.ControlTake, Badge: "HQ-1", At: b.now}
	for range 2 { // a form that was sent twice
		r, err := b.Command(t.Context(), c)
		require.NoError(t, err)
		require.Contains(t, r.Changes, store.Change{Topic: "lane", Key: "15BB/01"})
	}
	list, err := b.Outbox(t.Context(), 10)
	require.NoError(t, err)
	require.Len(t, list, 1)
	require.Equal(t, "say.15BB.command", list[0].Subject)
	require.NoError(t, b.Sent(t.Context(), list[0].Number))
	open, err := b.OpenCommands(t.Context(), id)
	require.NoError(t, err)
	require.Equal(t, []event.Command{c}, open, "sent is not answered")

	taken := event.ControlChange{
		ID: event.AnswerID(c.ID), Where: where, At: b.now.Add(time.Second), Command: c.ID, Asked: c.At, Agency: event.Customs, Badge: "HQ-1",
		Verb: event.ControlTake, Outcome: event.ControlDone, Holder: event.Customs, Since: b.now, Until: b.now.Add(time.Minute),
	}
	refused := event.ControlChange{
		ID: event.NewID(b.now.Add(2 * time.Second)), Where: where, At: b.now.Add(2 * time.Second), Agency: event.BorderGuard, Badge: "BP-1", Verb: event.ControlOpen,
		Outcome: event.ControlRefused, Code: event.ControlHeld, Why: event.Text{VI: "Hải quan đang giữ", EN: "Customs holds it"},
		Holder: event.Customs, Since: b.now, Until: b.now.Add(time.Minute),
	}
	b.commit(t, b.add(t, event.TypeCommand, c.ID, c))
	open, err = b.OpenCommands(t.Context(), id)
	require.NoError(t, err)
	require.Len(t, open, 1, "chained is not answered")
	b.commit(t, b.add(t, event.TypeControl, taken.ID, taken), b.add(t, event.TypeControl, refused.ID, refused))
	open, err = b.OpenCommands(t.Context(), id)
	require.NoError(t, err)
	require.Empty(t, open)
	log, err := b.ControlLog(t.Context(), id, 10)
	require.NoError(t, err)
	require.Equal(t, []event.ControlChange{refused, taken}, log)
	now, err := b.Controls(t.Context())
	require.NoError(t, err)
	require.Equal(t, refused, now[id])
	_, err = b.Rebuild(t.Context())
	require.NoError(t, err)
	again, err := b.ControlLog(t.Context(), id, 10)
	require.NoError(t, err)
	require.Equal(t, log, again)
	counts, err := b.Counts(t.Context())
	require.NoError(t, err)
	require.Equal(t, 3, counts.Events)
	suspects, err := b.Suspects(t.Context(), 10)
	require.NoError(t, err)
	require.Empty(t, suspects)
}
