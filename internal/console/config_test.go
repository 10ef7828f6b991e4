package console_test

import (
	"bufio"
	"encoding/json"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatehouse/internal/console"
	"gatehouse/internal/console/consoletest"
	"gatehouse/internal/console/store"
	"gatehouse/internal/console/uplink"
	"gatehouse/internal/event"
	"gatehouse/internal/share"
	"gatehouse/internal/trust"
)

func TestTheShippedConfigurationsLoad(t *testing.T) {
	for _, path := range []string{"console/console.yaml", "demo/customs.yaml", "demo/borderguard.yaml"} {
		c, err := console.LoadConfig(filepath.Join("../../configs", path))
		require.NoError(t, err, path)
		require.Equal(t, "15BB", c.Gates[0].ID)
		require.Equal(t, "Cửa khẩu Hữu Nghị", c.Gates[0].Name.VI)
		require.Equal(t, 45*time.Second, c.Gates[0].Silence)
	}
}

const sound = `agency: CUSTOMS
listen: 127.0.0.1:0
store: x
hub: {url: nats://127.0.0.1, nkey_seed: s}
gates:
  - id: 15BB
    key: k
`

func TestMistakesInTheConfigurationHaveTheirPlace(t *testing.T) {
	for name, c := range map[string]struct{ from, to, want string }{
		"unknown field":  {"store: x", "stor: x", `[3:1] unknown field "stor"`},
		"unknown agency": {"CUSTOMS", "POLICE", "oneof"},
		"no gate":        {"gates:\n  - id: 15BB\n    key: k\n", "gates: []\n", "min"},
		"no port":        {"127.0.0.1:0", "127.0.0.1", "want host:port"},
		"every address":  {"127.0.0.1:0", `":8081"`, "want host:port"},
		"twice":          {"    key: k\n", "    key: k\n  - id: 15BB\n    key: k\n", "gate 15BB is listed twice"},
		"language":       {"store: x", "store: x\nlanguage: fr", "oneof"},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "c.yaml")
			text := strings.Replace(sound, c.from, c.to, 1)
			require.NotEqual(t, sound, text)
			require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
			_, err := console.LoadConfig(path)
			require.ErrorContains(t, err, c.want)
			require.ErrorContains(t, err, path)
		})
	}
}

func TestInitKeepsWhatIsThereAndPrintsPublicPartsOnly(t *testing.T) {
	dir := t.TempDir()
	c := console.Config{Agency: event.Customs, Listen: "127.0.0.1:8081", Store: filepath.Join(dir, "customs"),
		Hub: console.Hub{NkeySeed: filepath.Join(dir, "customs", "keys", "hub.nkey")}}
	first, err := console.Init(c)
	require.NoError(t, err)
	again, err := console.Init(c)
	require.NoError(t, err)
	require.Equal(t, first, again)
	key, err := trust.LoadPublic(first.Key)
	require.NoError(t, err)
	require.Equal(t, first.KeyID, key.ID())
	nkey, err := trust.LoadNkey(first.HubUser)
	require.NoError(t, err)
	require.Equal(t, first.Nkey, nkey)
	require.Equal(t, "http://127.0.0.1:8081", first.URL)
}

func TestTheExportHoldsTheStoredBytes(t *testing.T) {
	chain := consoletest.NewChain(t, "15BB")
	key, err := trust.NewPrivate()
	require.NoError(t, err)
	s, err := store.Open(t.Context(), store.Options{Dir: t.TempDir(), Agency: event.Customs, Seal: uplink.Sealer(event.Customs, key), Log: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	defer func() { require.NoError(t, s.Close()) }()
	keys := uplink.Keys{Gates: map[string][]trust.Public{"15BB": {chain.Key.Public()}}}
	var b store.Batch
	for range 1200 { // more than a page
		id := event.NewID(time.Now())
		l, err := chain.Add(event.TypeGap, id, "rpm", time.Now(), event.Gap{ID: id, Where: event.Where{Gate: "15BB"}})
		require.NoError(t, err)
		e, _ := keys.Read("inbox.record.15BB", l.NATSHeader(), l.Payload)
		b.Events = append(b.Events, e)
	}
	_, err = s.Commit(t.Context(), b)
	require.NoError(t, err)

	path := filepath.Join(t.TempDir(), "export.jsonl")
	n, err := console.Export(t.Context(), s, "15BB", path)
	require.NoError(t, err)
	require.Equal(t, 1200, n)
	f, err := os.Open(path)
	require.NoError(t, err)
	defer f.Close()
	previous, lines := "", 0
	for scan := bufio.NewScanner(f); scan.Scan(); lines++ {
		var line struct{ Header, Signature, Origin, Payload []byte }
		require.NoError(t, json.Unmarshal(scan.Bytes(), &line))
		l, err := share.ParseLink(line.Header, line.Signature, line.Origin, line.Payload)
		require.NoError(t, err)
		require.NoError(t, l.Verify(chain.Key.Public()))
		require.Equal(t, previous, l.Header.Previous)
		previous = l.Hash()
	}
	require.Equal(t, 1200, lines)
}
