// Package pace is how fast simulated time goes by.
package pace

import (
	"context"
	"time"
)

// Pace is how many simulated seconds pass in a real one; 1 is real time. Every
// duration of a vehicle's way and every interval of the radiation monitor is
// divided by it, so that the number of samples never changes with it. The
// scanner's status beat, fault windows and the brokers' keep-alives stay real.
type Pace float64

// Real is the real duration of a simulated one.
func (p Pace) Real(d time.Duration) time.Duration {
	if p <= 0 {
		return d
	}
	return time.Duration(float64(d) / float64(p))
}

// Sleep waits for a simulated duration; it returns ctx's error when ctx ends
// first.
func (p Pace) Sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(p.Real(d))
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
