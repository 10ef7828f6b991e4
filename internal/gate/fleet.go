package gate

import (
	"context"
	"slices"
	"sync"

	"gatehouse/internal/config"
	"gatehouse/internal/event"
	"gatehouse/internal/lane"
)

// fleet is the running devices. Each has a life of its own, so that one can be
// exchanged while the others go on.
type fleet struct {
	mu      sync.Mutex
	devices []*device
}

// all lists the devices as they are now.
func (f *fleet) all() []*device {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.devices)
}

// find is the device of a lane; nil when there is none.
func (f *fleet) find(lane, id string) *device {
	for _, d := range f.all() {
		if d.lane == lane && d.section.ID == id {
			return d
		}
	}
	return nil
}

// set replaces the list.
func (f *fleet) set(devices []*device) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.devices = devices
}

// wait returns when no device runs any more.
func (f *fleet) wait() {
	for _, d := range f.all() {
		if d.done != nil {
			<-d.done
		}
	}
}

// device is one device of the gate with what it was made from.
type device struct {
	*lane.Device
	lane     string
	section  config.Device
	settings any                 // as its driver decoded them; nil when it could not
	fault    string              // why it cannot run
	commands []event.ControlVerb // that it takes; none where it takes no commands

	end  context.CancelFunc
	done chan struct{} // closed when it has ended; nil before it was started
}

// same tells whether the other one would do exactly what this one does, so
// that it need not be exchanged. What only the lane's fold knows of a device
// does not matter.
func (d *device) same(o *device) bool {
	return d.section.Driver == o.section.Driver && d.section.Silence == o.section.Silence && d.fault == o.fault &&
		sameSettings(d.settings, o.settings)
}

// start runs the device until ctx ends or stop is called.
func (d *device) start(ctx context.Context) {
	ctx, d.end = context.WithCancel(ctx)
	d.done = make(chan struct{})
	go func() {
		defer close(d.done)
		d.Run(ctx)
	}()
}

// stop ends the device; what it has read until then is stored.
func (d *device) stop() {
	if d.done != nil {
		d.end()
		<-d.done
	}
}
