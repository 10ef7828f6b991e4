package link

import (
	"bytes"
	"errors"
	"os"
	"time"
)

// Fault says why a frame is not whole.
type Fault string

// Faults of framing; a frame without one is whole.
const (
	Whole Fault = ""
	// TooLong marks bytes that ran past the longest frame without an end.
	TooLong Fault = "too-long"
	// Torn marks what had arrived of a frame when the line ended.
	Torn Fault = "torn"
)

// Frame is one frame as it came over the line.
type Frame struct {
	Data  []byte
	At    time.Time // when its last byte was received
	Fault Fault
}

// Split cuts one frame off the front of data. advance is how many bytes are
// used up, 0 when the frame is not complete yet; an empty frame with advance
// is skipped. It never asks for more than the longest frame it knows of, so
// that garbage cannot fill the memory. Binary protocols bring their own.
type Split func(data []byte) (advance int, frame []byte, fault Fault)

// Lines splits at LF and takes one CR before it off too. A line of more than
// limit bytes is cut there and marked TooLong; its rest is a frame of its own,
// so that what follows garbage is never swallowed with it.
func Lines(limit int) Split {
	return func(data []byte) (int, []byte, Fault) {
		// CR and LF may follow the longest line.
		window := data[:min(len(data), limit+2)]
		if i := bytes.IndexByte(window, '\n'); i >= 0 {
			line := bytes.TrimSuffix(data[:i], []byte{'\r'})
			if len(line) <= limit {
				return i + 1, line, Whole
			}
		}
		if len(data) >= limit+2 {
			return limit, data[:limit], TooLong
		}
		return 0, nil, Whole
	}
}

// Reader cuts a line's bytes into frames.
type Reader struct {
	line  *Line
	split Split
	now   func() time.Time
	buf   []byte
	chunk []byte
	at    time.Time
	err   error
}

// NewReader reads frames from line; now stamps them.
func NewReader(line *Line, split Split, now func() time.Time) *Reader {
	return &Reader{line: line, split: split, now: now, chunk: make([]byte, 4096)}
}

// Next is the next frame. It fails with os.ErrDeadlineExceeded when none was
// complete at the deadline, which may be tried again, or with the line's
// error; bytes of an unfinished frame come before that as a Torn one.
func (r *Reader) Next(deadline time.Time) (Frame, error) {
	for {
		advance, data, fault := r.split(r.buf)
		if advance > 0 {
			f := Frame{Data: bytes.Clone(data), At: r.at, Fault: fault}
			r.buf = r.buf[advance:]
			if len(f.Data) == 0 {
				continue
			}
			return f, nil
		}
		if r.err != nil {
			if len(r.buf) == 0 {
				return Frame{}, r.err
			}
			f := Frame{Data: r.buf, At: r.at, Fault: Torn}
			r.buf = nil
			return f, nil
		}
		n, err := r.line.Read(r.chunk, deadline)
		if n > 0 {
			r.at = r.now().UTC()
			r.buf = append(r.buf, r.chunk[:n]...)
			continue
		}
		if errors.Is(err, os.ErrDeadlineExceeded) {
			return Frame{}, err
		}
		r.err = err
	}
}
