package scantest

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"hash/crc32"
)

// rawPNG wraps filtered rows in the chunks of a PNG file.
func rawPNG(w, h int, bits, colour byte, raw []byte) []byte {
	out := []byte("\x89PNG\r\n\x1a\n")
	add := func(kind string, content []byte) {
		out = binary.BigEndian.AppendUint32(out, uint32(len(content)))
		body := append([]byte(kind), content...)
		out = append(out, body...)
		out = binary.BigEndian.AppendUint32(out, crc32.ChecksumIEEE(body))
	}
	head := binary.BigEndian.AppendUint32(nil, uint32(w))
	head = binary.BigEndian.AppendUint32(head, uint32(h))
	add("IHDR", append(head, bits, colour, 0, 0, 0))
	var packed bytes.Buffer
	z := zlib.NewWriter(&packed)
	_, _ = z.Write(raw) // a buffer takes everything
	_ = z.Close()
	add("IDAT", packed.Bytes())
	add("IEND", nil)
	return out
}
