package reader_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"gatehouse/internal/sim/fault"
	"gatehouse/internal/sim/port"
	"gatehouse/internal/sim/reader"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func raw(t *testing.T, text string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(text, " ", ""))
	require.NoError(t, err)
	return b
}

// The vector stands in the maker's manual.
func TestPacketIsTheManuals(t *testing.T) {
	want := raw(t, "12 F3 00 00 0B 38 39 33 34 30 30 30 30 30 30 30 30 30 FC 68")
	require.Equal(t, want, reader.Packet(0xf3, 0, []byte("\x0b8934000000000")))
}

type notes struct {
	mu           sync.Mutex
	sent, spoilt []string
}

func (n *notes) Sent(_, _ string, f []byte, _ string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.sent = append(n.sent, string(f))
}
func (n *notes) Unheard(string, string, []byte, string, string) {}
func (n *notes) Spoilt(_, _ string, f []byte, _, _ string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.spoilt = append(n.spoilt, string(f))
}

func (n *notes) all() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return append([]string(nil), n.sent...)
}

type bench struct {
	*notes
	port  *port.Port
	board *fault.Board
	host  *os.File
	ctx   context.Context
	jobs  sync.WaitGroup
}

func plug(t *testing.T, device string, equip func(b *bench) func(context.Context) error) *bench {
	t.Helper()
	link := filepath.Join(t.TempDir(), device)
	b := &bench{notes: &notes{}, board: fault.NewBoard(nil)}
	b.port = port.New(device, link, 1, b.board, b, slog.New(slog.DiscardHandler))
	run := equip(b)
	ctx, end := context.WithCancel(context.Background())
	b.ctx = ctx
	up := make(chan struct{})
	b.jobs.Go(func() { _ = b.port.Run(ctx, up) })
	if run != nil {
		b.jobs.Go(func() { _ = run(ctx) })
	}
	<-up
	host, err := os.OpenFile(link, os.O_RDWR, 0)
	require.NoError(t, err)
	b.host = host
	<-b.port.Opened()
	t.Cleanup(func() {
		end()
		b.jobs.Wait()
		require.NoError(t, host.Close())
		b.board.Close()
	})
	return b
}

func (b *bench) read(t *testing.T, n int) []byte {
	t.Helper()
	var got []byte
	for len(got) < n {
		buf := make([]byte, n-len(got))
		k, err := b.host.Read(buf)
		require.NoError(t, err)
		got = append(got, buf[:k]...)
	}
	return got
}

func TestLinesOfADocument(t *testing.T) {
	var text *reader.Text
	b := plug(t, "mrz", func(b *bench) func(context.Context) error {
		text = reader.NewText(b.port)
		return nil
	})
	require.True(t, text.Read("sim-000001", "P<ABC", "123"))
	require.Equal(t, "P<ABC\r\n123\r\n", string(b.read(t, 12)))
	require.Equal(t, []string{"P<ABC\r\n123"}, b.all())
	_, err := b.board.Set(fault.Order{Name: "noise", Device: "mrz"})
	require.NoError(t, err)
	require.True(t, text.Read("", "P<ABC", "123"))
	require.Len(t, b.all(), 1, "a damaged frame is no frame of the ledger")
	require.Len(t, b.spoilt, 1)
	require.Equal(t, b.spoilt[0], string(b.read(t, len(b.spoilt[0]))))
}

// Packets of a host, from the manual.
const (
	ack = "04 D0 04 00 FF 28"
	nak = "05 D1 04 00 01 FF 25"
)

func TestAReaderWaitsForItsAcknowledgement(t *testing.T) {
	var ssi *reader.SSI
	b := plug(t, "ssi", func(b *bench) func(context.Context) error {
		ssi = reader.NewSSI("ssi", b.port, b.board)
		return ssi.Run
	})
	type end struct {
		ok  bool
		err error
	}
	done := make(chan end, 1)
	scan := func(text string) {
		go func() {
			ok, err := ssi.Read(b.ctx, "sim-000001", reader.Code128, text)
			done <- end{ok, err}
		}()
	}
	first := reader.Packet(0xf3, 0, []byte("\x030123"))
	second := reader.Packet(0xf3, 1, []byte("\x030123"))
	scan("0123")
	require.Equal(t, first, b.read(t, len(first)))
	_, err := b.host.Write(raw(t, nak))
	require.NoError(t, err)
	require.Equal(t, second, b.read(t, len(second)), "refused, so it comes again and says so")
	began := time.Now()
	require.Equal(t, second, b.read(t, len(second)), "not acknowledged, so it comes again")
	require.Greater(t, time.Since(began), time.Second)
	_, err = b.host.Write(raw(t, ack))
	require.NoError(t, err)
	require.Equal(t, end{true, nil}, <-done)

	// A long code comes in parts.
	long := strings.Repeat("x", 300)
	scan(long)
	var got bytes.Buffer
	for _, n := range []int{240, 60} {
		p := b.read(t, n+7)
		require.Equal(t, n == 240, p[3]&2 != 0, "continuation")
		got.Write(p[5 : len(p)-2])
		_, err = b.host.Write(raw(t, ack))
		require.NoError(t, err)
	}
	require.Equal(t, end{true, nil}, <-done)
	require.Equal(t, long, got.String())
	require.Len(t, b.all(), 5)
}
