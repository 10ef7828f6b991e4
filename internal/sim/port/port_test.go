package port_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"golang.org/x/sys/unix"

	"gatehouse/internal/sim/fault"
	"gatehouse/internal/sim/port"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// notes is a book that remembers.
type notes struct {
	mu      sync.Mutex
	sent    []string
	unheard []string
	spoilt  []string
}

func (n *notes) Sent(_, _ string, frame []byte, _ string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.sent = append(n.sent, string(frame))
}

func (n *notes) Unheard(_, _ string, frame []byte, _, reason string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.unheard = append(n.unheard, reason+" "+string(frame))
}

func (n *notes) Spoilt(_, _ string, frame []byte, _, reason string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.spoilt = append(n.spoilt, reason+" "+string(frame))
}

func (n *notes) get() (sent, unheard []string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return append([]string(nil), n.sent...), append([]string(nil), n.unheard...)
}

type bench struct {
	*port.Port
	notes *notes
	board *fault.Board
	link  string
}

func start(t *testing.T) *bench {
	t.Helper()
	b := &bench{notes: &notes{}, board: fault.NewBoard(nil), link: filepath.Join(t.TempDir(), "dev", "rpm")}
	b.Port = port.New("rpm", b.link, 1, b.board, b.notes, slog.New(slog.DiscardHandler))
	ctx, cancel := context.WithCancel(t.Context())
	ready, done := make(chan struct{}), make(chan error, 1)
	go func() { done <- b.Run(ctx, ready) }()
	t.Cleanup(func() {
		cancel()
		require.NoError(t, <-done)
		_, err := os.Lstat(b.link)
		require.ErrorIs(t, err, os.ErrNotExist, "the link goes with the port")
		b.board.Close()
	})
	<-ready
	return b
}

// host opens the port as any program would; it shares no code with the port.
func (b *bench) host(t *testing.T) *os.File {
	t.Helper()
	fd, err := unix.Open(b.link, unix.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK, 0)
	require.NoError(t, err)
	<-b.Opened()
	return os.NewFile(uintptr(fd), b.link)
}

// read reads until the text has come.
func read(t *testing.T, f *os.File, until string) string {
	t.Helper()
	var got bytes.Buffer
	buf := make([]byte, 512)
	require.NoError(t, f.SetReadDeadline(time.Now().Add(20*time.Second)))
	for !strings.Contains(got.String(), until) {
		n, err := f.Read(buf)
		require.NoError(t, err, "so far: %q", got.String())
		got.Write(buf[:n])
	}
	return got.String()
}

func TestLedgerIsWhatTheReaderGot(t *testing.T) {
	b := start(t)
	f := b.host(t)
	defer f.Close()
	var want []string
	for i := range 40 {
		line := fmt.Sprintf("GB,%06d,000206,000262,000243", i)
		want = append(want, line)
		b.Send(line, "")
	}
	got := read(t, f, want[39]+"\r\n")
	require.Equal(t, strings.Join(want, "\r\n")+"\r\n", got)
	sent, unheard := b.notes.get()
	require.Equal(t, want, sent)
	require.Empty(t, unheard)
}

func TestNobodyListens(t *testing.T) {
	b := start(t)
	b.Send("GB,1", "")
	sent, unheard := b.notes.get()
	require.Empty(t, sent)
	require.Equal(t, []string{"not-open GB,1"}, unheard)

	// What was said before is not there for whoever comes later.
	f := b.host(t)
	defer f.Close()
	b.Send("GB,2", "")
	require.Equal(t, "GB,2\r\n", read(t, f, "GB,2\r\n"))
}

func closed(t *testing.T, b *bench) {
	t.Helper()
	require.Eventually(t, func() bool { return b.Listeners() == 0 }, 10*time.Second, time.Millisecond)
}

func TestADeadReaderLeavesNothingBehind(t *testing.T) {
	b := start(t)
	f := b.host(t)
	require.NoError(t, unix.IoctlSetInt(int(f.Fd()), unix.TIOCEXCL, 0))
	b.Send("GB,lost", "")
	require.NoError(t, f.Close()) // a kill closes in the same way
	closed(t, b)
	sent, _ := b.notes.get()
	require.Equal(t, []string{"GB,lost"}, sent, "it had been sent; it is for the gate to admit the gap")

	f = b.host(t)
	defer f.Close()
	exclusive, err := unix.IoctlGetInt(int(f.Fd()), unix.TIOCGEXCL)
	require.NoError(t, err)
	require.Zero(t, exclusive, "or no other user could open the port again")
	require.NoError(t, unix.SetNonblock(int(f.Fd()), true))
	b.Send("GB,new", "")
	buf := make([]byte, 512)
	require.Eventually(t, func() bool {
		n, err := unix.Read(int(f.Fd()), buf)
		return err == nil && string(buf[:n]) == "GB,new\r\n"
	}, 10*time.Second, time.Millisecond)
}

func TestALaggingReaderBlocksNothing(t *testing.T) {
	b := start(t)
	f := b.host(t)
	defer f.Close()
	line := strings.Repeat("x", 98)
	for range 200 { // 20,000 bytes that nobody reads
		b.Send(line, "")
	}
	sent, unheard := b.notes.get()
	require.NotEmpty(t, unheard)
	require.Equal(t, "overrun "+line, unheard[0])
	require.Equal(t, 200, len(sent)+len(unheard))
	// What the ledger names is there to be read, to the last frame; the piece of
	// one that just did not fit is part of the next.
	wire := ""
	for strings.Count(wire, "\r\n") < len(sent) {
		wire += read(t, f, "\n")
	}
	b.Send("end", "")
	wire += read(t, f, "end\r\n")
	sent, _ = b.notes.get()
	require.Equal(t, strings.Split(strings.TrimSuffix(wire, "\r\n"), "\r\n"), sent)
}

func TestUnplugAndBack(t *testing.T) {
	b := start(t)
	f := b.host(t)
	defer f.Close()
	_, err := b.board.Set(fault.Order{Name: "unplug", Device: "rpm", For: time.Hour})
	require.NoError(t, err)
	require.Eventually(t, func() bool { _, err := os.Lstat(b.link); return os.IsNotExist(err) }, 10*time.Second, time.Millisecond)
	require.NoError(t, f.SetReadDeadline(time.Now().Add(10*time.Second)))
	_, err = f.Read(make([]byte, 1))
	require.Error(t, err, "the reader sees the hang-up")
	require.NotErrorIs(t, err, os.ErrDeadlineExceeded)
	b.Send("GB,1", "")
	_, unheard := b.notes.get()
	require.Equal(t, []string{"port-gone GB,1"}, unheard)

	b.board.Clear("unplug", "")
	require.Eventually(t, func() bool { _, err := os.Stat(b.link); return err == nil }, 10*time.Second, time.Millisecond)
	after, err := os.Readlink(b.link)
	require.NoError(t, err)
	require.Contains(t, after, "/dev/pts/")
	again := b.host(t)
	defer again.Close()
	b.Send("GB,2", "")
	require.Equal(t, "GB,2\r\n", read(t, again, "GB,2\r\n"))
}

func TestHostLines(t *testing.T) {
	b := start(t)
	f := b.host(t)
	defer f.Close()
	_, err := f.WriteString("$XCMD,0001,ST")
	require.NoError(t, err)
	_, err = f.WriteString("ATUS*00\r\n$XCMD,0002,ID*00\n" + strings.Repeat("y", 1000) + "\n$last\n")
	require.NoError(t, err)
	require.Equal(t, "$XCMD,0001,STATUS*00", string(<-b.Lines()))
	require.Equal(t, "$XCMD,0002,ID*00", string(<-b.Lines()))
	for line := range b.Lines() {
		if string(line) == "$last" {
			break
		}
		require.Contains(t, string(line), "y")
	}
}

// Each fault of a line is visible on the wire, and the ledger still names
// exactly the frames that a reader who cuts at CR LF finds.
func TestFaultsOnTheWire(t *testing.T) {
	const good = "GS,000101,000102,000103,000104"
	valid := func(frames []string) (n int) {
		for _, f := range frames {
			if f == good {
				n++
			}
		}
		return n
	}
	cases := map[string]func(t *testing.T, frames []string, wire string){
		"noise": func(t *testing.T, frames []string, wire string) {
			require.Equal(t, 6, valid(frames))
			require.True(t, strings.ContainsFunc(strings.ToValidUTF8(wire, "\ufffd"), func(r rune) bool { return r > 0x7f }))
		},
		"torn": func(t *testing.T, frames []string, _ string) {
			require.Equal(t, 8, valid(frames))
			require.Contains(t, frames, good[:16])
		},
		"no-terminator": func(t *testing.T, frames []string, _ string) {
			require.Contains(t, frames, good+good)
			require.Len(t, frames, 8, "the last one ran into what came after")
		},
		"bad-value": func(t *testing.T, frames []string, _ string) {
			require.Equal(t, 6, valid(frames))
			require.Contains(t, frames, "GS,000101,000102,00010x,000104")
		},
		"wrong-baud": func(t *testing.T, frames []string, _ string) { require.Zero(t, valid(frames)) },
		"parity": func(t *testing.T, frames []string, _ string) {
			require.Zero(t, valid(frames))
			plain := []byte(frames[0])
			for i := range plain {
				plain[i] &= 0x7f
			}
			require.Equal(t, good, string(plain))
		},
		"xoff": func(t *testing.T, frames []string, wire string) {
			require.True(t, strings.ContainsAny(wire, "\x11\x13"))
			require.Equal(t, good, strings.Trim(strings.NewReplacer("\x11", "", "\x13", "").Replace(frames[0]), ""))
		},
		"split": func(t *testing.T, frames []string, _ string) { require.Equal(t, 12, valid(frames)) },
		"merge": func(t *testing.T, frames []string, _ string) { require.Equal(t, 12, valid(frames)) },
	}
	for name, check := range cases {
		t.Run(name, func(t *testing.T) {
			b := start(t)
			f := b.host(t)
			defer f.Close()
			_, err := b.board.Set(fault.Order{Name: name, Device: "rpm", For: time.Hour})
			require.NoError(t, err)
			for range 12 {
				b.Send(good, "sim-000001")
			}
			b.board.Clear(name, "")
			b.Send("end", "")
			wire := read(t, f, "end\r\n")
			frames := strings.Split(strings.TrimSuffix(wire, "\r\n"), "\r\n")
			sent, _ := b.notes.get()
			require.Equal(t, frames, sent)
			for _, frame := range frames {
				require.LessOrEqual(t, len(frame), port.MaxFrame)
			}
			check(t, frames[:len(frames)-1], wire)
		})
	}
}

func TestSilenceAndBurst(t *testing.T) {
	b := start(t)
	f := b.host(t)
	defer f.Close()
	_, err := b.board.Set(fault.Order{Name: "silence", Device: "rpm", For: time.Hour})
	require.NoError(t, err)
	b.Send("never", "")
	b.board.Clear("silence", "")
	_, err = b.board.Set(fault.Order{Name: "burst", Device: "rpm", For: time.Hour})
	require.NoError(t, err)
	b.Send("one", "")
	b.Send("two", "")
	sent, unheard := b.notes.get()
	require.Empty(t, sent)
	require.Empty(t, unheard, "a silent device sends nothing that could go unheard")
	b.board.Clear("burst", "")
	b.Send("three", "")
	require.Equal(t, "one\r\ntwo\r\nthree\r\n", read(t, f, "three\r\n"))
}
