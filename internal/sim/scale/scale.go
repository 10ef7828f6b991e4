package scale

import (
	"context"
	"math"
	"math/rand/v2"
	"sync"
	"time"

	"gatehouse/internal/sim/fault"
	"gatehouse/internal/sim/pace"
	"gatehouse/internal/sim/port"
)

const (
	// rate is how often the indicator sends, simulated time: about seven times a
	// second, as a Toledo Wildcat does.
	rate = 143 * time.Millisecond
	// fastest is the least real time between two frames: 18 bytes at 9600 baud
	// take 19 ms, and no host needs more of them.
	fastest = 40 * time.Millisecond

	step     = 20     // kg, division of the bridge
	capacity = 60_000 // kg
	climb    = 0.7    // share of the settling in which the axles come on
	rock     = 0.2    // share in which the load then comes to rest
)

// Wire takes the indicator's frames.
type Wire interface{ Put(f port.Frame) bool }

// Settings of a scale.
type Settings struct {
	Device   string // its name in the lane
	Protocol string
	Pace     pace.Pace
	Seed     uint64
}

// Scale is one weighbridge. Weigh may be called from anywhere, one vehicle at a
// time.
type Scale struct {
	set   Settings
	wire  Wire
	board *fault.Board
	dice  *rand.Rand // belongs to Run

	mu   sync.Mutex
	load load
}

// load is what stands on the bridge.
type load struct {
	passage string
	gross   float64
	axles   int
	mute    bool
	shaky   bool
	began   time.Time
	lasts   time.Duration // real time until it has driven on and stands
	leaves  time.Time     // zero while it stands
}

// New makes a scale with an empty bridge.
func New(set Settings, wire Wire, board *fault.Board) *Scale {
	return &Scale{set: set, wire: wire, board: board, dice: rand.New(rand.NewPCG(set.Seed, 0x7363616c65))}
}

// Run sends the display until ctx ends.
func (s *Scale) Run(ctx context.Context) error {
	tick := time.NewTicker(max(fastest, s.set.Pace.Real(rate)))
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case now := <-tick.C:
			s.send(now)
		}
	}
}

// Vehicle is what drives onto the bridge.
type Vehicle struct {
	Passage string
	GrossKG float64
	Axles   int
	Settles time.Duration // simulated time until it stands and has come to rest
	Mute    bool          // the indicator is away meanwhile
	// Restless is a load that never comes to rest.
	Restless bool
}

// Enter lets a vehicle drive onto the bridge and returns when it has come to
// rest.
func (s *Scale) Enter(ctx context.Context, v Vehicle) error {
	s.mu.Lock()
	s.load = load{
		passage: v.Passage, gross: v.GrossKG, axles: max(2, v.Axles), mute: v.Mute, shaky: v.Restless,
		began: time.Now(), lasts: s.set.Pace.Real(v.Settles),
	}
	s.mu.Unlock()
	return s.set.Pace.Sleep(ctx, v.Settles)
}

// Leave lets it drive off, which takes that simulated time.
func (s *Scale) Leave(ctx context.Context, takes time.Duration) error {
	s.mu.Lock()
	s.load.leaves, s.load.lasts = time.Now(), s.set.Pace.Real(takes)
	s.mu.Unlock()
	err := s.set.Pace.Sleep(ctx, takes)
	s.mu.Lock()
	s.load = load{}
	s.mu.Unlock()
	return err
}

func (s *Scale) send(now time.Time) {
	s.mu.Lock()
	l := s.load
	s.mu.Unlock()
	kg, motion := l.at(now, s.dice)
	if l.mute {
		return
	}
	on := func(name string) bool { return s.board.On(s.set.Device, name) }
	d := Display{Step: step, Motion: motion, NotZeroed: on("not-zeroed")}
	switch {
	case on("overload") && kg > 0:
		kg = capacity + 1500
	case (l.shaky || on("never-stable")) && kg > 0:
		kg += 400*s.dice.Float64() - 200
		d.Motion = true
	}
	d.KG = int(math.Round(kg/step)) * step
	d.Over = d.KG > capacity+9*step
	f := port.Frame{Wire: d.Encode(s.set.Protocol), Check: 1, End: 2, Passage: l.passage}
	if s.set.Protocol == Yaohua {
		f.Check, f.End = 2, 1
	}
	f.Body = f.Wire
	s.wire.Put(f)
}

// at is the load that rests on the bridge at a moment, and whether it moves.
func (l load) at(now time.Time, dice *rand.Rand) (kg float64, motion bool) {
	if l.gross == 0 {
		return 0, false
	}
	if !l.leaves.IsZero() {
		x := float64(now.Sub(l.leaves)) / float64(max(1, l.lasts))
		gone := min(l.axles, int(x*float64(l.axles))+1)
		return l.gross * float64(l.axles-gone) / float64(l.axles), true
	}
	x := float64(now.Sub(l.began)) / float64(max(1, l.lasts))
	switch {
	case x < climb:
		on := min(l.axles, int(x/(climb)*float64(l.axles))+1)
		return l.gross*float64(on)/float64(l.axles) + 60*dice.NormFloat64(), true
	case x < climb+rock:
		left := (climb + rock - x) / rock
		return l.gross + 150*left*math.Sin(40*x), true
	}
	return l.gross, false
}
