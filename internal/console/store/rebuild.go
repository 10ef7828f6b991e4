package store

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
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

// Rebuild empties every projection and makes it again from the stored bytes.
// What could not be read before is tried again, so that a newer program can
// take up what an older one had to quarantine. It tells how many events it
// went through.
func (s *Store) Rebuild(ctx context.Context) (int, error) {
	count := 0
	_, err := s.batch(ctx, func(t *batchTx) error {
		t.replay = true
		for _, table := range SharedTables() {
			if table.Name == "events" {
				continue
			}
			if _, err := t.exec("DELETE FROM " + table.Name); err != nil {
				return err
			}
		}
		if _, err := t.exec("DELETE FROM search_texts"); err != nil {
			return err
		}
		if _, err := t.exec(`UPDATE events SET quarantined = 0, problem = '' WHERE quarantined = 2`); err != nil {
			return err
		}
		if _, err := t.exec(`UPDATE events SET linked = 0`); err != nil {
			return err
		}
		var err error
		if count, err = t.replayAll(); err != nil {
			return err
		}
		if err := t.indexTouched(); err != nil {
			return err
		}
		for chain, gate := range t.chains {
			if err := t.advance(chain, gate); err != nil {
				return err
			}
		}
		_, err = t.exec(`DELETE FROM wants WHERE sha256 NOT IN (SELECT sha256 FROM evidence WHERE state = 'wanted')`)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("rebuild the projections: %w", err)
	}
	return count, nil
}

// replayPage is how many events a rebuild holds in memory at a time.
const replayPage = 500

func (t *batchTx) replayAll() (int, error) {
	count, chain, sequence := 0, "", uint64(0)
	for {
		page, err := t.events(`WHERE (chain, sequence) > (?, ?) ORDER BY chain, sequence LIMIT ?`, chain, sequence, replayPage)
		if err != nil || len(page) == 0 {
			return count, err
		}
		for i := range page {
			e := &page[i]
			t.chains[e.Chain] = e.Gate
			if e.Problem == "" && e.Payload != nil {
				if err := t.projectOrQuarantine(e, true); err != nil {
					return count, err
				}
			}
		}
		count += len(page)
		chain, sequence = page[len(page)-1].Chain, page[len(page)-1].Sequence
	}
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
