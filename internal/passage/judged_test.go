package passage_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"gatehouse/internal/event"
	"gatehouse/internal/passage"
	"gatehouse/internal/risk"
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

func TestDocuments(t *testing.T) {
	bad := func(d *event.Document) { d.Checks["number"] = "wrong" }
	expires := func(day string) func(*event.Document) { return func(d *event.Document) { d.Expiry = day } }
	for _, c := range []struct {
		name  string
		given []*event.Document
		want  []string
	}{
		{"sound", []*event.Document{traveller("NGUYEN", "C1")}, nil},
		{"expired", []*event.Document{traveller("NGUYEN", "C1", expires("2026-03-01"))}, []string{"Expired document on lane 01: TD3, expired on 2026-03-01"}},
		{"last day", []*event.Document{traveller("NGUYEN", "C1", expires("2026-03-02"))}, nil},
		{"open day, month over", []*event.Document{traveller("NGUYEN", "C1", expires("2026-02-XX"))}, []string{"Expired document on lane 01: TD3, expired on 2026-02-28"}},
		{"open day, this month", []*event.Document{traveller("NGUYEN", "C1", expires("2026-03-XX"))}, nil},
		{"open month", []*event.Document{traveller("NGUYEN", "C1", expires("2026-XX-XX"))}, nil},
		{"no expiry", []*event.Document{traveller("NGUYEN", "C1", expires(""))}, nil},
		{"no date", []*event.Document{traveller("NGUYEN", "C1", expires("2026-13-40"))}, nil},
		{"expiry that cannot be trusted", []*event.Document{traveller("NGUYEN", "C1", expires("2020-01-01"), func(d *event.Document) { d.Checks["expiry"] = "wrong" })},
			[]string{"Document with a wrong check digit on lane 01: TD3: date of expiry"}},
		{"wrong digit", []*event.Document{traveller("NGUYEN", "C1", bad, func(d *event.Document) { d.Checks["composite"] = "wrong" })},
			[]string{"Document with a wrong check digit on lane 01: TD3: composite, number"}},
		{"read again, and well", []*event.Document{traveller("NGUYEN", "C8", bad), traveller("NGUYEN", "CB")}, nil},
		{"read again, and wrong again", []*event.Document{traveller("NGUYEN", "C8", bad), traveller("NGUYEN", "C8", bad)},
			[]string{"Document with a wrong check digit on lane 01: TD3: number"}},
		{"expired passport, valid visa", []*event.Document{
			traveller("NGUYEN", "C1", expires("2026-03-01")), traveller("NGUYEN", "V1", func(d *event.Document) { d.Format = "MRV-A" }),
		}, []string{"Expired document on lane 01: TD3, expired on 2026-03-01"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := play(t, hall(t))
			for i, d := range c.given {
				s.document(float64(i), d)
			}
			s.begin(4)
			s.gamma(4.2, 45, false)
			s.end(6)
			var got []string
			for _, f := range s.one().Findings {
				got = append(got, f.Headline.EN)
				require.NotContains(t, encode(t, f), "NGUYEN", "a finding tells nobody's name")
				require.NotContains(t, encode(t, f), d0(c.given).Number)
			}
			require.Equal(t, c.want, got)
		})
	}
}

func d0(list []*event.Document) *event.Document { return list[0] }

func TestTheReportingDayIsTheGates(t *testing.T) {
	s := play(t, hall(t))
	// noon of the script is 12:00 at the gate; twelve hours later it is the next
	// day there, and still the same day in UTC.
	s.document(12*3600+10, traveller("NGUYEN", "C1", func(d *event.Document) { d.Expiry = "2026-03-02" }))
	s.begin(12*3600 + 12)
	require.Len(t, found(s.one(), event.FindingDocumentExpired), 1)
}

func TestContainerNumbers(t *testing.T) {
	s := play(t, wholeLane(t))
	s.begin(0)
	s.end(3)
	s.bridge(10, 30000, 5)
	s.code(12, "CSQU3054384 45G1")
	s.code(12.5, "CSQU3054384")
	s.code(13, "TEMU0000080")
	p := s.one()
	fs := found(p, event.FindingContainerCheck)
	require.Len(t, fs, 1)
	require.Equal(t, "Container number with a wrong check digit on lane 01: CSQU3054384, should be 3", fs[0].Headline.EN)
	require.Equal(t, "barcode", fs[0].Device)
	require.Equal(t, []event.ID{p.Barcodes[0].Reading}, fs[0].Causes)
}

func TestContainerNumbersThatVisionReads(t *testing.T) {
	lane := wholeLane(t)
	lane.Devices[0].Container = true
	s := play(t, lane)
	s.photo(0, "camera", "A")
	s.begin(4)
	var ops []string
	for _, r := range s.engine.Waiting() {
		ops = append(ops, r.Op)
		if r.Op == passage.OpContainer {
			s.apply(5, event.JournalEntry{Kind: event.EntryResult, Analysis: &event.Analysis{
				Passage: r.Passage, Evidence: r.Evidence, Op: r.Op, Outcome: "done",
				Result: []byte(`{"codes":[{"text":"CSQU3054384","check_ok":false,"score":0.9,"box":[1,2,3,4]},{"text":"ZEPU0037255","check_ok":true,"size_type":"22G1","score":0.95}],"model":"codes-1"}`),
			}})
		}
	}
	require.ElementsMatch(t, []string{"plate", "container"}, ops)
	p := s.one()
	require.Len(t, p.Containers, 2)
	require.Equal(t, "22G1", p.Containers[1].SizeType)
	fs := found(p, event.FindingContainerCheck)
	require.Len(t, fs, 1)
	require.Equal(t, "camera", fs[0].Device)
	require.Equal(t, []int{1, 2, 3, 4}, fs[0].Region.Box)
	require.Len(t, s.engine.Waiting(), 2, "the plate, and the look-up by the number that is right")
}

func TestBackgroundFaults(t *testing.T) {
	background := func(s *script, second float64, record, channel, fault string) {
		s.reading(second, "rpm", event.Reading{Kind: event.RadiationBackground, Radiation: &event.Radiation{Record: record, Channel: channel, Fault: fault}})
		s.reading(second, "rpm", event.Reading{Kind: event.DeviceReport, Report: &event.Report{State: event.Degraded, Code: record}})
	}
	pass := func(s *script, second float64) {
		s.begin(second)
		s.gamma(second+0.2, 45, false)
		s.end(second + 3)
	}
	t.Run("holds for every passage until it is over", func(t *testing.T) {
		s := play(t, goodsLane(t))
		background(s, 0, "GH", "gamma", "high-background")
		background(s, 5, "GH", "gamma", "high-background")
		pass(s, 10)
		pass(s, 20)
		s.reading(30, "rpm", event.Reading{Kind: event.DeviceReport, Report: &event.Report{State: event.Up, Code: "GB"}})
		pass(s, 40)
		rs := s.records()
		for i, n := range []int{1, 1, 0} {
			require.Len(t, found(rs[i], event.FindingRadiationFault), n)
		}
		f := found(rs[0], event.FindingRadiationFault)[0]
		require.Equal(t, "Radiation background out of its limits during a passage on lane 01: gamma background too high since 12:00:00", f.Headline.EN)
		require.Equal(t, "gamma", f.Figures["channel"])
	})
	t.Run("each channel has its own", func(t *testing.T) {
		s := play(t, goodsLane(t))
		background(s, 0, "GL", "gamma", "low-background")
		background(s, 1, "NH", "neutron", "high-background")
		s.reading(2, "rpm", event.Reading{Kind: event.DeviceReport, Report: &event.Report{State: event.Degraded, Code: "GB"}})
		pass(s, 10)
		fs := found(s.one(), event.FindingRadiationFault)
		require.Len(t, fs, 1)
		require.Equal(t, "neutron", fs[0].Figures["channel"])
	})
	t.Run("a new run of the daemon is told again", func(t *testing.T) {
		s := play(t, goodsLane(t))
		background(s, 0, "GH", "gamma", "high-background")
		s.start(5, at(4))
		pass(s, 10)
		require.Empty(t, found(s.one(), event.FindingRadiationFault))
	})
}

func TestTamper(t *testing.T) {
	report := func(s *script, second float64, state event.DeviceState, code string) {
		s.reading(second, "rpm", event.Reading{Kind: event.DeviceReport, Report: &event.Report{State: state, Code: code}})
	}
	s := play(t, goodsLane(t))
	s.begin(0)
	report(s, 1, event.Faulty, "TT")
	report(s, 2, event.Faulty, "TT")
	s.end(3)
	s.link(4, "rpm", event.Down)
	s.link(5, "rpm", event.Up)
	report(s, 5, event.Faulty, "STANDING")
	s.begin(10)
	s.end(12)
	report(s, 15, event.Up, "TC")
	s.begin(20)
	s.end(22)
	rs := s.records()
	for i, n := range []int{1, 1, 0} {
		require.Len(t, found(rs[i], event.FindingTamper), n, i)
	}
	f := found(rs[0], event.FindingTamper)[0]
	require.Equal(t, event.Severe, f.Severity)
	require.Equal(t, "Device tampered with on lane 01: radiation portal rpm, opened since 12:00:01", f.Headline.EN)
	require.Equal(t, "TT", f.Figures["code"])
}

func TestClockLost(t *testing.T) {
	sample := func(s *script, second float64, c event.Clock) {
		r := gammaSample(45, false)
		r.Clock = c
		s.reading(second, "rpm", r)
	}
	good := event.Clock{Source: "ntp", Synchronised: true}
	free := event.Clock{Source: "free"}
	for _, c := range []struct {
		name string
		do   func(*script)
		want string
	}{
		{"synchronised", func(s *script) { sample(s, 1, good) }, ""},
		{"never synchronised", func(s *script) {
			sample(s, 1, free)
			sample(s, 90, free)
		}, ""},
		{"lost for a moment", func(s *script) {
			sample(s, 1, good)
			sample(s, 2, free)
			sample(s, 30, good)
			sample(s, 70, free)
		}, ""},
		{"lost for longer", func(s *script) {
			sample(s, 1, good)
			sample(s, 2, free)
			sample(s, 20, free)
			sample(s, 62, free)
			sample(s, 80, free)
		}, "no time source since 12:00:02"},
		{"set", func(s *script) { sample(s, 1, event.Clock{Source: "ntp", Synchronised: true, SteppedMS: -4200}) }, "the clock was set by -4.2 s"},
		{"slewed", func(s *script) { sample(s, 1, event.Clock{Source: "ntp", Synchronised: true, SteppedMS: 200}) }, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := play(t, goodsLane(t))
			s.begin(0)
			c.do(s)
			fs := found(s.one(), event.FindingClockLost)
			if c.want == "" {
				require.Empty(t, fs)
				return
			}
			require.Len(t, fs, 1)
			require.Equal(t, "The gate's clock could not be trusted during a passage on lane 01: "+c.want, fs[0].Headline.EN)
		})
	}
}

func TestExpectedVehicles(t *testing.T) {
	none := passage.Listed{}
	row := func(plate string) passage.Listed {
		return passage.Listed{Expected: event.Expected{Found: true, Plate: plate}}
	}
	for _, c := range []struct {
		name string
		do   func(*script)
		want string // of the headline, "" for no finding
	}{
		{"on the list", func(s *script) { s.listed(10, "12C12345", row("12C12345")) }, ""},
		{"not on the list", func(s *script) { s.listed(10, "12C12345", none) }, "12C12345"},
		{"looks like one on the list", func(s *script) {
			s.listed(10, "12C12345", passage.Listed{Similar: []string{"12C12346", "12C12845"}})
		}, "12C12345, looks like 12C12346 12C12845"},
		{"on another day", func(s *script) {
			s.listed(10, "12C12345", passage.Listed{Expected: event.Expected{Plate: "12C12345", From: "2026-03-09"}})
		}, "12C12345, listed for other days"},
		{"papers of another vehicle", func(s *script) {
			s.listed(10, "12C12345", none)
			s.bridge(20, 30000, 5)
			s.code(22, "103456789012")
			s.listed(23, "103456789012", row("29H54321"))
		}, "12C12345, papers are of 29H54321"},
		{"expected by its container, whatever brings it", func(s *script) {
			s.listed(10, "12C12345", none)
			s.bridge(20, 30000, 5)
			s.code(22, "CSQU3054383")
			s.listed(23, "CSQU3054383", row(""))
		}, ""},
		{"not answered", func(*script) {}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := play(t, wholeLane(t))
			s.photo(0, "camera", "A")
			s.begin(4)
			s.end(7)
			s.answer(8, "A", "done", plate("12C12345", 0.97))
			c.do(s)
			fs := found(s.one(), event.FindingUnexpected)
			if c.want == "" {
				require.Empty(t, fs)
				return
			}
			require.Len(t, fs, 1)
			require.Equal(t, "Not on the list of expected vehicles, lane 01: "+c.want, fs[0].Headline.EN)
			require.False(t, s.one().Expected.Found && c.name == "not on the list")
			raised := 0
			for _, a := range s.alerts() {
				if a.EventCode == event.FindingUnexpected {
					raised++
				}
			}
			require.Equal(t, 1, raised, "one alert, and it does not flap")
		})
	}
}

func TestALookUpWaitsForThePlateToSettle(t *testing.T) {
	s := play(t, wholeLane(t))
	s.reading(0, "camera", photoOf("A1", "A"))
	s.reading(1, "camera", photoOf("A2", "A"))
	s.begin(4)
	s.answer(5, "A1", "done", plate("12C12345", 0.6))
	require.Len(t, s.engine.Waiting(), 1, "another photo of it is not read yet")
	s.answer(6, "A2", "done", plate("12C12346", 0.9))
	waiting := s.engine.Waiting()
	require.Len(t, waiting, 1)
	require.Equal(t, passage.Request{
		Passage: s.one().ID, Evidence: "12C12346", Op: passage.OpExpected, Kind: passage.ByPlate, Direction: event.Entry, Day: "2026-03-02",
	}, waiting[0])
	require.Empty(t, s.one().Pending, "a look-up is no image")
	s.reading(7, "camera", photoOf("A3", "A"))
	require.Len(t, s.engine.Waiting(), 2, "the settled plate stands until then")
	s.answer(8, "A3", "done", plate("12C12345", 0.95))
	require.Len(t, s.engine.Waiting(), 2)
	s.listed(9, "12C12345", passage.Listed{Expected: event.Expected{Found: true, Plate: "12C12345"}})
	s.listed(9, "12C12346", passage.Listed{})
	require.Empty(t, found(s.one(), event.FindingUnexpected))
	require.Equal(t, "12C12345", s.one().Expected.Asked)
}

func TestALaneInShadowModeSharesNoFinding(t *testing.T) {
	lane := wholeLane(t)
	own, err := lane.Policy.With(nil, true)
	require.NoError(t, err)
	lane.Policy = own
	s := play(t, lane)
	s.begin(0)
	for i := range 5 {
		s.gamma(0.2*float64(i+1), 400, true)
	}
	s.kg(10, "scale", 30000)
	s.end(5)
	s.kg(14, "scale", 0)
	s.untilQuiet(1000)
	shadows := map[string]int{}
	for _, e := range s.effects {
		if e.Shadow != nil {
			shadows[e.Shadow.Code]++
		}
	}
	require.Empty(t, s.one().Findings)
	require.Empty(t, s.alerts())
	require.Equal(t, 1, shadows[event.FindingRadiationGamma], "counted once")
	require.Equal(t, 1, shadows[event.FindingWeightUncertain])
	_, known := shadows[event.FindingCoverageGap]
	require.True(t, known)
}

func TestALanesOwnPolicyJudges(t *testing.T) {
	lane := wholeLane(t)
	quiet := false
	own, err := lane.Policy.With([]risk.Override{{Code: event.FindingUnexpected, Severity: event.Minor, Alert: &quiet}}, false)
	require.NoError(t, err)
	lane.Policy = own
	s := play(t, lane)
	s.photo(0, "camera", "A")
	s.begin(4)
	s.gamma(5, 45, false)
	s.end(7)
	s.answer(8, "A", "done", plate("12C12345", 0.97))
	s.listed(9, "12C12345", passage.Listed{})
	f := found(s.one(), event.FindingUnexpected)[0]
	require.Equal(t, event.Minor, f.Severity)
	require.Equal(t, own.Version(), f.Source.Version)
	require.Empty(t, s.alerts())
}
