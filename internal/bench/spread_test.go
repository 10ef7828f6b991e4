//go:build bench

package bench_test

import (
	"fmt"
	"slices"
)

// spread is a set of ratios measured in one run.
type spread []float64

func (s spread) String() string {
	v := slices.Sorted(slices.Values(s))
	return fmt.Sprintf("median %.2f, from %.2f to %.2f over %d rounds", v[len(v)/2], v[0], v[len(v)-1], len(v))
}
