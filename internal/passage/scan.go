package passage

import (
	"cmp"
	"slices"
	"time"

	"gatehouse/internal/event"
)

// Scanner events that change something; others are only listed.
const (
	scanBegin = "SCAN_BEGIN"
	scanEnd   = "SCAN_END"
	itemIn    = "ITEM_IN"
	itemOut   = "ITEM_OUT"
)

// scan takes an event or an image of a scanner.
func (e *Engine) scan(d *Device, r *event.Reading) {
	if r.Scan == nil {
		return
	}
	switch r.Scan.Event {
	case itemIn:
		e.item(d, r)
		return
	case itemOut:
		e.itemLeft(d, r)
		return
	}
	key := scanKey{Device: d.ID, ID: cmp.Or(r.Scan.ScanID, r.Key, string(r.ID))}
	if slices.Contains(e.s.Forgotten, key) {
		return
	}
	p := e.scanned(d, key, r)
	p.attach(r)
	p.dirty = true
	state := p.scanState(key)
	if r.Scan.Event == scanEnd {
		e.scanEnded(p, state, r)
	}
	if r.Kind == event.ScanImage {
		e.view(p, d, state, r)
	}
}

// scanned is the passage that owns a scan; a new scan gets one.
func (e *Engine) scanned(d *Device, key scanKey, r *event.Reading) *passage {
	for _, p := range slices.Backward(e.s.Passages) {
		if p.scanState(key) != nil {
			return p
		}
	}
	p := cmp.Or(e.cameBehind(d, r.ReceivedAt), e.nextToScan(d, r.ReceivedAt))
	if r.Kind == event.ScanImage && d.Position == PositionAfter && r.DeviceTime != nil && r.DeviceTime.Before(r.ReceivedAt) {
		p = e.scannedUnseen(d, wall(*r.DeviceTime))
	}
	if p == nil {
		p = e.openForScanner(d, r)
	}
	p.Scans = append(p.Scans, scanState{scanKey: key, At: r.ReceivedAt})
	e.expectImage(p, d)
	e.judgeScanned(p, d, r)
	return p
}

// nextToScan is the passage whose scan comes next: the earliest that the
// scanner has not scanned, after the last that it has. What left longer ago
// than the way to the scanner takes turned away or was scanned unseen, and is
// passed over, or every later scan would go to the lorry before its own. A
// passage in which two lorries tail-gated is scanned twice.
func (e *Engine) nextToScan(d *Device, at time.Time) *passage {
	if d.Position == PositionAfter && e.lane.Kind == event.Person && e.hasPresence() {
		return e.bagOwner(d, at)
	}
	var next, last *passage
	for _, p := range e.s.Passages {
		if p.Aside || p.gone() {
			continue
		}
		scans := p.scansBy(d.ID)
		if scans > 0 && (len(p.Spans) > 0 || !e.hasPresence()) { // a scan of nobody says nothing of the order
			next, last = nil, nil
		}
		again := scans > 0 && scans < p.vehicles() && at.Sub(p.lastScanned(d.ID)) <= d.Transit
		if !again && (scans > 0 || !e.reachable(p, at)) {
			continue
		}
		if last = p; next == nil && (again || p.Record.LeftAt == nil || p.justLeft(d, at)) {
			next = p
		}
	}
	return cmp.Or(next, last)
}

// scannedUnseen is the passage that a scan shows of which nothing but the image
// arrived, maybe long after: the last that was on its way to the scanner when
// the scanner says that the scan began. Such an image is never given to
// whoever comes next.
func (e *Engine) scannedUnseen(d *Device, began time.Time) *passage {
	for _, p := range slices.Backward(e.s.Passages) {
		if !p.Aside && !p.gone() && !p.Record.OpenedAt.After(began) && !p.scannedBy(d.ID) && (p.Record.LeftAt == nil || p.justLeft(d, began)) {
			return p
		}
	}
	return nil
}

// justLeft says that the passage may be on its way to the scanner.
func (p *passage) justLeft(d *Device, at time.Time) bool {
	return p.Record.LeftAt != nil && at.Sub(*p.Record.LeftAt) <= d.Transit
}

// lastScanned is when the scanner was last heard about the passage.
func (p *passage) lastScanned(device string) time.Time {
	for _, r := range slices.Backward(p.Record.Readings) {
		if r.Device == device {
			return r.ReceivedAt
		}
	}
	return time.Time{}
}

// vehicles is how many the cameras saw in the passage: the most tracks of one
// camera in one view.
func (p *passage) vehicles() int {
	seen, most := map[track]int{}, 0
	for _, s := range p.Tracks {
		if s.View == viewDocument || s.View == viewCode {
			continue
		}
		s.Event = ""
		seen[s.track]++
		most = max(most, seen[s.track])
	}
	return most
}

// bagGap is how closely the bags of one person follow each other on the belt:
// 3 s, and less where the whole way to the scanner takes less than 8 s.
func (d *Device) bagGap() time.Duration { return min(3*time.Second, d.Transit*3/8) }

// toTheBelt is how long a person needs at least from the portal to the belt:
// 2 s, and less where the whole way takes less than 8 s.
func (d *Device) toTheBelt() time.Duration { return min(2*time.Second, d.Transit/4) }

// bagOwner is the person whose bag comes out of the scanner: the last who has
// left the portal. People have any number of bags, so their order says nothing
// of whose a bag is; but who has just come through the portal cannot be at the
// belt while the bags of the one before still follow each other. A bag is
// nobody's when its owner may have come through while the portal was away: one
// on a record of its own is better than one on another's.
func (e *Engine) bagOwner(d *Device, at time.Time) *passage {
	var owner *passage
	for _, p := range slices.Backward(e.s.Passages) {
		switch {
		case p.Aside || p.gone() || p.Record.LeftAt == nil || !e.reachable(p, at):
		case owner == nil:
			owner = p
		case p.nextBag(d, at) && !owner.scannedBy(d.ID) && at.Sub(*owner.Record.LeftAt) < d.toTheBelt():
			return p
		}
	}
	if owner != nil && !owner.nextBag(d, at) && e.missedSince(*owner.Record.LeftAt, d, at) {
		return nil
	}
	return cmp.Or(owner, e.newest(event.Open))
}

// nextBag says whether a scan that begins now may be of another bag of the same
// person.
func (p *passage) nextBag(d *Device, at time.Time) bool {
	return p.scannedBy(d.ID) && at.Sub(p.lastScanned(d.ID)) <= d.bagGap()
}

// openForScanner opens a passage that no presence device has seen. A camera may
// have: where presence cannot be seen, its capture waits for nothing else.
func (e *Engine) openForScanner(d *Device, r *event.Reading) *passage {
	if len(e.s.Held) > 0 && (!e.canSeePresence() || e.passedUnseen(e.s.Held[0], d, r.ReceivedAt)) {
		if p := e.releaseAt(0); p != nil && !p.scannedBy(d.ID) {
			return p
		}
	}
	p := e.open(r.ReceivedAt, r.ID)
	p.Scanner = d.ID
	p.irregular(irregularNoPresence)
	if r.Kind == event.ScanImage {
		e.left(p, r.ReceivedAt) // what it shows has gone through already
		if e.hasPresence() && r.DeviceTime != nil && r.DeviceTime.Before(r.ReceivedAt) {
			p.Scanned = wall(*r.DeviceTime)
		}
	}
	return p
}

// scanOnly says that nothing but an image, which may have been found long
// after it was made, tells of the passage. It must not take what belongs to
// those who came when the image was found.
func (p *passage) scanOnly() bool { return !p.Scanned.IsZero() && len(p.Spans) == 0 }

// passed is when the passage left the zone or, as far as only an image tells,
// was in the scanner.
func (p *passage) passed() time.Time {
	if p.scanOnly() {
		return p.Scanned
	}
	return p.left()
}

// item takes something that enters a scanner.
func (e *Engine) item(d *Device, r *event.Reading) {
	p := e.nextToScan(d, r.ReceivedAt)
	if p == nil || p.Item && !p.nextBag(d, r.ReceivedAt) { // an item that has not been scanned yet is another one
		p = e.openForScanner(d, r)
		p.Item = p.Scanner == d.ID
	}
	p.attach(r)
	p.dirty = true
}

// itemLeft takes something that leaves a scanner: the earliest that has not.
func (e *Engine) itemLeft(d *Device, r *event.Reading) {
	for _, p := range e.s.Passages {
		if p.Scanner == d.ID && len(p.Spans) == 0 && p.Record.State == event.Open {
			p.attach(r)
			e.left(p, r.ReceivedAt)
			return
		}
	}
	for _, p := range slices.Backward(e.s.Passages) {
		if p.scannedBy(d.ID) {
			p.attach(r)
			return
		}
	}
}

// scanEnded takes the end of a scan. Any result but 0 means that it is not
// whole.
func (e *Engine) scanEnded(p *passage, s *scanState, r *event.Reading) {
	s.Ended = true
	s.Cut = s.Cut || r.Scan.Result != nil && *r.Scan.Result != 0
	for i := range p.Record.Scans {
		if v := &p.Record.Scans[i]; v.Device == s.Device && v.ScanID == s.ID {
			v.Cut = s.Cut
		}
	}
	if p.Scanner == s.Device && !p.Item && len(p.Spans) == 0 && p.Record.State == event.Open {
		e.left(p, r.ReceivedAt) // opened by the scan, so it ends with it
	}
}

// view adds a finished view of a scan.
func (e *Engine) view(p *passage, d *Device, s *scanState, r *event.Reading) {
	if r.Scan.Image == nil {
		p.Blank = append(p.Blank, d.ID)
		return
	}
	kind := cmp.Or(r.Scan.Kind, d.Scan)
	ask := Request{Evidence: r.Scan.Image.SHA256, Op: OpXray, Kind: kind, Scanner: d.Scanner}
	if r.Scan.Low != nil {
		ask.Low = r.Scan.Low.SHA256
	}
	if r.Scan.Sidecar != nil {
		ask.Sidecar = r.Scan.Sidecar.SHA256
	}
	p.Record.Scans = append(p.Record.Scans, event.ScanView{
		ScanID: s.ID, View: max(r.Scan.View, 1), Kind: kind, Image: *r.Scan.Image, Device: d.ID,
		TakenAt: r.ReceivedAt, Cut: s.Cut, Low: r.Scan.Low, Sidecar: r.Scan.Sidecar,
		Analysis: e.analyse(p, ask),
	})
}

func (p *passage) scanState(key scanKey) *scanState {
	i := slices.IndexFunc(p.Scans, func(s scanState) bool { return s.scanKey == key })
	if i < 0 {
		return nil
	}
	return &p.Scans[i]
}

func (p *passage) scannedBy(device string) bool { return p.scansBy(device) > 0 }

func (p *passage) scansBy(device string) int {
	n := 0
	for _, s := range p.Scans {
		if s.Device == device {
			n++
		}
	}
	return n
}
