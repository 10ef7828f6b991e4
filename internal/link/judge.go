package link

import (
	"fmt"
	"time"

	"gatehouse/internal/driver"
)

// Limits after which a line without one valid frame is called garbage. Noise
// between good frames starts the count again.
const (
	garbageFrames = 20
	garbageBytes  = 4096
)

// Judge tells a healthy line from a silent one and from one that carries
// garbage, as with a wrong baud rate.
type Judge struct {
	name    string
	silence time.Duration
	heard   time.Time // the last valid frame, or the start
	frames  int       // invalid ones since then
	bytes   int
}

// NewJudge starts to judge the named line, which may be silent for the given
// time.
func NewJudge(name string, silence time.Duration) *Judge {
	return &Judge{name: name, silence: silence, heard: time.Now()}
}

// Deadline is when the line is to be given up unless a valid frame comes.
func (j *Judge) Deadline() time.Time { return j.heard.Add(j.silence) }

// Good notes a valid frame.
func (j *Judge) Good() { j.heard, j.frames, j.bytes = time.Now(), 0, 0 }

// Bad notes an invalid frame of n bytes. The error, if any, is
// driver.ErrGarbage.
func (j *Judge) Bad(n int) error {
	j.frames++
	j.bytes += n
	if j.frames < garbageFrames && j.bytes < garbageBytes {
		return nil
	}
	return j.garbage()
}

// Expired is the verdict at the deadline: driver.ErrGarbage when something
// came that could not be understood, else driver.ErrSilent.
func (j *Judge) Expired() error {
	if j.frames > 0 {
		return j.garbage()
	}
	return hint(fmt.Errorf("%s: %w: nothing valid for %s", j.name, driver.ErrSilent, j.silence),
		"Đường truyền mở nhưng thiết bị không gửi gì. Kiểm tra nguồn thiết bị, dây tín hiệu (TX/RX, GND) và chế độ xuất dữ liệu.",
		"The line is open and the device sends nothing. Check the device's power, the signal wires (TX/RX, GND) and that its output is switched on.")
}

func (j *Judge) garbage() error {
	return hint(fmt.Errorf("%s: %w: %d frames, %d bytes", j.name, driver.ErrGarbage, j.frames, j.bytes),
		"Có dữ liệu nhưng không đọc được. Kiểm tra baud, data_bits, parity, stop_bits khớp với thiết bị, và đúng loại thiết bị trên cổng này.",
		"Bytes arrive that make no sense. Check that baud, data_bits, parity and stop_bits are the device's, and that it is this device on this port.")
}
