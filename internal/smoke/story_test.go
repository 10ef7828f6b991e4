//go:build smoke

package smoke_test

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/stretchr/testify/require"

	"gatehouse/internal/event"
	"gatehouse/internal/smoke/account"
	"gatehouse/internal/smoke/officer"
	"gatehouse/internal/smoke/play"
	"gatehouse/internal/smoke/stage"
)

// hardLimit ends a run that hangs, before the test runner would end it without
// stopping the programs.
const hardLimit = 8 * time.Minute

// story is one run: the gate that plays and what the harness knows itself.
type story struct {
	*play.Play
	t     *testing.T
	ctx   context.Context
	root  string
	dir   string
	seed  uint64
	dice  *rand.Rand
	began time.Time

	officers map[event.Agency]*officer.Officer

	mu      sync.Mutex
	said    []account.Said
	kills   int
	reached map[string]int // fault points
	planned []string

	side sync.WaitGroup // what runs beside the story
}

// newStory sets the stage. A failed run keeps its folder and prints the ends
// of all logs.
func newStory(t *testing.T, seed uint64, vision func(root, dir string) string) *story {
	root, err := filepath.Abs("../..")
	require.NoError(t, err)
	dir, err := os.MkdirTemp("", "gatehouse-smoke-")
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), hardLimit)
	s := &story{
		t: t, ctx: ctx, root: root, dir: dir, seed: seed, dice: rand.New(rand.NewPCG(seed, 0x736d6f6b65)), began: time.Now(),
		officers: map[event.Agency]*officer.Officer{}, reached: map[string]int{},
	}
	scenario := filepath.Join(root, "configs", "scenarios", "smoke.yaml")
	s.Play, err = play.New(play.Options{
		Stage: stage.Options{
			Dir: dir, Programs: filepath.Join(root, "build", "torture"), Vision: vision(root, dir), Configs: filepath.Join(root, "configs", "demo"),
			Speed: speedOf(t, scenario),
		},
		Scenario: scenario, Say: s.say,
	})
	require.NoError(t, err)
	t.Cleanup(func() {
		cancel()
		s.side.Wait()
		s.Close()
		s.tidy()
	})
	return s
}

// speedOf is how fast a scenario plays.
func speedOf(t *testing.T, path string) float64 {
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	var s struct {
		Speed float64 `yaml:"speed"`
	}
	require.NoError(t, yaml.Unmarshal(text, &s))
	require.Positive(t, s.Speed)
	return s.Speed
}

// built is where the vision worker is built.
func built(root, _ string) string { return filepath.Join(root, "bin") }

func (s *story) tidy() {
	if !s.t.Failed() && os.Getenv("KEEP") == "" {
		if err := os.RemoveAll(s.dir); err != nil {
			s.t.Logf("the folder of the run could not be removed: %v", err)
		}
		return
	}
	if s.t.Failed() {
		if err := s.Stage.Tails(testWriter{s.t}, 12); err != nil {
			s.t.Log(err)
		}
	}
	s.t.Logf("everything of this run is kept in %s; SEED=%d repeats it", s.dir, s.seed)
}

// testWriter writes to the test's log.
type testWriter struct{ t *testing.T }

func (w testWriter) Write(b []byte) (int, error) {
	w.t.Log(strings.TrimRight(string(b), "\n"))
	return len(b), nil
}

var _ io.Writer = testWriter{}

// say tells how the run goes.
func (s *story) say(format string, args ...any) {
	s.t.Helper()
	s.t.Logf("%5.1f s  %s", time.Since(s.began).Seconds(), fmt.Sprintf(format, args...))
}

// within is a deadline for one step.
func (s *story) within(d time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(s.ctx, d)
	s.t.Cleanup(cancel)
	return ctx
}

// start brings everything up, with one officer at each console.
func (s *story) start() {
	require.NoError(s.t, s.Begin(s.within(60*time.Second)))
	for _, a := range event.Agencies() {
		link, err := s.Stage.Output(s.within(10*time.Second), "gatehouse-console", "url", "--config", s.Stage.Config(a))
		require.NoError(s.t, err)
		s.officers[a], err = officer.New(s.within(30*time.Second), a, s.Stage.URL(a), strings.TrimSpace(string(link)))
		require.NoError(s.t, err)
	}
	s.say("gate and consoles are up, each console has its first account")
}

func (s *story) startDaemon(spec string) {
	s.t.Helper()
	require.NoError(s.t, s.StartDaemon(spec))
}

// vehicles waits until so many more lorries and persons are through.
func (s *story) vehicles(n int, limit time.Duration) {
	s.t.Helper()
	require.NoError(s.t, s.Vehicles(s.within(limit), n))
}
