package hub_test

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"gatehouse/internal/event"
	"gatehouse/internal/hub"
	"gatehouse/internal/hub/client"
	"gatehouse/internal/trust"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// site is a hub with one user of every kind.
type site struct {
	options                     hub.Options
	gate, other, customs, guard trust.Seed
	server                      *hub.Server
}

func newSite(t *testing.T, change func(*hub.Options)) *site {
	t.Helper()
	s := &site{gate: seed(t), other: seed(t), customs: seed(t), guard: seed(t)}
	s.options = hub.Options{
		Name: "hub", Listen: "127.0.0.1:0", StoreDir: t.TempDir(),
		Gates: []hub.Gate{{ID: "15BB", Nkey: s.gate.Public()}, {ID: "15BC", Nkey: s.other.Public()}},
		Agencies: []hub.Agency{
			{ID: event.Customs, Nkeys: []string{s.customs.Public()}},
			{ID: event.BorderGuard, Nkeys: []string{s.guard.Public()}},
		},
	}
	if change != nil {
		change(&s.options)
	}
	var err error
	s.server, err = hub.Start(t.Context(), s.options)
	require.NoError(t, err)
	t.Cleanup(s.server.Close)
	return s
}

func seed(t *testing.T) trust.Seed {
	t.Helper()
	s, err := trust.NewSeed()
	require.NoError(t, err)
	return s
}

func (s *site) connect(t *testing.T, who trust.Seed, more ...nats.Option) (*nats.Conn, jetstream.JetStream) {
	t.Helper()
	c, err := client.Connect(s.server.URL(), "test", who, slog.New(slog.DiscardHandler), more...)
	require.NoError(t, err)
	t.Cleanup(c.Close)
	js, err := jetstream.New(c, jetstream.WithDefaultTimeout(2*time.Second))
	require.NoError(t, err)
	require.NoError(t, c.Flush())
	return c, js
}

func TestAGateReachesEachAgencyAndGetsItsAcknowledgement(t *testing.T) {
	s := newSite(t, nil)
	_, gate := s.connect(t, s.gate)
	ack, err := gate.Publish(t.Context(), "to.customs.alert.15BB", []byte("a"))
	require.NoError(t, err)
	require.Equal(t, client.InboxStream, ack.Stream)
	require.EqualValues(t, 1, ack.Sequence)
	ack, err = gate.Publish(t.Context(), "to.borderguard.record.15BB", []byte("b"))
	require.NoError(t, err)
	require.EqualValues(t, 1, ack.Sequence, "streams of the agencies are apart")
	ack, err = gate.Publish(t.Context(), "to.customs.image.15BB."+event.Digest(nil), []byte("c"))
	require.NoError(t, err)
	require.Equal(t, client.ImageStream, ack.Stream)

	_, customs := s.connect(t, s.customs)
	consumer, err := customs.CreateOrUpdateConsumer(t.Context(), client.InboxStream, jetstream.ConsumerConfig{
		Durable: "console", AckPolicy: jetstream.AckExplicitPolicy, FilterSubject: "inbox.alert.>",
	})
	require.NoError(t, err)
	m, err := consumer.Next(jetstream.FetchMaxWait(5 * time.Second))
	require.NoError(t, err)
	require.Equal(t, "inbox.alert.15BB", m.Subject())
	require.NoError(t, m.DoubleAck(t.Context()))

	ordered, err := customs.OrderedConsumer(t.Context(), client.ImageStream, jetstream.OrderedConsumerConfig{})
	require.NoError(t, err, "a console may read from the start, to rebuild itself")
	m, err = ordered.Next(jetstream.FetchMaxWait(5 * time.Second))
	require.NoError(t, err)
	require.Equal(t, "c", string(m.Data()))
}

func TestWhoSaysSomethingFollowsFromTheAccount(t *testing.T) {
	s := newSite(t, nil)
	_, customs := s.connect(t, s.customs)
	_, guard := s.connect(t, s.guard)
	_, err := customs.Publish(t.Context(), "say.15BB.verdict", []byte("from customs"))
	require.NoError(t, err)
	_, err = guard.Publish(t.Context(), "say.15BB.verdict", []byte("from the guard"))
	require.NoError(t, err)

	_, gate := s.connect(t, s.gate)
	for _, a := range event.Agencies() {
		consumer, err := gate.CreateOrUpdateConsumer(t.Context(), client.SayingsOf(a), jetstream.ConsumerConfig{
			Durable: client.SayingsConsumer("15BB", "verdict"), AckPolicy: jetstream.AckExplicitPolicy,
			FilterSubject: client.SayingsFilter(a, "15BB", "verdict"),
		})
		require.NoError(t, err)
		m, err := consumer.Next(jetstream.FetchMaxWait(5 * time.Second))
		require.NoError(t, err)
		require.Equal(t, "from."+string(a)+".15BB.verdict", m.Subject())
		require.NoError(t, m.DoubleAck(t.Context()))
	}
}

// refused publishes and requires that nothing of it arrives anywhere.
func refused(t *testing.T, c *nats.Conn, js jetstream.JetStream, subject string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	_, err := js.Publish(ctx, subject, []byte("x"), jetstream.WithRetryAttempts(0))
	require.Error(t, err, subject)
	require.NoError(t, c.Flush())
	require.ErrorIs(t, c.LastError(), nats.ErrPermissionViolation, subject)
}

func TestNobodyReachesWhatIsNotTheirs(t *testing.T) {
	s := newSite(t, nil)
	gate, gateJS := s.connect(t, s.gate)
	customs, customsJS := s.connect(t, s.customs)
	for _, subject := range []string{
		"to.customs.alert.15BC",       // another gate's
		"from.CUSTOMS.15BB.verdict",   // an agency's voice
		"to.customs.record",           // no gate
		"inbox.record.15BB",           // another account
		"$JS.API.STREAM.PURGE.INBOX",  // administration
		"$JS.API.STREAM.CREATE.OTHER", // administration
		"$JS.API.CONSUMER.CREATE." + client.SayingsOf(event.Customs) + ".15BC-verdict.from.CUSTOMS.15BC.verdict",
	} {
		refused(t, gate, gateJS, subject)
	}
	for _, subject := range []string{
		"inbox.record.15BB",           // what the gate sends
		"from.BORDERGUARD.15BB.x",     // the other agency's voice
		"say.15BB.other",              // unknown kind
		"say.99ZZ.verdict",            // unknown gate
		"to.borderguard.record.15BB",  // the gate's way
		"$JS.API.STREAM.PURGE.INBOX",  // what the hub keeps
		"$JS.API.STREAM.DELETE.INBOX", // what the hub keeps
		"$JS.API.STREAM.UPDATE.INBOX",
		"$JS.API.STREAM.MSG.DELETE.INBOX",
		"$JS.API.STREAM.CREATE.OTHER",
	} {
		refused(t, customs, customsJS, subject)
	}
	for _, subject := range []string{"inbox.>", "from.>", "to.>", "_INBOX.>", client.InboxPrefix(s.guard.Public()) + ".>", ">"} {
		for _, c := range []*nats.Conn{gate, customs} {
			sub, err := c.SubscribeSync(subject)
			require.NoError(t, err)
			require.NoError(t, c.Flush())
			require.Eventually(t, func() bool { return errors.Is(c.LastError(), nats.ErrPermissionViolation) },
				5*time.Second, 5*time.Millisecond, subject)
			_ = sub.Unsubscribe()
		}
	}
	stranger, err := nats.Connect(s.server.URL(), seed(t).Option())
	require.ErrorIs(t, err, nats.ErrAuthorization)
	require.Nil(t, stranger)
	_, err = nats.Connect(s.server.URL())
	require.ErrorIs(t, err, nats.ErrAuthorization)
}

func TestAFullAgencyRefusesAndTouchesNobodyElse(t *testing.T) {
	s := newSite(t, func(o *hub.Options) { o.InboxMaxBytes = 100_000 })
	_, gate := s.connect(t, s.gate)
	var full error
	stored := 0
	for full == nil {
		_, full = gate.Publish(t.Context(), "to.customs.record.15BB", make([]byte, 10_000))
		if full == nil {
			stored++
		}
	}
	var api *jetstream.APIError
	require.ErrorAs(t, full, &api)
	_, err := gate.Publish(t.Context(), "to.borderguard.record.15BB", make([]byte, 10_000))
	require.NoError(t, err)

	_, customs := s.connect(t, s.customs)
	stream, err := customs.Stream(t.Context(), client.InboxStream)
	require.NoError(t, err)
	require.EqualValues(t, stored, stream.CachedInfo().State.Msgs, "nothing that was acknowledged is dropped")
	require.EqualValues(t, 1, stream.CachedInfo().State.FirstSeq)
}

func TestTheHubComesBackWithItsStreamsAndNewLimits(t *testing.T) {
	s := newSite(t, nil)
	_, gate := s.connect(t, s.gate)
	_, err := gate.Publish(t.Context(), "to.customs.alert.15BB", []byte("a"))
	require.NoError(t, err)
	s.server.Close()

	s.options.InboxMaxAge = 48 * time.Hour
	s.server, err = hub.Start(t.Context(), s.options)
	require.NoError(t, err)
	defer s.server.Close()
	_, customs := s.connect(t, s.customs, s.server.InProcess())
	stream, err := customs.Stream(t.Context(), client.InboxStream)
	require.NoError(t, err)
	require.EqualValues(t, 1, stream.CachedInfo().State.Msgs)
	require.Equal(t, 48*time.Hour, stream.CachedInfo().Config.MaxAge)
}

func TestAPortInUseIsAnErrorAtOnce(t *testing.T) {
	s := newSite(t, nil)
	o := s.options
	o.StoreDir = t.TempDir()
	o.Listen = strings.TrimPrefix(s.server.URL(), "nats://")
	_, err := hub.Start(t.Context(), o)
	require.ErrorContains(t, err, "in use")
}

func TestOptionsAreCheckedAllAtOnce(t *testing.T) {
	_, err := hub.Start(t.Context(), hub.Options{
		Name: "a.b", Listen: ":4222",
		Gates:    []hub.Gate{{ID: "15 BB", Nkey: "x"}},
		Agencies: []hub.Agency{{ID: "POLICE"}},
	})
	for _, want := range []string{
		`hub name "a.b"`, `hub listen address ":4222": name the address`, "hub store folder is not set",
		`gate id "15 BB"`, "nkey of gate 15 BB: not a public nkey", `agency "POLICE" is not known`,
	} {
		require.ErrorContains(t, err, want)
	}
}

// The text must be one that a stand-alone nats-server takes from a file.
func TestConfigIsAFileForAHubCluster(t *testing.T) {
	s := newSite(t, nil)
	o := s.options
	o.TLS = &hub.TLS{Cert: "cert.pem", Key: "key.pem", CA: "ca.pem"}
	text, err := o.Config()
	require.NoError(t, err)
	require.Contains(t, text, `ca_file: "ca.pem"`)
	o.TLS = nil
	text, err = o.Config()
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), "hub.conf")
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	opts, err := server.ProcessConfigFile(path)
	require.NoError(t, err)
	require.Len(t, opts.Nkeys, 4)
	require.True(t, opts.SyncAlways)
	for _, who := range []trust.Seed{s.gate, s.customs} {
		require.Contains(t, text, who.Public())
	}
}
