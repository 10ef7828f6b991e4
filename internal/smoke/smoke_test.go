//go:build smoke

package smoke_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
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
)

// TestSmoke plays the demo gate, kills it everywhere and accounts for all of it.
func TestSmoke(t *testing.T) {
	s := newStory(t, seedOf(t), built)
	s.say("seed %d; repeat with SEED=%d", s.seed, s.seed)
	s.start()
	s.vehicles(3, time.Minute)
	for _, a := range event.Agencies() {
		s.verdict(a, "while all is well")
	}
	s.killing()
	s.say("all kill rounds are over; clean traffic follows")
	s.vehicles(8, 2*time.Minute)
	s.end()
	s.count()
	report := s.judge(account.Case{Vision: true, PlatesWanted: 0.5, CleanWanted: 2, Findings: true})
	s.exports()
	s.tell(report)
	for _, p := range report.Problems {
		t.Error(p)
	}
}

// TestSmokeWithoutWorker shows that the account notices when no picture was
// ever looked at. It is for running by hand.
func TestSmokeWithoutWorker(t *testing.T) {
	if os.Getenv("SMOKE_WITHOUT_VISION") == "" {
		t.Skip("SMOKE_WITHOUT_VISION is not set")
	}
	s := newStory(t, seedOf(t), withoutWorker(t))
	s.start()
	s.vehicles(4, time.Minute)
	s.end()
	report := s.judge(account.Case{Vision: true, PlatesWanted: 0.5})
	noticed := 0
	for _, p := range report.Problems {
		t.Log(p)
		if p.Kind == account.VisionFailed {
			noticed++
			continue
		}
		t.Errorf("only vision should have failed: %s", p)
	}
	require.NotZero(t, noticed, "with the worker deleted the account has nothing to say")
}

// withoutWorker copies the folder of the worker by links and deletes the worker
// from the copy.
func withoutWorker(t *testing.T) func(root, dir string) string {
	return func(root, dir string) string {
		bin := filepath.Join(dir, "bin")
		require.NoError(t, play.Links(filepath.Join(root, "bin"), bin))
		require.NoError(t, os.Remove(filepath.Join(bin, "gatehouse-vision")))
		return bin
	}
}

func seedOf(t *testing.T) uint64 {
	text := os.Getenv("SEED")
	if text == "" {
		return rand.Uint64N(1_000_000)
	}
	seed, err := strconv.ParseUint(text, 10, 64)
	require.NoError(t, err, "SEED must be a number")
	return seed
}

// tell prints the figures in one line and leaves them in build/smoke.json.
func (s *story) tell(r account.Report) {
	out := result{
		Seed: s.seed, Seconds: time.Since(s.began).Seconds(), Kills: s.kills, Points: s.reached, Planned: s.planned,
		Memory: s.Stage.Peaks(), Figures: r.Figures, Problems: []string{},
	}
	for _, p := range r.Problems {
		out.Problems = append(out.Problems, p.String())
	}
	require.NoError(s.t, out.write(filepath.Join(s.root, "build", "smoke.json")))
	fmt.Println(out.line(len(s.planned)))
}

// line is the run in one line.
func (r result) line(planned int) string {
	f := r.Figures
	var b strings.Builder
	fmt.Fprintf(&b, "smoke: seed %d, %.0f s, kills %d, points %d/%d, frames %d (in gaps %d, redelivered %d), vehicles %d (clean %d, in the wake of a gap %d), passages %d, alerts %d, verdicts %d, lost %d, doubled %d",
		r.Seed, r.Seconds, r.Kills, len(r.Points), planned, f.Frames, f.InGaps, f.Redelivered, f.Vehicles, f.Clean, f.Wake, f.Passages, f.Alerts, f.Verdicts, f.Lost, f.Doubled)
	for _, a := range event.Agencies() {
		l := f.Latency[a]
		fmt.Fprintf(&b, ", device to %s p50/p99 %.0f/%.0f ms of %d (all %.0f/%.0f of %d)", a.Account(),
			l.Quiet.P50, l.Quiet.P99, l.Quiet.N, l.All.P50, l.All.P99, l.All.N)
	}
	fmt.Fprintf(&b, ", plates %d/%d, threats alerted %d/%d, gaps %d (worst excess %d ms), peak MB", f.PlatesRead, f.Plates, f.ThreatsAlerted, f.Threats, f.Gaps, f.WorstGapExcess)
	for _, name := range slices.Sorted(maps.Keys(r.Memory)) {
		fmt.Fprintf(&b, " %s %d", name, r.Memory[name]>>20)
	}
	return b.String()
}
