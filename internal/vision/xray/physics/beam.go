package physics

import (
	"fmt"
	"math"
)

// Beam is the open beam by a scan of nothing.
type Beam struct {
	Level float64 `json:"level"` // of the range, 0..1; the middle of all channels
	// Gain is the spread of the channels' levels, Dose that of the lines', and
	// Noise what is left within a channel; shares of the level.
	Gain  float64 `json:"gain_spread"`
	Dose  float64 `json:"dose_spread"`
	Noise float64 `json:"noise"`
	// Dead are channels (rows of the scan) that see less than half of what the
	// others see.
	Dead []int `json:"dead_channels,omitempty"`
}

// leastLevel is the least level of an open beam that anything can be measured
// in.
const leastLevel = 0.05

// OpenBeam measures the open beam. A scan in which something stands is refused.
func OpenBeam(l Levels) (Beam, error) {
	rows, columns := make([]float32, l.H), make([]float32, l.W)
	for y := range l.H {
		for x, v := range l.High[y*l.W : (y+1)*l.W] {
			rows[y] += v / float32(l.W)
			columns[x] += v / float32(l.H)
		}
	}
	level := float64(middle(append([]float32(nil), rows...)))
	if level < leastLevel {
		return Beam{}, fmt.Errorf("%w: the beam is off", ErrTestObject)
	}
	b := Beam{Level: level}
	var live []float32
	for y, v := range rows {
		if float64(v) < level/2 {
			b.Dead = append(b.Dead, y)
			continue
		}
		live = append(live, v)
	}
	b.Gain, b.Dose = spread(live, level), spread(columns, level)
	var square float64
	n := 0
	for y, gain := range rows {
		if float64(gain) < level/2 {
			continue
		}
		for x, v := range l.High[y*l.W : (y+1)*l.W] {
			d := float64(v)/float64(gain) - float64(columns[x])/level
			square += d * d
			n++
		}
	}
	b.Noise = math.Sqrt(square / float64(max(n, 1)))
	// A tenth of a scan is a lot of something: no channel and no pulse differs so.
	if len(b.Dead) > l.H/10 || b.Dose > 0.1 {
		return b, fmt.Errorf("%w: something stands in the beam, or it went off", ErrTestObject)
	}
	return b, nil
}

// spread is the standard deviation as a share of the level.
func spread(v []float32, level float64) float64 {
	var sum, square float64
	for _, x := range v {
		sum += float64(x)
		square += float64(x) * float64(x)
	}
	n := float64(max(len(v), 1))
	return math.Sqrt(max(0, square/n-sum/n*sum/n)) / level
}
