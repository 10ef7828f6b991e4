package store

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// SharedTables names the tables whose rows follow from the stored events
// alone, with the columns of their key. Two stores that hold the same events
// and evidence are equal in them.
func SharedTables() []Table {
	return []Table{
		{"events", "chain, sequence"}, {"heads", "chain"}, {"passages", "id"}, {"passage_versions", "id, version"},
		{"alerts", "id"}, {"alert_references", "alert, refers"}, {"verdicts", "id"}, {"receipts", "id"},
		{"acks", "id"}, {"corrections", "id"}, {"passage_corrections", "correction, passage"},
		{"devices", "gate, lane, device"}, {"gaps", "id"}, {"frames", "log_id, n"}, {"evidence", "sha256"},
		{"search", "key"}, {"search_marks", "mark, key"}, {"passage_evidence", "sha256, passage"},
		{"device_changes", "gate, lane, device, since, state, code"}, {"frame_days", "gate, lane, device, day"},
		{"controls", "id"}, {"control_now", "gate, lane, device"},
		{"removals", "sha256, chain, sequence"}, {"holds", "id"}, {"key_changes", "chain, sequence"},
	}
}

// Table is a shared table and the order in which its rows are compared.
type Table struct{ Name, Key string }

// Digests is the SHA-256 over all rows of each shared table, in key order.
func (s *Store) Digests(ctx context.Context) (map[string]string, error) {
	sums := map[string]string{}
	for _, table := range SharedTables() {
		h := sha256.New()
		if err := s.dump(ctx, h, table); err != nil {
			return nil, fmt.Errorf("digest of %s: %w", table.Name, err)
		}
		sums[table.Name] = hex.EncodeToString(h.Sum(nil))
	}
	return sums, nil
}

func (s *Store) dump(ctx context.Context, w io.Writer, table Table) error {
	rows, err := s.read.QueryContext(ctx, "SELECT * FROM "+table.Name+" ORDER BY "+table.Key)
	if err != nil {
		return err
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		return err
	}
	cells := make([]any, len(columns))
	into := make([]any, len(columns))
	for i := range cells {
		into[i] = &cells[i]
	}
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return err
		}
		for i, c := range cells {
			if _, err := fmt.Fprintf(w, "%s=%T:%x\n", columns[i], c, c); err != nil {
				return err
			}
		}
	}
	return rows.Err()
}

const (
	// replayPage is how many events a rebuild holds in memory at a time.
	replayPage = 500
	// replayStep is how many events, at the least, go into one transaction of a
	// rebuild: a store of years must not need its own size again for the journal
	// of one.
	replayStep = 20 * replayPage
	// rebuildCache and usualCache are SQLite's cache of pages in KiB: with the
	// usual one, which is SQLite's default, a rebuild of a large store reads and
	// writes the pages of its indexes again for nearly every event.
	rebuildCache = 256 << 10
	usualCache   = 2000
	// rebuildKey is where the place lies that a rebuild has come to.
	rebuildKey = "rebuild"
)

// rebuildPlace is how far a rebuild has come.
type rebuildPlace struct {
	Chain    string `json:"chain"`
	Sequence uint64 `json:"sequence"`
	Count    int    `json:"count"` // events gone through
}

// Rebuild empties every projection and makes it again from the stored bytes.
// What could not be read before is tried again, so that a newer program can
// take up what an older one had to quarantine. It goes in steps, each on disk
// when it ends, and goes on from the last one when it was cut off. It tells how
// many events it went through.
func (s *Store) Rebuild(ctx context.Context) (int, error) {
	if err := s.cache(ctx, rebuildCache); err != nil {
		return 0, err
	}
	defer func() { _ = s.cache(context.WithoutCancel(ctx), usualCache) }() // a larger one does no harm
	at, _, err := s.rebuilding(ctx)
	all := 0
	if err == nil {
		err = s.read.QueryRowContext(ctx, `SELECT count(*) FROM events`).Scan(&all)
	}
	if err == nil && at.Count == 0 {
		err = s.step(ctx, (*batchTx).clearProjections)
	}
	s.opt.Progress(at.Count, all)
	for ended := false; err == nil && !ended; {
		err = s.step(ctx, func(t *batchTx) error {
			var err error
			ended, err = t.replaySome(&at)
			return err
		})
		if err == nil && !ended {
			s.opt.Progress(at.Count, all)
			s.opt.Log.Info("making the pages' tables anew from the stored events", "events", at.Count, "of", all)
		}
	}
	if err == nil {
		err = s.step(ctx, (*batchTx).endRebuild)
	}
	if err != nil {
		return 0, fmt.Errorf("rebuild the projections: %w", err)
	}
	return at.Count, nil
}

// cache sets how much of the file the writing connection keeps in memory.
func (s *Store) cache(ctx context.Context, kib int) error {
	if _, err := s.write.ExecContext(ctx, fmt.Sprintf("PRAGMA cache_size = -%d", kib)); err != nil {
		return fmt.Errorf("set the cache of %s: %w", File, err)
	}
	return nil
}

// rebuilding tells whether a rebuild was cut off or a migration wants one, and
// where it goes on.
func (s *Store) rebuilding(ctx context.Context) (at rebuildPlace, underWay bool, err error) {
	err = s.write.QueryRowContext(ctx, `SELECT value FROM meta WHERE key = ?`, rebuildKey).Scan(asJSON(&at))
	if errors.Is(err, sql.ErrNoRows) {
		return at, false, nil
	}
	return at, err == nil, err
}

// step is one transaction of a rebuild, which says nothing to anybody.
func (s *Store) step(ctx context.Context, do func(*batchTx) error) error {
	_, err := s.batch(ctx, func(t *batchTx) error {
		t.replay = true
		return do(t)
	})
	return err
}

func (t *batchTx) clearProjections() error {
	for _, table := range SharedTables() {
		if table.Name == "events" {
			continue
		}
		if _, err := t.exec("DELETE FROM " + table.Name); err != nil {
			return err
		}
	}
	for _, q := range []string{
		`DELETE FROM search_texts`,
		`UPDATE events SET quarantined = 0, problem = '' WHERE quarantined = 2`,
		`UPDATE events SET linked = 0 WHERE linked <> 0`,
	} {
		if _, err := t.exec(q); err != nil {
			return err
		}
	}
	return t.remember(rebuildPlace{})
}

// remember writes down how far the rebuild has come.
func (t *batchTx) remember(at rebuildPlace) error {
	text, err := json.Marshal(at)
	if err != nil {
		return err
	}
	_, err = t.exec(`INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value`, rebuildKey, string(text))
	return err
}

// replaySome projects the next events in the order of their chains and moves
// at. ended says that there were no more.
func (t *batchTx) replaySome(at *rebuildPlace) (ended bool, err error) {
	limit := min(replayPage, t.replayStep)
	for done := 0; done < t.replayStep && !ended; {
		page, err := t.events(`WHERE (chain, sequence) > (?, ?) ORDER BY chain, sequence LIMIT ?`, at.Chain, at.Sequence, limit)
		if err != nil {
			return false, err
		}
		for i := range page {
			if e := &page[i]; e.Problem == "" && e.Payload != nil {
				if err := t.projectOrQuarantine(e, true); err != nil {
					return false, err
				}
			}
		}
		if ended = len(page) < limit; len(page) > 0 {
			last := page[len(page)-1]
			*at = rebuildPlace{last.Chain, last.Sequence, at.Count + len(page)}
		}
		done += len(page)
	}
	if err := t.indexTouched(); err != nil {
		return false, err
	}
	return ended, t.remember(*at)
}

// reread tries again what could not be read when it came: a newer program may
// know the type. Nothing else has to be made anew for that, so that a console
// with years of passages is back at once after an update.
func (s *Store) reread(ctx context.Context) error {
	var at rebuildPlace
	limit := min(replayPage, s.replayStep)
	for ended := false; !ended; {
		err := s.step(ctx, func(t *batchTx) error {
			// The first comparison is the partial index's own, without which SQLite reads every event.
			page, err := t.events(`WHERE quarantined <> 0 AND quarantined = 2 AND (chain, sequence) > (?, ?) ORDER BY chain, sequence LIMIT ?`, at.Chain, at.Sequence, limit)
			if err != nil {
				return err
			}
			for i := range page {
				if err := t.readAgain(&page[i]); err != nil {
					return err
				}
			}
			if ended = len(page) < limit; len(page) > 0 {
				last := page[len(page)-1]
				at = rebuildPlace{Chain: last.Chain, Sequence: last.Sequence}
			}
			return t.indexTouched()
		})
		if err != nil {
			return fmt.Errorf("read again what could not be read before: %w", err)
		}
	}
	return nil
}

func (t *batchTx) readAgain(e *Event) error {
	if _, err := t.exec(`UPDATE events SET quarantined = 0, problem = '' WHERE chain = ? AND sequence = ?`, e.Chain, e.Sequence); err != nil {
		return err
	}
	return t.projectOrQuarantine(e, true)
}

// endRebuild walks the chains and forgets that there was a rebuild.
func (t *batchTx) endRebuild() error {
	rows, err := t.query(`SELECT DISTINCT chain, gate FROM events`)
	if err != nil {
		return err
	}
	type row struct{ chain, gate string }
	chains, err := collect(rows, func(r *row) []any { return []any{&r.chain, &r.gate} })
	if err != nil {
		return err
	}
	for _, c := range chains {
		if err := t.advance(c.chain, c.gate); err != nil {
			return err
		}
	}
	for _, q := range []string{
		`DELETE FROM wants WHERE sha256 NOT IN (SELECT sha256 FROM evidence WHERE state = 'wanted')`,
		`DELETE FROM meta WHERE key = '` + rebuildKey + `'`,
	} {
		if _, err := t.exec(q); err != nil {
			return err
		}
	}
	return nil
}

func (t *batchTx) events(where string, args ...any) ([]Event, error) {
	rows, err := t.tx.QueryContext(t.ctx, selectEvents+where, args...)
	if err != nil {
		return nil, err
	}
	return scanEvents(rows)
}

const selectEvents = `SELECT chain, sequence, gate, type, event_id, at, previous, header, signature, origin, payload, problem FROM events `

func scanEvents(rows *sql.Rows) ([]Event, error) {
	defer rows.Close()
	var list []Event
	for rows.Next() {
		var e Event
		var at string
		if err := rows.Scan(&e.Chain, &e.Sequence, &e.Gate, &e.Type, &e.ID, &at, &e.Previous,
			&e.Header, &e.Signature, &e.Origin, &e.Payload, &e.Problem); err != nil {
			return nil, err
		}
		e.At = unstamp(at)
		list = append(list, e)
	}
	return list, rows.Err()
}

// Events calls do with every stored event of a gate in chain order, page by
// page, quarantined ones included.
func (s *Store) Events(ctx context.Context, gate string, do func(Event) error) error {
	chain, sequence := "", uint64(0)
	for {
		rows, err := s.read.QueryContext(ctx, selectEvents+`WHERE gate = ? AND (chain, sequence) > (?, ?) ORDER BY chain, sequence LIMIT ?`,
			gate, chain, sequence, replayPage)
		if err != nil {
			return fmt.Errorf("read events of %s: %w", gate, err)
		}
		page, err := scanEvents(rows)
		if err != nil {
			return fmt.Errorf("read events of %s: %w", gate, err)
		}
		for _, e := range page {
			if err := do(e); err != nil {
				return err
			}
		}
		if len(page) < replayPage {
			return nil
		}
		chain, sequence = page[len(page)-1].Chain, page[len(page)-1].Sequence
	}
}
