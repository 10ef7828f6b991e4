package reader

import (
	"strings"

	"gatehouse/internal/sim/port"
)

// Wire takes a reader's frames.
type Wire interface{ Put(f port.Frame) bool }

// Text is a reader that sends what it reads as lines ended by CR LF.
type Text struct{ wire Wire }

// NewText makes such a reader.
func NewText(wire Wire) *Text { return &Text{wire} }

// Read sends the lines of one document, or the one of a code. It says whether
// the host could hear it.
func (t *Text) Read(passage string, lines ...string) bool {
	body := strings.Join(lines, "\r\n")
	return t.wire.Put(port.Frame{Wire: []byte(body + "\r\n"), Body: []byte(body), End: 2, Passage: passage})
}
