// Package clock tells how far the gate's wall clock can be trusted. Time is
// evidence: every reading carries what this package says of it.
package clock

import (
	"sync"
	"time"

	"gatehouse/internal/event"
)

// stepThreshold is the least difference between wall time and monotonic time,
// over the span between two stamps, that counts as a step. NTP slewing stays
// below 500 ppm, so in the seconds between two stamps it never reaches it.
const stepThreshold = 100 * time.Millisecond

// kernelAge is how long one answer of the kernel is used. The state changes
// over minutes, and hundreds of readings a second need not ask each time.
const kernelAge = time.Second

// State is the kernel's judgement of the clock (adjtimex(2)).
type State struct {
	Synchronised bool
	Offset       time.Duration // last offset to the reference
	MaxError     time.Duration
}

// Clock stamps readings. It is safe for concurrent use.
type Clock struct {
	now    func() time.Time
	kernel func() (State, error)

	mu     sync.Mutex
	last   time.Time // of the previous stamp; carries the monotonic reading
	asked  time.Time
	state  State
	source string
}

// New is the clock of this machine.
func New() *Clock { return NewFrom(time.Now, Kernel) }

// NewFrom is a clock that takes the time and the kernel's state from the given
// functions.
func NewFrom(now func() time.Time, kernel func() (State, error)) *Clock {
	return &Clock{now: now, kernel: kernel}
}

// Now is the wall clock with its monotonic reading.
func (c *Clock) Now() time.Time { return c.now() }

// Stamp is the quality of the clock now, with the step since the last stamp.
func (c *Clock) Stamp() event.Clock {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.now()
	if c.asked.IsZero() || now.Sub(c.asked) >= kernelAge {
		c.ask(now)
	}
	out := event.Clock{
		Source:       c.source,
		Synchronised: c.state.Synchronised,
		OffsetMS:     float64(c.state.Offset) / float64(time.Millisecond),
		MaxErrorMS:   float64(c.state.MaxError) / float64(time.Millisecond),
	}
	if step := Step(c.last, now); step != 0 {
		out.SteppedMS = float64(step) / float64(time.Millisecond)
	}
	c.last = now
	return out
}

func (c *Clock) ask(now time.Time) {
	c.asked = now
	state, err := c.kernel()
	switch {
	case err != nil:
		c.state, c.source = State{}, "unknown"
	case state.Synchronised:
		c.state, c.source = state, "ntp"
	default:
		c.state, c.source = state, "free"
	}
}

// Step is how far the wall clock was set between two readings of it, beyond
// the time that really passed; zero when it was not, or when earlier is zero.
func Step(earlier, later time.Time) time.Duration {
	if earlier.IsZero() {
		return 0
	}
	wall := later.Round(0).Sub(earlier.Round(0)) // Round(0) drops the monotonic reading
	step := wall - later.Sub(earlier)
	if step.Abs() < stepThreshold {
		return 0
	}
	return step
}
