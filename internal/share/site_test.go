package share_test

import (
	"context"
	"encoding/json"
	"log/slog"
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

// site is a gate, a hub and two agencies, all of them real servers.
type site struct {
	t        testing.TB
	options  hub.Options
	server   *hub.Server
	key      trust.Private
	gateSeed trust.Seed
	seeds    map[event.Agency]trust.Seed
	keys     map[event.Agency]trust.Private

	js    jetstream.JetStream // of the gate's journal
	chain *share.Chain
	conn  *nats.Conn
}

func newSite(t testing.TB, change func(*hub.Options)) *site {
	t.Helper()
	s := &site{t: t, key: newKey(t), gateSeed: newSeed(t), seeds: map[event.Agency]trust.Seed{}, keys: map[event.Agency]trust.Private{}}
	s.options = hub.Options{
		Name: "hub", Listen: "127.0.0.1:0", StoreDir: t.TempDir(),
		Gates: []hub.Gate{{ID: gate, Nkey: s.gateSeed.Public()}},
	}
	for _, a := range event.Agencies() {
		s.seeds[a], s.keys[a] = newSeed(t), newKey(t)
		s.options.Agencies = append(s.options.Agencies, hub.Agency{ID: a, Nkeys: []string{s.seeds[a].Public()}})
	}
	if change != nil {
		change(&s.options)
	}
	s.startHub()
	s.options.Listen = s.server.URL()[len("nats://"):] // the same again after a restart
	t.Cleanup(func() { s.server.Close() })
	s.js, _ = journal(t, t.TempDir())
	s.chain = openChain(t, s.js, s.key)
	s.conn = s.connect(s.gateSeed)
	return s
}

func newSeed(t testing.TB) trust.Seed {
	t.Helper()
	s, err := trust.NewSeed()
	require.NoError(t, err)
	return s
}

func (s *site) startHub() {
	s.t.Helper()
	var err error
	s.server, err = hub.Start(s.t.Context(), s.options)
	require.NoError(s.t, err)
}

func (s *site) connect(who trust.Seed) *nats.Conn {
	s.t.Helper()
	c, err := client.Connect("nats://"+s.options.Listen, "test", who, slog.New(slog.DiscardHandler))
	require.NoError(s.t, err)
	s.t.Cleanup(c.Close)
	return c
}

func (s *site) agencyJS(a event.Agency) jetstream.JetStream {
	s.t.Helper()
	js, err := jetstream.New(s.connect(s.seeds[a]))
	require.NoError(s.t, err)
	return js
}

// running runs f until the test or stop ends it.
func running(t testing.TB, f func(context.Context) error) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = f(ctx)
	}()
	stop = func() {
		cancel()
		<-done
	}
	t.Cleanup(stop)
	return stop
}

func (s *site) handover(change func(*share.HandoverConfig)) *share.Handover {
	s.t.Helper()
	c := share.HandoverConfig{Gate: gate, Chain: s.chain, Hub: s.conn, Agencies: event.Agencies()}
	if change != nil {
		change(&c)
	}
	h, err := share.OpenHandover(s.t.Context(), c)
	require.NoError(s.t, err)
	return h
}

// status of one agency.
func status(h *share.Handover, a event.Agency) share.HandoverStatus {
	for _, s := range h.Status() {
		if s.Agency == a {
			return s
		}
	}
	return share.HandoverStatus{}
}

// eventually waits for a condition that no channel announces.
func eventually(t testing.TB, f func() bool, what string) {
	t.Helper()
	require.Eventually(t, f, time.Minute, 5*time.Millisecond, what)
}

func (s *site) handed(h *share.Handover, agencies ...event.Agency) {
	s.t.Helper()
	for _, a := range agencies {
		eventually(s.t, func() bool {
			st := status(h, a)
			return st.Alerts == 0 && st.Records == 0
		}, "everything is handed over to "+string(a))
	}
}

// stored is the agency's stream as a console that lost its disk would read it.
func (s *site) stored(a event.Agency) []share.Message {
	s.t.Helper()
	stream, err := s.agencyJS(a).Stream(s.t.Context(), client.InboxStream)
	require.NoError(s.t, err)
	var all []share.Message
	for n := stream.CachedInfo().State.FirstSeq; n <= stream.CachedInfo().State.LastSeq; n++ {
		raw, err := stream.GetMsg(s.t.Context(), n)
		require.NoError(s.t, err)
		m, err := share.ParseMessage(raw.Header, raw.Data)
		require.NoError(s.t, err)
		require.NoError(s.t, m.Verify(s.key.Public()))
		all = append(all, m)
	}
	return all
}

// requireAll checks that the stream holds every event of the gate once, each
// class in the order of the chain.
func requireAll(t testing.TB, got []share.Message, want []share.Entry) {
	t.Helper()
	last := map[event.Delivery]uint64{}
	seen := map[string]bool{}
	for _, m := range got {
		require.Greater(t, m.Header.Sequence, last[m.Header.Delivery], "order within a class")
		last[m.Header.Delivery] = m.Header.Sequence
		seen[m.MsgID()] = true
	}
	require.Len(t, got, len(want))
	for _, e := range want {
		require.True(t, seen[e.MsgID()], e.MsgID())
	}
}

// say says something as an agency's console does.
func (s *site) say(a event.Agency, e event.Envelope) error {
	s.t.Helper()
	m, err := share.NewSaying(gate, a, s.keys[a], e)
	require.NoError(s.t, err)
	_, err = s.agencyJS(a).PublishMsg(s.t.Context(), m)
	return err
}

func said(t testing.TB, a event.Agency, kind event.Type, id event.ID, value any) event.Envelope {
	t.Helper()
	e, err := event.Wrap("/agency/"+string(a), kind, id, "x", time.Now(), value)
	require.NoError(t, err)
	return e
}

func verdict(t testing.TB, a event.Agency) event.Envelope {
	t.Helper()
	id := event.NewID(time.Now())
	return said(t, a, event.TypeVerdict, id, event.Verdict{ID: id, Agency: a, Gate: gate, Code: event.Hold, At: time.Now()})
}

func receipt(t testing.TB, a event.Agency, head share.Head) event.Envelope {
	t.Helper()
	id := event.NewID(time.Now())
	return said(t, a, event.TypeReceipt, id, event.Receipt{
		ID: id, Agency: a, Gate: gate, Chain: head.Chain, Sequence: head.Sequence, Head: head.Head, At: time.Now(),
	})
}

// log collects lines for tests that count them.
type log struct {
	mu    sync.Mutex
	lines []map[string]any
}

func (l *log) Write(b []byte) (int, error) {
	var line map[string]any
	if err := json.Unmarshal(b, &line); err != nil {
		return 0, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines = append(l.lines, line)
	return len(b), nil
}

func (l *log) count(message string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := 0
	for _, line := range l.lines {
		if line["msg"] == message {
			n++
		}
	}
	return n
}

func (l *log) logger() *slog.Logger { return slog.New(slog.NewJSONHandler(l, nil)) }
