package hub_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"gatehouse/internal/hub"
)

// A stream that met a full disk takes nothing more, also when there is room again:
// whoever runs the server is told, and a new one on the same folder works.
func TestAServerThatMetAFullDiskSaysSo(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("a small file system needs root")
	}
	dir := t.TempDir()
	require.NoError(t, unix.Mount("tmpfs", dir, "tmpfs", 0, "size=8m"))
	t.Cleanup(func() { require.NoError(t, unix.Unmount(dir, 0)) })
	f := newField(t, filepath.Join(dir, "field"))
	cam := camera(t, f, "cam-01", "one")
	subscriber, err := dial(t, f.URL(), hub.DriverUser+"-1", loginUser(f), loginPassword(f), false, nil)
	require.NoError(t, err)
	require.True(t, subscriber.Subscribe("gatehouse/15BB/01/camera/#", 1, nil).WaitTimeout(20*time.Second))
	select {
	case <-f.Broken():
		t.Fatal("nothing has failed yet")
	default:
	}
	filler := filepath.Join(dir, "filler")
	require.Error(t, os.WriteFile(filler, make([]byte, 16<<20), 0o600), "the file system is small")
	cam.Publish("gatehouse/15BB/01/camera/photo", 1, false, make([]byte, 1<<20))
	select {
	case <-f.Broken():
	case <-time.After(time.Minute):
		t.Fatal("nobody was told")
	}
	f.Close()
	require.NoError(t, os.Remove(filler))
	f = newField(t, filepath.Join(dir, "field"))
	defer f.Close()
	cam = camera(t, f, "cam-01", "one")
	token := cam.Publish("gatehouse/15BB/01/camera/photo", 1, false, []byte("again"))
	require.True(t, token.WaitTimeout(20*time.Second))
	require.NoError(t, token.Error())
}

func loginUser(f *hub.Field) string     { _, user, _ := f.Login(); return user }
func loginPassword(f *hub.Field) string { _, _, password := f.Login(); return password }
