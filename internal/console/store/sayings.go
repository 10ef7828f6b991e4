package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"gatehouse/internal/event"
)

// Ack is an acknowledgement of an alert. One that is Pending was given here
// and has not come back on the gate's chain.
type Ack struct {
	Agency  event.Agency `json:"agency"`
	Badge   string       `json:"badge"`
	At      time.Time    `json:"at"`
	Pending bool         `json:"pending"`
}

// Correction is a stored correction of a passage.
type Correction struct {
	event.Correction
	Place
	ChainedAt time.Time // when the gate appended it; zero while it is Pending
	Pending   bool      // given here and not yet on the gate's chain
	Applied   bool      // some version of a passage contains it
}

func (t *batchTx) ack(e *Event, k *event.Ack, raw []byte) error {
	_, err := t.exec(`INSERT INTO acks (id, alert, passage, agency, gate, badge, at, json, chain, sequence)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET chain = excluded.chain, sequence = excluded.sequence
		WHERE (excluded.chain, excluded.sequence) < (chain, sequence)`,
		string(k.ID), string(k.Alert), string(k.Passage), string(k.Agency), k.Gate, k.Badge, stamp(k.At), raw, e.Chain, e.Sequence)
	if err != nil {
		return fmt.Errorf("acknowledgement: %w", err)
	}
	t.changed("ack", string(k.Passage))
	return nil
}

func (t *batchTx) correction(e *Event, c *event.Correction, raw []byte) error {
	_, err := t.exec(`INSERT INTO corrections (id, passage, other, agency, gate, lane, kind, reason, badge, at, json, chain, sequence)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET chain = excluded.chain, sequence = excluded.sequence
		WHERE (excluded.chain, excluded.sequence) < (chain, sequence)`,
		string(c.ID), string(c.Passage), string(c.Other), string(c.Agency), c.Gate, c.Lane, string(c.Kind), c.Reason, c.Badge, stamp(c.At),
		raw, e.Chain, e.Sequence)
	if err != nil {
		return fmt.Errorf("correction: %w", err)
	}
	t.touched[c.Passage] = true
	t.changed("correction", string(c.Passage))
	if c.Other != "" {
		t.changed("correction", string(c.Other))
	}
	return nil
}

const selectCorrections = `SELECT c.json, c.chain, c.sequence, coalesce(e.at, ''),
	EXISTS (SELECT 1 FROM passage_corrections p WHERE p.correction = c.id)
	FROM corrections c LEFT JOIN events e ON e.chain = c.chain AND e.sequence = c.sequence `

func scanCorrection(c *Correction) []any {
	return []any{asJSON(&c.Correction), &c.Chain, &c.Sequence, asTime(&c.ChainedAt), &c.Applied}
}

// CorrectionsOf lists what both agencies corrected about a passage, oldest
// first, and then this agency's own that have not come back yet.
func (s *Store) CorrectionsOf(ctx context.Context, passage event.ID) ([]Correction, error) {
	rows, err := s.read.QueryContext(ctx, selectCorrections+`WHERE c.passage = ?1 OR (c.other = ?1 AND c.other <> '') ORDER BY c.chain, c.sequence`, string(passage))
	if err != nil {
		return nil, fmt.Errorf("corrections of %s: %w", passage, err)
	}
	list, err := collect(rows, scanCorrection)
	if err != nil {
		return nil, fmt.Errorf("corrections of %s: %w", passage, err)
	}
	own, err := s.pendingCorrections(ctx)
	if err != nil {
		return nil, err
	}
	for _, c := range own {
		if c.Passage == passage || c.Other == passage {
			list = append(list, c)
		}
	}
	return list, nil
}

// OpenCorrections lists the corrections that no version of a passage contains
// yet, newest first: those on their way, and chained ones not older than
// since.
func (s *Store) OpenCorrections(ctx context.Context, since time.Time) ([]Correction, error) {
	rows, err := s.read.QueryContext(ctx, selectCorrections+`WHERE c.at >= ?
		AND NOT EXISTS (SELECT 1 FROM passage_corrections p WHERE p.correction = c.id) ORDER BY c.at DESC LIMIT 50`, stamp(since))
	if err != nil {
		return nil, fmt.Errorf("open corrections: %w", err)
	}
	list, err := collect(rows, scanCorrection)
	if err != nil {
		return nil, fmt.Errorf("open corrections: %w", err)
	}
	own, err := s.pendingCorrections(ctx)
	return append(own, list...), err
}

// pendingCorrections are this agency's own that have not come back.
func (s *Store) pendingCorrections(ctx context.Context) ([]Correction, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT o.data FROM outbox o WHERE o.type = 'vn.gatehouse.correction.v1'
		AND NOT EXISTS (SELECT 1 FROM corrections c WHERE c.id = o.event_id) ORDER BY o.id`)
	if err != nil {
		return nil, fmt.Errorf("pending corrections: %w", err)
	}
	raw, err := collect(rows, func(b *[]byte) []any { return []any{b} })
	if err != nil {
		return nil, fmt.Errorf("pending corrections: %w", err)
	}
	list := make([]Correction, 0, len(raw))
	for _, b := range raw {
		env, err := event.ParseEnvelope(b)
		if err != nil {
			return nil, fmt.Errorf("own correction in the outbox: %w", err)
		}
		c := Correction{Pending: true}
		if err := json.Unmarshal(env.Data, &c.Correction); err != nil {
			return nil, fmt.Errorf("own correction in the outbox: %w", err)
		}
		list = append(list, c)
	}
	return list, nil
}

// Alert gives one alert with what became of it, or ErrNotFound.
func (s *Store) Alert(ctx context.Context, id event.ID) (Alert, error) {
	rows, err := s.read.QueryContext(ctx, selectAlerts+`WHERE a.id = ?`, string(id))
	if err != nil {
		return Alert{}, fmt.Errorf("read alert %s: %w", id, err)
	}
	list, err := collect(rows, scanAlert)
	if err != nil {
		return Alert{}, fmt.Errorf("read alert %s: %w", id, err)
	}
	if len(list) == 0 {
		return Alert{}, fmt.Errorf("alert %s: %w", id, ErrNotFound)
	}
	return list[0], nil
}

// LanePassages are the passages that the cards of the lanes show: all that are
// under way, oldest first, and of each lane the newest that is over.
func (s *Store) LanePassages(ctx context.Context) ([]Passage, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT json, chain, sequence FROM passages WHERE state IN ('open', 'waiting') AND opened_at >= ?
		UNION ALL
		SELECT p.json, p.chain, p.sequence FROM (SELECT DISTINCT gate, lane FROM devices) d
			JOIN passages p ON p.id = (SELECT x.id FROM passages x WHERE x.gate = d.gate AND x.lane = d.lane
				AND x.state NOT IN ('open', 'waiting', 'merged') ORDER BY x.opened_at DESC LIMIT 1)`,
		stamp(s.opt.Now().Add(-underWay)))
	if err != nil {
		return nil, fmt.Errorf("passages in the lanes: %w", err)
	}
	list, err := collect(rows, scanPassage)
	if err != nil {
		return nil, fmt.Errorf("passages in the lanes: %w", err)
	}
	return list, s.addAlerts(ctx, list)
}

// underWay bounds how long a passage can be shown as one that is in its lane;
// what is older was left behind by a gate that was rebuilt.
const underWay = 2 * time.Hour

func scanPassage(p *Passage) []any {
	return []any{asJSON(&p.Passage), &p.Chain, &p.Sequence}
}

// PassagesByID gives those of the passages that the store has, newest first.
func (s *Store) PassagesByID(ctx context.Context, ids []event.ID) ([]Passage, error) {
	b, err := json.Marshal(ids)
	if err != nil {
		return nil, err
	}
	rows, err := s.read.QueryContext(ctx, `SELECT json, chain, sequence FROM passages WHERE id IN (SELECT value FROM json_each(?))
		ORDER BY opened_at DESC, id DESC`, string(b))
	if err != nil {
		return nil, fmt.Errorf("passages by id: %w", err)
	}
	return s.surrounded(ctx, rows)
}
