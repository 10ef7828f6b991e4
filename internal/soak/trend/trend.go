// Package trend says whether a figure of a running program, such as its
// memory, stays level or climbs. It is pure.
package trend

import (
	"math"
	"slices"
	"time"
)

// Point is a value at a time since some begin.
type Point struct {
	At    time.Duration
	Value float64
}

// Limit is how much a figure may climb over the time that is judged: By, or
// Share of its median, whichever is more.
type Limit struct {
	By    float64
	Share float64 // 0..1
}

// Trend is how a figure went.
type Trend struct {
	First, Last float64 // medians of the first and the last fifth of what is judged
	Median      float64
	PerHour     float64       // slope
	Judged      time.Duration // how long was judged
	Climb       float64       // slope times Judged
	Allowed     float64
	Flat        bool
}

const (
	// warmUp is the share of the time in which a program may fill its pools and
	// caches: it is not judged.
	warmUp = 1.0 / 3
	// most is how many points are compared with each other; more are thinned out.
	most = 300
	// least is how many points say anything.
	least = 8
)

// Of judges a series in the order of time. A series that is too short to say
// anything is not flat, and has no Judged.
func Of(series []Point, limit Limit) Trend {
	points := judged(series)
	if len(points) < least {
		return Trend{}
	}
	t := Trend{Judged: points[len(points)-1].At - points[0].At}
	if t.Judged <= 0 {
		return Trend{}
	}
	fifth := max(1, len(points)/5)
	t.First, t.Last, t.Median = median(points[:fifth]), median(points[len(points)-fifth:]), median(points)
	t.PerHour = slope(points) * float64(time.Hour)
	t.Climb = t.PerHour * t.Judged.Hours()
	t.Allowed = max(limit.By, limit.Share*t.Median)
	// The slope is deaf to steps that come late, the medians to a slow climb.
	t.Flat = max(t.Climb, t.Last-t.First) <= t.Allowed
	return t
}

func judged(series []Point) []Point {
	if len(series) == 0 {
		return nil
	}
	begin, end := series[0].At, series[len(series)-1].At
	from := begin + time.Duration(warmUp*float64(end-begin))
	i, _ := slices.BinarySearchFunc(series, from, func(p Point, at time.Duration) int { return int(p.At - at) })
	points := series[i:]
	step := (len(points) + most - 1) / most
	var thin []Point
	for k := 0; k < len(points); k += max(1, step) {
		thin = append(thin, points[k])
	}
	return thin
}

// slope is the median of the slopes between all pairs of points (Theil and
// Sen), which single peaks do not move; per nanosecond.
func slope(points []Point) float64 {
	var all []float64
	for i, a := range points {
		for _, b := range points[i+1:] {
			if d := float64(b.At - a.At); d > 0 {
				all = append(all, (b.Value-a.Value)/d)
			}
		}
	}
	if len(all) == 0 {
		return math.NaN()
	}
	slices.Sort(all)
	return all[len(all)/2]
}

func median(points []Point) float64 {
	values := make([]float64, 0, len(points))
	for _, p := range points {
		values = append(values, p.Value)
	}
	slices.Sort(values)
	return values[len(values)/2]
}
