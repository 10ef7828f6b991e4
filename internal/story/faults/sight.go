package faults

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"gatehouse/internal/event"
	"gatehouse/internal/sim/book"
	"gatehouse/internal/sim/fault"
	"gatehouse/internal/smoke/account"
)

// Played is one fault as the simulator's books tell it.
type Played struct {
	Fault    string
	Device   account.Device
	From, To time.Time
	Vehicles []book.Truth // and persons that it touched
	used     string       // who used an occasion up
}

// follower adds who comes behind the one that was followed.
func (p *Played) follower(b account.Books) {
	if p.Fault != "tail-gate" && p.Fault != "back-to-back" || len(p.Vehicles) != 1 {
		return
	}
	var next *book.Truth
	for i, t := range b.Truth {
		if t.Lane == p.Device.Lane && t.Began.After(p.Vehicles[0].Began) && (next == nil || t.Began.Before(next.Began)) {
			next = &b.Truth[i]
		}
	}
	if next != nil {
		p.Vehicles = append(p.Vehicles, *next)
	}
}

// Gather lists the faults that were played, in the order in which they began.
// An occasion begins when it is used up; one that never was has no vehicle.
func Gather(b account.Books) []Played {
	var all []Played
	open := map[string]int{} // what is on: index in all
	for _, c := range b.Faults {
		key := c.Lane + "/" + c.Device + "/" + c.Fault
		i, on := open[key]
		switch c.Phase {
		case "set":
			if !on {
				open[key] = len(all)
				all = append(all, Played{Fault: c.Fault, Device: account.Device{Lane: c.Lane, Name: c.Device}, From: c.At})
			}
		case "used":
			if spec, _ := fault.Find(c.Fault); on && spec.Occasion() {
				all[i].From, all[i].To, all[i].used = c.At, c.At, c.Vehicle
			}
		case "ended":
			if on {
				all[i].To = c.At
				delete(open, key)
			}
		}
	}
	for i := range all {
		p := &all[i]
		for _, t := range b.Truth {
			touched := slices.Contains(t.Faults, p.Device.Name+"/"+p.Fault) && !p.later(t)
			if t.Lane == p.Device.Lane && (touched || p.used == t.Vehicle && p.used != "") {
				p.Vehicles = append(p.Vehicles, t)
			}
		}
		p.follower(b)
	}
	slices.SortStableFunc(all, func(a, b Played) int { return a.From.Compare(b.From) })
	return all
}

// later says that a vehicle came after the fault was over, so that it was
// another time that it was played.
func (p Played) later(t book.Truth) bool {
	return !p.To.IsZero() && t.Began.After(p.To.Add(time.Minute))
}

// Site is what one agency holds.
type Site struct {
	Store   *account.Store
	History account.History
	Owners  map[string][]event.ID // vehicle or person to passages
	// Problems are what the account says is wrong at this agency.
	Problems []account.Problem
	End      time.Time // of the run
}

// sight is one fault as it is looked for at one agency.
type sight struct {
	Played
	*Site
	next time.Time // when the same device is spoilt again; the run's end when not
	// others are the other faults of the same device.
	others []Played
}

// want is one thing that has to be seen: where it is seen, or why it is not.
type want func(s *sight) (trace string, ok bool)

// Slack is how much later than its cause a device's state may be told: the
// longest silence that a driver allows, and the pauses of a link that is tried
// again.
const (
	early = time.Second
	slack = 18 * time.Second
	soon  = 4 * time.Second
)

func (s *sight) changes(from, to time.Time) []event.DeviceChange {
	var all []event.DeviceChange
	for _, c := range s.History.Changes {
		if c.Lane == s.Device.Lane && c.Device == s.Device.Name && !c.ID.Time().Before(from) && !c.ID.Time().After(to) {
			all = append(all, c)
		}
	}
	return all
}

// short is an id as it stands in traces: whole, so that it can be searched for.
func short(id event.ID) string { return string(id) }

func clock(t time.Time) string { return t.UTC().Format("15:04:05.0") }

// becomes wants the device to be told as being in a state, with one of the
// words in its code or reason where any are given.
func becomes(state event.DeviceState, words ...string) want {
	return func(s *sight) (string, bool) {
		var seen []string
		for _, c := range s.changes(s.From.Add(-early), s.To.Add(slack)) {
			seen = append(seen, account.Says(c))
			text := strings.ToLower(c.Code + " " + c.Reason)
			said := len(words) == 0 || slices.ContainsFunc(words, func(w string) bool { return strings.Contains(text, strings.ToLower(w)) })
			if c.State == state && said && c.Since.Before(s.latest()) {
				return fmt.Sprintf("device %s at %s (%s)", account.Says(c), clock(c.Since), short(c.ID)), true
			}
		}
		return fmt.Sprintf("device is never told as %s %s, only %v", state, strings.Join(words, "/"), seen), false
	}
}

// latest is until when something may be this fault's doing.
func (s *sight) latest() time.Time {
	if at := s.To.Add(slack); at.Before(s.next) {
		return at
	}
	return s.next
}

// back is how long after a fault a device may need to be told as up: the longest
// pause of a link that is tried again, until somebody uses a reader.
const back = 45 * time.Second

// recovers wants the device to be up again, or never to have been anything else.
func recovers(s *sight) (string, bool) {
	var bad, up *event.DeviceChange
	for i, c := range s.History.Changes {
		if c.Lane != s.Device.Lane || c.Device != s.Device.Name || c.ID.Time().Before(s.From.Add(-early)) || c.ID.Time().After(s.To.Add(back)) || c.ID.Time().After(s.End) {
			continue
		}
		switch {
		case c.State == event.Up:
			up = &s.History.Changes[i]
		case c.ID.Time().Before(s.next):
			bad, up = &s.History.Changes[i], nil
		}
	}
	switch {
	case bad == nil:
		return "up all the time", true
	case up == nil:
		return fmt.Sprintf("device stays %s since %s", account.Says(*bad), clock(bad.ID.Time())), false
	}
	return fmt.Sprintf("up again at %s", clock(up.ID.Time())), true
}

// steady wants that the device's state is not touched.
func steady(s *sight) (string, bool) {
	for _, c := range s.changes(s.From, s.To.Add(soon)) {
		if c.State != event.Up && c.ID.Time().Before(s.next.Truncate(time.Millisecond)) { // as ids tell the time
			return fmt.Sprintf("device became %s at %s (%s)", account.Says(c), clock(c.ID.Time()), short(c.ID)), false
		}
	}
	return "state untouched", true
}

// gap wants a recorded gap of the device that touches the fault.
func gap(s *sight) (string, bool) {
	for _, g := range s.Store.Gaps {
		if g.Lane == s.Device.Lane && g.Device == s.Device.Name && !g.From.After(s.To.Add(soon)) && !g.To.Before(s.From) {
			return fmt.Sprintf("gap %s to %s, %s (%s)", clock(g.From), clock(g.To), g.Reason, short(g.ID)), true
		}
	}
	return "no gap is recorded", false
}

// unread counts the frames that were not understood in the logs that touch the
// fault.
func (s *sight) unread() (n int, log event.ID) {
	for _, l := range s.History.Logs {
		if l.Lane == s.Device.Lane && l.Device == s.Device.Name && l.Invalid > 0 && !l.From.After(s.To.Add(soon)) && !l.To.Before(s.From) {
			n += l.Invalid
			log = cmp.Or(log, l.ID)
		}
	}
	return n, log
}

// invalid wants frames that are kept as not understood.
func invalid(s *sight) (string, bool) {
	n, log := s.unread()
	if n == 0 {
		return "no frame is told as not understood", false
	}
	return fmt.Sprintf("%d frames not understood (log %s)", n, short(log)), true
}

// understood wants that nothing was not understood. A log covers some seconds:
// one that touches another fault of the device too says nothing of this one.
// That every frame was cut where it should be, the account tells by itself.
func understood(s *sight) (string, bool) {
	for _, l := range s.History.Logs {
		shared := slices.ContainsFunc(s.others, func(o Played) bool { return !l.From.After(o.To.Add(soon)) && !l.To.Before(o.From) })
		if l.Lane == s.Device.Lane && l.Device == s.Device.Name && l.Invalid > 0 && !shared && !l.From.After(s.To.Add(soon)) && !l.To.Before(s.From) {
			return fmt.Sprintf("%d frames were not understood (log %s)", l.Invalid, short(l.ID)), false
		}
	}
	return "every frame understood", true
}

// accounted wants that the account has nothing to say of the device while the
// fault was on and shortly after: no frame lost outside of a gap, none doubled,
// none invented, no gap that is longer than the fault.
func accounted(s *sight) (string, bool) {
	for _, p := range s.Problems {
		within := p.At.IsZero() || !p.At.Before(s.From.Add(-soon)) && p.At.Before(s.latest()) && !p.At.After(s.To.Add(soon))
		if p.Device == s.Device && within {
			return p.String(), false
		}
	}
	return "no frame lost or doubled", true
}

// passages are the passages of the vehicles that the fault touched.
func (s *sight) passages() []*event.Passage {
	var all []*event.Passage
	for _, t := range s.Vehicles {
		for _, id := range s.Owners[t.Vehicle] {
			i := slices.IndexFunc(s.Store.Passages, func(p event.Passage) bool { return p.ID == id })
			all = append(all, &s.Store.Passages[i])
		}
	}
	return all
}

func (s *sight) names() string {
	var all []string
	for _, t := range s.Vehicles {
		all = append(all, t.Vehicle)
	}
	if len(all) == 0 {
		return "nobody"
	}
	return strings.Join(all, ", ")
}

// some wants a passage of a touched vehicle of which something holds.
func some(what string, holds func(s *sight, p *event.Passage) (string, bool)) want {
	return func(s *sight) (string, bool) {
		list := s.passages()
		for _, p := range list {
			if trace, ok := holds(s, p); ok {
				return fmt.Sprintf("passage %s: %s", short(p.ID), trace), true
			}
		}
		return fmt.Sprintf("none of the %d passages of %s has %s", len(list), s.names(), what), false
	}
}

// finding wants a passage with that finding.
func finding(code string) want {
	return some(code, func(_ *sight, p *event.Passage) (string, bool) {
		i := slices.IndexFunc(p.Findings, func(f event.Finding) bool { return f.Code == code })
		if i < 0 {
			return "", false
		}
		return fmt.Sprintf("%s (%s)", code, short(p.Findings[i].ID)), true
	})
}

// without wants that no passage has any of the findings.
func without(codes ...string) want {
	return func(s *sight) (string, bool) {
		for _, p := range s.passages() {
			for _, f := range p.Findings {
				if slices.Contains(codes, f.Code) {
					return fmt.Sprintf("passage %s has %s (%s)", short(p.ID), f.Code, short(f.ID)), false
				}
			}
		}
		return "no " + strings.Join(codes, ", no "), true
	}
}

// blind wants a passage that says that the device did not look.
func blind(s *sight) (string, bool) {
	return some("coverage that says that "+s.Device.Name+" did not look", func(s *sight, p *event.Passage) (string, bool) {
		for _, c := range p.Coverage {
			if c.Device == s.Device.Name && !c.Looked {
				return fmt.Sprintf("%s did not look: %s", c.Device, cmp.Or(c.Reason.EN, string(c.State))), true
			}
		}
		return "", false
	})(s)
}

// looked wants that every passage says that the device looked.
func looked(s *sight) (string, bool) {
	for _, p := range s.passages() {
		for _, c := range p.Coverage {
			if c.Device == s.Device.Name && !c.Looked && p.State != event.Cancelled {
				return fmt.Sprintf("passage %s says that %s did not look: %s", short(p.ID), c.Device, c.Reason.EN), false
			}
		}
	}
	return "the device looked", true
}

// single wants one passage, and no second one, of every vehicle.
func single(s *sight) (string, bool) {
	if len(s.Vehicles) == 0 {
		return "it touched nobody", false
	}
	var ids []string
	for _, t := range s.Vehicles {
		list := s.Owners[t.Vehicle]
		if len(list) != 1 {
			return fmt.Sprintf("%s has %d passages", t.Vehicle, len(list)), false
		}
		ids = append(ids, short(list[0]))
	}
	return fmt.Sprintf("one passage each: %s", strings.Join(ids, ", ")), true
}
