package console_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatehouse/internal/console"
	"gatehouse/internal/console/private"
	"gatehouse/internal/console/tip"
	"gatehouse/internal/event"
)

func TestThePrivatePartComesBackFromItsBackup(t *testing.T) {
	dir := t.TempDir()
	c := console.Config{Agency: event.Customs, Listen: "127.0.0.1:0", Store: filepath.Join(dir, "store"), Hub: console.Hub{NkeySeed: filepath.Join(dir, "store", "keys", "hub.nkey")}}
	public, err := console.Init(c)
	require.NoError(t, err)
	p, err := private.Open(t.Context(), c.Store, event.Customs, time.Now)
	require.NoError(t, err)
	token, err := p.NewSetupLink(t.Context())
	require.NoError(t, err)
	require.NotEmpty(t, token)
	record := filepath.Join(c.Store, tip.File)
	trials, err := tip.Open(record, time.Now, nil)
	require.NoError(t, err)
	require.NoError(t, trials.Switch("15BB/01", true, 0.05, "C-1"))
	kept, err := os.ReadFile(record)
	require.NoError(t, err)

	file := filepath.Join(dir, "backup")
	require.NoError(t, console.Backup(t.Context(), c, file), "while the store is open")
	require.ErrorIs(t, console.Backup(t.Context(), c, file), os.ErrExist, "a backup is never overwritten")
	st, err := os.Stat(file)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), st.Mode().Perm())
	_, err = console.Restore(t.Context(), c, file)
	require.ErrorIs(t, err, console.ErrNotEmpty)
	require.NoError(t, p.Close())
	require.NoError(t, trials.Close())

	require.NoError(t, os.RemoveAll(c.Store))
	names, err := console.Restore(t.Context(), c, file)
	require.NoError(t, err)
	require.Contains(t, names, private.File)
	back, err := os.ReadFile(record)
	require.NoError(t, err)
	require.Equal(t, kept, back, "the record of trials")
	again, err := console.Init(c)
	require.NoError(t, err)
	require.Equal(t, public, again, "the keys are the same")
	st, err = os.Stat(filepath.Join(c.Store, "keys", "agency.key"))
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), st.Mode().Perm())
}

func TestWhatIsNoBackupIsRefused(t *testing.T) {
	dir := t.TempDir()
	c := console.Config{Agency: event.Customs, Store: filepath.Join(dir, "store")}
	file := filepath.Join(dir, "backup")
	require.NoError(t, os.WriteFile(file, []byte("no archive at all, but long enough to be read as a header"), 0o600))
	_, err := console.Restore(t.Context(), c, file)
	require.Error(t, err)
}
