package passage_test

import (
	"encoding/json"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"gatehouse/internal/event"
	"gatehouse/internal/passage"
	"gatehouse/internal/risk"
)

// standing plays a vehicle up to the point where only vision is waited for.
func standing(t *testing.T) *script {
	s := play(t, goodsLane(t))
	s.lorry(0, "A")
	return s
}

func TestRadiationArithmetic(t *testing.T) {
	s := play(t, goodsLane(t))
	s.begin(0)
	for i := range 5 { // four detectors of 60 counts: F = 1200 against B = 900
		s.gamma(0.2*float64(i+1), 60, false)
	}
	s.gamma(1.2, 45, false)
	speed := 4.88
	s.reading(1.3, "rpm", event.Reading{Kind: event.RadiationSample, Radiation: &event.Radiation{Record: "SP", SpeedKMH: &speed}})
	s.reading(1.4, "rpm", event.Reading{Kind: event.RadiationSample, Radiation: &event.Radiation{
		Record: "NS", Channel: "neutron", Counts: []float64{1, 2, 0, 1}, IntervalMS: 1000,
	}})
	s.end(2)
	f := s.one().Radiation
	require.Equal(t, []float64{240, 240, 240, 240, 240, 180}, f.Gamma)
	require.Equal(t, []float64{4}, f.Neutron)
	require.InDelta(t, 10, f.MaxSigma, 1e-9)
	require.Equal(t, 900.0, f.GammaBackgroundCPS)
	require.Equal(t, 200, f.GammaIntervalMS)
	require.Equal(t, &speed, f.SpeedKMH)
	require.False(t, f.GammaAlarm, "the gate's own arithmetic raises no alarm")
	require.NotContains(t, codes(s.one()), "RPM-GAMMA rpm")
}

func TestRadiationAlarms(t *testing.T) {
	s := play(t, goodsLane(t))
	s.begin(0)
	for i := range 5 {
		s.gamma(0.2*float64(i+1), 60, false)
	}
	before := len(s.effects)
	s.gamma(1.2, 60, true)
	s.gamma(1.4, 60, true)
	s.reading(1.5, "rpm", event.Reading{Kind: event.RadiationSample, Radiation: &event.Radiation{
		Record: "NA", Channel: "neutron", Counts: []float64{9, 9, 9, 9}, IntervalMS: 1000, Alarm: true,
	}})
	alerts := decode[event.Alert](t, s.effects[before:], event.TypeAlert)
	require.Len(t, alerts, 2, "once each")
	gamma, neutron := alerts[0], alerts[1]
	require.Equal(t, "RPM-GAMMA", gamma.EventCode)
	require.Equal(t, event.Severe, gamma.Severity)
	require.Equal(t, event.BorderGuard, gamma.Lead)
	require.Equal(t, "Báo động phóng xạ gamma tại làn 01, ít nhất 10,0 sigma", gamma.Headline.VI)
	require.Equal(t, "Gamma radiation alarm on lane 01, at least 10.0 sigma", gamma.Headline.EN)
	require.Equal(t, "/gate/15BB", gamma.Sender)
	require.Equal(t, "Restricted", gamma.Scope)
	require.Equal(t, "Actual", gamma.Status)
	require.Equal(t, event.Source{Kind: "device", Name: "rpm", Version: "GS"}, gamma.Finding.Source)
	require.Len(t, gamma.Finding.Causes, 1)
	require.Equal(t, event.Extreme, neutron.Severity)
	require.Equal(t, 36.0, neutron.Finding.Figures["neutron_counts"])

	for i := range 5 {
		s.gamma(2+0.2*float64(i), 75, true) // it grows: F is 1,500
	}
	s.end(4)
	settled := s.one().Findings[0]
	require.Equal(t, "Gamma radiation alarm on lane 01, 20.0 sigma", settled.Headline.EN, "the whole occupancy's figure when it is over")
	require.InDelta(t, 20, settled.Figures["max_sigma"], 1e-9)
}

func TestSampleThatCannotBeUsed(t *testing.T) {
	s := play(t, goodsLane(t))
	s.begin(0)
	bad := gammaSample(1e6, false)
	bad.Quality = event.Bad
	s.reading(0.2, "rpm", bad)
	s.gamma(0.4, math.Inf(1), false)
	s.end(1)
	require.Empty(t, s.one().Radiation.Gamma)
	require.Equal(t, event.Text{VI: "không có mẫu đo gamma", EN: "no gamma sample received"}, coverage(t, s.one(), "rpm").Reason)
	for _, e := range s.effects {
		require.Empty(t, e.Fault)
	}
}

func TestXrayFindings(t *testing.T) {
	s := standing(t)
	s.answer(16, "A", "done", plate("12C12345", 0.97))
	s.answer(17, "A-1", "done", `{"score":0.7,"findings":[
		{"code":"XRAY-ANOMALY","class":"","box":[5,6,7,8],"score":0.3},
		{"code":"XRAY-ANOMALY","class":"gun","box":[1,2,3,4],"score":0.7},
		{"code":"XRAY-OPAQUE","box":[9,9,9,9],"score":0.9}],"model":"cargo-1"}`)
	p := s.one()
	require.Equal(t, []string{"XRAY-OPAQUE xray", "XRAY-ANOMALY xray"}, codes(p), "0.3 is below the policy's threshold")
	f := p.Findings[1]
	require.Equal(t, &event.Region{Evidence: event.Digest([]byte("A-1")), Box: []int{1, 2, 3, 4}}, f.Region)
	require.Equal(t, event.Source{Kind: "model", Name: "xray", Version: "cargo-1"}, f.Source)
	require.Equal(t, event.Moderate, f.Severity)
	require.Len(t, s.alerts(), 2)
	require.Equal(t, event.Digest([]byte("A-1")), s.alerts()[0].Evidence[0].SHA256, "the marked image comes first")
	require.Len(t, s.alerts()[0].Evidence, 2)
}

func TestGraverFindingUpdatesTheAlert(t *testing.T) {
	lane := goodsLane(t)
	lane.Devices[3].Views = 2
	s := play(t, lane)
	s.lorry(0, "A")
	s.scanImage(16, "A", 2)
	s.answer(17, "A-1", "done", `{"score":0.6,"findings":[{"code":"XRAY-ANOMALY","box":[1,2,3,4],"score":0.6}],"model":"m"}`)
	s.answer(18, "A-2", "done", `{"score":0.9,"findings":[{"code":"XRAY-ANOMALY","box":[1,2,3,4],"score":0.9},{"code":"XRAY-ANOMALY","box":[1,2,3,5],"score":0.85}],"model":"m"}`)
	alerts := s.alerts()
	require.Len(t, alerts, 2)
	require.Equal(t, "Alert", alerts[0].MsgType)
	require.Equal(t, "Update", alerts[1].MsgType)
	require.Equal(t, []event.ID{alerts[0].ID}, alerts[1].References)
	require.Equal(t, event.Severe, alerts[1].Severity)
	require.Len(t, s.one().Findings, 3)
}

func TestPlateFindings(t *testing.T) {
	for _, c := range []struct {
		name        string
		front, rear string // answers; empty for no rear photo
		want        []string
	}{
		{"read", plate("12C12345", 0.9), "", []string{}},
		{"nothing seen", `{"plates":[],"model":"m"}`, "", []string{"PLATE-UNREAD camera"}},
		{"too weak", plate("12C12345", 0.4), "", []string{"PLATE-UNREAD camera"}},
		{"same on both", plate("12C12345", 0.9), plate("12C12345", 0.8), []string{}},
		{"differ", plate("12C12345", 0.9), plate("29H54321", 0.8), []string{"PLATE-MISMATCH"}},
		{"trailer", plate("12C12345", 0.9), plate("51R01234", 0.8), []string{}},
		{"rear too weak", plate("12C12345", 0.9), plate("29H54321", 0.2), []string{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := play(t, goodsLane(t))
			s.photo(0, "camera", "A")
			s.begin(4)
			s.gamma(5, 45, false)
			s.end(7)
			if c.rear != "" {
				s.photo(7.5, "rear", "R")
				s.answer(8, "R", "done", c.rear)
			}
			s.answer(9, "A", "done", c.front)
			require.Equal(t, c.want, codes(s.one()))
		})
	}
}

func TestWeakPlateIsOnlyAnAlternate(t *testing.T) {
	s := standing(t)
	s.answer(16, "A", "done", plate("12C12345", 0.4))
	pl := s.one().Plates[0]
	require.Empty(t, pl.Text)
	require.Equal(t, []event.Alternate{{Text: "12C12345", Score: 0.4}}, pl.Alternates)
}

func TestUnreadableImages(t *testing.T) {
	s := standing(t)
	s.answer(16, "A", "unreadable", "")
	s.answer(17, "A-1", "unreadable", "")
	p := s.one()
	require.Equal(t, event.Closed, p.State)
	require.Equal(t, "unreadable", p.Photos[0].Analysis)
	require.Equal(t, "unreadable", p.Scans[0].Analysis)
	require.ElementsMatch(t, []string{
		"IMAGE-UNREADABLE camera", "IMAGE-UNREADABLE xray", "PLATE-UNREAD camera",
		"COVERAGE-GAP camera", "COVERAGE-GAP xray",
	}, codes(p), "an image that nobody could read is no look")
}

func TestCutOffPicture(t *testing.T) {
	s := standing(t)
	s.answer(16, "A", "done", plate("12C12345", 0.9))
	s.answer(17, "A-1", "done", `{"score":0.1,"findings":[],"model":"m@1","truncated":{"analysed":0.6,"why":"file-cut"}}`)
	p := s.one()
	require.Equal(t, []string{"COVERAGE-GAP xray"}, codes(p), "what was cut off nobody looked at")
	require.InDelta(t, 0.6, p.Scans[0].Analysed, 1e-9)
	require.Equal(t, "the scan is cut off, 60 % of it was analysed", coverage(t, p, "xray").Reason.EN)
}

func TestVisionDown(t *testing.T) {
	s := standing(t)
	s.answer(16, "A", "unavailable", "")
	p := s.one()
	require.Equal(t, event.Waiting, p.State)
	require.Equal(t, "unavailable", p.Photos[0].Analysis)
	require.Len(t, s.engine.Waiting(), 2, "it is asked again")
	s.untilQuiet(60)
	p = s.one()
	require.Equal(t, event.Closed, p.State)
	require.Equal(t, []string{"COVERAGE-GAP vision"}, codes(p))
	require.Equal(t, event.Down, coverage(t, p, "vision").State)
	require.Equal(t, "Lượt qua làn 01 chưa được phân tích ảnh kiểm tra: phân tích ảnh chưa chạy", p.Findings[0].Headline.VI)
	require.Equal(t, digests("A", "A-1"), p.Pending)

	s.answer(5000, "A", "done", plate("12C12345", 0.9))
	s.answer(5001, "A-1", "done", clearScan)
	late := s.one()
	require.Equal(t, p.Version+2, late.Version, "kept while vision owes an answer")
	require.Empty(t, late.Pending)
	require.Empty(t, late.Findings)
	require.Equal(t, "Cancel", s.alerts()[1].MsgType)
}

func TestFindingRaisedAgainAtOnce(t *testing.T) {
	s := play(t, goodsLane(t))
	s.begin(0)
	s.gamma(1, 45, false)
	s.end(2)
	s.scanEvent(5, "S1", "SCAN_BEGIN")
	s.untilQuiet(62) // the join's time is over and the scan is missing
	closed := s.one().ClosedAt.Sub(noon).Seconds()
	s.scanImage(closed, "S1", 1)             // here it is
	s.scanEvent(closed, "S1", "SCAN_END", 3) // and it is not whole
	ids := map[event.ID]bool{}
	for _, a := range s.alerts() {
		require.False(t, ids[a.ID], "an id names one alert")
		ids[a.ID] = true
	}
	require.Contains(t, codes(s.one()), "COVERAGE-GAP xray")
}

func TestResultsThatDoNotFit(t *testing.T) {
	s := standing(t)
	s.answer(16, "A", "done", plate("12C12345", 0.9))
	photo := event.Digest([]byte("A"))
	version := s.one().Version
	for _, a := range []event.Analysis{
		{Passage: s.one().ID, Evidence: photo, Op: "plate", Outcome: "done", Result: json.RawMessage(plate("29H54321", 0.9))},
		{Passage: s.one().ID, Evidence: "unknown", Op: "plate", Outcome: "done"},
		{Passage: "unknown", Evidence: photo, Op: "plate", Outcome: "done"},
		{Passage: s.one().ID, Evidence: event.Digest([]byte("A-1")), Op: "xray", Outcome: "no such word"},
	} {
		s.apply(17, event.JournalEntry{Kind: event.EntryResult, Analysis: &a})
	}
	require.Equal(t, version, s.one().Version)
	s.answer(18, "A-1", "done", `{"findings":`)
	require.Equal(t, "unavailable", s.one().Scans[0].Analysis, "an answer that is no answer")
}

func TestDispatchesAreCounted(t *testing.T) {
	s := standing(t)
	request := s.engine.Waiting()[1]
	require.Equal(t, passage.OpXray, request.Op)
	require.Equal(t, "cargo", request.Kind)
	require.Equal(t, "01-xray", request.Scanner)
	for i := range 2 {
		s.apply(16, event.JournalEntry{Kind: event.EntryDispatch, Analysis: &event.Analysis{
			Passage: request.Passage, Evidence: request.Evidence, Op: request.Op, Attempt: i + 1,
		}})
	}
	snapshot, err := s.engine.Snapshot()
	require.NoError(t, err)
	restored, err := passage.Restore(goodsLane(t), snapshot)
	require.NoError(t, err)
	require.Equal(t, 2, restored.Waiting()[1].Attempts)
	asked := 0
	for _, e := range s.effects {
		if e.Analyse != nil {
			asked++
		}
	}
	require.Equal(t, 2, asked, "once per image")
}

func TestWithoutVision(t *testing.T) {
	lane := goodsLane(t)
	lane.Vision = false
	s := play(t, lane)
	s.lorry(0, "A")
	p := s.one()
	require.Equal(t, event.Closed, p.State)
	require.Equal(t, []string{"COVERAGE-GAP vision"}, codes(p))
	require.Empty(t, s.engine.Waiting())
}

func TestModes(t *testing.T) {
	const rule = `
  - {code: RPM-GAMMA, severity: Severe, lead: CUSTOMS, alert: true, mode: %MODE%, category: CBRNE, urgency: Immediate,
     certainty: Observed, headline: {vi: a, en: a}, instruction: {vi: a, en: a}}
`
	for _, c := range []struct {
		mode              string
		finding, alerting bool
		shadows           int
	}{
		{"live", true, true, 0}, {"advisory", true, false, 0}, {"shadow", false, false, 1},
	} {
		t.Run(c.mode, func(t *testing.T) {
			lane := goodsLane(t)
			lane.Policy = oneRule(t, rule, c.mode)
			s := play(t, lane)
			s.begin(0)
			before := len(s.effects)
			s.gamma(1, 400, true)
			require.Equal(t, c.finding, len(s.one().Findings) > 0)
			require.Equal(t, c.alerting, len(s.alerts()) > 0)
			shadows := 0
			for _, e := range s.effects[before:] {
				if e.Shadow != nil {
					shadows++
				}
			}
			require.Equal(t, c.shadows, shadows)
		})
	}
}

func TestDeviceReportsAndChanges(t *testing.T) {
	s := play(t, goodsLane(t))
	told := decode[event.DeviceChange](t, s.effects, event.TypeDevice)
	require.Len(t, told, 8, "each device is told at the start, and when it is heard")
	for i, change := range told {
		require.Equal(t, i < 4, change.State == event.Down)
		require.Equal(t, change.Device != "rear", change.Required)
	}
	require.Equal(t, event.Text{VI: "chưa có tín hiệu", EN: "no signal yet"}, told[0].Words)
	before := len(s.effects)
	report := func(second float64, state event.DeviceState) {
		s.reading(second, "xray", event.Reading{Kind: event.DeviceReport, Report: &event.Report{State: state, Code: "INTERLOCK"}})
	}
	s.begin(0)
	report(1, event.Faulty)
	report(2, event.Faulty)
	s.link(2, "xray", event.Up)
	report(3, event.Up)
	changes := decode[event.DeviceChange](t, s.effects[before:], event.TypeDevice)
	require.Len(t, changes, 2)
	require.Equal(t, event.Faulty, changes[0].State)
	require.Equal(t, "INTERLOCK", changes[0].Reason)
	require.NotEmpty(t, changes[0].Try.VI)
	require.Equal(t, event.Up, changes[1].State)
	before = len(s.effects)
	report(4, event.Faulty)
	report(5, event.Up)
	changes = decode[event.DeviceChange](t, s.effects[before:], event.TypeDevice)
	require.Equal(t, at(5), changes[len(changes)-1].Since, "well since it said so")
	c := coverage(t, s.one(), "xray")
	require.Equal(t, event.Faulty, c.State, "the worst while it lasted")
	require.Equal(t, at(1), *c.From)
}

func TestLinkThatComesBackLeavesTheReport(t *testing.T) {
	s := play(t, goodsLane(t))
	before := len(s.effects)
	s.reading(0, "xray", event.Reading{Kind: event.DeviceReport, Report: &event.Report{State: event.Faulty}})
	s.link(1, "xray", event.Down)
	s.link(2, "xray", event.Up)
	s.link(3, "xray", event.Up) // an unchanged status has the class idle, so only the runtime tells
	var states []event.DeviceState
	for _, c := range decode[event.DeviceChange](t, s.effects[before:], event.TypeDevice) {
		states = append(states, c.State)
	}
	require.Equal(t, []event.DeviceState{event.Faulty, event.Down, event.Faulty, event.Up}, states)
}

func TestTheGapOfARestartBeginsWhereTheDevicesStoredFramesEnd(t *testing.T) {
	s := play(t, goodsLane(t))
	s.photo(5, "camera", "A")
	s.begin(9.75)
	s.reading(10, "xray", event.Reading{Kind: event.DeviceReport, Report: &event.Report{State: event.Up}})
	s.start(20, at(9.5)) // what came after may have been on its way
	for _, device := range []string{"camera", "rpm", "xray"} {
		s.link(21, device, event.Up)
	}
	from := map[string]float64{}
	for _, g := range decode[event.Gap](t, s.effects, event.TypeGap) {
		from[g.Device] = g.From.Sub(noon).Seconds()
	}
	require.Equal(t, map[string]float64{"camera": 9.5, "rpm": 9.75, "xray": 10}, from)
}

func TestTestedDeviceDoesNotLook(t *testing.T) {
	s := play(t, goodsLane(t))
	s.reading(0, "xray", event.Reading{Kind: event.DeviceReport, Report: &event.Report{State: event.InTest}})
	s.lorry(1, "A")
	require.False(t, coverage(t, s.one(), "xray").Looked)
}

func TestGaps(t *testing.T) {
	s := play(t, goodsLane(t))
	s.link(10, "xray", event.Down) // heard last at 9
	s.link(14, "xray", event.Down)
	s.stop(15)
	s.start(20, at(15))
	s.link(22, "xray", event.Up)
	s.link(22, "camera", event.Up)
	s.reading(23, "rpm", event.Reading{Kind: event.FrameLoss, Loss: &event.Loss{Frames: 7, From: at(21), To: at(22), Reason: "overflow"}})
	s.begin(24)
	type gap struct {
		device   string
		from, to float64
		reason   string
	}
	var got []gap
	for _, g := range decode[event.Gap](t, s.effects, event.TypeGap) {
		got = append(got, gap{g.Device, g.From.Sub(noon).Seconds(), g.To.Sub(noon).Seconds(), g.Reason})
	}
	require.Equal(t, []gap{
		{"xray", 9, 15, "link"}, // told at the orderly end
		{"xray", 9, 22, "link"},
		{"camera", 15, 22, "restart"},
		{"rpm", 21, 22, "overflow"},
		{"rpm", 15, 24, "restart"}, // a loss is no sign of life
	}, got)
}

func oneRule(t *testing.T, rule, mode string) *risk.Table {
	table, err := risk.Parse([]byte("version: test\n" +
		"fallback: {severity: Minor, lead: CUSTOMS, category: Other, urgency: Unknown, certainty: Unknown, " +
		"headline: {vi: a, en: a}, instruction: {vi: a, en: a}}\nrules:" + strings.ReplaceAll(rule, "%MODE%", mode)))
	require.NoError(t, err)
	return table
}
