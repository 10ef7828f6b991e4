package scale

import (
	"math"
	"time"

	"gatehouse/internal/event"
)

// rest is how long a weight without a motion flag must stay within one
// division to count as resting.
const rest = 1500 * time.Millisecond

// point is one weight of a run.
type point struct {
	kg float64
	at time.Time
}

// settle follows the load on the scale from sample to sample of one line.
type settle struct {
	config   Config
	division float64 // kg

	recent     []point       // the last rest of time without a break, for scales without motion flag
	run        []point       // equal weights at rest
	last       *event.Weight // of the last sample
	told       *float64      // the stable weight that was told of the present load
	loaded     bool
	zero       bool // the empty scale has settled at zero
	zeroBefore bool // it had, when the present load came
}

// weigh is the value of a sample received at the given time, the class of its
// reading, and the stable weight that it leads to, if any; one that is not
// firm leads to none.
func (s *settle) weigh(in Sample, at time.Time, firm bool) (w event.Weight, class event.Class, stable *event.Weight) {
	s.division = s.config.Division
	if in.DivisionKG > 0 {
		s.division = in.DivisionKG
	}
	w = event.Weight{
		Gross: in.Gross, Tare: in.Tare, Net: in.Net, Motion: in.Motion, OverRange: in.Over, UnderRange: in.Under,
		Zeroed: !in.NotZeroed, Unit: in.Unit, DivisionKG: s.division,
	}
	shown := in.Indicated()
	if shown == nil {
		s.interrupt()
		if in.Over { // whatever it weighs, something stands there
			s.load(math.Inf(1))
		}
	} else {
		if in.Unsteady {
			w.Motion = !s.resting(*shown, at)
		}
		s.load(*shown)
		w.Stable = s.equal(*shown, at, firm && !w.Motion)
	}
	w.Loaded, w.ZeroBefore = s.loaded, s.loaded && s.zeroBefore
	class = s.class(w)
	s.last = &w
	if w.Stable && s.tells(*shown) {
		s.told = shown
		out := w
		stable = &out
	}
	if w.Stable && !s.loaded {
		s.zero = math.Abs(*shown) <= s.division
	}
	return w, class, stable
}

// interrupt forgets what led up to a stable weight: a frame is missing.
func (s *settle) interrupt() { s.recent, s.run = nil, nil }

// load notes when something enters or leaves. Between half the threshold and
// the threshold nothing changes, so that a swinging load does not flicker.
func (s *settle) load(kg float64) {
	on := kg >= s.config.Threshold || s.loaded && kg >= s.config.Threshold/2
	if on != s.loaded {
		s.loaded, s.told, s.run = on, nil, nil
		s.zeroBefore = on && s.zero
		s.zero = false
	}
	// One load may follow another without an empty scale between them.
	if s.told != nil && math.Abs(kg-*s.told) >= s.config.Threshold {
		s.told = nil
	}
}

// resting says whether the weights stayed within one division for long enough.
func (s *settle) resting(kg float64, at time.Time) bool {
	if n := len(s.recent); n > 0 && at.Sub(s.recent[n-1].at) > s.config.Window {
		s.recent = nil // silence proves no rest
	}
	s.recent = append(s.recent, point{kg, at})
	// The oldest point kept is the last one that is at least rest old.
	for len(s.recent) > 1 && at.Sub(s.recent[1].at) >= rest {
		s.recent = s.recent[1:]
	}
	low, high := kg, kg
	for _, p := range s.recent {
		low, high = min(low, p.kg), max(high, p.kg)
	}
	return at.Sub(s.recent[0].at) >= rest && high-low <= s.division*(1+1e-9)
}

// equal says whether enough equal weights at rest came within the window.
func (s *settle) equal(kg float64, at time.Time, rests bool) bool {
	if !rests {
		s.run = nil
		return false
	}
	if n := len(s.run); n > 0 && (s.run[n-1].kg != kg || at.Sub(s.run[n-1].at) > s.config.Window) {
		s.run = nil
	}
	s.run = append(s.run, point{kg, at})
	if n := len(s.run); n > s.config.Readings {
		s.run = s.run[n-s.config.Readings:]
	}
	return len(s.run) == s.config.Readings && at.Sub(s.run[0].at) <= s.config.Window
}

// tells says whether a stable weight is news. An empty scale that wanders by a
// division with wind and temperature is none.
func (s *settle) tells(kg float64) bool {
	switch {
	case s.told == nil:
		return true
	case s.loaded:
		return kg != *s.told
	default:
		return math.Abs(kg-*s.told) > s.division*(1+1e-9)
	}
}

// class is idle for a sample that says no more than the one before, or that
// the empty scale wanders.
func (s *settle) class(w event.Weight) event.Class {
	old := s.last
	switch {
	case old == nil,
		w.Loaded != old.Loaded, w.Zeroed != old.Zeroed,
		w.OverRange != old.OverRange, w.UnderRange != old.UnderRange,
		(w.Gross == nil && w.Net == nil) != (old.Gross == nil && old.Net == nil),
		w.Loaded && (!same(w.Gross, old.Gross) || !same(w.Net, old.Net) || !same(w.Tare, old.Tare)):
		return event.Active
	}
	return event.Idle
}

func same(a, b *float64) bool { return a == b || a != nil && b != nil && *a == *b }
