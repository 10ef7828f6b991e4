package book_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"gatehouse/internal/sim/book"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func open(t *testing.T, dir string) *book.Book {
	t.Helper()
	b, err := book.Open(dir)
	require.NoError(t, err)
	return b
}

func lines[T any](t *testing.T, path string) []T {
	t.Helper()
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	var out []T
	for line := range strings.Lines(string(data)) {
		var v T
		require.NoError(t, json.Unmarshal([]byte(line), &v), line)
		out = append(out, v)
	}
	return out
}

func TestLedgerGoesOnAfterAKill(t *testing.T) {
	dir := t.TempDir()
	ledger := filepath.Join(dir, "ledger.jsonl")
	b := open(t, dir)
	b.Lane("01").Sent("rpm", book.Line, []byte("GB,000188,000206,000262,000243"), "")
	b.Lane("01").Sent("xray", book.File, []byte{}, "sim-000001")
	b.Lane("01").Unheard("rpm", book.Line, []byte("x"), "sim-000001", "not-open")
	b.Lane("01").Unheard("camera", book.MQTT, []byte("x"), "sim-000001", book.Unanswered) // counts when it is acknowledged
	require.Equal(t, book.Totals{Sent: map[string]int{"01-rpm": 1, "01-xray": 1}, Unheard: map[string]int{"01-rpm": 1}, Spoilt: map[string]int{}}, b.Totals())
	require.NoError(t, b.Close())

	// The kill came in the middle of a line.
	f, err := os.OpenFile(ledger, os.O_APPEND|os.O_WRONLY, 0)
	require.NoError(t, err)
	_, err = f.WriteString(`{"n":3,"device":"rp`)
	require.NoError(t, err)
	require.NoError(t, f.Close())

	b = open(t, dir)
	b.Lane("01").Sent("rpm", book.Line, []byte("GX"), "sim-000001")
	require.NoError(t, b.Close())
	got := lines[book.Frame](t, ledger)
	require.Len(t, got, 3)
	require.Equal(t, 3, got[2].N)
	// printf 'GB,000188,000206,000262,000243' | sha256sum
	require.Equal(t, "771b6c4e68d631ef551394f96b15ad399d50548adc47446f240ae47897c1c78c", got[0].SHA256)
	require.Equal(t, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", got[1].SHA256)
	require.Equal(t, 30, got[0].Bytes)
	require.Equal(t, "not-open", lines[book.Frame](t, filepath.Join(dir, "unheard.jsonl"))[0].Reason)
}

func TestNumbersAreNeverGivenTwice(t *testing.T) {
	dir := t.TempDir()
	b := open(t, dir)
	n, err := b.Lane("01").NextVehicle()
	require.NoError(t, err)
	require.Equal(t, 1, n)
	require.NoError(t, b.Begin(book.Truth{Vehicle: "sim-000001"}))
	_, err = b.Lane("01").NextVehicle()
	require.NoError(t, err)
	require.NoError(t, b.Begin(book.Truth{Vehicle: "sim-000002"}))
	require.NoError(t, b.Finish(book.Truth{Vehicle: "sim-000002"}))
	scan, err := b.NextScan()
	require.NoError(t, err)
	require.Equal(t, 1, scan)
	require.NoError(t, b.Close()) // as after a kill: the first vehicle is still under way

	b = open(t, dir)
	n, err = b.Lane("01").NextVehicle()
	require.NoError(t, err)
	require.Equal(t, 3, n)
	scan, err = b.NextScan()
	require.NoError(t, err)
	require.Equal(t, 2, scan)
	require.NoError(t, b.Close())
	truth := lines[book.Truth](t, filepath.Join(dir, "truth.jsonl"))
	require.Len(t, truth, 2)
	require.Equal(t, "sim-000002", truth[0].Vehicle)
	require.False(t, truth[0].Cut)
	require.Equal(t, "sim-000001", truth[1].Vehicle)
	require.True(t, truth[1].Cut)
	require.NoError(t, open(t, dir).Close())
	require.Len(t, lines[book.Truth](t, filepath.Join(dir, "truth.jsonl")), 2)
}

func TestOneSimulatorPerFolder(t *testing.T) {
	dir := t.TempDir()
	b := open(t, dir)
	_, err := book.Open(dir)
	require.ErrorContains(t, err, "another gatesim works in")
	require.NoError(t, b.Close())
	require.NoError(t, open(t, dir).Close())
}

func TestBrokenNumbersStopTheRun(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "numbers.json"), []byte("{"), 0o600))
	_, err := book.Open(dir)
	require.ErrorContains(t, err, "another --state folder")
}
