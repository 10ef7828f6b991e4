package lettering

import (
	"image"
	"math"
	"time"

	"gocv.io/x/gocv"

	"gatehouse/internal/vision/model"
	"gatehouse/internal/vision/picture"
	"gatehouse/internal/vision/wire"
)

// Model is the name of the model that reading numbers needs.
const Model = "container-reader"

// Analyser finds and reads container numbers. One call of Analyse at a time.
type Analyser struct {
	finder finder
	names  alphabet
}

// New loads the model from its folder.
func New(rt *model.Runtime, dir string) (*Analyser, error) {
	net, err := rt.Load(dir)
	if err != nil {
		return nil, err
	}
	return &Analyser{finder{net}, newAlphabet(net.Manifest.Alphabet)}, nil
}

// Close frees the model.
func (a *Analyser) Close() error { return a.finder.net.Close() }

// Version is the model's version.
func (a *Analyser) Version() string { return a.finder.net.Manifest.Version }

// Analyse reads the numbers on a picture in Colour mode. A picture on which
// none stands upright is looked at turned as well, as a roof is seen from any
// side, and a large one on which none is found then once more in parts. File
// and the decoding time are the caller's to add.
func (a *Analyser) Analyse(p *picture.Picture) (*wire.Codes, error) {
	started := time.Now()
	grey := gocv.NewMat()
	defer grey.Close()
	gocv.CvtColor(p.Mat, &grey, gocv.ColorBGRToGray)
	result := &wire.Codes{Codes: []wire.ContainerCode{}, Model: a.finder.net.Manifest.ID()}
	for _, t := range turns() {
		view := grey
		if t.code >= 0 {
			view = gocv.NewMat()
			gocv.Rotate(grey, &view, t.code)
		}
		found, chars, err := a.look(view, a.finder.find)
		if t.code >= 0 {
			_ = view.Close()
		}
		if err != nil {
			return nil, wire.Errorf(wire.Internal, "read container numbers: %v", err)
		}
		for _, n := range found {
			if t.code >= 0 && !n.checkOK { // turned lettering says many things; only proof counts
				continue
			}
			result.Codes = append(result.Codes, n.code(p.ToStored(t.back(n.bounds(), grey.Cols(), grey.Rows()))))
		}
		if len(result.Codes) > 0 || chars >= upright {
			break
		}
	}
	if len(result.Codes) == 0 && large(grey) {
		found, _, err := a.look(grey, a.finder.findCloser)
		if err != nil {
			return nil, wire.Errorf(wire.Internal, "read container numbers: %v", err)
		}
		for _, n := range found {
			result.Codes = append(result.Codes, n.code(p.ToStored(n.bounds())))
		}
	}
	result.MS = wire.Times{"read": float64(time.Since(started).Microseconds()) / 1000}
	return result, nil
}

// code is the number as it is reported, with its place in the file.
func (n number) code(at wire.Box) wire.ContainerCode {
	return wire.ContainerCode{
		Text: n.text, CheckOK: n.checkOK, Repaired: n.repaired, SizeType: n.sizeType, Box: at, Score: math.Round(n.score*1e4) / 1e4,
	}
}

// look reads what stands upright among the characters that find gives, the
// surest first.
func (a *Analyser) look(grey gocv.Mat, find func(gocv.Mat) ([]char, error)) (found []number, count int, err error) {
	chars, err := find(grey)
	if err != nil {
		return nil, 0, err
	}
	all := append(lines(chars, false), lines(chars, true)...)
	found = a.names.numbers(all)
	for i := range found {
		a.names.withSize(&found[i], all)
	}
	return found, len(chars), nil
}

// upright is how many characters show that a picture need not be turned.
const upright = 24

// bounds is the rectangle around a number's characters.
func (n number) bounds() image.Rectangle {
	var r image.Rectangle
	for _, c := range n.chars {
		r = r.Union(image.Rect(int(c.X-c.W/2), int(c.Y-c.H/2), int(math.Ceil(c.X+c.W/2)), int(math.Ceil(c.Y+c.H/2))))
	}
	return r
}

// turn is a way to look at the picture; a negative code is upright.
type turn struct {
	code gocv.RotateFlag
	back func(r image.Rectangle, w, h int) image.Rectangle // w and h of the upright picture
}

// turns are the four ways.
func turns() []turn {
	return []turn{
		{-1, func(r image.Rectangle, _, _ int) image.Rectangle { return r }},
		{gocv.Rotate90Clockwise, func(r image.Rectangle, _, h int) image.Rectangle {
			return image.Rect(r.Min.Y, h-r.Max.X, r.Max.Y, h-r.Min.X)
		}},
		{gocv.Rotate90CounterClockwise, func(r image.Rectangle, w, _ int) image.Rectangle {
			return image.Rect(w-r.Max.Y, r.Min.X, w-r.Min.Y, r.Max.X)
		}},
		{gocv.Rotate180Clockwise, func(r image.Rectangle, w, h int) image.Rectangle {
			return image.Rect(w-r.Max.X, h-r.Max.Y, w-r.Min.X, h-r.Min.Y)
		}},
	}
}
