package passage_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatehouse/internal/event"
)

// set is a device's report after the clock was set by some seconds.
func set(s *script, device string, second, step float64) {
	s.reading(second, device, event.Reading{
		Kind: event.DeviceReport, Report: &event.Report{State: event.Up},
		Clock: event.Clock{Source: "ntp", Synchronised: true, SteppedMS: 1000 * step},
	})
}

func TestWhoShowedADocumentBeforeTheClockWasSetComesThroughAfterIt(t *testing.T) {
	for name, step := range map[string]float64{"ten minutes ahead": 600, "ten minutes back": -600} {
		t.Run(name, func(t *testing.T) {
			s := play(t, hall(t))
			s.document(0, traveller("NGUYEN AN", "C1234567"))
			set(s, "rpm", step+1, step)
			set(s, "mrz", step+1.2, step) // tells of the same
			s.begin(step + 2)
			s.end(step + 4)
			s.scan(step+7, "X")
			s.untilQuiet(step + 1000)
			p := s.one()
			require.Equal(t, "C1234567", p.Documents[0].Document.Number)
			require.Len(t, p.Scans, 1)
			require.Equal(t, at(step+2), p.OpenedAt)
		})
	}
}

func TestALorryOnItsWayWhenTheClockWasSetAheadIsAwaitedAsLong(t *testing.T) {
	s := play(t, wholeLane(t))
	s.begin(0)
	s.end(4)
	set(s, "scale", 605, 600)
	s.scan(608, "A")
	s.bridge(615, 30000, 5)
	s.untilQuiet(2000)
	p := s.one()
	require.Len(t, p.Scans, 1)
	require.Len(t, p.Weighings, 1)
	require.Equal(t, event.Closed, p.State)
	require.Less(t, p.ClosedAt.Sub(at(604)), 5*time.Minute)
}
