package vision

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/cenkalti/backoff/v5"

	"gatehouse/internal/vision/wire"
)

// Config sets up a Pool.
type Config struct {
	// Command is the worker program with its arguments, such as
	// gatehouse-vision worker --models DIR. It must not fork.
	Command []string
	// Environment is added to the daemon's own for the worker.
	Environment []string
	// Workers is how many processes run at once; 1 when zero.
	Workers int
	// Deadline is how long one analysis may take before its worker is killed;
	// 20 s when zero. The start of a worker has three times as long.
	Deadline time.Duration
	// RecycleAfter is the number of analyses after which a worker is replaced,
	// against slow leaks in libraries; 5,000 when zero.
	RecycleAfter int
	// Reload is the age from which a worker that lacks a model is replaced when
	// that model is asked for, since it may have been put in place; 10 s when zero.
	Reload time.Duration
	// MaxRSSMB is the resident set in megabytes beyond which a worker is killed
	// in the middle of an analysis; 1,200 when zero.
	MaxRSSMB int
	// Health, when set, is called from a worker's goroutine each time vision goes
	// down or comes back. It must neither block nor call the pool.
	Health func(up bool, reason string)
	Log    *slog.Logger
}

// Verdict says what became of an analysis.
type Verdict string

// Verdicts; they are the outcomes of a journalled analysis.
const (
	Done        Verdict = "done"
	Unreadable  Verdict = "unreadable"  // the image is at fault
	Unavailable Verdict = "unavailable" // vision is down; try again later
)

// Outcome is the answer to a Request.
type Outcome struct {
	Verdict Verdict
	Code    wire.Code       // why it is not Done
	Message string          // for people
	Result  json.RawMessage // when Done: the object of the command-line contract
}

// Request asks for one analysis. ID is the caller's and only used in the log.
type Request struct {
	ID      string
	Op      wire.Op
	Path    string // absolute
	Kind    string // of an X-ray scan: wire.KindCargo or wire.KindBaggage
	Scanner string
	// Low and Sidecar are the other files of an X-ray view, absolute; empty where
	// there are none or their names beside Path tell.
	Low     string
	Sidecar string
}

// Pool runs worker processes. Make one with New and call Run once.
type Pool struct {
	cfg  Config
	jobs chan job
	done chan struct{} // closed when Run has ended

	mu       sync.Mutex
	alive    int               // workers that have started and passed their canary
	deaths   int               // of workers in the middle of an analysis
	failures map[string]string // what does not work, with the reason; empty: up
	up       bool              // as last told
	told     bool
}

type job struct {
	req    Request
	answer chan Outcome // room for one
}

// ErrClosed is the error of Analyse after Run has ended.
var ErrClosed = errors.New("the vision pool has ended")

// New makes a pool; nothing starts before Run.
func New(cfg Config) *Pool {
	set := func(v *int, d int) {
		if *v <= 0 {
			*v = d
		}
	}
	set(&cfg.Workers, 1)
	set(&cfg.RecycleAfter, 5000)
	set(&cfg.MaxRSSMB, 1200)
	if cfg.Deadline <= 0 {
		cfg.Deadline = 20 * time.Second
	}
	if cfg.Reload <= 0 {
		cfg.Reload = 10 * time.Second
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	return &Pool{
		cfg: cfg, jobs: make(chan job), done: make(chan struct{}),
		failures: map[string]string{"start": "no worker has started yet"},
	}
}

// Run keeps the workers going until ctx ends, and kills them then. It returns
// nil: a worker that cannot be started is a matter of Health.
func (p *Pool) Run(ctx context.Context) error {
	defer close(p.done)
	var wg sync.WaitGroup
	for n := range p.cfg.Workers {
		wg.Go(func() { p.serve(ctx, n) })
	}
	wg.Wait()
	return nil
}

// Analyse waits for a free worker and its answer. The error is only ever ctx's
// or ErrClosed; everything else is in the Outcome. An Unavailable image should
// be tried again later, with growing pauses.
func (p *Pool) Analyse(ctx context.Context, req Request) (Outcome, error) {
	j := job{req: req, answer: make(chan Outcome, 1)}
	select {
	case p.jobs <- j:
	case <-p.done:
		return Outcome{}, ErrClosed
	case <-ctx.Done():
		return Outcome{}, context.Cause(ctx)
	}
	select {
	case o := <-j.answer:
		return o, nil
	case <-ctx.Done(): // the worker goes on; its answer is dropped
		return Outcome{}, context.Cause(ctx)
	}
}

// Deaths is how many workers died, or had to be killed, in the middle of an
// analysis. Each was replaced.
func (p *Pool) Deaths() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.deaths
}

// Health tells whether all of vision works, and if not why.
func (p *Pool) Health() (up bool, reason string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.healthLocked()
}

// Works tells whether one kind of analysis works, and if not why: a missing
// model stops only what needs it.
func (p *Pool) Works(op wire.Op) (up bool, reason string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.soundLocked("start", "canary", string(op))
}

func (p *Pool) healthLocked() (bool, string) {
	return p.soundLocked("start", "canary", string(wire.OpPlate), string(wire.OpXray), string(wire.OpContainer))
}

func (p *Pool) soundLocked(parts ...string) (bool, string) {
	for _, what := range parts {
		if why, bad := p.failures[what]; bad {
			return false, why
		}
	}
	return true, ""
}

// note records that something works ("" as reason) or why not.
func (p *Pool) note(what, reason string) { p.notes(map[string]string{what: reason}) }

// notes records several things at once, and tells once when vision as a whole
// goes down or comes back.
func (p *Pool) notes(reasons map[string]string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for what, reason := range reasons {
		if reason == "" {
			delete(p.failures, what)
		} else {
			p.failures[what] = reason
		}
	}
	up, why := p.healthLocked()
	if p.told && up == p.up {
		return
	}
	p.told, p.up = true, up
	if up {
		p.cfg.Log.Info("vision is up")
	} else {
		p.cfg.Log.Error("vision is down; images wait", "err", why)
	}
	if p.cfg.Health != nil {
		p.cfg.Health(up, why)
	}
}

// serve is one worker's place: it starts a process, feeds it, replaces it.
func (p *Pool) serve(ctx context.Context, number int) {
	log := p.cfg.Log.With("worker", number)
	pause := backoff.NewExponentialBackOff()
	pause.InitialInterval = 200 * time.Millisecond
	pause.MaxInterval = 15 * time.Second
	for ctx.Err() == nil {
		c, err := p.start(ctx)
		if err != nil {
			if ctx.Err() != nil {
				return
			}
			p.lost(err)
			p.refuse(ctx, pause.NextBackOff(), err)
			continue
		}
		pause.Reset()
		p.count(1)
		p.feed(ctx, c, log)
		p.count(-1)
	}
}

// count keeps the number of living workers.
func (p *Pool) count(by int) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.alive += by
	return p.alive
}

// lost notes that no worker starts, unless another one is at work.
func (p *Pool) lost(err error) {
	if p.count(0) == 0 {
		p.note("start", err.Error())
	}
}

// start makes a worker and tries its canary. A worker that lacks a model is
// kept: other operations may work.
func (p *Pool) start(ctx context.Context) (*child, error) {
	c, err := startChild(ctx, p.cfg)
	if err != nil {
		return nil, err
	}
	o := c.ask(ctx, wire.Request{Op: wire.OpCanary}, p.cfg.Deadline)
	if o.err == nil && o.fault != nil && o.fault.Code != wire.ModelMissing {
		o.err = o.fault
	}
	if o.err != nil {
		c.kill()
		return nil, &startError{"the worker's canary failed", o.err}
	}
	lacks := ""
	if o.fault != nil {
		lacks = o.fault.Message
	}
	// The canary is a plate, so a model that it lacks blinds plates alone.
	p.notes(map[string]string{"start": "", "canary": "", string(wire.OpPlate): lacks})
	return c, nil
}

// refuse answers jobs with Unavailable for as long as no worker is tried. It
// takes none while another worker can.
func (p *Pool) refuse(ctx context.Context, pause time.Duration, why error) {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	for {
		jobs := p.jobs
		if p.count(0) > 0 {
			jobs = nil
		}
		select {
		case j := <-jobs:
			j.answer <- unavailable(wire.Internal, why)
		case <-timer.C:
			return
		case <-ctx.Done():
			return
		}
	}
}

// feed gives jobs to a worker until the worker has to go, and ends it.
func (p *Pool) feed(ctx context.Context, c *child, log *slog.Logger) {
	defer func() { c.kill() }()
	born := time.Now()
	for n := 0; n < p.cfg.RecycleAfter; n++ {
		select {
		case j := <-p.jobs:
			o, alive := p.analyse(ctx, &c, j.req, log)
			j.answer <- o
			if !alive {
				return
			}
			if o.Code == wire.ModelMissing && time.Since(born) > p.cfg.Reload {
				log.Info("vision worker is replaced to look for its model again", "err", o.Message)
				return
			}
			if c.residentMB() > p.cfg.MaxRSSMB {
				log.Info("vision worker is replaced because it has grown", "resident_mb", c.residentMB())
				return
			}
		case <-c.gone:
			log.Warn("vision worker ended by itself", "err", c.end())
			return
		case <-ctx.Done():
			return
		}
	}
}

// analyse gets the outcome of one request. When the worker dies, it is replaced
// in *c and the request tried once more; alive is false when there is no worker
// left to go on with.
func (p *Pool) analyse(ctx context.Context, c **child, req Request, log *slog.Logger) (o Outcome, alive bool) {
	ask := wire.Request{ID: req.ID, Op: req.Op, Path: req.Path, Kind: req.Kind, Scanner: req.Scanner, Low: req.Low, Sidecar: req.Sidecar}
	var died error
	for attempt := 1; attempt <= 2; attempt++ {
		answer := (*c).ask(ctx, ask, p.cfg.Deadline)
		if answer.err == nil {
			return p.outcome(req, answer), true
		}
		if ctx.Err() != nil {
			return unavailable(wire.Internal, ctx.Err()), false
		}
		died = answer.err
		p.mu.Lock()
		p.deaths++
		p.mu.Unlock()
		log.Warn("vision worker died on an image", "event_id", req.ID, "op", string(req.Op), "attempt", attempt, "err", died)
		(*c).kill()
		next, err := p.start(ctx)
		if err != nil {
			if p.count(0) <= 1 { // this place's own worker is the one that died
				p.note("start", err.Error())
			}
			return unavailable(wire.Internal, err), false
		}
		*c = next
		if err := p.proves(ctx, next, req); err != nil {
			p.note("canary", err.Error())
			return unavailable(wire.Internal, err), false
		}
	}
	return Outcome{
		Verdict: Unreadable, Code: wire.Undecodable,
		Message: "the analysis died on this image twice while its built-in picture passed: " + died.Error(),
	}, true
}

// proves tries the canary of the same kind of analysis as the request, so that
// a damaged model is not blamed on the image.
func (p *Pool) proves(ctx context.Context, c *child, req Request) error {
	if req.Op != wire.OpXray {
		return nil // start has tried the plates
	}
	a := c.ask(ctx, wire.Request{Op: wire.OpCanary, Kind: req.Kind}, p.cfg.Deadline)
	if a.err != nil {
		return &startError{"the worker's canary failed", a.err}
	}
	if a.fault != nil {
		return &startError{"the worker's canary failed", a.fault}
	}
	return nil
}

// outcome judges a worker's answer.
func (p *Pool) outcome(req Request, a answer) Outcome {
	if a.fault == nil {
		p.note(string(req.Op), "")
		return Outcome{Verdict: Done, Result: a.result}
	}
	switch a.fault.Code {
	case wire.ModelMissing, wire.Internal:
		p.note(string(req.Op), a.fault.Message)
		return unavailable(a.fault.Code, errors.New(a.fault.Message))
	}
	p.note(string(req.Op), "")
	return Outcome{Verdict: Unreadable, Code: a.fault.Code, Message: a.fault.Message}
}

func unavailable(code wire.Code, why error) Outcome {
	return Outcome{Verdict: Unavailable, Code: code, Message: why.Error()}
}
