// Package scantest writes X-ray scans in the forms in which scanners leave
// them, for tests and measurements.
package scantest

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"

	"gatehouse/internal/dicos"
)

// Plane is transmission times the air level, 0..1, row by row.
type Plane struct {
	W, H int
	V    []float32
}

func (p Plane) level(i, top int) int { return int(min(max(p.V[i], 0), 1)*float32(top) + 0.5) }

// Forms are the names that File takes for a dual-energy scan in one file, and
// for a single plane.
func Forms() (dual, single []string) {
	return []string{"tiff-pages", "tiff-samples", "png-alpha", "dicos"}, []string{"png16", "png8", "tiff16", "jpeg", "dicos-one"}
}

// File encodes a scan. low is ignored by the single forms.
func File(form string, high, low Plane) ([]byte, string, error) {
	var b bytes.Buffer
	var err error
	switch form {
	case "png16":
		err = png.Encode(&b, grey16(high))
	case "png8":
		err = png.Encode(&b, grey8(high))
	case "jpeg":
		err = jpeg.Encode(&b, grey8(high), &jpeg.Options{Quality: 92})
	case "png-alpha":
		m := image.NewNRGBA64(image.Rect(0, 0, high.W, high.H))
		for i := range high.V {
			v := uint16(high.level(i, 65535))
			m.SetNRGBA64(i%high.W, i/high.W, color.NRGBA64{R: v, G: v, B: v, A: uint16(low.level(i, 65535))})
		}
		return alphaPNG(m), ".png", nil
	case "tiff16":
		return TIFF(high), ".tif", nil
	case "tiff-pages":
		return TIFF(high, low), ".tif", nil
	case "tiff-samples":
		return samplesTIFF(high, low), ".tif", nil
	case "dicos", "dicos-one":
		d := &dicos.DX{ScanID: "T-1", View: 1, KV: 160, Width: high.W, Height: high.H, Bits: 16, Rows: high.H}
		d.Frames = append(d.Frames, values(high))
		if form == "dicos" {
			d.Frames = append(d.Frames, values(low))
		}
		err = d.Write(&b)
		return b.Bytes(), ".dcs", err
	default:
		return nil, "", fmt.Errorf("there is no form %q", form)
	}
	ext := ".png"
	if form == "jpeg" {
		ext = ".jpg"
	}
	return b.Bytes(), ext, err
}

func values(p Plane) []uint16 {
	out := make([]uint16, len(p.V))
	for i := range out {
		out[i] = uint16(p.level(i, 65535))
	}
	return out
}

func grey16(p Plane) *image.Gray16 {
	m := image.NewGray16(image.Rect(0, 0, p.W, p.H))
	for i := range p.V {
		binary.BigEndian.PutUint16(m.Pix[2*i:], uint16(p.level(i, 65535)))
	}
	return m
}

func grey8(p Plane) *image.Gray {
	m := image.NewGray(image.Rect(0, 0, p.W, p.H))
	for i := range p.V {
		m.Pix[i] = uint8(p.level(i, 255))
	}
	return m
}

// TIFF is an uncompressed 16-bit TIFF of one page a plane, the directories
// before the pixels so that a cut leaves them, in strips of 16 rows.
func TIFF(planes ...Plane) []byte { return tiffOf(1, planes...) }

// samplesTIFF has both planes in one page, sample beside sample.
func samplesTIFF(high, low Plane) []byte {
	both := Plane{W: 2 * high.W, H: high.H, V: make([]float32, 2*len(high.V))}
	for i := range high.V {
		both.V[2*i], both.V[2*i+1] = high.V[i], low.V[i]
	}
	return tiffOf(2, both)
}

func tiffOf(samples int, planes ...Plane) []byte {
	const strip, fields = 16, 11
	le := binary.LittleEndian
	out := le.AppendUint32([]byte("II*\x00"), 8)
	at := 8 // where directories and their lists end
	for _, p := range planes {
		n := (p.H + strip - 1) / strip
		at += 2 + 12*fields + 4 + 8*n
	}
	for k, p := range planes {
		n := (p.H + strip - 1) / strip
		lists := len(out) + 2 + 12*fields + 4
		put := func(tag, kind, count, value int) {
			out = le.AppendUint16(le.AppendUint16(out, uint16(tag)), uint16(kind))
			out = le.AppendUint32(le.AppendUint32(out, uint32(count)), uint32(value))
		}
		out = le.AppendUint16(out, fields)
		put(256, 4, 1, p.W/samples)
		put(257, 4, 1, p.H)
		if samples == 1 {
			put(258, 3, 1, 16)
		} else {
			put(258, 3, 2, 16|16<<16)
		}
		put(259, 3, 1, 1)
		put(262, 3, 1, 1)
		offsets, counts := lists, lists+4*n
		if n == 1 {
			offsets, counts = at, 2*p.W*p.H
		}
		put(273, 4, n, offsets)
		put(277, 3, 1, samples)
		put(278, 4, 1, strip)
		put(279, 4, n, counts)
		put(284, 3, 1, 1)
		put(338, 3, 1, 0)
		next := 0
		if k+1 < len(planes) {
			next = lists + 8*n
		}
		out = le.AppendUint32(out, uint32(next))
		from := at
		for _, size := range []bool{false, true} {
			for s := range n {
				bytes := 2 * p.W * min(strip, p.H-s*strip)
				if size {
					out = le.AppendUint32(out, uint32(bytes))
				} else {
					out = le.AppendUint32(out, uint32(from))
					from += bytes
				}
			}
		}
		at = from
	}
	for _, p := range planes {
		for i := range p.V {
			out = le.AppendUint16(out, uint16(p.level(i, 65535)))
		}
	}
	return out
}

// alphaPNG is a PNG of colour type 4, which the library does not write.
func alphaPNG(m *image.NRGBA64) []byte {
	w, h := m.Rect.Dx(), m.Rect.Dy()
	raw := make([]byte, 0, h*(1+4*w))
	for y := range h {
		raw = append(raw, 0)
		for x := range w {
			c := m.NRGBA64At(x, y)
			raw = binary.BigEndian.AppendUint16(binary.BigEndian.AppendUint16(raw, c.R), c.A)
		}
	}
	return rawPNG(w, h, 16, 4, raw)
}
