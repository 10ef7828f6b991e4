package config_test

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"gatehouse/drivers"
	"gatehouse/internal/config"
	"gatehouse/internal/gate"
)

const reference = "../../configs/gate.yaml"

// What a place must say itself has no default.
const minimal = `gate: 15BB
hub: {embedded: {listen: "127.0.0.1:4222"}}
agencies:
  - {code: CUSTOMS, key: customs.pub, hub_user: customs.nkey.pub}
  - {code: BORDERGUARD, key: borderguard.pub, hub_user: borderguard.nkey.pub}
lanes:
  - id: "01"
    devices:
      - {id: rpm, driver: rpm, owner: CUSTOMS, role: presence, required: true}
      - {id: camera, driver: camera, owner: BORDERGUARD, role: camera}
`

func TestReferenceEqualsTheDefaults(t *testing.T) {
	shown, err := config.Load(reference)
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), "gate.yaml")
	require.NoError(t, os.WriteFile(path, []byte(minimal), 0o600))
	silent, err := config.Load(path)
	require.NoError(t, err)

	want, got := silent.Gate, shown.Gate
	require.Equal(t, want.State, got.State)
	require.Equal(t, want.Journal, got.Journal)
	require.Equal(t, want.Retention, got.Retention)
	require.Equal(t, want.Hub, got.Hub)
	require.Equal(t, want.Policy, got.Policy)
	want.Vision.Command = got.Vision.Command // without one, vision is off
	require.Equal(t, want.Vision, got.Vision)
	require.Equal(t, want.Expected, got.Expected)
	lane, shownLane := want.Lanes[0], got.Lanes[0]
	require.Equal(t, lane.Join, shownLane.Join)
	require.Equal(t, lane.Limits, shownLane.Limits)
	require.Equal(t, lane.Expected, shownLane.Expected)
	require.Equal(t, lane.Shadow, shownLane.Shadow)
	require.Equal(t, lane.Kind, shownLane.Kind)
	require.Equal(t, lane.Flow, shownLane.Flow)
	require.Equal(t, lane.Direction, shownLane.Direction)
	require.Equal(t, lane.Devices[0].Silence, shownLane.Devices[0].Silence)
	require.Equal(t, lane.Devices[1].Reads, shownLane.Devices[1].Reads)
	require.Empty(t, gate.Check(shown, drivers.All()), "every driver takes the settings that are shown")
}

// TestReferenceShowsEveryKey looks for each yaml tag of the configuration.
func TestReferenceShowsEveryKey(t *testing.T) {
	text, err := os.ReadFile(reference)
	require.NoError(t, err)
	for _, key := range keys(reflect.TypeFor[config.Gate](), map[reflect.Type]bool{}) {
		require.Contains(t, string(text), key+":", "the reference shows every key")
	}
}

// keys lists the yaml tags of a type and of what it holds.
func keys(t reflect.Type, seen map[reflect.Type]bool) []string {
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct || seen[t] {
		return nil
	}
	seen[t] = true
	var all []string
	for f := range t.Fields() {
		if name, _, _ := strings.Cut(f.Tag.Get("yaml"), ","); name != "" {
			all = append(all, name)
			all = append(all, keys(f.Type, seen)...)
		}
	}
	return all
}
