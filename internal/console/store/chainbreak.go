package store

import (
	"context"
	"fmt"
	"time"

	"gatehouse/internal/event"
)

// ChainBreak is where a gate began a new chain, having lost its disk or its key.
type ChainBreak struct {
	Gate  string
	Chain string // the new one
	At    time.Time
	// After is how far the agencies held the old chain, as the new one says; empty
	// where nobody could be asked.
	After []HeldHead
	// Old is the chain before, as this store has it, and Held how far.
	Old  string
	Held uint64
}

// HeldHead is how far somebody holds a chain; Agency is empty where the gate itself
// has it.
type HeldHead struct {
	Agency   event.Agency `json:"agency"`
	Chain    string       `json:"chain"`
	Sequence uint64       `json:"sequence"`
}

// ChainBreaks lists the new chains that gates began since a moment, newest first.
// The first chain of a gate is none.
func (s *Store) ChainBreaks(ctx context.Context, since time.Time) ([]ChainBreak, error) {
	// CROSS JOIN keeps the few heads outside: SQLite would go through all events.
	rows, err := s.read.QueryContext(ctx, `SELECT e.gate, e.chain, e.at, coalesce(CAST(e.header AS TEXT) ->> '$.start.after', '[]'), o.chain, o.sequence
		FROM heads h CROSS JOIN events e ON e.chain = h.chain AND e.sequence = 1 AND e.quarantined <> 1
		JOIN heads o ON o.chain = (SELECT max(x.chain) FROM heads x WHERE x.gate = h.gate AND x.chain < h.chain)
		WHERE e.at >= ? ORDER BY e.at DESC LIMIT 10`, stamp(since))
	if err != nil {
		return nil, fmt.Errorf("new chains: %w", err)
	}
	list, err := collect(rows, func(b *ChainBreak) []any {
		return []any{&b.Gate, &b.Chain, asTime(&b.At), asJSON(&b.After), &b.Old, &b.Held}
	})
	if err != nil {
		return nil, fmt.Errorf("new chains: %w", err)
	}
	return list, nil
}
