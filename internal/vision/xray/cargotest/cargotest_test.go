package cargotest_test

import (
	"encoding/json"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"gatehouse/internal/vision/xray/cargotest"
)

// TestFrozen: the list is the one that was drawn before the rules were tuned,
// with at least 300 negatives for each rule. CARGOTEST_WRITE=1 writes it anew.
func TestFrozen(t *testing.T) {
	var text []byte
	negatives := map[string]int{}
	for _, c := range cargotest.Draw(20261122) {
		line, err := json.Marshal(c)
		require.NoError(t, err)
		text = append(append(text, line...), '\n')
		if !c.Positive {
			negatives[c.Rule]++
		}
	}
	if os.Getenv("CARGOTEST_WRITE") != "" {
		require.NoError(t, os.WriteFile("cases.jsonl", text, 0o600))
	}
	committed, err := os.ReadFile("cases.jsonl")
	require.NoError(t, err)
	require.Equal(t, string(committed), string(text))
	for rule, n := range negatives {
		require.GreaterOrEqual(t, n, 300, rule)
	}
}
