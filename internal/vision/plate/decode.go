package plate

import (
	"cmp"
	"container/heap"
	"math"
	"slices"
	"strings"
)

// Bounds of the search for texts that the rules allow.
const (
	topPerSlot = 5    // alternatives looked at in a slot
	maxTexts   = 4000 // texts looked at before giving up
	maxForms   = 5    // allowed texts wanted
	minRatio   = 1e-5 // of the best text's probability; what is below is no reading
)

// candidate is a text with the product of its characters' probabilities.
type candidate struct {
	Text string
	P    float64
}

// option is a character that a slot may hold.
type option struct {
	char string
	logp float64
}

// slotOptions are the likeliest characters of each slot, best first.
func slotOptions(slots [][]float32, alphabet []string) [][]option {
	out := make([][]option, len(slots))
	for i, probs := range slots {
		all := make([]option, 0, len(probs))
		for c, p := range probs {
			if c < len(alphabet) && p > 1e-6 {
				all = append(all, option{alphabet[c], math.Log(float64(p))})
			}
		}
		slices.SortFunc(all, func(a, b option) int { return cmp.Compare(b.logp, a.logp) })
		if len(all) == 0 {
			all = append(all, option{"", 0})
		}
		out[i] = all[:min(topPerSlot, len(all))]
	}
	return out
}

// state is a choice of one option per slot. Successors only move the slots from
// last on, so that each choice is reached exactly once.
type state struct {
	choice []uint8
	last   int
	logp   float64
}

type frontier []state

func (f frontier) Len() int           { return len(f) }
func (f frontier) Less(i, j int) bool { return f[i].logp > f[j].logp }
func (f frontier) Swap(i, j int)      { f[i], f[j] = f[j], f[i] }
func (f *frontier) Push(x any)        { *f = append(*f, x.(state)) }
func (f *frontier) Pop() any {
	old := *f
	s := old[len(old)-1]
	*f = old[:len(old)-1]
	return s
}

// texts yields texts in falling order of probability, each with its own. The
// same text may come twice when empty slots lie differently; the first counts.
func texts(options [][]option, yield func(candidate) bool) {
	first := state{choice: make([]uint8, len(options))}
	for _, o := range options {
		first.logp += o[0].logp
	}
	open := &frontier{first}
	seen := map[string]bool{}
	for n := 0; open.Len() > 0 && n < maxTexts; n++ {
		s := heap.Pop(open).(state)
		if s.logp < first.logp+math.Log(minRatio) {
			return
		}
		var b strings.Builder
		for i, c := range s.choice {
			b.WriteString(options[i][c].char)
		}
		if text := b.String(); !seen[text] {
			seen[text] = true
			if !yield(candidate{text, math.Exp(s.logp)}) {
				return
			}
		}
		for i := s.last; i < len(options); i++ {
			c := s.choice[i]
			if int(c)+1 >= len(options[i]) {
				continue
			}
			next := slices.Clone(s.choice)
			next[i]++
			heap.Push(open, state{next, i, s.logp - options[i][c].logp + options[i][c+1].logp})
		}
	}
}

// decoded is the outcome of the search.
type decoded struct {
	Raw   candidate   // the likeliest text, allowed or not
	Forms []candidate // texts that the rules allow, best first
}

// decode finds the likeliest texts that fit accepts with more than 0. The order
// is by probability times fit; the probability itself stays what was seen.
func decode(slots [][]float32, alphabet []string, fit func(text string) float64) decoded {
	var d decoded
	weight := map[string]float64{}
	texts(slotOptions(slots, alphabet), func(c candidate) bool {
		if d.Raw.P == 0 {
			d.Raw = c
		}
		if f := fit(c.Text); f > 0 {
			d.Forms = append(d.Forms, c)
			weight[c.Text] = c.P * f
		}
		return len(d.Forms) < maxForms
	})
	slices.SortStableFunc(d.Forms, func(a, b candidate) int { return cmp.Compare(weight[b.Text], weight[a.Text]) })
	return d
}
