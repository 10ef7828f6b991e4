//go:build bench

package xray_test

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatehouse/internal/vision/model"
	"gatehouse/internal/vision/visiontest"
	"gatehouse/internal/vision/wire"
	"gatehouse/internal/vision/xray/cargotest"
	"gatehouse/internal/vision/xray/physics"
	calibrated "gatehouse/internal/vision/xray/scanner"
	"gatehouse/internal/vision/xray/scantest"
)

// enlarged is a rendered container view at w by h pixels, with noise of its own.
func enlarged(w, h int, power float64, dice *rand.Rand) scantest.Plane {
	v := cargotest.Render(cargotest.Case{Seed: 3, Load: "mixed", Top: 0.7}, false)
	p := scantest.Plane{W: w, H: h, V: make([]float32, w*h)}
	for i := range p.V {
		x, y := (i%w)*cargotest.Width/w, (i/w)*cargotest.Height/h
		p.V[i] = float32(math.Pow(float64(v.V[y*cargotest.Width+x]), power) + 0.001*dice.NormFloat64())
	}
	return p
}

// yardstick measures the median time in ms of ResNet-18 at 320x320 on two
// threads, each time it is called.
func yardstick(t *testing.T) func() float64 {
	file := os.Getenv("GATEHOUSE_BENCH")
	blob, err := os.ReadFile(filepath.Join(file, "resnet18.onnx"))
	if err != nil {
		t.Skip("SKIPPED: no resnet18.onnx in GATEHOUSE_BENCH; use make bench-xray")
	}
	sum := sha256.Sum256(blob)
	text, err := json.Marshal(model.Manifest{Name: "resnet18", Version: "peer", File: "model.onnx", SHA256: hex.EncodeToString(sum[:]), Input: model.Input{Name: "input"}})
	require.NoError(t, err)
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "manifest.json"), text, 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "model.onnx"), blob, 0o600))
	net, err := visiontest.Start(t).Load(dir)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, net.Close()) })
	in := make([]float32, 3*320*320)
	return func() float64 {
		var ms []float64
		for i := range 24 {
			start := time.Now()
			_, err := net.Run([]int64{1, 3, 320, 320}, in)
			require.NoError(t, err)
			if i >= 4 {
				ms = append(ms, float64(time.Since(start).Microseconds())/1000)
			}
		}
		return middle(ms)
	}
}

func middle(v []float64) float64 {
	slices.Sort(v)
	return v[len(v)/2]
}

// process is the product's worker, spoken to as the daemon does.
type process struct {
	cmd  *exec.Cmd
	in   *json.Encoder
	out  *bufio.Scanner
	stop func()
}

func start(t *testing.T, scanners string) *process {
	t.Helper()
	program := os.Getenv("GATEHOUSE_VISION") // another build than bin's
	if program == "" {
		program = filepath.Join(visiontest.Root(), "bin", "gatehouse-vision")
	}
	cmd := exec.Command(program, "worker", "--threads", "2", "--memory-mb", "1500", "--scanners", scanners)
	in, err := cmd.StdinPipe()
	require.NoError(t, err)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	cmd.Stderr = os.Stderr
	require.NoError(t, cmd.Start())
	p := &process{cmd: cmd, in: json.NewEncoder(in), out: bufio.NewScanner(out), stop: func() { _ = in.Close(); _ = cmd.Wait() }}
	p.out.Buffer(nil, wire.MaxLine)
	require.True(t, p.out.Scan())
	return p
}

func (p *process) ask(t *testing.T, r wire.Request) wire.Scan {
	t.Helper()
	require.NoError(t, p.in.Encode(r))
	require.True(t, p.out.Scan())
	var a wire.Response
	require.NoError(t, json.Unmarshal(p.out.Bytes(), &a))
	require.Nil(t, a.Error)
	var s wire.Scan
	require.NoError(t, json.Unmarshal(a.Result, &s))
	return s
}

// peak is the most memory that the process had, in megabytes.
func (p *process) peak(t *testing.T) float64 {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	require.NoError(t, err)
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kb, err := strconv.Atoi(strings.Fields(rest)[0])
			require.NoError(t, err)
			return float64(kb) / 1024
		}
	}
	return 0
}

// TestBench prints medians per scan on two threads beside the yardstick.
func TestBench(t *testing.T) {
	dir, store := t.TempDir(), t.TempDir()
	dice := rand.New(rand.NewPCG(1, 1))
	write := func(name, form string, high, low scantest.Plane) string {
		data, ext, err := scantest.File(form, high, low)
		require.NoError(t, err)
		path := filepath.Join(dir, name+ext)
		require.NoError(t, os.WriteFile(path, data, 0o600))
		return path
	}
	nominal, err := physics.Nominal(160)
	require.NoError(t, err)
	nominal.Nominal = false
	c := calibrated.Calibration{Scanner: "s", MadeAt: time.Now(), Curves: nominal, Scatter: []physics.Scatter{{Share: 0.0005, Reach: 40}}}
	_, err = c.Save(store)
	require.NoError(t, err)
	bagHigh, bagLow := enlarged(900, 700, 1, dice), enlarged(900, 700, 1.5, dice)
	bigHigh, bigLow := enlarged(4000, 1500, 1, dice), enlarged(4000, 1500, 1.3, dice)
	type job struct {
		name, path, kind, scanner string
		n                         int
		wantMS                    float64
	}
	jobs := []job{
		{"bag 900x700 JPEG", write("bag", "jpeg", bagHigh, bagLow), wire.KindBaggage, "", 25, 80},
		{"bag 900x700 16 bit dual", write("bag2", "tiff-pages", bagHigh, bagLow), wire.KindBaggage, "s", 25, 80},
		{"cargo 4000x1500 16 bit dual TIFF", write("cargo", "tiff-pages", bigHigh, bigLow), wire.KindCargo, "s", 9, 1500},
		{"cargo 4000x1500 16 bit dual PNG pair", write("c_high", "png16", bigHigh, bigLow), wire.KindCargo, "s", 9, 1500},
	}
	write("c_low", "png16", bigLow, bigLow)
	measure := yardstick(t)
	for _, j := range jobs {
		before := measure()
		p := start(t, store)
		var total []float64
		parts := map[string][]float64{}
		for i := range j.n {
			s := p.ask(t, wire.Request{ID: "1", Op: wire.OpXray, Path: j.path, Kind: j.kind, Scanner: j.scanner})
			if i == 0 {
				continue
			}
			total = append(total, s.MS["total"])
			for k, v := range s.MS {
				parts[k] = append(parts[k], v)
			}
		}
		memory := p.peak(t)
		p.stop()
		text := ""
		for _, k := range []string{"decode", "detect", "physics"} {
			text += fmt.Sprintf(" %s %.0f", k, middle(parts[k]))
		}
		t.Logf("%s: median %.0f ms (%s), yardstick %.1f ms: %.2f of it; bar %.0f ms where the yardstick is 30 ms = %.2f; peak %.0f MB",
			j.name, middle(total), strings.TrimSpace(text), before, middle(total)/before, j.wantMS, j.wantMS/30, memory)
	}
}
