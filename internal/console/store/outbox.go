package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"gatehouse/internal/event"
)

// Queued is a saying that waits to be sent.
type Queued struct {
	Number int64 // place in the order of sending
	Saying
	CreatedAt time.Time
}

// say seals a value and puts it into the outbox in the same transaction.
func (t *batchTx) say(gate string, typ event.Type, id event.ID, about string, value any) error {
	saying, err := t.opt.Seal(gate, typ, id, about, t.now, value)
	if err != nil {
		return fmt.Errorf("seal %s: %w", typ, err)
	}
	_, err = t.exec(`INSERT INTO outbox (event_id, gate, type, about, subject, data, origin, created_at, sent_at)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, '') ON CONFLICT (event_id) DO NOTHING`,
		string(id), gate, string(typ), about, saying.Subject, saying.Data, saying.Origin, stamp(t.now))
	if err != nil {
		return fmt.Errorf("queue %s: %w", typ, err)
	}
	t.result.Queued = true
	return nil
}

// Decide seals an officer's verdict and queues it for its gate. It counts once
// it comes back on the gate's chain; until then it is a pending verdict.
func (s *Store) Decide(ctx context.Context, v event.Verdict) (Result, error) {
	result, err := s.batchOf(ctx, true, func(t *batchTx) error {
		t.changed("verdict", string(v.Passage))
		return t.say(v.Gate, event.TypeVerdict, v.ID, string(v.Passage), v)
	})
	if err != nil {
		return Result{}, fmt.Errorf("store verdict on %s: %w", v.Passage, err)
	}
	return result, nil
}

// Acknowledge seals an officer's acknowledgement of an alert and queues it for
// its gate.
func (s *Store) Acknowledge(ctx context.Context, k event.Ack) (Result, error) {
	result, err := s.batchOf(ctx, true, func(t *batchTx) error {
		t.changed("ack", string(k.Passage))
		return t.say(k.Gate, event.TypeAck, k.ID, string(k.Alert), k)
	})
	if err != nil {
		return Result{}, fmt.Errorf("store acknowledgement of %s: %w", k.Alert, err)
	}
	return result, nil
}

// Correct seals an officer's correction and queues it for its gate. It has an
// effect once the gate shares a version of the passage that contains it.
func (s *Store) Correct(ctx context.Context, c event.Correction) (Result, error) {
	result, err := s.batchOf(ctx, true, func(t *batchTx) error {
		t.changed("correction", string(c.Passage))
		if c.Other != "" {
			t.changed("correction", string(c.Other))
		}
		return t.say(c.Gate, event.TypeCorrection, c.ID, string(c.Passage), c)
	})
	if err != nil {
		return Result{}, fmt.Errorf("store correction of %s: %w", c.Passage, err)
	}
	return result, nil
}

// Outbox lists at most limit sayings that were not sent, in the order in which
// they must be sent.
func (s *Store) Outbox(ctx context.Context, limit int) ([]Queued, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT id, event_id, gate, type, about, subject, data, origin, created_at
		FROM outbox WHERE sent_at = '' ORDER BY id LIMIT ?`, limit)
	if err != nil {
		return nil, fmt.Errorf("list outbox: %w", err)
	}
	defer rows.Close()
	var list []Queued
	for rows.Next() {
		var q Queued
		var created string
		if err := rows.Scan(&q.Number, &q.ID, &q.Gate, &q.Type, &q.About, &q.Subject, &q.Data, &q.Origin, &created); err != nil {
			return nil, fmt.Errorf("read outbox: %w", err)
		}
		q.CreatedAt = unstamp(created)
		list = append(list, q)
	}
	return list, rows.Err()
}

// Sent notes that the hub has taken the saying with a number. What officers said
// is kept, and the receipts of single alerts and of evidence until Resay finds
// them on the chain. Cumulative receipts and requests are forgotten, since the
// next one says the same.
func (s *Store) Sent(ctx context.Context, number int64) error {
	err := inTx(ctx, s.write, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `DELETE FROM outbox WHERE id = ?1 AND sent_at = '' AND (type NOT IN (?2, ?3, ?4, ?5, ?6, ?7) OR type = ?6 AND instr(about, '-') > 0)`,
			number, string(event.TypeVerdict), string(event.TypeAck), string(event.TypeCorrection), string(event.TypeCommand), string(event.TypeReceipt),
			string(event.TypeHold)); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `UPDATE outbox SET sent_at = ? WHERE id = ? AND sent_at = ''`, stamp(s.opt.Now()), number)
		return err
	})
	if err != nil {
		return fmt.Errorf("note sent sayings: %w", err)
	}
	return nil
}
