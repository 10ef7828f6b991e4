package barcode

import (
	"bytes"
	"context"
	"slices"

	"gatehouse/internal/driver"
	"gatehouse/internal/event"
	"gatehouse/internal/link"
)

const (
	// answersHeld is how many acknowledgements may wait for the line. A reader
	// waits for each one, and sends again what was not acknowledged.
	answersHeld = 64
	// codeMost is the longest code of several packets, in bytes. The largest
	// symbology, Aztec, has fewer than 4 kB.
	codeMost = 16 << 10
)

// progress is where in the packets of a reader the driver is. Its slices are
// never changed in place.
type progress struct {
	last  []byte // opcode, status but for its bit 0, and data of the last code packet
	parts []byte // of a code of several packets that is not complete
	open  bool
}

// session is one connection to an SSI reader.
type session struct {
	driver  *Driver
	ring    *driver.Ring
	answers chan []byte
	now     progress
}

// answer sends what is to be answered until ctx ends or the line fails.
func (s *session) answer(ctx context.Context, line *link.Line) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case b := <-s.answers:
			if err := line.Write(ctx, b); err != nil {
				return err
			}
		}
	}
}

// say never waits: an answer that is lost makes the reader send again.
func (s *session) say(p Packet) {
	p.Source = fromHost
	select {
	case s.answers <- Format(p):
	default:
	}
}

// read turns packets into readings until the line ends.
func (s *session) read(line *link.Line) error {
	s.now = s.driver.saved()
	judge := link.NewJudge(line.Name(), 0)
	frames := newReader(line, Packets, s.driver.config.Idle, s.driver.env.Now)
	for {
		f, err := frames.next()
		if err != nil {
			return err
		}
		p, err := ParsePacket(f.Data)
		if err != nil {
			s.ring.Put(invalid(f, err.Error()))
			s.say(Packet{Op: OpNAK, Data: []byte{CauseResend}})
			if err := judge.Bad(len(f.Data)); err != nil {
				return err
			}
			continue
		}
		judge.Good()
		s.packet(p, f)
	}
}

// packet puts the reading of a valid packet and has it acknowledged once that
// is stored.
func (s *session) packet(p Packet, f link.Frame) {
	switch {
	case p.Op == OpACK || p.Op == OpNAK:
		s.ring.Put(about(f, "ANSWER", event.Idle))
	case p.Op != OpDecode:
		s.ring.PutThen(func() { s.say(Packet{Op: OpACK}) }, about(f, "EVENT", event.Idle))
	default:
		s.code(p, f)
	}
}

func (s *session) code(p Packet, f link.Frame) {
	id := append([]byte{p.Op, p.Status &^ 1}, p.Data...)
	if p.Again() && bytes.Equal(id, s.now.last) {
		// Its first copy was put before this one, so that it is on disk by then,
		// unless it was dropped.
		s.ring.PutThen(func() {
			if bytes.Equal(s.driver.saved().last, id) {
				s.say(Packet{Op: OpACK})
			}
		}, about(f, "RETRANSMISSION", event.Idle))
		return
	}
	known := s.now.last != nil
	next := progress{last: id}
	data := p.Data[1:] // each packet repeats the code type
	if s.now.open {
		data = slices.Concat(s.now.parts, data)
	}
	var out event.Reading
	switch {
	case len(data) > codeMost:
		out = invalid(f, "code of several packets never ends")
	case p.More():
		next.open, next.parts = true, data
		out = about(f, "CONTINUATION", event.Active)
	default:
		out = reading(f)
		decoded(&out, SSIType(p.Data[0]), data)
		if p.Again() && !known && out.Quality == event.Good {
			out.Quality, out.Note = event.Suspect, "sent again after a restart; it may be stored already, or be the end of a longer code"
		}
	}
	s.now = next
	s.ring.PutThen(func() {
		s.driver.save(next)
		s.say(Packet{Op: OpACK})
	}, out)
}

func (d *Driver) saved() progress {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.stored
}

func (d *Driver) save(p progress) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.stored = p
}

// about accounts for a packet that is no code of its own.
func about(f link.Frame, code string, class event.Class) event.Reading {
	out := reading(f)
	out.Kind, out.Class, out.Report = event.DeviceReport, class, &event.Report{State: event.Up, Code: code}
	return out
}
