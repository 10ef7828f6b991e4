package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"gatehouse/internal/vision/xray/phantom"
	"gatehouse/internal/vision/xray/physics"
	"gatehouse/internal/vision/xray/scantest"
)

// wedge writes a scan of the test object and its description.
func wedge(t *testing.T, s phantom.Scanner, seed uint64) (scan, object string) {
	t.Helper()
	scene, steps, places := phantom.Wedge()
	high, low := s.Expose(scene, seed)
	dir := t.TempDir()
	data, ext, err := scantest.File("tiff-pages", high, low)
	require.NoError(t, err)
	scan, object = filepath.Join(dir, "wedge"+ext), filepath.Join(dir, "object.json")
	require.NoError(t, os.WriteFile(scan, data, 0o600))
	o := physics.TestObject{Name: "wedge", Opaque: &[4]int{460, 20, 40, 240}, MM: 1, Edge: &[4]int{448, 60, 26, 100}}
	i := 0
	for _, name := range []string{"polyethylene", "aluminium", "steel"} {
		for _, mm := range steps[name] {
			o.Steps = append(o.Steps, physics.Step{Material: name, MM: mm, Box: places[i]})
			i++
		}
	}
	text, err := json.Marshal(o)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(object, text, 0o600))
	return scan, object
}

// A technician measures a scanner when it is new, and sees later that it is as
// it was, or that it has drifted.
func TestATechnicianSeesAScannerDrift(t *testing.T) {
	store := t.TempDir()
	fresh := phantom.Scanners()["160kV"]
	measure := func(s phantom.Scanner, seed uint64, more ...string) (measured, int) {
		scan, object := wedge(t, s, seed)
		lines, log, status := run(t, append([]string{"scanner", "measure", "--scanner", "x1", "--scanners", store, "--object", object, scan}, more...)...)
		require.Len(t, lines, 1, log)
		return parse[measured](t, lines[0]), status
	}
	first, status := measure(fresh, 1, "--save")
	require.Zero(t, status)
	require.Empty(t, first.Curves)
	require.NotEmpty(t, first.Saved)
	require.Empty(t, first.Drift, "nothing to compare with yet")

	same, status := measure(fresh, 2)
	require.Zero(t, status)
	require.NotEmpty(t, same.Drift)
	require.False(t, same.Drifted, "%+v", same.Drift)

	worn := fresh
	worn.Photons, worn.Blur, worn.Read = fresh.Photons/40, 1.8, 6e-4
	old, status := measure(worn, 2)
	require.Equal(t, 1, status)
	require.True(t, old.Drifted)
}

func TestOpenBeam(t *testing.T) {
	high, _ := phantom.Scanners()["160kV"].Expose(phantom.NewScene(300, 120), 1)
	write := func(p scantest.Plane) string {
		data, ext, err := scantest.File("tiff16", p, p)
		require.NoError(t, err)
		path := filepath.Join(t.TempDir(), "air"+ext)
		require.NoError(t, os.WriteFile(path, data, 0o600))
		return path
	}
	type line struct {
		File    string       `json:"file"`
		Scanner string       `json:"scanner"`
		Air     physics.Beam `json:"air"`
	}
	lines, log, status := run(t, "scanner", "air", "--scanner", "x1", write(high))
	require.Zero(t, status, log)
	got := parse[line](t, lines[0]).Air
	require.InDelta(t, 0.94, got.Level, 0.02)
	require.InDelta(t, 0.02, got.Gain, 0.006)
	require.InDelta(t, 0.006, got.Dose, 0.002)
	require.Empty(t, got.Dead)

	for x := range 300 {
		high.V[17*300+x] = 0.001
	}
	lines, log, status = run(t, "scanner", "air", "--scanner", "x1", write(high))
	require.Equal(t, 1, status, "%v %s", lines, log)
	require.Equal(t, []int{17}, parse[line](t, lines[0]).Air.Dead)

	for i := range high.V {
		if i%300 > 100 && i%300 < 200 {
			high.V[i] *= 0.3
		}
	}
	_, log, status = run(t, "scanner", "air", "--scanner", "x1", write(high))
	require.Equal(t, 1, status)
	require.Contains(t, log, "something stands in the beam")
}
