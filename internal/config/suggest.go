package config

import (
	"slices"
	"strings"

	edlib "github.com/hbollon/go-edlib"
)

// near is the word among the known ones that a typing mistake may have meant;
// empty when none is close. One slip for every three letters is allowed, and an
// exchange of neighbours is one slip.
func near(word string, known []string) string {
	best, least := "", max(1, (len([]rune(word))+1)/3)+1
	for _, k := range known {
		if d := edlib.OSADamerauLevenshteinDistance(strings.ToLower(word), strings.ToLower(k)); d < least {
			best, least = k, d
		}
	}
	return best
}

// DidYouMean ends a message about an unknown word: the closest known one, or
// nothing when none is close.
func DidYouMean(word string, known []string) string {
	if n := near(word, known); n != "" {
		return ", did you mean " + n + "?"
	}
	return ""
}

// either lists words for people: a, b or c.
func either(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	last := len(words) - 1
	return strings.Join(words[:last], ", ") + " or " + words[last]
}

// listed is a sorted list for people: a, b, c.
func listed(words []string) string {
	return strings.Join(slices.Sorted(slices.Values(words)), ", ")
}
