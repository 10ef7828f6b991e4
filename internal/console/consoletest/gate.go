// Package consoletest plays the other end for tests of the console: a gate
// that chains what it and the agencies say, hands it over through a real hub
// and serves evidence.
package consoletest

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"

	"gatehouse/internal/event"
	"gatehouse/internal/hub"
	"gatehouse/internal/hub/client"
	"gatehouse/internal/share"
	"gatehouse/internal/trust"
)

// Chain makes signed links as a gate does.
type Chain struct {
	Gate string
	Key  trust.Private
	Name string // of the chain
	// Start is in the first link of a chain that follows a lost one.
	Start *share.Start

	mu       sync.Mutex
	sequence uint64
	previous string
}

// NewChain starts a chain of a gate with a key of its own.
func NewChain(t testing.TB, gate string) *Chain {
	t.Helper()
	key, err := trust.NewPrivate()
	require.NoError(t, err)
	return &Chain{Gate: gate, Key: key, Name: gate + "-" + string(event.NewID(time.Now()))}
}

// Add appends a value of the gate's own.
func (c *Chain) Add(typ event.Type, id event.ID, about string, at time.Time, value any) (share.Link, error) {
	env, err := event.Wrap("/gate/"+c.Gate, typ, id, about, at, value)
	if err != nil {
		return share.Link{}, err
	}
	payload, err := env.Bytes()
	if err != nil {
		return share.Link{}, err
	}
	return c.Append(typ, id, at, payload, nil)
}

// Append chains payload bytes, with the origin of an agency's event.
func (c *Chain) Append(typ event.Type, id event.ID, at time.Time, payload, origin []byte) (share.Link, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	h := share.Header{
		V: share.HeaderVersion, Chain: c.Name, Sequence: c.sequence + 1, Previous: c.previous,
		Event: id, Type: typ, Delivery: typ.Delivery(), Digest: event.Digest(payload), Key: c.Key.Public().ID(), At: at.UTC(),
	}
	if h.Sequence == 1 {
		h.Start = c.Start
	}
	if origin != nil {
		h.Origin = event.Digest(origin)
	}
	b, err := json.Marshal(h)
	if err != nil {
		return share.Link{}, err
	}
	l, err := share.ParseLink(b, c.Key.Sign(b), origin, payload)
	if err != nil {
		return share.Link{}, err
	}
	c.sequence, c.previous = h.Sequence, l.Hash()
	return l, nil
}

// Site is a hub with one gate and both agencies.
type Site struct {
	*Chain
	Hub     *hub.Server
	Options hub.Options
	Seeds   map[event.Agency]trust.Seed

	seed      trust.Seed
	seedFiles string
	nc        *nats.Conn
	js        jetstream.JetStream

	mu       sync.Mutex
	evidence map[string][]byte
	seen     map[event.ID]bool
	said     []event.Envelope
}

// NewSite starts a hub and connects the gate to it.
func NewSite(t testing.TB, gate string) *Site {
	t.Helper()
	s := &Site{Chain: NewChain(t, gate), Seeds: map[event.Agency]trust.Seed{}, evidence: map[string][]byte{}, seen: map[event.ID]bool{}}
	var err error
	s.seed, err = trust.NewSeed()
	require.NoError(t, err)
	s.Options = hub.Options{Name: "hub", Listen: "127.0.0.1:0", StoreDir: t.TempDir(), Gates: []hub.Gate{{ID: gate, Nkey: s.seed.Public()}},
		InboxMaxBytes: 256 << 20, ImageMaxBytes: 256 << 20, SayingsMaxBytes: 64 << 20}
	s.seedFiles = t.TempDir()
	for _, a := range event.Agencies() {
		seed, err := trust.CreateSeed(s.seedFile(a))
		require.NoError(t, err)
		s.Seeds[a] = seed
		s.Options.Agencies = append(s.Options.Agencies, hub.Agency{ID: a, Nkeys: []string{seed.Public()}})
	}
	s.StartHub(t)
	t.Cleanup(func() { s.Hub.Close() })
	s.connect(t)
	return s
}

func (s *Site) seedFile(a event.Agency) string {
	return filepath.Join(s.seedFiles, a.Account()+".nkey")
}

// WriteSeed puts an agency's hub identity into a file.
func (s *Site) WriteSeed(t testing.TB, a event.Agency, path string) {
	t.Helper()
	b, err := os.ReadFile(s.seedFile(a))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(path, b, 0o600))
}

// StartHub starts the hub, again after StopHub.
func (s *Site) StartHub(t testing.TB) {
	t.Helper()
	h, err := hub.Start(context.Background(), s.Options)
	require.NoError(t, err)
	s.Hub = h
	// The next start takes the same port, so that clients find it again.
	s.Options.Listen = strings.TrimPrefix(h.URL(), "nats://")
}

// StopHub ends the hub as a lost uplink.
func (s *Site) StopHub() { s.Hub.Close() }

// Reconnected waits until the gate's own connection to the hub is back.
func (s *Site) Reconnected(t testing.TB) {
	t.Helper()
	require.Eventually(t, s.nc.IsConnected, 30*time.Second, 20*time.Millisecond)
}

func (s *Site) connect(t testing.TB) {
	t.Helper()
	var err error
	s.nc, err = client.Connect(s.Hub.URL(), "gate", s.seed, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	t.Cleanup(s.nc.Close)
	s.js, err = jetstream.New(s.nc)
	require.NoError(t, err)
}

// Share chains a value and hands it over to both agencies.
func (s *Site) Share(t testing.TB, typ event.Type, id event.ID, about string, value any) share.Link {
	t.Helper()
	l, err := s.Add(typ, id, about, time.Now(), value)
	require.NoError(t, err)
	for _, a := range event.Agencies() {
		require.NoError(t, s.HandOver(a, l))
	}
	return l
}

// HandOver gives a link to one agency and waits for its stream.
func (s *Site) HandOver(a event.Agency, l share.Link) error {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	m := nats.NewMsg(fmt.Sprintf("to.%s.%s.%s", a.Account(), l.Header.Delivery, s.Gate))
	m.Header, m.Data = l.NATSHeader(), l.Payload
	if time.Since(l.Header.At) > share.DefaultLateAfter {
		m.Header.Set(share.HeaderLate, "true")
	}
	_, err := s.js.PublishMsg(ctx, m)
	return err
}

// Raw publishes bytes as they are on an agency's inbox.
func (s *Site) Raw(t testing.TB, a event.Agency, class event.Delivery, h nats.Header, data []byte) {
	t.Helper()
	m := nats.NewMsg(fmt.Sprintf("to.%s.%s.%s", a.Account(), class, s.Gate))
	m.Header, m.Data = h, data
	_, err := s.js.PublishMsg(t.Context(), m)
	require.NoError(t, err)
}

// Keep adds a piece of evidence that the gate serves when it is asked.
func (s *Site) Keep(data []byte, media, role string) event.Evidence {
	s.mu.Lock()
	defer s.mu.Unlock()
	digest := event.Digest(data)
	s.evidence[digest] = data
	return event.Evidence{SHA256: digest, MediaType: media, Bytes: int64(len(data)), Role: role}
}

// Said lists what the agencies said so far, doubles dropped.
func (s *Site) Said() []event.Envelope {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]event.Envelope(nil), s.said...)
}

// Serve does what a gate does with sayings until ctx ends: it chains verdicts
// and receipts to both agencies and serves evidence.
func (s *Site) Serve(ctx context.Context, t testing.TB) {
	for _, a := range event.Agencies() {
		for _, kind := range client.Sayings() {
			consumer, err := s.js.CreateOrUpdateConsumer(ctx, client.SayingsOf(a), jetstream.ConsumerConfig{
				Durable: client.SayingsConsumer(s.Gate, kind), AckPolicy: jetstream.AckExplicitPolicy,
				FilterSubject: client.SayingsFilter(a, s.Gate, kind),
			})
			require.NoError(t, err)
			sub, err := consumer.Consume(func(m jetstream.Msg) { s.hear(t, a, m) })
			require.NoError(t, err)
			context.AfterFunc(ctx, sub.Stop)
		}
	}
}

func (s *Site) hear(t testing.TB, a event.Agency, m jetstream.Msg) {
	env, err := event.ParseEnvelope(m.Data())
	if err != nil {
		t.Errorf("%s said something unreadable: %v", a, err)
		return
	}
	s.mu.Lock()
	again := s.seen[env.ID]
	s.seen[env.ID] = true
	if !again {
		s.said = append(s.said, env)
	}
	s.mu.Unlock()
	if err := s.answer(a, env, m, again); err != nil {
		t.Logf("gate: %v", err) // not acknowledged, so it comes again
		return
	}
	_ = m.Ack()
}

func (s *Site) answer(a event.Agency, env event.Envelope, m jetstream.Msg, again bool) error {
	switch {
	case env.Type == event.TypeWanted:
		var w event.Wanted
		if err := json.Unmarshal(env.Data, &w); err != nil {
			return err
		}
		return s.serve(a, w)
	case again:
		return nil
	}
	origin, err := base64.StdEncoding.DecodeString(m.Headers().Get(share.HeaderOrigin))
	if err != nil {
		return err
	}
	l, err := s.Append(env.Type, env.ID, time.Now(), m.Data(), origin)
	if err != nil {
		return err
	}
	for _, to := range event.Agencies() {
		if err := s.HandOver(to, l); err != nil {
			return err
		}
	}
	return nil
}

// serve sends the chunks of a wanted piece.
func (s *Site) serve(a event.Agency, w event.Wanted) error {
	s.mu.Lock()
	data, ok := s.evidence[w.SHA256]
	s.mu.Unlock()
	subject := fmt.Sprintf("to.%s.image.%s.%s", a.Account(), s.Gate, w.SHA256)
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if !ok {
		m := nats.NewMsg(subject)
		m.Header.Set(share.HeaderMissing, "not kept")
		_, err := s.js.PublishMsg(ctx, m)
		return err
	}
	for from := w.From; from < int64(len(data)); from += share.ChunkSize {
		if err := s.SendChunk(ctx, a, w.SHA256, from, data[from:min(from+share.ChunkSize, int64(len(data)))], len(data)); err != nil {
			return err
		}
	}
	return nil
}

// SendChunk sends one chunk of a piece to an agency.
func (s *Site) SendChunk(ctx context.Context, a event.Agency, digest string, from int64, data []byte, size int) error {
	m := nats.NewMsg(fmt.Sprintf("to.%s.image.%s.%s", a.Account(), s.Gate, digest))
	m.Header.Set(share.HeaderOffset, strconv.FormatInt(from, 10))
	m.Header.Set(share.HeaderSize, strconv.Itoa(size))
	m.Data = data
	_, err := s.js.PublishMsg(ctx, m)
	return err
}
