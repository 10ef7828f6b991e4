package fault

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
)

// ErrUnknown is a fault or device that the menu does not have.
var ErrUnknown = errors.New("no such fault")

// Device is a device of a lane: its name there and which kind it is, as the
// menu says it.
type Device struct{ Name, Kind string }

// Order asks for a fault.
type Order struct {
	Name   string
	Device string // empty means the lane's first device that has the fault
	// For is how long it lasts; zero takes the menu's window, or for an
	// occasion: until it was used Count times.
	For time.Duration
	// Vehicle binds an occasion to that vehicle number; zero is whichever is next.
	Vehicle int
	Count   int // how often an occasion happens; at least 1
}

// Change is a fault that began, was used, or ended.
type Change struct {
	Lane    string    `json:"lane,omitempty"` // filled in by who keeps the book
	Fault   string    `json:"fault"`
	Device  string    `json:"device"`
	Phase   string    `json:"phase"` // "set", "used" or "ended"
	At      time.Time `json:"at"`
	Vehicle string    `json:"vehicle,omitempty"`
}

// Active is a fault on the board.
type Active struct {
	Lane   string    `json:"lane,omitempty"` // filled in by who answers for several lanes
	Fault  string    `json:"fault"`
	Device string    `json:"device"`
	Since  time.Time `json:"since"`
	Until  time.Time `json:"until,omitzero"` // zero for an occasion that still waits
	Left   int       `json:"left,omitempty"` // occasions left
}

// keepPast is how many ended windows are remembered; a vehicle's way is over
// long before so many have ended.
const keepPast = 256

type entry struct {
	Active
	vehicle int
	timer   *time.Timer
}

// Board holds the faults that are on. It is safe for concurrent use.
type Board struct {
	note    func(Change)
	devices []Device // empty: every device, named as its kind

	mu      sync.Mutex
	entries []*entry
	past    []Active // windows that ended, the newest last
	changed chan struct{}
}

// NewBoard makes an empty board of a lane with these devices; with none given,
// each kind of the menu is a device of that name. note, which may be nil, hears
// every change.
func NewBoard(note func(Change), devices ...Device) *Board {
	if note == nil {
		note = func(Change) {}
	}
	return &Board{note: note, devices: devices, changed: make(chan struct{})}
}

// Device finds which device of the board an order is for. The error wraps
// ErrUnknown and says which devices have the fault.
func (b *Board) Device(spec Spec, name string) (string, error) {
	var have []string
	if len(b.devices) == 0 {
		have = spec.Devices
	}
	for _, kind := range spec.Devices {
		for _, d := range b.devices {
			if d.Kind == kind {
				have = append(have, d.Name)
			}
		}
	}
	switch {
	case len(have) == 0:
		return "", fmt.Errorf("%w: no device of this lane has %s (it is a fault of %s)", ErrUnknown, spec.Name, strings.Join(spec.Devices, ", "))
	case name == "":
		return have[0], nil
	case !slices.Contains(have, name):
		return "", fmt.Errorf("%w: %q is not a fault of device %q (it has: %s)", ErrUnknown, spec.Name, name, strings.Join(have, ", "))
	}
	return name, nil
}

// Set switches a fault on. Setting one that is on starts its window anew.
func (b *Board) Set(o Order) (Active, error) {
	spec, ok := Find(o.Name)
	if !ok {
		return Active{}, fmt.Errorf("%w: %q; gatesim fault list names them all", ErrUnknown, o.Name)
	}
	device, err := b.Device(spec, o.Device)
	if err != nil {
		return Active{}, err
	}
	o.Device = device
	if o.For < 0 || o.For == 0 && !spec.Occasion() {
		o.For = spec.Window
	}
	now := time.Now().UTC()
	e := &entry{Active: Active{Fault: o.Name, Device: o.Device, Since: now}, vehicle: o.Vehicle}
	switch {
	case o.For > 0:
		e.Until = now.Add(o.For)
	default:
		e.Left = max(1, o.Count)
	}
	b.mu.Lock()
	b.entries = slices.DeleteFunc(b.entries, func(x *entry) bool {
		same := x.Fault == e.Fault && x.Device == e.Device && x.vehicle == e.vehicle
		if same && x.timer != nil {
			x.timer.Stop()
		}
		return same
	})
	b.entries = append(b.entries, e)
	if o.For > 0 {
		e.timer = time.AfterFunc(o.For, func() { b.end(e) })
	}
	b.wake()
	set := e.Active // once the lock is gone, e belongs to its timer
	b.mu.Unlock()
	b.note(Change{Fault: o.Name, Device: o.Device, Phase: "set", At: now})
	return set, nil
}

// On says whether the device has that fault now, without using it up.
func (b *Board) On(device, name string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.on(device, name)
}

func (b *Board) on(device, name string) bool {
	return slices.ContainsFunc(b.entries, func(e *entry) bool { return e.Device == device && e.Fault == name })
}

// Take uses the fault up for that vehicle: it reports whether the fault was
// on. A fault with a window stays on; an occasion has one less left.
func (b *Board) Take(device, name string, vehicle int) bool {
	b.mu.Lock()
	i := slices.IndexFunc(b.entries, func(e *entry) bool {
		return e.Device == device && e.Fault == name && (e.vehicle == 0 || e.vehicle == vehicle)
	})
	if i < 0 {
		b.mu.Unlock()
		return false
	}
	e := b.entries[i]
	ended := false
	if e.Until.IsZero() {
		e.Left--
		if ended = e.Left <= 0; ended {
			b.entries = slices.Delete(b.entries, i, i+1)
			b.wake()
		}
	}
	b.mu.Unlock()
	c := Change{Fault: name, Device: device, Phase: "used", At: time.Now().UTC(), Vehicle: VehicleName(vehicle)}
	b.note(c)
	if ended {
		c.Phase = "ended"
		b.note(c)
	}
	return true
}

// Follow calls do whenever the fault goes on or off on the device, until ctx
// ends; calls do not overlap. It blocks.
func (b *Board) Follow(ctx context.Context, device, name string, do func(on bool)) {
	was := false
	for {
		b.mu.Lock()
		is, changed := b.on(device, name), b.changed
		b.mu.Unlock()
		if is != was {
			was = is
			do(is)
			continue
		}
		select {
		case <-ctx.Done():
			return
		case <-changed:
		}
	}
}

// List is what is on now.
func (b *Board) List() []Active {
	b.mu.Lock()
	defer b.mu.Unlock()
	list := make([]Active, 0, len(b.entries))
	for _, e := range b.entries {
		list = append(list, e.Active)
	}
	return list
}

// Clear ends faults early: those of that name and device, where empty means any.
func (b *Board) Clear(name, device string) {
	b.mu.Lock()
	var gone []*entry
	for _, e := range b.entries {
		if (name == "" || e.Fault == name) && (device == "" || e.Device == device) {
			gone = append(gone, e)
		}
	}
	b.mu.Unlock()
	for _, e := range gone {
		if e.timer != nil {
			e.timer.Stop()
		}
		b.end(e)
	}
}

// Windows are the faults with a window that were on at some time since then.
func (b *Board) Windows(since time.Time) []Active {
	b.mu.Lock()
	defer b.mu.Unlock()
	var list []Active
	for _, a := range b.past {
		if !a.Until.Before(since) {
			list = append(list, a)
		}
	}
	for _, e := range b.entries {
		if !e.Until.IsZero() {
			list = append(list, e.Active)
		}
	}
	return list
}

// Close ends every fault.
func (b *Board) Close() {
	b.mu.Lock()
	for _, e := range b.entries {
		if e.timer != nil {
			e.timer.Stop()
		}
	}
	b.entries = nil
	b.wake()
	b.mu.Unlock()
}

func (b *Board) end(e *entry) {
	b.mu.Lock()
	i := slices.Index(b.entries, e)
	if i >= 0 {
		b.entries = slices.Delete(b.entries, i, i+1)
		if !e.Until.IsZero() {
			e.Until = time.Now().UTC()
			b.past = append(b.past[max(0, len(b.past)-keepPast):], e.Active)
		}
		b.wake()
	}
	b.mu.Unlock()
	if i >= 0 {
		b.note(Change{Fault: e.Fault, Device: e.Device, Phase: "ended", At: time.Now().UTC()})
	}
}

// wake tells every Follow; the caller holds mu.
func (b *Board) wake() {
	close(b.changed)
	b.changed = make(chan struct{})
}

// VehicleName is how the ledger and the truth file name a vehicle number:
// sim-000012. It is empty for numbers below 1.
func VehicleName(n int) string {
	if n < 1 {
		return ""
	}
	return fmt.Sprintf("sim-%06d", n)
}
