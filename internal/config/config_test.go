package config_test

import (
	"errors"
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
		if ps, ok := errors.AsType[config.Problems](err); ok {
			for i := range ps {
				ps[i].File = filepath.Base(ps[i].File)
			}
		}
		return nil, err
	}
	return f, nil
}

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
	var ps config.Problems
	require.ErrorAs(t, err, &ps)
	require.Len(t, ps, 1)
	require.Equal(t, 19, ps[0].Line)
	require.Equal(t, 11, ps[0].Column)
	require.Contains(t, ps[0].Message, "unknown field baud")
	require.Equal(t, config.ScopeDevice, ps[0].Scope)
}

func TestAllMistakesComeAtOnceInTheOrderOfTheFile(t *testing.T) {
	text := strings.NewReplacer("owner: BORDERGUARD", "owner: NAVY", "role: presence", "role: toy",
		"after: 45s", "after: soon", "gate: 15BB", "gatte: 15BB").Replace(good)
	_, err := load(t, text)
	var got []string
	for line := range strings.Lines(err.Error()) {
		if strings.HasPrefix(line, "gate.yaml:") {
			got = append(got, strings.TrimSpace(line))
		}
	}
	require.Equal(t, []string{
		"gate.yaml:1:1: unknown field gatte, did you mean gate?",
		`gate.yaml:10:19: after is "soon" and must be a time with its unit, such as 500ms, 10s, 2m or 48h`,
		`gate.yaml:14:16: owner is "NAVY" and must be CUSTOMS or BORDERGUARD`,
		`gate.yaml:15:15: role is "toy" and must be presence, camera, scanner, scale, document, barcode, barrier or other`,
	}, got)
}

// A start goes on without what is wrong, so each mistake says what that is.
func TestAMistakeKnowsHowMuchItConcerns(t *testing.T) {
	for from, want := range map[string]struct {
		to    string
		scope config.Scope
	}{
		"gate: 15BB":         {"gate: 15-BB", config.ScopePlace},
		`id: "01"`:           {`id: "0 1"`, config.ScopePlace},
		"after: 45s":         {"after: 45", config.ScopeLane},
		"owner: BORDERGUARD": {"owner: NAVY", config.ScopeDevice},
		"id: rpm":            {"id: r-p-m", config.ScopeLane},
	} {
		_, err := load(t, strings.Replace(good, from, want.to, 1))
		var ps config.Problems
		require.ErrorAs(t, err, &ps, from)
		require.Len(t, ps, 1, from)
		require.Equal(t, want.scope, ps[0].Scope, from)
	}
}

// A 0 in the file is a 0, also where the default is another.
func TestZeroIsAValue(t *testing.T) {
	f, err := load(t, strings.Replace(good, "{after: 45s}", "{tail_gate: 0s, before: 0s}", 1))
	require.NoError(t, err)
	require.Zero(t, f.Gate.Lanes[0].Join.TailGate)
	require.Zero(t, f.Gate.Lanes[0].Join.Before)
	require.Equal(t, 60*time.Second, f.Gate.Lanes[0].Join.After)
}

func TestAnchorsAndMergesAreFollowed(t *testing.T) {
	f, err := load(t, strings.Replace(good, "{after: 45s}", "&usual {after: 45s}", 1)+
		"  - id: 02\n    join:\n      <<: *usual\n      before: 3s\n  - {id: 03, join: *usual}\n")
	require.NoError(t, err)
	require.Equal(t, "02", f.Gate.Lanes[1].ID, "as written, not as a number")
	require.Equal(t, 45*time.Second, f.Gate.Lanes[1].Join.After)
	require.Equal(t, 3*time.Second, f.Gate.Lanes[1].Join.Before)
	require.Equal(t, 45*time.Second, f.Gate.Lanes[2].Join.After)
}
