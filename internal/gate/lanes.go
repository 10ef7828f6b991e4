package gate

import (
	"context"
	"time"

	"gatehouse/internal/clock"
	"gatehouse/internal/config"
	"gatehouse/internal/event"
	"gatehouse/internal/journal"
	"gatehouse/internal/passage"
	"gatehouse/internal/risk"
)

// passageLane is the lane's description for the passage engine.
func passageLane(g config.Gate, l config.Lane, policy *risk.Table) passage.Lane {
	out := passage.Lane{
		Gate: g.ID, ID: l.ID, Kind: l.Kind, Direction: l.Direction, Flow: l.Flow,
		Join: passage.Join{
			Before: l.Join.Before, After: l.Join.After, MissingEnd: l.Join.MissingEnd, TailGate: l.Join.TailGate,
			Resume: l.Join.Resume, Vision: l.Join.Vision,
		},
		Vision: len(g.Vision.Command) > 0, Policy: policy,
	}
	for _, d := range l.Devices {
		out.Devices = append(out.Devices, passage.Device{
			ID: d.ID, Driver: d.Driver, Role: passage.Role(d.Role), Required: d.Required,
			Radiation: d.Driver == "rpm", View: d.View, Scan: d.Scan, Transit: d.Transit,
			Position: passage.Position(d.Position), Views: d.Views,
		})
	}
	return out
}

// inFlight is how long a frame may be on its way from a device to the disk. The
// newest thing that was stored says nothing of what another device had sent
// that long before it, so gaps begin that much earlier. The 99th percentile of a
// commit on a slow disk is 370 ms.
const inFlight = 500 * time.Millisecond

// begin journals the start of this run for every lane, with the time of the
// newest thing that was stored before it: what devices sent since then may be
// missing.
func begin(ctx context.Context, j *journal.Journal, f *config.File, c *clock.Clock) error {
	_, last, err := j.Last(ctx, journal.Main)
	if err != nil {
		return err
	}
	_, idle, err := j.Last(ctx, journal.Idle)
	if err != nil {
		return err
	}
	if idle.After(last) {
		last = idle
	}
	if !last.IsZero() {
		last = last.Add(-inFlight)
	}
	return mark(ctx, j, f.Gate, c, []journal.Stream{journal.Main}, func(e *event.JournalEntry) {
		e.Kind = event.EntryStart
		e.Start = &event.Start{Config: f.Digest(), LastSeen: last}
	})
}

// end journals the orderly end of this run, which closes the frame logs.
func end(ctx context.Context, j *journal.Journal, f *config.File, c *clock.Clock) error {
	return mark(ctx, j, f.Gate, c, []journal.Stream{journal.Main, journal.Idle}, func(e *event.JournalEntry) {
		e.Kind = event.EntryStop
	})
}

// mark appends one entry for each lane to the streams.
func mark(ctx context.Context, j *journal.Journal, g config.Gate, c *clock.Clock, streams []journal.Stream, fill func(*event.JournalEntry)) error {
	now := c.Now().UTC()
	for _, s := range streams {
		var entries []event.JournalEntry
		for _, l := range g.Lanes {
			e := event.JournalEntry{ID: event.NewID(now), Lane: l.ID, At: now}
			fill(&e)
			entries = append(entries, e)
		}
		if err := j.Append(ctx, s, entries...); err != nil {
			return err
		}
	}
	return nil
}
