package journal

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"gatehouse/internal/evidence"
	"gatehouse/internal/fault"
)

const (
	// maxRecord bounds one record, so that a reader never needs more memory and
	// a commit's sync stays short.
	maxRecord = 1 << 20
	// syncTimeout is how long a write may hang before the store counts as
	// broken. A worn SD card can stall for seconds; half a minute is a fault.
	syncTimeout = 30 * time.Second
)

// request is one Append waiting for its commit.
type request struct {
	lines [][]byte
	size  int
	done  chan error
}

// committer owns one stream's writes: one goroutine takes all that queued
// while the last record was synced and writes it as the next one.
type committer struct {
	j      *Journal
	stream Stream
	queue  chan request
	quit   chan struct{} // closed to end the goroutine
	ended  chan struct{} // closed when it has
	broken error         // owned by the goroutine
}

func startCommitter(j *Journal, s Stream) *committer {
	c := &committer{j: j, stream: s, queue: make(chan request, 1024), quit: make(chan struct{}), ended: make(chan struct{})}
	go c.run()
	return c
}

func (c *committer) commit(ctx context.Context, lines [][]byte) error {
	r := request{lines: lines, size: len(lines), done: make(chan error, 1)}
	for _, l := range lines {
		r.size += len(l)
	}
	if r.size > maxPayload/2 {
		return fmt.Errorf("%w: %d bytes", ErrTooBig, r.size)
	}
	select {
	case c.queue <- r:
	case <-c.ended:
		return ErrClosed
	case <-ctx.Done():
		return ctx.Err()
	}
	// Once queued the commit may happen; its outcome must be known, so only the
	// committer's own end is waited for and not ctx.
	select {
	case err := <-r.done:
		return err
	case <-c.ended:
		select {
		case err := <-r.done:
			return err
		default: // queued after the last drain: never written
			return ErrClosed
		}
	}
}

func (c *committer) close() {
	close(c.quit)
	<-c.ended
}

func (c *committer) run() {
	defer close(c.ended)
	for {
		select {
		case r := <-c.queue:
			c.write(c.gather(r))
		case <-c.quit:
			c.drain()
			return
		}
	}
}

// gather takes what else is queued, up to the size of a record.
func (c *committer) gather(first request) []request {
	batch, size := []request{first}, first.size
	for size < maxRecord {
		select {
		case r := <-c.queue:
			batch, size = append(batch, r), size+r.size
		default:
			return batch
		}
	}
	return batch
}

// drain commits what had been taken before the end.
func (c *committer) drain() {
	for {
		select {
		case r := <-c.queue:
			c.write(c.gather(r))
		default:
			return
		}
	}
}

func (c *committer) write(batch []request) {
	err := c.broken
	if err == nil {
		err = c.store(batch)
	}
	for _, r := range batch {
		r.done <- err
	}
}

func (c *committer) store(batch []request) error {
	free, err := evidence.Free(c.j.opts.Dir)
	if err != nil {
		return fmt.Errorf("ask for free space: %w", err)
	}
	if free < c.j.opts.Reserve {
		return fmt.Errorf("%w: %d bytes free, %d kept", ErrReserve, free, c.j.opts.Reserve)
	}
	c.j.opts.Points.Hit(fault.JournalBeforeSync)
	ctx, cancel := context.WithTimeout(context.Background(), syncTimeout)
	defer cancel()
	if _, err := c.j.js.Publish(ctx, subject(c.stream), record(batch)); err != nil {
		return c.failed(err)
	}
	c.j.opts.Points.Hit(fault.JournalAfterSync)
	return nil
}

// failed decides whether the store can go on. A full stream refuses the write
// whole; anything else leaves the server in a state nobody can rely on.
func (c *committer) failed(err error) error {
	var api *jetstream.APIError
	if errors.As(err, &api) && api.ErrorCode == errStoreFailed && isFull(api.Description) {
		return fmt.Errorf("%w: the stream has reached its size", ErrReserve)
	}
	c.broken = fmt.Errorf("%w: %w", ErrBroken, err)
	c.j.opts.Log.Error("journal write failed; it must be opened anew", "stream", c.stream, "err", err)
	c.j.fail()
	return c.broken
}

// errStoreFailed is nats-server's error code for a store that refused a message.
const errStoreFailed jetstream.ErrorCode = 10077

func isFull(description string) bool {
	return description == "maximum bytes exceeded" || description == "maximum messages exceeded"
}

// record is the lines of all requests, one entry a line.
func record(batch []request) []byte {
	size := 0
	for _, r := range batch {
		size += r.size
	}
	var b bytes.Buffer
	b.Grow(size)
	for _, r := range batch {
		for _, l := range r.lines {
			b.Write(l)
			b.WriteByte('\n')
		}
	}
	return b.Bytes()
}
