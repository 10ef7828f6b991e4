package share

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"gatehouse/internal/event"
	"gatehouse/internal/hub/client"
	"gatehouse/internal/trust"
)

// HeaderAsk is on a message in an agency's inbox that is no event but a question;
// its value is AskHeads.
const HeaderAsk = "Gatehouse-Ask"

// AskHeads asks a console to say again how far it holds the gate's chains: a
// receipt for each, and a receipt of no chain after the last.
const AskHeads = "heads"

// AskConfig is what a gate needs to ask.
type AskConfig struct {
	Gate string
	Hub  *nats.Conn
	Keys map[event.Agency]trust.Public
	// Wait is how long answers are waited for.
	Wait time.Duration
	Log  *slog.Logger // may be nil
}

// Heads asks the agencies what they hold of the gate's last chain, for a gate that
// has lost its disk. An agency that does not answer in time, or holds nothing, is
// not in the list. It must not be called while Sayings.Run reads.
func Heads(ctx context.Context, c AskConfig) ([]Head, error) {
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	js, err := jetstream.New(c.Hub, jetstream.WithDefaultTimeout(ackTimeout))
	if err != nil {
		return nil, fmt.Errorf("ask for heads: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, c.Wait)
	defer cancel()
	var mu sync.Mutex
	var all []Head
	var failed error
	var wg sync.WaitGroup
	for agency, key := range c.Keys {
		wg.Go(func() {
			l := &listener{Sayings: &Sayings{config: SayingsConfig{Gate: c.Gate, Hub: c.Hub, Log: c.Log}, js: js, refused: map[event.Agency]int{}}, agency: agency, key: key, kind: client.SayReceipt}
			head, err := l.ask(ctx)
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				failed = errors.Join(failed, fmt.Errorf("%s: %w", agency, err))
			}
			if head.Chain != "" {
				all = append(all, head)
			}
		})
	}
	wg.Wait()
	return all, failed
}

// ask puts the question and gathers one agency's answers. The question is put
// until it arrives; the answers stay on the hub, to be chained later.
func (l *listener) ask(ctx context.Context) (Head, error) {
	m := nats.NewMsg(fmt.Sprintf("to.%s.record.%s", l.agency.Account(), l.config.Gate))
	m.Header.Set(HeaderAsk, AskHeads)
	m.Header.Set(nats.MsgIdHdr, "ask-"+string(event.NewID(time.Now())))
	for {
		_, err := l.js.PublishMsg(ctx, m)
		if err == nil {
			break
		}
		select {
		case <-ctx.Done():
			return Head{}, fmt.Errorf("ask: %w", err)
		case <-time.After(200 * time.Millisecond):
		}
	}
	consumer, err := l.consumer(ctx, sayingsBatch)
	if err != nil {
		return Head{}, err
	}
	messages, err := consumer.Messages(jetstream.PullMaxMessages(sayingsBatch), jetstream.PullExpiry(sayingsPoll))
	if err != nil {
		return Head{}, err
	}
	defer messages.Stop()
	var newest Head
	for {
		m, err := messages.Next(jetstream.NextContext(ctx))
		if err != nil {
			return newest, fmt.Errorf("wait for its answer: %w", err)
		}
		s, err := l.verify(m)
		if err != nil {
			l.refuse(m, err)
			continue
		}
		r, ok := receiptOf(s)
		switch {
		case !ok:
		case r.Chain == "":
			return newest, m.Ack()
		case r.Chain > newest.Chain || r.Chain == newest.Chain && r.Sequence > newest.Sequence:
			newest = Head{Agency: l.agency, Chain: r.Chain, Sequence: r.Sequence, Head: r.Head} // names end in a ULID, so order is age
		}
	}
}

func receiptOf(s Said) (r event.Receipt, ok bool) {
	if s.Envelope.Type != event.TypeReceipt {
		return r, false
	}
	return r, json.Unmarshal(s.Envelope.Data, &r) == nil
}

// isLastAnswer says that a saying only ends the answers to a question. It belongs
// on no chain.
func isLastAnswer(s Said) bool {
	r, ok := receiptOf(s)
	return ok && r.Chain == ""
}

// IsNew says whether the gate's own stream has never held an event.
func IsNew(ctx context.Context, js jetstream.JetStream) (bool, error) {
	stream, err := js.Stream(ctx, ChainStream)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		return true, nil
	}
	if err != nil {
		return false, fmt.Errorf("look for a shared record: %w", err)
	}
	return stream.CachedInfo().State.LastSeq == 0, nil
}
