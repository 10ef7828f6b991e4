package share

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"gatehouse/internal/event"
	"gatehouse/internal/fault"
	"gatehouse/internal/trust"
)

// ChainStream is the stream of the gate's journal server that holds the chain,
// on the subjects shared.alert and shared.record.
const ChainStream = "SHARED"

// DefaultChainMaxBytes is the size at which the chain takes no more: some
// months of a busy gate.
const DefaultChainMaxBytes = 8 << 30

// ChainConfig is what a chain is made of.
type ChainConfig struct {
	Gate string        // customs office code
	Key  trust.Private // the gate's key
	// MaxBytes is the size at which Append fails with ErrChainFull; zero is
	// DefaultChainMaxBytes. The server that holds the stream must have room.
	MaxBytes int64
	// After lists the last heads that the agencies hold of a chain that this
	// gate has lost; a new chain names them. It has no effect on a chain that
	// exists.
	After []Head
	Fault *fault.Points // may be nil
	Log   *slog.Logger  // may be nil
}

// Errors of Append.
var (
	// ErrChainFull says that the chain has reached its size and Retire has to
	// make room.
	ErrChainFull = errors.New("the shared record is full")
	// ErrMovedOn says that there is a newer entry than the caller knows.
	ErrMovedOn = errors.New("the shared record has gone on")
	// ErrOtherSaid says that another event with the id of what an agency says is
	// on the chain.
	ErrOtherSaid = errors.New("another event has this id")
	// ErrChainBroken says that the store did not answer an append, as after the
	// disk was full inside the server. It does not come to itself again: the
	// process has to end and start anew.
	ErrChainBroken = errors.New("the shared record is broken and must be restarted")
)

// Chain is the gate's shared record. Its methods may be called from any
// goroutine; appends happen one after the other. One process holds one Chain.
type Chain struct {
	config ChainConfig
	js     jetstream.JetStream
	stream jetstream.Stream

	mu    sync.Mutex // held while appending
	stale bool       // an append ended in doubt: the stream is to be read again
	// broken is why nothing is appended any more; nil while all is well.
	broken error

	state chainState
}

// Entry is a link and its position in the gate's stream. Positions grow by one
// per link over all chains of the gate; cursors count in them.
type Entry struct {
	Link
	Position uint64
}

// Said is something that an agency said and that was verified.
type Said struct {
	Agency   event.Agency
	Envelope event.Envelope
	Payload  []byte // the bytes that the agency signed
	Origin   []byte // origin JSON
}

// OpenChain opens the shared record in a JetStream that syncs always, and
// reads it once to know its head and its event ids. If the record is empty, or
// was signed with another key, the next append starts a new chain.
func OpenChain(ctx context.Context, js jetstream.JetStream, c ChainConfig) (*Chain, error) {
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.MaxBytes == 0 {
		c.MaxBytes = DefaultChainMaxBytes
	}
	if c.Gate == "" || c.Key.IsZero() {
		return nil, errors.New("open shared record: no gate or no key")
	}
	stream, err := js.CreateOrUpdateStream(ctx, jetstream.StreamConfig{
		Name: ChainStream, Description: "Events shared with the agencies, in the order of the chain",
		Subjects: []string{"shared.*"}, Storage: jetstream.FileStorage,
		Discard: jetstream.DiscardNew, MaxBytes: c.MaxBytes,
		AllowDirect: true, AllowAtomicPublish: true,
	})
	if err != nil {
		return nil, fmt.Errorf("open shared record: %w", err)
	}
	ch := &Chain{config: c, js: js, stream: stream}
	ch.state.init()
	if err := ch.refresh(ctx); err != nil {
		return nil, fmt.Errorf("open shared record: %w", err)
	}
	return ch, ch.beginNewChain(ctx)
}

// Append puts an event of the gate on the chain and returns when it is on
// disk. An event whose id is on the chain already is not put there again: its
// link is returned. After an error the event may be on the chain or not;
// appending it again is right in both cases.
func (c *Chain) Append(ctx context.Context, e event.Envelope) (Link, error) {
	links, err := c.AppendAll(ctx, []event.Envelope{e})
	if err != nil {
		return Link{}, err
	}
	return links[0], nil
}

// AppendAll is Append for several events with one wait for the disk. The links
// are in the order of the events.
func (c *Chain) AppendAll(ctx context.Context, events []event.Envelope) ([]Link, error) {
	items := make([]item, 0, len(events))
	for _, e := range events {
		payload, err := e.Bytes()
		if err != nil {
			return nil, err
		}
		items = append(items, item{id: e.ID, kind: e.Type, payload: payload})
	}
	return c.append(ctx, items)
}

// AppendAt is Append only if the entry at a position is still the last one, so that
// nothing was said that the caller does not know. ErrMovedOn otherwise.
func (c *Chain) AppendAt(ctx context.Context, position uint64, e event.Envelope) (Link, error) {
	payload, err := e.Bytes()
	if err != nil {
		return Link{}, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.stale {
		if err := c.refresh(ctx); err != nil {
			return Link{}, fmt.Errorf("read shared record again: %w", err)
		}
		c.stale = false
	}
	if c.state.tail().position != position {
		return Link{}, ErrMovedOn
	}
	links := make([]Link, 1)
	err = c.settle(ctx, []item{{id: e.ID, kind: e.Type, payload: payload}}, links)
	return links[0], err
}

// Position is that of the last entry; zero when there is none.
func (c *Chain) Position() uint64 { return c.state.tail().position }

// At reads the entry at a position; false when it was retired or is not there yet.
func (c *Chain) At(ctx context.Context, position uint64) (Entry, bool, error) {
	if first, last := c.state.reach(); position < first || position > last {
		return Entry{}, false, nil
	}
	e, err := c.get(ctx, position)
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return Entry{}, false, nil
	}
	return e, err == nil, err
}

// AppendSaid is AppendAll for what agencies said. ErrOtherSaid is returned for
// an id that another event has.
func (c *Chain) AppendSaid(ctx context.Context, said ...Said) ([]Link, error) {
	items := make([]item, 0, len(said))
	for _, s := range said {
		items = append(items, item{id: s.Envelope.ID, kind: s.Envelope.Type, payload: s.Payload, origin: s.Origin})
	}
	return c.append(ctx, items)
}

// Head names the last link; its sequence is zero before the first append.
func (c *Chain) Head() Head {
	c.state.mu.Lock()
	defer c.state.mu.Unlock()
	return c.state.head
}

// Bytes is the size of the record on disk and the most that it may be.
func (c *Chain) Bytes(ctx context.Context) (used, most int64, err error) {
	info, err := c.stream.Info(ctx)
	if err != nil {
		return 0, 0, fmt.Errorf("look at shared record: %w", err)
	}
	return int64(info.State.Bytes), c.config.MaxBytes, nil
}

// Read gives the entries after a position in order, and ends at the last one.
func (c *Chain) Read(ctx context.Context, after uint64) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		for {
			e, ok, err := c.next(ctx, after, anyDelivery)
			if err != nil {
				yield(Entry{}, err)
				return
			}
			if !ok || !yield(e, nil) {
				return
			}
			after = e.Position
		}
	}
}

// item is an event on its way to the chain.
type item struct {
	id      event.ID
	kind    event.Type
	payload []byte
	origin  []byte
}

func (c *Chain) append(ctx context.Context, items []item) ([]Link, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	links := make([]Link, len(items))
	for done := 0; done < len(items); {
		end := min(done+maxBatch, len(items))
		if err := c.settle(ctx, items[done:end], links[done:end]); err != nil {
			return nil, err
		}
		done = end
	}
	return links, nil
}

// settle is appendBatch after the doubt of an append before has gone: what it
// sent may still be on its way to the stream and come in between.
func (c *Chain) settle(ctx context.Context, items []item, links []Link) error {
	if c.broken != nil {
		return c.broken
	}
	doubt := c.stale
	for try := 0; ; try++ {
		if c.stale {
			if err := c.refresh(ctx); err != nil {
				return fmt.Errorf("read shared record again: %w", err)
			}
			c.stale = false
		}
		err := c.appendBatch(ctx, items, links)
		var api *jetstream.APIError
		overtaken := errors.As(err, &api) && api.ErrorCode == jetstream.JSErrCodeStreamWrongLastSequence
		if !overtaken || !doubt || try == maxTries {
			return err
		}
	}
}

// maxTries bounds how often settle reads again.
const maxTries = 10

// maxBatch is below nats-server's limit of 1,000 messages in an atomic batch.
const maxBatch = 256

// appendBatch fills links for the items, of which it stores the new ones.
func (c *Chain) appendBatch(ctx context.Context, items []item, links []Link) error {
	tail := c.state.tail()
	var fresh []Entry
	inBatch := map[event.ID]int{}
	for i, it := range items {
		if it.id.Time().IsZero() {
			return fmt.Errorf("append %s %q: the id is no ULID", it.kind, it.id)
		}
		var known Entry
		at, found := inBatch[it.id]
		if found {
			known = fresh[at]
		} else {
			var err error
			if known, found, err = c.find(ctx, it.id); err != nil {
				return err
			}
		}
		if found {
			if it.origin != nil && known.Header.Digest != event.Digest(it.payload) {
				return fmt.Errorf("append %s %s: %w", it.kind, it.id, ErrOtherSaid)
			}
			links[i] = known.Link
			continue
		}
		link, err := c.link(&tail, it)
		if err != nil {
			return err
		}
		inBatch[it.id] = len(fresh)
		fresh = append(fresh, Entry{Link: link, Position: tail.position})
		links[i] = link
	}
	if len(fresh) == 0 {
		return nil
	}
	c.config.Fault.Hit(fault.ChainBeforeAppend)
	if err := c.publish(ctx, fresh); err != nil {
		c.stale = true
		if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil { // the store's own time is up, not the caller's
			c.broken = fmt.Errorf("%w: no answer in %s", ErrChainBroken, publishTimeout)
			c.config.Log.Error("the shared record does not answer; the daemon must be restarted", "gate", c.config.Gate)
			return c.broken
		}
		return fmt.Errorf("append to shared record: %w", err)
	}
	c.config.Fault.Hit(fault.ChainAfterAppend)
	c.state.add(fresh...)
	return nil
}

// tail is where the next link goes.
type tail struct {
	head     Head
	start    *Start // of the first link of a new chain
	position uint64 // of the last link
}

// link makes the next link and moves the tail on to it.
func (c *Chain) link(t *tail, it item) (Link, error) {
	h := Header{
		V: HeaderVersion, Chain: t.head.Chain, Sequence: t.head.Sequence + 1, Previous: t.head.Head,
		Start: t.start, Event: it.id, Type: it.kind, Delivery: it.kind.Delivery(),
		Digest: event.Digest(it.payload), Key: c.config.Key.Public().ID(), At: time.Now().UTC(),
	}
	if it.origin != nil {
		h.Origin = event.Digest(it.origin)
	}
	b, err := json.Marshal(h)
	if err != nil {
		return Link{}, fmt.Errorf("encode header of %s: %w", it.id, err)
	}
	l := Link{Header: h, HeaderBytes: b, Signature: c.config.Key.Sign(b), Origin: it.origin, Payload: it.payload}
	*t = tail{head: l.Head(), position: t.position + 1}
	return l, nil
}

// beginNewChain names a new chain where there is none to go on with.
func (c *Chain) beginNewChain(ctx context.Context) error {
	t := c.state.tail()
	after := c.config.After
	if t.head.Sequence > 0 {
		last, err := c.get(ctx, t.position)
		if err != nil {
			return err
		}
		err = last.Verify(c.config.Key.Public())
		if err == nil && last.Header.Type == event.TypeKeyChange {
			err = fmt.Errorf("%w: the record goes on with another", ErrKey) // whose file is lost
		}
		if err == nil {
			return nil
		}
		if next, e := last.KeyChange(); last.Header.Type == event.TypeKeyChange && e == nil && next.ID() == c.config.Key.Public().ID() {
			return nil // it goes on with the key that was announced
		}
		if !errors.Is(err, ErrKey) {
			return fmt.Errorf("open shared record: its last event %s was altered: %w; keep the folder for an examination, and start with an empty one", last.MsgID(), err)
		}
		c.config.Log.Warn("the gate has another key than the shared record; a new chain begins",
			"gate", c.config.Gate, "chain", t.head.Chain, "key", c.config.Key.Public().ID())
		after = []Head{t.head}
	}
	c.state.begin(c.config.Gate+"-"+string(event.NewID(time.Now())), after)
	return nil
}
