package barcode

import (
	"bytes"
	"errors"
	"fmt"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"gatehouse/internal/link"
)

// ErrFrame is wrapped by every parse error.
var ErrFrame = errors.New("not a frame of a barcode reader")

// Opcodes of SSI that this package names.
const (
	OpACK    = 0xd0
	OpNAK    = 0xd1
	OpDecode = 0xf3
	OpEvent  = 0xf6
)

const (
	fromDecoder = 0x00
	fromHost    = 0x04
	// CauseResend is the NAK's cause after a wrong checksum.
	CauseResend = 1

	headerLength = 4   // length, opcode, source, status
	packetMost   = 257 // the largest length and the checksum
)

// Packet is one SSI packet.
type Packet struct {
	Op     byte
	Source byte
	Status byte // bit 0 sent again, bit 1 more to come
	Data   []byte
}

// Again says that the packet was sent before.
func (p Packet) Again() bool { return p.Status&1 != 0 }

// More says that further packets belong to the same code.
func (p Packet) More() bool { return p.Status&2 != 0 }

// Format is the packet as bytes; its data has at most 251.
func Format(p Packet) []byte {
	out := append([]byte{byte(headerLength + len(p.Data)), p.Op, p.Source, p.Status}, p.Data...)
	sum := checksum(out)
	return append(out, byte(sum>>8), byte(sum))
}

func checksum(b []byte) uint16 {
	sum := uint16(0)
	for _, c := range b {
		sum += uint16(c)
	}
	return -sum
}

// ParsePacket reads a whole packet. The error wraps ErrFrame.
func ParsePacket(f []byte) (Packet, error) {
	switch {
	case len(f) < headerLength+2 || int(f[0])+2 != len(f):
		return Packet{}, fmt.Errorf("%w: %d bytes are no packet", ErrFrame, len(f))
	case !header(f):
		return Packet{}, fmt.Errorf("%w: header % x", ErrFrame, f[:headerLength])
	}
	body := f[:len(f)-2]
	if want, got := checksum(body), uint16(f[len(f)-2])<<8|uint16(f[len(f)-1]); want != got {
		return Packet{}, fmt.Errorf("%w: checksum is %04x, wants %04x", ErrFrame, got, want)
	}
	if f[1] == OpDecode && len(body) == headerLength {
		return Packet{}, fmt.Errorf("%w: a code without type", ErrFrame)
	}
	return Packet{Op: f[1], Source: f[2], Status: f[3], Data: bytes.Clone(body[headerLength:])}, nil
}

// header says whether b begins like a packet of a reader.
func header(b []byte) bool {
	if len(b) > 0 && b[0] < headerLength || len(b) > 2 && b[2] != fromDecoder {
		return false
	}
	if len(b) < 2 {
		return true
	}
	switch b[1] {
	case OpACK, OpNAK, OpDecode, OpEvent, 0xa4, 0xd4, 0xc6: // and replies of revision, capabilities, parameters
		return true
	}
	return false
}

// Cut takes one frame off the front of data; quiet says that nothing more came
// for the idle time. It works like link.Split.
type Cut func(data []byte, quiet bool) (advance int, frame []byte, fault link.Fault)

// Packets cuts SSI packets. What is none comes as a frame of its own.
func Packets(data []byte, quiet bool) (int, []byte, link.Fault) {
	if len(data) == 0 {
		return 0, nil, link.Whole
	}
	if !header(data) {
		for i := 1; i < len(data); i++ {
			if header(data[i:]) {
				return take(data, i)
			}
		}
		if quiet || len(data) >= packetMost {
			return take(data, len(data))
		}
		return 0, nil, link.Whole
	}
	n := int(data[0]) + 2
	if len(data) < n {
		if quiet {
			return len(data), data, link.Torn
		}
		return 0, nil, link.Whole
	}
	if _, err := ParsePacket(data[:n]); err == nil {
		return take(data, n)
	}
	// A wrong length may have swallowed the packet after it.
	for i := 1; i < n; i++ {
		if end := i + int(data[i]) + 2; end <= len(data) {
			if _, err := ParsePacket(data[i:end]); err == nil {
				return take(data, i)
			}
		}
	}
	return take(data, n)
}

func take(data []byte, n int) (int, []byte, link.Fault) { return n, data[:n], link.Whole }

// Lines cuts text at a terminator: any (CR, LF or both), cr, lf, crlf or none,
// where the idle time ends a code. More than limit bytes are cut there.
func Lines(terminator string, limit int) Cut {
	return func(data []byte, quiet bool) (int, []byte, link.Fault) {
		i, size := -1, 1
		switch terminator {
		case "any":
			i = bytes.IndexAny(data, "\r\n")
		case "cr":
			i = bytes.IndexByte(data, '\r')
		case "lf":
			i = bytes.IndexByte(data, '\n')
		case "crlf":
			i, size = bytes.Index(data, []byte("\r\n")), 2
		}
		switch {
		case i >= 0 && i <= limit:
			return i + size, data[:i], link.Whole
		case len(data) >= limit+2:
			return limit, data[:limit], link.TooLong
		case quiet && len(data) > 0 && terminator == "none":
			return take(data, len(data))
		case quiet && len(data) > 0:
			return len(data), data, link.Torn
		}
		return 0, nil, link.Whole
	}
}

// Text is the data as NFC text; false when it is not UTF-8 or has control
// characters that no code's text has.
func Text(data []byte) (string, bool) {
	if !utf8.Valid(data) {
		return "", false
	}
	for _, c := range data {
		switch {
		case c >= ' ' && c != 0x7f, c == '\t', c == '\r', c == '\n':
		case c == 0x04, c >= 0x1c && c <= 0x1e: // EOT, FS, GS, RS of GS1 and ISO 15434
		default:
			return "", false
		}
	}
	return norm.NFC.String(string(data)), true
}

// AIM takes an AIM identifier such as ]Q1 off the data.
func AIM(data []byte) (symbology string, rest []byte) {
	if len(data) < 3 || data[0] != ']' || !letter(data[1]) || !letter(data[2]) && (data[2] < '0' || data[2] > '9') {
		return "", data
	}
	return aimName(string(data[1:3])), data[3:]
}

func letter(c byte) bool { return c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' }

func aimName(id string) string {
	switch id {
	case "C1":
		return "gs1-128"
	case "d2":
		return "gs1-datamatrix"
	case "Q3":
		return "gs1-qr"
	}
	names := map[byte]string{
		'A': "code39", 'C': "code128", 'd': "datamatrix", 'E': "ean-upc", 'e': "gs1-databar", 'F': "codabar", 'G': "code93",
		'H': "code11", 'I': "itf", 'L': "pdf417", 'M': "msi", 'Q': "qr", 'U': "maxicode", 'z': "aztec",
	}
	if name, ok := names[id[0]]; ok {
		return name
	}
	return "aim-" + id
}

// SSIType is the symbology of a code type of SSI.
func SSIType(code byte) string {
	names := map[byte]string{
		0x01: "code39", 0x02: "codabar", 0x03: "code128", 0x06: "itf", 0x07: "code93", 0x08: "ean-upc", 0x09: "ean-upc",
		0x0a: "ean-upc", 0x0b: "ean-upc", 0x0c: "code11", 0x0e: "msi", 0x0f: "gs1-128", 0x10: "ean-upc", 0x11: "pdf417",
		0x13: "code39", 0x1a: "micropdf417", 0x1b: "datamatrix", 0x1c: "qr", 0x25: "maxicode", 0x2c: "microqr", 0x2d: "aztec",
		0x30: "gs1-databar", 0x31: "gs1-databar", 0x32: "gs1-databar",
	}
	if name, ok := names[code]; ok {
		return name
	}
	if code == 0 {
		return "" // the reader does not say
	}
	return fmt.Sprintf("ssi-%02x", code)
}
