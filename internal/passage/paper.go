package passage

import (
	"cmp"
	"slices"
	"strings"
	"time"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"gatehouse/internal/container"
	"gatehouse/internal/event"
)

const (
	// latePaper is how long after a passage began the reading of a document that
	// was given before may come: devices store side by side.
	latePaper = 500 * time.Millisecond
	// codeBurst is how closely the codes of one vehicle follow each other.
	codeBurst = 5 * time.Second
	// codesPerPassage bounds the codes of a record: a reader that is held to a
	// pallet reads hundreds.
	codesPerPassage = 64
)

// bearer tells whose document it is, without telling: the same person's
// documents have the same, also when one of them was misread.
func bearer(d *event.Document) string {
	whose := d.Number
	if name := plain(strings.Join(d.Names, "")); name != "" && d.Birth != "" {
		whose = name + d.Birth
	}
	return event.Digest([]byte(whose))
}

// plain is a name in the letters that a machine-readable zone has.
func plain(name string) string {
	return strings.Map(func(c rune) rune {
		switch {
		case c == 'Đ' || c == 'đ':
			return 'D'
		case !unicode.IsLetter(c):
			return -1
		default:
			return unicode.ToUpper(c)
		}
	}, norm.NFD.String(name))
}

// document takes a document that a reader has read.
func (e *Engine) document(d *Device, r *event.Reading) {
	if r.Document == nil {
		return
	}
	t := trackOf(d, r)
	p := e.following(t)
	switch {
	case p != nil && (!p.ended() || e.reachable(p, r.ReceivedAt)):
	case d.Position == PositionAfter:
		p = e.ahead(d, r.ReceivedAt, func(p *passage) bool { return p.shows(t) })
	case d.Position == PositionDuring:
		p = e.newest(event.Open)
	default:
		p = e.announcedBy(t, latePaper, r.ReceivedAt)
	}
	e.place(p, d, r)
}

// announcedBy is the passage that something given before the presence zone
// belongs to already; nil when it announces another.
func (e *Engine) announcedBy(t track, late time.Duration, at time.Time) *passage {
	if !e.hasPresence() {
		return e.firstWithout(t, func(p *passage) bool {
			return !p.ended() && at.Sub(p.Record.OpenedAt) <= e.lane.Join.Before
		})
	}
	p := e.storedBefore(t, at)
	if p == nil || p.shows(t) || at.Sub(p.Record.OpenedAt) > late {
		return nil
	}
	return p
}

// place gives a document or a code to its passage, holds it for the one that it
// announces, or opens one that nothing else has seen.
func (e *Engine) place(p *passage, d *Device, r *event.Reading) {
	switch {
	case p != nil:
		e.give(p, d, r)
	case e.hasPresence() && d.Position != PositionAfter:
		e.hold(r)
	default:
		e.give(e.openAlone(r), d, r)
	}
}

// paper adds a document to the passage.
func (p *passage) paper(d *Device, r *event.Reading) {
	p.attach(r)
	p.see(trackOf(d, r), r.ReceivedAt)
	p.Record.Documents = append(p.Record.Documents, event.DocumentReading{
		Device: d.ID, At: r.ReceivedAt, Reading: r.ID, Document: *r.Document,
	})
	p.dirty = true
}

// barcode takes a code that a reader has read.
func (e *Engine) barcode(d *Device, r *event.Reading) {
	if r.Barcode == nil {
		return
	}
	t := trackOf(d, r)
	var p *passage
	switch again := e.readAgain(t, r.ReceivedAt); {
	case d.Position == PositionAfter:
		p = cmp.Or(e.standsOnScale(d), again)
		if p == nil {
			p = e.codedAfter(d, t, r.ReceivedAt)
		}
		if p == nil && e.hasPresence() {
			return // held to the reader while nobody is there
		}
	case again != nil:
		p = again
	case d.Position == PositionDuring:
		p = e.newest(event.Open)
	default:
		p = e.announcedBy(t, latePaper, r.ReceivedAt)
	}
	e.place(p, d, r)
}

// readAgain is the passage of the same code, read a moment ago. Later the same
// code is of another vehicle: one declaration covers several.
func (e *Engine) readAgain(t track, at time.Time) *passage {
	p := e.following(t)
	if p == nil || !slices.ContainsFunc(p.Tracks, func(s sighting) bool { return s.track == t && at.Sub(s.At) <= codeBurst }) {
		return nil
	}
	return p
}

// codedAfter is the passage whose code is read behind the presence zone when
// nothing stands on a scale: that which has just left it; else the next that lacks one. Of a
// person there are as many codes as bags.
func (e *Engine) codedAfter(d *Device, t track, at time.Time) *passage {
	if p := e.leftScale(d, at); p != nil {
		return p
	}
	if p := e.ahead(d, at, func(p *passage) bool { return p.codes(d.ID) >= max(1, len(p.Scans)) }); p != nil && p.shows(t) {
		return p
	}
	bags := slices.ContainsFunc(e.lane.Devices, func(o Device) bool { return o.Role == RoleScanner && o.Position == PositionAfter })
	if p := e.lastOut(d, at); bags && p != nil && p.codes(d.ID) < len(p.Scans) {
		return p
	}
	next := e.ahead(d, at, func(p *passage) bool {
		return p.codes(d.ID) > 0 || bags && p.Record.Kind == event.Person && len(p.Scans) == 0 && p.Record.LeftAt != nil
	})
	if next != nil {
		return next
	}
	return e.lastCoded(t, at)
}

// lastOut is the person whose bags have come out of the scanner last. The
// earliest whose tags were not read is not asked for: where a reader failed once,
// everybody after would bear the tags of the one behind. While a scan goes on, the
// tag is of the one before, unless that one has all.
func (e *Engine) lastOut(d *Device, at time.Time) *passage {
	if e.lane.Kind != event.Person {
		return nil
	}
	var running *passage
	for _, p := range slices.Backward(e.s.Passages) {
		switch {
		case p.gone() || p.Aside || len(p.Scans) == 0 || !e.reachable(p, at):
		case running != nil && p.codes(d.ID) >= len(p.Scans):
			return running
		case !p.Scans[len(p.Scans)-1].Ended && running == nil:
			running = p
		default:
			return p
		}
	}
	return running
}

// lastCoded is the passage whose code was read last, if another of its own may
// follow.
func (e *Engine) lastCoded(t track, at time.Time) *passage {
	for _, p := range slices.Backward(e.s.Passages) {
		if p.shows(t) && e.reachable(p, at) {
			return p
		}
	}
	return e.newest(event.Waiting)
}

// codes is how many codes of the passage a reader has read.
func (p *passage) codes(device string) int {
	n := 0
	for _, s := range p.Tracks {
		if s.Device == device && s.View == viewCode {
			n++
		}
	}
	return n
}

// burst says that a code follows the passage's last one so closely that it is
// of the same vehicle.
func (p *passage) burst(d *Device, r *event.Reading) bool {
	if r.Barcode == nil {
		return false
	}
	return slices.ContainsFunc(p.Tracks, func(s sighting) bool {
		return s.Device == d.ID && s.View == viewCode && r.ReceivedAt.Sub(s.At).Abs() <= codeBurst
	})
}

// code adds a code to the passage, with the container numbers in it. A code
// that is read again is only listed.
func (p *passage) code(d *Device, r *event.Reading) {
	p.attach(r)
	t := trackOf(d, r)
	if p.follows(t) || len(p.Record.Barcodes) >= codesPerPassage {
		return
	}
	p.see(t, r.ReceivedAt)
	p.Record.Barcodes = append(p.Record.Barcodes, event.BarcodeReading{
		Device: d.ID, At: r.ReceivedAt, Reading: r.ID, Barcode: *r.Barcode,
	})
	for _, n := range container.Find(r.Barcode.Text) {
		p.Record.Containers = append(p.Record.Containers, event.ContainerReading{
			Text: n.Text, CheckOK: n.Valid(), SizeType: n.SizeType, Score: 1, Reading: r.ID,
		})
	}
	p.dirty = true
}
