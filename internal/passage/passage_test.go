package passage_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatehouse/internal/event"
	"gatehouse/internal/passage"
)

// lorry plays one whole vehicle: capture, portal, scan. Its images are named
// name and name-1.
func (s *script) lorry(second float64, name string) {
	s.photo(second, "camera", name)
	s.begin(second + 4)
	for i := range 10 {
		s.gamma(second+4.2+0.2*float64(i), 45, false)
	}
	s.end(second + 7)
	s.scan(second+12, name)
}

func TestWholePassage(t *testing.T) {
	s := play(t, goodsLane(t))
	s.lorry(0, "A")
	require.Equal(t, event.Waiting, s.one().State)
	require.Equal(t, digests("A", "A-1"), s.one().Pending)
	s.answer(16, "A", "done", plate("12C12345", 0.97))
	s.answer(17, "A-1", "done", clearScan)

	p := s.one()
	require.Equal(t, event.Closed, p.State)
	require.Equal(t, at(17), *p.ClosedAt, "closed at once when all has come")
	require.Equal(t, at(4), p.OpenedAt)
	require.Equal(t, at(7), *p.LeftAt)
	require.Empty(t, p.Irregular)
	require.Empty(t, p.Findings)
	require.Empty(t, p.Pending)
	require.Len(t, p.Readings, 1+1+10+1+3)
	require.Equal(t, "12C12345", p.Plates[0].Text)
	require.Equal(t, "front", p.Plates[0].View)
	require.Equal(t, &event.Cargo{State: "loaded", Fill: 0.7}, p.Scans[0].Cargo)
	require.Equal(t, "done", p.Scans[0].Analysis)
	require.Len(t, p.Coverage, 4)
	for _, c := range p.Coverage {
		require.True(t, c.Looked, c.Device)
		require.Equal(t, event.Up, c.State)
		require.Empty(t, c.Reason)
	}
	require.Empty(t, s.engine.Deadlines())
	require.Empty(t, s.alerts())
}

func TestVersionsAreCoalesced(t *testing.T) {
	s := play(t, goodsLane(t))
	s.lorry(0, "A")
	// open, left, scan begin, scan end, image
	require.Equal(t, 5, s.one().Version)
}

func TestConvoyKeepsPhotosAndScansApart(t *testing.T) {
	s := play(t, goodsLane(t))
	s.photo(0, "camera", "A")
	s.begin(4)
	s.gamma(4.2, 45, false)
	s.photo(8, "camera", "B") // while A still stands in the portal
	s.gamma(9, 45, false)
	s.end(9.5)
	s.begin(12)
	s.gamma(12.2, 45, false)
	s.scan(14, "A")
	s.end(18)
	s.scan(24, "B")
	rs := s.records()
	require.Len(t, rs, 2)
	require.Equal(t, digests("A"), images(rs[0]))
	require.Equal(t, digests("B"), images(rs[1]))
	require.Equal(t, "A", rs[0].Scans[0].ScanID)
	require.Equal(t, "B", rs[1].Scans[0].ScanID)
	require.Empty(t, rs[1].Irregular)
}

func TestTractorAndTrailerAreOnePassage(t *testing.T) {
	s := play(t, goodsLane(t))
	s.photo(0, "camera", "tractor")
	s.begin(4)
	s.gamma(4.2, 45, false)
	s.photo(7, "camera", "trailer") // a second track, and no second presence follows
	s.gamma(9, 45, false)
	s.end(10)
	s.photo(10.5, "rear", "tail")
	s.untilQuiet(30)
	s.answer(31, "tractor", "done", plate("12C12345", 0.97))
	s.answer(32, "trailer", "done", plate("51R01234", 0.95))
	s.answer(33, "tail", "done", plate("51R01234", 0.96))
	p := s.one()
	require.Equal(t, digests("tractor", "tail", "trailer"), images(p))
	require.Len(t, p.Plates, 3)
	require.Empty(t, p.Findings, "a trailer's plate rightly differs")
}

func TestTailGateWithoutEnd(t *testing.T) {
	s := play(t, goodsLane(t))
	s.begin(0)
	s.gamma(0.2, 45, false)
	s.begin(5)
	s.gamma(5.2, 45, false)
	s.end(9)
	rs := s.records()
	require.Len(t, rs, 2)
	require.Equal(t, at(5), *rs[0].LeftAt)
	require.Empty(t, rs[0].Irregular)
	require.Equal(t, []string{"tail-gate"}, rs[1].Irregular)
	require.Equal(t, at(9), *rs[1].LeftAt)
	require.Equal(t, []string{"TAIL-GATE rpm"}, codes(rs[1]))
	require.Len(t, s.alerts(), 1)
	require.Equal(t, rs[1].ID, s.alerts()[0].Passage)
}

func TestTailGateByShortGap(t *testing.T) {
	for _, c := range []struct {
		name   string
		second float64
		want   []string
	}{
		{"half a second after", 3.5, []string{"tail-gate"}},
		{"two seconds after", 5, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := play(t, goodsLane(t))
			s.begin(0)
			s.gamma(1, 45, false)
			s.end(3)
			s.begin(c.second)
			require.Equal(t, c.want, s.records()[1].Irregular)
		})
	}
}

func TestReversingCancels(t *testing.T) {
	s := play(t, goodsLane(t))
	s.photo(0, "camera", "A")
	s.begin(4)
	s.gamma(5, 45, false)
	s.end(6, func(e *event.PresenceEdge) { e.Reverse = true })
	p := s.one()
	require.Equal(t, event.Cancelled, p.State)
	require.Equal(t, []string{"reversed"}, p.Irregular)
	require.Empty(t, p.Findings, "nothing was required of what turned back")
	s.scan(8, "other")
	require.Len(t, s.records(), 2, "a scan is not given to a cancelled passage")
	s.answer(9, "A", "done", plate("12C12345", 0.97))
	require.Len(t, s.records()[0].Plates, 1, "a late result still counts")
}

func TestMissingEnd(t *testing.T) {
	s := play(t, goodsLane(t))
	s.begin(0)
	s.gamma(1, 45, false)
	s.gamma(2, 45, false)
	s.untilQuiet(31)
	require.Equal(t, event.Open, s.one().State, "the device was heard 29 s ago")
	s.untilQuiet(40)
	p := s.one()
	require.Equal(t, event.Waiting, p.State)
	require.Equal(t, []string{"missing-end"}, p.Irregular)
	require.Equal(t, at(2), *p.LeftAt)
	s.end(45)
	require.Equal(t, at(45), *s.one().LeftAt, "a late end corrects it")
	s.untilQuiet(1000)
	require.Equal(t, event.Closed, s.one().State)
}

func TestUnterminatedEnd(t *testing.T) {
	s := play(t, goodsLane(t))
	s.begin(0)
	s.gamma(1, 45, false)
	s.end(5, func(e *event.PresenceEdge) { e.Unterminated = true })
	require.Equal(t, event.Waiting, s.one().State)
	require.Equal(t, []string{"missing-end"}, s.one().Irregular)
}

func TestDaemonRestartDuringPresence(t *testing.T) {
	s := play(t, goodsLane(t))
	s.photo(0, "camera", "A")
	s.begin(4)
	s.gamma(5, 45, false)
	s.start(8, at(5))
	s.begin(9) // the driver finds the portal occupied
	s.gamma(9.2, 45, false)
	s.end(11)
	p := s.one()
	require.Equal(t, []string{"restart"}, p.Irregular)
	require.Equal(t, event.Waiting, p.State)
	c := coverage(t, p, "rpm")
	require.Equal(t, event.Down, c.State)
	require.False(t, c.Looked, "part of the measurement is missing")
	require.Contains(t, codes(p), "COVERAGE-GAP rpm")
	gaps := decode[event.Gap](t, s.effects, event.TypeGap)
	require.Len(t, gaps, 1)
	require.Equal(t, event.Gap{ID: gaps[0].ID, Where: event.Where{Gate: "15BB", Lane: "01", Device: "rpm"},
		From: at(5), To: at(9), Reason: "restart"}, gaps[0])
}

func TestRestartWithoutAnyMorePresence(t *testing.T) {
	s := play(t, goodsLane(t))
	s.begin(4)
	s.gamma(5, 45, false)
	s.start(8, at(5))
	s.link(9, "rpm", event.Up)
	s.untilQuiet(40)
	require.Equal(t, event.Waiting, s.one().State)
	require.ElementsMatch(t, []string{"missing-end", "restart"}, s.one().Irregular)
}

func TestNextVehicleAfterLongBreak(t *testing.T) {
	s := play(t, goodsLane(t))
	s.begin(0)
	s.gamma(1, 45, false)
	s.link(3, "rpm", event.Down)
	s.link(20, "rpm", event.Up)
	s.begin(20)
	rs := s.records()
	require.Len(t, rs, 2)
	require.ElementsMatch(t, []string{"missing-end", "restart"}, rs[0].Irregular)
	require.Empty(t, rs[1].Irregular, "not tail-gating")
	require.Empty(t, rs[1].Findings)
}

func TestNextVehicleAfterShortBreak(t *testing.T) {
	t.Run("the zone was seen empty", func(t *testing.T) {
		s := play(t, goodsLane(t))
		s.begin(0)
		s.gamma(1, 45, false)
		s.start(3, at(1))
		s.link(4, "rpm", event.Up) // by a background record
		s.begin(8)
		require.Len(t, s.records(), 2)
	})
	t.Run("a camera has announced it", func(t *testing.T) {
		s := play(t, goodsLane(t))
		s.photo(-0.5, "camera", "A")
		s.begin(0)
		s.gamma(1, 45, false)
		s.start(3, at(1))
		s.photo(4, "camera", "B")
		s.begin(5)
		rs := s.records()
		require.Len(t, rs, 2)
		require.Equal(t, digests("B"), images(rs[1]))
	})
}

func TestSpeedAloneIsNoVehicle(t *testing.T) {
	s := play(t, goodsLane(t))
	speed := 5.0
	s.reading(0, "rpm", event.Reading{Kind: event.RadiationSample, Radiation: &event.Radiation{Record: "SP", SpeedKMH: &speed}})
	require.Empty(t, s.records())
}

func TestSamplesWithoutBegin(t *testing.T) {
	s := play(t, goodsLane(t))
	s.photo(0, "camera", "A")
	s.gamma(4, 400, true)
	require.Equal(t, []string{"no-presence"}, s.one().Irregular)
	require.Equal(t, []string{"RPM-GAMMA rpm"}, codes(s.one()))
	require.Equal(t, digests("A"), images(s.one()))
	s.begin(4.5)
	s.end(6)
	require.Equal(t, event.Waiting, s.one().State, "a begin behind them is the same vehicle")
}

func TestCaptureThatNobodyAdopts(t *testing.T) {
	s := play(t, goodsLane(t))
	s.photo(0, "camera", "A")
	require.Empty(t, s.records())
	s.untilQuiet(11)
	p := s.one()
	require.Equal(t, []string{"no-presence"}, p.Irregular)
	require.Equal(t, at(0), p.OpenedAt)
	require.Equal(t, event.Waiting, p.State)
	s.untilQuiet(500)
	require.Equal(t, event.Closed, s.one().State)
	require.ElementsMatch(t, []string{"COVERAGE-GAP rpm", "COVERAGE-GAP xray", "COVERAGE-GAP vision"}, codes(s.one()))
}

func TestCaptureOfOneTrackStaysTogether(t *testing.T) {
	s := play(t, goodsLane(t))
	s.reading(0, "camera", photoOf("first", "track"))
	s.reading(1, "camera", photoOf("second", "track"))
	s.begin(4)
	s.reading(5, "camera", photoOf("third", "track"))
	require.Equal(t, digests("first", "second", "third"), images(s.one()))
}

func TestRedeliveryIsDropped(t *testing.T) {
	s := play(t, goodsLane(t))
	s.photo(0, "camera", "A")
	s.begin(4)
	s.photo(5, "camera", "A")
	require.Equal(t, digests("A"), images(s.one()))
	require.Len(t, s.one().Readings, 2)
	s.stop(60)
	frames := 0
	for _, l := range decode[event.FrameLog](t, s.effects, event.TypeFrameLog) {
		frames += l.Count
	}
	require.Equal(t, 3, frames, "its frame is accounted for all the same")
}

func TestPresenceDeviceDown(t *testing.T) {
	s := play(t, goodsLane(t))
	s.link(0, "rpm", event.Down)
	s.photo(1, "camera", "A")
	s.scanEvent(6, "S1", "SCAN_BEGIN") // before the capture's waiting is over
	p := s.one()
	require.Equal(t, []string{"no-presence"}, p.Irregular)
	require.Equal(t, digests("A"), images(p))
	require.Equal(t, event.Down, coverage(t, p, "rpm").State)
	s.scanEvent(8, "S1", "SCAN_END", 0)
	s.scanImage(9, "S1", 1)
	s.answer(10, "A", "done", plate("12C12345", 0.9))
	s.answer(10, "S1-1", "done", clearScan)
	p = s.one()
	require.Equal(t, event.Closed, p.State)
	require.Equal(t, []string{"COVERAGE-GAP rpm"}, codes(p))
	require.Equal(t, event.Text{
		VI: "Lượt qua làn 01 chưa được cổng đo phóng xạ rpm kiểm tra: mất tín hiệu từ 12:00:00",
		EN: "Passage on lane 01 was not looked at by radiation portal rpm: no signal since 12:00:00",
	}, p.Findings[0].Headline)
}

func TestBaggageLaneWithoutPresence(t *testing.T) {
	lane := passage.Lane{
		Gate: "15BB", ID: "01", Kind: event.Consignment, Policy: policy(t), Vision: true,
		Devices: []passage.Device{{ID: "xray", Driver: "xray", Role: passage.RoleScanner, Required: true, Scan: "baggage", Views: 2}},
	}
	s := play(t, lane)
	s.scanEvent(0, "", "ITEM_IN")
	s.scanEvent(1, "S1", "SCAN_BEGIN")
	s.scanEvent(2, "", "ITEM_IN")
	s.scanEvent(3, "S1", "SCAN_END", 0)
	s.scanEvent(4, "", "ITEM_OUT")
	s.scanEvent(4, "S2", "SCAN_BEGIN")
	s.scanImage(5, "S1", 1)
	require.Equal(t, event.Waiting, s.records()[0].State, "one of two views is there")
	s.scanImage(6, "S1", 2)
	s.scanEvent(7, "S2", "SCAN_END", 0)
	s.scanEvent(8, "", "ITEM_OUT")
	s.answer(9, "S1-1", "done", clearScan)
	s.answer(9, "S1-2", "done", clearScan)
	rs := s.records()
	require.Len(t, rs, 2)
	require.Equal(t, event.Closed, rs[0].State)
	require.Equal(t, event.Consignment, rs[0].Kind)
	require.Equal(t, []string{"no-presence"}, rs[0].Irregular)
	require.Len(t, rs[0].Scans, 2)
	require.Equal(t, event.Waiting, rs[1].State)
}

func TestLateScanImage(t *testing.T) {
	lane := goodsLane(t)
	lane.Keep = passage.Keep{For: 5 * time.Minute}
	s := play(t, lane)
	s.begin(0)
	s.gamma(1, 45, false)
	s.end(2)
	s.scanEvent(5, "S1", "SCAN_BEGIN")
	s.untilQuiet(100)
	p := s.one()
	require.Equal(t, event.Closed, p.State)
	require.ElementsMatch(t, []string{"COVERAGE-GAP camera", "COVERAGE-GAP xray"}, codes(p))

	s.scanImage(150, "S1", 1)
	p = s.one()
	require.Equal(t, []string{"COVERAGE-GAP camera", "COVERAGE-GAP vision"}, codes(p), "the scan is there, its analysis not")
	s.answer(151, "S1-1", "done", clearScan)
	require.Equal(t, []string{"COVERAGE-GAP camera"}, codes(s.one()))
	cancelled := 0
	for _, a := range s.alerts() {
		if a.MsgType == "Cancel" {
			cancelled++
			require.NotEmpty(t, a.References)
		}
	}
	require.Equal(t, 2, cancelled)

	version := s.one().Version
	s.begin(600) // much later: the first passage is forgotten
	s.scanImage(601, "S1", 2)
	require.Len(t, s.records(), 2)
	require.Equal(t, version, s.records()[0].Version)
	require.Empty(t, s.records()[1].Scans, "a forgotten passage's image is not given to another")
}

func TestScanAfterTheScannerWasAway(t *testing.T) {
	s := play(t, goodsLane(t))
	s.begin(0)
	s.gamma(1, 45, false)
	s.end(4)
	s.link(5, "xray", event.Down) // A is scanned unseen
	s.begin(18)
	s.gamma(19, 45, false)
	s.end(22)
	s.link(24, "xray", event.Up)
	s.scan(27, "B")
	s.begin(38)
	s.gamma(39, 45, false)
	s.end(42)
	s.scan(47, "C")
	s.untilQuiet(1000)
	rs := s.records()
	require.Len(t, rs, 3)
	require.Empty(t, rs[0].Scans)
	require.Equal(t, event.Coverage{Device: "xray", State: event.Down, From: new(at(5)),
		Reason: event.Text{VI: "mất tín hiệu từ 12:00:05", EN: "no signal since 12:00:05"}}, coverage(t, rs[0], "xray"))
	require.Equal(t, "B", rs[1].Scans[0].ScanID)
	require.Equal(t, "C", rs[2].Scans[0].ScanID)
}

func TestCapturesThatComeLateGoToTheirOwnPassages(t *testing.T) {
	s := play(t, goodsLane(t))
	late := func(name string, taken float64) event.Reading {
		r := photoOf(name, name)
		r.DeviceTime = new(at(taken))
		return r
	}
	s.begin(0)
	s.end(4)
	s.begin(20)
	s.reading(23, "camera", late("A", -2)) // the camera had lost its link
	s.reading(23.1, "camera", late("B", 18))
	s.end(24)
	s.reading(38, "camera", late("C", 38))
	s.begin(40)
	s.end(44)
	s.reading(58, "camera", late("D", -600)) // a clock that is wrong
	s.begin(60)
	s.end(64)
	rs := s.records()
	require.Len(t, rs, 4)
	for i, name := range []string{"A", "B", "C", "D"} {
		require.Equal(t, digests(name), images(rs[i]))
	}
}

func TestScansFindBackAfterALorryThatWasNotScanned(t *testing.T) {
	s := play(t, goodsLane(t))
	s.begin(0)
	s.end(4) // A turns away before the scanner
	for i, scan := range []string{"B", "C", "D"} {
		from := float64(25 * (i + 1))
		s.begin(from)
		s.end(from + 4)
		s.scan(from+7, scan)
	}
	s.untilQuiet(1000)
	rs := s.records()
	require.Len(t, rs, 4)
	require.Empty(t, rs[0].Scans)
	for i, scan := range []string{"B", "C", "D"} {
		require.Len(t, rs[i+1].Scans, 1)
		require.Equal(t, scan, rs[i+1].Scans[0].ScanID)
	}
}

func TestTailGatersInOneOccupancyAreScannedTwice(t *testing.T) {
	s := play(t, goodsLane(t))
	s.photo(-1, "camera", "A")
	s.begin(0)
	s.photo(4, "camera", "B")
	s.end(8)
	s.scan(10, "A")
	s.untilQuiet(14.5) // B's photo has waited for another presence in vain
	s.begin(28)
	s.scan(30, "B") // A's scan took long, and C is in the portal
	s.end(32)
	s.scan(35, "C")
	s.untilQuiet(1000)
	rs := s.records()
	require.Len(t, rs, 2)
	require.Len(t, rs[0].Scans, 2)
	require.Equal(t, "B", rs[0].Scans[1].ScanID)
	require.Contains(t, codes(rs[0]), "TAIL-GATE xray")
	require.Len(t, rs[1].Scans, 1)
	require.Equal(t, "C", rs[1].Scans[0].ScanID)
}

func TestScanCutOff(t *testing.T) {
	s := play(t, goodsLane(t))
	s.photo(0, "camera", "A")
	s.begin(4)
	s.gamma(5, 45, false)
	s.end(6)
	s.scanEvent(10, "S1", "SCAN_BEGIN")
	s.scanImage(11, "S1", 1)
	s.scanEvent(12, "S1", "SCAN_END", 3)
	s.answer(13, "A", "done", plate("12C12345", 0.9))
	s.answer(13, "S1-1", "done", clearScan)
	p := s.one()
	require.True(t, p.Scans[0].Cut)
	require.False(t, coverage(t, p, "xray").Looked)
	require.Equal(t, []string{"COVERAGE-GAP xray"}, codes(p))
}

func TestTimersAreIgnoredOnceMoved(t *testing.T) {
	s := play(t, goodsLane(t))
	s.begin(0)
	stale := s.engine.Deadlines()[0]
	s.gamma(29, 45, false)
	timer := event.JournalEntry{Kind: event.EntryTimer, Timer: &event.Timer{Passage: stale.Passage, Name: stale.Name}}
	s.apply(30.5, timer)
	require.Equal(t, event.Open, s.one().State)
}

func TestClockSetBack(t *testing.T) {
	s := play(t, goodsLane(t))
	s.begin(1000)
	s.gamma(1001, 45, false)
	s.end(1002)
	s.stop(402) // any entry, ten minutes back
	require.Equal(t, at(402+60), s.engine.Deadlines()[0].At, "still 60 s to wait")
}

// A gap whose begin and end were told by a clock that was set back in between is
// recorded all the same.
func TestAGapInWhichTheClockIsSetBack(t *testing.T) {
	s := play(t, goodsLane(t))
	s.begin(1000)
	s.link(1002, "camera", event.Down) // heard at 1001
	s.link(402, "camera", event.Up)    // heard at 401 of the clock as it goes now
	gaps := decode[event.Gap](t, s.effects, event.TypeGap)
	require.Len(t, gaps, 1)
	require.Equal(t, []time.Time{at(401), at(402)}, []time.Time{gaps[0].From, gaps[0].To})

	s.link(1010, "camera", event.Down)
	s.start(410, at(408))
	s.link(411, "camera", event.Up)
	gaps = decode[event.Gap](t, s.effects, event.TypeGap)
	last := gaps[len(gaps)-1]
	require.Equal(t, "camera", last.Device)
	require.Equal(t, []time.Time{at(408), at(411)}, []time.Time{last.From, last.To})
}
