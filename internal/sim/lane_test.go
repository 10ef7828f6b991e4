package sim_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
	"github.com/nats-io/nats-server/v2/server"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"golang.org/x/sys/unix"

	"gatehouse/internal/sim"
	"gatehouse/internal/sim/book"
	"gatehouse/internal/sim/camera"
	"gatehouse/internal/sim/control"
	"gatehouse/internal/sim/scenario"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// listener is somebody at the other end of all wires. It shares no code with
// the simulator.
type listener struct {
	mu     sync.Mutex
	frames map[string]int // device/digest, how often
	wire   bytes.Buffer   // everything that could be read as text
}

func (l *listener) heard(device string, frame []byte) {
	h := sha256.Sum256(frame)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.frames[device+"/"+hex.EncodeToString(h[:])]++
	l.wire.Write(frame)
	l.wire.WriteByte('\n')
}

func (l *listener) count() map[string]int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return maps.Clone(l.frames)
}

// serial reads a port until the file is closed or the line hangs up.
func (l *listener) serial(f *os.File, device string, cut func([]byte) (frame, rest []byte, found bool)) {
	buf := make([]byte, 4096)
	var rest []byte
	for {
		n, err := f.Read(buf)
		rest = append(rest, buf[:n]...)
		for {
			line, after, found := cut(rest)
			if !found {
				break
			}
			l.heard(device, line)
			rest = after
		}
		if err != nil {
			return
		}
	}
}

func lineEnd(b []byte) (frame, rest []byte, found bool) { return bytes.Cut(b, []byte("\r\n")) }

// toledo cuts frames of eighteen bytes.
func toledo(b []byte) (frame, rest []byte, found bool) {
	if len(b) < 18 {
		return nil, b, false
	}
	return b[:18], b[18:], true
}

func broker(t *testing.T) string {
	t.Helper()
	s, err := server.NewServer(&server.Options{
		ServerName: "test", DontListen: true, JetStream: true, StoreDir: t.TempDir(), NoSigs: true, NoLog: true, MaxPayload: 4 << 20,
		MQTT: server.MQTTOpts{Host: "127.0.0.1", Port: -1},
	})
	require.NoError(t, err)
	s.Start()
	require.True(t, s.ReadyForConnections(20*time.Second))
	t.Cleanup(func() {
		s.Shutdown()
		s.WaitForShutdown()
	})
	v, err := s.Varz(nil)
	require.NoError(t, err)
	return fmt.Sprintf("tcp://127.0.0.1:%d", v.MQTT.Port)
}

func fast() scenario.Scenario {
	s := scenario.Default()
	s.Speed = 25
	l := &s.Lanes[0]
	l.Traffic = scenario.Traffic{Headway: 4 * time.Second}
	l.Mix.Gamma, l.Mix.Neutron, l.Mix.Threat = 0, 0, 0
	l.Vehicles = []scenario.Special{
		{Number: 1, Clean: true, Plate: "12C-123.45", Rows: 1, Light: "day", Gamma: 30, Load: "sacks"},
		{Number: 2, Clean: true, Plate: "98C-204.17", Follows: "tail-gate", Threat: "dense-block", Load: "boxes"},
		{Number: 3, Clean: true, Plate: "29H-777.77", Reverse: true, Load: "empty"},
	}
	s.Faults = []scenario.Planned{{Lane: "01", Fault: "image-empty", Device: "xray", Vehicle: 1}, {Lane: "01", Fault: "duplicate", Vehicle: 3}}
	return s
}

func total(counts map[string]int) (n int) {
	for _, c := range counts {
		n += c
	}
	return n
}

func state(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "sim") // short: the control socket's name is bounded
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(dir)) })
	return dir
}

func options(dir, url string) sim.Options {
	return sim.Options{
		Scenario: fast(), State: dir, Log: slog.New(slog.DiscardHandler),
		Cameras: cameras(url),
	}
}

func cameras(url string) map[string]camera.Settings {
	all := map[string]camera.Settings{}
	if url == "" {
		return all
	}
	for _, device := range []string{"camera", "camera2"} {
		all["01-"+device] = camera.Settings{Broker: url, ClientID: "sim-" + device, Topic: "gatehouse/15BB/01/" + device, Queue: 64}
	}
	return all
}

func lines[T any](t *testing.T, dir, name string) []T {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, name))
	require.NoError(t, err)
	var out []T
	for line := range strings.Lines(string(data)) {
		var v T
		require.NoError(t, json.Unmarshal([]byte(line), &v), line)
		out = append(out, v)
	}
	return out
}

// follow opens the ports as soon as they are there.
func (l *listener) follow(t *testing.T, dir string) (files []*os.File, wait func()) {
	t.Helper()
	var jobs sync.WaitGroup
	for _, device := range []string{"rpm", "xray", "barcode", "scale"} {
		var fd int
		require.Eventually(t, func() bool {
			var err error
			fd, err = unix.Open(filepath.Join(dir, "dev", "01-"+device), unix.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK, 0)
			return err == nil
		}, 30*time.Second, time.Millisecond)
		f := os.NewFile(uintptr(fd), device)
		files = append(files, f)
		cut := lineEnd
		if device == "scale" {
			cut = toledo
		}
		jobs.Go(func() { l.serial(f, device, cut) })
	}
	return files, jobs.Wait
}

func (l *listener) subscribe(t *testing.T, url string) mqtt.Client {
	t.Helper()
	c := mqtt.NewClient(mqtt.NewClientOptions().AddBroker(url).SetClientID("listener").SetAutoReconnect(false))
	require.True(t, c.Connect().WaitTimeout(20*time.Second))
	require.True(t, c.Subscribe("gatehouse/#", 1, func(_ mqtt.Client, m mqtt.Message) {
		if !strings.HasSuffix(m.Topic(), "$state") {
			l.heard(strings.Split(m.Topic(), "/")[3], m.Payload())
		}
	}).WaitTimeout(20*time.Second))
	return c
}

func TestLedgerIsWhatTheWiresCarried(t *testing.T) {
	dir, url := state(t), broker(t)
	l := &listener{frames: map[string]int{}}
	client := l.subscribe(t, url)
	defer client.Disconnect(100)
	o := options(dir, url)
	o.Count = 3
	type end struct {
		sum sim.Summary
		err error
	}
	done := make(chan end, 1)
	go func() {
		sum, err := sim.Run(t.Context(), o)
		done <- end{sum, err}
	}()
	files, hungUp := l.follow(t, dir)
	e := <-done
	require.NoError(t, e.err)
	hungUp() // what was written before the end has been read
	for _, f := range files {
		require.NoError(t, f.Close())
	}
	require.Equal(t, 3, e.sum.Vehicles)
	require.Zero(t, e.sum.Cut+e.sum.Unsent)
	require.Equal(t, 1, e.sum.GammaAlarms)
	require.Equal(t, 1, e.sum.Threats)

	// Files lie in the folder; they are read there.
	drop, err := filepath.Glob(filepath.Join(dir, "drop", "01", "*"))
	require.NoError(t, err)
	require.Len(t, drop, 6)
	for _, f := range drop {
		data, err := os.ReadFile(f)
		require.NoError(t, err)
		l.heard("xray", data)
	}
	want := map[string]int{}
	frames := lines[book.Frame](t, dir, "ledger.jsonl")
	for i, f := range frames {
		require.Equal(t, i+1, f.N)
		require.Equal(t, "01", f.Lane)
		want[f.Device+"/"+f.SHA256]++
	}
	require.Eventually(t, func() bool { return total(l.count()) >= len(frames) }, 20*time.Second, 10*time.Millisecond)
	require.Equal(t, want, l.count())

	truth := map[string]book.Truth{}
	for _, v := range lines[book.Truth](t, dir, "truth.jsonl") {
		truth[v.Vehicle] = v
		require.NotContains(t, l.wire.String(), v.Plate, "no truth on a wire")
		require.NotContains(t, l.wire.String(), v.Display)
		require.NotContains(t, l.wire.String(), v.Vehicle)
	}
	require.NotContains(t, l.wire.String(), "threat")
	require.Len(t, truth, 3)
	first, second, third := truth["sim-000001"], truth["sim-000002"], truth["sim-000003"]
	require.Equal(t, "12C12345", first.Plate)
	require.True(t, first.Rad.GammaAlarm)
	require.Contains(t, first.Faults, "xray/image-empty")
	require.Equal(t, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", first.Scan.Image)
	require.True(t, second.Follows)
	require.Equal(t, first.Rad.Occupancy, second.Rad.Occupancy)
	require.True(t, second.Scan.Threat)
	require.Len(t, second.Scan.Boxes, 1)
	require.True(t, third.Reverse)
	require.Equal(t, []string{"RPM-GAMMA"}, first.Findings)
	require.Equal(t, []string{"TAIL-GATE", "XRAY-ANOMALY"}, second.Findings)
	list, err := os.ReadFile(filepath.Join(dir, "expected", "01.csv"))
	require.NoError(t, err)
	require.Contains(t, string(list), "declaration,plate,rear_plate,container,gross_kg,net_kg,goods,direction,from,to\n")
	require.Equal(t, "empty", third.Scan.State)
	require.Contains(t, third.Faults, "camera/duplicate")
	for _, v := range truth {
		require.Contains(t, want, "camera/"+v.Photo)
		require.Contains(t, want, "xray/"+v.Scan.Image)
		require.Contains(t, want, "camera2/"+v.RearPhoto)
		require.Contains(t, string(list), v.Declaration+","+v.Display+",")
		require.Contains(t, l.wire.String(), "]Q1"+v.Declaration, "handed over at the bridge")
		require.Positive(t, v.Weight.GrossKG)
		require.False(t, v.Ended.Before(v.Began))
	}
}

func TestStopAndGoOn(t *testing.T) {
	dir := state(t)
	o := options(dir, "")
	o.Scenario.Speed = 1 // the first lorry is still in the portal when it is stopped
	o.Scenario.Lanes[0].Vehicles[0].After = "1ms"
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan sim.Summary, 1)
	go func() {
		sum, err := sim.Run(ctx, o)
		require.NoError(t, err)
		done <- sum
	}()
	require.Eventually(t, func() bool {
		a, err := control.Ask(t.Context(), control.Socket(dir), control.Request{Op: "status"})
		return err == nil && a.Status.Vehicles == 2 // it and its tail-gater
	}, 30*time.Second, 5*time.Millisecond)
	_, err := sim.Run(ctx, o)
	require.ErrorContains(t, err, "another gatesim works in")
	a, err := control.Ask(t.Context(), control.Socket(dir), control.Request{Op: "fault", Fault: "noise", For: time.Hour})
	require.NoError(t, err)
	require.Equal(t, "rpm", a.Active.Device)
	_, err = control.Ask(t.Context(), control.Socket(dir), control.Request{Op: "fault", Fault: "nonsense"})
	require.ErrorContains(t, err, "gatesim fault list")
	cancel()
	sum := <-done
	require.Equal(t, 2, sum.Cut)
	require.Zero(t, sum.Vehicles)

	o = options(dir, "")
	o.Count = 1
	o.Scenario.Lanes[0].Vehicles = nil
	sum, err = sim.Run(t.Context(), o)
	require.NoError(t, err)
	require.Equal(t, 1, sum.Vehicles)
	truth := lines[book.Truth](t, dir, "truth.jsonl")
	require.Len(t, truth, 3)
	require.True(t, truth[0].Cut && truth[1].Cut)
	require.Contains(t, truth[0].Faults, "rpm/noise")
	require.Equal(t, "01", truth[0].Lane)
	require.Equal(t, "sim-000004", truth[2].Vehicle, "numbering goes on behind the one that was planned")
	require.False(t, truth[2].Cut)
	for _, f := range lines[book.Frame](t, dir, "unheard.jsonl") {
		require.Equal(t, "not-open", f.Reason, "nobody had the ports open")
	}
}

// The same seed makes the same lane: the same images, and the same counts.
func TestSeedDecidesTheRun(t *testing.T) {
	run := func(seed uint64) (files, radiation []string) {
		dir := state(t)
		o := options(dir, "")
		o.Count, o.Scenario.Seed, o.Scenario.Lanes[0].Vehicles, o.Scenario.Faults = 1, seed, nil, nil
		_, err := sim.Run(t.Context(), o)
		require.NoError(t, err)
		for _, v := range lines[book.Truth](t, dir, "truth.jsonl") {
			files = append(files, v.Plate, v.Scan.Image)
		}
		for _, f := range lines[book.Frame](t, dir, "unheard.jsonl") {
			if f.Device == "rpm" && f.Passage != "" {
				radiation = append(radiation, f.SHA256)
			}
		}
		return files, radiation
	}
	files, radiation := run(5)
	again, sameRadiation := run(5)
	require.Equal(t, files, again)
	require.NotEmpty(t, radiation)
	require.Equal(t, radiation, sameRadiation)
	other, _ := run(6)
	require.NotEqual(t, files, other)
}
