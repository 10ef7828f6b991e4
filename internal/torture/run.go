package torture

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"slices"
	"time"

	"gatehouse/internal/event"
	"gatehouse/internal/smoke/account"
)

// Run is one gate that went through some faults.
type Run struct {
	Seed     uint64          `json:"seed"`
	Faults   []Episode       `json:"faults"`
	Hits     map[string]int  `json:"points"` // fault points that were reached
	Seconds  float64         `json:"seconds"`
	Figures  account.Figures `json:"figures"`
	Extra    Extra           `json:"extra"`
	Problems []string        `json:"problems"`
	Notes    []string        `json:"notes,omitempty"` // figures of single faults
	Lost     int             `json:"lost"`
	Doubled  int             `json:"doubled"`
}

// Episode is one fault of a run.
type Episode struct {
	Name     string  `json:"name"`
	Seconds  float64 `json:"seconds"`  // from its begin until it was mended
	Recovery float64 `json:"recovery"` // seconds from then until both consoles were whole again
	Lost     int     `json:"lost"`
	Doubled  int     `json:"doubled"`

	began, over time.Time
	fault       Fault
}

// Failed says that something was lost, doubled or otherwise not as it must be.
func (r Run) Failed() bool {
	return len(r.Problems) > 0 && !slices.ContainsFunc(r.Faults, func(e Episode) bool { return e.fault.Apart })
}

// Plan is what a seed plays: which fault is the seed's place in the menu, the rest
// is drawn.
func Plan(seed uint64, menu []Fault) (Setting, []Fault, *rand.Rand) {
	dice := rand.New(rand.NewPCG(seed, 0x746f7274757265))
	first := menu[seed%uint64(len(menu))]
	var set Setting
	if first.Set != nil {
		first.Set(&set, dice)
	}
	all := []Fault{first}
	if first.Long || first.Clock {
		return set, all, dice
	}
	var light []Fault
	for _, f := range menu {
		if f.Light && f.Name != first.Name {
			light = append(light, f)
		}
	}
	if len(light) == 0 { // only one fault was asked for
		return set, all, dice
	}
	return set, append(all, light[dice.IntN(len(light))]), dice
}

// Limits of the parts of a run.
const (
	comesUp  = 90 * time.Second
	recovers = 90 * time.Second
	endsIn   = 90 * time.Second
)

// Play plays what a seed draws from the menu. The error says why no account could
// be made; what the account finds is in the run. words takes the ends of the logs
// of a run that failed.
func Play(ctx context.Context, p Place, seed uint64, menu []Fault, change func(*Setting), say func(string, ...any), words io.Writer) (Run, error) {
	set, faults, dice := Plan(seed, menu)
	if change != nil {
		change(&set)
	}
	began := time.Now()
	run := Run{Seed: seed, Hits: map[string]int{}, Problems: []string{}}
	w, err := Up(ctx, p, set, seed, dice, say)
	defer func() {
		if err := w.Down(); err != nil {
			say("%v", err)
		}
	}()
	if err != nil {
		return run, errors.Join(fmt.Errorf("put the gate up: %w", err), w.tails(words))
	}
	say("up in %.1f s: %+v", time.Since(began).Seconds(), set)
	if err := w.Vehicles(ctx, 1); err != nil {
		return run, errors.Join(err, w.tails(words))
	}
	for _, f := range faults {
		w.Decide(ctx, w.any(), "before "+f.Name)
		e, err := w.episode(ctx, f)
		run.Faults = append(run.Faults, e)
		if err != nil {
			run.Problems = append(run.Problems, err.Error())
			break
		}
	}
	w.account(ctx, &run)
	run.Seconds = time.Since(began).Seconds()
	if run.Failed() {
		return run, w.tails(words)
	}
	return run, nil
}

func (w *World) tails(to io.Writer) error {
	if w.Play == nil {
		return nil
	}
	return w.Stage.Tails(to, 15)
}

func (w *World) episode(ctx context.Context, f Fault) (Episode, error) {
	e := Episode{Name: f.Name, fault: f, began: time.Now()}
	w.say("now: %s", f.Name)
	err := f.Play(ctx, w)
	lifted := time.Now()
	e.Seconds = lifted.Sub(e.began).Seconds()
	if err != nil {
		e.over = lifted
		return e, fmt.Errorf("%s: %w", f.Name, err)
	}
	err = w.supervised(ctx, func(ctx context.Context) error { return w.recovered(ctx, w.now(), recovers) })
	if err != nil {
		e.over = time.Now()
		return e, fmt.Errorf("%s: not recovered: %w", f.Name, err)
	}
	e.Recovery = time.Since(lifted).Seconds()
	w.say("recovered %.1f s after it was mended", e.Recovery)
	w.rest(ctx, time.Second)
	e.over = time.Now()
	return e, nil
}

// account ends everything in order and makes the account.
func (w *World) account(ctx context.Context, run *Run) {
	note := func(err error) {
		if err != nil {
			run.Problems = append(run.Problems, err.Error())
		}
	}
	w.hands.Wait()
	for _, d := range []*struct {
		what string
		end  <-chan struct{}
	}{{"the daemon", w.Daemon.Done()}, {"the console of Customs", w.Console(event.Customs).Done()}, {"the console of the Border Guard", w.Console(event.BorderGuard).Done()}} {
		select {
		case <-d.end:
			note(fmt.Errorf("%s has ended by itself", d.what))
		default:
		}
	}
	w.Ready(time.Now()) // of what never came back
	note(w.End(ctx, endsIn))
	c, err := w.Case(ctx, account.Case{Vision: w.Vision, Strict: true, Chains: w.chains, Lag: account.Tolerance})
	if err != nil {
		note(err)
		return
	}
	c.Said = append(w.said, taken(w.unsure, c.Stores)...)
	w.straighten(c.Stores)
	report := account.Judge(c)
	run.Figures, run.Lost, run.Doubled = report.Figures, report.Figures.Lost, report.Figures.Doubled
	for _, p := range report.Problems {
		run.Problems = append(run.Problems, p.String())
		run.blame(p)
	}
	run.Extra, err = w.extra(ctx, c)
	note(err)
	run.Problems = append(run.Problems, run.Extra.problems...)
	run.Lost, run.Doubled = run.Lost+run.Extra.ReceiptsLost+run.Extra.EventsLost, run.Doubled+run.Extra.ReceiptsDoubled
	run.Notes = w.notes
	hits, err := w.Stage.Hits()
	note(err)
	for _, name := range hits {
		run.Hits[name]++
	}
	for i := range run.Faults {
		if run.Lost+run.Doubled > 0 && !slices.ContainsFunc(run.Faults, func(e Episode) bool { return e.Lost+e.Doubled > 0 }) {
			run.Faults[i].Lost, run.Faults[i].Doubled = run.Lost, run.Doubled // nobody knows whose it is
			break
		}
	}
}

// taken are those of the verdicts that met an error and that a store holds all the
// same: they were said, and have to be everywhere, once.
func taken(unsure []account.Said, stores []*account.Store) []account.Said {
	return slices.DeleteFunc(slices.Clone(unsure), func(said account.Said) bool {
		return !slices.ContainsFunc(stores, func(s *account.Store) bool {
			return slices.ContainsFunc(s.Verdicts, func(v event.Verdict) bool { return v.Reason == said.Reason })
		})
	})
}

// straighten tells gaps of a time when the gate's clock was wrong by the right one.
func (w *World) straighten(stores []*account.Store) {
	from, to := w.began.Add(-time.Minute), time.Now().Add(time.Minute)
	for _, s := range stores {
		for i := range s.Gaps {
			for _, at := range []*time.Time{&s.Gaps[i].From, &s.Gaps[i].To} {
				if at.Before(from) || at.After(to) {
					*at = at.Add(-w.offset)
				}
			}
		}
	}
}

// blame adds a problem to the fault in whose time it lies, if it has one.
func (r *Run) blame(p account.Problem) {
	if p.At.IsZero() {
		return
	}
	for i := range r.Faults {
		e := &r.Faults[i]
		if p.At.Before(e.began.Add(-account.Tolerance)) || p.At.After(e.over) {
			continue
		}
		switch p.Kind {
		case account.FrameLost:
			e.Lost++
		case account.FrameDoubled:
			e.Doubled++
		}
		return
	}
}

// Tidy removes the folder of a run that went well.
func (p Place) Tidy() error { return os.RemoveAll(p.Dir) }
