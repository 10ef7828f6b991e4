//go:build faults

package faults_test

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/stretchr/testify/require"

	"gatehouse/internal/event"
	"gatehouse/internal/smoke/account"
	"gatehouse/internal/smoke/play"
	"gatehouse/internal/smoke/stage"
	"gatehouse/internal/story/faults"
)

// scene is what the harness has to know of the scenario.
type scene struct {
	Speed  float64 `yaml:"speed"`
	Faults []struct {
		Lane    string        `yaml:"lane"`
		Fault   string        `yaml:"fault"`
		Device  string        `yaml:"device"`
		At      time.Duration `yaml:"at"`
		For     time.Duration `yaml:"for"`
		Vehicle int           `yaml:"vehicle"`
	} `yaml:"faults"`
}

// afterwards is how long traffic goes on after the last fault, so that what it
// did comes to its end.
const afterwards = 25 * time.Second

// TestMenu plays every fault of the scenario and looks for what it shows.
func TestMenu(t *testing.T) {
	root, err := filepath.Abs("../../..")
	require.NoError(t, err)
	path := filepath.Join(root, "configs", "scenarios", "faults.yaml")
	if only := os.Getenv("SCENARIO"); only != "" {
		path = only
	}
	plan := read(t, path)
	var last time.Duration
	for _, f := range plan.Faults {
		last = max(last, f.At+f.For)
	}
	dir, err := os.MkdirTemp("", "gatehouse-faults-")
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), last+8*time.Minute)
	defer cancel()
	began := time.Now()
	say := func(format string, args ...any) {
		t.Helper()
		t.Logf("%6.1f s  %s", time.Since(began).Seconds(), fmt.Sprintf(format, args...))
	}
	p, err := play.New(play.Options{
		Stage: stage.Options{
			Dir: dir, Programs: filepath.Join(root, "bin"), Vision: filepath.Join(root, "bin"), Configs: filepath.Join(root, "configs", "demo"), Speed: plan.Speed,
		},
		Scenario: path, Say: say,
	})
	require.NoError(t, err)
	t.Cleanup(func() {
		p.Close()
		if !t.Failed() && os.Getenv("KEEP") == "" {
			require.NoError(t, os.RemoveAll(dir))
			return
		}
		t.Logf("everything of this run is kept in %s", dir)
	})
	require.NoError(t, p.Begin(ctx))
	say("gate and consoles are up; %d faults over %s", len(plan.Faults), last)
	through(ctx, t, p, len(plan.Faults), say)
	if err := p.End(ctx, time.Minute); err != nil {
		t.Error(err)
	}
	c, err := p.Case(ctx, account.Case{Findings: true})
	require.NoError(t, err)
	tell(ctx, t, c, p.Stores, filepath.Join(root, "build"))
}

// TestKept judges a run that was kept anew: FOLDER names it.
func TestKept(t *testing.T) {
	folder := os.Getenv("FOLDER")
	if folder == "" {
		t.Skip("FOLDER is not set")
	}
	c, stores, err := play.Kept(t.Context(), folder, account.Case{Findings: true})
	require.NoError(t, err)
	for _, db := range stores {
		t.Cleanup(func() { require.NoError(t, db.Close()) })
	}
	tell(t.Context(), t, c, stores, t.TempDir())
}

func read(t *testing.T, path string) scene {
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	var s scene
	require.NoError(t, yaml.Unmarshal(text, &s))
	require.Positive(t, s.Speed)
	require.NotEmpty(t, s.Faults)
	return s
}

// through waits until all planned faults were played and are over, and for a
// while after that.
func through(ctx context.Context, t *testing.T, p *play.Play, planned int, say func(string, ...any)) {
	told := time.Now()
	require.NoError(t, stage.Until(ctx, "the end of all faults", func() (bool, error) {
		b, err := p.Books()
		if err != nil {
			return false, err
		}
		ended := 0
		for _, c := range b.Faults {
			if c.Phase == "ended" {
				ended++
			}
		}
		if time.Since(told) > time.Minute {
			told = time.Now()
			say("%d of %d faults are over, %d vehicles and persons through", ended, planned, len(b.Truth))
		}
		return ended >= planned, nil
	}, p.Sim, p.Daemon.Process))
	say("all faults are over; clean traffic follows")
	timer := time.NewTimer(afterwards)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
		require.NoError(t, ctx.Err())
	}
}

// tell judges, prints the table and writes it.
func tell(ctx context.Context, t *testing.T, c account.Case, stores map[event.Agency]*sql.DB, build string) {
	c.All, c.Lag = true, 250*time.Millisecond
	played := faults.Gather(c.Books)
	for _, f := range played { // gaps that a fault explains are no surprise
		c.Faults = append(c.Faults, account.Window{From: heard(c.Books, f), To: f.To.Add(reach), Device: f.Device, What: f.Fault})
	}
	report := account.Judge(c)
	report.Problems = slices.DeleteFunc(report.Problems, func(p account.Problem) bool { return excused(p, played) })
	var sites []*faults.Site
	for i, a := range event.Agencies() {
		h, err := account.LoadHistory(ctx, stores[a])
		require.NoError(t, err)
		sites = append(sites, faults.Sight(c.Books, c.Stores[i], h, report.Problems))
	}
	outcomes, missing := faults.Judge(played, faults.Kinds(c.Books), sites)
	fmt.Println()
	require.NoError(t, faults.Print(os.Stdout, outcomes))
	require.NoError(t, os.MkdirAll(build, 0o755))
	f, err := os.Create(filepath.Join(build, "faults.md"))
	require.NoError(t, err)
	require.NoError(t, faults.Markdown(f, outcomes, missing))
	require.NoError(t, f.Close())
	good := 0
	for _, o := range outcomes {
		if o.OK {
			good++
			continue
		}
		t.Errorf("%s on %s does not show as it should:\n  %s", o.Fault, o.Device, strings.Join(o.Seen, "\n  "))
	}
	if os.Getenv("SCENARIO") == "" {
		for _, m := range missing {
			t.Error(m)
		}
	}
	for _, problem := range report.Problems {
		if grave(problem.Kind) {
			t.Error(problem)
		} else {
			t.Log(problem)
		}
	}
	figures := report.Figures
	fmt.Printf("\nfaults: %d of %d show as they should; %d passages, frames %d sent, %d in gaps, %d pieces of damaged ones, lost %d, doubled %d; consoles equal: %v; table in build/faults.md\n",
		good, len(outcomes), figures.Passages, figures.Frames, figures.InGaps, figures.Pieces, figures.Lost, figures.Doubled, len(c.Differences) == 0)
}

// heard is when a device had sent its last frame before a fault began: a gap
// begins there, and readers and cameras send when somebody comes.
func heard(b account.Books, f faults.Played) time.Time {
	last := f.From
	for _, l := range b.Ledger {
		if l.Lane == f.Device.Lane && l.Device == f.Device.Name && l.At.Before(f.From) {
			last = l.At
		}
	}
	return last
}

// reach is how long after a fault a device may need to be back, what a link
// carries then included.
const reach = 4 * time.Second

// excused says that a fault left behind what nobody sent as it was read: a part
// of a frame where a line broke off, half a file that was never announced whole.
func excused(p account.Problem, played []faults.Played) bool {
	return p.Kind == account.FrameInvented && slices.ContainsFunc(played, func(f faults.Played) bool {
		for name, until := range map[string]time.Duration{
			"unplug": reach, "wrong-baud": reach, "parity": reach, "xoff": reach, "silence": reach, "half-written": time.Minute,
		} {
			if f.Fault == name && f.Device == p.Device && !p.At.Before(f.From) && p.At.Before(f.To.Add(until)) {
				return true
			}
		}
		return false
	})
}

// grave are problems that no fault of a device excuses.
func grave(k account.Kind) bool {
	switch k {
	case account.FrameLost, account.FrameDoubled, account.FrameInvented, account.StoresDiffer, account.EventDoubled, account.EventSuspect,
		account.ChainHole, account.VersionHole, account.EvidenceLost, account.GapTooLong:
		return true
	}
	return false
}
