package share

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"gatehouse/internal/event"
	"gatehouse/internal/fault"
)

const (
	// window is how many events of a class are under way to an agency. After an
	// error it is one until an acknowledgement comes, so that order is kept where
	// a stream takes small events and refuses large ones.
	window = 64
	// windowBytes bounds the payload of a window.
	windowBytes = 4 << 20
	// maxBackoff is the longest pause between two tries; a connection that comes
	// back ends it.
	maxBackoff = 5 * time.Second
)

// delivery is one class on its way to one agency.
type delivery struct {
	*Handover
	party *party
	class event.Delivery
	width int // events under way at once
}

// sent is an event under way.
type sent struct {
	entry Entry
	ack   jetstream.PubAckFuture
}

var errRecreated = errors.New("the agency's stream is a new one")

// run hands over until ctx ends.
func (d *delivery) run(ctx context.Context) {
	connected := d.config.Hub.StatusChanged(nats.CONNECTED)
	defer d.config.Hub.RemoveStatusListener(connected)
	pause := backoff.NewExponentialBackOff()
	pause.InitialInterval = 50 * time.Millisecond
	pause.MaxInterval = maxBackoff
	d.width = window
	for ctx.Err() == nil {
		handed, err := d.round(ctx)
		if handed > 0 {
			pause.Reset()
		}
		switch {
		case ctx.Err() != nil:
			return
		case errors.Is(err, errRecreated): // the next round begins again
		case err != nil:
			d.width = 1
			if d.party.failed(d.class, err) {
				d.config.Log.Warn("hand-over stopped", "agency", d.party.agency, "err", err)
			}
			select {
			case <-ctx.Done():
			case <-connected:
			case <-time.After(pause.NextBackOff()):
			}
		default:
			d.width = window
			if back, away := d.party.worked(d.class); back {
				d.config.Log.Info("hand-over goes on", "agency", d.party.agency, "away", away.Round(time.Millisecond))
			}
		}
	}
}

// round hands over one window, or waits until there is something to hand over.
// It returns how many events the agency's stream acknowledged.
func (d *delivery) round(ctx context.Context) (int, error) {
	d.party.mu.Lock()
	at, floor, generation := d.party.at[d.class], d.party.inbox, d.party.generation
	d.party.mu.Unlock()
	if _, more, changed := d.config.Chain.state.next(at.Position, d.class); !more {
		select {
		case <-ctx.Done():
		case <-changed:
		}
		return 0, nil
	}
	d.config.Fault.Hit(fault.HandoverBeforePublish)
	under, err := d.publish(ctx, at.Position)
	handed := 0
	for _, s := range under {
		ack, ackErr := await(ctx, s.ack)
		if ackErr != nil {
			err = errors.Join(err, ackErr)
			break // what follows is sent again: order within a class is kept
		}
		if ack.Sequence <= floor && !ack.Duplicate {
			return handed, d.recreated(ctx, generation, ack.Sequence)
		}
		handed++
		at.Position, at.Inbox = s.entry.Position, max(at.Inbox, ack.Sequence)
		d.pushEvidence(s.entry)
	}
	if handed == 0 {
		return 0, err
	}
	d.config.Fault.Hit(fault.HandoverAfterPublish)
	if d.advance(generation, at) {
		err = errors.Join(err, d.cursors.save(ctx, cursorKey(d.party.agency, d.class), at))
	}
	return handed, err
}

// publish sends the next events of the class without waiting.
func (d *delivery) publish(ctx context.Context, after uint64) ([]sent, error) {
	var under []sent
	bytes := 0
	for len(under) < d.width && bytes < windowBytes {
		e, ok, err := d.config.Chain.next(ctx, after, d.class)
		if err != nil || !ok {
			return under, err
		}
		ack, err := d.js.PublishMsgAsync(d.message(e), jetstream.WithRetryAttempts(0))
		if err != nil {
			return under, fmt.Errorf("publish to hub: %w", err)
		}
		under = append(under, sent{e, ack})
		after = e.Position
		bytes += len(e.Payload)
	}
	return under, nil
}

// message is an entry as the agency gets it.
func (d *delivery) message(e Entry) *nats.Msg {
	m := nats.NewMsg(fmt.Sprintf("to.%s.%s.%s", d.party.agency.Account(), d.class, d.config.Gate))
	m.Header = e.NATSHeader()
	m.Header.Set(nats.MsgIdHdr, e.MsgID())
	if time.Since(e.Header.At) > d.config.LateAfter {
		m.Header.Set(HeaderLate, "true")
	}
	m.Data = e.Payload
	return m
}

// await waits for the acknowledgement of the agency's own stream.
func await(ctx context.Context, f jetstream.PubAckFuture) (*jetstream.PubAck, error) {
	select {
	case ack := <-f.Ok():
		return ack, nil
	case err := <-f.Err():
		return nil, fmt.Errorf("agency's stream: %w", err)
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// advance moves the cursor, unless the agency's stream was found to be a new
// one meanwhile.
func (d *delivery) advance(generation int, at cursor) bool {
	d.party.mu.Lock()
	defer d.party.mu.Unlock()
	if d.party.generation != generation {
		return false
	}
	d.party.at[d.class] = at
	d.party.inbox = max(d.party.inbox, at.Inbox)
	return true
}

// recreated takes all classes of the agency back to what it says that it has
// stored: what was handed over after that went with its old stream.
func (d *delivery) recreated(ctx context.Context, generation int, sequence uint64) error {
	d.party.mu.Lock()
	if d.party.generation != generation {
		d.party.mu.Unlock()
		return errRecreated // the other class was here first
	}
	p := d.party
	p.generation++
	p.recreated++
	p.inbox = 0
	back := p.received.Position
	for _, class := range classes() {
		p.at[class] = cursor{Position: min(p.at[class].Position, back)}
	}
	saved := map[event.Delivery]cursor{}
	maps.Copy(saved, p.at)
	p.mu.Unlock()
	d.config.Chain.state.poke() // the other class may be waiting for more
	d.config.Log.Warn("agency's stream is a new one; sending again what it has not confirmed",
		"agency", p.agency, "from", back+1, "sequence", sequence)
	err := errRecreated
	for class, at := range saved {
		if e := d.cursors.save(ctx, cursorKey(p.agency, class), at); e != nil {
			err = e
		}
	}
	return err
}

// pushEvidence sends the evidence of an alert along.
func (d *delivery) pushEvidence(e Entry) {
	if d.config.Images == nil || e.Header.Type != event.TypeAlert {
		return
	}
	env, err := e.Envelope()
	if err != nil {
		return
	}
	var alert event.Alert
	if json.Unmarshal(env.Data, &alert) != nil {
		return
	}
	for _, piece := range alert.Evidence {
		d.config.Images.Push(d.party.agency, piece.SHA256)
	}
}
