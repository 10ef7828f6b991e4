package passage_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatehouse/internal/event"
)

// tailGated plays A with B close behind in one occupancy, B's picture at the
// given second, and C in an occupancy of its own.
func tailGated(t *testing.T, seen float64) *script {
	s := straightLane(t)
	s.photo(-1, "camera", "A")
	s.begin(0)
	if seen < 8 {
		s.photo(seen, "camera", "B")
	}
	s.end(8)
	if seen >= 8 {
		s.photo(seen, "camera", "B")
	}
	s.photo(11, "camera", "C")
	s.scanEvent(11.5, "A", "SCAN_BEGIN")
	s.begin(13)
	s.scanEvent(17, "A", "SCAN_END", 0)
	s.scanImage(17.5, "A", 1)
	s.scan(18, "B") // C is in the zone
	s.end(20)
	s.scan(26, "C")
	s.untilQuiet(1000)
	return s
}

func TestTailGatersLeaveTheNextItsOwnPicture(t *testing.T) {
	for name, seen := range map[string]float64{"during the occupancy": 5, "as it ended": 8.5} {
		t.Run(name, func(t *testing.T) {
			s := tailGated(t, seen)
			rs := s.records()
			require.Len(t, rs, 2)
			require.ElementsMatch(t, digests("A", "B"), images(rs[0]))
			require.Contains(t, codes(rs[0]), "TAIL-GATE xray")
			require.Len(t, rs[0].Scans, 2)
			require.Equal(t, digests("C"), images(rs[1]))
			require.NotContains(t, codes(rs[1]), "TAIL-GATE xray")
			require.Len(t, rs[1].Scans, 1)
			require.Equal(t, "C", rs[1].Scans[0].ScanID)
		})
	}
}

func TestALorryThatNoOccupancyToldOfHasFollowedAnother(t *testing.T) {
	s := straightLane(t)
	s.photo(-2, "camera", "A")
	s.begin(0)
	s.end(4)
	s.scan(6, "A")
	s.photo(8, "camera", "B") // and the portal, which is up, tells of nothing
	s.untilQuiet(19)
	s.scan(20, "B")
	s.untilQuiet(1000)
	rs := s.records()
	require.Len(t, rs, 2)
	require.Equal(t, digests("B"), images(rs[1]))
	require.Contains(t, codes(rs[1]), "TAIL-GATE xray")
	require.Contains(t, rs[1].Irregular, "tail-gate")
	i := slices.IndexFunc(rs[1].Findings, func(f event.Finding) bool { return f.Code == event.FindingTailgate })
	require.Equal(t, string(rs[0].ID), rs[1].Findings[i].Figures["followed"])
}

func TestALorrySeenWhileThePortalWasAwayHasFollowedNobody(t *testing.T) {
	s := straightLane(t)
	s.begin(0)
	s.end(4)
	s.scan(6, "A")
	s.link(20, "rpm", "down")
	s.photo(22, "camera", "B")
	s.scan(30, "B")
	s.link(31, "rpm", "up")
	s.untilQuiet(1000)
	rs := s.records()
	require.Len(t, rs, 2)
	require.NotContains(t, codes(rs[1]), "TAIL-GATE xray")
	require.Equal(t, digests("B"), images(rs[1]))
}

func TestARearCameraShowsEachOfTwoThatWereWeighed(t *testing.T) {
	s := straightLane(t)
	s.photo(-1, "camera", "A")
	s.begin(0)
	s.photo(4, "camera", "B")
	s.end(8)
	s.scan(10, "A")
	s.bridge(15, 30000, 3)
	s.photo(18.5, "rear", "rear A")
	s.scan(18.8, "B")
	s.begin(21)
	s.bridge(22, 20000, 4)
	s.photo(26.5, "rear", "rear B")
	s.end(27)
	s.untilQuiet(1000)
	rs := s.records()
	require.Len(t, rs, 2)
	require.ElementsMatch(t, digests("A", "B", "rear A", "rear B"), images(rs[0]))
	require.Len(t, rs[0].Weighings, 2)
	require.Empty(t, rs[1].Photos)
}

func TestPlatesOfTwoInOneOccupancyAreComparedPairByPair(t *testing.T) {
	for _, c := range []struct{ name, rearA, rearB, front, rear string }{
		{"each its own", "12C12345", "29H54321", "", ""},
		{"the first one's differs", "51C99999", "29H54321", "12C12345", "51C99999"},
		{"the second one's differs", "12C12345", "51C99999", "29H54321", "51C99999"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := straightLane(t)
			s.photo(-1, "camera", "A")
			s.begin(0)
			s.photo(4, "camera", "B")
			s.end(8)
			s.scan(10, "A")
			s.scan(17, "B")
			s.bridge(18, 30000, 3)
			s.photo(21.5, "rear", "rear A")
			s.bridge(24, 20000, 4)
			s.photo(28.5, "rear", "rear B")
			s.answer(29, "A", "done", plate("12C12345", 0.97))
			s.answer(29, "B", "done", plate("29H54321", 0.95))
			s.answer(29, "rear A", "done", plate(c.rearA, 0.99))
			s.answer(29, "rear B", "done", plate(c.rearB, 0.96))
			fs := found(s.one(), event.FindingPlateMismatch)
			if c.rear == "" {
				require.Empty(t, fs)
				return
			}
			require.Len(t, fs, 1)
			require.Equal(t, map[string]any{"front": c.front, "rear": c.rear}, fs[0].Figures)
		})
	}
}

func TestABagAfterABreakIsNotTheLastOnes(t *testing.T) {
	for _, c := range []struct {
		name     string
		up, scan float64
		passages int
	}{
		{"somebody may have come through meanwhile", 16, 24, 2},
		{"the break was too short for anybody", 7.5, 16, 1},
		{"nobody who came through meanwhile can be at the belt yet", 12, 9.5, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			lane := hall(t)
			for i := range lane.Devices {
				if lane.Devices[i].ID == "xray" {
					lane.Devices[i].Transit = 8 * time.Second
				}
			}
			s := play(t, lane)
			s.document(0, traveller("NGUYEN AN", "C1234567"))
			s.begin(2)
			s.end(6)
			s.apply(7, event.JournalEntry{Kind: event.EntryLink, Link: &event.LinkChange{
				Device: "rpm", State: event.Down, Since: at(7), Heard: at(7),
			}})
			if c.scan < c.up {
				s.scan(c.scan, "X")
			} else {
				s.link(c.up, "rpm", event.Up)
				s.document(c.up+1, traveller("TRAN BINH", "C7654321")) // shown, and waiting for the belt
				s.scan(c.scan, "X")
			}
			rs := s.records()
			require.Len(t, rs, c.passages)
			if c.passages == 1 {
				require.Len(t, rs[0].Scans, 1)
				return
			}
			require.Empty(t, rs[0].Scans)
			require.Equal(t, []string{"no-presence"}, rs[1].Irregular)
			require.Len(t, rs[1].Scans, 1)
			require.Empty(t, rs[1].Documents, "that one has not come through")
		})
	}
}

func TestABagAfterABreakIsOfWhomTheDocumentAnnounced(t *testing.T) {
	s := play(t, hall(t))
	s.document(0, traveller("NGUYEN AN", "C1234567"))
	s.begin(2)
	s.end(6)
	s.document(8, traveller("TRAN BINH", "C7654321"))
	s.apply(9, event.JournalEntry{Kind: event.EntryLink, Link: &event.LinkChange{
		Device: "rpm", State: event.Down, Since: at(9), Heard: at(9),
	}})
	s.link(14, "rpm", event.Up)
	s.scan(17, "X")
	rs := s.records()
	require.Len(t, rs, 2)
	require.Empty(t, rs[0].Scans)
	require.Equal(t, "C7654321", rs[1].Documents[0].Document.Number)
	require.Len(t, rs[1].Scans, 1)
}

func TestPapersOfWhomNoPortalSawAreNotTheNextOnes(t *testing.T) {
	s := play(t, hall(t))
	for i, number := range []string{"C1", "C2", "C3", "C4"} {
		second := 6 * float64(i)
		s.document(second, traveller([]string{"AN", "BINH", "CUONG", "DUNG"}[i], number))
		if i == 1 {
			continue // turns back, or the portal fails to tell
		}
		s.begin(second + 2)
		s.end(second + 4)
	}
	s.untilQuiet(1000)
	with := map[string]int{}
	for _, p := range s.records() {
		if len(p.Irregular) == 0 {
			require.Len(t, p.Documents, 1)
			with[p.Documents[0].Document.Number]++
		}
	}
	require.Equal(t, map[string]int{"C1": 1, "C3": 1, "C4": 1}, with)
}

func TestTagsAreOfWhoseBagsCameOutLast(t *testing.T) {
	s := play(t, hall(t))
	for i, number := range []string{"C1", "C2", "C3"} {
		second := 15 * float64(i)
		s.document(second, traveller([]string{"AN", "BINH", "CUONG"}[i], number))
		s.begin(second + 2)
		s.end(second + 4)
		s.scan(second+7, number)
		if i != 0 { // the reader fails once
			s.code(second+10, "TAG "+number)
		}
	}
	rs := s.records()
	require.Len(t, rs, 3)
	require.Empty(t, rs[0].Barcodes)
	for _, p := range rs[1:] {
		require.Len(t, p.Barcodes, 1)
		require.Equal(t, "TAG "+p.Documents[0].Document.Number, p.Barcodes[0].Barcode.Text)
	}
}

func TestATagWhileAScanGoesOn(t *testing.T) {
	for name, tagged := range map[string]bool{"is of the one before": false, "is of the one in it when the one before has its tag": true} {
		t.Run(name, func(t *testing.T) {
			s := play(t, hall(t))
			for i, number := range []string{"C1", "C2"} {
				second := 15 * float64(i)
				s.document(second, traveller([]string{"AN", "BINH"}[i], number))
				s.begin(second + 2)
				s.end(second + 4)
				s.scanEvent(second+7, number, "SCAN_BEGIN")
				if i == 0 {
					s.scanEvent(second+8, number, "SCAN_END", 0)
				}
				if i == 0 && tagged {
					s.code(second+9, "TAG C1")
				}
			}
			s.code(24, "TAG")
			owner := 0
			if tagged {
				owner = 1
			}
			codes := s.records()[owner].Barcodes
			require.NotEmpty(t, codes)
			require.Equal(t, "TAG", codes[len(codes)-1].Barcode.Text)
		})
	}
}
