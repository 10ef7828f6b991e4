package account

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"gatehouse/internal/event"
	"gatehouse/internal/sim/book"
	"gatehouse/internal/sim/fault"
)

// digestLength is how much of a digest the frame logs carry.
const digestLength = 16

// again is how long around a kill, or a fault of its own line, a sender that did not hear that its message
// was stored sends it again: MQTT promises at least once, not once.
const again = 10 * time.Second

// besides is how close in time to a damaged frame a sound one has to be for
// the damage to have taken it along: it ran into the next, or broke it off.
const besides = 2 * time.Second

type frameKey struct {
	Device
	digest string
}

func keyOf(f book.Frame) frameKey { return frameKey{Device{f.Lane, f.Device}, short(f.SHA256)} }

func short(digest string) string { return digest[:min(len(digest), digestLength)] }

// frames compares the ledger with the frame logs, per lane, device and digest
// with multiplicity.
func (j *judge) frames() {
	sent := map[frameKey][]book.Frame{}
	for _, f := range j.c.Books.Ledger {
		sent[keyOf(f)] = append(sent[keyOf(f)], f)
	}
	found := map[frameKey][]time.Time{}
	for _, f := range j.s.Frames {
		key := frameKey{Device{f.Lane, f.Device}, f.Digest}
		at, _ := time.Parse(time.RFC3339Nano, f.At) // zero when the log does not say
		found[key] = append(found[key], at)
	}
	j.damaged = map[Device][]book.Frame{}
	for _, f := range j.c.Books.Spoilt {
		d := Device{f.Lane, f.Device}
		j.damaged[d] = append(j.damaged[d], f)
	}
	for key, lines := range sent {
		switch n := len(found[key]); {
		case n < len(lines):
			j.missing(key, lines, found[key])
		case n > len(lines):
			j.surplus(key, lines, n-len(lines))
		}
	}
	j.invented(sent, found)
}

// invented finds what was never sent. Of the bytes that a fault made of a
// frame, nobody can say which frames a receiver cuts them into, but not that
// they are more than the bytes.
func (j *judge) invented(sent map[frameKey][]book.Frame, found map[frameKey][]time.Time) {
	unsure := j.c.Unsure
	pieces := map[Device]int{}
	for device, list := range j.damaged {
		for _, f := range list {
			pieces[device] += f.Bytes
		}
	}
	for key, logged := range found {
		n := len(logged)
		switch {
		case len(sent[key]) > 0 || isState(key):
		case isCamera(key.Device) && n <= unsure:
			unsure -= n
		case n <= pieces[key.Device]:
			pieces[key.Device] -= n
			j.figures.Pieces += n
		default:
			j.problemAt(key.Device, logged[n-1], FrameInvented, n, "%s %s is in the frame logs %d times and was never sent", key.Device, key.digest, n)
		}
	}
}

// missing judges the lines of one content of which fewer were found than sent:
// those that lie in a recorded gap of their device may be. logged are the ends
// of the logs that have one.
func (j *judge) missing(key frameKey, lines []book.Frame, logged []time.Time) {
	inGap, taken, n := 0, 0, len(lines)-len(logged)
	var outside []book.Frame
	if lines[0].Kind == book.File && slices.Contains(j.c.Left, lines[0].SHA256) {
		j.figures.Left += n
		return
	}
	for _, l := range lines {
		switch {
		case l.Kind == book.Answer && j.superseded(l):
			j.figures.Superseded++
			n--
		case j.inGap(key.Device, sentAt(l), l.At.Add(j.c.Lag)) && (!j.c.Strict || j.faulty(key.Device, l.At)):
			inGap++
		case j.besideDamage(key.Device, l.At):
			taken++
		default:
			outside = append(outside, l)
		}
	}
	n = max(0, n)
	explained := min(n, inGap)
	j.figures.InGaps += explained
	n -= explained
	taken = min(n, taken, len(j.damaged[key.Device])-j.taken[key.Device])
	if j.taken == nil {
		j.taken = map[Device]int{}
	}
	j.taken[key.Device] += taken
	j.figures.TakenAlong += taken
	if lost := n - taken; lost > 0 {
		if len(outside) == 0 {
			outside = lines
		}
		l := unlogged(outside, logged)
		j.problemAt(key.Device, l.At, FrameLost, lost, "%s frame %d of %s (%s, %s) is missing outside of every gap; %s", key.Device, l.N,
			l.At.Format(time.RFC3339Nano), key.digest, cmp.Or(l.Passage, "idle"), j.nearest(key.Device, l.At))
	}
}

// unlogged is the first of some lines of one content that no log tells of. A log
// tells of the latest before its end that no other tells of.
func unlogged(lines []book.Frame, logged []time.Time) book.Frame {
	left := slices.Clone(lines)
	for _, end := range slices.SortedFunc(slices.Values(logged), time.Time.Compare) {
		i := len(left) - 1
		for i >= 0 && left[i].At.After(end) {
			i--
		}
		if i >= 0 && len(left) > 1 {
			left = slices.Delete(left, i, i+1)
		}
	}
	return left[0]
}

// oneLook is how long a host takes to ask for inputs and relays: what changes
// within it is told as it was at the end.
const oneLook = 500 * time.Millisecond

// superseded says that an answer was followed by another within one look.
func (j *judge) superseded(l book.Frame) bool {
	i, _ := slices.BinarySearchFunc(j.c.Books.Ledger, l.At, func(f book.Frame, at time.Time) int { return f.At.Compare(at) })
	for _, f := range j.c.Books.Ledger[i:] {
		if f.At.After(l.At.Add(oneLook)) {
			return false
		}
		if f.Kind == book.Answer && keyOf(f).Device == keyOf(l).Device && f.At.After(l.At) && f.SHA256 != l.SHA256 {
			return true
		}
	}
	return false
}

// besideDamage says that a frame was sent right beside one that a fault damaged.
func (j *judge) besideDamage(d Device, at time.Time) bool {
	return slices.ContainsFunc(j.damaged[d], func(f book.Frame) bool { return f.At.Sub(at).Abs() <= besides })
}

// nearest tells the device's gap that ends or begins closest to a moment, for
// whoever has to find out why a frame is missing.
func (j *judge) nearest(d Device, at time.Time) string {
	var best *event.Gap
	var least time.Duration
	for i := range j.s.Gaps {
		g := &j.s.Gaps[i]
		if deviceOf(g.Where) != d {
			continue
		}
		away := min(at.Sub(g.From).Abs(), at.Sub(g.To).Abs())
		if best == nil || away < least {
			best, least = g, away
		}
	}
	if best == nil {
		return "the device has no gap"
	}
	return "nearest gap " + best.From.Format("15:04:05.000000") + " to " + best.To.Format("15:04:05.000000")
}

func deviceOf(w event.Where) Device { return Device{w.Lane, w.Device} }

// surplus judges n more of one content than were sent. A message, a file or a
// packet that is acknowledged may come again when a kill hid that it was
// stored, or as often as the sender heard no answer in time; a serial line
// cannot. Answers are repeated as often as the gate asks,
// and the ledger has the changed ones only.
func (j *judge) surplus(key frameKey, lines []book.Frame, n int) {
	if lines[0].Kind == book.Answer {
		return
	}
	excused := 0
	for _, f := range j.c.Books.Unheard {
		if f.Reason == book.Unanswered && keyOf(f) == key {
			excused++
		}
	}
	for _, w := range j.c.Faults {
		if (w.Device == (Device{}) || w.Device == key.Device) && slices.ContainsFunc(lines, func(l book.Frame) bool { return within(l.At, w.From.Add(-again), w.To.Add(again)) }) {
			excused++
		}
	}
	if comesAgain(lines[0]) && n <= excused {
		j.figures.Redelivered += n
		return
	}
	j.problemAt(key.Device, lines[len(lines)-1].At, FrameDoubled, n, "%s %s was sent %d times (last %s) and is in the frame logs %d times", key.Device, key.digest, len(lines),
		lines[len(lines)-1].At.Format(time.RFC3339Nano), len(lines)+n)
}

// comesAgain says that the sender sends again what was not acknowledged. Of the
// devices with packets only barcode readers are answered.
func comesAgain(f book.Frame) bool {
	switch f.Kind {
	case book.MQTT, book.File:
		return true
	case book.Packet:
		return strings.HasPrefix(f.Device, fault.Barcode)
	}
	return false
}

// isCamera says that a device is a plate camera: a lane's second one is named
// camera2.
func isCamera(d Device) bool { return strings.HasPrefix(d.Name, fault.Camera) }

// isState says that a frame is a camera's retained state, which the broker
// repeats as it likes and the ledger leaves out.
func isState(key frameKey) bool {
	if !isCamera(key.Device) {
		return false
	}
	return slices.ContainsFunc([]string{"online", "offline", "disconnected"}, func(word string) bool {
		return short(event.Digest([]byte(word))) == key.digest
	})
}

// acknowledging is the most that a broker takes to acknowledge a message.
const acknowledging = 100 * time.Millisecond

// sentAt is when a frame went out at the earliest: the ledger has the moment in
// which it was fully sent, which of a message is that of its acknowledgement.
func sentAt(l book.Frame) time.Time {
	if l.Kind == book.MQTT {
		return l.At.Add(-acknowledging)
	}
	return l.At
}

// inGap says whether [from, to] touches a recorded gap of the device; of any
// device of its lane when it has no name.
func (j *judge) inGap(d Device, from, to time.Time) bool {
	return slices.ContainsFunc(j.s.Gaps, func(g event.Gap) bool {
		return g.Lane == d.Lane && (d.Name == "" || g.Device == d.Name) && !to.Before(g.From) && !from.After(g.To)
	})
}

// faulty says that a frame was sent within or close to a fault of the harness.
func (j *judge) faulty(d Device, at time.Time) bool {
	return slices.ContainsFunc(j.c.Faults, func(w Window) bool {
		return (w.Device == Device{} || w.Device == d) && within(at, w.From.Add(-Tolerance), w.To.Add(Tolerance))
	})
}

// gaps finds recorded gaps that are longer than what the harness did explains.
func (j *judge) gaps() {
	j.figures.Gaps = len(j.s.Gaps)
	for _, g := range j.s.Gaps {
		excess := g.To.Sub(g.From) - j.explained(g)
		j.figures.WorstGapExcess = max(j.figures.WorstGapExcess, int(excess.Milliseconds()))
		if excess > Tolerance {
			j.problemAt(deviceOf(g.Where), g.From, GapTooLong, 1, "%s from %s to %s (%s) is %s longer than the faults in it", deviceOf(g.Where),
				g.From.Format("15:04:05.000"), g.To.Format("15:04:05.000"), g.Reason, excess.Round(time.Millisecond))
		}
	}
}

// explained is how much of a gap lies in known faults.
func (j *judge) explained(g event.Gap) time.Duration {
	windows := slices.Clone(j.c.Faults)
	windows = slices.DeleteFunc(windows, func(w Window) bool { return w.Device != Device{} && w.Device != deviceOf(g.Where) })
	slices.SortFunc(windows, func(a, b Window) int { return a.From.Compare(b.From) })
	var sum time.Duration
	at := g.From
	for _, w := range windows {
		from, to := w.From, w.To
		if from.Before(at) {
			from = at
		}
		if to.After(g.To) {
			to = g.To
		}
		if to.After(from) {
			sum += to.Sub(from)
			at = to
		}
	}
	return sum
}
