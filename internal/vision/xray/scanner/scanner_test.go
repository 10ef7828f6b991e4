package scanner_test

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"gatehouse/internal/vision/xray/scanner"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestBound: the bound is that of the tables (Clopper and Pearson; one-sided 90 %).
func TestBound(t *testing.T) {
	require.InDelta(t, 0.0449, scanner.Upper(0, 50), 5e-4)
	require.InDelta(t, 0.0753, scanner.Upper(1, 50), 5e-4)
	require.InDelta(t, 0.0228, scanner.Upper(0, 100), 5e-4)
	require.Equal(t, 1.0, scanner.Upper(5, 5))
	require.Equal(t, 45, scanner.Needed(0.05))
	require.Equal(t, 230, scanner.Needed(0.01))
}

func TestSet(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		scores := rapid.SliceOfN(rapid.Float64Range(0, 0.99), 45, 400).Draw(t, "scores")
		got, err := scanner.Set(scores, 0.05)
		require.NoError(t, err)
		require.LessOrEqual(t, got.Bound, 0.05)
		require.Equal(t, len(scores), got.Scans)
	})
	_, err := scanner.Set(make([]float64, 44), 0.05)
	require.ErrorIs(t, err, scanner.ErrTooFew)
	require.ErrorContains(t, err, "45 are needed")
}

// TestRateHolds: thresholds set on some scans hold on others of the same scanner
// about as often as promised.
func TestRateHolds(t *testing.T) {
	dice := rand.New(rand.NewPCG(5, 6))
	held := 0
	const rounds = 200
	for range rounds {
		scores := make([]float64, 150)
		for i := range scores {
			scores[i] = dice.Float64()
		}
		got, err := scanner.Set(scores, 0.05)
		require.NoError(t, err)
		if 1-got.Score <= 0.05 { // scores are even: the true rate
			held++
		}
	}
	t.Logf("the wanted rate held in %d of %d", held, rounds)
	require.GreaterOrEqual(t, held, rounds*85/100)
}

func TestVersions(t *testing.T) {
	dir := t.TempDir()
	none, err := scanner.Load(dir, "bag-1")
	require.NoError(t, err)
	require.Nil(t, none)
	c := scanner.Calibration{Scanner: "bag-1", Kind: "baggage", MadeAt: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
		Thresholds: map[string]scanner.Threshold{"m@1": {Score: 0.4, Scans: 60}}}
	first, err := c.Save(dir)
	require.NoError(t, err)
	c.MadeAt = c.MadeAt.Add(time.Hour)
	second, err := c.Save(dir)
	require.NoError(t, err)
	require.NotEqual(t, first, second)
	for _, path := range []string{first, second} {
		_, err := os.Stat(path)
		require.NoError(t, err)
	}
	got, err := scanner.Load(dir, "bag-1")
	require.NoError(t, err)
	require.Equal(t, &c, got)
	for _, bad := range []string{"../x", "a/b", ".", "a b"} {
		_, err := scanner.Load(dir, bad)
		require.ErrorIs(t, err, scanner.ErrName, bad)
	}
	require.NoError(t, os.WriteFile(filepath.Join(dir, "bag-1", "current.json"), []byte("{"), 0o600))
	_, err = scanner.Load(dir, "bag-1")
	require.Error(t, err)
}
