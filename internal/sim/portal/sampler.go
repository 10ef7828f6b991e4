package portal

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"gatehouse/internal/sim/pace"
)

// sampler sends the records of one occupancy. Its sliding second and its beat
// run on from one tail-gating vehicle to the next.
type sampler struct {
	m       *Monitor
	since   time.Time // when the occupancy began, real time
	samples int       // gamma records so far
	second  []int     // sums of the last perSecond gamma records
}

// sides is how a source's radiation spreads over the four detectors.
func sides(dice *rand.Rand) rates {
	left, low := 0.3+0.4*dice.Float64(), 0.35+0.4*dice.Float64()
	return rates{left * low, left * (1 - low), (1 - left) * low, (1 - left) * (1 - low)}
}

func (s *sampler) part(ctx context.Context, part Part) Outcome {
	m := s.m
	dice := rand.New(rand.NewPCG(part.Seed, 0x70617373))
	n := max(1, int(part.Lasts/beat))
	gammaCourse, neutronCourse := course(part.Humps, n, perSecond), course(part.Humps, n, perSecond)
	spread := sides(dice)
	gammaExcess := excess(part.GammaSigma, m.lastGamma.sum(), part.Shielding)
	neutronExcess := excess(part.NeutronSigma, max(1, m.lastNeut.sum()), 0)
	var out Outcome
	var neutrons rates // mean of the counts expected in this second
	for i := range n {
		if s.wait(ctx) != nil {
			return out
		}
		shaded := 1 - part.Shielding*shade(i, n)
		var counts [detectors]int
		sum := 0
		for d := range detectors {
			rate := m.nowGamma[d] * shaded
			if m.nowGamma[d] > 0 {
				rate += gammaExcess * gammaCourse[i] * spread[d]
			}
			counts[d] = poisson(dice, rate/perSecond)
			sum += counts[d]
			neutrons[d] += (m.nowNeut[d] + neutronExcess*neutronCourse[i]*spread[d]) / perSecond
		}
		s.gamma(counts, sum, part.Passage, &out)
		if (i+1)%perSecond == 0 {
			s.neutron(dice, neutrons, part.Passage, &out)
			neutrons = rates{}
		}
		if s.samples%6 == 0 {
			m.wire.Send(speed(part.SpeedKMH), part.Passage)
		}
	}
	return out
}

// excess is the source's count rate that reaches the wanted sigma in spite of
// the background that the vehicle shades.
func excess(sigma, background, shielding float64) float64 {
	if sigma <= 0 {
		return 0
	}
	return sigma*math.Sqrt(background) + shielding*background
}

// wait sleeps until the next beat, counted from the begin of the occupancy so
// that lateness does not add up.
func (s *sampler) wait(ctx context.Context) error {
	due := s.since.Add(s.m.pace.Real(beat * time.Duration(s.samples+1)))
	return pace.Pace(1).Sleep(ctx, time.Until(due))
}

func (s *sampler) gamma(counts [detectors]int, sum int, passage string, out *Outcome) {
	s.samples++
	out.Samples++
	s.second = append(s.second, sum)
	if len(s.second) > perSecond {
		s.second = s.second[1:]
	}
	f := 0
	for _, v := range s.second {
		f += v
	}
	b := s.m.lastGamma.sum()
	name := "GS"
	if b > 0 && len(s.second) == perSecond {
		out.MaxSigma = max(out.MaxSigma, (float64(f)-b)/math.Sqrt(b))
		if float64(f) > b+gammaSigmas*math.Sqrt(b) {
			name, out.GammaAlarm = "GA", true
		}
	}
	s.m.wire.Send(record(name, counts), passage)
}

func (s *sampler) neutron(dice *rand.Rand, mean rates, passage string, out *Outcome) {
	var counts [detectors]int
	sum := 0
	for d := range detectors {
		counts[d] = poisson(dice, mean[d])
		sum += counts[d]
	}
	b := max(1, s.m.lastNeut.sum())
	name := "NS"
	if float64(sum) > b+neutronSigmas*math.Sqrt(b) {
		name, out.NeutronAlarm = "NA", true
	}
	s.m.wire.Send(record(name, counts), passage)
}

// speed is the SP record: seconds per foot, miles and kilometres per hour.
func speed(kmh float64) string {
	metres := kmh / 3.6
	return fmt.Sprintf("SP,%06.4f,%06.3f,%06.2f,000000", 0.3048/metres, min(99, metres*mphPerMetre), min(999, kmh))
}
