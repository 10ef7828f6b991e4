package share_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatehouse/internal/event"
	"gatehouse/internal/hub"
	"gatehouse/internal/hub/client"
	"gatehouse/internal/share"
)

// fill appends n records with an alert after every tenth.
func fill(t testing.TB, c *share.Chain, from, n int) {
	t.Helper()
	var events []event.Envelope
	for i := from; i < from+n; i++ {
		events = append(events, passage(t, i))
		if i%10 == 9 {
			events = append(events, alert(t, i))
		}
	}
	_, err := c.AppendAll(t.Context(), events)
	require.NoError(t, err)
}

func TestBothAgenciesGetEverythingOnce(t *testing.T) {
	s := newSite(t, nil)
	fill(t, s.chain, 0, 150)
	h := s.handover(nil)
	require.EqualValues(t, 15, status(h, event.Customs).Alerts)
	require.EqualValues(t, 150, status(h, event.Customs).Records)
	stop := running(t, h.Run)
	fill(t, s.chain, 150, 20)
	s.handed(h, event.Agencies()...)
	require.EqualValues(t, 187, status(h, event.Customs).Handed)
	stop()

	// A restart of the gate goes on where it was.
	fill(t, s.chain, 170, 10)
	h = s.handover(nil)
	require.EqualValues(t, 187, status(h, event.BorderGuard).Handed)
	running(t, h.Run)
	s.handed(h, event.Agencies()...)
	for _, a := range event.Agencies() {
		requireAll(t, s.stored(a), entries(t, s.chain, 0))
	}
}

func TestAHubThatWasAwayMissesNothing(t *testing.T) {
	s := newSite(t, nil)
	var lines log
	h := s.handover(func(c *share.HandoverConfig) { c.Log = lines.logger() })
	running(t, h.Run)
	fill(t, s.chain, 0, 10)
	s.handed(h, event.Agencies()...)
	for round := range 3 {
		s.server.Close()
		fill(t, s.chain, 10+round*40, 40)
		eventually(t, func() bool { return status(h, event.Customs).Error != "" }, "the hub is missed")
		require.Positive(t, status(h, event.Customs).Records)
		s.startHub()
		s.handed(h, event.Agencies()...)
		eventually(t, func() bool { return status(h, event.Customs).Error == "" }, "all is well")
	}
	for _, a := range event.Agencies() {
		requireAll(t, s.stored(a), entries(t, s.chain, 0))
	}
	require.Equal(t, 6, lines.count("hand-over stopped"), "once an outage and agency")
	require.Equal(t, 6, lines.count("hand-over goes on"))
}

func TestAFullAgencyHoldsUpNobodyAndIsGoneOnWithLater(t *testing.T) {
	s := newSite(t, func(o *hub.Options) { o.InboxMaxBytes = 100_000 })
	h := s.handover(func(c *share.HandoverConfig) { c.Agencies = []event.Agency{event.Customs} })
	running(t, h.Run)
	fill(t, s.chain, 0, 200)
	eventually(t, func() bool { return status(h, event.Customs).Error != "" }, "the stream is full")
	require.Contains(t, status(h, event.Customs).Error, "maximum bytes exceeded")
	require.Positive(t, status(h, event.Customs).Records)

	// The other agency's stream has the same limit but gets what fits.
	_, err := s.agencyJS(event.BorderGuard).Stream(t.Context(), client.InboxStream)
	require.NoError(t, err)

	s.server.Close()
	s.options.InboxMaxBytes = 10_000_000
	s.startHub()
	s.handed(h, event.Customs)
	requireAll(t, s.stored(event.Customs), entries(t, s.chain, 0))
}

func TestAStreamThatWasMadeAnewGetsWhatWasNotReceived(t *testing.T) {
	s := newSite(t, nil)
	h := s.handover(nil)
	running(t, h.Run)
	fill(t, s.chain, 0, 30)
	s.handed(h, event.Agencies()...)
	all := entries(t, s.chain, 0)
	got := all[9]
	require.NoError(t, h.Received(t.Context(), event.Receipt{
		Agency: event.Customs, Gate: gate, Chain: got.Header.Chain, Sequence: got.Header.Sequence, Head: got.Hash(), At: time.Now(),
	}))
	require.Equal(t, got.Head(), status(h, event.Customs).Received)

	// The Customs account loses its streams with the disk of the hub.
	s.server.Close()
	require.NoError(t, os.RemoveAll(filepath.Join(s.options.StoreDir, "jetstream", string(event.Customs))))
	s.startHub()
	fill(t, s.chain, 30, 1)
	eventually(t, func() bool { return status(h, event.Customs).Recreated == 1 }, "the new stream is noticed")
	s.handed(h, event.Agencies()...)

	want := entries(t, s.chain, 0)
	ids := map[string]int{}
	for _, m := range s.stored(event.Customs) {
		ids[m.MsgID()]++
	}
	for _, e := range want[10:] {
		require.Equal(t, 1, ids[e.MsgID()], e.MsgID())
	}
	requireAll(t, s.stored(event.BorderGuard), want)
	require.Zero(t, status(h, event.BorderGuard).Recreated)
}

// A cursor that was not saved before a power cut makes the gate send again:
// the hub and the consoles drop the doubles by their id.
func TestWhatIsSentAgainIsTheSame(t *testing.T) {
	s := newSite(t, nil)
	h := s.handover(nil)
	stop := running(t, h.Run)
	fill(t, s.chain, 0, 30)
	s.handed(h, event.Agencies()...)
	stop()
	kv, err := s.js.KeyValue(t.Context(), "handover")
	require.NoError(t, err)
	_, err = kv.Put(t.Context(), "CUSTOMS.record", []byte(`{"position":5,"inbox":3}`))
	require.NoError(t, err)

	fill(t, s.chain, 30, 10)
	h = s.handover(nil)
	running(t, h.Run)
	s.handed(h, event.Agencies()...)
	require.Zero(t, status(h, event.Customs).Recreated)
	requireAll(t, s.stored(event.Customs), entries(t, s.chain, 0))
}

func TestLateEventsAreMarked(t *testing.T) {
	s := newSite(t, nil)
	fill(t, s.chain, 0, 10)
	h := s.handover(func(c *share.HandoverConfig) { c.LateAfter = time.Nanosecond })
	running(t, h.Run)
	s.handed(h, event.Agencies()...)
	for _, m := range s.stored(event.Customs) {
		require.True(t, m.Late)
	}
	s2 := newSite(t, nil)
	fill(t, s2.chain, 0, 10)
	h = s2.handover(func(c *share.HandoverConfig) { c.LateAfter = time.Hour })
	running(t, h.Run)
	s2.handed(h, event.Agencies()...)
	for _, m := range s2.stored(event.Customs) {
		require.False(t, m.Late)
	}
}

// An alert overtakes a backlog: it does not wait until the records before it
// are handed over.
func TestAlertsPassTheBacklog(t *testing.T) {
	s := newSite(t, nil)
	s.server.Close()
	h := s.handover(nil)
	running(t, h.Run)
	fill(t, s.chain, 0, 600)
	_, err := s.chain.Append(t.Context(), alert(t, 10_000))
	require.NoError(t, err)
	s.startHub()
	s.handed(h, event.Customs)
	got := s.stored(event.Customs)
	last := 0
	for i, m := range got {
		if m.Header.Delivery == event.DeliverAlert {
			last = i
		}
	}
	require.Less(t, last, len(got)/2, "the newest alert is in the first half of what arrived")
}

func TestKeptIsWhatEverybodyHas(t *testing.T) {
	s := newSite(t, nil)
	h := s.handover(nil)
	running(t, h.Run)
	fill(t, s.chain, 0, 20)
	s.handed(h, event.Agencies()...)
	require.Zero(t, h.Kept(), "nobody has said that it received anything")
	all := entries(t, s.chain, 0)
	for i, a := range event.Agencies() {
		e := all[10+i]
		require.NoError(t, h.Received(t.Context(), event.Receipt{Agency: a, Chain: e.Header.Chain, Sequence: e.Header.Sequence, At: time.Now()}))
	}
	require.EqualValues(t, 11, h.Kept())
	require.EqualValues(t, 11, s.handover(nil).Kept(), "it is known after a restart")
}
