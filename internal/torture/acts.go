package torture

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"gatehouse/internal/event"
	"gatehouse/internal/smoke/account"
	"gatehouse/internal/smoke/stage"
)

// Limits of single steps.
const (
	starts = 40 * time.Second
	reach  = 25 * time.Second // for a fault point to be reached
)

// rest lets the traffic go on for a while.
func (w *World) rest(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// between draws a time.
func (w *World) between(least, most time.Duration) time.Duration {
	return least + time.Duration(w.dice.Int64N(int64(most-least)+1))
}

// startGate starts the daemon again after it had died, and waits until it hears.
func (w *World) startGate(ctx context.Context, died time.Time, what, spec string) error {
	w.Window(account.Window{From: died, What: what})
	if err := w.StartDaemon(spec); err != nil {
		return err
	}
	return w.ready(ctx)
}

// ready waits until the daemon hears its devices. One that ends before, at a
// point that is armed or since its disk is full, is not waited for.
func (w *World) ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, starts)
	defer cancel()
	at, err := w.Daemon.Ready(ctx)
	if err != nil {
		return err
	}
	w.Ready(at.Add(hears))
	return nil
}

// hears is what devices may need to be heard by a daemon that is ready: the
// session at a broker, and a line that is tried again.
const hears = 1500 * time.Millisecond

// killGate kills the daemon and starts it after a while.
func (w *World) killGate(ctx context.Context, what string, away time.Duration) error {
	died := time.Now()
	w.Daemon.Kill()
	w.rest(ctx, away)
	return w.startGate(ctx, died, what, "")
}

// awaitDeath waits until the daemon dies at a point, and kills it when it does
// not come by in time.
func (w *World) awaitDeath(ctx context.Context, spec string) {
	select {
	case <-w.Daemon.Done():
	case <-time.After(reach):
		w.say("%s was not reached in %s", spec, reach)
		w.Daemon.Kill()
	case <-ctx.Done():
	}
}

// died is when the daemon was killed at a point: it notes the point right before.
// On a busy machine its end may be seen seconds later.
func (w *World) died() time.Time {
	ended := w.Daemon.Ended()
	info, err := os.Stat(w.Stage.Path("faults.log"))
	if err == nil && info.ModTime().After(w.Daemon.Began) && info.ModTime().Before(ended) {
		return info.ModTime()
	}
	return ended
}

// keep has the daemon run as a service manager would, until the time is over: it
// is started again whenever it ends.
func (w *World) keep(ctx context.Context, d time.Duration) error {
	over := time.After(d)
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-over:
			return nil
		case <-w.Daemon.Done():
			died := w.Daemon.Ended()
			w.say("the daemon ended by itself; a service manager starts it")
			w.rest(ctx, 500*time.Millisecond)
			w.Window(account.Window{From: died, What: "ended by itself"})
			if err := w.StartDaemon(""); err != nil {
				return err
			}
		}
	}
}

// supervised does something while the daemon is kept running.
func (w *World) supervised(ctx context.Context, do func(context.Context) error) error {
	keeping, stop := context.WithCancel(ctx)
	kept := make(chan error, 1)
	go func() { kept <- w.keep(keeping, time.Hour) }()
	err := do(ctx)
	stop()
	if failed := <-kept; err == nil && !errors.Is(failed, context.Canceled) {
		err = failed
	}
	if err != nil {
		return err
	}
	return w.revive(ctx)
}

// revive brings the daemon up, however often it ends.
func (w *World) revive(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 2*starts)
	defer cancel()
	for {
		err := w.ready(ctx)
		if !errors.Is(err, stage.ErrEnded) {
			return err
		}
		w.Window(account.Window{From: w.Daemon.Ended(), What: "ended by itself"})
		w.rest(ctx, 500*time.Millisecond)
		if err := w.StartDaemon(""); err != nil {
			return err
		}
	}
}

// restartConsole ends a console, by force or in order, and starts it after a while.
func (w *World) restartConsole(ctx context.Context, a event.Agency, spec string, away time.Duration) error {
	w.Console(a).Kill()
	w.rest(ctx, away)
	p, err := w.StartConsole(a, spec)
	if err != nil || spec != "" {
		return err
	}
	return w.awaitConsole(ctx, a, p)
}

func (w *World) awaitConsole(ctx context.Context, a event.Agency, p *stage.Process) error {
	ctx, cancel := context.WithTimeout(ctx, starts)
	defer cancel()
	return w.Stage.AwaitConsole(ctx, a, p)
}

// killConsoleAt lets a console die at a point.
func (w *World) killConsoleAt(ctx context.Context, a event.Agency, spec string) error {
	if err := w.restartConsole(ctx, a, spec, 0); err != nil {
		return err
	}
	p := w.Console(a)
	select {
	case <-p.Done():
	case <-time.After(reach):
		w.say("%s was not reached at %s", spec, a)
		p.Kill()
	case <-ctx.Done():
	}
	return w.restartConsole(ctx, a, "", w.between(0, time.Second))
}

// cutPower cuts the power of the folders that are disks of their own. The
// programs that write there are killed at the same moment.
func (w *World) cutPower(ctx context.Context, names ...string) error {
	gate := false
	for _, name := range names { // all stop before any is looked at
		if name == "gate" {
			gate = true
			w.Daemon.Freeze()
			continue
		}
		w.Console(agencyOf(name)).Freeze()
	}
	for _, name := range names {
		if name == "gate" {
			w.Daemon.Kill()
			continue
		}
		w.Console(agencyOf(name)).Kill()
	}
	died := w.Daemon.Ended()
	for _, name := range names {
		if err := w.disks[name].Cut(ctx); err != nil {
			return err
		}
	}
	w.say("the power of %v was cut", names)
	w.rest(ctx, w.between(0, time.Second))
	if gate {
		w.Window(account.Window{From: died, What: "power cut"})
		if err := w.StartDaemon(""); err != nil {
			return err
		}
	}
	for _, name := range names {
		if name == "gate" {
			continue
		}
		a := agencyOf(name)
		p, err := w.StartConsole(a, "")
		if err != nil {
			return err
		}
		if err := w.awaitConsole(ctx, a, p); err != nil {
			return err
		}
		if err := w.exchanged(a); err != nil {
			return err
		}
	}
	if gate {
		return w.ready(ctx)
	}
	return nil
}

// sim plays a fault of the simulator.
func (w *World) sim(ctx context.Context, fault, lane, device string, d time.Duration) error {
	_, err := w.Stage.Output(ctx, "gatesim", "fault", fault, "--state", w.Stage.Path("sim"), "--lane", lane, "--device", device, "--for", d.String())
	return err
}

// now is the time by the gate's clock.
func (w *World) now() time.Time { return time.Now().Add(w.offset) }

// recovered waits until both consoles hold, without a hole, something that the
// gate chained after everything was in order again.
func (w *World) recovered(ctx context.Context, lifted time.Time, limit time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	why := ""
	err := stage.Until(ctx, "both consoles to have caught up", func() (bool, error) {
		for _, a := range event.Agencies() {
			var newest string
			var holes int
			row := w.Stores[a].QueryRowContext(ctx, `SELECT coalesce(max(at), ''), (SELECT count(*) FROM heads WHERE sequence <> highest) FROM events
				WHERE (chain, sequence) IN (SELECT chain, sequence FROM heads)`)
			if err := row.Scan(&newest, &holes); err != nil {
				why = fmt.Sprintf("%s: %v", a, err)
				return false, nil // it may just be starting
			}
			at, err := time.Parse(time.RFC3339Nano, newest)
			if err != nil || at.Before(lifted) || holes > 0 {
				why = fmt.Sprintf("%s holds everything up to %s, %d chains with holes", a, newest, holes)
				return false, nil
			}
			if missing := w.unheard(ctx, a); missing != "" {
				why = fmt.Sprintf("%s does not hold the %s", a, missing)
				return false, nil
			}
		}
		return true, nil
	})
	if err != nil {
		return fmt.Errorf("%w: %s", err, why)
	}
	return nil
}

// unheard is a verdict that was given and that an agency's record lacks.
func (w *World) unheard(ctx context.Context, a event.Agency) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, s := range w.said {
		var n int
		err := w.Stores[a].QueryRowContext(ctx, `SELECT count(*) FROM verdicts WHERE reason = ?`, s.Reason).Scan(&n)
		if err != nil || n == 0 {
			return s.Reason
		}
	}
	return ""
}

// lose removes a folder.
func (w *World) lose(path ...string) error {
	if err := os.RemoveAll(w.Stage.Path(path...)); err != nil {
		return fmt.Errorf("lose %v: %w", path, err)
	}
	return nil
}
