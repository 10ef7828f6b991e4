package share

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"gatehouse/internal/event"
	"gatehouse/internal/fault"
)

// drain adds what has come already to the first saying.
func (l *listener) drain(messages jetstream.MessagesContext, first jetstream.Msg) []jetstream.Msg {
	all := []jetstream.Msg{first}
	for len(all) < sayingsBatch {
		m, err := messages.Next(jetstream.NextMaxWait(time.Millisecond))
		if err != nil {
			break // an error that lasts comes again at the next wait
		}
		all = append(all, m)
	}
	return all
}

// take chains sayings and then acknowledges them. What cannot be chained now
// comes again.
func (l *listener) take(ctx context.Context, messages []jetstream.Msg) error {
	var said []Said
	var taken []jetstream.Msg
	for _, m := range messages {
		s, err := l.verify(m)
		if err != nil {
			l.refuse(m, err)
			continue
		}
		if isLastAnswer(s) {
			_ = m.Ack() // without it the same comes again
			continue
		}
		said, taken = append(said, s), append(taken, m)
	}
	if len(said) == 0 {
		return nil
	}
	_, err := l.config.Chain.AppendSaid(ctx, said...)
	if errors.Is(err, ErrOtherSaid) {
		return l.takeSingly(ctx, said, taken)
	}
	if err != nil {
		return l.postpone(taken, err)
	}
	return l.done(ctx, said, taken)
}

// takeSingly keeps one unacceptable saying from holding up the others.
func (l *listener) takeSingly(ctx context.Context, said []Said, messages []jetstream.Msg) error {
	for i, s := range said {
		_, err := l.config.Chain.AppendSaid(ctx, s)
		switch {
		case errors.Is(err, ErrOtherSaid):
			l.refuse(messages[i], err)
		case err != nil:
			return l.postpone(messages[i:], err)
		default:
			if err := l.done(ctx, said[i:i+1], messages[i:i+1]); err != nil {
				return err
			}
		}
	}
	return nil
}

// postpone asks for the sayings again later.
func (l *listener) postpone(messages []jetstream.Msg, err error) error {
	for _, m := range messages {
		_ = m.NakWithDelay(time.Second) // without it they come again after sayingsAckWait
	}
	return fmt.Errorf("chain what %s said: %w", l.agency, err)
}

// done is for sayings that are on the chain.
func (l *listener) done(ctx context.Context, said []Said, messages []jetstream.Msg) error {
	for _, s := range said {
		if err := l.received(ctx, s); err != nil {
			return err
		}
		if err := l.corrected(ctx, s); err != nil {
			return l.postpone(messages, err)
		}
		if err := l.commanded(ctx, s); err != nil {
			return l.postpone(messages, err)
		}
		if l.config.OnSaid != nil {
			l.config.OnSaid(s)
		}
	}
	l.config.Fault.Hit(fault.SayingsBeforeAck)
	for _, m := range messages {
		if err := m.Ack(); err != nil {
			return fmt.Errorf("acknowledge what %s said: %w", l.agency, err)
		}
	}
	return nil
}

func (l *listener) received(ctx context.Context, s Said) error {
	if l.config.Handover == nil || s.Envelope.Type != event.TypeReceipt {
		return nil
	}
	var r event.Receipt
	if err := json.Unmarshal(s.Envelope.Data, &r); err != nil {
		return nil // verified before
	}
	return l.config.Handover.Received(ctx, r)
}

// corrected passes a correction on. One that cannot be read is on the chain and
// changes nothing.
func (l *listener) corrected(ctx context.Context, s Said) error {
	if l.config.OnCorrection == nil || s.Envelope.Type != event.TypeCorrection {
		return nil
	}
	var c event.Correction
	if err := json.Unmarshal(s.Envelope.Data, &c); err != nil {
		l.config.Log.Warn("correction cannot be read, it is not applied", "agency", l.agency, "event_id", s.Envelope.ID, "err", err)
		return nil
	}
	return l.config.OnCorrection(ctx, c)
}

// commanded passes a command on. One that cannot be read is on the chain and
// moves nothing.
func (l *listener) commanded(ctx context.Context, s Said) error {
	if l.config.OnCommand == nil || s.Envelope.Type != event.TypeCommand {
		return nil
	}
	var c event.Command
	if err := json.Unmarshal(s.Envelope.Data, &c); err != nil {
		l.config.Log.Warn("command cannot be read, it is not carried out", "agency", l.agency, "event_id", s.Envelope.ID, "err", err)
		return nil
	}
	return l.config.OnCommand(ctx, c)
}

// verify reads a saying and checks that it is what it claims to be: signed by
// the agency of the account it came from, about this gate, of the kind of its
// subject.
func (l *listener) verify(m jetstream.Msg) (Said, error) {
	origin, err := base64.StdEncoding.Strict().DecodeString(m.Headers().Get(HeaderOrigin))
	if err != nil {
		return Said{}, fmt.Errorf("%w: origin is no base64", ErrRefused)
	}
	o, err := ParseOrigin(origin)
	if err != nil {
		return Said{}, fmt.Errorf("%w: %w", ErrRefused, err)
	}
	if err := o.Verify(m.Data(), l.key); err != nil {
		return Said{}, fmt.Errorf("%w: %w", ErrRefused, err)
	}
	e, err := event.ParseEnvelope(m.Data())
	if err != nil {
		return Said{}, fmt.Errorf("%w: %w", ErrRefused, err)
	}
	var about struct {
		ID     event.ID     `json:"id"`
		Agency event.Agency `json:"agency"`
		Gate   string       `json:"gate"`
	}
	if err := json.Unmarshal(e.Data, &about); err != nil {
		return Said{}, fmt.Errorf("%w: %w", ErrRefused, err)
	}
	switch {
	case sayKind(e.Type) != l.kind:
		return Said{}, fmt.Errorf("%w: %s came as %s", ErrRefused, e.Type, l.kind)
	case o.Agency != l.agency || about.Agency != l.agency:
		return Said{}, fmt.Errorf("%w: %s spoke in the name of %q", ErrRefused, l.agency, about.Agency)
	case about.Gate != l.config.Gate:
		return Said{}, fmt.Errorf("%w: it is about gate %q", ErrRefused, about.Gate)
	case e.ID != about.ID || e.ID.Time().IsZero():
		return Said{}, fmt.Errorf("%w: id %q is no ULID or not the one inside", ErrRefused, e.ID)
	}
	return Said{Agency: l.agency, Envelope: e, Payload: m.Data(), Origin: origin}, nil
}

// refuse ends a saying for good.
func (l *listener) refuse(m jetstream.Msg, err error) {
	l.mu.Lock()
	l.refused[l.agency]++
	l.mu.Unlock()
	l.config.Log.Warn("agency's saying refused", "agency", l.agency, "kind", l.kind, "err", err)
	_ = m.TermWithReason("refused") // without it the saying comes again and is refused again
}

// serve answers a request for evidence and acknowledges it when the agency's
// stream has the evidence.
func (l *listener) serve(ctx context.Context, m jetstream.Msg) {
	s, err := l.verify(m)
	if err != nil {
		l.refuse(m, err)
		return
	}
	var wanted event.Wanted
	if err := json.Unmarshal(s.Envelope.Data, &wanted); err != nil || !isDigest(wanted.SHA256) || l.config.Images == nil {
		l.refuse(m, fmt.Errorf("%w: no evidence named", ErrRefused))
		return
	}
	working, stop := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		keepWorking(working, m)
	}()
	err = l.config.Images.Serve(ctx, l.agency, wanted.SHA256, wanted.From)
	stop()
	<-done
	switch {
	case err == nil || errors.Is(err, ErrNoEvidence):
		_ = m.Ack() // without it the evidence is sent once more
	case ctx.Err() == nil:
		l.config.Log.Warn("evidence not served", "agency", l.agency, "sha256", wanted.SHA256, "err", err)
		_ = m.NakWithDelay(maxBackoff)
	}
}

// keepWorking tells the hub that a slow transfer goes on.
func keepWorking(ctx context.Context, m jetstream.Msg) {
	t := time.NewTicker(sayingsAckWait / 3)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
			_ = m.InProgress()
		}
	}
}
