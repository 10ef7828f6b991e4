package camera

import (
	"time"

	"gatehouse/internal/event"
)

// status is what the camera last said about itself.
type status struct {
	state event.DeviceState // "" until it said something
}

// report is the reading of a state message: active when the state changed.
func (s *status) report(m *message) output {
	r := m.base()
	state := State(m.payload)
	r.Kind = event.DeviceReport
	if state == s.state {
		r.Class = event.Idle
	}
	s.state = state
	r.Report = &event.Report{State: state, Code: word(m.payload)}
	return output{reading: r, from: []*message{m}}
}

// alive corrects the state when a camera that was called away sends captures,
// as when its last will was sent by mistake.
func (s *status) alive(at time.Time) []output {
	if s.state != event.Down {
		return nil
	}
	s.state = event.Up
	return []output{{reading: event.Reading{
		Kind: event.DeviceReport, Class: event.Active, ReceivedAt: at, Quality: event.Good, Frames: []string{},
		Report: &event.Report{State: event.Up, Code: "capture"},
	}}}
}

// again counts a message whose content the camera sent before: its frame did
// arrive, and nothing new is known from it.
func (s *status) again(m *message) output {
	r := m.base()
	r.Kind, r.Class, r.Raw = event.DeviceReport, event.Idle, nil
	r.Report = &event.Report{State: s.state, Code: "DUPLICATE", Detail: map[string]string{"topic": m.topic}}
	if s.state == "" {
		r.Report.State = event.Up
	}
	return output{reading: r, from: []*message{m}}
}

// word is a short payload as text.
func word(payload []byte) string {
	if len(payload) > 40 || !identifier.Match(payload) {
		return "?"
	}
	return string(payload)
}
