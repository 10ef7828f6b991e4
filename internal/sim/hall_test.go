package sim_test

import (
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"gatehouse/internal/sim"
	"gatehouse/internal/sim/book"
	"gatehouse/internal/sim/scenario"
)

// ssi cuts packets: a length, that many bytes with it, and two of checksum.
func ssi(b []byte) (frame, rest []byte, found bool) {
	if len(b) == 0 || len(b) < int(b[0])+2 {
		return nil, b, false
	}
	n := int(b[0]) + 2
	return b[:n], b[n:], true
}

// document cuts the two lines of a booklet, or the one of a QR code.
func document(b []byte) (frame, rest []byte, found bool) {
	text := string(b)
	lines := 2
	if strings.Contains(text, "|") {
		lines = 1
	}
	at := 0
	for range lines {
		i := strings.Index(text[at:], "\r\n")
		if i < 0 {
			return nil, b, false
		}
		at += i + 2
	}
	return b[:at-2], b[at:], true
}

// acknowledging is a host that answers each packet.
func (l *listener) acknowledging(f *os.File) func([]byte) ([]byte, []byte, bool) {
	return func(b []byte) ([]byte, []byte, bool) {
		frame, rest, found := ssi(b)
		if found {
			_, _ = f.Write([]byte{0x04, 0xd0, 0x04, 0x00, 0xff, 0x28})
		}
		return frame, rest, found
	}
}

func TestTheBaggageHall(t *testing.T) {
	dir := state(t)
	file := filepath.Join(dir, "s.yaml")
	require.NoError(t, os.WriteFile(file, []byte(`
speed: 10
lanes:
  - id: "02"
    kind: person
    traffic: {headway: 4s, jitter: 0}
    persons:
      - {number: 1, clean: true, document: TD3, bags: 2, threat: pistol}
      - {number: 2, clean: true, document: TD3, flaw: expired, bags: 0}
      - {number: 3, clean: true, document: CCCD-QR, bags: 0, gamma: 30}
`), 0o600))
	s, err := scenario.Load(file)
	require.NoError(t, err)
	l := &listener{frames: map[string]int{}}
	type end struct {
		sum sim.Summary
		err error
	}
	done := make(chan end, 1)
	go func() {
		sum, err := sim.Run(t.Context(), sim.Options{Scenario: s, State: dir, Count: 3, Log: slog.New(slog.DiscardHandler)})
		done <- end{sum, err}
	}()
	var jobs sync.WaitGroup
	for _, device := range []string{"mrz", "rpm", "xray", "barcode"} {
		var fd int
		require.Eventually(t, func() bool {
			var err error
			fd, err = unix.Open(filepath.Join(dir, "dev", "02-"+device), unix.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK, 0)
			return err == nil
		}, 30*time.Second, time.Millisecond)
		f := os.NewFile(uintptr(fd), device)
		defer func() { require.NoError(t, f.Close()) }()
		cut := lineEnd
		switch device {
		case "mrz":
			cut = document
		case "barcode":
			cut = l.acknowledging(f)
		}
		jobs.Go(func() { l.serial(f, device, cut) })
	}
	e := <-done
	require.NoError(t, e.err)
	jobs.Wait()
	require.Equal(t, 3, e.sum.Persons)
	require.Zero(t, e.sum.Vehicles+e.sum.Cut)
	require.Equal(t, map[string]int{"XRAY-ANOMALY": 1, "DOCUMENT-EXPIRED": 1, "RPM-GAMMA": 1}, e.sum.Findings)
	drop, err := filepath.Glob(filepath.Join(dir, "drop", "02", "*"))
	require.NoError(t, err)
	require.Len(t, drop, 4, "two bags, each with its description")
	for _, f := range drop {
		data, err := os.ReadFile(f)
		require.NoError(t, err)
		l.heard("xray", data)
	}
	want := map[string]int{}
	for _, f := range lines[book.Frame](t, dir, "ledger.jsonl") {
		require.Equal(t, "02", f.Lane)
		want[f.Device+"/"+f.SHA256]++
	}
	require.Equal(t, want, l.count())
	truth := lines[book.Truth](t, dir, "truth.jsonl")
	require.Len(t, truth, 3)
	slices.SortFunc(truth, func(a, b book.Truth) int { return strings.Compare(a.Vehicle, b.Vehicle) })
	require.Len(t, truth[0].Bags, 2)
	require.Len(t, truth[0].Bags[0].Scan.Boxes, 1)
	require.Empty(t, truth[0].Bags[1].Scan.Boxes)
	require.NotEqual(t, truth[0].Bags[0].Scan.Image, truth[0].Bags[1].Scan.Image)
	require.Contains(t, l.wire.String(), truth[0].Bags[1].Tag, "read from the bag")
	require.Contains(t, l.wire.String(), truth[2].Document.Number)
	require.Equal(t, "expired", truth[1].Document.Flaw)
	require.Equal(t, []string{"RPM-GAMMA"}, truth[2].Findings)
}
