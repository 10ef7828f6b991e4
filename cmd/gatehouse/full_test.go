package main

import (
	"bytes"
	"errors"
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
func (s *site) smallDisk() (fill func(leave int64), free func()) {
	s.t.Helper()
	if os.Getuid() != 0 {
		s.t.Skip("a small file system needs root")
	}
	dir := filepath.Join(s.dir, "gate")
	require.NoError(s.t, os.Mkdir(dir, 0o700))
	require.NoError(s.t, unix.Mount("tmpfs", dir, "tmpfs", 0, "size=64m"))
	s.t.Cleanup(func() { require.NoError(s.t, unix.Unmount(dir, unix.MNT_DETACH)) })
	filler := filepath.Join(dir, "filler")
	fill = func(leave int64) {
		var st unix.Statfs_t
		require.NoError(s.t, unix.Statfs(dir, &st))
		err := os.WriteFile(filler, make([]byte, int64(st.Bavail)*st.Bsize-leave), 0o600)
		require.True(s.t, err == nil || leave == 0 && errors.Is(err, unix.ENOSPC), "%v", err) // the gate writes too
	}
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
	disk := func(state event.DeviceState) func(event.DeviceChange) bool {
		return func(d event.DeviceChange) bool { return d.Device == "disk" && d.Lane == "01" && d.State == state }
	}
	fill(1900 << 10) // the reserve is 1 MiB
	require.NotEmpty(t, customs(s, event.TypeDevice, disk(event.Degraded)).Try.VI, "people are warned before anything is refused")
	free()
	customs(s, event.TypeDevice, disk(event.Up))
	fill(0)
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
	fill(0)
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
