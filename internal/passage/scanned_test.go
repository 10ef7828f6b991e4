package passage_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"gatehouse/internal/event"
	"gatehouse/internal/passage"
)

// What a rule compared, and by which calibration, is in the shared record.
func TestAFindingNamesItsRuleFiguresAndCalibration(t *testing.T) {
	s := standing(t)
	s.answer(17, "A-1", "done", `{"score":0.9,"calibration":"20260301T000000Z-01020304","findings":[
		{"code":"XRAY-ANOMALY","class":"hidden","box":[1,2,3,4],"score":0.9,"rule":"xray-mass@1",
		 "figures":[{"name":"image_kg","value":9000,"limit":7000,"unit":"kg"}],"text":{"vi":"nặng hơn","en":"heavier"}}],
		"heat":{"width":2,"height":1,"step":8,"cells":"AP8="},
		"model":"xray-cargo-rules@0.2.0"}`)
	f := s.one().Findings[0]
	require.Equal(t, event.Source{Kind: "rule", Name: "xray-mass", Version: "1", Calibration: "20260301T000000Z-01020304"}, f.Source)
	require.Equal(t, map[string]any{"image_score": 0.9, "class": "hidden", "image_kg": 9000.0, "image_kg_limit": 7000.0}, f.Figures)
	require.Equal(t, []int{1, 2, 3, 4}, f.Region.Box)
	require.Equal(t, "20260301T000000Z-01020304", s.one().Scans[0].Calibration)
	require.False(t, s.one().Scans[0].Shadow)
	require.Equal(t, &event.Heat{Width: 2, Height: 1, Step: 8, Cells: []byte{0, 255}}, s.one().Scans[0].Heat)
	require.Len(t, s.alerts(), 1)
}

// What a scanner without a calibration marks is counted, and stops nobody.
func TestAnUncalibratedScannerRunsInShadow(t *testing.T) {
	s := standing(t)
	before := len(s.effects)
	s.answer(17, "A-1", "done", `{"score":0.9,"shadow":true,"findings":[{"code":"XRAY-ANOMALY","box":[1,2,3,4],"score":0.9}],"model":"m@1","heat":{"width":2,"height":1,"step":8,"cells":"AP8="}}`)
	require.Empty(t, s.one().Findings)
	require.Nil(t, s.one().Scans[0].Heat)
	require.Empty(t, s.alerts())
	require.True(t, s.one().Scans[0].Shadow, "the record says why there is no finding")
	require.InDelta(t, 0.9, s.one().Scans[0].Score, 1e-9)
	shadows := 0
	for _, e := range s.effects[before:] {
		if e.Shadow != nil {
			shadows++
		}
	}
	require.Equal(t, 1, shadows)
}

// The files that belong to an image are asked for with it and are in the record.
func TestAPairIsAnalysedTogether(t *testing.T) {
	s := play(t, goodsLane(t))
	s.begin(4)
	s.end(7)
	image, low, side := event.Digest([]byte("h")), event.Digest([]byte("l")), event.Digest([]byte("s"))
	s.reading(16, "xray", event.Reading{Kind: event.ScanImage, Key: "A/1", Scan: &event.Scan{
		ScanID: "A", View: 1, Image: &event.Evidence{SHA256: image}, Low: &event.Evidence{SHA256: low}, Sidecar: &event.Evidence{SHA256: side},
	}})
	var asked passage.Request
	for _, r := range s.engine.Waiting() {
		if r.Op == passage.OpXray {
			asked = r
		}
	}
	require.Equal(t, image, asked.Evidence)
	require.Equal(t, low, asked.Low)
	require.Equal(t, side, asked.Sidecar)
	v := s.records()[len(s.records())-1].Scans[0]
	require.Equal(t, low, v.Low.SHA256)
	require.Equal(t, side, v.Sidecar.SHA256)
}

// The sixth container of a declaration that is filled otherwise than the rest.
func TestALotHasItsOutlier(t *testing.T) {
	s := play(t, wholeLane(t))
	for i := range 6 {
		start := float64(200 * i)
		name, plateText := fmt.Sprint("C", i), fmt.Sprintf("12C%05d", 100+i)
		s.photo(start, "camera", name)
		s.begin(start + 1)
		s.answer(start+2, name, "done", plate(plateText, 0.97))
		s.listed(start+3, plateText, passage.Listed{Expected: event.Expected{Found: true, Plate: plateText, Declaration: "102938475610"}})
		s.end(start + 5)
		s.scan(start+6, name)
		fill, load := 0.70+0.01*float64(i%3), 1.1
		if i == 5 {
			fill, load = 0.15, 0.3
		}
		s.answer(start+12, name+"-1", "done", fmt.Sprintf(
			`{"score":0.1,"findings":[],"cargo":{"state":"loaded","fill":%g,"load":%g},"calibration":"c","model":"m@1"}`, fill, load))
	}
	all := s.records()
	for i, p := range all {
		odd := false
		for _, f := range p.Findings {
			odd = odd || f.Source.Name == "xray-lot-outlier"
		}
		require.Equal(t, i == 5, odd, "container %d", i)
	}
}
