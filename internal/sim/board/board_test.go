package board_test

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/simonvetter/modbus"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"gatehouse/internal/sim/board"
	"gatehouse/internal/sim/fault"
	"gatehouse/internal/sim/port"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type deaf struct{}

func (deaf) Sent(string, string, []byte, string)            {}
func (deaf) Unheard(string, string, []byte, string, string) {}
func (deaf) Spoilt(string, string, []byte, string, string)  {}

type bench struct {
	*board.Board
	faults *fault.Board
	link   string
	ctx    context.Context
}

func start(t *testing.T, set board.Settings) *bench {
	t.Helper()
	set.Device, set.Unit = "barrier", 1
	b := &bench{faults: fault.NewBoard(nil), link: filepath.Join(t.TempDir(), "barrier")}
	p := port.New("barrier", b.link, 1, b.faults, deaf{}, slog.New(slog.DiscardHandler))
	b.Board = board.New(set, p, b.faults)
	ctx, end := context.WithCancel(context.Background())
	b.ctx = ctx
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

// client is another implementation of Modbus.
func client(t *testing.T, b *bench) *modbus.ModbusClient {
	t.Helper()
	c, err := modbus.NewClient(&modbus.ClientConfiguration{URL: "rtu://" + b.link, Speed: 19200, Timeout: 400 * time.Millisecond})
	require.NoError(t, err)
	require.NoError(t, c.SetUnitId(1))
	require.NoError(t, c.Open())
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func inputs(t *testing.T, c *modbus.ModbusClient) []bool {
	t.Helper()
	in, err := c.ReadDiscreteInputs(0, 8)
	require.NoError(t, err)
	return in
}

const (
	up = iota
	down
	entry
	safety
	exit
	photocell
	estop
	manual
)

func TestAHostSeesAndMovesTheArm(t *testing.T) {
	b := start(t, board.Settings{Pace: 4})
	c := client(t, b)
	in := inputs(t, c)
	require.Equal(t, []bool{false, true, false, false, false, false, true, false}, in)
	coils, err := c.ReadCoils(0, 8)
	require.NoError(t, err)
	require.Equal(t, []bool{false, false, false, true, false, false, false, false}, coils, "red at the start")
	require.NoError(t, c.WriteCoil(0, true)) // open
	require.Eventually(t, func() bool { return inputs(t, c)[up] }, 10*time.Second, 20*time.Millisecond)
	require.NoError(t, c.WriteCoils(0, []bool{false, true, false, true, false, false})) // close
	require.Eventually(t, func() bool { return inputs(t, c)[down] }, 10*time.Second, 20*time.Millisecond)
	_, err = c.ReadRegister(0, modbus.HOLDING_REGISTER)
	require.ErrorIs(t, err, modbus.ErrIllegalFunction)
	_, err = c.ReadCoils(6, 4)
	require.ErrorIs(t, err, modbus.ErrIllegalDataAddress)
}

func TestTheLaneLetsAVehicleOut(t *testing.T) {
	b := start(t, board.Settings{Pace: 5})
	c := client(t, b)
	b.Stand()
	require.True(t, inputs(t, c)[entry])
	done := make(chan error, 1)
	started := false
	go func() { done <- b.Out(b.ctx, func() { started = true }) }()
	var under, out bool
	for over := false; !over; {
		select {
		case err := <-done:
			require.NoError(t, err)
			over = true
		default:
			in := inputs(t, c)
			under = under || in[safety] && in[photocell] && in[up]
			out = out || in[exit]
			require.False(t, in[safety] && in[down], "never down on a vehicle")
		}
	}
	require.True(t, under && out && started)
	require.Eventually(t, func() bool { return inputs(t, c)[down] }, 10*time.Second, 20*time.Millisecond)
}

func TestFaults(t *testing.T) {
	b := start(t, board.Settings{Pace: 5})
	c := client(t, b)
	set := func(name string) {
		_, err := b.faults.Set(fault.Order{Name: name, Device: "barrier", For: time.Hour})
		require.NoError(t, err)
	}
	set("e-stop")
	require.False(t, inputs(t, c)[estop])
	require.NoError(t, c.WriteCoil(0, true))
	b.faults.Clear("", "")
	require.True(t, inputs(t, c)[down], "the emergency stop wins")
	set("limits")
	require.True(t, inputs(t, c)[up] && inputs(t, c)[down])
	b.faults.Clear("", "")
	set("manual")
	require.True(t, inputs(t, c)[manual])
	b.faults.Clear("", "")
	set("exception")
	_, err := c.ReadCoils(0, 8)
	require.ErrorIs(t, err, modbus.ErrServerDeviceFailure)
	b.faults.Clear("", "")
	set("lost-ack")
	_, err = c.ReadCoils(0, 8)
	require.ErrorIs(t, err, modbus.ErrRequestTimedOut)
	b.faults.Clear("", "")
	set("bad-checksum")
	broken := 0
	for range 4 {
		if _, err := c.ReadCoils(0, 8); err != nil {
			require.True(t, errors.Is(err, modbus.ErrBadCRC) || errors.Is(err, modbus.ErrRequestTimedOut) || errors.Is(err, modbus.ErrShortFrame), err)
			broken++
		}
	}
	require.Positive(t, broken)
	b.faults.Clear("", "")
	set("stuck-relay")
	require.Eventually(t, func() bool {
		if c.WriteCoil(3, true) != nil {
			return false
		}
		coils, err := c.ReadCoils(0, 8)
		return err == nil && !coils[3]
	}, 5*time.Second, 10*time.Millisecond)
}

func TestTheWatchdogDropsToRed(t *testing.T) {
	b := start(t, board.Settings{Pace: 1, Watchdog: true})
	c := client(t, b)
	require.NoError(t, c.WriteCoils(0, []bool{false, false, false, false, false, true})) // green
	require.NoError(t, c.Close())
	time.Sleep(5500 * time.Millisecond) // the watchdog's time is real: the host has to be quiet for all of it
	require.NoError(t, c.Open())
	coils, err := c.ReadCoils(0, 8)
	require.NoError(t, err)
	require.Equal(t, []bool{false, false, false, true, false, false, false, false}, coils)
}

// Debian's pymodbus is the second master.
func TestAgainstPymodbus(t *testing.T) {
	const python = "/usr/bin/python3"
	if exec.Command(python, "-c", "import pymodbus").Run() != nil {
		t.Skip("no pymodbus; install python3-pymodbus")
	}
	b := start(t, board.Settings{Pace: 4})
	script := `
import sys, time
from pymodbus.client import ModbusSerialClient
c = ModbusSerialClient(port=sys.argv[1], baudrate=9600, timeout=1)
assert c.connect()
r = c.read_discrete_inputs(0, 8, slave=1)
print(r.bits[:8])
assert not c.write_coil(0, True, slave=1).isError()
for i in range(100):
    if c.read_discrete_inputs(0, 8, slave=1).bits[0]: break
    time.sleep(0.05)
print(c.read_discrete_inputs(0, 8, slave=1).bits[:2])
assert not c.write_coils(0, [False]*5 + [True], slave=1).isError()
print(c.read_coils(0, 8, slave=1).bits[:8])
print(c.read_holding_registers(0, 1, slave=1).exception_code)
c.close()
`
	file := filepath.Join(t.TempDir(), "master.py")
	require.NoError(t, os.WriteFile(file, []byte(script), 0o600))
	cmd := exec.CommandContext(t.Context(), python, file, b.link)
	out, err := cmd.Output()
	if failed, ok := errors.AsType[*exec.ExitError](err); ok {
		t.Fatalf("%s", failed.Stderr)
	}
	require.NoError(t, err)
	require.Equal(t, `[False, True, False, False, False, False, True, False]
[True, False]
[False, False, False, False, False, True, False, False]
1
`, string(out))
}
