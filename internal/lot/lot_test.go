package lot_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"gatehouse/internal/lot"
)

func TestOneOfEightIsOtherwise(t *testing.T) {
	items := make([]lot.Item, 8)
	for i := range items {
		items[i] = lot.Item{Fill: 0.7 + 0.01*float64(i%3), Load: 1.1, KG: 20000 + 100*float64(i%4)}
	}
	require.Empty(t, lot.Outliers(items))
	items[4].Fill, items[4].KG = 0.2, 4000
	found := lot.Outliers(items)
	require.Len(t, found, 2)
	for _, o := range found {
		require.Equal(t, 4, o.Index)
		require.Greater(t, o.Score, 0.5)
	}
	require.Equal(t, "fill", found[0].Figure)
	require.Equal(t, 0.2, found[0].Value)
	require.InDelta(t, 0.71, found[0].Middle, 0.011)
	require.Empty(t, lot.Outliers(items[4:8]), "four are no lot")
}

// Whatever the lot, an outlier is one of it, scores at least one half, and
// containers that are all alike have none.
func TestOutliersAreOfTheLot(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		items := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) lot.Item {
			return lot.Item{Fill: rapid.Float64Range(0, 1).Draw(t, "fill"), Load: rapid.Float64Range(0, 6).Draw(t, "load"), KG: rapid.Float64Range(0, 3e4).Draw(t, "kg")}
		}), 0, 40).Draw(t, "items")
		for _, o := range lot.Outliers(items) {
			require.GreaterOrEqual(t, o.Score, 0.5)
			require.Less(t, o.Index, len(items))
		}
		if len(items) > 0 {
			same := make([]lot.Item, 9)
			for i := range same {
				same[i] = items[0]
			}
			require.Empty(t, lot.Outliers(same))
		}
	})
}
