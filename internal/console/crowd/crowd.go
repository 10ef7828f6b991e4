package crowd

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"golang.org/x/sync/errgroup"

	"gatehouse/internal/console/consoletest"
	"gatehouse/internal/console/store"
	"gatehouse/internal/console/uplink"
	"gatehouse/internal/event"
	"gatehouse/internal/trust"
)

// Every is the time between two passages: 1,200 a day, the most that one of
// Lang Son's gates had.
const Every = 72 * time.Second

// batch is how many events are committed at once.
const batch = 1024

// Crowd makes the record of a gate with many passages. The same seed makes the
// same passages.
type Crowd struct {
	chain *consoletest.Chain
	keys  uplink.Keys
	rand  *rand.Rand
	now   time.Time // of the newest passage
	n     int
}

// New prepares a crowd of n passages, the newest of which was at now.
func New(chain *consoletest.Chain, n int, now time.Time, seed uint64) *Crowd {
	return &Crowd{
		chain: chain, keys: uplink.Keys{Gates: map[string][]trust.Public{chain.Gate: {chain.Key.Public()}}},
		rand: rand.New(rand.NewPCG(seed, 1)), now: now.UTC().Truncate(time.Millisecond), n: n,
	}
}

// Fill commits the passages with their alerts and verdicts, oldest first, as
// the uplink does: signed, verified, and through the store's one way in. tell
// is called after each commit with how many passages are stored.
func (c *Crowd) Fill(ctx context.Context, s *store.Store, tell func(done int)) error {
	type made struct {
		events []store.Event
		done   int
	}
	ready := make(chan made, 2) // the next batch is made while one is being stored
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		defer close(ready)
		var m made
		for i := range c.n {
			list, err := c.passage(i)
			if err != nil {
				return err
			}
			m.events, m.done = append(m.events, list...), i+1
			if len(m.events) < batch && m.done < c.n {
				continue
			}
			select {
			case ready <- m:
			case <-ctx.Done():
				return ctx.Err()
			}
			m = made{}
		}
		return nil
	})
	g.Go(func() error {
		for m := range ready {
			for i, e := range m.events {
				m.events[i].Late = time.Since(e.At) > time.Minute // as the gate marks them
			}
			if _, err := s.Commit(ctx, store.Batch{Events: m.events}); err != nil {
				return fmt.Errorf("fill the store: %w", err)
			}
			tell(m.done)
		}
		return nil
	})
	return g.Wait()
}

// passage makes the events of the passage number i, from 0, the oldest.
func (c *Crowd) passage(i int) ([]store.Event, error) {
	at := c.now.Add(-time.Duration(c.n-1-i) * Every)
	p := c.lorry(at)
	events, err := c.add(nil, event.TypePassage, p.ID, at.Add(40*time.Second), p)
	if err != nil {
		return nil, err
	}
	for _, f := range p.Findings {
		a := consoletest.Alert(p, f)
		a.ID = c.id(f.At)
		if events, err = c.add(events, event.TypeAlert, a.ID, a.Sent, a); err != nil {
			return nil, err
		}
		// What happened in the last hours waits for a verdict; the rest has both.
		if i >= c.n-150 {
			continue
		}
		for _, agency := range event.Agencies() {
			v := event.Verdict{
				ID: c.id(f.At), Agency: agency, Gate: p.Gate, Alert: a.ID, Passage: p.ID, Code: c.verdict(), Reason: pick(c.rand, reasons()),
				Badge: "HQ-1234", At: a.Sent.Add(time.Minute), Saw: event.SeenVersion{Version: 1},
			}
			if events, err = c.add(events, event.TypeVerdict, v.ID, v.At, v); err != nil {
				return nil, err
			}
		}
	}
	return events, nil
}

func (c *Crowd) add(events []store.Event, typ event.Type, id event.ID, at time.Time, value any) ([]store.Event, error) {
	l, err := c.chain.Add(typ, id, string(id), at, value)
	if err != nil {
		return nil, err
	}
	e, stray := c.keys.Read("inbox.record."+c.chain.Gate, l.NATSHeader(), l.Payload)
	if stray != nil {
		return nil, fmt.Errorf("a generated event is a stray: %s", stray.Problem)
	}
	if e.Problem != "" {
		return nil, fmt.Errorf("a generated event is not believed: %s", e.Problem)
	}
	return append(events, e), nil
}

// id makes an id of a moment that the seed decides.
func (c *Crowd) id(at time.Time) event.ID {
	return event.DeriveID(at, "crowd", fmt.Sprint(c.rand.Uint64()))
}

func (c *Crowd) verdict() event.VerdictCode {
	if c.rand.IntN(12) == 0 {
		return event.Hold
	}
	return event.Release
}

func pick[T any](r *rand.Rand, list []T) T { return list[r.IntN(len(list))] }
