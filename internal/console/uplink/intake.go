package uplink

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/nats-io/nats.go/jetstream"

	"gatehouse/internal/console/store"
	"gatehouse/internal/event"
	"gatehouse/internal/fault"
	"gatehouse/internal/hub/client"
	"gatehouse/internal/share"
)

const (
	// batchSize is the most messages that are fetched ahead.
	batchSize = 256
	// atOnce is the most messages of one commit. An alert ends one of records
	// early; other writers, such as requests for evidence, wait for it.
	atOnce = 64
	// backlog is how many records at once are a backlog. It is not urgent: after
	// each transaction of one the store is left alone for as long as that took,
	// within these bounds, so that alerts and officers find it free and more comes
	// together for the next, with one wait for the disk.
	backlog      = 8
	backlogLeast = 100 * time.Millisecond
	backlogMost  = 250 * time.Millisecond
	// ackWait is after how long the hub hands a message over again. It is how
	// long a console that was killed waits for what it had in hand; a commit
	// that takes longer only means doubles, which the store drops.
	ackWait = 5 * time.Second
	// forgetAfter is how long the hub keeps the place of a console that is away.
	// A longer absence means reading the inbox from its beginning, which the
	// store's primary keys make harmless.
	forgetAfter = 60 * 24 * time.Hour
)

// intake commits one delivery class of the inbox until ctx ends.
func (u *Uplink) intake(ctx context.Context, js jetstream.JetStream, class event.Delivery) error {
	part := "inbox-" + string(class)
	var h hubTime
	return u.consume(ctx, js, client.InboxStream, part, fmt.Sprintf("inbox.%s.>", class), func(msgs []jetstream.Msg) error {
		began, patient := time.Now(), class != event.DeliverAlert
		if err := u.take(ctx, js, &h, msgs, patient); err != nil {
			return err
		}
		if patient && len(msgs) >= backlog {
			pause(ctx, min(max(time.Since(began), backlogLeast), backlogMost))
		}
		return nil
	})
}

// take commits messages: in one transaction, unless they are patient and an alert
// comes meanwhile.
func (u *Uplink) take(ctx context.Context, js jetstream.JetStream, h *hubTime, msgs []jetstream.Msg, patient bool) error {
	b := store.Batch{Patient: patient}
	_, known := u.keys.now()
	gates := map[string]bool{}
	lain := make([]time.Duration, len(msgs))
	if !patient { // whether a record is late interests nobody
		lain = waited(ctx, js, h, msgs)
	}
	for i, m := range msgs {
		if m.Headers().Get(share.HeaderAsk) != "" {
			if err := u.answer(ctx, m); err != nil {
				return err
			}
			continue
		}
		e, stray := u.keys.read(m.Subject(), m.Headers(), m.Data())
		if stray != nil {
			b.Strays = append(b.Strays, *stray)
			continue
		}
		if e.Problem != "" {
			u.opt.Log.Warn("event quarantined", "gate", e.Gate, "event_id", e.ID, "chain", e.Chain, "sequence", e.Sequence, "err", e.Problem)
		}
		gates[e.Gate] = true
		e.Waited = lain[i]
		b.Events = append(b.Events, e)
	}
	if err := u.store(ctx, b); err != nil {
		return err
	}
	if _, now := u.keys.now(); now != known {
		for gate := range gates {
			if err := u.reconsider(ctx, gate); err != nil {
				return err
			}
		}
	}
	return nil
}

// store commits a batch, however often it gives way.
func (u *Uplink) store(ctx context.Context, b store.Batch) error {
	for {
		r, err := u.opt.Store.Commit(ctx, b)
		if err != nil {
			return err
		}
		u.settle(r)
		poke(u.wakeWants)
		if r.Left == 0 {
			return nil
		}
		b = store.Batch{Events: b.Events[len(b.Events)-r.Left:], Patient: b.Patient}
	}
}

// hubTime is the hub's clock as it was told last.
type hubTime struct{ told, at time.Time } // at has the monotonic reading of this machine

func (h hubTime) now() time.Time { return h.told.Add(time.Since(h.at)) }

const (
	// hubTimeout bounds the question for the hub's time. An alert waits for it.
	hubTimeout = 2 * time.Second
	// doubtful is how long an alert seems to have lain at the hub when the hub's
	// time is asked for again: its clock may have been set.
	doubtful = time.Minute
)

// waited is how long the messages have lain at the hub, by its own clock; zero where
// it does not tell that.
func waited(ctx context.Context, js jetstream.JetStream, h *hubTime, msgs []jetstream.Msg) []time.Duration {
	all := make([]time.Duration, len(msgs))
	asked := false
	for i, m := range msgs {
		meta, err := m.Metadata()
		if err != nil {
			continue
		}
		if !asked && (h.told.IsZero() || h.now().Sub(meta.Timestamp) > doubtful) {
			*h, asked = askHub(ctx, js), true
		}
		if !h.told.IsZero() {
			all[i] = h.now().Sub(meta.Timestamp)
		}
	}
	return all
}

// askHub asks for the hub's time; it is zero where that fails.
func askHub(ctx context.Context, js jetstream.JetStream) hubTime {
	ctx, cancel := context.WithTimeout(ctx, hubTimeout)
	defer cancel()
	s, err := js.Stream(ctx, client.InboxStream)
	if err != nil {
		return hubTime{}
	}
	return hubTime{told: s.CachedInfo().TimeStamp, at: time.Now()}
}

// answer says again how far the store holds a gate's chains. A question that this
// program does not know is left unanswered.
func (u *Uplink) answer(ctx context.Context, m jetstream.Msg) error {
	if m.Headers().Get(share.HeaderAsk) != share.AskHeads {
		return nil
	}
	gate := gateOf(m.Subject())
	u.opt.Log.Warn("the gate has lost its record and asks how far it is held here", "gate", gate)
	r, err := u.opt.Store.SayHeads(ctx, gate)
	if err == nil {
		u.settle(r)
	}
	return err
}

// images stores chunks of evidence until ctx ends.
func (u *Uplink) images(ctx context.Context, js jetstream.JetStream) error {
	return u.consume(ctx, js, client.ImageStream, "images", "inbox.image.>", func(msgs []jetstream.Msg) error {
		for _, m := range msgs {
			if err := u.chunk(ctx, m); err != nil {
				return err
			}
		}
		return nil
	})
}

func (u *Uplink) chunk(ctx context.Context, m jetstream.Msg) error {
	c, err := share.ParseChunk(m.Subject(), m.Headers(), m.Data())
	if err != nil {
		u.opt.Log.Warn("chunk of evidence dropped", "subject", m.Subject(), "err", err)
		return nil
	}
	if c.Missing != "" {
		r, err := u.opt.Store.Missing(ctx, c.SHA256, c.Missing)
		u.settle(r)
		return err
	}
	r, err := u.opt.Store.TakeChunk(ctx, store.Chunk{SHA256: c.SHA256, Offset: c.Offset, Size: c.Size, Data: c.Data})
	switch {
	case errors.Is(err, store.ErrHole), errors.Is(err, store.ErrSenseless):
		return nil // the piece stays wanted and is asked for again
	case err != nil:
		return err
	}
	u.settle(r)
	return nil
}

// consume reads what a durable consumer brings, hands it to commit in batches
// and acknowledges what was committed. The consumer is named after the store,
// so that a new store is handed everything that the hub still has.
func (u *Uplink) consume(ctx context.Context, js jetstream.JetStream, stream, part, filter string, commit func([]jetstream.Msg) error) error {
	b := newBackoff()
	for ctx.Err() == nil {
		err := u.session(ctx, js, stream, part, filter, func(msgs []jetstream.Msg) error {
			b.Reset()
			return u.insist(ctx, part, func() error { return commit(msgs) })
		})
		if ctx.Err() != nil {
			return nil
		}
		if u.Status().Connected {
			u.setTrouble(part, err) // a lost hub is said by the connection itself
		}
		pause(ctx, b.NextBackOff())
	}
	return nil
}

// insist tries to commit until it succeeds or ctx ends: a disk that is full
// now may have room later, and nothing may be acknowledged before.
func (u *Uplink) insist(ctx context.Context, part string, commit func() error) error {
	b := newBackoff()
	for {
		err := commit()
		if ctx.Err() != nil {
			return ctx.Err()
		}
		u.setTrouble(part+"-store", err)
		if err == nil {
			return nil
		}
		pause(ctx, b.NextBackOff())
	}
}

// session is one run of a consumer, until something fails.
func (u *Uplink) session(ctx context.Context, js jetstream.JetStream, stream, part, filter string, commit func([]jetstream.Msg) error) error {
	asking, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	consumer, err := js.CreateOrUpdateConsumer(asking, stream, jetstream.ConsumerConfig{
		Durable:           "console-" + u.opt.Store.ID() + "-" + part,
		FilterSubject:     filter,
		AckPolicy:         jetstream.AckExplicitPolicy,
		DeliverPolicy:     jetstream.DeliverAllPolicy,
		AckWait:           ackWait,
		MaxAckPending:     4 * batchSize,
		InactiveThreshold: forgetAfter,
	})
	if err != nil {
		return fmt.Errorf("open %s: %w", part, err)
	}
	messages, err := consumer.Messages(jetstream.PullMaxMessages(batchSize), jetstream.PullHeartbeat(5*time.Second))
	if err != nil {
		return fmt.Errorf("read %s: %w", part, err)
	}
	u.setTrouble(part, nil)
	return drain(ctx, messages, part, commit)
}

// drain collects what has arrived while the last batch was being committed.
func drain(ctx context.Context, messages jetstream.MessagesContext, part string, commit func([]jetstream.Msg) error) error {
	arrived := make(chan jetstream.Msg, batchSize)
	failed := make(chan error, 1)
	stop := context.AfterFunc(ctx, messages.Stop)
	defer stop()
	go func() {
		defer close(arrived)
		for {
			m, err := messages.Next()
			if err != nil {
				failed <- err
				return
			}
			arrived <- m
		}
	}()
	err := commitAll(arrived, commit)
	messages.Stop()
	for range arrived { // lets the reader end; unacknowledged messages come again
	}
	if err == nil {
		err = <-failed
	}
	return fmt.Errorf("read %s: %w", part, err)
}

func commitAll(arrived <-chan jetstream.Msg, commit func([]jetstream.Msg) error) error {
	for m := range arrived {
		batch := []jetstream.Msg{m}
	more:
		for len(batch) < atOnce {
			select {
			case next, ok := <-arrived:
				if !ok {
					break more
				}
				batch = append(batch, next)
			default:
				break more
			}
		}
		if fault.Planted(fault.PlantReceipt) {
			if err := acknowledge(batch); err != nil {
				return err
			}
		}
		if err := commit(batch); err != nil {
			return err
		}
		if err := acknowledge(batch); err != nil {
			return err
		}
	}
	return nil
}

func acknowledge(batch []jetstream.Msg) error {
	for _, m := range batch {
		if err := m.Ack(); err != nil && !errors.Is(err, jetstream.ErrMsgAlreadyAckd) {
			return fmt.Errorf("acknowledge: %w", err)
		}
	}
	return nil
}

func newBackoff() *backoff.ExponentialBackOff {
	b := backoff.NewExponentialBackOff()
	b.InitialInterval = 200 * time.Millisecond
	b.MaxInterval = 10 * time.Second
	b.Reset()
	return b
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}
