package drivertest

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
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

// Play runs a line driver on a capture of the wire, which then ends, and
// returns what it stored and how it ended.
func Play(t *testing.T, capture []byte, env driver.Env,
	make func(env driver.Env, open func(context.Context) (*link.Line, error)) driver.Driver,
) ([]event.Reading, error) {
	t.Helper()
	near, far := net.Pipe()
	go func() {
		_, _ = far.Write(bytes.Clone(capture))
		_ = far.Close()
	}()
	drain := func() {
		buf := [256]byte{}
		for {
			if _, err := far.Read(buf[:]); err != nil {
				return
			}
		}
	}
	go drain()
	store := NewStore()
	env.Now = Clock
	err := make(env, func(ctx context.Context) (*link.Line, error) {
		return link.New(ctx, "capture", link.Stream(near)), nil
	}).Run(t.Context(), store.Emit)
	_ = far.Close()
	return store.Readings(), err
}
