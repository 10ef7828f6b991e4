package crowd_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"gatehouse/internal/console/consoletest"
	"gatehouse/internal/console/crowd"
	"gatehouse/internal/console/store"
	"gatehouse/internal/console/uplink"
	"gatehouse/internal/event"
	"gatehouse/internal/trust"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// open opens a store, as the crowd needs one, in a folder.
func open(ctx context.Context, t testing.TB, dir string) *store.Store {
	t.Helper()
	key, err := trust.NewPrivate()
	require.NoError(t, err)
	s, err := store.Open(ctx, store.Options{Dir: dir, Agency: event.Customs, Seal: uplink.Sealer(event.Customs, key), Log: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

// TestACrowdIsSearchedRightly compares what the search finds among many
// passages with what is really in them.
func TestACrowdIsSearchedRightly(t *testing.T) {
	const n = 2_000
	s := open(t.Context(), t, t.TempDir())
	require.NoError(t, crowd.New(consoletest.NewChain(t, "15BB"), n, time.Now(), 1).Fill(t.Context(), s, func(int) {}))
	counts, err := s.Counts(t.Context())
	require.NoError(t, err)
	require.Equal(t, n, counts.Passages)
	all := map[event.ID]event.Passage{}
	require.NoError(t, s.Events(t.Context(), "15BB", func(e store.Event) error {
		if e.Type != event.TypePassage {
			return nil
		}
		env, err := event.ParseEnvelope(e.Payload)
		if err != nil {
			return err
		}
		var p event.Passage
		all[e.ID] = p
		if err := json.Unmarshal(env.Data, &p); err != nil {
			return err
		}
		all[e.ID] = p
		return nil
	}))
	r := rand.New(rand.NewPCG(3, 4))
	for range 40 {
		plate := strings.ReplaceAll(crowd.Plate(r), "Đ", "D")
		from := r.IntN(4)
		part := plate[from : from+3]
		require.Equal(t, matching(all, func(p *event.Passage) bool {
			return slices.ContainsFunc(p.Plates, func(x event.PlateReading) bool { return strings.Contains(strings.ReplaceAll(x.Text, "Đ", "D"), part) })
		}), found(t, s, store.Query{Plate: part}), part)
	}
	require.Equal(t, matching(all, func(p *event.Passage) bool {
		return p.Lane == "02" && slices.ContainsFunc(p.Findings, func(f event.Finding) bool { return f.Code == event.FindingRadiationGamma })
	}), found(t, s, store.Query{Finding: event.FindingRadiationGamma, Gate: "15BB", Lane: "02"}))
	require.Equal(t, matching(all, func(p *event.Passage) bool { return p.Expected.Goods == "Gỗ ván ép" && p.Direction == event.Exit }),
		found(t, s, store.Query{Words: "go van", Direction: event.Exit}))
}

func matching(all map[event.ID]event.Passage, is func(*event.Passage) bool) []event.ID {
	list := []event.ID{}
	for id, p := range all {
		if is(&p) {
			list = append(list, id)
		}
	}
	slices.Sort(list)
	return list
}

func found(t *testing.T, s *store.Store, q store.Query) []event.ID {
	t.Helper()
	list := []event.ID{}
	q.Limit = 100
	for {
		f, err := s.Search(t.Context(), q)
		require.NoError(t, err)
		for _, h := range f.Hits {
			list = append(list, h.ID)
		}
		if q.Before = f.Next; q.Before == 0 {
			break
		}
	}
	slices.Sort(list)
	require.Equal(t, len(slices.Compact(slices.Clone(list))), len(list), fmt.Sprint("doubles of ", q))
	return list
}
