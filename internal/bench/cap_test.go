//go:build bench

package bench_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/stretchr/testify/require"

	"gatehouse/internal/event"
	"gatehouse/internal/hub/client"
	"gatehouse/internal/share"
)

// line counts what goes out on a connection.
type line struct{ sent atomic.Int64 }

type counted struct {
	net.Conn
	*line
}

func (l *line) Dial(network, address string) (net.Conn, error) {
	c, err := net.Dial(network, address)
	return counted{c, l}, err
}

func (c counted) Write(b []byte) (int, error) {
	n, err := c.Conn.Write(b)
	c.sent.Add(int64(n))
	return n, err
}

type reader struct{ *bytes.Reader }

func (reader) Close() error { return nil }

// capFor is over how long the line is measured.
const capFor = 10 * time.Second

// TestCap sends evidence to both agencies at once under several caps and prints
// what the gate's line to the hub carries, everything included.
func TestCap(t *testing.T) {
	w := newWay(t)
	piece := make([]byte, 16<<20)
	for i := range piece {
		piece[i] = byte(rand.Uint32())
	}
	digest := event.Digest(piece)
	for _, most := range []int64{64 << 10, 1 << 20, 8 << 20} {
		l := &line{}
		conn, err := client.Connect(w.hub, "gate", w.seed, slog.New(slog.DiscardHandler), nats.SetCustomDialer(l))
		require.NoError(t, err)
		images, err := share.NewImages(share.ImagesConfig{Hub: conn, Gate: "15BB", BytesPerSecond: most, Open: func(string) (io.ReadSeekCloser, int64, error) {
			return reader{bytes.NewReader(piece)}, int64(len(piece)), nil
		}})
		require.NoError(t, err)
		var ends []func()
		for _, a := range event.Agencies() {
			ends = append(ends, background(t, func(ctx context.Context) error {
				for ctx.Err() == nil {
					if err := images.Serve(ctx, a, digest, 0); err != nil && ctx.Err() == nil {
						t.Error(err)
						return err
					}
				}
				return nil
			}))
		}
		time.Sleep(time.Second) // the first quarter of a second may go at once
		before, began := l.sent.Load(), time.Now()
		time.Sleep(capFor)
		sent, took := float64(l.sent.Load()-before), time.Since(began).Seconds()
		for _, end := range ends {
			end()
		}
		conn.Close()
		fmt.Printf("evidence under a cap of %d KB/s: %.1f KB/s on the line over %.1f s, %.3f of the cap\n", most>>10, sent/took/1024, took, sent/took/float64(most))
	}
}
