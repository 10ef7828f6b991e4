package lease_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"gatehouse/internal/event"
	"gatehouse/internal/lease"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// Whatever comes in which order: a lease has one holder until its end, nobody
// but a force takes it before, and only its holder may command.
func TestALeaseHasOneHolder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		now := time.Date(2026, 3, 2, 1, 0, 0, 0, time.UTC)
		var l lease.Lease
		var holder event.Agency // as it must be
		var until time.Time
		over := func() bool { return holder == "" || !now.Before(until) }
		who := rapid.SampledFrom([]event.Agency{event.Customs, event.BorderGuard, event.AtGate})
		t.Repeat(map[string]func(*rapid.T){
			"time passes": func(t *rapid.T) {
				now = now.Add(rapid.SampledFrom([]time.Duration{0, time.Millisecond, 20 * time.Second, event.ControlLease - time.Nanosecond, event.ControlLease}).Draw(t, "passed"))
			},
			"take": func(t *rapid.T) {
				a, force := who.Draw(t, "agency"), rapid.Bool().Draw(t, "force")
				since := l.Since
				code := l.Take(a, force, now)
				if !over() && holder != a && !force {
					require.Equal(t, event.ControlHeld, code)
					return
				}
				require.Empty(t, code)
				if over() || holder != a {
					require.Equal(t, now, l.Since)
				} else {
					require.Equal(t, since, l.Since, "a renewal begins nothing")
				}
				holder, until = a, now.Add(event.ControlLease)
			},
			"command": func(t *rapid.T) {
				a := who.Draw(t, "agency")
				code := l.Use(a, now)
				switch {
				case over():
					require.Equal(t, event.ControlNoLease, code)
				case holder != a:
					require.Equal(t, event.ControlHeld, code)
				default:
					require.Empty(t, code)
					until = now.Add(event.ControlLease)
				}
			},
			"release": func(t *rapid.T) {
				a := who.Draw(t, "agency")
				code := l.Release(a, now)
				switch {
				case over():
					require.Equal(t, event.ControlNoLease, code)
				case holder != a:
					require.Equal(t, event.ControlHeld, code)
				default:
					require.Empty(t, code)
					holder = ""
				}
			},
			"look whether it is over": func(t *rapid.T) {
				was, ended := l.Expire(now)
				require.Equal(t, holder != "" && over(), ended)
				if ended {
					require.Equal(t, holder, was)
					holder = ""
				}
			},
			"": func(t *rapid.T) {
				if over() {
					require.Equal(t, event.ControlNoLease, l.Allows(holder, now))
					return
				}
				require.Equal(t, holder, l.Holder)
				require.Equal(t, until, l.Until)
				require.Empty(t, l.Allows(holder, now))
			},
		})
	})
}
