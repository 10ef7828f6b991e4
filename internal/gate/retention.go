package gate

import (
	"context"
	"io"
	"path/filepath"
	"time"

	"gatehouse/internal/control"
	"gatehouse/internal/evidence"
	"gatehouse/internal/retention"
)

const (
	// sweepEvery is how often evidence is looked for whose time is over.
	sweepEvery = time.Hour
	// sweepAgain is the pause after a sweep that could not make enough room.
	sweepAgain = 5 * time.Minute
	// clockSlack is how far the gate's clock may be ahead of what agencies say.
	clockSlack = 24 * time.Hour
)

// openKeeping opens what keeps the evidence by rules.
func (g *gate) openKeeping(ctx context.Context) (err error) {
	cfg := g.file.Gate
	g.keeping, err = retention.Open(ctx, retention.Config{
		Gate: cfg.ID, Index: filepath.Join(cfg.State, "retention.db"), Store: g.evidence, Chain: g.sharing.chain,
		Kept: g.sharing.handover.Kept, Now: g.agreedTime, Log: g.log,
		Vision: len(cfg.Vision.Command) > 0,
		Free:   func() (int64, error) { return evidence.Free(cfg.State) },
	})
	if err == nil {
		g.closers = append(g.closers, g.keeping.Close)
	}
	return err
}

// agreedTime is the gate's time, but not much later than the newest word of each
// agency: a clock that was set wrong must make nothing old.
func (g *gate) agreedTime() time.Time {
	now := time.Now()
	for _, a := range g.sharing.handover.Status() {
		if latest := a.ReceivedAt.Add(clockSlack); latest.Before(now) {
			now = latest
		}
	}
	return now
}

// keepEvidence removes what the rules let go: now and then, and when room on the
// disk runs short. It never ends the gate.
func (g *gate) keepEvidence(ctx context.Context) error {
	var next, again time.Time
	for ctx.Err() == nil {
		file, _, _ := g.inForce()
		free, err := evidence.Free(file.Gate.State)
		short := err == nil && free < int64(file.Gate.Retention.Low)
		if now := time.Now(); now.After(next) || short && now.After(again) {
			report, err := g.sweep(ctx, false)
			if err != nil && ctx.Err() == nil {
				g.log.Warn("evidence could not be kept by its rules, trying again later", "err", err)
			}
			next, again = time.Now().Add(sweepEvery), time.Now()
			if err != nil || report.Gone() == 0 {
				again = again.Add(sweepAgain)
			}
		}
		pause(ctx, diskEvery)
	}
	return nil
}

// sweep is one sweep, or what it would be.
func (g *gate) sweep(ctx context.Context, dry bool) (retention.Report, error) {
	file, _, _ := g.inForce()
	g.sweeping.Lock()
	defer g.sweeping.Unlock()
	if dry {
		return g.keeping.Plan(ctx, file.Gate.Retention)
	}
	return g.keeping.Sweep(ctx, file.Gate.Retention)
}

// Retention implements control.Gate.
func (g *gate) Retention(ctx context.Context, dry bool) (retention.Report, error) {
	if g.phase.Load() == control.Starting {
		return retention.Report{}, errBusy
	}
	return g.sweep(ctx, dry)
}

// serveEvidence opens a piece for an agency that asks for it. It counts as new from
// then on: an agency that asks has lost what it had, or never had it.
func (g *gate) serveEvidence(digest string) (io.ReadSeekCloser, int64, error) {
	f, size, err := g.evidence.Open(digest)
	if err != nil {
		return nil, 0, err
	}
	if err := g.evidence.Touch(digest); err != nil {
		g.log.Warn("evidence that was asked for is not kept longer", "err", err)
	}
	return f, size, nil
}
