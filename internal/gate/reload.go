package gate

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"sync"
	"time"

	"gatehouse/internal/config"
	"gatehouse/internal/control"
	"gatehouse/internal/event"
	"gatehouse/internal/journal"
	"gatehouse/internal/passage"
)

// errBusy says that the daemon has not begun to run, or is ending.
var errBusy = errors.New("the daemon is starting or ending; try again when it runs")

// plan is what a new configuration changes.
type plan struct {
	file    *config.File
	devices []*device      // all of them, in the order of the file
	ends    []*device      // that run now and will not
	begins  []*device      // that do not run now
	lanes   []passage.Lane // as the folds see them, in the order of the folds
	changes []control.Change
}

// hangups reloads each time that the process is told to, until ctx ends.
func (g *gate) hangups(ctx context.Context) {
	if g.deps.Hangup == nil {
		return
	}
	go func() {
		for {
			select {
			case <-ctx.Done():
				return
			case <-g.deps.Hangup:
				if _, err := g.Reload(ctx); err != nil {
					g.log.Error("configuration not reloaded", "err", err)
				}
			}
		}
	}()
}

// Reload implements control.Gate: the new file is checked wholly and its
// devices are made before anything that runs is touched, and then only what
// differs is exchanged.
func (g *gate) Reload(ctx context.Context) (control.Reloaded, error) {
	g.reloading.Lock()
	defer g.reloading.Unlock()
	if g.phase.Load() != control.Running {
		return control.Reloaded{}, errBusy
	}
	old, _, _ := g.inForce()
	out := control.Reloaded{File: old.Path(), Digest: old.Digest(), Changes: []control.Change{}}
	next, err := config.Open(old.Path())
	var problems config.Problems
	switch {
	case errors.As(err, &problems):
	case err != nil:
		return out, err
	default:
		problems = config.Sorted(next.Problems(), Check(next, g.deps.Drivers), CheckPolicy(next, "."))
	}
	if len(problems) > 0 {
		out.Problems = problems
		g.log.Error("configuration not reloaded, the old one stays in force", "problems", len(problems), "err", problems[0].Head())
		return out, nil
	}
	if out.Restart = needRestart(old.Gate, next.Gate); len(out.Restart) > 0 {
		g.log.Error("configuration not reloaded, the old one stays in force", "restart", out.Restart)
		return out, nil
	}
	p, err := g.plan(next)
	if err != nil {
		return out, err
	}
	if next.Digest() == old.Digest() && len(p.changes) == 0 {
		return out, nil
	}
	if err := g.exchange(ctx, p); err != nil {
		return out, err
	}
	out.Digest, out.Changes = next.Digest(), p.changes
	g.log.Info("configuration reloaded", "changes", len(p.changes), "digest", next.Digest())
	return out, nil
}

// needRestart names what differs and only a restart puts in force: the place's
// identity and what the servers and folders of this process were opened with.
func needRestart(old, next config.Gate) []string {
	var names []string
	for _, f := range []struct {
		name string
		a, b any
	}{
		{"gate", old.ID, next.ID},
		{"state", old.State, next.State},
		{"journal", old.Journal, next.Journal},
		{"hub", old.Hub, next.Hub},
		{"field_mqtt", old.Field, next.Field},
		{"agencies", old.Agencies, next.Agencies},
		{"vision", old.Vision, next.Vision},
		{"expected", old.Expected, next.Expected},
	} {
		if !reflect.DeepEqual(f.a, f.b) {
			names = append(names, f.name)
		}
	}
	for _, l := range old.Lanes {
		if !slices.ContainsFunc(next.Lanes, func(o config.Lane) bool { return o.ID == l.ID }) {
			names = append(names, "lane "+l.ID+" removed")
		}
	}
	for _, l := range next.Lanes {
		if !slices.ContainsFunc(old.Lanes, func(o config.Lane) bool { return o.ID == l.ID }) {
			names = append(names, "lane "+l.ID+" added")
		}
	}
	return names
}

// plan makes what is new and compares it with what runs. It changes nothing.
func (g *gate) plan(next *config.File) (*plan, error) {
	lanes, err := describe(next.Gate)
	if err != nil {
		return nil, err
	}
	p := &plan{file: next, changes: []control.Change{}}
	for _, l := range g.folds {
		at := slices.IndexFunc(lanes, func(o passage.Lane) bool { return o.ID == l.ID })
		p.lanes = append(p.lanes, lanes[at])
		if !reflect.DeepEqual(withoutDevices(l), withoutDevices(lanes[at])) {
			p.changes = append(p.changes, control.Change{Lane: l.ID, What: control.Adjusted})
		}
	}
	for i, l := range next.Gate.Lanes {
		p.devicesOf(g, g.maker.lane(next, i, nil), l.ID)
	}
	for _, d := range g.fleet.all() {
		if !slices.ContainsFunc(p.devices, func(o *device) bool { return o.lane == d.lane && o.section.ID == d.section.ID }) {
			p.ends = append(p.ends, d)
			p.changes = append(p.changes, control.Change{Lane: d.lane, Device: d.section.ID, What: control.Removed})
		}
	}
	return p, nil
}

func withoutDevices(l passage.Lane) passage.Lane {
	l.Devices = nil
	return l
}

// describe is every lane as its fold sees it, in the order of the file.
func describe(g config.Gate) ([]passage.Lane, error) {
	policy, err := loadPolicy(g.Policy)
	if err != nil {
		return nil, err
	}
	var lanes []passage.Lane
	for _, l := range g.Lanes {
		lanes = append(lanes, passageLane(g, l, policy))
	}
	return lanes, nil
}

// devicesOf takes over from the running devices of a lane those that stay.
func (p *plan) devicesOf(g *gate, fresh []*device, lane string) {
	for _, d := range fresh {
		running := g.fleet.find(lane, d.section.ID)
		change := control.Change{Lane: lane, Device: d.section.ID}
		switch {
		case running == nil:
			change.What = control.Added
			p.begins = append(p.begins, d)
		case !running.same(d):
			change.What = control.Restarted
			p.ends, p.begins = append(p.ends, running), append(p.begins, d)
		default:
			if !reflect.DeepEqual(plain(running.section), plain(d.section)) {
				change.What = control.Adjusted
			}
			stays := *running // with the section of the new file
			stays.section = d.section
			d = &stays
		}
		p.devices = append(p.devices, d)
		if change.What != "" {
			p.changes = append(p.changes, change)
		}
	}
}

// plain is a section without its place in the file.
func plain(d config.Device) config.Device {
	d.Settings = nil
	return d
}

// exchange puts the plan in force. Devices that stay notice nothing. Of those
// that end everything is stored before the lanes' entries; those that begin
// come after them.
func (g *gate) exchange(ctx context.Context, p *plan) error {
	var all sync.WaitGroup
	for _, d := range p.ends {
		all.Go(func() {
			d.stop()
			d.Retire(ctx, "its configuration is exchanged")
		})
	}
	all.Wait()
	for i, l := range g.lanes.All() {
		l.Prepare(p.lanes[i])
	}
	err := mark(ctx, g.journal, p.file.Gate, g.clock, []journal.Stream{journal.Main}, func(e *event.JournalEntry) {
		e.Kind, e.Config = event.EntryConfig, p.file.Digest()
	})
	if err != nil { // the old ones go on
		for _, d := range p.ends {
			d.start(g.work)
		}
		return fmt.Errorf("journal the new configuration: %w", err)
	}
	g.mu.Lock()
	g.file, g.since, g.problems = p.file, time.Now(), nil
	g.mu.Unlock()
	g.folds = p.lanes
	g.fleet.set(p.devices)
	for _, d := range p.begins {
		d.start(g.work)
	}
	return nil
}
