package sim

import (
	"cmp"
	"context"
	"sync"
	"time"

	"gatehouse/internal/sim/fault"
	"gatehouse/internal/sim/portal"
	"gatehouse/internal/sim/scenario"
)

const (
	// backsOut is which part of its time in the portal a reversing lorry stays.
	backsOut = 0.4
	// reversing is how long it is gone before it comes again.
	reversing = 4 * time.Second
	// ahead is how long before it reaches the portal a tail-gater is seen.
	ahead = time.Second
)

// convoy takes a group through the lane.
func (l *lane) convoy(ctx context.Context, group []*journey, before, after zones) (err error) {
	leavePortal, leaveBeam := sync.OnceFunc(func() { close(after.portal) }), sync.OnceFunc(func() { close(after.beam) })
	leaveBridge := sync.OnceFunc(func() { close(after.bridge) })
	defer func() {
		leavePortal()
		leaveBeam()
		leaveBridge()
		for _, j := range group {
			if finish := l.arrive(j, err != nil); err == nil {
				err = finish
			}
		}
	}()
	var aside sync.WaitGroup
	defer aside.Wait()
	l.drawAhead(group, &aside)
	if err := await(ctx, before.portal); err != nil {
		return err
	}
	if group[0].course.WrongWay {
		// Whoever came before is out of the lane first.
		if err := await(ctx, before.bridge); err != nil {
			return err
		}
		return l.against(ctx, group[0])
	}
	var failed failures
	var free <-chan struct{} = before.bridge
	// Whoever has left the portal drives on, also while the one behind is in it.
	through := make(chan *journey, len(group))
	onward := make(chan error, 1)
	go func() {
		var err error
		for j := range through {
			if err == nil {
				free, err = l.onward(ctx, j, before, free, &aside, &failed)
			}
		}
		onward <- err
	}()
	err = l.portal(ctx, group, before, through)
	close(through)
	if err == nil {
		leavePortal()
	}
	if err = cmp.Or(err, <-onward); err != nil {
		return err
	}
	leaveBeam()
	if err := await(ctx, free); err != nil {
		return err
	}
	leaveBridge() // images may come later
	aside.Wait()
	if err := failed.err(); err != nil {
		return err
	}
	return ctx.Err()
}

// onward takes one from the portal through the beam, and aside over the bridge
// once that is free. It gives what tells when the one behind may have the
// bridge.
func (l *lane) onward(ctx context.Context, j *journey, before zones, free <-chan struct{}, aside *sync.WaitGroup, failed *failures) (<-chan struct{}, error) {
	if err := l.pace.Sleep(ctx, j.toBeam()); err != nil {
		return free, err
	}
	if err := await(ctx, before.beam); err != nil {
		return free, err
	}
	if err := l.beam(ctx, j, aside, failed); err != nil {
		return free, err
	}
	left := make(chan struct{})
	aside.Go(func() {
		defer close(left)
		if await(ctx, free) == nil {
			failed.add(l.exit(ctx, j))
		}
	})
	return left, nil
}

// toBeam is how long the way from the portal to the beam takes; who has no bag
// does not go to the belt.
func (j *journey) toBeam() time.Duration {
	if j.person != nil && len(j.person.Bags) == 0 {
		return 0
	}
	return j.course.Drive
}

func await(ctx context.Context, free <-chan struct{}) error {
	select {
	case <-free:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// portal takes the group through the radiation portal. A traveller is let in
// once the one before has taken all bags off the belt: nothing on a bag says
// whose it is.
func (l *lane) portal(ctx context.Context, group []*journey, before zones, through chan<- *journey) error {
	leader := group[0]
	if v := leader.vehicle; v != nil && (v.Reverse || l.take(leader, fault.RPM, "reverse")) {
		leader.truth.Reverse = true
		if err := l.backOut(ctx, leader); err != nil {
			return err
		}
	}
	if err := l.announce(leader); err != nil {
		return err
	}
	if err := l.pace.Sleep(ctx, leader.course.Approach); err != nil {
		return err
	}
	if leader.person != nil {
		if err := await(ctx, before.bridge); err != nil {
			return err
		}
	}
	for len(group) > 0 {
		n := 1
		for n < len(group) && group[n].course.Follows == scenario.TailGate {
			n++
		}
		var coming *journey // enters back to back, so it is seen meanwhile
		if n < len(group) {
			coming = group[n]
		}
		if err := l.occupy(ctx, group[:n], coming); err != nil {
			return err
		}
		for _, j := range group[:n] {
			through <- j
		}
		group = group[n:]
	}
	return nil
}

// announce is what happens before the portal: a lorry is photographed, a
// traveller shows a document.
func (l *lane) announce(j *journey) error {
	if j.vehicle != nil {
		return l.photograph(j, scenario.Camera)
	}
	if l.papers != nil && !j.away(scenario.MRZ) {
		l.papers.Read(j.name, j.person.Document.Lines()...)
	}
	return nil
}

// backOut is a first try: photo, a short occupancy, out again.
func (l *lane) backOut(ctx context.Context, j *journey) error {
	if err := l.announce(j); err != nil {
		return err
	}
	if err := l.pace.Sleep(ctx, j.course.Approach); err != nil {
		return err
	}
	part := j.part()
	part.Lasts = time.Duration(float64(part.Lasts) * backsOut)
	part.GammaSigma, part.NeutronSigma = 0, 0 // the load did not come in
	part.Seed++
	if _, err := l.monitor.Occupy(ctx, portal.Pass{Parts: []portal.Part{part}}); err != nil {
		return err
	}
	return l.pace.Sleep(ctx, reversing)
}

func (j *journey) part() portal.Part {
	c := j.course
	return portal.Part{
		Passage: j.name, Seed: c.Seed, Lasts: c.Portal, SpeedKMH: c.SpeedKMH, Shielding: c.Shielding,
		GammaSigma: c.GammaSigma, NeutronSigma: c.NeutronSigma, Humps: c.Humps,
	}
}

// occupy is one occupancy with those in it. Those that tail-gate, and the one
// coming next back to back, are seen while it lasts.
func (l *lane) occupy(ctx context.Context, inside []*journey, coming *journey) error {
	var seen sync.WaitGroup
	defer seen.Wait()
	var failed failures
	pass := portal.Pass{}
	var passed time.Duration
	look := func(j *journey, at time.Duration) {
		seen.Go(func() {
			if l.pace.Sleep(ctx, max(0, at-ahead)) == nil {
				failed.add(l.announce(j))
			}
		})
	}
	for i, j := range inside {
		if i > 0 {
			look(j, passed)
		}
		pass.Parts = append(pass.Parts, j.part())
		pass.NoGX = pass.NoGX || j.course.NoGX || l.take(j, fault.RPM, "no-gx")
		pass.High, pass.Open = pass.High || j.course.Background, pass.Open || j.course.Tamper
		passed += j.course.Portal
	}
	if coming != nil {
		look(coming, passed)
	}
	out, err := l.monitor.Occupy(ctx, pass)
	seen.Wait()
	if err != nil {
		return err
	}
	for i, j := range inside {
		r := &j.truth.Rad
		r.Occupancy, r.GammaAlarm, r.NeutronAlarm = out[i].Number, out[i].GammaAlarm, out[i].NeutronAlarm
		r.Samples, r.MaxSigma = out[i].Samples, out[i].MaxSigma
	}
	return failed.err()
}

// beam takes one through the scanner: a lorry itself, a traveller's bags.
func (l *lane) beam(ctx context.Context, j *journey, aside *sync.WaitGroup, failed *failures) error {
	if j.person != nil && len(j.person.Bags) == 0 {
		return nil
	}
	if l.scanner == nil || j.away(scenario.XRay) {
		return l.pace.Sleep(ctx, j.course.Beam)
	}
	if j.vehicle != nil {
		return l.scan(ctx, j, l.cargo(j), &j.truth.Scan, aside, failed)
	}
	for i := range j.person.Bags {
		if err := l.scan(ctx, j, l.baggage(j, i), &j.truth.Bags[i].Scan, aside, failed); err != nil {
			return err
		}
	}
	return nil
}
