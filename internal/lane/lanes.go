package lane

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"gatehouse/internal/event"
	"gatehouse/internal/journal"
)

// sharePause is the pause before events that could not be chained, because the
// disk is full, are tried again.
const sharePause = time.Second

// Sharer appends events to the SHARED chain. It returns when they are durable;
// an event that is there already is no error. journal.ErrReserve means that it
// may be tried again later.
type Sharer interface {
	Share(ctx context.Context, events []event.Envelope) error
}

// Lanes folds the journal for all lanes of a gate, so that what one commit
// causes in several lanes is shared with one sync.
type Lanes struct {
	lanes  []*Lane
	sharer Sharer
	log    *slog.Logger
}

// NewLanes joins the lanes of a gate.
func NewLanes(lanes []*Lane, sharer Sharer, log *slog.Logger) *Lanes {
	return &Lanes{lanes: lanes, sharer: sharer, log: log}
}

// All lists the lanes.
func (ls *Lanes) All() []*Lane { return ls.lanes }

// Position is the sequence up to which every lane has applied the stream.
func (ls *Lanes) Position(s journal.Stream) uint64 {
	var least uint64
	for i, l := range ls.lanes {
		if p := l.Position(s); i == 0 || p < least {
			least = p
		}
	}
	return least
}

// Apply folds a record. Records come in order; a lane passes over those that
// its state covers already. It returns when what follows from it is shared.
func (ls *Lanes) Apply(ctx context.Context, s journal.Stream, rec journal.Record) error {
	var shares []event.Envelope
	var moved []*Lane
	for _, l := range ls.lanes {
		effects, ok := l.fold(s, rec)
		if !ok {
			continue
		}
		moved = append(moved, l)
		shares = append(shares, l.carryOut(effects)...)
	}
	if err := ls.share(ctx, shares); err != nil {
		return fmt.Errorf("share what follows from record %d: %w", rec.Sequence, err)
	}
	for _, l := range moved {
		if err := l.advance(ctx, s, rec.Sequence); err != nil {
			return fmt.Errorf("lane %s: %w", l.ID(), err)
		}
	}
	return nil
}

// share chains the events, however long the disk is full.
func (ls *Lanes) share(ctx context.Context, shares []event.Envelope) error {
	if len(shares) == 0 {
		return nil
	}
	for said := false; ; {
		err := ls.sharer.Share(ctx, shares)
		if !errors.Is(err, journal.ErrReserve) {
			return err
		}
		if !said {
			ls.log.Error("disk reserve reached, sharing waits", "err", err)
			said = true
		}
		wait(ctx, sharePause)
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
}

// GoLive ends the replay of every lane.
func (ls *Lanes) GoLive() {
	for _, l := range ls.lanes {
		l.GoLive()
	}
}

// Save writes the snapshots of all lanes.
func (ls *Lanes) Save(ctx context.Context) error {
	var err error
	for _, l := range ls.lanes {
		err = errors.Join(err, l.Save(ctx))
	}
	return err
}
