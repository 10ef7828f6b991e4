package passage_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"gatehouse/internal/event"
	"gatehouse/internal/passage"
)

// found are the findings of a code in the newest version of a passage.
func found(p event.Passage, code string) []event.Finding {
	var fs []event.Finding
	for _, f := range p.Findings {
		if f.Code == code {
			fs = append(fs, f)
		}
	}
	return fs
}

func TestWeightAgainstTheDeclaredOne(t *testing.T) {
	for _, c := range []struct {
		name            string
		kg              float64
		gross, net      *float64
		says            string
		difference, and float64
	}{
		{"as declared", 31480, new(31500.0), nil, "", 0, 0},
		{"within 5 percent", 33000, new(31500.0), nil, "", 0, 0},
		{"more than 5 percent too heavy", 33600, new(31500.0), nil, "weighed 33,600 kg, declared 31,500 kg, difference +2,100 kg", 2100, 1575},
		{"too light", 25000, new(31500.0), nil, "weighed 25,000 kg, declared 31,500 kg, difference -6,500 kg", -6500, 1575},
		{"small things within 300 kg", 2280, new(2000.0), nil, "", 0, 0},
		{"small things", 2320, new(2000.0), nil, "weighed 2,320 kg, declared 2,000 kg, difference +320 kg", 320, 300},
		{"nothing declared", 31480, nil, nil, "", 0, 0},
		{"net without a tare", 31480, nil, new(9000.0), "", 0, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := play(t, wholeLane(t))
			s.heavy(0, "A", c.kg)
			s.answer(26, "A", "done", plate("12C12345", 0.97))
			s.listed(27, "12C12345", passage.Listed{Expected: event.Expected{Found: true, Plate: "12C12345", GrossKG: c.gross, NetKG: c.net}})
			fs := found(s.one(), event.FindingWeightDeclared)
			if c.says == "" {
				require.Empty(t, fs)
				return
			}
			require.Len(t, fs, 1)
			require.Equal(t, "Weight differs from the declaration on lane 01: "+c.says, fs[0].Headline.EN)
			require.Contains(t, fs[0].Headline.VI, "Khối lượng khác tờ khai tại làn 01: cân ")
			require.InDelta(t, c.difference, fs[0].Figures["difference_kg"], 1e-6)
			require.InDelta(t, c.and, fs[0].Figures["allowed_kg"], 1e-6)
			require.Equal(t, []event.ID{s.one().Weighings[0].Reading}, fs[0].Causes)
			require.Equal(t, "scale", fs[0].Device)
			require.Len(t, s.alerts(), 1)
		})
	}
}

func TestNetWeightBehindATare(t *testing.T) {
	s := play(t, wholeLane(t))
	s.photo(0, "camera", "A")
	s.begin(1)
	s.end(3)
	s.kg(10, "scale", 31000)
	tare := func(r *event.Reading) { r.Weight.Tare, r.Weight.Net = new(12000.0), new(19000.0) }
	s.kg(11, "scale", 31000, stable, tare)
	s.kg(14, "scale", 0)
	s.answer(15, "A", "done", plate("12C12345", 0.97))
	s.listed(16, "12C12345", passage.Listed{Expected: event.Expected{Found: true, NetKG: new(22000.0)}})
	fs := found(s.one(), event.FindingWeightDeclared)
	require.Len(t, fs, 1)
	require.InDelta(t, 19000, fs[0].Figures["weighed_net_kg"], 1e-6)
}

func TestAWeightThatGrowsRaisesNoFalseAlarm(t *testing.T) {
	s := play(t, wholeLane(t))
	s.photo(0, "camera", "A")
	s.begin(4)
	s.gamma(5, 45, false)
	s.end(7)
	s.answer(8, "A", "done", plate("12C12345", 0.97))
	s.listed(9, "12C12345", passage.Listed{Expected: event.Expected{Found: true, Plate: "12C12345", GrossKG: new(31500.0)}})
	s.kg(20, "scale", 14000)
	s.kg(21, "scale", 14000, stable)
	require.Empty(t, found(s.one(), event.FindingWeightDeclared), "half of it is on the bridge")
	s.kg(23, "scale", 40000)
	s.kg(24, "scale", 40000, stable)
	require.Len(t, found(s.one(), event.FindingWeightDeclared), 1, "too much can only become more: while it stands there")
	first := found(s.one(), event.FindingWeightDeclared)[0].ID
	s.kg(25, "scale", 39900, stable)
	s.kg(26, "scale", 0)
	fs := found(s.one(), event.FindingWeightDeclared)
	require.Len(t, fs, 1)
	require.Equal(t, first, fs[0].ID, "one finding, with the figures that hold now")
	require.InDelta(t, 8400, fs[0].Figures["difference_kg"], 1e-6)
	require.Len(t, s.alerts(), 1)
}

func TestWeightsThatAreNotDependable(t *testing.T) {
	type change = func(*event.Reading)
	with := func(f func(*event.Weight)) change {
		return func(r *event.Reading) { f(r.Weight) }
	}
	void := func(f func(*event.Weight)) change {
		return func(r *event.Reading) {
			r.Weight.Gross, r.Quality = nil, event.Bad
			f(r.Weight)
		}
	}
	for _, c := range []struct {
		name   string
		change change
		stable bool
		reason string
	}{
		{"in motion", nil, false, "the weight did not settle"},
		{"over range", void(func(w *event.Weight) { w.OverRange = true }), false, "beyond the scale's capacity"},
		{"under range", void(func(w *event.Weight) { w.UnderRange = true }), false, "below the scale's range"},
		{"not zeroed", void(func(w *event.Weight) { w.Zeroed = false }), false, "the scale was not zeroed since power-up"},
		{"no zero before", with(func(w *event.Weight) { w.ZeroBefore = false }), true, "the scale did not show zero before"},
		{"suspect", func(r *event.Reading) { r.Quality = event.Suspect }, true, "the weight is marked as doubtful"},
		{"good", nil, true, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := play(t, wholeLane(t))
			s.begin(0)
			s.end(3)
			s.kg(10, "scale", 30000)
			changes := []func(*event.Reading){}
			if c.change != nil {
				changes = append(changes, c.change)
			}
			if c.stable {
				changes = append(changes, stable)
			}
			s.kg(11, "scale", 30000, changes...)
			require.Empty(t, found(s.one(), event.FindingWeightUncertain), "it may still settle")
			s.kg(14, "scale", 0)
			fs := found(s.one(), event.FindingWeightUncertain)
			if c.reason == "" {
				require.Empty(t, fs)
				return
			}
			require.Len(t, fs, 1)
			require.Equal(t, "No dependable weight from scale scale on lane 01: "+c.reason, fs[0].Headline.EN)
		})
	}
}

func TestAScalePastItsVerification(t *testing.T) {
	s := play(t, wholeLane(t))
	s.reading(-1, "scale", event.Reading{Kind: event.DeviceReport, Report: &event.Report{State: event.Degraded, Code: "CALIBRATION-EXPIRED"}})
	s.begin(0)
	s.end(3)
	s.bridge(10, 30000, 5)
	fs := found(s.one(), event.FindingWeightUncertain)
	require.Len(t, fs, 1)
	require.Equal(t, "Không có khối lượng tin cậy từ cân scale tại làn 01: cân hết hạn kiểm định", fs[0].Headline.VI)
	require.Equal(t, 30000.0, fs[0].Figures["gross_kg"])
}

func TestAxlesAgainstTheGrossWeight(t *testing.T) {
	for _, c := range []struct {
		name  string
		gross float64
		found bool
	}{{"equal", 30000, false}, {"within", 31000, false}, {"differ", 33000, true}} {
		t.Run(c.name, func(t *testing.T) {
			s := play(t, wholeLane(t))
			s.begin(0)
			for i, kg := range []float64{7000, 11500, 11500} {
				from := 1 + 2*float64(i)
				s.kg(from, "axles", kg)
				s.kg(from+0.8, "axles", kg, stable)
				s.kg(from+1.2, "axles", 0)
			}
			s.end(8)
			require.Equal(t, []float64{7000, 11500, 11500}, s.one().Weighings[0].AxlesKG)
			require.Nil(t, s.one().Weighings[0].Weight)
			s.bridge(20, c.gross, 5)
			fs := found(s.one(), event.FindingWeightAxles)
			require.Empty(t, found(s.one(), event.FindingWeightUncertain))
			if !c.found {
				require.Empty(t, fs)
				return
			}
			require.Len(t, fs, 1)
			require.Equal(t, "The axles' sum differs from the gross weight on lane 01: axles 30,000 kg, gross 33,000 kg, difference 9.1 %", fs[0].Headline.EN)
		})
	}
}

func TestATrailerWeighedByItself(t *testing.T) {
	s := play(t, wholeLane(t))
	s.photo(0, "camera", "tractor")
	s.begin(4)
	s.photo(6, "camera", "trailer")
	s.end(8)
	s.untilQuiet(17)
	s.bridge(20, 16000, 4)
	s.bridge(27, 18000, 4)
	require.Equal(t, []float64{16000, 18000}, weights(s.one()))
	s.answer(35, "tractor", "done", plate("12C12345", 0.97))
	s.answer(35, "trailer", "done", plate("51R01234", 0.9))
	s.listed(36, "12C12345", passage.Listed{Expected: event.Expected{Found: true, Plate: "12C12345", GrossKG: new(34000.0)}})
	require.Empty(t, found(s.one(), event.FindingWeightDeclared), "together they are what was declared")
}

func TestSpeed(t *testing.T) {
	for _, c := range []struct {
		name   string
		limit  float64
		speeds []float64
		want   string
	}{
		{"not checked", 0, []float64{40}, ""}, {"at the limit", 15, []float64{15}, ""},
		{"too fast for a moment", 15, []float64{8, 22.46, 10}, "Vehicle too fast through lane 01: 22.5 km/h, limit 15 km/h"},
	} {
		t.Run(c.name, func(t *testing.T) {
			lane := wholeLane(t)
			lane.Limits.SpeedKMH = c.limit
			s := play(t, lane)
			s.begin(0)
			for i, v := range c.speeds {
				s.reading(1+float64(i), "rpm", event.Reading{Kind: event.RadiationSample, Radiation: &event.Radiation{Record: "SP", SpeedKMH: &v}})
			}
			s.end(5)
			fs := found(s.one(), event.FindingOverspeed)
			if c.want == "" {
				require.Empty(t, fs)
				return
			}
			require.Len(t, fs, 1)
			require.Equal(t, c.want, fs[0].Headline.EN)
			require.Equal(t, 22.46, fs[0].Figures["speed_kmh"])
		})
	}
}
