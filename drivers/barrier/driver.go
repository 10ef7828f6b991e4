package barrier

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"sync"
	"time"

	"gatehouse/internal/driver"
	"gatehouse/internal/event"
	"gatehouse/internal/link"
)

//go:embed example.yaml
var example []byte

// retries is how often a question that failed is asked again before the line is
// given up.
const retries = 2

// watch is how often the board is looked at while a pulse runs.
const watch = 50 * time.Millisecond

// Config is the settings of one barrier. None of them reaches the interlock.
type Config struct {
	Line link.Config `yaml:"line"`
	// Unit is the board's Modbus address.
	Unit uint8 `yaml:"unit" validate:"min=1,max=247"`
	// Timeout is how long the board may take to answer.
	Timeout time.Duration `yaml:"timeout" validate:"min=50ms,max=1s"`
	// Poll is how often inputs and relays are read.
	Poll time.Duration `yaml:"poll" validate:"min=20ms,max=1s"`
	// Pulse is how long a relay of the arm is held.
	Pulse time.Duration `yaml:"pulse" validate:"min=100ms,max=1s"`
	// Idle is how often a state that does not change is told.
	Idle time.Duration `yaml:"idle" validate:"min=1s,max=1m"`
	// Presence is the loop whose edges are presence in the lane.
	Presence string `yaml:"presence" validate:"oneof=none entry safety exit"`
	// Watchdog is board when the board drops to red by itself, else none.
	Watchdog string `yaml:"watchdog" validate:"oneof=none board"`
	// Queue is the most readings held while the store is slow.
	Queue int `yaml:"queue" validate:"min=16,max=1000000"`
}

// Defaults is the configuration of example.yaml but for the port.
func Defaults() Config {
	return Config{
		Line: link.Serial(9600), Unit: 1, Timeout: 300 * time.Millisecond, Poll: 200 * time.Millisecond,
		Pulse: 500 * time.Millisecond, Idle: 5 * time.Second, Presence: "none", Watchdog: "none", Queue: 4096,
	}
}

// ErrLine says that Modbus RTU cannot run with these line settings.
var ErrLine = errors.New("line settings: Modbus RTU wants 8 data bits and parity none, even or odd")

// Kind describes the driver.
func Kind() driver.Kind {
	return driver.Kind{
		Name:    "barrier",
		Example: example,
		Silence: 3 * Defaults().Idle,
		Commands: []event.ControlVerb{
			event.ControlOpen, event.ControlClose, event.ControlStop, event.ControlRed, event.ControlAmber, event.ControlGreen,
		},
		New: func(decode func(any) error, env driver.Env) (driver.Driver, error) {
			c := Defaults()
			if err := decode(&c); err != nil {
				return nil, err
			}
			if c.Line.DataBits != 8 || c.Line.Parity == "mark" || c.Line.Parity == "space" {
				return nil, ErrLine
			}
			return New(c, env), nil
		},
	}
}

// ErrNotRunning says that the board's line is not open.
var ErrNotRunning = fmt.Errorf("barrier's line is not open: %w", driver.ErrOffline)

var (
	_ driver.Driver    = (*Driver)(nil)
	_ driver.Prober    = (*Driver)(nil)
	_ driver.Commander = (*Driver)(nil)
)

// Driver drives one barrier.
type Driver struct {
	config Config
	env    driver.Env

	mu      sync.Mutex
	running *session // that takes commands; nil for none
}

// New makes a driver; it does no I/O.
func New(c Config, env driver.Env) *Driver { return &Driver{config: c, env: env} }

// Run implements driver.Driver.
func (d *Driver) Run(ctx context.Context, emit driver.Emit) error {
	ring := driver.NewRing(d.config.Queue)
	return ring.Drive(ctx, emit, func(ctx context.Context) error {
		if ctx.Err() != nil {
			return nil
		}
		b, err := openBoard(ctx, d.config, d.env.Log)
		if err != nil {
			return err
		}
		defer b.close()
		s := &session{
			config: d.config, now: d.env.Now, board: b, ring: ring, lock: NewInterlock(d.config.Pulse),
			orders: make(chan order), done: make(chan struct{}),
		}
		d.use(s)
		defer func() {
			d.use(nil)
			close(s.done)
		}()
		return s.run(ctx)
	})
}

// Probe implements driver.Prober: it reads the inputs and writes nothing.
func (d *Driver) Probe(ctx context.Context) (string, error) {
	b, err := openBoard(ctx, d.config, d.env.Log)
	if err != nil {
		return "", err
	}
	defer b.close()
	in, err := b.inputs()
	if f, ok := errors.AsType[*failure](err); ok {
		return "", b.givenUp(f)
	}
	return fmt.Sprintf("IO board %d on %s: arm is %s", d.config.Unit, b.name, in.Arm()), nil
}

func (d *Driver) use(s *session) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.running = s
}

// Command implements driver.Commander for OPEN, CLOSE, STOP, RED, AMBER and
// GREEN. It fails with *Refused when the interlock says no, with ErrCommand when
// there is no such command, and with ErrNotRunning without a line.
func (d *Driver) Command(ctx context.Context, verb string, args ...string) error {
	if len(args) > 0 {
		return fmt.Errorf("%w: %s takes no arguments", ErrCommand, verb)
	}
	d.mu.Lock()
	s := d.running
	d.mu.Unlock()
	if s == nil {
		return ErrNotRunning
	}
	o := order{ctx: ctx, verb: Verb(verb), result: make(chan error, 1)}
	select {
	case s.orders <- o:
	case <-s.done:
		return ErrNotRunning
	case <-ctx.Done():
		return ctx.Err()
	}
	// Taken: it is answered, or the session ends.
	select {
	case err := <-o.result:
		return err
	case <-s.done:
		return ErrNotRunning
	}
}
