package web

import (
	"context"
	"fmt"
	"image"
	"image/color"
	"os"

	"golang.org/x/image/draw"

	"gatehouse/internal/console/tip"
)

// maxBoxes bounds how many projections are remembered by their place.
const maxBoxes = 10_000

// projected puts a trial's threat into a scan, and tells where. The picture has
// the depth and the colours of the scan, so that it is drawn as the scan is.
func projected(scan image.Image, t *tip.Trial) (image.Image, image.Rectangle, error) {
	full, box, err := tip.Project(scan, *t)
	if err != nil {
		return nil, box, fmt.Errorf("project into scan: %w", err)
	}
	var out draw.Image = image.NewNRGBA(full.Bounds())
	switch scan.ColorModel() {
	case color.GrayModel:
		out = image.NewGray(full.Bounds())
	case color.Gray16Model:
		out = image.NewGray16(full.Bounds())
	case color.RGBA64Model, color.NRGBA64Model:
		return full, box, nil
	}
	for y := range full.Bounds().Dy() {
		for x := range full.Bounds().Dx() {
			c := full.NRGBA64At(x, y)
			if gray, ok := out.(*image.Gray16); ok {
				gray.SetGray16(x, y, color.Gray16{Y: c.G}) // all three are the same
				continue
			}
			out.Set(x, y, c)
		}
	}
	return out, box, nil
}

// projection is where a trial's threat was.
func (x *images) projection(ctx context.Context, path string, t *tip.Trial) (image.Rectangle, error) {
	x.mu.Lock()
	box, ok := x.boxes[t.ID]
	x.mu.Unlock()
	if ok {
		return box, nil
	}
	if err := x.slots.Acquire(ctx, 1); err != nil {
		return box, fmt.Errorf("place of a projection: %w", err)
	}
	defer x.slots.Release(1)
	f, err := os.Open(path)
	if err != nil {
		return box, fmt.Errorf("open scan: %w", err)
	}
	defer f.Close()
	scan, _, err := image.Decode(f) // its size was checked when it was shown
	if err == nil {
		_, box, err = tip.Project(scan, *t)
	}
	if err != nil {
		return box, fmt.Errorf("place of a projection: %w", err)
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if len(x.boxes) > maxBoxes {
		clear(x.boxes)
	}
	x.boxes[t.ID] = box
	return box, nil
}
