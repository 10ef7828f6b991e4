package rpm

import (
	"time"

	"gatehouse/internal/event"
)

// state is what the driver knows of the monitor between records.
type state struct {
	occupied     bool
	gamma        float64 // last gamma background, counts per second over all detectors
	neutron      float64 // last neutron background, the same
	gammaFault   string  // of the last GB, GH or GL
	neutronFault string  // of the last NB or NH
	tamper       bool
}

// next is the readings that record r, received as frame at the given time,
// leads to. The frame's digest is in exactly one of them.
func (s *state) next(r Record, frame []byte, at time.Time) []event.Reading {
	base := event.Reading{
		Class: event.Active, ReceivedAt: at, Quality: event.Good,
		Frames: []string{event.Digest(frame)}, Raw: frame,
	}
	switch r.Shape() {
	case Background:
		return s.background(r, base)
	case Sample:
		base.Kind = event.RadiationSample
		base.Radiation = s.radiation(r)
		markIrregular(r, &base)
		return s.begin(base)
	case Speed:
		kmh := r.KMH()
		base.Kind = event.RadiationSample
		base.Radiation = s.radiation(r)
		base.Radiation.SpeedKMH = &kmh
		return []event.Reading{base}
	case End:
		s.occupied = false
		base.Kind = event.PresenceChange
		base.Presence = &event.PresenceEdge{Number: r.Occupancy()}
		return []event.Reading{base}
	case Tamper:
		s.tamper = r.Name == "TT"
		base.Kind = event.DeviceReport
		base.Report = s.report(r.Name)
		return []event.Reading{base}
	default: // Setup
		base.Kind = event.DeviceReport
		base.Report = s.report(r.Name)
		base.Report.Detail = r.Detail()
		return []event.Reading{base}
	}
}

// begin puts the edge of an occupancy before its first sample.
func (s *state) begin(sample event.Reading) []event.Reading {
	if s.occupied {
		return []event.Reading{sample}
	}
	s.occupied = true
	return []event.Reading{presence(event.PresenceEdge{Occupied: true}, sample.ReceivedAt), sample}
}

// background takes a background record: it ends an occupancy that had no end
// record, and tells when the monitor's fault comes or goes.
func (s *state) background(r Record, base event.Reading) []event.Reading {
	var out []event.Reading
	if s.occupied {
		s.occupied = false
		out = append(out, presence(event.PresenceEdge{Unterminated: true}, base.ReceivedAt))
	}
	base.Kind = event.RadiationBackground
	base.Class = event.Idle
	base.Radiation = s.radiation(r)
	markIrregular(r, &base)
	fault, level := &s.gammaFault, &s.gamma
	if r.Neutron() {
		fault, level = &s.neutronFault, &s.neutron
	}
	changed := *fault != r.Fault()
	*fault, *level = r.Fault(), sum(base.Radiation.Counts)
	if r.Fault() != "" {
		base.Class = event.Active
		base.Quality = event.Suspect
		base.Note = "monitor reports " + r.Fault() + " (" + r.Name + ")"
	}
	out = append(out, base)
	if changed {
		out = append(out, event.Reading{
			Kind: event.DeviceReport, Class: event.Active, ReceivedAt: base.ReceivedAt, Quality: event.Good,
			Frames: []string{}, Report: s.report(r.Name),
		})
	}
	return out
}

func (s *state) radiation(r Record) *event.Radiation {
	out := &event.Radiation{Record: r.Name, GammaBackgroundCPS: s.gamma, NeutronBackgroundCPS: s.neutron}
	if r.Shape() == Speed {
		return out
	}
	out.Counts = r.Counts()
	out.Alarm = r.Alarm()
	out.Fault = r.Fault()
	out.Channel = "gamma"
	if r.Neutron() {
		out.Channel = "neutron"
	}
	// Backgrounds come every 5 s but count one second.
	out.IntervalMS = 1000
	if r.Shape() == Sample && !r.Neutron() {
		out.IntervalMS = 200
	}
	return out
}

// report is the monitor's state with the record that told it.
func (s *state) report(code string) *event.Report {
	out := &event.Report{State: event.Up, Code: code}
	switch {
	case s.tamper:
		out.State = event.Faulty
	case s.gammaFault != "" || s.neutronFault != "":
		out.State = event.Degraded
	}
	return out
}

// standing is the state that still holds, as a reading without a frame.
func (s *state) standing(at time.Time) event.Reading {
	return event.Reading{
		Kind: event.DeviceReport, Class: event.Active, ReceivedAt: at, Quality: event.Good,
		Frames: []string{}, Report: s.report("STANDING"),
	}
}

func presence(edge event.PresenceEdge, at time.Time) event.Reading {
	return event.Reading{
		Kind: event.PresenceChange, Class: event.Active, ReceivedAt: at, Quality: event.Good,
		Frames: []string{}, Presence: &edge,
	}
}

func markIrregular(r Record, out *event.Reading) {
	if !r.Regular() {
		out.Quality = event.Suspect
		out.Note = "a count is not six digits wide; the line may be damaged"
	}
}

func sum(counts []float64) float64 {
	total := 0.0
	for _, c := range counts {
		total += c
	}
	return total
}
