package rpm_test

import (
	"context"
	"flag"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"gatehouse/drivers/drivertest"
	"gatehouse/drivers/rpm"
	"gatehouse/internal/driver"
	"gatehouse/internal/event"
	"gatehouse/internal/link"
)

var _ = flag.Bool("update", false, "write the expected readings of the golden cases")

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// monitor is a fake portal monitor.
type monitor struct{ drivertest.Far }

func (m monitor) Driver(env driver.Env) driver.Driver {
	c := rpm.Defaults()
	c.Line = m.Config()
	return rpm.New(c, env)
}

func (m monitor) Ready() { m.WaitOpen() }

func (m monitor) Line(n int) []byte {
	return rpm.Format(rpm.Counts("GS", [4]int{n, 40, 41, 42}))
}

func (m monitor) Measure(n int) []string {
	var out []string
	for _, name := range []string{"GS", "GA", "NS"} {
		line := rpm.Format(rpm.Counts(name, [4]int{n, 40, 41, 42}))
		m.Write(append(line, "\r\n"...))
		out = append(out, event.Digest(line))
	}
	return out
}

func (m monitor) Garbage() []string {
	m.Write([]byte("\x00\xff\xfe!!\r\nGS,12\r\n"))
	return []string{event.Digest([]byte("\x00\xff\xfe!!")), event.Digest([]byte("GS,12"))}
}

func (monitor) Redelivers([]string) []string { return nil }

func TestConformance(t *testing.T) {
	t.Run("serial", func(t *testing.T) {
		drivertest.Suite(t, func(t *testing.T) drivertest.Device { return monitor{drivertest.NewPTY(t)} })
	})
	t.Run("tcp", func(t *testing.T) {
		drivertest.Suite(t, func(t *testing.T) drivertest.Device { return monitor{drivertest.NewTCP(t)} })
	})
}

func onLine(c rpm.Config) func(driver.Env, func(context.Context) (*link.Line, error)) driver.Driver {
	return func(env driver.Env, open func(context.Context) (*link.Line, error)) driver.Driver {
		return rpm.NewOn(c, env, open)
	}
}

func TestCases(t *testing.T) {
	drivertest.Cases(t, func(t *testing.T, dir string) {
		text, err := os.ReadFile(filepath.Join(dir, "config.yaml"))
		require.NoError(t, err)
		c := rpm.Defaults()
		require.NoError(t, drivertest.Decode(text)(&c))
		capture, err := os.ReadFile(filepath.Join(dir, "capture.txt"))
		require.NoError(t, err)
		readings, err := drivertest.Play(t, capture, 0, drivertest.Env(nil), onLine(c))
		require.ErrorIs(t, err, link.ErrUnplugged)
		drivertest.Golden(t, dir, readings)
	})
}

func TestExampleIsTheDefaults(t *testing.T) {
	kind := rpm.Kind()
	var c rpm.Config
	require.NoError(t, drivertest.Decode(kind.Example)(&c))
	want := rpm.Defaults()
	want.Line.Port = "/dev/serial/by-id/usb-portal-monitor"
	require.Equal(t, want, c)
	require.Equal(t, want.Silence, kind.Silence)
	_, err := kind.New(drivertest.Decode(kind.Example), drivertest.Env(nil))
	require.NoError(t, err)
}

func TestSettingsAreChecked(t *testing.T) {
	for _, text := range []string{
		"line: {}", "line: {port: /dev/x, tcp: a:1}", "line: {port: /dev/x, buad: 9600}",
		"line: {port: /dev/x, parity: often}", "line: {tcp: nonsense}", "line: {port: /dev/x}\nsilence: 1ms",
	} {
		_, err := rpm.Kind().New(drivertest.Decode([]byte(text)), drivertest.Env(nil))
		require.Error(t, err, text)
	}
	_, err := rpm.Kind().New(drivertest.Decode([]byte("line: {tcp: 127.0.0.1:1601}")), drivertest.Env(nil))
	require.NoError(t, err)
}

func TestTCP(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer ln.Close()
	go func() {
		c, err := ln.Accept()
		if err != nil {
			return
		}
		_, _ = c.Write([]byte("GS,000001,000002,000003,000004\r\n"))
		_ = c.Close()
	}()
	c := rpm.Defaults()
	c.Line = link.Config{TCP: ln.Addr().String()}
	store := drivertest.NewStore()
	require.ErrorIs(t, rpm.New(c, drivertest.Env(nil)).Run(t.Context(), store.Emit), link.ErrUnplugged)
	rs := store.Readings()
	require.Len(t, rs, 2)
	require.Equal(t, event.PresenceChange, rs[0].Kind)
	require.Equal(t, []float64{1, 2, 3, 4}, rs[1].Radiation.Counts)
}

// pipe is a driver on an in-memory line.
func pipe(t *testing.T, c rpm.Config) (net.Conn, driver.Driver) {
	near, far := net.Pipe()
	t.Cleanup(func() { _ = far.Close() })
	return far, rpm.NewOn(c, drivertest.Env(nil), func(ctx context.Context) (*link.Line, error) {
		return link.New(ctx, "pipe", link.Stream(near)), nil
	})
}

func TestSilenceIsAnError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		far, d := pipe(t, rpm.Defaults())
		go func() {
			for range 4 {
				_, _ = far.Write([]byte("GB,000001,000002,000003,000004\r\n"))
				time.Sleep(5 * time.Second)
			}
			_, _ = far.Write([]byte("GB,0000")) // half a line is no sign of life
		}()
		start := time.Now()
		err := d.Run(t.Context(), drivertest.NewStore().Emit)
		require.ErrorIs(t, err, driver.ErrSilent)
		require.Equal(t, 27*time.Second, time.Since(start))
	})
}

func TestDribbleOfGarbageIsGarbage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		far, d := pipe(t, rpm.Defaults())
		go func() {
			for i := range 3 {
				_, _ = far.Write([]byte("????\r\n"))
				if i < 2 {
					time.Sleep(5 * time.Second)
				}
			}
		}()
		store := drivertest.NewStore()
		require.ErrorIs(t, d.Run(t.Context(), store.Emit), driver.ErrGarbage)
		require.Len(t, store.Readings(), 3)
	})
}

// A link lost inside an occupancy must not leave it open for ever.
func TestOccupancyEndsAfterReconnect(t *testing.T) {
	conns := make(chan net.Conn, 2)
	d := rpm.NewOn(rpm.Defaults(), drivertest.Env(nil), func(ctx context.Context) (*link.Line, error) {
		return link.New(ctx, "pipe", link.Stream(<-conns)), nil
	})
	store := drivertest.NewStore()
	for _, text := range []string{"GS,000001,000002,000003,000004\r\n", "NB,000001,000002,000003,000004\r\n"} {
		near, far := net.Pipe()
		conns <- near
		go func() {
			_, _ = far.Write([]byte(text))
			_ = far.Close()
		}()
		require.ErrorIs(t, d.Run(t.Context(), store.Emit), link.ErrUnplugged)
	}
	var edges []event.PresenceEdge
	for _, r := range store.Readings() {
		if r.Presence != nil {
			edges = append(edges, *r.Presence)
		}
	}
	require.Equal(t, []event.PresenceEdge{{Occupied: true}, {Unterminated: true}}, edges)
}

func TestTamperHoldsAfterReconnect(t *testing.T) {
	conns := make(chan net.Conn, 2)
	d := rpm.NewOn(rpm.Defaults(), drivertest.Env(nil), func(ctx context.Context) (*link.Line, error) {
		return link.New(ctx, "pipe", link.Stream(<-conns)), nil
	})
	store := drivertest.NewStore()
	for _, text := range []string{"TT,000000,000000,000000,000000\r\n", "NB,000001,000002,000003,000004\r\n"} {
		near, far := net.Pipe()
		conns <- near
		go func() {
			_, _ = far.Write([]byte(text))
			_ = far.Close()
		}()
		require.ErrorIs(t, d.Run(t.Context(), store.Emit), link.ErrUnplugged)
	}
	rs := store.Readings()
	require.Len(t, rs, 3)
	require.Equal(t, &event.Report{State: event.Faulty, Code: "STANDING"}, rs[2].Report)
	require.Empty(t, rs[2].Frames)
}

func TestProbe(t *testing.T) {
	p := drivertest.NewPTY(t)
	d := monitor{p}.Driver(drivertest.Env(nil))
	go func() {
		p.WaitOpen()
		p.Write([]byte("06,000262\r\nGB,000188,000206,000262,000243\r\n"))
	}()
	text, err := d.(driver.Prober).Probe(t.Context())
	require.NoError(t, err)
	require.Equal(t, fmt.Sprintf("radiation portal monitor on %s sends GB", p.Config().Port), text)
}
