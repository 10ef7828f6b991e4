package console_test

import (
	"context"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatehouse/internal/console"
	"gatehouse/internal/console/browsertest"
	"gatehouse/internal/console/consoletest"
	"gatehouse/internal/console/private"
	"gatehouse/internal/event"
)

// equal waits until both consoles have the same shared part, byte for byte.
func equal(t *testing.T, a, b *console.Console) map[string]string {
	t.Helper()
	var sums map[string]string
	require.Eventually(t, func() bool {
		one, err := a.Store().Digests(context.Background())
		require.NoError(t, err)
		two, err := b.Store().Digests(context.Background())
		require.NoError(t, err)
		sums = one
		counts, err := a.Store().Counts(context.Background())
		require.NoError(t, err)
		if counts.EvidenceLacking > 0 || len(one) != len(two) {
			return false
		}
		for name := range one {
			if one[name] != two[name] {
				return false
			}
		}
		return true
	}, time.Minute, 50*time.Millisecond)
	return sums
}

// A console that has lost its disk: the private part comes from its backup, the
// shared part from the hub, and where the hub has forgotten the beginning, from the
// other agency's export.
func TestALostConsoleComesBackAsItWas(t *testing.T) {
	site := consoletest.NewSite(t, "15BB")
	serve(t, site)
	ours, theirs := browsertest.Config(t, site, event.Customs), browsertest.Config(t, site, event.BorderGuard)
	customs, stop := browsertest.Start(t, ours)
	guard, stopGuard := browsertest.Start(t, theirs)
	h := newHand(t, customs, "chief", "Trưởng")
	hot := traffic(t, site)
	require.Eventually(t, func() bool {
		_, err := customs.Store().Passage(context.Background(), hot.ID)
		return err == nil
	}, time.Minute, 20*time.Millisecond)
	h.notes(hot.ID, "sổ tay kho số bảy")
	h.post("/passages/"+string(hot.ID)+"/hold", url.Values{"set": {"true"}, "reason": {"án số 12"}})
	require.Eventually(t, func() bool {
		list, err := guard.Store().HoldsOf(context.Background(), hot.ID)
		return err == nil && len(list) == 1
	}, time.Minute, 20*time.Millisecond)
	equal(t, customs, guard)
	backup := filepath.Join(t.TempDir(), "backup")
	require.NoError(t, console.Backup(t.Context(), ours, backup))
	h.client.CloseIdleConnections()
	stop()
	require.NoError(t, os.RemoveAll(ours.Store))

	_, err := console.Restore(t.Context(), ours, backup)
	require.NoError(t, err)
	customs, stop = browsertest.Start(t, ours)
	sums := equal(t, customs, guard)
	require.Contains(t, sums, "holds")
	stop()
	p, err := private.Open(t.Context(), ours.Store, event.Customs, time.Now)
	require.NoError(t, err)
	notes, err := p.Notes(t.Context(), hot.ID)
	require.NoError(t, err)
	require.Len(t, notes, 1)
	lines, err := p.Lines(t.Context(), private.AuditFilter{Action: private.ActHold, Limit: 10})
	require.NoError(t, err)
	require.Len(t, lines, 1, "the audit too")
	require.NoError(t, p.Close())

	// Without the hub, from the other agency's export. Only the pictures are lacking.
	stopGuard()
	s, err := console.InspectStore(t.Context(), theirs, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	want, err := s.Digests(t.Context())
	require.NoError(t, err)
	export := filepath.Join(t.TempDir(), "15BB.jsonl")
	n, err := console.Export(t.Context(), s, "15BB", export)
	require.NoError(t, err)
	require.NoError(t, s.Close())
	for _, name := range []string{"shared.db", "shared.db-wal", "shared.db-shm"} {
		require.NoError(t, os.RemoveAll(filepath.Join(ours.Store, name)))
	}
	fresh, err := console.Import(t.Context(), ours, "15BB", export, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	require.Equal(t, n, fresh)
	again, err := console.Import(t.Context(), ours, "15BB", export, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	require.Zero(t, again)
	s, err = console.InspectStore(t.Context(), ours, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	defer func() { require.NoError(t, s.Close()) }()
	got, err := s.Digests(t.Context())
	require.NoError(t, err)
	require.Equal(t, want, got)

	text, err := os.ReadFile(export)
	require.NoError(t, err)
	text[len(text)/2] ^= 1
	require.NoError(t, os.WriteFile(export, text, 0o600))
	_, err = console.Import(t.Context(), ours, "15BB", export, slog.New(slog.DiscardHandler))
	require.Error(t, err, "what was altered is refused")
}
