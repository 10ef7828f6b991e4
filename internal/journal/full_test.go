package journal_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// The shared record lies beside the journal. A write of it that met a full disk
// is never answered: the journal says at once that it must be opened anew.
func TestAFullDiskUnderAnotherStreamBreaksTheJournal(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("SKIPPED: a small file system needs root")
	}
	dir := t.TempDir()
	require.NoError(t, unix.Mount("tmpfs", dir, "tmpfs", 0, "size=16m"))
	t.Cleanup(func() { require.NoError(t, unix.Unmount(dir, 0)) })
	j := open(t, options(filepath.Join(dir, "journal")))
	other := jetstream.StreamConfig{Name: "OTHER", Subjects: []string{"other"}, Storage: jetstream.FileStorage}
	_, err := j.JetStream().CreateStream(t.Context(), other)
	require.NoError(t, err)
	_, err = j.JetStream().Publish(t.Context(), "other", make([]byte, 1<<20))
	require.NoError(t, err)
	select {
	case <-j.Broken():
		t.Fatal("nothing has failed yet")
	default:
	}
	filler := filepath.Join(dir, "filler")
	require.Error(t, os.WriteFile(filler, make([]byte, 32<<20), 0o600), "the file system is small")
	require.NoError(t, j.JetStream().Conn().Publish("other", make([]byte, 1<<20)))
	select {
	case <-j.Broken():
	case <-time.After(time.Minute):
		t.Fatal("nobody was told")
	}
	j.Close()

	require.NoError(t, os.Remove(filler))
	j = open(t, options(filepath.Join(dir, "journal")))
	defer j.Close()
	_, err = j.JetStream().Publish(t.Context(), "other", make([]byte, 1<<20))
	require.NoError(t, err, "it takes more when it was opened anew")
}
