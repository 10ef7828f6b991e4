package event_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"gatehouse/internal/event"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestDerivedIDsAreTheSameAgainAndDifferByCause(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		at := time.UnixMilli(rapid.Int64Range(0, 4e12).Draw(t, "ms")).UTC()
		a, b := event.NewID(at), event.NewID(at)
		kind := rapid.StringMatching(`[a-z]{1,12}`).Draw(t, "kind")
		id := event.DeriveID(at, kind, "1", a)

		require.Equal(t, id, event.DeriveID(at, kind, "1", a))
		require.Equal(t, at, id.Time())
		for name, other := range map[string]event.ID{
			"cause": event.DeriveID(at, kind, "1", b), "rule version": event.DeriveID(at, kind, "2", a),
			"kind": event.DeriveID(at, kind+"x", "1", a), "more causes": event.DeriveID(at, kind, "1", a, b),
			"order": event.DeriveID(at, kind, "1", b, a),
		} {
			require.NotEqual(t, id, other, "another %s is another id", name)
		}
	})
}

func TestAbsurdClocksStillMakeIDs(t *testing.T) {
	for _, at := range []time.Time{{}, time.Unix(-5e9, 0), time.Unix(1<<52, 0)} {
		require.Len(t, string(event.NewID(at)), 26)
		require.Len(t, string(event.DeriveID(at, "k", "1")), 26)
	}
	require.True(t, event.ID("nonsense").Time().IsZero())
}

func TestEnvelopeKeepsItsBytes(t *testing.T) {
	at := time.Date(2026, 11, 21, 10, 0, 0, 123456789, time.UTC)
	v := event.Verdict{ID: event.NewID(at), Agency: event.Customs, Code: event.Hold, Reason: "hàng không khai báo", At: at}
	env, err := event.Wrap("/agency/CUSTOMS", event.TypeVerdict, v.ID, "subject", at, v)
	require.NoError(t, err)
	b, err := env.Bytes()
	require.NoError(t, err)

	back, err := event.ParseEnvelope(b)
	require.NoError(t, err)
	require.Equal(t, env.ID, back.ID)
	require.Equal(t, env.Type, back.Type)
	require.True(t, env.Time.Equal(back.Time))
	var got event.Verdict
	require.NoError(t, json.Unmarshal(back.Data, &got))
	require.Equal(t, v, got)

	again, err := env.Bytes()
	require.NoError(t, err)
	require.Equal(t, b, again, "the same event has the same bytes")
}

func TestParseEnvelopeRefusesWhatIsNone(t *testing.T) {
	for _, bad := range []string{``, `{}`, `{"specversion":"1.0"}`, `[1]`, `{"specversion":"1.0","id":"","source":"/x","type":"t"}`} {
		_, err := event.ParseEnvelope([]byte(bad))
		require.Error(t, err, bad)
	}
}

func FuzzParseEnvelope(f *testing.F) {
	f.Add([]byte(`{"specversion":"1.0","id":"1","source":"/gate/15BB","type":"vn.gatehouse.gap.v1","data":{}}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		if env, err := event.ParseEnvelope(b); err == nil && env.ID == "" {
			t.Error("an event without id was accepted")
		}
	})
}

func TestSchemasEqualTheTypes(t *testing.T) {
	fresh := t.TempDir()
	out, err := exec.Command("go", "run", "./schemagen", fresh).CombinedOutput()
	require.NoError(t, err, string(out))
	names, err := filepath.Glob(filepath.Join(fresh, "*.json"))
	require.NoError(t, err)
	require.NotEmpty(t, names)
	for _, name := range names {
		want, err := os.ReadFile(name)
		require.NoError(t, err)
		got, err := os.ReadFile(filepath.Join("schema", filepath.Base(name)))
		require.NoError(t, err)
		require.JSONEq(t, string(want), string(got), "run make generate")
	}
}
