package gate

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatehouse/internal/event"
	"gatehouse/internal/journal"
	"gatehouse/internal/passage"
	"gatehouse/internal/share"
)

// record is a shared record that holds versions of passages.
type record map[event.ID]event.Passage

func (r record) Find(_ context.Context, id event.ID) (share.Entry, bool, error) {
	p, ok := r[id]
	if !ok {
		return share.Entry{}, false, nil
	}
	e, err := event.Wrap("/gate/15BB", event.TypePassage, id, string(p.ID), p.OpenedAt, p)
	if err != nil {
		return share.Entry{}, false, err
	}
	b, err := e.Bytes()
	return share.Entry{Link: share.Link{Payload: b}}, true, err
}

// shelf is a journal in memory that can refuse.
type shelf struct {
	entries []event.JournalEntry
	refuse  error
}

func (s *shelf) Append(_ context.Context, _ journal.Stream, entries ...event.JournalEntry) error {
	if s.refuse != nil {
		return s.refuse
	}
	s.entries = append(s.entries, entries...)
	return nil
}

func said(passage event.ID) event.Correction {
	now := time.Now().UTC()
	return event.Correction{
		ID: event.NewID(now), Agency: event.Customs, Gate: "15BB", Lane: "01", Kind: event.CorrectFacts,
		Passage: passage, At: now, Reason: "misread", Badge: "b1", Facts: event.Facts{Plate: "12C12345"},
	}
}

func TestACorrectionIsJournalledWithTheNewestSharedVersions(t *testing.T) {
	opened := time.Date(2026, 3, 2, 5, 0, 0, 0, time.UTC)
	id := event.NewID(opened)
	shared := record{}
	for n := 3; n <= 5; n++ { // the first two were retired
		shared[passage.VersionID(id, n)] = event.Passage{ID: id, Version: n, Where: event.Where{Gate: "15BB", Lane: "01"}, OpenedAt: opened}
	}
	j := &shelf{}
	c := &corrections{chain: shared, journal: j, lanes: []string{"01"}, log: slog.New(slog.DiscardHandler)}
	one := said(id)
	require.NoError(t, c.take(t.Context(), one))
	require.Len(t, j.entries, 1)
	e := j.entries[0]
	require.Equal(t, event.EntryCorrect, e.Kind)
	require.Equal(t, "01", e.Lane)
	require.Equal(t, one, *e.Correct)
	require.Len(t, e.Recalled, 1)
	require.Equal(t, 5, e.Recalled[0].Version)

	one.Saw.Version = 4
	require.NoError(t, c.take(t.Context(), one), "told again after a crash")
	require.Equal(t, e.ID, j.entries[1].ID, "the same entry")
	require.Equal(t, 5, j.entries[1].Recalled[0].Version)

	require.NoError(t, c.take(t.Context(), said(event.NewID(opened.Add(time.Hour)))))
	require.Empty(t, j.entries[2].Recalled, "the fold says that it does not know it")

	elsewhere := said(id)
	elsewhere.Lane = "99"
	require.NoError(t, c.take(t.Context(), elsewhere))
	require.Len(t, j.entries, 3, "of no lane here")

	j.refuse = errors.New("disk full")
	require.ErrorIs(t, c.take(t.Context(), said(id)), j.refuse, "it comes again")
}

func TestACorrectionThatComesTwiceIsAppliedOnce(t *testing.T) {
	policy, err := loadPolicy("")
	require.NoError(t, err)
	engine := passage.New(passage.Lane{Gate: "15BB", ID: "01", Policy: policy})
	j := &shelf{}
	c := &corrections{chain: record{}, journal: j, lanes: []string{"01"}, log: slog.New(slog.DiscardHandler)}
	enter := said(event.NewID(time.Now()))
	enter.Kind, enter.Moment = event.CorrectEnter, new(enter.At.Add(-time.Minute))
	for range 3 { // killed twice between the journal and the acknowledgement
		require.NoError(t, c.take(t.Context(), enter))
	}
	versions := 0
	for _, e := range j.entries {
		b, err := json.Marshal(e)
		require.NoError(t, err)
		var read event.JournalEntry
		require.NoError(t, json.Unmarshal(b, &read))
		for _, effect := range engine.Apply(read) {
			if effect.Share != nil && effect.Share.Type == event.TypePassage {
				versions++
			}
		}
	}
	require.Equal(t, 1, versions)
}
