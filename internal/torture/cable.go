package torture

import (
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"
)

// Cable is a TCP line that can be cut and stalled. What a cut line had taken
// and not passed on is lost, as in a real one.
type Cable struct {
	listener net.Listener
	work     sync.WaitGroup

	mu     sync.Mutex
	cond   *sync.Cond
	target string
	state  state
	ends   map[net.Conn]struct{}
	passed int64 // bytes towards the target and back
}

type state int

const (
	whole state = iota
	cut
	stalled
	closed
)

// NewCable listens on an address of its own, host:0, and leads to the target.
func NewCable(host, target string) (*Cable, error) {
	l, err := net.Listen("tcp", net.JoinHostPort(host, "0"))
	if err != nil {
		return nil, fmt.Errorf("lay a cable: %w", err)
	}
	c := &Cable{listener: l, target: target, ends: map[net.Conn]struct{}{}}
	c.cond = sync.NewCond(&c.mu)
	c.work.Go(c.accept)
	return c, nil
}

// Address is where the cable begins.
func (c *Cable) Address() string { return c.listener.Addr().String() }

// Lead makes new connections end elsewhere.
func (c *Cable) Lead(target string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.target = target
}

// Passed is how many bytes went through, in both directions.
func (c *Cable) Passed() int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.passed
}

// Cut ends all connections and lets none begin.
func (c *Cable) Cut() { c.set(cut) }

// Stall keeps the connections, and carries nothing.
func (c *Cable) Stall() { c.set(stalled) }

// Mend carries again.
func (c *Cable) Mend() { c.set(whole) }

// Close takes the cable away.
func (c *Cable) Close() {
	c.set(closed)
	_ = c.listener.Close() // accept ends by it
	c.work.Wait()
}

func (c *Cable) set(s state) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.state = s
	if s == cut || s == closed {
		for end := range c.ends {
			_ = end.Close() // the copy at the other end tells
		}
	}
	c.cond.Broadcast()
}

func (c *Cable) accept() {
	for {
		in, err := c.listener.Accept()
		if err != nil {
			return
		}
		c.work.Go(func() { c.carry(in) })
	}
}

func (c *Cable) carry(in net.Conn) {
	defer in.Close()
	if !c.add(in) {
		return
	}
	defer c.remove(in)
	c.mu.Lock()
	target := c.target
	c.mu.Unlock()
	out, err := net.DialTimeout("tcp", target, 5*time.Second)
	if err != nil {
		return
	}
	defer out.Close()
	if !c.add(out) {
		return
	}
	defer c.remove(out)
	var both sync.WaitGroup
	both.Go(func() { c.copy(out, in); _ = out.Close(); _ = in.Close() })
	both.Go(func() { c.copy(in, out); _ = out.Close(); _ = in.Close() })
	both.Wait()
}

// add takes a connection in, and refuses it while the cable is cut.
func (c *Cable) add(end net.Conn) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.state == cut || c.state == closed {
		return false
	}
	c.ends[end] = struct{}{}
	return true
}

func (c *Cable) remove(end net.Conn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.ends, end)
}

func (c *Cable) copy(to io.Writer, from io.Reader) {
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		if n > 0 {
			if c.wait(int64(n)) != nil {
				return
			}
			if _, err := to.Write(buffer[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

var errCut = errors.New("the cable is cut")

// wait holds bytes while the cable is stalled.
func (c *Cable) wait(n int64) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.state == stalled {
		c.cond.Wait()
	}
	if c.state != whole {
		return errCut
	}
	c.passed += n
	return nil
}
