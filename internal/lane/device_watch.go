package lane

import (
	"context"

	"gatehouse/internal/event"
)

// watchDepth is how many readings wait for a slow watcher before it misses
// some.
const watchDepth = 256

// Watch calls each for every reading that is stored from now on, until ctx ends,
// the device is retired or each fails. A watcher that is too slow misses
// readings; the device does not wait for it.
func (d *Device) Watch(ctx context.Context, each func(event.Reading) error) error {
	c := make(chan event.Reading, watchDepth)
	d.mu.Lock()
	if d.watches == nil {
		d.watches = map[chan event.Reading]struct{}{}
	}
	d.watches[c] = struct{}{}
	d.mu.Unlock()
	defer func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		delete(d.watches, c)
	}()
	for {
		select {
		case <-ctx.Done():
			return nil
		case r, ok := <-c:
			if !ok {
				return nil
			}
			if err := each(r); err != nil {
				return err
			}
		}
	}
}

// show passes stored readings on to who watches. The caller holds mu.
func (d *Device) show(readings []event.Reading) {
	for c := range d.watches {
		for _, r := range readings {
			select {
			case c <- r:
			default:
			}
		}
	}
}

// Retire records that the device, whose Run has returned, is not looked at any
// more, and ends its watchers.
func (d *Device) Retire(ctx context.Context, reason string) {
	d.down(ctx, reason, func() { d.log.Info("device ended", "reason", reason) })
	d.mu.Lock()
	defer d.mu.Unlock()
	for c := range d.watches {
		close(c)
		delete(d.watches, c)
	}
}
