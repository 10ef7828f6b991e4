package sim

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"gatehouse/internal/sim/fault"
	"gatehouse/internal/sim/scenario"
)

// zones are the instruments' places, as one group passes them on to the next:
// each channel is closed when the group before has left.
type zones struct{ portal, beam, bridge chan struct{} }

func newZones() zones { return zones{make(chan struct{}), make(chan struct{}), make(chan struct{})} }

func freeZones() zones {
	z := newZones()
	close(z.portal)
	close(z.beam)
	close(z.bridge)
	return z
}

// traffic sends lorries or travellers until enough have come or ctx ends, and
// returns when the last of them is through.
func (l *lane) traffic(ctx context.Context) error {
	arriving := ctx
	if l.set.Duration > 0 {
		var cancel context.CancelFunc
		arriving, cancel = context.WithTimeout(ctx, l.set.Duration)
		defer cancel()
	}
	var groups sync.WaitGroup
	defer groups.Wait()
	older, before := freeZones(), freeZones()
	var failed failures
	coming, err := l.next(1)
	for nth := 1; err == nil && (l.set.Count == 0 || nth <= l.set.Count); {
		if l.pace.Sleep(arriving, coming.course.Headway) != nil {
			break
		}
		coming.course.Follows = "" // nobody is there to follow
		group := []*journey{coming}
		if err = l.depart(coming); err != nil {
			break
		}
		nth++
		for l.set.Count == 0 || nth <= l.set.Count {
			if coming, err = l.next(nth); err != nil {
				break
			}
			if follows := l.follows(group[0], coming); follows != "" && len(group) < 3 {
				coming.course.Follows = follows
				if err = l.depart(coming); err != nil {
					break
				}
				group = append(group, coming)
				nth++
				continue
			}
			break
		}
		after, from := newZones(), before
		groups.Go(func() { failed.add(l.convoy(ctx, group, from, after)) })
		// A lane takes no more than its portal can, and no more than one group
		// between portal and exit: the next one waits outside, where no instrument
		// sees it.
		free := []<-chan struct{}{from.portal, older.bridge}
		older, before = before, after
		for _, zone := range free {
			select {
			case <-zone:
			case <-ctx.Done():
			}
		}
		if failed.any() {
			break
		}
	}
	groups.Wait()
	return errors.Join(err, failed.err())
}

// next plans the nth of the run and takes its number.
func (l *lane) next(nth int) (*journey, error) {
	ofLane := l.page.Vehicles() + 1
	number, err := l.page.NextVehicle()
	if err != nil {
		return nil, err
	}
	for _, f := range l.set.Scenario.Faults {
		if f.Lane == l.plan.ID && f.Vehicle == nth {
			l.setPlanned(f, number)
		}
	}
	j := &journey{name: fault.VehicleName(number)}
	if l.plan.Kind == scenario.KindPerson {
		p := l.plan.Person(ofLane, nth, l.seed, time.Now())
		j.person, j.course = &p, &p.Course
	} else {
		v := l.plan.Vehicle(ofLane, nth, l.seed, l.fonts.Chinese())
		j.vehicle, j.course = &v, &v.Course
	}
	j.course.Number = number
	l.replan(j)
	return j, l.list(j)
}

// replan changes a plan by the faults on the board that are about what somebody
// bears; they are taken while it waits for its turn, or live just before.
func (l *lane) replan(j *journey) (changed bool) {
	take := func(device, name string) bool {
		used := l.board.Take(device, name, j.course.Number)
		if used {
			j.touched(device, name)
			changed = true
		}
		return used
	}
	if take(scenario.RPM, "wrong-way") {
		j.course.WrongWay = true
	}
	if v := j.vehicle; v != nil {
		for _, name := range []string{"look-alike", "plate-foreign"} {
			if take(scenario.Camera, name) {
				l.plan.Replan(v, name, l.fonts.Chinese())
			}
		}
		for _, name := range []string{"container-ten", "container-check"} {
			if take(scenario.Barcode, name) {
				l.plan.Replan(v, name, l.fonts.Chinese())
			}
		}
		return changed
	}
	for name, flaw := range map[string]string{"mrz-ocr": "ocr", "document-expired": "expired", "document-check": "check", "cccd-extra": "extra"} {
		if take(scenario.MRZ, name) {
			j.person.Redo(flaw, time.Now())
		}
	}
	return changed
}

// list puts a lorry that is expected onto the list.
func (l *lane) list(j *journey) error {
	if j.vehicle == nil || j.vehicle.Listed.Plate == "" || j.vehicle.Unlisted {
		return nil
	}
	err := l.lists.put(j.vehicle.Listed, j.listed)
	j.listed = true
	return err
}

// follows says how the coming one belongs to a group, if it does: as planned,
// or because somebody asked for it live.
func (l *lane) follows(leader, coming *journey) string {
	switch {
	case leader.course.WrongWay || coming.course.WrongWay:
		return ""
	case coming.course.Follows != "":
		return coming.course.Follows
	}
	for _, how := range []string{scenario.TailGate, scenario.BackToBack} {
		if l.board.Take(fault.RPM, how, leader.course.Number) {
			return how
		}
	}
	return ""
}

// failures gathers the errors of groups.
type failures struct {
	mu   sync.Mutex
	list []error
}

func (f *failures) add(err error) {
	if err == nil || errors.Is(err, context.Canceled) {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.list = append(f.list, err)
}

func (f *failures) any() bool { return f.err() != nil }

func (f *failures) err() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.list) == 0 {
		return nil
	}
	return fmt.Errorf("a passage could not be played: %w", errors.Join(f.list...))
}
