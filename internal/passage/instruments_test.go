package passage_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatehouse/internal/event"
	"gatehouse/internal/passage"
)

// wholeLane is a goods lane with every instrument: camera, portal, scanner,
// weighbridge, barcode reader, rear camera behind the bridge, barrier.
func wholeLane(t require.TestingT) passage.Lane {
	return passage.Lane{
		Gate: "15BB", ID: "01", Kind: event.Vehicle, Direction: event.Entry, Flow: event.Goods,
		Vision: true, Expected: true, Policy: policy(t),
		Limits: passage.Limits{SpeedKMH: 15, WeightPercent: 5, WeightKG: 300, AxlesPercent: 5},
		Join:   passage.Join{After: 120 * time.Second},
		Devices: []passage.Device{
			{ID: "camera", Driver: "camera", Role: passage.RoleCamera, Required: true, View: "front"},
			{ID: "rpm", Driver: "rpm", Role: passage.RolePresence, Required: true, Radiation: true},
			{ID: "axles", Driver: "scale", Role: passage.RoleScale, Position: passage.PositionDuring},
			{ID: "xray", Driver: "xray", Role: passage.RoleScanner, Required: true, Scan: "cargo"},
			{ID: "scale", Driver: "scale", Role: passage.RoleScale, Required: true},
			{ID: "barcode", Driver: "barcode", Role: passage.RoleBarcode},
			{ID: "rear", Driver: "camera", Role: passage.RoleCamera, View: "rear", Position: passage.PositionAfter},
			{ID: "barrier", Driver: "barrier", Role: passage.RoleBarrier},
		},
	}
}

// hall is the baggage hall: document reader, portal, scanner, tag reader.
func hall(t require.TestingT) passage.Lane {
	return passage.Lane{
		Gate: "15BB", ID: "01", Kind: event.Person, Direction: event.Entry, Flow: event.Traveller,
		Vision: true, Policy: policy(t),
		Devices: []passage.Device{
			{ID: "mrz", Driver: "mrz", Role: passage.RoleDocument, Required: true},
			{ID: "rpm", Driver: "rpm", Role: passage.RolePresence, Required: true, Radiation: true},
			{ID: "xray", Driver: "xray", Role: passage.RoleScanner, Scan: "baggage", Transit: 30 * time.Second},
			{ID: "barcode", Driver: "barcode", Role: passage.RoleBarcode},
		},
	}
}

// kg plays a frame of a scale, and with stable the weight that it settled at.
func (s *script) kg(second float64, scale string, kg float64, change ...func(*event.Reading)) {
	r := event.Reading{Kind: event.WeightSample, Weight: &event.Weight{
		Gross: &kg, Motion: true, Zeroed: true, Loaded: kg >= 200, ZeroBefore: kg >= 200, Unit: "kg", DivisionKG: 20,
	}}
	for _, f := range change {
		f(&r)
	}
	s.reading(second, scale, r)
}

func stable(r *event.Reading) {
	r.Kind, r.Frames = event.WeightStable, []string{}
	r.Weight.Stable, r.Weight.Motion = true, false
}

// bridge plays a vehicle on the weighbridge: it drives up, settles, stands and
// leaves.
func (s *script) bridge(second, kg, stay float64) {
	s.kg(second, "scale", kg*0.4)
	s.kg(second+0.4, "scale", kg)
	s.kg(second+1.2, "scale", kg, stable)
	s.kg(second+stay-0.4, "scale", kg*0.5)
	s.kg(second+stay, "scale", 0)
}

func (s *script) code(second float64, text string) {
	s.reading(second, "barcode", event.Reading{Kind: event.BarcodeRead, Barcode: &event.Barcode{Symbology: "qr", Text: text}})
}

func traveller(name, number string, change ...func(*event.Document)) *event.Document {
	d := &event.Document{
		Format: "TD3", Type: "P", Issuer: "VNM", Number: number, Nationality: "VNM", Birth: "1990-05-17", Sex: "F", Expiry: "2030-01-01",
		Names: []string{name, "THI"}, Checks: map[string]string{"number": "ok", "birth": "ok", "expiry": "ok", "composite": "ok"},
	}
	for _, f := range change {
		f(d)
	}
	return d
}

func (s *script) document(second float64, d *event.Document) {
	s.reading(second, "mrz", event.Reading{Kind: event.DocumentRead, Document: d})
}

// listed answers the waiting look-up of a text.
func (s *script) listed(second float64, text string, answer passage.Listed) {
	for _, r := range s.engine.Waiting() {
		if r.Op != passage.OpExpected || r.Evidence != text {
			continue
		}
		answer.Asked, answer.List, answer.SHA256 = text, "today.csv", event.Digest([]byte("today"))
		result, err := json.Marshal(answer)
		require.NoError(s.t, err)
		s.apply(second, event.JournalEntry{Kind: event.EntryResult, Analysis: &event.Analysis{
			Passage: r.Passage, Evidence: text, Op: r.Op, Outcome: "done", Result: result,
		}})
		return
	}
	require.FailNow(s.t, "no look-up waits", text)
}

// heavy plays a whole vehicle of the lane with every instrument.
func (s *script) heavy(second float64, name string, kg float64) {
	s.photo(second, "camera", name)
	s.begin(second + 4)
	s.gamma(second+4.2, 45, false)
	s.end(second + 7)
	s.scan(second+12, name)
	s.bridge(second+20, kg, 5)
	s.photo(second+24.9, "rear", name+" rear")
}

func weights(p event.Passage) []float64 {
	var all []float64
	for _, w := range p.Weighings {
		if w.Weight != nil {
			all = append(all, *w.Weight.Gross)
		}
	}
	return all
}

func TestAWholeVehicleWithEveryInstrument(t *testing.T) {
	s := play(t, wholeLane(t))
	s.photo(0, "camera", "A")
	s.begin(4)
	s.gamma(4.2, 45, false)
	s.end(7)
	s.scan(12, "A")
	s.kg(20, "scale", 12000)
	s.kg(20.4, "scale", 31480)
	before := s.one().Version
	require.Empty(t, weights(s.one()), "it has not settled")
	s.kg(21.2, "scale", 31480, stable)
	require.Equal(t, before+1, s.one().Version, "frames make no versions")
	s.code(22, "103456789012")
	s.code(22.5, "CSQU 305438 3 45G1")
	s.kg(24, "scale", 15000)
	s.kg(25, "scale", 0)
	s.photo(24.9, "rear", "A rear")
	s.answer(26, "A", "done", plate("12C12345", 0.97))
	s.answer(26, "A rear", "done", plate("12C12345", 0.9))
	s.answer(26, "A-1", "done", clearScan)
	s.listed(27, "12C12345", passage.Listed{Expected: event.Expected{Found: true, Plate: "12C12345", GrossKG: new(31500.0)}})
	p := s.one()
	require.Equal(t, event.Closed, p.State)
	require.Equal(t, []float64{31480}, weights(p), "what is left on the bridge as it leaves is not its weight")
	w := p.Weighings[0]
	require.Equal(t, "scale", w.Device)
	require.Equal(t, at(21.2), w.At)
	require.Equal(t, []event.WeightPoint{{AtMS: 0, GrossKG: 12000}, {AtMS: 400, GrossKG: 31480}, {AtMS: 4000, GrossKG: 15000}}, w.Course)
	require.Len(t, p.Barcodes, 2)
	require.Equal(t, []event.ContainerReading{{Text: "CSQU3054383", CheckOK: true, SizeType: "45G1", Score: 1, Reading: p.Barcodes[1].Reading}}, p.Containers)
	require.Equal(t, digests("A", "A rear"), images(p))
	require.True(t, p.Expected.Found)
	require.Empty(t, p.Findings)
	require.True(t, coverage(t, p, "scale").Looked)
}

func TestAConvoyInALaneWithEveryInstrument(t *testing.T) {
	s := play(t, wholeLane(t))
	// B is in the portal while A is scanned, and at the scanner while A stands on
	// the bridge.
	s.photo(0, "camera", "A")
	s.begin(4)
	s.gamma(4.2, 45, false)
	s.end(7)
	s.photo(8, "camera", "B")
	s.begin(12)
	s.scan(12, "A")
	s.gamma(12.2, 45, false)
	s.end(15)
	s.kg(20, "scale", 30000)
	s.scan(20.5, "B")
	s.kg(21.2, "scale", 30000, stable)
	s.code(22, "103456789012")
	s.kg(25, "scale", 0)
	s.photo(25.3, "rear", "A rear")
	s.kg(29, "scale", 22000)
	s.kg(30.2, "scale", 22000, stable)
	s.code(31, "103456789999")
	s.photo(33.9, "rear", "B rear")
	s.kg(34, "scale", 0)
	rs := s.records()
	require.Len(t, rs, 2)
	for i, want := range []struct {
		name, code string
		kg         float64
	}{{"A", "103456789012", 30000}, {"B", "103456789999", 22000}} {
		require.Equal(t, []float64{want.kg}, weights(rs[i]))
		require.Equal(t, want.code, rs[i].Barcodes[0].Barcode.Text)
		require.Equal(t, digests(want.name, want.name+" rear"), images(rs[i]))
		require.Equal(t, want.name, rs[i].Scans[0].ScanID)
	}
}

func TestAWeightBelongsToWhatStoodOnTheScale(t *testing.T) {
	lorries := func(s *script) { // A and B have left the portal, A first
		s.begin(0)
		s.gamma(0.2, 45, false)
		s.end(3)
		s.begin(12)
		s.gamma(12.2, 45, false)
		s.end(15)
	}
	for _, c := range []struct {
		name string
		do   func(*script)
		want [][]float64
	}{
		{"one after the other", func(s *script) {
			s.bridge(20, 30000, 5)
			s.bridge(30, 20000, 5)
		}, [][]float64{{30000}, {20000}}},
		{"the first was not weighed and seen behind the bridge", func(s *script) {
			s.link(16, "scale", event.Down)
			s.photo(24, "rear", "A rear")
			s.link(26, "scale", event.Up)
			s.kg(26.1, "scale", 0)
			s.bridge(30, 20000, 5)
		}, [][]float64{nil, {20000}}},
		{"the scale is away while one stands there, for a moment", func(s *script) {
			s.kg(20, "scale", 30000)
			s.link(20.5, "scale", event.Down)
			s.link(22, "scale", event.Up)
			s.kg(22, "scale", 30000)
			s.kg(23, "scale", 30000, stable)
			s.kg(25, "scale", 0)
		}, [][]float64{{30000}, nil}},
		{"another stands there when the scale is back", func(s *script) {
			s.kg(20, "scale", 30000)
			s.kg(21, "scale", 30000, stable)
			s.link(21.5, "scale", event.Down)
			s.link(26, "scale", event.Up)
			s.kg(26, "scale", 20000)
			s.kg(27, "scale", 20000, stable)
			s.kg(30, "scale", 0)
		}, [][]float64{{30000}, {20000}}},
		{"the daemon ended while one stood there", func(s *script) {
			s.kg(20, "scale", 30000)
			s.kg(21, "scale", 30000, stable)
			s.start(23, at(21.5))
			s.kg(24, "scale", 30000)
			s.kg(25, "scale", 30000, stable)
			s.kg(26, "scale", 0)
			s.bridge(30, 20000, 5)
		}, [][]float64{{30000}, {20000}}},
		{"the scale was away for long", func(s *script) {
			s.kg(20, "scale", 30000)
			s.link(20.5, "scale", event.Down)
			s.link(50, "scale", event.Up)
			s.kg(50, "scale", 20000)
			s.kg(51, "scale", 20000, stable)
			s.kg(55, "scale", 0)
		}, [][]float64{nil, {20000}}},
		{"the next follows without an empty scale", func(s *script) {
			s.kg(20, "scale", 30000)
			s.kg(21, "scale", 30000, stable)
			s.photo(24, "rear", "A rear")
			s.kg(25, "scale", 14000)
			s.kg(27, "scale", 20000)
			s.kg(28, "scale", 20000, stable)
			s.kg(31, "scale", 0)
		}, [][]float64{{30000}, {20000}}},
		{"people get off", func(s *script) {
			s.kg(20, "scale", 30000)
			s.kg(21, "scale", 30000, stable)
			s.kg(24, "scale", 29860, stable)
			s.kg(25, "scale", 0)
		}, [][]float64{{29860}, nil}},
		{"half of it was weighed first", func(s *script) {
			s.kg(20, "scale", 14000)
			s.kg(21, "scale", 14000, stable)
			s.kg(23, "scale", 30000)
			s.kg(24, "scale", 30000, stable)
			s.kg(25, "scale", 0)
		}, [][]float64{{30000}, nil}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := play(t, wholeLane(t))
			lorries(s)
			c.do(s)
			rs := s.records()
			require.Len(t, rs, len(c.want))
			for i, want := range c.want {
				require.Equal(t, want, weights(rs[i]), i)
			}
		})
	}
}

func TestALoadThatNoPresenceDeviceSaw(t *testing.T) {
	s := play(t, wholeLane(t))
	s.kg(0, "scale", 300)
	s.kg(0.5, "scale", 0) // somebody's step
	require.Empty(t, s.records())
	s.bridge(10, 15000, 5)
	p := s.one()
	require.Equal(t, []string{"no-presence"}, p.Irregular)
	require.Equal(t, []float64{15000}, weights(p))
	require.Equal(t, event.Waiting, p.State)
}

func TestAScaleInFrontOfThePortalOpensThePassage(t *testing.T) {
	lane := wholeLane(t)
	lane.Devices[4].Position = passage.PositionBefore
	s := play(t, lane)
	s.bridge(0, 15000, 5)
	s.photo(6, "camera", "A")
	s.begin(8)
	s.gamma(8.2, 45, false)
	s.end(11)
	p := s.one()
	require.Empty(t, p.Irregular)
	require.Equal(t, []float64{15000}, weights(p))
	require.Equal(t, digests("A"), images(p))
}

func TestTheCourseOfAWeighingIsThinned(t *testing.T) {
	s := play(t, wholeLane(t))
	s.begin(0)
	s.end(3)
	for i := range 2000 {
		s.kg(10+float64(i)*0.1, "scale", 10000+float64(i))
	}
	s.kg(211, "scale", 0)
	w := s.one().Weighings[0]
	require.LessOrEqual(t, len(w.Course), 240)
	require.Greater(t, len(w.Course), 100)
	require.Zero(t, w.Course[0].AtMS)
	require.Greater(t, w.Course[len(w.Course)-1].AtMS, int64(198_000))
	require.Nil(t, w.Weight)
}

func TestIdleFramesOfAScaleAreNotListed(t *testing.T) {
	s := play(t, wholeLane(t))
	s.begin(0)
	s.end(3)
	idle := func(r *event.Reading) { r.Class = event.Idle }
	s.kg(10, "scale", 10000)
	for i := range 5 {
		s.kg(10.2+0.2*float64(i), "scale", 10000, idle)
	}
	s.kg(11.2, "scale", 10000, stable)
	s.kg(12, "scale", 0, idle)
	kinds := map[event.ReadingKind]int{}
	for _, r := range s.one().Readings {
		kinds[r.Kind]++
	}
	require.Equal(t, map[event.ReadingKind]int{event.PresenceChange: 2, event.WeightSample: 1, event.WeightStable: 1}, kinds)
}

func TestPeopleWithBagsInAHall(t *testing.T) {
	s := play(t, hall(t))
	bag := func(second float64, id string) {
		s.scanEvent(second, "", "ITEM_IN")
		s.scanEvent(second+0.2, id, "SCAN_BEGIN")
		s.scanEvent(second+1.5, id, "SCAN_END", 0)
		s.scanImage(second+1.7, id, 1)
		s.scanEvent(second+1.8, "", "ITEM_OUT")
	}
	s.document(0, traveller("NGUYEN", "C1"))
	s.begin(2)
	s.gamma(2.2, 45, false)
	s.document(3, traveller("TRAN", "C2")) // while the first is in the portal
	s.end(4)
	bag(6, "N1")
	bag(8.5, "N2")
	s.code(11, "0738123456")
	s.code(12, "0738123457")
	s.begin(13)
	s.gamma(13.2, 45, false)
	s.document(14, traveller("LE", "C3"))
	s.end(15) // without a bag
	s.begin(16.5)
	s.gamma(16.7, 45, false)
	s.end(18.5)
	bag(20.5, "L1") // the one without a bag left the portal a moment before
	s.code(23, "0738123458")
	s.untilQuiet(2000)
	rs := s.records()
	require.Len(t, rs, 3)
	for i, want := range []struct {
		number string
		bags   []string
		tags   int
	}{{"C1", []string{"N1", "N2"}, 2}, {"C2", nil, 0}, {"C3", []string{"L1"}, 1}} {
		require.Equal(t, event.Person, rs[i].Kind)
		require.Len(t, rs[i].Documents, 1)
		require.Equal(t, want.number, rs[i].Documents[0].Document.Number)
		var bags []string
		for _, v := range rs[i].Scans {
			bags = append(bags, v.ScanID)
		}
		require.Equal(t, want.bags, bags, want.number)
		require.Len(t, rs[i].Barcodes, want.tags, want.number)
		require.Empty(t, rs[i].Irregular)
	}
}

func TestTwoDocumentsOfOnePersonStayTogether(t *testing.T) {
	lane := hall(t)
	lane.Devices[0].Room = 2
	s := play(t, lane)
	s.document(0, traveller("NGUYỄN", "C1"))
	s.document(1, traveller("NGUYEN", "V9", func(d *event.Document) { d.Format = "MRV-A" })) // the visa
	s.document(2, traveller("TRAN", "C2"))
	s.begin(3)
	s.gamma(3.2, 45, false)
	s.end(5)
	s.begin(7)
	s.gamma(7.2, 45, false)
	s.end(9)
	rs := s.records()
	require.Len(t, rs, 2)
	require.Len(t, rs[0].Documents, 2)
	require.Equal(t, "C2", rs[1].Documents[0].Document.Number)
}

func TestADocumentWhoseBearerDoesNotCome(t *testing.T) {
	s := play(t, hall(t))
	s.document(0, traveller("NGUYEN", "C1"))
	s.untilQuiet(11)
	p := s.one()
	require.Equal(t, []string{"no-presence"}, p.Irregular)
	require.Len(t, p.Documents, 1)
}

func TestALaneWithReadersOnly(t *testing.T) {
	lane := passage.Lane{
		Gate: "15BB", ID: "01", Kind: event.Person, Policy: policy(t),
		Devices: []passage.Device{{ID: "mrz", Driver: "mrz", Role: passage.RoleDocument, Required: true}},
	}
	s := play(t, lane)
	s.document(0, traveller("NGUYEN", "C1"))
	s.document(2, traveller("NGUYEN", "C1"))
	s.document(5, traveller("TRAN", "C2"))
	require.Len(t, s.records(), 2)
	require.Len(t, s.records()[0].Documents, 2)
	s.untilQuiet(500)
	require.Equal(t, event.Closed, s.records()[1].State)
}

func TestCodesOfANobody(t *testing.T) {
	s := play(t, wholeLane(t))
	s.code(0, "103456789012")
	require.Empty(t, s.records(), "a test of the reader is no vehicle")
	s.stop(60)
	logs := decode[event.FrameLog](t, s.effects, event.TypeFrameLog)
	require.Len(t, logs, 1, "its frame is accounted for")
}

func TestCodesReadInFrontOfThePortal(t *testing.T) {
	lane := wholeLane(t)
	lane.Devices[5].Position = passage.PositionBefore
	s := play(t, lane)
	s.code(0, "103456789012")
	s.code(1, "CSQU3054383")
	s.code(7, "103456789999") // the next lorry's
	s.begin(8)
	s.end(10)
	s.begin(12)
	s.end(15)
	rs := s.records()
	require.Len(t, rs[0].Barcodes, 2)
	require.Len(t, rs[1].Barcodes, 1)
}
