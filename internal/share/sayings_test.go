package share_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"gatehouse/internal/event"
	"gatehouse/internal/hub/client"
	"gatehouse/internal/share"
	"gatehouse/internal/trust"
)

// shelf is evidence in memory.
type shelf map[string][]byte

type book struct{ *bytes.Reader }

func (book) Close() error { return nil }

func (s shelf) add(b []byte) event.Evidence {
	sha := event.Digest(b)
	s[sha] = b
	return event.Evidence{SHA256: sha, Bytes: int64(len(b))}
}

func (s shelf) open(sha string) (io.ReadSeekCloser, int64, error) {
	b, ok := s[sha]
	if !ok {
		return nil, 0, fs.ErrNotExist
	}
	return book{bytes.NewReader(b)}, int64(len(b)), nil
}

// listening runs hand-over, sayings and images of a site.
func (s *site) listening(evidence shelf, change func(*share.SayingsConfig)) (*share.Handover, *share.Sayings) {
	s.t.Helper()
	images, err := share.NewImages(share.ImagesConfig{Hub: s.conn, Gate: gate, Open: evidence.open, BytesPerSecond: 64 << 20})
	require.NoError(s.t, err)
	h := s.handover(func(c *share.HandoverConfig) { c.Images = images })
	c := share.SayingsConfig{Gate: gate, Chain: s.chain, Hub: s.conn, Keys: s.publicKeys(), Images: images, Handover: h}
	if change != nil {
		change(&c)
	}
	sayings, err := share.NewSayings(c)
	require.NoError(s.t, err)
	running(s.t, h.Run)
	running(s.t, images.Run)
	running(s.t, sayings.Run)
	return h, sayings
}

func (s *site) publicKeys() map[event.Agency]trust.Public {
	keys := map[event.Agency]trust.Public{}
	for a, k := range s.keys {
		keys[a] = k.Public()
	}
	return keys
}

func TestAVerdictReachesBothAgenciesWithItsSignature(t *testing.T) {
	s := newSite(t, nil)
	told := make(chan share.Said, 10)
	h, _ := s.listening(nil, func(c *share.SayingsConfig) { c.OnSaid = func(x share.Said) { told <- x } })
	v := verdict(t, event.Customs)
	require.NoError(t, s.say(event.Customs, v))
	require.Equal(t, v.ID, (<-told).Envelope.ID)
	require.NoError(t, s.say(event.Customs, v), "saying it again is harmless")
	w := verdict(t, event.BorderGuard)
	require.NoError(t, s.say(event.BorderGuard, w))
	require.Equal(t, w.ID, (<-told).Envelope.ID)
	s.handed(h, event.Agencies()...)
	for _, a := range event.Agencies() {
		got := s.stored(a)
		requireAll(t, got, entries(t, s.chain, 0))
		require.Len(t, got, 2)
		require.Equal(t, v.ID, got[0].Header.Event)
		require.Equal(t, event.DeliverAlert, got[0].Header.Delivery)
		require.NoError(t, got[0].VerifyOrigin(s.keys[event.Customs].Public()))
		require.ErrorIs(t, got[0].VerifyOrigin(s.keys[event.BorderGuard].Public()), share.ErrOrigin)
		e, err := got[0].Envelope()
		require.NoError(t, err)
		require.JSONEq(t, string(v.Data), string(e.Data))
	}
}

func TestAReceiptIsChainedAndShown(t *testing.T) {
	s := newSite(t, nil)
	h, _ := s.listening(nil, nil)
	fill(t, s.chain, 0, 10)
	head := s.chain.Head()
	require.NoError(t, s.say(event.Customs, receipt(t, event.Customs, head)))
	eventually(t, func() bool { return status(h, event.Customs).Received == head }, "the receipt is known")
	require.Zero(t, status(h, event.BorderGuard).Received)
	s.handed(h, event.Agencies()...)
	got := s.stored(event.BorderGuard)
	require.Equal(t, event.TypeReceipt, got[len(got)-1].Header.Type, "the other agency sees it")
}

func TestAGateThatWasAwayHearsEverythingOnce(t *testing.T) {
	s := newSite(t, nil)
	var ids []event.ID
	for range 20 {
		v := verdict(t, event.Customs)
		ids = append(ids, v.ID)
		require.NoError(t, s.say(event.Customs, v))
	}
	_, _ = s.listening(nil, nil)
	eventually(t, func() bool { return s.chain.Head().Sequence >= 20 }, "all are chained")
	all := entries(t, s.chain, 0)
	require.Len(t, all, 20)
	for i, e := range all {
		require.Equal(t, ids[i], e.Header.Event, "in the order in which they were said")
	}
}

func TestTheHubGoesWhileAgenciesSpeak(t *testing.T) {
	s := newSite(t, nil)
	h, _ := s.listening(nil, nil)
	require.NoError(t, s.say(event.Customs, verdict(t, event.Customs)))
	eventually(t, func() bool { return s.chain.Head().Sequence == 1 }, "the first is chained")
	s.server.Close()
	s.startHub()
	require.NoError(t, s.say(event.Customs, verdict(t, event.Customs)))
	eventually(t, func() bool { return s.chain.Head().Sequence == 2 }, "the second is chained")
	s.handed(h, event.Agencies()...)
	requireAll(t, s.stored(event.BorderGuard), entries(t, s.chain, 0))
}

func TestWhatIsNotTheAgenciesOwnIsRefused(t *testing.T) {
	s := newSite(t, nil)
	_, sayings := s.listening(nil, nil)
	js := s.agencyJS(event.Customs)
	known := verdict(t, event.Customs)
	require.NoError(t, s.say(event.Customs, known))
	eventually(t, func() bool { return s.chain.Head().Sequence == 1 }, "it is chained")

	other := verdict(t, event.BorderGuard)
	forged, err := share.NewSaying(gate, event.BorderGuard, s.keys[event.BorderGuard], other)
	require.NoError(t, err)
	ownKey, err := share.NewSaying(gate, event.Customs, s.keys[event.Customs], other)
	require.NoError(t, err)
	ownKey.Header.Del(nats.MsgIdHdr) // the hub would drop it as a double
	wrongKey, err := share.NewSaying(gate, event.Customs, newKey(t), verdict(t, event.Customs))
	require.NoError(t, err)
	otherGate := event.NewID(time.Now())
	elsewhere, err := share.NewSaying(gate, event.Customs, s.keys[event.Customs], said(t, event.Customs, event.TypeVerdict, otherGate,
		event.Verdict{ID: otherGate, Agency: event.Customs, Gate: "15BC"}))
	require.NoError(t, err)
	changed, err := share.NewSaying(gate, event.Customs, s.keys[event.Customs], verdict(t, event.Customs))
	require.NoError(t, err)
	changed.Data = bytes.Replace(changed.Data, []byte("HOLD"), []byte("PASS"), 1)
	wrongKind, err := share.NewSaying(gate, event.Customs, s.keys[event.Customs], verdict(t, event.Customs))
	require.NoError(t, err)
	wrongKind.Subject = "say.15BB.receipt"
	badID, err := share.NewSaying(gate, event.Customs, s.keys[event.Customs], said(t, event.Customs, event.TypeVerdict, "a b",
		event.Verdict{ID: "a b", Agency: event.Customs, Gate: gate}))
	require.NoError(t, err)
	sameID, err := share.NewSaying(gate, event.Customs, s.keys[event.Customs], said(t, event.Customs, event.TypeVerdict, known.ID,
		event.Verdict{ID: known.ID, Agency: event.Customs, Gate: gate, Code: event.Release}))
	require.NoError(t, err)
	sameID.Header.Del(nats.MsgIdHdr)
	noOrigin := nats.NewMsg("say.15BB.verdict")
	noOrigin.Data = []byte("hello")
	noJSON := nats.NewMsg("say.15BB.verdict")
	noJSON.Data = []byte("hello")
	origin, err := share.Seal(event.Customs, s.keys[event.Customs], noJSON.Data)
	require.NoError(t, err)
	noJSON.Header.Set(share.HeaderOrigin, base64.StdEncoding.EncodeToString(origin))

	bad := []*nats.Msg{forged, ownKey, wrongKey, elsewhere, changed, wrongKind, badID, sameID, noOrigin, noJSON}
	for _, m := range bad {
		_, err := js.PublishMsg(t.Context(), m)
		require.NoError(t, err)
	}
	eventually(t, func() bool { return sayings.Refused()[event.Customs] == len(bad) }, "all are refused")
	require.NoError(t, s.say(event.Customs, verdict(t, event.Customs)), "and the agency is still heard")
	eventually(t, func() bool { return s.chain.Head().Sequence == 2 }, "it is chained")
	require.Zero(t, sayings.Refused()[event.BorderGuard])
	require.Len(t, entries(t, s.chain, 0), 2)
}

func TestAgenciesSayOnlyWhatTheyMay(t *testing.T) {
	_, err := share.NewSaying(gate, event.Customs, newKey(t), passage(t, 1))
	require.ErrorContains(t, err, "corrections, receipts, commands and requests")
}

// collect reads chunks until the piece is whole, as a console does.
func collect(t *testing.T, js jetstream.JetStream, sha string, from int64) []byte {
	t.Helper()
	c, err := js.OrderedConsumer(t.Context(), client.ImageStream, jetstream.OrderedConsumerConfig{
		FilterSubjects: []string{"inbox.image.15BB." + sha},
	})
	require.NoError(t, err)
	var all []byte
	for {
		m, err := c.Next(jetstream.FetchMaxWait(20 * time.Second))
		require.NoError(t, err)
		chunk, err := share.ParseChunk(m.Subject(), m.Headers(), m.Data())
		require.NoError(t, err)
		require.Equal(t, gate, chunk.Gate)
		require.Equal(t, sha, chunk.SHA256)
		if chunk.Missing != "" {
			return nil
		}
		require.Equal(t, from+int64(len(all)), chunk.Offset)
		all = append(all, chunk.Data...)
		if from+int64(len(all)) == chunk.Size {
			return all
		}
	}
}

func wanted(t *testing.T, a event.Agency, sha string, from int64) event.Envelope {
	t.Helper()
	id := event.NewID(time.Now())
	return said(t, a, event.TypeWanted, id, event.Wanted{ID: id, Agency: a, Gate: gate, SHA256: sha, From: from, At: time.Now()})
}

func TestEvidenceIsServedInChunks(t *testing.T) {
	s := newSite(t, nil)
	evidence := shelf{}
	big := make([]byte, 3*share.ChunkSize+17)
	_, _ = rand.Read(big)
	whole, exact, empty := evidence.add(big), evidence.add(big[:share.ChunkSize]), evidence.add(nil)
	_, sayings := s.listening(evidence, nil)
	for _, piece := range []event.Evidence{whole, exact, empty} {
		require.NoError(t, s.say(event.Customs, wanted(t, event.Customs, piece.SHA256, 0)))
		require.True(t, bytes.Equal(evidence[piece.SHA256], collect(t, s.agencyJS(event.Customs), piece.SHA256, 0)))
	}
	require.NoError(t, s.say(event.BorderGuard, wanted(t, event.BorderGuard, whole.SHA256, share.ChunkSize)))
	require.True(t, bytes.Equal(big[share.ChunkSize:], collect(t, s.agencyJS(event.BorderGuard), whole.SHA256, share.ChunkSize)))

	absent := event.Digest([]byte("absent"))
	require.NoError(t, s.say(event.Customs, wanted(t, event.Customs, absent, 0)))
	require.Nil(t, collect(t, s.agencyJS(event.Customs), absent, 0), "the console is told that it is missing")

	require.NoError(t, s.say(event.Customs, wanted(t, event.Customs, "../../etc/passwd", 0)))
	eventually(t, func() bool { return sayings.Refused()[event.Customs] == 1 }, "no digest, no evidence")
	require.Zero(t, s.chain.Head().Sequence, "requests are not chained")
}

func TestEvidenceOfAnAlertIsPushed(t *testing.T) {
	s := newSite(t, nil)
	evidence := shelf{}
	piece := evidence.add([]byte("photo"))
	s.listening(evidence, nil)
	_, err := s.chain.Append(t.Context(), alert(t, 1, piece))
	require.NoError(t, err)
	for _, a := range event.Agencies() {
		require.Equal(t, "photo", string(collect(t, s.agencyJS(a), piece.SHA256, 0)))
	}
}

// wire counts what a client of the hub sends, as its line carries it.
type wire struct{ sent atomic.Int64 }

type wired struct {
	net.Conn
	*wire
}

func (w *wire) Dial(network, address string) (net.Conn, error) {
	c, err := net.Dial(network, address)
	return wired{c, w}, err
}

func (w wired) Write(b []byte) (int, error) {
	n, err := w.Conn.Write(b)
	w.sent.Add(int64(n))
	return n, err
}

func TestABandwidthCapHoldsBack(t *testing.T) {
	s := newSite(t, nil)
	evidence, line := shelf{}, &wire{}
	conn, err := client.Connect("nats://"+s.options.Listen, "test", s.gateSeed, slog.New(slog.DiscardHandler), nats.SetCustomDialer(line))
	require.NoError(t, err)
	defer conn.Close()
	const rate, size = 256 << 10, 300 << 10
	images, err := share.NewImages(share.ImagesConfig{Hub: conn, Gate: gate, Open: evidence.open, BytesPerSecond: rate})
	require.NoError(t, err)
	pieces := []event.Evidence{evidence.add(make([]byte, size)), evidence.add(bytes.Repeat([]byte{1}, size))}
	ctx, cancel := context.WithCancel(t.Context())
	before, started := line.sent.Load(), time.Now()
	var both errgroup.Group
	for i, a := range event.Agencies() {
		both.Go(func() error { return images.Serve(ctx, a, pieces[i].SHA256, 0) })
	}
	require.NoError(t, both.Wait())
	took, sent := time.Since(started).Seconds(), float64(line.sent.Load()-before)
	t.Logf("%.0f bytes in %.2f s, %.3f of the cap", sent, took, sent/took/rate)
	require.Greater(t, sent, 2.0*size)
	require.Less(t, sent, 2.0*size*1.05, "what is beside the evidence is little")
	require.Less(t, sent-rate/8, took*rate*1.02, "an eighth of a second's worth may go at once, and no more than the cap after it")
	for i, a := range event.Agencies() {
		require.True(t, bytes.Equal(evidence[pieces[i].SHA256], collect(t, s.agencyJS(a), pieces[i].SHA256, 0)))
	}
	cancel()
	require.Error(t, images.Serve(ctx, event.Customs, pieces[0].SHA256, 0))
}

func TestChunksAreNotTrusted(t *testing.T) {
	sha := event.Digest(nil)
	for name, c := range map[string]struct {
		subject, offset, size string
		data                  int
	}{
		"subject":    {"inbox", "0", "1", 1},
		"no digest":  {"inbox.image.15BB." + strings.ToUpper(sha), "0", "1", 1},
		"no offset":  {"inbox.image.15BB." + sha, "", "1", 1},
		"negative":   {"inbox.image.15BB." + sha, "-1", "1", 1},
		"beyond":     {"inbox.image.15BB." + sha, "1", "1", 1},
		"overflow":   {"inbox.image.15BB." + sha, "9223372036854775807", "9223372036854775807", 1},
		"huge":       {"inbox.image.15BB." + sha, "0", "1073741825", 1},
		"no size":    {"inbox.image.15BB." + sha, "0", "x", 1},
		"minus size": {"inbox.image.15BB." + sha, "0", "-5", 0},
	} {
		t.Run(name, func(t *testing.T) {
			h := nats.Header{}
			h.Set(share.HeaderOffset, c.offset)
			h.Set(share.HeaderSize, c.size)
			_, err := share.ParseChunk(c.subject, h, make([]byte, c.data))
			require.Error(t, err)
		})
	}
}

func FuzzParseMessage(f *testing.F) {
	f.Add("e30=", "AAAA", "", []byte("{}"))
	b, err := json.Marshal(share.Header{V: 1, Chain: "c", Sequence: 1})
	require.NoError(f, err)
	f.Add(base64.StdEncoding.EncodeToString(b), "AAAA", "e30=", []byte("{}"))
	f.Fuzz(func(t *testing.T, header, signature, origin string, data []byte) {
		h := nats.Header{share.HeaderHeader: {header}, share.HeaderSignature: {signature}, share.HeaderOrigin: {origin}}
		m, err := share.ParseMessage(h, data)
		if err == nil {
			require.NotZero(t, m.Header.Sequence)
			require.Error(t, m.Verify(trust.Public{}))
			_ = m.VerifyOrigin(trust.Public{})
		}
	})
}

func FuzzParseChunk(f *testing.F) {
	sha := event.Digest(nil)
	f.Add("inbox.image.15BB."+sha, "0", "5", "", []byte("hello"))
	f.Add("inbox.image.15BB."+sha, "", "", "gone", []byte(nil))
	f.Fuzz(func(t *testing.T, subject, offset, size, missing string, data []byte) {
		h := nats.Header{share.HeaderOffset: {offset}, share.HeaderSize: {size}, share.HeaderMissing: {missing}}
		c, err := share.ParseChunk(subject, h, data)
		if err == nil && c.Missing == "" {
			require.GreaterOrEqual(t, c.Offset, int64(0))
			require.LessOrEqual(t, c.Offset+int64(len(c.Data)), c.Size)
			require.LessOrEqual(t, c.Size, int64(share.MaxEvidence))
		}
	})
}
