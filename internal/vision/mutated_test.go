package vision_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatehouse/internal/vision"
	"gatehouse/internal/vision/visiontest"
	"gatehouse/internal/vision/wire"
	"gatehouse/internal/vision/xray/scantest"
)

// TestMutatedScansThroughThePool sends damaged and cut scan files of every form
// through real workers: an answer or a clear refusal each, and whoever dies is
// replaced. GATEHOUSE_MUTATED says how many; 1,000 by make mutated-xray.
func TestMutatedScansThroughThePool(t *testing.T) {
	count := 40
	if text := os.Getenv("GATEHOUSE_MUTATED"); text != "" {
		_, err := fmt.Sscan(text, &count)
		require.NoError(t, err)
	}
	pool := realPool(t)
	dual, single := scantest.Forms()
	forms := append(dual, single...)
	high, low := shapes()
	dice := rand.New(rand.NewPCG(11, 11))
	dir := t.TempDir()
	verdicts, codes, cut := map[vision.Verdict]int{}, map[wire.Code]int{}, 0
	for i := range count {
		data, ext, err := scantest.File(forms[i%len(forms)], high, low)
		require.NoError(t, err)
		data, how := scantest.Mutate(data, dice)
		path := filepath.Join(dir, fmt.Sprintf("%04d-%s-%s%s", i, forms[i%len(forms)], how, ext))
		require.NoError(t, os.WriteFile(path, data, 0o600))
		o, err := pool.Analyse(t.Context(), vision.Request{
			Op: wire.OpXray, Path: path, Kind: []string{wire.KindCargo, wire.KindBaggage}[i/len(forms)%2], Scanner: "x",
		})
		require.NoError(t, err)
		verdicts[o.Verdict]++
		switch o.Verdict {
		case vision.Done:
			var s wire.Scan
			require.NoError(t, json.Unmarshal(o.Result, &s), path)
			require.True(t, s.Shadow, "nobody calibrated this scanner")
			if s.Truncated != nil {
				cut++
			}
		default:
			codes[o.Code]++
			require.Equal(t, vision.Unreadable, o.Verdict, "%s: %s", path, o.Message)
			require.NotEmpty(t, o.Message, path)
		}
		require.NoError(t, os.Remove(path))
	}
	up, why := pool.Health()
	t.Logf("%d mutated scan files: %v, refusals by code %v, analysed in part %d; workers that died and were replaced: %d", count, verdicts, codes, cut, pool.Deaths())
	require.True(t, up, why)
	require.Positive(t, verdicts[vision.Done])
	require.Positive(t, verdicts[vision.Unreadable])
	good := filepath.Join(dir, "good.png")
	data, _, err := scantest.File("png16", high, low)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(good, data, 0o600))
	o, err := pool.Analyse(t.Context(), vision.Request{Op: wire.OpXray, Path: good, Kind: wire.KindCargo})
	require.NoError(t, err)
	require.Equal(t, vision.Done, o.Verdict, "a whole scan is still analysed: %s", o.Message)
}

// shapes are both energies of a small body with a load.
func shapes() (high, low scantest.Plane) {
	const w, h = 400, 150
	high, low = scantest.Plane{W: w, H: h, V: make([]float32, w*h)}, scantest.Plane{W: w, H: h, V: make([]float32, w*h)}
	for i := range high.V {
		x, y, a := i%w, i/w, 0.0
		if x > 40 && x < 360 && y > 15 && y < 125 {
			a = 0.2
			if y > 60 && x/22%2 == 0 {
				a = 1.3
			}
		}
		high.V[i], low.V[i] = float32(0.95*math.Exp(-a)), float32(0.95*math.Exp(-1.7*a))
	}
	return high, low
}

// realPool runs the real worker with the small models of the tests.
func realPool(t *testing.T) *vision.Pool {
	t.Helper()
	library := visiontest.Library(t)
	binary := filepath.Join(t.TempDir(), "gatehouse-vision")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", binary, "./cmd/gatehouse-vision")
	build.Dir = visiontest.Root()
	out, err := build.CombinedOutput()
	require.NoError(t, err, string(out))
	pool := vision.New(vision.Config{
		Command:  []string{binary, "worker", "--models", visiontest.TinyModels(), "--runtime", library, "--scanners", t.TempDir()},
		Deadline: time.Minute,
	})
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- pool.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		require.NoError(t, <-ended)
	})
	return pool
}
