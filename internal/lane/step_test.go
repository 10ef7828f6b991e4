package lane_test

import (
	"context"
	"log/slog"
	"sync"
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/require"

	"gatehouse/internal/clock"
	"gatehouse/internal/driver"
	"gatehouse/internal/event"
	"gatehouse/internal/lane"
)

// wallSet is a moment whose wall clock was set by whole seconds while its
// monotonic reading runs on. Nothing but the kernel makes such a time, so the
// seconds, which time.Time keeps above 30 bits of nanoseconds, are changed in
// place.
func wallSet(t time.Time, seconds int64) time.Time {
	wall := (*uint64)(unsafe.Pointer(&t))
	*wall = uint64(int64(*wall) + seconds<<30)
	return t
}

func TestAStepOfTheClockIsNeverIdle(t *testing.T) {
	j, now := &memory{}, time.Now()
	c := clock.NewFrom(func() time.Time { return now }, func() (clock.State, error) { return clock.State{Synchronised: true}, nil })
	ctx, cancel := context.WithCancel(t.Context())
	var run sync.WaitGroup
	defer run.Wait()
	defer cancel()
	device := func(name string) driver.Emit {
		given := make(chan driver.Emit)
		cfg := lane.DeviceConfig{Where: event.Where{Gate: "15BB", Lane: "01", Device: name}, Driver: "rpm"}
		d := lane.NewDevice(cfg, &script{runs: []func(context.Context, driver.Emit) error{
			func(ctx context.Context, emit driver.Emit) error {
				given <- emit
				<-ctx.Done()
				return nil
			},
		}}, j, c, slog.New(slog.DiscardHandler))
		run.Go(func() { d.Run(ctx) })
		return <-given
	}
	first, second, silent := device("first"), device("second"), device("silent")
	require.NoError(t, silent(ctx, reading(event.Idle)))
	for _, step := range []int64{0, 0, 3600, 0, -60, 0} {
		now = wallSet(now.Add(10*time.Second), step)
		require.NoError(t, first(ctx, reading(event.Idle)))
		// The clock tells its step to whoever asks first; both have to know of it.
		require.NoError(t, second(ctx, reading(event.Idle)))
	}
	require.NoError(t, silent(ctx, reading(event.Idle)), "what it would tell is of passages that are over")

	steps := map[string][]float64{}
	for _, e := range j.entries {
		if e.Kind == event.EntryReading {
			require.Equal(t, event.Active, e.Reading.Class)
			steps[e.Reading.Device] = append(steps[e.Reading.Device], e.Reading.Clock.SteppedMS)
		}
	}
	require.Equal(t, map[string][]float64{"first": {3.6e6, -60e3}, "second": {3.6e6, -60e3}}, steps)
	require.Len(t, j.idle, 10)
	for _, e := range j.idle {
		require.Zero(t, e.Reading.Clock.SteppedMS)
	}
}
