//go:build bench

package bench_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"

	"gatehouse/internal/event"
	"gatehouse/internal/journal"
)

const (
	rounds = 9
	slice  = 700 * time.Millisecond // of each side in each round
)

// TestJournalAgainstRawPublishing compares readings stored per second by the
// journal with raw synchronous JetStream publishing of the same bytes to a
// stream of the same server with the same sync setting.
func TestJournalAgainstRawPublishing(t *testing.T) {
	j, err := journal.Open(t.Context(), journal.Options{
		Dir: t.TempDir(), MaxBytes: 4 << 30, MaxAge: time.Hour, IdleMaxBytes: 1 << 30, IdleMaxAge: time.Hour,
		Log: slog.New(slog.DiscardHandler),
	})
	require.NoError(t, err)
	defer j.Close()
	_, err = j.JetStream().CreateStream(t.Context(), jetstream.StreamConfig{Name: "RAW", Subjects: []string{"raw"}, Storage: jetstream.FileStorage})
	require.NoError(t, err)

	for _, publishers := range []int{1, 10} {
		var ratios spread
		var ours, raw float64
		for range rounds {
			ours = rate(t, publishers, func(ctx context.Context) error {
				return j.Append(ctx, journal.Main, sample())
			})
			raw = rate(t, publishers, func(ctx context.Context) error {
				b, err := json.Marshal(sample())
				if err != nil {
					return err
				}
				_, err = j.JetStream().Publish(ctx, "raw", b)
				return err
			})
			ratios = append(ratios, ours/raw)
		}
		fmt.Printf("journal / raw synchronous publish, %2d publishers: %s (last round %.0f and %.0f readings/s)\n", publishers, ratios, ours, raw)
	}
}

// rate runs store from so many goroutines for one slice of time and returns
// how many calls a second it completed.
func rate(t *testing.T, publishers int, store func(context.Context) error) float64 {
	t.Helper()
	var n atomic.Int64
	var all sync.WaitGroup
	began := time.Now()
	for range publishers {
		all.Go(func() {
			for time.Since(began) < slice {
				if err := store(t.Context()); err != nil {
					t.Error(err)
					return
				}
				n.Add(1)
			}
		})
	}
	all.Wait()
	return float64(n.Load()) / time.Since(began).Seconds()
}

// sample is a journal entry as an rpm makes five of a second.
func sample() event.JournalEntry {
	now := time.Now().UTC()
	line := []byte("GS,000060,000061,000059,000060")
	return event.JournalEntry{
		ID: event.NewID(now), Lane: "01", At: now, Kind: event.EntryReading,
		Reading: &event.Reading{
			ID: event.NewID(now), Where: event.Where{Gate: "15BB", Lane: "01", Device: "rpm"},
			Kind: event.RadiationSample, Class: event.Active, ReceivedAt: now, Quality: event.Good,
			Frames: []string{event.Digest(line)}, Raw: line,
			Radiation: &event.Radiation{Record: "GS", Channel: "gamma", Counts: []float64{60, 61, 59, 60}, IntervalMS: 200},
		},
	}
}
