package passage

import (
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"gatehouse/internal/event"
)

const (
	// clockGrace is how long the gate's clock may be without its source before
	// times are in doubt: a quartz clock drifts by less than 10 ms in it.
	clockGrace = time.Minute
	// clockStep is the step of the clock from which on times are in doubt.
	clockStep = time.Second
)

// note keeps something that held while the passage lasted, once.
func (p *passage) note(n noted) {
	known := slices.ContainsFunc(p.Noted, func(o noted) bool {
		return o.Code == n.Code && o.Device == n.Device && o.Mark == n.Mark
	})
	if !known {
		p.Noted = append(p.Noted, n)
		p.dirty = true
	}
}

// notes are the findings from what was noted: one of a monitor's background,
// whichever of its channels are out of their limits.
func (e *Engine) notes(p *passage) []conclusion {
	out := make([]conclusion, 0, len(p.Noted))
	for _, n := range p.Noted {
		if n.Code == event.FindingRadiationFault {
			n.Mark = ""
			i := slices.IndexFunc(out, func(c conclusion) bool { return c.code == n.Code && c.device == n.Device })
			if i >= 0 {
				out[i].figures = maps.Clone(out[i].figures)
				maps.Copy(out[i].figures, n.Figures)
				out[i].said.VI += "; " + n.Said.VI
				out[i].said.EN += "; " + n.Said.EN
				continue
			}
		}
		out = append(out, conclusion{
			code: n.Code, device: n.Device, mark: n.Mark, score: 1, figures: n.Figures, reason: n.Reason, said: n.Said,
		})
	}
	return out
}

// noteDevices notes what holds of the lane's devices when a passage begins.
func (e *Engine) noteDevices(p *passage) {
	for _, ds := range e.s.Devices {
		if !ds.Tampered.Since.IsZero() {
			p.note(tampered(ds))
		}
		for _, channel := range slices.Sorted(maps.Keys(ds.Faults)) {
			p.note(backgroundFault(ds.ID, channel, ds.Faults[channel]))
		}
	}
	if lost := e.s.Clock.Lost; !lost.IsZero() && e.now.Sub(lost) >= clockGrace {
		p.note(clockLost(lost))
	}
}

// codes of devices for a cover that somebody opened, and that it is closed.
func tamperCode(code string) bool {
	return slices.Contains([]string{"TT", "TAMPER", "COVER-OPEN", "ANTI-TAMPER"}, strings.ToUpper(code))
}

// tamper follows what a device says of its own cover. A device that is up again
// has been closed; one that was only connected again says nothing of it.
func (e *Engine) tamper(d *Device, ds *deviceState, r *event.Reading) {
	switch {
	case tamperCode(r.Report.Code):
		if ds.Tampered.Since.IsZero() {
			ds.Tampered = condition{State: r.Report.State, Since: r.ReceivedAt, Code: r.Report.Code}
		}
		for _, p := range e.s.Passages {
			if !p.ended() && !p.answered(d) {
				p.note(tampered(ds))
			}
		}
	case r.Report.Code == "TC" || r.Report.State == event.Up:
		ds.Tampered = condition{}
	}
}

func tampered(ds *deviceState) noted {
	since := localTime(ds.Tampered.Since)
	return noted{
		Code: event.FindingTamper, Device: ds.ID, Since: ds.Tampered.Since,
		Figures: map[string]any{"code": ds.Tampered.Code, "since": ds.Tampered.Since},
		Reason:  event.Text{VI: "mở vỏ từ " + since, EN: "opened since " + since},
	}
}

// background takes a background that is out of its limits. Those within are
// idle, and told by a report when they are back.
func (e *Engine) background(d *Device, ds *deviceState, r *event.Reading) {
	m := r.Radiation
	if m == nil || m.Fault == "" || !d.Radiation {
		return
	}
	if ds.Faults == nil {
		ds.Faults = map[string]condition{}
	}
	if _, known := ds.Faults[m.Channel]; known {
		return
	}
	ds.Faults[m.Channel] = condition{Since: r.ReceivedAt, Code: m.Fault}
	for _, p := range e.s.Passages {
		if p.Record.State == event.Open && !p.Aside {
			p.note(backgroundFault(ds.ID, m.Channel, ds.Faults[m.Channel]))
		}
	}
}

// backgroundBack takes a monitor's report that a background is within its
// limits again, by the name of the record that told it.
func (ds *deviceState) backgroundBack(r *event.Reading) {
	switch {
	case r.Report.State == event.Up:
		ds.Faults = nil
	case r.Report.Code == "GB":
		delete(ds.Faults, channelGamma)
	case r.Report.Code == "NB":
		delete(ds.Faults, channelNeutron)
	}
}

func backgroundFault(device, channel string, c condition) noted {
	what := event.Text{VI: "phông " + channel + " ngoài giới hạn", EN: channel + " background out of limits"}
	switch c.Code {
	case "high-background":
		what = event.Text{VI: "phông " + channel + " quá cao", EN: channel + " background too high"}
	case "low-background":
		what = event.Text{VI: "phông " + channel + " quá thấp", EN: channel + " background too low"}
	}
	at := localTime(c.Since)
	return noted{
		Code: event.FindingRadiationFault, Device: device, Mark: channel, Since: c.Since,
		Figures: map[string]any{channel + "_fault": c.Code, channel + "_since": c.Since},
		Said:    event.Text{VI: what.VI + " từ " + at, EN: what.EN + " since " + at},
	}
}

// clock follows what the readings say of the gate's clock.
func (e *Engine) clock(r *event.Reading) {
	c := r.Clock
	if c.Source == "" {
		return
	}
	if step := time.Duration(c.SteppedMS * float64(time.Millisecond)); step.Abs() >= clockStep {
		e.noteClock(clockStepped(c.SteppedMS))
	}
	switch s := &e.s.Clock; {
	case c.Synchronised:
		*s = clockState{Met: true}
	case s.Met && s.Lost.IsZero():
		s.Lost = r.ReceivedAt
	case s.Met && r.ReceivedAt.Sub(s.Lost) >= clockGrace:
		e.noteClock(clockLost(s.Lost))
	}
}

// worseClock is what a clock was at its worst: without its source, furthest from
// it, and set by how much in all.
func worseClock(was *event.Clock, now event.Clock) *event.Clock {
	if now.Source == "" {
		return was
	}
	if was == nil {
		return &now
	}
	worst := *was
	if was.Synchronised && !now.Synchronised {
		worst.Source, worst.Synchronised = now.Source, false
	}
	if math.Abs(now.OffsetMS) > math.Abs(worst.OffsetMS) {
		worst.OffsetMS = now.OffsetMS
	}
	worst.MaxErrorMS = max(worst.MaxErrorMS, now.MaxErrorMS)
	worst.SteppedMS += now.SteppedMS
	return &worst
}

func (e *Engine) noteClock(n noted) {
	for _, p := range e.s.Passages {
		if !p.ended() {
			p.note(n)
		}
	}
}

func clockLost(since time.Time) noted {
	at := localTime(since)
	return noted{
		Code: event.FindingClockLost, Since: since, Figures: map[string]any{"since": since},
		Reason: event.Text{VI: "mất nguồn giờ từ " + at, EN: "no time source since " + at},
	}
}

func clockStepped(ms float64) noted {
	seconds := decimal("%s s", ms/1000, 1)
	return noted{
		Code: event.FindingClockLost, Mark: "step", Figures: map[string]any{"step_ms": ms},
		Reason: event.Text{VI: "đồng hồ bị chỉnh " + seconds.VI, EN: "the clock was set by " + seconds.EN},
	}
}
