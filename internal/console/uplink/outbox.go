package uplink

import (
	"context"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"gatehouse/internal/console/store"
	"gatehouse/internal/share"
)

// publish sends the outbox in its order until ctx ends. Each saying is sent
// until the hub's stream has acknowledged it; sending one twice is harmless.
// What does not come back is said again from here too: beside a round of
// sending it could be taken for what that round has just sent.
func (u *Uplink) publish(ctx context.Context, js jetstream.JetStream) error {
	b := newBackoff()
	var looked time.Time
	for ctx.Err() == nil {
		if back := u.returned(); back || time.Since(looked) >= resayEvery {
			u.resay(ctx, back)
			looked = time.Now()
		}
		sent, err := u.sendSome(ctx, js)
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil:
			if u.Status().Connected {
				u.setTrouble("outbox", err)
			}
			u.await(ctx, u.wakeOutbox, b.NextBackOff())
		case sent == 0:
			u.setTrouble("outbox", nil)
			b.Reset()
			u.await(ctx, u.wakeOutbox, resayEvery)
		default:
			u.setTrouble("outbox", nil)
			b.Reset()
		}
	}
	return nil
}

// sendSome sends the next sayings and tells how many went out.
func (u *Uplink) sendSome(ctx context.Context, js jetstream.JetStream) (int, error) {
	list, err := u.opt.Store.Outbox(ctx, 64)
	if err != nil {
		return 0, err
	}
	for i, q := range list {
		if err := u.send(ctx, js, q); err != nil {
			return i, fmt.Errorf("say %s to %s: %w", q.Type, q.Gate, err)
		}
		if err := u.opt.Store.Sent(ctx, q.Number); err != nil {
			return i, err
		}
	}
	return len(list), nil
}

func (u *Uplink) send(ctx context.Context, js jetstream.JetStream, q store.Queued) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	m := nats.NewMsg(q.Subject)
	m.Header.Set(share.HeaderOrigin, string(q.Origin))
	m.Header.Set(nats.MsgIdHdr, string(q.ID))
	m.Data = q.Data
	_, err := js.PublishMsg(ctx, m)
	return err
}

const (
	// resayAfter is how long what was said may take to come back on the chain
	// before it is said again.
	resayAfter = 15 * time.Minute
	// resayEvery is how often that is looked after.
	resayEvery = time.Minute
)

// resay says again what does not come back, and all of it when the hub was away
// meanwhile: it may be another one.
func (u *Uplink) resay(ctx context.Context, back bool) {
	before := time.Now()
	if !back {
		before = before.Add(-resayAfter)
	}
	again, err := u.opt.Store.Resay(ctx, before)
	if ctx.Err() != nil {
		return
	}
	u.setTrouble("outbox-again", err)
	if again > 0 {
		u.opt.Log.Info("said again what is not on the chain", "count", again)
	}
}

// returned tells, once, that the hub has come back since it was asked last.
func (u *Uplink) returned() bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	was := u.back
	u.back = false
	return was
}

// Requests for evidence go out in groups with a pause between, so that a new
// store does not flood the gates.
const (
	requestGroup = 16
	requestPause = 250 * time.Millisecond
)

// request asks for the evidence that the store lacks, until ctx ends.
func (u *Uplink) request(ctx context.Context) error {
	for ctx.Err() == nil {
		r, next, err := u.opt.Store.AskForEvidence(ctx, requestGroup)
		if ctx.Err() != nil {
			return nil
		}
		u.setTrouble("requests", err)
		u.settle(r)
		wait := time.Minute
		if !next.IsZero() {
			wait = min(max(time.Until(next), requestPause), wait)
		}
		pause(ctx, requestPause)
		u.await(ctx, u.wakeWants, wait)
	}
	return nil
}

// receipts writes the receipts that were held back when they are due, until
// ctx ends.
func (u *Uplink) receipts(ctx context.Context) error {
	for ctx.Err() == nil {
		// The time is taken away first, so that what is owed meanwhile sets it anew.
		u.forgetDue()
		r, err := u.opt.Store.SendReceipts(ctx)
		if ctx.Err() != nil {
			return nil
		}
		u.setTrouble("receipts", err)
		u.settle(r)
		if err != nil {
			pause(ctx, time.Second)
			continue
		}
		u.untilDue(ctx)
	}
	return nil
}

func (u *Uplink) forgetDue() {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.due = time.Time{}
}

// untilDue waits until receipts are due. What people wait for may come sooner
// than what was owed before.
func (u *Uplink) untilDue(ctx context.Context) {
	for ctx.Err() == nil {
		u.mu.Lock()
		due := u.due
		u.mu.Unlock()
		wait := time.Minute
		if !due.IsZero() {
			if wait = time.Until(due); wait <= 0 {
				return
			}
		}
		u.await(ctx, u.owed, wait)
	}
}

// await waits for a poke, at most d.
func (u *Uplink) await(ctx context.Context, c <-chan struct{}, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-c:
	case <-time.After(d):
	}
}
