package watch_test

import (
	"context"
	"image"
	"image/color"
	"io/fs"
	"log/slog"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
	"gocv.io/x/gocv"

	"gatehouse/internal/vision/plate"
	"gatehouse/internal/vision/visiontest"
	"gatehouse/internal/vision/watch"
)

// standing is a film of a plate that does not move, as the tiny models know it.
func standing(t *testing.T, frames int) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "film.avi")
	w, err := gocv.VideoWriterFile(path, "MJPG", 25, 320, 240, true)
	require.NoError(t, err)
	frame := gocv.NewMatWithSizeFromScalar(gocv.NewScalar(40, 40, 40, 0), 240, 320, gocv.MatTypeCV8UC3)
	defer frame.Close()
	gocv.Rectangle(&frame, image.Rect(120, 100, 168, 116), color.RGBA{R: 255, G: 255, B: 255}, -1)
	for range frames {
		require.NoError(t, w.Write(frame))
	}
	require.NoError(t, w.Close())
	return path
}

// listener runs a function for every line of a log.
type listener struct {
	slog.Handler
	heard func(string)
}

func (l listener) Enabled(context.Context, slog.Level) bool { return true }
func (l listener) Handle(_ context.Context, r slog.Record) error {
	l.heard(r.Message)
	return nil
}

// A stream that sends faster than looks are taken leaves frames out and lets
// none pile up; one that ends is opened again, and says so once each time.
func TestLiveSource(t *testing.T) {
	rules, err := plate.BuiltinRules()
	require.NoError(t, err)
	analyser, err := plate.New(visiontest.Start(t), visiontest.TinyModels(), rules)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, analyser.Close()) })
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var lost, back atomic.Int32
	log := slog.New(listener{Handler: slog.DiscardHandler, heard: func(line string) {
		switch {
		case strings.Contains(line, "is lost"):
			if lost.Add(1) == 2 {
				cancel()
			}
		case strings.Contains(line, "is back"):
			back.Add(1)
		}
	}})
	var got []watch.Vehicle
	// With a scheme the film is taken for a stream.
	w := watch.New(watch.Config{Source: "file://" + standing(t, 200), Looks: 50, Log: log}, analyser)
	stats, err := w.Run(ctx, func(v watch.Vehicle) error { got = append(got, v); return nil })
	require.NoError(t, err)
	require.EqualValues(t, 2, lost.Load())
	require.EqualValues(t, 1, back.Load())
	require.Equal(t, 400, stats.Frames)
	require.Positive(t, stats.Looks)
	require.LessOrEqual(t, stats.Looks+stats.Dropped, stats.Frames)
	require.GreaterOrEqual(t, stats.Looks+stats.Dropped, stats.Frames-1, "at most one frame waits")
	require.Positive(t, stats.Dropped)
	require.NotEmpty(t, got)
	for _, v := range got {
		require.Equal(t, "12C12345", v.Plates[0].Text)
		require.Equal(t, watch.Still, v.Direction)
		require.NotEmpty(t, v.Plates[0].Crop)
	}
}

// A camera that is not there, or that is something else, is told by name with
// what to do, whether it was given by path or by number.
func TestNoCamera(t *testing.T) {
	for source, want := range map[string]string{
		"/dev/video971": "open video /dev/video971: there is no such camera; plug it in, or take one that is there (ls /dev/video*)",
		"971":           "open video /dev/video971: there is no such camera",
		"/dev/null":     "open video /dev/null: it is no file, camera or stream that can be read",
	} {
		_, err := watch.New(watch.Config{Source: source, Log: slog.New(slog.DiscardHandler)}, nil).Run(t.Context(), nil)
		require.ErrorContains(t, err, want, source)
	}
	_, err := watch.New(watch.Config{Source: "971", Log: slog.New(slog.DiscardHandler)}, nil).Run(t.Context(), nil)
	require.ErrorIs(t, err, fs.ErrNotExist)
}
