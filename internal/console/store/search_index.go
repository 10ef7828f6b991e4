package store

import (
	"database/sql"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"gatehouse/internal/event"
)

// Card is what a list of found passages shows of each.
type Card struct {
	Plate       string                             `json:"plate,omitempty"` // as people write it
	Rear        string                             `json:"rear,omitempty"`
	Containers  []string                           `json:"containers,omitempty"`
	Declaration string                             `json:"declaration,omitempty"`
	Goods       string                             `json:"goods,omitempty"`
	Documents   int                                `json:"documents,omitempty"` // how many were read
	Findings    []Mark                             `json:"findings,omitempty"`  // worst first, each code once
	Blind       bool                               `json:"blind,omitempty"`     // a required sensor did not look
	Irregular   []string                           `json:"irregular,omitempty"`
	Verdicts    map[event.Agency]event.VerdictCode `json:"verdicts,omitempty"` // the latest of each agency
}

// Mark is a finding's code with its severity.
type Mark struct {
	Code     string         `json:"code"`
	Severity event.Severity `json:"severity"`
}

// Disagree tells whether the agencies have decided differently.
func (c Card) Disagree() bool {
	a, b := c.Verdicts[event.Customs], c.Verdicts[event.BorderGuard]
	return a != "" && b != "" && a != b
}

const (
	keyBits = 21        // of a key that come from the passage's id
	maxMS   = 1<<42 - 1 // last millisecond that a key can hold, in the year 2109
)

// firstKey is the lowest key of a moment.
func firstKey(t time.Time) int64 { return min(max(t.UnixMilli(), 0), maxMS) << keyBits }

// searchKey is where a passage is among the keys.
func searchKey(p *event.Passage) int64 {
	sum := event.Digest([]byte(p.ID))
	return firstKey(p.OpenedAt) | int64(binary.BigEndian.Uint32([]byte(sum[:4])))&(1<<keyBits-1)
}

// indexTouched makes the search rows of all touched passages anew.
func (t *batchTx) indexTouched() error {
	for _, id := range slices.Sorted(maps.Keys(t.touched)) {
		if err := t.index(id); err != nil {
			return fmt.Errorf("search row of passage %s: %w", id, err)
		}
	}
	clear(t.touched)
	return nil
}

// index makes a passage's search row from what is stored of it, whatever the
// order in which it came. What was said about a passage that has not come yet
// is taken up with the passage.
func (t *batchTx) index(id event.ID) error {
	var p event.Passage
	err := t.queryRow(`SELECT json FROM passages WHERE id = ?`, string(id)).Scan(asJSON(&p))
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := t.unindex(id); err != nil {
		return err
	}
	x := newIndexed(&p)
	if err := t.said(x); err != nil {
		return err
	}
	return t.putIndexed(x)
}

func (t *batchTx) unindex(id event.ID) error {
	var key int64
	err := t.queryRow(`SELECT key FROM search WHERE passage = ?`, string(id)).Scan(&key)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	for _, q := range []string{
		`DELETE FROM search WHERE key = ?`, `DELETE FROM search_marks WHERE key = ?`, `DELETE FROM search_texts WHERE rowid = ?`,
	} {
		if err == nil {
			_, err = t.exec(q, key)
		}
	}
	return err
}

// said adds what the agencies said about the passage.
func (t *batchTx) said(x *indexed) error {
	verdicts, err := t.query(`SELECT agency, code, reason FROM verdicts WHERE passage = ? ORDER BY chain, sequence`, string(x.p.ID))
	if err != nil {
		return err
	}
	type verdict struct {
		agency event.Agency
		code   event.VerdictCode
		reason string
	}
	list, err := collect(verdicts, func(v *verdict) []any { return []any{&v.agency, &v.code, &v.reason} })
	if err != nil {
		return err
	}
	for _, v := range list {
		x.card.Verdicts[v.agency] = v.code
		x.words = append(x.words, v.reason)
	}
	for a, c := range x.card.Verdicts {
		x.mark("verdict:" + string(c))
		x.mark("verdict:" + string(a) + ":" + string(c))
	}
	if x.card.Disagree() {
		x.mark("disagree")
	}
	reasons, err := t.query(`SELECT reason FROM corrections WHERE passage = ? ORDER BY chain, sequence`, string(x.p.ID))
	if err != nil {
		return err
	}
	more, err := collect(reasons, func(s *string) []any { return []any{s} })
	x.words = append(x.words, more...)
	return err
}

func (t *batchTx) putIndexed(x *indexed) error {
	card, err := json.Marshal(x.card)
	if err != nil {
		return err
	}
	p, key := x.p, searchKey(x.p)
	for {
		n, err := t.exec(`INSERT INTO search (key, passage, opened_at, gate, lane, kind, direction, state, decided, plates, card)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (key) DO NOTHING`,
			key, string(p.ID), stamp(p.OpenedAt), p.Gate, p.Lane, string(p.Kind), string(p.Direction), string(p.State),
			len(x.card.Verdicts), tokens(x.plates), string(card))
		if err != nil {
			return err
		}
		if n == 1 {
			break
		}
		key++ // two passages of one millisecond whose ids begin alike
	}
	for mark := range x.marks {
		if _, err := t.exec(`INSERT INTO search_marks (mark, key) VALUES (?, ?)`, mark, key); err != nil {
			return err
		}
	}
	var similar []string
	for _, text := range append(slices.Clone(x.plates), x.alternates...) {
		if a := alike(text); !slices.Contains(similar, a) {
			similar = append(similar, a)
		}
	}
	_, err = t.exec(`INSERT INTO search_texts (rowid, plates, grams, alike, containers, documents, declarations, words) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
		key, tokens(x.plates), grams(x.plates), tokens(similar), tokens(x.containers), tokens(x.documents), tokens(x.declarations),
		" "+plain(strings.Join(x.words, " "))+" ")
	return err
}

// query runs a prepared query of this commit.
func (t *batchTx) query(query string, args ...any) (*sql.Rows, error) {
	stmt, err := t.prepared(query)
	if err != nil {
		return nil, err
	}
	return stmt.QueryContext(t.ctx, args...)
}

// queryRow runs a prepared query for one row of this commit.
func (t *batchTx) queryRow(query string, args ...any) rowScanner {
	stmt, err := t.prepared(query)
	if err != nil {
		return failedRow{err}
	}
	return stmt.QueryRowContext(t.ctx, args...)
}

type rowScanner interface{ Scan(...any) error }

type failedRow struct{ err error }

func (f failedRow) Scan(...any) error { return f.err }

// indexed gathers what a passage can be found by.
type indexed struct {
	p                                                              *event.Passage
	card                                                           Card
	marks                                                          map[string]bool
	plates, alternates, containers, documents, declarations, words []string
}

func newIndexed(p *event.Passage) *indexed {
	x := &indexed{p: p, marks: map[string]bool{}, card: Card{Irregular: p.Irregular, Verdicts: map[event.Agency]event.VerdictCode{}}}
	x.ofPlates()
	x.ofNumbers()
	x.ofFindings()
	return x
}

func (x *indexed) mark(mark string) { x.marks[mark] = true }

// add appends a code that is not there yet.
func add(list *[]string, text string) {
	if c := code(text); c != "" && !slices.Contains(*list, c) {
		*list = append(*list, c)
	}
}

func (x *indexed) ofPlates() {
	p := x.p
	add(&x.plates, p.Stated.Plate)
	add(&x.plates, p.Stated.RearPlate)
	for _, r := range p.Plates {
		add(&x.plates, r.Text)
		for _, a := range r.Alternates {
			add(&x.alternates, a.Text)
		}
		if r.View == "rear" && r.Text != "" {
			x.card.Rear = shownPlate(r)
		}
	}
	x.card.Plate = shownPlate(BestPlate(p))
	if p.Stated.Plate != "" {
		x.card.Plate = p.Stated.Plate
	}
	if p.Stated.RearPlate != "" {
		x.card.Rear = p.Stated.RearPlate
	}
	if x.card.Rear == x.card.Plate {
		x.card.Rear = ""
	}
}

func shownPlate(r event.PlateReading) string {
	if r.Text == "" || r.Display == "" {
		return r.Text
	}
	return r.Display
}

func (x *indexed) ofNumbers() {
	p := x.p
	add(&x.containers, p.Stated.Container)
	for _, c := range p.Containers {
		add(&x.containers, c.Text)
	}
	x.card.Containers = x.containers
	add(&x.documents, p.Stated.Document)
	for _, d := range p.Documents {
		add(&x.documents, d.Document.Number)
		add(&x.documents, d.Document.Optional)
		for _, name := range d.Document.Names {
			for word := range strings.FieldsSeq(name) {
				add(&x.documents, word)
			}
		}
	}
	x.card.Documents = len(p.Documents)
	add(&x.declarations, p.Stated.Declaration)
	for _, b := range p.Barcodes {
		add(&x.declarations, b.Barcode.Text)
	}
	if e := p.Expected; e != nil && e.Found {
		add(&x.declarations, e.Declaration)
		x.words = append(x.words, e.Goods)
		x.card.Declaration, x.card.Goods = e.Declaration, e.Goods
	}
	if p.Stated.Declaration != "" {
		x.card.Declaration = p.Stated.Declaration
	}
}

func (x *indexed) ofFindings() {
	p := x.p
	for _, f := range p.Findings {
		x.mark("finding:" + f.Code)
		m := Mark{f.Code, f.Severity}
		at := slices.IndexFunc(x.card.Findings, func(o Mark) bool { return o.Code == f.Code })
		if at < 0 {
			x.card.Findings = append(x.card.Findings, m)
		} else if severityRank(f.Severity) < severityRank(x.card.Findings[at].Severity) {
			x.card.Findings[at] = m
		}
	}
	slices.SortStableFunc(x.card.Findings, func(a, b Mark) int { return severityRank(a.Severity) - severityRank(b.Severity) })
	for _, i := range p.Irregular {
		x.mark("irregular:" + i)
	}
	for _, c := range p.Coverage {
		if !c.Looked && (p.State == event.Closed || c.Reason != event.Text{}) {
			x.card.Blind = true
			x.mark("blind:" + deviceKey(p.Gate, p.Lane, c.Device))
		}
	}
	for _, r := range p.Readings {
		if r.Kind == event.FrameInvalid {
			x.mark("invalid:" + deviceKey(p.Gate, p.Lane, r.Device))
		}
	}
}

func deviceKey(gate, lane, device string) string { return gate + "/" + lane + "/" + device }

// severityRank orders severities, worst first.
func severityRank(s event.Severity) int {
	if i := slices.Index([]event.Severity{event.Extreme, event.Severe, event.Moderate, event.Minor}, s); i >= 0 {
		return i
	}
	return 4
}
