package gate

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"gatehouse/internal/config"
	"gatehouse/internal/evidence"
	"gatehouse/internal/journal"
	"gatehouse/internal/share"
)

// roomPause is how often a gate without room looks for some, and the least time
// between two lives.
const roomPause = 250 * time.Millisecond

// errStore says that a store inside the daemon met a write error. It takes nothing
// more until it is opened anew.
var errStore = errors.New("a write to the disk has failed")

// startsAnew says that the gate can go on after it was taken apart and put
// together again.
func startsAnew(err error) bool {
	for _, e := range []error{errStore, journal.ErrBroken, share.ErrChainBroken} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// watchStores ends the gate's life when one of its stores is broken.
func (g *gate) watchStores(ctx context.Context) error {
	var hub, field <-chan struct{} // nil where there is none: nothing comes
	if g.hub != nil {
		hub = g.hub.Broken()
	}
	if g.field != nil {
		field = g.field.Broken()
	}
	select {
	case <-g.journal.Broken():
		return fmt.Errorf("journal: %w", errStore)
	case <-hub:
		return fmt.Errorf("hub: %w", errStore)
	case <-field:
		return fmt.Errorf("field: %w", errStore)
	case <-ctx.Done():
		return nil
	}
}

// floor is the free space in bytes below which no store is opened: opening one
// writes a little, and the reserve is for that. A gate that has filled the disk
// itself stops at the whole reserve, so that it can be opened and make room.
func floor(g config.Gate) int64 { return int64(g.Journal.Reserve) / 2 }

// hasRoom says whether the stores can be opened. A folder that is not there yet
// is no lack of room.
func hasRoom(g config.Gate) bool {
	free, err := evidence.Free(g.State)
	return err != nil || free >= floor(g)
}

// awaitRoom waits until the stores can be opened. The error is the context's.
func awaitRoom(ctx context.Context, g config.Gate, log *slog.Logger) error {
	if hasRoom(g) {
		return ctx.Err()
	}
	free, _ := evidence.Free(g.State) // it was known just now
	log.Error("the disk is full and the gate waits: nothing is heard until room is made in its folder",
		"folder", g.State, "free", free, "wanted", floor(g))
	for !hasRoom(g) {
		if pause(ctx, roomPause); ctx.Err() != nil {
			return ctx.Err()
		}
	}
	log.Info("there is room on the disk again and the gate starts", "folder", g.State)
	return nil
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}
