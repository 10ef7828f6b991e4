package uplink_test

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"gatehouse/internal/console/consoletest"
	"gatehouse/internal/console/store"
	"gatehouse/internal/console/uplink"
	"gatehouse/internal/event"
	"gatehouse/internal/trust"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// node is one agency's store and uplink.
type node struct {
	*store.Store
	link    *uplink.Uplink
	changes chan struct{} // poked with every change
	stop    func()
}

func start(t *testing.T, s *consoletest.Site, a event.Agency, dir string, key trust.Private) *node {
	t.Helper()
	return startAt(t, s, a, dir, key, time.Now)
}

// startAt is start with a clock.
func startAt(t *testing.T, s *consoletest.Site, a event.Agency, dir string, key trust.Private, now func() time.Time) *node {
	t.Helper()
	st, err := store.Open(t.Context(), store.Options{Dir: dir, Agency: a, Seal: uplink.Sealer(a, key), Log: slog.New(slog.DiscardHandler), Now: now})
	require.NoError(t, err)
	n := &node{Store: st, changes: make(chan struct{}, 1)}
	n.link = uplink.New(uplink.Options{
		URL: s.Hub.URL(), Name: "console", Seed: s.Seeds[a], Store: st, Log: slog.New(slog.DiscardHandler),
		Keys: uplink.Keys{Gates: map[string][]trust.Public{s.Gate: {s.Key.Public()}}, Agencies: map[event.Agency][]trust.Public{a: {key.Public()}}},
		Notify: func([]store.Change) {
			select {
			case n.changes <- struct{}{}:
			default:
			}
		},
	})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- n.link.Run(ctx) }()
	stopped := false
	n.stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		if err := <-done; err != nil {
			t.Errorf("uplink: %v", err)
		}
		if err := st.Close(); err != nil {
			t.Errorf("close store: %v", err)
		}
	}
	t.Cleanup(n.stop)
	return n
}

// until waits for a condition, looking again with every change.
func (n *node) until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	deadline := time.After(60 * time.Second)
	for !ok() {
		select {
		case <-n.changes:
		case <-time.After(200 * time.Millisecond): // what is waited for may not be a change here
		case <-deadline:
			require.Fail(t, "waited too long for: "+what)
		}
	}
}

func key(t *testing.T) trust.Private {
	t.Helper()
	k, err := trust.NewPrivate()
	require.NoError(t, err)
	return k
}

func (n *node) has(t *testing.T, id event.ID) bool {
	_, err := n.Passage(t.Context(), id)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		t.Fatal(err)
	}
	return err == nil
}

func TestBothAgenciesSeeAndDecide(t *testing.T) {
	site := consoletest.NewSite(t, "15BB")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	site.Serve(ctx, t)
	customs := start(t, site, event.Customs, t.TempDir(), key(t))
	guard := start(t, site, event.BorderGuard, t.TempDir(), key(t))

	p := site.Passage(1, time.Now().UTC(), true)
	site.Share(t, event.TypePassage, p.ID, string(p.ID), p)
	a := consoletest.Alert(p, p.Findings[0])
	site.Share(t, event.TypeAlert, a.ID, string(p.ID), a)
	for _, n := range []*node{customs, guard} {
		n.until(t, "the passage and its evidence", func() bool {
			_, photo := n.EvidencePath(p.Photos[0].Image.SHA256)
			_, scan := n.EvidencePath(p.Scans[0].Image.SHA256)
			return n.has(t, p.ID) && photo && scan
		})
	}

	v := event.Verdict{ID: event.NewID(time.Now()), Agency: event.Customs, Gate: "15BB", Passage: p.ID, Alert: a.ID, Code: event.Hold, Reason: "đo lại", Badge: "HQ-0001", At: time.Now().UTC()}
	_, err := customs.Decide(t.Context(), v)
	require.NoError(t, err)
	customs.link.Wake()
	for _, n := range []*node{customs, guard} {
		n.until(t, "the verdict on the chain", func() bool {
			got, err := n.Passage(t.Context(), p.ID)
			require.NoError(t, err)
			last := got.Latest(event.Customs)
			return last != nil && !last.Pending && last.Reason == "đo lại"
		})
		n.until(t, "both receipts", func() bool {
			reach, err := n.ReceiptsFor(t.Context(), store.Place{Chain: site.Name, Sequence: 1})
			require.NoError(t, err)
			return len(reach) == 2
		})
	}
	suspects, err := customs.Suspects(t.Context(), 10)
	require.NoError(t, err)
	require.Empty(t, suspects)
}

func TestNothingIsLostOrDoubledOverRestartsAndALostHub(t *testing.T) {
	site := consoletest.NewSite(t, "15BB")
	dir, k := t.TempDir(), key(t)
	n := start(t, site, event.Customs, dir, k)
	share := func(i int) event.ID {
		p := event.Passage{ID: event.NewID(time.Now()), Version: 1, Where: event.Where{Gate: "15BB", Lane: "01"}, OpenedAt: time.Now().UTC(), State: event.Closed}
		site.Share(t, event.TypePassage, p.ID, string(p.ID), p)
		return p.ID
	}
	first := share(1)
	n.until(t, "the first passage", func() bool { return n.has(t, first) })
	n.stop()
	away := share(2)
	n = start(t, site, event.Customs, dir, k)
	n.until(t, "what came while the console was away", func() bool { return n.has(t, away) })

	site.StopHub()
	n.until(t, "the loss to be known", func() bool { return !n.link.Status().Connected })
	v := event.Verdict{ID: event.NewID(time.Now()), Agency: event.Customs, Gate: "15BB", Passage: away, Code: event.Release, Badge: "HQ-1", At: time.Now().UTC()}
	_, err := n.Decide(t.Context(), v)
	require.NoError(t, err, "officers go on without the hub")
	site.StartHub(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	site.Reconnected(t)
	site.Serve(ctx, t)
	n.until(t, "the verdict to go out once the hub is back", func() bool {
		for _, e := range site.Said() {
			if e.ID == v.ID {
				return true
			}
		}
		return false
	})
	after := share(3)
	n.until(t, "the passage after the outage", func() bool { return n.has(t, after) })
	c, err := n.Counts(t.Context())
	require.NoError(t, err)
	require.Equal(t, 3, c.Passages)
}

func TestALostStoreIsRebuiltFromTheHub(t *testing.T) {
	site := consoletest.NewSite(t, "15BB")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	site.Serve(ctx, t)
	k := key(t)
	n := start(t, site, event.Customs, t.TempDir(), k)
	var last event.Passage
	for i := range 3 {
		last = site.Passage(i, time.Now().UTC(), i == 0)
		site.Share(t, event.TypePassage, last.ID, string(last.ID), last)
	}
	settled := func(n *node) func() bool {
		return func() bool {
			c, err := n.Counts(t.Context())
			require.NoError(t, err)
			chains, err := n.Chains(t.Context())
			require.NoError(t, err)
			return c.Passages == 3 && c.EvidenceLacking == 0 && c.Queued == 0 && len(chains) == 1 && chains[0].Sequence == chains[0].Highest
		}
	}
	n.until(t, "all of it", settled(n))
	n.stop()

	dir := t.TempDir()
	again := start(t, site, event.Customs, dir, k)
	again.until(t, "all of it again", settled(again))
	want, err := os.ReadFile(path(t, again, last.Photos[0].Image.SHA256))
	require.NoError(t, err)
	require.Equal(t, last.Photos[0].Image.SHA256, event.Digest(want))

	// The first store comes back and catches up with what the second caused.
	guard := start(t, site, event.BorderGuard, t.TempDir(), key(t))
	guard.until(t, "the other agency has it too", settled(guard))
	equal := func() bool {
		a, err := again.Digests(t.Context())
		require.NoError(t, err)
		b, err := guard.Digests(t.Context())
		require.NoError(t, err)
		return jsonOf(t, a) == jsonOf(t, b)
	}
	again.until(t, "the shared parts of both agencies to be equal, byte for byte", equal)
}

func path(t *testing.T, n *node, digest string) string {
	p, ok := n.EvidencePath(digest)
	require.True(t, ok)
	return p
}

func jsonOf(t *testing.T, v any) string {
	b, err := json.Marshal(v)
	require.NoError(t, err)
	return string(b)
}

// An alarm rings whatever the clock of the console says, and one that lay at the hub
// for long does not.
func TestAWrongClockSilencesNoAlarm(t *testing.T) {
	site := consoletest.NewSite(t, "15BB")
	for _, wrong := range []time.Duration{10 * time.Minute, -10 * time.Minute} {
		n := startAt(t, site, event.Customs, t.TempDir(), key(t), func() time.Time { return time.Now().Add(wrong) })
		p := site.Passage(1, time.Now().UTC(), true)
		a := consoletest.Alert(p, p.Findings[0])
		site.Share(t, event.TypeAlert, a.ID, string(p.ID), a)
		var got []store.Alert
		n.until(t, "the alert", func() bool {
			list, err := n.Alerts(t.Context(), 10)
			require.NoError(t, err)
			got = slices.DeleteFunc(list, func(x store.Alert) bool { return x.ID != a.ID })
			return len(got) == 1
		})
		require.False(t, got[0].Late)
		n.stop()
	}
}

func TestGarbageOnTheInboxIsKeptAndHoldsNothingUp(t *testing.T) {
	site := consoletest.NewSite(t, "15BB")
	n := start(t, site, event.Customs, t.TempDir(), key(t))
	site.Raw(t, event.Customs, event.DeliverRecord, nats.Header{"Gatehouse-Header": {"!!"}}, []byte("noise"))
	other := consoletest.NewChain(t, "15BB") // signed with a key that nobody gave
	l, err := other.Add(event.TypeGap, "G", "G", time.Now(), event.Gap{ID: "G", Where: event.Where{Gate: "15BB"}})
	require.NoError(t, err)
	require.NoError(t, site.HandOver(event.Customs, l))
	p := site.Passage(1, time.Now().UTC(), false)
	site.Share(t, event.TypePassage, p.ID, string(p.ID), p)
	n.until(t, "the sound passage behind the garbage", func() bool { return n.has(t, p.ID) })
	strays, err := n.Strays(t.Context(), 10)
	require.NoError(t, err)
	require.Len(t, strays, 1)
	suspects, err := n.Suspects(t.Context(), 10)
	require.NoError(t, err)
	require.Len(t, suspects, 1)
	require.Contains(t, suspects[0].Problem, "not a known key of gate 15BB")
}

func TestWhatTheGateNoLongerHasIsNotAskedForAgainAndAgain(t *testing.T) {
	site := consoletest.NewSite(t, "15BB")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	site.Serve(ctx, t)
	n := start(t, site, event.Customs, t.TempDir(), key(t))
	p := site.Passage(1, time.Now().UTC(), false)
	gone := event.Digest([]byte("gone"))
	p.Photos[0].Image.SHA256 = gone
	site.Share(t, event.TypePassage, p.ID, string(p.ID), p)
	n.until(t, "the gate's answer", func() bool {
		e, err := n.Evidence(t.Context(), gone)
		return err == nil && e.Missing != ""
	})
}
