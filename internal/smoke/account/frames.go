package account

import (
	"cmp"
	"slices"
	"time"

	"gatehouse/internal/event"
	"gatehouse/internal/sim/book"
	"gatehouse/internal/sim/fault"
)

// digestLength is how much of a digest the frame logs carry.
const digestLength = 16

// again is how long around a kill a sender that did not hear that its message
// was stored sends it again: MQTT promises at least once, not once.
const again = 10 * time.Second

type frameKey struct{ device, digest string }

func short(digest string) string { return digest[:min(len(digest), digestLength)] }

// frames compares the ledger with the frame logs, per device and digest with
// multiplicity.
func (j *judge) frames() {
	sent := map[frameKey][]book.Frame{}
	for _, f := range j.c.Books.Ledger {
		key := frameKey{f.Device, short(f.SHA256)}
		sent[key] = append(sent[key], f)
	}
	found := map[frameKey]int{}
	for _, f := range j.s.Frames {
		found[frameKey{f.Device, f.Digest}]++
	}
	for key, lines := range sent {
		switch n := found[key]; {
		case n < len(lines):
			j.missing(key, lines, len(lines)-n)
		case n > len(lines):
			j.surplus(key, lines, n-len(lines))
		}
	}
	unsure := j.c.Unsure
	for key, n := range found {
		if len(sent[key]) == 0 && !isState(key) {
			if key.device == fault.Camera && n <= unsure {
				unsure -= n
				continue
			}
			j.problemN(FrameInvented, n, "%s %s is in the frame logs %d times and was never sent", key.device, key.digest, n)
		}
	}
}

// missing judges n of the lines of one content that were not found: those
// that lie in a recorded gap of their device may be.
func (j *judge) missing(key frameKey, lines []book.Frame, n int) {
	inGap := 0
	var outside book.Frame
	for _, l := range lines {
		if j.inGap(l.Device, l.At, l.At) {
			inGap++
		} else {
			outside = l
		}
	}
	explained := min(n, inGap)
	j.figures.InGaps += explained
	if lost := n - explained; lost > 0 {
		j.problemN(FrameLost, lost, "%s frame %d of %s (%s, %s) is missing outside of every gap; %s", key.device, outside.N,
			outside.At.Format(time.RFC3339Nano), key.digest, cmp.Or(outside.Passage, "idle"), j.nearest(key.device, outside.At))
	}
}

// nearest tells the device's gap that ends or begins closest to a moment, for
// whoever has to find out why a frame is missing.
func (j *judge) nearest(device string, at time.Time) string {
	var best *event.Gap
	var least time.Duration
	for i := range j.s.Gaps {
		g := &j.s.Gaps[i]
		if g.Device != device {
			continue
		}
		d := min(at.Sub(g.From).Abs(), at.Sub(g.To).Abs())
		if best == nil || d < least {
			best, least = g, d
		}
	}
	if best == nil {
		return "the device has no gap"
	}
	return "nearest gap " + best.From.Format("15:04:05.000000") + " to " + best.To.Format("15:04:05.000000")
}

// surplus judges n more of one content than were sent. A message or a file may
// come again when a kill hid that it was stored; a serial line cannot.
func (j *judge) surplus(key frameKey, lines []book.Frame, n int) {
	kills := 0
	for _, w := range j.c.Faults {
		if w.Device == "" && slices.ContainsFunc(lines, func(l book.Frame) bool { return within(l.At, w.From.Add(-again), w.To.Add(again)) }) {
			kills++
		}
	}
	if lines[0].Kind != book.Line && n <= kills {
		j.figures.Redelivered += n
		return
	}
	j.problemN(FrameDoubled, n, "%s %s was sent %d times (last %s) and is in the frame logs %d times", key.device, key.digest, len(lines),
		lines[len(lines)-1].At.Format(time.RFC3339Nano), len(lines)+n)
}

// isState says that a frame is a camera's retained state, which the broker
// repeats as it likes and the ledger leaves out.
func isState(key frameKey) bool {
	if key.device != fault.Camera {
		return false
	}
	return slices.ContainsFunc([]string{"online", "offline", "disconnected"}, func(word string) bool {
		return short(event.Digest([]byte(word))) == key.digest
	})
}

// inGap says whether [from, to] touches a recorded gap of the device; of any
// device when it is empty.
func (j *judge) inGap(device string, from, to time.Time) bool {
	return slices.ContainsFunc(j.s.Gaps, func(g event.Gap) bool {
		return (device == "" || g.Device == device) && !to.Before(g.From) && !from.After(g.To)
	})
}

// gaps finds recorded gaps that are longer than what the harness did explains.
func (j *judge) gaps() {
	j.figures.Gaps = len(j.s.Gaps)
	for _, g := range j.s.Gaps {
		excess := g.To.Sub(g.From) - j.explained(g)
		j.figures.WorstGapExcess = max(j.figures.WorstGapExcess, int(excess.Milliseconds()))
		if excess > Tolerance {
			j.problem(GapTooLong, "%s from %s to %s (%s) is %s longer than the faults in it", g.Device,
				g.From.Format("15:04:05.000"), g.To.Format("15:04:05.000"), g.Reason, excess.Round(time.Millisecond))
		}
	}
}

// explained is how much of a gap lies in known faults.
func (j *judge) explained(g event.Gap) time.Duration {
	windows := slices.Clone(j.c.Faults)
	windows = slices.DeleteFunc(windows, func(w Window) bool { return w.Device != "" && w.Device != g.Device })
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
