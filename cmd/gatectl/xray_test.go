package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// fakeVision is a program that prints a result for each file, with the number
// in the file's name as its score.
func fakeVision(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "gatehouse-vision")
	require.NoError(t, os.WriteFile(path, []byte(`#!/bin/sh
while [ "$1" != "--" ]; do shift; done; shift
for f in "$@"; do
  n=$(basename "$f" .png)
  printf '{"file":"%s","kind":"baggage","model":"net@1","scores":{"image":0.%s},"findings":[]}\n' "$f" "$n"
done
`), 0o755))
	return path
}

func TestXrayCalibrate(t *testing.T) {
	scans, store, program := t.TempDir(), t.TempDir(), fakeVision(t)
	add := func(from, to int) {
		for i := from; i < to; i++ {
			require.NoError(t, os.WriteFile(filepath.Join(scans, fmt.Sprintf("%03d.png", i)), nil, 0o600))
		}
	}
	calibrate := func() (int, string, string) {
		var out, errOut bytes.Buffer
		code := run([]string{"xray", "calibrate", "--scanner", "bag-1", "--store", store, "--vision", program, scans}, &out, &errOut)
		return code, out.String(), errOut.String()
	}
	add(100, 130)
	code, _, said := calibrate()
	require.Equal(t, exitFailed, code)
	require.Contains(t, said, "too few benign scans: 30")
	require.Contains(t, said, "45 are needed")
	entries, err := os.ReadDir(store)
	require.NoError(t, err)
	require.Empty(t, entries)

	add(130, 300)
	code, out, said := calibrate()
	require.Equal(t, exitOK, code, said)
	require.Contains(t, out, "of 200 benign scans alarm")
	// Of 200 scans, 5 alarms are the most whose bound is under 5 %.
	require.Contains(t, out, "threshold 0.2941")

	empty := filepath.Join(t.TempDir(), "empty.png")
	require.NoError(t, os.WriteFile(empty, []byte("scan"), 0o600))
	var kept bytes.Buffer
	require.Equal(t, exitOK, run([]string{"xray", "calibrate", "--scanner", "c-1", "--kind", "cargo", "--template", empty, "--store", store, "--vision", program, scans}, &kept, &kept))
	found, err := filepath.Glob(filepath.Join(store, "c-1", "template-*.png"))
	require.NoError(t, err)
	require.Len(t, found, 1)

	var shown bytes.Buffer
	require.Equal(t, exitOK, run([]string{"xray", "show", "--scanner", "bag-1", "--store", store}, &shown, &shown))
	require.Contains(t, shown.String(), `"scans": 200`)
	var none bytes.Buffer
	require.Equal(t, exitFailed, run([]string{"xray", "show", "--scanner", "bag-2", "--store", store}, &none, &none))
	require.Contains(t, none.String(), "shadow mode")
	require.True(t, strings.Contains(none.String(), "gatectl xray calibrate"))
}
