package board

import (
	"bytes"
	"context"
	"sync"
	"time"

	"gatehouse/internal/sim/book"
	"gatehouse/internal/sim/fault"
	"gatehouse/internal/sim/pace"
	"gatehouse/internal/sim/port"
)

// Coils.
const (
	coilOpen  = 1 << 0 // pulse
	coilClose = 1 << 1 // pulse
	coilStop  = 1 << 2
	coilRed   = 1 << 3
	coilGreen = 1 << 5
)

// Inputs.
const (
	inUp = 1 << iota
	inDown
	inEntry
	inSafety
	inExit
	inPhotocell
	inEStop // closed while nobody presses it
	inManual
)

const (
	// travel of the arm from one end to the other.
	travel = 2500 * time.Millisecond
	// turn is how often the motor and the watchdog are looked after.
	turn = 20 * time.Millisecond
	// starve is how long the watchdog waits for a request.
	starve = 5 * time.Second
	// late is how long the answers of late-ack take: longer than a host waits.
	late = 700 * time.Millisecond
	// holds is how long a host's close keeps the lane's own controller from
	// opening the arm, unless the host opens it before: a host that is forgotten
	// must not close a simulated lane for ever.
	holds = 3 * time.Minute
	// gap without a byte in which a broken request is forgotten.
	gap = 50 * time.Millisecond
)

// Wire is the board's line.
type Wire interface {
	Put(f port.Frame) bool
	Bytes() <-chan []byte
}

// Pulses is how often hosts have pulsed the relays of the arm.
type Pulses struct{ Open, Close, Stop int }

// Settings of a board.
type Settings struct {
	Device   string // its name in the lane
	Unit     byte   // Modbus address
	Watchdog bool   // drops to red once nobody asks for 5 s
	Pace     pace.Pace
}

// Board is one barrier with its input/output board. Out may be called from
// anywhere, one vehicle at a time; the rest belongs to Run.
type Board struct {
	set   Settings
	wire  Wire
	board *fault.Board
	bytes <-chan []byte

	mu     sync.Mutex
	coils  byte
	loops  byte    // of inputs: what stands where
	arm    float64 // 0 down .. 1 up
	moves  float64 // +1 up, -1 down, 0 stands
	asked  time.Time
	hosted bool      // a host has asked at least once
	held   time.Time // until when the host keeps the arm down; zero for not
	pulses Pulses
	last   map[byte][]byte
	before []byte // the answer to the request before
}

// New makes a board whose arm is down. It has to be made before the wire runs.
func New(set Settings, wire Wire, b *fault.Board) *Board {
	return &Board{set: set, wire: wire, board: b, bytes: wire.Bytes(), coils: coilRed, last: map[byte][]byte{}}
}

// Run answers the host and moves the arm until ctx ends.
func (b *Board) Run(ctx context.Context) error {
	var jobs sync.WaitGroup
	defer jobs.Wait()
	jobs.Go(func() { b.mechanics(ctx) })
	var rest []byte
	var heard time.Time
	for {
		select {
		case <-ctx.Done():
			return nil
		case got := <-b.bytes:
			if time.Since(heard) > gap {
				rest = nil
			}
			heard = time.Now()
			rest = append(rest, got...)
		}
		for len(rest) > 0 {
			request, wait := cut(rest)
			if wait {
				break
			}
			if request == nil {
				rest = rest[1:]
				continue
			}
			b.host(ctx, &jobs, bytes.Clone(request))
			rest = rest[len(request):]
		}
	}
}

func (b *Board) on(name string) bool { return b.board.On(b.set.Device, name) }

// host answers one request.
func (b *Board) host(ctx context.Context, jobs *sync.WaitGroup, q []byte) {
	if b.board.Take(b.set.Device, "watchdog", 0) {
		b.reset()
	}
	b.mu.Lock()
	b.asked, b.hosted = time.Now(), true
	var reply []byte
	if b.on("exception") && (q[0] == b.set.Unit) {
		reply = seal(q[0], q[1]|exception, failure)
	} else {
		was := b.coils
		reply, b.coils = answer(q, b.set.Unit, b.inputs(), b.coils)
		if b.on("stuck-relay") {
			b.coils &^= coilRed
		}
		b.pulse(was)
	}
	previous := b.before
	b.before = reply
	b.mu.Unlock()
	switch {
	case reply == nil || b.on("lost-ack"):
		return
	case b.on("wrong-ack") && previous != nil:
		reply = previous
	case b.on("late-ack"):
		jobs.Go(func() {
			if pace.Pace(1).Sleep(ctx, late) == nil {
				b.put(reply)
			}
		})
		return
	}
	b.put(reply)
}

// put sends an answer. Only one that differs from the last of its function is
// for the ledger: hosts ask the same again and again. An echo of what was
// written says nothing new and is no frame that a host keeps.
func (b *Board) put(reply []byte) {
	f := port.Frame{Wire: reply, Kind: book.Answer, Check: 1}
	b.mu.Lock()
	if reply[1] != writeCoils && reply[1] != writeCoil && !bytes.Equal(b.last[reply[1]], reply) {
		f.Body = reply
		b.last[reply[1]] = reply
	}
	b.mu.Unlock()
	b.wire.Put(f)
}

// pulse obeys the edges of the arm's relays; the caller holds mu.
func (b *Board) pulse(was byte) {
	rises := b.coils &^ was
	if rises&coilOpen != 0 {
		b.pulses.Open++
	}
	if rises&coilClose != 0 {
		b.pulses.Close++
	}
	if rises&coilStop != 0 {
		b.pulses.Stop++
	}
	switch {
	case b.on("e-stop") || b.on("manual"):
	case rises&coilStop != 0:
		b.moves = 0
	case rises&coilOpen != 0:
		b.moves, b.held = 1, time.Time{}
	case rises&coilClose != 0:
		b.moves, b.held = -1, time.Now().Add(holds)
	}
}

// Pulsed is what hosts have asked of the arm so far.
func (b *Board) Pulsed() Pulses {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.pulses
}

// holding says whether the host keeps the arm down; the caller holds mu.
func (b *Board) holding() bool { return time.Now().Before(b.held) && time.Since(b.asked) < starve }

// reset is what a board does when it starts anew.
func (b *Board) reset() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.coils = coilRed
}

// inputs is what the board's inputs show; the caller holds mu.
func (b *Board) inputs() byte {
	in := b.loops
	switch {
	case b.on("limits"):
		in |= inUp | inDown
	case b.arm >= 1:
		in |= inUp
	case b.arm <= 0:
		in |= inDown
	}
	if b.on("obstacle") {
		in |= inSafety | inPhotocell
	}
	if !b.on("e-stop") {
		in |= inEStop
	}
	if b.on("manual") {
		in |= inManual
	}
	return in
}

// mechanics moves the arm and plays the watchdog until ctx ends.
func (b *Board) mechanics(ctx context.Context) {
	tick := time.NewTicker(turn)
	defer tick.Stop()
	before := time.Now()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-tick.C:
			b.turn(now.Sub(before))
			before = now
		}
	}
}

func (b *Board) turn(passed time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.on("e-stop") {
		b.moves = 0
	}
	// The barrier's own safety input: it never closes on something.
	if b.moves < 0 && b.inputs()&(inSafety|inPhotocell) != 0 {
		b.moves = 1
	}
	b.arm = min(1, max(0, b.arm+b.moves*float64(passed)/float64(b.set.Pace.Real(travel))))
	if b.arm == 0 && b.moves < 0 || b.arm == 1 && b.moves > 0 {
		b.moves = 0
	}
	if b.set.Watchdog && b.hosted && time.Since(b.asked) > starve {
		b.coils = coilRed
	}
	if !b.hosted {
		b.coils = coilRed
		if b.arm == 1 {
			b.coils = coilGreen
		}
	}
}
