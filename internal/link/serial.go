package link

import (
	"context"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"go.bug.st/serial"
	"golang.org/x/sys/unix"
)

// serialPoll bounds how long a read of the port blocks, and with it how long
// Close waits for a reader. Closing the port under a blocked read instead
// would let that read touch a descriptor that something else has re-used.
const serialPoll = 100 * time.Millisecond

// releasePoll is how often a blocked write is pushed until the kernel gives it
// back.
const releasePoll = 5 * time.Millisecond

func openSerial(ctx context.Context, c Config) (*Line, error) {
	mode := &serial.Mode{BaudRate: c.Baud, DataBits: c.DataBits}
	if mode.BaudRate == 0 {
		mode.BaudRate = 9600
	}
	if mode.DataBits == 0 {
		mode.DataBits = 8
	}
	switch c.Parity {
	case "odd":
		mode.Parity = serial.OddParity
	case "even":
		mode.Parity = serial.EvenParity
	case "mark":
		mode.Parity = serial.MarkParity
	case "space":
		mode.Parity = serial.SpaceParity
	}
	if c.StopBits == 2 {
		mode.StopBits = serial.TwoStopBits
	}
	p, err := serial.Open(c.Port, mode)
	if err != nil {
		return nil, openError(c.Port, err)
	}
	closeOnExec(c.Port)
	return newLine(ctx, c.Port, &serialConn{port: p, mode: mode, closing: make(chan struct{})}), nil
}

// closeOnExec keeps child processes from inheriting the port: the serial
// library opens it without O_CLOEXEC, and a child that holds an unplugged
// adapter open keeps its device name from coming back.
func closeOnExec(port string) {
	resolved, err := filepath.EvalSymlinks(port)
	if err != nil {
		return
	}
	fds, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return
	}
	for _, e := range fds {
		fd, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		if target, err := os.Readlink("/proc/self/fd/" + e.Name()); err == nil && target == resolved {
			unix.CloseOnExec(fd)
		}
	}
}

// serialConn gives a serial port deadlines and a write that can be ended.
type serialConn struct {
	port    serial.Port
	mode    *serial.Mode
	once    sync.Once
	closing chan struct{}
	reading sync.Mutex // held while port.Read runs
	writing sync.Mutex // held while port.Write runs
}

func (s *serialConn) Read(p []byte, deadline time.Time) (int, error) {
	for {
		n, err := s.readOnce(p, deadline)
		if n > 0 || err != nil {
			return n, err
		}
	}
}

func (s *serialConn) readOnce(p []byte, deadline time.Time) (int, error) {
	s.reading.Lock()
	defer s.reading.Unlock()
	select {
	case <-s.closing:
		return 0, ErrClosed
	default:
	}
	wait := serialPoll
	if !deadline.IsZero() {
		left := time.Until(deadline)
		if left <= 0 {
			return 0, os.ErrDeadlineExceeded
		}
		wait = min(wait, left)
	}
	if err := s.port.SetReadTimeout(wait); err != nil {
		return 0, err
	}
	// (0, nil) is the library's time-out: no data, and no sign of health.
	return s.port.Read(p)
}

func (s *serialConn) Write(ctx context.Context, p []byte) (int, error) {
	s.writing.Lock()
	defer s.writing.Unlock()
	select {
	case <-s.closing:
		return 0, ErrClosed
	default:
	}
	type result struct {
		n   int
		err error
	}
	done := make(chan result, 1)
	data := append([]byte(nil), p...)
	go func() {
		n, err := s.port.Write(data)
		done <- result{n, err}
	}()
	var why error
	select {
	case r := <-done:
		return r.n, r.err
	case <-ctx.Done():
		why = ctx.Err()
	case <-s.closing:
		why = ErrClosed
	}
	// The write has no time-out of its own. Throwing away what is queued makes
	// room and setting the mode wakes the writer; it may need several rounds.
	for {
		_ = s.port.ResetOutputBuffer()
		_ = s.port.SetMode(s.mode)
		select {
		case <-done:
			return 0, why
		case <-time.After(releasePoll):
		}
	}
}

func (s *serialConn) Close() error {
	var err error
	s.once.Do(func() {
		close(s.closing)
		s.reading.Lock()
		defer s.reading.Unlock()
		s.writing.Lock()
		defer s.writing.Unlock()
		err = s.port.Close()
	})
	return err
}
