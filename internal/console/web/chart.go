package web

import (
	"fmt"
	"math"
	"strings"

	"gatehouse/internal/event"
)

// The chart's drawing area in its own units.
const (
	chartWidth  = 400.0
	chartHeight = 112.0
	chartLeft   = 40.0
	chartRight  = 8.0
	chartTop    = 8.0
	chartBottom = 16.0
)

// usualSigma is the alarm level that portals of this kind are delivered with
// (7 sigma); it is drawn where the record does not say which one applied.
const usualSigma = 7.0

// chart is a radiation profile ready to be drawn: the gamma counts summed over
// one second, as the portal judges them, beside background and threshold.
type chart struct {
	Line, Area        string // of SVG path and polygon
	BackgroundY       float64
	ThresholdY        float64
	Background        float64 // counts per second
	Threshold, Max    float64
	MaxX, MaxY        float64
	Sigma             float64
	Assumed           bool // the threshold is the usual one, not the record's
	Ticks             []tick
	Seconds           []tick
	Neutrons          []bar
	NeutronBackground float64
	NeutronMax        float64
	Gamma, Neutron    bool // the monitor's own alarms
	SpeedKMH          *float64
	DurationSeconds   float64
	MaxSigma          float64
}

type tick struct {
	At   float64
	Text string
}

type bar struct{ X, Y, W, H float64 }

// newChart draws a profile; nil when there is none to draw.
func newChart(p *event.RadiationProfile, findings []event.Finding) *chart {
	if p == nil || len(p.Gamma) == 0 || p.GammaIntervalMS <= 0 {
		return nil
	}
	c := &chart{
		Background: p.GammaBackgroundCPS, Gamma: p.GammaAlarm, Neutron: p.NeutronAlarm, SpeedKMH: p.SpeedKMH,
		MaxSigma: p.MaxSigma, NeutronBackground: p.NeutronBackgroundCPS,
		DurationSeconds: float64(len(p.Gamma)*p.GammaIntervalMS) / 1000,
	}
	c.Sigma, c.Assumed = thresholdOf(findings)
	c.Threshold = c.Background + c.Sigma*math.Sqrt(c.Background)
	sums := perSecond(p.Gamma, p.GammaIntervalMS)
	top := c.Threshold
	for _, v := range sums {
		top = max(top, v)
	}
	top = niceTop(top * 1.05)
	y := func(v float64) float64 {
		return chartTop + (chartHeight-chartTop-chartBottom)*(1-v/top)
	}
	c.trace(sums, len(p.Gamma), y)
	c.BackgroundY, c.ThresholdY = y(c.Background), y(c.Threshold)
	for i := 0; i <= 2; i++ {
		v := top * float64(i) / 2
		c.Ticks = append(c.Ticks, tick{y(v), fmt.Sprintf("%.0f", v)})
	}
	c.Seconds = secondsAxis(c.DurationSeconds)
	c.neutrons(p)
	return c
}

func (c *chart) trace(sums []float64, intervals int, y func(float64) float64) {
	var line strings.Builder
	// The first second has no full sum; the curve begins where one has.
	first := intervals - len(sums)
	startX := chartLeft
	for i, v := range sums {
		x := chartLeft
		if intervals > 1 {
			x += (chartWidth - chartLeft - chartRight) * float64(first+i) / float64(intervals-1)
		}
		if i == 0 {
			startX = x
		}
		if v >= c.Max {
			c.Max, c.MaxX, c.MaxY = v, x, y(v)
		}
		fmt.Fprintf(&line, "%.1f,%.1f ", x, y(v))
	}
	c.Line = strings.TrimSpace(line.String())
	c.Area = fmt.Sprintf("%.1f,%.1f %s %.1f,%.1f", startX, y(0), c.Line, chartWidth-chartRight, y(0))
}

// neutrons makes a small row of bars, one per interval.
func (c *chart) neutrons(p *event.RadiationProfile) {
	if len(p.Neutron) == 0 || p.NeutronIntervalMS <= 0 {
		return
	}
	const height = 26.0
	rate := 1000 / float64(p.NeutronIntervalMS)
	top := max(10, 2*p.NeutronBackgroundCPS)
	for _, v := range p.Neutron {
		c.NeutronMax = max(c.NeutronMax, v*rate)
		top = max(top, v*rate)
	}
	w := (chartWidth - chartLeft - chartRight) / float64(len(p.Neutron))
	for i, v := range p.Neutron {
		h := height * v * rate / top
		c.Neutrons = append(c.Neutrons, bar{chartLeft + float64(i)*w + 1, height - h, max(1, w-2), h})
	}
}

// perSecond sums counts over each full second, which is the figure that the
// portal compares with its threshold. An occupancy shorter than a second is
// scaled up from what there is.
func perSecond(counts []float64, intervalMS int) []float64 {
	n := min(max(1, int(math.Round(1000/float64(intervalMS)))), len(counts))
	out := make([]float64, 0, len(counts)-n+1)
	sum := 0.0
	for i, v := range counts {
		sum += v
		if i >= n {
			sum -= counts[i-n]
		}
		if i >= n-1 {
			out = append(out, sum*1000/float64(n*intervalMS))
		}
	}
	return out
}

// thresholdOf takes the alarm level from the finding, if it says so.
func thresholdOf(findings []event.Finding) (sigma float64, assumed bool) {
	for _, f := range findings {
		if f.Code != event.FindingRadiationGamma {
			continue
		}
		if v, ok := f.Figures["threshold_sigma"].(float64); ok && v > 0 {
			return v, false
		}
	}
	return usualSigma, true
}

// niceTop is the next round number for an axis.
func niceTop(v float64) float64 {
	if v <= 0 {
		return 1
	}
	unit := math.Pow(10, math.Floor(math.Log10(v)))
	for _, m := range []float64{1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10} {
		if v <= m*unit {
			return m * unit
		}
	}
	return 10 * unit
}
