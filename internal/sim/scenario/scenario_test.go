package scenario_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"gatehouse/internal/sim/fault"
	"gatehouse/internal/sim/scenario"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const shipped = "../../../configs/scenarios/"

func TestShippedScenariosLoad(t *testing.T) {
	files, err := filepath.Glob(shipped + "*.yaml")
	require.NoError(t, err)
	require.Len(t, files, 3)
	for _, f := range files {
		_, err := scenario.Load(f)
		require.NoError(t, err)
	}
}

func TestDemoHasSomethingAlarmingAboutEveryFourthLorry(t *testing.T) {
	s, err := scenario.Load(shipped + "demo.yaml")
	require.NoError(t, err)
	alarming, lanes := 0, time.Duration(0)
	const n = 2000
	for i := range n {
		v := s.Vehicle(100+i, 100+i, s.Seed, false)
		if v.GammaSigma > 0 || v.NeutronSigma > 0 || v.Threat != "" {
			alarming++
		}
		lanes += v.Headway
	}
	require.InDelta(t, 0.25, float64(alarming)/n, 0.06)
	require.InDelta(t, 20, lanes.Seconds()/n, 1)
}

func TestFaultScenarioPlaysEachImageFaultOfTheMenu(t *testing.T) {
	s, err := scenario.Load(shipped + "faults.yaml")
	require.NoError(t, err)
	planned := map[string]bool{}
	for _, f := range s.Faults {
		spec, _ := fault.Find(f.Fault)
		device := f.Device
		if device == "" {
			device = spec.Devices[0]
		}
		planned[device+"/"+f.Fault] = true
	}
	for _, spec := range fault.Menu() {
		if !spec.Occasion() {
			continue
		}
		for _, d := range spec.Devices {
			require.True(t, planned[d+"/"+spec.Name], "%s on %s", spec.Name, d)
		}
	}
}

func TestVehiclesFollowFromSeedAndNumber(t *testing.T) {
	s := scenario.Default()
	require.Equal(t, s.Vehicle(7, 7, 1, true), s.Vehicle(7, 7, 1, true))
	require.NotEqual(t, s.Vehicle(7, 7, 1, true), s.Vehicle(8, 8, 1, true))
	require.NotEqual(t, s.Vehicle(7, 7, 1, true), s.Vehicle(7, 7, 2, true))
	require.Equal(t, s.Vehicle(7, 3, 1, true), s.Vehicle(7, 4, 1, true), "the place in the run only counts for special lorries")
}

func TestSpecials(t *testing.T) {
	s := scenario.Default()
	s.Vehicles = []scenario.Special{
		{Number: 1, Clean: true, Gamma: 30, Plate: "12C-123.45", Rows: 2, Colour: "white", Load: "sacks", Light: "fog", After: "3s", Reverse: true},
		{Number: 2, Clean: true},
		{Number: 3, Threat: "pistol", Follows: "tail-gate"},
	}
	v := s.Vehicle(51, 1, 1, false)
	require.Equal(t, "12C12345", v.Plate.Text)
	require.Equal(t, 2, v.Plate.Rows())
	require.EqualValues(t, "white", v.Plate.Colour)
	require.Equal(t, "sacks", v.Load)
	require.EqualValues(t, "fog", v.Light)
	require.Equal(t, 3*time.Second, v.Headway)
	require.InDelta(t, 30, v.GammaSigma, 0)
	require.Zero(t, v.NeutronSigma)
	require.True(t, v.Reverse)
	for n := range 200 {
		clean := s.Vehicle(n, 2, 1, false)
		require.Zero(t, clean.GammaSigma+clean.NeutronSigma)
		require.Empty(t, clean.Threat)
	}
	v = s.Vehicle(53, 3, 1, false)
	require.Equal(t, "pistol", v.Threat)
	require.Equal(t, scenario.TailGate, v.Follows)
}

func TestMistakesAreNamed(t *testing.T) {
	cases := map[string]string{
		"speeed: 2\n":                                         `unknown field "speeed"`,
		"speed: 0\n":                                          "speed: 0 is not above 0",
		"gate: a/b c\n":                                       "cannot be part of an MQTT topic",
		"traffic: {headway: 0s}\n":                            "headway has to be above 0",
		"phases: {beam: {min: 5s, max: 1s}}":                  "phases.beam: min has to be above 0 and max not below it",
		"mix: {loads: {gold: 1}}\n":                           `mix.loads: "gold" is none of empty, boxes`,
		"vehicles: [{number: 0}]\n":                           "number counts from 1",
		"vehicles: [{number: 1, plate: 13C-1}]\n":             "write it like 12C-123.45",
		"vehicles: [{number: 1, light: dark}]\n":              `light "dark" is none of day`,
		"vehicles: [{number: 1, headway: soon}]\n":            "headway",
		"faults: [{fault: rain, at: 1s}]\n":                   "gatesim fault list",
		"faults: [{fault: noise}]\n":                          "noise needs at (a time) or vehicle (a number)",
		"faults: [{fault: tamper, device: camera, at: 1s}]\n": "tamper is not a fault of \"camera\"",
	}
	for text, want := range cases {
		path := filepath.Join(t.TempDir(), "s.yaml")
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		_, err := scenario.Load(path)
		require.ErrorContains(t, err, want, text)
		require.ErrorContains(t, err, path)
	}
	_, err := scenario.Load(filepath.Join(t.TempDir(), "none.yaml"))
	require.ErrorIs(t, err, os.ErrNotExist)
}
