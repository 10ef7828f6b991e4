package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"gatehouse/internal/event"
)

// SayHeads queues a receipt for each chain of a gate that the store holds, and one
// of no chain that ends them.
func (s *Store) SayHeads(ctx context.Context, gate string) (Result, error) {
	result, err := s.batch(ctx, func(t *batchTx) error {
		rows, err := t.tx.QueryContext(ctx, `SELECT chain, sequence, head FROM heads WHERE gate = ? AND sequence > 0 ORDER BY chain`, gate)
		if err != nil {
			return err
		}
		defer rows.Close()
		var all []event.Receipt
		for rows.Next() {
			r := event.Receipt{Agency: t.opt.Agency, Gate: gate, At: t.now.UTC()}
			if err := rows.Scan(&r.Chain, &r.Sequence, &r.Head); err != nil {
				return err
			}
			all = append(all, r)
		}
		if err := rows.Err(); err != nil {
			return err
		}
		all = append(all, event.Receipt{Agency: t.opt.Agency, Gate: gate, At: t.now.UTC()})
		for _, r := range all {
			r.ID = event.NewID(t.now)
			if err := t.say(gate, event.TypeReceipt, r.ID, "heads-of-"+gate, r); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return Result{}, fmt.Errorf("say how far %s is held: %w", gate, err)
	}
	return result, nil
}

// Resay puts back into the outbox what the hub has taken before a moment and what
// has not come back on the gate's chain: a hub that lost its disk has lost it.
// Where it was only slow, the gate knows the event by its id. What has come back
// and is kept nowhere else in the outbox's sense, the receipts of alerts, is
// forgotten. It tells how much is to be said again.
func (s *Store) Resay(ctx context.Context, before time.Time) (int, error) {
	again := 0
	err := inTx(ctx, s.write, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM outbox WHERE sent_at <> '' AND type = ?
			AND EXISTS (SELECT 1 FROM events e WHERE e.event_id = outbox.event_id)`, string(event.TypeReceipt))
		if err != nil {
			return err
		}
		r, err := tx.ExecContext(ctx, `UPDATE outbox SET sent_at = '' WHERE sent_at <> '' AND sent_at < ?
			AND NOT EXISTS (SELECT 1 FROM events e WHERE e.event_id = outbox.event_id)`, stamp(before))
		if err != nil {
			return err
		}
		n, err := r.RowsAffected()
		again = int(n)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("say again what is not on the chain: %w", err)
	}
	return again, nil
}
