package worker

import (
	_ "embed"
	"image"
	"image/color"

	"gocv.io/x/gocv"

	"gatehouse/internal/vision/picture"
	"gatehouse/internal/vision/plate"
	"gatehouse/internal/vision/wire"
	"gatehouse/internal/vision/xray"
	"gatehouse/internal/vision/xray/intake"
)

// canaryPlate is a rendered lorry front; no photograph.
//
//go:embed canary.png
var canaryPlate []byte

// canaryText is the plate in canaryPlate.
const canaryText = "12C12345"

// canary analyses a built-in picture. It tells a picture that kills the worker
// from a worker that cannot work.
func (w *Worker) canary(kind string) (any, error) {
	if kind != "" {
		return w.canaryScan(kind)
	}
	if w.plates == nil {
		return nil, w.missing("plate", plate.DetectorModel)
	}
	p, err := picture.Decode(canaryPlate, picture.Colour, w.cfg.Limits)
	if err != nil {
		return nil, wire.Errorf(wire.Internal, "canary: %v", err)
	}
	defer p.Close()
	result, err := w.plates.Analyse(p)
	if err != nil {
		return nil, wire.Errorf(wire.Internal, "canary: %v", err)
	}
	for _, one := range result.Plates {
		if one.Text == canaryText {
			return result, nil
		}
	}
	return nil, wire.Errorf(wire.Internal, "canary: the built-in picture's plate was not read; the models or libraries are damaged")
}

// canaryScan analyses a drawn scan: a box body with a uniform load and one dense
// block in it. The cargo rules must find the block; the net for baggage, which
// was not made for it, must give an answer at all.
func (w *Worker) canaryScan(kind string) (any, error) {
	analyse, err := w.scanner(kind)
	if err != nil {
		return nil, err
	}
	p := drawScan()
	defer p.Close()
	result, err := analyse(&intake.Scan{Scan: &picture.Scan{Picture: p}, Lit: 1, Rows: 1}, xray.Site{})
	if err != nil {
		return nil, wire.Errorf(wire.Internal, "canary: %v", err)
	}
	if kind == wire.KindCargo && len(result.Findings) == 0 {
		return nil, wire.Errorf(wire.Internal, "canary: the block in the drawn scan was not found; the program is damaged")
	}
	return result, nil
}

func drawScan() *picture.Picture {
	const width, height = 640, 240
	m := gocv.NewMatWithSizeFromScalar(gocv.NewScalar(254, 0, 0, 0), height, width, gocv.MatTypeCV8U)
	fill := func(grey uint8, x0, y0, x1, y1 int) {
		gocv.Rectangle(&m, image.Rect(x0, y0, x1, y1), color.RGBA{R: grey, G: grey, B: grey}, -1)
	}
	fill(200, 80, 20, 600, 190)  // walls and roof
	fill(90, 95, 60, 585, 180)   // load
	fill(20, 300, 100, 330, 125) // the block
	fill(60, 80, 180, 600, 190)  // floor
	return &picture.Picture{Mat: m, Format: "drawn", Stored: image.Pt(width, height)}
}
