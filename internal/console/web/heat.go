package web

import (
	"context"
	"image"
	"image/color"
	"slices"

	"golang.org/x/image/draw"

	"gatehouse/internal/console/store"
	"gatehouse/internal/event"
)

// warmFrom is the score below which a heat map leaves the picture as it is.
const warmFrom = 0.12

// heatOf is the map of a scan, nil for what has none.
func (s *Server) heatOf(ctx context.Context, digest string) (*event.Heat, error) {
	id, err := s.opt.Store.PassageOf(ctx, digest)
	if err != nil {
		return nil, err
	}
	x, err := s.opt.Store.Passage(ctx, id)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(x.Scans, func(sc event.ScanView) bool { return sc.Image.SHA256 == digest })
	if i < 0 || !x.Scans[i].Heat.Fits() {
		return nil, store.ErrNotFound
	}
	return x.Scans[i].Heat, nil
}

// heated lays a map over a picture: yellow to red, and stronger, the more
// suspect a part is.
func heated(img image.Image, h *event.Heat) image.Image {
	b := img.Bounds()
	out := image.NewRGBA(b)
	draw.Draw(out, b, img, b.Min, draw.Src)
	cells := image.NewNRGBA(image.Rect(0, 0, h.Width, h.Height))
	for i, v := range h.Cells {
		score := float64(v) / 255
		// The colour of all cells goes from yellow to red, so that those which are
		// drawn at all blend into cells which are not.
		c := color.NRGBA{R: 235, G: uint8(210 * (1 - score)), B: 20}
		if score >= warmFrom {
			c.A = uint8(60 + 130*score)
		}
		cells.SetNRGBA(i%h.Width, i/h.Width, c)
	}
	over := image.Rect(b.Min.X, b.Min.Y, b.Min.X+int(h.Step*float64(h.Width)), b.Min.Y+int(h.Step*float64(h.Height)))
	draw.ApproxBiLinear.Scale(out, over, cells, cells.Bounds(), draw.Over, nil)
	return out
}

// heatURL is where the map over a scan is shown; "" for one that has none.
func heatURL(sc event.ScanView, v imageView) string {
	if !v.Stored || !sc.Heat.Fits() {
		return ""
	}
	return v.url("/heat")
}
