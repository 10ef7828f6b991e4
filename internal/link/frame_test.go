package link_test

import (
	"bytes"
	"context"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"gatehouse/internal/link"
)

// frames reads everything that arrives when the chunks are written one by one
// and the far end then closes.
func frames(t interface{ Fatalf(string, ...any) }, limit int, chunks ...[]byte) []link.Frame {
	near, far := net.Pipe()
	go func() {
		for _, c := range chunks {
			_, _ = far.Write(c)
		}
		_ = far.Close()
	}()
	ctx, cancel := newContext()
	defer cancel()
	l := link.New(ctx, "pipe", link.Stream(near))
	defer func() { _ = l.Close() }()
	r := link.NewReader(l, link.Lines(limit), time.Now)
	var out []link.Frame
	for {
		f, err := r.Next(time.Time{})
		if err != nil {
			return out
		}
		out = append(out, f)
	}
}

func TestLongGarbageDoesNotSwallowTheNextLine(t *testing.T) {
	garbage := bytes.Repeat([]byte{0xA5}, 25)
	got := frames(t, 10, append(garbage, "\r\ngood\r\n"...))
	require.Len(t, got, 4)
	require.Equal(t, link.TooLong, got[0].Fault)
	require.Equal(t, link.TooLong, got[1].Fault)
	require.Len(t, got[2].Data, 5)
	require.Equal(t, "good", string(got[3].Data))
	require.Equal(t, link.Whole, got[3].Fault)
}

func TestLongestLineIsWhole(t *testing.T) {
	for _, end := range []string{"\n", "\r\n"} {
		got := frames(t, 10, []byte("0123456789"+end+"x"+end))
		require.Len(t, got, 2)
		require.Equal(t, link.Frame{Data: []byte("0123456789"), At: got[0].At}, got[0])
	}
}

func TestEmptyLinesAreNoFrames(t *testing.T) {
	require.Len(t, frames(t, 10, []byte("\r\n\n\na\n\n")), 1)
}

// However the bytes are cut into reads, the frames are the same, every byte
// but terminators is in one of them, and whole lines come out whole.
func TestFramesDoNotDependOnReads(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const limit = 12
		lines := rapid.SliceOfN(rapid.SliceOfN(rapid.ByteRange('A', 'Z'), 1, 30), 1, 8).Draw(t, "lines")
		var wire []byte
		for _, l := range lines {
			wire = append(append(wire, l...), "\r\n"...)
		}
		whole := frames(t, limit, wire)
		var chunks [][]byte
		for rest := wire; len(rest) > 0; {
			n := rapid.IntRange(1, len(rest)).Draw(t, "n")
			chunks = append(chunks, rest[:n])
			rest = rest[n:]
		}
		cut := frames(t, limit, chunks...)
		var a, b, c []byte
		for _, f := range whole {
			a = append(append(a, f.Data...), '|', byte(len(f.Fault)))
		}
		for _, f := range cut {
			b = append(append(b, f.Data...), '|', byte(len(f.Fault)))
			c = append(c, f.Data...)
		}
		if !bytes.Equal(a, b) {
			t.Fatalf("frames differ: %q and %q", a, b)
		}
		if want := bytes.ReplaceAll(wire, []byte("\r\n"), nil); !bytes.Equal(want, c) {
			t.Fatalf("bytes lost: %q of %q", c, want)
		}
		for _, l := range lines {
			found := len(l) > limit
			for _, f := range cut {
				found = found || bytes.Equal(f.Data, l) && f.Fault == link.Whole
			}
			if !found {
				t.Fatalf("line %q is not among %q", l, cut)
			}
		}
	})
}

func newContext() (context.Context, context.CancelFunc) {
	return context.WithCancel(context.Background())
}
