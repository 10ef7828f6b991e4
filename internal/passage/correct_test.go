package passage_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatehouse/internal/event"
	"gatehouse/internal/passage"
)

// correction is one by an officer of Customs, at a second of the script.
func (s *script) correction(second float64, kind event.CorrectionKind, id event.ID) event.Correction {
	return event.Correction{
		ID: s.id(at(second)), Agency: event.Customs, Gate: "15BB", Lane: "01", Kind: kind, Passage: id, At: at(second),
		Reason: "because", Badge: "b7",
	}
}

func (s *script) correct(second float64, c event.Correction, recalled ...event.Passage) []passage.Effect {
	return s.apply(second, event.JournalEntry{Kind: event.EntryCorrect, Correct: &c, Recalled: recalled})
}

// refused are the reasons why corrections were not applied.
func refused(effects []passage.Effect) []string {
	var whys []string
	for _, e := range effects {
		if e.NotApplied != nil {
			whys = append(whys, e.NotApplied.Why)
		}
	}
	return whys
}

func TestAStatedPlateIsLookedUpAgain(t *testing.T) {
	s := play(t, wholeLane(t))
	s.photo(0, "camera", "A")
	s.begin(4)
	s.gamma(5, 45, false)
	s.end(7)
	s.photo(8, "rear", "R")
	s.answer(9, "A", "done", plate("12C12346", 0.97))
	s.answer(9, "R", "done", plate("12C12345", 0.97))
	s.listed(10, "12C12346", passage.Listed{Similar: []string{"12C12345"}})
	require.ElementsMatch(t, []string{"PLATE-MISMATCH", "NOT-EXPECTED"}, codes(s.one()))

	c := s.correction(20, event.CorrectFacts, s.one().ID)
	c.Facts = event.Facts{Plate: "12C12345", Direction: event.Exit}
	s.correct(20, c)
	p := s.one()
	require.Empty(t, codes(p), "the list is asked again, and the plates agree")
	require.Equal(t, "12C12345", p.Stated.Plate)
	require.Equal(t, event.Exit, p.Direction)
	require.Equal(t, "12C12346", p.Plates[0].Text, "what was read stays as it was")
	require.Equal(t, []event.Correcting{{
		ID: c.ID, Agency: event.Customs, Kind: event.CorrectFacts, Facts: c.Facts, Reason: "because", Badge: "b7", At: at(20),
	}}, p.Corrections)
	s.listed(21, "12C12345", passage.Listed{Expected: event.Expected{Found: true, Plate: "12C12345"}})
	require.True(t, s.one().Expected.Found)
	cancelled := map[string]bool{}
	for _, a := range s.alerts() {
		if a.MsgType == "Cancel" {
			cancelled[a.EventCode] = true
		}
	}
	require.Equal(t, map[string]bool{"NOT-EXPECTED": true, "PLATE-MISMATCH": true}, cancelled)
}

func TestAnUnreadPlateIsReadByAnOfficer(t *testing.T) {
	s := standing(t)
	s.answer(16, "A", "done", `{"plates":[],"model":"m"}`)
	s.answer(17, "A-1", "done", clearScan)
	require.Contains(t, codes(s.one()), "PLATE-UNREAD camera")
	c := s.correction(20, event.CorrectFacts, s.one().ID)
	c.Facts.Plate = "29H54321"
	s.correct(20, c)
	require.Empty(t, codes(s.one()))
}

func TestACorrectionIsAppliedOnce(t *testing.T) {
	s := standing(t)
	c := s.correction(20, event.CorrectFacts, s.one().ID)
	c.Facts.Plate = "29H54321"
	s.correct(20, c)
	version := s.one().Version
	require.Empty(t, s.correct(21, c), "it came again after a crash")
	require.Equal(t, version, s.one().Version)
	require.Len(t, s.one().Corrections, 1)
}

func TestAPassageEnteredByHand(t *testing.T) {
	s := play(t, wholeLane(t))
	id := event.NewID(at(100))
	c := s.correction(100, event.CorrectEnter, id)
	c.Moment = new(at(40))
	c.Facts = event.Facts{Kind: event.Consignment, Flow: event.Mixed, Plate: "12C12345"}
	s.correct(100, c)
	p := s.one()
	require.Equal(t, id, p.ID)
	require.Equal(t, []string{"by-hand"}, p.Irregular)
	require.Equal(t, event.Closed, p.State)
	require.Equal(t, at(40), p.OpenedAt)
	require.Equal(t, event.Consignment, p.Kind)
	require.Equal(t, event.Entry, p.Direction)
	require.Equal(t, event.Mixed, p.Flow)
	require.ElementsMatch(t, []string{"COVERAGE-GAP camera", "COVERAGE-GAP rpm", "COVERAGE-GAP xray", "COVERAGE-GAP scale"}, codes(p),
		"no alarm does not mean safe: nothing looked")
	require.Equal(t, "the passage was entered by hand", coverage(t, p, "scale").Reason.EN)
	s.listed(101, "12C12345", passage.Listed{Expected: event.Expected{Found: true}})
	require.True(t, s.one().Expected.Found)
	s.heavy(105, "A", 30000)
	rs := s.records()
	require.Len(t, rs, 2)
	require.Empty(t, rs[0].Weighings, "no device's reading is its own")
	require.Equal(t, []float64{30000}, weights(rs[1]))

	for want, change := range map[string]func(*event.Correction){
		"there is a passage with this id":        func(*event.Correction) {},
		"the id of the new passage is no ULID":   func(c *event.Correction) { c.Passage = "mine" },
		"the moment is missing or in the future": func(c *event.Correction) { c.Passage, c.Moment = event.NewID(at(1)), nil },
		"its kind is not known":                  func(c *event.Correction) { c.Kind = "of tomorrow" },
		"the passage is not known in this lane":  func(c *event.Correction) { c.Kind, c.Passage = event.CorrectCancel, event.NewID(at(2)) },
		"a passage cannot be merged with itself": func(c *event.Correction) { c.Kind, c.Other = event.CorrectMerge, id },
		"the moment is outside of the passage":   func(c *event.Correction) { c.Kind = event.CorrectSplit },
		"the moment is missing":                  func(c *event.Correction) { c.Kind, c.Moment = event.CorrectSplit, nil },
	} {
		bad := s.correction(200, event.CorrectEnter, id)
		bad.Moment = new(at(40))
		change(&bad)
		require.Equal(t, []string{want}, refused(s.correct(200, bad)))
	}
}

func TestALaneWithoutDevices(t *testing.T) {
	lane := passage.Lane{Gate: "15BB", ID: "01", Policy: policy(t)}
	s := play(t, lane)
	c := s.correction(10, event.CorrectEnter, event.NewID(at(10)))
	c.Moment = new(at(5))
	c.Facts.Direction = event.Exit
	s.correct(10, c)
	require.Equal(t, event.Exit, s.one().Direction)
	require.Empty(t, s.one().Findings)
	require.Empty(t, s.one().Coverage)
}

func TestACancelledPassage(t *testing.T) {
	s := play(t, wholeLane(t))
	s.begin(0)
	s.gamma(1, 45, false)
	s.correct(2, s.correction(2, event.CorrectCancel, s.one().ID))
	p := s.one()
	require.Equal(t, event.Cancelled, p.State)
	require.Equal(t, []string{"by-hand"}, p.Irregular)
	require.Len(t, p.Corrections, 1)
	s.end(3)
	s.begin(10)
	s.end(12)
	s.bridge(20, 30000, 5)
	rs := s.records()
	require.Len(t, rs, 2)
	require.Empty(t, rs[0].Weighings)
	require.Equal(t, []float64{30000}, weights(rs[1]))
	require.Equal(t, []string{"the passage is cancelled already"}, refused(s.correct(30, s.correction(30, event.CorrectCancel, rs[0].ID))))
}

// tailgaters plays two lorries in one occupancy, the second one with an alarm.
func tailgaters(t *testing.T) *script {
	s := play(t, wholeLane(t))
	s.photo(0, "camera", "A")
	s.begin(4)
	for i := range 5 {
		s.gamma(4.2+0.2*float64(i), 45, false)
	}
	s.photo(6, "camera", "B")
	for i := range 5 {
		s.gamma(8.2+0.2*float64(i), 75, true)
	}
	s.end(10)
	s.untilQuiet(16.5)
	s.answer(17, "A", "done", plate("12C12345", 0.97))
	s.answer(17, "B", "done", plate("29H54321", 0.97))
	s.listed(18, "12C12345", passage.Listed{Expected: event.Expected{Found: true, Plate: "12C12345"}})
	return s
}

func TestSplit(t *testing.T) {
	s := tailgaters(t)
	old := s.one()
	require.Contains(t, codes(old), "RPM-GAMMA rpm")
	before := len(s.effects)
	c := s.correction(30, event.CorrectSplit, old.ID)
	c.Moment = new(at(5.5))
	s.correct(30, c)
	rs := s.records()
	require.Len(t, rs, 2)
	a, b := rs[0], rs[1]
	require.Equal(t, passage.SplitID(c), b.ID)
	require.Equal(t, digests("A"), images(a))
	require.Equal(t, digests("B"), images(b))
	require.Equal(t, "12C12345", a.Plates[0].Text)
	require.Equal(t, "29H54321", b.Plates[0].Text)
	require.Equal(t, at(5.5), *a.LeftAt)
	require.Equal(t, at(5.5), b.OpenedAt)
	require.Equal(t, at(10), *b.LeftAt)
	require.Equal(t, event.Waiting, a.State)
	require.Equal(t, event.Waiting, b.State)
	require.Equal(t, []string{"by-hand"}, b.Irregular)
	require.Len(t, a.Radiation.Gamma, 5)
	require.Len(t, b.Radiation.Gamma, 5)
	require.InDelta(t, 0, a.Radiation.MaxSigma, 1e-9)
	require.InDelta(t, 20, b.Radiation.MaxSigma, 1e-9)
	require.False(t, a.Radiation.GammaAlarm)
	require.True(t, b.Radiation.GammaAlarm)
	require.NotContains(t, codes(a), "RPM-GAMMA rpm")
	require.Contains(t, codes(b), "RPM-GAMMA rpm")
	for _, p := range rs {
		require.Len(t, p.Corrections, 1)
	}
	var moved []event.Alert
	for _, x := range decode[event.Alert](t, s.effects[before:], event.TypeAlert) {
		if x.EventCode == event.FindingRadiationGamma {
			moved = append(moved, x)
		}
	}
	require.Len(t, moved, 1, "the alert says where it belongs now")
	require.Equal(t, "Update", moved[0].MsgType)
	require.Equal(t, b.ID, moved[0].Passage)
	require.Equal(t, s.alerts()[0].ID, moved[0].References[0])

	s.bridge(32, 30000, 5)
	s.bridge(40, 20000, 5)
	rs = s.records()
	require.Equal(t, []float64{30000}, weights(rs[0]))
	require.Equal(t, []float64{20000}, weights(rs[1]))
	for _, r := range s.engine.Waiting() {
		require.Equal(t, b.ID, r.Passage, "the other plate is looked up too")
		require.Equal(t, "29H54321", r.Evidence)
	}
}

func TestSplitWhileItStandsThere(t *testing.T) {
	s := play(t, wholeLane(t))
	s.photo(0, "camera", "A")
	s.begin(4)
	s.gamma(5, 45, false)
	s.photo(8, "camera", "B")
	s.gamma(9, 45, false)
	s.untilQuiet(18.5)
	c := s.correction(19, event.CorrectSplit, s.one().ID)
	c.Moment = new(at(7))
	s.correct(19, c)
	rs := s.records()
	require.Equal(t, event.Waiting, rs[0].State)
	require.Equal(t, event.Open, rs[1].State)
	s.gamma(20, 45, false)
	s.end(21)
	rs = s.records()
	require.Equal(t, at(21), *rs[1].LeftAt)
	require.Len(t, rs[1].Radiation.Gamma, 2)
	s.untilQuiet(2000)
	for _, p := range s.records() {
		require.Equal(t, event.Closed, p.State)
	}
}

func TestAnAnalysisUnderWayFollowsASplit(t *testing.T) {
	s := play(t, wholeLane(t))
	s.photo(0, "camera", "A")
	s.begin(4)
	s.gamma(5, 45, false)
	s.photo(8, "camera", "B")
	s.end(10)
	s.untilQuiet(19)
	c := s.correction(20, event.CorrectSplit, s.one().ID)
	c.Moment = new(at(7))
	s.correct(20, c)
	s.answer(21, "B", "done", plate("29H54321", 0.9))
	rs := s.records()
	require.Empty(t, rs[0].Plates)
	require.Equal(t, "29H54321", rs[1].Plates[0].Text)
	require.Equal(t, digests("A"), rs[0].Pending)
	require.Empty(t, rs[1].Pending)
}

func TestMerge(t *testing.T) {
	s := play(t, wholeLane(t))
	s.photo(0, "camera", "A")
	s.begin(4)
	for i := range 5 {
		s.gamma(4.2+0.2*float64(i), 75, true)
	}
	s.end(6)
	s.begin(8) // its trailer, after a gap
	s.gamma(8.2, 45, false)
	s.end(10)
	s.bridge(20, 30000, 5)
	rs := s.records()
	require.Len(t, rs, 2)
	before := len(s.effects)
	c := s.correction(30, event.CorrectMerge, rs[1].ID)
	c.Other = rs[0].ID
	s.correct(30, c)
	rs = s.records()
	other, p := rs[0], rs[1]
	require.Equal(t, event.Merged, other.State)
	require.Equal(t, p.ID, other.MergedInto)
	require.Empty(t, other.Findings)
	require.Empty(t, other.Readings)
	require.Equal(t, at(4), p.OpenedAt)
	require.Equal(t, at(10), *p.LeftAt)
	require.Equal(t, digests("A"), images(p))
	require.Len(t, p.Radiation.Gamma, 6)
	require.True(t, p.Radiation.GammaAlarm)
	require.Equal(t, []float64{30000}, weights(p))
	require.Contains(t, codes(p), "RPM-GAMMA rpm")
	require.Equal(t, other.ID, p.Corrections[0].Other)
	require.Equal(t, p.ID, other.Corrections[0].Other)
	moved := 0
	for _, a := range decode[event.Alert](t, s.effects[before:], event.TypeAlert) {
		if a.MsgType == "Update" {
			moved++
			require.Equal(t, p.ID, a.Passage)
		}
	}
	require.Equal(t, 1, moved)
	s.answer(31, "A", "done", plate("12C12345", 0.9))
	require.Equal(t, "12C12345", s.records()[1].Plates[0].Text, "an answer on its way finds it")

	facts := s.correction(32, event.CorrectFacts, other.ID)
	facts.Facts.Plate = "29H54321"
	require.Equal(t, []string{"the passage is part of " + string(p.ID)}, refused(s.correct(32, facts)))
}

func TestAPassageThatIsLongForgotten(t *testing.T) {
	lane := wholeLane(t)
	lane.Keep = passage.Keep{For: time.Minute}
	s := play(t, lane)
	s.heavy(0, "A", 40000)
	s.answer(26, "A", "done", plate("12C12346", 0.97))
	s.answer(26, "A rear", "done", plate("12C12345", 0.97))
	s.answer(26, "A-1", "done", clearScan)
	s.listed(27, "12C12346", passage.Listed{})
	s.untilQuiet(1000)
	old := s.one()
	require.ElementsMatch(t, []string{"PLATE-MISMATCH", "NOT-EXPECTED"}, codes(old))
	s.begin(5000)
	s.end(5001)

	c := s.correction(5010, event.CorrectFacts, old.ID)
	c.Facts.Plate = "12C12345"
	require.Equal(t, []string{"the passage is not known in this lane"}, refused(s.correct(5010, c)))
	again := c
	again.ID = s.id(at(5011))
	s.correct(5011, again, old)
	p := s.records()[0]
	require.Equal(t, old.Version+1, p.Version)
	require.Empty(t, codes(p))
	require.Equal(t, old.Coverage, p.Coverage)
	require.Equal(t, old.Readings, p.Readings)
	s.listed(5012, "12C12345", passage.Listed{Expected: event.Expected{Found: true, Plate: "12C12345", GrossKG: new(30000.0)}})
	p = s.records()[0]
	require.Equal(t, []string{"WEIGHT-MISMATCH scale"}, codes(p), "its weight is judged by what the list says")
	var cancelled []string
	references := map[event.ID]bool{}
	for _, a := range s.alerts() {
		references[a.ID] = true
		if a.MsgType == "Cancel" {
			cancelled = append(cancelled, a.EventCode)
			require.True(t, references[a.References[0]], "it names the alert that was sent")
		}
	}
	require.ElementsMatch(t, []string{"PLATE-MISMATCH", "NOT-EXPECTED"}, cancelled)
	s.bridge(5020, 20000, 5)
	require.Equal(t, []float64{40000}, weights(s.records()[0]), "no reading of today is its own")
}

func TestAConfigurationThatChangesWhileALorryIsInTheLane(t *testing.T) {
	s := play(t, goodsLane(t))
	s.photo(0, "camera", "A")
	s.begin(4)
	s.gamma(5, 45, false)
	next := wholeLane(t)
	s.engine.Prepare(next)
	s.gamma(5.5, 45, false)
	before := len(s.effects)
	s.apply(6, event.JournalEntry{Kind: event.EntryConfig, Config: "two"})
	require.Equal(t, "two", s.engine.Config())
	told := map[string]bool{}
	for _, c := range decode[event.DeviceChange](t, s.effects[before:], event.TypeDevice) {
		told[c.Device] = true
	}
	require.Equal(t, map[string]bool{"camera": true, "rpm": true, "axles": true, "xray": true, "scale": true, "barcode": true, "rear": true, "barrier": true}, told)
	s.link(6, "scale", event.Up)
	s.end(7)
	s.scan(12, "A")
	s.bridge(20, 30000, 5)
	p := s.one()
	require.Empty(t, p.Irregular)
	require.Equal(t, []float64{30000}, weights(p), "the new instrument's reading is its own")
	require.Len(t, p.Coverage, 4, "it asks no more of devices than when it came")
	s.photo(30, "camera", "B")
	s.begin(34)
	require.Len(t, s.records()[1].Coverage, 5, "the next one does")
}

func TestSnapshotsOfAnotherFormat(t *testing.T) {
	snapshot, err := passage.New(wholeLane(t)).Snapshot()
	require.NoError(t, err)
	var state map[string]any
	require.NoError(t, json.Unmarshal(snapshot, &state))
	require.EqualValues(t, 2, state["format"])
	state["format"] = 1
	old, err := json.Marshal(state)
	require.NoError(t, err)
	_, err = passage.Restore(wholeLane(t), old)
	require.ErrorIs(t, err, passage.ErrSnapshot)
}
