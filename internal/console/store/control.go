package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"gatehouse/internal/event"
)

// commandShown is how long an own command without an answer is told of: one
// that old is void at the gate.
const commandShown = 10 * time.Minute

// Command seals an officer's command and queues it for its gate. What came of
// it is an event.ControlChange of the gate.
func (s *Store) Command(ctx context.Context, c event.Command) (Result, error) {
	result, err := s.batchOf(ctx, true, func(t *batchTx) error {
		t.controlled(c.Where)
		return t.say(c.Gate, event.TypeCommand, c.ID, c.Lane+"/"+c.Device, c)
	})
	if err != nil {
		return Result{}, fmt.Errorf("store command to %s/%s: %w", c.Lane, c.Device, err)
	}
	return result, nil
}

// controlled tells pages that a device's control changed.
func (t *batchTx) controlled(w event.Where) {
	t.changed("device", w.Gate+"/"+w.Lane+"/"+w.Device)
	t.changed("lane", w.Gate+"/"+w.Lane)
}

func (t *batchTx) control(e *Event, c *event.ControlChange, raw []byte) error {
	_, err := t.exec(`INSERT INTO controls (id, gate, lane, device, command, at, json, chain, sequence) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET json = excluded.json, at = excluded.at, chain = excluded.chain, sequence = excluded.sequence
		WHERE (excluded.chain, excluded.sequence) < (chain, sequence)`,
		string(c.ID), c.Gate, c.Lane, c.Device, string(c.Command), stamp(c.At), raw, e.Chain, e.Sequence)
	if err == nil {
		_, err = t.exec(`INSERT INTO control_now (gate, lane, device, json, chain, sequence) VALUES (?, ?, ?, ?, ?, ?)
			ON CONFLICT (gate, lane, device) DO UPDATE SET json = excluded.json, chain = excluded.chain, sequence = excluded.sequence
			WHERE (excluded.chain, excluded.sequence) > (chain, sequence)`,
			c.Gate, c.Lane, c.Device, raw, e.Chain, e.Sequence)
	}
	if err != nil {
		return fmt.Errorf("control: %w", err)
	}
	t.controlled(c.Where)
	return nil
}

// Controls is the newest line of each device's hand-over log.
func (s *Store) Controls(ctx context.Context) (map[DeviceID]event.ControlChange, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT json FROM control_now`)
	if err != nil {
		return nil, fmt.Errorf("control of devices: %w", err)
	}
	list, err := collect(rows, func(c *event.ControlChange) []any { return []any{asJSON(c)} })
	if err != nil {
		return nil, fmt.Errorf("control of devices: %w", err)
	}
	all := map[DeviceID]event.ControlChange{}
	for _, c := range list {
		all[DeviceID{Gate: c.Gate, Lane: c.Lane, Device: c.Device}] = c
	}
	return all, nil
}

// ControlLog is a device's hand-over log, newest first.
func (s *Store) ControlLog(ctx context.Context, d DeviceID, limit int) ([]event.ControlChange, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT json FROM controls WHERE gate = ? AND lane = ? AND device = ?
		ORDER BY chain DESC, sequence DESC LIMIT ?`, d.Gate, d.Lane, d.Device, limit)
	if err != nil {
		return nil, fmt.Errorf("control log of %v: %w", d, err)
	}
	list, err := collect(rows, func(c *event.ControlChange) []any { return []any{asJSON(c)} })
	if err != nil {
		return nil, fmt.Errorf("control log of %v: %w", d, err)
	}
	return list, nil
}

// OpenCommands are this agency's own commands to a device that the gate has
// not answered, newest first; void ones are among them for a while.
func (s *Store) OpenCommands(ctx context.Context, d DeviceID) ([]event.Command, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT o.data FROM outbox o WHERE o.type = 'vn.gatehouse.command.v1' AND o.gate = ? AND o.about = ?
		AND o.created_at >= ? AND NOT EXISTS (SELECT 1 FROM controls c WHERE c.command = o.event_id) ORDER BY o.id DESC LIMIT 20`,
		d.Gate, d.Lane+"/"+d.Device, stamp(s.opt.Now().Add(-commandShown)))
	if err != nil {
		return nil, fmt.Errorf("open commands: %w", err)
	}
	raw, err := collect(rows, func(b *[]byte) []any { return []any{b} })
	if err != nil {
		return nil, fmt.Errorf("open commands: %w", err)
	}
	list := make([]event.Command, 0, len(raw))
	for _, b := range raw {
		env, err := event.ParseEnvelope(b)
		if err != nil {
			return nil, fmt.Errorf("own command in the outbox: %w", err)
		}
		var c event.Command
		if err := json.Unmarshal(env.Data, &c); err != nil {
			return nil, fmt.Errorf("own command in the outbox: %w", err)
		}
		list = append(list, c)
	}
	return list, nil
}
