package share

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"sync"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"gatehouse/internal/event"
	"gatehouse/internal/fault"
	"gatehouse/internal/hub/client"
	"gatehouse/internal/trust"
)

// SayingsConfig is what the reader of the agencies' sayings is made of.
type SayingsConfig struct {
	Gate  string
	Chain *Chain
	Hub   *nats.Conn // from client.Connect
	// Keys are the agencies' public keys; an agency without one is not heard.
	Keys   map[event.Agency]trust.Public
	Images *Images // answers requests for evidence
	// Handover learns of receipts; may be nil.
	Handover *Handover
	// OnSaid is told of every verdict and receipt after it was chained; may be
	// nil. It must not block. After a restart it may be told again.
	OnSaid func(Said)
	// OnCorrection is told of every correction after it was chained and before it
	// is acknowledged; may be nil. When it fails, the correction comes again: it
	// is never lost, and may be told twice.
	OnCorrection func(context.Context, event.Correction) error
	// OnCommand is OnCorrection for commands.
	OnCommand func(context.Context, event.Command) error
	Fault     *fault.Points // may be nil
	Log       *slog.Logger  // may be nil
}

// Sayings brings what agencies say onto the chain: verdicts and receipts. It
// acknowledges what is chained, and serves requests for evidence.
type Sayings struct {
	config SayingsConfig
	js     jetstream.JetStream

	mu      sync.Mutex
	refused map[event.Agency]int
}

// ErrRefused says that what an agency said is not acceptable. It is counted and
// logged, and never comes again.
var ErrRefused = errors.New("saying refused")

// NewSayings makes a reader.
func NewSayings(c SayingsConfig) (*Sayings, error) {
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	js, err := jetstream.New(c.Hub, jetstream.WithDefaultTimeout(ackTimeout))
	if err != nil {
		return nil, fmt.Errorf("read sayings: %w", err)
	}
	return &Sayings{config: c, js: js, refused: map[event.Agency]int{}}, nil
}

// Refused is how many sayings of each agency were not acceptable since the
// start.
func (s *Sayings) Refused() map[event.Agency]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := map[event.Agency]int{}
	maps.Copy(all, s.refused)
	return all
}

// Run reads until ctx ends. Each agency and kind has its own reader, so that
// verdicts wait neither for receipts nor for images, nor for the other agency.
func (s *Sayings) Run(ctx context.Context) error {
	var wg sync.WaitGroup
	for agency, key := range s.config.Keys {
		for _, kind := range client.Sayings() {
			l := &listener{Sayings: s, agency: agency, key: key, kind: kind}
			wg.Go(func() { l.run(ctx) })
		}
	}
	wg.Wait()
	return ctx.Err()
}

const (
	// sayingsAckWait is when the hub gives a saying again that was not
	// acknowledged. A gate that was killed waits so long for what it had in hand;
	// a chain that takes longer only gets doubles, which have the same id.
	sayingsAckWait = 5 * time.Second
	// sayingsBatch is how many sayings are chained with one wait for the disk.
	sayingsBatch = 64
	// sayingsPoll is how long the hub holds one request for sayings.
	sayingsPoll = 20 * time.Second
)

// listener reads one kind of one agency.
type listener struct {
	*Sayings
	agency event.Agency
	key    trust.Public
	kind   string
}

func (l *listener) run(ctx context.Context) {
	connected := l.config.Hub.StatusChanged(nats.CONNECTED)
	defer l.config.Hub.RemoveStatusListener(connected)
	pause := backoff.NewExponentialBackOff()
	pause.InitialInterval = 100 * time.Millisecond
	pause.MaxInterval = maxBackoff
	lost := false
	for ctx.Err() == nil {
		err := l.listen(ctx, func() {
			pause.Reset()
			if lost {
				l.config.Log.Info("hearing agency again", "agency", l.agency, "kind", l.kind)
				lost = false
			}
		})
		if ctx.Err() != nil {
			return
		}
		if !lost {
			l.config.Log.Warn("agency not heard", "agency", l.agency, "kind", l.kind, "err", err)
			lost = true
		}
		select {
		case <-ctx.Done():
		case <-connected:
		case <-time.After(pause.NextBackOff()):
		}
	}
}

// consumer is the one by which the gate reads this kind.
func (l *listener) consumer(ctx context.Context, atOnce int) (jetstream.Consumer, error) {
	return l.js.CreateOrUpdateConsumer(ctx, client.SayingsOf(l.agency), jetstream.ConsumerConfig{
		Durable: client.SayingsConsumer(l.config.Gate, l.kind), Description: "Gate " + l.config.Gate,
		FilterSubject: client.SayingsFilter(l.agency, l.config.Gate, l.kind),
		AckPolicy:     jetstream.AckExplicitPolicy, AckWait: sayingsAckWait, MaxAckPending: 2 * atOnce,
	})
}

// listen reads until something fails. It calls ready when it hears.
func (l *listener) listen(ctx context.Context, ready func()) error {
	atOnce := sayingsBatch
	if l.kind == client.SayWanted {
		atOnce = 1 // each takes its time, and one that waits here would be given again
	}
	consumer, err := l.consumer(ctx, atOnce)
	if err != nil {
		return fmt.Errorf("listen to %s of %s: %w", l.kind, l.agency, err)
	}
	messages, err := consumer.Messages(jetstream.PullMaxMessages(atOnce), jetstream.PullExpiry(sayingsPoll))
	if err != nil {
		return fmt.Errorf("listen to %s of %s: %w", l.kind, l.agency, err)
	}
	defer messages.Stop()
	ready()
	for {
		first, err := messages.Next(jetstream.NextContext(ctx))
		if err != nil {
			return fmt.Errorf("listen to %s of %s: %w", l.kind, l.agency, err)
		}
		if l.kind == client.SayWanted {
			l.serve(ctx, first)
			continue
		}
		if err := l.take(ctx, l.drain(messages, first)); err != nil {
			return err
		}
	}
}
