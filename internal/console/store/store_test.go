package store_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatehouse/internal/console/consoletest"
	"gatehouse/internal/console/store"
	"gatehouse/internal/console/uplink"
	"gatehouse/internal/event"
	"gatehouse/internal/share"
	"gatehouse/internal/trust"
)

// bench is a store with a gate's chain beside it.
type bench struct {
	*consoletest.Chain
	keys uplink.Keys
	now  time.Time
	dir  string
	key  trust.Private
	*store.Store
}

func newBench(t *testing.T) *bench {
	t.Helper()
	b := &bench{Chain: consoletest.NewChain(t, "15BB"), now: time.Now().UTC().Truncate(time.Millisecond), dir: t.TempDir()}
	b.keys = uplink.Keys{Gates: map[string][]trust.Public{"15BB": {b.Key.Public()}}}
	var err error
	b.key, err = trust.NewPrivate()
	require.NoError(t, err)
	b.Store = b.open(t, b.dir)
	return b
}

func (b *bench) open(t *testing.T, dir string) *store.Store {
	t.Helper()
	return b.openWith(t, dir, slog.New(slog.DiscardHandler))
}

func (b *bench) openWith(t *testing.T, dir string, log *slog.Logger) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), store.Options{
		Dir: dir, Agency: event.Customs, Seal: uplink.Sealer(event.Customs, b.key),
		Log: log, Now: func() time.Time { return b.now },
	})
	require.NoError(t, err)
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// add chains a value and gives it as the console receives it.
func (b *bench) add(t *testing.T, typ event.Type, id event.ID, value any) store.Event {
	t.Helper()
	l, err := b.Add(typ, id, string(id), b.now, value)
	require.NoError(t, err)
	return b.read(t, l)
}

func (b *bench) read(t *testing.T, l share.Link) store.Event {
	t.Helper()
	e, stray := b.keys.Read("inbox."+string(l.Header.Delivery)+".15BB", l.NATSHeader(), l.Payload)
	require.Nil(t, stray)
	return e
}

func (b *bench) commit(t *testing.T, events ...store.Event) store.Result {
	t.Helper()
	r, err := b.Commit(t.Context(), store.Batch{Events: events})
	require.NoError(t, err)
	return r
}

func (b *bench) receipts(t *testing.T, s *store.Store) []event.Receipt {
	t.Helper()
	list, err := s.Outbox(t.Context(), 1000)
	require.NoError(t, err)
	var receipts []event.Receipt
	for _, q := range list {
		if q.Type == event.TypeReceipt {
			receipts = append(receipts, decode[event.Receipt](t, q.Data))
		}
	}
	return receipts
}

func passage(b *bench, version int) event.Passage {
	return event.Passage{
		ID: event.DeriveID(b.now, "test", "1"), Version: version, Where: event.Where{Gate: "15BB", Lane: "01"}, Kind: event.Vehicle,
		State: event.Closed, OpenedAt: b.now, Plates: []event.PlateReading{{Text: "12C12345", Score: 0.9}, {Text: "", Score: 0.99}},
	}
}

func TestAPassageIsStoredProjectedAndReceipted(t *testing.T) {
	b := newBench(t)
	p := passage(b, 1)
	e := b.add(t, event.TypePassage, p.ID, p)
	r := b.commit(t, e)
	require.Equal(t, 1, r.Stored)
	require.True(t, r.Queued, "a receipt is in the outbox when the commit is on disk")

	got, err := b.Passage(t.Context(), p.ID)
	require.NoError(t, err)
	require.Equal(t, p.ID, got.ID)
	list, err := b.Passages(t.Context(), 10)
	require.NoError(t, err)
	require.Len(t, list, 1)

	receipts := b.receipts(t, b.Store)
	require.Len(t, receipts, 1)
	require.Equal(t, uint64(1), receipts[0].Sequence)
	require.Equal(t, event.Digest(e.Header), receipts[0].Head)
	require.Equal(t, event.Customs, receipts[0].Agency)
}

func TestDoublesChangeNothing(t *testing.T) {
	b := newBench(t)
	e := b.add(t, event.TypePassage, "P", passage(b, 1))
	p := b.add(t, event.TypePassage, passage(b, 2).ID, passage(b, 2))
	b.commit(t, e, p, p)
	before, err := b.Digests(t.Context())
	require.NoError(t, err)
	b.now = b.now.Add(time.Minute)
	r := b.commit(t, p, e)
	require.Zero(t, r.Stored)
	require.False(t, r.Queued)
	after, err := b.Digests(t.Context())
	require.NoError(t, err)
	require.Equal(t, before, after)
}

func TestANewerVersionWinsWhateverTheOrder(t *testing.T) {
	b := newBench(t)
	one := b.add(t, event.TypePassage, passage(b, 1).ID, passage(b, 1))
	p := passage(b, 2)
	p.State = event.Cancelled
	two := b.add(t, event.TypePassage, p.ID, p)
	b.commit(t, two)
	b.commit(t, one)
	got, err := b.Passage(t.Context(), p.ID)
	require.NoError(t, err)
	require.Equal(t, 2, got.Version)
	require.Equal(t, event.Cancelled, got.State)
	versions, err := b.Versions(t.Context(), p.ID)
	require.NoError(t, err)
	require.Len(t, versions, 2)
	require.Equal(t, event.Digest(one.Header), versions[0].Head)
}

func TestTheReceiptStopsBeforeAHole(t *testing.T) {
	b := newBench(t)
	var events []store.Event
	for i := range 4 {
		g := event.Gap{ID: event.ID(fmt.Sprintf("G%d", i)), Where: event.Where{Gate: "15BB", Device: "rpm"}, From: b.now, To: b.now, Reason: "link"}
		events = append(events, b.add(t, event.TypeGap, g.ID, g))
	}
	b.commit(t, events[0], events[2], events[3])
	require.Equal(t, uint64(1), last(b.receipts(t, b.Store)).Sequence)
	chains, err := b.Chains(t.Context())
	require.NoError(t, err)
	require.Equal(t, uint64(1), chains[0].Sequence)
	require.Equal(t, uint64(1), chains[0].Holes(), "the hole is known")

	b.now = b.now.Add(10 * time.Second)
	b.commit(t, events[1])
	require.Equal(t, uint64(4), last(b.receipts(t, b.Store)).Sequence)
	require.Equal(t, event.Digest(events[3].Header), last(b.receipts(t, b.Store)).Head)
}

func TestCumulativeReceiptsAreRareUnlessPeopleWait(t *testing.T) {
	b := newBench(t)
	began := b.now
	n := 0
	gap := func() store.Event {
		n++
		g := event.Gap{ID: event.ID(fmt.Sprintf("G%d", n)), Where: event.Where{Gate: "15BB", Device: "rpm"}, From: b.now, To: b.now, Reason: "link"}
		return b.add(t, event.TypeGap, g.ID, g)
	}
	send := func() store.Result {
		t.Helper()
		r, err := b.SendReceipts(t.Context())
		require.NoError(t, err)
		return r
	}
	b.commit(t, gap())
	require.Len(t, b.receipts(t, b.Store), 1, "the first is written at once")
	r := b.commit(t, gap())
	require.Equal(t, began.Add(3*time.Second), r.Due, "where nothing follows, soon")
	require.Equal(t, r.Due, send().Due, "still too early")
	// A busy gate: something every second, and a receipt every eight.
	for range 16 {
		b.now = b.now.Add(time.Second)
		r = b.commit(t, gap())
		require.False(t, !r.Due.IsZero() && r.Due.After(b.now.Add(8*time.Second)))
	}
	require.Len(t, b.receipts(t, b.Store), 3)
	require.Equal(t, uint64(n), last(b.receipts(t, b.Store)).Sequence)
	// Then nothing comes any more.
	r = b.commit(t, gap())
	b.now = r.Due
	require.Zero(t, send().Due)
	require.Equal(t, uint64(n), last(b.receipts(t, b.Store)).Sequence)
	// A verdict is answered within a second.
	b.commit(t, gap())
	v := event.Verdict{ID: "V", Agency: event.BorderGuard, Gate: "15BB", Passage: "P", Code: event.Release, At: b.now}
	r = b.commit(t, b.add(t, event.TypeVerdict, v.ID, v))
	require.Equal(t, b.now.Add(time.Second), r.Due)
	b.now = b.now.Add(-time.Hour)
	require.Zero(t, send().Due, "a clock that was set back holds nothing back")
}

func TestReceiptsAreNotReceipted(t *testing.T) {
	b := newBench(t)
	b.commit(t, b.add(t, event.TypePassage, passage(b, 1).ID, passage(b, 1)))
	own := b.receipts(t, b.Store)
	b.now = b.now.Add(time.Minute)
	b.commit(t, b.add(t, event.TypeReceipt, own[0].ID, own[0]))
	require.Len(t, b.receipts(t, b.Store), 1, "a stored receipt owes nothing")

	reach, err := b.ReceiptsFor(t.Context(), store.Place{Chain: b.Name, Sequence: 1})
	require.NoError(t, err)
	require.Len(t, reach, 1)
	require.Equal(t, event.Customs, reach[0].Agency)
}

func TestAnAlertHasItsOwnReceiptAtOnce(t *testing.T) {
	b := newBench(t)
	a := event.Alert{ID: event.NewID(b.now), Sent: b.now, MsgType: "Alert", Where: event.Where{Gate: "15BB", Lane: "01"}, Passage: passage(b, 1).ID, EventCode: "RPM-GAMMA"}
	b.commit(t, b.add(t, event.TypeGap, "G", event.Gap{ID: "G", Where: event.Where{Gate: "15BB"}}))
	b.commit(t, b.add(t, event.TypeAlert, a.ID, a))
	require.Equal(t, a.ID, last(b.receipts(t, b.Store)).Alert)
	require.Equal(t, uint64(2), last(b.receipts(t, b.Store)).Sequence)
}

// A verdict on a passage is on the alerts that its officer can have seen, also
// when the console's clock and the gate's are apart.
func TestAVerdictIsOnTheAlertsBeforeIt(t *testing.T) {
	b := newBench(t)
	p := passage(b, 1)
	raise := func(sent time.Time) event.ID {
		a := event.Alert{ID: event.NewID(sent), Sent: sent, MsgType: "Alert", Where: p.Where, Passage: p.ID, EventCode: "RPM-GAMMA"}
		b.commit(t, b.add(t, event.TypeAlert, a.ID, a))
		return a.ID
	}
	seen := raise(b.now.Add(time.Minute)) // by a gate that is ahead
	record := b.add(t, event.TypePassage, p.ID, p)
	b.commit(t, record)
	shown := raise(b.now.Add(-time.Second))
	crossed := raise(b.now.Add(time.Second)) // while the officer wrote the verdict
	v := event.Verdict{
		ID: event.NewID(b.now), Agency: event.Customs, Gate: "15BB", Passage: p.ID, Code: event.Hold, Reason: "đo lại", Badge: "HQ-1", At: b.now,
		Saw: event.SeenVersion{Version: p.Version, Sequence: record.Sequence},
	}
	b.commit(t, b.add(t, event.TypeVerdict, v.ID, v))
	after := raise(b.now.Add(-time.Minute)) // by a gate that is behind

	for id, decided := range map[event.ID]bool{seen: true, shown: true, crossed: false, after: false} {
		a, err := b.Alert(t.Context(), id)
		require.NoError(t, err)
		require.Equal(t, decided, a.DecidedBy(event.Customs), "sent %s", a.Sent)
		require.False(t, a.DecidedBy(event.BorderGuard))
	}
}

func TestWhatCannotBeBelievedOrReadIsQuarantinedAndReceipted(t *testing.T) {
	b := newBench(t)
	sound := b.add(t, event.TypeGap, "G1", event.Gap{ID: "G1", Where: event.Where{Gate: "15BB"}})

	forged, err := b.Add(event.TypeGap, "G2", "G2", b.now, event.Gap{ID: "G2", Where: event.Where{Gate: "15BB"}})
	require.NoError(t, err)
	genuine := b.read(t, forged)
	forged.Payload = bytes.Replace(forged.Payload, []byte("15BB"), []byte("15BC"), 1)
	altered := b.read(t, forged)
	require.NotEmpty(t, altered.Problem)

	unknown := b.add(t, "vn.gatehouse.future.v7", "X", map[string]any{"id": "X"})
	foreign := b.add(t, event.TypeGap, "G4", event.Gap{ID: "G4", Where: event.Where{Gate: "99ZZ"}})
	evil := passage(b, 1)
	evil.Photos = []event.Photo{{Image: event.Evidence{SHA256: "../../etc/passwd"}}}
	path := b.add(t, event.TypePassage, evil.ID, evil)

	b.commit(t, sound, altered, unknown, foreign, path)
	suspects, err := b.Suspects(t.Context(), 10)
	require.NoError(t, err)
	require.Len(t, suspects, 4)
	r := last(b.receipts(t, b.Store))
	require.Equal(t, uint64(5), r.Sequence)
	require.Equal(t, []uint64{2, 3, 4, 5}, r.Quarantined)

	b.commit(t, genuine)
	suspects, err = b.Suspects(t.Context(), 10)
	require.NoError(t, err)
	require.Len(t, suspects, 3, "the genuine event takes the place of the forged one")
	chains, err := b.Chains(t.Context())
	require.NoError(t, err)
	require.Equal(t, uint64(5), chains[0].Sequence)
}

func TestAHeaderThatDoesNotFollowIsMarked(t *testing.T) {
	b := newBench(t)
	one := b.add(t, event.TypeGap, "G1", event.Gap{ID: "G1", Where: event.Where{Gate: "15BB"}})
	other := &consoletest.Chain{Gate: b.Gate, Key: b.Key, Name: b.Name}
	_, err := other.Add(event.TypeGap, "H1", "H1", b.now, event.Gap{ID: "H1", Where: event.Where{Gate: "15BB"}})
	require.NoError(t, err)
	fork, err := other.Add(event.TypeGap, "H2", "H2", b.now, event.Gap{ID: "H2", Where: event.Where{Gate: "15BB"}})
	require.NoError(t, err)
	b.commit(t, one, b.read(t, fork))
	suspects, err := b.Suspects(t.Context(), 10)
	require.NoError(t, err)
	require.Len(t, suspects, 1)
	require.True(t, suspects[0].Broken)

	second := b.add(t, event.TypeGap, "G2", event.Gap{ID: "G2", Where: event.Where{Gate: "15BB"}})
	b.commit(t, second)
	strays, err := b.Strays(t.Context(), 10)
	require.NoError(t, err)
	require.Len(t, strays, 1, "another event with the same place is set aside")
}

func TestStoresThatHoldTheSameEventsAreEqual(t *testing.T) {
	b := newBench(t)
	var events []store.Event
	for n := range 6 {
		b.now = b.now.Add(10 * time.Second)
		p := passage(b, 1)
		events = append(events, b.add(t, event.TypePassage, p.ID, p))
		p.Version, p.State = 2, event.Closed
		p.Photos = []event.Photo{{Image: event.Evidence{SHA256: event.Digest([]byte{byte(n)}), MediaType: "image/jpeg", Bytes: 1, Role: "plate-photo"}}}
		events = append(events, b.add(t, event.TypePassage, p.ID, p))
		a := event.Alert{ID: event.NewID(b.now), Sent: b.now, MsgType: "Alert", Where: p.Where, Passage: p.ID, EventCode: "RPM-GAMMA"}
		events = append(events, b.add(t, event.TypeAlert, a.ID, a))
		d := event.DeviceChange{ID: event.NewID(b.now), Where: event.Where{Gate: "15BB", Lane: "01", Device: "rpm"}, State: event.Down, Since: b.now}
		events = append(events, b.add(t, event.TypeDevice, d.ID, d))
		f := event.FrameLog{ID: event.NewID(b.now), Where: d.Where, From: b.now, To: b.now, Digests: []string{"00ff00ff00ff00ff", "00ff00ff00ff00ff"}}
		events = append(events, b.add(t, event.TypeFrameLog, f.ID, f))
		v := event.Verdict{ID: event.NewID(b.now), Agency: event.BorderGuard, Gate: "15BB", Passage: p.ID, Code: event.Hold, At: b.now}
		events = append(events, b.add(t, event.TypeVerdict, v.ID, v))
		k := event.Ack{ID: event.NewID(b.now), Agency: event.BorderGuard, Gate: "15BB", Alert: a.ID, Passage: p.ID, Badge: "BP-1", At: b.now}
		events = append(events, b.add(t, event.TypeAck, k.ID, k))
		c := event.Correction{ID: event.NewID(b.now), Agency: event.Customs, Gate: "15BB", Lane: "01", Kind: event.CorrectFacts, Passage: p.ID, At: b.now, Reason: "x", Badge: "HQ-1"}
		events = append(events, b.add(t, event.TypeCorrection, c.ID, c))
		p.Version, p.Corrections = 3, []event.Correcting{{ID: c.ID, Agency: c.Agency, Kind: c.Kind, At: c.At}}
		events = append(events, b.add(t, event.TypePassage, p.ID, p))
	}
	events = append(events, b.add(t, "vn.gatehouse.future.v7", "X", "unknown"))
	b.commit(t, events...)
	want, err := b.Digests(t.Context())
	require.NoError(t, err)

	for seed := range uint64(5) {
		other := b.open(t, t.TempDir())
		shuffled := append([]store.Event(nil), events...)
		r := rand.New(rand.NewPCG(seed, 1))
		r.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
		for len(shuffled) > 0 {
			n := min(1+r.IntN(5), len(shuffled))
			_, err := other.Commit(t.Context(), store.Batch{Events: shuffled[:n]})
			require.NoError(t, err)
			shuffled = shuffled[n:]
		}
		got, err := other.Digests(t.Context())
		require.NoError(t, err)
		require.Equal(t, want, got, "seed %d", seed)
	}

	n, err := b.Rebuild(t.Context())
	require.NoError(t, err)
	require.Equal(t, len(events), n)
	got, err := b.Digests(t.Context())
	require.NoError(t, err)
	require.Equal(t, want, got, "the projections follow from the bytes")
	require.NotEqual(t, want["passages"], want["alerts"])
}

// stopper cancels when a rebuild tells of its progress for the given time.
type stopper struct {
	slog.Handler
	left   *int
	cancel context.CancelFunc
}

func (s stopper) Enabled(context.Context, slog.Level) bool { return true }

func (s stopper) Handle(context.Context, slog.Record) error {
	if *s.left--; *s.left == 0 {
		s.cancel()
	}
	return nil
}

func TestARebuildThatWasCutOffGoesOn(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	left := 3
	b := newBench(t)
	for n := range 12 {
		b.commit(t, b.add(t, event.TypePassage, passage(b, n+1).ID, passage(b, n+1)))
	}
	want, err := b.Digests(t.Context())
	require.NoError(t, err)
	require.NoError(t, b.Close())

	s := b.openWith(t, b.dir, slog.New(stopper{slog.DiscardHandler, &left, cancel}))
	s.SetReplayStep(2)
	_, err = s.Rebuild(ctx)
	require.ErrorIs(t, err, context.Canceled)
	half, err := s.Digests(t.Context())
	require.NoError(t, err)
	require.NotEqual(t, want["passages"], half["passages"], "six passages are there, six are not")
	require.NoError(t, s.Close())

	again := b.open(t, b.dir)
	got, err := again.Digests(t.Context())
	require.NoError(t, err)
	require.Equal(t, want, got)
}

func TestAStoreIsTheSameAfterReopening(t *testing.T) {
	b := newBench(t)
	b.commit(t, b.add(t, event.TypePassage, passage(b, 1).ID, passage(b, 1)))
	want, err := b.Digests(t.Context())
	require.NoError(t, err)
	id := b.ID()
	require.NoError(t, b.Close())
	again := b.open(t, b.dir)
	require.Equal(t, id, again.ID())
	got, err := again.Digests(t.Context())
	require.NoError(t, err)
	require.Equal(t, want, got)
	require.NotEqual(t, id, b.open(t, t.TempDir()).ID(), "a new store has a new name")
}

func TestOutboxKeepsOrderAndForgetsWhatWasSent(t *testing.T) {
	b := newBench(t)
	p := passage(b, 1)
	b.commit(t, b.add(t, event.TypePassage, p.ID, p))
	v := event.Verdict{ID: event.NewID(b.now), Agency: event.Customs, Gate: "15BB", Passage: p.ID, Code: event.Inspect, Badge: "HQ-1", At: b.now}
	_, err := b.Decide(t.Context(), v)
	require.NoError(t, err)
	list, err := b.Outbox(t.Context(), 10)
	require.NoError(t, err)
	require.Len(t, list, 2)
	require.Equal(t, event.TypeReceipt, list[0].Type)
	require.Equal(t, "say.15BB.verdict", list[1].Subject)

	got, err := b.Passage(t.Context(), p.ID)
	require.NoError(t, err)
	require.True(t, got.Latest(event.Customs).Pending)
	require.NoError(t, b.Sent(t.Context(), list[1].Number))
	list, err = b.Outbox(t.Context(), 10)
	require.NoError(t, err)
	require.Len(t, list, 1, "the hub has taken one, not what is before it")
	require.NoError(t, b.Sent(t.Context(), list[0].Number))
	list, err = b.Outbox(t.Context(), 10)
	require.NoError(t, err)
	require.Empty(t, list)

	b.commit(t, b.add(t, event.TypeVerdict, v.ID, v))
	got, err = b.Passage(t.Context(), p.ID)
	require.NoError(t, err)
	require.Len(t, got.Verdicts, 1)
	require.False(t, got.Latest(event.Customs).Pending, "it came back on the chain")
	require.Nil(t, got.Latest(event.BorderGuard))
}

func TestEvidenceIsAskedForAssembledAndChecked(t *testing.T) {
	b := newBench(t)
	data := bytes.Repeat([]byte("0123456789abcdef"), 20_000)
	sum := sha256.Sum256(data)
	digest := hex.EncodeToString(sum[:])
	p := passage(b, 1)
	p.Photos = []event.Photo{{Image: event.Evidence{SHA256: digest, MediaType: "image/jpeg", Bytes: int64(len(data))}}}
	b.commit(t, b.add(t, event.TypePassage, p.ID, p))

	require.Equal(t, int64(0), b.asked(t, digest).From)
	part := func(from, to int) store.Chunk {
		return store.Chunk{SHA256: digest, Offset: int64(from), Size: int64(len(data)), Data: data[from:to]}
	}
	_, err := b.TakeChunk(t.Context(), part(0, 100_000))
	require.NoError(t, err)
	_, err = b.TakeChunk(t.Context(), part(200_000, 300_000))
	require.ErrorIs(t, err, store.ErrHole)
	_, err = b.TakeChunk(t.Context(), part(50_000, 150_000))
	require.NoError(t, err, "chunks may overlap")
	b.now = b.now.Add(time.Minute)
	require.Equal(t, int64(150_000), b.asked(t, digest).From, "a broken transfer goes on where it stopped")

	r, err := b.TakeChunk(t.Context(), part(150_000, len(data)))
	require.NoError(t, err)
	require.Equal(t, []store.Change{{Topic: "evidence", Key: digest}}, r.Changes)
	path, ok := b.EvidencePath(digest)
	require.True(t, ok)
	stored, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, data, stored)
	left, err := filepath.Glob(filepath.Join(b.dir, "partial", "*"))
	require.NoError(t, err)
	require.Empty(t, left)
	_, next, err := b.AskForEvidence(t.Context(), 10)
	require.NoError(t, err)
	require.True(t, next.IsZero(), "nothing is lacking")
}

func TestDamagedEvidenceIsAskedForAgain(t *testing.T) {
	b := newBench(t)
	digest := event.Digest([]byte("right"))
	p := passage(b, 1)
	p.Photos = []event.Photo{{Image: event.Evidence{SHA256: digest, Bytes: 5}}}
	b.commit(t, b.add(t, event.TypePassage, p.ID, p))
	_, err := b.TakeChunk(t.Context(), store.Chunk{SHA256: digest, Size: 5, Data: []byte("wrong")})
	require.NoError(t, err)
	_, ok := b.EvidencePath(digest)
	require.False(t, ok)
	b.now = b.now.Add(time.Minute)
	require.Equal(t, int64(0), b.asked(t, digest).From)
	for _, c := range []store.Chunk{
		{SHA256: "../x", Size: 1, Data: []byte("x")}, {SHA256: digest, Offset: -1, Size: 5, Data: []byte("x")},
		{SHA256: digest, Offset: 4, Size: 5, Data: []byte("xx")}, {SHA256: digest, Size: store.MaxEvidenceBytes + 1},
	} {
		_, err := b.TakeChunk(t.Context(), c)
		require.ErrorIs(t, err, store.ErrSenseless)
	}
}

// asked makes the store ask for evidence and gives the request for one piece.
func (b *bench) asked(t *testing.T, digest string) event.Wanted {
	t.Helper()
	_, _, err := b.AskForEvidence(t.Context(), 10)
	require.NoError(t, err)
	list, err := b.Outbox(t.Context(), 1000)
	require.NoError(t, err)
	for _, l := range slices.Backward(list) {
		if l.Type == event.TypeWanted && l.About == digest {
			return decode[event.Wanted](t, l.Data)
		}
	}
	require.Fail(t, "nobody asked for the evidence")
	return event.Wanted{}
}

func TestACancelledCommitLeavesNothing(t *testing.T) {
	b := newBench(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := b.Commit(ctx, store.Batch{Events: []store.Event{b.add(t, event.TypePassage, "P", passage(b, 1))}})
	require.ErrorIs(t, err, context.Canceled)
	c, err := b.Counts(t.Context())
	require.NoError(t, err)
	require.Zero(t, c.Events)
	require.Zero(t, c.Queued)
}
