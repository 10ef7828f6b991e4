package barrier

import (
	"errors"
	"fmt"
)

// Functions of the Modbus serial line specification that the driver uses.
const (
	ReadCoils  byte = 0x01
	ReadInputs byte = 0x02
	WriteCoils byte = 0x0F
	exception  byte = 0x80 // set in the function of an exception
)

// ErrFrame is wrapped by every error of ParseFrame.
var ErrFrame = errors.New("not a Modbus RTU frame")

// Frame is one frame of the line without its checksum.
type Frame struct {
	Unit     byte // address of the board, 1 to 247
	Function byte
	Data     []byte
}

// CRC is the Modbus checksum: polynomial A001 reflected, from FFFF.
func CRC(p []byte) uint16 {
	crc := uint16(0xFFFF)
	for _, b := range p {
		crc ^= uint16(b)
		for range 8 {
			odd := crc & 1
			crc >>= 1
			if odd == 1 {
				crc ^= 0xA001
			}
		}
	}
	return crc
}

// Format is the frame on the wire, with its checksum low byte first.
func Format(f Frame) []byte {
	b := append([]byte{f.Unit, f.Function}, f.Data...)
	crc := CRC(b)
	return append(b, byte(crc), byte(crc>>8))
}

// ParseFrame takes a whole frame apart. The error wraps ErrFrame.
func ParseFrame(b []byte) (Frame, error) {
	if len(b) < 4 || len(b) > 256 {
		return Frame{}, fmt.Errorf("%w: %d bytes", ErrFrame, len(b))
	}
	body := b[:len(b)-2]
	if got, want := uint16(b[len(b)-2])|uint16(b[len(b)-1])<<8, CRC(body); got != want {
		return Frame{}, fmt.Errorf("%w: checksum %04X, wants %04X", ErrFrame, got, want)
	}
	return Frame{Unit: body[0], Function: body[1], Data: body[2:]}, nil
}

// Bits is the state of eight relays or inputs, number 0 in the lowest bit.
type Bits byte

// Reply is the frame with which a board answers to a read of eight bits.
func (b Bits) Reply(unit, function byte) Frame {
	return Frame{Unit: unit, Function: function, Data: []byte{1, byte(b)}}
}

// Has says whether all of the given bits are set.
func (b Bits) Has(of Bits) bool { return b&of == of }

// Relays of the board.
const (
	Open Bits = 1 << iota // pulse
	Close
	Stop
	Red
	Amber
	Green
	Beacon // of the site; the driver leaves it alone
	Sign   // as Beacon
)

// Groups of relays.
const (
	pulses = Open | Close | Stop
	lamps  = Red | Amber | Green
	owned  = pulses | lamps // what the driver writes
)

// Inputs of the board.
const (
	LimitUp Bits = 1 << iota
	LimitDown
	LoopEntry
	LoopSafety
	LoopExit
	Photocell
	EStopClosed // the emergency stop's loop is closed: nobody pressed it and no wire is broken
	Manual
)

// Obstructed says whether something is or may be below the arm.
func (b Bits) Obstructed() bool { return b&(LoopSafety|Photocell) != 0 }

// EStop says whether the emergency stop is pressed or its wire broken.
func (b Bits) EStop() bool { return b&EStopClosed == 0 }

// Arm is what the limit switches say of the arm: up, down, between, or unknown
// when both are active.
func (b Bits) Arm() string {
	switch {
	case b.Has(LimitUp | LimitDown):
		return "unknown"
	case b.Has(LimitUp):
		return "up"
	case b.Has(LimitDown):
		return "down"
	}
	return "between"
}

// bits packs what the library unpacked.
func bits(values []bool) Bits {
	var out Bits
	for i, v := range values {
		if v {
			out |= 1 << i
		}
	}
	return out
}

// bools is the way back.
func (b Bits) bools(n int) []bool {
	out := make([]bool, n)
	for i := range out {
		out[i] = b&(1<<i) != 0
	}
	return out
}
