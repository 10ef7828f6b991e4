package sim

import (
	"context"
	"fmt"
	"sync"
	"time"

	"gatehouse/internal/sim/fault"
	"gatehouse/internal/sim/portal"
	"gatehouse/internal/sim/render"
	"gatehouse/internal/sim/scanner"
	"gatehouse/internal/sim/scenario"
)

const (
	// backsOut is which part of its time in the portal a reversing lorry stays.
	backsOut = 0.4
	// reversing is how long it is gone before it comes again.
	reversing = 4 * time.Second
	// ahead is how long before its nose reaches the portal a tail-gater's photo
	// is taken.
	ahead = time.Second
)

// convoy takes a group through the lane.
func (l *lane) convoy(ctx context.Context, group []*journey, before, after zones) (err error) {
	leavePortal, leaveBeam := sync.OnceFunc(func() { close(after.portal) }), sync.OnceFunc(func() { close(after.beam) })
	defer func() {
		leavePortal()
		leaveBeam()
		for _, j := range group {
			if finish := l.arrive(j, err != nil); err == nil {
				err = finish
			}
		}
	}()
	if err := await(ctx, before.portal); err != nil {
		return err
	}
	if err := l.portal(ctx, group); err != nil {
		return err
	}
	leavePortal()
	var deliveries sync.WaitGroup
	defer deliveries.Wait()
	var failed failures
	for _, j := range group {
		if err := l.pace.Sleep(ctx, j.plan.Drive); err != nil {
			return err
		}
		if err := await(ctx, before.beam); err != nil {
			return err
		}
		shot, err := l.scanner.Scan(ctx, l.job(j))
		if err != nil {
			return err
		}
		j.truth.Scan.ID, j.truth.Scan.Result = shot.ID, shot.Result
		j.touched(fault.XRay, shot.Faults...)
		if shot.ID == "" {
			j.touched(fault.XRay, "not-scanned:"+shot.State)
		}
		deliveries.Go(func() { failed.add(l.deliver(ctx, j, shot)) })
	}
	leaveBeam()
	deliveries.Wait()
	if err := failed.err(); err != nil {
		return err
	}
	return ctx.Err()
}

func await(ctx context.Context, free <-chan struct{}) error {
	select {
	case <-free:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// portal photographs the group and takes it through the radiation portal.
func (l *lane) portal(ctx context.Context, group []*journey) error {
	leader := group[0]
	if leader.plan.Reverse || l.board.Take(fault.RPM, "reverse", leader.plan.Number) {
		leader.truth.Reverse = true
		if err := l.backOut(ctx, leader); err != nil {
			return err
		}
	}
	if err := l.photograph(leader); err != nil {
		return err
	}
	if err := l.pace.Sleep(ctx, leader.plan.Approach); err != nil {
		return err
	}
	for len(group) > 0 {
		n := 1
		for n < len(group) && group[n].plan.Follows == scenario.TailGate {
			n++
		}
		var coming *journey // enters back to back, so it is photographed meanwhile
		if n < len(group) {
			coming = group[n]
		}
		if err := l.occupy(ctx, group[:n], coming); err != nil {
			return err
		}
		group = group[n:]
	}
	return nil
}

// backOut is a first try: photo, a short occupancy, out again.
func (l *lane) backOut(ctx context.Context, j *journey) error {
	if err := l.photograph(j); err != nil {
		return err
	}
	if err := l.pace.Sleep(ctx, j.plan.Approach); err != nil {
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
	return portal.Part{
		Passage: j.name, Seed: j.plan.Seed, Lasts: j.plan.Portal, SpeedKMH: j.plan.SpeedKMH, Shielding: j.plan.Shielding,
		GammaSigma: j.plan.GammaSigma, NeutronSigma: j.plan.NeutronSigma, Humps: j.plan.Humps,
	}
}

// occupy is one occupancy with the lorries in it. Those that tail-gate, and the
// one coming next back to back, are photographed while it lasts.
func (l *lane) occupy(ctx context.Context, inside []*journey, coming *journey) error {
	var photos sync.WaitGroup
	defer photos.Wait()
	var failed failures
	pass := portal.Pass{}
	var passed time.Duration
	snap := func(j *journey, at time.Duration) {
		photos.Go(func() {
			if l.pace.Sleep(ctx, max(0, at-ahead)) == nil {
				failed.add(l.photograph(j))
			}
		})
	}
	for i, j := range inside {
		if i > 0 {
			snap(j, passed)
		}
		pass.Parts = append(pass.Parts, j.part())
		pass.NoGX = pass.NoGX || j.plan.NoGX
		if l.board.Take(fault.RPM, "no-gx", j.plan.Number) {
			pass.NoGX = true
			j.touched(fault.RPM, "no-gx")
		}
		passed += j.plan.Portal
	}
	if coming != nil {
		snap(coming, passed)
	}
	out, err := l.monitor.Occupy(ctx, pass)
	photos.Wait()
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

// photograph takes the lorry's picture and gives it to the camera.
func (l *lane) photograph(j *journey) error {
	if l.camera == nil {
		return nil
	}
	if l.board.Take(fault.Camera, "capture-missing", j.plan.Number) {
		j.touched(fault.Camera, "capture-missing")
		return nil
	}
	picture, err := l.picture(j)
	if err != nil {
		return err
	}
	taken, err := l.camera.Capture(j.plan.Number, j.name, j.truth.View, picture)
	if err != nil {
		return err
	}
	j.truth.Event, j.truth.Photo = taken.EventID, taken.Photo
	j.touched(fault.Camera, taken.Faults...)
	return nil
}

func (l *lane) picture(j *journey) ([]byte, error) {
	if n := len(l.set.Album); n > 0 && j.plan.RealPhoto < l.set.Share {
		p := l.set.Album[j.plan.Seed%uint64(n)]
		j.truth.Plate, j.truth.Display, j.truth.Rows, j.truth.Box, j.truth.Scene = p.Text, p.Text, p.Rows, p.Box, p.File
		return p.Read()
	}
	photo, err := render.Photograph(l.fonts, render.Scene{
		Seed: j.plan.Seed, Plate: j.plan.Plate, Light: j.plan.Light, Dirty: l.board.On(fault.Camera, "dirty-lens"),
	})
	if err != nil {
		return nil, fmt.Errorf("draw the lorry: %w", err)
	}
	b := photo.Box
	j.truth.Box = []int{b.Min.X, b.Min.Y, b.Dx(), b.Dy()}
	return photo.JPEG, nil
}

// job is the lorry as the scanner sees it.
func (l *lane) job(j *journey) scanner.Job {
	return scanner.Job{
		Vehicle: j.plan.Number, Passage: j.name, Lasts: j.plan.Beam, Cut: j.plan.Cut,
		Render: func(share float64) (scanner.Image, error) {
			scan, err := render.XRay(render.Cargo{Seed: j.plan.Seed, Layout: j.plan.Layout, Load: j.plan.Load, Threat: j.plan.Threat}, share, false)
			if err != nil {
				return scanner.Image{}, err
			}
			t := &j.truth.Scan
			t.State, t.Fill = scan.State, scan.Fill
			for _, b := range scan.Boxes {
				t.Boxes = append(t.Boxes, [4]int{b.Min.X, b.Min.Y, b.Dx(), b.Dy()})
				t.Kinds = append(t.Kinds, j.plan.Threat)
			}
			return scanner.Image{
				PNG: scan.High, Width: scan.Size.Dx(), Height: scan.Size.Dy(),
				AirLevel: render.AirLevel, MMPerPixel: render.MMPerPixel,
			}, nil
		},
	}
}

// deliver leaves the image when the scanner has made it.
func (l *lane) deliver(ctx context.Context, j *journey, shot scanner.Shot) error {
	if err := l.pace.Sleep(ctx, j.plan.Image); err != nil {
		return err
	}
	left, err := l.scanner.Deliver(ctx, shot)
	j.truth.Scan.Image = left.Image
	j.touched(fault.XRay, left.Faults...)
	return err
}
