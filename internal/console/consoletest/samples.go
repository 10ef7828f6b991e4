package consoletest

import (
	"bytes"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"math"
	"time"

	"gatehouse/internal/event"
)

// Photo draws a plain lorry front with a plate, as a JPEG.
func Photo(seed int) []byte {
	const w, h = 960, 540
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	fill(img, img.Rect, color.RGBA{96, 108, 118, 255})
	fill(img, image.Rect(0, 380, w, h), color.RGBA{62, 64, 66, 255})
	cab := color.RGBA{uint8(60 + seed*47%150), uint8(70 + seed*31%120), uint8(90 + seed*67%120), 255}
	fill(img, image.Rect(300, 60, 660, 470), cab)
	fill(img, image.Rect(330, 95, 630, 225), color.RGBA{26, 34, 44, 255})
	fill(img, image.Rect(330, 300, 630, 352), color.RGBA{38, 40, 42, 255})
	for _, x := range []int{318, 592} {
		fill(img, image.Rect(x, 360, x+50, 392), color.RGBA{238, 232, 200, 255})
	}
	plate := PlateBox()
	fill(img, image.Rect(plate[0], plate[1], plate[0]+plate[2], plate[1]+plate[3]), color.RGBA{240, 240, 236, 255})
	for i := range 8 {
		x := plate[0] + 10 + i*17
		fill(img, image.Rect(x, plate[1]+8, x+4+(seed+i*5)%8, plate[1]+plate[3]-8), color.RGBA{24, 24, 26, 255})
	}
	var b bytes.Buffer
	_ = jpeg.Encode(&b, img, &jpeg.Options{Quality: 85}) // writing to memory does not fail
	return b.Bytes()
}

// PlateBox is where Photo draws the plate.
func PlateBox() []int { return []int{402, 402, 156, 38} }

// Scan draws a 16-bit cargo scan of a container with some load, as a PNG.
func Scan(seed int) []byte {
	const w, h = 1200, 420
	img := image.NewGray16(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			img.SetGray16(x, y, color.Gray16{Y: transmission(x, y, seed)})
		}
	}
	var b bytes.Buffer
	_ = png.Encode(&b, img) // writing to memory does not fail
	return b.Bytes()
}

// ScanBox is where Scan hides something dense.
func ScanBox() []int { return []int{640, 170, 120, 90} }

func transmission(x, y, seed int) uint16 {
	t := 1.0
	inside := x > 180 && x < 1150 && y > 60 && y < 330
	if inside {
		t *= 0.72
		if y < 74 || y > 316 || x < 194 || x > 1136 {
			t *= 0.6
		}
		if x%92 < 5 {
			t *= 0.85
		}
		if y > 180-seed%40 && (x/86+seed)%5 != 0 {
			t *= 0.46 + 0.1*math.Sin(float64(x*7+y*3+seed))*0.4
		}
	}
	if y > 330 && y < 352 && x > 60 {
		t *= 0.3
	}
	for _, cx := range []int{120, 330, 900, 1000} {
		if d := math.Hypot(float64(x-cx), float64(y-372)); d < 34 {
			t *= 0.25
		}
	}
	box := ScanBox()
	if x > box[0] && x < box[0]+box[2] && y > box[1] && y < box[1]+box[3] {
		t *= 0.22
	}
	noise := float64((x*7919+y*104729+seed*31)%97-48) / 4800
	return uint16(max(0.02, min(0.98, t+noise)) * 52000)
}

func fill(img *image.RGBA, r image.Rectangle, c color.RGBA) {
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for x := r.Min.X; x < r.Max.X; x++ {
			img.SetRGBA(x, y, c)
		}
	}
}

// Profile is a lorry's course through a portal, with a source aboard when hot.
func Profile(at time.Time, hot bool) *event.RadiationProfile {
	p := &event.RadiationProfile{
		StartedAt: at, GammaIntervalMS: 200, NeutronIntervalMS: 1000, GammaBackgroundCPS: 912, NeutronBackgroundCPS: 6,
	}
	speed := 7.4
	p.SpeedKMH = &speed
	for i := range 40 {
		x := (float64(i) - 20) / 5
		v := 182*(1-0.18*math.Exp(-x*x/4)) + 9*math.Sin(float64(i*i))
		if hot {
			v += 190 * math.Exp(-(x-0.6)*(x-0.6)/1.2)
		}
		p.Gamma = append(p.Gamma, math.Round(v))
	}
	for i := range 8 {
		p.Neutron = append(p.Neutron, float64(5+i%3))
	}
	if hot {
		p.GammaAlarm, p.MaxSigma = true, 27.4
	} else {
		p.MaxSigma = 1.3
	}
	return p
}

// Plates are texts for sample passages, canonical and as people write them.
func Plates() [][2]string {
	return [][2]string{
		{"12C12345", "12C-123.45"}, {"15H04567", "15H-045.67"}, {"98C27731", "98C-277.31"}, {"29H86120", "29H-861.20"},
		{"12C54321", "12C-543.21"}, {"14C30908", "14C-309.08"}, {"51D66012", "51D-660.12"},
	}
}

// Passage builds a closed passage of lane 01 with photo, scan and profile,
// keeping its evidence at the site.
func (s *Site) Passage(n int, at time.Time, hot bool) event.Passage {
	photo := s.Keep(Photo(n), "image/jpeg", "plate-photo")
	scan := s.Keep(Scan(n), "image/png", "scan")
	left, closed := at.Add(9*time.Second), at.Add(21*time.Second)
	plate := Plates()[n%len(Plates())]
	p := event.Passage{
		ID: event.NewID(at), Version: 1, Where: event.Where{Gate: s.Gate, Lane: "01"}, Kind: event.Vehicle,
		Direction: event.Entry, Flow: event.Goods, State: event.Closed, OpenedAt: at, LeftAt: &left, ClosedAt: &closed,
		Plates: []event.PlateReading{{
			Text: plate[0], Display: plate[1], Country: "VN", Kind: "car", Rows: 1, Box: PlateBox(), Score: 0.983,
			Alternates: []event.Alternate{{Text: plate[0][:7] + "8", Score: 0.011}}, Photo: photo.SHA256, View: "front", Model: "plate-reader v1",
		}},
		Radiation: Profile(at, hot),
		Photos:    []event.Photo{{Image: photo, View: "front", Device: "camera", TakenAt: at.Add(-2 * time.Second), Analysis: "done"}},
		Scans: []event.ScanView{{
			ScanID: "S" + string(event.NewID(at))[16:], View: 1, Kind: "cargo", Image: scan, Device: "xray", TakenAt: at.Add(16 * time.Second),
			Analysis: "done", Score: 0.31, Cargo: &event.Cargo{State: "loaded", Fill: 0.62}, Model: "cargo v1",
		}},
		Coverage: []event.Coverage{
			{Device: "camera", State: event.Up, Looked: true}, {Device: "rpm", State: event.Up, Looked: true}, {Device: "xray", State: event.Up, Looked: true},
		},
		Readings: []event.ReadingRef{
			{ID: event.NewID(at), Device: "camera", Kind: event.CameraCapture, ReceivedAt: at.Add(-2 * time.Second), Quality: event.Good, Frames: []string{photo.SHA256}},
			{ID: event.NewID(at), Device: "rpm", Kind: event.PresenceChange, ReceivedAt: at, Quality: event.Good, Frames: []string{event.Digest([]byte("GS"))}},
			{ID: event.NewID(at), Device: "xray", Kind: event.ScanImage, ReceivedAt: at.Add(16 * time.Second), Quality: event.Good, Frames: []string{scan.SHA256}},
		},
	}
	if hot {
		p.Findings = append(p.Findings, gammaFinding(at))
		p.Scans[0].Score = 0.91
		p.Findings = append(p.Findings, event.Finding{
			ID: event.NewID(at), Code: event.FindingXrayAnomaly, Severity: event.Moderate, Lead: event.Customs, Score: 0.91, At: at.Add(20 * time.Second),
			Device: "xray", Region: &event.Region{Evidence: scan.SHA256, Box: ScanBox()}, Source: event.Source{Kind: "model", Name: "cargo", Version: "v1"},
			Headline: event.Text{VI: "Vùng đặc bất thường trong ảnh soi", EN: "Unexpected dense region in the scan"},
		})
	}
	return p
}

func gammaFinding(at time.Time) event.Finding {
	return event.Finding{
		ID: event.NewID(at), Code: event.FindingRadiationGamma, Severity: event.Severe, Lead: event.Customs, Score: 1, At: at.Add(5 * time.Second), Device: "rpm",
		Source:   event.Source{Kind: "device", Name: "rpm", Version: "1"},
		Headline: event.Text{VI: "Cổng phóng xạ báo động gamma", EN: "Radiation portal gamma alarm"},
		Figures:  map[string]any{"max_sigma": 27.4, "threshold_sigma": 7.0, "background_cps": 912.0, "peak_cps": 1739.0},
	}
}

// Alert is the alert of a passage's finding.
func Alert(p event.Passage, f event.Finding) event.Alert {
	a := event.Alert{
		ID: event.NewID(f.At), Sender: "/gate/" + p.Gate, Sent: f.At, Status: "Actual", MsgType: "Alert", Scope: "Restricted", Category: "CBRNE",
		EventCode: f.Code, Urgency: "Immediate", Severity: f.Severity, Certainty: "Observed", Expires: f.At.Add(time.Hour), Headline: f.Headline,
		Instruction: event.Text{VI: "Giữ xe tại làn và đo lại bằng máy cầm tay.", EN: "Keep the lorry in the lane and measure again with a handheld."},
		Where:       event.Where{Gate: p.Gate, Lane: p.Lane, Device: f.Device}, Passage: p.ID, Lead: f.Lead, Finding: f,
	}
	if p.Kind == event.Person {
		a.Instruction = event.Text{VI: "Đối chiếu giấy tờ với hành khách.", EN: "Compare the document with the traveller."}
	}
	for _, ph := range p.Photos {
		a.Evidence = append(a.Evidence, ph.Image)
	}
	return a
}

// Device is a device's change of state.
func (s *Site) Device(name, driver string, state event.DeviceState, since time.Time, reason string) event.DeviceChange {
	d := event.DeviceChange{
		ID: event.NewID(since), Where: event.Where{Gate: s.Gate, Lane: "01", Device: name}, Driver: driver, State: state, Since: since.UTC(), Reason: reason,
	}
	if state != event.Up {
		d.Try = event.Text{VI: "Kiểm tra cáp và nguồn của thiết bị.", EN: "Check the device's cable and power."}
	}
	return d
}

// FrameLog accounts for some frames of a device.
func (s *Site) FrameLog(device string, at time.Time, frames ...string) event.FrameLog {
	f := event.FrameLog{ID: event.NewID(at), Where: event.Where{Gate: s.Gate, Lane: "01", Device: device}, From: at.Add(-5 * time.Second).UTC(), To: at.UTC(), Count: len(frames)}
	for _, frame := range frames {
		f.Digests = append(f.Digests, event.Digest([]byte(frame))[:16])
	}
	return f
}
