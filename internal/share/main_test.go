package share_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"gatehouse/internal/event"
	"gatehouse/internal/share"
	"gatehouse/internal/trust"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const gate = "15BB"

// journal is a server like the gate's: no listener, every write synced.
func journal(t testing.TB, dir string) (js jetstream.JetStream, stop func()) {
	t.Helper()
	ns, err := server.NewServer(&server.Options{
		ServerName: "journal", DontListen: true, JetStream: true, StoreDir: dir, SyncAlways: true,
		NoSigs: true, NoLog: true, JetStreamMaxStore: 1 << 30, JetStreamMaxMemory: 1 << 24,
	})
	require.NoError(t, err)
	ns.Start()
	require.True(t, ns.ReadyForConnections(30*time.Second))
	c, err := nats.Connect("", nats.InProcessServer(ns))
	require.NoError(t, err)
	js, err = jetstream.New(c)
	require.NoError(t, err)
	stopped := false
	stop = func() {
		if !stopped {
			stopped = true
			c.Close()
			ns.Shutdown()
			ns.WaitForShutdown()
		}
	}
	t.Cleanup(stop)
	return js, stop
}

func newKey(t testing.TB) trust.Private {
	t.Helper()
	k, err := trust.NewPrivate()
	require.NoError(t, err)
	return k
}

func openChain(t testing.TB, js jetstream.JetStream, key trust.Private) *share.Chain {
	t.Helper()
	c, err := share.OpenChain(t.Context(), js, share.ChainConfig{Gate: gate, Key: key, MaxBytes: 64 << 20})
	require.NoError(t, err)
	return c
}

// start is the time from which test events count.
func start() time.Time { return time.Date(2026, 3, 2, 1, 0, 0, 0, time.UTC) }

// passage is the n-th record of a gate; the same n is the same event.
func passage(t testing.TB, n int) event.Envelope {
	t.Helper()
	at := start().Add(time.Duration(n) * time.Second)
	id := event.DeriveID(at, "passage", fmt.Sprint(n))
	e, err := event.Wrap("/gate/"+gate, event.TypePassage, id, string(id), at,
		event.Passage{ID: id, Version: n, Where: event.Where{Gate: gate, Lane: "01"}, State: event.Closed})
	require.NoError(t, err)
	return e
}

// alert is the n-th alert of a gate.
func alert(t testing.TB, n int, evidence ...event.Evidence) event.Envelope {
	t.Helper()
	at := start().Add(time.Duration(n) * time.Second)
	id := event.DeriveID(at, "alert", fmt.Sprint(n))
	e, err := event.Wrap("/gate/"+gate, event.TypeAlert, id, string(id), at,
		event.Alert{ID: id, Where: event.Where{Gate: gate, Lane: "01"}, Evidence: evidence})
	require.NoError(t, err)
	return e
}

func entries(t testing.TB, c *share.Chain, after uint64) []share.Entry {
	t.Helper()
	var all []share.Entry
	for e, err := range c.Read(t.Context(), after) {
		require.NoError(t, err)
		all = append(all, e)
	}
	return all
}

// requireWhole checks a gate's entries as an auditor would, by their bytes.
func requireWhole(t testing.TB, all []share.Entry, key trust.Public) {
	t.Helper()
	previous := ""
	for i, e := range all {
		require.NoError(t, e.Verify(key))
		require.EqualValues(t, i+1, e.Header.Sequence)
		require.EqualValues(t, i+1, e.Position)
		require.Equal(t, all[0].Header.Chain, e.Header.Chain)
		require.Equal(t, previous, e.Header.Previous)
		previous = event.Digest(e.HeaderBytes)
	}
}
