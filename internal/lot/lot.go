// Package lot compares the containers of one customs declaration: what is
// loaded otherwise than the rest of its lot is worth a look. Pure arithmetic.
package lot

import (
	"cmp"
	"math"
	"slices"
)

// Figures of the rule.
const (
	// Least is how many containers make a lot: with fewer nothing says which of
	// them is the odd one.
	Least = 5
	// limit is the robust z-score from which a container is an outlier.
	limit = 5.0
	// spread is the share of the middle by which containers of one lot differ
	// anyway.
	spread = 0.08
	// consistent makes the median deviation that of a normal distribution.
	consistent = 1.4826
)

// Item is what is compared of one container.
type Item struct {
	Fill float64 `json:"fill"`         // of the interior, 0..1
	Load float64 `json:"load"`         // mean log attenuation of the goods
	KG   float64 `json:"kg,omitempty"` // by the image; 0 unknown
}

// Outlier is a container that is unlike the others.
type Outlier struct {
	Index  int     // in the lot
	Score  float64 // 0.5..1
	Figure string  // "fill", "load_attenuation" or "image_kg"
	Value  float64
	Middle float64 // of the lot
}

// Outliers compares each container with the middle of all, figure by figure.
// A lot of fewer than Least has none.
func Outliers(items []Item) []Outlier {
	if len(items) < Least {
		return nil
	}
	var out []Outlier
	for _, f := range []struct {
		name string
		of   func(Item) float64
	}{
		{"fill", func(i Item) float64 { return i.Fill }},
		{"load_attenuation", func(i Item) float64 { return i.Load }},
		{"image_kg", func(i Item) float64 { return i.KG }},
	} {
		values := make([]float64, len(items))
		for i, item := range items {
			values[i] = f.of(item)
		}
		middle := median(values)
		away := make([]float64, len(items))
		for i, v := range values {
			away[i] = math.Abs(v - middle)
		}
		width := max(consistent*median(away), spread*middle, 1e-6)
		for i, d := range away {
			if z := d / width; z > limit {
				score := 1 / (1 + math.Exp(limit-z))
				out = append(out, Outlier{Index: i, Score: rounded(score), Figure: f.name, Value: rounded(values[i]), Middle: rounded(middle)})
			}
		}
	}
	slices.SortStableFunc(out, func(a, b Outlier) int { return cmp.Compare(a.Index, b.Index) })
	return out
}

// median is the middle value, the upper one of an even number.
func median(values []float64) float64 {
	return slices.Sorted(slices.Values(values))[len(values)/2]
}

func rounded(v float64) float64 { return math.Round(v*1e4) / 1e4 }
