package link_test

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/creack/pty"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"golang.org/x/sys/unix"

	"gatehouse/internal/driver"
	"gatehouse/internal/link"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// openPTY gives the device's end of a pseudo-terminal and the port's path.
func openPTY(t *testing.T) (*os.File, string) {
	t.Helper()
	master, slave, err := pty.Open()
	require.NoError(t, err)
	path := slave.Name()
	require.NoError(t, slave.Close())
	t.Cleanup(func() { _ = master.Close() })
	return master, path
}

func serialAt(path string) link.Config {
	c := link.Serial(115200)
	c.Port = path
	return c
}

func requireHint(t *testing.T, err, kind error) *driver.Hint {
	t.Helper()
	require.ErrorIs(t, err, kind)
	var h *driver.Hint
	require.ErrorAs(t, err, &h)
	require.NotEmpty(t, h.Try.VI)
	require.NotEmpty(t, h.Try.EN)
	return h
}

func TestSerialReadsFramesAndWrites(t *testing.T) {
	master, path := openPTY(t)
	l, err := link.Open(t.Context(), serialAt(path))
	require.NoError(t, err)
	defer l.Close()

	_, err = master.WriteString("one\r\ntwo\nthr")
	require.NoError(t, err)
	r := link.NewReader(l, link.Lines(80), time.Now)
	for _, want := range []string{"one", "two"} {
		f, err := r.Next(time.Time{})
		require.NoError(t, err)
		require.Equal(t, want, string(f.Data))
		require.Equal(t, link.Whole, f.Fault)
	}
	_, err = r.Next(time.Now().Add(20 * time.Millisecond))
	require.ErrorIs(t, err, os.ErrDeadlineExceeded)
	_, err = master.WriteString("ee\r\n")
	require.NoError(t, err)
	f, err := r.Next(time.Time{})
	require.NoError(t, err)
	require.Equal(t, "three", string(f.Data))

	require.NoError(t, l.Write(t.Context(), []byte("$X\r\n")))
	got := make([]byte, 4)
	_, err = io.ReadFull(master, got)
	require.NoError(t, err)
	require.Equal(t, "$X\r\n", string(got))
}

func TestSerialUnplugYieldsTornFrameThenError(t *testing.T) {
	master, path := openPTY(t)
	l, err := link.Open(t.Context(), serialAt(path))
	require.NoError(t, err)
	defer l.Close()
	_, err = master.WriteString("whole\r\nhal")
	require.NoError(t, err)
	r := link.NewReader(l, link.Lines(80), time.Now)
	f, err := r.Next(time.Time{})
	require.NoError(t, err)
	require.Equal(t, "whole", string(f.Data))
	require.NoError(t, master.Close())
	f, err = r.Next(time.Time{})
	require.NoError(t, err)
	require.Equal(t, "hal", string(f.Data))
	require.Equal(t, link.Torn, f.Fault)
	_, err = r.Next(time.Time{})
	requireHint(t, err, link.ErrUnplugged)
}

func TestContextEndsBlockedRead(t *testing.T) {
	_, path := openPTY(t)
	ctx, cancel := context.WithCancel(t.Context())
	l, err := link.Open(ctx, serialAt(path))
	require.NoError(t, err)
	result := make(chan error, 1)
	go func() {
		_, err := l.Read(make([]byte, 10), time.Time{})
		result <- err
	}()
	cancel()
	require.ErrorIs(t, <-result, link.ErrClosed)
	require.NoError(t, l.Close())
	require.NoError(t, l.Close(), "closing twice is harmless")
}

func TestContextEndsBlockedWrite(t *testing.T) {
	for _, by := range []string{"context", "close"} {
		t.Run(by, func(t *testing.T) {
			_, path := openPTY(t) // nobody reads the device's end
			l, err := link.Open(t.Context(), serialAt(path))
			require.NoError(t, err)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			result := make(chan error, 1)
			go func() { result <- l.Write(ctx, make([]byte, 1<<20)) }()
			select {
			case err := <-result:
				require.Fail(t, "a full line took a megabyte", "%v", err)
			case <-time.After(50 * time.Millisecond): // it is certainly stuck by then, or blocks just after
			}
			if by == "close" {
				require.NoError(t, l.Close())
				require.ErrorIs(t, <-result, link.ErrClosed)
				return
			}
			cancel()
			require.ErrorIs(t, <-result, context.Canceled)
			require.NoError(t, l.Close())
		})
	}
}

func TestNoSuchPortNamesWhatExists(t *testing.T) {
	_, err := link.Open(t.Context(), serialAt(filepath.Join(t.TempDir(), "nope")))
	h := requireHint(t, err, link.ErrNoPort)
	require.Contains(t, h.Error(), "nope")
}

func TestNotASerialPort(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	_, err := link.Open(t.Context(), serialAt(file))
	requireHint(t, err, link.ErrMode)
}

// unprivileged runs f on a thread without capabilities, so that the kernel's
// checks apply to a test that runs as root too.
func unprivileged(t *testing.T, f func() error) error {
	t.Helper()
	result := make(chan error, 1)
	go func() {
		runtime.LockOSThread() // never unlocked: the thread ends with the goroutine
		hdr := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
		var none [2]unix.CapUserData
		if err := unix.Capset(&hdr, &none[0]); err != nil {
			result <- errors.Join(errors.New("drop capabilities"), err)
			return
		}
		result <- f()
	}()
	return <-result
}

func TestPermissionNamesTheGroup(t *testing.T) {
	_, path := openPTY(t)
	require.NoError(t, os.Chmod(path, 0))
	err := unprivileged(t, func() error {
		_, err := link.Open(t.Context(), serialAt(path))
		return err
	})
	h := requireHint(t, err, link.ErrPermission)
	require.Contains(t, h.Try.EN, "usermod -aG ")
}

func TestBusyPort(t *testing.T) {
	_, path := openPTY(t)
	l, err := link.Open(t.Context(), serialAt(path))
	require.NoError(t, err)
	defer l.Close()
	err = unprivileged(t, func() error {
		_, err := link.Open(t.Context(), serialAt(path))
		return err
	})
	requireHint(t, err, link.ErrBusy)
}

func TestPortIsNotInherited(t *testing.T) {
	_, path := openPTY(t)
	l, err := link.Open(t.Context(), serialAt(path))
	require.NoError(t, err)
	defer l.Close()
	fds, err := os.ReadDir("/proc/self/fd")
	require.NoError(t, err)
	seen := false
	for _, e := range fds {
		name := "/proc/self/fd/" + e.Name()
		if target, err := os.Readlink(name); err != nil || target != path {
			continue
		}
		info, err := os.ReadFile("/proc/self/fdinfo/" + e.Name())
		require.NoError(t, err)
		seen = true
		// O_CLOEXEC is 02000000 in the octal flags line.
		require.Regexp(t, `flags:\s+0*2\d{6}\b`, string(info))
	}
	require.True(t, seen)
}

func TestTCP(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	accepted := make(chan net.Conn, 1)
	go func() {
		c, err := ln.Accept()
		if err == nil {
			accepted <- c
		}
	}()
	l, err := link.Open(t.Context(), link.Config{TCP: ln.Addr().String()})
	require.NoError(t, err)
	defer l.Close()
	far := <-accepted
	_, err = far.Write([]byte("hello\nrest"))
	require.NoError(t, err)
	r := link.NewReader(l, link.Lines(80), time.Now)
	f, err := r.Next(time.Now().Add(time.Minute))
	require.NoError(t, err)
	require.Equal(t, "hello", string(f.Data))
	_, err = r.Next(time.Now().Add(10 * time.Millisecond))
	require.ErrorIs(t, err, os.ErrDeadlineExceeded)

	// A far end that does not read cannot hold a writer whose context ends.
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	require.ErrorIs(t, l.Write(ctx, make([]byte, 64<<20)), context.DeadlineExceeded)

	require.NoError(t, far.Close())
	for err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		_, err = r.Next(time.Time{})
	}
	requireHint(t, err, link.ErrUnplugged)
	require.NoError(t, ln.Close())
	_, err = link.Open(t.Context(), link.Config{TCP: ln.Addr().String()})
	requireHint(t, err, link.ErrRefused)
}

func TestExactlyOneOfPortAndTCP(t *testing.T) {
	_, err := link.Open(t.Context(), link.Config{})
	requireHint(t, err, link.ErrConfig)
	_, err = link.Open(t.Context(), link.Config{Port: "a", TCP: "b:1"})
	requireHint(t, err, link.ErrConfig)
}
