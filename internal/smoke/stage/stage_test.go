package stage_test

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"gatehouse/internal/event"
	"gatehouse/internal/smoke/stage"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// newStage is a stage whose programs are shell scripts.
func newStage(t *testing.T, scripts map[string]string) (*stage.Stage, string) {
	programs := t.TempDir()
	for name, text := range scripts {
		require.NoError(t, os.WriteFile(filepath.Join(programs, name), []byte("#!/bin/sh\n"+text+"\n"), 0o755))
	}
	dir, err := filepath.EvalSymlinks(t.TempDir())
	require.NoError(t, err)
	s, err := stage.New(stage.Options{Dir: dir, Programs: programs, Vision: programs, Configs: "../../../configs/demo"})
	require.NoError(t, err)
	t.Cleanup(s.Close)
	return s, dir
}

func TestConfigurationsDifferFromTheDemoInPortsOnly(t *testing.T) {
	s, dir := newStage(t, nil)
	for _, name := range []string{"gate.yaml", "customs.yaml", "borderguard.yaml"} {
		demo, err := os.ReadFile(filepath.Join("../../../configs/demo", name))
		require.NoError(t, err)
		derived, err := os.ReadFile(filepath.Join(dir, name))
		require.NoError(t, err)
		was, is := strings.Split(string(demo), "\n"), strings.Split(string(derived), "\n")
		require.Len(t, is, len(was))
		for i := range was {
			if was[i] != is[i] {
				require.Contains(t, was[i], "127.0.0.1:")
				before, _, _ := strings.Cut(was[i], "127.0.0.1:")
				require.True(t, strings.HasPrefix(is[i], before+"127.0.0.1:"), is[i])
			}
		}
		for _, port := range []string{":14222", ":11883", ":8081\n", ":8082\n"} {
			require.NotContains(t, string(derived), port)
		}
	}
	require.NotEqual(t, s.URL(event.Customs), s.URL(event.BorderGuard))
}

func TestPortsThatConsolesUseElsewhereAreNotOfferedAgain(t *testing.T) {
	dir := t.TempDir()
	s, err := stage.New(stage.Options{
		Dir: dir, Programs: dir, Vision: dir, Configs: "../../../configs/demo",
		Hosts: map[event.Agency]string{event.Customs: "198.18.0.2"},
	})
	require.NoError(t, err)
	here := func(a event.Agency) error {
		_, port, err := net.SplitHostPort(strings.TrimPrefix(s.URL(a), "http://"))
		require.NoError(t, err)
		l, err := net.Listen("tcp", "127.0.0.1:"+port)
		if err == nil {
			_ = l.Close()
		}
		return err
	}
	require.Error(t, here(event.Customs), "it listens elsewhere")
	require.NoError(t, here(event.BorderGuard), "it will listen here")
	s.Close()
	require.NoError(t, here(event.Customs))
}

func TestQuickTrafficHasQuickLimits(t *testing.T) {
	dir := t.TempDir()
	s, err := stage.New(stage.Options{Dir: dir, Programs: dir, Vision: dir, Configs: "../../../configs/demo", Speed: 5})
	require.NoError(t, err)
	t.Cleanup(s.Close)
	text, err := os.ReadFile(filepath.Join(dir, "gate.yaml"))
	require.NoError(t, err)
	var gate struct {
		Lanes []struct{ Join map[string]string }
	}
	require.NoError(t, yaml.Unmarshal(text, &gate))
	require.Len(t, gate.Lanes, 2)
	for _, lane := range gate.Lanes {
		for _, name := range []string{"before", "after", "missing_end", "resume", "tail_gate"} {
			d, err := time.ParseDuration(lane.Join[name])
			require.NoError(t, err, "%s of %v", name, lane.Join)
			require.Less(t, d, 10*time.Second)
		}
	}
	require.Equal(t, "2s", gate.Lanes[0].Join["resume"], "a limit that the file leaves out")
}

func TestAKilledProgramIsToldFromOneThatEnded(t *testing.T) {
	s, dir := newStage(t, map[string]string{
		"dies":  `echo "$GATEHOUSE_FAULT" | cut -d: -f1 >> "$GATEHOUSE_FAULT_LOG"; echo gone >&2; kill -9 $$`,
		"ends":  `exit 0`,
		"stays": `trap 'exit 0' TERM; echo up; while :; do sleep 0.05; done`,
	})
	p, err := s.Start("one", s.Arm("journal.before-sync:3"), "dies")
	require.NoError(t, err)
	<-p.Done()
	require.True(t, p.Killed())
	hits, err := s.Hits()
	require.NoError(t, err)
	require.Equal(t, []string{"journal.before-sync"}, hits)

	p, err = s.Start("two", nil, "ends")
	require.NoError(t, err)
	<-p.Done()
	require.False(t, p.Killed())

	p, err = s.Start("three", nil, "stays")
	require.NoError(t, err)
	require.False(t, p.Killed())
	require.True(t, p.Ended().IsZero())
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	require.NoError(t, stage.Until(ctx, "its words", func() (bool, error) {
		text, err := os.ReadFile(filepath.Join(dir, "log", "three.out"))
		return strings.Contains(string(text), "up"), err
	}, p))
	require.NotEmpty(t, s.Left())
	require.NoError(t, p.Stop(ctx))
	require.False(t, p.Killed())

	var tails strings.Builder
	require.NoError(t, s.Tails(&tails, 3))
	require.Contains(t, tails.String(), "gone")
}

func TestCloseLeavesNothingBehind(t *testing.T) {
	s, _ := newStage(t, map[string]string{"parent": `setsid sleep 600 & while :; do sleep 0.05; done`})
	_, err := s.Start("parent", nil, "parent")
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	require.NoError(t, stage.Until(ctx, "the child in a group of its own", func() (bool, error) {
		return strings.Count(strings.Join(s.Left(), " "), "sleep") > 0, nil
	}))
	require.NoError(t, stage.Until(ctx, "figures of memory", func() (bool, error) {
		return s.Peaks()["sh"] > 0 && len(s.Samples()["parent"]) > 0 && len(s.Samples()["sleep"]) > 0, nil
	}))
	first := s.Samples()["parent"][0]
	require.Positive(t, first.Resident)
	require.Equal(t, 1, first.Threads)
	s.Kill()
	require.NoError(t, stage.Until(ctx, "the end of all", func() (bool, error) { return len(s.Left()) == 0, nil }))
}

func TestGoroutinesAreCounted(t *testing.T) {
	const list = `SCHED %s: gomaxprocs=2 idleprocs=2 threads=6
  P0: status=0 schedtick=55
  M5: p=nil curg=nil
  G1: status=4(sleep) m=nil lockedm=nil
  G2: status=6() m=nil lockedm=nil
time=2026 level=INFO msg="G7: status=4 is in a log line"
  G3: status=4(select) m=nil lockedm=nil
`
	s, _ := newStage(t, map[string]string{"traced": "cat >&2 <<END\n" + strings.ReplaceAll(list, "%s", "10ms") + strings.ReplaceAll(list, "%s", "10010ms") + "SCHED 2\nEND"})
	p, err := s.Start("traced", nil, "traced")
	require.NoError(t, err)
	<-p.Done()
	counts, err := s.Goroutines("traced")
	require.NoError(t, err)
	require.Equal(t, []stage.Goroutines{{Since: 10 * time.Millisecond, N: 2}}, counts, "the last list may not be whole")
	_, err = s.Goroutines("unknown")
	require.Error(t, err)
}

func TestUntilGivesUpWhenAProgramEnds(t *testing.T) {
	s, _ := newStage(t, map[string]string{"ends": `exit 3`})
	p, err := s.Start("one", nil, "ends")
	require.NoError(t, err)
	err = stage.Until(t.Context(), "never", func() (bool, error) { return false, nil }, p)
	require.ErrorIs(t, err, stage.ErrEnded)
	require.ErrorContains(t, err, "exit status 3")
}
