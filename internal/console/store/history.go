package store

import (
	"context"
	"fmt"
	"time"

	"gatehouse/internal/event"
)

// deviceChange keeps a change of a device for its history. A device may be told
// of several times in one state; the first time counts.
func (t *batchTx) deviceChange(e *Event, d *event.DeviceChange) error {
	_, err := t.exec(`INSERT INTO device_changes (gate, lane, device, since, state, code, driver, reason, try_vi, try_en, chain, sequence, words_vi, words_en)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT DO UPDATE SET driver = excluded.driver, reason = excluded.reason, try_vi = excluded.try_vi, try_en = excluded.try_en,
			chain = excluded.chain, sequence = excluded.sequence, words_vi = excluded.words_vi, words_en = excluded.words_en
		WHERE (excluded.chain, excluded.sequence) < (chain, sequence)`,
		d.Gate, d.Lane, d.Device, stamp(d.Since), string(d.State), d.Code, d.Driver, d.Reason, d.Try.VI, d.Try.EN, e.Chain, e.Sequence, d.Words.VI, d.Words.EN)
	if err != nil {
		return fmt.Errorf("history of a device: %w", err)
	}
	return nil
}

// dayOf is the reporting day of a moment: the date at +07.
func dayOf(t time.Time) string { return t.UTC().Add(7 * time.Hour).Format(time.DateOnly) }

// frameDay counts a log's frames that were not known yet.
func (t *batchTx) frameDay(f *event.FrameLog, fresh int64) error {
	_, err := t.exec(`INSERT INTO frame_days (gate, lane, device, day, frames) VALUES (?, ?, ?, ?, ?)
		ON CONFLICT (gate, lane, device, day) DO UPDATE SET frames = frames + excluded.frames`,
		f.Gate, f.Lane, f.Device, dayOf(f.To), fresh)
	if err != nil {
		return fmt.Errorf("frames of a day: %w", err)
	}
	return nil
}

// DeviceID names a device of a lane.
type DeviceID struct{ Gate, Lane, Device string }

// DeviceHistory is what happened to a device since a moment.
type DeviceHistory struct {
	Before  *DeviceChanged  // the change that was in force at the moment; nil when there was none
	Changes []DeviceChanged // newest first
	Gaps    []Gap           // newest first
	Days    []FrameDay      // oldest first; a day without frames is left out
	// Blind and Invalid count passages: those on which it should have looked and
	// did not, and those with frames of it that were not understood.
	Blind, Invalid int
}

// DeviceChanged is one change of a device's state.
type DeviceChanged struct {
	Driver string
	State  event.DeviceState
	Code   string
	Since  time.Time
	Reason string
	Words  event.Text // the reason for people; empty where the gate has none
	Try    event.Text
}

// FrameDay is how many frames a device gave on a day.
type FrameDay struct {
	Day    string // 2006-01-02, at +07
	Frames int
}

// maxHistory bounds how many changes and gaps of a device are listed.
const maxHistory = 500

// History tells what happened to a device since a moment.
func (s *Store) History(ctx context.Context, d DeviceID, since time.Time) (DeviceHistory, error) {
	h, err := s.history(ctx, d, since)
	if err != nil {
		return DeviceHistory{}, fmt.Errorf("history of device %s: %w", deviceKey(d.Gate, d.Lane, d.Device), err)
	}
	return h, nil
}

func (s *Store) history(ctx context.Context, d DeviceID, since time.Time) (DeviceHistory, error) {
	var h DeviceHistory
	var err error
	if h.Changes, err = s.changes(ctx, d, `since >= ?`, since, maxHistory); err != nil {
		return h, err
	}
	before, err := s.changes(ctx, d, `since < ?`, since, 1)
	if err != nil {
		return h, err
	}
	if len(before) > 0 {
		h.Before = &before[0]
	}
	rows, err := s.read.QueryContext(ctx, `SELECT gate, lane, device, reason, from_at, to_at, frames FROM gaps
		WHERE gate = ? AND lane = ? AND device = ? AND to_at >= ? ORDER BY to_at DESC, id LIMIT ?`, d.Gate, d.Lane, d.Device, stamp(since), maxHistory)
	if err != nil {
		return h, err
	}
	if h.Gaps, err = collect(rows, func(g *Gap) []any {
		return []any{&g.Gate, &g.Lane, &g.Device, &g.Reason, asTime(&g.From), asTime(&g.To), &g.Frames}
	}); err != nil {
		return h, err
	}
	rows, err = s.read.QueryContext(ctx, `SELECT day, frames FROM frame_days WHERE gate = ? AND lane = ? AND device = ? AND day >= ? ORDER BY day`,
		d.Gate, d.Lane, d.Device, dayOf(since))
	if err != nil {
		return h, err
	}
	if h.Days, err = collect(rows, func(f *FrameDay) []any { return []any{&f.Day, &f.Frames} }); err != nil {
		return h, err
	}
	err = s.read.QueryRowContext(ctx, `SELECT (SELECT count(*) FROM search_marks WHERE mark = ?1 AND key >= ?3),
		(SELECT count(*) FROM search_marks WHERE mark = ?2 AND key >= ?3)`,
		"blind:"+deviceKey(d.Gate, d.Lane, d.Device), "invalid:"+deviceKey(d.Gate, d.Lane, d.Device), firstKey(since)).Scan(&h.Blind, &h.Invalid)
	return h, err
}

func (s *Store) changes(ctx context.Context, d DeviceID, when string, at time.Time, limit int) ([]DeviceChanged, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT driver, state, code, since, reason, words_vi, words_en, try_vi, try_en FROM device_changes
		WHERE gate = ? AND lane = ? AND device = ? AND `+when+` ORDER BY since DESC, chain DESC, sequence DESC LIMIT ?`,
		d.Gate, d.Lane, d.Device, stamp(at), limit)
	if err != nil {
		return nil, err
	}
	return collect(rows, func(c *DeviceChanged) []any {
		return []any{&c.Driver, &c.State, &c.Code, asTime(&c.Since), &c.Reason, &c.Words.VI, &c.Words.EN, &c.Try.VI, &c.Try.EN}
	})
}
