package share

import (
	"bufio"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"

	"gatehouse/internal/event"
	"gatehouse/internal/trust"
)

// VerifyKeys are the keys to check an export with. They must come another way
// than the export.
type VerifyKeys struct {
	// Gate keys: one, or several after a rotation. Without any nothing can be
	// verified.
	Gate []trust.Public
	// Agency keys by agency; what an agency said stays unchecked without its key,
	// and the report says so.
	Agency []trust.Public
	// Expect are heads that the export must reach, as a receipt states them. Only
	// with one can a cut-off end be noticed.
	Expect []Head
	// Part says that the export may begin after the first event of a chain.
	Part bool
}

// ProblemKind is what is wrong with an export.
type ProblemKind string

// Kinds of problem.
const (
	Missing    ProblemKind = "missing"    // an event is not there
	Altered    ProblemKind = "altered"    // header, payload, signature or spelling was changed
	Moved      ProblemKind = "moved"      // an event is in another place
	Duplicated ProblemKind = "duplicated" // an event is there twice
	Forked     ProblemKind = "forked"     // the gate signed two histories
	WrongKey   ProblemKind = "wrong-key"  // signed by a key that was not given
	Truncated  ProblemKind = "truncated"  // the end is missing
)

// Problem is one thing that is wrong, and where.
type Problem struct {
	Kind ProblemKind `json:"kind"`
	// Line is where in the file it shows, from 1. Of a missing event it is the
	// line before which it belongs.
	Line     int      `json:"line"`
	Chain    string   `json:"chain,omitempty"`
	Sequence uint64   `json:"sequence,omitempty"` // of the event that is missing, altered or moved, where it can be told
	Event    event.ID `json:"event,omitempty"`
	Detail   string   `json:"detail"`
}

// String is the problem in a sentence.
func (p Problem) String() string {
	where := fmt.Sprintf("line %d", p.Line)
	if p.Sequence > 0 {
		where += fmt.Sprintf(", event %d of chain %s", p.Sequence, p.Chain)
	}
	return fmt.Sprintf("%s: %s: %s", where, p.Kind, p.Detail)
}

// ChainReport is what an export has of one chain.
type ChainReport struct {
	Chain string `json:"chain"`
	First uint64 `json:"first"`
	Last  uint64 `json:"last"`
	Head  string `json:"head"` // hash of the last header; compare it with a receipt
}

// KeyChangeReport is one change of the gate's key.
type KeyChangeReport struct {
	Chain    string `json:"chain"`
	Sequence uint64 `json:"sequence"`
	Old      string `json:"old"` // key ids
	New      string `json:"new"`
}

// Report is the result of Verify.
type Report struct {
	Whole      bool          `json:"whole"`
	Events     int           `json:"events"`
	HeaderOnly int           `json:"header_only"` // events without payload
	Unchecked  int           `json:"unchecked"`   // agencies' events whose agency key was not given
	Chains     []ChainReport `json:"chains"`
	// KeyChanges are the changes of the gate's key, each signed by both keys.
	KeyChanges []KeyChangeReport `json:"key_changes,omitempty"`
	// First is the first problem of the file, nil when it is whole.
	First    *Problem `json:"first,omitempty"`
	Problems int      `json:"problems"`
}

// maxLine bounds a line of an export, in bytes.
const maxLine = 64 << 20

// Verify reads an export and says whether it is whole, and otherwise what is
// wrong first. The error is about reading the file, or about missing keys;
// what is wrong with the record is in the report.
func Verify(r io.Reader, keys VerifyKeys) (Report, error) {
	if len(keys.Gate) == 0 {
		return Report{}, errors.New("verify: no key of the gate was given")
	}
	v := &verifier{keys: keys, chains: map[string]*chainCheck{}}
	lines := bufio.NewReaderSize(r, 1<<16)
	for n := 1; ; n++ {
		line, err := readLine(lines)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return Report{}, fmt.Errorf("read export at line %d: %w", n, err)
		}
		v.line(n, line)
	}
	v.finish()
	return v.report, nil
}

// readLine reads a line without its end; io.EOF after the last.
func readLine(r *bufio.Reader) ([]byte, error) {
	var line []byte
	for {
		part, err := r.ReadSlice('\n')
		line = append(line, part...)
		switch {
		case len(line) > maxLine:
			return nil, errors.New("a line has more than 64 MiB")
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case err == io.EOF && len(line) > 0:
			return line, nil
		case err != nil:
			return nil, err
		}
		return line[:len(line)-1], nil
	}
}

// seen is a line of the file in short.
type seen struct {
	line     int
	sequence uint64 // 0 for a line that cannot be read
	hash     [32]byte
	previous string
	event    event.ID
}

// chainCheck is what is known of one chain. Lines that cannot be read belong to
// the chain of the line before them.
type chainCheck struct {
	name  string
	lines []seen
	start *Start
	heads []Head // that receipts state
}

type verifier struct {
	keys   VerifyKeys
	report Report
	chains map[string]*chainCheck
	order  []*chainCheck
	orphan []seen // unreadable lines before any chain

	last         *chainCheck // of the last line that could be read
	lastSequence uint64      // of that line
	unread       uint64      // lines since
}

func (v *verifier) problem(p Problem) {
	v.report.Problems++
	if v.report.First == nil || p.Line < v.report.First.Line {
		v.report.First = &p
	}
}

// line checks one line for itself and keeps what the check of the whole needs.
func (v *verifier) line(n int, line []byte) {
	v.report.Events++
	l, err := parseLine(line)
	if err == nil {
		err = v.signature(l)
	}
	p := Problem{Kind: Altered, Line: n, Chain: l.Header.Chain, Sequence: l.Header.Sequence, Event: l.Header.Event}
	switch {
	case err == nil:
		v.keep(n, l)
		return
	case errors.Is(err, ErrDigest) || errors.Is(err, ErrOrigin) || errors.Is(err, ErrKeyChange):
		v.keep(n, l) // the header is the gate's
	default:
		// Nothing in the line can be believed, not even which event it is.
		p.Event = ""
		p.Chain, p.Sequence = v.expected()
		v.unreadable(n)
	}
	if errors.Is(err, ErrKey) || errors.Is(err, ErrKeyChange) {
		p.Kind = WrongKey
	}
	p.Detail = err.Error()
	v.problem(p)
}

// signature checks what the keys can prove of one link.
func (v *verifier) signature(l Link) error {
	if l.Payload == nil {
		v.report.HeaderOnly++
	}
	var gate trust.Public
	for _, k := range v.keys.Gate {
		if k.ID() == l.Header.Key {
			gate = k
		}
	}
	if gate.IsZero() {
		return fmt.Errorf("%w: key %s", ErrKey, l.Header.Key)
	}
	if err := l.Verify(gate); err != nil {
		return err
	}
	for _, k := range v.report.KeyChanges {
		if k.Chain == l.Header.Chain && k.Old == l.Header.Key && k.Sequence < l.Header.Sequence {
			return fmt.Errorf("%w: key %s was given up at event %d", ErrKey, k.Old, k.Sequence)
		}
	}
	if err := v.keyChange(l); err != nil {
		return err
	}
	if l.Payload != nil {
		e, err := l.Envelope()
		if err == nil && (e.ID != l.Header.Event || e.Type != l.Header.Type) {
			return fmt.Errorf("%w: the header names event %s", ErrDigest, l.Header.Event)
		}
	}
	if l.Header.Origin == "" {
		return nil
	}
	return v.origin(l)
}

// keyChange takes the key that a link announces.
func (v *verifier) keyChange(l Link) error {
	if l.Header.Type != event.TypeKeyChange || l.Payload == nil {
		return nil
	}
	next, err := l.KeyChange()
	if err != nil {
		return err
	}
	v.keys.Gate = append(slices.Clip(v.keys.Gate), next)
	v.report.KeyChanges = append(v.report.KeyChanges, KeyChangeReport{Chain: l.Header.Chain, Sequence: l.Header.Sequence, Old: l.Header.Key, New: next.ID()})
	return nil
}

func (v *verifier) origin(l Link) error {
	o, err := ParseOrigin(l.Origin)
	if err != nil {
		return err
	}
	for _, k := range v.keys.Agency {
		if k.ID() == o.Key {
			return l.VerifyOrigin(k)
		}
	}
	v.report.Unchecked++
	return nil
}

func (v *verifier) chain(name string) *chainCheck {
	c, ok := v.chains[name]
	if !ok {
		c = &chainCheck{name: name}
		v.chains[name] = c
		v.order = append(v.order, c)
		c.lines = append(c.lines, v.orphan...)
		v.orphan = nil
	}
	return c
}

func (v *verifier) keep(n int, l Link) {
	c := v.chain(l.Header.Chain)
	v.last, v.lastSequence, v.unread = c, l.Header.Sequence, 0
	s := seen{line: n, sequence: l.Header.Sequence, previous: l.Header.Previous, event: l.Header.Event}
	_, _ = hex.Decode(s.hash[:], []byte(l.Hash()))
	c.lines = append(c.lines, s)
	if l.Header.Sequence == 1 {
		c.start = l.Header.Start
	}
	if l.Header.Type == event.TypeReceipt && l.Payload != nil {
		c.receipt(l)
	}
}

// receipt remembers what an agency says that the head was.
func (c *chainCheck) receipt(l Link) {
	e, err := l.Envelope()
	if err != nil {
		return
	}
	var r event.Receipt
	if json.Unmarshal(e.Data, &r) == nil && r.Chain == c.name && r.Head != "" {
		c.heads = append(c.heads, Head{Agency: r.Agency, Chain: r.Chain, Sequence: r.Sequence, Head: r.Head})
	}
}

// unreadable keeps a line that stands for an event which cannot be told. It
// belongs to the chain of the line before.
func (v *verifier) unreadable(n int) {
	v.unread++
	if v.last == nil {
		v.orphan = append(v.orphan, seen{line: n})
		return
	}
	v.last.lines = append(v.last.lines, seen{line: n})
}

// expected is the event that the next line should hold, as far as can be told
// from the lines before.
func (v *verifier) expected() (string, uint64) {
	if v.last == nil {
		return "", 0
	}
	return v.last.name, v.lastSequence + v.unread + 1
}

// finish checks the chains as a whole.
func (v *verifier) finish() {
	heads := map[string]map[uint64]string{}
	for _, c := range v.order {
		v.sequence(c)
		hashes := map[uint64]string{}
		var r ChainReport
		r.Chain = c.name
		for _, s := range c.lines {
			if s.sequence == 0 {
				continue
			}
			hashes[s.sequence] = hex.EncodeToString(s.hash[:])
			if r.First == 0 || s.sequence < r.First {
				r.First = s.sequence
			}
			r.Last = max(r.Last, s.sequence)
		}
		r.Head = hashes[r.Last]
		heads[c.name] = hashes
		v.report.Chains = append(v.report.Chains, r)
	}
	for _, c := range v.order {
		v.stated(c, heads)
	}
	v.reached(heads)
	v.report.Whole = v.report.Problems == 0 && v.report.Events > 0
	if v.report.Events == 0 {
		v.problem(Problem{Kind: Truncated, Line: 1, Detail: "there is no event in the file"})
	}
}

// stated checks heads that somebody else has seen: those of receipts, and those
// that a new chain says to follow.
func (v *verifier) stated(c *chainCheck, heads map[string]map[uint64]string) {
	last := c.lines[len(c.lines)-1].line
	for _, h := range c.heads {
		if have, ok := heads[h.Chain][h.Sequence]; ok && have != h.Head {
			v.problem(Problem{Kind: Forked, Line: last, Chain: h.Chain, Sequence: h.Sequence,
				Detail: fmt.Sprintf("%s has a receipt for another event here", h.Agency)})
		}
	}
	if c.start == nil {
		return
	}
	for _, h := range c.start.After {
		if have, ok := heads[h.Chain][h.Sequence]; ok && have != h.Head {
			v.problem(Problem{Kind: Forked, Line: c.lines[0].line, Chain: h.Chain, Sequence: h.Sequence,
				Detail: "chain " + c.name + " follows another event here"})
		}
	}
}

// reached checks the heads that were given out of band.
func (v *verifier) reached(heads map[string]map[uint64]string) {
	for _, h := range v.keys.Expect {
		have, ok := heads[h.Chain][h.Sequence]
		switch {
		case !ok:
			v.problem(Problem{Kind: Truncated, Line: v.report.Events + 1, Chain: h.Chain, Sequence: h.Sequence,
				Detail: "the export does not reach the head that was given"})
		case have != h.Head:
			v.problem(Problem{Kind: Forked, Line: v.report.Events, Chain: h.Chain, Sequence: h.Sequence,
				Detail: "the head that was given is another event"})
		}
	}
}
