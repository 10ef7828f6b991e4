package account_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatehouse/internal/console/store"
	"gatehouse/internal/event"
	"gatehouse/internal/smoke/account"
)

// agencyStore is a real store of a console with one passage of two versions, a
// frame log, a gap and an event that is on the chain twice.
func agencyStore(t *testing.T, a event.Agency, frames ...string) *sql.DB {
	dir := t.TempDir()
	s, err := store.Open(t.Context(), store.Options{Dir: dir, Agency: a, Now: func() time.Time { return at(100) },
		Seal: func(gate string, kind event.Type, id event.ID, about string, _ time.Time, _ any) (store.Saying, error) {
			return store.Saying{Gate: gate, Type: kind, ID: id, About: about, Data: []byte("{}"), Origin: []byte("{}")}, nil
		}})
	require.NoError(t, err)
	where := event.Where{Gate: "15BB", Lane: "01", Device: "rpm"}
	p := event.Passage{ID: "p1", Version: 1, Where: event.Where{Gate: "15BB", Lane: "01"}, State: event.Open, OpenedAt: at(1)}
	closed := p
	closed.Version, closed.State = 2, event.Closed
	log := event.FrameLog{ID: "f1", Where: where, From: at(1), To: at(2), Digests: frames}
	gap := event.Gap{ID: "g1", Where: where, From: at(3), To: at(4), Reason: "restart"}
	var b store.Batch
	for _, e := range []struct {
		kind  event.Type
		id    event.ID
		value any
	}{{event.TypePassage, "e1", p}, {event.TypePassage, "e2", closed}, {event.TypeFrameLog, log.ID, log}, {event.TypeGap, gap.ID, gap}, {event.TypeGap, gap.ID, gap}} {
		b.Events = append(b.Events, chained(t, len(b.Events)+1, e.kind, e.id, e.value))
	}
	_, err = s.Commit(context.Background(), b)
	require.NoError(t, err)
	require.NoError(t, s.Close())
	db, err := account.Open(dir)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	return db
}

func chained(t *testing.T, n int, kind event.Type, id event.ID, value any) store.Event {
	env, err := event.Wrap("/gate/15BB", kind, id, "subject", at(float64(n)), value)
	require.NoError(t, err)
	payload, err := env.Bytes()
	require.NoError(t, err)
	previous := ""
	if n > 1 {
		previous = event.Digest([]byte{byte(n - 1)})
	}
	return store.Event{
		Chain: "15BB-1", Sequence: uint64(n), Gate: "15BB", Type: kind, ID: id, At: at(float64(n)), Previous: previous,
		Header: []byte{byte(n)}, Signature: []byte("s"), Payload: payload,
	}
}

func TestLoadReadsAConsolesStore(t *testing.T) {
	db := agencyStore(t, event.Customs, "00112233aabbccdd", "00112233aabbccdd")
	s, err := account.Load(t.Context(), event.Customs, db)
	require.NoError(t, err)
	for i := range s.Frames {
		require.NotEmpty(t, s.Frames[i].At)
		s.Frames[i].At = ""
	}
	require.Equal(t, []account.FrameRow{{Lane: "01", Device: "rpm", Digest: "00112233aabbccdd"}, {Lane: "01", Device: "rpm", Digest: "00112233aabbccdd"}}, s.Frames)
	require.Len(t, s.Gaps, 1)
	require.True(t, at(3).Equal(s.Gaps[0].From))
	require.Equal(t, []account.Version{{ID: "p1", Version: 1}, {ID: "p1", Version: 2}}, s.Versions)
	require.Equal(t, event.Closed, s.Passages[0].State)
	require.Equal(t, []event.ID{"g1"}, s.Doubles, "the projection hides it, the stored bytes do not")
	require.Empty(t, s.Suspects)
	require.Equal(t, uint64(5), s.Heads[0].Sequence)
	require.Equal(t, event.Open, s.Received["p1"].First.State)
	require.True(t, at(100).Equal(s.Received["p1"].At))
}

func TestCompareFindsAnyDifference(t *testing.T) {
	a := agencyStore(t, event.Customs, "00112233aabbccdd")
	b := agencyStore(t, event.BorderGuard, "00112233aabbccdd")
	equal, err := account.Compare(t.Context(), a, b)
	require.NoError(t, err)
	require.Empty(t, equal)

	differs, err := account.Compare(t.Context(), a, agencyStore(t, event.BorderGuard, "00112233aabbccdd", "ffff2233aabbccdd"))
	require.NoError(t, err)
	require.NotEmpty(t, differs)
	require.Contains(t, differs[0], "events")
	require.Contains(t, strings.Join(differs, "\n"), "\nframes: 1 rows only in the second store")
}

func TestReadBooksLeavesOutALineUnderWay(t *testing.T) {
	dir := t.TempDir()
	line, err := json.Marshal(sound().Books.Ledger[0])
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "ledger.jsonl"), append(append(line, '\n'), line[:20]...), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "truth.jsonl"), nil, 0o600))
	b, err := account.ReadBooks(dir)
	require.NoError(t, err)
	require.Equal(t, sound().Books.Ledger[:1], b.Ledger)

	require.NoError(t, os.WriteFile(filepath.Join(dir, "truth.jsonl"), []byte("{\n"), 0o600))
	_, err = account.ReadBooks(dir)
	require.Error(t, err)
}
