package driver_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"gatehouse/internal/driver"
	"gatehouse/internal/event"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func reading(n int, class event.Class) event.Reading {
	return event.Reading{
		Kind: event.RadiationSample, Class: class, ReceivedAt: time.Unix(int64(n), 0).UTC(),
		Frames: []string{fmt.Sprint(n)},
	}
}

func frames(readings []event.Reading) []string {
	var out []string
	for _, r := range readings {
		out = append(out, r.Frames...)
	}
	return out
}

func TestRingHandsOverInOrderAndAcknowledgesAfterEmit(t *testing.T) {
	r := driver.NewRing(10)
	var log []string
	r.Put(reading(1, event.Idle))
	r.PutThen(func() { log = append(log, "stored 2,3") }, reading(2, event.Active), reading(3, event.Idle))
	r.Close()
	r.Put(reading(4, event.Idle))
	err := r.Run(t.Context(), func(_ context.Context, rs ...event.Reading) error {
		log = append(log, fmt.Sprint("emit ", frames(rs)))
		return nil
	})
	require.NoError(t, err)
	require.Equal(t, []string{"emit [1 2 3]", "stored 2,3"}, log)
}

func TestRingDropsIdleFirstAndSaysSo(t *testing.T) {
	r := driver.NewRing(4)
	acknowledged := false
	r.PutThen(func() { acknowledged = true }, reading(1, event.Active), reading(7, event.Active))
	r.Put(reading(2, event.Idle))
	r.Put(reading(3, event.Active))
	r.Put(reading(4, event.Active)) // drops 2
	r.Put(reading(5, event.Idle))   // drops itself
	r.Put(reading(6, event.Active)) // drops 1
	r.Close()
	var got []event.Reading
	require.NoError(t, r.Run(t.Context(), func(_ context.Context, rs ...event.Reading) error {
		got = append(got, rs...)
		return nil
	}))
	require.Equal(t, []string{"7", "3", "4", "6"}, frames(got))
	require.False(t, acknowledged, "a dropped reading must not be acknowledged")
	require.Equal(t, event.FrameLoss, got[0].Kind)
	require.Equal(t, event.Active, got[0].Class)
	require.Equal(t, &event.Loss{
		Frames: 3, From: time.Unix(1, 0).UTC(), To: time.Unix(5, 0).UTC(), Reason: "overflow",
	}, got[0].Loss)
}

func TestRingReturnsEmitErrorAndAcknowledgesNothing(t *testing.T) {
	r := driver.NewRing(3)
	full := errors.New("disk full")
	r.PutThen(func() { t.Error("acknowledged") }, reading(1, event.Active))
	err := r.Run(t.Context(), func(context.Context, ...event.Reading) error { return full })
	require.ErrorIs(t, err, full)
}

func TestRingFlushesAfterCancelButNotForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		r := driver.NewRing(3)
		r.Put(reading(1, event.Active))
		cancel()
		var got []string
		require.NoError(t, r.Run(ctx, func(ctx context.Context, rs ...event.Reading) error {
			got = append(got, frames(rs)...)
			return ctx.Err()
		}))
		require.Equal(t, []string{"1"}, got)

		ctx, cancel = context.WithCancel(t.Context())
		r = driver.NewRing(3)
		r.Put(reading(1, event.Active))
		time.AfterFunc(time.Second, cancel)
		start := time.Now()
		err := r.Run(ctx, func(ctx context.Context, _ ...event.Reading) error {
			<-ctx.Done() // a store that hangs
			return ctx.Err()
		})
		require.ErrorIs(t, err, context.Canceled)
		require.Equal(t, time.Second+driver.FlushGrace, time.Since(start))
	})
}

func TestRingBatchesWhatQueuedDuringEmit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := driver.NewRing(1000)
		var sizes []int
		go func() {
			for i := range 100 {
				r.Put(reading(i, event.Idle))
				time.Sleep(10 * time.Millisecond)
			}
			r.Close()
		}()
		require.NoError(t, r.Run(t.Context(), func(_ context.Context, rs ...event.Reading) error {
			sizes = append(sizes, len(rs))
			time.Sleep(105 * time.Millisecond)
			return nil
		}))
		total := 0
		for _, n := range sizes {
			total += n
		}
		require.Equal(t, 100, total)
		require.LessOrEqual(t, len(sizes), 11)
	})
}

// Whatever is put while emit runs, every frame is either stored, in order, or
// counted in a loss whose time covers it, and no active reading is dropped
// while an idle one is kept.
func TestRingAccountsForEveryFrame(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := driver.NewRing(rapid.IntRange(1, 8).Draw(t, "limit"))
		bursts := rapid.SliceOfN(rapid.IntRange(1, 12), 1, 10).Draw(t, "bursts")
		n := 0
		var got []event.Reading
		next := func(burst int) {
			for range burst {
				class := event.Idle
				if rapid.Bool().Draw(t, "active") {
					class = event.Active
				}
				r.Put(reading(n, class))
				n++
			}
		}
		next(bursts[0])
		bursts = bursts[1:]
		if len(bursts) == 0 {
			r.Close()
		}
		var once sync.Once
		err := r.Run(context.Background(), func(_ context.Context, rs ...event.Reading) error {
			got = append(got, rs...)
			if len(bursts) > 0 {
				next(bursts[0])
				bursts = bursts[1:]
			}
			if len(bursts) == 0 {
				once.Do(r.Close)
			}
			return nil
		})
		if len(bursts) > 0 {
			t.Fatalf("ring ended early: %v", err)
		}
		lost, stored := 0, map[string]bool{}
		last := -1
		for _, g := range got {
			if g.Loss != nil {
				lost += g.Loss.Frames
				continue
			}
			if at := int(g.ReceivedAt.Unix()); at <= last {
				t.Fatalf("out of order: %d after %d", at, last)
			} else {
				last = at
			}
			stored[g.Frames[0]] = true
		}
		if len(stored)+lost != n {
			t.Fatalf("%d stored + %d lost of %d", len(stored), lost, n)
		}
	})
}

func TestDriveStoresWhatWorkPutAtItsEnd(t *testing.T) {
	gone := errors.New("unplugged")
	for _, cancelled := range []bool{false, true} {
		ctx, cancel := context.WithCancel(t.Context())
		r := driver.NewRing(10)
		var got []string
		err := r.Drive(ctx, func(_ context.Context, rs ...event.Reading) error {
			got = append(got, frames(rs)...)
			return nil
		}, func(ctx context.Context) error {
			r.Put(reading(1, event.Active))
			if cancelled {
				cancel()
				<-ctx.Done()
			}
			r.Put(reading(2, event.Active))
			return gone
		})
		require.Equal(t, []string{"1", "2"}, got)
		if cancelled {
			require.NoError(t, err)
		} else {
			require.ErrorIs(t, err, gone)
		}
		cancel()
	}
}

func TestDriveEndsWorkWhenTheStoreFails(t *testing.T) {
	full := errors.New("disk full")
	r := driver.NewRing(10)
	r.Put(reading(1, event.Active))
	err := r.Drive(t.Context(), func(context.Context, ...event.Reading) error { return full },
		func(ctx context.Context) error {
			<-ctx.Done()
			return ctx.Err()
		})
	require.ErrorIs(t, err, full)
}
