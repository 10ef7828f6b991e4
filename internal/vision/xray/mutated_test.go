package xray_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"gatehouse/internal/vision/picture"
	"gatehouse/internal/vision/wire"
	"gatehouse/internal/vision/xray"
	"gatehouse/internal/vision/xray/cargotest"
	"gatehouse/internal/vision/xray/intake"
	"gatehouse/internal/vision/xray/scantest"
)

// TestMutatedScans: whatever was done to a file, there is a result or an error
// of one of the named kinds. A crash ends this test. GATEHOUSE_ACCURACY=full
// tries 1,000 files; MUTATED_DIR keeps them for the command line.
func TestMutatedScans(t *testing.T) {
	count := 120
	if whole() {
		count = 1000
	}
	dir := os.Getenv("MUTATED_DIR")
	if dir == "" {
		dir = t.TempDir()
	}
	dual, single := scantest.Forms()
	forms := slices.Concat(dual, single)
	dice := rand.New(rand.NewPCG(9, 9))
	cargo := xray.NewCargo()
	answers, refusals := 0, map[wire.Code]int{}
	v := cargotest.Render(cargotest.Case{Seed: 3, Load: "uniform", Level: 0.9, Top: 0.7}, false)
	small := scantest.Plane{W: 400, H: 150, V: make([]float32, 400*150)}
	low := scantest.Plane{W: 400, H: 150, V: make([]float32, 400*150)}
	for i := range small.V {
		small.V[i] = v.V[(i/400)*2*cargotest.Width+(i%400)*2]
		low.V[i] = small.V[i] * small.V[i]
	}
	limits := picture.Limits{Bytes: 64 << 20, Pixels: 8_000_000, Side: 20_000}
	for i := range count {
		form := forms[i%len(forms)]
		data, ext, err := scantest.File(form, small, low)
		require.NoError(t, err)
		data, how := scantest.Mutate(data, dice)
		path := filepath.Join(dir, fmt.Sprintf("%04d-%s-%s%s", i, form, how, ext))
		require.NoError(t, os.WriteFile(path, data, 0o600))
		s, err := intake.Open(intake.Files{High: path}, limits)
		if err == nil {
			_, err = cargo.Scan(s, xray.Site{})
			s.Close()
		}
		if err == nil {
			answers++
			continue
		}
		var e *wire.Error
		require.True(t, errors.As(err, &e), "%s: %v", path, err)
		require.NotEqual(t, wire.Internal, e.Code, "%s: %s", path, e.Message)
		require.NotEmpty(t, e.Message)
		refusals[e.Code]++
	}
	t.Logf("%d mutated files: %d answers, refusals %v", count, answers, refusals)
	require.Positive(t, answers)
	require.NotEmpty(t, refusals)
}
