//go:build smoke

package smoke_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/stretchr/testify/require"

	"gatehouse/internal/event"
	"gatehouse/internal/fault"
	"gatehouse/internal/smoke/account"
	"gatehouse/internal/smoke/officer"
	"gatehouse/internal/smoke/stage"
)

// reach is how long a fault point may take to be reached. Evidence comes with
// each lorry, some four seconds apart; everything else comes sooner.
const reach = 30 * time.Second

// point is a fault point and the range from which its count is drawn.
type point struct {
	name  string
	least int
	most  int
}

// daemonPoints are all of the daemon's. The counts are spread so that a kill
// meets the lane at different moments, and a run stays short.
func daemonPoints() []point {
	return []point{
		{fault.JournalBeforeSync, 10, 60}, {fault.JournalAfterSync, 10, 60},
		{fault.EvidenceBeforeRename, 1, 3}, {fault.EvidenceAfterRename, 1, 3},
		{fault.ChainBeforeAppend, 2, 15}, {fault.ChainAfterAppend, 2, 15},
		{fault.HandoverBeforePublish, 2, 40}, {fault.HandoverAfterPublish, 2, 40},
		{fault.SayingsBeforeAck, 1, 4},
	}
}

func consolePoints() []point {
	return []point{{fault.ConsoleBeforeCommit, 3, 20}, {fault.ConsoleAfterCommit, 3, 20}}
}

// arm draws a point's count.
func (s *story) arm(p point) string {
	s.planned = append(s.planned, p.name)
	return fmt.Sprintf("%s:%d", p.name, p.least+s.dice.IntN(p.most-p.least+1))
}

// killing plays all rounds: the daemon dies at each of its points in a seeded
// order, and meanwhile each console once at one of its own.
func (s *story) killing() {
	points := daemonPoints()
	s.dice.Shuffle(len(points), func(i, j int) { points[i], points[j] = points[j], points[i] })
	var specs []string
	for _, p := range points {
		specs = append(specs, s.arm(p))
	}
	consoles := consolePoints()
	s.dice.Shuffle(len(consoles), func(i, j int) { consoles[i], consoles[j] = consoles[j], consoles[i] })
	var consoleSpecs []string
	for _, p := range consoles {
		consoleSpecs = append(consoleSpecs, s.arm(p))
	}
	// While the daemon lies dead after these rounds, an officer decides.
	deciding := s.dice.Perm(len(specs))[:2]

	side := make(chan error, 1)
	s.side.Go(func() { side <- s.killConsoles(consoleSpecs) })
	// The first round needs a daemon that is armed, so this run ends in order.
	s.restartInOrder(specs[0])
	for i, spec := range specs {
		dead := s.round(spec)
		for turn, agency := range event.Agencies() {
			if deciding[turn] == i {
				s.verdict(agency, "while the daemon is dead")
			}
		}
		next := ""
		if i+1 < len(specs) {
			next = specs[i+1]
		}
		s.startDaemon(next)
		s.Window(account.Window{From: dead, What: spec})
	}
	ready, err := s.Daemon.Ready(s.within(30 * time.Second))
	require.NoError(s.t, err)
	s.Ready(ready)
	require.NoError(s.t, <-side)
}

// round waits until the daemon dies at its point and says when. A point that
// is not reached in time is noted as not reached, and the daemon killed.
func (s *story) round(spec string) time.Time {
	d := s.Daemon
	began := time.Now()
	if ready, err := d.Ready(s.within(30 * time.Second)); err == nil {
		s.Ready(ready)
	} else if !errors.Is(err, stage.ErrEnded) {
		require.NoError(s.t, err)
	}
	select {
	case <-d.Done():
	case <-time.After(reach):
		s.say("%s was not reached in %s", spec, reach)
		d.Kill()
	case <-s.ctx.Done():
		require.NoError(s.t, s.ctx.Err())
	}
	require.True(s.t, d.Killed(), "the daemon was to die by SIGKILL at %s, and ended otherwise", spec)
	s.killed(spec, began)
	return d.Ended()
}

// killed counts a kill.
func (s *story) killed(spec string, armed time.Time) {
	s.mu.Lock()
	s.kills++
	n := s.kills
	s.mu.Unlock()
	s.say("kill %2d  %s after %.1f s", n, spec, time.Since(armed).Seconds())
}

// restartInOrder ends the daemon with SIGTERM and starts it armed.
func (s *story) restartInOrder(spec string) {
	stopping := time.Now()
	require.NoError(s.t, s.Daemon.Stop(s.within(30*time.Second)))
	s.Window(account.Window{From: stopping, What: "a restart in order"})
	s.startDaemon(spec)
}

// killConsoles kills each console once at a point and starts it again.
func (s *story) killConsoles(specs []string) error {
	for i, a := range event.Agencies() {
		if err := s.killConsole(a, specs[i]); err != nil {
			return err
		}
	}
	return nil
}

func (s *story) killConsole(a event.Agency, spec string) error {
	ctx, cancel := context.WithTimeout(s.ctx, 2*reach)
	defer cancel()
	if err := s.Console(a).Stop(ctx); err != nil {
		return err
	}
	began := time.Now()
	p, err := s.StartConsole(a, spec)
	if err != nil {
		return err
	}
	select {
	case <-p.Done():
	case <-ctx.Done():
		s.say("%s was not reached at %s", spec, a)
		p.Kill()
	}
	if !p.Killed() {
		return fmt.Errorf("the console of %s was to die by SIGKILL at %s, and ended otherwise", a, spec)
	}
	s.killed(string(a)+" "+spec, began)
	if p, err = s.StartConsole(a, ""); err != nil {
		return err
	}
	return s.Stage.AwaitConsole(ctx, a, p)
}

// count compares the points' own log with what was planned.
func (s *story) count() {
	hits, err := s.Stage.Hits()
	require.NoError(s.t, err)
	for _, name := range hits {
		s.reached[name]++
	}
	for _, name := range s.planned {
		if s.reached[name] == 0 {
			s.t.Errorf("fault point %s was never reached", name)
		}
	}
	if len(hits) > s.kills {
		s.t.Errorf("%d fault points were reached and only %d processes died", len(hits), s.kills)
	}
	slices.Sort(s.planned)
	s.planned = slices.Compact(s.planned)
}

// verdict lets an officer decide on the newest passage that has left the lane,
// on its page.
func (s *story) verdict(a event.Agency, when string) {
	s.t.Helper()
	code := event.VerdictCodes()[s.dice.IntN(len(event.VerdictCodes()))]
	s.mu.Lock()
	reason := fmt.Sprintf("%s verdict %d of seed %d %s", a.Account(), len(s.said)+1, s.seed, when)
	s.mu.Unlock()
	var passage, alert event.ID
	require.NoError(s.t, stage.Until(s.within(40*time.Second), "the page of a passage at "+string(a), func() (bool, error) {
		var err error
		if passage, alert, err = officer.Newest(s.ctx, s.Stores[a]); err != nil || passage == "" {
			return false, err
		}
		err = s.officers[a].Decide(s.ctx, passage, alert, code, reason)
		if officer.Stored(s.ctx, s.Stores[a], reason) {
			return true, nil // whatever the answer was, it is on disk
		}
		if err != nil {
			s.say("%s: %v; trying again", a, err)
		}
		return false, nil
	}))
	s.mu.Lock()
	s.said = append(s.said, account.Said{Agency: a, Passage: passage, Code: code, Reason: reason})
	s.mu.Unlock()
	s.say("%s gave %s on %s %s", a, code, passage, when)
}
