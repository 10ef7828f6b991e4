package fault

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"image"
	"image/jpeg"
	"image/png"
)

// Width and height that image-huge claims: 200 megapixels.
const (
	hugeWidth  = 20000
	hugeHeight = 10000
)

// Picture is what the image faults that are on make of a good PNG or JPEG
// file, with the names of the faults used.
func (b *Board) Picture(device string, vehicle int, good []byte) ([]byte, []string, error) {
	isPNG := bytes.HasPrefix(good, []byte("\x89PNG"))
	made := good
	var used []string
	for _, name := range []string{"image-large", "image-corrupt", "image-empty", "image-truncated", "image-huge", "image-wrong-type"} {
		if !b.Take(device, name, vehicle) {
			continue
		}
		used = append(used, name)
		switch name {
		case "image-large":
			made = padJPEG(good)
		case "image-corrupt":
			made = corrupt(good)
		case "image-empty":
			made = []byte{}
		case "image-truncated":
			made = bytes.Clone(good[:len(good)/2])
		case "image-huge":
			made = hugeJPEG(good)
			if isPNG {
				made = hugePNG()
			}
		case "image-wrong-type":
			other, err := otherType(good, isPNG)
			if err != nil {
				return nil, nil, err
			}
			made = other
		}
	}
	return made, used, nil
}

// corrupt keeps the first bytes, so that the type is still believed, and
// damages the middle third.
func corrupt(good []byte) []byte {
	b := bytes.Clone(good)
	for i := len(b) / 3; i < 2*len(b)/3; i++ {
		b[i] = byte(i*7) ^ b[i]
	}
	// A JPEG decoder is lenient: damage its tables too.
	for i := 20; i < min(120, len(b)); i++ {
		b[i] ^= 0x5a
	}
	return b
}

// hugePNG is a PNG whose header is right and claims 200 megapixels.
func hugePNG() []byte {
	var out bytes.Buffer
	out.WriteString("\x89PNG\r\n\x1a\n")
	chunk := func(kind string, data []byte) {
		_ = binary.Write(&out, binary.BigEndian, uint32(len(data)))
		body := append([]byte(kind), data...)
		out.Write(body)
		_ = binary.Write(&out, binary.BigEndian, crc32.ChecksumIEEE(body))
	}
	head := binary.BigEndian.AppendUint32(nil, hugeWidth)
	head = binary.BigEndian.AppendUint32(head, hugeHeight)
	chunk("IHDR", append(head, 16, 0, 0, 0, 0))
	chunk("IDAT", []byte{0x78, 0x9c, 0x03, 0x00, 0x00, 0x00, 0x00, 0x01})
	chunk("IEND", nil)
	return out.Bytes()
}

// hugeJPEG is the good JPEG with 200 megapixels claimed in its frame header.
func hugeJPEG(good []byte) []byte {
	b := bytes.Clone(good)
	for at := 2; at+9 < len(b) && b[at] == 0xff; {
		marker, size := b[at+1], int(binary.BigEndian.Uint16(b[at+2:]))
		if marker == 0xc0 || marker == 0xc1 || marker == 0xc2 {
			binary.BigEndian.PutUint16(b[at+5:], hugeHeight)
			binary.BigEndian.PutUint16(b[at+7:], hugeWidth)
			break
		}
		at += 2 + size
	}
	return b
}

// padJPEG makes the file larger than a megabyte with comment segments, which
// every decoder skips.
func padJPEG(good []byte) []byte {
	const segment, want = 60000, 1 << 20
	out := bytes.NewBuffer(bytes.Clone(good[:2]))
	for n := 0; n < want; n += segment {
		out.Write([]byte{0xff, 0xfe})
		_ = binary.Write(out, binary.BigEndian, uint16(segment+2))
		out.Write(bytes.Repeat([]byte{' '}, segment))
	}
	out.Write(good[2:])
	return out.Bytes()
}

// otherType is the same picture in the other of the two formats.
func otherType(good []byte, isPNG bool) ([]byte, error) {
	img, _, err := image.Decode(bytes.NewReader(good))
	if err != nil {
		return nil, fmt.Errorf("change the picture's type: %w", err)
	}
	var out bytes.Buffer
	if isPNG {
		err = jpeg.Encode(&out, img, nil)
	} else {
		err = png.Encode(&out, img)
	}
	if err != nil {
		return nil, fmt.Errorf("change the picture's type: %w", err)
	}
	return out.Bytes(), nil
}
