package share

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/nats-io/nats.go"
)

// NATS headers of a chunk of evidence.
const (
	HeaderOffset  = "Gatehouse-Offset"  // first byte of the chunk in the evidence
	HeaderSize    = "Gatehouse-Size"    // bytes of the whole evidence
	HeaderMissing = "Gatehouse-Missing" // why the gate cannot serve it; then there is no data
)

// ChunkSize is the most bytes of evidence in one message.
const ChunkSize = 128 << 10

// Chunk is a part of a piece of evidence. The piece is whole when chunks cover
// 0..Size and its SHA-256 is the one asked for.
type Chunk struct {
	Gate    string
	SHA256  string
	Offset  int64
	Size    int64
	Missing string // not empty: the gate does not have it, and this is why
	Data    []byte
}

// ParseChunk reads a message of the subject inbox.image.<gate>.<sha256>. It
// trusts no number in it: offset and size are checked against the data, and
// size is at most MaxEvidence.
func ParseChunk(subject string, h nats.Header, data []byte) (Chunk, error) {
	tokens := strings.Split(subject, ".")
	if len(tokens) < 2 {
		return Chunk{}, fmt.Errorf("chunk on subject %q: no gate and digest in it", subject)
	}
	c := Chunk{Gate: tokens[len(tokens)-2], SHA256: tokens[len(tokens)-1], Missing: h.Get(HeaderMissing), Data: data}
	if !isDigest(c.SHA256) {
		return Chunk{}, fmt.Errorf("chunk on subject %q: the last token is no SHA-256", subject)
	}
	if c.Missing != "" {
		return c, nil
	}
	var err error
	if c.Offset, err = strconv.ParseInt(h.Get(HeaderOffset), 10, 64); err != nil {
		return Chunk{}, fmt.Errorf("chunk of %s: %s: %w", c.SHA256, HeaderOffset, err)
	}
	if c.Size, err = strconv.ParseInt(h.Get(HeaderSize), 10, 64); err != nil {
		return Chunk{}, fmt.Errorf("chunk of %s: %s: %w", c.SHA256, HeaderSize, err)
	}
	if c.Size < 0 || c.Size > MaxEvidence || c.Offset < 0 || c.Offset > c.Size-int64(len(data)) {
		return Chunk{}, fmt.Errorf("chunk of %s: %d bytes at %d do not fit into %d", c.SHA256, len(data), c.Offset, c.Size)
	}
	return c, nil
}

// MaxEvidence is the largest piece of evidence, in bytes, that is served or
// taken.
const MaxEvidence = 1 << 30

// isDigest says whether s is a SHA-256 in lower-case hexadecimal.
func isDigest(s string) bool {
	if len(s) != 64 {
		return false
	}
	for _, r := range s {
		if !strings.ContainsRune("0123456789abcdef", r) {
			return false
		}
	}
	return true
}
