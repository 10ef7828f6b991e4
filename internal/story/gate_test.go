//go:build story

package story_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"gatehouse/internal/event"
	"gatehouse/internal/sim/book"
	"gatehouse/internal/sim/control"
	"gatehouse/internal/sim/scenario"
	"gatehouse/internal/smoke/account"
	"gatehouse/internal/smoke/stage"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	// hardLimit ends a run that hangs, before the test runner would end it
	// without stopping the programs.
	hardLimit = 8 * time.Minute
	// patience is how long anything may take that takes seconds on an idle machine.
	patience = 90 * time.Second
)

// gate is a demo gate of real processes that a test plays with.
type gate struct {
	t        *testing.T
	ctx      context.Context
	stage    *stage.Stage
	root     string
	began    time.Time
	sim      *stage.Process
	daemon   *stage.Daemon
	consoles map[event.Agency]*stage.Process
}

// newGate sets the stage for a scenario of testdata. A failed run keeps its
// folder and prints the ends of all logs.
func newGate(t *testing.T, scene string) *gate {
	root, err := filepath.Abs("../..")
	require.NoError(t, err)
	for _, name := range []string{"gatehouse", "gatehouse-console", "gatehouse-vision", "gatesim"} {
		_, err := os.Stat(filepath.Join(root, "bin", name))
		require.NoError(t, err, "the programs are not built: run `make build`")
	}
	plan, err := scenario.Load(scenePath(root, scene))
	require.NoError(t, err)
	dir, err := os.MkdirTemp("", "gatehouse-story-")
	require.NoError(t, err)
	vision := filepath.Join(dir, "vision")
	require.NoError(t, copyVision(filepath.Join(root, "bin"), vision))
	ctx, cancel := context.WithTimeout(t.Context(), hardLimit)
	g := &gate{t: t, ctx: ctx, root: root, began: time.Now(), consoles: map[event.Agency]*stage.Process{}}
	g.stage, err = stage.New(stage.Options{
		Dir: dir, Programs: filepath.Join(root, "bin"), Vision: vision, Configs: filepath.Join(root, "configs", "demo"), Speed: plan.Speed,
	})
	require.NoError(t, err)
	t.Cleanup(func() {
		cancel()
		g.stage.Close()
		g.tidy(dir)
	})
	return g
}

func scenePath(root, scene string) string {
	return filepath.Join(root, "internal", "story", "testdata", scene)
}

func (g *gate) tidy(dir string) {
	if g.t.Failed() {
		var tails strings.Builder
		if err := g.stage.Tails(&tails, 12); err != nil {
			g.t.Log(err)
		}
		g.t.Log(tails.String())
	}
	if g.t.Failed() || os.Getenv("KEEP") != "" {
		g.t.Logf("everything of this run is kept in %s", dir)
		return
	}
	if err := os.RemoveAll(dir); err != nil {
		g.t.Logf("the folder of the run could not be removed: %v", err)
	}
}

// say tells how the run goes.
func (g *gate) say(format string, args ...any) {
	g.t.Helper()
	g.t.Logf("%5.1f s  %s", time.Since(g.began).Seconds(), fmt.Sprintf(format, args...))
}

// start makes the keys and starts daemon, consoles and then the simulator, so
// that no lorry comes before anybody looks.
func (g *gate) start(scene string) {
	g.t.Helper()
	require.NoError(g.t, g.stage.Init(g.within(patience)))
	g.startDaemon()
	for _, a := range event.Agencies() {
		g.startConsole(a)
	}
	_, err := g.daemon.Ready(g.within(patience))
	require.NoError(g.t, err)
	for _, a := range event.Agencies() {
		require.NoError(g.t, g.stage.AwaitConsole(g.within(patience), a, g.consoles[a]))
	}
	g.sim, err = g.stage.StartSim(scenePath(g.root, scene))
	require.NoError(g.t, err)
	g.until("the simulator to answer", func() (bool, error) {
		_, err := g.status()
		return err == nil, nil
	})
}

func (g *gate) startDaemon() {
	g.t.Helper()
	var err error
	g.daemon, err = g.stage.StartDaemon("")
	require.NoError(g.t, err)
}

func (g *gate) startConsole(a event.Agency) {
	g.t.Helper()
	p, err := g.stage.StartConsole(a, "")
	require.NoError(g.t, err)
	g.consoles[a] = p
}

// end ends everything in order; each program has to end by itself and well.
func (g *gate) end() {
	g.t.Helper()
	require.NoError(g.t, g.sim.Stop(g.within(patience)))
	require.NoError(g.t, g.daemon.Stop(g.within(patience)))
	for _, a := range event.Agencies() {
		require.NoError(g.t, g.consoles[a].Stop(g.within(patience)))
	}
	g.until("the end of all programs", func() (bool, error) { return len(g.stage.Left()) == 0, nil })
}

// within is a deadline for one step.
func (g *gate) within(d time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(g.ctx, d)
	g.t.Cleanup(cancel)
	return ctx
}

// until waits for a condition while all programs live.
func (g *gate) until(what string, holds func() (bool, error)) {
	g.t.Helper()
	var alive []*stage.Process
	for _, p := range []*stage.Process{g.sim, g.consoles[event.Customs], g.consoles[event.BorderGuard]} {
		if p != nil && p.Ended().IsZero() {
			alive = append(alive, p)
		}
	}
	require.NoError(g.t, stage.Until(g.within(patience), what, holds, alive...))
}

// fault plays a fault of the simulator's menu, as a person would.
func (g *gate) fault(name, device string, more ...string) {
	g.t.Helper()
	_, err := g.stage.Output(g.within(patience), "gatesim", append([]string{"fault", name, "--device", device, "--state", g.stage.Path("sim")}, more...)...)
	require.NoError(g.t, err)
}

// clear ends a fault.
func (g *gate) clear(name, device string) {
	g.t.Helper()
	_, err := g.stage.Output(g.within(patience), "gatesim", "clear", name, "--device", device, "--state", g.stage.Path("sim"))
	require.NoError(g.t, err)
}

// status is how the simulator is.
func (g *gate) status() (*control.Status, error) {
	a, err := control.Ask(g.ctx, control.Socket(g.stage.Path("sim")), control.Request{Op: "status"})
	return a.Status, err
}

// truth is what the lorries that are through really were.
func (g *gate) truth() ([]book.Truth, error) {
	b, err := g.books()
	return b.Truth, err
}

// books reads the simulator's books; they are empty before it has begun them.
func (g *gate) books() (account.Books, error) {
	b, err := account.ReadBooks(g.stage.Path("sim"))
	if errors.Is(err, os.ErrNotExist) {
		return account.Books{}, nil
	}
	return b, err
}

// lorry waits for the first lorry that is through and of that kind.
func (g *gate) lorry(what string, is func(book.Truth) bool) book.Truth {
	g.t.Helper()
	var found book.Truth
	g.until("a lorry "+what, func() (bool, error) {
		all, err := g.truth()
		for _, v := range all {
			if !v.Cut && is(v) {
				found = v
				return true, nil
			}
		}
		return false, err
	})
	return found
}

// number is the number in a simulated vehicle's name.
func number(vehicle string) int {
	n, err := strconv.Atoi(strings.TrimLeft(strings.TrimPrefix(vehicle, "sim-"), "0"))
	if err != nil {
		return 0
	}
	return n
}
