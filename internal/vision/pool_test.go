package vision_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"gatehouse/internal/vision"
	"gatehouse/internal/vision/wire"
)

// behaviour is the variable by which this test binary, started again as a
// worker, knows how to misbehave.
const behaviour = "GATEHOUSE_TEST_WORKER"

func TestMain(m *testing.M) {
	if how := os.Getenv(behaviour); how != "" {
		fakeWorker(how)
		return
	}
	goleak.VerifyTestMain(m)
}

// fakeWorker is a worker that does to each path what its base name says. how
// is "" or what is wrong with the worker itself.
func fakeWorker(how string) {
	if how == "no-start" {
		fmt.Fprintln(os.Stderr, "the shared library is missing")
		os.Exit(1)
	}
	if how == "refuses" {
		say(wire.Ready{Error: wire.Errorf(wire.Internal, "no memory")})
		os.Exit(1)
	}
	if log := os.Getenv(behaviour + "_STARTS"); log != "" {
		f, _ := os.OpenFile(log, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
		_, _ = fmt.Fprintln(f, os.Getpid())
		_ = f.Close()
	}
	say(wire.Ready{Ready: true, Models: map[string]string{"plate-detector": "fake"}})
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		var req wire.Request
		if json.Unmarshal(lines.Bytes(), &req) != nil {
			os.Exit(3)
		}
		if req.Op == wire.OpCanary {
			fakeCanary(how, req)
			continue
		}
		misbehave(req)
	}
}

func fakeCanary(how string, req wire.Request) {
	broken := os.Getenv(behaviour + "_BROKEN") // exists: the canary fails from now on
	_, err := os.Stat(broken)
	switch {
	case broken != "" && err == nil:
		say(wire.Response{ID: req.ID, Error: wire.Errorf(wire.Internal, "the canary's plate was not read")})
	case how == "no-models":
		say(wire.Response{ID: req.ID, Error: wire.Errorf(wire.ModelMissing, "plate-reader is missing")})
	default:
		say(wire.Response{ID: req.ID, Result: json.RawMessage(`{"file":""}`)})
	}
}

func misbehave(req wire.Request) {
	switch name := filepath.Base(req.Path); {
	case name == "hang":
		select {}
	case name == "hang-with-child": // the child holds the pipe and must die too
		_, _ = syscall.ForkExec("/bin/sleep", []string{"sleep", "1000"}, &syscall.ProcAttr{Files: []uintptr{0, 1, 2}})
		select {}
	case name == "crash":
		fmt.Fprintln(os.Stderr, "terminate called after throwing an instance of 'cv::Exception'")
		panic("as a library would")
	case name == "crash-once":
		if os.Remove(req.Path) == nil {
			os.Exit(139)
		}
		result(req)
	case name == "break-and-crash":
		_ = os.WriteFile(os.Getenv(behaviour+"_BROKEN"), nil, 0o600)
		os.Exit(139)
	case name == "garbage":
		fmt.Println("OpenCV(4.6.0) error: !_src.empty()")
	case name == "wrong-id":
		say(wire.Response{ID: "x", Result: json.RawMessage(`{}`)})
	case name == "huge":
		_, _ = io.Copy(os.Stdout, io.LimitReader(zeros{}, 3*wire.MaxLine))
	case name == "hog":
		hold := make([]byte, 400<<20)
		for i := range hold {
			hold[i] = 1
		}
		for {
			time.Sleep(time.Hour)
			hold[0]++
		}
	case strings.HasPrefix(name, "code-"):
		say(wire.Response{ID: req.ID, Error: wire.Errorf(wire.Code(name[5:]), "because")})
	case name == "pid":
		say(wire.Response{ID: req.ID, Result: json.RawMessage(strconv.Itoa(os.Getpid()))})
	case name == "big":
		say(wire.Response{ID: req.ID, Result: json.RawMessage(`"` + strings.Repeat("a", wire.MaxLine-100) + `"`)})
	default:
		result(req)
	}
}

type zeros struct{}

func (zeros) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = 'a'
	}
	return len(b), nil
}

func result(req wire.Request) {
	body, _ := json.Marshal(map[string]string{"file": req.Path})
	say(wire.Response{ID: req.ID, Result: body})
}

func say(v any) {
	b, _ := json.Marshal(v)
	fmt.Println(string(b))
}

// bench is a running pool of fake workers.
type bench struct {
	*vision.Pool
	dir    string // for files that steer the workers
	broken string // make this file and every canary fails
	starts string // one process id a line
	log    *lines
	health chan string // "up" or the reason
}

func start(t *testing.T, how string, change func(*vision.Config)) *bench {
	t.Helper()
	if how == "" {
		how = "well"
	}
	dir := t.TempDir()
	b := &bench{
		dir: dir, broken: filepath.Join(dir, "broken"), starts: filepath.Join(dir, "starts"),
		log: &lines{}, health: make(chan string, 100),
	}
	cfg := vision.Config{
		Command: []string{os.Args[0]},
		Environment: []string{
			behaviour + "=" + how, behaviour + "_BROKEN=" + b.broken, behaviour + "_STARTS=" + b.starts,
		},
		Deadline: 20 * time.Second,
		MaxRSSMB: 300,
		Log:      slog.New(slog.NewTextHandler(b.log, nil)),
		Health: func(up bool, reason string) {
			if up {
				reason = "up"
			}
			b.health <- reason
		},
	}
	if change != nil {
		change(&cfg)
	}
	b.Pool = vision.New(cfg)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- b.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		require.NoError(t, <-ended)
	})
	return b
}

func (b *bench) plate(t *testing.T, name string) vision.Outcome {
	t.Helper()
	o, err := b.Analyse(t.Context(), vision.Request{ID: "e1", Op: wire.OpPlate, Path: filepath.Join(b.dir, name)})
	require.NoError(t, err)
	return o
}

// pids are the processes started so far.
func (b *bench) pids(t *testing.T) []int {
	t.Helper()
	text, err := os.ReadFile(b.starts)
	require.NoError(t, err)
	var out []int
	for line := range strings.Lines(string(text)) {
		pid, err := strconv.Atoi(strings.TrimSpace(line))
		require.NoError(t, err)
		out = append(out, pid)
	}
	return out
}

// lives tells whether a process of the group runs; the dead that nobody has
// collected yet do not count.
func lives(t *testing.T, group int) bool {
	t.Helper()
	all, err := filepath.Glob("/proc/[0-9]*/stat")
	require.NoError(t, err)
	for _, path := range all {
		text, err := os.ReadFile(path)
		if err != nil {
			continue // gone meanwhile
		}
		// pid (name) state ppid pgrp ...
		fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
		if len(fields) > 2 && fields[2] == strconv.Itoa(group) && fields[0] != "Z" && fields[0] != "X" {
			return true
		}
	}
	return false
}

// lines is a log that may be read while it is written.
type lines struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(b)
}

func (l *lines) count(what string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.buf.String(), what)
}

func TestAnswers(t *testing.T) {
	b := start(t, "", nil)
	for i := range 3 {
		name := fmt.Sprintf("image%d.jpg", i)
		o := b.plate(t, name)
		require.Equal(t, vision.Done, o.Verdict, o.Message)
		require.JSONEq(t, fmt.Sprintf(`{"file":%q}`, filepath.Join(b.dir, name)), string(o.Result))
	}
	require.Len(t, b.pids(t), 1, "one process serves them all")
	require.Equal(t, "up", <-b.health)
	up, reason := b.Health()
	require.True(t, up, reason)
}

func TestLongAnswerPasses(t *testing.T) {
	b := start(t, "", nil)
	o := b.plate(t, "big")
	require.Equal(t, vision.Done, o.Verdict, o.Message)
	require.Greater(t, len(o.Result), wire.MaxLine-200)
}

// An image that kills the worker twice while the canary passes is at fault;
// the next image is served by a new worker.
func TestKillersAreUnreadable(t *testing.T) {
	for name, word := range map[string]string{
		"crash": "cv::Exception", "garbage": "not understood", "wrong-id": "not understood",
		"huge": "too long", "hog": "MB", "hang": "no answer within", "hang-with-child": "no answer within",
	} {
		t.Run(name, func(t *testing.T) {
			b := start(t, "", func(c *vision.Config) {
				if strings.HasPrefix(name, "hang") {
					c.Deadline = time.Second
				}
			})
			o := b.plate(t, name)
			require.Equal(t, vision.Unreadable, o.Verdict, o.Message)
			require.Equal(t, wire.Undecodable, o.Code)
			require.Contains(t, o.Message, word)
			require.Len(t, b.pids(t), 3, "two died, the third goes on")
			for _, pid := range b.pids(t)[:2] {
				require.Eventually(t, func() bool { return !lives(t, pid) }, 10*time.Second, time.Millisecond,
					"nothing is left of the process group")
			}
			require.Equal(t, vision.Done, b.plate(t, "good.jpg").Verdict)
			up, reason := b.Health()
			require.True(t, up, reason)
			require.Equal(t, 2, b.log.count("vision worker died on an image"))
		})
	}
}

// A worker that died once says nothing about the image.
func TestOneDeathIsForgiven(t *testing.T) {
	b := start(t, "", nil)
	require.NoError(t, os.WriteFile(filepath.Join(b.dir, "crash-once"), nil, 0o600))
	require.Equal(t, vision.Done, b.plate(t, "crash-once").Verdict)
	require.Len(t, b.pids(t), 2)
}

// When the canary fails as well, the image is innocent.
func TestCanaryAcquitsTheImage(t *testing.T) {
	b := start(t, "", nil)
	require.Equal(t, "up", <-b.health)
	o := b.plate(t, "break-and-crash")
	require.Equal(t, vision.Unavailable, o.Verdict)
	require.Contains(t, o.Message, "canary")
	require.Contains(t, <-b.health, "canary")
	require.Equal(t, vision.Unavailable, b.plate(t, "good.jpg").Verdict, "while down, images are not kept waiting")

	require.NoError(t, os.Remove(b.broken))
	require.Equal(t, "up", <-b.health, "a later worker finds everything well again")
	require.Equal(t, vision.Done, b.plate(t, "good.jpg").Verdict)
	require.Equal(t, 1, b.log.count("vision is down"), "told once")
	require.Equal(t, 2, b.log.count("vision is up"))
}

func TestWorkerThatCannotStart(t *testing.T) {
	for how, word := range map[string]string{"no-start": "the shared library is missing", "refuses": "no memory"} {
		t.Run(how, func(t *testing.T) {
			b := start(t, how, nil)
			require.Contains(t, <-b.health, word)
			for range 3 {
				o := b.plate(t, "good.jpg")
				require.Equal(t, vision.Unavailable, o.Verdict)
				require.Contains(t, o.Message, word)
			}
			require.Equal(t, 1, b.log.count("vision is down"))
		})
	}
	t.Run("no binary", func(t *testing.T) {
		b := start(t, "", func(c *vision.Config) { c.Command = []string{filepath.Join(t.TempDir(), "gatehouse-vision")} })
		o := b.plate(t, "good.jpg")
		require.Equal(t, vision.Unavailable, o.Verdict)
		require.Contains(t, o.Message, "no such file")
		up, reason := b.Health()
		require.False(t, up)
		require.Contains(t, reason, "no such file")
	})
}

// Codes are judged: the file's fault at once, the worker's fault never on the file.
func TestCodes(t *testing.T) {
	b := start(t, "", nil)
	for _, code := range []wire.Code{
		wire.NotRegular, wire.TooLarge, wire.TooManyPixels, wire.Undecodable, wire.Unsupported,
	} {
		o := b.plate(t, "code-"+string(code))
		require.Equal(t, vision.Outcome{Verdict: vision.Unreadable, Code: code, Message: "because"}, o)
	}
	require.Equal(t, "up", <-b.health)
	for _, code := range []wire.Code{wire.ModelMissing, wire.Internal} {
		o := b.plate(t, "code-"+string(code))
		require.Equal(t, vision.Outcome{Verdict: vision.Unavailable, Code: code, Message: "because"}, o)
		require.Equal(t, "because", <-b.health)
		require.Equal(t, vision.Done, b.plate(t, "good.jpg").Verdict)
		require.Equal(t, "up", <-b.health)
	}
	require.Len(t, b.pids(t), 1)
}

// A missing plate model is said, and what needs none goes on.
func TestMissingModelStopsOnlyItsOwn(t *testing.T) {
	b := start(t, "no-models", nil)
	require.Equal(t, "plate-reader is missing", <-b.health)
	o, err := b.Analyse(t.Context(), vision.Request{Op: wire.OpXray, Kind: wire.KindCargo, Path: "/scan.png"})
	require.NoError(t, err)
	require.Equal(t, vision.Done, o.Verdict)
	up, _ := b.Health()
	require.False(t, up)
	up, reason := b.Works(wire.OpXray)
	require.True(t, up, reason)
	up, reason = b.Works(wire.OpPlate)
	require.False(t, up)
	require.Equal(t, "plate-reader is missing", reason)
}

// A model that is put in place later is found by the next worker.
func TestMissingModelIsLookedForAgain(t *testing.T) {
	b := start(t, "", func(c *vision.Config) { c.Reload = time.Nanosecond })
	before := b.plate(t, "pid").Result
	require.Equal(t, wire.ModelMissing, b.plate(t, "code-"+string(wire.ModelMissing)).Code)
	after := b.plate(t, "pid")
	require.Equal(t, vision.Done, after.Verdict)
	require.NotEqual(t, before, after.Result)
}

func TestRecycling(t *testing.T) {
	b := start(t, "", func(c *vision.Config) { c.RecycleAfter = 2 })
	var seen []string
	for range 6 {
		seen = append(seen, string(b.plate(t, "pid").Result))
	}
	require.Equal(t, seen[0], seen[1])
	require.Equal(t, seen[2], seen[3])
	require.NotEqual(t, seen[1], seen[2])
	require.NotEqual(t, seen[3], seen[4])
	require.Equal(t, 1, b.log.count("vision is up"), "recycling is not an outage")
}

// A worker killed while idle is replaced before the next image.
func TestIdleDeath(t *testing.T) {
	b := start(t, "", nil)
	require.Equal(t, vision.Done, b.plate(t, "good.jpg").Verdict)
	require.NoError(t, syscall.Kill(b.pids(t)[0], syscall.SIGKILL))
	require.Equal(t, vision.Done, b.plate(t, "good.jpg").Verdict)
	require.Len(t, b.pids(t), 2)
}

func TestSeveralWorkers(t *testing.T) {
	b := start(t, "", func(c *vision.Config) { c.Workers = 2; c.Deadline = 2 * time.Second })
	hang := make(chan vision.Outcome)
	go func() {
		o, _ := b.Analyse(context.Background(), vision.Request{Op: wire.OpPlate, Path: "/hang"})
		hang <- o
	}()
	for range 20 {
		require.Equal(t, vision.Done, b.plate(t, "good.jpg").Verdict, "one stuck image does not stop the rest")
	}
	require.Equal(t, vision.Unreadable, (<-hang).Verdict)
}

func TestEndOfThePool(t *testing.T) {
	b := vision.New(vision.Config{Command: []string{os.Args[0]}, Environment: []string{behaviour + "=well"}})
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error)
	go func() { ended <- b.Run(ctx) }()
	busy := make(chan vision.Outcome)
	go func() {
		o, _ := b.Analyse(context.Background(), vision.Request{Op: wire.OpPlate, Path: "/pid"})
		busy <- o
	}()
	pid, err := strconv.Atoi(string((<-busy).Result))
	require.NoError(t, err)
	go func() {
		o, _ := b.Analyse(context.Background(), vision.Request{Op: wire.OpPlate, Path: "/hang"})
		busy <- o
	}()
	cancel()
	require.NoError(t, <-ended, "a hanging image does not hold up the end")
	require.Eventually(t, func() bool { return !lives(t, pid) }, 10*time.Second, time.Millisecond)
	<-busy // Unavailable, or refused with ErrClosed
	_, err = b.Analyse(context.Background(), vision.Request{Op: wire.OpPlate, Path: "/x"})
	require.ErrorIs(t, err, vision.ErrClosed)

	cancelled, stop := context.WithCancel(context.Background())
	stop()
	idle := vision.New(vision.Config{})
	_, err = idle.Analyse(cancelled, vision.Request{})
	require.ErrorIs(t, err, context.Canceled)
}
