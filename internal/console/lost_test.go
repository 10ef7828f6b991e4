package console_test

import (
	"context"
	"log/slog"
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
		has, err := a.Store().Counts(context.Background())
		require.NoError(t, err)
		had, err := b.Store().Counts(context.Background())
		require.NoError(t, err)
		if has.EvidenceLacking > 0 || has.Passages == 0 || has.Events != had.Events {
			return false
		}
		one, err := a.Store().Digests(context.Background())
		require.NoError(t, err)
		two, err := b.Store().Digests(context.Background())
		require.NoError(t, err)
		sums = one
		for name := range one {
			if one[name] != two[name] {
				return false
			}
		}
		return true
	}, time.Minute, 200*time.Millisecond)
	return sums
}

// A console that has lost its disk: the private part comes from its backup, the
// shared part from the hub, and where the hub has forgotten the beginning, from the
// other agency's export.
func TestALostConsoleComesBackAsItWas(t *testing.T) {
	site := consoletest.NewSite(t, "15BB")
	serve(t, site)
	ours, theirs := browsertest.Config(t, site, event.Customs), browsertest.Config(t, site, event.BorderGuard)
	passage := site.Passage(1, time.Now().UTC(), true)
	p, err := private.Open(t.Context(), ours.Store, event.Customs, time.Now)
	require.NoError(t, err)
	user, _, err := p.Invite(t.Context(), "chief", "Trưởng", private.Supervisor)
	require.NoError(t, err)
	require.NoError(t, p.AddNote(t.Context(), user.ID, passage.ID, "sổ tay kho số bảy"))
	require.NoError(t, p.Record(t.Context(), user.ID, private.ActHold, string(passage.ID), "set"))
	require.NoError(t, p.Close())
	customs, stop := browsertest.Start(t, ours)
	guard, stopGuard := browsertest.Start(t, theirs)
	site.Share(t, event.TypePassage, passage.ID, string(passage.ID), passage)
	hold := event.LegalHold{ID: event.NewID(time.Now()), Agency: event.BorderGuard, Gate: site.Gate, Passage: passage.ID, Set: true, Reason: "án số 12"}
	site.Share(t, event.TypeHold, hold.ID, string(passage.ID), hold)
	equal(t, customs, guard)
	backup := filepath.Join(t.TempDir(), "backup")
	require.NoError(t, console.Backup(t.Context(), ours, backup))
	stop()
	require.NoError(t, os.RemoveAll(ours.Store))

	_, err = console.Restore(t.Context(), ours, backup)
	require.NoError(t, err)
	customs, stop = browsertest.Start(t, ours)
	sums := equal(t, customs, guard)
	require.Contains(t, sums, "holds")
	stop()
	p, err = private.Open(t.Context(), ours.Store, event.Customs, time.Now)
	require.NoError(t, err)
	notes, err := p.Notes(t.Context(), passage.ID)
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
