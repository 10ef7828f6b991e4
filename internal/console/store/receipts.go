package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"gatehouse/internal/event"
)

// When a cumulative receipt is written. Every receipt is an event on the chain
// of its own, for both agencies, so they are rare while a gate is busy with
// everyday things; an alert has a receipt of its own at once in any case.
const (
	// receiptUrgent is the least time between two receipts when something came
	// that people say to one another: an alert, a verdict, a correction.
	receiptUrgent = time.Second
	// receiptBusy is the most time that anything waits for its receipt.
	receiptBusy = 8 * time.Second
	// receiptQuiet is how long nothing must have come for a receipt to be written
	// sooner, and receiptCalm the least time after the one before. A gate that
	// ends orderly waits for the receipt of its last event for five seconds.
	receiptQuiet = 1500 * time.Millisecond
	receiptCalm  = 3 * time.Second
)

// Values of receipting.owed.
const (
	owedSoon = 1
	owedNow  = 2 // people wait for it
)

// urgency is how soon an event of a type wants its receipt.
func urgency(t event.Type) int {
	switch t {
	case event.TypeAlert, event.TypeVerdict, event.TypeAck, event.TypeCorrection, event.TypeHold:
		return owedNow
	}
	return owedSoon
}

// maxQuarantinedListed bounds a receipt's list of unreadable sequences.
const maxQuarantinedListed = 1000

// oweReceipts notes which chains must be receipted and writes the receipts
// that may go out now.
func (t *batchTx) oweReceipts() error {
	for chain, owed := range t.owed {
		_, err := t.exec(`INSERT INTO receipting (chain, gate, owed, covered, last_at, owed_at) VALUES (?, ?, ?, 0, '', ?)
			ON CONFLICT (chain) DO UPDATE SET owed = max(owed, excluded.owed), owed_at = excluded.owed_at`, chain, t.chains[chain], owed, stamp(t.now))
		if err != nil {
			return fmt.Errorf("note owed receipt: %w", err)
		}
	}
	if len(t.chains) == 0 {
		return nil
	}
	return t.receiptDue()
}

// SendReceipts writes the cumulative receipts that were held back and are due
// now. It is called at Result.Due, and once at the start.
func (s *Store) SendReceipts(ctx context.Context) (Result, error) {
	result, err := s.batch(ctx, (*batchTx).receiptDue)
	if err != nil {
		return Result{}, fmt.Errorf("write receipts: %w", err)
	}
	return result, nil
}

// debt is a chain whose stored part is ahead of its last receipt.
type debt struct {
	chain, gate, head string
	last, owedAt      time.Time
	covered, sequence uint64
	owed              int
}

// due is when the debt's receipt is to be written.
func (d debt) due() time.Time {
	if d.last.IsZero() {
		return d.last
	}
	if d.owed == owedNow {
		return d.last.Add(receiptUrgent)
	}
	due := d.last.Add(receiptCalm)
	if quiet := d.owedAt.Add(receiptQuiet); quiet.After(due) {
		due = quiet
	}
	if most := d.last.Add(receiptBusy); most.Before(due) {
		due = most
	}
	return due
}

// receiptDue writes a cumulative receipt for every chain that is owed one. It
// never reaches beyond a hole, since heads does not.
func (t *batchTx) receiptDue() error {
	debts, err := t.debts()
	if err != nil {
		return fmt.Errorf("list owed receipts: %w", err)
	}
	for _, d := range debts {
		// A clock that was set back must not hold receipts back until it is over.
		if due := d.due(); t.now.Before(due) && !t.now.Before(d.last) {
			if t.result.Due.IsZero() || due.Before(t.result.Due) {
				t.result.Due = due
			}
			continue
		}
		if err := t.writeReceipt(d); err != nil {
			return fmt.Errorf("receipt for chain %s: %w", d.chain, err)
		}
	}
	if err := t.evidenceDue(); err != nil {
		return fmt.Errorf("receipt of evidence: %w", err)
	}
	return nil
}

func (t *batchTx) debts() ([]debt, error) {
	rows, err := t.tx.QueryContext(t.ctx, `SELECT r.chain, r.gate, h.head, r.last_at, r.owed_at, r.covered, h.sequence, r.owed
		FROM receipting r JOIN heads h ON h.chain = r.chain
		WHERE r.owed > 0 AND h.sequence > r.covered ORDER BY r.chain`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var debts []debt
	for rows.Next() {
		var d debt
		if err := rows.Scan(&d.chain, &d.gate, &d.head, asTime(&d.last), asTime(&d.owedAt), &d.covered, &d.sequence, &d.owed); err != nil {
			return nil, err
		}
		debts = append(debts, d)
	}
	return debts, rows.Err()
}

func (t *batchTx) writeReceipt(d debt) error {
	bad, err := t.suspects(d.chain, d.covered, d.sequence)
	if err != nil {
		return err
	}
	r := event.Receipt{
		ID: event.NewID(t.now), Agency: t.opt.Agency, Gate: d.gate, Chain: d.chain,
		Sequence: d.sequence, Head: d.head, Quarantined: bad, At: t.now.UTC(),
	}
	if err := t.say(d.gate, event.TypeReceipt, r.ID, d.chain, r); err != nil {
		return err
	}
	_, err = t.exec(`UPDATE receipting SET owed = 0, covered = ?, last_at = ? WHERE chain = ?`, d.sequence, stamp(t.now), d.chain)
	return err
}

// receiptAlert writes the extra receipt of one alert. Its id follows from the
// alert and the store: one store says it once, and a store that was lost and
// built anew says again that it has it.
func (t *batchTx) receiptAlert(e *Event, alert event.ID) error {
	r := event.Receipt{
		ID:     event.DeriveID(e.At, "receipt.alert", string(t.opt.Agency), alert, event.ID(t.id)),
		Agency: t.opt.Agency, Gate: e.Gate, Chain: e.Chain, Sequence: e.Sequence,
		Head: event.Digest(e.Header), Alert: alert, At: t.now.UTC(),
	}
	return t.say(e.Gate, event.TypeReceipt, r.ID, string(alert), r)
}

// suspects lists the sequences in (after, upto] that are stored but could not
// be read, or that do not follow their predecessor.
func (t *batchTx) suspects(chain string, after, upto uint64) ([]uint64, error) {
	rows, err := t.tx.QueryContext(t.ctx, `SELECT sequence FROM events WHERE (quarantined <> 0 OR linked = 2)
		AND chain = ? AND sequence > ? AND sequence <= ? ORDER BY sequence LIMIT ?`, chain, after, upto, maxQuarantinedListed)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []uint64
	for rows.Next() {
		var n uint64
		if err := rows.Scan(&n); err != nil {
			return nil, err
		}
		list = append(list, n)
	}
	return list, rows.Err()
}

func marshalSequences(list []uint64) (string, error) {
	if list == nil {
		list = []uint64{}
	}
	b, err := json.Marshal(list)
	return string(b), err
}
