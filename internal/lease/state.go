package lease

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"gatehouse/internal/event"
	"gatehouse/internal/journal"
)

// snapshotName and snapshotEvery are as those of the lanes' folds.
const (
	snapshotName  = "control"
	snapshotEvery = 400
)

// ledger is what the journal says of commands and leases: a fold, so that a
// restart knows what the run before it had begun.
type ledger struct {
	// Open are commands that were journalled and not answered.
	Open map[event.ID]event.Command `json:"open"`
	// Held are the newest changes that left a device with a holder, by device.
	Held map[string]event.ControlChange `json:"held"`
}

func key(w event.Where) string { return w.Lane + "/" + w.Device }

func (l *ledger) apply(e event.JournalEntry) {
	switch {
	case e.Kind == event.EntryCommand && e.Command != nil:
		l.Open[e.Command.ID] = *e.Command
	case e.Kind == event.EntryControl && e.Control != nil:
		delete(l.Open, e.Control.Command)
		if e.Control.Holder == "" {
			delete(l.Held, key(e.Control.Where))
		} else {
			l.Held[key(e.Control.Where)] = *e.Control
		}
	}
}

// open lists the unanswered commands, oldest first.
func (l *ledger) open() []event.Command {
	return slices.SortedFunc(maps.Values(l.Open), func(a, b event.Command) int {
		return a.At.Compare(b.At)
	})
}

func (k *Keeper) restore(ctx context.Context) error {
	k.ledger = ledger{Open: map[event.ID]event.Command{}, Held: map[string]event.ControlChange{}}
	snap, ok, err := k.config.Journal.LoadSnapshot(ctx, snapshotName)
	if err != nil || !ok {
		return err
	}
	if err := json.Unmarshal(snap.State, &k.ledger); err != nil {
		return fmt.Errorf("control leases: %w", err)
	}
	k.position = snap.Sequence
	return nil
}

// Position is the sequence of the last journal record that the keeper knows.
func (k *Keeper) Position() uint64 {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.position
}

// Apply folds a record of the main journal. Records come in order; those that
// are known are passed over.
func (k *Keeper) Apply(ctx context.Context, rec journal.Record) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if rec.Sequence <= k.position {
		return
	}
	for _, e := range rec.Entries {
		k.ledger.apply(e)
	}
	k.position = rec.Sequence
	if k.unsaved++; k.unsaved >= snapshotEvery {
		k.save(ctx)
	}
}

// Save writes the snapshot, at an orderly end.
func (k *Keeper) Save(ctx context.Context) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.save(ctx)
}

// save writes the snapshot. A full disk only makes the next replay longer.
func (k *Keeper) save(ctx context.Context) {
	state, err := json.Marshal(k.ledger)
	if err == nil {
		err = k.config.Journal.SaveSnapshot(ctx, snapshotName, journal.Snapshot{Sequence: k.position, State: state})
	}
	if err != nil {
		k.config.Log.Warn("snapshot of control leases not saved, a restart will replay more", "err", err)
		return
	}
	k.unsaved = 0
}
