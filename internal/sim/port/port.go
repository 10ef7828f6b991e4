package port

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"gatehouse/internal/sim/book"
	"gatehouse/internal/sim/fault"
)

const (
	// MaxFrame is the most bytes that go out between two line ends. XSP/1
	// allows 200; a line with noise in it stays below this too.
	MaxFrame = 200
	// overrun is how many unread bytes a reader may leave. The kernel keeps
	// 4095 for the reader; one MaxFrame always fits on top of this.
	overrun = 3072
	// stuck is how long one write may take before the rest of it is given up.
	stuck = 250 * time.Millisecond
)

// Book hears what became of each frame.
type Book interface {
	Sent(device, kind string, frame []byte, passage string)
	Unheard(device, kind string, frame []byte, passage, reason string)
	Spoilt(device, kind string, frame []byte, passage, reason string)
}

// Port is a serial port of a simulated device. It is safe for concurrent use.
type Port struct {
	device string
	link   string
	board  *fault.Board
	book   Book
	log    *slog.Logger
	lines  chan []byte
	raw    chan []byte // nil for a port of lines
	jobs   sync.WaitGroup

	// sending keeps the pieces of one line together; it is taken before mu.
	sending sync.Mutex
	dice    *rand.Rand // of the faults; guarded by sending
	sent    int        // lines offered; guarded by sending
	held    []held     // lines kept back by burst and merge; guarded by sending
	waiting []Frame    // frames kept back by them; guarded by sending

	mu        sync.Mutex
	term      *terminal // nil while the port is gone
	listeners int
	began     chan struct{} // closed when somebody opens the port; nil when nobody waits
	tail      []byte        // bytes written since the last line end
}

type held struct{ line, passage string }

// New makes a port that will appear as the symbolic link. Lines from the host
// come out of Lines.
func New(device, link string, seed uint64, board *fault.Board, b Book, log *slog.Logger) *Port {
	return &Port{
		device: device, link: link, board: board, book: b,
		log:   log.With("device", device),
		lines: make(chan []byte, 64),
		dice:  rand.New(rand.NewPCG(seed, 0x706f7274)),
	}
}

// Run opens the port, keeps it until ctx ends and plays its vanishing; it then
// removes the link. Closing ready tells that the port is there.
func (p *Port) Run(ctx context.Context, ready chan<- struct{}) error {
	if err := os.MkdirAll(filepath.Dir(p.link), 0o755); err != nil {
		return fmt.Errorf("make folder for port %s: %w", p.device, err)
	}
	if err := p.appear(); err != nil {
		return err
	}
	close(ready)
	var failure error
	p.board.Follow(ctx, p.device, "unplug", func(on bool) {
		if on {
			failure = errors.Join(failure, p.vanish())
			return
		}
		failure = errors.Join(failure, p.appear())
	})
	p.drain()
	return errors.Join(failure, p.vanish())
}

// drain gives a reader the time to take what was sent before an orderly end,
// since closing the port throws away what it has not read.
func (p *Port) drain() {
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for empty, until := 0, time.Now().Add(2*stuck); empty < 2 && time.Now().Before(until); <-tick.C {
		p.mu.Lock()
		if p.term == nil || p.listeners == 0 || p.term.unread() == 0 {
			empty++
		}
		p.mu.Unlock()
	}
}

// Lines are the lines that the host sent, without their line end.
func (p *Port) Lines() <-chan []byte { return p.lines }

// Listeners is how many times the port is open at the host's end.
func (p *Port) Listeners() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.listeners
}

// Opened is closed when somebody has the port open; at once if so now.
func (p *Port) Opened() <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.listeners > 0 {
		done := make(chan struct{})
		close(done)
		return done
	}
	if p.began == nil {
		p.began = make(chan struct{})
	}
	return p.began
}

func (p *Port) appear() error {
	t, err := openTerminal()
	if err != nil {
		return err
	}
	// The link is replaced in one step, so that a reader finds the old port or
	// the new one, as with a by-id name.
	next := p.link + ".new"
	err = errors.Join(removeLink(next), os.Symlink(t.path, next))
	if err == nil {
		err = os.Rename(next, p.link)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("name port %s: %w", p.device, err), t.close())
	}
	p.mu.Lock()
	p.term, p.listeners, p.tail = t, 0, nil
	p.mu.Unlock()
	p.jobs.Go(func() { p.watch(t) })
	p.jobs.Go(func() { p.hear(t) })
	return nil
}

func (p *Port) vanish() error {
	p.mu.Lock()
	t := p.term
	p.term, p.listeners, p.tail = nil, 0, nil
	p.mu.Unlock()
	if t == nil {
		return nil
	}
	err := errors.Join(removeLink(p.link), t.close())
	p.jobs.Wait()
	return err
}

func removeLink(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("remove link: %w", err)
	}
	return nil
}

// watch counts who has the port open until the terminal is closed.
func (p *Port) watch(t *terminal) {
	_ = t.opens(func(delta int) { // it ends with the terminal, which is no news
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.term != t {
			return
		}
		p.listeners = max(0, p.listeners+delta)
		switch {
		case p.listeners == 0:
			p.tail = nil
			if err := t.reset(); err != nil {
				p.log.Warn("port could not be reset after its last close", "err", err)
			}
		case p.began != nil:
			close(p.began)
			p.began = nil
		}
	})
}

// hear cuts what the host writes into lines until the terminal is closed.
func (p *Port) hear(t *terminal) {
	buf := make([]byte, 1024)
	var rest []byte
	for {
		n, err := t.master.Read(buf)
		if err != nil {
			return
		}
		// Who writes has opened the port, which watch may hear of only now; an
		// answer before that would go to nobody.
		select {
		case <-p.Opened():
		case <-time.After(stuck):
		}
		if p.raw != nil {
			p.hand(bytes.Clone(buf[:n]))
			continue
		}
		rest = append(rest, buf[:n]...)
		for {
			line, after, found := bytes.Cut(rest, []byte{'\n'})
			if !found {
				break
			}
			rest = after
			select {
			case p.lines <- bytes.Clone(bytes.TrimSuffix(line, []byte{'\r'})):
			default: // a host that floods its device is not heard either
			}
		}
		if len(rest) > MaxFrame {
			rest = nil
		}
	}
}

// hand passes on what the host wrote, after its echo.
func (p *Port) hand(b []byte) {
	if p.board.On(p.device, "echo") && p.push(b) == "" {
		p.book.Spoilt(p.device, book.Packet, b, "", "echo")
	}
	select {
	case p.raw <- b:
	default: // a host that floods its device is not heard either
	}
}

// Send puts a line (without its line end) on the wire, spoilt by whatever
// fault is on.
func (p *Port) Send(line, passage string) {
	p.sending.Lock()
	defer p.sending.Unlock()
	p.sent++
	if p.board.On(p.device, "silence") {
		return
	}
	if p.board.On(p.device, "burst") && len(p.held) < overrun/MaxFrame {
		p.held = append(p.held, held{line, passage})
		return
	}
	if p.board.On(p.device, "merge") && len(p.held) == 0 {
		p.held = append(p.held, held{line, passage})
		return
	}
	lines := slices.Concat(p.held, []held{{line, passage}})
	p.held = nil
	pieces := p.spoil(line)
	if p.board.On(p.device, "repeat") && p.sent%2 == 0 {
		pieces = slices.Concat(pieces, pieces)
	}
	if len(lines) > 1 {
		var all bytes.Buffer
		for _, h := range lines {
			all.WriteString(h.line + "\r\n")
		}
		pieces = []piece{{bytes: all.Bytes()}}
	}
	for _, c := range pieces {
		if c.after > 0 {
			pause(c.after)
		}
		if reason := p.write(c.bytes, passage); reason != "" {
			for _, h := range lines {
				p.book.Unheard(p.device, book.Line, []byte(h.line), h.passage, reason)
			}
			return
		}
	}
}

// write puts bytes on the wire and books the frames that they completed. It
// returns why nobody can hear them, if so.
func (p *Port) write(b []byte, passage string) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.tail)+len(b) > MaxFrame+2 && len(p.tail) > 0 {
		b = append([]byte("\r\n"), b...) // a torn piece ends here, it must not grow
	}
	return p.out(b, func(left []byte) {
		p.tail = append(p.tail, left...)
		for {
			frame, after, found := bytes.Cut(p.tail, []byte("\r\n"))
			if !found {
				break
			}
			p.book.Sent(p.device, book.Line, frame, passage)
			p.tail = bytes.Clone(after)
		}
	})
}

// out writes to the terminal; left, which may be nil, hears what went. The
// caller holds mu.
func (p *Port) out(b []byte, left func([]byte)) string {
	switch {
	case p.term == nil:
		return "port-gone"
	case p.listeners == 0:
		return "not-open"
	case p.term.unread() > overrun:
		return "overrun"
	}
	// Errors are a stuck reader or a line that is just being closed: what left is
	// booked, the rest is lost on the wire.
	_ = p.term.master.SetWriteDeadline(time.Now().Add(stuck))
	n, err := p.term.master.Write(b)
	if left != nil {
		left(b[:n])
	}
	if err != nil {
		return "overrun"
	}
	return ""
}

func pause(d time.Duration) { <-time.After(d) }
