package gate

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"time"

	"gatehouse/internal/clock"
	"gatehouse/internal/config"
	"gatehouse/internal/event"
	"gatehouse/internal/journal"
	"gatehouse/internal/passage"
	"gatehouse/internal/risk"
)

// lanePolicy is the finding policy as a lane has it. The error names what the
// lane's own changes have wrong.
func lanePolicy(common *risk.Table, l config.Lane) (*risk.Table, error) {
	overrides := make([]risk.Override, 0, len(l.Policy))
	for _, o := range l.Policy {
		overrides = append(overrides, risk.Override{
			Code: o.Code, Severity: o.Severity, Lead: o.Lead, Alert: o.Alert, Mode: risk.Mode(o.Mode),
		})
	}
	return common.With(overrides, l.Shadow)
}

// passageLane is the lane's description for the passage engine. Changes of the
// policy that are wrong, which the check tells, leave it as it is.
func passageLane(g config.Gate, l config.Lane, policy *risk.Table) passage.Lane {
	if own, err := lanePolicy(policy, l); err == nil {
		policy = own
	} else if own, err := policy.With(nil, l.Shadow); err == nil {
		policy = own
	}
	out := passage.Lane{
		Gate: g.ID, ID: l.ID, Kind: l.Kind, Direction: l.Direction, Flow: l.Flow,
		Join: passage.Join{
			Before: l.Join.Before, After: l.Join.After, MissingEnd: l.Join.MissingEnd, TailGate: l.Join.TailGate,
			Resume: l.Join.Resume, Vision: l.Join.Vision,
		},
		Vision: len(g.Vision.Command) > 0, Expected: l.Expected && g.Expected.Folder != "", Policy: policy,
		Limits: passage.Limits{
			SpeedKMH: l.Limits.SpeedKMH, WeightPercent: l.Limits.WeightPercent, WeightKG: l.Limits.WeightKG,
			AxlesPercent: l.Limits.AxlesPercent,
		},
	}
	for _, d := range l.Devices {
		out.Devices = append(out.Devices, passage.Device{
			ID: d.ID, Driver: d.Driver, Role: passage.Role(d.Role), Required: d.Required,
			Radiation: d.Driver == "rpm", View: d.View, Scan: d.Scan, Transit: d.Transit, Room: d.Room,
			Position: passage.Position(d.Position), Views: d.Views, Container: slices.Contains(d.Reads, passage.OpContainer),
		})
	}
	return out
}

// inFlight is how long a frame may be on its way from a device to the disk. The
// newest thing that was stored says nothing of what another device had sent
// that long before it, so gaps begin that much earlier. The 99th percentile of a
// commit on a slow disk is 370 ms. Where the last commits before the end took
// longer, the gap begins that much earlier, but not by more than mostInFlight: a
// gap must not be longer than the outage by 2 s, and before the end nothing may
// have come for half a second.
const (
	inFlight     = 500 * time.Millisecond
	mostInFlight = 1500 * time.Millisecond
)

// underWay is how long frames may have been on their way when the run before
// this one ended.
func underWay(ctx context.Context, j *journal.Journal) (time.Duration, error) {
	lag := inFlight
	for _, s := range []journal.Stream{journal.Main, journal.Idle} {
		l, err := j.Lag(ctx, s)
		if err != nil {
			return 0, err
		}
		lag = max(lag, 2*l)
	}
	return min(lag, mostInFlight), nil
}

// began is the start of this run as it is journalled for every lane, with the time
// of the newest thing that was stored before it: what devices sent since then may
// be missing.
func began(ctx context.Context, j *journal.Journal, f *config.File, now time.Time) (event.Start, error) {
	_, last, err := j.Last(ctx, journal.Main)
	if err != nil {
		return event.Start{}, err
	}
	_, idle, err := j.Last(ctx, journal.Idle)
	if err != nil {
		return event.Start{}, err
	}
	seen := newest(now, last, idle)
	if !seen.IsZero() {
		lag, err := underWay(ctx, j)
		if err != nil {
			return event.Start{}, err
		}
		seen = seen.Add(-lag)
	}
	return event.Start{Config: f.Digest(), LastSeen: seen}, nil
}

// newest is the latest of the times that is not after now: a later one was
// written before the clock was set back. Where all were, nobody knows how long
// ago that is, and now stands for them.
func newest(now time.Time, times ...time.Time) time.Time {
	var latest time.Time
	ahead := false
	for _, t := range times {
		switch {
		case t.After(now):
			ahead = true
		case t.After(latest):
			latest = t
		}
	}
	if latest.IsZero() && ahead {
		return now
	}
	return latest
}

// begin journals the start for every lane. While the disk is full it waits, since
// nothing that is heard could be stored; ctx ends that.
func begin(ctx context.Context, j *journal.Journal, g config.Gate, c *clock.Clock, s event.Start, log *slog.Logger) error {
	for said := false; ; {
		err := mark(ctx, j, g, c, []journal.Stream{journal.Main}, func(e *event.JournalEntry) {
			e.Kind, e.Start = event.EntryStart, &s
		})
		if !errors.Is(err, journal.ErrReserve) {
			return err
		}
		if !said {
			said = true
			log.Error("the disk is full: nothing that devices send is stored until room is made", "err", err)
		}
		if pause(ctx, roomPause); ctx.Err() != nil {
			return ctx.Err()
		}
	}
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
