package torture

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"time"

	"gatehouse/internal/event"
	"gatehouse/internal/smoke/account"
	"gatehouse/internal/smoke/stage"
)

// hubStore is the folder of the hub's streams.
func (w *World) hubStore() string {
	if w.HubApart {
		return "hub"
	}
	return "gate/hub"
}

// withoutHub ends the hub, changes its folder and starts it again.
func (w *World) withoutHub(ctx context.Context, what string, change func() error) error {
	if w.HubApart {
		w.hub.Kill()
		if err := change(); err != nil {
			return err
		}
		return w.startHub(ctx)
	}
	w.Daemon.Kill()
	died := w.Daemon.Ended()
	if err := change(); err != nil {
		return err
	}
	return w.startGate(ctx, died, what, "")
}

func loseStream(ctx context.Context, w *World) error {
	a := w.any()
	w.Decide(ctx, a, "before its stream is lost")
	w.rest(ctx, w.between(0, time.Second))
	return w.withoutHub(ctx, "stream lost", func() error {
		path := filepath.Join(w.hubStore(), "jetstream", string(a), "streams", "INBOX")
		if _, err := os.Stat(w.Stage.Path(path)); err != nil {
			return fmt.Errorf("the hub keeps its streams elsewhere; adapt the harness: %w", err)
		}
		return w.lose(path)
	})
}

func loseHub(ctx context.Context, w *World) error {
	w.Decide(ctx, w.any(), "before the hub loses its disk")
	w.rest(ctx, w.between(0, time.Second))
	return w.withoutHub(ctx, "hub lost", func() error { return w.lose(w.hubStore()) })
}

// unpluggable are serial devices that say something all the time, or with each
// vehicle or person.
func unpluggable() []account.Device {
	return []account.Device{{Lane: "01", Name: "rpm"}, {Lane: "01", Name: "scale"}, {Lane: "01", Name: "xray"}, {Lane: "02", Name: "rpm"}, {Lane: "02", Name: "xray"}, {Lane: "02", Name: "mrz"}}
}

func unplug(ctx context.Context, w *World) error {
	for _, i := range w.dice.Perm(len(unpluggable()))[:2] {
		d := unpluggable()[i]
		away := w.between(time.Second, 3*time.Second)
		began := time.Now()
		if err := w.sim(ctx, "unplug", d.Lane, d.Name, away); err != nil {
			return err
		}
		w.rest(ctx, away)
		w.rest(ctx, 500*time.Millisecond)
		w.Window(account.Window{From: w.heard(d, began), To: w.spoke(ctx, d, began.Add(away)), Device: d, What: "unplugged"})
	}
	return nil
}

// heard is when the device had last sent something before a moment: a gap begins there.
func (w *World) heard(d account.Device, before time.Time) time.Time {
	books, err := w.Books()
	if err != nil {
		return before
	}
	last := before
	for _, f := range books.Ledger {
		if f.Lane == d.Lane && f.Device == d.Name && f.At.Before(before) {
			last = f.At
		}
	}
	return last
}

// spoke is when the device first sent something after a moment: the gap ends there.
func (w *World) spoke(ctx context.Context, d account.Device, after time.Time) time.Time {
	for until := time.Now().Add(12 * time.Second); time.Now().Before(until) && ctx.Err() == nil; w.rest(ctx, 200*time.Millisecond) {
		books, err := w.Books()
		if err != nil {
			continue
		}
		for _, f := range books.Ledger {
			if f.Lane == d.Lane && f.Device == d.Name && f.At.After(after) {
				return f.At
			}
		}
	}
	return time.Now()
}

func (w *World) withoutBroker(ctx context.Context, end func() error) error {
	began := time.Now()
	if err := end(); err != nil {
		return err
	}
	w.rest(ctx, w.between(500*time.Millisecond, 4*time.Second))
	if err := w.startBroker(ctx); err != nil {
		return err
	}
	w.rest(ctx, 2*time.Second)
	for _, name := range []string{"camera", "camera2"} {
		d := account.Device{Lane: "01", Name: name}
		w.Window(account.Window{From: w.heard(d, began), To: w.spoke(ctx, d, time.Now()), Device: d, What: "broker away"})
	}
	return nil
}

func stopBroker(ctx context.Context, w *World) error {
	return w.withoutBroker(ctx, func() error {
		ctx, cancel := context.WithTimeout(ctx, starts)
		defer cancel()
		return w.broker.Stop(ctx)
	})
}

func killBroker(ctx context.Context, w *World) error {
	return w.withoutBroker(ctx, func() error { w.broker.Kill(); return nil })
}

// leaves are the bytes that a full disk has left: within a write or at once.
func leaves() []int64 {
	return []int64{0, 4 << 10, 16 << 10, 64 << 10, 256 << 10, 1 << 20, 4 << 20, 12 << 20}
}

func fillGate(ctx context.Context, w *World) error {
	for range 2 {
		leave := leaves()[w.dice.IntN(len(leaves()))]
		began := time.Now()
		if err := w.disks["gate"].Fill(leave); err != nil {
			return err
		}
		w.say("%d bytes are left on the gate's disk", leave)
		if err := w.keep(ctx, w.between(time.Second, 4*time.Second)); err != nil {
			return err
		}
		if err := w.disks["gate"].Free(); err != nil {
			return err
		}
		if err := w.keep(ctx, 1500*time.Millisecond); err != nil {
			return err
		}
		if err := w.revive(ctx); err != nil {
			return err
		}
		w.Window(account.Window{From: began, To: time.Now(), What: "disk full"})
		w.rest(ctx, w.between(0, time.Second))
	}
	return nil
}

func fillConsole(ctx context.Context, w *World) error {
	for _, i := range w.dice.Perm(2) {
		a := event.Agencies()[i]
		d := w.disks[a.Account()]
		leave := leaves()[w.dice.IntN(5)]
		w.Decide(ctx, a, "while its disk is full")
		if err := d.Fill(leave); err != nil {
			return err
		}
		w.say("%d bytes are left on the disk of %s", leave, a)
		w.rest(ctx, w.between(time.Second, 4*time.Second))
		if err := d.Free(); err != nil {
			return err
		}
	}
	return nil
}

func stepClock(by time.Duration) func(context.Context, *World) error {
	return func(ctx context.Context, w *World) error {
		if err := w.walls["gate"].Set(by); err != nil {
			return err
		}
		w.offset = by
		w.rest(ctx, w.between(2*time.Second, 5*time.Second))
		if w.dice.IntN(2) == 0 { // and a restart under the wrong time
			if err := w.killGate(ctx, "killed with a wrong clock", 0); err != nil {
				return err
			}
		}
		return nil
	}
}

func stepConsole(ctx context.Context, w *World) error {
	by := []time.Duration{-10 * time.Minute, 10 * time.Minute}[w.dice.IntN(2)]
	a := w.any()
	w.Decide(ctx, a, "before its clock is set")
	if err := w.walls[a.Account()].Set(by); err != nil {
		return err
	}
	w.rest(ctx, w.between(2*time.Second, 5*time.Second))
	w.Decide(ctx, a, "after its clock was set")
	return nil
}

func loseNTP(ctx context.Context, w *World) error {
	if err := os.WriteFile(w.Stage.Path("ntp"), []byte("free"), 0o644); err != nil {
		return err
	}
	w.rest(ctx, w.between(3*time.Second, 6*time.Second))
	return os.WriteFile(w.Stage.Path("ntp"), []byte("ntp"), 0o644)
}

// signalWorkers sends a signal to the processes of the vision worker, once there
// is one, and says how many there were.
func (w *World) signalWorkers(ctx context.Context, s syscall.Signal) (n int, err error) {
	ctx, cancel := context.WithTimeout(ctx, starts)
	defer cancel()
	err = stage.Until(ctx, "a vision worker", func() (bool, error) {
		for _, pid := range w.Stage.Pids("gatehouse-vision") {
			if syscall.Kill(pid, s) == nil {
				n++
			}
		}
		return n > 0, nil
	})
	return n, err
}

func killWorker(ctx context.Context, w *World) error {
	for range 4 {
		n, err := w.signalWorkers(ctx, syscall.SIGKILL)
		if err != nil {
			return err
		}
		w.say("%d workers are killed", n)
		w.rest(ctx, w.between(500*time.Millisecond, 2*time.Second))
	}
	return nil
}

func hangWorker(ctx context.Context, w *World) error {
	n, err := w.signalWorkers(ctx, syscall.SIGSTOP)
	if err != nil {
		return err
	}
	w.say("%d workers are stopped", n)
	w.rest(ctx, w.between(4*time.Second, 8*time.Second))
	for _, pid := range w.Stage.Pids("gatehouse-vision") {
		_ = syscall.Kill(pid, syscall.SIGCONT) // the daemon may have ended it meanwhile
	}
	return nil
}

// poisonWorker has pictures come that are made to harm who opens them.
func poisonWorker(ctx context.Context, w *World) error {
	kinds := []string{"image-huge", "image-truncated", "image-corrupt", "image-empty"}
	for _, i := range w.dice.Perm(len(kinds))[:2] {
		device := []string{"camera", "xray"}[w.dice.IntN(2)]
		if _, err := w.Stage.Output(ctx, "gatesim", "fault", kinds[i], "--state", w.Stage.Path("sim"), "--lane", "01", "--device", device); err != nil {
			return err
		}
		w.rest(ctx, 5*time.Second)
	}
	return nil
}

func loseModel(ctx context.Context, w *World) error {
	link, away := filepath.Join(w.Stage.Path("bin"), "models"), filepath.Join(w.Stage.Path("bin"), "models.away")
	if err := os.Rename(link, away); err != nil {
		return err
	}
	if _, err := w.signalWorkers(ctx, syscall.SIGKILL); err != nil {
		return err
	}
	w.rest(ctx, w.between(3*time.Second, 6*time.Second))
	return os.Rename(away, link)
}

// reload changes the gate's configuration and has the daemon read it.
func (w *World) reload(change func(string) string) error {
	path := w.Stage.Path("gate.yaml")
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	changed := change(string(text))
	if changed == string(text) {
		return fmt.Errorf("the change of the configuration changes nothing; adapt the harness")
	}
	if err := os.WriteFile(path, []byte(changed), 0o644); err != nil {
		return err
	}
	w.Daemon.Hangup()
	return nil
}

func (w *World) inOutage(ctx context.Context, do func() error) error {
	w.cables["gate"].Cut()
	w.Decide(ctx, w.any(), "in an outage")
	w.rest(ctx, w.between(500*time.Millisecond, 2*time.Second))
	if err := do(); err != nil {
		return err
	}
	w.rest(ctx, w.between(time.Second, 3*time.Second))
	w.cables["gate"].Mend()
	return nil
}

func reconfigure(ctx context.Context, w *World) error {
	return w.inOutage(ctx, func() error {
		return w.reload(func(s string) string { return strings.Replace(s, "speed_kmh: 20", "speed_kmh: 25", 1) })
	})
}

var bagTags = regexp.MustCompile(`(?m)^      - id: barcode # bag tags\n(        .*\n|          .*\n)+`)

// removeDevice takes a device out of the configuration; what it had sent stays.
func removeDevice(ctx context.Context, w *World) error {
	d := account.Device{Lane: "02", Name: "barcode"}
	began := time.Now()
	err := w.inOutage(ctx, func() error {
		return w.reload(func(s string) string { return bagTags.ReplaceAllString(s, "") })
	})
	w.Window(account.Window{From: w.heard(d, began), To: time.Now().Add(time.Hour), Device: d, What: "removed"})
	w.removed = append(w.removed, d)
	return err
}
