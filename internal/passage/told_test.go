package passage_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"gatehouse/internal/event"
	"gatehouse/internal/passage"
)

func TestTheDirectionOfATwoWayLane(t *testing.T) {
	two := func() passage.Lane {
		return passage.Lane{Gate: "15BB", ID: "01", Policy: policy(t), Devices: []passage.Device{
			{ID: "rpm", Driver: "loop", Role: passage.RolePresence},
			{ID: "inner", Driver: "loop", Role: passage.RolePresence},
			{ID: "camera", Driver: "camera", Role: passage.RoleCamera, View: "front"},
		}}
	}
	edge := func(s *script, second float64, device string, occupied bool) {
		s.reading(second, device, event.Reading{Kind: event.PresenceChange, Presence: &event.PresenceEdge{Occupied: occupied}})
	}
	for _, c := range []struct {
		name          string
		first, second string
		want          event.Direction
	}{{"in", "rpm", "inner", event.Entry}, {"out", "inner", "rpm", event.Exit}} {
		t.Run(c.name, func(t *testing.T) {
			s := play(t, two())
			edge(s, 0, c.first, true)
			require.Equal(t, event.DirectionUnknown, s.one().Direction)
			edge(s, 2, c.first, false)
			edge(s, 3, c.second, true)
			edge(s, 5, c.second, false)
			require.Equal(t, c.want, s.one().Direction)
			require.Empty(t, s.one().Irregular)
		})
	}
	t.Run("by camera", func(t *testing.T) {
		s := play(t, two())
		r := photoOf("A", "A")
		r.Capture.Direction = event.Exit
		s.reading(0, "camera", r)
		edge(s, 2, "rpm", true)
		require.Equal(t, event.Exit, s.one().Direction)
	})
	t.Run("a lane of one direction does not ask", func(t *testing.T) {
		lane := two()
		lane.Direction = event.Entry
		s := play(t, lane)
		r := photoOf("A", "A")
		r.Capture.Direction = event.Exit
		s.reading(0, "camera", r)
		edge(s, 2, "rpm", true)
		require.Equal(t, event.Entry, s.one().Direction)
	})
}

func TestWhatABarrierShows(t *testing.T) {
	s := play(t, wholeLane(t))
	before := len(s.effects)
	show := func(second float64, arm string, loops []string, lights ...string) {
		s.reading(second, "barrier", event.Reading{Kind: event.BarrierState, Barrier: &event.Barrier{
			Arm: arm, Lights: lights, Loops: loops, Watchdog: "board",
		}})
	}
	arms := func() []string {
		var all []string
		for _, c := range decode[event.DeviceChange](t, s.effects[before:], event.TypeDevice) {
			all = append(all, c.Barrier.Arm)
		}
		return all
	}
	show(10, "down", nil, "red")
	show(11.5, "down", []string{"safety"}, "red") // no sight
	require.Equal(t, []string{"down"}, arms())
	show(12, "between", nil, "red")
	show(12.3, "up", nil, "green")
	show(12.6, "between", nil, "red")
	require.Equal(t, []string{"down", "between"}, arms(), "a switch that flickers")
	s.untilQuiet(20)
	show(30, "down", nil, "red")
	require.Equal(t, []string{"down", "between", "down"}, arms())
	show(30.5, "up", nil, "green")
	s.untilQuiet(40)
	require.Equal(t, []string{"down", "between", "down", "up"}, arms(), "told when the pause is over")
	require.Empty(t, s.records(), "a barrier alone is no passage")
	require.Empty(t, s.engine.Deadlines())
}

func TestCodesOfDevicesAreTold(t *testing.T) {
	s := play(t, wholeLane(t))
	before := len(s.effects)
	report := func(second float64, state event.DeviceState, code string) {
		s.reading(second, "scale", event.Reading{Kind: event.DeviceReport, Report: &event.Report{State: state, Code: code}})
	}
	report(1, event.Degraded, "CALIBRATION-EXPIRED")
	report(2, event.Degraded, "CALIBRATION-EXPIRED")
	report(3, event.Faulty, "NOT-ZEROED")
	report(4, event.Up, "READY")
	report(5, event.Up, "OK")
	var codes []string
	for _, c := range decode[event.DeviceChange](t, s.effects[before:], event.TypeDevice) {
		codes = append(codes, string(c.State)+" "+c.Code)
		require.True(t, c.Required)
	}
	require.Equal(t, []string{"degraded CALIBRATION-EXPIRED", "faulty NOT-ZEROED", "up "}, codes)
}

func TestAGoodbyeIsNoSignOfLife(t *testing.T) {
	s := play(t, goodsLane(t))
	s.photo(5, "camera", "A")
	s.start(20, at(5))
	before := len(s.effects)
	s.reading(21, "camera", event.Reading{Kind: event.DeviceReport, Report: &event.Report{State: event.Down, Code: "disconnected"}})
	require.Empty(t, decode[event.Gap](t, s.effects[before:], event.TypeGap), "the broker said it, not the camera")
	s.link(30, "camera", event.Up)
	gaps := decode[event.Gap](t, s.effects[before:], event.TypeGap)
	require.Len(t, gaps, 1)
	require.Equal(t, at(5), gaps[0].From)
	require.Equal(t, at(30), gaps[0].To)
}
