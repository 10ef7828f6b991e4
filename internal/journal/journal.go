// Package journal is the gate's memory: what was committed here survives a
// power cut. It is an embedded NATS server with JetStream that nobody can
// connect to, file storage, and a sync after every write; a committer packs
// all that queued during one sync into the next record.
package journal

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"gatehouse/internal/event"
	"gatehouse/internal/evidence"
	"gatehouse/internal/fault"
	"gatehouse/internal/natslog"
)

// Stream is one value class of the journal, with a retention of its own.
type Stream string

const (
	// Main holds everything that lanes' states follow from.
	Main Stream = "JOURNAL"
	// Idle holds readings that say that nothing happens. They come in at up to
	// hundreds a second and are kept for a short time.
	Idle Stream = "IDLE"

	snapshots = "SNAPSHOT"
)

var (
	// ErrReserve says that the disk is so full that a commit would touch the
	// reserve. Nothing was written; the commit may be tried again.
	ErrReserve = evidence.ErrDiskReserve
	// ErrBroken says that a write failed inside the store. After that it must
	// not be used again: the process has to end and start anew.
	ErrBroken = errors.New("journal is broken and must be restarted")
	// ErrClosed says that the journal was closed before the commit.
	ErrClosed = errors.New("journal is closed")
	// ErrTooBig says that one entry alone exceeds a record.
	ErrTooBig = errors.New("journal entry is too big")
)

// maxPayload is the largest record in bytes. A snapshot of a busy lane and a
// signed event with its analysis fit well.
const maxPayload = 8 << 20

// Options say where the journal lies and how much it may hold.
type Options struct {
	Dir          string
	Reserve      int64         // free bytes on the disk that commits leave untouched
	MaxBytes     int64         // of the main stream
	MaxAge       time.Duration // of the main stream
	IdleMaxBytes int64
	IdleMaxAge   time.Duration
	Points       *fault.Points
	Log          *slog.Logger
}

// Journal is the open journal of one gate.
type Journal struct {
	opts       Options
	server     *server.Server
	conn       *nats.Conn
	js         jetstream.JetStream
	committers map[Stream]*committer

	once   sync.Once
	broken chan struct{} // closed with the first write that failed
}

// Open starts the embedded server and its committers. Close it when done.
func Open(ctx context.Context, opts Options) (*Journal, error) {
	j := &Journal{opts: opts, committers: map[Stream]*committer{}, broken: make(chan struct{})}
	var err error
	if j.server, err = start(opts.Dir, natslog.New(opts.Log.With("part", "journal"), j.fail)); err != nil {
		return nil, fmt.Errorf("open journal %s: %w", opts.Dir, err)
	}
	if err := j.connect(ctx); err != nil {
		j.shutdown()
		return nil, fmt.Errorf("open journal %s: %w", opts.Dir, err)
	}
	for _, s := range []Stream{Main, Idle} {
		j.committers[s] = startCommitter(j, s)
	}
	return j, nil
}

func start(dir string, log *natslog.Sink) (*server.Server, error) {
	srv, err := server.NewServer(&server.Options{
		ServerName: "journal",
		DontListen: true,
		JetStream:  true,
		StoreDir:   dir,
		SyncAlways: !fault.Planted(fault.PlantNoSync), // the default syncs every two minutes: a power cut loses acknowledged readings
		MaxPayload: maxPayload,
		NoSigs:     true,
		// The gate enforces its own limits; the server must not guess at them.
		JetStreamMaxStore:  1 << 50,
		JetStreamMaxMemory: 64 << 20,
	})
	if err != nil {
		return nil, err
	}
	srv.SetLoggerV2(log, false, false, false)
	srv.Start()
	if !srv.ReadyForConnections(30 * time.Second) {
		srv.Shutdown()
		return nil, errors.New("embedded server did not start; another process may hold the folder")
	}
	return srv, nil
}

func (j *Journal) connect(ctx context.Context) error {
	conn, err := nats.Connect("", nats.InProcessServer(j.server), nats.Name("journal"), nats.MaxReconnects(-1))
	if err != nil {
		return err
	}
	j.conn = conn
	if j.js, err = jetstream.New(conn, jetstream.WithPublishAsyncMaxPending(1024)); err != nil {
		return err
	}
	for _, cfg := range j.streams() {
		if _, err := j.js.CreateOrUpdateStream(ctx, cfg); err != nil {
			return fmt.Errorf("create stream %s: %w", cfg.Name, err)
		}
	}
	return nil
}

func (j *Journal) streams() []jetstream.StreamConfig {
	keep := func(name Stream, maxBytes int64, maxAge time.Duration) jetstream.StreamConfig {
		return jetstream.StreamConfig{
			Name: string(name), Subjects: []string{subject(name)},
			Storage: jetstream.FileStorage, Discard: jetstream.DiscardNew,
			MaxBytes: maxBytes, MaxAge: maxAge, AllowDirect: true,
		}
	}
	return []jetstream.StreamConfig{
		keep(Main, j.opts.MaxBytes, j.opts.MaxAge),
		keep(Idle, j.opts.IdleMaxBytes, j.opts.IdleMaxAge),
		{
			Name: snapshots, Subjects: []string{"snapshot.>"}, Storage: jetstream.FileStorage,
			MaxMsgsPerSubject: 1, AllowDirect: true,
		},
	}
}

func subject(s Stream) string { return "journal." + string(s) }

// JetStream lends the embedded server to the SHARED chain, which lives beside
// the journal on the same disk.
func (j *Journal) JetStream() jetstream.JetStream { return j.js }

// Append commits the entries and returns when they are on disk. Entries of one
// call stay together and in order. The error is ErrReserve, ErrTooBig,
// ErrBroken, ErrClosed or the context's.
func (j *Journal) Append(ctx context.Context, s Stream, entries ...event.JournalEntry) error {
	if len(entries) == 0 {
		return nil
	}
	lines := make([][]byte, len(entries))
	for i, e := range entries {
		b, err := json.Marshal(e)
		if err != nil {
			return fmt.Errorf("encode journal entry %s: %w", e.ID, err)
		}
		lines[i] = b
	}
	if err := j.committers[s].commit(ctx, lines); err != nil {
		return fmt.Errorf("append to %s: %w", s, err)
	}
	return nil
}

// Broken is closed when a commit has failed with ErrBroken, or a write of
// another stream of the server, as of the SHARED chain, which is not told: that
// stream answers nothing any more.
func (j *Journal) Broken() <-chan struct{} { return j.broken }

func (j *Journal) fail() { j.once.Do(func() { close(j.broken) }) }

// Close ends the committers after what they have taken and stops the server.
func (j *Journal) Close() {
	for _, c := range j.committers {
		c.close()
	}
	j.shutdown()
}

func (j *Journal) shutdown() {
	if j.conn != nil {
		j.conn.Close()
	}
	j.server.Shutdown()
	j.server.WaitForShutdown()
}
