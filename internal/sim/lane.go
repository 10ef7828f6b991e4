package sim

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"gatehouse/internal/sim/album"
	"gatehouse/internal/sim/book"
	"gatehouse/internal/sim/camera"
	"gatehouse/internal/sim/control"
	"gatehouse/internal/sim/fault"
	"gatehouse/internal/sim/pace"
	"gatehouse/internal/sim/port"
	"gatehouse/internal/sim/portal"
	"gatehouse/internal/sim/render"
	"gatehouse/internal/sim/scanner"
	"gatehouse/internal/sim/scenario"
)

// Options of a run.
type Options struct {
	Scenario scenario.Scenario
	State    string        // folder for ports, images and books
	Count    int           // lorries to send; 0 for no end
	Duration time.Duration // no new lorry after this real time; 0 for no end
	MQTT     camera.Settings
	Control  string        // socket; empty for the one in the state folder
	Album    []album.Photo // real photos; empty for none
	Share    float64       // of captures that are real photos, 0..1
	Log      *slog.Logger
}

// Summary is what a run did.
type Summary struct {
	Vehicles     int            `json:"vehicles"` // finished
	Cut          int            `json:"cut"`      // under way when the run was stopped
	GammaAlarms  int            `json:"gamma_alarms"`
	NeutronAlarm int            `json:"neutron_alarms"`
	Threats      int            `json:"threats"`
	Sent         map[string]int `json:"sent"`    // frames by device
	Unheard      map[string]int `json:"unheard"` // frames by device
	Unsent       int            `json:"unsent"`  // camera messages that the broker never took
	Seconds      float64        `json:"seconds"`
}

// flush is how long an ended run waits for the broker to take what is queued.
const flush = 10 * time.Second

// lane is a run.
type lane struct {
	set     Options
	fonts   *render.Fonts
	pace    pace.Pace
	book    *book.Book
	board   *fault.Board
	ports   map[string]*port.Port
	monitor *portal.Monitor
	scanner *scanner.Scanner
	camera  *camera.Camera // nil without a broker
	began   time.Time

	mu      sync.Mutex
	started int
	sum     Summary
}

// Run plays the lane until the wanted number of lorries is through, the time
// is over or ctx ends. All of that is an orderly end: it returns the summary
// and no error.
func Run(ctx context.Context, o Options) (Summary, error) {
	l, err := newLane(o)
	if err != nil {
		return Summary{}, err
	}
	err = l.run(ctx)
	l.board.Close()
	err = errors.Join(err, l.book.Err())
	total := l.book.Totals()
	l.sum.Sent, l.sum.Unheard = total.Sent, total.Unheard
	l.sum.Seconds = time.Since(l.began).Seconds()
	if l.camera != nil {
		l.sum.Unsent = l.camera.Waiting()
	}
	return l.sum, errors.Join(err, l.book.Close())
}

func newLane(o Options) (*lane, error) {
	fonts, err := render.LoadFonts()
	if err != nil {
		return nil, err
	}
	state, err := filepath.Abs(o.State)
	if err != nil {
		return nil, fmt.Errorf("find the state folder: %w", err)
	}
	o.State = state
	if err := os.MkdirAll(filepath.Join(state, "drop"), 0o755); err != nil {
		return nil, fmt.Errorf("make the state folder: %w", err)
	}
	b, err := book.Open(state)
	if err != nil {
		return nil, err
	}
	s := o.Scenario
	l := &lane{set: o, fonts: fonts, pace: pace.Pace(s.Speed), book: b, ports: map[string]*port.Port{}, began: time.Now()}
	l.board = fault.NewBoard(func(c fault.Change) { b.Fault(c) })
	for i, device := range []string{fault.RPM, fault.XRay} {
		l.ports[device] = port.New(device, filepath.Join(state, "dev", device), s.Seed+uint64(i), l.board, b.Lane(s.Lane), o.Log)
	}
	l.monitor = portal.New(l.ports[fault.RPM], s.Seed, l.pace, l.board)
	l.scanner = scanner.New(scanner.Settings{
		Drop: filepath.Join(state, "drop"), Lane: s.Lane, Pace: l.pace, NextID: b.NextScan, Keep: s.Keep,
	}, l.ports[fault.XRay], l.board, b.Lane(s.Lane), o.Log)
	if o.MQTT.Broker != "" {
		l.camera = camera.New(o.MQTT, l.board, b.Lane(s.Lane), o.Log)
	}
	return l, nil
}

// run starts the devices, then the traffic, and ends the devices after it.
func (l *lane) run(ctx context.Context) error {
	// Devices outlive ctx by what an orderly end needs.
	live, end := context.WithCancel(context.WithoutCancel(ctx))
	defer end()
	devices, live := errgroup.WithContext(live)
	if err := l.power(live, devices); err != nil {
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
		case <-l.book.Failed():
			return l.book.Err()
		}
	})
	planned := l.planFaults()
	defer planned()
	err := l.traffic(traffic)
	if ctx.Err() == nil && live.Err() == nil {
		l.settle(live)
	}
	end()
	return errors.Join(err, devices.Wait())
}

// power switches the devices on and waits until their ports are there.
func (l *lane) power(ctx context.Context, devices *errgroup.Group) error {
	var ready []chan struct{}
	open := func(run func(chan<- struct{}) error) {
		up := make(chan struct{})
		ready = append(ready, up)
		devices.Go(func() error { return run(up) })
	}
	for _, p := range l.ports {
		open(func(up chan<- struct{}) error { return p.Run(ctx, up) })
	}
	socket := l.set.Control
	if socket == "" {
		socket = control.Socket(l.set.State)
	}
	open(func(up chan<- struct{}) error { return control.Serve(ctx, socket, up, l.answer) })
	for _, up := range ready {
		select {
		case <-up:
		case <-ctx.Done():
			return nil // the device's own error says more
		}
	}
	devices.Go(func() error { return l.monitor.Run(ctx) })
	devices.Go(func() error { return l.scanner.Run(ctx) })
	if l.camera != nil {
		devices.Go(func() error { return l.camera.Run(ctx) })
	}
	return nil
}

// planFaults sets the scenario's faults that have a time; the others are set
// when their lorry starts. The returned function takes back what is to come.
func (l *lane) planFaults() (cancel func()) {
	var timers []*time.Timer
	for _, f := range l.set.Scenario.Faults {
		if f.At > 0 {
			timers = append(timers, time.AfterFunc(f.At, func() { l.setPlanned(f, 0) }))
		}
	}
	return func() {
		for _, t := range timers {
			t.Stop()
		}
	}
}

func (l *lane) setPlanned(f scenario.Planned, vehicle int) {
	if _, err := l.board.Set(fault.Order{Name: f.Fault, Device: f.Device, For: f.For, Vehicle: vehicle, Count: f.Count}); err != nil {
		l.set.Log.Error("a fault of the scenario could not be played", "err", err)
	}
}

// settle waits until the broker has what the camera queued.
func (l *lane) settle(ctx context.Context) {
	if l.camera == nil {
		return
	}
	late := time.After(flush)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for l.camera.Waiting() > 0 {
		select {
		case <-ctx.Done():
			return
		case <-late:
			return
		case <-tick.C:
		}
	}
}

// answer is the control socket's.
func (l *lane) answer(r control.Request) control.Answer {
	switch r.Op {
	case "fault":
		a, err := l.board.Set(fault.Order{Name: r.Fault, Device: r.Device, For: r.For, Vehicle: r.Vehicle, Count: r.Count})
		if err != nil {
			return control.Answer{Error: err.Error()}
		}
		return control.Answer{Active: &a}
	case "clear":
		l.board.Clear(r.Fault, r.Device)
		return control.Answer{Status: l.status()}
	case "status":
		return control.Answer{Status: l.status()}
	}
	return control.Answer{Error: fmt.Sprintf("unknown request %q", r.Op)}
}

func (l *lane) status() *control.Status {
	total := l.book.Totals()
	s := &control.Status{
		Since: l.began.UTC(), Speed: float64(l.pace), Heard: map[string]int{}, Broker: "none",
		Sent: total.Sent, Unheard: total.Unheard, Faults: l.board.List(),
	}
	for name, p := range l.ports {
		s.Heard[name] = p.Listeners()
	}
	if l.camera != nil {
		s.Broker, s.Waiting = "away", l.camera.Waiting()
		if l.camera.Online() {
			s.Broker = "online"
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	s.Vehicles, s.Finished = l.started, l.sum.Vehicles
	return s
}
