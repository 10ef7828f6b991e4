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
	// window is the most events of a class that are under way to an agency. After
	// an error it is one until an acknowledgement comes, so that order is kept where
	// a stream takes small events and refuses large ones.
	window = 64
	// windowBytes bounds the payload of a window.
	windowBytes = 4 << 20
	// hold is how long a window of more than one event may take longer than one
	// event alone. The agency's stream stores one after the other, each with a
	// sync, and an alert waits for those that came before it. Where the way to the
	// hub is long, a quarter of it may be added to it.
	hold = 4 * time.Millisecond
	// probe is after how many windows one event is sent alone, to see how long the
	// way is now.
	probe = 64
	// saveAfter and saveEvery are after how many events and after what time a
	// cursor is saved where there is more to hand over. What was handed over and
	// not noted when the gate dies is sent again, and dropped by its id.
	saveAfter = window
	saveEvery = 250 * time.Millisecond
	// maxBackoff is the longest pause between two tries; a connection that comes
	// back ends it.
	maxBackoff = 5 * time.Second
)

// delivery is one class on its way to one agency.
type delivery struct {
	*Handover
	party *party
	class event.Delivery
	width int           // events under way at once
	alone time.Duration // that one event takes; zero before the first
	turns int           // windows since the last probe

	unsaved int       // events since the cursor was saved
	saved   time.Time // when that was
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
	d.width = 1
	defer d.saveLast(ctx)
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
		if err := d.save(ctx); err != nil {
			return 0, err
		}
		select {
		case <-ctx.Done():
		case <-changed:
		}
		return 0, nil
	}
	d.giveWay(ctx)
	d.config.Fault.Hit(fault.HandoverBeforePublish)
	began := time.Now()
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
	took, width := time.Since(began), d.width
	if err == nil {
		d.pace(took, handed)
	}
	d.config.Fault.Hit(fault.HandoverAfterPublish)
	if d.advance(generation, at) {
		d.unsaved += handed
	}
	if d.unsaved >= saveAfter || time.Since(d.saved) >= saveEvery {
		err = errors.Join(err, d.save(ctx))
	}
	if handed == width {
		d.rest(ctx, took, handed)
	}
	return handed, err
}

const (
	// wayFor is the most that records wait for alerts. Where alerts cannot be handed
	// over, records wait no longer.
	wayFor  = 250 * time.Millisecond
	wayLook = 2 * time.Millisecond
)

// giveWay lets records wait while alerts are under way to any agency, since all
// share the gate's processors and disk, and often the hub's.
func (d *delivery) giveWay(ctx context.Context) {
	if d.class == event.DeliverAlert {
		return
	}
	for until := time.Now().Add(wayFor); d.alerting() && time.Now().Before(until) && ctx.Err() == nil; {
		select {
		case <-ctx.Done():
		case <-time.After(wayLook):
		}
	}
}

// alerting says that alerts are under way to an agency.
func (h *Handover) alerting() bool {
	for _, p := range h.parties {
		p.mu.Lock()
		at, failing := p.at[event.DeliverAlert].Position, p.failing[event.DeliverAlert]
		p.mu.Unlock()
		if _, more, _ := h.config.Chain.state.next(at, event.DeliverAlert); more && !failing {
			return true
		}
	}
	return false
}

// rest leaves the hub and its disk alone after a full window of n records for half
// as long as storing them took, so that a backlog takes no more than two thirds of
// them: with a rest as long as that it drains a third more slowly, without one live
// alerts take three times as long.
func (d *delivery) rest(ctx context.Context, took time.Duration, n int) {
	if d.class == event.DeliverAlert || n == 1 {
		return
	}
	stored := (took - d.alone) * time.Duration(n) / time.Duration(n-1)
	select {
	case <-ctx.Done():
	case <-time.After(min(stored/2, wayFor)):
	}
}

// pace sets the width of the next window by how long one of n events took.
func (d *delivery) pace(took time.Duration, n int) {
	if d.alone == 0 || took < d.alone {
		d.alone = took
	} else if n == 1 {
		d.alone = (d.alone + took) / 2
	}
	waited := took - d.alone
	switch d.turns++; {
	case d.turns >= probe:
		d.turns, d.width = 0, 1
	case waited > max(hold, d.alone/4):
		d.width = max(2, n/2)
	case n == d.width:
		d.width = min(window, 2*n)
	default: // there was no more to send
		d.width = max(d.width, 2)
	}
}

// save notes how far the class is, if it has moved.
func (d *delivery) save(ctx context.Context) error {
	if d.unsaved == 0 {
		return nil
	}
	d.party.mu.Lock()
	at := d.party.at[d.class]
	d.party.mu.Unlock()
	if err := d.cursors.save(ctx, cursorKey(d.party.agency, d.class), at); err != nil {
		return err
	}
	d.unsaved, d.saved = 0, time.Now()
	return nil
}

// saveLast is save when the hand-over has ended.
func (d *delivery) saveLast(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	if err := d.save(ctx); err != nil { // then it is sent again
		d.config.Log.Warn("how far the hand-over came was not noted", "agency", d.party.agency, "err", err)
	}
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
	if d.config.Chain.state.age(e) > d.config.LateAfter {
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
