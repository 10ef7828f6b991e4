package scanner_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"gatehouse/internal/vision/xray/physics"
	"gatehouse/internal/vision/xray/scanner"
)

func TestDrifts(t *testing.T) {
	then := physics.Quality{AirNoise: 0.001, PenetrationMM: 36, ResolutionMM: 0.9, ContrastPercent: map[string]float64{"6 mm": 1, "30 mm": 5}}
	for _, d := range scanner.Drifts(then, then) {
		require.False(t, d.Drifted, d.Measure)
		require.Zero(t, d.Change)
	}
	now := physics.Quality{AirNoise: 0.0014, PenetrationMM: 25, ResolutionMM: 1.3, ContrastPercent: map[string]float64{"6 mm": 1.2}}
	drifted := map[string]bool{}
	for _, d := range scanner.Drifts(then, now) {
		drifted[d.Measure] = d.Drifted
	}
	require.Equal(t, map[string]bool{
		"air_noise": false, "penetration_mm": true, "resolution_mm": true, "contrast_percent at 6 mm": false, "contrast_percent at 30 mm": true,
	}, drifted)
}
