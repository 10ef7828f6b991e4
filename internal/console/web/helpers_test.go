package web_test

import (
	"encoding/binary"
	"hash/crc32"
)

// fixCRC makes a PNG's first chunk valid again after its size was changed.
func fixCRC(data []byte) []byte {
	binary.BigEndian.PutUint32(data[29:33], crc32.ChecksumIEEE(data[12:29]))
	return data
}
