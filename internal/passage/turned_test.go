package passage_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// straightLane is a lane in which lorries drive straight on to the scanner.
func straightLane(t *testing.T) *script {
	lane := wholeLane(t)
	for i := range lane.Devices {
		if lane.Devices[i].ID == "xray" {
			lane.Devices[i].Transit = 8 * time.Second
		}
	}
	return play(t, lane)
}

func TestALorryThatBackedOutTakesNothingOfTheNext(t *testing.T) {
	s := straightLane(t)
	s.photo(-1, "camera", "first try")
	s.begin(0)
	s.end(3)
	s.photo(7, "camera", "second try")
	s.begin(10)
	s.end(16)
	s.scan(19, "A")
	s.bridge(25, 30000, 6)
	s.photo(31.5, "rear", "rear")
	s.untilQuiet(1000)
	rs := s.records()
	require.Len(t, rs, 2)
	require.Equal(t, digests("first try"), images(rs[0]))
	require.Empty(t, rs[0].Scans)
	require.Empty(t, rs[0].Weighings)
	require.Contains(t, codes(rs[0]), "COVERAGE-GAP scale")
	require.Equal(t, digests("second try", "rear"), images(rs[1]))
	require.Len(t, rs[1].Scans, 1)
	require.Len(t, rs[1].Weighings, 1)
	require.InDelta(t, 30000, *rs[1].Weighings[0].Weight.Gross, 0)
}

func TestALorryThatBackedOutLeavesTheRearPhotoWhereNothingIsWeighed(t *testing.T) {
	s := straightLane(t)
	s.begin(0)
	s.end(3)
	s.begin(10)
	s.end(16)
	s.scan(19, "A")
	s.photo(31.5, "rear", "rear")
	s.untilQuiet(1000)
	rs := s.records()
	require.Len(t, rs, 2)
	require.Empty(t, rs[0].Photos)
	require.Equal(t, digests("rear"), images(rs[1]))
}

func TestALorryThatTheScannerMissedIsWeighedAheadOfTheNext(t *testing.T) {
	s := straightLane(t)
	s.begin(0)
	s.end(4)
	s.begin(5)
	s.end(11)
	s.scanEvent(14, "B", "SCAN_BEGIN") // the first has gone through unseen
	s.bridge(14.2, 20000, 5)           // and drives onto the scale meanwhile
	s.photo(19.5, "rear", "rear A")
	s.scanEvent(20, "B", "SCAN_END", 0)
	s.bridge(22, 30000, 5)
	s.photo(27.5, "rear", "rear B")
	s.untilQuiet(1000)
	rs := s.records()
	require.Len(t, rs, 2)
	require.Empty(t, rs[0].Scans)
	require.InDelta(t, 20000, *rs[0].Weighings[0].Weight.Gross, 0)
	require.Equal(t, digests("rear A"), images(rs[0]))
	require.InDelta(t, 30000, *rs[1].Weighings[0].Weight.Gross, 0)
	require.Equal(t, digests("rear B"), images(rs[1]))
}
