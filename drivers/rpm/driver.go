package rpm

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"os"
	"time"

	"gatehouse/internal/driver"
	"gatehouse/internal/event"
	"gatehouse/internal/link"
)

//go:embed example.yaml
var example []byte

// Config is the settings of one monitor.
type Config struct {
	Line link.Config `yaml:"line"`
	// Silence is how long the monitor may send nothing valid before it is
	// given up; it sends at least every 5 s.
	Silence time.Duration `yaml:"silence" validate:"min=1s,max=10m"`
	// Queue is the most readings held while the store is slow.
	Queue int `yaml:"queue" validate:"min=16,max=1000000"`
}

// Defaults is the configuration of example.yaml but for the port.
func Defaults() Config {
	return Config{Line: link.Serial(9600), Silence: 12 * time.Second, Queue: 4096}
}

// Kind describes the driver.
func Kind() driver.Kind {
	return driver.Kind{
		Name:    "rpm",
		Example: example,
		Silence: Defaults().Silence,
		New:     driver.From(Defaults, New),
	}
}

// Driver drives one monitor.
type Driver struct {
	config Config
	env    driver.Env
	open   func(context.Context) (*link.Line, error)
	state  state // what the monitor last said; it outlives a lost link
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
	return &Driver{config: c, env: env, open: open}
}

// Run implements driver.Driver.
func (d *Driver) Run(ctx context.Context, emit driver.Emit) error {
	ring := driver.NewRing(d.config.Queue)
	return ring.Drive(ctx, emit, func(ctx context.Context) error {
		line, err := d.open(ctx)
		if err != nil {
			return err
		}
		defer func() { _ = line.Close() }()
		return d.read(line, ring)
	})
}

// Probe implements driver.Prober: it listens until the first valid record.
func (d *Driver) Probe(ctx context.Context) (string, error) {
	line, err := d.open(ctx)
	if err != nil {
		return "", err
	}
	defer func() { _ = line.Close() }()
	judge := link.NewJudge(line.Name(), d.config.Silence)
	frames := link.NewReader(line, link.Lines(MaxLine), d.env.Now)
	for {
		f, err := frames.Next(judge.Deadline())
		if errors.Is(err, os.ErrDeadlineExceeded) {
			return "", judge.Expired()
		}
		if err != nil {
			return "", err
		}
		if r, err := Parse(f.Data); err == nil {
			return fmt.Sprintf("radiation portal monitor on %s sends %s", line.Name(), r.Name), nil
		}
		if err := judge.Bad(len(f.Data)); err != nil {
			return "", err
		}
	}
}

// read turns the line into readings until the line ends or is given up.
func (d *Driver) read(line *link.Line, ring *driver.Ring) error {
	judge := link.NewJudge(line.Name(), d.config.Silence)
	frames := link.NewReader(line, link.Lines(MaxLine), d.env.Now)
	// Tamper and faults are told on change only. After a lost link they hold
	// until the monitor says otherwise, which has to be told once more.
	again := d.state.report("").State != event.Up
	for {
		f, err := frames.Next(judge.Deadline())
		if errors.Is(err, os.ErrDeadlineExceeded) {
			return judge.Expired()
		}
		if err != nil {
			return err
		}
		readings, good := d.frame(f)
		if good && again {
			again = false
			readings = append(readings, d.state.standing(f.At))
		}
		ring.Put(readings...)
		if good {
			judge.Good()
		} else if err := judge.Bad(len(f.Data)); err != nil {
			return err
		}
	}
}

// frame is the readings of one frame of the line, and whether it held a valid
// record.
func (d *Driver) frame(f link.Frame) ([]event.Reading, bool) {
	if f.Fault == link.Torn {
		return []event.Reading{invalid(f)}, false
	}
	readings, whole, good := d.pieces(f)
	if whole {
		return readings, good
	}
	// The frame is the whole line: its digest stands once, in the first of the
	// readings that came of it.
	counted := false
	for i := range readings {
		r := &readings[i]
		if len(r.Frames) > 0 {
			r.Frames = []string{}
			if !counted {
				r.Frames = []string{event.Digest(f.Data)}
				counted = true
			}
		}
		if r.Quality == event.Good && r.Raw != nil {
			r.Quality, r.Note = event.Suspect, "recovered from a damaged line"
		}
	}
	return readings, good
}

// pieces is what a line holds; whole says that it is one record, or none.
func (d *Driver) pieces(f link.Frame) (readings []event.Reading, whole, good bool) {
	r, err := Parse(f.Data)
	// A setup record has columns of any form: look for one that swallowed the
	// next line.
	if err == nil && r.Shape() != Setup {
		return d.state.next(r, f.Data, f.At), true, true
	}
	if before, record, ok := Salvage(f.Data); ok {
		last, _ := Parse(record)
		readings, _, _ = d.pieces(link.Frame{Data: before, At: f.At})
		return append(readings, d.state.next(last, record, f.At)...), false, true
	}
	if err == nil {
		return d.state.next(r, f.Data, f.At), true, true
	}
	return []event.Reading{invalid(f)}, true, false
}

func invalid(f link.Frame) event.Reading {
	note := "line was cut off"
	if f.Fault != link.Torn {
		_, err := Parse(f.Data)
		note = err.Error()
	}
	return event.Reading{
		Kind: event.FrameInvalid, Class: event.Active, ReceivedAt: f.At, Quality: event.Bad, Note: note,
		Frames: []string{event.Digest(f.Data)}, Raw: f.Data,
	}
}
