package mrz

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"time"

	"gatehouse/internal/link"
	"gatehouse/internal/mrz"
)

// MaxMessage is the longest message in bytes. A zone has at most 93 with its
// line ends, a QR text with a long address some 400.
const MaxMessage = 1024

// Message types of the Elyctis command set.
const (
	TypeZone       byte = 0x49 // three lines, or the request for them
	TypeLine       byte = 0x4C // a single line
	TypeContinuous byte = 0x43 // continuous reading on or off
)

// ErrMessage is wrapped by every error of an Elyctis message.
var ErrMessage = errors.New("not an Elyctis message")

// Message is one message of the Elyctis command set.
type Message struct {
	Type byte
	Data []byte
}

// Arm is the request to read continuously until the next document.
func Arm() Message { return Message{Type: TypeContinuous, Data: []byte{0x01}} }

// Format is the message on the wire: type, length high byte first, data.
func Format(m Message) []byte {
	return append([]byte{m.Type, byte(len(m.Data) >> 8), byte(len(m.Data))}, m.Data...)
}

// ParseMessage takes one whole message apart. The error wraps ErrMessage.
func ParseMessage(frame []byte) (Message, error) {
	if len(frame) == 0 {
		return Message{}, fmt.Errorf("%w: empty", ErrMessage)
	}
	if n, ok := extent(frame); !ok || n != len(frame) {
		return Message{}, fmt.Errorf("%w: %d bytes", ErrMessage, len(frame))
	}
	return Message{Type: frame[0], Data: frame[3:]}, nil
}

// extent is how many bytes the message at the front of data has. It is not ok
// when no message can begin so; with fewer than three bytes it is 3.
func extent(data []byte) (n int, ok bool) {
	if strings.IndexByte("\x49\x4C\x43", data[0]) < 0 {
		return 0, false
	}
	if len(data) < 3 {
		return 3, len(data) < 2 || int(data[1])<<8 <= MaxMessage
	}
	length := int(data[1])<<8 | int(data[2])
	if data[0] == TypeContinuous && length != 1 {
		return 0, false
	}
	return 3 + length, length <= MaxMessage
}

// Messages splits a line into Elyctis messages. Bytes that begin none are a
// frame of their own. What flushed says is given up as it stands.
func Messages(flushed func() bool) link.Split {
	return func(data []byte) (int, []byte, link.Fault) {
		if len(data) == 0 {
			return 0, nil, link.Whole
		}
		if n, ok := extent(data); ok {
			if len(data) >= n {
				return n, data[:n], link.Whole
			}
			if !flushed() {
				return 0, nil, link.Whole
			}
		}
		// Up to where the next message may begin.
		for i := 1; i < len(data); i++ {
			if _, ok := extent(data[i:]); ok {
				return i, data[:i], link.TooLong
			}
		}
		return len(data), data, link.TooLong
	}
}

// Texts splits a line into the texts of plain readers. A text ends when its
// lines are complete: as many as a zone of such lines has, or one. A line that
// never ends is cut by length, or by flushed. Prefix and suffix, which may be
// empty, are taken off.
func Texts(prefix, suffix string, flushed func() bool) link.Split {
	return func(data []byte) (int, []byte, link.Fault) {
		for _, skip := range []string{prefix, suffix, "\r", "\n"} {
			if skip != "" && bytes.HasPrefix(data, []byte(skip)) {
				return len(skip), nil, link.Whole
			}
		}
		if n := wholeText(data, suffix); n > 0 && n <= MaxMessage {
			return n, strip(data[:n], suffix), link.Whole
		}
		switch {
		case len(data) >= MaxMessage:
			return MaxMessage, data[:MaxMessage], link.TooLong
		case len(data) > 0 && flushed():
			return len(data), strip(data, suffix), link.Whole
		}
		return 0, nil, link.Whole
	}
}

// wholeText is how many bytes the text at the front of data has, up to and with
// the end of its last line; 0 when it is not complete.
func wholeText(data []byte, suffix string) int {
	at, want := 0, 1
	for line := 0; line < want; line++ {
		// A CR and a LF end one line together.
		if line > 0 {
			at += len(data[at:]) - len(bytes.TrimLeft(data[at:], "\r\n"))
		}
		end := bytes.IndexAny(data[at:], "\r\n")
		if end < 0 && line == 0 {
			// A suffix alone may end the only line.
			if i := bytes.Index(data, []byte(suffix)); suffix != "" && i >= 0 {
				return i + len(suffix)
			}
		}
		if end < 0 {
			return 0
		}
		if line == 0 {
			text := data[at : at+end]
			if zone(text) {
				want = max(1, mrz.Lines(len(text)))
			}
		}
		at += end + 1
	}
	return at
}

func strip(data []byte, suffix string) []byte {
	data = bytes.TrimRight(data, "\r\n")
	if suffix != "" {
		data = bytes.TrimSuffix(data, []byte(suffix))
	}
	return bytes.TrimRight(data, "\r\n")
}

// zone says whether a line consists of the characters of a zone.
func zone(line []byte) bool {
	for _, c := range line {
		if c != '<' && (c < '0' || c > '9') && (c < 'A' || c > 'Z') {
			return false
		}
	}
	return len(line) > 0
}

// Parse reads a document's text: a zone, or the QR code of a CCCD. The error
// wraps the ErrFormat of gatehouse/internal/mrz.
func Parse(text []byte, today time.Time) (mrz.Document, error) {
	if bytes.IndexByte(text, '|') >= 0 {
		return mrz.ParseCCCD(string(text))
	}
	lines := mrz.Split(string(text))
	if lines == nil {
		return mrz.Document{}, fmt.Errorf("%w: %d characters", mrz.ErrFormat, len(text))
	}
	return mrz.Parse(lines, today)
}

// Salvage finds a document at the end of a text that could not be parsed, as
// after half a text without an end. Only a whole one counts, without a line end
// inside, whose every check holds as it is.
func Salvage(text []byte, today time.Time) (record []byte, ok bool) {
	for _, n := range []int{90, 88, 72} {
		if len(text) <= n {
			continue
		}
		tail := text[len(text)-n:]
		if d, err := Parse(tail, today); err == nil && d.Sound() && d.Checks["number"] == mrz.OK {
			return tail, true
		}
	}
	// The number is what a QR text begins with.
	for i := len(text) - 13; i > 0; i-- {
		if text[i+12] != '|' {
			continue
		}
		if d, err := mrz.ParseCCCD(string(text[i:])); err == nil && d.Sound() {
			return text[i:], true
		}
	}
	return nil, false
}
