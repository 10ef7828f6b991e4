package drivertest

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"io"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatehouse/internal/driver"
	"gatehouse/internal/event"
	"gatehouse/internal/link"
)

// Clock is the time at which golden cases are received.
func Clock() time.Time { return time.Date(2026, 3, 2, 1, 30, 0, 0, time.UTC) }

// Cases runs f for every folder below testdata/cases.
func Cases(t *testing.T, f func(t *testing.T, dir string)) {
	t.Helper()
	dirs, err := filepath.Glob("testdata/cases/*")
	require.NoError(t, err)
	require.NotEmpty(t, dirs)
	for _, dir := range dirs {
		t.Run(filepath.Base(dir), func(t *testing.T) { f(t, dir) })
	}
}

// Golden compares readings with expected.json of a case. With the test flag
// -update the file is written instead.
func Golden(t *testing.T, dir string, readings []event.Reading) {
	t.Helper()
	got, err := json.MarshalIndent(readings, "", "  ")
	require.NoError(t, err)
	got = append(got, '\n')
	path := filepath.Join(dir, "expected.json")
	if f := flag.Lookup("update"); f != nil && f.Value.String() == "true" {
		require.NoError(t, os.WriteFile(path, got, 0o644))
		return
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, string(want), string(got))
}

// Play runs a line driver on a capture of the wire, which ends once the given
// number of frames is stored, and returns what it stored and how it ended.
func Play(t *testing.T, capture []byte, frames int, env driver.Env,
	build func(env driver.Env, open func(context.Context) (*link.Line, error)) driver.Driver,
) ([]event.Reading, error) {
	t.Helper()
	near, far := net.Pipe()
	store := NewStore()
	go func() {
		_, _ = far.Write(bytes.Clone(capture))
		store.Wait(t, "all frames of the capture", func(rs []event.Reading) bool {
			n := 0
			for _, r := range rs {
				n += len(r.Frames)
			}
			return n >= frames
		})
		_ = far.Close()
	}()
	go func() { _, _ = io.Copy(io.Discard, far) }()
	env.Now = Clock
	err := build(env, func(ctx context.Context) (*link.Line, error) {
		return link.New(ctx, "capture", link.Stream(near)), nil
	}).Run(t.Context(), store.Emit)
	_ = far.Close()
	return store.Readings(), err
}
