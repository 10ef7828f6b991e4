package sim

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"gatehouse/internal/sim/board"
	"gatehouse/internal/sim/book"
	"gatehouse/internal/sim/camera"
	"gatehouse/internal/sim/control"
	"gatehouse/internal/sim/fault"
	"gatehouse/internal/sim/pace"
	"gatehouse/internal/sim/port"
	"gatehouse/internal/sim/portal"
	"gatehouse/internal/sim/reader"
	"gatehouse/internal/sim/render"
	"gatehouse/internal/sim/scale"
	"gatehouse/internal/sim/scanner"
	"gatehouse/internal/sim/scenario"
)

// unit is the Modbus address of the barrier's board.
const unit = 1

// lane is one lane with its devices; those that it does not have are nil.
type lane struct {
	*gate
	plan  *scenario.Lane
	seed  uint64
	fonts *render.Fonts
	pace  pace.Pace
	page  book.Page
	board *fault.Board
	lists *expected
	ports map[string]*port.Port

	monitor *portal.Monitor
	scanner *scanner.Scanner
	scale   *scale.Scale
	barrier *board.Board
	codes   *reader.Text
	tags    *reader.SSI
	papers  *reader.Text
	cameras map[string]*camera.Camera

	mu      sync.Mutex
	started int
	sum     Summary
}

// serial are the devices with a port, in the order of their seeds.
func serial() []string {
	return []string{scenario.RPM, scenario.XRay, scenario.Scale, scenario.Barcode, scenario.Barrier, scenario.MRZ}
}

func newLane(g *gate, plan *scenario.Lane, fonts *render.Fonts) (*lane, error) {
	o := g.set
	l := &lane{
		gate: g, plan: plan, fonts: fonts, pace: pace.Pace(o.Scenario.Speed), page: g.book.Lane(plan.ID),
		seed: o.Scenario.Seed, ports: map[string]*port.Port{}, cameras: map[string]*camera.Camera{},
		sum: Summary{Findings: map[string]int{}},
	}
	for i, other := range o.Scenario.Lanes { // every lane has its own traffic
		if other.ID == plan.ID {
			l.seed += uint64(i) * 1_000_003
		}
	}
	drop := filepath.Join(o.State, "drop", plan.ID)
	if err := os.MkdirAll(drop, 0o755); err != nil {
		return nil, fmt.Errorf("make the drop folder: %w", err)
	}
	l.lists = newExpected(filepath.Join(o.State, "expected"), plan.ID)
	l.board = fault.NewBoard(func(c fault.Change) {
		c.Lane = plan.ID
		g.book.Fault(c)
	}, plan.Board()...)
	log := o.Log.With("lane", plan.ID)
	for i, device := range serial() {
		if plan.Has(device) {
			link := filepath.Join(o.State, "dev", book.Key(plan.ID, device))
			l.ports[device] = port.New(device, link, l.seed+uint64(i), l.board, l.page, log)
		}
	}
	for _, device := range plan.Devices {
		if set, ok := o.Cameras[book.Key(plan.ID, device)]; ok {
			set.Device = device
			l.cameras[device] = camera.New(set, l.board, l.page, log)
		}
	}
	l.equip(drop)
	return l, nil
}

// equip makes the devices that hang on the ports.
func (l *lane) equip(drop string) {
	if p := l.ports[scenario.RPM]; p != nil {
		l.monitor = portal.New(p, l.seed, l.pace, l.board)
	}
	if p := l.ports[scenario.XRay]; p != nil {
		set := scanner.Settings{Drop: drop, Lane: l.plan.ID, Pace: l.pace, NextID: l.book.NextScan, Keep: l.set.Scenario.Keep}
		if l.plan.Kind == scenario.KindPerson {
			set.Kind = scanner.Baggage
		}
		l.scanner = scanner.New(set, p, l.board, l.page, l.set.Log.With("lane", l.plan.ID))
	}
	if p := l.ports[scenario.Scale]; p != nil {
		l.scale = scale.New(scale.Settings{Device: scenario.Scale, Protocol: l.plan.Scale, Pace: l.pace, Seed: l.seed}, p, l.board)
	}
	if p := l.ports[scenario.Barrier]; p != nil {
		l.barrier = board.New(board.Settings{Device: scenario.Barrier, Unit: unit, Watchdog: l.plan.Watchdog, Pace: l.pace}, p, l.board)
	}
	if p := l.ports[scenario.MRZ]; p != nil {
		l.papers = reader.NewText(p)
	}
	switch p := l.ports[scenario.Barcode]; {
	case p == nil:
	case l.plan.Kind == scenario.KindPerson:
		l.tags = reader.NewSSI(scenario.Barcode, p, l.board)
	default:
		l.codes = reader.NewText(p)
	}
}

// devices are what has to run while the lane is open.
func (l *lane) devices() []func(context.Context) error {
	var all []func(context.Context) error
	if l.monitor != nil {
		all = append(all, l.monitor.Run)
	}
	if l.scanner != nil {
		all = append(all, l.scanner.Run)
	}
	if l.scale != nil {
		all = append(all, l.scale.Run)
	}
	if l.barrier != nil {
		all = append(all, l.barrier.Run)
	}
	if l.tags != nil {
		all = append(all, l.tags.Run)
	}
	for _, c := range l.cameras {
		all = append(all, c.Run)
	}
	return all
}

func (l *lane) setPlanned(f scenario.Planned, vehicle int) {
	if _, err := l.board.Set(fault.Order{Name: f.Fault, Device: f.Device, For: f.For, Vehicle: vehicle, Count: f.Count}); err != nil {
		l.set.Log.Error("a fault of the scenario could not be played", "lane", l.plan.ID, "err", err)
	}
}

// waiting is how many messages of cameras have not been sent.
func (l *lane) waiting() (n int) {
	for _, c := range l.cameras {
		n += c.Waiting()
	}
	return n
}

// tell adds the lane to the gate's status.
func (l *lane) tell(s *control.Status) {
	for name, p := range l.ports {
		s.Heard[book.Key(l.plan.ID, name)] = p.Listeners()
	}
	for _, c := range l.cameras {
		s.Waiting += c.Waiting()
		switch {
		case !c.Online():
			s.Broker = "away"
		case s.Broker == "none":
			s.Broker = "online"
		}
	}
	for _, a := range l.board.List() {
		a.Lane = l.plan.ID
		s.Faults = append(s.Faults, a)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	s.Vehicles += l.started
	s.Finished += l.sum.Vehicles + l.sum.Persons
}

// add sums the lane up.
func (l *lane) add(to *Summary) {
	to.Unsent += l.waiting()
	l.mu.Lock()
	defer l.mu.Unlock()
	to.Vehicles += l.sum.Vehicles
	to.Persons += l.sum.Persons
	to.Cut += l.sum.Cut
	to.GammaAlarms += l.sum.GammaAlarms
	to.NeutronAlarm += l.sum.NeutronAlarm
	to.Threats += l.sum.Threats
	for code, n := range l.sum.Findings {
		to.Findings[code] += n
	}
}

// away says whether the device gives nothing of this one, as planned.
func (j *journey) away(device string) bool { return slices.Contains(j.course.Away, device) }
