package mrz

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"gatehouse/internal/driver"
	"gatehouse/internal/event"
	"gatehouse/internal/link"
	"gatehouse/internal/mrz"
)

//go:embed example.yaml
var example []byte

// Protocols of readers.
const (
	Plain   = "plain"
	Elyctis = "elyctis"
)

// answerTime is how long an Elyctis reader may take to answer when it is armed,
// and attempts how often it is told.
const (
	answerTime = 2 * time.Second
	attempts   = 3
)

// Config is the settings of one reader.
type Config struct {
	Line link.Config `yaml:"line"`
	// Protocol is plain or elyctis.
	Protocol string `yaml:"protocol" validate:"oneof=plain elyctis"`
	// Prefix and Suffix are what a plain reader sends before and behind a text.
	Prefix string `yaml:"prefix" validate:"max=16"`
	Suffix string `yaml:"suffix" validate:"max=16"`
	// Gap is the silence that ends a text which has no end.
	Gap time.Duration `yaml:"gap" validate:"min=20ms,max=10s"`
	// Queue is the most readings held while the store is slow.
	Queue int `yaml:"queue" validate:"min=16,max=1000000"`
}

// Defaults is the configuration of example.yaml but for the port.
func Defaults() Config {
	return Config{Line: link.Serial(9600), Protocol: Plain, Gap: 300 * time.Millisecond, Queue: 1024}
}

// Kind describes the driver.
func Kind() driver.Kind {
	return driver.Kind{
		Name:    "mrz",
		Example: example,
		New:     driver.From(Defaults, New),
	}
}

// Driver drives one reader.
type Driver struct {
	config Config
	env    driver.Env
	open   func(context.Context) (*link.Line, error)
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
		line, err := d.open(ctx)
		if err != nil {
			return err
		}
		defer func() { _ = line.Close() }()
		s := session{Driver: d, line: line, ring: ring, judge: link.NewJudge(line.Name(), answerTime)}
		return s.run(ctx)
	})
}

// session is one opening of the line.
type session struct {
	*Driver
	line    *link.Line
	ring    *driver.Ring
	judge   *link.Judge
	flush   bool      // what has come is to be taken as it is
	last    time.Time // when something came last, of an unfinished text
	armed   time.Time // when the reader was told to read; zero once it answered
	arming  int       // how often in a row
	partial bool      // bytes came that made no frame yet
}

// run turns the line into readings until the line ends or is given up.
func (s *session) run(ctx context.Context) error {
	frames := link.NewReader(s.line, s.split(), s.env.Now)
	if err := s.arm(ctx); err != nil {
		return err
	}
	for {
		f, err := frames.Next(s.deadline())
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded):
			if err := s.expired(ctx); err != nil {
				return err
			}
			continue
		case err != nil:
			return err
		}
		good := s.frame(f)
		if good {
			s.judge.Good()
		} else if err := s.judge.Bad(len(f.Data)); err != nil {
			return err
		}
		if s.spent(f) {
			s.arming = 0
			if err := s.arm(ctx); err != nil {
				return err
			}
		}
	}
}

// spent says whether the frame ended the reader's continuous mode: every zone
// that it sends does, also one that cannot be understood.
func (s *session) spent(f link.Frame) bool {
	if s.config.Protocol != Elyctis || f.Fault != link.Whole {
		return false
	}
	m, err := ParseMessage(f.Data)
	return err == nil && m.Type != TypeContinuous && len(m.Data) > 0
}

// split is the protocol's framing, which notes when bytes wait for more.
func (s *session) split() link.Split {
	flushed := func() bool { return s.flush }
	split := Texts(s.config.Prefix, s.config.Suffix, flushed)
	if s.config.Protocol == Elyctis {
		split = Messages(flushed)
	}
	size := 0
	return func(data []byte) (int, []byte, link.Fault) {
		if len(data) != size {
			s.flush = false // something came: it is not silent
		}
		advance, frame, fault := split(data)
		if s.partial = advance == 0 && len(data) > 0; s.partial && len(data) != size {
			s.last = time.Now()
		}
		size = len(data) - advance
		return advance, frame, fault
	}
}

// deadline is when something has to be done although nothing came. With bytes
// that wait for more it is a short poll: a reader's silence begins with a byte.
func (s *session) deadline() time.Time {
	wait := time.Time{}
	if !s.armed.IsZero() {
		wait = s.armed.Add(answerTime)
	}
	if pulse := time.Now().Add(s.config.Gap / 2); wait.IsZero() || pulse.Before(wait) {
		wait = pulse
	}
	return wait
}

// expired does what the silence asks for.
func (s *session) expired(ctx context.Context) error {
	s.flush = s.partial && time.Since(s.last) >= s.config.Gap
	if s.armed.IsZero() || time.Since(s.armed) < answerTime {
		return nil
	}
	if s.arming >= attempts {
		return s.judge.Expired()
	}
	return s.arm(ctx)
}

// arm tells an Elyctis reader to read the next document.
func (s *session) arm(ctx context.Context) error {
	if s.config.Protocol != Elyctis {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	s.armed = time.Now()
	s.arming++
	return s.line.Write(ctx, Format(Arm()))
}

// frame puts the reading of one frame, and says whether it was a valid one.
func (s *session) frame(f link.Frame) bool {
	text := f.Data
	if s.config.Protocol == Elyctis {
		m, err := ParseMessage(f.Data)
		switch {
		case f.Fault != link.Whole || err != nil:
			s.ring.Put(invalid(f, "bytes that are no message of the reader"))
			return false
		case m.Type == TypeContinuous || len(m.Data) == 0:
			s.armed, s.arming = time.Time{}, 0
			s.ring.Put(answer(m, f))
			return true
		}
		text = m.Data
	}
	r, ok := reading(text, f, s.env.Now())
	s.ring.Put(r)
	return ok
}

// reading is the reading of a text, and whether it is a document.
func reading(text []byte, f link.Frame, now time.Time) (event.Reading, bool) {
	if f.Fault == link.Torn {
		return invalid(f, "text was cut off"), false
	}
	doc, err := Parse(text, now)
	if err == nil {
		r := base(f)
		r.Raw = f.Data
		r.Kind, r.Document = event.DocumentRead, record(doc)
		if !doc.Sound() {
			r.Quality, r.Note = event.Suspect, doubt(doc)
		}
		return r, true
	}
	if tail, ok := Salvage(text, now); ok {
		doc, _ := Parse(tail, now)
		r := base(f)
		r.Raw, r.Quality, r.Note = tail, event.Suspect, "recovered from a damaged text"
		r.Kind, r.Document = event.DocumentRead, record(doc)
		return r, true
	}
	return invalid(f, err.Error()), false
}

func base(f link.Frame) event.Reading {
	return event.Reading{
		Class: event.Active, ReceivedAt: f.At, Quality: event.Good, Frames: []string{event.Digest(f.Data)}, Raw: f.Data,
	}
}

func invalid(f link.Frame, note string) event.Reading {
	r := base(f)
	r.Kind, r.Quality, r.Note = event.FrameInvalid, event.Bad, note
	return r
}

// answer is what a reader says of itself: that it was armed, or that it read
// nothing.
func answer(m Message, f link.Frame) event.Reading {
	r := base(f)
	r.Kind, r.Class = event.DeviceReport, event.Idle
	r.Report = &event.Report{State: event.Up, Code: "EMPTY"}
	if m.Type == TypeContinuous {
		r.Report.Code = "CONTINUOUS"
		r.Report.Detail = map[string]string{"on": fmt.Sprint(m.Data[0] == 1)}
	}
	return r
}

// doubt says why a document is not sound.
func doubt(d mrz.Document) string {
	var out []string
	if wrong := d.Wrong(); len(wrong) > 0 {
		out = append(out, "check failed: "+strings.Join(wrong, ", "))
	}
	if len(d.Repaired) > 0 {
		out = append(out, "repaired "+strings.Join(d.Repaired, ", "))
	}
	return strings.Join(out, "; ")
}

// record is a document in the words of the shared record.
func record(d mrz.Document) *event.Document {
	checks := make(map[string]string, len(d.Checks))
	for field, o := range d.Checks {
		checks[field] = string(o)
	}
	return &event.Document{
		Format: string(d.Format), Type: d.Type, Issuer: d.Issuer, Number: d.Number, Nationality: d.Nationality,
		Birth: d.Birth, Sex: d.Sex, Expiry: d.Expiry, Names: d.Names, Optional: d.Optional, Checks: checks, Repaired: d.Repaired,
	}
}
