package control_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"gatehouse/internal/sim/control"
	"gatehouse/internal/sim/fault"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func serve(t *testing.T, answer func(control.Request) control.Answer) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "c") // short: a socket's name is bounded
	require.NoError(t, err)
	path := control.Socket(dir)
	ctx, cancel := context.WithCancel(t.Context())
	ready, done := make(chan struct{}), make(chan error, 1)
	go func() { done <- control.Serve(ctx, path, ready, answer) }()
	t.Cleanup(func() {
		cancel()
		require.NoError(t, <-done)
		require.NoError(t, os.RemoveAll(dir))
	})
	<-ready
	return path
}

func TestAskAndAnswer(t *testing.T) {
	var got control.Request
	path := serve(t, func(r control.Request) control.Answer {
		got = r
		if r.Fault == "bad" {
			return control.Answer{Error: "no such fault"}
		}
		return control.Answer{Active: &fault.Active{Fault: r.Fault}}
	})
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	want := control.Request{Op: "fault", Fault: "noise", Device: "rpm", For: 3 * time.Second, Vehicle: 4, Count: 2}
	a, err := control.Ask(t.Context(), path, want)
	require.NoError(t, err)
	require.Equal(t, want, got)
	require.Equal(t, "noise", a.Active.Fault)
	_, err = control.Ask(t.Context(), path, control.Request{Fault: "bad"})
	require.EqualError(t, err, "no such fault")
}

func TestNobodyThere(t *testing.T) {
	_, err := control.Ask(t.Context(), filepath.Join(t.TempDir(), "none.sock"), control.Request{Op: "status"})
	require.ErrorContains(t, err, "is gatesim running with this --state folder?")
}

func TestSocketNameTooLong(t *testing.T) {
	path := filepath.Join(t.TempDir(), strings.Repeat("x", 120))
	err := control.Serve(t.Context(), path, make(chan struct{}), nil)
	require.ErrorContains(t, err, "--control")
}

func TestADeadOnesSocketIsReplaced(t *testing.T) {
	dir, err := os.MkdirTemp("", "c")
	require.NoError(t, err)
	defer os.RemoveAll(dir)
	require.NoError(t, os.WriteFile(control.Socket(dir), nil, 0o600))
	ctx, cancel := context.WithCancel(t.Context())
	ready, done := make(chan struct{}), make(chan error, 1)
	go func() {
		done <- control.Serve(ctx, control.Socket(dir), ready, func(control.Request) control.Answer { return control.Answer{} })
	}()
	select {
	case <-ready:
	case err := <-done:
		require.NoError(t, errors.Join(err, errors.New("ended")))
	}
	_, err = control.Ask(t.Context(), control.Socket(dir), control.Request{})
	require.NoError(t, err)
	cancel()
	require.NoError(t, <-done)
}
