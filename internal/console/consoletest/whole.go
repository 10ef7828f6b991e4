package consoletest

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"math"
	"slices"
	"time"

	"gatehouse/internal/event"
)

// Instrument is a device of a lane.
type Instrument struct{ Lane, Name, Driver string }

// Instruments are the devices of a gate with a goods lane and a baggage hall.
func Instruments() []Instrument {
	return []Instrument{
		{"01", "barcode", "barcode"}, {"01", "barrier", "barrier"}, {"01", "camera", "camera"}, {"01", "camera2", "camera"},
		{"01", "rpm", "rpm"}, {"01", "scale", "scale"}, {"01", "xray", "xray"},
		{"02", "barcode", "barcode"}, {"02", "mrz", "mrz"}, {"02", "rpm", "rpm"}, {"02", "xray", "xray"},
	}
}

// Change is a device's change of state. A barrier is told of with its arm and
// lights.
func (s *Site) Change(i Instrument, state event.DeviceState, since time.Time, reason string) event.DeviceChange {
	d := s.Device(i.Name, i.Driver, state, since, reason)
	d.Lane, d.Required = i.Lane, i.Driver != "barcode"
	if i.Driver == "barrier" {
		d.Barrier = &event.Barrier{Arm: "down", Lights: []string{"red"}, Loops: []string{"safety"}, Watchdog: "board"}
	}
	return d
}

// Log accounts for some frames of an instrument.
func (s *Site) Log(i Instrument, at time.Time) event.FrameLog {
	f := s.FrameLog(i.Name, at, "a", "b")
	f.Lane = i.Lane
	return f
}

// Lorry is a passage of a whole goods lane: both plates, container, weight and
// a row of the list of expected vehicles. One that is Odd differs from its
// papers.
func (s *Site) Lorry(n int, at time.Time, odd bool) event.Passage {
	p := s.Passage(n, at, odd)
	rear := s.Keep(Photo(n+40), "image/jpeg", "plate-photo")
	plate := Plates()[(n+3)%len(Plates())]
	p.Photos = append(p.Photos, event.Photo{Image: rear, View: "rear", Device: "camera2", TakenAt: at.Add(24 * time.Second), Analysis: "done"})
	p.Plates[0].Alternates = []event.Alternate{{Text: p.Plates[0].Text[:7] + "8", Score: 0.011}, {Text: "13" + p.Plates[0].Text[2:], Score: 0.004}}
	p.Plates = append(p.Plates, event.PlateReading{
		Text: plate[0], Display: plate[1], Country: "VN", Kind: "trailer", Rows: 2, Box: PlateBox(), Score: 0.94, Photo: rear.SHA256, View: "rear", Model: "plate-reader v1",
	})
	gross, declared, net := 38_240.0, 37_900.0, 24_100.0
	if odd {
		declared = 33_000
	}
	p.Weighings = []event.Weighing{{
		Device: "scale", At: at.Add(22 * time.Second), Course: course(gross),
		Weight: &event.Weight{Gross: &gross, Stable: true, Zeroed: true, Loaded: true, ZeroBefore: true, Unit: "kg", DivisionKG: 20},
	}}
	p.Containers = []event.ContainerReading{{Text: "CSQU3054383", CheckOK: true, SizeType: "22G1", Score: 0.97, Photo: rear.SHA256, Model: "container v1"}}
	p.Barcodes = []event.BarcodeReading{{
		Device: "barcode", At: at.Add(23 * time.Second), Reading: event.NewID(at), Barcode: event.Barcode{Symbology: "qr", Text: "TK:307123456789;CT:CSQU3054383"},
	}}
	p.Expected = &event.Expected{
		List: "huu-nghi.csv", SHA256: event.Digest([]byte("list")), Asked: p.Plates[0].Text, Found: true, Plate: p.Plates[0].Text, RearPlate: plate[0],
		Container: "CSQU3054383", Declaration: "307123456789", GrossKG: &declared, NetKG: &net, Goods: "Linh kiện điện tử", Direction: event.Entry,
	}
	for _, d := range []string{"camera2", "scale", "barcode"} {
		p.Coverage = append(p.Coverage, event.Coverage{Device: d, State: event.Up, Looked: true})
	}
	p.Readings = append(p.Readings,
		event.ReadingRef{ID: event.NewID(at), Device: "scale", Kind: event.WeightStable, ReceivedAt: at.Add(20 * time.Second), Quality: event.Good, Frames: []string{event.Digest([]byte("w"))}},
		event.ReadingRef{ID: event.NewID(at), Device: "barcode", Kind: event.BarcodeRead, ReceivedAt: at.Add(23 * time.Second), Quality: event.Good, Frames: []string{event.Digest([]byte("b"))}},
		event.ReadingRef{ID: event.NewID(at), Device: "camera2", Kind: event.CameraCapture, ReceivedAt: at.Add(24 * time.Second), Quality: event.Good, Frames: []string{rear.SHA256}})
	if odd {
		p.Findings = append(p.Findings, event.Finding{
			ID: event.NewID(at), Code: event.FindingWeightDeclared, Severity: event.Moderate, Lead: event.Customs, Score: 1, At: at.Add(22 * time.Second), Device: "scale",
			Source:   event.Source{Kind: "rule", Name: "weight", Version: "1"},
			Headline: event.Text{VI: "Trọng lượng lệch khai báo", EN: "Weight differs from the declared one"},
			Figures:  map[string]any{"weighed_gross_kg": gross, "declared_gross_kg": declared, "difference_kg": gross - declared, "allowed_kg": 1650.0},
		})
	}
	return p
}

// course is how a scale's indication settles.
func course(gross float64) []event.WeightPoint {
	var list []event.WeightPoint
	for i := range 60 {
		x := float64(i) / 6
		v := gross * (1 - math.Exp(-max(0, x-1)*1.1)) * (1 + 0.06*math.Sin(x*5)*math.Exp(-x/2.2))
		list = append(list, event.WeightPoint{AtMS: int64(i * 100), GrossKG: math.Round(max(0, v)/20) * 20})
	}
	return list
}

// Traveller is a passage of the baggage hall: a document and two bags.
func (s *Site) Traveller(n int, at time.Time, expired bool) event.Passage {
	left, closed := at.Add(6*time.Second), at.Add(14*time.Second)
	d := event.Document{
		Format: "TD3", Type: "P", Issuer: "VNM", Number: "C1234567", Nationality: "VNM", Birth: "1988-04-17", Sex: "F", Expiry: "2031-05-02",
		Names:  []string{"NGUYEN", "THI MINH ANH"},
		Checks: map[string]string{"number": "ok", "birth": "ok", "expiry": "ok", "composite": "ok"},
	}
	if expired {
		d.Expiry = "2024-02-11"
	}
	p := event.Passage{
		ID: event.NewID(at), Version: 1, Where: event.Where{Gate: s.Gate, Lane: "02"}, Kind: event.Person, Direction: event.Entry, Flow: event.Traveller,
		State: event.Closed, OpenedAt: at, LeftAt: &left, ClosedAt: &closed, Radiation: Profile(at, false),
		Documents: []event.DocumentReading{{Device: "mrz", At: at, Reading: event.NewID(at), Document: d}},
		Barcodes: []event.BarcodeReading{{
			Device: "barcode", At: at.Add(12 * time.Second), Reading: event.NewID(at), Barcode: event.Barcode{Symbology: "code128", Text: "0220123456"},
		}},
		Coverage: []event.Coverage{{Device: "mrz", State: event.Up, Looked: true}, {Device: "rpm", State: event.Up, Looked: true}, {Device: "xray", State: event.Up, Looked: true}},
		Readings: []event.ReadingRef{
			{ID: event.NewID(at), Device: "mrz", Kind: event.DocumentRead, ReceivedAt: at, Quality: event.Good, Frames: []string{event.Digest([]byte("mrz"))}},
			{ID: event.NewID(at), Device: "rpm", Kind: event.PresenceChange, ReceivedAt: at.Add(2 * time.Second), Quality: event.Good, Frames: []string{event.Digest([]byte("GS"))}},
			{ID: event.NewID(at), Device: "xray", Kind: event.ScanImage, ReceivedAt: at.Add(9 * time.Second), Quality: event.Good, Frames: []string{event.Digest([]byte("x"))}},
		},
	}
	for bag := range 2 {
		scan := s.Keep(Bag(n*2+bag), "image/png", "scan")
		p.Scans = append(p.Scans, event.ScanView{
			ScanID: "B" + string(event.NewID(at))[16:], View: bag + 1, Kind: "baggage", Image: scan, Device: "xray", TakenAt: at.Add(time.Duration(9+bag) * time.Second),
			Analysis: "done", Score: 0.12, Model: "baggage v1",
		})
	}
	if expired {
		p.Findings = append(p.Findings, event.Finding{
			ID: event.NewID(at), Code: event.FindingDocumentExpired, Severity: event.Moderate, Lead: event.BorderGuard, Score: 1, At: at, Device: "mrz",
			Source:   event.Source{Kind: "rule", Name: "document", Version: "1"},
			Headline: event.Text{VI: "Hộ chiếu đã hết hạn", EN: "The passport has expired"},
			Figures:  map[string]any{"format": "TD3", "expiry": d.Expiry, "read_on": at.Format("2006-01-02")},
		})
	}
	return p
}

// Bag draws a 16-bit scan of a bag with some things in it, as a PNG.
func Bag(seed int) []byte {
	const w, h = 640, 440
	img := image.NewGray16(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			t := 0.96
			dx, dy := (float64(x)-320)/270, (float64(y)-220)/180
			if d := math.Pow(math.Abs(dx), 5) + math.Pow(math.Abs(dy), 5); d < 1 {
				t *= 0.72
				if d > 0.8 {
					t *= 0.7
				}
				for k := range 5 {
					cx, cy := 130+((seed*97+k*83)%380), 110+((seed*61+k*127)%230)
					rx, ry := 30+(k*29+seed*13)%60, 18+(k*17+seed*7)%50
					if ex, ey := float64(x-cx)/float64(rx), float64(y-cy)/float64(ry); ex*ex+ey*ey < 1 || k%2 == 0 && math.Abs(ex) < 1 && math.Abs(ey) < 1 {
						t *= 0.5 + 0.09*float64(k)
					}
				}
			}
			noise := float64((x*7919+y*104729+seed*31)%97-48) / 5200
			img.SetGray16(x, y, color.Gray16{Y: uint16(max(0.02, min(0.99, t+noise)) * 60000)})
		}
	}
	return encode(img)
}

// BigScan draws a 16-bit cargo scan of 4000 by 1500 pixels, as a PNG. It holds
// a thin step of 200 in 65535 at BigStep, which no 8-bit picture can show.
func BigScan() []byte {
	const w, h = 4000, 1500
	img := image.NewGray16(image.Rect(0, 0, w, h))
	step := BigStep()
	for y := range h {
		for x := range w {
			v := uint16(6000 + x*12)
			if image.Pt(x, y).In(step) {
				v += 200
			}
			img.SetGray16(x, y, color.Gray16{Y: v})
		}
	}
	return encode(img)
}

// BigStep is where BigScan has its step.
func BigStep() image.Rectangle { return image.Rect(1900, 600, 2100, 900) }

func encode(img image.Image) []byte {
	var b bytes.Buffer
	_ = (&png.Encoder{CompressionLevel: png.BestSpeed}).Encode(&b, img) // writing to memory does not fail
	return b.Bytes()
}

// Consignment is goods without a vehicle; Wagon is one of a train.
func (s *Site) Consignment(n int, at time.Time) event.Passage {
	p := s.Lorry(n, at, false)
	p.Kind, p.Plates, p.Photos, p.Expected.Plate, p.Expected.RearPlate = event.Consignment, nil, nil, "", ""
	p.Coverage = slices.DeleteFunc(p.Coverage, func(c event.Coverage) bool { return c.Device == "camera" || c.Device == "camera2" })
	return p
}

// Wagon is a rail wagon with a container.
func (s *Site) Wagon(n int, at time.Time) event.Passage {
	p := s.Lorry(n, at, false)
	p.Kind, p.Expected = event.Wagon, nil
	p.Plates = []event.PlateReading{{Text: "315412345678", Display: "31 54 1234 567-8", Country: "VN", Score: 0.91, Box: PlateBox(), Photo: p.Photos[0].Image.SHA256, View: "front", Model: "plate-reader v1"}}
	p.Photos = p.Photos[:1]
	return p
}
