package picture

import (
	"bytes"
	"encoding/binary"
	"errors"
	"image"
	"image/png"

	"gocv.io/x/gocv"

	"gatehouse/internal/dicos"
	"gatehouse/internal/vision/wire"
)

// Scan is the pixels of one X-ray view. A file that was cut off gives the rows
// that it holds; they are never filled up with invented ones.
type Scan struct {
	*Picture // the high energy where there are two, else the only plane, in Raw mode
	// Low is the low energy, of the same size and depth; nil without one.
	Low *gocv.Mat
	// DX is the header of a DICOS file, without its frames; else nil.
	DX *dicos.DX
	// Swapped says that the planes came low energy first.
	Swapped bool
}

// Close frees the pixels.
func (s *Scan) Close() {
	s.Picture.Close()
	if s.Low != nil {
		_ = s.Low.Close()
	}
}

// Whole is the share of the rows that the file holds, 1 for a whole one.
func (s *Scan) Whole() float64 {
	upright := s.Stored.Y
	if s.turn > 4 {
		upright = s.Stored.X
	}
	return min(1, float64(s.Mat.Rows())/float64(max(1, upright)))
}

// OpenScan decodes the scan at path. Every error is a *wire.Error.
func OpenScan(path string, limits Limits) (*Scan, []byte, error) {
	data, err := read(path, limits)
	if err != nil {
		return nil, nil, err
	}
	s, err := DecodeScan(data, limits)
	return s, data, err
}

// DecodeScan decodes the bytes of a scan: PNG, JPEG, BMP and WebP pictures, TIFF
// with one page, two pages or two samples a pixel, PNG with a second channel,
// and DICOS. Every error is a *wire.Error.
func DecodeScan(data []byte, limits Limits) (*Scan, error) {
	if dicos.Sniff(data) {
		return decodeDX(data, limits)
	}
	h, err := inspectScan(data, limits)
	if err != nil {
		return nil, err
	}
	switch h.Format {
	case "tiff":
		return decodeTIFF(data, h, limits)
	case "png":
		return decodePNG(data, h, limits)
	case "jpeg":
		return decodeJPEG(data, h, limits)
	}
	return single(Decode(data, Raw, limits))
}

// inspectScan is inspect for files that may be cut off.
func inspectScan(data []byte, limits Limits) (header, error) {
	format, config := sniff(data)
	if config == nil {
		return header{}, wire.Errorf(wire.Unsupported, "is no JPEG, PNG, TIFF, BMP, WebP or DICOS scan")
	}
	if format == "tiff" { // its directories are read by tiff.go, which bounds them
		return header{Format: format}, nil
	}
	if format == "jpeg" && !walkJPEG(data).complete {
		data = append(bytes.Clone(data), 0xff, 0xd9)
	}
	h, err := inspect(data, limits)
	if err == nil || format != "png" {
		return h, err
	}
	return header{}, err
}

func single(p *Picture, err error) (*Scan, error) {
	if err != nil {
		return nil, err
	}
	return &Scan{Picture: p}, nil
}

// pair makes a scan of two planes of one size. The low energy is the one that
// less comes through; the order in the file does not tell.
func pair(high, low *Picture) (*Scan, error) {
	if high.Mat.Type() != low.Mat.Type() || high.Mat.Channels() != 1 {
		high.Close()
		low.Close()
		return nil, wire.Errorf(wire.Unsupported, "its two planes are not both grey of one depth")
	}
	if rows := min(high.Mat.Rows(), low.Mat.Rows()); high.Mat.Cols() == low.Mat.Cols() && high.Mat.Rows() != low.Mat.Rows() {
		high.keepRows(rows)
		low.keepRows(rows)
	}
	if high.Mat.Cols() != low.Mat.Cols() || high.Mat.Rows() != low.Mat.Rows() {
		sizes := [2]string{high.String(), low.String()}
		high.Close()
		low.Close()
		return nil, wire.Errorf(wire.Unsupported, "its two energies differ in size: %s and %s", sizes[0], sizes[1])
	}
	s := &Scan{Picture: high, Low: &low.Mat}
	if throughput(low.Mat) > throughput(high.Mat) {
		high.Mat, low.Mat = low.Mat, high.Mat
		s.Swapped = true
	}
	return s, nil
}

// Pair joins two scans of one view that came in two files.
func Pair(high, low *Scan) (*Scan, error) {
	s, err := pair(high.Picture, low.Picture)
	if err != nil {
		return nil, err
	}
	s.DX = high.DX
	return s, nil
}

// throughput is the mean value relative to the brightest one.
func throughput(m gocv.Mat) float64 {
	_, top, _, _ := gocv.MinMaxLoc(m)
	return m.Mean().Val1 / max(1, float64(top))
}

// keepRows cuts the picture to its first rows.
func (p *Picture) keepRows(rows int) {
	if rows >= p.Mat.Rows() {
		return
	}
	part := p.Mat.Region(image.Rect(0, 0, p.Mat.Cols(), rows))
	kept := part.Clone()
	_ = part.Close()
	_ = p.Mat.Close()
	p.Mat = kept
}

// decodeDX makes matrices of a DICOS file.
func decodeDX(data []byte, limits Limits) (*Scan, error) {
	d, err := dicos.Read(data, limits.Pixels)
	switch {
	case errors.Is(err, dicos.ErrTooLarge):
		return nil, wire.Errorf(wire.TooManyPixels, "%v", err)
	case errors.Is(err, dicos.ErrUnsupported):
		return nil, wire.Errorf(wire.Unsupported, "%v", err)
	case err != nil:
		return nil, wire.Errorf(wire.Undecodable, "%v", err)
	}
	if d.Width > limits.Side || d.Height > limits.Side {
		return nil, wire.Errorf(wire.TooManyPixels, "has %dx%d pixels; at most %d a side are decoded", d.Width, d.Height, limits.Side)
	}
	var planes []*Picture
	for _, f := range d.Frames {
		m, err := matOf(f[:d.Rows*d.Width], d.Width, 16-d.Bits)
		if err != nil {
			for _, p := range planes {
				p.Close()
			}
			return nil, err
		}
		planes = append(planes, &Picture{Mat: m, Format: "dicos", Stored: image.Pt(d.Width, d.Height), turn: 1})
	}
	d.Frames = nil
	s := &Scan{Picture: planes[0]}
	if len(planes) > 1 {
		if s, err = pair(planes[0], planes[1]); err != nil {
			return nil, err
		}
	}
	s.DX = d
	return s, nil
}

// matOf makes a 16-bit matrix of values, shifted so that the full range is used.
func matOf(v []uint16, w, shift int) (gocv.Mat, error) {
	m := gocv.NewMatWithSize(len(v)/w, w, gocv.MatTypeCV16U)
	to, err := m.DataPtrUint16()
	if err != nil {
		_ = m.Close()
		return m, wire.Errorf(wire.Internal, "make a matrix: %v", err)
	}
	for i, x := range v {
		to[i] = x << shift
	}
	return m, nil
}

// decodePNG decodes a PNG, whole or cut off. Grey with a second channel is a
// dual-energy scan.
func decodePNG(data []byte, h header, limits Limits) (*Scan, error) {
	rows := h.Size.Y
	if fixed, n, cut := completePNG(data, limits); cut {
		if n == 0 {
			return nil, wire.Errorf(wire.Undecodable, "PNG is cut off before its first row")
		}
		data, rows = fixed, n
	}
	if data[25] == pngGreyAlpha {
		return twoChannels(data, rows)
	}
	p, err := Decode(data, Raw, limits)
	if err != nil {
		return nil, err
	}
	p.keepRows(rows)
	return &Scan{Picture: p}, nil
}

// pngGreyAlpha is the colour type of grey with a second channel, PNG 11.2.2.
const pngGreyAlpha = 4

// twoChannels splits a grey PNG with a second channel.
func twoChannels(data []byte, rows int) (*Scan, error) {
	img, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		return nil, wire.Errorf(wire.Undecodable, "png picture cannot be decoded: %v", err)
	}
	b := img.Bounds()
	w := b.Dx()
	first, second := make([]uint16, w*rows), make([]uint16, w*rows)
	switch m := img.(type) {
	case *image.NRGBA:
		for i := range first {
			c := m.NRGBAAt(i%w, i/w)
			first[i], second[i] = uint16(c.R)*257, uint16(c.A)*257
		}
	case *image.NRGBA64:
		for i := range first {
			c := m.NRGBA64At(i%w, i/w)
			first[i], second[i] = c.R, c.A
		}
	default:
		return nil, wire.Errorf(wire.Unsupported, "png with a second channel in an unknown form")
	}
	return planes(first, second, w, "png", image.Pt(w, b.Dy()))
}

// planes joins two planes of values.
func planes(first, second []uint16, w int, format string, stored image.Point) (*Scan, error) {
	a, err := matOf(first, w, 0)
	if err != nil {
		return nil, err
	}
	b, err := matOf(second, w, 0)
	if err != nil {
		_ = a.Close()
		return nil, err
	}
	return pair(&Picture{Mat: a, Format: format, Stored: stored, turn: 1}, &Picture{Mat: b, Format: format, Stored: stored, turn: 1})
}

// decodeJPEG decodes a JPEG, whole or, when it is sequential, cut off.
func decodeJPEG(data []byte, h header, limits Limits) (*Scan, error) {
	if walkJPEG(data).complete {
		return single(Decode(data, Raw, limits))
	}
	if h.Orientation != 1 || progressive(data) {
		return nil, wire.Errorf(wire.Undecodable, "JPEG is cut off: its end marker is missing")
	}
	p, err := Decode(append(bytes.Clone(data), 0xff, 0xd9), Raw, limits)
	if err != nil {
		return nil, err
	}
	rows := p.Mat.Rows() - filler(p.Mat)
	// The decoder fills what is missing with one level; blocks are up to 16 high.
	rows = rows/16*16 - 16
	if rows < 16 {
		p.Close()
		return nil, wire.Errorf(wire.Undecodable, "JPEG is cut off before its first rows")
	}
	p.keepRows(rows)
	return &Scan{Picture: p}, nil
}

// filler counts the rows at the bottom that have one and the same level.
func filler(m gocv.Mat) int {
	data, err := m.DataPtrUint8()
	if err != nil || len(data) == 0 {
		return 0
	}
	row := m.Cols() * m.Channels()
	last := data[len(data)-1]
	n := 0
	for y := m.Rows() - 1; y >= 0; y-- {
		for _, v := range data[y*row : (y+1)*row] {
			if v != last {
				return n
			}
		}
		n++
	}
	return n
}

// progressive tells from the frame header whether a JPEG is: markers SOF2 and
// those after it, T.81 table B.1.
func progressive(data []byte) bool {
	for i := 2; i+4 <= len(data) && data[i] == 0xff; i += 2 + int(binary.BigEndian.Uint16(data[i+2:])) {
		if m := data[i+1]; m >= 0xc0 && m <= 0xcf && m != 0xc4 && m != 0xc8 && m != 0xcc {
			return m != 0xc0 && m != 0xc1
		}
	}
	return false
}
