package picture

import (
	"fmt"
	"image"

	"gocv.io/x/gocv"

	"gatehouse/internal/vision/wire"
)

// Mode is how the pixels are wanted.
type Mode int

const (
	// Colour is 8-bit BGR, turned upright as the file's orientation says.
	Colour Mode = iota
	// Raw keeps depth and channels of the file: 8 or 16 bit, grey or BGR. Turned
	// upright too, so that a Box can be mapped back in the same way.
	Raw
)

// Picture is a decoded image. Close frees its memory.
type Picture struct {
	Mat    gocv.Mat
	Format string      // as sniffed: "jpeg", "png", "tiff", "bmp" or "webp"
	Stored image.Point // width and height of the file as stored
	Colour bool        // the file itself has colour, whatever the Mode
	turn   int         // orientation 1..8 that was undone
}

// Open decodes the file at path. Every error is a *wire.Error.
func Open(path string, mode Mode, limits Limits) (*Picture, error) {
	data, err := read(path, limits)
	if err != nil {
		return nil, err
	}
	return Decode(data, mode, limits)
}

// Decode decodes the bytes of a file. Every error is a *wire.Error.
func Decode(data []byte, mode Mode, limits Limits) (*Picture, error) {
	h, err := inspect(data, limits)
	if err != nil {
		return nil, err
	}
	flags := gocv.IMReadColor | gocv.IMReadIgnoreOrientation
	if mode == Raw {
		flags = gocv.IMReadAnyDepth | gocv.IMReadAnyColor | gocv.IMReadIgnoreOrientation
	}
	mat, err := gocv.IMDecode(data, flags)
	if err != nil {
		return nil, wire.Errorf(wire.Undecodable, "%s picture cannot be decoded: %v", h.Format, err)
	}
	p := &Picture{Mat: mat, Format: h.Format, Stored: h.Size, Colour: h.Colour, turn: h.Orientation}
	if err := p.upright(); err != nil {
		p.Close()
		return nil, err
	}
	return p, nil
}

// Close frees the pixels.
func (p *Picture) Close() { _ = p.Mat.Close() }

// upright turns the pixels as the orientation says. OpenCV's TIFF decoder does
// so itself and cannot be told not to; JPEG is turned here.
func (p *Picture) upright() error {
	if p.Mat.Empty() {
		return wire.Errorf(wire.Undecodable, "%s picture is damaged or cut off", p.Format)
	}
	want := p.Stored
	if p.Format == "tiff" && p.turn > 4 {
		want = image.Pt(want.Y, want.X)
	}
	if got := image.Pt(p.Mat.Cols(), p.Mat.Rows()); got != want {
		return wire.Errorf(wire.Undecodable, "%s header says %v pixels and the data has %v", p.Format, want, got)
	}
	if p.Format == "tiff" {
		return nil
	}
	switch p.turn {
	case 2:
		gocv.Flip(p.Mat, &p.Mat, 1)
	case 3:
		gocv.Rotate(p.Mat, &p.Mat, gocv.Rotate180Clockwise)
	case 4:
		gocv.Flip(p.Mat, &p.Mat, 0)
	case 5:
		p.rotate(gocv.Rotate90Clockwise)
		gocv.Flip(p.Mat, &p.Mat, 1)
	case 6:
		p.rotate(gocv.Rotate90Clockwise)
	case 7:
		p.rotate(gocv.Rotate90Clockwise)
		gocv.Flip(p.Mat, &p.Mat, 0)
	case 8:
		p.rotate(gocv.Rotate90CounterClockwise)
	}
	return nil
}

// rotate by a quarter changes the shape, so it needs a new matrix.
func (p *Picture) rotate(code gocv.RotateFlag) {
	turned := gocv.NewMat()
	gocv.Rotate(p.Mat, &turned, code)
	_ = p.Mat.Close()
	p.Mat = turned
}

// ToStored maps a rectangle of the upright picture to the file as stored,
// clipped to it.
func (p *Picture) ToStored(r image.Rectangle) wire.Box {
	w, h := p.Stored.X, p.Stored.Y
	back := func(q image.Point) image.Point {
		switch p.turn {
		case 2:
			return image.Pt(w-q.X, q.Y)
		case 3:
			return image.Pt(w-q.X, h-q.Y)
		case 4:
			return image.Pt(q.X, h-q.Y)
		case 5:
			return image.Pt(q.Y, q.X)
		case 6:
			return image.Pt(q.Y, h-q.X)
		case 7:
			return image.Pt(w-q.Y, h-q.X)
		case 8:
			return image.Pt(w-q.Y, q.X)
		}
		return q
	}
	a, b := back(r.Min), back(r.Max)
	s := image.Rect(a.X, a.Y, b.X, b.Y).Intersect(image.Rect(0, 0, w, h))
	return wire.Box{s.Min.X, s.Min.Y, s.Dx(), s.Dy()}
}

// String describes the picture for messages.
func (p *Picture) String() string {
	return fmt.Sprintf("%s %dx%d", p.Format, p.Stored.X, p.Stored.Y)
}
