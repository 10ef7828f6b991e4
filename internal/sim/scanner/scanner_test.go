package scanner_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"gatehouse/internal/sim/fault"
	"gatehouse/internal/sim/scanner"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// cable is the line to a host.
type cable struct {
	host chan []byte
	mu   sync.Mutex
	all  []string
}

func (c *cable) Lines() <-chan []byte { return c.host }

func (c *cable) Send(line, _ string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.all = append(c.all, line)
}

func (c *cable) lines() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.all)
}

func (c *cable) clear() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.all = nil
}

func last(lines []string) string { return lines[len(lines)-1] }

// said are the bodies with that beginning, without number and checksum.
func (c *cable) said(kind string) []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var out []string
	for _, l := range c.all {
		f := strings.SplitN(strings.SplitN(l, "*", 2)[0], ",", 3)
		if f[0] == "$"+kind {
			out = append(out, f[2])
		}
	}
	return out
}

// sum is the checksum, computed here and nowhere else.
func sum(body string) string {
	x := 0
	for _, c := range []byte(body) {
		x ^= int(c)
	}
	return fmt.Sprintf("%02X", x)
}

func (c *cable) tell(body string) {
	c.host <- []byte("$" + body + "*" + sum(body))
	synctest.Wait()
}

type ledger struct {
	mu   sync.Mutex
	sent []string
}

func (l *ledger) Sent(_, kind string, frame []byte, _ string) {
	h := sha256.Sum256(frame)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.sent = append(l.sent, kind+" "+hex.EncodeToString(h[:]))
}

type bench struct {
	*scanner.Scanner
	wire  *cable
	board *fault.Board
	book  *ledger
	drop  string
}

func play(t *testing.T, do func(t *testing.T, b *bench)) {
	t.Helper()
	drop := filepath.Join(t.TempDir(), "drop")
	synctest.Test(t, func(t *testing.T) {
		b := &bench{wire: &cable{host: make(chan []byte, 8)}, board: fault.NewBoard(nil), book: &ledger{}, drop: drop}
		n := 0
		b.Scanner = scanner.New(scanner.Settings{
			Drop: drop, Lane: "01", Pace: 1, Keep: time.Hour, NextID: func() (int, error) { n++; return n, nil },
		}, b.wire, b.board, b.book, slog.New(slog.DiscardHandler))
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- b.Run(ctx) }()
		synctest.Wait()
		do(t, b)
		cancel()
		require.NoError(t, <-done)
		b.board.Close()
	})
}

func job() scanner.Job {
	return scanner.Job{Vehicle: 1, Passage: "sim-000001", Lasts: 6 * time.Second, Cut: 0.5, Render: func(share float64) (scanner.Image, error) {
		return scanner.Image{PNG: []byte("\x89PNG image of " + strconv.FormatFloat(share, 'f', 2, 64)), Width: 1400, Height: 500, AirLevel: 60000, MMPerPixel: 10}, nil
	}}
}

func (b *bench) pass(t *testing.T) (scanner.Shot, scanner.Left) {
	t.Helper()
	shot, err := b.Scan(t.Context(), job())
	require.NoError(t, err)
	left, err := b.Deliver(t.Context(), shot)
	require.NoError(t, err)
	return shot, left
}

func (b *bench) files(t *testing.T) map[string][]byte {
	t.Helper()
	out := map[string][]byte{}
	list, err := os.ReadDir(b.drop)
	if errors.Is(err, fs.ErrNotExist) {
		return out
	}
	require.NoError(t, err)
	for _, e := range list {
		if e.Type().IsRegular() {
			out[e.Name()], err = os.ReadFile(filepath.Join(b.drop, e.Name()))
			require.NoError(t, err)
		}
	}
	return out
}

func TestScan(t *testing.T) {
	play(t, func(t *testing.T, b *bench) {
		time.Sleep(5*time.Second + time.Millisecond)
		require.Len(t, b.wire.said("XSTA"), 6, "one at once and one a second")
		require.Equal(t, "READY,STOP,OFF,CLOSED,0,0", b.wire.said("XSTA")[0])
		shot, left := b.pass(t)
		require.Equal(t, "L01-000001", shot.ID)
		require.Equal(t, []string{"ITEM_IN", "SCAN_BEGIN,L01-000001", "SCAN_END,L01-000001,0", "ITEM_OUT"}, b.wire.said("XEVT"))
		require.Contains(t, b.wire.said("XSTA"), "SCANNING,STOP,ON,CLOSED,0,0")
		files := b.files(t)
		require.Len(t, files, 2)
		image := files["L01-000001_v1.png"]
		require.Equal(t, []string{fmt.Sprintf("L01-000001,1,L01-000001_v1.png,%d", len(image))}, b.wire.said("XIMG"))
		var side scanner.Sidecar
		require.NoError(t, json.Unmarshal(files["L01-000001_v1.png.json"], &side))
		h := sha256.Sum256(image)
		require.Equal(t, hex.EncodeToString(h[:]), side.SHA256)
		require.Equal(t, left.Image, side.SHA256)
		require.True(t, side.Complete)
		require.Equal(t, 60000, side.AirLevel)
		s := sha256.Sum256(files["L01-000001_v1.png.json"])
		require.Equal(t, []string{"file " + hex.EncodeToString(s[:]), "file " + side.SHA256}, b.book.sent)

		for i, line := range b.wire.lines() {
			body, given, _ := strings.Cut(line[1:], "*")
			require.Equal(t, sum(body), given)
			require.Equal(t, fmt.Sprintf("%04d", i), strings.Split(body, ",")[1], "one sequence without holes")
			require.LessOrEqual(t, len(line), 200)
		}
	})
}

func TestCommandsAreIdempotent(t *testing.T) {
	play(t, func(t *testing.T, b *bench) {
		b.wire.tell("XCMD,0007,START,L01-000123")
		b.wire.tell("XCMD,0007,START,L01-000123") // the host missed the answer
		require.Equal(t, []string{"OK", "OK"}, b.wire.said("XACK"))
		shot, _ := b.pass(t)
		require.Equal(t, "L01-000123", shot.ID, "the host's id is the next scan's")
		b.wire.tell("XCMD,0007,START,L01-000123") // late repeat
		shot, _ = b.pass(t)
		require.Equal(t, "L01-000002", shot.ID, "the repeat did nothing again")

		b.wire.tell("XCMD,0008,BELT,F")
		b.wire.tell("XCMD,0009,STATUS")
		all := b.wire.said("XSTA")
		require.Equal(t, "READY,FWD,OFF,CLOSED,0,0", all[len(all)-1])
		time.Sleep(8 * time.Second)
		all = b.wire.said("XSTA")
		require.Equal(t, "READY,STOP,OFF,CLOSED,0,0", all[len(all)-1], "without a host the belt stops")
	})
}

func TestRefusals(t *testing.T) {
	play(t, func(t *testing.T, b *bench) {
		b.wire.host <- []byte("$XCMD,0001,STOP*00")
		synctest.Wait()
		b.wire.tell("XCMD,0002,START")
		b.wire.tell("XCMD,0003,CLEAR_ESTOP")
		b.wire.tell("XCMD,0004,BELT,X")
		b.wire.tell("XCMD,0005,DECIDE,L01-000001,CLEAR")
		b.wire.tell("XCMD,0006,DECIDE,L01-000001,MAYBE")
		b.wire.tell("XCMD,0007,TIME,2026-07-01T00:00:00Z")
		b.wire.tell("garbage")
		require.Equal(t, []string{"BADSUM", "BADARG", "BADARG", "BADARG", "BADARG"}, b.wire.said("XNAK"))
		require.Len(t, b.wire.said("XACK"), 2)
		for name, code := range map[string]string{"e-stop": "ESTOP", "door-open": "INTERLOCK", "warm-up": "NOTREADY", "belt-jam": "NOTREADY"} {
			b.wire.clear()
			_, err := b.board.Set(fault.Order{Name: name, For: time.Second})
			require.NoError(t, err)
			b.wire.tell("XCMD,0010,START,L01-" + name) // same number, another command
			require.Equal(t, []string{code}, b.wire.said("XNAK"), name)
			shot, _ := b.pass(t)
			require.Empty(t, shot.ID, "%s: the lorry passes unscanned", name)
			time.Sleep(time.Second)
		}
		require.Empty(t, b.files(t))
	})
}

func TestInterlockCutsTheScan(t *testing.T) {
	play(t, func(t *testing.T, b *bench) {
		_, err := b.board.Set(fault.Order{Name: "interlock"})
		require.NoError(t, err)
		shot, _ := b.pass(t)
		require.Equal(t, 3, shot.Result)
		require.Contains(t, b.wire.said("XEVT"), "SCAN_END,L01-000001,3")
		require.Contains(t, b.wire.said("XSTA"), "INTERLOCK,STOP,OFF,OPEN,0,I02")
		require.Equal(t, "\x89PNG image of 0.50", string(b.files(t)["L01-000001_v1.png"]))
		require.Contains(t, string(b.files(t)["L01-000001_v1.png.json"]), `"complete":false`)
		all := b.wire.said("XSTA")
		require.Equal(t, "READY,STOP,OFF,CLOSED,0,0", all[len(all)-1])
	})
}

func TestEmergencyStopDuringAScan(t *testing.T) {
	play(t, func(t *testing.T, b *bench) {
		time.AfterFunc(3*time.Second, func() { _, _ = b.board.Set(fault.Order{Name: "e-stop", For: 20 * time.Second}) })
		shot, _ := b.pass(t)
		require.Equal(t, 3, shot.Result)
		require.Equal(t, "\x89PNG image of 0.50", string(b.files(t)["L01-000001_v1.png"]))
		require.Contains(t, b.wire.said("XSTA"), "ESTOP,STOP,OFF,CLOSED,1,0")
	})
}

func TestFileFaults(t *testing.T) {
	const image, side = "L01-000001_v1.png", "L01-000001_v1.png.json"
	cases := map[string]func(t *testing.T, b *bench, left scanner.Left){
		"file-missing": func(t *testing.T, b *bench, left scanner.Left) {
			require.NotContains(t, b.files(t), image)
			require.Contains(t, b.files(t), side)
			require.Empty(t, left.Image)
			require.Len(t, b.book.sent, 1)
		},
		"half-written": func(t *testing.T, b *bench, _ scanner.Left) {
			require.Len(t, b.files(t)[image], 9)
			require.Len(t, b.book.sent, 1, "half a file is no frame")
		},
		"sidecar-missing": func(t *testing.T, b *bench, _ scanner.Left) { require.NotContains(t, b.files(t), side) },
		"digest-wrong": func(t *testing.T, b *bench, left scanner.Left) {
			require.NotContains(t, string(b.files(t)[side]), left.Image)
		},
		"image-fifo": func(t *testing.T, b *bench, _ scanner.Left) {
			info, err := os.Lstat(filepath.Join(b.drop, image))
			require.NoError(t, err)
			require.Equal(t, fs.ModeNamedPipe, info.Mode().Type())
		},
		"image-empty": func(t *testing.T, b *bench, _ scanner.Left) {
			require.Contains(t, b.files(t), image)
			require.Empty(t, b.files(t)[image])
			require.Contains(t, b.wire.said("XIMG")[0], ",0")
		},
		"image-late": func(t *testing.T, b *bench, _ scanner.Left) { require.Contains(t, b.files(t), image) },
	}
	for name, check := range cases {
		t.Run(name, func(t *testing.T) {
			play(t, func(t *testing.T, b *bench) {
				_, err := b.board.Set(fault.Order{Name: name, Device: "xray"})
				require.NoError(t, err)
				began := time.Now()
				_, left := b.pass(t)
				require.Contains(t, left.Faults, name)
				require.Len(t, b.wire.said("XIMG"), 1)
				require.Equal(t, name == "image-late", time.Since(began) > 20*time.Second)
				check(t, b, left)
			})
		})
	}
}

func TestAnswerFaults(t *testing.T) {
	play(t, func(t *testing.T, b *bench) {
		with := func(name string, do func()) {
			_, err := b.board.Set(fault.Order{Name: name, Device: "xray", For: time.Hour})
			require.NoError(t, err)
			b.wire.clear()
			do()
			b.board.Clear(name, "")
		}
		with("lost-ack", func() {
			b.wire.tell("XCMD,0001,ID")
			require.Empty(t, b.wire.said("XACK"))
		})
		with("wrong-ack", func() {
			b.wire.tell("XCMD,0002,ID")
			require.Contains(t, last(b.wire.lines()), "$XACK,0001,OK")
		})
		with("echo", func() {
			b.wire.tell("XCMD,0003,ID")
			require.Contains(t, b.wire.lines(), "$XCMD,0003,ID*"+sum("XCMD,0003,ID"))
		})
		with("late-ack", func() {
			b.wire.tell("XCMD,0004,ID")
			require.Empty(t, b.wire.said("XACK"))
			time.Sleep(3*time.Second + time.Millisecond)
			require.Len(t, b.wire.said("XACK"), 1)
		})
		with("bad-checksum", func() {
			time.Sleep(10 * time.Second)
			bad, all := 0, b.wire.lines()
			for _, line := range all {
				if body, given, _ := strings.Cut(line[1:], "*"); given != sum(body) {
					bad++
				}
			}
			require.Equal(t, len(all)/2, bad)
		})
	})
}

func TestOldImagesAreTidiedAway(t *testing.T) {
	play(t, func(t *testing.T, b *bench) {
		b.pass(t)
		old := filepath.Join(b.drop, "L01-000001_v1.png")
		// Files carry the machine's time, the test its own: both are moved apart.
		past := time.Now().Add(-2 * time.Hour)
		require.NoError(t, os.Chtimes(old, past, past))
		foreign := filepath.Join(b.drop, "readme.txt")
		require.NoError(t, os.WriteFile(foreign, nil, 0o600))
		require.NoError(t, os.Chtimes(foreign, past, past))
		b.pass(t)
		require.NotContains(t, b.files(t), "L01-000001_v1.png")
		require.Contains(t, b.files(t), "readme.txt")
		require.Contains(t, b.files(t), "L01-000002_v1.png")
	})
}
