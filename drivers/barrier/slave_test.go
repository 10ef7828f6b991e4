package barrier_test

import (
	"io"
	"net"
	"os"
	"slices"
	"sync"
	"testing"

	"github.com/creack/pty"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"gatehouse/internal/link"
)

// slave is an input/output board, written from the specification's frames and
// sharing nothing with the driver.
type slave struct {
	line link.Config
	cut  func()

	mu       sync.Mutex
	changed  *sync.Cond
	inputs   byte
	relays   byte
	stuckOn  byte   // relays that do not go off
	stuckOff byte   // relays that do not go on
	script   []byte // inputs to answer with, one a question; cut when used up
	reported byte   // inputs as answered last
	faults   []string
	answered int // questions since the start
	latest   map[byte]int
	writes   []byte // relays after each write
	unsafe   int    // close pulsed although the answer showed an obstacle
	gone     bool   // the driver has ended
}

func checksum(p []byte) (lo, hi byte) {
	sum := uint32(0xFFFF)
	for _, b := range p {
		sum ^= uint32(b)
		for range 8 {
			if sum%2 == 1 {
				sum = sum/2 ^ 0xA001
			} else {
				sum /= 2
			}
		}
	}
	return byte(sum % 256), byte(sum / 256)
}

func seal(p ...byte) []byte {
	lo, hi := checksum(p)
	return append(p, lo, hi)
}

func newSlave() *slave {
	s := &slave{inputs: 0x42, latest: map[byte]int{}} // arm down, emergency stop not pressed
	s.changed = sync.NewCond(&s.mu)
	return s
}

func onPTY(t *testing.T) *slave {
	s := newSlave()
	master, tty, err := pty.Open()
	require.NoError(t, err)
	attr, err := unix.IoctlGetTermios(int(tty.Fd()), unix.TCGETS)
	require.NoError(t, err)
	attr.Iflag, attr.Oflag, attr.Lflag = 0, 0, 0
	require.NoError(t, unix.IoctlSetTermios(int(tty.Fd()), unix.TCSETS, attr))
	s.line = link.Serial(115200)
	s.line.Port = tty.Name()
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.serve(master)
	}()
	s.cut = sync.OnceFunc(func() { closeAll(master, tty); <-done })
	t.Cleanup(s.cut)
	return s
}

func closeAll(files ...*os.File) {
	for _, f := range files {
		_ = f.Close()
	}
}

func onTCP(t *testing.T) *slave {
	s := newSlave()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	s.line = link.Serial(115200)
	s.line.TCP = ln.Addr().String()
	var mu sync.Mutex
	var open net.Conn
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			open = c
			mu.Unlock()
			s.serve(c)
			_ = c.Close()
		}
	}()
	s.cut = sync.OnceFunc(func() {
		_ = ln.Close()
		mu.Lock()
		if open != nil {
			_ = open.Close()
		}
		mu.Unlock()
		<-done
	})
	t.Cleanup(s.cut)
	return s
}

// serve answers until the line ends.
func (s *slave) serve(line io.ReadWriter) {
	for {
		head := make([]byte, 7)
		if _, err := io.ReadFull(line, head[:6]); err != nil {
			return
		}
		rest := 2
		if head[1] == 0x0F {
			if _, err := io.ReadFull(line, head[6:]); err != nil {
				return
			}
			rest += int(head[6])
		} else {
			head = head[:6]
		}
		tail := make([]byte, rest)
		if _, err := io.ReadFull(line, tail); err != nil {
			return
		}
		request := slices.Concat(head, tail)
		body := request[:len(request)-2]
		if lo, hi := checksum(body); lo != tail[rest-2] || hi != tail[rest-1] {
			continue // a board does not answer to a broken question
		}
		answer, end := s.answer(body)
		if end {
			return
		}
		if _, err := line.Write(answer); err != nil {
			return
		}
	}
}

// answer is what the board says to a question.
func (s *slave) answer(q []byte) (answer []byte, end bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	defer s.changed.Broadcast()
	s.answered++
	if q[1] == 0x02 && len(s.faults) > 0 {
		fault := s.faults[0]
		s.faults = s.faults[1:]
		switch fault {
		case "mute":
			return nil, false
		case "exception":
			s.latest[0xFF]++
			return seal(q[0], 0x82, 0x04), false
		case "checksum":
			return []byte{q[0], 0x02, 1, s.inputs, 0xDE, 0xAD}, false
		case "unit":
			return seal(q[0]+1, 0x02, 1, s.inputs), false
		}
	}
	switch q[1] {
	case 0x01:
		return seal(q[0], 1, 1, s.relays), false
	case 0x02:
		if s.script != nil {
			if len(s.script) == 0 {
				return nil, true
			}
			s.inputs, s.script = s.script[0], s.script[1:]
		}
		s.reported = s.inputs
		s.latest[s.inputs]++
		return seal(q[0], 2, 1, s.inputs), false
	case 0x0F:
		mask := byte(1)<<q[5] - 1
		was := s.relays
		s.relays = s.relays&^mask | q[7]&mask
		s.relays = s.relays&^s.stuckOff | was&s.stuckOn
		s.writes = append(s.writes, s.relays)
		if q[7]&2 != 0 && s.reported&0x28 != 0 {
			s.unsafe++
		}
		return seal(q[:6]...), false
	}
	return seal(q[0], q[1]|0x80, 1), false
}

// wait returns once ok holds or the driver has ended.
func (s *slave) wait(ok func() bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for !ok() && !s.gone {
		s.changed.Wait()
	}
}

func (s *slave) set(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f()
	s.changed.Broadcast()
}

// written is what the relays were after each write so far.
func (s *slave) written() []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]byte(nil), s.writes...)
}
