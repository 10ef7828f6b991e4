package board

import (
	"context"
	"time"
)

const (
	// clearLoop is how long a vehicle takes over each of the loops, simulated time.
	clearLoop = 900 * time.Millisecond
	// patience is how long the lane's controller waits for its arm, real time; an
	// arm that is stopped or held does not keep a simulated lane closed for ever.
	patience = 30 * time.Second
	look     = 10 * time.Millisecond
)

// Stand notes that a vehicle stands before the arm.
func (b *Board) Stand() { b.show(inEntry, true) }

// Out is the lane's controller: it opens the arm, lets the vehicle drive over
// the loops and closes behind it. leaves is called when the vehicle starts. While
// the host keeps the arm down, the vehicle waits.
func (b *Board) Out(ctx context.Context, leaves func()) error {
	if err := b.released(ctx); err != nil {
		return err
	}
	b.move(1)
	if err := b.await(ctx, inUp); err != nil {
		return err
	}
	leaves()
	for _, s := range []struct {
		bits byte
		on   bool
	}{
		{inSafety | inPhotocell, true}, {inEntry, false}, {inExit, true}, {inSafety | inPhotocell, false}, {inExit, false},
	} {
		b.show(s.bits, s.on)
		if err := b.set.Pace.Sleep(ctx, clearLoop); err != nil {
			b.show(inEntry|inSafety|inPhotocell|inExit, false)
			return err
		}
	}
	b.move(-1)
	return nil
}

// Against is a vehicle that comes in through the exit.
func (b *Board) Against(ctx context.Context) error {
	b.show(inExit, true)
	if err := b.set.Pace.Sleep(ctx, clearLoop); err != nil {
		return err
	}
	b.move(1)
	err := b.await(ctx, inUp)
	for _, s := range []struct {
		bits byte
		on   bool
	}{
		{inSafety | inPhotocell, true}, {inExit, false}, {inEntry, true}, {inSafety | inPhotocell, false}, {inEntry, false},
	} {
		b.show(s.bits, s.on)
		if err == nil {
			err = b.set.Pace.Sleep(ctx, clearLoop)
		}
	}
	b.move(-1)
	return err
}

// released waits while the host keeps the arm down.
func (b *Board) released(ctx context.Context) error {
	tick := time.NewTicker(look)
	defer tick.Stop()
	for {
		b.mu.Lock()
		held := b.holding()
		b.mu.Unlock()
		if !held {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

func (b *Board) show(bits byte, on bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.loops &^= bits
	if on {
		b.loops |= bits
	}
}

func (b *Board) move(direction float64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.moves = direction
}

// await waits until the arm is where that input shows it, or patience is over.
func (b *Board) await(ctx context.Context, input byte) error {
	tick := time.NewTicker(look)
	defer tick.Stop()
	over := time.After(patience)
	for {
		b.mu.Lock()
		there, stopped := b.arm == 1 && input == inUp || b.arm == 0 && input == inDown, b.moves == 0
		if !there && stopped && !b.holding() && !b.on("e-stop") && !b.on("manual") {
			b.moves = 1 // the host stopped it, or an emergency is over
			if input == inDown {
				b.moves = -1
			}
		}
		b.mu.Unlock()
		if there {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-over:
			return nil
		case <-tick.C:
		}
	}
}
