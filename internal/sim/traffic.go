package sim

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"gatehouse/internal/sim/book"
	"gatehouse/internal/sim/fault"
	"gatehouse/internal/sim/scenario"
)

// zones are the instruments' places, as one group passes them on to the next:
// each channel is closed when the group before has left.
type zones struct{ portal, beam chan struct{} }

func newZones() zones { return zones{make(chan struct{}), make(chan struct{})} }

// traffic sends lorries until enough have come or ctx ends, and returns when
// the last of them is through.
func (l *lane) traffic(ctx context.Context) error {
	arriving := ctx
	if l.set.Duration > 0 {
		var cancel context.CancelFunc
		arriving, cancel = context.WithTimeout(ctx, l.set.Duration)
		defer cancel()
	}
	var groups sync.WaitGroup
	defer groups.Wait()
	before := newZones()
	close(before.portal)
	close(before.beam)
	var failed failures
	coming, err := l.next(1)
	for nth := 1; err == nil && (l.set.Count == 0 || nth <= l.set.Count); {
		if l.pace.Sleep(arriving, coming.Headway) != nil {
			break
		}
		coming.Follows = "" // nobody is there to follow
		group := []*journey{l.depart(coming)}
		nth++
		for l.set.Count == 0 || nth <= l.set.Count {
			if coming, err = l.next(nth); err != nil {
				break
			}
			if follows := l.follows(group[0].plan, coming); follows != "" && len(group) < 3 {
				coming.Follows = follows
				group = append(group, l.depart(coming))
				nth++
				continue
			}
			break
		}
		after := newZones()
		from := before
		groups.Go(func() { failed.add(l.convoy(ctx, group, from, after)) })
		before = after
		// A lane takes no more lorries than its portal can: the next one waits
		// outside, where no instrument sees it.
		select {
		case <-from.portal:
		case <-ctx.Done():
		}
		if failed.any() {
			break
		}
	}
	groups.Wait()
	return errors.Join(err, failed.err())
}

// next plans the nth lorry of the run. Its number is not taken yet.
func (l *lane) next(nth int) (scenario.Vehicle, error) {
	s := l.set.Scenario
	return s.Vehicle(l.book.Lane(l.set.Scenario.Lane).Vehicles()+1, nth, s.Seed, l.fonts.Chinese()), nil
}

// follows says how the coming lorry belongs to a group, if it does: as planned,
// or because somebody asked for it live.
func (l *lane) follows(leader, coming scenario.Vehicle) string {
	if coming.Follows != "" {
		return coming.Follows
	}
	for _, how := range []string{scenario.TailGate, scenario.BackToBack} {
		if l.board.Take(fault.RPM, how, leader.Number) {
			return how
		}
	}
	return ""
}

// journey is one lorry under way.
type journey struct {
	plan  scenario.Vehicle
	name  string
	truth book.Truth
}

// depart takes the lorry's number and notes that it is under way.
func (l *lane) depart(plan scenario.Vehicle) *journey {
	l.mu.Lock()
	l.started++
	nth := l.started
	l.mu.Unlock()
	// A failure to write is sticky in the book and ends the run.
	number, _ := l.book.Lane(l.set.Scenario.Lane).NextVehicle()
	plan.Number = number
	for _, f := range l.set.Scenario.Faults {
		if f.Vehicle == nth {
			l.setPlanned(f, number)
		}
	}
	j := &journey{plan: plan, name: fault.VehicleName(number)}
	class := "none"
	switch {
	case plan.GammaSigma > 0 && plan.NeutronSigma > 0:
		class = "both"
	case plan.NeutronSigma > 0:
		class = "neutron"
	case plan.GammaSigma > 0:
		class = "gamma"
	}
	j.truth = book.Truth{
		Vehicle: j.name, Kind: plan.Layout, Plate: plan.Plate.Text, Display: plan.Plate.Display, Rows: plan.Plate.Rows(),
		Country: plan.Plate.Country, View: "front", Scene: string(plan.Light), Follows: plan.Follows == scenario.TailGate,
		Reverse: plan.Reverse, Declare: plan.Declare, Began: time.Now().UTC(),
		Rad:  book.Radiation{Class: class, GammaSigma: plan.GammaSigma, NeutronSigma: plan.NeutronSigma, Shielding: plan.Shielding},
		Scan: book.Scan{Load: plan.Load, Threat: plan.Threat != "", Boxes: [][4]int{}},
	}
	_ = l.book.Begin(j.truth)
	return j
}

// touched notes a fault that spoilt something of this lorry.
func (j *journey) touched(device string, names ...string) {
	for _, n := range names {
		j.truth.Faults = append(j.truth.Faults, device+"/"+n)
	}
}

// arrive finishes the lorry's truth.
func (l *lane) arrive(j *journey, cut bool) error {
	j.truth.Ended, j.truth.Cut = time.Now().UTC(), cut
	for _, a := range l.board.Windows(j.truth.Began) {
		j.touched(a.Device, a.Fault)
	}
	l.mu.Lock()
	if cut {
		l.sum.Cut++
	} else {
		l.sum.Vehicles++
	}
	if j.truth.Rad.GammaAlarm {
		l.sum.GammaAlarms++
	}
	if j.truth.Rad.NeutronAlarm {
		l.sum.NeutronAlarm++
	}
	if j.truth.Scan.Threat {
		l.sum.Threats++
	}
	l.mu.Unlock()
	return l.book.Finish(j.truth)
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
	return fmt.Errorf("a lorry could not be played: %w", errors.Join(f.list...))
}
