package barcode

import (
	"bytes"
	"context"
	_ "embed"
	"sync"
	"time"

	"gatehouse/internal/driver"
	"gatehouse/internal/event"
	"gatehouse/internal/link"
)

//go:embed example.yaml
var example []byte

// Config is the settings of one reader.
type Config struct {
	Line link.Config `yaml:"line"`
	// Protocol is lines or ssi.
	Protocol string `yaml:"protocol" validate:"oneof=lines ssi"`
	// Prefix and Suffix that the reader puts around every code, within the
	// terminator; lines only.
	Prefix string `yaml:"prefix" validate:"max=64"`
	Suffix string `yaml:"suffix" validate:"max=64"`
	// Terminator is any, cr, lf, crlf or none.
	Terminator string `yaml:"terminator" validate:"oneof=any cr lf crlf none"`
	// AIM says that an AIM identifier in front of a code is its symbology.
	AIM bool `yaml:"aim"`
	// Idle is the silence after which a frame is over.
	Idle time.Duration `yaml:"idle" validate:"min=10ms,max=10s"`
	// Limit is the longest code in bytes.
	Limit int `yaml:"limit" validate:"min=16,max=4096"`
	// Queue is the most readings held while the store is slow.
	Queue int `yaml:"queue" validate:"min=16,max=1000000"`
}

// Defaults is the configuration of example.yaml but for the port.
func Defaults() Config {
	return Config{
		Line: link.Serial(9600), Protocol: "lines", Terminator: "any", AIM: true, Idle: 50 * time.Millisecond, Limit: 4096, Queue: 1024,
	}
}

// Kind describes the driver. A reader that nobody uses is silent.
func Kind() driver.Kind {
	return driver.Kind{
		Name:    "barcode",
		Example: example,
		New:     driver.From(Defaults, New),
	}
}

// Driver drives one reader.
type Driver struct {
	config Config
	env    driver.Env
	open   func(context.Context) (*link.Line, error)

	mu     sync.Mutex
	stored progress // of the packets on disk; it outlives a lost link
}

var _ driver.Driver = (*Driver)(nil)

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
		ctx, cancel := context.WithCancelCause(ctx)
		defer cancel(nil)
		line, err := d.open(ctx)
		if err != nil {
			return err
		}
		defer func() { _ = line.Close() }()
		if d.config.Protocol == "lines" {
			return d.lines(line, ring)
		}
		s := &session{driver: d, ring: ring, answers: make(chan []byte, answersHeld)}
		var all sync.WaitGroup
		for _, work := range []func() error{
			func() error { return s.read(line) },
			func() error { return s.answer(ctx, line) },
		} {
			// The first one that ends takes the other along.
			all.Go(func() {
				cancel(work())
				_ = line.Close()
			})
		}
		all.Wait()
		return context.Cause(ctx)
	})
}

// lines turns codes sent as text into readings until the line ends.
func (d *Driver) lines(line *link.Line, ring *driver.Ring) error {
	judge := link.NewJudge(line.Name(), 0)
	frames := newReader(line, Lines(d.config.Terminator, d.config.Limit), d.config.Idle, d.env.Now)
	rest := false
	for {
		f, err := frames.next()
		if err != nil {
			return err
		}
		out, good := d.code(f, rest)
		rest = f.Fault == link.TooLong
		ring.Put(out)
		if good {
			judge.Good()
		} else if err := judge.Bad(len(f.Data)); err != nil {
			return err
		}
	}
}

// code is the reading of one frame of text, and whether it could be read. rest
// says that the frame follows one that was cut at the limit.
func (d *Driver) code(f link.Frame, rest bool) (event.Reading, bool) {
	if f.Fault == link.TooLong {
		return invalid(f, "code is longer than the limit"), false
	}
	data, note := d.unwrap(f.Data)
	if rest {
		note = "rest of a code that is longer than the limit"
	}
	raw := f.Data
	if inner, from, ok := d.salvage(f.Data); ok {
		data, raw, note = inner, f.Data[from:], "recovered from a damaged line"
	} else if note != "" {
		return invalid(f, note), false
	}
	symbology := ""
	if d.config.AIM {
		symbology, data = AIM(data)
	}
	if len(data) == 0 {
		return invalid(f, "code is empty"), false
	}
	out := reading(f)
	out.Raw = raw
	ok := decoded(&out, symbology, data)
	if out.Quality == event.Good && f.Fault == link.Torn {
		note = "terminator is missing; the code may be cut off"
	}
	if out.Quality == event.Good && note != "" {
		out.Quality, out.Note = event.Suspect, note
	}
	return out, ok
}

// salvage finds a whole code behind one that was broken off or behind noise,
// by a prefix that no code is likely to hold.
func (d *Driver) salvage(data []byte) (inner []byte, from int, ok bool) {
	prefix := d.config.Prefix
	if len(prefix) == 0 || len(prefix) == 1 && prefix[0] >= ' ' {
		return nil, 0, false
	}
	from = bytes.LastIndex(data, []byte(prefix))
	if from <= 0 {
		return nil, 0, false
	}
	inner, missing := d.unwrap(data[from:])
	_, text := Text(inner)
	return inner, from, missing == "" && text
}

// unwrap takes prefix and suffix off, or says what is missing.
func (d *Driver) unwrap(data []byte) (inner []byte, missing string) {
	data, ok := bytes.CutPrefix(data, []byte(d.config.Prefix))
	if !ok {
		return nil, "prefix is missing"
	}
	data, ok = bytes.CutSuffix(data, []byte(d.config.Suffix))
	if !ok {
		return nil, "suffix is missing"
	}
	return data, ""
}

// reading is what every reading of a frame has.
func reading(f link.Frame) event.Reading {
	return event.Reading{
		Kind: event.BarcodeRead, Class: event.Active, ReceivedAt: f.At, Quality: event.Good,
		Frames: []string{event.Digest(f.Data)}, Raw: f.Data,
	}
}

func invalid(f link.Frame, note string) event.Reading {
	out := reading(f)
	out.Kind, out.Quality, out.Note = event.FrameInvalid, event.Bad, note
	return out
}

// decoded fills in a code, and says whether it is text.
func decoded(out *event.Reading, symbology string, data []byte) bool {
	text, ok := Text(data)
	out.Barcode = &event.Barcode{Symbology: symbology, Text: text}
	if !ok {
		out.Quality, out.Note = event.Suspect, "code is no UTF-8 text; its bytes are kept"
	}
	return ok
}
