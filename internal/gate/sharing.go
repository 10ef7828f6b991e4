package gate

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/nats-io/nats.go"

	"gatehouse/internal/config"
	"gatehouse/internal/event"
	"gatehouse/internal/evidence"
	"gatehouse/internal/journal"
	"gatehouse/internal/share"
)

// sharing is the gate's side of the exchange: the chain, its hand-over to each
// agency, the evidence they ask for, and what they say.
type sharing struct {
	chain    *share.Chain
	handover *share.Handover
	images   *share.Images
	sayings  *share.Sayings

	dir     string
	reserve int64
	maxAge  time.Duration
	log     *slog.Logger
	note    func() error // remembers the chain's name, once
}

// retireEvery is how often old events are taken off the chain's front.
const retireEvery = time.Hour

func openSharing(ctx context.Context, g *gate, id Identity, hub *nats.Conn) (*sharing, error) {
	cfg := g.file.Gate
	keys, err := agencyKeys(cfg)
	if err != nil {
		return nil, err
	}
	s := &sharing{dir: cfg.State, reserve: int64(cfg.Journal.Reserve), maxAge: cfg.Journal.SharedMaxAge}
	log, points := g.log.With("part", "share"), g.deps.Points
	s.log = log
	after, err := lostHeads(ctx, g.journal.JetStream(), cfg, share.AskConfig{Gate: cfg.ID, Hub: hub, Keys: keys, Wait: headsWait, Log: log})
	if err != nil {
		return nil, err
	}
	if id.Key, err = settleKey(ctx, g.journal.JetStream(), cfg, id.Key, log); err != nil {
		return nil, err
	}
	if s.chain, err = share.OpenChain(ctx, g.journal.JetStream(), share.ChainConfig{
		Gate: cfg.ID, Key: id.Key, After: after, Fault: points, Log: log,
	}); err != nil {
		return nil, err
	}
	s.note = sync.OnceValue(func() error { return remember(cfg, s.chain.Head().Chain) })
	if s.images, err = share.NewImages(share.ImagesConfig{
		Hub: hub, Gate: cfg.ID, Open: g.serveEvidence, BytesPerSecond: int64(cfg.Hub.ImageRate), Log: log,
	}); err != nil {
		return nil, err
	}
	if s.handover, err = share.OpenHandover(ctx, share.HandoverConfig{
		Gate: cfg.ID, Chain: s.chain, Hub: hub, Agencies: agencies(cfg), Images: s.images, Fault: points, Log: log,
	}); err != nil {
		return nil, err
	}
	if g.keeper, err = g.openKeeper(ctx, s); err != nil {
		return nil, err
	}
	corrected := &corrections{chain: s.chain, journal: g.journal, log: log}
	for _, l := range cfg.Lanes {
		corrected.lanes = append(corrected.lanes, l.ID)
	}
	s.sayings, err = share.NewSayings(share.SayingsConfig{
		Gate: cfg.ID, Chain: s.chain, Hub: hub, Keys: keys, Images: s.images, Handover: s.handover,
		OnCorrection: corrected.take, OnCommand: g.keeper.Take, Fault: points, Log: log,
	})
	return s, err
}

func agencies(g config.Gate) []event.Agency {
	var all []event.Agency
	for _, a := range g.Agencies {
		all = append(all, a.Code)
	}
	return all
}

// tell runs what goes out to the agencies until ctx ends.
func (s *sharing) tell(ctx context.Context, ps *parts) {
	ps.start(ctx, "hand-over", s.handover.Run)
	ps.start(ctx, "evidence", s.images.Run)
	ps.start(ctx, "retention", s.retire)
}

// hear runs what comes from them. Some of it is journalled, so that it begins
// behind the journal's word that this run has begun.
func (s *sharing) hear(ctx context.Context, ps *parts) {
	ps.start(ctx, "sayings", s.sayings.Run)
}

// retire removes events that are older than the record is kept and that both
// agencies have said they hold. What either lacks stays, however old.
func (s *sharing) retire(ctx context.Context) error {
	tick := time.NewTicker(retireEvery)
	defer tick.Stop()
	for {
		n, err := s.chain.Retire(ctx, s.maxAge, s.handover.Kept())
		if err != nil && ctx.Err() == nil {
			s.log.Warn("old events could not be retired, trying again later", "err", err)
		}
		if n > 0 {
			s.log.Info("old events retired", "count", n)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
	}
}

// Share implements lane.Sharer.
func (s *sharing) Share(ctx context.Context, events []event.Envelope) error {
	free, err := evidence.Free(s.dir)
	if err != nil {
		return fmt.Errorf("ask for free space: %w", err)
	}
	if free < s.reserve {
		return fmt.Errorf("share: %w", journal.ErrReserve)
	}
	_, err = s.chain.AppendAll(ctx, events)
	if errors.Is(err, share.ErrChainFull) {
		return fmt.Errorf("%w: %w", journal.ErrReserve, err)
	}
	if err == nil && len(events) > 0 {
		err = s.note()
	}
	return err
}

// drain waits until both agencies' streams have everything and both have said
// that they stored it, but not longer than grace: what is left goes after the
// next start. The receipts matter where the hub ends with this process, as
// nobody can fetch from it until then.
func (s *sharing) drain(ctx context.Context, grace time.Duration) {
	ctx, cancel := context.WithTimeout(ctx, grace)
	defer cancel()
	head := s.chain.Head()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for s.backlog() > 0 || !s.received(head) {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// received tells whether every agency has said that it stored what head names.
func (s *sharing) received(head share.Head) bool {
	return !slices.ContainsFunc(s.handover.Status(), func(a share.HandoverStatus) bool {
		return a.Received.Chain != head.Chain || a.Received.Sequence < head.Sequence
	})
}

func (s *sharing) backlog() (n uint64) {
	for _, a := range s.handover.Status() {
		n += a.Alerts + a.Records
	}
	return n
}
