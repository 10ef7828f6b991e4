package xray

import (
	"gatehouse/internal/event"
	"gatehouse/internal/link"
)

// mostMissing is the largest hole in the scanner's sequence that is taken for
// lost sentences; a larger one is a scanner that was restarted.
const mostMissing = 50

// sentence adds what a valid sentence leads to.
func (d *Driver) sentence(s Sentence, f link.Frame, out *result) {
	base := event.Reading{
		Class: event.Active, ReceivedAt: f.At, Quality: event.Good,
		Frames: []string{event.Digest(f.Data)}, Raw: f.Data,
	}
	switch s.Type {
	case TypeStatus, TypeEvent, TypeImage:
		if loss, ok := d.hole(s.Seq, f); ok {
			out.readings = append(out.readings, loss)
		}
	}
	switch s.Type {
	case TypeStatus:
		out.alive = true
		out.readings = append(out.readings, d.report(s.Status(), base))
	case TypeEvent:
		e := s.Event()
		base.Kind = event.ScanEvent
		base.Scan = &event.Scan{ScanID: e.ScanID, Event: e.Name, Result: e.Result, Kind: d.config.Kind}
		out.readings = append(out.readings, base)
	case TypeImage:
		out.images = append(out.images, &expected{image: s.Image(), line: base})
	case TypeAck:
		d.answered(s)
		base.Kind = event.DeviceReport
		base.Class = event.Idle
		base.Report = &event.Report{State: d.state, Code: s.Type}
		out.readings = append(out.readings, base)
	case TypeNak:
		d.answered(s)
		base.Kind = event.DeviceReport
		base.Report = &event.Report{State: d.state, Code: s.Type, Detail: map[string]string{"refused": s.Fields[0]}}
		out.readings = append(out.readings, base)
	default: // XCMD is the host's own
		out.bad = true
		out.readings = append(out.readings, d.invalid(f,
			"the host's own command came back: the line is half-duplex or TX and RX are bridged"))
	}
}

// hole tells of sentences of the scanner that never arrived.
func (d *Driver) hole(seq int, f link.Frame) (event.Reading, bool) {
	missing, since := 0, d.heard
	if d.next >= 0 {
		missing = (seq - d.next + Sequences) % Sequences
	}
	// Frames that came and could not be read are in readings of their own.
	missing -= min(missing, d.broken)
	d.next, d.broken, d.heard = (seq+1)%Sequences, 0, f.At
	if missing == 0 || missing > mostMissing {
		return event.Reading{}, false
	}
	return event.Reading{
		Kind: event.FrameLoss, Class: event.Active, ReceivedAt: f.At, Quality: event.Good, Frames: []string{},
		Loss: &event.Loss{Frames: missing, From: since, To: f.At, Reason: "link"},
	}, true
}

// report turns a status into a reading: active when it changed.
func (d *Driver) report(s Status, base event.Reading) event.Reading {
	base.Kind = event.DeviceReport
	if d.status != nil && *d.status == s {
		base.Class = event.Idle
	}
	d.status, d.state = &s, stateOf(s)
	estop := "0"
	if s.EStop {
		estop = "1"
	}
	base.Report = &event.Report{State: d.state, Code: s.State, Detail: map[string]string{
		"belt": s.Belt, "xray": s.Xray, "curtain": s.Curtain, "estop": estop, "fault": s.Fault,
	}}
	return base
}

// stateOf says what a scanner in that status can do.
func stateOf(s Status) event.DeviceState {
	switch s.State {
	case "READY", "ARMED", "SCANNING", "STOPPING":
		switch {
		case s.EStop:
			return event.Faulty
		case s.Fault != "0" && s.Fault != "":
			return event.Degraded
		}
		return event.Up
	case "SERVICE":
		return event.InTest
	case "OFF", "WARMUP", "INTERLOCK", "ESTOP", "FAULT":
		return event.Faulty
	}
	return event.Degraded // a word that the profile does not know
}
