package barrier_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/creack/pty"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"gatehouse/drivers/barrier"
	"gatehouse/drivers/drivertest"
	"gatehouse/internal/event"
	"gatehouse/internal/link"
)

const python = "/usr/bin/python3"

// terminal is a raw pseudo-terminal: the near end, and the path of the far one.
func terminal(t *testing.T) (*os.File, string) {
	master, tty, err := pty.Open()
	require.NoError(t, err)
	attr, err := unix.IoctlGetTermios(int(tty.Fd()), unix.TCGETS)
	require.NoError(t, err)
	attr.Iflag, attr.Oflag, attr.Lflag = 0, 0, 0
	require.NoError(t, unix.IoctlSetTermios(int(tty.Fd()), unix.TCSETS, attr))
	// Without it a read would outlast the file's closing.
	fd, err := unix.Dup(int(master.Fd()))
	require.NoError(t, err)
	require.NoError(t, unix.SetNonblock(fd, true))
	end := os.NewFile(uintptr(fd), master.Name())
	t.Cleanup(func() { closeAll(end, master, tty) })
	return end, tty.Name()
}

// cable joins two pseudo-terminals end to end.
func cable(t *testing.T) (a, b string) {
	near, a := terminal(t)
	far, b := terminal(t)
	done := make(chan struct{}, 2)
	for _, way := range [][2]*os.File{{near, far}, {far, near}} {
		go func() {
			_, _ = io.Copy(way[0], way[1]) // ends when the test closes the terminals
			done <- struct{}{}
		}()
	}
	t.Cleanup(func() { closeAll(near, far); <-done; <-done })
	return a, b
}

// pymodbus is a slave by another implementation of Modbus.
type pymodbus struct {
	t      *testing.T
	inputs io.Writer
	coils  chan byte
}

func startPymodbus(t *testing.T, tty string) *pymodbus {
	if err := exec.Command(python, "-c", "import pymodbus.server").Run(); err != nil {
		t.Skip("SKIPPED: pymodbus is not installed, so the driver was not tried against it (apt-get install python3-pymodbus)")
	}
	cmd := exec.Command(python, filepath.Join("testdata", "pymodbus", "board.py"), tty)
	in, err := cmd.StdinPipe()
	require.NoError(t, err)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	said := &bytes.Buffer{}
	cmd.Stderr = said
	require.NoError(t, cmd.Start())
	p := &pymodbus{t: t, inputs: in, coils: make(chan byte, 1024)}
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer close(p.coils)
		for lines := bufio.NewScanner(out); lines.Scan(); {
			if n, err := strconv.Atoi(lines.Text()); err == nil {
				p.coils <- byte(n)
			}
		}
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-done
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("pymodbus said: %s", said)
		}
	})
	return p
}

func (p *pymodbus) set(inputs byte) {
	_, err := fmt.Fprintln(p.inputs, inputs)
	require.NoError(p.t, err)
}

// wait returns when the coils were written so, and gives what they were on the
// way.
func (p *pymodbus) wait(want byte) []byte {
	var seen []byte
	limit := time.After(20 * time.Second)
	for {
		select {
		case c, ok := <-p.coils:
			require.True(p.t, ok, "the slave has ended")
			if seen = append(seen, c); c == want {
				return seen
			}
		case <-limit:
			require.Failf(p.t, "not written", "coils %#02x; seen %#02x", want, seen)
		}
	}
}

// The driver opens, shows green, refuses to close on somebody and closes, on
// a slave that shares neither its code nor its reading of the specification.
func TestAgainstPymodbus(t *testing.T) {
	near, far := cable(t)
	board := startPymodbus(t, far)
	c := barrier.Defaults()
	c.Line = link.Serial(115200)
	c.Line.Port = near
	c.Poll, c.Timeout, c.Pulse, c.Idle = 50*time.Millisecond, 500*time.Millisecond, 100*time.Millisecond, time.Minute
	store := drivertest.NewStore()
	d := barrier.New(c, drivertest.Env(nil))
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		for { // until the slave listens
			err := d.Run(ctx, store.Emit)
			if ctx.Err() != nil {
				ended <- err
				return
			}
		}
	}()
	t.Cleanup(func() { cancel(); <-ended })

	board.wait(byte(barrier.Red))
	shows := func(ok func(event.Barrier) bool) {
		store.Wait(t, "the barrier's state", func(all []event.Reading) bool {
			return slices.ContainsFunc(all, func(r event.Reading) bool { return r.Barrier != nil && ok(*r.Barrier) })
		})
	}
	shows(func(b event.Barrier) bool { return b.Arm == "down" && slices.Equal(b.Lights, []string{"red"}) })
	require.NoError(t, d.Command(t.Context(), "OPEN"))
	require.Contains(t, board.wait(byte(barrier.Red)), byte(barrier.Open|barrier.Red))

	// The arm takes its time: limits open, then up.
	board.set(byte(barrier.EStopClosed))
	shows(func(b event.Barrier) bool { return b.Arm == "between" })
	time.Sleep(1600 * time.Millisecond) // an arm that is faster is a fault
	board.set(byte(up))
	shows(func(b event.Barrier) bool { return b.Arm == "up" })
	require.NoError(t, d.Command(t.Context(), "GREEN"))
	board.wait(byte(barrier.Green))

	board.set(byte(up | barrier.LoopSafety))
	shows(func(b event.Barrier) bool { return slices.Contains(b.Loops, "safety") })
	var refused *barrier.Refused
	require.ErrorAs(t, d.Command(t.Context(), "CLOSE"), &refused)
	require.Equal(t, "OBSTRUCTED", refused.Why)
}
