package share

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"gatehouse/internal/event"
	"gatehouse/internal/fault"
)

// DefaultLateAfter is the age at which an event is late when it is handed over.
const DefaultLateAfter = time.Minute

// HandoverConfig is what the hand-over is made of.
type HandoverConfig struct {
	Gate     string
	Chain    *Chain
	Hub      *nats.Conn // from client.Connect
	Agencies []event.Agency
	// LateAfter is the age at which an event is marked as late; zero is
	// DefaultLateAfter.
	LateAfter time.Duration
	Images    *Images       // pushes the evidence of alerts; may be nil
	Fault     *fault.Points // may be nil
	Log       *slog.Logger  // may be nil
}

// Handover takes the shared record to each agency's stream, alerts before
// records, one agency whatever happens to the other.
type Handover struct {
	config  HandoverConfig
	js      jetstream.JetStream // of the hub
	cursors cursors
	parties map[event.Agency]*party
}

// HandoverStatus is how far one agency is, for people.
type HandoverStatus struct {
	Agency event.Agency `json:"agency"`
	// Handed is the position up to which the agency's stream has acknowledged
	// every event.
	Handed uint64 `json:"handed"`
	// Received is what the agency says that it has stored; zero before its first
	// receipt.
	Received   Head      `json:"received"`
	ReceivedAt time.Time `json:"received_at"`
	// Alerts and Records are the events not handed over yet.
	Alerts  uint64 `json:"alerts"`
	Records uint64 `json:"records"`
	// Error is why nothing goes on; empty while all is well.
	Error string    `json:"error,omitempty"`
	Since time.Time `json:"since,omitzero"` // of the error
	// Recreated counts how often the agency's stream was found to be a new one.
	Recreated int `json:"recreated"`
}

// OpenHandover reads how far each agency is.
func OpenHandover(ctx context.Context, c HandoverConfig) (*Handover, error) {
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.LateAfter == 0 {
		c.LateAfter = DefaultLateAfter
	}
	js, err := jetstream.New(c.Hub, jetstream.WithPublishAsyncTimeout(ackTimeout), jetstream.WithPublishAsyncMaxPending(4*window))
	if err != nil {
		return nil, fmt.Errorf("open hand-over: %w", err)
	}
	h := &Handover{config: c, js: js, parties: map[event.Agency]*party{}}
	if h.cursors, err = openCursors(ctx, c.Chain.js); err != nil {
		return nil, err
	}
	for _, a := range c.Agencies {
		p := &party{agency: a, at: map[event.Delivery]cursor{}, failing: map[event.Delivery]bool{}}
		for _, class := range classes() {
			var at cursor
			if err := h.cursors.load(ctx, cursorKey(a, class), &at); err != nil {
				return nil, err
			}
			p.at[class] = at
			p.inbox = max(p.inbox, at.Inbox)
		}
		if err := h.cursors.load(ctx, receivedKey(a), &p.received); err != nil {
			return nil, err
		}
		h.parties[a] = p
	}
	return h, nil
}

func classes() []event.Delivery { return []event.Delivery{event.DeliverAlert, event.DeliverRecord} }

// Run hands over until ctx ends.
func (h *Handover) Run(ctx context.Context) error {
	var wg sync.WaitGroup
	for _, p := range h.parties {
		for _, class := range classes() {
			wg.Go(func() { (&delivery{Handover: h, party: p, class: class}).run(ctx) })
		}
	}
	wg.Wait()
	return ctx.Err()
}

// Received takes an agency's receipt that is on the chain. Sayings calls it.
func (h *Handover) Received(ctx context.Context, r event.Receipt) error {
	p, ok := h.parties[r.Agency]
	if !ok || r.Chain == "" {
		return nil
	}
	position, _ := h.config.Chain.state.positionOf(r.Chain, r.Sequence)
	p.mu.Lock()
	newer := position > p.received.Position || position == 0 && r.At.After(p.received.At)
	if newer {
		p.received = received{Head: Head{Chain: r.Chain, Sequence: r.Sequence, Head: r.Head}, Position: position, At: r.At}
	}
	value := p.received
	p.mu.Unlock()
	if !newer {
		return nil
	}
	return h.cursors.save(ctx, receivedKey(r.Agency), value)
}

// Status is how far every agency is, in their fixed order.
func (h *Handover) Status() []HandoverStatus {
	var all []HandoverStatus
	for _, a := range h.config.Agencies {
		p := h.parties[a]
		p.mu.Lock()
		alerts, records := p.at[event.DeliverAlert].Position, p.at[event.DeliverRecord].Position
		s := HandoverStatus{
			Agency: a, Received: p.received.Head, ReceivedAt: p.received.At,
			Alerts:  h.config.Chain.state.backlog(alerts, event.DeliverAlert),
			Records: h.config.Chain.state.backlog(records, event.DeliverRecord),
			Error:   p.err, Since: p.since, Recreated: p.recreated,
		}
		p.mu.Unlock()
		s.Handed = h.config.Chain.state.whole(alerts, records)
		all = append(all, s)
	}
	return all
}

// Kept is the last position that every agency has handed over and received, so
// that nothing after it may be retired.
func (h *Handover) Kept() uint64 {
	kept := h.config.Chain.state.tail().position
	for _, s := range h.Status() {
		p := h.parties[s.Agency]
		p.mu.Lock()
		kept = min(kept, s.Handed, p.received.Position)
		p.mu.Unlock()
	}
	return kept
}

// party is one agency.
type party struct {
	agency event.Agency

	mu         sync.Mutex
	at         map[event.Delivery]cursor
	inbox      uint64 // highest acknowledged sequence of the agency's stream
	generation int    // grows when the agency's stream is found to be a new one
	recreated  int
	received   received
	failing    map[event.Delivery]bool
	err        string
	since      time.Time
}

// failed remembers why a class does not go on, and says whether that is new
// for the agency.
func (p *party) failed(class event.Delivery, err error) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	fresh := len(p.failing) == 0
	p.failing[class] = true
	p.err = err.Error()
	if fresh {
		p.since = time.Now().UTC()
	}
	return fresh
}

// worked says whether this class was the last that failed, and for how long.
func (p *party) worked(class event.Delivery) (bool, time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.failing[class] {
		return false, 0
	}
	delete(p.failing, class)
	if len(p.failing) > 0 {
		return false, 0
	}
	away := time.Since(p.since)
	p.err, p.since = "", time.Time{}
	return true, away
}
