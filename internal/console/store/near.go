package store

import (
	"context"
	"fmt"
	"time"

	"gatehouse/internal/event"
)

// What a passage's page lists beside it comes from the search's cards, which
// hold as much as a line needs: whole records, with their curves, would take
// most of the page's time.
const selectHits = `SELECT s.key, s.passage, s.opened_at, s.gate, s.lane, s.kind, s.direction, s.state, s.card FROM `

func scanHit(h *Hit) []any {
	return []any{&h.Key, &h.ID, asTime(&h.OpenedAt), &h.Gate, &h.Lane, &h.Kind, &h.Direction, &h.State, asJSON(&h.Card)}
}

// SamePlate lists the newest passages of a plate before a moment, in any gate,
// newest first.
func (s *Store) SamePlate(ctx context.Context, plate string, before time.Time, limit int) ([]Hit, error) {
	if plate == "" {
		return nil, nil
	}
	rows, err := s.read.QueryContext(ctx, selectHits+`passages p CROSS JOIN search s ON s.passage = p.id
		WHERE p.plate = ? AND p.plate <> '' AND p.opened_at < ? ORDER BY p.opened_at DESC LIMIT ?`, plate, stamp(before), limit)
	if err != nil {
		return nil, fmt.Errorf("passages of plate: %w", err)
	}
	list, err := collect(rows, scanHit)
	if err != nil {
		return nil, fmt.Errorf("passages of plate: %w", err)
	}
	return list, nil
}

// Neighbours lists the passages of the same lane within a time before and
// after another, in their order; the passage itself is left out.
func (s *Store) Neighbours(ctx context.Context, p *event.Passage, within time.Duration) ([]Hit, error) {
	rows, err := s.read.QueryContext(ctx, selectHits+`search s WHERE s.gate = ? AND s.lane = ? AND s.key BETWEEN ? AND ?
		AND s.passage <> ? AND s.state NOT IN ('merged', 'cancelled') ORDER BY s.key LIMIT 12`,
		p.Gate, p.Lane, firstKey(p.OpenedAt.Add(-within)), firstKey(p.OpenedAt.Add(within)), string(p.ID))
	if err != nil {
		return nil, fmt.Errorf("neighbours of %s: %w", p.ID, err)
	}
	list, err := collect(rows, scanHit)
	if err != nil {
		return nil, fmt.Errorf("neighbours of %s: %w", p.ID, err)
	}
	return list, nil
}
