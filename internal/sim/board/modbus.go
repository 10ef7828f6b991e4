package board

import "slices"

// Functions and exceptions of the Modbus application protocol that the board
// knows.
const (
	readCoils   = 0x01
	readInputs  = 0x02
	writeCoil   = 0x05
	writeCoils  = 0x0f
	exception   = 0x80
	badFunction = 0x01
	badAddress  = 0x02
	badValue    = 0x03
	failure     = 0x04
)

// points is how many coils and inputs the board has.
const points = 8

// crc is the checksum of Modbus RTU: polynomial A001 reflected, from FFFF.
func crc(b []byte) uint16 {
	sum := uint16(0xffff)
	for _, c := range b {
		sum ^= uint16(c)
		for range 8 {
			if sum&1 == 0 {
				sum >>= 1
				continue
			}
			sum = sum>>1 ^ 0xa001
		}
	}
	return sum
}

// seal puts the checksum behind a frame, low byte first.
func seal(b ...byte) []byte {
	sum := crc(b)
	return append(b, byte(sum), byte(sum>>8))
}

// cut takes the first whole request with a right checksum off what the host
// wrote. wait says that more bytes may complete one; otherwise the first byte
// begins none and is dropped by the caller.
func cut(b []byte) (request []byte, wait bool) {
	if len(b) < 2 {
		return nil, true
	}
	n := 8
	if b[1] == writeCoils || b[1] == 0x10 {
		if len(b) < 7 {
			return nil, true
		}
		n = 9 + int(b[6])
	}
	if len(b) < n {
		return nil, true
	}
	if sum := crc(b[:n-2]); b[n-2] != byte(sum) || b[n-1] != byte(sum>>8) {
		return nil, false
	}
	return b[:n], false
}

// span reads start and count of a request and checks them; code is of an
// exception.
func span(q []byte) (start, count int, code byte) {
	start, count = int(q[2])<<8|int(q[3]), int(q[4])<<8|int(q[5])
	switch {
	case count == 0 || count > 2000:
		return 0, 0, badValue
	case start+count > points:
		return 0, 0, badAddress
	}
	return start, count, 0
}

// answer is what a board of these inputs says to a request, and its coils
// after it. A request to another address, or to all, gets no answer.
func answer(q []byte, unit, inputs, coils byte) (reply []byte, after byte) {
	if q[0] != unit && q[0] != 0 {
		return nil, coils
	}
	reply, after = carryOut(q, inputs, coils)
	if q[0] == 0 {
		return nil, after
	}
	return seal(reply...), after
}

func carryOut(q []byte, inputs, coils byte) (reply []byte, after byte) {
	refuse := func(code byte) ([]byte, byte) { return []byte{q[0], q[1] | exception, code}, coils }
	switch q[1] {
	case readCoils, readInputs:
		start, count, code := span(q)
		if code != 0 {
			return refuse(code)
		}
		bits := inputs
		if q[1] == readCoils {
			bits = coils
		}
		return []byte{q[0], q[1], 1, bits >> start & (1<<count - 1)}, coils
	case writeCoil:
		at, value := int(q[2])<<8|int(q[3]), int(q[4])<<8|int(q[5])
		switch {
		case at >= points:
			return refuse(badAddress)
		case value == 0xff00:
			return slices.Clone(q[:6]), coils | 1<<at
		case value == 0:
			return slices.Clone(q[:6]), coils &^ (1 << at)
		}
		return refuse(badValue)
	case writeCoils:
		start, count, code := span(q)
		if code == 0 && int(q[6]) != (count+7)/8 {
			code = badValue
		}
		if code != 0 {
			return refuse(code)
		}
		mask := byte(1<<count-1) << start
		return slices.Clone(q[:6]), coils&^mask | q[7]<<start&mask
	}
	return refuse(badFunction)
}
