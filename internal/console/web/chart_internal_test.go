package web

import (
	"testing"

	"github.com/stretchr/testify/require"

	"gatehouse/internal/event"
)

// The worked example of the portal's documentation: background 4 x 225, seven
// sigma, five records of 60 on each of four detectors.
func TestTheChartUsesThePortalsOwnArithmetic(t *testing.T) {
	p := &event.RadiationProfile{GammaIntervalMS: 200, Gamma: []float64{180, 180, 180, 180, 180, 240, 240, 240, 240, 240, 180}, GammaBackgroundCPS: 900}
	c := newChart(p, nil)
	require.Equal(t, 1110.0, c.Threshold)
	require.True(t, c.Assumed)
	require.Equal(t, 1200.0, c.Max)
	require.Less(t, c.MaxY, c.ThresholdY, "above the threshold")
	require.Less(t, c.ThresholdY, c.BackgroundY)

	c = newChart(p, []event.Finding{{Code: event.FindingRadiationGamma, Figures: map[string]any{"threshold_sigma": 5.0}}})
	require.Equal(t, 1050.0, c.Threshold)
	require.False(t, c.Assumed)
}

func TestShortAndEmptyProfilesAreDrawnOrLeftOut(t *testing.T) {
	require.Nil(t, newChart(nil, nil))
	require.Nil(t, newChart(&event.RadiationProfile{GammaIntervalMS: 200}, nil))
	require.Nil(t, newChart(&event.RadiationProfile{Gamma: []float64{1}}, nil))
	c := newChart(&event.RadiationProfile{GammaIntervalMS: 200, Gamma: []float64{100, 100}}, nil)
	require.Equal(t, 500.0, c.Max, "counts in 0.4 s, as a rate")
	require.NotContains(t, c.Line, "NaN")
	require.NotContains(t, newChart(&event.RadiationProfile{GammaIntervalMS: 200, Gamma: []float64{0}}, nil).Line, "NaN")
}

func TestReadingsThatDifferInTimeAloneAreOneLine(t *testing.T) {
	ref := func(device string, frame string) event.ReadingRef {
		return event.ReadingRef{Device: device, Kind: event.RadiationSample, Quality: event.Good, Frames: []string{frame}}
	}
	g := groupReadings([]event.ReadingRef{ref("rpm", "a"), ref("rpm", "b"), ref("other", "c"), ref("rpm", "d")})
	require.Len(t, g, 3)
	require.Equal(t, 2, g[0].Count)
	require.Equal(t, []string{"a", "b"}, g[0].Frames)
}
