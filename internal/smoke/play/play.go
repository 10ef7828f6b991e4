// Package play brings a whole gate up on a stage, waits for what it does, and
// ends it in order: what the smoke test, the soak and the menu of faults have
// in common. It judges nothing; it gathers what package account judges.
package play

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"sync"
	"time"

	"gatehouse/internal/event"
	"gatehouse/internal/smoke/account"
	"gatehouse/internal/smoke/stage"
)

// connect is what devices may need to find the daemon after it is ready.
const connect = 1500 * time.Millisecond

// Options say what is played.
type Options struct {
	Stage    stage.Options
	Scenario string
	// Sim are further arguments of the simulator.
	Sim []string
	// Say hears how the play goes.
	Say func(format string, args ...any)
	// Ready, which may be nil, is called when all keys are made and nothing runs.
	Ready func(context.Context) error
	// Last, which may be nil, ends what the caller started beside the gate.
	Last func(context.Context) error
	// Blind says that no pictures are analysed, so that nobody waits for it.
	Blind bool
	// Calm waits until both consoles hold the same before the daemon is ended.
	Calm bool
}

// Play is one gate with what the harness knows of it by itself. Windows and the
// consoles may be used from several goroutines, the rest from one.
type Play struct {
	Stage  *stage.Stage
	Sim    *stage.Process
	Daemon *stage.Daemon
	Stores map[event.Agency]*sql.DB // read only
	// Key is the file of the gate's public key, taken before the gate ran, as
	// an agency would be given it.
	Key     string
	Summary Summary   // of the simulator, after End
	Watched time.Time // when the lanes were first watched

	opt      Options
	mu       sync.Mutex
	consoles map[event.Agency]*stage.Process
	windows  []account.Window
}

// Summary is what the simulator says at its end, as far as it is needed.
type Summary struct {
	Vehicles int `json:"vehicles"`
	Unsent   int `json:"unsent"` // camera messages under way when it ended
}

// New sets the stage. Close ends what was started.
func New(opt Options) (*Play, error) {
	s, err := stage.New(opt.Stage)
	if err != nil {
		return nil, err
	}
	return &Play{Stage: s, opt: opt, Stores: map[event.Agency]*sql.DB{}, consoles: map[event.Agency]*stage.Process{}}, nil
}

// Close kills what still runs and closes the stores.
func (p *Play) Close() {
	p.Stage.Close()
	for _, db := range p.Stores {
		_ = db.Close() // it was only read
	}
}

// Console is the process of an agency's console.
func (p *Play) Console(a event.Agency) *stage.Process {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.consoles[a]
}

// StartConsole starts an agency's console with a fault point armed; none when
// spec is empty.
func (p *Play) StartConsole(a event.Agency, spec string) (*stage.Process, error) {
	c, err := p.Stage.StartConsole(a, spec)
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	p.consoles[a] = c
	p.mu.Unlock()
	return c, nil
}

// StartDaemon starts the daemon, likewise.
func (p *Play) StartDaemon(spec string) (err error) {
	p.Daemon, err = p.Stage.StartDaemon(spec)
	return err
}

// Window notes a time in which the harness had something out of order. One
// without an end is open until Ready is told.
func (p *Play) Window(w account.Window) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.windows = append(p.windows, w)
}

// Ready ends all windows that are still open.
func (p *Play) Ready(at time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i := range p.windows {
		if p.windows[i].To.IsZero() {
			p.windows[i].To = at
		}
	}
}

// Windows are all that were noted.
func (p *Play) Windows() []account.Window {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.windows)
}

// Begin brings everything up: keys, simulator, daemon, consoles.
func (p *Play) Begin(ctx context.Context) error {
	if err := p.Stage.Init(ctx); err != nil {
		return err
	}
	key, err := os.ReadFile(p.Stage.Path("gate", "keys", "gate.pub"))
	if err != nil {
		return fmt.Errorf("take the gate's key: %w", err)
	}
	p.Key = p.Stage.Path("gate-out-of-band.pub")
	if err := os.WriteFile(p.Key, key, 0o644); err != nil {
		return fmt.Errorf("take the gate's key: %w", err)
	}
	if p.opt.Ready != nil {
		if err := p.opt.Ready(ctx); err != nil {
			return err
		}
	}
	if p.Sim, err = p.Stage.StartSim(p.opt.Scenario, p.opt.Sim...); err != nil {
		return err
	}
	if err := p.awaitPorts(ctx); err != nil {
		return err
	}
	if err := p.StartDaemon(""); err != nil {
		return err
	}
	for _, a := range event.Agencies() {
		if _, err := p.StartConsole(a, ""); err != nil {
			return err
		}
	}
	ready, err := p.Daemon.Ready(ctx)
	if err != nil {
		return err
	}
	// Before this the lanes had no eyes; lorries were there all the same.
	p.Watched = ready.Add(connect)
	p.Window(account.Window{To: p.Watched, What: "the first start"})
	for _, a := range event.Agencies() {
		if err := p.Stage.AwaitConsole(ctx, a, p.Console(a)); err != nil {
			return err
		}
		if err := p.Reopen(a); err != nil {
			return err
		}
	}
	return nil
}

// Reopen reads an agency's store anew, after its disk was exchanged.
func (p *Play) Reopen(a event.Agency) (err error) {
	if old := p.Stores[a]; old != nil {
		_ = old.Close() // it was only read
	}
	p.Stores[a], err = account.Open(p.Stage.Path(a.Account()))
	return err
}

// port finds the simulated ports that the gate's configuration names.
var port = regexp.MustCompile(`port: (sim/dev/[^\s,}]+)`)

// awaitPorts waits until every port of the configuration is there.
func (p *Play) awaitPorts(ctx context.Context) error {
	config, err := os.ReadFile(p.Stage.Path("gate.yaml"))
	if err != nil {
		return fmt.Errorf("find the ports: %w", err)
	}
	list := port.FindAllSubmatch(config, -1)
	if len(list) == 0 {
		return errors.New("find the ports: the demo's configuration names no simulated port; adapt the harness")
	}
	return stage.Until(ctx, "the simulated ports", func() (bool, error) {
		for _, m := range list {
			if _, err := os.Stat(p.Stage.Path(string(m[1]))); err != nil {
				return false, nil
			}
		}
		return true, nil
	}, p.Sim)
}

// Books reads the simulator's books; they are empty before it has begun them.
func (p *Play) Books() (account.Books, error) {
	b, err := account.ReadBooks(p.Stage.Path("sim"))
	if errors.Is(err, os.ErrNotExist) {
		return account.Books{}, nil
	}
	return b, err
}

// Vehicles waits until so many more vehicles or persons are through in each lane.
func (p *Play) Vehicles(ctx context.Context, n int) error {
	books, err := p.Books()
	if err != nil {
		return err
	}
	before := through(books)
	return stage.Until(ctx, fmt.Sprintf("%d more vehicles or persons in each lane", n), func() (bool, error) {
		books, err := p.Books()
		if err != nil {
			return false, err
		}
		now := through(books)
		for lane, count := range now {
			if count < before[lane]+n {
				return false, nil
			}
		}
		return len(now) > 0, nil
	}, p.Sim, p.Daemon.Process)
}

// through counts who is through in each lane from which anything was sent.
func through(b account.Books) map[string]int {
	lanes := map[string]int{}
	for _, f := range b.Ledger {
		lanes[f.Lane] += 0
	}
	for _, t := range b.Truth {
		lanes[t.Lane]++
	}
	return lanes
}

// StopSim ends the simulator in order and takes its summary. It may have ended
// by itself.
func (p *Play) StopSim(ctx context.Context) error {
	if err := p.Sim.Stop(ctx); err != nil {
		return err
	}
	out, err := os.ReadFile(p.Stage.Path("log", "gatesim.out"))
	if err != nil {
		return fmt.Errorf("read the simulator's summary: %w", err)
	}
	out = bytes.TrimSpace(out)
	if err := json.Unmarshal(out, &p.Summary); err != nil {
		return fmt.Errorf("read the simulator's summary %q: %w", out, err)
	}
	p.opt.Say("the simulator has ended: %s", out)
	return nil
}

// last is how long before the simulator's end a file may have been left without
// being announced: the announcement is the next thing on the line.
const last = 2 * time.Second

// left are the files that lie in the drop folders and were left just before the
// simulator ended. Older ones should have been taken.
func (p *Play) left() ([]string, error) {
	list, err := filepath.Glob(p.Stage.Path("sim", "drop", "*", "*_v*"))
	if err != nil {
		return nil, fmt.Errorf("list the drop folders: %w", err)
	}
	var all []string
	for _, path := range list {
		info, err := os.Stat(path)
		if err != nil {
			return nil, fmt.Errorf("list the drop folders: %w", err)
		}
		if !info.Mode().IsRegular() || p.Sim.Ended().Sub(info.ModTime()) > last {
			continue
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return nil, fmt.Errorf("list the drop folders: %w", err)
		}
		all = append(all, event.Digest(content))
	}
	return all, nil
}

// Limits of an orderly end.
const (
	daemonEnds  = 40 * time.Second
	consoleEnds = 20 * time.Second
	workersEnd  = 5 * time.Second
	agreement   = 20 * time.Second
)

// End ends everything in order: first what sends, then what judges pictures,
// then the gate, then the consoles when both hold the same. What is not as it
// should be comes back joined; the end goes on.
func (p *Play) End(ctx context.Context, settle time.Duration) error {
	var all error
	note := func(err error) { all = errors.Join(all, err) }
	note(p.StopSim(ctx))
	p.Settle(ctx, settle)
	if p.opt.Calm {
		if err := within(ctx, agreement, p.Agree); err != nil {
			p.opt.Say("before the daemon's end the consoles do not come to hold the same: %v", err)
		}
		p.Settle(ctx, settle) // what the simulator sent last has come to the stores only now
	}
	note(within(ctx, daemonEnds, p.Daemon.Stop))
	p.opt.Say("the daemon has ended")
	if err := within(ctx, agreement, p.Agree); err != nil {
		note(fmt.Errorf("after the daemon's end the consoles do not hold the same: %w", err))
	}
	for _, a := range event.Agencies() {
		note(within(ctx, consoleEnds, p.Console(a).Stop))
	}
	if p.opt.Last != nil {
		note(within(ctx, consoleEnds, p.opt.Last))
	}
	if err := within(ctx, workersEnd, func(ctx context.Context) error {
		return stage.Until(ctx, "the end of all workers", func() (bool, error) { return len(p.Stage.Left()) == 0, nil })
	}); err != nil {
		note(fmt.Errorf("programs are left over: %v", p.Stage.Left()))
	}
	return all
}

func within(ctx context.Context, d time.Duration, do func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	return do(ctx)
}

// Settle waits until no store has a picture that waits for vision or evidence
// that it lacks, and both have the same head. It is the account that fails when
// that never comes.
func (p *Play) Settle(ctx context.Context, limit time.Duration) {
	var waiting string
	err := within(ctx, limit, func(ctx context.Context) error {
		return stage.Until(ctx, "vision and evidence to settle", func() (bool, error) {
			waiting = ""
			for _, a := range event.Agencies() {
				pictures, evidence, err := p.waiting(ctx, a)
				if err != nil {
					return false, err
				}
				if pictures+evidence > 0 {
					waiting = fmt.Sprintf("%s: %d pictures without an answer, %d pieces of evidence lacking", a, pictures, evidence)
				}
			}
			return waiting == "", nil
		}, p.Daemon.Process)
	})
	if err != nil {
		p.opt.Say("not settled in %s (%s): %v", limit, waiting, err)
		return
	}
	p.opt.Say("vision and evidence have settled")
}

// waiting counts what an agency's store still waits for.
func (p *Play) waiting(ctx context.Context, a event.Agency) (pictures, evidence int, err error) {
	store, err := account.Load(ctx, a, p.Stores[a])
	if err != nil {
		return 0, 0, err
	}
	final := func(analysis string) bool { return analysis == "done" || analysis == "unreadable" }
	for _, passage := range store.Passages {
		if p.opt.Blind {
			break
		}
		for _, f := range passage.Photos {
			if !final(f.Analysis) {
				pictures++
			}
		}
		for _, v := range passage.Scans {
			if !final(v.Analysis) {
				pictures++
			}
		}
	}
	for _, state := range store.Evidence {
		if state != "stored" {
			evidence++
		}
	}
	return pictures, evidence, nil
}

// Agree waits until both stores have the same heads, without holes, and stay so.
func (p *Play) Agree(ctx context.Context) error {
	const calm = 750 * time.Millisecond
	var last string
	var since time.Time
	return stage.Until(ctx, "the same head at both", func() (bool, error) {
		heads := map[event.Agency]string{}
		for _, a := range event.Agencies() {
			list, err := account.Heads(ctx, p.Stores[a])
			if err != nil {
				return false, err
			}
			for _, h := range list {
				if h.Sequence != h.Highest {
					return false, nil
				}
			}
			heads[a] = fmt.Sprint(list)
		}
		if heads[event.Customs] != heads[event.BorderGuard] || heads[event.Customs] != last {
			last, since = heads[event.Customs], time.Now()
			return false, nil
		}
		return time.Since(since) > calm, nil
	})
}
