package torture_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"gatehouse/internal/smoke/account"
	"gatehouse/internal/torture"
)

func TestASeedAlwaysPlaysTheSame(t *testing.T) {
	menu := torture.Menu()
	for seed := range uint64(200) {
		a, faults, dice := torture.Plan(seed, menu)
		b, again, other := torture.Plan(seed, menu)
		require.Equal(t, a, b)
		require.Equal(t, menu[seed%uint64(len(menu))].Name, faults[0].Name)
		require.Len(t, again, len(faults))
		for i := range faults {
			require.Equal(t, faults[i].Name, again[i].Name)
		}
		require.Equal(t, dice.Uint64(), other.Uint64())
	}
}

func TestOneFaultAloneIsPlayedAlone(t *testing.T) {
	for _, f := range torture.Menu() {
		_, faults, _ := torture.Plan(7, []torture.Fault{f})
		require.Len(t, faults, 1)
	}
}

func TestEveryFaultHasANameOfItsOwn(t *testing.T) {
	seen := map[string]bool{}
	for _, f := range torture.Menu() {
		require.False(t, seen[f.Name], f.Name)
		require.NotNil(t, f.Play, f.Name)
		seen[f.Name] = true
	}
}

func TestTheTableTellsFaultsApart(t *testing.T) {
	menu := torture.Menu()
	s := torture.Sum(menu, []torture.Run{
		{
			Seed: 7, Faults: []torture.Episode{{Name: menu[0].Name, Recovery: 2, Lost: 1}, {Name: menu[1].Name, Recovery: 3}},
			Hits: map[string]int{strings.TrimPrefix(menu[0].Name, "kill -9 gatehouse at "): 2}, Problems: []string{"frame-lost: one"}, Lost: 1,
		},
		{Seed: 8, Faults: []torture.Episode{{Name: menu[1].Name, Recovery: 1}}, Figures: account.Figures{Frames: 5}},
	})
	require.Equal(t, []uint64{7}, s.Failed())
	require.Len(t, s.Rows, 2)
	require.Equal(t, 1, s.Rows[0].Lost)
	require.Equal(t, 0, s.Rows[1].Lost)
	require.Equal(t, 2, s.Rows[1].Runs)
	require.InDelta(t, 3, s.Rows[1].Recovery, 0)
	var b strings.Builder
	require.NoError(t, s.Markdown(&b))
	require.Contains(t, b.String(), "| "+menu[0].Name+" | 1 | 1 | 2 | 1 | 0 |")
	require.Contains(t, b.String(), "lost 1, doubled 0; runs that failed: [7]")
}
