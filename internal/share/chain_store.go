package share

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"gatehouse/internal/event"
	"gatehouse/internal/fault"
)

// headerIndex is a short form of the link beside it in the gate's own stream,
// so that opening a long chain decodes no JSON: chain, sequence, type and event
// id with spaces between. It is not signed, never leaves the gate and decides
// nothing but where to look.
const headerIndex = "Gatehouse-Index"

// Headers of an atomic batch (nats-server, stream.go): one sync for all.
const (
	headerBatchID       = "Nats-Batch-Id"
	headerBatchSequence = "Nats-Batch-Sequence"
	headerBatchCommit   = "Nats-Batch-Commit"
)

// publishTimeout bounds one wait for the disk. A worn card can stall for seconds,
// half a minute is a fault; a server that met a full disk never answers.
const publishTimeout = 30 * time.Second

type indexed struct {
	chain    string
	sequence uint64
	kind     event.Type
	id       event.ID
}

func (x indexed) String() string {
	return fmt.Sprintf("%s %d %s %s", x.chain, x.sequence, x.kind, x.id)
}

func parseIndexed(s string) (indexed, error) {
	f := strings.Fields(s)
	if len(f) != 4 {
		return indexed{}, errors.New("no usable index")
	}
	n, err := strconv.ParseUint(f[1], 10, 64)
	if err != nil || n == 0 {
		return indexed{}, errors.New("no usable sequence in index")
	}
	return indexed{chain: f[0], sequence: n, kind: event.Type(f[2]), id: event.ID(f[3])}, nil
}

// atomicFrom is the number of entries from which one atomic batch, which has a
// staging area of its own on disk, is faster than a sync for each entry
// (measured with BenchmarkAppend).
const atomicFrom = 24

// publish stores entries behind the last one, or fails because somebody else
// did. What follows a refused entry is refused too, since each expects the
// position before it.
func (c *Chain) publish(ctx context.Context, entries []Entry) error {
	ctx, cancel := context.WithTimeout(ctx, publishTimeout)
	defer cancel()
	conn := c.js.Conn()
	sub, err := conn.SubscribeSync(conn.NewInbox())
	if err != nil {
		return err
	}
	defer func() { _ = sub.Unsubscribe() }()

	atomic := len(entries) >= atomicFrom
	batch, last := string(event.NewID(time.Now())), len(entries)-1
	for i, e := range entries {
		m := chainMessage(e)
		if i == 0 || !atomic {
			m.Header.Set(jetstream.ExpectedLastSeqHeader, strconv.FormatUint(e.Position-1, 10))
		}
		if atomic {
			m.Header.Set(headerBatchID, batch)
			m.Header.Set(headerBatchSequence, strconv.Itoa(i+1))
		}
		if i == last && atomic {
			m.Header.Set(headerBatchCommit, "1")
		}
		if i == last || !atomic {
			m.Reply = sub.Subject
		}
		if err := conn.PublishMsg(m); err != nil {
			return err
		}
	}
	if atomic {
		entries = entries[last:]
	}
	for _, e := range entries {
		reply, err := sub.NextMsgWithContext(ctx)
		if err != nil {
			return err
		}
		if err := checkAck(reply.Data, e.Position); err != nil {
			return err
		}
	}
	return nil
}

func chainMessage(e Entry) *nats.Msg {
	m := nats.NewMsg("shared." + string(e.Header.Delivery))
	m.Header = e.NATSHeader()
	m.Header.Set(headerIndex, indexed{e.Header.Chain, e.Header.Sequence, e.Header.Type, e.Header.Event}.String())
	m.Data = e.Payload
	return m
}

// checkAck reads a JetStream acknowledgement, which must be for a position.
func checkAck(b []byte, position uint64) error {
	var ack struct {
		Sequence uint64              `json:"seq"`
		Error    *jetstream.APIError `json:"error"`
	}
	if err := json.Unmarshal(b, &ack); err != nil {
		return fmt.Errorf("read acknowledgement: %w", err)
	}
	switch {
	case ack.Error != nil && strings.Contains(ack.Error.Description, "maximum bytes"):
		return fmt.Errorf("%w: %w", ErrChainFull, ack.Error)
	case ack.Error != nil:
		return ack.Error
	case ack.Sequence != position:
		return fmt.Errorf("stored at %d, not at %d: the stream has another writer", ack.Sequence, position)
	}
	return nil
}

// refresh reads what is in the stream behind what is known.
func (c *Chain) refresh(ctx context.Context) error {
	info, err := c.stream.Info(ctx)
	if err != nil {
		return err
	}
	known := c.state.tail()
	if info.State.LastSeq == known.position {
		return nil
	}
	if info.State.Msgs > 0 {
		if err := c.load(ctx, max(known.position+1, info.State.FirstSeq), info.State.LastSeq); err != nil {
			return err
		}
	}
	c.state.mu.Lock()
	defer c.state.mu.Unlock()
	c.state.position = info.State.LastSeq
	c.state.first = max(info.State.FirstSeq, 1)
	if info.State.Msgs == 0 {
		return nil
	}
	last, err := c.get(ctx, info.State.LastSeq)
	if err != nil {
		return fmt.Errorf("read the head: %w", err)
	}
	c.state.head, c.state.start = last.Head(), nil
	c.state.wake()
	return nil
}

// load indexes the entries of a range of positions.
func (c *Chain) load(ctx context.Context, from, to uint64) error {
	consumer, err := c.stream.CreateConsumer(ctx, jetstream.ConsumerConfig{
		DeliverPolicy: jetstream.DeliverByStartSequencePolicy, OptStartSeq: from, HeadersOnly: true,
		AckPolicy: jetstream.AckNonePolicy, MemoryStorage: true, InactiveThreshold: time.Minute,
	})
	if err != nil {
		return fmt.Errorf("read index: %w", err)
	}
	defer func() { _ = c.stream.DeleteConsumer(context.WithoutCancel(ctx), consumer.CachedInfo().Name) }()
	messages, err := consumer.Messages(jetstream.PullMaxMessages(2000))
	if err != nil {
		return fmt.Errorf("read index: %w", err)
	}
	defer messages.Stop()
	for {
		m, err := messages.Next(jetstream.NextContext(ctx))
		if err != nil {
			return fmt.Errorf("read index: %w", err)
		}
		position, err := c.loadOne(ctx, m)
		if err != nil || position >= to {
			return err
		}
	}
}

// loadOne indexes one entry and says where it is.
func (c *Chain) loadOne(ctx context.Context, m jetstream.Msg) (uint64, error) {
	meta, err := m.Metadata()
	if err != nil {
		return 0, fmt.Errorf("read index: %w", err)
	}
	position := meta.Sequence.Stream
	x, err := parseIndexed(m.Headers().Get(headerIndex))
	if err != nil {
		if x, err = c.indexOf(ctx, position); err != nil {
			return 0, err
		}
	}
	c.state.mu.Lock()
	defer c.state.mu.Unlock()
	c.state.index(x, position)
	return position, nil
}

// indexOf makes the index of an entry from its header.
func (c *Chain) indexOf(ctx context.Context, position uint64) (indexed, error) {
	e, err := c.get(ctx, position)
	h := e.Header
	return indexed{chain: h.Chain, sequence: h.Sequence, kind: h.Type, id: h.Event}, err
}

// get reads one entry.
func (c *Chain) get(ctx context.Context, position uint64) (Entry, error) {
	raw, err := c.stream.GetMsg(ctx, position)
	if err != nil {
		return Entry{}, fmt.Errorf("read entry %d of the shared record: %w", position, err)
	}
	m, err := ParseMessage(raw.Header, raw.Data)
	if err != nil {
		return Entry{}, fmt.Errorf("entry %d of the shared record: %w", position, err)
	}
	return Entry{Link: m.Link, Position: position}, nil
}

// Find reads the entry of an event that is on the chain; false when it is not,
// or was retired.
func (c *Chain) Find(ctx context.Context, id event.ID) (Entry, bool, error) {
	return c.find(ctx, id)
}

// find reads the entry of an event id if there is one.
func (c *Chain) find(ctx context.Context, id event.ID) (Entry, bool, error) {
	position, ok := c.state.where(id)
	if !ok || fault.Planted(fault.PlantNoKey) {
		return Entry{}, false, nil
	}
	e, err := c.get(ctx, position)
	if err != nil {
		return Entry{}, false, err
	}
	return e, e.Header.Event == id, nil
}

// next reads the first entry of a class after a position.
func (c *Chain) next(ctx context.Context, after uint64, class event.Delivery) (Entry, bool, error) {
	position, ok, _ := c.state.next(after, class)
	if !ok {
		return Entry{}, false, nil
	}
	e, err := c.get(ctx, position)
	return e, err == nil, err
}

// Retire deletes entries that are older than maxAge, but none after a position
// and never the last. Handover.Kept says which position both agencies are past.
// It returns how many entries went.
func (c *Chain) Retire(ctx context.Context, maxAge time.Duration, upTo uint64) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	info, err := c.stream.Info(ctx)
	if err != nil {
		return 0, fmt.Errorf("retire shared record: %w", err)
	}
	first, limit := info.State.FirstSeq, min(upTo+1, info.State.LastSeq)
	before := time.Now().Add(-maxAge)
	keep := first // the first that stays
	for low, high := first, limit; low < high; {
		middle := low + (high-low)/2
		e, err := c.get(ctx, middle)
		if err != nil {
			return 0, fmt.Errorf("retire shared record: %w", err)
		}
		if e.Header.At.Before(before) {
			low = middle + 1
			keep = low
		} else {
			high = middle
		}
	}
	if keep <= first {
		return 0, nil
	}
	if err := c.stream.Purge(ctx, jetstream.WithPurgeSequence(keep)); err != nil {
		return 0, fmt.Errorf("retire shared record: %w", err)
	}
	c.state.retire(keep)
	return int(keep - first), nil
}
