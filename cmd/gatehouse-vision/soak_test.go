package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/jpeg"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatehouse/internal/vision/visiontest"
	"gatehouse/internal/vision/wire"
)

// TestMemoryIsFlat puts pictures of many sizes, good and bad, through one
// worker. After the first fifth its memory may not grow by more than a tenth
// and 24 MB. SOAK_IMAGES is how many, SOAK_MINUTES for how long; with either the
// trained models and the photographs are used (make soak-vision and
// soak-vision-hour), else the tiny ones and 120 drawings.
func TestMemoryIsFlat(t *testing.T) {
	flags, ops := tiny(t, "worker"), []wire.Op{wire.OpPlate}
	done := func(i int) float64 { return float64(i) / 120 }
	pictures := drawings(t)
	if wanted := asked(t); wanted != nil {
		done = wanted
		flags = []string{"worker", "--models", visiontest.RealModels(t), "--runtime", visiontest.Library(t)}
		found, err := filepath.Glob(filepath.Join(visiontest.Data(t), "plates", "img", "*"))
		require.NoError(t, err)
		pictures = slices.Concat(pictures, found)
		boxes, err := filepath.Glob(filepath.Join(visiontest.Data(t), "containers", "img", "*"))
		require.NoError(t, err)
		pictures = slices.Concat(pictures, boxes)
		ops = []wire.Op{wire.OpPlate, wire.OpPlate, wire.OpPlate, wire.OpPlate, wire.OpPlate, wire.OpPlate, wire.OpPlate, wire.OpContainer}
	}
	cmd := program(t, flags...)
	in, err := cmd.StdinPipe()
	require.NoError(t, err)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	lines := bufio.NewReader(out)
	_, err = lines.ReadBytes('\n') // ready
	require.NoError(t, err)

	count, warm, most, results, told := 0, 0, 0, 0, 0
	for i := 0; done(i) < 1; i++ {
		path := pictures[i*7919%len(pictures)]
		request, err := json.Marshal(wire.Request{ID: strconv.Itoa(i), Op: ops[i%len(ops)], Path: path})
		require.NoError(t, err)
		_, err = fmt.Fprintf(in, "%s\n", request)
		require.NoError(t, err)
		line, err := lines.ReadBytes('\n')
		require.NoError(t, err, "the worker has ended at picture %d, %s", i, path)
		var got wire.Response
		require.NoError(t, json.Unmarshal(line, &got))
		require.Equal(t, strconv.Itoa(i), got.ID)
		if got.Error == nil {
			results++
		}
		count++
		fifth := int(5 * done(i))
		if fifth == 0 {
			continue
		}
		mb := resident(t, cmd.Process.Pid)
		if warm == 0 {
			warm = mb
		}
		most = max(most, mb)
		if fifth > told {
			told = fifth
			t.Logf("after %d pictures: %d MB", count, mb)
		}
	}
	end := resident(t, cmd.Process.Pid)
	t.Logf("%d pictures, %d results: %d MB after a fifth, %d MB at the end, at most %d MB", count, results, warm, end, most)
	require.Positive(t, results)
	require.Positive(t, warm)
	require.Less(t, end, warm+warm/10+24, "megabytes resident")
	require.NoError(t, in.Close())
	require.NoError(t, cmd.Wait())
}

// asked gives the share that is done before a picture, by the count or the time
// that was asked for; nil when nothing was.
func asked(t *testing.T) func(i int) float64 {
	t.Helper()
	if text := os.Getenv("SOAK_MINUTES"); text != "" {
		minutes, err := strconv.ParseFloat(text, 64)
		require.NoError(t, err)
		began := time.Now()
		return func(int) float64 { return time.Since(began).Minutes() / minutes }
	}
	if text := os.Getenv("SOAK_IMAGES"); text != "" {
		count, err := strconv.Atoi(text)
		require.NoError(t, err)
		return func(i int) float64 { return float64(i) / float64(count) }
	}
	return nil
}

// resident is the memory of a process in megabytes.
func resident(t *testing.T, pid int) int {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	require.NoError(t, err)
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kb, err := strconv.Atoi(strings.Fields(rest)[0])
			require.NoError(t, err)
			return kb / 1024
		}
	}
	t.Fatal("no VmRSS")
	return 0
}

// drawings are pictures of many sizes with zero to five white plates, and files
// that cannot be decoded.
func drawings(t *testing.T) []string {
	t.Helper()
	dir := t.TempDir()
	var files []string
	for i := range 24 {
		w, h := 160+i*53, 120+i*i*2%700
		m := image.NewGray(image.Rect(0, 0, w, h))
		draw.Draw(m, m.Rect, image.NewUniform(color.Gray{Y: 40}), image.Point{}, draw.Src)
		for k := range i % 6 {
			at := image.Pt((k*97+i*31)%(w-48), (k*61+i*17)%(h-20))
			draw.Draw(m, image.Rectangle{at, at.Add(image.Pt(48, 16))}, image.White, image.Point{}, draw.Src)
		}
		path := filepath.Join(dir, fmt.Sprintf("%d.jpg", i))
		f, err := os.Create(path)
		require.NoError(t, err)
		require.NoError(t, jpeg.Encode(f, m, nil))
		require.NoError(t, f.Close())
		files = append(files, path)
	}
	whole, err := os.ReadFile(files[5])
	require.NoError(t, err)
	for name, content := range map[string][]byte{"cut.jpg": whole[:len(whole)/2], "empty.jpg": nil, "text.jpg": []byte("no picture")} {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, content, 0o600))
		files = append(files, path)
	}
	return append(files, filepath.Join(dir, "missing.jpg"))
}
