package xray

import (
	"fmt"
	"image"
	"math"
	"slices"

	"gocv.io/x/gocv"

	"gatehouse/internal/vision/picture"
	"gatehouse/internal/vision/wire"
	"gatehouse/internal/vision/xray/intake"
	"gatehouse/internal/vision/xray/matter"
	"gatehouse/internal/vision/xray/physics"
	"gatehouse/internal/vision/xray/scanner"
)

// Site is the scanner that a scan came from. The zero value is one that nobody
// named: the model's own threshold counts.
type Site struct {
	Name        string
	Calibration *scanner.Calibration // nil: not calibrated
	// TemplateFile is a scan of an empty container of this scanner; may be empty.
	TemplateFile string
}

// threshold is the score from which findings of a model count at this scanner.
func (s Site) threshold(model string) (float64, bool) {
	if s.Calibration == nil {
		return 0.5, false
	}
	t, ok := s.Calibration.Thresholds[model]
	if !ok {
		return 0.5, false
	}
	return t.Score, true
}

// shifted turns a raw score into one that is one half at the threshold.
func shifted(score, threshold float64) float64 {
	return rounded(1 / (1 + math.Exp(logit(threshold)-logit(score))))
}

// settle applies the scanner's threshold to a result with raw scores.
func (s Site) settle(r *wire.Scan) {
	threshold, calibrated := s.threshold(r.Model)
	r.Scores = map[string]float64{"image": r.Score}
	if s.Name != "" {
		r.Scanner = s.Name
		r.Shadow = !calibrated
	}
	if calibrated {
		r.Calibration = s.Calibration.Version
		r.Score = shifted(r.Score, threshold)
	}
	if r.Shadow {
		r.Notes = append(r.Notes, wire.Text{
			VI: "Máy soi " + s.Name + " chưa hiệu chuẩn: chỉ chạy thử, không giữ xe theo kết quả này",
			EN: "Scanner " + s.Name + " is not calibrated: shadow mode, nobody is held for this result",
		})
	}
	r.Findings = slices.DeleteFunc(r.Findings, func(f wire.Finding) bool {
		return calibrated && f.Code == codeAnomaly && f.Score < threshold
	})
	for i := range r.Findings {
		f := &r.Findings[i]
		if f.Code == codeAnomaly && calibrated {
			f.Score = shifted(f.Score, threshold)
		}
		if f.Rule == "" {
			f.Rule = r.Model
		}
	}
}

// attach says where a result came from and how much of the scan it speaks of.
func attach(r *wire.Scan, s *intake.Scan) {
	r.ScanID, r.View = s.Side.ScanID, s.Side.View
	r.Sources, r.Truncated = s.Sources, s.Truncated()
	r.Notes = append(r.Notes, s.Notes...)
	if s.Low != nil {
		r.Energy = energyDual
	}
}

// mostPhysics is the number of pixels on which materials are judged.
const mostPhysics = 450_000

// exposure is the scan in the terms of physics, with its scale: pixels of the
// scan's matrix a pixel of it.
type exposure struct {
	physics.View
	materials physics.Materials
	scale     float64
	curves    string
}

// expose calibrates the scan; nil for colours, which are no measurement.
func expose(s *intake.Scan, site Site, energy string) (*exposure, error) {
	if energy == energyPseudo {
		return nil, nil
	}
	scale := max(1, math.Ceil(math.Sqrt(float64(s.Mat.Total())/mostPhysics)))
	l := physics.Levels{Steps: 256}
	top := 255.0
	if s.Mat.Type()&7 == gocv.MatTypeCV16U { // the depth without the channels
		l.Steps, top = 65536, 65535
	}
	high, err := levels(s.Mat, scale)
	if err != nil {
		return nil, wire.Errorf(wire.Internal, "calibrate: %v", err)
	}
	l.W, l.H, l.High = high.W, high.H, high.V
	if s.Low != nil {
		low, err := levels(*s.Low, scale)
		if err != nil {
			return nil, wire.Errorf(wire.Internal, "calibrate: %v", err)
		}
		l.Low = low.V
	}
	setup := physics.Setup{}
	if s.Side.AirLevel > 0 && s.Side.AirLevel <= top {
		setup.AirHigh, setup.AirFrom = s.Side.AirLevel/top, "sidecar"
	}
	e := &exposure{scale: scale}
	if c := site.Calibration; c != nil && c.Curves != nil {
		setup.Curves, e.curves = c.Curves, "calibrated"
		for _, p := range c.Scatter {
			p.Reach = max(1, int(float64(p.Reach)/scale))
			setup.Scatter = append(setup.Scatter, p)
		}
	} else if nominal, err := physics.Nominal(s.Side.KV); err == nil {
		setup.Curves, e.curves = nominal, "nominal"
	}
	e.View = physics.Calibrate(l, setup)
	if e.curves == "nominal" { // good for thickness, not for telling materials
		e.Low = nil
	}
	e.materials = e.Materials()
	return e, nil
}

// levels are the pixels as 0..1, averaged over cells of scale by scale pixels.
func levels(m gocv.Mat, scale float64) (plane, error) {
	small := m
	if scale > 1 {
		small = gocv.NewMat()
		defer small.Close()
		gocv.Resize(m, &small, sizeOf(max(1, int(float64(m.Cols())/scale)), max(1, int(float64(m.Rows())/scale))), 0, 0, gocv.InterpolationArea)
	}
	p, _, err := greyOf(small, byLuma)
	return p, err
}

// report puts the figures into a result.
func (e *exposure) report(r *wire.Scan, s *intake.Scan) {
	share := e.materials.Shares
	r.Physics = &wire.Physics{
		Air: rounded(e.Air), AirFrom: e.AirFrom, Noise: math.Round(e.Noise*1e6) / 1e6, Opaque: rounded(share[matter.Opaque]),
		PenetrationMM: tenth(e.PenetrationMM()), Curves: e.curves,
	}
	if e.curves == "" {
		return
	}
	var all []float32
	for i := 0; i < len(e.High); i += 7 {
		if e.materials.Class[i] != matter.Air {
			all = append(all, float32(e.Attenuation(e.High[i])))
		}
	}
	r.Physics.MostSteelMM = tenth(e.SteelMM(float64(percentile(all, 0.99))))
	if e.curves != "calibrated" || e.Low == nil {
		return
	}
	r.Physics.Organic, r.Physics.Inorganic, r.Physics.Metal = rounded(share[matter.Organic]), rounded(share[matter.Inorganic]), rounded(share[matter.Metal])
	if s.Side.PixelMM > 0 {
		r.Physics.MassKG = rounded(e.materials.MassKG(s.Side.PixelMM * e.scale))
	}
}

func tenth(v float64) float64 { return math.Round(v*10) / 10 }

// Figures of the rule "could not be inspected" for bags.
const (
	ruleOpaque    = "xray-opaque@1"
	opaqueBag     = 0.02 // of what is not air: smaller places are handles, batteries and coins
	opaqueSolid   = 0.4  // share of its box that it fills
	opaqueMinimum = 150  // pixels
)

// opaque finds the largest place of a bag behind which nothing can be seen.
func (e *exposure) opaque(p *picture.Picture) []wire.Finding {
	mask := make([]bool, len(e.materials.Class))
	solid := 0
	for i, c := range e.materials.Class {
		mask[i] = c == matter.Opaque
		if c != matter.Air {
			solid++
		}
	}
	var out []wire.Finding
	for _, b := range blobs(mask, e.W) {
		share := float64(len(b.Pixels)) / float64(max(1, solid))
		if share < opaqueBag || len(b.Pixels) < opaqueMinimum || float64(len(b.Pixels)) < opaqueSolid*float64(b.Rect.Dx()*b.Rect.Dy()) {
			continue
		}
		out = append(out, wire.Finding{
			Code: codeOpaque, Class: "opaque", Score: rounded(min(1, 0.5+5*share)), Rule: ruleOpaque, Box: p.ToStored(e.file(b.Rect)),
			Figures: []wire.Figure{
				{Name: "share_of_item", Value: rounded(share), Limit: opaqueBag},
				{Name: "transmission_floor", Value: math.Round(e.Floor*1e6) / 1e6, Limit: math.Round(e.Floor*1e6) / 1e6},
			},
			Text: &wire.Text{
				VI: fmt.Sprintf("Tia không xuyên qua %.0f %% vật: phần này chưa được kiểm tra", 100*share),
				EN: fmt.Sprintf("Nothing comes through %.0f %% of the item: that part was not inspected", 100*share),
			},
		})
	}
	return out
}

// file is a rectangle in pixels of the scan's matrix.
func (e *exposure) file(r image.Rectangle) image.Rectangle {
	return image.Rect(int(float64(r.Min.X)*e.scale), int(float64(r.Min.Y)*e.scale),
		int(math.Ceil(float64(r.Max.X)*e.scale)), int(math.Ceil(float64(r.Max.Y)*e.scale)))
}
