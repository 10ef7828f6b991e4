package xray

import (
	"fmt"

	"gocv.io/x/gocv"

	"gatehouse/internal/vision/picture"
	"gatehouse/internal/vision/wire"
)

// Energies of a scan as results name them.
const (
	energyGrey   = "grey"
	energyPseudo = "pseudocolor"
	energyDual   = "dual"
)

// greyBy is a way to make one value of a colour.
type greyBy string

const (
	byLuma greyBy = "luma" // Rec. 601
	byMax  greyBy = "max"
	byMin  greyBy = "min"
)

// plane is one value per pixel, row by row.
type plane struct {
	W, H int
	V    []float32
}

func newPlane(w, h int) plane { return plane{w, h, make([]float32, w*h)} }

// at is the value at column x of row y.
func (p plane) at(x, y int) float32 { return p.V[y*p.W+x] }

// row is the values of a row between two columns.
func (p plane) row(y, x0, x1 int) []float32 { return p.V[y*p.W+x0 : y*p.W+x1] }

// mat makes a 32-bit matrix of the plane. The caller closes it.
func (p plane) mat() (gocv.Mat, error) {
	m := gocv.NewMatWithSize(p.H, p.W, gocv.MatTypeCV32F)
	data, err := m.DataPtrFloat32()
	if err != nil {
		_ = m.Close()
		return m, fmt.Errorf("make a plane: %w", err)
	}
	copy(data, p.V)
	return m, nil
}

// mostSide is the long side in pixels from which a scan is made smaller before
// anything else: no analysis looks that closely, and memory is bounded.
const mostSide = 2560

// grey reads a scan of 8 or 16 bit, grey or colour, as 0 (nothing came through)
// to 1, and tells which kind of picture it is. A very large scan comes smaller.
func grey(p *picture.Picture, by greyBy) (plane, string, error) {
	if side := max(p.Mat.Cols(), p.Mat.Rows()); side > mostSide {
		small := gocv.NewMat()
		defer small.Close()
		gocv.Resize(p.Mat, &small, sizeOf(max(1, p.Mat.Cols()*mostSide/side), max(1, p.Mat.Rows()*mostSide/side)),
			0, 0, gocv.InterpolationArea)
		return greyOf(small, by)
	}
	return greyOf(p.Mat, by)
}

func greyOf(m gocv.Mat, by greyBy) (plane, string, error) {
	var scale float32
	channels := m.Channels()
	var get func(i int) float32
	switch m.Type() & 7 { // the depth without the channels
	case gocv.MatTypeCV8U:
		data, err := m.DataPtrUint8()
		if err != nil {
			return plane{}, "", wire.Errorf(wire.Internal, "read pixels: %v", err)
		}
		scale, get = 1.0/255, func(i int) float32 { return float32(data[i]) }
	case gocv.MatTypeCV16U:
		data, err := m.DataPtrUint16()
		if err != nil {
			return plane{}, "", wire.Errorf(wire.Internal, "read pixels: %v", err)
		}
		scale, get = 1.0/65535, func(i int) float32 { return float32(data[i]) }
	default:
		return plane{}, "", wire.Errorf(wire.Unsupported, "the scan is neither 8 nor 16 bit")
	}
	out := newPlane(m.Cols(), m.Rows())
	if channels == 1 {
		for i := range out.V {
			out.V[i] = get(i) * scale
		}
		return out, energyGrey, nil
	}
	if channels != 3 {
		return plane{}, "", wire.Errorf(wire.Unsupported, "the scan has %d channels; 1 or 3 are understood", channels)
	}
	var spread float64
	for i := range out.V {
		b, g, r := get(3*i)*scale, get(3*i+1)*scale, get(3*i+2)*scale
		lo, hi := min(b, g, r), max(b, g, r)
		spread += float64(hi - lo)
		switch by {
		case byMax:
			out.V[i] = hi
		case byMin:
			out.V[i] = lo
		default:
			out.V[i] = 0.299*r + 0.587*g + 0.114*b
		}
	}
	// JPEG noise colours a grey scan a little; pseudo-colour is far above.
	if spread/float64(len(out.V)) < 0.02 {
		return out, energyGrey, nil
	}
	return out, energyPseudo, nil
}

// resized is the plane at another size, by the mean of its pixels when smaller.
func (p plane) resized(w, h int) (plane, error) {
	if w == p.W && h == p.H {
		return p, nil
	}
	src, err := p.mat()
	if err != nil {
		return plane{}, err
	}
	defer src.Close()
	dst := gocv.NewMat()
	defer dst.Close()
	interpolation := gocv.InterpolationLinear
	if w < p.W {
		interpolation = gocv.InterpolationArea
	}
	gocv.Resize(src, &dst, sizeOf(w, h), 0, 0, interpolation)
	data, err := dst.DataPtrFloat32()
	if err != nil {
		return plane{}, fmt.Errorf("resize: %w", err)
	}
	out := newPlane(w, h)
	copy(out.V, data)
	return out, nil
}
