package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatehouse/internal/console/store"
	"gatehouse/internal/console/uplink"
	"gatehouse/internal/control"
	"gatehouse/internal/event"
	"gatehouse/internal/fault"
	"gatehouse/internal/sim/board"
	simfault "gatehouse/internal/sim/fault"
	"gatehouse/internal/sim/port"
	"gatehouse/internal/trust"
)

// unheard is a ledger that nobody keeps.
type unheard struct{}

func (unheard) Sent(string, string, []byte, string)            {}
func (unheard) Unheard(string, string, []byte, string, string) {}
func (unheard) Spoilt(string, string, []byte, string, string)  {}

// barrier is the simulator's board on a real pty.
type barrier struct {
	*board.Board
	faults *simfault.Board
	link   string
}

func newBarrier(t *testing.T, dir string) *barrier {
	t.Helper()
	b := &barrier{faults: simfault.NewBoard(nil), link: filepath.Join(dir, "barrier")}
	p := port.New("barrier", b.link, 1, b.faults, unheard{}, slog.New(slog.DiscardHandler))
	b.Board = board.New(board.Settings{Device: "barrier", Unit: 1, Pace: 1}, p, b.faults)
	ctx, end := context.WithCancel(context.Background())
	var jobs sync.WaitGroup
	up := make(chan struct{})
	jobs.Go(func() { _ = p.Run(ctx, up) })
	jobs.Go(func() { _ = b.Run(ctx) })
	<-up
	t.Cleanup(func() {
		end()
		jobs.Wait()
		b.faults.Close()
	})
	return b
}

// console is an agency's store and its link to the hub.
type console struct {
	*store.Store
	t      *testing.T
	agency event.Agency
	link   *uplink.Uplink
}

func newConsole(s *site, a event.Agency) *console {
	t := s.t
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	key, err := trust.Load(filepath.Join(s.dir, a.Account()+".key"))
	require.NoError(t, err)
	seed, err := trust.LoadSeed(filepath.Join(s.dir, a.Account()+".nkey"))
	require.NoError(t, err)
	gate, err := trust.LoadPublic(filepath.Join(s.dir, "gate", "keys", "gate.pub"))
	require.NoError(t, err)
	st, err := store.Open(t.Context(), store.Options{Dir: t.TempDir(), Agency: a, Seal: uplink.Sealer(a, key), Log: log})
	require.NoError(t, err)
	keys := uplink.Keys{Gates: map[string][]trust.Public{"15BB": {gate}}, Agencies: map[event.Agency][]trust.Public{}}
	for _, other := range event.Agencies() {
		public, err := trust.LoadPublic(filepath.Join(s.dir, other.Account()+".pub"))
		require.NoError(t, err)
		keys.Agencies[other] = []trust.Public{public}
	}
	c := &console{Store: st, t: t, agency: a}
	c.link = uplink.New(uplink.Options{URL: "nats://" + s.hub, Name: "console", Seed: seed, Keys: keys, Store: st, Log: log})
	ctx, end := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- c.link.Run(ctx) }()
	t.Cleanup(func() {
		end()
		require.NoError(t, <-done)
		require.NoError(t, st.Close())
	})
	return c
}

// say gives a command as the console's pages do.
func (c *console) say(v event.ControlVerb) event.Command {
	c.t.Helper()
	now := time.Now().UTC()
	m := event.Command{
		ID: event.CommandID(event.NewID(now), v), Agency: c.agency, Where: event.Where{Gate: "15BB", Lane: "01", Device: "barrier"}, Verb: v, Badge: "B-1", At: now,
	}
	_, err := c.Command(c.t.Context(), m)
	require.NoError(c.t, err)
	c.link.Wake()
	return m
}

// answer waits for what came of a command, in this console's own store.
func (c *console) answer(m event.Command) (found event.ControlChange) {
	c.t.Helper()
	c.until("the answer to "+string(m.Verb), func(l event.ControlChange) bool { found = l; return l.Command == m.ID })
	return found
}

// asks is say and answer.
func (c *console) asks(v event.ControlVerb) event.ControlChange {
	c.t.Helper()
	return c.answer(c.say(v))
}

func (c *console) log() []event.ControlChange {
	c.t.Helper()
	log, err := c.ControlLog(c.t.Context(), store.DeviceID{Gate: "15BB", Lane: "01", Device: "barrier"}, 1000)
	require.NoError(c.t, err)
	return log
}

// until waits for a line of the hand-over log.
func (c *console) until(what string, good func(event.ControlChange) bool) {
	c.t.Helper()
	require.Eventually(c.t, func() bool { return slices.ContainsFunc(c.log(), good) }, patience, 20*time.Millisecond, what)
}

// state waits until the barrier is as wanted, as its lane's record says.
func (c *console) state(what string, good func(event.Barrier) bool) {
	c.t.Helper()
	require.Eventually(c.t, func() bool {
		list, err := c.Devices(c.t.Context())
		require.NoError(c.t, err)
		return len(list) == 1 && list[0].Barrier != nil && good(*list[0].Barrier)
	}, patience, 20*time.Millisecond, what)
}

func up(st control.Status) bool { return deviceOf(st, "01", "barrier").State == event.Up }

// Customs takes control and closes; the Border Guard is refused while the lease
// lasts; the arm does not come down on a vehicle; both have the same log, and
// the technician at the gate is one of them.
func TestABarrierHasOneHolder(t *testing.T) {
	s := newSite(t)
	b := newBarrier(t, s.dir)
	s.write(barrierLaneOn(b))
	s.start()
	s.until("the barrier is up", up)
	customs, guard := newConsole(s, event.Customs), newConsole(s, event.BorderGuard)

	r := customs.asks(event.ControlOpen)
	require.Equal(t, event.ControlNoLease, r.Code, "a command needs the lease")
	r = customs.asks(event.ControlTake)
	require.Equal(t, event.ControlDone, r.Outcome, r.Why.EN)
	require.Equal(t, event.Customs, r.Holder)
	require.Equal(t, event.ControlDone, customs.asks(event.ControlOpen).Outcome)
	customs.state("the arm is up", func(x event.Barrier) bool { return x.Arm == "up" })
	require.Equal(t, event.ControlDone, customs.asks(event.ControlGreen).Outcome)
	guard.state("the light is green", func(x event.Barrier) bool { return slices.Contains(x.Lights, "green") })

	for _, v := range []event.ControlVerb{event.ControlTake, event.ControlClose, event.ControlRelease} {
		r = guard.asks(v)
		require.Equal(t, event.ControlRefused, r.Outcome)
		require.Equal(t, event.ControlHeld, r.Code)
		require.Equal(t, "Hải quan đang giữ quyền điều khiển.", r.Why.VI)
	}
	require.Equal(t, board.Pulses{Open: 1}, b.Pulsed())

	// The driver looks at the inputs again right before it moves anything.
	_, err := b.faults.Set(simfault.Order{Name: "obstacle", Device: "barrier", For: time.Hour})
	require.NoError(t, err)
	r = customs.asks(event.ControlClose)
	require.Equal(t, event.ControlRefused, r.Outcome)
	require.Equal(t, "OBSTRUCTED", r.Code)
	require.NotEmpty(t, r.Why.VI)
	require.Equal(t, board.Pulses{Open: 1}, b.Pulsed(), "no command defeats the interlock")
	b.faults.Clear("obstacle", "barrier")
	require.Equal(t, event.ControlDone, customs.asks(event.ControlClose).Outcome)
	customs.state("the arm is down and the light red", func(x event.Barrier) bool {
		return x.Arm == "down" && slices.Equal(x.Lights, []string{"red"})
	})

	// The technician at the gate is a holder like the others.
	out, _, status := s.gatectl("control", "01", "barrier", "open", "--json")
	require.Equal(t, 1, status, out)
	var told event.ControlChange
	require.NoError(t, json.Unmarshal([]byte(out), &told))
	require.Equal(t, event.ControlHeld, told.Code)
	require.Equal(t, event.AtGate, told.Agency)
	out, _, status = s.gatectl("control", "01", "barrier", "status", "--lang", "vi")
	require.Zero(t, status)
	require.Contains(t, out, "Hải quan, đến ")
	require.Empty(t, customs.asks(event.ControlRelease).Holder)
	out, _, status = s.gatectl("control", "01", "barrier", "take")
	require.Zero(t, status, out)
	require.Contains(t, out, "technician at the gate, until ")
	require.Equal(t, event.ControlHeld, guard.asks(event.ControlOpen).Code)
	_, errs, status := s.gatectl("control", "01", "barrier", "lift")
	require.Equal(t, 2, status, errs)
	_, errs, status = s.gatectl("control", "01", "gate", "take")
	require.Equal(t, 1, status, errs)

	// An orderly stop ends the lease, and both agencies are told.
	s.stop()
	s.start()
	for _, c := range []*console{customs, guard} {
		c.until("the end of the lease", func(l event.ControlChange) bool {
			return l.Agency == event.AtGate && l.Code == event.ControlStopped && l.Holder == ""
		})
	}
	same(t, customs, guard)
}

func barrierLaneOn(b *barrier) string {
	return fmt.Sprintf(`  - id: "01"
    direction: entry
    devices:
      - id: barrier
        driver: barrier
        owner: BORDERGUARD
        role: barrier
        settings: {line: {port: %q, baud: 9600}, poll: 50ms, pulse: 200ms, idle: 1s, watchdog: board}
`, b.link)
}

// same waits until both agencies have the same log.
func same(t *testing.T, a, b *console) {
	t.Helper()
	require.Eventually(t, func() bool { return len(a.log()) == len(b.log()) }, patience, 50*time.Millisecond)
	require.Equal(t, a.log(), b.log())
}

// A daemon that is killed with a command in its hands does not carry it out
// again, whichever side of the relay it died on, and says that it is lost.
func TestACommandIsNotRepeatedAfterAKill(t *testing.T) {
	torture := filepath.Join(t.TempDir(), "gatehouse")
	build := exec.Command("go", "build", "-tags", "torture", "-o", torture, "gatehouse/cmd/gatehouse")
	out, err := build.CombinedOutput()
	require.NoError(t, err, string(out))
	for _, at := range []struct {
		point string
		open  int // pulses that the arm was given
	}{{fault.ControlBeforeCommand, 0}, {fault.ControlAfterCommand, 1}} {
		t.Run(at.point, func(t *testing.T) {
			s := newSite(t)
			b := newBarrier(t, s.dir)
			s.write(barrierLaneOn(b))
			s.cmd = exec.Command(torture, "run")
			s.cmd.Dir = s.dir
			s.cmd.Env = append(os.Environ(), fault.Env+"="+at.point+":1", fault.EnvLog+"="+filepath.Join(s.dir, "hits"))
			require.NoError(t, s.cmd.Start())
			s.until("the barrier is up", up)
			customs, guard := newConsole(s, event.Customs), newConsole(s, event.BorderGuard)
			require.Equal(t, event.ControlDone, customs.asks(event.ControlTake).Outcome)
			m := customs.say(event.ControlOpen)
			require.Error(t, s.cmd.Wait(), "it was killed")
			s.cmd = nil
			hits, err := os.ReadFile(filepath.Join(s.dir, "hits"))
			require.NoError(t, err)
			require.Equal(t, at.point+"\n", string(hits))
			require.Equal(t, at.open, b.Pulsed().Open)

			s.start()
			r := customs.answer(m)
			require.Equal(t, event.ControlLost, r.Outcome)
			require.Equal(t, event.ControlRestart, r.Code)
			guard.until("the end of the lease", func(l event.ControlChange) bool {
				return l.Verb == event.ControlRelease && l.Code == event.ControlRestart && l.Agency == event.Customs
			})
			s.until("the barrier is up", up)
			require.Equal(t, event.ControlDone, guard.asks(event.ControlTake).Outcome, "nobody holds it any more")
			require.Equal(t, event.ControlDone, guard.asks(event.ControlRed).Outcome)
			require.Equal(t, at.open, b.Pulsed().Open, "it was carried out once or never")
			same(t, customs, guard)
		})
	}
}
