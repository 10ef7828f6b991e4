package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"gatehouse/internal/event"
)

// Query is what passages are searched by. An empty field asks for nothing.
type Query struct {
	// Plate, Container, Document and Declaration are parts of a text, or with
	// wildcards (* and ?) whole ones. Separators and case do not count.
	Plate, Container, Document, Declaration string
	// Alike finds plates too that cameras and people mistake for the one given.
	Alike bool
	// Words are looked for in goods and reasons, without accents; all of them
	// must be there.
	Words          string
	From, To       time.Time // of the passage's opening; To is not part of it
	Gate, Lane     string
	Direction      event.Direction
	Kind           event.PassageKind
	State          event.PassageState
	Finding        string // code
	Verdict        event.VerdictCode
	By             event.Agency // whose verdict; empty for either's
	Disagree       bool         // the agencies have decided differently
	Undecided      bool         // nobody has decided
	Blind, Invalid string       // gate/lane/device that did not look, or whose frames were not understood
	Before         int64        // key of the last passage of the page before; 0 for the newest
	Limit          int
}

// Hit is a passage that was found.
type Hit struct {
	Key        int64 // its place in time; Query.Before of the next page
	ID         event.ID
	OpenedAt   time.Time
	Gate, Lane string
	Kind       event.PassageKind
	Direction  event.Direction
	State      event.PassageState
	Card
	// Similar says that it was found by look-alikes only.
	Similar bool
}

// Found is one page of hits, newest first.
type Found struct {
	Hits []Hit
	// Next is the key to go on from; 0 when there is nothing more.
	Next int64
	// Cut says that the search stopped before the page was full, after it had
	// looked at maxLooked passages; Next goes on from there.
	Cut bool
}

// maxLooked bounds how many passages one page looks at, so that no question
// takes long, however odd.
const maxLooked = 20_000

// Search finds passages, newest first.
func (s *Store) Search(ctx context.Context, q Query) (Found, error) {
	plan, err := s.plan(ctx, q)
	if err != nil {
		return Found{}, fmt.Errorf("search: %w", err)
	}
	if plan == nil {
		return Found{}, nil
	}
	rows, err := s.read.QueryContext(ctx, plan.sql(), plan.args...)
	if err != nil {
		return Found{}, fmt.Errorf("search: %w", err)
	}
	defer rows.Close()
	var found Found
	for looked := 1; rows.Next(); looked++ {
		var h Hit
		var t texts
		into := []any{&h.Key, &h.ID, asTime(&h.OpenedAt), &h.Gate, &h.Lane, &h.Kind, &h.Direction, &h.State, asJSON(&h.Card)}
		if plan.verify {
			into = append(into, &t.plates, &t.alike, &t.containers, &t.documents, &t.declarations, &t.words)
		}
		if err := rows.Scan(into...); err != nil {
			return Found{}, fmt.Errorf("search: %w", err)
		}
		if !plan.verify || plan.fits(&t, &h) {
			if len(found.Hits) == q.Limit {
				found.Next = found.Hits[q.Limit-1].Key
				return found, nil
			}
			found.Hits = append(found.Hits, h)
		}
		if looked == maxLooked {
			found.Next, found.Cut = h.Key, true
			return found, nil
		}
	}
	if err := rows.Err(); err != nil {
		return Found{}, fmt.Errorf("search: %w", err)
	}
	return found, nil
}

// texts are the folded texts of a candidate.
type texts struct{ plates, alike, containers, documents, declarations, words string }

// plan is how a query is answered.
type plan struct {
	from   string // tables, the driving one first
	key    string // its column
	where  []string
	args   []any
	verify bool // the texts are compared with what was asked for

	plate, similar, container, document, declaration pattern
	words                                            []string
}

func (p *plan) and(clause string, args ...any) {
	p.where, p.args = append(p.where, clause), append(p.args, args...)
}

func (p *plan) sql() string {
	columns := `s.key, s.passage, s.opened_at, s.gate, s.lane, s.kind, s.direction, s.state, s.card`
	if p.verify {
		columns += `, f.plates, f.alike, f.containers, f.documents, f.declarations, f.words`
	}
	return "SELECT " + columns + " FROM " + p.from + " WHERE " + strings.Join(p.where, " AND ") + " ORDER BY " + p.key + " DESC"
}

// fits compares a candidate's texts with what was asked for.
func (p *plan) fits(t *texts, h *Hit) bool {
	if !p.plate.empty() && !p.plate.in(t.plates) {
		if p.similar.empty() || !p.similar.in(t.alike) {
			return false
		}
		h.Similar = true
	}
	for _, w := range p.words {
		if !strings.Contains(t.words, w) {
			return false
		}
	}
	return (p.container.empty() || p.container.in(t.containers)) && (p.document.empty() || p.document.in(t.documents)) &&
		(p.declaration.empty() || p.declaration.in(t.declarations))
}

// plan decides which table leads: the one that names the fewest passages. It
// is nil where nothing can be found.
func (s *Store) plan(ctx context.Context, q Query) (*plan, error) {
	p := &plan{
		plate: newPattern(q.Plate), container: newPattern(q.Container), document: newPattern(q.Document),
		declaration: newPattern(q.Declaration), words: wordsOf(q.Words),
	}
	if q.Alike {
		p.similar = pattern{alike(p.plate.text), p.plate.wild}
	}
	match := p.match()
	p.verify = !p.plate.empty() || !p.container.empty() || !p.document.empty() || !p.declaration.empty() || len(p.words) > 0
	mark, marks, err := s.rarest(ctx, q)
	if err != nil {
		return nil, err
	}
	switch {
	case mark != "" && (match == "" || marks < fewMarks):
		p.from, p.key = "search_marks m CROSS JOIN search s ON s.key = m.key", "m.key"
		p.and("m.mark = ?", mark)
		if p.verify {
			p.from += " CROSS JOIN search_texts f ON f.rowid = m.key"
		}
	case match != "":
		p.from, p.key = "search_texts f CROSS JOIN search s ON s.key = f.rowid", "f.rowid"
		p.and("search_texts MATCH ?", match)
	default:
		p.from, p.key = "search s", "s.key"
		if p.verify {
			p.from += " CROSS JOIN search_texts f ON f.rowid = s.key"
		}
	}
	p.filter(q, mark)
	return p, nil
}

// filter adds what the other columns say.
func (p *plan) filter(q Query, leading string) {
	low, high := int64(0), int64(math.MaxInt64)
	if !q.From.IsZero() {
		low = firstKey(q.From)
	}
	if !q.To.IsZero() {
		high = firstKey(q.To)
	}
	if q.Before != 0 {
		high = min(high, q.Before)
	}
	p.and(p.key+" >= ? AND "+p.key+" < ?", low, high)
	for column, value := range map[string]string{
		"gate": q.Gate, "lane": q.Lane, "direction": string(q.Direction), "kind": string(q.Kind), "state": string(q.State),
	} {
		if value != "" {
			p.and("s."+column+" = ?", value)
		}
	}
	if q.Undecided {
		p.and("s.decided = 0")
	}
	for _, m := range marksOf(q) {
		if m != leading {
			p.and("EXISTS (SELECT 1 FROM search_marks x WHERE x.mark = ? AND x.key = s.key)", m)
		}
	}
}

// match is the question to the index of parts; "" when what was asked for is
// too short for it.
func (p *plan) match() string {
	var all []string
	want := func(column, literal string) {
		all = append(all, column+` : "`+literal+`"`)
	}
	long := func(column string, x pattern) {
		for _, l := range x.literals() {
			if len([]rune(l)) >= 3 {
				want(column, l)
			}
		}
	}
	if p.similar.empty() {
		long("plates", p.plate)
		for _, l := range p.plate.literals() {
			if len([]rune(l)) == 2 {
				want("grams", l+"|")
			}
		}
	} else {
		long("alike", p.similar)
	}
	long("containers", p.container)
	long("documents", p.document)
	long("declarations", p.declaration)
	for _, w := range p.words {
		want("words", w)
	}
	return strings.Join(all, " AND ")
}

// wordsOf are the parts that the words column must contain. A word of one or
// two letters must stand alone, or it would be in everything.
func wordsOf(text string) []string {
	var list []string
	for w := range strings.FieldsSeq(plain(text)) {
		if len([]rune(w)) < 3 {
			w = " " + w + " "
		}
		list = append(list, w)
	}
	return list
}

func marksOf(q Query) []string {
	var list []string
	add := func(yes bool, mark string) {
		if yes {
			list = append(list, mark)
		}
	}
	add(q.Finding != "", "finding:"+q.Finding)
	add(q.Verdict != "" && q.By == "", "verdict:"+string(q.Verdict))
	add(q.Verdict != "" && q.By != "", "verdict:"+string(q.By)+":"+string(q.Verdict))
	add(q.Disagree, "disagree")
	add(q.Blind != "", "blind:"+q.Blind)
	add(q.Invalid != "", "invalid:"+q.Invalid)
	return list
}

// fewMarks is how many passages a mark may name so that it is better to go
// through them than through the index of parts.
const fewMarks = 2_000

// rarest is the mark of a query that names the fewest passages, and how many
// those are, at most fewMarks.
func (s *Store) rarest(ctx context.Context, q Query) (string, int, error) {
	mark, least := "", math.MaxInt
	for _, m := range marksOf(q) {
		n, err := s.countMark(ctx, m, fewMarks)
		if err != nil {
			return "", 0, err
		}
		if n < least {
			mark, least = m, n
		}
	}
	return mark, least, nil
}

func (s *Store) countMark(ctx context.Context, mark string, limit int) (int, error) {
	var n int
	err := s.read.QueryRowContext(ctx, `SELECT count(*) FROM (SELECT 1 FROM search_marks WHERE mark = ? LIMIT ?)`, mark, limit).Scan(&n)
	return n, err
}

// PassageOf is a passage that names a piece of evidence, for the audit of who
// looked at it; ErrNotFound when none does.
func (s *Store) PassageOf(ctx context.Context, digest string) (event.ID, error) {
	var id event.ID
	err := s.read.QueryRowContext(ctx, `SELECT passage FROM passage_evidence WHERE sha256 = ? ORDER BY passage LIMIT 1`, digest).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		return "", fmt.Errorf("passage of evidence %s: %w", digest, ErrNotFound)
	}
	if err != nil {
		return "", fmt.Errorf("passage of evidence %s: %w", digest, err)
	}
	return id, nil
}

// Lane is a lane that passages went through.
type Lane struct{ Gate, Lane string }

// Lanes lists the lanes that have passages or devices.
func (s *Store) Lanes(ctx context.Context) ([]Lane, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT DISTINCT gate, lane FROM devices`)
	if err != nil {
		return nil, fmt.Errorf("list lanes: %w", err)
	}
	list, err := collect(rows, func(l *Lane) []any { return []any{&l.Gate, &l.Lane} })
	if err != nil {
		return nil, fmt.Errorf("list lanes: %w", err)
	}
	// Each step goes to the next lane of the index, whatever the number of passages.
	var at Lane
	for {
		err := s.read.QueryRowContext(ctx, `SELECT * FROM (SELECT gate, lane FROM search WHERE gate = ?1 AND lane > ?2 ORDER BY lane LIMIT 1)
			UNION ALL SELECT * FROM (SELECT gate, lane FROM search WHERE gate > ?1 ORDER BY gate, lane LIMIT 1) LIMIT 1`, at.Gate, at.Lane).
			Scan(&at.Gate, &at.Lane)
		if errors.Is(err, sql.ErrNoRows) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("list lanes: %w", err)
		}
		if !slices.Contains(list, at) {
			list = append(list, at)
		}
	}
	slices.SortFunc(list, func(a, b Lane) int { return cmp.Or(cmp.Compare(a.Gate, b.Gate), cmp.Compare(a.Lane, b.Lane)) })
	return list, nil
}
