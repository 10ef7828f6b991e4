package control_test

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"gatehouse/internal/config"
	"gatehouse/internal/control"
	"gatehouse/internal/event"
	"gatehouse/internal/retention"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// gate answers as the test wants.
type gate struct {
	status   control.Status
	reloaded control.Reloaded
	err      error
	readings chan event.Reading
	watching chan struct{}
}

func (g *gate) Status(context.Context) (control.Status, error)   { return g.status, g.err }
func (g *gate) Reload(context.Context) (control.Reloaded, error) { return g.reloaded, g.err }
func (g *gate) Watch(ctx context.Context, lane, device string, each func(event.Reading) error) error {
	if lane != "01" || device != "rpm" {
		return control.ErrNoDevice
	}
	close(g.watching)
	for {
		select {
		case <-ctx.Done():
			return nil
		case r := <-g.readings:
			if err := each(r); err != nil {
				return err
			}
		}
	}
}

func (g *gate) RotateKey(context.Context, string) (control.Rotated, error) {
	return control.Rotated{}, g.err
}

func (g *gate) Retention(context.Context, bool) (retention.Report, error) {
	return retention.Report{}, g.err
}

func (g *gate) Lease(lane, device string) (control.Lease, error) {
	if lane != "01" || device != "barrier" {
		return control.Lease{}, control.ErrNoDevice
	}
	return control.Lease{Where: event.Where{Gate: "15BB", Lane: lane, Device: device}, State: event.Up, Holder: event.Customs}, g.err
}

func (g *gate) Command(_ context.Context, c event.Command) (event.ControlChange, error) {
	return event.ControlChange{Where: c.Where, Verb: c.Verb, Force: c.Force, Reason: c.Reason, Outcome: event.ControlRefused}, g.err
}

func TestCommandsAndLeases(t *testing.T) {
	state, _ := serve(t, &gate{})
	c := control.NewClient(state)
	l, err := c.Lease(t.Context(), "01", "barrier")
	require.NoError(t, err)
	require.Equal(t, event.Customs, l.Holder)
	_, err = c.Lease(t.Context(), "01", "rpm")
	require.ErrorIs(t, err, control.ErrNoDevice)
	done, err := c.Command(t.Context(), event.Command{
		Where: event.Where{Lane: "01", Device: "barrier"}, Verb: event.ControlTake, Force: true, Reason: "cần hỏng",
	})
	require.NoError(t, err, "a refusal is an answer")
	require.Equal(t, event.ControlRefused, done.Outcome)
	require.Equal(t, "cần hỏng", done.Reason)
}

// serve runs the socket of a gate in a fresh state folder until stop.
func serve(t *testing.T, g control.Gate) (state string, stop func()) {
	t.Helper()
	state, err := os.MkdirTemp("", "gh") //nolint:usetesting // a socket's path must be short
	require.NoError(t, err)
	l, err := control.Listen(t.Context(), state)
	require.NoError(t, err)
	ctx, end := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- control.Serve(ctx, l, state, g, slog.New(slog.DiscardHandler)) }()
	stop = sync.OnceFunc(func() {
		end()
		require.NoError(t, <-done)
	})
	t.Cleanup(func() {
		stop()
		_ = os.RemoveAll(state)
	})
	return state, stop
}

func TestAnswersComeAsTheyWereGiven(t *testing.T) {
	now := time.Date(2026, 3, 2, 1, 2, 3, 0, time.UTC)
	g := &gate{
		status:   control.Status{Gate: "15BB", Now: now, Phase: control.Running, Lanes: []control.Lane{{ID: "01", Devices: []control.Device{{ID: "rpm", State: event.Up, Heard: now}}}}},
		reloaded: control.Reloaded{File: "gate.yaml", Changes: []control.Change{{Lane: "01", Device: "rpm", What: control.Restarted}}},
	}
	state, stop := serve(t, g)
	info, err := os.Stat(control.Path(state))
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	left, err := os.ReadDir(state)
	require.NoError(t, err)
	require.Len(t, left, 1, "the folder in which it was made is gone")

	c := control.NewClient(state)
	status, err := c.Status(t.Context())
	require.NoError(t, err)
	require.Equal(t, g.status, status)
	reloaded, err := c.Reload(t.Context())
	require.NoError(t, err)
	require.Equal(t, g.reloaded, reloaded)
	require.True(t, reloaded.OK())

	stop()
	_, err = c.Status(t.Context())
	require.ErrorIs(t, err, control.ErrAway)
	require.NoFileExists(t, control.Path(state))
}

func TestMistakesAndErrorsAreTold(t *testing.T) {
	g := &gate{reloaded: control.Reloaded{Problems: config.Problems{{File: "gate.yaml", Line: 2, Message: "x"}}}}
	state, _ := serve(t, g)
	c := control.NewClient(state)
	r, err := c.Reload(t.Context())
	require.NoError(t, err)
	require.False(t, r.OK())
	require.Equal(t, g.reloaded.Problems, r.Problems)
	require.False(t, control.Reloaded{Restart: []string{"hub"}}.OK())

	g.err = errors.New("the disk is gone")
	_, err = c.Status(t.Context())
	require.EqualError(t, err, "the disk is gone")
}

func TestWatchingEndsWithEitherSide(t *testing.T) {
	g := &gate{readings: make(chan event.Reading), watching: make(chan struct{})}
	state, stop := serve(t, g)
	c := control.NewClient(state)
	require.ErrorIs(t, c.Watch(t.Context(), "01", "nothing", nil), control.ErrNoDevice)

	seen := make(chan event.Reading)
	done := make(chan error, 1)
	go func() {
		done <- c.Watch(t.Context(), "01", "rpm", func(r event.Reading) error { seen <- r; return nil })
	}()
	for _, key := range []string{"a", "b"} {
		g.readings <- event.Reading{Key: key}
		require.Equal(t, key, (<-seen).Key)
	}
	stop() // the daemon ends
	require.NoError(t, <-done)

	g.watching = make(chan struct{})
	state, _ = serve(t, g)
	ctx, leave := context.WithCancel(t.Context())
	go func() {
		done <- control.NewClient(state).Watch(ctx, "01", "rpm", func(event.Reading) error { return nil })
	}()
	<-g.watching
	leave() // the technician does
	require.NoError(t, <-done)
}

func TestTheSocketHasOneOwner(t *testing.T) {
	state, _ := serve(t, &gate{})
	_, err := control.Listen(t.Context(), state)
	require.ErrorIs(t, err, control.ErrTaken)

	// What a killed daemon left is replaced.
	state = t.TempDir()
	old, err := net.Listen("unix", control.Path(state))
	if err != nil {
		t.Skip("the test folder's path is too long for a socket:", err)
	}
	old.(*net.UnixListener).SetUnlinkOnClose(false)
	require.NoError(t, old.Close())
	l, err := control.Listen(t.Context(), state)
	require.NoError(t, err)
	require.NoError(t, l.Close())

	_, err = control.Listen(t.Context(), filepath.Join(t.TempDir(), strings.Repeat("long", 25)))
	require.ErrorContains(t, err, "use a shorter or a relative state folder")
}
