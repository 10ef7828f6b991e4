package link

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"time"
)

const (
	dialTimeout   = 5 * time.Second
	keepAliveIdle = 5 * time.Second
)

// Conn is what carries a line's bytes.
type Conn interface {
	// Read blocks until there is at least one byte, the deadline passes
	// (os.ErrDeadlineExceeded; a zero deadline never does) or the line ends.
	Read(p []byte, deadline time.Time) (int, error)
	// Write blocks until all is handed to the operating system or ctx ends.
	Write(ctx context.Context, p []byte) (int, error)
	// Close ends blocked reads and writes before it returns.
	Close() error
}

// Line is an open byte line. One goroutine may read while another writes.
type Line struct {
	name string
	conn Conn
	stop func() bool

	once   sync.Once
	closed chan struct{}
	err    error
}

// New makes a line of any connection; it is closed when ctx ends.
func New(ctx context.Context, name string, c Conn) *Line { return newLine(ctx, name, c) }

func newLine(ctx context.Context, name string, c Conn) *Line {
	l := &Line{name: name, conn: c, closed: make(chan struct{})}
	l.stop = context.AfterFunc(ctx, func() { _ = l.shut() })
	return l
}

// Name is the port or address.
func (l *Line) Name() string { return l.name }

// Read blocks until at least one byte arrived. It fails with
// os.ErrDeadlineExceeded at the deadline (the zero time means none), with
// ErrClosed after Close or the end of the line's context, and with
// ErrUnplugged when the far end is gone.
func (l *Line) Read(p []byte, deadline time.Time) (int, error) {
	n, err := l.conn.Read(p, deadline)
	if n > 0 {
		return n, nil // an error, if any, comes again with the next read
	}
	return 0, l.wrap("read", err)
}

// Write sends all of p. When ctx ends first, what was not sent is discarded.
func (l *Line) Write(ctx context.Context, p []byte) error {
	if _, err := l.conn.Write(ctx, p); err != nil {
		return l.wrap("write", err)
	}
	return nil
}

// Close ends the line; blocked calls return ErrClosed.
func (l *Line) Close() error {
	l.stop()
	return l.shut()
}

func (l *Line) shut() error {
	l.once.Do(func() {
		close(l.closed)
		l.err = l.conn.Close()
	})
	return l.err
}

func (l *Line) wrap(op string, err error) error {
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return os.ErrDeadlineExceeded
	case l.isClosed():
		return ErrClosed
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("%s %s: %w", op, l.name, err)
	}
	return lostError(op, l.name, err)
}

func (l *Line) isClosed() bool {
	select {
	case <-l.closed:
		return true
	default:
		return false
	}
}

// Stream makes a Conn of a network connection.
func Stream(c net.Conn) Conn { return stream{c} }

type stream struct{ c net.Conn }

func (s stream) Read(p []byte, deadline time.Time) (int, error) {
	if err := s.c.SetReadDeadline(deadline); err != nil {
		return 0, err
	}
	return s.c.Read(p)
}

func (s stream) Write(ctx context.Context, p []byte) (int, error) {
	if err := s.c.SetWriteDeadline(time.Time{}); err != nil {
		return 0, err
	}
	stop := context.AfterFunc(ctx, func() { _ = s.c.SetWriteDeadline(time.Unix(1, 0)) })
	defer stop()
	n, err := s.c.Write(p)
	if err != nil && ctx.Err() != nil {
		return n, ctx.Err()
	}
	return n, err
}

func (s stream) Close() error { return s.c.Close() }
