package vision_test

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatehouse/internal/vision"
	"gatehouse/internal/vision/visiontest"
	"gatehouse/internal/vision/wire"
)

// TestRealWorker runs the pool over the real gatehouse-vision: good and bad
// files, and a worker that is killed under an image.
func TestRealWorker(t *testing.T) {
	library := visiontest.Library(t)
	binary := filepath.Join(t.TempDir(), "gatehouse-vision")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", binary, "./cmd/gatehouse-vision")
	build.Dir = visiontest.Root()
	out, err := build.CombinedOutput()
	require.NoError(t, err, string(out))

	pool := vision.New(vision.Config{
		Command:  []string{binary, "worker", "--models", visiontest.TinyModels(), "--runtime", library},
		Deadline: time.Minute,
	})
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- pool.Run(ctx) }()
	defer func() { cancel(); require.NoError(t, <-ended) }()
	ask := func(path string) vision.Outcome {
		o, err := pool.Analyse(ctx, vision.Request{Op: wire.OpPlate, Path: path})
		require.NoError(t, err)
		return o
	}
	canary := filepath.Join(visiontest.Root(), "internal", "vision", "worker", "canary.png")
	good := ask(canary)
	require.Equal(t, vision.Done, good.Verdict, good.Message)
	var plates wire.Plates
	require.NoError(t, json.Unmarshal(good.Result, &plates))
	require.Equal(t, "12C12345", plates.Plates[0].Text)

	pipe := filepath.Join(t.TempDir(), "pipe.jpg")
	require.NoError(t, syscall.Mkfifo(pipe, 0o600))
	text := filepath.Join(t.TempDir(), "text.jpg")
	require.NoError(t, os.WriteFile(text, []byte("no picture"), 0o600))
	require.Equal(t, wire.NotRegular, ask(pipe).Code)
	require.Equal(t, vision.Unreadable, ask(text).Verdict)
	up, reason := pool.Health()
	require.True(t, up, reason)

	// The program goes away while it is in use: what runs goes on, the next
	// start fails and says so, and when it is back so is vision.
	hidden := binary + ".away"
	require.NoError(t, os.Rename(binary, hidden))
	require.Equal(t, vision.Done, ask(canary).Verdict)
	killGroupOf(t, hidden)
	require.Eventually(t, func() bool { return ask(canary).Verdict == vision.Unavailable }, time.Minute, 10*time.Millisecond)
	up, reason = pool.Health()
	require.False(t, up)
	require.Contains(t, reason, "no such file")
	require.NoError(t, os.Rename(hidden, binary))
	require.Eventually(t, func() bool { return ask(canary).Verdict == vision.Done }, time.Minute, 50*time.Millisecond)
}

// killGroupOf kills the processes that run a program.
func killGroupOf(t *testing.T, program string) {
	t.Helper()
	all, err := filepath.Glob("/proc/[0-9]*/exe")
	require.NoError(t, err)
	for _, link := range all {
		if target, err := os.Readlink(link); err == nil && target == program {
			pid, err := strconv.Atoi(filepath.Base(filepath.Dir(link)))
			require.NoError(t, err)
			require.NoError(t, syscall.Kill(pid, syscall.SIGKILL))
		}
	}
}
