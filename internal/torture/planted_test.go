//go:build torture

package torture_test

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"gatehouse/internal/fault"
	"gatehouse/internal/torture"
)

// TestPlantedBugsAreCaught plants a bug in the programs and wants the account to
// report loss or doubles; a few seeds may go by before the fault meets the bug.
func TestPlantedBugsAreCaught(t *testing.T) {
	if os.Getenv("SHORT")+os.Getenv("SEED")+os.Getenv("FAULT") != "" {
		t.Skip("the planted bugs take minutes and are for whole series")
	}
	spaces := spacesOf(t)
	for _, c := range []struct{ plant, fault string }{
		{fault.PlantNoSync, "power cut of the gate"},
		{fault.PlantNoKey, "kill -9 gatehouse at " + fault.SayingsBeforeAck},
		{fault.PlantReceipt, "kill -9 console at " + fault.ConsoleBeforeCommit},
	} {
		t.Run(c.plant, func(t *testing.T) {
			var menu []torture.Fault
			for _, f := range torture.Menu() {
				if f.Name == c.fault {
					menu = append(menu, f)
				}
			}
			require.Len(t, menu, 1)
			var seen []string
			for seed := range uint64(3) {
				r, err := play(t, spaces, seed, menu, func(s *torture.Setting) { s.Plant = c.plant })
				require.NoError(t, err)
				if r.Lost+r.Doubled > 0 {
					t.Logf("caught: lost %d, doubled %d: %s", r.Lost, r.Doubled, strings.Join(r.Problems[:min(4, len(r.Problems))], "; "))
					return
				}
				seen = append(seen, r.Line())
			}
			t.Fatalf("%s is planted and the account finds nothing lost or doubled:\n%s", c.plant, strings.Join(seen, "\n"))
		})
	}
}
