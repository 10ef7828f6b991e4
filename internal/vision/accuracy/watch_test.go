//go:build eval

package accuracy_test

import (
	"encoding/json"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"gatehouse/internal/vision/watch"
)

// TestEvalConvoy prints what watching makes of the rendered convoy in
// GATEHOUSE_CONVOY: ten lorries with like plates, one close behind another, one
// that backs out.
func TestEvalConvoy(t *testing.T) {
	dir := os.Getenv("GATEHOUSE_CONVOY")
	if dir == "" {
		t.Skip("SKIPPED: GATEHOUSE_CONVOY names no folder; make eval-watch draws the clip")
	}
	text, err := os.ReadFile(filepath.Join(dir, "convoy.json"))
	require.NoError(t, err)
	var truth struct {
		Plates   []string `json:"plates"`
		Reverses string   `json:"reverses"`
		Frames   int      `json:"frames"`
		FPS      int      `json:"fps"`
	}
	require.NoError(t, json.Unmarshal(text, &truth))
	var got []watch.Vehicle
	cfg := watch.Config{Source: filepath.Join(dir, "convoy.mp4"), Log: slog.New(slog.DiscardHandler)}
	plates := analyser(t)
	before := processorTime(t)
	stats, err := watch.New(cfg, plates).Run(t.Context(), func(v watch.Vehicle) error { got = append(got, v); return nil })
	require.NoError(t, err)
	var texts []string
	for _, v := range got {
		for _, p := range v.Plates {
			t.Logf("vehicle %d, %.1f to %.1f s, %s, reversed %v, %d frames: %q %s %s score %.2f, read in %d of %d", v.Vehicle, v.From, v.To,
				v.Direction, v.Reversed, v.Frames, p.Text, p.Country, p.Kind, p.Score, p.Votes, p.Frames)
		}
		texts = append(texts, v.Plates[0].Text)
		if v.Plates[0].Text == truth.Reverses {
			require.True(t, v.Reversed, "the lorry that backed out")
		}
	}
	used, length := processorTime(t)-before, time.Duration(truth.Frames)*time.Second/time.Duration(truth.FPS)
	t.Logf("%d frames, %d looked at, %v behind the clip's own time; %v of processor time for %v of clip", stats.Frames, stats.Looks,
		stats.Behind.Round(time.Millisecond), used.Round(time.Millisecond), length)
	require.Less(t, used, 2*length, "two cores keep up")
	require.ElementsMatch(t, truth.Plates, texts)
}

// processorTime is what this process has used on all cores, decoding included.
// Unlike the time that passes it says the same on a busy machine.
func processorTime(t *testing.T) time.Duration {
	t.Helper()
	var u unix.Rusage
	require.NoError(t, unix.Getrusage(unix.RUSAGE_SELF, &u))
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
