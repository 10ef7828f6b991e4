package gate

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"gatehouse/internal/event"
	"gatehouse/internal/journal"
	"gatehouse/internal/passage"
	"gatehouse/internal/share"
)

// entryRule is the version of the rule that derives a correction's entry.
const entryRule = "1"

// corrections brings what officers correct into the lanes' journal.
//
// A correction is chained, then journalled, then acknowledged to the hub. A
// crash in between makes it come again: chaining it twice is one link, and the
// fold applies it once.
type corrections struct {
	chain   finder
	journal interface {
		Append(ctx context.Context, s journal.Stream, entries ...event.JournalEntry) error
	}
	lanes []string // their ids
	log   *slog.Logger
}

// finder reads the shared record.
type finder interface {
	Find(ctx context.Context, id event.ID) (share.Entry, bool, error)
}

// take journals a correction. What no lane could apply is logged; it stays on
// the chain, where everybody sees that no passage names it.
func (c *corrections) take(ctx context.Context, said event.Correction) error {
	if !slices.Contains(c.lanes, said.Lane) {
		c.log.Warn("correction not applied", "correction", said.ID, "lane", said.Lane, "why", "there is no such lane")
		return nil
	}
	entry := event.JournalEntry{
		ID:   event.DeriveID(said.ID.Time(), "correct", entryRule, said.ID),
		Lane: said.Lane, At: time.Now().UTC(), Kind: event.EntryCorrect, Correct: &said,
	}
	for _, id := range []event.ID{said.Passage, said.Other} {
		if id == "" {
			continue
		}
		record, ok, err := c.newest(ctx, id, said.Saw.Version)
		if err != nil {
			return fmt.Errorf("look for passage %s in the shared record: %w", id, err)
		}
		if ok {
			entry.Recalled = append(entry.Recalled, record)
		}
	}
	if err := c.journal.Append(ctx, journal.Main, entry); err != nil {
		return fmt.Errorf("journal correction %s: %w", said.ID, err)
	}
	return nil
}

// versionsAhead is how many versions in a row may be missing, because they were
// retired, for a later one still to be looked for.
const versionsAhead = 32

// newest is the newest version of a passage that is on the chain; false when
// there is none. The search begins with the version that the officer saw.
func (c *corrections) newest(ctx context.Context, id event.ID, seen int) (record event.Passage, found bool, err error) {
	for n, missing := max(seen, 1), 0; missing < versionsAhead; n++ {
		e, ok, err := c.chain.Find(ctx, passage.VersionID(id, n))
		if err != nil {
			return event.Passage{}, false, err
		}
		if !ok {
			if found {
				break
			}
			missing++
			continue
		}
		envelope, err := e.Envelope()
		if err != nil {
			return event.Passage{}, false, err
		}
		var v event.Passage
		if err := json.Unmarshal(envelope.Data, &v); err != nil {
			return event.Passage{}, false, err
		}
		record, found = v, true
	}
	return record, found, nil
}
