package tracks

import (
	"cmp"
	"math"
	"slices"

	"gatehouse/internal/vision/wire"
)

// strong is the score from which a text is given out, as for single pictures.
const strong = 0.5

// most alternates of a vote.
const mostAlternates = 5

// ballot is what the readings of a track say for a text.
type ballot struct {
	text   string
	weight float64
	best   wire.Plate
	count  int
}

// Vote concludes one plate from the readings of a track. A text weighs with the
// scores and sizes of all frames that read it; its score is its best reading's, less what
// others were read as. What no frame could read stays unread. The box is that of
// the best sight; votes is how many sights read the text.
func Vote(sights []Sight) (p wire.Plate, votes int) {
	var all []ballot
	total := 0.0
	for _, s := range sights {
		r := s.Plate
		if r.Text == "" {
			if len(r.Alternates) == 0 || r.Country != "VN" {
				continue
			}
			r.Text = r.Alternates[0].Text
		}
		i := slices.IndexFunc(all, func(b ballot) bool { return b.text == r.Text })
		if i < 0 {
			all = append(all, ballot{text: r.Text})
			i = len(all) - 1
		}
		b := &all[i]
		weight := r.Score * r.Score * s.W // a small plate far off is easily misread
		b.weight += weight
		b.count++
		total += weight
		if r.Score > b.best.Score || b.count == 1 {
			b.best = r
		}
	}
	seen := bestSight(sights)
	if len(all) == 0 || total == 0 {
		return seen.Plate, 0
	}
	slices.SortStableFunc(all, func(a, b ballot) int { return cmp.Compare(b.weight, a.weight) })
	win := all[0]
	if foreign(sights) {
		return seen.Plate, 0
	}
	p = win.best
	p.Box = seen.Plate.Box
	p.Score = rounded(win.best.Score * win.weight / total)
	p.Alternates = []wire.Alternate{}
	for _, b := range all[1:] {
		if len(p.Alternates) < mostAlternates {
			p.Alternates = append(p.Alternates, wire.Alternate{Text: b.text, Score: rounded(b.best.Score * b.weight / total)})
		}
	}
	if p.Score < strong {
		p.Alternates = append([]wire.Alternate{{Text: win.text, Score: p.Score}}, p.Alternates...)
		p.Text, p.Display = "", ""
	}
	return p, win.count
}

// foreign says whether most frames saw a plate of another country.
func foreign(sights []Sight) bool {
	n := 0
	for _, s := range sights {
		if s.Plate.Kind == "foreign" && s.Plate.Country != "other" {
			n++
		}
	}
	return 2*n > len(sights)
}

func bestSight(sights []Sight) Sight {
	return slices.MaxFunc(sights, func(a, b Sight) int { return cmp.Compare(a.worth(), b.worth()) })
}

func rounded(v float64) float64 { return math.Round(v*1e4) / 1e4 }
