package store_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatehouse/internal/console/store"
	"gatehouse/internal/event"
)

// withPhoto is a passage with one picture.
func withPhoto(b *bench, picture string) event.Passage {
	p := passage(b, 1)
	p.Photos = []event.Photo{{Image: event.Evidence{SHA256: event.Digest([]byte(picture)), MediaType: "image/jpeg", Bytes: int64(len(picture))}}}
	return p
}

func (b *bench) chunk(t *testing.T, picture string) store.Result {
	t.Helper()
	r, err := b.TakeChunk(t.Context(), store.Chunk{SHA256: event.Digest([]byte(picture)), Size: int64(len(picture)), Data: []byte(picture)})
	require.NoError(t, err)
	return r
}

func TestAGateIsToldOnceWhichEvidenceIsStored(t *testing.T) {
	b := newBench(t)
	p := withPhoto(b, "picture")
	b.commit(t, b.add(t, event.TypePassage, p.ID, p))
	r := b.chunk(t, "picture")
	require.Equal(t, b.now.Add(10*time.Second), r.Due, "with what comes until then")
	_, err := b.SendReceipts(t.Context())
	require.NoError(t, err)
	told := func() (all []string) {
		for _, r := range b.receipts(t, b.Store) {
			all = append(all, r.Evidence...)
		}
		return all
	}
	require.Empty(t, told())
	b.now = b.now.Add(11 * time.Second)
	_, err = b.SendReceipts(t.Context())
	require.NoError(t, err)
	require.Equal(t, []string{p.Photos[0].Image.SHA256}, told())

	// It stays in the outbox until it is on the chain: no other says the same.
	list, err := b.Outbox(t.Context(), 1000)
	require.NoError(t, err)
	for _, q := range list {
		require.NoError(t, b.Sent(t.Context(), q.Number))
	}
	again, err := b.Resay(t.Context(), b.now.Add(time.Second))
	require.NoError(t, err)
	require.Equal(t, 1, again)
	require.Equal(t, []string{p.Photos[0].Image.SHA256}, told())
	said := last(b.receipts(t, b.Store))
	b.commit(t, b.add(t, event.TypeReceipt, said.ID, said))
	list, err = b.Outbox(t.Context(), 1000)
	require.NoError(t, err)
	for _, q := range list {
		require.NoError(t, b.Sent(t.Context(), q.Number))
	}
	again, err = b.Resay(t.Context(), b.now.Add(time.Hour))
	require.NoError(t, err)
	require.Zero(t, again)
	b.chunk(t, "picture")
	b.now = b.now.Add(time.Hour)
	_, err = b.SendReceipts(t.Context())
	require.NoError(t, err)
	require.Empty(t, told(), "once is enough")
}

func TestWhatAGateHasRemovedIsNotAskedForAndIsTold(t *testing.T) {
	b := newBench(t)
	p := withPhoto(b, "picture")
	sha := p.Photos[0].Image.SHA256
	e := b.add(t, event.TypePassage, p.ID, p)
	b.commit(t, e)
	removal := event.Removal{
		ID: event.NewID(b.now), Gate: "15BB", Rule: "clear-photos", Cause: event.RemovedForRoom, Days: 30, At: b.now,
		Pieces: []event.RemovedPiece{{SHA256: sha, Bytes: 7, Kind: event.EvidencePhoto, Passage: p.ID, Stored: b.now}},
	}
	gone := b.add(t, event.TypeRemoval, removal.ID, removal)
	b.commit(t, gone)
	_, next, err := b.AskForEvidence(t.Context(), 10)
	require.NoError(t, err)
	require.Zero(t, next, "nothing is asked for")
	r, err := b.RemovedAt(t.Context(), sha)
	require.NoError(t, err)
	require.Equal(t, &store.Removed{Rule: "clear-photos", Cause: event.RemovedForRoom, Days: 30, At: b.now}, r)
	r, err = b.RemovedAt(t.Context(), strings.Repeat("0", 64))
	require.NoError(t, err)
	require.Nil(t, r)

	// A later version that names it asks once, and the gate's answer ends it.
	p.Version = 2
	b.commit(t, b.add(t, event.TypePassage, event.NewID(b.now), p))
	_, err = b.Missing(t.Context(), sha, "the gate does not have it")
	require.NoError(t, err)
	_, next, err = b.AskForEvidence(t.Context(), 10)
	require.NoError(t, err)
	require.Zero(t, next)
}

func TestHoldsOfBothAgenciesAndThoseOnTheirWay(t *testing.T) {
	b := newBench(t)
	p := passage(b, 1)
	b.commit(t, b.add(t, event.TypePassage, p.ID, p))
	theirs := event.LegalHold{ID: event.NewID(b.now), Agency: event.BorderGuard, Gate: "15BB", Passage: p.ID, Set: true, Reason: "án", At: b.now}
	b.commit(t, b.add(t, event.TypeHold, theirs.ID, theirs))
	ours := theirs
	ours.ID, ours.Agency = event.NewID(b.now), event.Customs
	_, err := b.SetHold(t.Context(), ours)
	require.NoError(t, err)
	list, err := b.HoldsOf(t.Context(), p.ID)
	require.NoError(t, err)
	require.Len(t, list, 2)
	require.Equal(t, theirs, list[0].LegalHold)
	require.False(t, list[0].Pending)
	require.True(t, list[1].Pending)
	b.commit(t, b.add(t, event.TypeHold, ours.ID, ours))
	list, err = b.HoldsOf(t.Context(), p.ID)
	require.NoError(t, err)
	require.Len(t, list, 2)
	require.False(t, list[1].Pending)

	before, err := b.Digests(t.Context())
	require.NoError(t, err)
	_, err = b.Rebuild(t.Context())
	require.NoError(t, err)
	after, err := b.Digests(t.Context())
	require.NoError(t, err)
	require.Equal(t, before, after)
}
