package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"

	"gatehouse/internal/control"
	"gatehouse/internal/event"
	"gatehouse/internal/hub/client"
	"gatehouse/internal/share"
	"gatehouse/internal/trust"
)

// patience bounds a broken run; nothing is measured against it.
const patience = 60 * time.Second

// programs are the real ones, built once.
var programs string

func TestMain(m *testing.M) {
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "gh-bin")
		if err != nil {
			panic(err)
		}
		defer os.RemoveAll(dir)
		args := []string{"build", "-o", dir}
		if raced {
			args = append(args, "-race")
		}
		build := exec.Command("go", append(args, "gatehouse/cmd/gatehouse", "gatehouse/cmd/gatectl")...)
		if out, err := build.CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "%s", out)
			return 1
		}
		programs = dir
		return m.Run()
	}())
}

// site is a state folder with a configuration, the agencies' keys and maybe a
// running daemon.
type site struct {
	t    *testing.T
	dir  string
	hub  string
	seed trust.Seed // Customs' user on the hub
	cmd  *exec.Cmd
	log  *bytes.Buffer
}

func newSite(t *testing.T) *site {
	t.Helper()
	dir, err := os.MkdirTemp("", "gh") //nolint:usetesting // a socket's path must be short
	require.NoError(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	s := &site{t: t, dir: dir, hub: freePort(t)}
	for _, who := range []string{"customs", "borderguard"} {
		_, err := trust.LoadOrCreate(filepath.Join(dir, who+".key"))
		require.NoError(t, err)
		seed, err := trust.LoadOrCreateSeed(filepath.Join(dir, who+".nkey"))
		require.NoError(t, err)
		if who == "customs" {
			s.seed = seed
		}
	}
	return s
}

func freePort(t *testing.T) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	return l.Addr().String()
}

// write writes the configuration with these lanes.
func (s *site) write(lanes string) {
	s.t.Helper()
	text := `gate: 15BB
state: gate
journal: {reserve: 1 MiB}
hub: {embedded: {listen: "` + s.hub + `"}}
agencies:
  - {code: CUSTOMS, key: customs.pub, hub_user: customs.nkey.pub}
  - {code: BORDERGUARD, key: borderguard.pub, hub_user: borderguard.nkey.pub}
lanes:
` + lanes
	require.NoError(s.t, os.WriteFile(filepath.Join(s.dir, "gate.yaml"), []byte(text), 0o600))
}

// start starts the daemon and waits until it runs.
func (s *site) start() {
	s.t.Helper()
	s.log = &bytes.Buffer{}
	s.cmd = exec.Command(filepath.Join(programs, "gatehouse"), "run")
	s.cmd.Dir, s.cmd.Stderr = s.dir, s.log
	require.NoError(s.t, s.cmd.Start())
	s.t.Cleanup(s.stop)
	s.until("the gate runs", func(st control.Status) bool { return st.Phase == control.Running })
}

// startAndFail runs a daemon that cannot run and returns what it says.
func startAndFail(s *site) (string, error) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, filepath.Join(programs, "gatehouse"), "run")
	cmd.Dir = s.dir
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// stop ends the daemon in order.
func (s *site) stop() {
	if s.cmd == nil {
		return
	}
	_ = s.cmd.Process.Signal(syscall.SIGTERM)
	err := s.cmd.Wait()
	s.cmd = nil
	if s.t.Failed() {
		s.t.Log(s.log.String())
	}
	require.NoError(s.t, err, s.log.String())
}

func (s *site) client() *control.Client { return control.NewClient(filepath.Join(s.dir, "gate")) }

// until asks for the status until it is as wanted.
func (s *site) until(what string, good func(control.Status) bool) control.Status {
	s.t.Helper()
	var last control.Status
	require.Eventually(s.t, func() bool {
		st, err := s.client().Status(s.t.Context())
		last = st
		return err == nil && good(st)
	}, patience, 20*time.Millisecond, what)
	return last
}

func deviceOf(st control.Status, lane, id string) control.Device {
	for _, l := range st.Lanes {
		for _, d := range l.Devices {
			if l.ID == lane && d.ID == id {
				return d
			}
		}
	}
	return control.Device{}
}

// gatectl runs the tool in the site's folder and returns its output and status.
func (s *site) gatectl(args ...string) (stdout, stderr string, status int) {
	s.t.Helper()
	cmd := exec.Command(filepath.Join(programs, "gatectl"), args...)
	var out, errs bytes.Buffer
	cmd.Dir, cmd.Stdout, cmd.Stderr = s.dir, &out, &errs
	cmd.Env = append(os.Environ(), "LC_ALL=C.UTF-8")
	err := cmd.Run()
	if _, exited := errors.AsType[*exec.ExitError](err); !exited {
		require.NoError(s.t, err)
	}
	return out.String(), errs.String(), cmd.ProcessState.ExitCode()
}

// customs reads what Customs has been handed until one event is as wanted.
func customs[T any](s *site, kind event.Type, good func(T) bool) T {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), patience)
	defer cancel()
	nc, err := client.Connect("nats://"+s.hub, "test", s.seed, slog.New(slog.DiscardHandler))
	require.NoError(s.t, err)
	defer nc.Close()
	js, err := jetstream.New(nc)
	require.NoError(s.t, err)
	inbox, err := js.OrderedConsumer(ctx, client.InboxStream, jetstream.OrderedConsumerConfig{DeliverPolicy: jetstream.DeliverAllPolicy})
	require.NoError(s.t, err)
	messages, err := inbox.Messages()
	require.NoError(s.t, err)
	defer messages.Stop()
	for {
		msg, err := messages.Next(jetstream.NextContext(ctx))
		require.NoError(s.t, err, "nothing of type %s is as wanted", kind)
		link, err := share.ParseMessage(msg.Headers(), msg.Data())
		require.NoError(s.t, err)
		if link.Header.Type != kind {
			continue
		}
		e, err := event.ParseEnvelope(link.Payload)
		require.NoError(s.t, err)
		var value T
		require.NoError(s.t, json.Unmarshal(e.Data, &value))
		if good(value) {
			return value
		}
	}
}

// portal is a device behind a terminal server: it sends a line again and again
// and keeps what it has sent.
type portal struct {
	address string

	mu       sync.Mutex
	accepted int
	sent     []string // digests of the lines that were written whole
	lines    chan string
}

// newPortal sends the lines that next makes, one every pause, on each
// connection in turn, and what is put into lines between them.
func newPortal(t *testing.T, pause time.Duration, next func(n int) string) *portal {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	p := &portal{address: l.Addr().String(), lines: make(chan string, 64)}
	ctx, end := context.WithCancel(context.Background())
	var all sync.WaitGroup
	all.Go(func() {
		for n := 0; ; {
			c, err := l.Accept()
			if err != nil {
				return
			}
			p.mu.Lock()
			p.accepted++
			p.mu.Unlock()
			n = p.serve(ctx, c, n, pause, next)
		}
	})
	t.Cleanup(func() {
		end()
		_ = l.Close()
		all.Wait()
	})
	return p
}

func (p *portal) serve(ctx context.Context, c net.Conn, n int, pause time.Duration, next func(n int) string) int {
	defer c.Close()
	tick := time.NewTicker(pause)
	defer tick.Stop()
	for {
		var line string
		select {
		case <-ctx.Done():
			return n
		case line = <-p.lines:
		case <-tick.C:
			n++
			line = next(n)
		}
		if _, err := c.Write([]byte(line + "\r\n")); err != nil {
			return n
		}
		sum := sha256.Sum256([]byte(line))
		p.mu.Lock()
		p.sent = append(p.sent, hex.EncodeToString(sum[:]))
		p.mu.Unlock()
	}
}

func (p *portal) counts() (accepted int, sent []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.accepted, append([]string(nil), p.sent...)
}

// background is a line of a portal monitor with a number in it.
func background(n int) string { return fmt.Sprintf("GB,%06d,000225,000219,000226", n) }
