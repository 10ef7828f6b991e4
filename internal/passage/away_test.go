package passage_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"gatehouse/internal/event"
)

func TestNextLorryWhilePresenceIsAwayIsAPassageOfItsOwn(t *testing.T) {
	s := play(t, goodsLane(t))
	s.photo(0, "camera", "A")
	s.begin(4)
	s.gamma(4.2, 45, false)
	s.link(5, "rpm", event.Down) // the cable is pulled while A stands in the portal
	s.scan(14, "A")
	s.photo(20, "camera", "B")
	s.scan(36, "B")
	s.answer(37, "A", "done", plate("12C12345", 0.97))
	s.answer(38, "B", "done", plate("34C99451", 0.97))
	s.untilQuiet(1000)
	rs := s.records()
	require.Len(t, rs, 2)
	for i, want := range []struct{ plate, scan string }{{"12C12345", "A"}, {"34C99451", "B"}} {
		require.Len(t, rs[i].Plates, 1)
		require.Equal(t, want.plate, rs[i].Plates[0].Text)
		require.Len(t, rs[i].Scans, 1)
		require.Equal(t, want.scan, rs[i].Scans[0].ScanID)
	}
	require.Contains(t, rs[1].Irregular, "no-presence")
}

func TestPresenceThatComesBackFindsTheLorryThatTheCameraAnnounced(t *testing.T) {
	s := play(t, goodsLane(t))
	s.link(0, "rpm", event.Down)
	s.photo(5, "camera", "A")
	s.untilQuiet(16) // the photo has waited long enough and is a passage of its own
	s.link(18, "rpm", event.Up)
	s.begin(18.2)
	s.gamma(18.4, 45, false)
	s.end(21)
	s.scan(26, "A")
	s.untilQuiet(1000)
	rs := s.records()
	require.Len(t, rs, 1, "one lorry, one passage")
	require.Len(t, rs[0].Photos, 1)
	require.Len(t, rs[0].Scans, 1)
}

func TestAScannerThatIsNotRequiredFinishesWhatItBegan(t *testing.T) {
	lane := goodsLane(t)
	lane.Devices[3].Required = false
	s := play(t, lane)
	s.photo(-1, "camera", "A")
	s.begin(0)
	s.gamma(1, 45, false)
	s.end(4)
	s.scanEvent(8, "A", "SCAN_BEGIN")
	s.scanEvent(14, "A", "SCAN_END", 0)
	s.begin(200)
	s.gamma(201, 45, false)
	s.end(204) // nothing of it was put into the scanner
	s.untilQuiet(1000)
	rs := s.records()
	require.Len(t, rs, 2)
	require.False(t, coverage(t, rs[0], "xray").Looked)
	require.Contains(t, codes(rs[0]), "COVERAGE-GAP xray")
	require.NotContains(t, codes(rs[1]), "COVERAGE-GAP xray")
}
