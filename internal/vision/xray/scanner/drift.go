package scanner

import (
	"maps"
	"slices"

	"gatehouse/internal/vision/xray/physics"
)

// Limits of how much a measure of quality may worsen before a technician should
// look at the scanner; shares of what it was when the scanner was calibrated.
const (
	noiseMore      = 0.5
	contrastMore   = 0.5
	resolutionMore = 0.3
	penetrateLess  = 0.15
)

// Drift is one measure of quality then and now.
type Drift struct {
	Measure string  `json:"measure"`
	Then    float64 `json:"then"`
	Now     float64 `json:"now"`
	Change  float64 `json:"change"` // share of Then; worse is positive
	Limit   float64 `json:"limit"`  // of Change
	Drifted bool    `json:"drifted"`
}

// Drifts compares a scanner's quality with that at its calibration. What one of
// the two lacks is left out; a thickness that is no longer told at all has
// drifted.
func Drifts(then, now physics.Quality) []Drift {
	var out []Drift
	add := func(name string, a, b, limit, sign float64) {
		if a <= 0 {
			return
		}
		change := sign * (b - a) / a
		out = append(out, Drift{Measure: name, Then: a, Now: b, Change: change, Limit: limit, Drifted: change > limit})
	}
	add("air_noise", then.AirNoise, now.AirNoise, noiseMore, 1)
	add("penetration_mm", then.PenetrationMM, now.PenetrationMM, penetrateLess, -1)
	if now.ResolutionMM > 0 {
		add("resolution_mm", then.ResolutionMM, now.ResolutionMM, resolutionMore, 1)
	}
	for _, step := range slices.Sorted(maps.Keys(then.ContrastPercent)) {
		b, seen := now.ContrastPercent[step]
		if !seen {
			out = append(out, Drift{Measure: "contrast_percent at " + step, Then: then.ContrastPercent[step], Limit: contrastMore, Drifted: true})
			continue
		}
		add("contrast_percent at "+step, then.ContrastPercent[step], b, contrastMore, 1)
	}
	return out
}
