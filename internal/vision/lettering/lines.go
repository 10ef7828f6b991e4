package lettering

import (
	"cmp"
	"math"
	"slices"
)

// How characters stand in a line, in shares of their height.
const (
	alike       = 1.45 // largest ratio of two neighbours' heights
	near        = 1.9  // distance of two middles within a word
	apart       = 6.0  // distance of two words of a line: a door's rod or a gap lies between
	astray      = 0.45 // distance from the line that a word continues
	slanted     = 0.42 // rise over run of a line: seen from the side
	longestLine = 24
)

// line is a row or a column of characters in reading order.
type line struct {
	Chars []char
	Down  bool
}

// along is the place of a character in reading direction, across the other.
func along(c char, down bool) (a, b float64) {
	if down {
		return c.Y, c.X
	}
	return c.X, c.Y
}

// reach is the room that a character takes in reading direction: upright
// letters stand closer side by side than below each other.
func reach(c char, down bool) float64 {
	if down {
		return c.H
	}
	return 0.75 * c.H
}

// lines joins characters to words and words to lines, across or down.
func lines(chars []char, down bool) []line {
	words := wordsOf(chars, down)
	used := make([]bool, len(words))
	order := make([]int, len(words))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(i, k int) int { return cmp.Compare(start(words[i], down), start(words[k], down)) })
	var out []line
	for _, i := range order {
		if used[i] {
			continue
		}
		used[i] = true
		l := words[i]
		for {
			k := next(words, used, l, down)
			if k < 0 || len(l)+len(words[k]) > longestLine {
				break
			}
			used[k] = true
			l = append(slices.Clone(l), words[k]...)
		}
		out = append(out, line{l, down})
	}
	return out
}

func start(word []char, down bool) float64 { a, _ := along(word[0], down); return a }

// wordsOf chains every character to its nearest neighbour ahead.
func wordsOf(chars []char, down bool) [][]char {
	ahead := make([]int, len(chars))
	taken := make([]int, len(chars)) // by whom, plus one
	for i, c := range chars {
		ahead[i] = -1
		best := math.Inf(1)
		for k, d := range chars {
			if i == k || !sameSize(c, d) {
				continue
			}
			a0, b0 := along(c, down)
			a1, b1 := along(d, down)
			da, db := a1-a0, math.Abs(b1-b0)
			if da <= 0.2*c.W || da > near*reach(c, down) || db > 0.16*c.H+slanted*da {
				continue
			}
			if cost := da + 1.5*db; cost < best {
				best, ahead[i] = cost, k
			}
		}
	}
	for i, k := range ahead {
		if k < 0 {
			continue
		}
		if t := taken[k] - 1; t >= 0 && distance(chars[t], chars[k]) <= distance(chars[i], chars[k]) {
			ahead[i] = -1
			continue
		} else if t >= 0 {
			ahead[t] = -1
		}
		taken[k] = i + 1
	}
	var out [][]char
	for i := range chars {
		if taken[i] != 0 {
			continue
		}
		var word []char
		for k := i; k >= 0; k = ahead[k] {
			word = append(word, chars[k])
		}
		out = append(out, word)
	}
	return out
}

func sameSize(a, b char) bool { return max(a.H, b.H) < alike*min(a.H, b.H) }

func distance(a, b char) float64 { return math.Hypot(a.X-b.X, a.Y-b.Y) }

// next is the word that continues a line, or -1.
func next(words [][]char, used []bool, l []char, down bool) int {
	last := l[len(l)-1]
	slope := slopeOf(l, down)
	best, at := math.Inf(1), -1
	for k, w := range words {
		if used[k] || !sameSize(last, w[0]) {
			continue
		}
		a0, b0 := along(last, down)
		a1, b1 := along(w[0], down)
		da := a1 - a0
		off := math.Abs(b1 - b0 - slope*da)
		if da <= 0.2*last.W || da > apart*reach(last, down) || off > astray*last.H+0.12*da {
			continue
		}
		if cost := da + 2*off; cost < best {
			best, at = cost, k
		}
	}
	return at
}

// slopeOf is the least-squares slope of a word; 0 for a short one.
func slopeOf(l []char, down bool) float64 {
	if len(l) < 3 {
		return 0
	}
	var ma, mb float64
	for _, c := range l {
		a, b := along(c, down)
		ma, mb = ma+a/float64(len(l)), mb+b/float64(len(l))
	}
	var top, bottom float64
	for _, c := range l {
		a, b := along(c, down)
		top, bottom = top+(a-ma)*(b-mb), bottom+(a-ma)*(a-ma)
	}
	return max(-slanted, min(slanted, top/max(bottom, 1e-9)))
}
