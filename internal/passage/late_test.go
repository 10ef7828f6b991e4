package passage_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatehouse/internal/event"
)

func TestAnImageFoundLateGoesToItsOwnPassageOrToNobodys(t *testing.T) {
	found := func(scan string, began float64) event.Reading {
		return event.Reading{Kind: event.ScanImage, Key: scan, DeviceTime: new(at(began)), Scan: &event.Scan{
			ScanID: scan, View: 1, Image: &event.Evidence{SHA256: event.Digest([]byte(scan)), MediaType: "image/png", Bytes: 100, Role: "scan"},
		}}
	}
	s := play(t, goodsLane(t))
	s.begin(0)
	s.end(4) // its scan began at 8, while nobody heard
	s.begin(40)
	s.reading(42, "xray", found("A", 8))
	s.reading(43, "xray", found("unknown", -100))
	s.end(44)
	s.scan(48, "B")
	s.untilQuiet(1000)
	rs := s.records()
	require.Len(t, rs, 3)
	require.Equal(t, "A", rs[0].Scans[0].ScanID)
	require.Equal(t, "B", rs[1].Scans[0].ScanID)
	require.Equal(t, "unknown", rs[2].Scans[0].ScanID)
	require.Equal(t, []string{"no-presence"}, rs[2].Irregular)
}

func TestWhatAnImageFoundLateShowsTakesNothingOfTheNext(t *testing.T) {
	for name, began := range map[string]float64{"half a minute late": -30, "by a clock that is years behind": -1e8} {
		t.Run(name, func(t *testing.T) {
			lane := wholeLane(t)
			for i := range lane.Devices {
				if lane.Devices[i].ID == "scale" {
					lane.Devices[i].Transit = 25 * time.Second
				}
			}
			s := play(t, lane)
			s.reading(0, "xray", event.Reading{Kind: event.ScanImage, Key: "unseen", DeviceTime: new(at(began)), Scan: &event.Scan{
				ScanID: "unseen", View: 1, Image: &event.Evidence{SHA256: event.Digest([]byte("unseen")), MediaType: "image/png", Bytes: 100, Role: "scan"},
			}})
			s.photo(2, "camera", "A")
			s.begin(3)
			s.end(6)
			s.scan(8, "A")
			s.bridge(14, 30000, 5)
			s.photo(19.5, "rear", "rear A")
			s.untilQuiet(1000)
			rs := s.records()
			require.Len(t, rs, 2)
			require.Equal(t, "unseen", rs[0].Scans[0].ScanID)
			require.Empty(t, rs[0].Weighings)
			require.Empty(t, rs[0].Photos)
			require.InDelta(t, 30000, *rs[1].Weighings[0].Weight.Gross, 0)
			require.ElementsMatch(t, digests("A", "rear A"), images(rs[1]))
		})
	}
}

func TestWhatAnImageAloneShowsIsWeighedWhenItsWayThereIsNotOver(t *testing.T) {
	s := straightLane(t)
	s.reading(0, "xray", event.Reading{Kind: event.ScanImage, Key: "unseen", DeviceTime: new(at(-6)), Scan: &event.Scan{
		ScanID: "unseen", View: 1, Image: &event.Evidence{SHA256: event.Digest([]byte("unseen")), MediaType: "image/png", Bytes: 100, Role: "scan"},
	}})
	s.bridge(4, 30000, 5)
	s.photo(9.5, "rear", "rear")
	s.untilQuiet(1000)
	require.Len(t, s.one().Weighings, 1)
	require.Equal(t, digests("rear"), images(s.one()))
}
