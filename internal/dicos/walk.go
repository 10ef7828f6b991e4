package dicos

import (
	"encoding/binary"
	"fmt"
)

// undefined is the length of an element that ends with a delimiter.
const undefined = 0xffffffff

// Tags that the walk needs, as group<<16 | element.
const (
	tagTransferSyntax = 0x00020010
	tagPixelData      = 0x7fe00010
	tagItem           = 0xfffee000
	tagItemEnd        = 0xfffee00d
	tagSequenceEnd    = 0xfffee0dd
)

// deepest is how many sequences may lie in each other.
const deepest = 16

// layout is what a walk over a file finds.
type layout struct {
	syntax string
	pixels int   // offset of the pixel data's bytes; 0 when there are none
	length int64 // what the pixel data's length field says
	// encapsulated pixel data are compressed.
	encapsulated bool
}

// missing is how many bytes of the pixel data are not in the file.
func (l layout) missing(size int) int64 { return max(0, int64(l.pixels)+l.length-int64(size)) }

// walk checks that every element lies within the file, except the pixel data
// at its end, which a transfer may have cut.
func walk(data []byte) (layout, error) {
	var l layout
	w := walker{data: data, at: 132}
	for w.at < len(data) { // group 2 is always explicit
		if w.at+2 <= len(data) && binary.LittleEndian.Uint16(data[w.at:]) != 2 {
			break
		}
		tag, n, err := w.element(false)
		if err != nil {
			return l, err
		}
		if n == undefined || int64(w.at)+n > int64(len(data)) {
			return l, fmt.Errorf("%w: its header is cut off", ErrDamaged)
		}
		if tag == tagTransferSyntax {
			l.syntax = text(data[w.at : w.at+int(n)])
		}
		w.at += int(n)
	}
	switch l.syntax {
	case explicitLittle:
	case implicitLittle:
		w.implicit = true
	default:
		return l, fmt.Errorf("%w: transfer syntax %q; send it uncompressed as %s", ErrUnsupported, l.syntax, explicitLittle)
	}
	for w.at < len(data) {
		tag, n, err := w.element(w.implicit)
		if err != nil {
			return l, err
		}
		if tag == tagPixelData {
			l.pixels, l.length, l.encapsulated = w.at, n, n == undefined
			return l, nil
		}
		if err := w.skip(n, 0); err != nil {
			return l, err
		}
	}
	return l, nil
}

func text(b []byte) string {
	for len(b) > 0 && (b[len(b)-1] == 0 || b[len(b)-1] == ' ') {
		b = b[:len(b)-1]
	}
	return string(b)
}

type walker struct {
	data     []byte
	at       int
	implicit bool
}

// element reads a header and leaves at on the value.
func (w *walker) element(implicit bool) (tag uint32, length int64, err error) {
	le := binary.LittleEndian
	d := w.data[w.at:]
	if len(d) < 8 {
		return 0, 0, fmt.Errorf("%w: cut off at byte %d", ErrDamaged, w.at)
	}
	tag = uint32(le.Uint16(d))<<16 | uint32(le.Uint16(d[2:]))
	if implicit || tag>>16 == 0xfffe {
		w.at += 8
		return tag, int64(le.Uint32(d[4:])), nil
	}
	switch string(d[4:6]) {
	case "OB", "OW", "OF", "OD", "OL", "OV", "SQ", "UN", "UC", "UR", "UT", "SV", "UV":
		if len(d) < 12 {
			return 0, 0, fmt.Errorf("%w: cut off at byte %d", ErrDamaged, w.at)
		}
		w.at += 12
		return tag, int64(le.Uint32(d[8:])), nil
	case "AE", "AS", "AT", "CS", "DA", "DS", "DT", "FL", "FD", "IS", "LO", "LT", "PN", "SH", "SL", "SS", "ST", "TM", "UI", "UL", "US":
		w.at += 8
		return tag, int64(le.Uint16(d[6:])), nil
	}
	return 0, 0, fmt.Errorf("%w: no value representation at byte %d", ErrDamaged, w.at)
}

// skip passes a value; an undefined length is a sequence of items.
func (w *walker) skip(n int64, depth int) error {
	if n != undefined {
		if int64(w.at)+n > int64(len(w.data)) {
			return fmt.Errorf("%w: an element at byte %d reaches beyond the end", ErrDamaged, w.at)
		}
		w.at += int(n)
		return nil
	}
	if depth > deepest {
		return fmt.Errorf("%w: sequences lie too deep", ErrDamaged)
	}
	for {
		tag, n, err := w.element(w.implicit)
		if err != nil {
			return err
		}
		switch {
		case tag == tagSequenceEnd:
			return nil
		case tag != tagItem:
			return fmt.Errorf("%w: no item at byte %d", ErrDamaged, w.at)
		case n != undefined:
			if err := w.skip(n, depth); err != nil {
				return err
			}
		default:
			if err := w.item(depth); err != nil {
				return err
			}
		}
	}
}

// item passes the elements of an item of undefined length.
func (w *walker) item(depth int) error {
	for {
		tag, n, err := w.element(w.implicit)
		if err != nil {
			return err
		}
		if tag == tagItemEnd {
			return nil
		}
		if err := w.skip(n, depth+1); err != nil {
			return err
		}
	}
}
