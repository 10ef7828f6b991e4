package picture

import (
	"bytes"
	"encoding/binary"
	"image"

	"golang.org/x/image/tiff"

	"gatehouse/internal/vision/wire"
)

// TIFF 6.0 tags.
const (
	tagSubfile      = 254
	tagWidth        = 256
	tagLength       = 257
	tagBits         = 258
	tagCompression  = 259
	tagPhotometric  = 262
	tagOffsets      = 273
	tagOrientation  = 274
	tagSamples      = 277
	tagRowsPerStrip = 278
	tagCounts       = 279
	tagPlanar       = 284
	tagPredictor    = 317
	tagTileOffsets  = 324
)

// mostPages bounds the walk along the directories.
const mostPages = 16

// page is one directory of a TIFF file.
type page struct {
	at      int64 // of the directory in the file
	entries map[uint16]entry
}

// entry is a directory entry. where is its place in the file.
type entry struct {
	kind   uint16
	count  uint32
	where  int64
	values []uint32 // of whole-number kinds
}

func (p page) value(tag uint16, absent uint32) uint32 {
	if e, ok := p.entries[tag]; ok && len(e.values) > 0 {
		return e.values[0]
	}
	return absent
}

// tiffFile is a TIFF's bytes with its byte order.
type tiffFile struct {
	data  []byte
	order binary.ByteOrder
}

func (f tiffFile) pages() ([]page, error) {
	var out []page
	seen := map[int64]bool{}
	if len(f.data) < 8 {
		return nil, wire.Errorf(wire.Undecodable, "TIFF is cut off in its header")
	}
	at := int64(f.order.Uint32(f.data[4:]))
	for at != 0 && len(out) < mostPages && !seen[at] {
		seen[at] = true
		if at+2 > int64(len(f.data)) {
			break
		}
		n := int64(f.order.Uint16(f.data[at:]))
		if at+2+12*n > int64(len(f.data)) {
			break
		}
		p := page{at: at, entries: make(map[uint16]entry, n)}
		for k := range n {
			w := at + 2 + 12*k
			p.entries[f.order.Uint16(f.data[w:])] = f.entry(w)
		}
		out = append(out, p)
		if at = at + 2 + 12*n; at+4 > int64(len(f.data)) {
			break
		}
		at = int64(f.order.Uint32(f.data[at:]))
	}
	if len(out) == 0 {
		return nil, wire.Errorf(wire.Undecodable, "TIFF is cut off before its directory")
	}
	return out, nil
}

// entry reads an entry with the values of the kinds SHORT and LONG.
func (f tiffFile) entry(at int64) entry {
	e := entry{kind: f.order.Uint16(f.data[at+2:]), count: f.order.Uint32(f.data[at+4:]), where: at}
	size := map[uint16]int64{3: 2, 4: 4}[e.kind]
	if size == 0 || e.count == 0 {
		return e
	}
	from := at + 8
	if int64(e.count)*size > 4 {
		from = int64(f.order.Uint32(f.data[at+8:]))
	}
	if from+int64(e.count)*size > int64(len(f.data)) {
		return e
	}
	e.values = make([]uint32, e.count)
	for i := range e.values {
		if size == 2 {
			e.values[i] = uint32(f.order.Uint16(f.data[from+2*int64(i):]))
		} else {
			e.values[i] = f.order.Uint32(f.data[from+4*int64(i):])
		}
	}
	return e
}

// decodeTIFF decodes the first page, or two pages or two samples a pixel as two
// energies.
func decodeTIFF(data []byte, _ header, limits Limits) (*Scan, error) {
	f := tiffFile{data: data, order: binary.LittleEndian}
	if data[0] == 'M' {
		f.order = binary.BigEndian
	}
	all, err := f.pages()
	if err != nil {
		return nil, err
	}
	var views []page
	for _, p := range all {
		if p.value(tagSubfile, 0)&1 != 0 { // a thumbnail
			continue
		}
		if err := p.allowed(limits); err != nil {
			return nil, err
		}
		views = append(views, p)
	}
	if len(views) == 0 {
		return nil, wire.Errorf(wire.Unsupported, "TIFF has no page of full size")
	}
	first := views[0]
	if first.value(tagSamples, 1) == 2 {
		return f.twoSamples(first, limits)
	}
	high, err := f.view(first, limits)
	if err != nil {
		return nil, err
	}
	if len(views) < 2 || !first.like(views[1]) {
		return &Scan{Picture: high}, nil
	}
	low, err := f.view(views[1], limits)
	if err != nil {
		if first.rowsIn(int64(len(data))) > 0 { // cut off in the second page: the first one is sound
			return &Scan{Picture: high}, nil
		}
		high.Close()
		return nil, err
	}
	return pair(high, low)
}

func (p page) allowed(limits Limits) error {
	w, h := int(p.value(tagWidth, 0)), int(p.value(tagLength, 0))
	if w <= 0 || h <= 0 {
		return wire.Errorf(wire.Undecodable, "TIFF directory says %dx%d pixels", w, h)
	}
	if w > limits.Side || h > limits.Side || w*h > limits.Pixels {
		return wire.Errorf(wire.TooManyPixels, "has %dx%d pixels; at most %d pixels and %d a side are decoded", w, h, limits.Pixels, limits.Side)
	}
	return nil
}

// like tells whether two pages can be the two energies of one view.
func (p page) like(q page) bool {
	for _, t := range []uint16{tagWidth, tagLength, tagBits, tagPhotometric} {
		if p.value(t, 1) != q.value(t, 1) {
			return false
		}
	}
	return p.value(tagSamples, 1) == 1 && q.value(tagSamples, 1) == 1
}

// rowsIn is how many rows, from the top, lie in whole within size bytes.
func (p page) rowsIn(size int64) int {
	h := int64(p.value(tagLength, 0))
	offsets, counts := p.entries[tagOffsets].values, p.entries[tagCounts].values
	if len(offsets) == 0 || len(offsets) != len(counts) {
		return 0
	}
	each := min(h, int64(p.value(tagRowsPerStrip, uint32(h))))
	if each <= 0 {
		return 0
	}
	row := int64(p.value(tagWidth, 0)) * int64(p.value(tagSamples, 1)) * int64(p.value(tagBits, 8)) / 8
	rows := int64(0)
	for i := range offsets {
		from, to := int64(offsets[i]), int64(offsets[i])+int64(counts[i])
		if to <= size {
			rows += each
			continue
		}
		if p.value(tagCompression, 1) == 1 && row > 0 && from < size {
			rows += (size - from) / row
		}
		break
	}
	return int(min(rows, h))
}

// view decodes one page with one or three samples.
func (f tiffFile) view(p page, limits Limits) (*Picture, error) {
	data := bytes.Clone(f.data)
	f.order.PutUint32(data[4:], uint32(p.at))
	h := int(p.value(tagLength, 0))
	rows := p.rowsIn(int64(len(data)))
	_, tiled := p.entries[tagTileOffsets]
	if tiled || rows >= h || len(p.entries[tagOffsets].values) == 0 {
		return Decode(data, Raw, limits)
	}
	if rows == 0 || p.value(tagOrientation, 1) != 1 {
		return nil, wire.Errorf(wire.Undecodable, "TIFF is cut off before its first row")
	}
	data, err := f.shortened(data, p, rows)
	if err != nil {
		return nil, err
	}
	pic, err := Decode(data, Raw, limits)
	if err != nil {
		return nil, err
	}
	pic.keepRows(rows)
	pic.Stored.Y = h
	return pic, nil
}

// shortened makes the page end with the last row that is there. An uncompressed
// strip that is cut is filled up; the filling is below the last row.
func (f tiffFile) shortened(data []byte, p page, rows int) ([]byte, error) {
	e, ok := p.entries[tagLength]
	if !ok {
		return nil, wire.Errorf(wire.Undecodable, "TIFF has no length")
	}
	f.put(data, e, uint32(rows))
	each := max(1, int(p.value(tagRowsPerStrip, uint32(rows))))
	strips := (rows + each - 1) / each
	offsets, counts := p.entries[tagOffsets].values, p.entries[tagCounts].values
	end := int64(len(data))
	for i := range min(strips, len(offsets)) {
		end = max(end, int64(offsets[i])+int64(counts[i]))
	}
	if end > int64(len(data))+int64(p.value(tagWidth, 0))*int64(p.value(tagLength, 0))*8 {
		return nil, wire.Errorf(wire.Undecodable, "TIFF says strips that cannot be")
	}
	return append(data, make([]byte, end-int64(len(data)))...), nil
}

// put changes an entry to one value of kind LONG.
func (f tiffFile) put(data []byte, e entry, v uint32) {
	f.order.PutUint16(data[e.where+2:], 4)
	f.order.PutUint32(data[e.where+4:], 1)
	f.order.PutUint32(data[e.where+8:], v)
}

// twoSamples decodes a page with two samples a pixel, side by side: it is read
// as one grey picture twice as wide.
func (f tiffFile) twoSamples(p page, limits Limits) (*Scan, error) {
	w, h := int(p.value(tagWidth, 0)), int(p.value(tagLength, 0))
	bits := p.value(tagBits, 8)
	if p.value(tagPlanar, 1) != 1 || p.value(tagPredictor, 1) != 1 || bits != 8 && bits != 16 {
		return nil, wire.Errorf(wire.Unsupported, "TIFF with two samples a pixel must have them side by side, of 8 or 16 bits, without a predictor")
	}
	rows := p.rowsIn(int64(len(f.data)))
	if rows == 0 {
		return nil, wire.Errorf(wire.Undecodable, "TIFF is cut off before its first row")
	}
	data := bytes.Clone(f.data)
	f.order.PutUint32(data[4:], uint32(p.at))
	if rows < h {
		var err error
		if data, err = f.shortened(data, p, rows); err != nil {
			return nil, err
		}
	}
	for tag, v := range map[uint16]uint32{tagWidth: uint32(2 * w), tagSamples: 1, tagBits: bits, tagPhotometric: 1} {
		e, ok := p.entries[tag]
		if !ok {
			return nil, wire.Errorf(wire.Undecodable, "TIFF lacks tag %d", tag)
		}
		f.put(data, e, v)
	}
	img, err := tiff.Decode(bytes.NewReader(data))
	if err != nil {
		return nil, wire.Errorf(wire.Undecodable, "tiff picture cannot be decoded: %v", err)
	}
	first, second := make([]uint16, w*rows), make([]uint16, w*rows)
	for i := range first {
		x, y := 2*(i%w), i/w
		switch m := img.(type) {
		case *image.Gray16:
			first[i], second[i] = m.Gray16At(x, y).Y, m.Gray16At(x+1, y).Y
		case *image.Gray:
			first[i], second[i] = uint16(m.GrayAt(x, y).Y)*257, uint16(m.GrayAt(x+1, y).Y)*257
		}
	}
	return planes(first, second, w, "tiff", image.Pt(w, h))
}
