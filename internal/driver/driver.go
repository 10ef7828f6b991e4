// Package driver is the contract between the lane runtime and the devices'
// drivers. A driver imports this package and internal/event, and nothing else
// of the project but internal/link for serial and TCP lines.
package driver

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"time"

	"gatehouse/internal/event"
)

// Emit hands readings to the journal and returns when all of them are on
// disk. An error means that none of this call's readings may be acknowledged
// to the device; the driver returns it from Run.
type Emit func(ctx context.Context, readings ...event.Reading) error

// Driver drives one device.
type Driver interface {
	// Run talks to the device until ctx ends (it then returns nil) or the link
	// fails (it then returns why). It owns no retry loop and leaves no goroutine
	// behind; the lane runtime starts it again with jittered backoff. It never
	// logs and goes on: what went wrong is a reading (frame.invalid,
	// device.report, frame.loss) or the error it returns.
	Run(ctx context.Context, emit Emit) error
}

// Prober is a driver that can tell whether its device is there, without
// disturbing it, before it is put to work.
type Prober interface {
	// Probe returns one line for the technician about what answered.
	Probe(ctx context.Context) (string, error)
}

// Commander is a driver whose device takes commands. Whoever calls it holds the
// device's control lease, and no caller can defeat the device's interlock.
type Commander interface {
	// Command carries out a verb and returns when the device has taken it. A
	// Refusal, ErrOffline and ErrNoCommand say that nothing was moved; any other
	// error that nobody knows.
	Command(ctx context.Context, verb string, args ...string) error
}

// Refusal is an error by which a device's interlock says no.
type Refusal interface {
	error
	// Refusal is the interlock's code, such as OBSTRUCTED, and the same in words.
	Refusal() (code string, why event.Text)
}

// Evidence stores images and captures by content before a reading names them.
type Evidence interface {
	// Put reads r to its end, stores it durably (written, synced, renamed,
	// directory synced) and returns its reference. More than limit bytes is
	// ErrTooLarge, and nothing is stored.
	Put(ctx context.Context, r io.Reader, limit int64, mediaType, role, name string) (event.Evidence, error)
}

// Env is what the runtime lends to a driver.
type Env struct {
	Log      *slog.Logger // carries gate, lane, device and driver already
	Evidence Evidence
	Now      func() time.Time // wall clock; UTC is not required
	// Broker is the gate's own field MQTT listener, for drivers whose settings
	// name no other; nil where the gate has none.
	Broker *Broker
}

// Broker is how a driver of this gate reaches the field MQTT listener.
type Broker struct {
	URL      string // tcp://host:port
	User     string // also the beginning that the driver's client id must have
	Password func() string
}

// Kind describes a driver to the list in package drivers.
type Kind struct {
	Name    string // the word in the configuration, equal to the folder's name
	Example []byte // example.yaml: the commented settings, equal to the defaults
	// New builds the driver from its settings; decode fills the given pointer
	// strictly (unknown fields and failed validate tags are errors with their
	// place in the file). New does no I/O.
	New func(decode func(into any) error, env Env) (Driver, error)
	// Silence is how long the device may say nothing before the runtime calls
	// it down; zero when a quiet device is normal. It is a default that the
	// device's configuration may change.
	Silence time.Duration
	// Commands are what officers may ask of the device through its control lease;
	// none where it takes no commands.
	Commands []event.ControlVerb
}

// From is the New of a Kind whose driver needs no check of its settings beyond
// their tags: what the file leaves out is as defaults has it.
func From[C any, D Driver](defaults func() C, build func(C, Env) D) func(func(any) error, Env) (Driver, error) {
	return func(decode func(any) error, env Env) (Driver, error) {
		c := defaults()
		if err := decode(&c); err != nil {
			return nil, err
		}
		return build(c, env), nil
	}
}

// Errors with which a driver's Run ends. The runtime's policy goes by them.
var (
	// ErrSilent says that the device stopped talking although the line is open.
	ErrSilent = errors.New("device is silent")
	// ErrGarbage says that nothing on the line can be understood, as with a
	// wrong baud rate.
	ErrGarbage = errors.New("line carries no valid frame")
	// ErrOffline says that a command could not be given: the device's line is not
	// open.
	ErrOffline = errors.New("device cannot be reached")
	// ErrNoCommand says that the device has no such command.
	ErrNoCommand = errors.New("device has no such command")
	// ErrTooLarge is returned by Evidence.Put.
	ErrTooLarge = errors.New("evidence exceeds its size limit")
	// ErrStore says that the store could not take a reading; the cause is wrapped.
	ErrStore = errors.New("reading could not be stored")
)

// Hint is an error that carries what a technician should do next.
type Hint struct {
	Err error
	Try event.Text
}

// Error is the wrapped error's text.
func (h *Hint) Error() string { return h.Err.Error() }

// Unwrap gives the wrapped error to errors.Is and errors.As.
func (h *Hint) Unwrap() error { return h.Err }
