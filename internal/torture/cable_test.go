package torture_test

import (
	"bufio"
	"encoding/binary"
	"io"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatehouse/internal/torture"
)

// echo answers every line.
func echo(t *testing.T) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() { _, _ = io.Copy(conn, conn); _ = conn.Close() }()
		}
	}()
	return l.Addr().String()
}

func TestACableIsCutStalledAndMended(t *testing.T) {
	c, err := torture.NewCable("127.0.0.1", echo(t))
	require.NoError(t, err)
	defer c.Close()
	dial := func() (net.Conn, *bufio.Reader) {
		conn, err := net.Dial("tcp", c.Address())
		require.NoError(t, err)
		return conn, bufio.NewReader(conn)
	}
	conn, lines := dial()
	defer conn.Close()
	says := func(conn net.Conn, lines *bufio.Reader) error {
		if _, err := conn.Write([]byte("line\n")); err != nil {
			return err
		}
		_, err := lines.ReadString('\n')
		return err
	}
	require.NoError(t, says(conn, lines))
	require.EqualValues(t, 10, c.Passed())

	c.Stall()
	answer := make(chan error, 1)
	go func() { answer <- says(conn, lines) }()
	select {
	case err := <-answer:
		t.Fatalf("a stalled cable has carried: %v", err)
	case <-time.After(50 * time.Millisecond):
	}
	c.Mend()
	require.NoError(t, <-answer, "what was stalled goes on")

	c.Cut()
	require.Error(t, says(conn, lines))
	other, otherLines := dial() // the cable's own end takes the call
	defer other.Close()
	require.Error(t, says(other, otherLines))

	c.Mend()
	conn2, lines2 := dial()
	defer conn2.Close()
	require.NoError(t, says(conn2, lines2))
}

func TestAWallClockIsSetInPlace(t *testing.T) {
	path := filepath.Join(t.TempDir(), "wall")
	w, err := torture.NewWall(path)
	require.NoError(t, err)
	f, err := os.Open(path)
	require.NoError(t, err)
	defer f.Close()
	require.NoError(t, w.Set(-10*time.Minute))
	b := make([]byte, 8)
	_, err = f.ReadAt(b, 0) // the file that a program has mapped, not another of its name
	require.NoError(t, err)
	require.Equal(t, -10*time.Minute, time.Duration(binary.NativeEndian.Uint64(b)))
}
