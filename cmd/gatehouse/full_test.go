package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"gatehouse/internal/control"
	"gatehouse/internal/event"
)

// smallDisk makes the gate's folder a file system of its own, and gives what
// takes all its room.
func (s *site) smallDisk() (fill, free func()) {
	s.t.Helper()
	if os.Getuid() != 0 {
		s.t.Skip("a small file system needs root")
	}
	dir := filepath.Join(s.dir, "gate")
	require.NoError(s.t, os.Mkdir(dir, 0o700))
	require.NoError(s.t, unix.Mount("tmpfs", dir, "tmpfs", 0, "size=64m"))
	s.t.Cleanup(func() { require.NoError(s.t, unix.Unmount(dir, unix.MNT_DETACH)) })
	filler := filepath.Join(dir, "filler")
	fill = func() { require.Error(s.t, os.WriteFile(filler, make([]byte, 65<<20), 0o600)) }
	free = func() { require.NoError(s.t, os.Remove(filler)) }
	return fill, free
}

// A disk that somebody else fills to the last byte ends nothing: the same process
// goes on when there is room, and says what it could not hear.
func TestAFullDiskEndsNothing(t *testing.T) {
	s := newSite(t)
	fill, free := s.smallDisk()
	rpm := newPortal(t, 20*time.Millisecond, background)
	s.write(strings.ReplaceAll(lane01, "RPM", rpm.address))
	s.start()
	up := func(st control.Status) bool {
		return st.Phase == control.Running && deviceOf(st, "01", "rpm").State == event.Up
	}
	s.until("the portal is up", up)
	fill()
	require.Eventually(t, func() bool {
		st, err := s.client().Status(t.Context())
		return err != nil || !up(st)
	}, patience, 20*time.Millisecond, "nothing can be stored")
	free()
	s.until("the portal is up again", up)
	require.Nil(t, s.cmd.ProcessState, "it is the same process")
	customs(s, event.TypeGap, func(g event.Gap) bool { return g.Device == "rpm" && g.To.After(g.From) })
}

// A gate that has no room waits for it, says so, and ends in order when asked to.
func TestAGateWithoutRoomWaits(t *testing.T) {
	s := newSite(t)
	fill, _ := s.smallDisk()
	s.write(strings.ReplaceAll(lane01, "RPM", "127.0.0.1:9"))
	fill()
	cmd := exec.Command(filepath.Join(programs, "gatehouse"), "run")
	says, err := cmd.StderrPipe()
	require.NoError(t, err)
	cmd.Dir = s.dir
	require.NoError(t, cmd.Start())
	said := make([]byte, 0, 4096)
	for !bytes.Contains(said, []byte("the disk is full")) {
		piece := make([]byte, 4096)
		n, err := says.Read(piece)
		require.NoError(t, err, "it has ended: %s", said)
		said = append(said, piece[:n]...)
	}
	require.NoError(t, cmd.Process.Signal(syscall.SIGTERM))
	require.NoError(t, cmd.Wait())
}
