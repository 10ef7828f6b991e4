package crowd

import (
	"fmt"
	"math/rand/v2"
	"time"

	"gatehouse/internal/console/consoletest"
	"gatehouse/internal/event"
)

func goods() []string {
	return []string{
		"Thanh long tươi", "Sầu riêng đông lạnh", "Linh kiện điện tử", "Vải cuộn", "Gỗ ván ép", "Máy móc đã qua sử dụng", "Hạt nhựa", "Tinh bột sắn",
	}
}

func reasons() []string {
	return []string{"Không phát hiện gì", "Đã kiểm tra thực tế, đúng khai báo", "Đo lại bằng máy cầm tay, mức nền", "Chờ cân lại", "Khai lệch trọng lượng"}
}

func owners() []string {
	return []string{"MSKU", "TCLU", "CMAU", "OOLU", "HLXU", "TEMU", "FCIU", "GESU"}
}

// Plate makes a plate such as a gate in Lang Son sees.
func Plate(r *rand.Rand) string {
	return fmt.Sprintf("%s%c%05d", pick(r, []string{"12", "12", "12", "12", "98", "99", "29", "30", "15", "14", "20", "88"}), pick(r, []rune("CCCCHRDĐ")), r.IntN(100_000))
}

// lorry makes a closed passage with everything that a goods lane reads.
func (c *Crowd) lorry(at time.Time) event.Passage {
	r := c.rand
	plate := Plate(r)
	left, closed := at.Add(9*time.Second), at.Add(38*time.Second)
	p := event.Passage{
		ID: c.id(at), Version: 1, Where: event.Where{Gate: c.chain.Gate, Lane: fmt.Sprintf("%02d", 1+r.IntN(4))}, Kind: event.Vehicle,
		Direction: event.Entry, Flow: event.Goods, State: event.Closed, OpenedAt: at, LeftAt: &left, ClosedAt: &closed,
		Radiation: consoletest.Profile(at, false),
	}
	if r.IntN(3) == 0 {
		p.Direction = event.Exit
	}
	for _, view := range []string{"front", "rear"} {
		ev := c.evidence("image/jpeg", "plate-photo", 180_000)
		p.Photos = append(p.Photos, event.Photo{Image: ev, View: view, Device: "camera", TakenAt: at, Analysis: "done"})
		p.Plates = append(p.Plates, event.PlateReading{
			Text: plate, Display: shown(plate), Country: "VN", Kind: "car", Rows: 1, Box: []int{402, 402, 156, 38}, Score: 0.9 + r.Float64()/10,
			Alternates: []event.Alternate{{Text: Plate(r), Score: 0.01}}, Photo: ev.SHA256, View: view, Model: "plate-reader v1",
		})
	}
	c.load(&p, at)
	for _, d := range []string{"camera", "rpm", "xray", "scale", "barcode", "camera2"} {
		p.Coverage = append(p.Coverage, event.Coverage{Device: d, State: event.Up, Looked: true})
	}
	c.findings(&p, at)
	c.readings(&p, at)
	return p
}

// load adds what is aboard: scan, weight, container, code and declaration.
func (c *Crowd) load(p *event.Passage, at time.Time) {
	r := c.rand
	scan := c.evidence("image/png", "scan", 900_000)
	p.Scans = []event.ScanView{{
		ScanID: "S" + string(p.ID)[16:], View: 1, Kind: "cargo", Image: scan, Device: "xray", TakenAt: at.Add(16 * time.Second),
		Analysis: "done", Score: r.Float64() / 2, Cargo: &event.Cargo{State: "loaded", Fill: r.Float64()}, Model: "cargo v1",
	}}
	gross := float64(18_000 + r.IntN(20_000)/20*20)
	w := event.Weighing{Device: "scale", At: at.Add(30 * time.Second), Weight: &event.Weight{Gross: &gross, Stable: true, Zeroed: true, Loaded: true, ZeroBefore: true, Unit: "kg", DivisionKG: 20}}
	for i := range 40 {
		w.Course = append(w.Course, event.WeightPoint{AtMS: int64(i) * 100, GrossKG: gross * float64(min(i, 20)) / 20})
	}
	p.Weighings = []event.Weighing{w}
	declaration := fmt.Sprintf("1075%08d", r.IntN(100_000_000))
	p.Barcodes = []event.BarcodeReading{{Device: "barcode", At: at.Add(32 * time.Second), Barcode: event.Barcode{Symbology: "code128", Text: declaration}}}
	p.Containers = []event.ContainerReading{{Text: fmt.Sprintf("%s%07d", pick(r, owners()), r.IntN(10_000_000)), CheckOK: true, Score: 0.9}}
	p.Expected = &event.Expected{
		List: "expected.csv", SHA256: scan.SHA256, Asked: p.Plates[0].Text, Found: true, Plate: p.Plates[0].Text, Declaration: declaration,
		GrossKG: &gross, Goods: pick(r, goods()), Direction: p.Direction,
	}
}

// findings gives one passage in twenty-five a finding.
func (c *Crowd) findings(p *event.Passage, at time.Time) {
	if c.rand.IntN(25) != 0 {
		return
	}
	kind := pick(c.rand, []struct {
		code     string
		severity event.Severity
	}{
		{event.FindingWeightDeclared, event.Moderate}, {event.FindingOverspeed, event.Minor}, {event.FindingXrayAnomaly, event.Moderate},
		{event.FindingRadiationGamma, event.Severe}, {event.FindingPlateMismatch, event.Moderate}, {event.FindingCoverageGap, event.Minor},
	})
	p.Findings = []event.Finding{{
		ID: c.id(at), Code: kind.code, Severity: kind.severity, Lead: event.Customs, Score: 1, At: at.Add(20 * time.Second), Device: "scale",
		Source:   event.Source{Kind: "rule", Name: "crowd", Version: "1"},
		Headline: event.Text{VI: "Phát hiện của lượt qua", EN: "A finding of the passage"}, Figures: map[string]any{"measured_kg": 30120.0, "declared_kg": 28000.0},
	}}
}

// readings lists what the passage was made of: an occupancy's samples first.
func (c *Crowd) readings(p *event.Passage, at time.Time) {
	ref := func(device string, kind event.ReadingKind, after time.Duration) {
		p.Readings = append(p.Readings, event.ReadingRef{
			ID: c.id(at), Device: device, Kind: kind, ReceivedAt: at.Add(after), Quality: event.Good, Frames: []string{c.digest()},
		})
	}
	for i := range 30 {
		ref("rpm", event.RadiationSample, time.Duration(i)*200*time.Millisecond)
	}
	ref("camera", event.CameraCapture, 0)
	ref("xray", event.ScanImage, 16*time.Second)
	ref("scale", event.WeightStable, 30*time.Second)
	ref("barcode", event.BarcodeRead, 32*time.Second)
}

func (c *Crowd) digest() string {
	return event.Digest(fmt.Appendf(nil, "%d", c.rand.Uint64()))
}

func (c *Crowd) evidence(media, role string, size int64) event.Evidence {
	return event.Evidence{SHA256: c.digest(), MediaType: media, Bytes: size, Role: role}
}

// shown is a plate as people write it.
func shown(plate string) string {
	r := []rune(plate)
	return string(r[:3]) + "-" + string(r[3:6]) + "." + string(r[6:])
}
