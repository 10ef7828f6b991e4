//go:build smoke

package smoke_test

import (
	"context"
	"database/sql"
	"errors"
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
	"gatehouse/internal/smoke/stage"
)

// hardLimit ends a run that hangs, before the test runner would end it without
// stopping the programs.
const hardLimit = 8 * time.Minute

// story is one run: the gate on its stage and what the harness knows itself.
type story struct {
	t     *testing.T
	ctx   context.Context
	stage *stage.Stage
	root  string
	dir   string
	seed  uint64
	dice  *rand.Rand
	began time.Time

	sim      *stage.Process
	daemon   *stage.Daemon
	officers map[event.Agency]*officer
	stores   map[event.Agency]*sql.DB // read only
	key      string                   // the gate's public key, given out of band

	mu       sync.Mutex
	consoles map[event.Agency]*stage.Process
	windows  []account.Window
	said     []account.Said
	kills    int
	reached  map[string]int // fault points
	planned  []string
	watched  time.Time // when the lane was first watched
	unsent   int       // camera messages under way when the simulator ended

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
		officers: map[event.Agency]*officer{}, stores: map[event.Agency]*sql.DB{},
		consoles: map[event.Agency]*stage.Process{}, reached: map[string]int{},
	}
	s.stage, err = stage.New(stage.Options{
		Dir: dir, Programs: filepath.Join(root, "build", "torture"), Vision: vision(root, dir), Configs: filepath.Join(root, "configs", "demo"),
		Speed: speedOf(t, scenario(root)),
	})
	require.NoError(t, err)
	t.Cleanup(func() {
		cancel()
		s.side.Wait()
		s.stage.Close()
		s.tidy()
	})
	return s
}

// scenario is what is played.
func scenario(root string) string { return filepath.Join(root, "configs", "scenarios", "smoke.yaml") }

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
	for _, db := range s.stores {
		_ = db.Close() // it was only read
	}
	if !s.t.Failed() && os.Getenv("KEEP") == "" {
		if err := os.RemoveAll(s.dir); err != nil {
			s.t.Logf("the folder of the run could not be removed: %v", err)
		}
		return
	}
	if s.t.Failed() {
		if err := s.stage.Tails(testWriter{s.t}, 12); err != nil {
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

// start brings everything up: keys, simulator, daemon, consoles, one officer
// at each.
func (s *story) start() {
	require.NoError(s.t, s.stage.Init(s.within(20*time.Second)))
	// The key is taken before the gate has run, as an agency would be given it.
	key, err := os.ReadFile(s.stage.Path("gate", "keys", "gate.pub"))
	require.NoError(s.t, err)
	s.key = s.stage.Path("gate-out-of-band.pub")
	require.NoError(s.t, os.WriteFile(s.key, key, 0o644))

	s.sim, err = s.stage.StartSim(scenario(s.root))
	require.NoError(s.t, err)
	require.NoError(s.t, stage.Until(s.within(20*time.Second), "the simulated ports", func() (bool, error) {
		ports, err := filepath.Glob(s.stage.Path("sim", "dev", "*xray"))
		return len(ports) > 0, err
	}, s.sim))
	s.startDaemon("")
	for _, a := range event.Agencies() {
		s.startConsole(a, "")
	}
	ready, err := s.daemon.Ready(s.within(30 * time.Second))
	require.NoError(s.t, err)
	// Before this the lane had no eyes; lorries were there all the same.
	s.watched = ready.Add(connect)
	s.window(account.Window{To: s.watched, What: "the first start"})
	for _, a := range event.Agencies() {
		s.open(a)
	}
	s.say("gate and consoles are up, each console has its first account")
}

// connect is what devices may need to find the daemon after it is ready.
const connect = 1500 * time.Millisecond

// open waits for a console, makes its first account and opens its store.
func (s *story) open(a event.Agency) {
	require.NoError(s.t, s.stage.AwaitConsole(s.within(20*time.Second), a, s.consoles[a]))
	link, err := s.stage.Output(s.within(10*time.Second), "gatehouse-console", "url", "--config", s.stage.Config(a))
	require.NoError(s.t, err)
	s.officers[a], err = newOfficer(s.within(30*time.Second), a, s.stage.URL(a), strings.TrimSpace(string(link)))
	require.NoError(s.t, err)
	s.stores[a], err = account.Open(s.stage.Path(a.Account()))
	require.NoError(s.t, err)
}

func (s *story) startDaemon(spec string) {
	s.t.Helper()
	var err error
	s.daemon, err = s.stage.StartDaemon(spec)
	require.NoError(s.t, err)
}

func (s *story) startConsole(a event.Agency, spec string) {
	s.t.Helper()
	p, err := s.stage.StartConsole(a, spec)
	require.NoError(s.t, err)
	s.mu.Lock()
	s.consoles[a] = p
	s.mu.Unlock()
}

func (s *story) window(w account.Window) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.windows = append(s.windows, w)
}

// vehicles waits until so many more lorries are through.
func (s *story) vehicles(n int, limit time.Duration) {
	s.t.Helper()
	books, err := s.books()
	require.NoError(s.t, err)
	want := len(books.Truth) + n
	require.NoError(s.t, stage.Until(s.within(limit), fmt.Sprintf("%d more lorries", n), func() (bool, error) {
		books, err := s.books()
		return len(books.Truth) >= want, err
	}, s.sim, s.daemon.Process))
}

// books reads the simulator's books; they are empty before it has begun them.
func (s *story) books() (account.Books, error) {
	b, err := account.ReadBooks(s.stage.Path("sim"))
	if errors.Is(err, os.ErrNotExist) {
		return account.Books{}, nil
	}
	return b, err
}
