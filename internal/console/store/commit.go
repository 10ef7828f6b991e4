package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"gatehouse/internal/event"
	"gatehouse/internal/fault"
)

// Event is one message of the SHARED chain as it came, with what its header
// says.
type Event struct {
	Chain    string
	Sequence uint64
	Gate     string
	Type     event.Type
	ID       event.ID
	At       time.Time // the gate's time of appending
	Previous string    // hash of the previous header, as the header says

	Header    []byte
	Signature []byte
	Origin    []byte // nil for a gate's own events
	Payload   []byte // CloudEvents bytes; nil when withheld from this agency

	Late bool // the gate marked it as handed over late
	// Waited is how long it lay at the hub, by the hub's own clock.
	Waited time.Duration
	// Problem is set when the message is not to be believed (signature or
	// digest wrong): it is stored, quarantined, and nothing is projected.
	Problem string
}

// Stray is a message that does not even name its place on a chain.
type Stray struct {
	Subject string
	Header  map[string][]string
	Data    []byte
	Problem string
}

// Batch is what one fetch from the agency's inbox brought.
type Batch struct {
	Events []Event
	Strays []Stray
	// Patient says that the batch gives way: when something urgent is to be
	// stored, the rest of its events is left to another transaction.
	Patient bool
}

// urgent says that people wait for something in the batch.
func (b Batch) urgent() bool {
	return slices.ContainsFunc(b.Events, func(e Event) bool { return e.Type.Delivery() == event.DeliverAlert })
}

// Change is what a page may have to show anew.
type Change struct {
	Topic string // "passage", "alert", "verdict", "ack", "correction", "lane", "heard", "receipt", "device", "gap", "evidence", "chain"
	Key   string // passage id for the first five, gate/lane for the next two, otherwise chain, device, gap or digest
	Late  bool   // of an alert: arrived from a backlog, raises no alarm
}

// Result says what a commit changed.
type Result struct {
	Stored  int // events that were new
	Left    int // events at the end of a patient batch that are not stored yet
	Changes []Change
	// Due is when a cumulative receipt that is owed is to be written by
	// SendReceipts; zero when none is owed.
	Due time.Time
	// Queued says that the outbox has something new.
	Queued bool
}

// batchTx is one commit under way.
type batchTx struct {
	*Store
	ctx    context.Context
	tx     *sql.Tx
	now    time.Time
	stmts  map[string]*sql.Stmt
	replay bool // rebuilding from own events: says nothing to anybody
	result Result
	chains map[string]string // chain -> gate, of new events
	owed   map[string]int    // chains that got something other than receipts, and its urgency
	// touched are passages whose place in the search must be made anew.
	touched map[event.ID]bool
}

// Commit stores a batch in one transaction: the bytes, their projections, the
// heads of the chains, the receipts and the requests for evidence that follow.
// Once it returns without error everything but Result.Left is on disk and the
// messages may be acknowledged. Events that are stored already change nothing.
func (s *Store) Commit(ctx context.Context, b Batch) (Result, error) {
	result, err := s.batchOf(ctx, b.urgent(), func(t *batchTx) error {
		if err := t.run(b); err != nil {
			return err
		}
		s.opt.Faults.Hit(fault.ConsoleBeforeCommit)
		return nil
	})
	if err != nil {
		return Result{}, fmt.Errorf("store a batch of %d events: %w", len(b.Events), err)
	}
	s.opt.Faults.Hit(fault.ConsoleAfterCommit)
	return result, nil
}

// batch runs do in one writing transaction.
func (s *Store) batch(ctx context.Context, do func(*batchTx) error) (Result, error) {
	return s.batchOf(ctx, false, do)
}

// batchOf is batch for something that may be urgent.
func (s *Store) batchOf(ctx context.Context, urgent bool, do func(*batchTx) error) (Result, error) {
	if err := s.turns.take(ctx, urgent); err != nil {
		return Result{}, fmt.Errorf("wait to write: %w", err)
	}
	defer s.turns.give()
	t := &batchTx{
		Store: s, ctx: ctx, now: s.opt.Now(), stmts: map[string]*sql.Stmt{},
		chains: map[string]string{}, owed: map[string]int{}, touched: map[event.ID]bool{},
	}
	err := inTx(ctx, s.write, func(tx *sql.Tx) error {
		t.tx = tx
		return do(t)
	})
	if err != nil {
		return Result{}, err
	}
	return t.result, nil
}

func (t *batchTx) run(b Batch) error {
	for i := range b.Events {
		if i > 0 && b.Patient && t.turns.wanted() {
			t.result.Left = len(b.Events) - i
			break
		}
		if err := t.take(&b.Events[i]); err != nil {
			return fmt.Errorf("event %s:%d: %w", b.Events[i].Chain, b.Events[i].Sequence, err)
		}
	}
	for i := range b.Strays {
		if err := t.takeStray(&b.Strays[i]); err != nil {
			return err
		}
	}
	if err := t.indexTouched(); err != nil {
		return err
	}
	for chain, gate := range t.chains {
		if err := t.advance(chain, gate); err != nil {
			return fmt.Errorf("advance chain %s: %w", chain, err)
		}
	}
	return t.oweReceipts()
}

func (t *batchTx) exec(query string, args ...any) (int64, error) {
	stmt, err := t.prepared(query)
	if err != nil {
		return 0, err
	}
	r, err := stmt.ExecContext(t.ctx, args...)
	if err != nil {
		return 0, err
	}
	return r.RowsAffected()
}

// prepared prepares a statement once for the transaction, which closes its
// statements when it ends.
func (t *batchTx) prepared(query string) (*sql.Stmt, error) {
	if stmt, ok := t.stmts[query]; ok {
		return stmt, nil
	}
	stmt, err := t.tx.PrepareContext(t.ctx, query)
	if err != nil {
		return nil, err
	}
	t.stmts[query] = stmt
	return stmt, nil
}

// take stores one event's bytes and projects it.
func (t *batchTx) take(e *Event) error {
	if e.Sequence == 0 || e.Sequence > math.MaxInt64 {
		return t.setAside(e, fmt.Sprintf("sequence %d is out of range", e.Sequence))
	}
	fresh, err := t.insert(e)
	if err != nil {
		return err
	}
	if !fresh {
		return t.checkDouble(e)
	}
	t.result.Stored++
	t.chains[e.Chain] = e.Gate
	if e.Type != event.TypeReceipt || e.Problem != "" {
		t.owed[e.Chain] = max(t.owed[e.Chain], urgency(e.Type))
	}
	// Neither the gate's time nor this machine's has a part in it: an alarm must not
	// be silent because one of their clocks is wrong.
	late := e.Late || e.Waited > t.opt.LateAfter
	_, err = t.exec(`INSERT INTO arrivals (chain, sequence, received_at, late) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING`,
		e.Chain, e.Sequence, stamp(t.now), late)
	if err != nil || e.Problem != "" || e.Payload == nil {
		return err
	}
	return t.projectOrQuarantine(e, late)
}

// insert stores the bytes and tells whether they are new. A quarantined event
// gives way to a sound one with the same place on the chain, since whoever
// forged it must not be able to keep the real one out.
func (t *batchTx) insert(e *Event) (bool, error) {
	n, err := t.exec(`INSERT INTO events
		(chain, sequence, gate, type, event_id, at, header, signature, origin, payload, previous, head, quarantined, problem)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (chain, sequence) DO UPDATE SET
			gate = excluded.gate, type = excluded.type, event_id = excluded.event_id, at = excluded.at,
			header = excluded.header, signature = excluded.signature, origin = excluded.origin,
			payload = excluded.payload, previous = excluded.previous, head = excluded.head,
			quarantined = 0, problem = '', linked = 0
		WHERE events.quarantined = 1 AND excluded.quarantined = 0`,
		e.Chain, e.Sequence, e.Gate, string(e.Type), string(e.ID), stamp(e.At), e.Header, bytesOf(e.Signature), nilIfEmpty(e.Origin),
		nilIfEmpty(e.Payload), e.Previous, event.Digest(e.Header), distrust(e), e.Problem)
	if err != nil || n == 0 {
		return false, err
	}
	return true, t.rewind(e)
}

// Values of events.quarantined.
const (
	sound      = 0
	distrusted = 1 // the gate's or the agency's signature or a digest is wrong
	unread     = 2 // genuine, but this console cannot read it
)

func distrust(e *Event) int {
	if e.Problem != "" {
		return distrusted
	}
	return sound
}

// checkDouble looks at an event whose place is taken. The same bytes again are
// a re-delivery; other bytes are set aside for the technician.
func (t *batchTx) checkDouble(e *Event) error {
	var head string
	err := t.tx.QueryRowContext(t.ctx, `SELECT head FROM events WHERE chain = ? AND sequence = ?`, e.Chain, e.Sequence).Scan(&head)
	if err != nil || head == event.Digest(e.Header) {
		return err
	}
	return t.setAside(e, "its place on the chain is taken by another event")
}

// setAside keeps an event that cannot have a place on its chain.
func (t *batchTx) setAside(e *Event, why string) error {
	return t.takeStray(&Stray{
		Subject: fmt.Sprintf("%s:%d", e.Chain, e.Sequence),
		Header:  map[string][]string{"header": {string(e.Header)}, "problem": {e.Problem}},
		Data:    e.Payload,
		Problem: why,
	})
}

// rewind makes advance walk the chain again from e, if it had gone past.
func (t *batchTx) rewind(e *Event) error {
	_, err := t.exec(`UPDATE heads SET sequence = ?1 - 1,
			head = coalesce((SELECT head FROM events WHERE chain = ?2 AND sequence = ?1 - 1), '')
		WHERE chain = ?2 AND sequence >= ?1`, e.Sequence, e.Chain)
	return err
}

// projectOrQuarantine fills the tables that pages read. A payload that cannot
// be read quarantines the event; only the store's own failure is an error.
func (t *batchTx) projectOrQuarantine(e *Event, late bool) error {
	p, err := parse(e)
	if bad, ok := errors.AsType[*unreadableError](err); ok {
		t.owed[e.Chain] = max(t.owed[e.Chain], owedSoon)
		_, err := t.exec(`UPDATE events SET quarantined = ?, problem = ? WHERE chain = ? AND sequence = ?`,
			unread, bad.Error(), e.Chain, e.Sequence)
		return err
	}
	if err != nil {
		return err
	}
	return p.project(t, e, late)
}

func (t *batchTx) takeStray(s *Stray) error {
	header, err := json.Marshal(s.Header)
	if err != nil {
		return fmt.Errorf("encode stray message's header: %w", err)
	}
	digest := event.Digest(append([]byte(s.Subject+"\x00"+string(header)+"\x00"), s.Data...))
	n, err := t.exec(`INSERT INTO strays (digest, subject, header, data, problem, received_at) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
		digest, s.Subject, string(header), bytesOf(s.Data), s.Problem, stamp(t.now))
	if err != nil {
		return fmt.Errorf("store stray message: %w", err)
	}
	if n > 0 {
		t.changed("chain", digest)
	}
	return nil
}

func (t *batchTx) changed(topic, key string) {
	t.result.Changes = append(t.result.Changes, Change{Topic: topic, Key: key})
}

// advance moves the chain's head over everything that is stored without a
// hole, and notes whether each header follows the one before it.
func (t *batchTx) advance(chain, gate string) error {
	_, err := t.exec(`INSERT INTO heads (chain, gate, sequence, head, highest) VALUES (?, ?, 0, '', 0) ON CONFLICT DO NOTHING`, chain, gate)
	if err != nil {
		return err
	}
	var sequence uint64
	var head string
	if err := t.tx.QueryRowContext(t.ctx, `SELECT sequence, head FROM heads WHERE chain = ?`, chain).Scan(&sequence, &head); err != nil {
		return err
	}
	links, sequence, head, err := t.walk(chain, sequence, head)
	if err != nil {
		return err
	}
	for _, l := range links {
		if _, err := t.exec(`UPDATE events SET linked = ? WHERE chain = ? AND sequence = ?`, l.linked, chain, l.sequence); err != nil {
			return err
		}
	}
	_, err = t.exec(`UPDATE heads SET sequence = ?1, head = ?2,
		highest = max(?1, (SELECT coalesce(max(sequence), 0) FROM events WHERE chain = ?3 AND quarantined <> 1))
		WHERE chain = ?3`, sequence, head, chain)
	t.changed("chain", chain)
	return err
}

// link is whether the header at a sequence follows its predecessor: 1 or 2.
type link struct {
	sequence uint64
	linked   int
}

// walk follows the stored headers from after sequence to the first hole.
func (t *batchTx) walk(chain string, sequence uint64, head string) ([]link, uint64, string, error) {
	rows, err := t.tx.QueryContext(t.ctx, `SELECT sequence, previous, head FROM events WHERE chain = ? AND sequence > ? ORDER BY sequence`, chain, sequence)
	if err != nil {
		return nil, 0, "", err
	}
	defer rows.Close()
	var links []link
	for rows.Next() {
		var next uint64
		var previous, own string
		if err := rows.Scan(&next, &previous, &own); err != nil {
			return nil, 0, "", err
		}
		if next != sequence+1 {
			break
		}
		l := link{sequence: next, linked: 1}
		if previous != head {
			l.linked = 2
		}
		links, sequence, head = append(links, l), next, own
	}
	return links, sequence, head, rows.Err()
}

func bytesOf(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}

// nilIfEmpty makes an absent value NULL.
func nilIfEmpty(b []byte) any {
	if len(b) == 0 {
		return nil
	}
	return b
}
