package xray

import (
	"fmt"
	"image"
	"math"
	"slices"
	"sync"
	"time"

	"gatehouse/internal/vision/model"
	"gatehouse/internal/vision/picture"
	"gatehouse/internal/vision/wire"
	"gatehouse/internal/vision/xray/intake"
)

// BaggageModel is the name of the net for baggage.
const BaggageModel = "xray-baggage"

// Finding codes and the class where none is known.
const (
	codeAnomaly  = "XRAY-ANOMALY"
	codeOpaque   = "XRAY-OPAQUE"
	classUnknown = "anomaly"
)

// stride is the net's input pixels per cell of the heat map, padTo what its
// input must be a multiple of. The training scripts hold the same.
const (
	stride = 8
	padTo  = 32
)

// Baggage finds what does not belong in a bag. One call of Analyse at a time.
type Baggage struct{ net *model.Net }

// NewBaggage loads the model in the folder dir.
func NewBaggage(rt *model.Runtime, dir string) (*Baggage, error) {
	net, err := rt.Load(dir)
	if err != nil {
		return nil, err
	}
	return &Baggage{net}, nil
}

// Close frees the model.
func (b *Baggage) Close() error { return b.net.Close() }

// Version is the model's.
func (b *Baggage) Version() string { return b.net.Manifest.Version }

// Analyse looks at a picture in Raw mode, with the model's own threshold.
func (b *Baggage) Analyse(p *picture.Picture) (*wire.Scan, error) {
	return b.analyse(p, b.net.Manifest.Threshold)
}

// Scan looks at a scan of a scanner: the net with that scanner's threshold, and
// what could not be inspected.
func (b *Baggage) Scan(s *intake.Scan, site Site) (*wire.Scan, error) {
	m := b.net.Manifest
	limit := m.Threshold
	if score, ok := site.threshold(m.ID()); ok {
		limit = heatAt(score, m)
	}
	// What is grey is a measurement, whatever the net says of it: both at once,
	// since each leaves a processor idle now and then.
	var e *exposure
	var exposed error
	var wg sync.WaitGroup
	if s.Mat.Channels() == 1 {
		wg.Go(func() { e, exposed = expose(s, site, energyGrey) })
	}
	r, err := b.analyse(s.Picture, limit)
	start := time.Now()
	wg.Wait()
	if err != nil {
		return nil, err
	}
	site.settle(r)
	attach(r, s)
	if s.Mat.Channels() != 1 {
		e, exposed = expose(s, site, r.Energy)
	}
	if exposed != nil {
		return nil, exposed
	}
	if e != nil {
		e.report(r, s)
		r.Findings = append(r.Findings, e.opaque(s.Picture)...)
	}
	r.MS["physics"] = milliseconds(start)
	return r, nil
}

func (b *Baggage) analyse(p *picture.Picture, limit float64) (*wire.Scan, error) {
	start := time.Now()
	m := b.net.Manifest
	g, energy, err := grey(p, greyBy(m.Grey))
	if err != nil {
		return nil, err
	}
	heat, classes, scale, err := b.heat(g)
	if err != nil {
		return nil, wire.Errorf(wire.Internal, "analyse baggage: %v", err)
	}
	scale *= float64(g.W) / float64(p.Mat.Cols()) // from here on per pixel of the file
	scan := &wire.Scan{Kind: wire.KindBaggage, Energy: energy, Findings: []wire.Finding{}, Model: m.ID()}
	scan.Score = rounded(calibrated(float64(slices.Max(heat.V)), m))
	mask := make([]bool, len(heat.V))
	for i, v := range heat.V {
		mask[i] = float64(v) >= limit
	}
	for _, region := range blobs(mask, heat.W) {
		best := slices.MaxFunc(region.Pixels, func(i, k int) int {
			return int(math.Copysign(1, float64(heat.V[i]-heat.V[k])))
		})
		box := image.Rect(
			int(float64(region.Rect.Min.X*stride)/scale), int(float64(region.Rect.Min.Y*stride)/scale),
			int(math.Ceil(float64(region.Rect.Max.X*stride)/scale)), int(math.Ceil(float64(region.Rect.Max.Y*stride)/scale)),
		)
		scan.Findings = append(scan.Findings, wire.Finding{
			Code: codeAnomaly, Class: classAt(classes, m.Classes, best),
			Box: p.ToStored(box), Score: rounded(calibrated(float64(heat.V[best]), m)),
		})
	}
	slices.SortStableFunc(scan.Findings, func(x, y wire.Finding) int { return int(math.Copysign(1, y.Score-x.Score)) })
	scan.Heat = heatMap(heat, float64(stride)/scale, m)
	scan.MS = wire.Times{"detect": milliseconds(start)}
	return scan, nil
}

// heatMap is the net's heat as scores, for the console's overlay.
func heatMap(heat plane, step float64, m model.Manifest) *wire.Heat {
	h := &wire.Heat{Width: heat.W, Height: heat.H, Step: rounded(step), Cells: make([]byte, len(heat.V))}
	for i, v := range heat.V {
		h.Cells[i] = byte(math.Round(255 * calibrated(float64(v), m)))
	}
	return h
}

// heat runs the net. scale is input pixels per pixel of the scan. Cells that lie
// wholly in the border are cut off.
func (b *Baggage) heat(g plane) (heat plane, classes model.Tensor, scale float64, err error) {
	m := b.net.Manifest
	scale = float64(m.Input.Width) / float64(max(g.W, g.H))
	w, h := max(1, int(math.Round(float64(g.W)*scale))), max(1, int(math.Round(float64(g.H)*scale)))
	small, err := g.resized(w, h)
	if err != nil {
		return plane{}, model.Tensor{}, 0, err
	}
	pw, ph := (w+padTo-1)/padTo*padTo, (h+padTo-1)/padTo*padTo
	input := make([]float32, pw*ph)
	for i := range input {
		input[i] = 1 // air
	}
	for y := range h {
		copy(input[y*pw:], small.row(y, 0, w))
	}
	out, err := b.net.Run([]int64{1, 1, int64(ph), int64(pw)}, input)
	if err != nil {
		return plane{}, model.Tensor{}, 0, err
	}
	t, err := model.Output(out, "heat", 4)
	if err != nil {
		return plane{}, model.Tensor{}, 0, err
	}
	if t.Shape[2]*stride != ph || t.Shape[3]*stride != pw {
		return plane{}, model.Tensor{}, 0, fmt.Errorf("net gave heat %v for %dx%d pixels", t.Shape, pw, ph)
	}
	heat = plane{W: t.Shape[3], H: t.Shape[2], V: t.Data}
	for y := range heat.H {
		for x := range heat.W {
			if x*stride >= w || y*stride >= h {
				heat.V[y*heat.W+x] = 0
			}
		}
	}
	return heat, out["class"], scale, nil
}

// classAt is the likeliest class at a cell, or "anomaly" when the net has no
// classes.
func classAt(t model.Tensor, names []string, cell int) string {
	if len(t.Shape) != 4 || t.Shape[1] != len(names) || len(names) == 0 {
		return classUnknown
	}
	cells := t.Shape[2] * t.Shape[3]
	best := 0
	for k := range names {
		if t.Data[k*cells+cell] > t.Data[best*cells+cell] {
			best = k
		}
	}
	return names[best]
}

// calibrated turns heat into a score by the manifest's logistic fit; without
// one, the threshold scores one half.
func calibrated(heat float64, m model.Manifest) float64 {
	scale, shift := m.Calibration.Scale, m.Calibration.Shift
	if scale == 0 {
		scale, shift = 1, -logit(m.Threshold)
	}
	return 1 / (1 + math.Exp(-(scale*logit(heat) + shift)))
}

// heatAt is the heat that has a score.
func heatAt(score float64, m model.Manifest) float64 {
	scale, shift := m.Calibration.Scale, m.Calibration.Shift
	if scale == 0 {
		scale, shift = 1, -logit(m.Threshold)
	}
	return 1 / (1 + math.Exp(-(logit(score)-shift)/scale))
}

func logit(p float64) float64 {
	p = min(max(p, 1e-6), 1-1e-6)
	return math.Log(p / (1 - p))
}

func milliseconds(since time.Time) float64 { return float64(time.Since(since).Microseconds()) / 1000 }

// rounded keeps four digits, which is finer than any calibration.
func rounded(v float64) float64 { return math.Round(v*1e4) / 1e4 }
