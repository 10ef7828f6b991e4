package sim

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"

	"gatehouse/internal/sim/album"
	"gatehouse/internal/sim/book"
	"gatehouse/internal/sim/camera"
	"gatehouse/internal/sim/control"
	"gatehouse/internal/sim/fault"
	"gatehouse/internal/sim/render"
	"gatehouse/internal/sim/scenario"
)

// Options of a run.
type Options struct {
	Scenario scenario.Scenario
	State    string        // folder for ports, images and books
	Count    int           // lorries or travellers to send in each lane; 0 for no end
	Duration time.Duration // nobody new after this real time; 0 for no end
	// Cameras says how the cameras reach their broker, by lane and device as
	// 01-camera; a camera that is not in it does not exist.
	Cameras map[string]camera.Settings
	Control string        // socket; empty for the one in the state folder
	Album   []album.Photo // real photos; empty for none
	Share   float64       // of front captures that are real photos, 0..1
	Log     *slog.Logger
}

// Summary is what a run did.
type Summary struct {
	Vehicles     int            `json:"vehicles"` // finished
	Cut          int            `json:"cut"`      // under way when the run was stopped
	Persons      int            `json:"persons"`  // finished
	GammaAlarms  int            `json:"gamma_alarms"`
	NeutronAlarm int            `json:"neutron_alarms"`
	Threats      int            `json:"threats"`
	Findings     map[string]int `json:"findings"` // that the gate has to conclude, by code
	Sent         map[string]int `json:"sent"`     // frames by lane and device
	Unheard      map[string]int `json:"unheard"`  // the same
	Spoilt       map[string]int `json:"spoilt"`   // the same
	Unsent       int            `json:"unsent"`   // camera messages that the broker never took
	Seconds      float64        `json:"seconds"`
}

// flush is how long an ended run waits for the broker to take what is queued.
const flush = 10 * time.Second

// gate is a run.
type gate struct {
	set   Options
	book  *book.Book
	lanes []*lane
	began time.Time
}

// Run plays the gate until the wanted number is through, the time is over or
// ctx ends. All of that is an orderly end: it returns the summary and no error.
func Run(ctx context.Context, o Options) (Summary, error) {
	g, err := newGate(o)
	if err != nil {
		return Summary{}, err
	}
	err = g.run(ctx)
	sum := Summary{Findings: map[string]int{}, Seconds: time.Since(g.began).Seconds()}
	for _, l := range g.lanes {
		l.board.Close()
		l.add(&sum)
	}
	total := g.book.Totals()
	sum.Sent, sum.Unheard, sum.Spoilt = total.Sent, total.Unheard, total.Spoilt
	return sum, errors.Join(err, g.book.Err(), g.book.Close())
}

func newGate(o Options) (*gate, error) {
	fonts, err := render.LoadFonts()
	if err != nil {
		return nil, err
	}
	if o.State, err = filepath.Abs(o.State); err != nil {
		return nil, fmt.Errorf("find the state folder: %w", err)
	}
	if err := os.MkdirAll(o.State, 0o755); err != nil {
		return nil, fmt.Errorf("make the state folder: %w", err)
	}
	b, err := book.Open(o.State)
	if err != nil {
		return nil, err
	}
	g := &gate{set: o, book: b, began: time.Now()}
	for i := range o.Scenario.Lanes {
		l, err := newLane(g, &o.Scenario.Lanes[i], fonts)
		if err != nil {
			return nil, errors.Join(err, b.Close())
		}
		g.lanes = append(g.lanes, l)
	}
	return g, nil
}

// run starts the devices, then the traffic, and ends the devices after it.
func (g *gate) run(ctx context.Context) error {
	// Devices outlive ctx by what an orderly end needs.
	live, end := context.WithCancel(context.WithoutCancel(ctx))
	defer end()
	devices, live := errgroup.WithContext(live)
	if err := g.power(live, devices); err != nil {
		end()
		return errors.Join(err, devices.Wait())
	}
	traffic, stop := context.WithCancel(ctx)
	defer stop()
	release := context.AfterFunc(live, stop) // a device that failed ends the run
	defer release()
	devices.Go(func() error {
		select {
		case <-live.Done():
			return nil
		case <-g.book.Failed():
			return g.book.Err()
		}
	})
	planned := g.planFaults()
	defer planned()
	lanes, moving := errgroup.WithContext(traffic)
	for _, l := range g.lanes {
		lanes.Go(func() error { return l.traffic(moving) })
	}
	err := lanes.Wait()
	if ctx.Err() == nil && live.Err() == nil {
		g.settle(live)
	}
	end()
	return errors.Join(err, devices.Wait())
}

// power switches the devices on and waits until their ports are there.
func (g *gate) power(ctx context.Context, devices *errgroup.Group) error {
	var ready []chan struct{}
	open := func(run func(chan<- struct{}) error) {
		up := make(chan struct{})
		ready = append(ready, up)
		devices.Go(func() error { return run(up) })
	}
	for _, l := range g.lanes {
		for _, p := range l.ports {
			open(func(up chan<- struct{}) error { return p.Run(ctx, up) })
		}
	}
	socket := g.set.Control
	if socket == "" {
		socket = control.Socket(g.set.State)
	}
	open(func(up chan<- struct{}) error { return control.Serve(ctx, socket, up, g.answer) })
	for _, up := range ready {
		select {
		case <-up:
		case <-ctx.Done():
			return nil // the device's own error says more
		}
	}
	for _, l := range g.lanes {
		for _, run := range l.devices() {
			devices.Go(func() error { return run(ctx) })
		}
	}
	return nil
}

// planFaults sets the scenario's faults that have a time; the others are set
// when what they are meant for is planned. The returned function takes back
// what is to come.
func (g *gate) planFaults() (cancel func()) {
	var timers []*time.Timer
	for _, f := range g.set.Scenario.Faults {
		if l := g.lane(f.Lane); l != nil && f.At > 0 {
			timers = append(timers, time.AfterFunc(f.At, func() { l.setPlanned(f, 0) }))
		}
	}
	return func() {
		for _, t := range timers {
			t.Stop()
		}
	}
}

// settle waits until the broker has what the cameras queued.
func (g *gate) settle(ctx context.Context) {
	waiting := func() (n int) {
		for _, l := range g.lanes {
			n += l.waiting()
		}
		return n
	}
	late := time.After(flush)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for waiting() > 0 {
		select {
		case <-ctx.Done():
			return
		case <-late:
			return
		case <-tick.C:
		}
	}
}

// lane finds a lane by its id; nil when there is none.
func (g *gate) lane(id string) *lane {
	for _, l := range g.lanes {
		if l.plan.ID == id {
			return l
		}
	}
	return nil
}

// answer is the control socket's.
func (g *gate) answer(r control.Request) control.Answer {
	switch r.Op {
	case "fault":
		a, err := g.play(r)
		if err != nil {
			return control.Answer{Error: err.Error()}
		}
		return control.Answer{Active: &a}
	case "clear":
		for _, l := range g.lanes {
			if r.Lane == "" || r.Lane == l.plan.ID {
				l.board.Clear(r.Fault, r.Device)
			}
		}
		return control.Answer{Status: g.status()}
	case "status":
		return control.Answer{Status: g.status()}
	}
	return control.Answer{Error: fmt.Sprintf("unknown request %q", r.Op)}
}

// play sets a fault in the lane that is named, or in the first that can.
func (g *gate) play(r control.Request) (fault.Active, error) {
	var first error
	for _, l := range g.lanes {
		if r.Lane != "" && r.Lane != l.plan.ID {
			continue
		}
		a, err := l.board.Set(fault.Order{Name: r.Fault, Device: r.Device, For: r.For, Vehicle: r.Vehicle, Count: r.Count})
		if err == nil {
			a.Lane = l.plan.ID
			return a, nil
		}
		if first == nil {
			first = err
		}
	}
	if first == nil {
		first = fmt.Errorf("there is no lane %q", r.Lane)
	}
	return fault.Active{}, first
}

func (g *gate) status() *control.Status {
	total := g.book.Totals()
	s := &control.Status{
		Since: g.began.UTC(), Speed: g.set.Scenario.Speed, Heard: map[string]int{}, Broker: "none",
		Sent: total.Sent, Unheard: total.Unheard, Faults: []fault.Active{},
	}
	for _, l := range g.lanes {
		l.tell(s)
	}
	return s
}
