package share

import (
	"encoding/hex"
	"fmt"
)

// sequence checks the order of one chain: line by line, each event must be the
// one after the line before. What is not is missing, moved or doubled,
// depending on where else in the file it is.
func (v *verifier) sequence(c *chainCheck) {
	at := map[uint64]int{} // sequence to line of its first appearance
	for _, s := range c.lines {
		if _, ok := at[s.sequence]; !ok {
			at[s.sequence] = s.line
		}
	}
	o := order{verifier: v, chain: c, at: at, done: map[uint64]seen{}, want: 1}
	if v.keys.Part {
		o.want = lowest(c.lines)
	}
	for _, s := range c.lines {
		o.line(s)
	}
}

func lowest(lines []seen) uint64 {
	low := uint64(0)
	for _, s := range lines {
		if s.sequence > 0 && (low == 0 || s.sequence < low) {
			low = s.sequence
		}
	}
	return max(low, 1)
}

// order walks through the lines of a chain.
type order struct {
	*verifier
	chain  *chainCheck
	at     map[uint64]int
	done   map[uint64]seen
	want   uint64 // the next sequence
	unread int    // lines before this one that cannot be read and stand for events
}

func (o *order) line(s seen) {
	if s.sequence == 0 {
		o.unread++ // reported already; it stands in the place of some event
		return
	}
	if first, double := o.done[s.sequence]; double {
		o.again(s, first)
		return
	}
	if s.sequence < o.want {
		o.report(Moved, s.line, s.sequence, s, "it belongs further up")
	}
	if s.sequence > o.want && s.sequence-o.want > uint64(len(o.chain.lines)) {
		o.absent(s) // a hole wider than the file: one word for all of it
		o.want = s.sequence
	}
	for ; o.want < s.sequence; o.want++ {
		o.absent(s)
	}
	o.unread = 0
	o.done[s.sequence] = s
	o.want = max(o.want, s.sequence+1)
	o.follows(s)
}

// again is for a sequence that was there before.
func (o *order) again(s, first seen) {
	if s.hash == first.hash {
		o.report(Duplicated, s.line, s.sequence, s, fmt.Sprintf("it is on line %d too", first.line))
		return
	}
	o.report(Forked, s.line, s.sequence, s, fmt.Sprintf("line %d has another event with this number, signed as well", first.line))
}

// absent is for the wanted sequence, which is not where it belongs: before s.
func (o *order) absent(s seen) {
	if line, elsewhere := o.at[o.want]; elsewhere {
		o.report(Moved, s.line, o.want, seen{}, fmt.Sprintf("it should be here and is on line %d", line))
		return
	}
	if o.unread > 0 {
		o.unread-- // this is the line that cannot be read
		return
	}
	o.report(Missing, s.line, o.want, seen{}, "it should be before this line and is not in the file")
}

// follows checks the hash of the link before, where that link is there. With
// good signatures it can differ only if the gate signed two histories.
func (o *order) follows(s seen) {
	if s.sequence == 1 {
		if s.previous != "" {
			o.report(Forked, s.line, s.sequence, s, "the first event of a chain names one before it")
		}
		return
	}
	before, ok := o.done[s.sequence-1]
	if ok && hex.EncodeToString(before.hash[:]) != s.previous {
		o.report(Forked, s.line, s.sequence, s, "it follows another event than the one before it")
	}
}

func (o *order) report(kind ProblemKind, line int, sequence uint64, s seen, detail string) {
	o.problem(Problem{Kind: kind, Line: line, Chain: o.chain.name, Sequence: sequence, Event: s.event, Detail: detail})
}
