//go:build soak

package soak_test

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatehouse/internal/event"
	"gatehouse/internal/smoke/account"
	"gatehouse/internal/smoke/play"
	"gatehouse/internal/smoke/stage"
)

// What is played unless MINUTES and SPEED say otherwise.
const (
	minutes      = 60 // simulated
	speed        = 5  // simulated seconds in a real one: twelve minutes
	shortMinutes = 8  // SOAK=short
	brokenFor    = 6  // minutes of the run with a planted mistake
	beyond       = 6 * time.Minute
)

// TestSoak plays the hour and judges it.
func TestSoak(t *testing.T) {
	s := newSoak(t, number(t, "MINUTES", pick(minutes, shortMinutes)), nil)
	s.play()
	report := s.judge(5)
	s.print(report)
	for _, p := range report.Problems {
		t.Error(p)
	}
	s.level()
}

// TestSoakNoticesASilencedRule plants a mistake: the lanes' policy keeps one
// finding at the gate. The account has to say that it was missed, and no more.
func TestSoakNoticesASilencedRule(t *testing.T) {
	if short() {
		t.Skip("SOAK=short plays no second gate")
	}
	s := newSoak(t, brokenFor, silence)
	s.play()
	report := s.judge(1)
	missed := 0
	for _, p := range report.Problems {
		t.Log(p)
		if p.Kind == account.FindingLost && strings.HasPrefix(p.Text, silenced) {
			missed++
			continue
		}
		if p.Kind == account.FindingLost && strings.HasSuffix(p.Text, "in all") {
			continue
		}
		t.Errorf("only %s was silenced: %s", silenced, p)
	}
	require.NotZero(t, missed, "with %s silenced the account has nothing to say", silenced)
	f := report.Figures.Findings[silenced]
	require.Zero(t, f.Found)
	fmt.Printf("soak: with %s silenced by the lane's policy, %d of %d planted were told as missed\n", silenced, f.Missed, f.Planted)
}

// TestKept judges a run that was kept anew: FOLDER names it.
func TestKept(t *testing.T) {
	folder := os.Getenv("FOLDER")
	if folder == "" {
		t.Skip("FOLDER is not set")
	}
	c, stores, err := play.Kept(t.Context(), folder, account.Case{Vision: true, PlatesWanted: 0.5, CleanWanted: 5, Findings: true})
	require.NoError(t, err)
	for _, db := range stores {
		t.Cleanup(func() { require.NoError(t, db.Close()) })
	}
	report := account.Judge(c)
	printCodes(report.Figures.Findings)
	fmt.Printf("lanes: %+v, explained %d\n", report.Figures.Lanes, len(report.Figures.Explained))
	for _, p := range report.Problems {
		t.Error(p)
	}
}

// silenced is the finding that the planted mistake keeps from the agencies.
const silenced = event.FindingWeightDeclared

// silence puts the mistake into the gate's configuration.
func silence(name string, text []byte) []byte {
	if name != "gate.yaml" {
		return text
	}
	lane := "  - id: \"01\"\n"
	return []byte(strings.Replace(string(text), lane, lane+"    policy: [{code: "+silenced+", mode: shadow}]\n", 1))
}

func short() bool { return os.Getenv("SOAK") == "short" }

func pick(long, brief float64) float64 {
	if short() {
		return brief
	}
	return long
}

func number(t *testing.T, name string, otherwise float64) float64 {
	text := os.Getenv(name)
	if text == "" {
		return otherwise
	}
	v, err := strconv.ParseFloat(text, 64)
	require.NoError(t, err, "%s must be a number", name)
	require.Positive(t, v, "%s must be above 0", name)
	return v
}

// soak is one run.
type soak struct {
	*play.Play
	t       *testing.T
	ctx     context.Context
	root    string
	dir     string
	minutes float64
	speed   float64
	began   time.Time
	ended   time.Time // when the simulator had sent its last
}

func newSoak(t *testing.T, minutes float64, edit func(string, []byte) []byte) *soak {
	root, err := filepath.Abs("../..")
	require.NoError(t, err)
	dir, err := os.MkdirTemp("", "gatehouse-soak-")
	require.NoError(t, err)
	s := &soak{t: t, root: root, dir: dir, minutes: minutes, speed: number(t, "SPEED", speed), began: time.Now()}
	ctx, cancel := context.WithTimeout(t.Context(), s.real()+beyond)
	s.ctx = ctx
	vision := filepath.Join(dir, "bin")
	require.NoError(t, worker(filepath.Join(root, "bin"), vision))
	s.Play, err = play.New(play.Options{
		Stage: stage.Options{
			Dir: dir, Programs: filepath.Join(root, "bin"), Vision: vision, Configs: filepath.Join(root, "configs", "demo"),
			Speed: s.speed, Edit: edit, Environment: []string{stage.Traced},
		},
		Scenario: filepath.Join(root, "configs", "scenarios", "soak.yaml"), Say: s.say,
		Sim: []string{"--speed", fmt.Sprint(s.speed), "--duration", s.real().String()},
	})
	require.NoError(t, err)
	t.Cleanup(func() {
		cancel()
		s.Close()
		if !t.Failed() && os.Getenv("KEEP") == "" {
			require.NoError(t, os.RemoveAll(dir))
			return
		}
		if t.Failed() {
			var tails strings.Builder
			require.NoError(t, s.Stage.Tails(&tails, 12))
			t.Log(tails.String())
		}
		t.Logf("everything of this run is kept in %s", dir)
	})
	return s
}

// worker links the programs into a folder where the vision worker is started
// without the tracing of goroutines, which it has none of.
func worker(from, to string) error {
	if err := play.Links(from, to); err != nil {
		return err
	}
	path := filepath.Join(to, "gatehouse-vision")
	if err := os.Remove(path); err != nil {
		return err
	}
	script := fmt.Sprintf("#!/bin/sh\nunset GODEBUG\nexec %q \"$@\"\n", filepath.Join(from, "gatehouse-vision"))
	return os.WriteFile(path, []byte(script), 0o755)
}

// real is how long the traffic lasts on the wall clock.
func (s *soak) real() time.Duration {
	return time.Duration(s.minutes / s.speed * float64(time.Minute))
}

func (s *soak) say(format string, args ...any) {
	s.t.Helper()
	s.t.Logf("%6.1f s  %s", time.Since(s.began).Seconds(), fmt.Sprintf(format, args...))
}

// play brings the gate up, lets the traffic through and ends it in order.
func (s *soak) play() {
	s.say("%.0f minutes of simulated traffic at %g times real time", s.minutes, s.speed)
	require.NoError(s.t, s.Begin(s.ctx))
	s.say("gate and consoles are up")
	tick := time.NewTicker(time.Minute)
	defer tick.Stop()
	for running := true; running; {
		select {
		case <-s.Sim.Done():
			running = false
		case <-s.Daemon.Done():
			require.Fail(s.t, "the daemon has ended")
		case <-s.ctx.Done():
			require.NoError(s.t, s.ctx.Err())
		case <-tick.C:
			s.progress()
		}
	}
	s.ended = time.Now()
	if err := s.End(s.ctx, 2*time.Minute); err != nil {
		s.t.Error(err)
	}
}

func (s *soak) progress() {
	books, err := s.Books()
	require.NoError(s.t, err)
	lanes := map[string]int{}
	for _, t := range books.Truth {
		lanes[t.Lane]++
	}
	var text []string
	for _, lane := range slices.Sorted(maps.Keys(lanes)) {
		text = append(text, fmt.Sprintf("lane %s: %d", lane, lanes[lane]))
	}
	for name, list := range s.Stage.Samples() {
		if len(list) > 0 {
			text = append(text, fmt.Sprintf("%s %d MB", name, list[len(list)-1].Resident>>20))
		}
	}
	slices.Sort(text)
	s.say("%s", strings.Join(text, ", "))
}

// judge makes the account; so many of each lane have to be clean.
func (s *soak) judge(clean int) account.Report {
	c, err := s.Case(s.ctx, account.Case{Vision: true, PlatesWanted: 0.5, CleanWanted: clean, Findings: true})
	require.NoError(s.t, err)
	return account.Judge(c)
}
