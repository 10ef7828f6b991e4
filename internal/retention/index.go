package retention

import (
	"context"
	"database/sql"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"time"

	_ "modernc.org/sqlite" // the SQLite driver, named "sqlite"

	"gatehouse/internal/event"
	"gatehouse/internal/share"
)

//go:embed schema.sql
var schema string

// schemaVersion is the form of the index; one of another form is made anew.
const schemaVersion = 2

// takeAtOnce is how many entries of the record go into one transaction.
const takeAtOnce = 2000

// index is what the shared record says about evidence, in a file of its own.
type index struct {
	db   *sql.DB
	path string
	log  *slog.Logger
}

// openIndex opens the index, and begins a new one where it cannot be read.
func openIndex(ctx context.Context, path string, log *slog.Logger) (*index, error) {
	x := &index{path: path, log: log}
	if x.connect(ctx) == nil {
		return x, nil
	}
	return x, x.renew(ctx)
}

func (x *index) connect(ctx context.Context) error {
	// A power cut may take the last transactions, not the file's soundness; they
	// are taken from the record again.
	db, err := sql.Open("sqlite", "file:"+x.path+"?_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)&_pragma=synchronous(NORMAL)&_txlock=immediate")
	if err != nil {
		return fmt.Errorf("open index of evidence: %w", err)
	}
	db.SetMaxOpenConns(1)
	var version int
	err = db.QueryRowContext(ctx, `PRAGMA user_version`).Scan(&version)
	if err == nil && version == 0 {
		_, err = db.ExecContext(ctx, fmt.Sprintf("BEGIN; %s PRAGMA user_version = %d; COMMIT", schema, schemaVersion))
		version = schemaVersion
	}
	if err == nil && version != schemaVersion {
		err = fmt.Errorf("it has form %d", version)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("open index of evidence %s: %w", x.path, err), db.Close())
	}
	x.db = db
	return nil
}

// renew begins again with nothing.
func (x *index) renew(ctx context.Context) error {
	if x.db != nil {
		_ = x.db.Close()
		x.db = nil
	}
	x.log.Info("index of evidence is made anew from the shared record")
	for _, end := range []string{"", "-wal", "-shm"} {
		if err := os.Remove(x.path + end); err != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("make index of evidence anew: %w", err)
		}
	}
	return x.connect(ctx)
}

func (x *index) close() error {
	if x.db == nil {
		return nil
	}
	return x.db.Close()
}

// Record is the shared record that an index follows.
type Record interface {
	Position() uint64
	At(ctx context.Context, position uint64) (share.Entry, bool, error)
}

// follow takes what the record has more, and returns the position up to which the
// index is right.
func (x *index) follow(ctx context.Context, r Record) (uint64, error) {
	at, err := x.place(ctx)
	if err != nil {
		return 0, err
	}
	known, ok, err := r.At(ctx, at.position)
	if err != nil {
		return 0, fmt.Errorf("follow shared record: %w", err)
	}
	if at.position > r.Position() || ok && known.Hash() != at.head {
		if err := x.renew(ctx); err != nil { // it is of another record
			return 0, err
		}
		at = place{}
	}
	for last := r.Position(); at.position < last; last = r.Position() {
		if at, err = x.take(ctx, r, at, min(last, at.position+takeAtOnce)); err != nil {
			return 0, err
		}
	}
	return at.position, nil
}

// place is how far an index has come.
type place struct {
	position uint64
	head     string
	since    time.Time
}

func (x *index) place(ctx context.Context) (p place, err error) {
	var since int64
	err = x.db.QueryRowContext(ctx, `SELECT position, head, since FROM place`).Scan(&p.position, &p.head, &since)
	if errors.Is(err, sql.ErrNoRows) {
		return place{}, nil
	}
	p.since = time.UnixMilli(since)
	if err != nil {
		err = fmt.Errorf("read index of evidence: %w", err)
	}
	return p, err
}

// take takes the entries up to a position in one transaction. Retired ones are
// not there.
func (x *index) take(ctx context.Context, r Record, at place, upTo uint64) (place, error) {
	tx, err := x.db.BeginTx(ctx, nil)
	if err != nil {
		return at, fmt.Errorf("follow shared record: %w", err)
	}
	defer func() { _ = tx.Rollback() }() // committed when all went well
	t := &taker{ctx: ctx, tx: tx}
	for ; at.position < upTo; at.position++ {
		e, ok, err := r.At(ctx, at.position+1)
		if err != nil {
			return at, fmt.Errorf("follow shared record: %w", err)
		}
		if !ok {
			continue
		}
		if err := t.entry(e); err != nil {
			return at, fmt.Errorf("index event %s: %w", e.Header.Event, err)
		}
		at.head = e.Hash()
		if at.since.IsZero() {
			at.since = e.Header.At
		}
	}
	t.exec(`INSERT INTO place VALUES (1, ?, ?, ?) ON CONFLICT DO UPDATE SET position = excluded.position, head = excluded.head, since = excluded.since`,
		at.position, at.head, at.since.UnixMilli())
	if t.err != nil {
		return at, fmt.Errorf("write index of evidence: %w", t.err)
	}
	return at, tx.Commit()
}

// taker puts entries into the tables. Its first error stays.
type taker struct {
	ctx context.Context
	tx  *sql.Tx
	err error
}

func (t *taker) exec(query string, args ...any) {
	if t.err == nil {
		_, t.err = t.tx.ExecContext(t.ctx, query, args...)
	}
}

// entry takes one. What cannot be read says nothing about evidence.
func (t *taker) entry(e share.Entry) error {
	switch e.Header.Type {
	case event.TypePassage:
		read(e, func(p event.Passage) { t.passage(p, e.Position) })
	case event.TypeAlert:
		read(e, func(a event.Alert) { t.alert(a) })
	case event.TypeVerdict:
		read(e, func(v event.Verdict) {
			t.exec(`INSERT INTO verdicts VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
				string(v.ID), string(v.Passage), string(v.Agency), string(v.Alert), string(v.Code), v.At.UnixMilli(), e.Position)
		})
	case event.TypeHold:
		read(e, func(h event.LegalHold) {
			t.exec(`INSERT INTO holds VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET held = excluded.held`, string(h.Passage), string(h.Agency), h.Set)
		})
	case event.TypeReceipt:
		read(e, func(r event.Receipt) {
			for _, sha := range r.Evidence {
				t.exec(`INSERT INTO fetched VALUES (?, ?) ON CONFLICT DO NOTHING`, sha, string(r.Agency))
			}
		})
	case event.TypeRemoval:
		read(e, func(r event.Removal) {
			for _, p := range r.Pieces {
				t.exec(`INSERT INTO removed VALUES (?, ?) ON CONFLICT DO UPDATE SET stored = excluded.stored`, p.SHA256, p.Stored.UnixNano())
			}
		})
	}
	return t.err
}

func read[T any](e share.Entry, take func(T)) {
	env, err := e.Envelope()
	if err != nil {
		return
	}
	var v T
	if json.Unmarshal(env.Data, &v) == nil {
		take(v)
	}
}

// ranks of severities and kinds, the least first. Zero stands for none.
func severities() []event.Severity {
	return []event.Severity{event.SeverityUnknown, event.Minor, event.Moderate, event.Severe, event.Extreme}
}

func rank[T comparable](of []T, what T) int { return slices.Index(of, what) + 1 }

// Values of passages.busy.
const (
	analysing = 1
	underWay  = 2
)

func (t *taker) passage(p event.Passage, position uint64) {
	worst := 0
	for _, f := range p.Findings {
		worst = max(worst, rank(severities(), f.Severity), 1)
	}
	busy := 0
	switch {
	case p.State == event.Open || p.State == event.Waiting:
		busy = underWay
	case len(p.Pending) > 0:
		busy = analysing
	}
	t.exec(`INSERT INTO passages VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT DO UPDATE SET
			version = excluded.version, busy = excluded.busy, worst = excluded.worst, opened = excluded.opened, merged = excluded.merged, position = excluded.position
		WHERE excluded.version >= version`,
		string(p.ID), p.Version, busy, worst, p.OpenedAt.UnixMilli(), string(p.MergedInto), position)
	for _, e := range kinds(p) {
		t.piece(string(p.ID), e.Evidence, e.kind)
	}
}

// piece notes that a passage names a piece. What it once named stays its own.
func (t *taker) piece(passage string, e event.Evidence, kind event.EvidenceKind) {
	t.exec(`INSERT INTO pieces VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET kind = excluded.kind`,
		e.SHA256, passage, e.Bytes, rank(event.EvidenceKinds(), kind))
}

func (t *taker) alert(a event.Alert) {
	t.exec(`INSERT INTO alerts VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET over = max(over, excluded.over)`,
		string(a.ID), string(a.Passage), a.Sent.UnixMilli(), a.MsgType == "Cancel")
	for _, ref := range a.References {
		t.exec(`INSERT INTO alerts VALUES (?, ?, 0, 1) ON CONFLICT DO UPDATE SET over = 1`, string(ref), string(a.Passage))
	}
	for _, e := range a.Evidence {
		t.exec(`INSERT INTO pieces VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING`,
			e.SHA256, string(a.Passage), e.Bytes, rank(event.EvidenceKinds(), event.EvidenceScan))
	}
}

// named is a piece that a passage names.
type named struct {
	event.Evidence
	kind event.EvidenceKind
}

// kinds tells what each piece is to its passage.
func kinds(p event.Passage) []named {
	read := map[string]bool{}
	for _, pl := range p.Plates {
		read[pl.Photo] = true
	}
	for _, c := range p.Containers {
		read[c.Photo] = true
	}
	for _, f := range p.Findings {
		if f.Region != nil {
			read[f.Region.Evidence] = true
		}
	}
	spoken := map[string]bool{} // devices with a picture that something was read on
	for _, ph := range p.Photos {
		spoken[ph.Device] = spoken[ph.Device] || read[ph.Image.SHA256]
	}
	var all []named
	for _, ph := range p.Photos {
		kind := event.EvidencePhoto
		if !read[ph.Image.SHA256] && spoken[ph.Device] {
			kind = event.EvidenceBurst
		}
		spoken[ph.Device] = true // of those without any, the first stands for all
		all = append(all, named{ph.Image, kind})
	}
	for _, sc := range p.Scans {
		all = append(all, named{sc.Image, event.EvidenceScan})
		for _, beside := range []*event.Evidence{sc.Low, sc.Sidecar} {
			if beside != nil {
				all = append(all, named{*beside, event.EvidenceRaw})
			}
		}
	}
	return all
}
