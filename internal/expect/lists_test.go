package expect_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatehouse/internal/event"
	"gatehouse/internal/expect"
)

// record is a log that several goroutines write to.
type record struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (r *record) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.b.Write(p)
}

func (r *record) String() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.b.String()
}

type folder struct {
	t     *testing.T
	dir   string
	lists *expect.Lists
	log   *record
}

// watched is a folder with a list that was complete before.
func watched(t *testing.T, first string) folder {
	t.Helper()
	f := folder{t: t, dir: filepath.Join(t.TempDir(), "expected"), log: &record{}}
	require.NoError(t, os.MkdirAll(f.dir, 0o755))
	f.write("first.csv", first)
	old := time.Now().Add(-time.Minute)
	require.NoError(t, os.Chtimes(filepath.Join(f.dir, "first.csv"), old, old))
	lists := expect.Open(f.dir, slog.New(slog.NewTextHandler(f.log, nil)))
	f.lists = lists
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- lists.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		require.NoError(t, <-done)
	})
	return f
}

func (f folder) write(name, text string) {
	require.NoError(f.t, os.WriteFile(filepath.Join(f.dir, name), []byte(text), 0o644))
}

func (f folder) look(q expect.Query) expect.Answer {
	f.t.Helper()
	a, err := f.lists.Look(f.t.Context(), q)
	require.NoError(f.t, err)
	return a
}

func plate(text string) expect.Query { return expect.Query{By: expect.ByPlate, Text: text} }

func TestLook(t *testing.T) {
	const text = "plate,rear_plate,container,declaration,gross_kg,direction,from,to\n" +
		"12C-123.45,51R01234,CSQU3054383,103456789012,31500,entry,2026-03-02,2026-03-04\n" +
		"12C-123.45,,,,29000,entry,2026-03-10,2026-03-10\n" +
		"12C-128.45,,,,,,,\n,,ZEPU0037255,,,,,\n"
	f := watched(t, text)
	sum := event.Digest([]byte(text))
	full := event.Expected{
		List: "first.csv", SHA256: sum, Found: true, Plate: "12C12345", RearPlate: "51R01234", Container: "CSQU3054383",
		Declaration: "103456789012", GrossKG: new(31500.0), Direction: event.Entry, From: "2026-03-02", To: "2026-03-04",
	}
	for name, c := range map[string]struct {
		query expect.Query
		want  func(*expect.Answer)
	}{
		"plate":       {expect.Query{By: "plate", Text: "12C12345", Day: "2026-03-03", Direction: event.Entry}, nil},
		"container":   {expect.Query{By: "container", Text: "CSQU3054383", Day: "2026-03-04"}, nil},
		"declaration": {expect.Query{By: "declaration", Text: "103456789012", Direction: event.DirectionUnknown}, nil},
		"another day": {expect.Query{By: "plate", Text: "12C12345", Day: "2026-03-05"}, func(a *expect.Answer) {
			a.Found, a.Similar = false, []string{"12C12845"}
		}},
		"the row of the day": {expect.Query{By: "plate", Text: "12C12345", Day: "2026-03-10"}, func(a *expect.Answer) {
			a.Expected = event.Expected{List: "first.csv", SHA256: sum, Found: true, Plate: "12C12345", GrossKG: new(29000.0), Direction: event.Entry, From: "2026-03-10", To: "2026-03-10"}
		}},
		"other direction": {expect.Query{By: "plate", Text: "12C12345", Day: "2026-03-03", Direction: event.Exit}, func(a *expect.Answer) {
			a.Found, a.Similar = false, []string{"12C12845"}
		}},
		"one character apart": {plate("12C12346"), func(a *expect.Answer) {
			*a = expect.Answer{Expected: event.Expected{List: "first.csv", SHA256: sum}, Similar: []string{"12C12345"}}
		}},
		"looks alike": {plate("I2CI2B45"), func(a *expect.Answer) {
			*a = expect.Answer{Expected: event.Expected{List: "first.csv", SHA256: sum}, Similar: []string{"12C12845"}}
		}},
		"unknown": {plate("29H54321"), func(a *expect.Answer) {
			*a = expect.Answer{Expected: event.Expected{List: "first.csv", SHA256: sum}}
		}},
		"a container is no plate": {plate("CSQU3054383"), func(a *expect.Answer) {
			*a = expect.Answer{Expected: event.Expected{List: "first.csv", SHA256: sum}}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			want := expect.Answer{Expected: full}
			if c.want != nil {
				c.want(&want)
			}
			want.Asked = c.query.Text
			got := f.look(c.query)
			if len(got.Similar) == 0 {
				got.Similar = nil
			}
			require.Equal(t, want, got)
		})
	}
}

func TestALookUpWaitsForTheFileThatIsBeingWritten(t *testing.T) {
	f := watched(t, "plate\n12C12345\n")
	f.write("second.csv", "plate\n29H54321\n")
	require.True(t, f.look(plate("29H54321")).Found, "announced a moment ago")
	require.True(t, f.look(plate("12C12345")).Found)

	part := filepath.Join(f.dir, "third.csv.part")
	require.NoError(t, os.WriteFile(part, []byte("plate\n34C00001\n"), 0o644))
	require.False(t, f.look(plate("34C00001")).Found)
	require.NoError(t, os.Rename(part, filepath.Join(f.dir, "third.csv")))
	require.True(t, f.look(plate("34C00001")).Found)
}

func TestTheListsAreWhatTheFolderHolds(t *testing.T) {
	f := watched(t, "plate\n12C12345\n")
	f.write("first.csv", "plate\n29H54321\nbad plate!\n")
	require.True(t, f.look(plate("29H54321")).Found)
	require.False(t, f.look(plate("12C12345")).Found)
	require.Contains(t, f.log.String(), `first.csv:3: plate: \"bad plate!\" has a character that no plate has`)
	require.NoError(t, os.Remove(filepath.Join(f.dir, "first.csv")))
	require.False(t, f.look(plate("29H54321")).Found)
	require.Contains(t, f.log.String(), "list of expected vehicles removed")
}

func TestAFolderThatVanishesIsNoEmptyList(t *testing.T) {
	f := watched(t, "plate\n12C12345\n")
	moved := f.dir + ".away"
	require.NoError(t, os.Rename(f.dir, moved))
	_, err := f.lists.Look(t.Context(), plate("12C12345"))
	require.ErrorIs(t, err, expect.ErrGone, "nobody can tell whether it is expected")
	require.NoError(t, os.Rename(moved, f.dir))
	require.True(t, f.look(plate("12C12345")).Found)
	require.Contains(t, f.log.String(), "can be read again")
}

func TestALookUpEndsWithItsContext(t *testing.T) {
	dir := t.TempDir()
	lists := expect.Open(dir, slog.New(slog.DiscardHandler)) // and nobody follows the folder
	require.NoError(t, os.WriteFile(filepath.Join(dir, "new.csv"), []byte("plate\n"), 0o644))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := lists.Look(ctx, plate("12C12345"))
	require.True(t, errors.Is(err, context.Canceled))
}

func TestWhatIsNoListIsNotRead(t *testing.T) {
	f := watched(t, "plate\n12C12345\n")
	require.NoError(t, os.Mkdir(filepath.Join(f.dir, "folder.csv"), 0o755))
	require.NoError(t, os.Symlink("/etc/passwd", filepath.Join(f.dir, "link.csv")))
	f.write(".hidden.csv", "plate\n29H54321\n")
	f.write("readme.txt", "plate\n29H54321\n")
	require.False(t, f.look(plate("29H54321")).Found)
}
