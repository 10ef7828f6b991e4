package barrier_test

import (
	"context"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"gatehouse/drivers/barrier"
	"gatehouse/drivers/drivertest"
	"gatehouse/internal/driver"
	"gatehouse/internal/event"
)

var _ = flag.Bool("update", false, "write the expected readings of the golden cases")

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func (s *slave) config() barrier.Config {
	c := barrier.Defaults()
	c.Line = s.line
	c.Poll, c.Timeout, c.Pulse, c.Idle = 20*time.Millisecond, 100*time.Millisecond, 100*time.Millisecond, time.Minute
	return c
}

// followed tells the slave when its driver has ended.
type followed struct {
	driver.Driver
	slave *slave
}

func (f followed) Run(ctx context.Context, emit driver.Emit) error {
	defer f.slave.set(func() { f.slave.gone = true })
	f.slave.set(func() { f.slave.gone = false })
	return f.Driver.Run(ctx, emit)
}

func (s *slave) Driver(env driver.Env) driver.Driver {
	return followed{barrier.New(s.config(), env), s}
}

func (s *slave) Ready() { s.wait(func() bool { return s.answered > 3 }) }

func (s *slave) Measure(n int) []string {
	in := byte(n + 1)
	s.set(func() { s.inputs = in })
	s.wait(func() bool { return s.latest[in] > 0 })
	return []string{event.Digest(seal(1, 2, 1, in))}
}

func (s *slave) Garbage() []string {
	s.set(func() { s.faults = append(s.faults, "exception") })
	s.wait(func() bool { return s.latest[0xFF] > 0 })
	return []string{event.Digest(seal(1, 0x82, 4))}
}

func (s *slave) Cut()                           { s.cut() }
func (s *slave) Redelivers(_ []string) []string { return nil }

func TestConformance(t *testing.T) {
	t.Run("serial", func(t *testing.T) {
		drivertest.Suite(t, func(t *testing.T) drivertest.Device { return onPTY(t) })
	})
	t.Run("tcp", func(t *testing.T) {
		drivertest.Suite(t, func(t *testing.T) drivertest.Device { return onTCP(t) })
	})
}

func TestCases(t *testing.T) {
	drivertest.Cases(t, func(t *testing.T, dir string) {
		s := onTCP(t)
		text, err := os.ReadFile(filepath.Join(dir, "config.yaml"))
		require.NoError(t, err)
		c := s.config()
		require.NoError(t, drivertest.Decode(text)(&c))
		c.Line = s.line
		capture, err := os.ReadFile(filepath.Join(dir, "capture.txt"))
		require.NoError(t, err)
		s.script = []byte{}
		for line := range strings.Lines(string(capture)) {
			line = strings.TrimSpace(line)
			if line == "" || line[0] == '#' {
				continue
			}
			f, err := barrier.ParseFrame(raw(t, line))
			require.NoError(t, err, line)
			s.script = append(s.script, f.Data[1])
		}
		store := drivertest.NewStore()
		env := drivertest.Env(nil)
		env.Now = drivertest.Clock
		require.Error(t, barrier.New(c, env).Run(t.Context(), store.Emit))
		drivertest.Golden(t, dir, store.Readings())
	})
}

func TestExampleIsTheDefaults(t *testing.T) {
	kind := barrier.Kind()
	var c barrier.Config
	require.NoError(t, drivertest.Decode(kind.Example)(&c))
	want := barrier.Defaults()
	want.Line.Port = "/dev/serial/by-id/usb-barrier-board"
	require.Equal(t, want, c)
	require.Equal(t, 3*want.Idle, kind.Silence)
}

func TestSettingsAreChecked(t *testing.T) {
	for _, text := range []string{
		"line: {}", "line: {port: /dev/x, data_bits: 7}", "line: {port: /dev/x, parity: mark}", "line: {port: /dev/x}\nunit: 0",
		"line: {port: /dev/x}\npulse: 5s", "line: {port: /dev/x}\npoll: 1m", "line: {port: /dev/x}\ninterlock: off",
		"line: {port: /dev/x}\npresence: all", "line: {port: /dev/x}\nwatchdog: maybe",
	} {
		_, err := barrier.Kind().New(drivertest.Decode([]byte(text)), drivertest.Env(nil))
		require.Error(t, err, text)
	}
	d, err := barrier.Kind().New(drivertest.Decode([]byte("line: {port: /dev/no-such-port}")), drivertest.Env(nil))
	require.NoError(t, err)
	var h *driver.Hint
	require.ErrorAs(t, d.Run(t.Context(), drivertest.NewStore().Emit), &h, "the technician is told what to do")
}

// work is a driver that runs on a slave.
func work(t *testing.T, s *slave) (*barrier.Driver, *drivertest.Store, func() error) {
	t.Helper()
	d := barrier.New(s.config(), drivertest.Env(nil))
	store := drivertest.NewStore()
	ctx, cancel := context.WithCancel(t.Context())
	result := make(chan error, 1)
	go func() { result <- followed{d, s}.Run(ctx, store.Emit) }()
	s.Ready()
	stop := func() error { cancel(); return <-result }
	return d, store, stop
}

func TestCommands(t *testing.T) {
	s := onPTY(t)
	d, store, stop := work(t, s)
	require.Equal(t, byte(barrier.Red), s.written()[0], "red and no pulse before anything else")
	require.NoError(t, d.Command(t.Context(), "OPEN"))
	s.wait(func() bool { return s.relays == byte(barrier.Red) })
	require.Contains(t, s.written(), byte(barrier.Open|barrier.Red))

	s.set(func() { s.inputs = byte(up); s.latest = map[byte]int{} })
	s.wait(func() bool { return s.latest[byte(up)] > 1 })
	// The arm was there at once: a fault, until it is down again.
	var refused *barrier.Refused
	require.ErrorAs(t, d.Command(t.Context(), "GREEN"), &refused)
	require.Equal(t, "FAULT", refused.Why)
	s.set(func() { s.inputs = byte(down); s.latest = map[byte]int{} })
	s.wait(func() bool { return s.latest[byte(down)] > 1 })
	s.set(func() { s.inputs = byte(up); s.latest = map[byte]int{} })
	s.wait(func() bool { return s.latest[byte(up)] > 1 })
	require.NoError(t, d.Command(t.Context(), "GREEN"))
	s.wait(func() bool { return s.relays == byte(barrier.Green) })

	s.set(func() { s.inputs = byte(up | barrier.LoopSafety) })
	require.ErrorAs(t, d.Command(t.Context(), "CLOSE"), &refused)
	require.Equal(t, "OBSTRUCTED", refused.Why)
	s.set(func() { s.inputs = byte(up) })
	require.NoError(t, d.Command(t.Context(), "CLOSE"))
	s.wait(func() bool { return s.relays == byte(barrier.Red) })
	require.NotContains(t, s.written(), byte(barrier.Close|barrier.Green))
	require.ErrorIs(t, d.Command(t.Context(), "FLY"), barrier.ErrCommand)
	require.ErrorIs(t, d.Command(t.Context(), "OPEN", "wide"), barrier.ErrCommand)

	require.NoError(t, d.Command(t.Context(), "AMBER"))
	require.NoError(t, stop())
	require.Equal(t, byte(barrier.Red), s.writes[len(s.writes)-1], "an orderly stop leaves red")
	require.Zero(t, s.unsafe)
	require.ErrorIs(t, d.Command(t.Context(), "OPEN"), barrier.ErrNotRunning)
	green := false
	for _, r := range store.Readings() {
		green = green || r.Barrier != nil && len(r.Barrier.Lights) == 1 && r.Barrier.Lights[0] == "green" && r.Class == event.Active
	}
	require.True(t, green)
}

// An obstacle that comes and goes at any moment never meets a close pulse that
// was given on an answer that showed it.
func TestCloseAgainstABusyLoop(t *testing.T) {
	s := onTCP(t)
	d, _, stop := work(t, s)
	flips := make(chan struct{})
	go func() {
		defer close(flips)
		for n := range 120 {
			in := byte(up)
			if n%2 == 0 {
				in = byte(up | barrier.LoopSafety)
			}
			s.set(func() { s.inputs = in; s.latest[in] = 0 })
			s.wait(func() bool { return s.latest[in] > n%3 })
		}
	}()
	given := 0
	for done := false; !done; {
		select {
		case <-flips:
			done = true
		default:
			if d.Command(t.Context(), "CLOSE") == nil {
				given++
			}
		}
	}
	require.NoError(t, stop())
	require.Zero(t, s.unsafe)
	require.Positive(t, given, "nothing was tried")
}

func TestRelaySticks(t *testing.T) {
	s := onPTY(t)
	s.stuckOff = byte(barrier.Red)
	_, store, stop := work(t, s)
	has := func(code string) func([]event.Reading) bool {
		return func(rs []event.Reading) bool {
			for _, r := range rs {
				if r.Report != nil && r.Report.Code == code {
					return true
				}
			}
			return false
		}
	}
	store.Wait(t, "the report of the relay", has("coil"))
	s.set(func() { s.stuckOff = 0 })
	store.Wait(t, "its end", has("OK"))
	require.Equal(t, byte(barrier.Red), s.written()[len(s.written())-1])
	require.NoError(t, stop())
}

func TestAnswersThatCannotBeUsed(t *testing.T) {
	s := onPTY(t)
	d, store, stop := work(t, s)
	s.set(func() { s.faults = []string{"checksum", "unit"} })
	store.Wait(t, "a trace of both", func(rs []event.Reading) bool {
		n := 0
		for _, r := range rs {
			if r.Kind == event.FrameInvalid {
				n++
			}
		}
		return n == 2
	})
	s.set(func() { s.inputs = byte(up); s.latest = map[byte]int{} })
	s.wait(func() bool { return s.latest[byte(up)] > 1 })
	require.NoError(t, d.Command(t.Context(), "GREEN"), "two bad answers are got over")
	require.NoError(t, stop())
}

func TestBoardThatDoesNotAnswer(t *testing.T) {
	s := onPTY(t)
	_, _, stop := work(t, s)
	s.set(func() { s.faults = []string{"mute", "mute", "mute"} })
	s.wait(func() bool { return len(s.faults) == 0 && s.gone })
	require.ErrorIs(t, stop(), driver.ErrSilent)
	require.Equal(t, byte(barrier.Red), s.relays&0x3F)
}

func TestProbeWritesNothing(t *testing.T) {
	s := onPTY(t)
	text, err := barrier.New(s.config(), drivertest.Env(nil)).Probe(t.Context())
	require.NoError(t, err)
	require.Contains(t, text, "arm is down")
	require.Empty(t, s.writes)
}
