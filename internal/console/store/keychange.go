package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"gatehouse/internal/event"
)

// KeyUse is the gate's key that an event was signed with.
type KeyUse struct {
	Key string // its id
	// Old is the key before it and Since when it was announced, signed by both; empty
	// for a key that was given to this console by hand.
	Old    string
	Since  time.Time
	Reason string
}

func (t *batchTx) keyChange(e *Event, k *event.KeyChange) error {
	_, err := t.exec(`INSERT INTO key_changes (chain, sequence, gate, old, new, reason, at) VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
		e.Chain, e.Sequence, k.Gate, k.Old, k.New, k.Reason, stamp(k.At))
	if err != nil {
		return fmt.Errorf("key change: %w", err)
	}
	t.changed("chain", e.Chain)
	return nil
}

// KeyChanges are the stored events by which gates have announced new keys, in the
// order of their chains.
func (s *Store) KeyChanges(ctx context.Context) ([]Event, error) {
	rows, err := s.read.QueryContext(ctx, selectEvents+`WHERE quarantined = 0 AND (chain, sequence) IN (SELECT chain, sequence FROM key_changes) ORDER BY chain, sequence`)
	if err != nil {
		return nil, fmt.Errorf("key changes: %w", err)
	}
	return scanEvents(rows)
}

// Distrusted are at most limit stored events of a gate whose signatures were not
// believed, after a place on their chains.
func (s *Store) Distrusted(ctx context.Context, gate, chain string, sequence uint64, limit int) ([]Event, error) {
	rows, err := s.read.QueryContext(ctx, selectEvents+`WHERE quarantined = 1 AND gate = ? AND (chain, sequence) > (?, ?) ORDER BY chain, sequence LIMIT ?`,
		gate, chain, sequence, limit)
	if err != nil {
		return nil, fmt.Errorf("distrusted events of %s: %w", gate, err)
	}
	return scanEvents(rows)
}

// KeyOf tells which key signed an event of a chain.
func (s *Store) KeyOf(ctx context.Context, at Place) (KeyUse, error) {
	var k KeyUse
	var since string
	err := s.read.QueryRowContext(ctx, `SELECT x.key, coalesce(c.old, ''), coalesce(c.at, ''), coalesce(c.reason, '') FROM
		(SELECT gate, CAST(header AS TEXT) ->> '$.key' AS key FROM events WHERE chain = ? AND sequence = ?) x
		LEFT JOIN key_changes c ON c.gate = x.gate AND c.new = x.key LIMIT 1`, at.Chain, at.Sequence).Scan(&k.Key, &k.Old, &since, &k.Reason)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return k, fmt.Errorf("key of %s:%d: %w", at.Chain, at.Sequence, err)
	}
	k.Since = unstamp(since)
	return k, nil
}
