//go:build eval

package accuracy_test

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatehouse/internal/vision/lettering"
	"gatehouse/internal/vision/model"
	"gatehouse/internal/vision/picture"
	"gatehouse/internal/vision/plate"
	"gatehouse/internal/vision/visiontest"
)

// Groups of pictures that the contenders read.
const (
	groupPhotos = "photographs"
	groupSmall  = "640x480"
	groupLarge  = "1920x1080"
)

// task is a picture of the comparison.
type task struct {
	Group, File, Text string
}

// outcome is what a contender made of a task. Milliseconds include decoding.
type outcome struct {
	Group string
	Exact bool
	MS    float64
}

// reader reads the plate candidates of a file.
type reader func(file string) []string

// TestBench compares the product with PP-OCRv4 and Tesseract, each in a process
// of its own on the same pictures with two threads, beside ResNet-18 at 320x320
// as the measure of the machine. GATEHOUSE_BENCH holds resnet18.onnx.
//
// PP-OCRv4 and Tesseract read text, not plates: any line, or any two lines
// joined, may be the plate, which favours them.
func TestBench(t *testing.T) {
	if os.Getenv("GATEHOUSE_BENCH") == "" {
		t.Skip("SKIPPED: run make bench-plates")
	}
	if name := os.Getenv("GATEHOUSE_CONTENDER"); name != "" {
		contend(t, name)
		return
	}
	tasks := benchTasks(t)
	list := filepath.Join(t.TempDir(), "tasks.json")
	text, err := json.Marshal(tasks)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(list, text, 0o600))
	logSizes(t)
	for _, name := range []string{"resnet18", "gatehouse", "pp-ocrv4", "tesseract"} {
		results := filepath.Join(t.TempDir(), name+".json")
		cmd := exec.Command(os.Args[0], "-test.run", "^TestBench$", "-test.v", "-test.timeout", "30m")
		cmd.Env = append(os.Environ(), "GATEHOUSE_CONTENDER="+name, "GATEHOUSE_TASKS="+list, "GATEHOUSE_RESULTS="+results, "OMP_THREAD_LIMIT=2")
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, "%s: %s", name, out)
		usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage)
		require.True(t, ok)
		report(t, name, results, usage.Maxrss/1024)
	}
}

// logSizes prints how large the models are that read plates and containers.
func logSizes(t *testing.T) {
	total := int64(0)
	for _, name := range []string{plate.DetectorModel, plate.CornersModel, plate.ReaderModel, lettering.Model} {
		info, err := os.Stat(filepath.Join(models(t), name, "model.onnx"))
		require.NoError(t, err)
		total += info.Size()
	}
	t.Logf("models for plates and containers: %.1f MB", float64(total)/1e6)
}

func report(t *testing.T, name, results string, mb int64) {
	text, err := os.ReadFile(results)
	require.NoError(t, err)
	var all []outcome
	require.NoError(t, json.Unmarshal(text, &all))
	for _, group := range []string{"", groupPhotos, groupSmall, groupLarge} {
		n, exact := 0, 0
		var ms []float64
		for _, o := range all {
			if o.Group != group {
				continue
			}
			n++
			ms = append(ms, o.MS)
			if o.Exact {
				exact++
			}
		}
		switch {
		case n == 0:
		case group == "":
			t.Logf("%-10s 320x320, inference alone: median %.1f ms, p95 %.1f ms", name, percentile(ms, 0.5), percentile(ms, 0.95))
		default:
			t.Logf("%-10s %-12s %4d pictures, exact %-18s median %7.1f ms, p95 %7.1f ms", name, group, n, share(exact, n), percentile(ms, 0.5), percentile(ms, 0.95))
		}
	}
	t.Logf("%-10s peak memory %d MB", name, mb)
}

// benchTasks are dev photographs of unseen vehicles and rendered frames with one
// Vietnamese plate.
func benchTasks(t *testing.T) []task {
	var out []task
	data := visiontest.Data(t)
	for _, name := range []string{"parking-handheld", "gate-fixed", "wild"} {
		lines := labels(t, filepath.Join(data, "plates"), func(l label) bool {
			return l.Split == "dev" && l.Scene == name && !l.Seen && len(l.Plates) == 1
		})
		for _, l := range sample(lines, 40) {
			out = append(out, task{groupPhotos, l.File, l.Plates[0].Text})
		}
	}
	count := map[string]int{}
	for _, l := range labels(t, os.Getenv("GATEHOUSE_TESTSET"), func(l label) bool { return l.Severity == 1 && l.Plates[0].Country == "VN" }) {
		p, err := picture.Open(l.File, picture.Colour, picture.DefaultLimits())
		require.NoError(t, err)
		group := fmt.Sprintf("%dx%d", p.Mat.Cols(), p.Mat.Rows())
		p.Close()
		if (group == groupSmall || group == groupLarge) && count[group] < 15 {
			count[group]++
			out = append(out, task{group, l.File, l.Plates[0].Text})
		}
	}
	return out
}

// contend runs one contender in this process.
func contend(t *testing.T, name string) {
	var tasks []task
	text, err := os.ReadFile(os.Getenv("GATEHOUSE_TASKS"))
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(text, &tasks))
	var all []outcome
	if name == "resnet18" {
		all = yardstick(t)
	} else {
		read := contender(t, name)
		read(tasks[0].File) // warm
		for _, job := range tasks {
			start := time.Now()
			candidates := read(job.File)
			ms := float64(time.Since(start).Microseconds()) / 1000
			all = append(all, outcome{job.Group, slices.Contains(candidates, job.Text), ms})
		}
	}
	text, err = json.Marshal(all)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(os.Getenv("GATEHOUSE_RESULTS"), text, 0o600))
}

func contender(t *testing.T, name string) reader {
	switch name {
	case "gatehouse":
		a := analyser(t)
		return func(file string) []string {
			var out []string
			got, _ := readings(t, a, file)
			for _, r := range got {
				out = append(out, r.Plate.Text)
			}
			return out
		}
	case "pp-ocrv4":
		p := newPaddle(t)
		return func(file string) []string { return paired(p.lines(t, file)) }
	case "tesseract":
		return func(file string) []string {
			var out bytes.Buffer
			cmd := exec.Command("tesseract", file, "stdout", "--psm", "11", "-l", "eng")
			cmd.Stdout = &out
			require.NoError(t, cmd.Run(), "tesseract; install tesseract-ocr")
			return paired(strings.Split(out.String(), "\n"))
		}
	}
	t.Fatalf("no contender %q", name)
	return nil
}

// paired is every line, and every two lines joined in their order, as canonical text.
func paired(lines []string) []string {
	var clean []string
	for _, l := range lines {
		c := strings.Map(func(r rune) rune {
			if r == 'Đ' || (r >= '0' && r <= '9') || (r >= 'A' && r <= 'Z') {
				return r
			}
			return -1
		}, strings.ToUpper(l))
		if c != "" {
			clean = append(clean, c)
		}
	}
	out := slices.Clone(clean)
	for i := range clean {
		for k := i + 1; k < len(clean); k++ {
			out = append(out, clean[i]+clean[k])
		}
	}
	return out
}

func yardstick(t *testing.T) []outcome {
	net := foreignNet(t, visiontest.Start(t), "resnet18", filepath.Join(os.Getenv("GATEHOUSE_BENCH"), "resnet18.onnx"), "input")
	in := make([]float32, 3*320*320)
	var out []outcome
	for i := range 60 {
		start := time.Now()
		_, err := net.Run([]int64{1, 3, 320, 320}, in)
		require.NoError(t, err)
		if i >= 10 {
			out = append(out, outcome{MS: float64(time.Since(start).Microseconds()) / 1000})
		}
	}
	return out
}

// foreignNet loads an ONNX file that has no manifest.
func foreignNet(t *testing.T, rt *model.Runtime, name, file, input string) *model.Net {
	t.Helper()
	blob, err := os.ReadFile(file)
	require.NoError(t, err)
	sum := sha256.Sum256(blob)
	text, err := json.Marshal(model.Manifest{Name: name, Version: "peer", File: "model.onnx", SHA256: hex.EncodeToString(sum[:]), Input: model.Input{Name: input}})
	require.NoError(t, err)
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "manifest.json"), text, 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "model.onnx"), blob, 0o600))
	net, err := rt.Load(dir)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, net.Close()) })
	return net
}

// byPlace sorts text lines from top to bottom, then from left to right.
func byPlace(a, b found) int {
	if d := a.centre.Y - b.centre.Y; d < -8 || d > 8 {
		return cmp.Compare(a.centre.Y, b.centre.Y)
	}
	return cmp.Compare(a.centre.X, b.centre.X)
}
