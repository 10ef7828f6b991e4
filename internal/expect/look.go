package expect

import (
	"maps"
	"slices"
	"strings"

	"gatehouse/internal/event"
)

// Kinds of what is looked up.
const (
	ByPlate       = "plate"
	ByContainer   = "container"
	ByDeclaration = "declaration"
)

// Query is one look-up.
type Query struct {
	By        string // ByPlate, ByContainer or ByDeclaration
	Text      string // canonical
	Day       string // 2006-01-02, the day at the gate; empty for any
	Direction event.Direction
}

// Answer is what the lists say.
type Answer struct {
	event.Expected
	// Similar are what the lists hold that looks like what was looked up, sorted.
	Similar []string `json:"similar,omitempty"`
}

// list is the content of one file.
type list struct {
	name   string
	sha256 string
	rows   []Row
}

// similarKept bounds an answer's look-alikes.
const similarKept = 10

// look finds the best row in the lists: one for this day and direction, or else
// one that is not, which is no expected vehicle but worth a word.
func look(lists []list, q Query) Answer {
	best := Answer{Expected: event.Expected{Asked: q.Text}}
	rank := -1
	for _, l := range lists {
		for _, r := range l.rows {
			if r.by(q.By) != q.Text {
				continue
			}
			if n := r.fits(q); n > rank {
				rank = n
				best.Expected = r.expected(l, q.Text, n == fitsWholly)
			}
		}
	}
	if best.List == "" {
		best.List, best.SHA256 = asked(lists)
	}
	if !best.Found {
		best.Similar = similar(lists, q)
	}
	return best
}

// similar lists what the lists hold that looks like what was looked up.
func similar(lists []list, q Query) []string {
	found := map[string]bool{}
	for _, l := range lists {
		for _, r := range l.rows {
			if text := r.by(q.By); text != "" && text != q.Text && alike(text, q.Text) {
				found[text] = true
			}
		}
	}
	all := slices.Sorted(maps.Keys(found))
	return all[:min(len(all), similarKept)]
}

// asked names the lists that a look-up found nothing in.
func asked(lists []list) (name, sha256 string) {
	if len(lists) == 1 {
		return lists[0].name, lists[0].sha256
	}
	sums := make([]byte, 0, 64*len(lists))
	for _, l := range lists {
		sums = append(sums, l.sha256...)
	}
	return "*", event.Digest(sums)
}

func (r *Row) by(kind string) string {
	switch kind {
	case ByPlate:
		return r.Plate
	case ByContainer:
		return r.Container
	case ByDeclaration:
		return r.Declaration
	default:
		return ""
	}
}

// fitsWholly is the rank of a row for the day and the direction.
const fitsWholly = 3

func (r *Row) fits(q Query) int {
	n := 0
	if q.Day == "" || (r.From == "" || r.From <= q.Day) && (r.To == "" || q.Day <= r.To) {
		n += 2
	}
	if r.Direction == "" || q.Direction == "" || q.Direction == event.DirectionUnknown || r.Direction == q.Direction {
		n++
	}
	return n
}

func (r *Row) expected(l list, asked string, found bool) event.Expected {
	return event.Expected{
		List: l.name, SHA256: l.sha256, Asked: asked, Found: found,
		Plate: r.Plate, RearPlate: r.RearPlate, Container: r.Container, Declaration: r.Declaration,
		GrossKG: r.GrossKG, NetKG: r.NetKG, Goods: r.Goods, Direction: r.Direction, From: r.From, To: r.To,
	}
}

// alike says whether two texts could be taken for each other: the same after
// characters that look alike are made one, or one character apart.
func alike(a, b string) bool {
	if shape(a) == shape(b) {
		return true
	}
	x, y := []rune(a), []rune(b)
	if len(x) != len(y) {
		return false
	}
	differ := 0
	for i := range x {
		if x[i] != y[i] {
			differ++
		}
	}
	return differ == 1
}

// shape writes characters that look alike as one.
func shape(s string) string {
	return strings.NewReplacer("O", "0", "Q", "0", "D", "0", "Đ", "0", "I", "1", "L", "1", "Z", "2", "S", "5", "B", "8", "G", "6").Replace(s)
}
