package lease

import (
	"context"
	"errors"
	"slices"
	"time"

	"gatehouse/internal/driver"
	"gatehouse/internal/event"
	"gatehouse/internal/fault"
)

// desk is one device's: its lease, and what is to be done at it one after the
// other. The keeper's mu guards it.
type desk struct {
	keeper *Keeper
	where  event.Where
	lease  Lease
	last   event.ControlChange // that left the lease as it is
	tasks  []task
	busy   bool        // a goroutine works on tasks
	timer  *time.Timer // at the end of the lease; nil without one
}

// task is a command, or a look whether the lease is over.
type task struct {
	command event.Command
	expiry  bool
	full    bool                       // too many waited when it came
	result  chan<- event.ControlChange // may be nil; takes one without blocking
}

// put gives the desk something to do; the caller holds mu.
func (d *desk) put(t task) {
	d.keeper.work.Add(1)
	t.full = len(d.tasks) >= most
	d.tasks = append(d.tasks, t)
	if d.busy {
		return
	}
	d.busy = true
	go d.run()
}

// run works until nothing is left.
func (d *desk) run() {
	k := d.keeper
	for {
		k.mu.Lock()
		if len(d.tasks) == 0 {
			d.busy = false
			k.mu.Unlock()
			return
		}
		t := d.tasks[0]
		d.tasks = slices.Delete(d.tasks, 0, 1)
		k.mu.Unlock()
		if t.expiry {
			d.expire()
		} else {
			d.carryOut(t)
		}
		k.work.Done()
	}
}

// carryOut decides on a command, gives it to the device, and answers.
func (d *desk) carryOut(t task) {
	k, c := d.keeper, t.command
	now := k.config.Now()
	dev := k.config.Device(c.Lane, c.Device)
	code := void(c, dev, now)
	if t.full {
		code = event.ControlFull
	}
	if code == "" {
		if _, over := d.over(now); over {
			d.expire() // told before what comes after it
		}
		code = d.decide(c, now)
	}
	answer := k.answer(c, now)
	answer.Outcome, answer.Code, answer.Why = event.ControlDone, code, why(code)
	switch {
	case code != "":
		answer.Outcome = event.ControlRefused
		if code == event.ControlHeld {
			answer.Why = heldBy(d.holder())
		}
	case c.Verb == event.ControlRelease:
		answer.Code, answer.Why = d.toRed(dev)
	case !c.Verb.Leases():
		k.config.Fault.Hit(fault.ControlBeforeCommand)
		ctx, cancel := context.WithTimeout(k.life, deviceTime)
		err := dev.Command(ctx, c.Verb)
		cancel()
		k.config.Fault.Hit(fault.ControlAfterCommand)
		answer.Outcome, answer.Code, answer.Why = outcome(err)
	}
	if d.tell(answer) { // from now on the shared record knows it
		k.mu.Lock()
		delete(k.seen, c.ID)
		k.mu.Unlock()
	}
	if t.result != nil {
		t.result <- d.stamp(answer)
	}
}

// void says why a command cannot be carried out by anybody; empty when it can.
func void(c event.Command, dev Device, now time.Time) string {
	switch {
	case now.Sub(c.At).Abs() > event.CommandValidity:
		return event.ControlStale
	case dev == nil:
		return event.ControlNoDevice
	case !slices.Contains(event.ControlVerbs(), c.Verb):
		return event.ControlNoVerb
	case c.Force && c.Reason == "":
		return event.ControlNoReason
	}
	return ""
}

// decide asks the lease, and renews or ends it.
func (d *desk) decide(c event.Command, now time.Time) (code string) {
	k := d.keeper
	k.mu.Lock()
	defer k.mu.Unlock()
	switch c.Verb {
	case event.ControlTake:
		code = d.lease.Take(c.Agency, c.Force, now)
	case event.ControlRelease:
		code = d.lease.Release(c.Agency, now)
	default:
		code = d.lease.Use(c.Agency, now)
	}
	d.watch()
	return code
}

func (d *desk) holder() event.Agency {
	d.keeper.mu.Lock()
	defer d.keeper.mu.Unlock()
	return d.lease.Holder
}

// over tells whether the lease's time is over, without ending it.
func (d *desk) over(now time.Time) (event.Agency, bool) {
	d.keeper.mu.Lock()
	defer d.keeper.mu.Unlock()
	l := d.lease
	return l.Expire(now)
}

// watch sets the timer to the lease's end; the caller holds mu.
func (d *desk) watch() {
	d.idle()
	if d.lease.Holder == "" || d.keeper.ending {
		return
	}
	d.timer = time.AfterFunc(d.lease.Until.Sub(d.keeper.config.Now()), func() {
		d.keeper.mu.Lock()
		defer d.keeper.mu.Unlock()
		if !d.keeper.ending {
			d.put(task{expiry: true})
		}
	})
}

// idle ends the timer; the caller holds mu.
func (d *desk) idle() {
	if d.timer != nil {
		d.timer.Stop()
		d.timer = nil
	}
}

// expire ends a lease whose time is over, with a red light.
func (d *desk) expire() {
	k := d.keeper
	k.mu.Lock()
	held := d.last
	_, over := d.lease.Expire(k.config.Now())
	d.watch()
	k.mu.Unlock()
	if !over {
		return
	}
	change := k.ended(held, event.ControlExpired)
	if code, _ := d.toRed(k.config.Device(d.where.Lane, d.where.Device)); code != "" {
		change.Why = expiredOffline()
	}
	d.tell(change)
}

// toRed turns the light red where nobody has control any more. A device that
// cannot be reached does so by itself when its line is opened again.
func (d *desk) toRed(dev Device) (code string, text event.Text) {
	if dev == nil {
		return "", event.Text{}
	}
	ctx, cancel := context.WithTimeout(d.keeper.life, deviceTime)
	defer cancel()
	if err := dev.Command(ctx, event.ControlRed); err != nil {
		return event.ControlOffline, redLater()
	}
	return "", event.Text{}
}

// stamp puts the lease as it is now into a change.
func (d *desk) stamp(c event.ControlChange) event.ControlChange {
	d.keeper.mu.Lock()
	defer d.keeper.mu.Unlock()
	c.Holder, c.Since, c.Until = d.lease.Holder, d.lease.Since.UTC(), d.lease.Until.UTC()
	if c.Holder == "" {
		c.Since, c.Until = time.Time{}, time.Time{}
	}
	return c
}

// tell shares a change with the lease as it is after it, and says whether it
// could.
func (d *desk) tell(c event.ControlChange) bool {
	k := d.keeper
	c = d.stamp(c)
	k.mu.Lock()
	d.last = c
	k.mu.Unlock()
	log := k.config.Log.With("lane", c.Lane, "device", c.Device, "agency", c.Agency, "event_id", c.ID)
	if err := k.say(k.life, c); err != nil {
		log.Error("control change not shared", "verb", c.Verb, "outcome", c.Outcome, "err", err)
		return false
	}
	log.Info("control", "verb", c.Verb, "outcome", c.Outcome, "code", c.Code, "holder", c.Holder)
	return true
}

// outcome is what a device's answer means.
func outcome(err error) (event.ControlOutcome, string, event.Text) {
	if err == nil {
		return event.ControlDone, "", event.Text{}
	}
	if r, ok := errors.AsType[driver.Refusal](err); ok {
		code, text := r.Refusal()
		return event.ControlRefused, code, text
	}
	code := event.ControlBoard
	switch {
	case errors.Is(err, driver.ErrNoCommand):
		code = event.ControlNoVerb
	case errors.Is(err, driver.ErrOffline), errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		code = event.ControlOffline
	default:
		return event.ControlLost, code, why(code)
	}
	return event.ControlRefused, code, why(code)
}
