package sim

import (
	"context"
	"fmt"
	"image"
	"sync"

	"gatehouse/internal/sim/book"
	"gatehouse/internal/sim/fault"
	"gatehouse/internal/sim/paper"
	"gatehouse/internal/sim/portal"
	"gatehouse/internal/sim/render"
	"gatehouse/internal/sim/scale"
	"gatehouse/internal/sim/scanner"
	"gatehouse/internal/sim/scenario"
)

// photograph takes the lorry's picture and gives it to a camera.
func (l *lane) photograph(j *journey, device string) error {
	camera := l.cameras[device]
	if camera == nil || j.away(device) || l.take(j, device, "capture-missing") {
		return nil
	}
	photos, err := l.photos(j, device)
	if err != nil {
		return err
	}
	last := len(photos) - 1
	var earlier [][]byte
	for _, p := range photos[:last] {
		earlier = append(earlier, p.JPEG)
	}
	view := "front"
	if device == scenario.Camera2 {
		view = "rear"
	}
	taken, err := camera.Capture(j.course.Number, j.name, view, photos[last].JPEG, earlier...)
	if err != nil {
		return err
	}
	var burst []book.Shot
	for i, digest := range taken.Burst {
		at := rectangle(photos[i].Box)
		burst = append(burst, book.Shot{Photo: digest, Box: at[:]})
	}
	if view == "rear" {
		j.truth.RearPhoto = taken.Photo
	} else {
		j.truth.Event, j.truth.Photo, j.truth.Burst = taken.EventID, taken.Photo, burst
	}
	j.touched(device, taken.Faults...)
	return nil
}

// photos are what a camera sees of the lorry, the nearest last. They were
// drawn ahead, unless the lens has become dirty or clean since: drawing takes as
// long as driving some metres does in a fast simulation.
func (l *lane) photos(j *journey, device string) ([]render.Photo, error) {
	dirty := l.board.On(device, "dirty-lens")
	if drawn := j.drawn[device]; drawn != nil {
		if p, err := drawn(); err != nil || p.dirty == dirty {
			return p.photos, err
		}
	}
	p, err := l.draw(j, device, dirty)
	return p.photos, err
}

// drawing is the photos of a burst that were drawn ahead, the nearest last.
type drawing struct {
	photos []render.Photo
	dirty  bool // the lens was
}

// shrinks is how much smaller a lorry is on each earlier picture of a burst.
const shrinks = 0.09

// drawAhead begins to draw the pictures of a group of lorries.
func (l *lane) drawAhead(group []*journey, aside *sync.WaitGroup) {
	for _, j := range group {
		if j.vehicle == nil {
			continue
		}
		j.drawn = map[string]func() (drawing, error){}
		for device := range l.cameras {
			dirty := l.board.On(device, "dirty-lens")
			j.drawn[device] = sync.OnceValues(func() (drawing, error) { return l.draw(j, device, dirty) })
		}
	}
	aside.Go(func() {
		for _, j := range group {
			for _, drawn := range j.drawn {
				_, _ = drawn() // whoever takes the picture learns of the error
			}
		}
	})
}

func (l *lane) draw(j *journey, device string, dirty bool) (drawing, error) {
	v := j.vehicle
	scene := render.Scene{Seed: v.Seed, Plate: v.Plate, Light: v.Light, Dirty: dirty}
	if device == scenario.Camera2 {
		scene.Rear, scene.Plate, scene.Seed = true, v.Rear, v.Seed+1
	} else if n := len(l.set.Album); n > 0 && v.RealPhoto < l.set.Share {
		p := l.set.Album[v.Seed%uint64(n)]
		j.tell(func(t *book.Truth) {
			t.Plate, t.Display, t.Rows, t.Box, t.Scene = p.Text, p.Text, p.Rows, p.Box, p.File
		})
		jpeg, err := p.Read()
		return drawing{[]render.Photo{{JPEG: jpeg}}, dirty}, err
	}
	d := drawing{dirty: dirty}
	shots := l.plan.Burst
	if scene.Rear {
		shots = 1
	}
	for i := range shots {
		scene.Away = shrinks * float64(shots-1-i)
		photo, err := render.Photograph(l.fonts, scene)
		if err != nil {
			return drawing{}, fmt.Errorf("draw the lorry: %w", err)
		}
		d.photos = append(d.photos, photo)
	}
	if !scene.Rear {
		at := rectangle(d.photos[len(d.photos)-1].Box)
		j.tell(func(t *book.Truth) { t.Box = at[:] })
	}
	return d, nil
}

// cargo is the lorry as the scanner sees it.
func (l *lane) cargo(j *journey) scanner.Job {
	c, v := j.course, j.vehicle
	return scanner.Job{
		Vehicle: c.Number, Passage: j.name, Lasts: c.Beam, Cut: c.Cut,
		Render: func(share float64) (scanner.Image, error) {
			scan, err := render.XRay(render.Cargo{Seed: c.Seed, Layout: v.Layout, Load: v.Load, Threat: v.Threat}, share, false)
			return l.developed(scan, &j.truth.Scan, v.Threat, render.MMPerPixel), err
		},
	}
}

// developed notes what an image shows.
func (l *lane) developed(scan render.Scan, t *book.Scan, threat string, mmPerPixel float64) scanner.Image {
	t.State, t.Fill = scan.State, scan.Fill
	for _, b := range scan.Boxes {
		t.Boxes = append(t.Boxes, rectangle(b))
		t.Kinds = append(t.Kinds, threat)
	}
	return scanner.Image{PNG: scan.High, Width: scan.Size.Dx(), Height: scan.Size.Dy(), AirLevel: render.AirLevel, MMPerPixel: mmPerPixel}
}

func rectangle(b image.Rectangle) [4]int { return [4]int{b.Min.X, b.Min.Y, b.Dx(), b.Dy()} }

// scan takes a job through the beam and leaves its image aside, when the
// scanner has made it.
func (l *lane) scan(ctx context.Context, j *journey, job scanner.Job, t *book.Scan, aside *sync.WaitGroup, failed *failures) error {
	shot, err := l.scanner.Scan(ctx, job)
	if err != nil {
		return err
	}
	t.ID, t.Result = shot.ID, shot.Result
	j.touched(fault.XRay, shot.Faults...)
	if shot.ID == "" {
		j.touched(fault.XRay, "not-scanned:"+shot.State)
	}
	aside.Go(func() {
		if l.pace.Sleep(ctx, j.course.Image) != nil {
			return
		}
		left, err := l.scanner.Deliver(ctx, shot)
		t.Image = left.Image
		j.touched(fault.XRay, left.Faults...)
		failed.add(err)
	})
	return nil
}

// exit is a lorry on the bridge: it is weighed, hands its codes over and is
// photographed from behind as the barrier lets it out. A traveller's bag tags
// are read.
func (l *lane) exit(ctx context.Context, j *journey) error {
	if j.person != nil {
		return l.collect(ctx, j)
	}
	c, v := j.course, j.vehicle
	if l.scale != nil {
		restless := v.Restless || l.board.On(scenario.Scale, "never-stable")
		err := l.scale.Enter(ctx, scale.Vehicle{
			Passage: j.name, GrossKG: v.GrossKG, Axles: v.Axles, Settles: c.Settle, Mute: j.away(scenario.Scale), Restless: restless,
		})
		if err != nil {
			return err
		}
		if !j.away(scenario.Scale) {
			j.truth.Weight.GrossKG = v.GrossKG
		}
	}
	if l.barrier != nil {
		l.barrier.Stand()
	}
	if err := l.pace.Sleep(ctx, c.Stand/2); err != nil {
		return err
	}
	l.handOver(j)
	if err := l.pace.Sleep(ctx, c.Stand/2); err != nil {
		return err
	}
	return l.leave(ctx, j)
}

// handOver reads the codes that the driver hands out of the window.
func (l *lane) handOver(j *journey) {
	v := j.vehicle
	if l.codes == nil || j.away(scenario.Barcode) {
		return
	}
	l.codes.Read(j.name, paper.AIM("qr", v.Declaration))
	if v.Container != "" {
		l.codes.Read(j.name, paper.AIM("code128", v.Container))
	}
}

// leave lets the lorry out.
func (l *lane) leave(ctx context.Context, j *journey) error {
	var off sync.WaitGroup
	defer off.Wait()
	var failed failures
	start := func() {
		if l.scale != nil {
			off.Go(func() { failed.add(l.scale.Leave(ctx, j.course.Leave)) })
		}
	}
	if l.barrier == nil {
		start()
		off.Wait()
	} else if err := l.barrier.Out(ctx, start); err != nil {
		return err
	}
	failed.add(l.photograph(j, scenario.Camera2))
	off.Wait()
	return failed.err()
}

// against is a lorry or a traveller that comes from the wrong end: the barrier's
// loops, a weight that never rests and the portal see it. Cameras that look for
// what approaches take no picture.
func (l *lane) against(ctx context.Context, j *journey) error {
	if j.vehicle != nil && l.barrier != nil {
		if err := l.barrier.Against(ctx); err != nil {
			return err
		}
	}
	if j.vehicle != nil && l.scale != nil {
		err := l.scale.Enter(ctx, scale.Vehicle{Passage: j.name, GrossKG: j.vehicle.GrossKG, Axles: j.vehicle.Axles, Settles: j.course.Settle, Restless: true})
		if err != nil {
			return err
		}
		if err := l.scale.Leave(ctx, j.course.Leave); err != nil {
			return err
		}
	}
	if err := l.pace.Sleep(ctx, j.course.Drive); err != nil {
		return err
	}
	out, err := l.monitor.Occupy(ctx, portal.Pass{Parts: []portal.Part{j.part()}})
	if err != nil {
		return err
	}
	r := &j.truth.Rad
	r.Occupancy, r.GammaAlarm, r.NeutronAlarm, r.Samples, r.MaxSigma = out[0].Number, out[0].GammaAlarm, out[0].NeutronAlarm, out[0].Samples, out[0].MaxSigma
	return l.pace.Sleep(ctx, j.course.Approach)
}
