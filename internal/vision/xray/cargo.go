package xray

import (
	"cmp"
	"errors"
	"fmt"
	"image"
	"math"
	"slices"
	"time"

	"gatehouse/internal/vision/picture"
	"gatehouse/internal/vision/wire"
	"gatehouse/internal/vision/xray/intake"
)

// CargoVersion names the rules for cargo; it changes with every figure here.
const CargoVersion = "4"

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

// Cargo analyses side views of lorries and containers by rules. One call of
// Scan at a time.
type Cargo struct {
	templates map[string]*template // by file
}

// NewCargo makes the analysis; it needs no model.
func NewCargo() *Cargo { return &Cargo{templates: map[string]*template{}} }

// Scan looks at a scan of a scanner: the rules with what papers, scale and the
// scanner's empty template say.
func (c *Cargo) Scan(s *intake.Scan, site Site) (*wire.Scan, error) {
	v, err := c.view(s.Picture)
	if err != nil {
		return nil, err
	}
	if s.Side.PixelMM > 0 {
		v.mm = s.Side.PixelMM * float64(s.Mat.Cols()) / float64(v.a.W)
	}
	t, err := c.template(site)
	if err != nil {
		v.scan.Notes = append(v.scan.Notes, wire.Text{VI: "Không dùng được ảnh thùng rỗng mẫu: " + err.Error(), EN: "The empty template cannot be used: " + err.Error()})
	}
	if err := errors.Join(v.hidden(t), v.declared(s.Side.Declared)); err != nil {
		return nil, wire.Errorf(wire.Internal, "analyse cargo: %v", err)
	}
	v.mass(s.Side.DeclaredKG, s.Side.WeighedKG)
	r := v.sorted()
	site.settle(r)
	attach(r, s)
	start := time.Now()
	e, err := expose(s, site, r.Energy)
	if err != nil {
		return nil, err
	}
	if e != nil {
		e.report(r, s)
	}
	r.MS["physics"] = milliseconds(start)
	return r, nil
}

// template is the scanner's empty scan, read once.
func (c *Cargo) template(site Site) (*template, error) {
	if site.TemplateFile == "" {
		return nil, nil
	}
	if t, ok := c.templates[site.TemplateFile]; ok {
		return t, nil
	}
	s, err := intake.Open(intake.Files{High: site.TemplateFile}, picture.DefaultLimits())
	if err != nil {
		return nil, err
	}
	defer s.Close()
	v, err := c.view(s.Picture)
	if err != nil {
		return nil, err
	}
	if len(v.bodies) == 0 {
		return nil, wire.Errorf(wire.Unsupported, "there is no body in it")
	}
	t := &template{a: v.a, bodies: v.bodies}
	c.templates[site.TemplateFile] = t
	return t, nil
}

// Analyse looks at a picture in Raw mode by the rules that need no more than it.
func (c *Cargo) Analyse(p *picture.Picture) (*wire.Scan, error) {
	v, err := c.view(p)
	if err != nil {
		return nil, err
	}
	return v.sorted(), nil
}

func (v *cargoView) sorted() *wire.Scan {
	slices.SortStableFunc(v.scan.Findings, func(x, y wire.Finding) int { return cmp.Compare(y.Score, x.Score) })
	v.scan.MS = wire.Times{"detect": milliseconds(v.start)}
	return v.scan
}

// view finds the bodies and judges their load.
func (c *Cargo) view(p *picture.Picture) (*cargoView, error) {
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
	scan := &wire.Scan{Kind: wire.KindCargo, Energy: energy, Findings: []wire.Finding{}, Model: cargoModel}
	sx, sy := float64(p.Mat.Cols())/float64(g.W), float64(p.Mat.Rows())/float64(g.H)
	v := &cargoView{scan: scan, start: start, toFile: func(r image.Rectangle) wire.Box {
		return p.ToStored(image.Rect(
			int(float64(r.Min.X)*sx), int(float64(r.Min.Y)*sy),
			int(math.Ceil(float64(r.Max.X)*sx)), int(math.Ceil(float64(r.Max.Y)*sy)),
		))
	}}
	v.a, v.limit = attenuation(g, steps)
	v.bodies, v.parts = bodies(v.a), vehicle(v.a)
	v.state()
	for _, b := range v.bodies {
		if err := v.judge(b); err != nil {
			return nil, wire.Errorf(wire.Internal, "analyse cargo: %v", err)
		}
	}
	return v, nil
}

// judge looks for what is foreign in a body's load, and for what is opaque.
func (v *cargoView) judge(b body) error {
	found, score, err := foreign(v.a, b.inner, v.ofVehicle)
	if err != nil {
		return err
	}
	v.scan.Score = max(v.scan.Score, rounded(score))
	for _, f := range found {
		v.scan.Findings = append(v.scan.Findings, wire.Finding{
			Code: codeAnomaly, Class: "dense-anomaly", Box: v.toFile(f.Rect), Score: rounded(f.Score), Rule: ruleForeign,
			Figures: []wire.Figure{
				{Name: "attenuation_inside", Value: rounded(float64(f.level)), Limit: rounded(float64(f.around))},
				{Name: "robust_z", Value: rounded(f.z), Limit: scoreAt},
			},
			Text: &wire.Text{
				VI: fmt.Sprintf("Đặc hơn hàng xung quanh: %.2f so với %.2f", f.level, f.around),
				EN: fmt.Sprintf("Denser than the load around it: attenuation %.2f against %.2f", f.level, f.around),
			},
		})
	}
	if box, share := opaque(v.a, b.inner, v.limit); share >= opaqueFill {
		v.scan.Findings = append(v.scan.Findings, wire.Finding{
			Code: codeOpaque, Class: "opaque", Box: v.toFile(box), Score: rounded(share), Rule: ruleOpaque,
			Figures: []wire.Figure{{Name: "share_of_inside", Value: rounded(share), Limit: opaqueFill}},
			Text: &wire.Text{
				VI: fmt.Sprintf("Tia không xuyên qua %.0f %% thùng: phần này chưa được kiểm tra", 100*share),
				EN: fmt.Sprintf("Nothing comes through %.0f %% of the inside: that part was not inspected", 100*share),
			},
		})
	}
	return nil
}

// profileParts is how many parts the fill of a body is told in.
const profileParts = 24

// state measures how full the bodies are. Without a body nothing is claimed.
func (v *cargoView) state() {
	var loaded, all int
	density := 0.0
	c := &wire.Cargo{}
	for _, b := range v.bodies {
		r := b.inner
		var on, of [profileParts]int
		for y := r.Min.Y; y < r.Max.Y; y++ {
			for x, a := range v.a.row(y, r.Min.X, r.Max.X) {
				if v.masked(r.Min.X+x, y) {
					continue
				}
				k := x * profileParts / r.Dx()
				of[k]++
				if a > loadFrom {
					on[k]++
					density += float64(a)
				}
			}
		}
		one := wire.Body{Box: v.toFile(r)}
		sum, n := 0, 0
		for k := range on {
			one.Profile = append(one.Profile, math.Round(100*float64(on[k])/float64(max(1, of[k])))/100)
			sum, n = sum+on[k], n+of[k]
		}
		one.Fill = rounded(float64(sum) / float64(max(1, n)))
		one.State = stateOf(one.Fill)
		c.Bodies = append(c.Bodies, one)
		loaded, all = loaded+sum, all+n
	}
	if all == 0 {
		return
	}
	c.Fill = rounded(float64(loaded) / float64(all))
	c.State = stateOf(c.Fill)
	c.Load = rounded(density / float64(max(1, loaded)))
	for _, p := range v.parts {
		c.Parts = append(c.Parts, wire.Part{Kind: p.kind, Box: v.toFile(p.rect)})
	}
	v.scan.Cargo = c
}

func stateOf(fill float64) string {
	switch {
	case fill < emptyFill:
		return "empty"
	case fill >= loadedFill:
		return "loaded"
	}
	return "partial"
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
