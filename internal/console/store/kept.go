package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"gatehouse/internal/event"
)

const (
	// toldAfter is how long evidence that was stored waits for its receipt, so that
	// one receipt tells of much.
	toldAfter = 10 * time.Second
	// toldAtOnce bounds how much evidence one receipt tells of.
	toldAtOnce = 1000
	// aboutEvidence is what receipts of evidence are about in the outbox. They stay
	// there until they are on the chain: no later one says the same.
	aboutEvidence = "evidence"
)

// stored notes that a piece is there, and tells whether that is new.
func (t *batchTx) stored(digest string) (bool, error) {
	n, err := t.exec(`UPDATE evidence SET state = 'stored' WHERE sha256 = ? AND state <> 'stored'`, digest)
	if err == nil && n > 0 {
		_, err = t.exec(`INSERT INTO untold (sha256, gate, since) SELECT sha256, gate, ? FROM evidence WHERE sha256 = ? ON CONFLICT DO NOTHING`,
			stamp(t.now), digest)
	}
	return n > 0, err
}

// evidenceDue writes the receipts of evidence that are due: by these a gate knows
// what it may remove by its rules.
func (t *batchTx) evidenceDue() error {
	rows, err := t.query(`SELECT u.gate, u.since, u.count, h.chain, h.sequence, h.head
		FROM (SELECT gate, min(since) AS since, count(*) AS count FROM untold GROUP BY gate) u
		JOIN heads h ON h.chain = (SELECT max(x.chain) FROM heads x WHERE x.gate = u.gate AND x.sequence > 0)`)
	if err != nil {
		return err
	}
	type owed struct {
		gate, chain, head string
		since             time.Time
		count             int
		sequence          uint64
	}
	all, err := collect(rows, func(o *owed) []any {
		return []any{&o.gate, asTime(&o.since), &o.count, &o.chain, &o.sequence, &o.head}
	})
	if err != nil {
		return err
	}
	for _, o := range all {
		due := o.since.Add(toldAfter)
		if o.count < toldAtOnce && t.now.Before(due) && !t.now.Before(o.since) {
			if t.result.Due.IsZero() || due.Before(t.result.Due) {
				t.result.Due = due
			}
			continue
		}
		for ; o.count > 0; o.count -= toldAtOnce {
			if err := t.tellEvidence(o.gate, event.Receipt{Chain: o.chain, Sequence: o.sequence, Head: o.head}); err != nil {
				return err
			}
		}
	}
	return nil
}

func (t *batchTx) tellEvidence(gate string, r event.Receipt) error {
	rows, err := t.query(`DELETE FROM untold WHERE sha256 IN (SELECT sha256 FROM untold WHERE gate = ? ORDER BY sha256 LIMIT ?) RETURNING sha256`, gate, toldAtOnce)
	if err != nil {
		return err
	}
	if r.Evidence, err = collect(rows, func(sha *string) []any { return []any{sha} }); err != nil {
		return err
	}
	r.ID, r.Agency, r.Gate, r.At = event.NewID(t.now), t.opt.Agency, gate, t.now.UTC()
	return t.say(gate, event.TypeReceipt, r.ID, aboutEvidence, r)
}

// removal notes what a gate has removed, and asks for it no more.
func (t *batchTx) removal(e *Event, r *event.Removal) error {
	for _, p := range r.Pieces {
		_, err := t.exec(`INSERT INTO removals (sha256, gate, rule, cause, days, bytes, at, chain, sequence) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
			p.SHA256, r.Gate, r.Rule, string(r.Cause), r.Days, p.Bytes, stamp(r.At), e.Chain, e.Sequence)
		if err != nil {
			return fmt.Errorf("removal: %w", err)
		}
		if _, err := t.exec(`DELETE FROM wants WHERE sha256 = ?`, p.SHA256); err != nil {
			return fmt.Errorf("removal: %w", err)
		}
		t.changed("evidence", p.SHA256)
	}
	return nil
}

// Removed is how a gate has removed a piece of evidence.
type Removed struct {
	Rule  string
	Cause event.RemovalCause
	Days  int
	At    time.Time
}

// RemovedAt tells when a gate has removed a piece last; nil when it has not.
func (s *Store) RemovedAt(ctx context.Context, digest string) (*Removed, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT rule, cause, days, at FROM removals WHERE sha256 = ? ORDER BY chain DESC, sequence DESC LIMIT 1`, digest)
	if err != nil {
		return nil, fmt.Errorf("removal of %s: %w", digest, err)
	}
	list, err := collect(rows, func(r *Removed) []any { return []any{&r.Rule, &r.Cause, &r.Days, asTime(&r.At)} })
	if err != nil || len(list) == 0 {
		return nil, err
	}
	return &list[0], nil
}

// Hold is a legal hold on a passage, set or lifted. One that is Pending was said
// here and has not come back on the gate's chain.
type Hold struct {
	event.LegalHold
	Place
	Pending bool
}

func (t *batchTx) hold(e *Event, h *event.LegalHold, raw []byte) error {
	_, err := t.exec(`INSERT INTO holds (id, passage, agency, gate, held, json, chain, sequence) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET chain = excluded.chain, sequence = excluded.sequence
		WHERE (excluded.chain, excluded.sequence) < (chain, sequence)`,
		string(h.ID), string(h.Passage), string(h.Agency), h.Gate, h.Set, raw, e.Chain, e.Sequence)
	if err != nil {
		return fmt.Errorf("legal hold: %w", err)
	}
	t.changed("passage", string(h.Passage))
	return nil
}

// SetHold seals a supervisor's word on a legal hold and queues it for its gate.
func (s *Store) SetHold(ctx context.Context, h event.LegalHold) (Result, error) {
	result, err := s.batch(ctx, func(t *batchTx) error {
		t.changed("passage", string(h.Passage))
		return t.say(h.Gate, event.TypeHold, h.ID, string(h.Passage), h)
	})
	if err != nil {
		return Result{}, fmt.Errorf("store legal hold on %s: %w", h.Passage, err)
	}
	return result, nil
}

// HoldsOf lists what both agencies said about a hold on a passage, oldest first,
// and then this agency's own words that have not come back yet.
func (s *Store) HoldsOf(ctx context.Context, passage event.ID) ([]Hold, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT json, chain, sequence FROM holds WHERE passage = ? ORDER BY chain, sequence`, string(passage))
	if err != nil {
		return nil, fmt.Errorf("holds on %s: %w", passage, err)
	}
	list, err := collect(rows, func(h *Hold) []any { return []any{asJSON(&h.LegalHold), &h.Chain, &h.Sequence} })
	if err != nil {
		return nil, fmt.Errorf("holds on %s: %w", passage, err)
	}
	rows, err = s.read.QueryContext(ctx, `SELECT data FROM outbox o WHERE about = ? AND type = 'vn.gatehouse.hold.v1'
		AND NOT EXISTS (SELECT 1 FROM holds h WHERE h.id = o.event_id) ORDER BY id`, string(passage))
	if err != nil {
		return nil, fmt.Errorf("own holds on %s: %w", passage, err)
	}
	raw, err := collect(rows, func(b *[]byte) []any { return []any{b} })
	if err != nil {
		return nil, fmt.Errorf("own holds on %s: %w", passage, err)
	}
	for _, b := range raw {
		env, err := event.ParseEnvelope(b)
		if err != nil {
			return nil, fmt.Errorf("own hold in the outbox: %w", err)
		}
		h := Hold{Pending: true}
		if err := json.Unmarshal(env.Data, &h.LegalHold); err != nil {
			return nil, fmt.Errorf("own hold in the outbox: %w", err)
		}
		list = append(list, h)
	}
	return list, nil
}
