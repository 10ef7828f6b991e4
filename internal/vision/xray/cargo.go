package xray

import (
	"image"
	"math"
	"slices"
	"time"

	"gatehouse/internal/vision/picture"
	"gatehouse/internal/vision/wire"
	"gatehouse/internal/vision/xray/intake"
)

// CargoVersion names the rules for cargo; it changes with every figure here.
const CargoVersion = "1"

const cargoModel = "xray-cargo-rules@" + CargoVersion

// workWidth is the width in pixels at which a scan is analysed.
const workWidth = 640

// Figures for the state of the load.
const (
	// loadFrom is the attenuation of load. Of 68 real containers the tenth
	// percentile of an empty one's interior is at most 0.21 and of a loaded one's
	// at least 0.45; this is between.
	loadFrom = 0.33
	// emptyFill and loadedFill part empty, partial and loaded. Of the same
	// containers the fullest empty one measured 0.075, the emptiest loaded one 0.09.
	emptyFill  = 0.08
	loadedFill = 0.50
	// opaqueFill is the share of the interior that must be opaque to be said.
	opaqueFill = 0.15
)

// Cargo analyses side views of lorries and containers by rules.
type Cargo struct{}

// NewCargo makes the analysis; it needs no model.
func NewCargo() *Cargo { return &Cargo{} }

// Scan looks at a scan of a scanner.
func (c *Cargo) Scan(s *intake.Scan, site Site) (*wire.Scan, error) {
	r, err := c.Analyse(s.Picture)
	if err != nil {
		return nil, err
	}
	site.settle(r)
	attach(r, s)
	start := time.Now()
	e, err := expose(s, site)
	if err != nil {
		return nil, err
	}
	if e != nil {
		e.report(r, s)
	}
	r.MS["physics"] = milliseconds(start)
	return r, nil
}

// Analyse looks at a picture in Raw mode.
func (c *Cargo) Analyse(p *picture.Picture) (*wire.Scan, error) {
	start := time.Now()
	full, energy, err := grey(p, byLuma)
	if err != nil {
		return nil, err
	}
	if full.W < 64 || full.H < 32 {
		return nil, wire.Errorf(wire.Unsupported, "%dx%d pixels are too few for a cargo scan", full.W, full.H)
	}
	steps := 256.0
	if p.Mat.ElemSize()/p.Mat.Channels() == 2 {
		steps = 65536
	}
	scale := min(1, workWidth/float64(full.W))
	g, err := full.resized(int(math.Round(float64(full.W)*scale)), max(16, int(math.Round(float64(full.H)*scale))))
	if err != nil {
		return nil, wire.Errorf(wire.Internal, "analyse cargo: %v", err)
	}
	a, limit := attenuation(g, steps)
	scan := &wire.Scan{Kind: wire.KindCargo, Energy: energy, Findings: []wire.Finding{}, Model: cargoModel}
	sx, sy := float64(p.Mat.Cols())/float64(g.W), float64(p.Mat.Rows())/float64(g.H)
	toFile := func(r image.Rectangle) wire.Box {
		return p.ToStored(image.Rect(
			int(float64(r.Min.X)*sx), int(float64(r.Min.Y)*sy),
			int(math.Ceil(float64(r.Max.X)*sx)), int(math.Ceil(float64(r.Max.Y)*sy)),
		))
	}
	inner := interiors(a)
	scan.Cargo = state(a, inner)
	for _, room := range inner {
		found, score, err := foreign(a, room)
		if err != nil {
			return nil, wire.Errorf(wire.Internal, "analyse cargo: %v", err)
		}
		scan.Score = max(scan.Score, rounded(score))
		for _, f := range found {
			scan.Findings = append(scan.Findings, wire.Finding{
				Code: codeAnomaly, Class: "dense-anomaly", Box: toFile(f.Rect), Score: rounded(f.Score),
			})
		}
		if box, share := opaque(a, room, limit); share >= opaqueFill {
			scan.Findings = append(scan.Findings, wire.Finding{
				Code: codeOpaque, Class: "opaque", Box: toFile(box), Score: rounded(share),
			})
		}
	}
	slices.SortStableFunc(scan.Findings, func(x, y wire.Finding) int { return int(math.Copysign(1, y.Score-x.Score)) })
	scan.MS = wire.Times{"detect": milliseconds(start)}
	return scan, nil
}

// state measures how full the bodies are. Without a body nothing is claimed.
func state(a plane, rooms []image.Rectangle) *wire.Cargo {
	var loaded, all int
	for _, r := range rooms {
		for y := r.Min.Y; y < r.Max.Y; y++ {
			for _, v := range a.row(y, r.Min.X, r.Max.X) {
				if v > loadFrom {
					loaded++
				}
				all++
			}
		}
	}
	if all == 0 {
		return nil
	}
	c := &wire.Cargo{State: "partial", Fill: rounded(float64(loaded) / float64(all))}
	switch {
	case c.Fill < emptyFill:
		c.State = "empty"
	case c.Fill >= loadedFill:
		c.State = "loaded"
	}
	return c
}

// opaque is the share of a body's interior through which nothing came, and the
// box of the largest part of it.
func opaque(a plane, room image.Rectangle, limit float32) (image.Rectangle, float64) {
	mask := make([]bool, room.Dx()*room.Dy())
	n := 0
	for y := range room.Dy() {
		for x, v := range a.row(room.Min.Y+y, room.Min.X, room.Max.X) {
			if v >= limit {
				mask[y*room.Dx()+x] = true
				n++
			}
		}
	}
	var largest blob
	for _, b := range blobs(mask, room.Dx()) {
		if len(b.Pixels) > len(largest.Pixels) {
			largest = b
		}
	}
	return largest.Rect.Add(room.Min), float64(n) / float64(max(1, len(mask)))
}
