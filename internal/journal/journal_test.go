package journal_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"math"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"gatehouse/internal/event"
	"gatehouse/internal/journal"
)

// childEnv makes the test binary play the process that is killed.
const childEnv = "JOURNAL_TEST_CHILD"

func TestMain(m *testing.M) {
	if dir := os.Getenv(childEnv); dir != "" {
		appendForEver(dir)
	}
	goleak.VerifyTestMain(m)
}

func options(dir string) journal.Options {
	return journal.Options{
		Dir: dir, MaxBytes: 64 << 20, MaxAge: time.Hour, IdleMaxBytes: 64 << 20, IdleMaxAge: time.Hour,
		Log: slog.New(slog.DiscardHandler),
	}
}

func open(t *testing.T, opts journal.Options) *journal.Journal {
	t.Helper()
	j, err := journal.Open(t.Context(), opts)
	require.NoError(t, err)
	return j
}

func entry(lane string) event.JournalEntry {
	now := time.Now().UTC()
	return event.JournalEntry{ID: event.NewID(now), Lane: lane, At: now, Kind: event.EntryStop}
}

// read follows the stream until it has seen n entries.
func read(t *testing.T, j *journal.Journal, s journal.Stream, from uint64, n int) []event.JournalEntry {
	t.Helper()
	var got []event.JournalEntry
	if n == 0 {
		return got
	}
	err := j.Follow(t.Context(), s, from, func(r journal.Record) error {
		got = append(got, r.Entries...)
		if len(got) >= n {
			return io.EOF
		}
		return nil
	})
	require.ErrorIs(t, err, io.EOF)
	return got
}

func TestWhatWasAppendedIsThereAfterReopening(t *testing.T) {
	opts := options(t.TempDir())
	j := open(t, opts)
	a, b, c := entry("01"), entry("01"), entry("02")
	require.NoError(t, j.Append(t.Context(), journal.Main, a, b))
	require.NoError(t, j.Append(t.Context(), journal.Main, c))
	require.NoError(t, j.Append(t.Context(), journal.Idle, entry("01")))
	j.Close()

	j = open(t, opts)
	defer j.Close()
	require.Equal(t, []event.JournalEntry{a, b, c}, read(t, j, journal.Main, 1, 3))
	_, at, err := j.Last(t.Context(), journal.Main)
	require.NoError(t, err)
	require.Equal(t, c.At, at)
}

func TestFollowGoesOnWithNewRecords(t *testing.T) {
	j := open(t, options(t.TempDir()))
	defer j.Close()
	ctx, cancel := context.WithCancel(t.Context())
	seen := make(chan event.ID)
	ended := make(chan error, 1)
	go func() {
		ended <- j.Follow(ctx, journal.Main, 1, func(r journal.Record) error {
			for _, e := range r.Entries {
				seen <- e.ID
			}
			return nil
		})
	}()
	for range 3 {
		e := entry("01")
		require.NoError(t, j.Append(t.Context(), journal.Main, e))
		require.Equal(t, e.ID, <-seen)
	}
	cancel()
	require.NoError(t, <-ended)
}

func TestCommitsOfManyAreGrouped(t *testing.T) {
	j := open(t, options(t.TempDir()))
	defer j.Close()
	const writers, each = 16, 20
	var all sync.WaitGroup
	for range writers {
		all.Go(func() {
			for range each {
				if err := j.Append(t.Context(), journal.Main, entry("01")); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	got := read(t, j, journal.Main, 1, writers*each)
	ids := map[event.ID]bool{}
	for _, e := range got {
		ids[e.ID] = true
	}
	require.Len(t, ids, writers*each, "nothing lost, nothing doubled")
	last, _, err := j.Last(t.Context(), journal.Main)
	require.NoError(t, err)
	require.Less(t, last, uint64(writers*each), "one sync must serve several writers")
}

func TestReserveRefusesAndLosesNothing(t *testing.T) {
	opts := options(t.TempDir())
	opts.Reserve = math.MaxInt64
	j := open(t, opts)
	defer j.Close()
	require.ErrorIs(t, j.Append(t.Context(), journal.Main, entry("01")), journal.ErrReserve)
	last, _, err := j.Last(t.Context(), journal.Main)
	require.NoError(t, err)
	require.Zero(t, last)
}

func TestFullStreamRefusesAndOthersGoOn(t *testing.T) {
	opts := options(t.TempDir())
	opts.MaxBytes = 4096
	j := open(t, opts)
	defer j.Close()
	var err error
	kept := 0
	for err == nil {
		if err = j.Append(t.Context(), journal.Main, entry("01")); err == nil {
			kept++
		}
	}
	require.ErrorIs(t, err, journal.ErrReserve)
	require.Len(t, read(t, j, journal.Main, 1, kept), kept)
	require.NoError(t, j.Append(t.Context(), journal.Idle, entry("01")), "the other class has room of its own")
}

func TestTooBigEntryIsRefusedAlone(t *testing.T) {
	j := open(t, options(t.TempDir()))
	defer j.Close()
	big := entry("01")
	big.Reading = &event.Reading{Note: strings.Repeat("x", 8<<20)}
	require.ErrorIs(t, j.Append(t.Context(), journal.Main, big), journal.ErrTooBig)
	require.NoError(t, j.Append(t.Context(), journal.Main, entry("01")))
}

func TestSnapshotIsReplaced(t *testing.T) {
	j := open(t, options(t.TempDir()))
	defer j.Close()
	_, ok, err := j.LoadSnapshot(t.Context(), "lane.01")
	require.NoError(t, err)
	require.False(t, ok)
	for _, state := range []string{`{"n":1}`, `{"n":2}`} {
		require.NoError(t, j.SaveSnapshot(t.Context(), "lane.01", journal.Snapshot{Sequence: 7, State: []byte(state)}))
	}
	got, ok, err := j.LoadSnapshot(t.Context(), "lane.01")
	require.NoError(t, err)
	require.True(t, ok)
	require.EqualValues(t, 7, got.Sequence)
	require.JSONEq(t, `{"n":2}`, string(got.State))
}

func TestClosedJournalSaysSo(t *testing.T) {
	j := open(t, options(t.TempDir()))
	j.Close()
	require.ErrorIs(t, j.Append(t.Context(), journal.Main, entry("01")), journal.ErrClosed)
}

// TestKillLosesNothingAcknowledged kills a process that appends as fast as it
// can, and looks for every id that the process had been told was on disk.
func TestKillLosesNothingAcknowledged(t *testing.T) {
	dir := t.TempDir()
	for round := range 3 {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), childEnv+"="+dir)
		out, err := cmd.StdoutPipe()
		require.NoError(t, err)
		require.NoError(t, cmd.Start())
		var acked []event.ID
		for lines := bufio.NewScanner(out); lines.Scan(); {
			acked = append(acked, event.ID(lines.Text()))
			if len(acked) == 50+round*37 {
				require.NoError(t, cmd.Process.Kill())
			}
		}
		_ = cmd.Wait() // it was killed

		j := open(t, options(dir))
		have := map[event.ID]int{}
		last, _, err := j.Last(t.Context(), journal.Main)
		require.NoError(t, err)
		err = j.Follow(t.Context(), journal.Main, 1, func(r journal.Record) error {
			for _, e := range r.Entries {
				have[e.ID]++
			}
			if r.Sequence == last {
				return io.EOF
			}
			return nil
		})
		require.ErrorIs(t, err, io.EOF)
		j.Close()
		for _, id := range acked {
			require.Equal(t, 1, have[id], "acknowledged entry %s", id)
		}
	}
}

func appendForEver(dir string) {
	j, err := journal.Open(context.Background(), options(dir))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	for range 4 {
		go func() {
			for {
				e := entry("01")
				if err := j.Append(context.Background(), journal.Main, e); err != nil {
					fmt.Fprintln(os.Stderr, err)
					os.Exit(1)
				}
				_, _ = os.Stdout.WriteString(string(e.ID) + "\n")
			}
		}()
	}
	select {}
}
