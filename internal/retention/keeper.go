package retention

import (
	"cmp"
	"container/heap"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"slices"
	"time"

	"gatehouse/internal/config"
	"gatehouse/internal/event"
	"gatehouse/internal/evidence"
	"gatehouse/internal/share"
)

// Chain is the shared record, which a removal is written to.
type Chain interface {
	Record
	AppendAt(ctx context.Context, position uint64, e event.Envelope) (share.Link, error)
}

// Config is what a keeper is made of.
type Config struct {
	Gate  string
	Index string // path of its file
	Store *evidence.Store
	Chain Chain
	// Vision says that pictures are analysed: then those stay that wait for it.
	Vision bool
	// Kept is the position up to which every agency has received the record.
	Kept func() uint64
	// Now is the time by which pieces are old: not later than agencies know it to
	// be, since a clock that is wrong must not make everything old.
	Now func() time.Time
	// Free is the free space of the disk in bytes.
	Free func() (int64, error)
	Log  *slog.Logger
}

// Keeper keeps the gate's evidence by rules. Its methods must not be called at the
// same time.
type Keeper struct {
	config Config
	index  *index
}

// Open opens a keeper. Close it when done.
func Open(ctx context.Context, c Config) (*Keeper, error) {
	x, err := openIndex(ctx, c.Index, c.Log)
	if err != nil {
		return nil, err
	}
	return &Keeper{config: c, index: x}, nil
}

// Close closes the index.
func (k *Keeper) Close() error { return k.index.close() }

// Pile is a number of pieces. Oldest and Newest are when they were stored, or the
// passage that names them began.
type Pile struct {
	Count  int       `json:"count"`
	Bytes  int64     `json:"bytes"`
	Oldest time.Time `json:"oldest,omitzero"`
	Newest time.Time `json:"newest,omitzero"`
}

func (p *Pile) add(bytes int64, at time.Time) {
	p.Count++
	p.Bytes += bytes
	if p.Oldest.IsZero() || at.Before(p.Oldest) {
		p.Oldest = at
	}
	if at.After(p.Newest) {
		p.Newest = at
	}
}

// RuleReport is what one rule comes to.
type RuleReport struct {
	Rule  string `json:"rule"`
	Days  int    `json:"days"`
	Until int    `json:"until,omitempty"`
	// Goes is what goes now, or has gone: for its age, or to make room.
	Goes Pile `json:"goes"`
	// May is what is old enough and goes when room runs short.
	May Pile `json:"may"`
}

// StayReport is what stays for one reason.
type StayReport struct {
	Why string `json:"why"`
	Pile
}

// Report is what the rules come to at one moment.
type Report struct {
	At     time.Time    `json:"at"`
	Free   int64        `json:"free"`
	Low    int64        `json:"low"`
	Enough int64        `json:"enough"`
	Rules  []RuleReport `json:"rules"`
	Stays  []StayReport `json:"stays"`
}

// Gone is how many pieces go or have gone.
func (r Report) Gone() (n int) {
	for _, rule := range r.Rules {
		n += rule.Goes.Count
	}
	return n
}

// piece is one that may go.
type piece struct {
	facts
	rule   int
	stored time.Time // by the disk
	age    time.Time // by which it is old: the later of stored and the passage's begin
}

// shelf holds the oldest pieces, of which none is more than what is wanted. The
// newest is on top.
type shelf struct {
	pieces []piece
	bytes  int64
}

func (s *shelf) Len() int           { return len(s.pieces) }
func (s *shelf) Less(i, j int) bool { return s.pieces[i].age.After(s.pieces[j].age) }
func (s *shelf) Swap(i, j int)      { s.pieces[i], s.pieces[j] = s.pieces[j], s.pieces[i] }
func (s *shelf) Push(x any)         { s.pieces = append(s.pieces, x.(piece)) }
func (s *shelf) Pop() any {
	last := s.pieces[len(s.pieces)-1]
	s.pieces = s.pieces[:len(s.pieces)-1]
	return last
}

// put adds a piece and drops the newest that are not needed to come to want bytes.
func (s *shelf) put(p piece, want int64) {
	heap.Push(s, p)
	s.bytes += p.bytes
	for len(s.pieces) > 0 && (s.bytes-s.pieces[0].bytes >= want || len(s.pieces) > maxSweep) {
		s.bytes -= heap.Pop(s).(piece).bytes
	}
}

// maxSweep bounds how many pieces of a rule one sweep removes, and with it the
// memory that it takes.
const maxSweep = 20000

// plan is what a sweep removes.
type plan struct {
	report Report
	aged   []shelf // by rule
	room   []shelf
}

// Plan tells what a sweep would remove now, and removes nothing.
func (k *Keeper) Plan(ctx context.Context, rules config.Retention) (Report, error) {
	p, err := k.plan(ctx, rules, false)
	return p.report, err
}

// Sweep removes what the rules let go now and returns what that was.
func (k *Keeper) Sweep(ctx context.Context, rules config.Retention) (Report, error) {
	p, err := k.plan(ctx, rules, true)
	if err != nil {
		return p.report, err
	}
	for i := range rules.Rules {
		p.report.Rules[i].Goes = Pile{}
	}
	for i := range rules.Rules {
		if err := k.clear(ctx, rules, event.RemovedForAge, i, p.aged[i].pieces, &p.report); err != nil {
			return p.report, err
		}
	}
	for i := range rules.Rules {
		if err := k.clear(ctx, rules, event.RemovedForRoom, i, p.room[i].pieces, &p.report); err != nil {
			return p.report, err
		}
	}
	return p.report, nil
}

func (k *Keeper) plan(ctx context.Context, rules config.Retention, sweep bool) (*plan, error) {
	p := &plan{report: Report{At: k.config.Now().UTC(), Low: int64(rules.Low), Enough: int64(rules.Enough), Rules: []RuleReport{}, Stays: []StayReport{}}}
	for _, r := range rules.Rules {
		p.report.Rules = append(p.report.Rules, RuleReport{Rule: r.Name, Days: r.Days, Until: r.Until})
	}
	p.aged, p.room = make([]shelf, len(rules.Rules)), make([]shelf, len(rules.Rules))
	var err error
	if p.report.Free, err = k.config.Free(); err != nil {
		return p, fmt.Errorf("ask for free space: %w", err)
	}
	var want int64
	if p.report.Free < int64(rules.Low) {
		want = int64(rules.Enough) - p.report.Free
	}
	if _, err := k.index.follow(ctx, k.config.Chain); err != nil {
		return p, err
	}
	folders, err := k.config.Store.Folders()
	if err != nil {
		return p, err
	}
	s := survey{Keeper: k, plan: p, sweep: sweep, rules: rules, want: want, kept: k.config.Kept(), stays: map[string]*Pile{}}
	if s.since, s.told, err = k.span(ctx, s.kept); err != nil {
		return p, err
	}
	for _, folder := range folders {
		if err := s.folder(ctx, folder); err != nil {
			return p, err
		}
	}
	s.choose()
	return p, nil
}

// span is the time from which on the index knows every record, and that up to which
// every agency has received them.
func (k *Keeper) span(ctx context.Context, kept uint64) (since, told time.Time, err error) {
	at, err := k.index.place(ctx)
	if err != nil {
		return since, told, err
	}
	e, ok, err := k.config.Chain.At(ctx, kept)
	if err != nil || !ok {
		return at.since, time.Time{}, err
	}
	return at.since, e.Header.At, nil
}

// clear removes pieces of one rule.
func (k *Keeper) clear(ctx context.Context, rules config.Retention, cause event.RemovalCause, rule int, pieces []piece, report *Report) error {
	slices.SortFunc(pieces, func(a, b piece) int { return cmp.Or(a.age.Compare(b.age), cmp.Compare(a.sha256, b.sha256)) })
	for some := range slices.Chunk(pieces, maxPieces) {
		gone, err := k.remove(ctx, rules.Rules[rule], cause, some)
		for _, p := range gone {
			report.Rules[rule].Goes.add(p.bytes, p.age)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// maxPieces is how many pieces one removal on the record names.
const maxPieces = 200

// maxTries bounds how often a removal is decided again because the record went on.
const maxTries = 100

// remove says that the pieces go, if nothing was said meanwhile that keeps them,
// and then removes them.
func (k *Keeper) remove(ctx context.Context, r config.RetentionRule, cause event.RemovalCause, pieces []piece) ([]piece, error) {
	for range maxTries {
		position, err := k.index.follow(ctx, k.config.Chain)
		if err != nil {
			return nil, err
		}
		if pieces, err = k.still(ctx, r, pieces); err != nil || len(pieces) == 0 {
			return nil, err
		}
		at := time.Now().UTC()
		said := event.Removal{ID: event.NewID(at), Gate: k.config.Gate, Rule: r.Name, Cause: cause, Days: r.Days, At: at}
		for _, p := range pieces {
			said.Pieces = append(said.Pieces, event.RemovedPiece{SHA256: p.sha256, Bytes: p.bytes, Kind: p.kind, Passage: p.passage, Stored: p.stored})
		}
		e, err := event.Wrap("/gate/"+k.config.Gate, event.TypeRemoval, said.ID, k.config.Gate+"/"+r.Name, at, said)
		if err != nil {
			return nil, err
		}
		_, err = k.config.Chain.AppendAt(ctx, position, e)
		if errors.Is(err, share.ErrMovedOn) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("say what is removed: %w", err)
		}
		k.config.Log.Info("evidence removed", "rule", r.Name, "cause", cause, "count", len(pieces), "event_id", said.ID)
		return k.unlink(pieces)
	}
	return nil, errors.New("remove evidence: the shared record goes on too fast; trying again later")
}

// unlink removes files whose removal is on the record.
func (k *Keeper) unlink(pieces []piece) (gone []piece, err error) {
	for _, p := range pieces {
		was, e := k.config.Store.Remove(p.sha256, p.stored)
		if was {
			gone = append(gone, p)
		}
		err = errors.Join(err, e)
	}
	return gone, err
}

// still leaves out what must stay by what is known now.
func (k *Keeper) still(ctx context.Context, r config.RetentionRule, pieces []piece) ([]piece, error) {
	kept := k.config.Kept()
	var out []piece
	for _, p := range pieces {
		all, err := k.index.between(ctx, p.sha256, p.sha256)
		if err != nil {
			return nil, err
		}
		f, named := all[p.sha256]
		switch {
		case !named && !p.named: // as before
		case !named || f.protected(kept, k.config.Vision) != "" || !f.fits(r):
			continue
		}
		stored, _, err := k.config.Store.Stored(p.sha256)
		if errors.Is(err, fs.ErrNotExist) || err == nil && !stored.Equal(p.stored) {
			continue
		}
		if err != nil {
			return nil, err
		}
		out = append(out, p)
	}
	return out, nil
}

// protected is why a named piece stays whatever the rules say; empty if it may go.
func (f *facts) protected(kept uint64, vision bool) string {
	switch {
	case f.held:
		return StaysHeld
	case f.busy == underWay || f.busy == analysing && vision:
		return StaysBusy
	case f.alert:
		return StaysAlert
	case f.position > kept:
		return StaysUnreceived
	case f.kind != event.EvidenceRaw && f.fetched < len(event.Agencies()):
		return StaysUnfetched
	}
	return ""
}
