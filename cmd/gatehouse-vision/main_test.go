package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"image"
	"image/color"
	"image/png"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"gatehouse/internal/vision/visiontest"
	"gatehouse/internal/vision/wire"
)

// asProgram makes this test binary the program itself, so that the tests drive
// what people run, worker process included.
const asProgram = "GATEHOUSE_TEST_AS_VISION"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

func program(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], args...)
	cmd.Env = append(os.Environ(), asProgram+"=1")
	return cmd
}

// run gives the lines of standard output, standard error and the exit status.
func run(t *testing.T, args ...string) (lines []string, log string, status int) {
	t.Helper()
	cmd := program(t, args...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		var exit *exec.ExitError
		require.ErrorAs(t, err, &exit, errs.String())
		status = exit.ExitCode()
	}
	for line := range strings.Lines(out.String()) {
		lines = append(lines, strings.TrimSpace(line))
	}
	return lines, errs.String(), status
}

// tiny are the flags for models with known answers.
func tiny(t *testing.T, args ...string) []string {
	t.Helper()
	return append(args, "--models", visiontest.TinyModels(), "--runtime", visiontest.Library(t))
}

func canary() string {
	return filepath.Join(visiontest.Root(), "internal", "vision", "worker", "canary.png")
}

func parse[T any](t *testing.T, line string) T {
	t.Helper()
	var v T
	d := json.NewDecoder(strings.NewReader(line))
	d.DisallowUnknownFields()
	require.NoError(t, d.Decode(&v), line)
	return v
}

// One bad file never stops the rest; every file has its line, in order, under
// the name it was given by.
func TestPlate(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	good, err := os.ReadFile(canary())
	require.NoError(t, err)
	require.NoError(t, os.WriteFile("good.jpg", good, 0o600))
	require.NoError(t, os.WriteFile("empty.jpg", nil, 0o600))
	require.NoError(t, os.WriteFile("cut.png", good[:len(good)/2], 0o600))
	require.NoError(t, unix.Mkfifo("pipe.jpg", 0o600))

	lines, log, status := run(t, tiny(t, "plate", "empty.jpg", "good.jpg", "pipe.jpg", "no.jpg", "cut.png", "./good.jpg")...)
	require.Equal(t, 1, status, log)
	require.Len(t, lines, 6, log)
	for i, want := range map[int]wire.Failure{
		0: {File: "empty.jpg", Error: &wire.Error{Code: wire.Undecodable}},
		2: {File: "pipe.jpg", Error: &wire.Error{Code: wire.NotRegular}},
		3: {File: "no.jpg", Error: &wire.Error{Code: wire.NotRegular}},
		4: {File: "cut.png", Error: &wire.Error{Code: wire.Undecodable}},
	} {
		got := parse[wire.Failure](t, lines[i])
		require.Equal(t, want.File, got.File)
		require.Equal(t, want.Error.Code, got.Error.Code, lines[i])
		require.NotEmpty(t, got.Error.Message)
	}
	for i, name := range map[int]string{1: "good.jpg", 5: "./good.jpg"} {
		got := parse[wire.Plates](t, lines[i])
		require.Equal(t, name, got.File)
		require.NotEmpty(t, got.Plates)
		require.Equal(t, "12C12345", got.Plates[0].Text)
		require.Positive(t, got.MS["total"])
		require.NotEmpty(t, got.Model)
	}
	lines, log, status = run(t, tiny(t, "plate", "good.jpg")...)
	require.Equal(t, 0, status, log)
	require.Len(t, lines, 1)
	require.Empty(t, log, "nothing to say when all is well")
}

func cargoScan(t *testing.T) string {
	t.Helper()
	m := image.NewGray16(image.Rect(0, 0, 500, 200))
	for i := range 500 * 200 {
		x, y, v := i%500, i/500, uint16(60000)
		if x > 60 && x < 450 && y > 20 && y < 170 {
			v = 50000
			if y > 60 {
				v = 20000
			}
		}
		m.SetGray16(x, y, color.Gray16{Y: v})
	}
	path := filepath.Join(t.TempDir(), "scan.png")
	f, err := os.Create(path)
	require.NoError(t, err)
	require.NoError(t, png.Encode(f, m))
	require.NoError(t, f.Close())
	return path
}

func TestXray(t *testing.T) {
	path := cargoScan(t)
	lines, log, status := run(t, tiny(t, "xray", "--kind", "cargo", "--scanner", "x1", path)...)
	require.Equal(t, 0, status, log)
	got := parse[wire.Scan](t, lines[0])
	require.Equal(t, "cargo", got.Kind)
	require.NotNil(t, got.Cargo)
	require.Equal(t, "loaded", got.Cargo.State)

	lines, log, status = run(t, tiny(t, "xray", "--kind", "baggage", path)...)
	require.Equal(t, 0, status, log)
	got = parse[wire.Scan](t, lines[0])
	require.Equal(t, "baggage", got.Kind)
	require.Nil(t, got.Cargo)
}

// There is no reader for container numbers yet, and it says so instead of
// finding none.
func TestContainerIsHonest(t *testing.T) {
	lines, _, status := run(t, tiny(t, "container", canary(), canary())...)
	require.Equal(t, 1, status)
	require.Len(t, lines, 2)
	require.Equal(t, wire.ModelMissing, parse[wire.Failure](t, lines[0]).Error.Code)
}

func TestUsage(t *testing.T) {
	for name, args := range map[string][]string{
		"no file": {"plate"}, "no kind": {"xray", "x.png"}, "wrong kind": {"xray", "--kind", "parcel", "x.png"},
		"wrong flag": {"plate", "--fast", "x.png"}, "wrong command": {"licence", "x.png"},
		"nothing": {},
	} {
		lines, log, status := run(t, args...)
		require.Equal(t, 2, status, name)
		require.Empty(t, lines, name)
		require.Contains(t, log, "Error:", name)
		require.Contains(t, log, "Try:", name)
	}
	_, log, status := run(t, "--help")
	require.Equal(t, 0, status)
	require.Contains(t, log, "xray")
}

// Damaged installations: each says what is wrong, and what still can work does.
func TestMissingParts(t *testing.T) {
	library := visiontest.Library(t)
	changed := t.TempDir()
	require.NoError(t, os.CopyFS(changed, os.DirFS(visiontest.TinyModels())))
	require.NoError(t, os.WriteFile(filepath.Join(changed, "plate-reader", "model.onnx"), []byte("another file"), 0o600))
	half := t.TempDir()
	require.NoError(t, os.CopyFS(half, os.DirFS(visiontest.TinyModels())))
	require.NoError(t, os.RemoveAll(filepath.Join(half, "plate-reader")))
	path := cargoScan(t)

	for name, c := range map[string]struct{ models, runtime, word string }{
		"no models":     {t.TempDir(), library, "manifest"},
		"one model":     {half, library, "plate-reader"},
		"changed model": {changed, library, "SHA-256"},
		"no runtime":    {visiontest.TinyModels(), "/nowhere/libonnxruntime.so", "ONNX Runtime"},
		"wrong runtime": {visiontest.TinyModels(), canary(), "ONNX Runtime"},
	} {
		t.Run(name, func(t *testing.T) {
			flags := []string{"--models", c.models, "--runtime", c.runtime}
			lines, log, status := run(t, append([]string{"plate", canary()}, flags...)...)
			require.Equal(t, 1, status, log)
			got := parse[wire.Failure](t, lines[0])
			require.Equal(t, wire.ModelMissing, got.Error.Code, got.Error.Message)
			require.Contains(t, got.Error.Message, c.word)

			lines, log, status = run(t, append([]string{"xray", "--kind", "cargo", path}, flags...)...)
			require.Equal(t, 0, status, log)
			require.Equal(t, "loaded", parse[wire.Scan](t, lines[0]).Cargo.State, "cargo needs no model")
		})
	}
}

// The worker speaks the daemon's protocol and ends with its input.
func TestWorker(t *testing.T) {
	cmd := program(t, tiny(t, "worker")...)
	in, err := cmd.StdinPipe()
	require.NoError(t, err)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	log, err := os.Create(filepath.Join(t.TempDir(), "log"))
	require.NoError(t, err)
	defer log.Close()
	cmd.Stderr = log
	require.NoError(t, cmd.Start())
	lines := bufio.NewScanner(out)
	next := func() string {
		if !lines.Scan() {
			said, err := os.ReadFile(log.Name())
			require.NoError(t, err)
			t.Fatalf("the worker has ended: %s", said)
		}
		return lines.Text()
	}
	ready := parse[wire.Ready](t, next())
	require.True(t, ready.Ready)
	require.Equal(t, "test", ready.Models["plate-detector"])
	require.Contains(t, ready.Missing, "container-reader")

	for _, c := range []struct {
		request string
		code    wire.Code // "" for a result
	}{
		{`{"id":"1","op":"canary"}`, ""},
		{`{"id":"1","op":"canary","kind":"cargo"}`, ""},
		{`{"id":"1","op":"canary","kind":"baggage"}`, ""},
		{`{"id":"1","op":"plate","path":"` + canary() + `"}`, ""},
		{`{"id":"1","op":"plate","path":"/dev/null"}`, wire.NotRegular},
		{`{"id":"1","op":"xray","path":"/dev/null"}`, wire.Internal}, // no kind
		{`{"id":"1","op":"dance"}`, wire.Internal},
		{`{"id":"1","op":"container","path":"` + canary() + `"}`, wire.ModelMissing},
	} {
		_, err := io.WriteString(in, c.request+"\n")
		require.NoError(t, err)
		got := parse[wire.Response](t, next())
		require.Equal(t, "1", got.ID)
		if c.code == "" {
			require.Nil(t, got.Error, c.request)
			require.NotEmpty(t, got.Result, c.request)
			continue
		}
		require.NotNil(t, got.Error, c.request)
		require.Equal(t, c.code, got.Error.Code, c.request)
	}
	_, err = io.WriteString(in, "this is no request\n")
	require.NoError(t, err)
	require.Equal(t, wire.Internal, parse[wire.Response](t, next()).Error.Code)

	require.NoError(t, in.Close())
	require.False(t, lines.Scan(), "nothing but answers")
	require.NoError(t, cmd.Wait())
}

// The trained models pass their own canaries under the memory limit.
func TestTrainedModels(t *testing.T) {
	flags := []string{"--models", visiontest.RealModels(t), "--runtime", visiontest.Library(t)}
	cmd := program(t, append([]string{"worker"}, flags...)...)
	cmd.Stdin = strings.NewReader(`{"id":"plate","op":"canary"}` + "\n" +
		`{"id":"baggage","op":"canary","kind":"baggage"}` + "\n" + `{"id":"cargo","op":"canary","kind":"cargo"}` + "\n")
	var log bytes.Buffer
	cmd.Stderr = &log
	out, err := cmd.Output()
	require.NoError(t, err, log.String())
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	require.Len(t, lines, 4)
	for _, line := range lines[1:] {
		require.Nil(t, parse[wire.Response](t, line).Error, line)
	}
}
