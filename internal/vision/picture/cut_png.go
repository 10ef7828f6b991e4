package picture

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"hash/crc32"
	"io"
)

// completePNG makes a whole PNG of one that was cut off: the image data that
// are there are inflated, filled up with rows of filter type 0 and deflated
// anew, so that any decoder takes it. rows is how many rows are real. Nothing
// is done to a file that has all its image data, nor to interlaced ones.
func completePNG(data []byte, limits Limits) (fixed []byte, rows int, cut bool) {
	const signature, header = 8, 25 // bytes: the signature, and the IHDR chunk
	if len(data) < signature+header || data[28] != 0 {
		return nil, 0, false
	}
	w, h := int(binary.BigEndian.Uint32(data[16:])), int(binary.BigEndian.Uint32(data[20:]))
	bits := int(data[24]) * map[byte]int{0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[data[25]]
	stride := 1 + (w*bits+7)/8
	if bits == 0 || int64(stride)*int64(h) > int64(limits.Pixels)*8 {
		return nil, 0, false
	}
	idat, keep, ended := imageData(data)
	if ended {
		return nil, 0, false
	}
	z, err := zlib.NewReader(bytes.NewReader(idat))
	if err != nil {
		return nil, 0, true
	}
	raw, err := io.ReadAll(io.LimitReader(z, int64(stride)*int64(h)))
	if len(raw) == stride*h {
		rows = h
	} else {
		rows = len(raw) / stride
	}
	_ = err // what was inflated before the end of the data is sound
	raw = append(raw[:rows*stride], make([]byte, (h-rows)*stride)...)
	var packed bytes.Buffer
	deflate, _ := zlib.NewWriterLevel(&packed, zlib.NoCompression) // fails only for an unknown level
	_, _ = deflate.Write(raw)                                      // a buffer takes everything
	_ = deflate.Close()
	out := bytes.Clone(data[:keep])
	out = chunk(out, "IDAT", packed.Bytes())
	return chunk(out, "IEND", nil), rows, true
}

// imageData collects the contents of the IDAT chunks, the last of them maybe cut
// off. keep is the length of the file before the first, ended tells of IEND.
func imageData(data []byte) (idat []byte, keep int, ended bool) {
	keep = 33
	for at := 8; at+8 <= len(data); {
		n := int64(binary.BigEndian.Uint32(data[at:]))
		kind := string(data[at+4 : at+8])
		end := min(int64(len(data)), int64(at)+8+n)
		switch kind {
		case "IDAT":
			if idat == nil {
				keep = at
			}
			idat = append(idat, data[at+8:end]...)
		case "IEND":
			return idat, keep, true
		}
		at = int(min(int64(len(data)), end+4))
	}
	return idat, keep, false
}

// chunk appends a chunk with its checksum, PNG 5.3.
func chunk(to []byte, kind string, content []byte) []byte {
	to = binary.BigEndian.AppendUint32(to, uint32(len(content)))
	body := append([]byte(kind), content...)
	to = append(to, body...)
	return binary.BigEndian.AppendUint32(to, crc32.ChecksumIEEE(body))
}
