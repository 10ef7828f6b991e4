// Package gate puts the daemon together: servers, journal, chain, hand-over,
// vision and lanes, in the order in which they need each other, and takes them
// apart in the opposite one.
package gate

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"gatehouse/internal/clock"
	"gatehouse/internal/config"
	"gatehouse/internal/control"
	"gatehouse/internal/driver"
	"gatehouse/internal/evidence"
	"gatehouse/internal/expect"
	"gatehouse/internal/fault"
	"gatehouse/internal/hub"
	"gatehouse/internal/journal"
	"gatehouse/internal/lane"
	"gatehouse/internal/lease"
	"gatehouse/internal/passage"
	"gatehouse/internal/retention"
	"gatehouse/internal/risk"
)

// Limits of the orderly end: what the devices sent is folded and handed over
// before the daemon goes, unless an agency's stream cannot be reached.
const (
	foldGrace = 10 * time.Second
	handGrace = 5 * time.Second
)

// Deps is what a gate is given from outside.
type Deps struct {
	Drivers []driver.Kind
	Points  *fault.Points // nil outside torture builds
	Log     *slog.Logger
	Ready   func() // called once when the devices are being listened to
	// Hangup asks for a reload each time that something comes; may be nil.
	Hangup <-chan os.Signal
	// Version is what the daemon says it is.
	Version string
}

// Run runs the gate until ctx ends, and then ends it in order. A store that met a
// write error, as on a full disk, is of no use any more until it is opened anew:
// then the gate begins again, in this process, when there is room. The error says
// why it could not start or go on.
func Run(ctx context.Context, f *config.File, d Deps) error {
	log := d.Log.With("gate", f.Gate.ID)
	for {
		if err := awaitRoom(ctx, f.Gate, log); err != nil {
			return nil // asked to end
		}
		g := &gate{file: f, deps: d, log: log, clock: clock.New(), started: time.Now()}
		err := g.live(ctx)
		switch {
		case ctx.Err() != nil && errors.Is(err, context.Canceled):
			log.Info("gate has ended while it was starting")
			return nil
		case err == nil || ctx.Err() != nil || !startsAnew(err) && hasRoom(f.Gate):
			return err
		}
		log.Error("the gate cannot store any more and starts anew", "err", err)
		f, _, _ = g.inForce()
		pause(ctx, roomPause)
	}
}

// live is one life of the gate.
func (g *gate) live(ctx context.Context) (err error) {
	g.since = g.started
	g.phase.Store(control.Starting)
	defer func() { err = errors.Join(err, g.release()) }()
	if err := g.open(ctx); err != nil {
		return err
	}
	return g.run(ctx)
}

// gate is a running gate.
type gate struct {
	file  *config.File
	deps  Deps
	log   *slog.Logger
	clock *clock.Clock

	journal  *journal.Journal
	evidence *evidence.Store
	sharing  *sharing
	keeping  *retention.Keeper
	keeper   *lease.Keeper
	eyes     *eyes
	hub      *hub.Server   // nil where it runs elsewhere
	field    *hub.Field    // nil without one
	lists    *expect.Lists // nil without a folder
	analyst  *lane.Analyst
	lanes    *lane.Lanes
	maker    maker
	folds    []passage.Lane  // the lanes in force, in the order of lanes
	work     context.Context // of the devices
	fleet    fleet

	control   net.Listener
	started   time.Time
	phase     atomic.Value // control.Phase
	reloading sync.Mutex   // held while the configuration is exchanged
	sweeping  sync.Mutex   // held while evidence is removed
	mu        sync.Mutex   // guards file, since and problems
	since     time.Time    // when file came in force
	problems  config.Problems

	closers []func() error // in the order of opening
}

// onRelease adds what ends the thing that was just opened.
func (g *gate) onRelease(end func()) {
	g.closers = append(g.closers, func() error { end(); return nil })
}

// release ends everything that was opened, the last first.
func (g *gate) release() error {
	var err error
	for _, v := range slices.Backward(g.closers) {
		err = errors.Join(err, v())
	}
	return err
}

func (g *gate) open(ctx context.Context) error {
	cfg := g.file.Gate
	id, err := Init(cfg)
	if err != nil {
		return err
	}
	if g.control, err = control.Listen(ctx, cfg.State); err != nil {
		return err
	}
	g.onRelease(func() { _ = g.control.Close() })
	if err := g.openStores(ctx); err != nil {
		return err
	}
	server, conn, err := startHub(ctx, cfg, id, g.log)
	if err != nil {
		return err
	}
	if g.hub = server; server != nil {
		g.onRelease(server.Close)
	}
	g.onRelease(conn.Close)
	if g.sharing, err = openSharing(ctx, g, id, conn); err != nil {
		return err
	}
	if err := g.openKeeping(ctx); err != nil {
		return err
	}
	return g.openLanes(ctx)
}

func (g *gate) openStores(ctx context.Context) (err error) {
	cfg := g.file.Gate
	reserve := int64(cfg.Journal.Reserve)
	g.journal, err = journal.Open(ctx, journal.Options{
		Dir: filepath.Join(cfg.State, "journal"), Reserve: reserve,
		MaxBytes: int64(cfg.Journal.MaxSize), MaxAge: cfg.Journal.MaxAge,
		IdleMaxBytes: int64(cfg.Journal.IdleMaxSize), IdleMaxAge: cfg.Journal.IdleMaxAge,
		Points: g.deps.Points, Log: g.log,
	})
	if err != nil {
		return err
	}
	g.onRelease(g.journal.Close)
	g.evidence, err = evidence.Open(filepath.Join(cfg.State, "evidence"), reserve, g.deps.Points)
	return err
}

func (g *gate) openLanes(ctx context.Context) error {
	cfg := g.file.Gate
	var err error
	if g.folds, err = describe(cfg); err != nil {
		return err
	}
	g.eyes = newEyes(cfg, g.evidence, g.log)
	answers, lists := openSeer(cfg, g.eyes, g.log)
	g.lists = lists
	g.analyst = lane.NewAnalyst(answers, g.journal, g.log)
	field, err := startField(ctx, cfg, g.log)
	if err != nil {
		return err
	}
	if g.field = field; field != nil {
		g.onRelease(field.Close)
	}
	env := driver.Env{Log: g.log, Evidence: g.evidence, Now: g.clock.Now, Broker: broker(field)}
	g.maker = maker{kinds: g.deps.Drivers, env: env, journal: g.journal, clock: g.clock}
	g.problems = config.Sorted(g.file.Problems(), Check(g.file, g.deps.Drivers))
	for _, p := range g.problems {
		g.log.Error("configuration is wrong", "scope", p.Scope, "err", p.Head())
	}
	if len(g.problems.Of(config.ScopePlace)) > 0 {
		return g.problems
	}
	var devices []*device
	var lanes []*lane.Lane
	for i := range cfg.Lanes {
		one, err := lane.New(ctx, g.folds[i], g.journal, g.analyst, g.log)
		if err != nil {
			return err
		}
		lanes = append(lanes, one)
		devices = append(devices, g.maker.lane(g.file, i, g.problems)...)
	}
	g.fleet.set(devices)
	g.lanes = lane.NewLanes(lanes, g.sharing, g.log)
	return nil
}

func loadPolicy(path string) (*risk.Table, error) {
	if path == "" {
		return risk.Default()
	}
	return risk.Load(path)
}

// parts are the pieces of the daemon's work that run side by side. When one
// fails for good, all end.
type parts struct {
	all  sync.WaitGroup
	fail context.CancelCauseFunc
}

func (p *parts) start(ctx context.Context, name string, work func(context.Context) error) {
	p.all.Go(func() {
		if err := work(ctx); err != nil && ctx.Err() == nil {
			p.fail(fmt.Errorf("%s: %w", name, err))
		}
	})
}

// run works until ctx ends or a part fails for good.
//
// There are two lives: the devices and what they set off end first; the folds
// and the hand-over go on until what was stored has left.
func (g *gate) run(ctx context.Context) error {
	start, err := began(ctx, g.journal, g.file, g.clock.Now())
	if err != nil {
		return err
	}
	life, end := context.WithCancelCause(context.WithoutCancel(ctx))
	work, endWork := context.WithCancel(life)
	g.work = work
	defer context.AfterFunc(ctx, endWork)()
	ps := &parts{fail: end}
	defer ps.all.Wait()
	defer end(nil)
	defer endWork()

	ps.start(life, "stores", g.watchStores)
	ps.start(life, "disk", g.watchDisk)
	g.sharing.tell(life, ps)
	ps.start(life, "control", func(ctx context.Context) error {
		return control.Serve(ctx, g.control, g.file.Gate.State, g, g.log)
	})
	if err := begin(work, g.journal, g.file.Gate, g.clock, start, g.log); err != nil {
		return errors.Join(context.Cause(life), err)
	}
	g.sharing.hear(life, ps)
	if err := g.startFolds(work, life, ps); err != nil {
		return errors.Join(context.Cause(life), err)
	}
	ps.start(life, "keeping of evidence", g.keepEvidence)
	running := g.startDevices(work, ps)
	g.phase.Store(control.Running)
	g.deps.Ready()
	g.log.Info("gate is running", "devices", len(g.fleet.all()))
	g.hangups(work)

	<-work.Done()
	g.phase.Store(control.Ending)
	running.Wait()
	g.reloading.Lock() // one under way comes to its end; none begins after it
	g.fleet.wait()
	g.reloading.Unlock()
	if err := context.Cause(life); err != nil {
		return err
	}
	g.log.Info("gate is ending")
	if err := g.endControl(life); err != nil {
		return err
	}
	return g.finish(life)
}

// startFolds follows both streams and waits until the replay is done.
func (g *gate) startFolds(work, life context.Context, ps *parts) error {
	for _, s := range []journal.Stream{journal.Main, journal.Idle} {
		ps.start(life, "fold "+string(s), func(ctx context.Context) error {
			from := g.lanes.Position(s)
			if s == journal.Main {
				from = min(from, g.keeper.Position())
			}
			return g.journal.Follow(ctx, s, from+1, func(rec journal.Record) error {
				if s == journal.Main {
					g.keeper.Apply(ctx, rec)
				}
				return g.lanes.Apply(ctx, s, rec)
			})
		})
	}
	if err := g.caughtUp(work, journal.Main); err != nil {
		return fmt.Errorf("replay the journal: %w", err)
	}
	g.lanes.GoLive()
	if err := g.keeper.GoLive(work); err != nil {
		return fmt.Errorf("take up control leases: %w", err)
	}
	return nil
}

// caughtUp waits until the folds have applied what the stream holds now.
func (g *gate) caughtUp(ctx context.Context, s journal.Stream) error {
	last, _, err := g.journal.Last(ctx, s)
	if err != nil {
		return err
	}
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for g.lanes.Position(s) < last {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// startDevices starts all that sets things off; the group ends with ctx.
func (g *gate) startDevices(ctx context.Context, ps *parts) *sync.WaitGroup {
	var running sync.WaitGroup
	if g.eyes != nil {
		ps.start(ctx, "vision", g.eyes.pool.Run)
	}
	if g.lists != nil {
		ps.start(ctx, "expected vehicles", g.lists.Run)
	}
	running.Go(func() { g.analyst.Run(ctx, g.file.Gate.Vision.Workers) })
	for _, l := range g.lanes.All() {
		running.Go(func() { l.RunTimers(ctx) })
	}
	for _, d := range g.fleet.all() {
		d.start(ctx)
	}
	return &running
}

// finish closes the frame logs, and lets all that is stored be folded, shared
// and handed over.
func (g *gate) finish(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, foldGrace+handGrace)
	defer cancel()
	if err := end(ctx, g.journal, g.file, g.clock); errors.Is(err, journal.ErrReserve) {
		g.log.Error("the disk is full: the end is not noted, and the next start goes on from what is stored", "err", err)
		return nil
	} else if err != nil {
		return err
	}
	for _, s := range []journal.Stream{journal.Main, journal.Idle} {
		if err := g.caughtUp(ctx, s); err != nil {
			return fmt.Errorf("fold %s to its end: %w", s, err)
		}
	}
	g.sharing.drain(ctx, handGrace)
	g.keeper.Save(ctx)
	return g.lanes.Save(ctx)
}
