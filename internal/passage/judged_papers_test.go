package passage_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"gatehouse/internal/event"
	"gatehouse/internal/passage"
	"gatehouse/internal/risk"
)

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
		require.Equal(t, "high-background", f.Figures["gamma_fault"])
	})
	t.Run("each channel has its own", func(t *testing.T) {
		s := play(t, goodsLane(t))
		background(s, 0, "GL", "gamma", "low-background")
		background(s, 1, "NH", "neutron", "high-background")
		s.reading(2, "rpm", event.Reading{Kind: event.DeviceReport, Report: &event.Report{State: event.Degraded, Code: "GB"}})
		pass(s, 10)
		fs := found(s.one(), event.FindingRadiationFault)
		require.Len(t, fs, 1)
		require.Equal(t, "high-background", fs[0].Figures["neutron_fault"])
		require.NotContains(t, fs[0].Figures, "gamma_fault")
	})
	t.Run("both channels are one finding", func(t *testing.T) {
		s := play(t, goodsLane(t))
		s.begin(0)
		background(s, 1, "GL", "gamma", "low-background")
		background(s, 2, "NH", "neutron", "high-background")
		s.end(4)
		fs := found(s.one(), event.FindingRadiationFault)
		require.Len(t, fs, 1)
		require.Equal(t, "low-background", fs[0].Figures["gamma_fault"])
		require.Equal(t, "high-background", fs[0].Figures["neutron_fault"])
		require.Contains(t, fs[0].Headline.EN, "gamma background too low since 12:00:01; neutron background too high since 12:00:02")
		n := 0
		for _, a := range s.alerts() {
			if a.EventCode == event.FindingRadiationFault {
				n++
			}
		}
		require.Equal(t, 1, n, "one cause is one alert")
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
		{"set back while the gate was off", func(s *script) { s.start(-600, at(-600)) }, "the clock was set by -600.0 s"},
		{"lost, and set back meanwhile", func(s *script) {
			sample(s, 1, good)
			sample(s, 2, free)
			sample(s, -600, free)
			sample(s, -538, free)
		}, "no time source since 11:50:00"},
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

// A passage tells both agencies what the gate's clock was at its worst.
func TestAPassageTellsTheClock(t *testing.T) {
	s := play(t, goodsLane(t))
	s.begin(0)
	for i, c := range []event.Clock{
		{Source: "ntp", Synchronised: true, OffsetMS: 0.4, MaxErrorMS: 3},
		{Source: "free", OffsetMS: -2.5, MaxErrorMS: 16},
		{Source: "ntp", Synchronised: true, OffsetMS: 1, MaxErrorMS: 5, SteppedMS: 1500},
		{Source: "ntp", Synchronised: true, OffsetMS: 1, MaxErrorMS: 5, SteppedMS: -250},
	} {
		r := gammaSample(45, false)
		r.Clock = c
		s.reading(float64(i+1), "rpm", r)
	}
	s.end(6)
	require.Equal(t, &event.Clock{Source: "free", OffsetMS: -2.5, MaxErrorMS: 16, SteppedMS: 1250}, s.one().Clock)
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

func TestASecondPersonInOneOccupancyFollowed(t *testing.T) {
	s := play(t, hall(t))
	s.document(0, traveller("NGUYEN AN", "C1234567"))
	s.begin(2)
	s.document(4, traveller("TRAN BINH", "C7654321")) // and goes in right behind
	s.end(6)
	s.untilQuiet(60)
	rs := s.records()
	require.Len(t, rs, 2)
	second := rs[0]
	if second.Documents[0].Document.Number != "C7654321" {
		second = rs[1]
	}
	require.Contains(t, codes(second), "TAIL-GATE mrz")
	require.Contains(t, codes(second), "COVERAGE-GAP rpm", "nobody measured this one by itself")
}
