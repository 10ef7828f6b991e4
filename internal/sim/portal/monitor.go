// Package portal simulates a radiation portal monitor of the TSA/Rapiscan
// ASCII class (VM-250, SC-770): four gamma and four neutron detectors, Poisson
// counts over a background that a lorry shades, the monitor's own alarm
// arithmetic, and its line protocol with the documented timing.
//
// Lines are TT,v1,v2,v3,v4 with six-digit counts: NB and GB every 5 s while
// nothing is there, GS or GA every 200 ms and NS or NA every second of an
// occupancy, SP after every sixth gamma record, GX at the end.
package portal

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"sync"
	"time"

	"gatehouse/internal/sim/fault"
	"gatehouse/internal/sim/pace"
)

// Wire takes the monitor's lines.
type Wire interface {
	Send(line, passage string)
}

// Limits and algorithm settings, within the ranges that are typical for the
// class: gamma background 225-256 counts/s, neutron 1-4 counts/s.
const (
	gammaSigmas   = 7.0 // N of F > B + N*sqrt(B)
	neutronSigmas = 6.0
	highGamma     = 330.0 // GH above this on any detector, counts/s
	lowGamma      = 80.0  // GL below
	highNeutron   = 8.0   // NH above
	holdIn        = 10    // 200 ms intervals

	beat        = 200 * time.Millisecond
	idle        = 5 * time.Second // between background records
	boot        = 3 * time.Second // from power to the first line
	mphPerMetre = 2.23694         // mph in one m/s
)

// Pass is one occupancy: usually one vehicle, two when one tail-gates.
type Pass struct {
	Parts []Part
	NoGX  bool // the end record gets lost
	High  bool // the background is above its limits just before it
	Open  bool // the cabinet is opened meanwhile
}

// Part is one vehicle in an occupancy.
type Part struct {
	Passage      string        // name of the vehicle, for the ledger
	Seed         uint64        // of its counts
	Lasts        time.Duration // in the portal, simulated time
	SpeedKMH     float64
	Shielding    float64 // share of the background that it shades, 0..1
	GammaSigma   float64 // wanted peak of (F-B)/sqrt(B); 0 for none
	NeutronSigma float64
	Humps        []Hump // where the source is
	// Begins, when set, is called when the vehicle reaches the portal.
	Begins func()
}

// Outcome is what the monitor sent about one part.
type Outcome struct {
	Number       string // occupancy number as in GX
	GammaAlarm   bool
	NeutronAlarm bool
	Samples      int     // gamma records
	MaxSigma     float64 // largest (F-B)/sqrt(B) that the records show
}

type request struct {
	pass  Pass
	reply chan []Outcome
}

// Monitor is one portal monitor. Occupy may be called from anywhere; the rest
// belongs to Run.
type Monitor struct {
	wire  Wire
	board *fault.Board
	pace  pace.Pace
	asked chan request

	dice      *rand.Rand // of the background
	gamma     rates      // true background
	neutron   rates
	nowGamma  rates // with the faults that the last background record showed
	nowNeut   rates
	lastGamma rates // as sent last
	lastNeut  rates
	number    int
}

// New makes a monitor whose background follows from the seed.
func New(wire Wire, seed uint64, p pace.Pace, board *fault.Board) *Monitor {
	m := &Monitor{wire: wire, board: board, pace: p, asked: make(chan request), dice: rand.New(rand.NewPCG(seed, 0x72706d))}
	for i := range detectors {
		m.gamma[i] = 225 + 31*m.dice.Float64()
		m.neutron[i] = 1.2 + 1.3*m.dice.Float64()
	}
	return m
}

// Run is the monitor's life until ctx ends.
func (m *Monitor) Run(ctx context.Context) error {
	var jobs sync.WaitGroup
	defer jobs.Wait()
	reboot := make(chan struct{})
	jobs.Go(func() {
		m.board.Follow(ctx, fault.RPM, "unplug", func(on bool) {
			if on {
				return
			}
			select {
			case reboot <- struct{}{}:
			case <-ctx.Done():
			}
		})
	})
	jobs.Go(func() { m.board.Follow(ctx, fault.RPM, "tamper", m.tamper) })
	if m.powerUp(ctx) != nil {
		return nil
	}
	next := time.NewTimer(0)
	defer next.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-next.C:
			m.background(false)
			next.Reset(m.pace.Real(idle))
		case r := <-m.asked:
			r.reply <- m.play(ctx, r.pass)
			next.Reset(m.pace.Real(time.Second + time.Duration(m.dice.Int64N(int64(time.Second)))))
		case <-reboot:
			if m.powerUp(ctx) != nil {
				return nil
			}
			next.Reset(0)
		}
	}
}

// Occupy lets a pass go through and returns what was sent about each part, or
// ctx's error.
func (m *Monitor) Occupy(ctx context.Context, pass Pass) ([]Outcome, error) {
	r := request{pass: pass, reply: make(chan []Outcome, 1)}
	select {
	case m.asked <- r:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	select {
	case out := <-r.reply:
		return out, ctx.Err()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// powerUp boots the monitor: it counts occupancies anew and sends its setup.
func (m *Monitor) powerUp(ctx context.Context) error {
	if err := m.pace.Sleep(ctx, boot); err != nil {
		return err
	}
	m.number = 0
	for _, line := range []string{
		fmt.Sprintf("SG1,%06d,%06d,%06d,%06d,%06d,000000", int(highGamma), int(lowGamma), perSecond, holdIn, int(gammaSigmas)),
		"SG2,000004,000068,005000,000003,SUM,A4.01",
		"SG3,000068,005000,000020,000004,A4.01",
		"SN1,000008,000005,000192,000006,000003,000020",
		"SN2,000500,005000,000500,005000,000000",
		"TC,111111,111111,111111,111111",
	} {
		m.wire.Send(line, "")
	}
	return nil
}

func (m *Monitor) tamper(on bool) {
	if on {
		m.wire.Send("TT,000000,000000,000000,000000", "")
		return
	}
	m.wire.Send("TC,111111,111111,111111,111111", "")
}

// background measures and sends NB and GB. Faults of the detectors come into
// force here, so that samples and the background they are judged by agree.
func (m *Monitor) background(high bool) {
	m.nowGamma, m.nowNeut = m.gamma, m.neutron
	if high || m.board.On(fault.RPM, "high-background") {
		m.nowGamma, m.nowNeut = m.nowGamma.times(1.6), m.nowNeut.times(8)
	}
	if m.board.On(fault.RPM, "dead-detector") {
		m.nowGamma[2] = 0
	}
	gammaName, neutronName := "GB", "NB"
	var g, n [detectors]int
	for i := range detectors {
		g[i] = int(math.Round(float64(poisson(m.dice, m.nowGamma[i]*backgroundAverage)) / backgroundAverage))
		n[i] = int(math.Round(float64(poisson(m.dice, m.nowNeut[i]*backgroundAverage)) / backgroundAverage))
		m.lastGamma[i], m.lastNeut[i] = float64(g[i]), float64(n[i])
		switch {
		case m.lastGamma[i] < lowGamma:
			gammaName = "GL"
		case m.lastGamma[i] > highGamma && gammaName == "GB":
			gammaName = "GH"
		}
		if m.lastNeut[i] > highNeutron {
			neutronName = "NH"
		}
	}
	m.wire.Send(record(neutronName, n), "")
	m.wire.Send(record(gammaName, g), "")
}

// play sends one occupancy.
func (m *Monitor) play(ctx context.Context, pass Pass) []Outcome {
	if m.lastGamma.sum() == 0 || pass.High {
		m.background(pass.High)
	}
	if pass.Open {
		m.tamper(true)
		defer m.tamper(false)
	}
	m.number++
	s := sampler{m: m, since: time.Now()}
	out := make([]Outcome, len(pass.Parts))
	for i, part := range pass.Parts {
		if part.Begins != nil {
			part.Begins()
		}
		out[i] = s.part(ctx, part)
		out[i].Number = fmt.Sprintf("%06d", m.number)
	}
	if len(out) > 0 && !pass.NoGX && ctx.Err() == nil {
		last := pass.Parts[len(pass.Parts)-1]
		m.wire.Send(fmt.Sprintf("GX,%06d,%06d,000000,000000", m.number, int(math.Round(m.lastNeut.sum()*1000))), last.Passage)
	}
	return out
}

func record(name string, v [detectors]int) string {
	return fmt.Sprintf("%s,%06d,%06d,%06d,%06d", name, v[0], v[1], v[2], v[3])
}
