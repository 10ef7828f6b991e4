package store

import (
	"context"
	"fmt"
	"time"

	"gatehouse/internal/event"
)

// Device is what the store knows of a device.
type Device struct {
	Gate, Lane, Device, Driver string
	State                      event.DeviceState // "" when only its frames were heard of
	Since                      time.Time
	Reason                     string
	Words                      event.Text // the reason for people; empty where the gate has none
	Try                        event.Text
	Heard                      time.Time // end of its newest frame log; zero if none
	Code                       string    // the device's own word for its state
	Required                   bool      // the lane counts on it
	Barrier                    *event.Barrier
}

// Devices lists all devices by gate, lane and name.
func (s *Store) Devices(ctx context.Context) ([]Device, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT gate, lane, device, driver, state, since, reason, words_vi, words_en, try_vi, try_en, heard_at,
		code, required, CASE barrier WHEN '' THEN 'null' ELSE barrier END FROM devices ORDER BY gate, lane, device`)
	if err != nil {
		return nil, fmt.Errorf("list devices: %w", err)
	}
	list, err := collect(rows, func(d *Device) []any {
		return []any{&d.Gate, &d.Lane, &d.Device, &d.Driver, &d.State, asTime(&d.Since), &d.Reason, &d.Words.VI, &d.Words.EN, &d.Try.VI, &d.Try.EN, asTime(&d.Heard),
			&d.Code, &d.Required, asJSON(&d.Barrier)}
	})
	if err != nil {
		return nil, fmt.Errorf("list devices: %w", err)
	}
	return list, nil
}

// Chain is how far a chain is stored.
type Chain struct {
	Chain, Gate string
	Sequence    uint64 // stored without a hole up to here
	Highest     uint64 // highest stored; more than Sequence means a hole
	Head        string
	LastAt      time.Time // when the gate appended the highest one
	Stored      uint64    // events stored, those beyond a hole included
}

// Holes is how many events below the highest are not there.
func (c Chain) Holes() uint64 { return c.Highest - c.Stored }

// Chains lists the chains, newest first.
func (s *Store) Chains(ctx context.Context) ([]Chain, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT h.chain, h.gate, h.sequence, h.highest, h.head, coalesce(e.at, ''),
		h.sequence + (SELECT count(*) FROM events b WHERE b.chain = h.chain AND b.sequence > h.sequence AND b.quarantined <> 1)
		FROM heads h LEFT JOIN events e ON e.chain = h.chain AND e.sequence = h.highest ORDER BY h.chain DESC`)
	if err != nil {
		return nil, fmt.Errorf("list chains: %w", err)
	}
	list, err := collect(rows, func(c *Chain) []any {
		return []any{&c.Chain, &c.Gate, &c.Sequence, &c.Highest, &c.Head, asTime(&c.LastAt), &c.Stored}
	})
	if err != nil {
		return nil, fmt.Errorf("list chains: %w", err)
	}
	return list, nil
}

// Suspect is a stored event that is not to be believed, cannot be read or does
// not follow its predecessor.
type Suspect struct {
	Place
	Type       event.Type
	ReceivedAt time.Time
	Problem    string
	Broken     bool // does not follow its predecessor
}

// Suspects lists the newest suspect events.
func (s *Store) Suspects(ctx context.Context, limit int) ([]Suspect, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT e.chain, e.sequence, e.type, coalesce(a.received_at, ''), e.problem, e.linked = 2
		FROM events e LEFT JOIN arrivals a ON a.chain = e.chain AND a.sequence = e.sequence
		WHERE e.quarantined <> 0 OR e.linked = 2 ORDER BY e.chain DESC, e.sequence DESC LIMIT ?`, limit)
	if err != nil {
		return nil, fmt.Errorf("list suspect events: %w", err)
	}
	list, err := collect(rows, func(q *Suspect) []any {
		return []any{&q.Chain, &q.Sequence, &q.Type, asTime(&q.ReceivedAt), &q.Problem, &q.Broken}
	})
	if err != nil {
		return nil, fmt.Errorf("list suspect events: %w", err)
	}
	return list, nil
}

// StrayNote is a message that has no place on any chain.
type StrayNote struct {
	Digest, Subject, Problem string
	ReceivedAt               time.Time
}

// Strays lists the newest stray messages.
func (s *Store) Strays(ctx context.Context, limit int) ([]StrayNote, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT digest, subject, problem, received_at FROM strays ORDER BY received_at DESC, digest LIMIT ?`, limit)
	if err != nil {
		return nil, fmt.Errorf("list stray messages: %w", err)
	}
	list, err := collect(rows, func(n *StrayNote) []any { return []any{&n.Digest, &n.Subject, &n.Problem, asTime(&n.ReceivedAt)} })
	if err != nil {
		return nil, fmt.Errorf("list stray messages: %w", err)
	}
	return list, nil
}

// Gap is a recorded time in which a device's frames may be missing.
type Gap struct {
	Gate, Lane, Device, Reason string
	From, To                   time.Time
	Frames                     int
}

// Gaps lists the newest gaps.
func (s *Store) Gaps(ctx context.Context, limit int) ([]Gap, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT gate, lane, device, reason, from_at, to_at, frames FROM gaps ORDER BY to_at DESC, id LIMIT ?`, limit)
	if err != nil {
		return nil, fmt.Errorf("list gaps: %w", err)
	}
	list, err := collect(rows, func(g *Gap) []any {
		return []any{&g.Gate, &g.Lane, &g.Device, &g.Reason, asTime(&g.From), asTime(&g.To), &g.Frames}
	})
	if err != nil {
		return nil, fmt.Errorf("list gaps: %w", err)
	}
	return list, nil
}

// Counts are a store's figures for the technician.
type Counts struct {
	Events, Passages, Alerts, Verdicts, Frames int
	Queued                                     int       // sayings not sent
	QueuedSince                                time.Time // of the oldest; zero when none
	EvidenceStored, EvidenceLacking            int
	EvidenceMissing                            int // lacking, and the gate says it has it no more
}

// Counts gives the store's figures.
func (s *Store) Counts(ctx context.Context) (Counts, error) {
	var c Counts
	err := s.read.QueryRowContext(ctx, `SELECT (SELECT count(*) FROM events), (SELECT count(*) FROM passages), (SELECT count(*) FROM alerts),
		(SELECT count(*) FROM verdicts), (SELECT count(*) FROM frames),
		(SELECT count(*) FROM outbox WHERE sent_at = ''), (SELECT coalesce(min(created_at), '') FROM outbox WHERE sent_at = ''),
		(SELECT count(*) FROM evidence WHERE state = 'stored'), (SELECT count(*) FROM evidence WHERE state = 'wanted'),
		(SELECT count(*) FROM wants WHERE missing <> '')`).
		Scan(&c.Events, &c.Passages, &c.Alerts, &c.Verdicts, &c.Frames, &c.Queued, asTime(&c.QueuedSince),
			&c.EvidenceStored, &c.EvidenceLacking, &c.EvidenceMissing)
	if err != nil {
		return Counts{}, fmt.Errorf("count records: %w", err)
	}
	return c, nil
}
