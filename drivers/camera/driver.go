package camera

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"gatehouse/internal/driver"
	"gatehouse/internal/event"
)

// rememberedMessages is how many messages are kept in mind to know a
// re-delivery by.
const rememberedMessages = 2048

// Driver drives one camera.
type Driver struct {
	config Config
	env    driver.Env
	status status
	form   form
	seen   *recent[*sight]

	session int // counts connections
}

// sight is a message that was received before.
type sight struct {
	stored   bool     // its reading is on disk
	delivery delivery // the last one that was acknowledged, or waits to be
}

var (
	_ driver.Driver = (*Driver)(nil)
	_ driver.Prober = (*Driver)(nil)
)

// New makes a driver; it does no I/O.
func New(c Config, env driver.Env) *Driver {
	c = c.at(env.Broker)
	d := &Driver{config: c, env: env, seen: newRecent[*sight](rememberedMessages)}
	if c.Format == FormatFrigate {
		d.form = newFrigateForm(c, &d.status)
	} else {
		d.form = newOwnForm(c, &d.status)
	}
	return d
}

// Run implements driver.Driver.
func (d *Driver) Run(ctx context.Context, emit driver.Emit) error {
	d.session++
	d.form.forget()
	d.forgetUnstored()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	s, err := connect(ctx, d.config, d.env.Now)
	if err == nil {
		defer s.close() // after cancel below
		defer cancel()
		if err = s.subscribe(ctx, d.form.filters()); err == nil {
			err = d.work(ctx, s, emit)
		}
	}
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// Probe implements driver.Prober. It signs in to the device's own session, as a
// broker may let no other client id in, takes nothing and acknowledges nothing.
// A driver at work would be pushed out by it.
func (d *Driver) Probe(ctx context.Context) (string, error) {
	ctx, cancel := context.WithCancel(ctx)
	s, err := connect(ctx, d.config, d.env.Now)
	if err != nil {
		cancel()
		return "", err
	}
	cancel() // before close, see there
	s.close()
	return fmt.Sprintf("MQTT broker at %s lets the gate in", d.config.Broker), nil
}

// work stores messages until the session ends.
func (d *Driver) work(ctx context.Context, s *session, emit driver.Emit) error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		out, next := d.form.expire(time.Now())
		if err := d.store(ctx, emit, out); err != nil {
			return err
		}
		if next.IsZero() {
			timer.Stop()
		} else {
			timer.Reset(time.Until(next))
		}
		select {
		case m := <-s.arrived:
			if err := d.store(ctx, emit, d.take(m)); err != nil {
				return err
			}
		case <-timer.C:
		case err := <-s.lost:
			return errors.Join(lostError(d.config.Broker, err), d.rest(ctx, s, emit))
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// rest stores what had arrived before the connection was lost: messages of
// QoS 0 do not come again.
func (d *Driver) rest(ctx context.Context, s *session, emit driver.Emit) error {
	for {
		select {
		case m := <-s.arrived:
			if err := d.store(ctx, emit, d.take(m)); err != nil {
				return err
			}
		default:
			return nil
		}
	}
}

// take is what a message leads to.
func (d *Driver) take(m *message) []output {
	m.delivery.session = d.session
	m.digest = event.Digest(m.payload)
	name := m.topic + " " + m.digest
	old, known := d.seen.get(name)
	switch {
	case known && m.dup && old.delivery == m.delivery:
		m.drop() // its acknowledgement is on the way, or comes with the first delivery
		return nil
	case known && m.dup && old.stored:
		old.delivery = m.delivery
		return []output{{from: []*message{m}}}
	case known && !d.isState(m):
		return []output{d.status.again(m)}
	}
	d.seen.put(name, &sight{delivery: m.delivery})
	if int64(len(m.payload)) > d.config.ImageLimit {
		return []output{m.invalid(fmt.Sprintf("%d bytes, more than the limit of %d", len(m.payload), d.config.ImageLimit))}
	}
	return d.form.take(m)
}

// isState says whether the message is one whose content repeats by nature.
func (d *Driver) isState(m *message) bool {
	return m.topic == d.config.Topic+"/$state" || m.topic == d.config.Topic+"/available"
}

// forgetUnstored forgets messages that were not stored: the broker delivers
// them again.
func (d *Driver) forgetUnstored() {
	fresh := newRecent[*sight](rememberedMessages)
	for _, name := range d.seen.order {
		if s := d.seen.items[name]; s.stored {
			fresh.put(name, s)
		}
	}
	d.seen = fresh
}

// store puts images into the evidence store, hands the readings to emit and
// acknowledges their messages.
func (d *Driver) store(ctx context.Context, emit driver.Emit, all []output) error {
	var readings []event.Reading
	for i := range all {
		o := &all[i]
		if o.image != nil {
			if err := d.attach(ctx, o); err != nil {
				return err
			}
		}
		if o.reading.Kind != "" {
			readings = append(readings, o.reading)
		}
	}
	if len(readings) > 0 {
		if err := emit(ctx, readings...); err != nil {
			return fmt.Errorf("emit %d readings: %w", len(readings), err)
		}
	}
	for _, o := range all {
		for _, m := range o.from {
			if s, ok := d.seen.get(m.topic + " " + m.digest); ok {
				s.stored = true
			}
			m.ack()
		}
	}
	return nil
}

// unknownType is the media type of what is no picture.
const unknownType = "application/octet-stream"

// pictureType tells a picture's media type by its content.
func pictureType(data []byte) string {
	if media := http.DetectContentType(data); media == "image/jpeg" || media == "image/png" {
		return media
	}
	return unknownType
}

// attach stores the picture of a capture.
func (d *Driver) attach(ctx context.Context, o *output) error {
	data := o.image.payload
	media := pictureType(data)
	if media == unknownType {
		worsen(&o.reading, event.Suspect, "the picture is neither JPEG nor PNG")
	}
	ref, err := d.env.Evidence.Put(ctx, bytes.NewReader(data), d.config.ImageLimit, media, "plate-photo", o.image.topic)
	if err != nil {
		return fmt.Errorf("store picture of %s: %w: %w", o.image.topic, driver.ErrStore, err)
	}
	o.reading.Capture.Image = &ref
	if f, ok := d.form.(*ownForm); ok {
		f.stored(o.reading.Capture.EventID, ref)
	}
	return nil
}
