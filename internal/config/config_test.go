package config_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"gatehouse/internal/config"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const good = `gate: 15BB
name: {vi: Hữu Nghị, en: Huu Nghi}
hub:
  embedded: {listen: "127.0.0.1:4222"}
agencies:
  - {code: CUSTOMS, key: customs.pub, hub_user: customs.nkey}
  - {code: BORDERGUARD, key: borderguard.pub, hub_user: borderguard.nkey}
lanes:
  - id: "01"
    join: {after: 45s}
    devices:
      - id: rpm
        driver: rpm
        owner: BORDERGUARD
        role: presence
        required: true
        settings:
          port: /dev/ttyS0
          baud: 9600
`

func load(t *testing.T, text string) (*config.File, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "gate.yaml")
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	f, err := config.Load(path)
	if err != nil {
		return nil, shorten{err, filepath.Dir(path) + "/"}
	}
	return f, nil
}

// shorten removes the test's own folder from messages.
type shorten struct {
	err    error
	folder string
}

func (s shorten) Error() string { return strings.ReplaceAll(s.err.Error(), s.folder, "") }

func TestLoadFillsDefaults(t *testing.T) {
	f, err := load(t, good)
	require.NoError(t, err)
	lane := f.Gate.Lanes[0]
	require.Equal(t, 45*time.Second, lane.Join.After, "as written")
	require.Equal(t, 10*time.Second, lane.Join.Before, "the default")
	require.Equal(t, config.Size(4<<30), f.Gate.Hub.Embedded.InboxSize)
	require.Equal(t, 1, f.Gate.Vision.Workers)
}

func TestSettingsAreDecodedStrictlyAndPointIntoTheFile(t *testing.T) {
	f, err := load(t, good)
	require.NoError(t, err)
	var right struct {
		Port string `yaml:"port"`
		Baud int    `yaml:"baud" validate:"gt=0"`
	}
	require.NoError(t, f.Settings(0, 0)(&right))
	require.Equal(t, 9600, right.Baud)

	var wrong struct {
		Port string `yaml:"port"`
	}
	err = f.Settings(0, 0)(&wrong)
	var p config.Problem
	require.ErrorAs(t, err, &p)
	require.Equal(t, 19, p.Line)
	require.Contains(t, p.Message, `unknown field "baud"`)
}

func TestMistakesAreToldWithTheirPlace(t *testing.T) {
	change := func(from, to string) string { return strings.Replace(good, from, to, 1) }
	for name, c := range map[string]struct{ text, want string }{
		"unknown field": {change("gate: 15BB", "gate: 15BB\ngatee: x"), "gate.yaml:2:1: unknown field \"gatee\""},
		"syntax":        {change("gate: 15BB", "gate: [15BB"), "gate.yaml:2:1: "},
		"wrong type":    {change("join: {after: 45s}", "join: {after: soon}"), `invalid duration "soon"`},
		"not one of":    {change("owner: BORDERGUARD", "owner: NAVY"), `gate.yaml:14:16: lanes[0].devices[0].owner is "NAVY" and must be one of: CUSTOMS, BORDERGUARD`},
		"missing":       {change("key: customs.pub, ", ""), "agencies[0].key is missing"},
		"no hub":        {change("embedded: {listen: \"127.0.0.1:4222\"}", "ca: x"), "the hub needs either url or embedded"},
		"agency twice":  {change("code: BORDERGUARD", "code: CUSTOMS"), "agency CUSTOMS is listed twice"},
		"device twice":  {good + "      - {id: rpm, driver: rpm, owner: CUSTOMS}\n", "gate.yaml:20:14: device rpm is listed twice in lane 01"},
		"bad address":   {change("127.0.0.1:4222", "4222"), `hub.embedded.listen is "4222" and must be of the form host:port`},
		"bad size":      {change("hub:", "journal: {reserve: much}\nhub:"), `"much" is not a size such as 256 MiB`},
		"two documents": {good + "---\ngate: x\n", "exactly one YAML document"},
		"empty":         {"", "exactly one YAML document"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := load(t, c.text)
			require.ErrorContains(t, err, c.want)
		})
	}
}

func TestAllFieldMistakesComeAtOnce(t *testing.T) {
	text := strings.NewReplacer("owner: BORDERGUARD", "owner: NAVY", "role: presence", "role: toy").Replace(good)
	_, err := load(t, text)
	require.ErrorContains(t, err, "NAVY")
	require.ErrorContains(t, err, "toy")
}

func TestMissingFileIsSaid(t *testing.T) {
	_, err := config.Load(filepath.Join(t.TempDir(), "none.yaml"))
	require.ErrorIs(t, err, os.ErrNotExist)
}
