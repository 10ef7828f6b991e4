package drivertest

import (
	"io"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/creack/pty"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"gatehouse/internal/link"
)

// PTY is the device's end of a pseudo-terminal.
type PTY struct {
	t      *testing.T
	master *os.File
	path   string
	once   sync.Once
}

// NewPTY opens a pseudo-terminal in raw mode.
func NewPTY(t *testing.T) *PTY {
	t.Helper()
	master, slave, err := pty.Open()
	require.NoError(t, err)
	// A terminal starts out cooked and echoing; a serial port does neither.
	attr, err := unix.IoctlGetTermios(int(slave.Fd()), unix.TCGETS)
	require.NoError(t, err)
	attr.Iflag, attr.Oflag, attr.Lflag = 0, 0, 0
	require.NoError(t, unix.IoctlSetTermios(int(slave.Fd()), unix.TCSETS, attr))
	p := &PTY{t: t, master: master, path: slave.Name()}
	require.NoError(t, slave.Close())
	t.Cleanup(p.Cut)
	return p
}

// Config implements Far.
func (p *PTY) Config() link.Config {
	c := link.Serial(115200)
	c.Port = p.path
	return c
}

// WaitOpen returns once the driver has opened the port.
func (p *PTY) WaitOpen() {
	p.t.Helper()
	limit := time.Now().Add(patience)
	for {
		fds := []unix.PollFd{{Fd: int32(p.master.Fd()), Events: unix.POLLIN}}
		_, err := unix.Poll(fds, 0)
		if err == nil && fds[0].Revents&unix.POLLHUP == 0 {
			return
		}
		require.True(p.t, time.Now().Before(limit), "driver never opened the port")
		time.Sleep(time.Millisecond) // the kernel tells of an opened port by polling only
	}
}

// Write sends bytes to the driver.
func (p *PTY) Write(b []byte) {
	p.t.Helper()
	for len(b) > 0 {
		n, err := p.master.Write(b)
		require.NoError(p.t, err)
		b = b[n:]
	}
}

// ReadLine waits for a line of the driver and gives it without CR LF.
func (p *PTY) ReadLine() string {
	p.t.Helper()
	return readLine(p.t, p.master)
}

func readLine(t *testing.T, r io.Reader) string {
	t.Helper()
	line, one := "", make([]byte, 1)
	for {
		_, err := io.ReadFull(r, one)
		require.NoError(t, err)
		if one[0] == '\n' {
			return line
		}
		if one[0] != '\r' {
			line += string(one)
		}
	}
}

// peek says whether a socket is connected, without taking bytes from it.
func peek(fd uintptr) bool {
	n, _, err := unix.Recvfrom(int(fd), make([]byte, 1), unix.MSG_PEEK|unix.MSG_DONTWAIT)
	return n > 0 || err == unix.EAGAIN
}

// Cut unplugs the port.
func (p *PTY) Cut() { p.once.Do(func() { _ = p.master.Close() }) }
