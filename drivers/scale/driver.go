package scale

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

// Config is the settings of one scale.
type Config struct {
	Line link.Config `yaml:"line"`
	// Protocol is toledo, xk3190 or template.
	Protocol string `yaml:"protocol" validate:"oneof=toledo xk3190 template"`
	// Checksum of Toledo frames: auto, on or off.
	Checksum Checksum `yaml:"checksum" validate:"oneof=auto on off"`
	// Unit of frames that name none.
	Unit string `yaml:"unit" validate:"oneof=kg lb t g"`
	// Division is the smallest step in kg of a scale whose frames do not tell.
	Division float64 `yaml:"division" validate:"gt=0,max=1000"`
	// Capacity in kg; 0 leaves the limit to the indicator.
	Capacity float64 `yaml:"capacity" validate:"min=0,max=1000000"`
	// Threshold in kg from which on something stands on the scale.
	Threshold float64 `yaml:"threshold" validate:"gt=0,max=100000"`
	// Readings that must be equal, and Window in which they must come.
	Readings int           `yaml:"readings" validate:"min=1,max=100"`
	Window   time.Duration `yaml:"window" validate:"min=100ms,max=1m"`
	// CalibrationUntil is the last day of the verification, by the gate's
	// calendar (+07); empty when it is not watched.
	CalibrationUntil string   `yaml:"calibration_until" validate:"omitempty,datetime=2006-01-02"`
	Template         Template `yaml:"template"`
	// Silence is how long the indicator may send nothing valid.
	Silence time.Duration `yaml:"silence" validate:"min=1s,max=10m"`
	// Queue is the most readings held while the store is slow.
	Queue int `yaml:"queue" validate:"min=16,max=1000000"`
}

// overload is how far beyond its capacity a scale may show, in divisions; it
// is what OIML R 76 allows before the display must blank.
const overload = 9

// Defaults is the configuration of example.yaml but for the port.
func Defaults() Config {
	return Config{
		Line: link.Serial(9600), Protocol: "toledo", Checksum: Auto, Unit: "kg", Division: 10, Threshold: 200,
		Readings: 3, Window: time.Second, Template: Template{Checksum: "none"}, Silence: 5 * time.Second, Queue: 4096,
	}
}

// Kind describes the driver.
func Kind() driver.Kind {
	return driver.Kind{
		Name:    "scale",
		Example: example,
		Silence: Defaults().Silence,
		New: func(decode func(any) error, env driver.Env) (driver.Driver, error) {
			c := Defaults()
			if err := decode(&c); err != nil {
				return nil, err
			}
			return New(c, env)
		},
	}
}

// Driver drives one scale.
type Driver struct {
	config   Config
	protocol Protocol
	env      driver.Env
	open     func(context.Context) (*link.Line, error)
	expires  time.Time    // first moment without verification; zero when not watched
	report   event.Report // the state that was told last; it outlives a lost link
}

var (
	_ driver.Driver = (*Driver)(nil)
	_ driver.Prober = (*Driver)(nil)
)

// New makes a driver; it does no I/O. The error says what is wrong with the
// template.
func New(c Config, env driver.Env) (*Driver, error) {
	return NewOn(c, env, func(ctx context.Context) (*link.Line, error) { return link.Open(ctx, c.Line) })
}

// NewOn makes a driver on a line that the caller opens.
func NewOn(c Config, env driver.Env, open func(context.Context) (*link.Line, error)) (*Driver, error) {
	d := &Driver{config: c, env: env, open: open, report: event.Report{State: event.Up}}
	switch c.Protocol {
	case "toledo":
		d.protocol = Toledo{Checksum: c.Checksum}
	case "xk3190":
		d.protocol = Yaohua{Unit: c.Unit}
	default:
		g, err := c.Template.Compile(c.Unit)
		if err != nil {
			return nil, err
		}
		d.protocol = g
	}
	if c.CalibrationUntil != "" {
		day, err := time.ParseInLocation(time.DateOnly, c.CalibrationUntil, time.FixedZone("+07", 7*60*60))
		if err != nil {
			return nil, fmt.Errorf("calibration_until: %w", err)
		}
		d.expires = day.AddDate(0, 0, 1)
	}
	return d, nil
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

// Probe implements driver.Prober: it listens until the first valid frame.
func (d *Driver) Probe(ctx context.Context) (string, error) {
	line, err := d.open(ctx)
	if err != nil {
		return "", err
	}
	defer func() { _ = line.Close() }()
	judge := link.NewJudge(line.Name(), d.config.Silence)
	frames := link.NewReader(line, d.protocol.Split(), d.env.Now)
	for {
		f, err := frames.Next(judge.Deadline())
		if errors.Is(err, os.ErrDeadlineExceeded) {
			return "", judge.Expired()
		}
		if err != nil {
			return "", err
		}
		s, err := d.protocol.Parse(f.Data)
		switch {
		case err != nil:
			err = judge.Bad(len(f.Data))
		case s.Indicated() == nil:
			return fmt.Sprintf("scale (%s) on %s shows no weight: %s", d.config.Protocol, line.Name(), s.Invalid), nil
		default:
			return fmt.Sprintf("scale (%s) on %s shows %g kg", d.config.Protocol, line.Name(), *s.Indicated()), nil
		}
		if err != nil {
			return "", err
		}
	}
}

// read turns the line into readings until the line ends or is given up. What
// the scale showed before a lost link counts for nothing after it.
func (d *Driver) read(line *link.Line, ring *driver.Ring) error {
	judge := link.NewJudge(line.Name(), d.config.Silence)
	frames := link.NewReader(line, d.protocol.Split(), d.env.Now)
	load := &settle{config: d.config}
	// A state that is not up holds after a lost link, which has to be told once.
	again := d.report.State != event.Up
	for {
		f, err := frames.Next(judge.Deadline())
		if errors.Is(err, os.ErrDeadlineExceeded) {
			return judge.Expired()
		}
		if err != nil {
			return err
		}
		readings, sample, good := d.frame(load, f)
		if good {
			judge.Good()
			readings = append(readings, d.standing(sample, f.At, again)...)
			again = false
		}
		ring.Put(readings...)
		if !good {
			if err := judge.Bad(len(f.Data)); err != nil {
				return err
			}
		}
	}
}

// frame is the readings of one frame of the line, whose digest stands in
// exactly one of them, and the sample it held, if good.
func (d *Driver) frame(load *settle, f link.Frame) (readings []event.Reading, s Sample, good bool) {
	out := event.Reading{
		Kind: event.WeightSample, Class: event.Active, ReceivedAt: f.At, Quality: event.Good,
		Frames: []string{event.Digest(f.Data)}, Raw: f.Data,
	}
	if f.Fault == link.Torn {
		return []event.Reading{invalid(load, out, "frame was cut off")}, Sample{}, false
	}
	s, err := d.protocol.Parse(f.Data)
	if err == nil {
		s = d.within(s)
		return weighed(load, out, s, true), s, true
	}
	rest, ok := d.protocol.Salvage(f.Data)
	if !ok {
		return []event.Reading{invalid(load, out, err.Error())}, Sample{}, false
	}
	// A weight out of a damaged line is told and leads to no stable one.
	s, _ = d.protocol.Parse(rest)
	s = d.within(s)
	readings = weighed(load, out, s, false)
	load.interrupt()
	r := &readings[0]
	r.Raw, r.Class = rest, event.Active
	if r.Quality == event.Good {
		r.Quality, r.Note = event.Suspect, "recovered from a damaged line"
	}
	return readings, s, true
}

// within voids a weight beyond the scale's capacity.
func (d *Driver) within(s Sample) Sample {
	shown, division := s.Indicated(), d.config.Division
	if s.DivisionKG > 0 {
		division = s.DivisionKG
	}
	if shown == nil || d.config.Capacity == 0 || *shown <= d.config.Capacity+overload*division {
		return s
	}
	s.Over = true
	return s.void(fmt.Sprintf("%g kg is beyond the capacity of %g kg", *shown, d.config.Capacity))
}

// weighed is a sample's reading, and that of the stable weight it leads to.
func weighed(load *settle, out event.Reading, s Sample, firm bool) []event.Reading {
	w, class, stable := load.weigh(s, out.ReceivedAt, firm)
	out.Weight, out.Class = &w, class
	if s.Invalid != "" {
		out.Quality, out.Note = event.Bad, s.Invalid
	}
	if stable == nil {
		return []event.Reading{out}
	}
	return []event.Reading{out, {
		Kind: event.WeightStable, Class: event.Active, ReceivedAt: out.ReceivedAt, Quality: event.Good,
		Frames: []string{}, Weight: stable,
	}}
}

func invalid(load *settle, out event.Reading, note string) event.Reading {
	load.interrupt()
	out.Kind, out.Quality, out.Note = event.FrameInvalid, event.Bad, note
	return out
}

// standing tells the scale's own state when it changed, or again.
func (d *Driver) standing(s Sample, at time.Time, again bool) []event.Reading {
	now := event.Report{State: event.Up, Code: "READY"}
	switch {
	case s.NotZeroed:
		now = event.Report{State: event.Faulty, Code: "NOT-ZEROED"}
	case !d.expires.IsZero() && !at.Before(d.expires):
		now = event.Report{
			State: event.Degraded, Code: "CALIBRATION-EXPIRED",
			Detail: map[string]string{"calibration_until": d.config.CalibrationUntil},
		}
	}
	if now.Code == d.report.Code && !again || now.State == event.Up && d.report.State == event.Up {
		return nil
	}
	d.report = now
	return []event.Reading{{
		Kind: event.DeviceReport, Class: event.Active, ReceivedAt: at, Quality: event.Good,
		Frames: []string{}, Report: &now,
	}}
}
