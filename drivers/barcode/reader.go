package barcode

import (
	"bytes"
	"errors"
	"os"
	"time"

	"gatehouse/internal/link"
)

// reader cuts a line's bytes into frames, also by the silence after them.
type reader struct {
	line  *link.Line
	cut   Cut
	idle  time.Duration
	now   func() time.Time
	buf   []byte
	chunk []byte
	at    time.Time // when the last byte came, by the gate's clock
	heard time.Time // the same by the machine's, for the idle time
}

func newReader(line *link.Line, cut Cut, idle time.Duration, now func() time.Time) *reader {
	return &reader{line: line, cut: cut, idle: idle, now: now, chunk: make([]byte, 4096)}
}

// next is the next frame. A reader that nobody uses is silent for hours, so
// that it waits as long as the line is there.
func (r *reader) next() (link.Frame, error) {
	quiet := false
	for {
		n, data, fault := r.cut(r.buf, quiet)
		if n > 0 {
			f := link.Frame{Data: bytes.Clone(data), At: r.at, Fault: fault}
			r.buf = r.buf[n:]
			if len(f.Data) > 0 {
				return f, nil
			}
			continue
		}
		deadline := time.Time{}
		if len(r.buf) > 0 {
			deadline = r.heard.Add(r.idle)
		}
		n, err := r.line.Read(r.chunk, deadline)
		switch {
		case n > 0:
			r.at, r.heard, quiet = r.now().UTC(), time.Now(), false
			r.buf = append(r.buf, r.chunk[:n]...)
		case errors.Is(err, os.ErrDeadlineExceeded):
			quiet = true
		case len(r.buf) > 0:
			f := link.Frame{Data: r.buf, At: r.at, Fault: link.Torn}
			r.buf = nil
			return f, nil // the line's error comes again
		default:
			return link.Frame{}, err
		}
	}
}
