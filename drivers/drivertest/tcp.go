package drivertest

import (
	"net"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatehouse/internal/link"
)

// Far is the device's end of a byte line.
type Far interface {
	// Config is the driver's way to this end.
	Config() link.Config
	// WaitOpen returns once a driver has opened the line.
	WaitOpen()
	// Write sends bytes to the driver.
	Write(b []byte)
	// ReadLine waits for a line of the driver and gives it without CR LF.
	ReadLine() string
	// Cut loses the line for good.
	Cut()
}

var (
	_ Far = (*PTY)(nil)
	_ Far = (*TCP)(nil)
)

// TCP is the device's end of a TCP line, as a terminal server has it: it
// listens, and talks to whoever connected last.
type TCP struct {
	t        *testing.T
	listener net.Listener
	once     sync.Once
	done     chan struct{}

	mu   sync.Mutex
	conn net.Conn
}

// NewTCP listens on a port of its own.
func NewTCP(t *testing.T) *TCP {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	d := &TCP{t: t, listener: ln, done: make(chan struct{})}
	go func() {
		defer close(d.done)
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			d.replace(c)
		}
	}()
	t.Cleanup(d.Cut)
	return d
}

func (d *TCP) replace(c net.Conn) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.conn != nil {
		_ = d.conn.Close()
	}
	d.conn = c
}

func (d *TCP) current() net.Conn {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.conn
}

// Config implements Far.
func (d *TCP) Config() link.Config { return link.Config{TCP: d.listener.Addr().String()} }

// WaitOpen implements Far. A connection that the driver has left counts as
// closed.
func (d *TCP) WaitOpen() {
	d.t.Helper()
	limit := time.Now().Add(patience)
	for !d.isOpen() {
		require.True(d.t, time.Now().Before(limit), "driver never connected")
		time.Sleep(time.Millisecond) // accepting is the kernel's, asking is all there is
	}
}

// isOpen says whether there is a connection that has not ended; bytes that
// came are left for ReadLine.
func (d *TCP) isOpen() bool {
	c := d.current()
	if c == nil {
		return false
	}
	raw, err := c.(*net.TCPConn).SyscallConn()
	if err != nil {
		return false
	}
	open := false
	_ = raw.Read(func(fd uintptr) bool {
		open = peek(fd)
		return true
	})
	return open
}

// Write implements Far. A driver that has just left takes nothing any more.
func (d *TCP) Write(b []byte) { _, _ = d.current().Write(b) }

// ReadLine implements Far.
func (d *TCP) ReadLine() string {
	d.t.Helper()
	return readLine(d.t, d.current())
}

// Cut implements Far.
func (d *TCP) Cut() {
	d.once.Do(func() {
		_ = d.listener.Close()
		<-d.done
		d.replace(nil)
	})
}
