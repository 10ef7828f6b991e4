package picture

import (
	"bytes"
	"encoding/binary"
	"errors"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"io"

	"golang.org/x/image/bmp"
	"golang.org/x/image/tiff"
	"golang.org/x/image/webp"

	"gatehouse/internal/vision/wire"
)

// header is what a file says about itself before it is decoded.
type header struct {
	Format      string // "jpeg", "png", "tiff", "bmp" or "webp"
	Size        image.Point
	Orientation int // 1..8 as in EXIF; 1 when the file says nothing
	Colour      bool
}

// inspect reads the header and refuses what must not be decoded.
func inspect(data []byte, limits Limits) (header, error) {
	format, config := sniff(data)
	if config == nil {
		return header{}, wire.Errorf(wire.Unsupported, "is no JPEG, PNG, TIFF, BMP or WebP picture")
	}
	c, err := config(bytes.NewReader(data))
	if err != nil {
		code := wire.Undecodable
		if unsupported(err) {
			code = wire.Unsupported
		}
		return header{}, wire.Errorf(code, "%s header: %v", format, err)
	}
	if c.Width <= 0 || c.Height <= 0 {
		return header{}, wire.Errorf(wire.Undecodable, "%s header says %dx%d pixels", format, c.Width, c.Height)
	}
	// Sides are compared first, so that the product cannot overflow.
	if c.Width > limits.Side || c.Height > limits.Side || c.Width*c.Height > limits.Pixels {
		return header{}, wire.Errorf(wire.TooManyPixels, "has %dx%d pixels; at most %d pixels and %d a side are decoded",
			c.Width, c.Height, limits.Pixels, limits.Side)
	}
	h := header{Format: format, Size: image.Pt(c.Width, c.Height), Orientation: 1, Colour: colourful(c.ColorModel)}
	switch format {
	case "jpeg":
		scan := walkJPEG(data)
		if !scan.complete {
			return header{}, wire.Errorf(wire.Undecodable, "JPEG is cut off: its end marker is missing")
		}
		h.Orientation = orientation(scan.exif)
	case "tiff":
		h.Orientation = orientation(data)
	}
	return h, nil
}

// sniff tells the format by the first bytes.
func sniff(data []byte) (string, func(io.Reader) (image.Config, error)) {
	starts := func(s string) bool { return bytes.HasPrefix(data, []byte(s)) }
	switch {
	case starts("\xff\xd8"):
		return "jpeg", jpeg.DecodeConfig
	case starts("\x89PNG\r\n\x1a\n"):
		return "png", png.DecodeConfig
	case starts("II*\x00"), starts("MM\x00*"):
		return "tiff", tiff.DecodeConfig
	case starts("BM"):
		return "bmp", bmp.DecodeConfig
	case starts("RIFF") && len(data) >= 12 && string(data[8:12]) == "WEBP":
		return "webp", webp.DecodeConfig
	}
	return "", nil
}

func unsupported(err error) bool {
	if _, ok := errors.AsType[jpeg.UnsupportedError](err); ok {
		return true
	}
	if _, ok := errors.AsType[png.UnsupportedError](err); ok {
		return true
	}
	if _, ok := errors.AsType[tiff.UnsupportedError](err); ok {
		return true
	}
	return errors.Is(err, bmp.ErrUnsupported)
}

func colourful(m color.Model) bool {
	return m != color.GrayModel && m != color.Gray16Model
}

// jpegScan is what the marker segments of a JPEG tell.
type jpegScan struct {
	exif     []byte // the TIFF block of the first EXIF segment, or nil
	complete bool   // an end-of-image marker follows the first scan
}

// JPEG markers, ITU-T T.81 table B.1.
const (
	markerSOS  = 0xda
	markerAPP1 = 0xe1
)

// walkJPEG follows the segments up to the first scan. The end marker is looked
// for after it only: a thumbnail inside an EXIF segment has one of its own, and
// entropy-coded data cannot contain it.
func walkJPEG(data []byte) jpegScan {
	var s jpegScan
	for i := 2; i+4 <= len(data); {
		if data[i] != 0xff {
			return s
		}
		marker := data[i+1]
		if marker == 0xff { // fill byte
			i++
			continue
		}
		n := int(binary.BigEndian.Uint16(data[i+2:]))
		if n < 2 || i+2+n > len(data) {
			return s
		}
		segment := data[i+4 : i+2+n]
		switch marker {
		case markerAPP1:
			if tiffBlock, ok := bytes.CutPrefix(segment, []byte("Exif\x00\x00")); ok && s.exif == nil {
				s.exif = tiffBlock
			}
		case markerSOS:
			s.complete = bytes.Contains(data[i+2+n:], []byte{0xff, 0xd9})
			return s
		}
		i += 2 + n
	}
	return s
}

// orientation is tag 274 of the first directory of a TIFF block, TIFF 6.0
// section 8; 1 when it is absent or nonsense.
func orientation(block []byte) int {
	if len(block) < 8 {
		return 1
	}
	var order binary.ByteOrder = binary.LittleEndian
	if block[0] == 'M' {
		order = binary.BigEndian
	}
	at := int64(order.Uint32(block[4:]))
	if at+2 > int64(len(block)) {
		return 1
	}
	entries := int64(order.Uint16(block[at:]))
	for k := range entries {
		e := at + 2 + 12*k
		if e+12 > int64(len(block)) {
			return 1
		}
		if order.Uint16(block[e:]) != 274 {
			continue
		}
		if v := int(order.Uint16(block[e+8:])); v >= 1 && v <= 8 {
			return v
		}
		return 1
	}
	return 1
}
