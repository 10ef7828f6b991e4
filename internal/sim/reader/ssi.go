package reader

import (
	"context"
	"time"

	"gatehouse/internal/sim/fault"
	"gatehouse/internal/sim/port"
)

// Opcodes and status bits of SSI.
const (
	opACK    = 0xd0
	opNAK    = 0xd1
	opDecode = 0xf3

	again = 1 << 0
	more  = 1 << 1
)

// Code types of SSI.
const (
	Code128 = 0x03
	ITF     = 0x06
	QR      = 0x1c
)

const (
	// resend is how long the reader waits for an acknowledgement.
	resend = 2 * time.Second
	// tries is how often it sends a packet.
	tries = 4
	// chunk is how many bytes of a code fit into a packet with its type.
	chunk = 240
)

// Line is an SSI reader's line, both ways.
type Line interface {
	Wire
	Bytes() <-chan []byte
}

// SSI is a reader that speaks packets.
type SSI struct {
	device string
	wire   Line
	board  *fault.Board
	bytes  <-chan []byte
	said   chan byte // opcodes of the host
}

// NewSSI makes a reader. It has to be made before its wire runs.
func NewSSI(device string, wire Line, board *fault.Board) *SSI {
	return &SSI{device: device, wire: wire, board: board, bytes: wire.Bytes(), said: make(chan byte, 8)}
}

// Run listens to the host until ctx ends.
func (s *SSI) Run(ctx context.Context) error {
	var rest []byte
	for {
		select {
		case <-ctx.Done():
			return nil
		case got := <-s.bytes:
			rest = append(rest, got...)
		}
		for len(rest) > 0 {
			n := int(rest[0]) + 2
			if n < 6 || len(rest) >= n && !sealed(rest[:n]) {
				rest = rest[1:]
				continue
			}
			if len(rest) < n {
				break
			}
			op := rest[1]
			rest = rest[n:]
			if s.board.On(s.device, "deaf") {
				continue
			}
			select {
			case s.said <- op:
			default: // nobody waits for an answer
			}
		}
	}
}

// Read sends a code and waits until the host has taken it. It says whether it
// did; a host that answers nothing is given up after some tries.
func (s *SSI) Read(ctx context.Context, passage string, kind byte, text string) (bool, error) {
	for data := []byte(text); ; {
		n := min(chunk, len(data))
		status := byte(0)
		if n < len(data) {
			status = more
		}
		taken, err := s.packet(ctx, passage, status, append([]byte{kind}, data[:n]...))
		if err != nil || !taken || n == len(data) {
			return taken, err
		}
		data = data[n:]
	}
}

// packet sends one packet until it is acknowledged.
func (s *SSI) packet(ctx context.Context, passage string, status byte, data []byte) (bool, error) {
	for try := range tries {
		if try > 0 {
			status |= again
		}
		s.forget()
		wire := Packet(opDecode, status, data)
		if !s.wire.Put(port.Frame{Wire: wire, Body: wire, Check: 1, Passage: passage}) {
			return false, nil // nobody is there who could take it
		}
		late := time.NewTimer(resend)
		select {
		case <-ctx.Done():
			late.Stop()
			return false, ctx.Err()
		case op := <-s.said:
			late.Stop()
			if op == opACK {
				return true, nil
			}
		case <-late.C:
		}
	}
	return false, nil
}

// forget drops what the host said before.
func (s *SSI) forget() {
	for {
		select {
		case <-s.said:
		default:
			return
		}
	}
}

// Packet is an SSI packet of the decoder: length, opcode, source, status, data
// and the two's complement of their sum, high byte first.
func Packet(op, status byte, data []byte) []byte {
	b := append([]byte{byte(4 + len(data)), op, 0x00, status}, data...)
	sum := -total(b)
	return append(b, byte(sum>>8), byte(sum))
}

func total(b []byte) uint16 {
	var sum uint16
	for _, c := range b {
		sum += uint16(c)
	}
	return sum
}

// sealed says whether a packet's checksum is right.
func sealed(b []byte) bool {
	n := len(b) - 2
	return total(b[:n])+uint16(b[n])<<8+uint16(b[n+1]) == 0
}
