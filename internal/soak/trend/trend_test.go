package trend_test

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatehouse/internal/soak/trend"
)

const mb = 1 << 20

func limit() trend.Limit { return trend.Limit{By: 8 * mb, Share: 0.1} }

// series is twelve minutes of a value in seconds, with a sawtooth on it.
func series(value func(s float64) float64) []trend.Point {
	dice := rand.New(rand.NewPCG(1, 2))
	var all []trend.Point
	for s := range 720 {
		saw := math.Mod(float64(s), 17) / 17 * 6 * mb
		all = append(all, trend.Point{At: time.Duration(s) * time.Second, Value: value(float64(s)) + saw + dice.NormFloat64()*mb})
	}
	return all
}

func TestWhatStaysLevelIsFlat(t *testing.T) {
	for name, value := range map[string]func(float64) float64{
		"level":          func(float64) float64 { return 80 * mb },
		"warms up":       func(s float64) float64 { return 80*mb - 50*mb*math.Exp(-s/60) },
		"falls":          func(s float64) float64 { return 120*mb - s*mb/20 },
		"a single peak":  func(s float64) float64 { return 80*mb + 200*mb*math.Exp(-(s-500)*(s-500)/50) },
		"a little slope": func(s float64) float64 { return 80*mb + s*mb/200 },
	} {
		t.Run(name, func(t *testing.T) {
			got := trend.Of(series(value), limit())
			require.True(t, got.Flat, "%+v", got)
			require.InDelta(t, 480, got.Judged.Seconds(), 5)
		})
	}
}

func TestWhatClimbsIsNot(t *testing.T) {
	for name, value := range map[string]func(float64) float64{
		"leaks 2 MB a minute": func(s float64) float64 { return 60*mb + s*mb/30 },
		"a step near the end": func(s float64) float64 {
			if s > 600 {
				return 100 * mb
			}
			return 80 * mb
		},
		"doubles": func(s float64) float64 { return 60 * mb * (1 + s/720) },
	} {
		t.Run(name, func(t *testing.T) {
			got := trend.Of(series(value), limit())
			require.False(t, got.Flat, "%+v", got)
		})
	}
}

func TestASlopeIsPerHour(t *testing.T) {
	var all []trend.Point
	for s := range 100 {
		all = append(all, trend.Point{At: time.Duration(s) * time.Minute, Value: float64(s)})
	}
	got := trend.Of(all, trend.Limit{By: 1000})
	require.InDelta(t, 60, got.PerHour, 1e-6)
	require.True(t, got.Flat)
}

func TestTooLittleSaysNothing(t *testing.T) {
	require.Zero(t, trend.Of(nil, limit()))
	require.Zero(t, trend.Of(series(func(float64) float64 { return 1 })[:9], limit()))
	require.Zero(t, trend.Of(make([]trend.Point, 100), limit()), "no time has passed")
}
