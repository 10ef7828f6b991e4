package xray

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"gatehouse/internal/driver"
	"gatehouse/internal/event"
	"gatehouse/internal/link"
)

//go:embed example.yaml
var example []byte

// Config is the settings of one scanner.
type Config struct {
	Line link.Config `yaml:"line"`
	// Kind of the images: cargo or baggage.
	Kind string `yaml:"kind" validate:"oneof=cargo baggage"`
	// Silence is how long the scanner may send no status; it sends one a second.
	Silence time.Duration `yaml:"silence" validate:"min=1s,max=10m"`
	// KeepAlive is how often the scanner is asked for its status, so that its
	// watchdog sees the host; the profile's scanners stop the belt after 5 s.
	KeepAlive time.Duration `yaml:"keep_alive" validate:"min=100ms,max=1m"`
	// Queue is the most readings held while the store is slow.
	Queue int  `yaml:"queue" validate:"min=16,max=1000000"`
	Drop  Drop `yaml:"drop"`
}

// Drop is the settings of the drop folder.
type Drop struct {
	// Folder where the scanner puts its images. It must exist.
	Folder string `yaml:"folder" validate:"required"`
	// Wait is how long the file that a sentence names may take to be complete,
	// and how long a file that none named must stay unchanged.
	Wait time.Duration `yaml:"wait" validate:"min=100ms,max=10m"`
	// Limit is the largest image in bytes.
	Limit int64 `yaml:"limit" validate:"min=1024,max=4294967296"`
	// After says what becomes of a stored file: move (to the folder done) or
	// delete.
	After string `yaml:"after" validate:"oneof=move delete"`
	// Keep is how long moved files stay.
	Keep time.Duration `yaml:"keep" validate:"min=1m"`
	// Rescan is how often the folder is looked through.
	Rescan time.Duration `yaml:"rescan" validate:"min=50ms,max=1h"`
}

// Defaults is the configuration of example.yaml but for port and folder.
func Defaults() Config {
	return Config{
		Line: link.Serial(115200), Kind: "cargo", Silence: 3 * time.Second, KeepAlive: 2 * time.Second, Queue: 4096,
		Drop: Drop{
			Wait: 5 * time.Second, Limit: 512 << 20, After: "move", Keep: 24 * time.Hour, Rescan: 2 * time.Second,
		},
	}
}

// Kind describes the driver.
func Kind() driver.Kind {
	return driver.Kind{
		Name:    "xray",
		Example: example,
		Silence: Defaults().Silence,
		New:     driver.From(Defaults, New),
	}
}

// Driver drives one scanner.
type Driver struct {
	config Config
	env    driver.Env
	open   func(context.Context) (*link.Line, error)

	state  event.DeviceState // of the last status
	status *Status           // the last one; nil before the first
	next   int               // sequence expected from the scanner; -1 when unknown
	broken int               // frames that could not be read since the last sequence
	heard  time.Time         // when the last sentence came

	writing sync.Mutex // held while a sentence is sent

	mu    sync.Mutex
	seq   int                   // last sequence sent
	line  *link.Line            // open one, for commands
	asked map[int]chan Sentence // by sequence: who waits for an answer
}

var (
	_ driver.Driver = (*Driver)(nil)
	_ driver.Prober = (*Driver)(nil)
)

// New makes a driver; it does no I/O.
func New(c Config, env driver.Env) *Driver {
	return NewOn(c, env, func(ctx context.Context) (*link.Line, error) { return link.Open(ctx, c.Line) })
}

// NewOn makes a driver on a line that the caller opens.
func NewOn(c Config, env driver.Env, open func(context.Context) (*link.Line, error)) *Driver {
	return &Driver{config: c, env: env, open: open, state: event.Up, seq: -1, asked: map[int]chan Sentence{}}
}

// Run implements driver.Driver.
func (d *Driver) Run(ctx context.Context, emit driver.Emit) error {
	root, err := openFolder(d.config.Drop.Folder)
	if err != nil {
		return err
	}
	defer func() { _ = root.Close() }()
	ring := driver.NewRing(d.config.Queue)
	box := newCollector(d.config, d.env, root, ring)
	return ring.Drive(ctx, emit, func(ctx context.Context) error {
		ctx, cancel := context.WithCancelCause(ctx)
		defer cancel(nil)
		line, err := d.open(ctx)
		if err != nil {
			return err
		}
		defer func() { _ = line.Close() }()
		d.use(line)
		defer d.use(nil)
		var all sync.WaitGroup
		for _, work := range []func() error{
			func() error { return d.read(line, ring, box) },
			func() error { return d.keepAlive(ctx, line) },
			func() error { return box.run(ctx) },
		} {
			// The first one that ends takes the others along.
			all.Go(func() {
				cancel(work())
				_ = line.Close()
			})
		}
		all.Wait()
		box.giveUp()
		return context.Cause(ctx)
	})
}

// Probe implements driver.Prober: it listens until the first status.
func (d *Driver) Probe(ctx context.Context) (string, error) {
	line, err := d.open(ctx)
	if err != nil {
		return "", err
	}
	defer func() { _ = line.Close() }()
	judge := link.NewJudge(line.Name(), d.config.Silence)
	frames := link.NewReader(line, link.Lines(MaxSentence), d.env.Now)
	for {
		f, err := frames.Next(judge.Deadline())
		if errors.Is(err, os.ErrDeadlineExceeded) {
			return "", judge.Expired()
		}
		if err != nil {
			return "", err
		}
		s, err := Parse(f.Data)
		switch {
		case err != nil:
			err = judge.Bad(len(f.Data))
		case s.Type == TypeStatus:
			return fmt.Sprintf("X-ray scanner on %s is %s", line.Name(), s.Status().State), nil
		}
		if err != nil {
			return "", err
		}
	}
}

// keepAlive shows the scanner that the host is there.
func (d *Driver) keepAlive(ctx context.Context, line *link.Line) error {
	tick := time.NewTicker(d.config.KeepAlive)
	defer tick.Stop()
	for {
		s := Sentence{Type: TypeCommand, Seq: d.sequence(), Fields: []string{"STATUS"}}
		if err := d.send(ctx, line, s); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// send writes a sentence; a line that takes nothing for a keep-alive period
// counts as lost.
func (d *Driver) send(ctx context.Context, line *link.Line, s Sentence) error {
	ctx, cancel := context.WithTimeout(ctx, d.config.KeepAlive)
	defer cancel()
	d.writing.Lock()
	defer d.writing.Unlock()
	return line.Write(ctx, append(Format(s), "\r\n"...))
}

func (d *Driver) sequence() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.seq = (d.seq + 1) % Sequences
	return d.seq
}

// read turns the line into readings until the line ends or is given up.
func (d *Driver) read(line *link.Line, ring *driver.Ring, box *collector) error {
	d.next, d.broken = -1, 0
	judge := link.NewJudge(line.Name(), d.config.Silence)
	frames := link.NewReader(line, link.Lines(MaxSentence), d.env.Now)
	for {
		f, err := frames.Next(judge.Deadline())
		if errors.Is(err, os.ErrDeadlineExceeded) {
			return judge.Expired()
		}
		if err != nil {
			return err
		}
		out := result{}
		d.frame(f, &out)
		ring.Put(out.readings...)
		for _, p := range out.images {
			box.expect(p)
		}
		switch {
		case out.alive:
			judge.Good()
		case out.bad:
			if err := judge.Bad(len(f.Data)); err != nil {
				return err
			}
		}
	}
}

// result is what one frame of the line led to.
type result struct {
	readings []event.Reading
	images   []*expected
	alive    bool // it held a status
	bad      bool // it held nothing valid
}

// frame adds what one frame of the line leads to.
func (d *Driver) frame(f link.Frame, out *result) {
	if f.Fault == link.Torn {
		d.broken++
		out.bad = true
		out.readings = append(out.readings, d.invalid(f, "line was cut off"))
		return
	}
	if whole := d.pieces(f, out); whole {
		return
	}
	// The frame is the whole line: its digest stands once, in the first of the
	// readings that came of it.
	all := make([]*event.Reading, 0, len(out.readings)+len(out.images))
	for i := range out.readings {
		all = append(all, &out.readings[i])
	}
	for _, e := range out.images {
		all = append(all, &e.line)
	}
	counted := false
	for _, r := range all {
		if len(r.Frames) > 0 {
			r.Frames = []string{}
			if !counted {
				r.Frames = []string{event.Digest(f.Data)}
				counted = true
			}
		}
		if r.Quality == event.Good && r.Raw != nil {
			worsen(r, event.Suspect, "recovered from a damaged line")
		}
	}
}

// pieces adds what a line holds; whole says that it is one sentence, or none.
func (d *Driver) pieces(f link.Frame, out *result) (whole bool) {
	s, err := Parse(f.Data)
	if err == nil {
		d.sentence(s, f, out)
		return true
	}
	if before, sentence, ok := Salvage(f.Data); ok {
		d.pieces(link.Frame{Data: before, At: f.At}, out)
		out.bad = false
		s, _ := Parse(sentence)
		d.sentence(s, link.Frame{Data: sentence, At: f.At}, out)
		return false
	}
	d.broken++
	out.bad = true
	out.readings = append(out.readings, d.invalid(f, err.Error()))
	return true
}

func (d *Driver) invalid(f link.Frame, note string) event.Reading {
	return event.Reading{
		Kind: event.FrameInvalid, Class: event.Active, ReceivedAt: f.At, Quality: event.Bad, Note: note,
		Frames: []string{event.Digest(f.Data)}, Raw: f.Data,
	}
}
