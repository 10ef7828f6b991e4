package share

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strconv"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"golang.org/x/time/rate"

	"gatehouse/internal/event"
)

// Opener opens a piece of evidence by its SHA-256 in hexadecimal and says how
// many bytes it has. It is called with well-formed digests only; what it does
// not have is fs.ErrNotExist.
type Opener func(sha256 string) (io.ReadSeekCloser, int64, error)

// ImagesConfig is what the server of evidence is made of.
type ImagesConfig struct {
	Hub  *nats.Conn
	Gate string
	Open Opener
	// BytesPerSecond caps what all agencies together get; zero is no cap.
	BytesPerSecond int64
	Log            *slog.Logger // may be nil
}

// Images sends evidence to the agencies in chunks.
type Images struct {
	config ImagesConfig
	js     jetstream.JetStream
	limit  *rate.Limiter
	chunk  int64 // bytes of evidence in one message

	queues map[event.Agency]chan string
}

// pushQueue is how many pieces may wait to be pushed to an agency. One more is
// left out: the console asks for what it lacks.
const pushQueue = 256

// NewImages makes a server of evidence.
func NewImages(c ImagesConfig) (*Images, error) {
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	js, err := jetstream.New(c.Hub, jetstream.WithDefaultTimeout(ackTimeout))
	if err != nil {
		return nil, fmt.Errorf("serve evidence: %w", err)
	}
	i := &Images{config: c, js: js, limit: rate.NewLimiter(rate.Inf, 0), chunk: ChunkSize, queues: map[event.Agency]chan string{}}
	if c.BytesPerSecond > 0 {
		i.chunk = min(ChunkSize, max(leastChunk, c.BytesPerSecond/chunksPerSecond))
		// What a wait for the disk held up is made good, up to an eighth of a second.
		i.limit = rate.NewLimiter(rate.Limit(c.BytesPerSecond), int(max(2*(i.chunk+besidesChunk), c.BytesPerSecond/8)))
	}
	for _, a := range event.Agencies() {
		i.queues[a] = make(chan string, pushQueue)
	}
	return i, nil
}

const (
	// chunksPerSecond is how finely the evidence under a cap is cut, so that a
	// narrow line is never taken for long.
	chunksPerSecond = 16
	// leastChunk is the least of it in one message, in bytes.
	leastChunk = 4 << 10
	// besidesChunk is about what a message costs on the line beside the evidence in
	// it: subjects, headers and the acknowledgement's request, in bytes.
	besidesChunk = 400
)

// Run serves what Push asks for until ctx ends.
func (i *Images) Run(ctx context.Context) error {
	var wg sync.WaitGroup
	for a, queue := range i.queues {
		wg.Go(func() {
			for {
				select {
				case <-ctx.Done():
					return
				case sha := <-queue:
					// What fails here is asked for by the console, when it can.
					if err := i.Serve(ctx, a, sha, 0); err != nil && ctx.Err() == nil {
						i.config.Log.Warn("evidence not pushed", "agency", a, "sha256", sha, "err", err)
					}
				}
			}
		})
	}
	wg.Wait()
	return ctx.Err()
}

// Push sends a piece of evidence to an agency soon, if it can. It does not
// wait.
func (i *Images) Push(agency event.Agency, sha256 string) {
	select {
	case i.queues[agency] <- sha256:
	default:
	}
}

// ErrNoEvidence says that the gate cannot open a piece of evidence, and that
// the agency was told.
var ErrNoEvidence = errors.New("no evidence")

// Serve sends a piece of evidence from a byte on and returns when the agency's
// stream has it. For evidence that the gate lacks it sends a chunk that
// says so and returns ErrNoEvidence.
func (i *Images) Serve(ctx context.Context, agency event.Agency, sha256 string, from int64) error {
	subject := fmt.Sprintf("to.%s.image.%s.%s", agency.Account(), i.config.Gate, sha256)
	if !isDigest(sha256) || agency.Account() == "" {
		return fmt.Errorf("serve evidence %q to %q: no such thing", sha256, agency)
	}
	f, size, err := i.config.Open(sha256)
	if err != nil {
		m := nats.NewMsg(subject)
		m.Header.Set(HeaderMissing, "the gate does not have it")
		if _, err := i.js.PublishMsg(ctx, m); err != nil {
			return fmt.Errorf("say that evidence %s is missing: %w", sha256, err)
		}
		return fmt.Errorf("%w %s: %w", ErrNoEvidence, sha256, err)
	}
	defer f.Close()
	from = max(0, min(from, size))
	if _, err := f.Seek(from, io.SeekStart); err != nil {
		return fmt.Errorf("read evidence %s: %w", sha256, err)
	}
	buffer := make([]byte, i.chunk)
	for offset := from; offset < size || offset == 0; {
		n, err := io.ReadFull(f, buffer[:min(i.chunk, size-offset)])
		if err != nil {
			return fmt.Errorf("read evidence %s at %d: %w", sha256, offset, err)
		}
		if err := i.send(ctx, subject, buffer[:n], offset, size); err != nil {
			return fmt.Errorf("send evidence %s at %d: %w", sha256, offset, err)
		}
		offset += int64(n)
		if n == 0 {
			return nil // an empty piece is one empty chunk
		}
	}
	return nil
}

// send waits for its share of the uplink and for the agency's stream. One
// chunk is under way at a time: alerts never wait behind a window of images.
func (i *Images) send(ctx context.Context, subject string, data []byte, offset, size int64) error {
	if err := i.limit.WaitN(ctx, len(data)+besidesChunk); err != nil {
		return err
	}
	m := nats.NewMsg(subject)
	m.Header.Set(HeaderOffset, strconv.FormatInt(offset, 10))
	m.Header.Set(HeaderSize, strconv.FormatInt(size, 10))
	m.Data = data
	ctx, cancel := context.WithTimeout(ctx, ackTimeout)
	defer cancel()
	_, err := i.js.PublishMsg(ctx, m)
	return err
}

// ackTimeout is how long a publish waits for the stream of an agency.
const ackTimeout = 10 * time.Second
