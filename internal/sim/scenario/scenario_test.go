package scenario_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"gatehouse/internal/sim/fault"
	"gatehouse/internal/sim/paper"
	"gatehouse/internal/sim/scenario"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const shipped = "../../../configs/scenarios/"

func TestShippedScenariosLoad(t *testing.T) {
	files, err := filepath.Glob(shipped + "*.yaml")
	require.NoError(t, err)
	require.Len(t, files, 4)
	for _, f := range files {
		_, err := scenario.Load(f)
		require.NoError(t, err)
	}
}

func TestDemoHasSomethingToFindAboutEveryThirdLorry(t *testing.T) {
	s, err := scenario.Load(shipped + "demo.yaml")
	require.NoError(t, err)
	alarming, lanes := 0, time.Duration(0)
	const n = 2000
	for i := range n {
		v := s.Lanes[0].Vehicle(100+i, 100+i, s.Seed, false)
		if v.GammaSigma > 0 || v.NeutronSigma > 0 || v.Threat != "" || !v.OnList || v.OtherRear || v.SpeedKMH > 25 {
			alarming++
		}
		lanes += v.Headway
	}
	require.InDelta(t, 0.29, float64(alarming)/n, 0.06)
	require.InDelta(t, 30, lanes.Seconds()/n, 1)
}

// Each fault of the menu, once for each kind of device that has it.
func TestFaultScenarioPlaysTheWholeMenuOnce(t *testing.T) {
	s, err := scenario.Load(shipped + "faults.yaml")
	require.NoError(t, err)
	planned := map[string]int{}
	for _, f := range s.Faults {
		for _, l := range s.Lanes {
			if l.ID != f.Lane {
				continue
			}
			spec, _ := fault.Find(f.Fault)
			device, err := fault.NewBoard(nil, l.Board()...).Device(spec, f.Device)
			require.NoError(t, err)
			for _, d := range l.Board() {
				if d.Name == device {
					planned[d.Kind+"/"+f.Fault]++
				}
			}
		}
	}
	for _, spec := range fault.Menu() {
		for _, kind := range spec.Devices {
			require.Equal(t, 1, planned[kind+"/"+spec.Name], "%s on %s", spec.Name, kind)
			delete(planned, kind+"/"+spec.Name)
		}
	}
	require.Empty(t, planned)
}

func TestPlantedLorriesAreWhatTheySay(t *testing.T) {
	s := scenario.Default()
	l := &s.Lanes[0]
	for i, plant := range []string{"overweight", "speeding", "other-rear", "unlisted", "look-alike", "container-check", "container-ten", "restless", "background", "tamper", "wrong-way"} {
		l.Vehicles = append(l.Vehicles, scenario.Special{Number: i + 1, Clean: true, Plant: []string{plant}})
	}
	for seed := range uint64(40) {
		plan := func(nth int) scenario.Vehicle { return l.Vehicle(1000+nth, nth, seed, false) }
		v := plan(1)
		require.Greater(t, v.GrossKG-float64(v.Listed.GrossKG), max(300, 0.05*float64(v.Listed.GrossKG)))
		v = plan(2)
		require.Greater(t, v.SpeedKMH, 25.0)
		require.GreaterOrEqual(t, v.Portal, 1200*time.Millisecond, "long enough for a speed record")
		v = plan(3)
		require.NotEqual(t, v.Listed.RearPlate, v.Rear.Display)
		require.True(t, v.OtherRear)
		require.True(t, plan(4).Unlisted)
		v = plan(5)
		require.NotEqual(t, v.Plate.Display, v.Listed.Plate)
		require.NotEqual(t, v.Declaration, v.Listed.Declaration)
		require.Len(t, v.Listed.Plate, len(v.Plate.Display))
		require.True(t, plan(6).BadContainer)
		require.NotEmpty(t, plan(6).Container)
		require.Equal(t, "0", plan(7).Container[10:])
		require.True(t, plan(8).Restless)
		require.True(t, plan(9).Background)
		require.True(t, plan(10).Tamper)
		require.True(t, plan(11).WrongWay)
		v = plan(50)
		require.True(t, v.OnList)
		require.Equal(t, v.Plate.Display, v.Listed.Plate)
		require.InEpsilon(t, v.GrossKG, float64(v.Listed.GrossKG), 0.01)
		require.Less(t, v.SpeedKMH, 20.0)
	}
}

func TestTravellers(t *testing.T) {
	s, err := scenario.Load(shipped + "demo.yaml")
	require.NoError(t, err)
	l, today := &s.Lanes[1], time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)
	require.Equal(t, l.Person(7, 107, 1, today), l.Person(7, 107, 1, today))
	require.NotEqual(t, l.Person(7, 107, 1, today), l.Person(8, 107, 1, today))
	formats := map[string]int{}
	const n = 2000
	for i := range n {
		p := l.Person(100+i, 100+i, s.Seed, today)
		formats[p.Document.Format]++
		require.LessOrEqual(t, len(p.Bags), 2)
		require.Equal(t, p.Document.Flaw == paper.Expired, !p.Document.Expiry.IsZero() && p.Document.Expiry.Before(today))
		require.True(t, p.Threat == "" || p.Bags[0].Threat == p.Threat)
	}
	require.InDelta(t, 0.65, float64(formats[paper.TD3])/n, 0.05)
	require.InDelta(t, 0.22, float64(formats[paper.CCCD])/n, 0.05)
	p := l.Person(3, 3, s.Seed, today)
	require.Equal(t, "pistol", p.Threat)
	require.Len(t, p.Bags, 1)
	require.Equal(t, paper.Expired, l.Person(4, 4, s.Seed, today).Document.Flaw)
}

func TestVehiclesFollowFromSeedAndNumber(t *testing.T) {
	d := scenario.Default()
	s := &d.Lanes[0]
	require.Equal(t, s.Vehicle(7, 7, 1, true), s.Vehicle(7, 7, 1, true))
	require.NotEqual(t, s.Vehicle(7, 7, 1, true), s.Vehicle(8, 8, 1, true))
	require.NotEqual(t, s.Vehicle(7, 7, 1, true), s.Vehicle(7, 7, 2, true))
	require.Equal(t, s.Vehicle(7, 3, 1, true), s.Vehicle(7, 4, 1, true), "the place in the run only counts for special lorries")
}

func TestSpecials(t *testing.T) {
	d := scenario.Default()
	s := &d.Lanes[0]
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
	lane := func(rest string) string { return "lanes: [{id: \"01\", kind: vehicle" + rest + "}]\n" }
	cases := map[string]string{
		"speeed: 2\n":              `unknown field "speeed"`,
		"lane: \"01\"\n":           `unknown field "lane"`,
		"speed: 1\n":               "lanes: name at least one",
		lane("") + "speed: 0\n":    "speed: 0 is not above 0",
		lane("") + "gate: a/b c\n": "cannot be part of an MQTT topic",
		lane(", traffic: {headway: 0s, jitter: 1}"):                            "headway has to be above 0",
		lane(", phases: {beam: {min: 5s, max: 1s}}"):                           "phases.beam: min has to be above 0 and max not below it",
		lane(", mix: {loads: {gold: 1}}"):                                      `mix.loads: "gold" is none of empty, boxes`,
		lane(", mix: {away: {mrz: 1}}"):                                        `mix.away: "mrz" is none of camera`,
		lane(", devices: [mrz]"):                                               `devices: "mrz" is none of camera, rpm`,
		lane(", scale: avery"):                                                 `scale: "avery" is none of toledo, xk3190`,
		lane(", persons: [{number: 1}]"):                                       "a lane of kind vehicle has no persons",
		lane(", vehicles: [{number: 0}]"):                                      "number counts from 1",
		lane(", vehicles: [{number: 1, plate: 13C-1}]"):                        "write it like 12C-123.45",
		lane(", vehicles: [{number: 1, light: dark}]"):                         `light "dark" is none of day`,
		lane(", vehicles: [{number: 1, headway: soon}]"):                       "headway",
		lane(", vehicles: [{number: 1, plant: [weeds]}]"):                      `plant "weeds" is none of overweight`,
		"lanes: [{id: a, kind: person, persons: [{number: 1, flaw: torn}]}]\n": `flaw "torn" is none of expired`,
		"lanes: [{id: a, kind: rail}]\n":                                       `kind: "rail" is none of vehicle, person`,
		"lanes: [{id: a}, {id: a}]\n":                                          `"a" is there twice`,
		lane("") + "faults: [{fault: rain, at: 1s}]\n":                         "gatesim fault list",
		lane("") + "faults: [{fault: noise}]\n":                                "noise needs at (a time) or vehicle (a number)",
		lane("") + "faults: [{fault: noise, lane: b, at: 1s}]\n":               `there is no lane "b"`,
		lane("") + "faults: [{fault: tamper, device: camera, at: 1s}]\n":       "\"tamper\" is not a fault of device \"camera\"",
		lane("") + "faults: [{fault: deaf, at: 1s}]\n":                         "no device of this lane has deaf",
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
