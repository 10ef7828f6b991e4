package torture

import (
	"context"
	"fmt"
	"time"

	"gatehouse/internal/event"
	"gatehouse/internal/fault"
	"gatehouse/internal/smoke/account"
)

// Fault is a row of the table.
type Fault struct {
	Name string
	// Set changes the gate so that the fault can be played; may be nil.
	Set func(w *Setting, d Dice)
	// Play does it and mends it. What it returns ends the run.
	Play func(ctx context.Context, w *World) error
	// Apart says that what is lost is lost by somebody else's design, so that the
	// row is not counted with the others.
	Apart bool
	// Long faults take minutes and are left out of short series.
	Long bool
	// Clock says that a clock was set, so that delays cannot be told.
	Clock bool
	// Light faults need nothing of the setting and may be played beside another.
	Light bool
}

// Dice draws; it is the seed's.
type Dice interface {
	IntN(int) int
	Int64N(int64) int64
	Perm(int) []int
}

func disks(names ...string) func(*Setting, Dice) {
	return func(s *Setting, _ Dice) {
		s.Disks, s.Reserve = map[string]int{}, "16 MiB"
		for _, name := range names {
			s.Disks[name] = diskSize
		}
	}
}

// diskSize in MiB leaves room for the journal's own files and a run's pictures.
const diskSize = 192

func apart(s *Setting, _ Dice) { s.HubApart = true }

func either(s *Setting, d Dice) { s.HubApart = d.IntN(2) == 0 }

func mosquitto(s *Setting, d Dice) { s.Mosquitto = true; either(s, d) }

func seeing(s *Setting, _ Dice) { s.Vision = true }

// Menu lists all faults.
func Menu() []Fault {
	var all []Fault
	for _, p := range daemonPoints() {
		all = append(all, Fault{Name: "kill -9 gatehouse at " + p.name, Set: either, Light: true, Play: killAt(p)})
	}
	for _, p := range consolePoints() {
		all = append(all, Fault{Name: "kill -9 console at " + p.name, Set: either, Light: true, Play: killConsole(p)})
	}
	return append(all, []Fault{
		{Name: "kill -9 gatehouse at any moment", Set: either, Light: true, Play: killAnywhen},
		{Name: "kill -9 console at any moment", Set: either, Light: true, Play: killConsoleAnywhen},
		{Name: "kill -9 hub", Set: apart, Play: killHub},
		{Name: "five restarts in a row", Set: either, Play: fiveRestarts},
		{Name: "power cut of the gate", Set: disks("gate"), Play: powerCut("gate")},
		{Name: "power cut of a console", Set: disks("customs", "borderguard"), Play: powerCutConsole},
		{Name: "power cut of all", Set: disks("gate", "customs", "borderguard"), Play: powerCut("gate", "customs", "borderguard")},
		{Name: "uplink of the gate cut", Set: apart, Play: cutCable("gate")},
		{Name: "uplink of a console cut", Set: either, Light: true, Play: cutConsole},
		{Name: "uplink stalled", Set: apart, Play: stallCable},
		{Name: "uplink cut for minutes", Set: apart, Long: true, Play: cutMinutes},
		{Name: "console dead", Set: either, Light: true, Play: consoleDead},
		{Name: "console stalled", Set: either, Light: true, Play: consoleStalled},
		{Name: "agency's stream deleted and re-created", Set: either, Play: loseStream},
		{Name: "hub's streams deleted and re-created", Set: either, Play: loseHub},
		{Name: "serial port vanishes and returns", Set: either, Light: true, Play: unplug},
		{Name: "Mosquitto stopped and started", Set: mosquitto, Play: stopBroker},
		{Name: "Mosquitto killed (apart)", Set: mosquitto, Apart: true, Play: killBroker},
		{Name: "disk of the gate full, then freed", Set: disks("gate"), Play: fillGate},
		{Name: "disk of a console full, then freed", Set: disks("customs", "borderguard"), Play: fillConsole},
		{Name: "gate's clock set 10 minutes ahead", Set: either, Clock: true, Play: stepClock(10 * time.Minute)},
		{Name: "gate's clock set 10 minutes back", Set: either, Clock: true, Play: stepClock(-10 * time.Minute)},
		{Name: "console's clock set by 10 minutes", Set: either, Clock: true, Play: stepConsole},
		{Name: "NTP lost and found", Set: either, Play: loseNTP},
		{Name: "worker killed", Set: seeing, Play: killWorker},
		{Name: "worker hangs", Set: seeing, Play: hangWorker},
		{Name: "worker poisoned", Set: seeing, Play: poisonWorker},
		{Name: "model missing", Set: seeing, Play: loseModel},
		{Name: "console lost its disk", Set: either, Play: loseConsole},
		{Name: "gate lost its disk (apart)", Set: apart, Apart: true, Play: loseGate},
		{Name: "console 50,000 records behind", Set: apart, Long: true, Play: behind(50000, 2*time.Hour)},
		{Name: "eight hours of backlog", Set: apart, Long: true, Play: behind(36000, 8*time.Hour)},
		{Name: "configuration changed in an outage", Set: apart, Play: reconfigure},
		{Name: "device removed in an outage", Set: apart, Play: removeDevice},
	}...)
}

// point is a fault point and the range from which its count is drawn.
type point struct {
	name        string
	least, most int
}

func daemonPoints() []point {
	return []point{
		{fault.JournalBeforeSync, 5, 40}, {fault.JournalAfterSync, 5, 40},
		{fault.EvidenceBeforeRename, 1, 3}, {fault.EvidenceAfterRename, 1, 3},
		{fault.ChainBeforeAppend, 2, 15}, {fault.ChainAfterAppend, 2, 15},
		{fault.HandoverBeforePublish, 2, 30}, {fault.HandoverAfterPublish, 2, 30},
		{fault.SayingsBeforeAck, 1, 4},
	}
}

func consolePoints() []point {
	return []point{{fault.ConsoleBeforeCommit, 1, 12}, {fault.ConsoleAfterCommit, 1, 12}}
}

func (w *World) arm(p point) string {
	return fmt.Sprintf("%s:%d", p.name, p.least+w.dice.IntN(p.most-p.least+1))
}

// killAt lets the daemon die at a point, twice with different counts.
func killAt(p point) func(context.Context, *World) error {
	return func(ctx context.Context, w *World) error {
		died := time.Now()
		w.Daemon.Kill()
		for range 2 {
			spec := w.arm(p)
			w.Window(account.Window{From: died, What: spec})
			if err := w.StartDaemon(spec); err != nil {
				return err
			}
			if err := w.ready(ctx); err != nil {
				w.say("%s: %v", spec, err) // it may come by while it starts
			}
			w.awaitDeath(ctx, spec)
			died = w.died()
			w.Decide(ctx, w.any(), "after "+spec)
			w.rest(ctx, w.between(0, 500*time.Millisecond))
		}
		return w.startGate(ctx, died, p.name, "")
	}
}

func killConsole(p point) func(context.Context, *World) error {
	return func(ctx context.Context, w *World) error {
		for _, i := range w.dice.Perm(2) {
			a := event.Agencies()[i]
			w.Decide(ctx, a, "before "+p.name)
			if err := w.killConsoleAt(ctx, a, w.arm(p)); err != nil {
				return err
			}
		}
		return nil
	}
}

// any draws an agency.
func (w *World) any() event.Agency { return event.Agencies()[w.dice.IntN(2)] }

func killAnywhen(ctx context.Context, w *World) error {
	for range 2 {
		if err := w.killGate(ctx, "killed", w.between(0, 2*time.Second)); err != nil {
			return err
		}
		w.Decide(ctx, w.any(), "after a kill")
		w.rest(ctx, w.between(0, 2*time.Second))
	}
	return nil
}

func killConsoleAnywhen(ctx context.Context, w *World) error {
	for _, i := range w.dice.Perm(2) {
		a := event.Agencies()[i]
		w.Decide(ctx, a, "before a kill")
		w.rest(ctx, w.between(0, time.Second))
		if err := w.restartConsole(ctx, a, "", w.between(0, 2*time.Second)); err != nil {
			return err
		}
	}
	return nil
}

func killHub(ctx context.Context, w *World) error {
	for range 2 {
		w.Decide(ctx, w.any(), "before the hub is killed")
		w.rest(ctx, w.between(0, time.Second))
		w.hub.Kill()
		w.rest(ctx, w.between(0, 2*time.Second))
		if err := w.startHub(ctx); err != nil {
			return err
		}
		w.rest(ctx, w.between(0, 2*time.Second))
	}
	return nil
}

// fiveRestarts restarts the daemon before it has come to rest, now and then
// before it is ready.
func fiveRestarts(ctx context.Context, w *World) error {
	for i := range 5 {
		died := time.Now()
		if w.dice.IntN(2) == 0 {
			w.Daemon.Kill()
		} else {
			ctx, cancel := context.WithTimeout(ctx, starts)
			err := w.Daemon.Stop(ctx)
			cancel()
			if err != nil {
				return err
			}
		}
		w.Window(account.Window{From: died, What: fmt.Sprintf("restart %d", i+1)})
		if err := w.StartDaemon(""); err != nil {
			return err
		}
		if w.dice.IntN(3) > 0 {
			if err := w.ready(ctx); err != nil {
				return err
			}
		} else { // ended while it starts: only a kill, since it does not listen yet
			w.rest(ctx, w.between(0, 500*time.Millisecond))
			w.Daemon.Kill()
			if err := w.StartDaemon(""); err != nil {
				return err
			}
		}
		w.rest(ctx, w.between(0, time.Second))
	}
	return w.ready(ctx)
}

func powerCut(names ...string) func(context.Context, *World) error {
	return func(ctx context.Context, w *World) error {
		for range 2 {
			w.Decide(ctx, w.any(), "before a power cut")
			w.rest(ctx, w.between(0, 3*time.Second))
			if err := w.cutPower(ctx, names...); err != nil {
				return err
			}
		}
		return nil
	}
}

func powerCutConsole(ctx context.Context, w *World) error {
	for _, i := range w.dice.Perm(2) {
		a := event.Agencies()[i]
		w.Decide(ctx, a, "before a power cut")
		w.rest(ctx, w.between(0, 2*time.Second))
		if err := w.cutPower(ctx, a.Account()); err != nil {
			return err
		}
	}
	return nil
}

func cutCable(name string) func(context.Context, *World) error {
	return func(ctx context.Context, w *World) error {
		for range 2 {
			w.cables[name].Cut()
			w.Decide(ctx, w.any(), "while the uplink is cut")
			w.rest(ctx, w.between(500*time.Millisecond, 4*time.Second))
			w.cables[name].Mend()
			w.rest(ctx, w.between(0, 2*time.Second))
		}
		return nil
	}
}

func cutConsole(ctx context.Context, w *World) error { return cutCable(w.any().Account())(ctx, w) }

func cutMinutes(ctx context.Context, w *World) error {
	w.cables["gate"].Cut()
	w.Decide(ctx, w.any(), "while the uplink is cut for minutes")
	w.rest(ctx, w.between(100*time.Second, 150*time.Second))
	w.cables["gate"].Mend()
	return nil
}

func stallCable(ctx context.Context, w *World) error {
	name := []string{"gate", "customs", "borderguard"}[w.dice.IntN(3)]
	w.cables[name].Stall()
	w.Decide(ctx, w.any(), "while the uplink is stalled")
	w.rest(ctx, w.between(2*time.Second, 8*time.Second))
	w.cables[name].Mend()
	return nil
}

func consoleDead(ctx context.Context, w *World) error {
	return w.restartConsole(ctx, w.any(), "", w.between(4*time.Second, 9*time.Second))
}

func consoleStalled(ctx context.Context, w *World) error {
	p := w.Console(w.any())
	p.Freeze()
	w.rest(ctx, w.between(4*time.Second, 9*time.Second))
	p.Thaw()
	return nil
}
