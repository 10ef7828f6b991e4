package plate_test

import (
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"gatehouse/internal/vision/plate"
)

func alphabet() []string {
	return append([]string{""}, strings.Split("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZĐ", "")...)
}

// slotsOf gives each slot the characters of a string like "2Z" in falling
// probability 0.6, 0.3, 0.1; a single one is certain. "_" is the empty slot.
func slotsOf(alternatives ...string) [][]float32 {
	index := map[string]int{"_": 0}
	for i, c := range alphabet() {
		if c != "" {
			index[c] = i
		}
	}
	out := make([][]float32, len(alternatives))
	for i, s := range alternatives {
		out[i] = make([]float32, len(alphabet()))
		chars := strings.Split(s, "")
		if len(chars) == 1 {
			out[i][index[s]] = 1
			continue
		}
		for k, c := range chars {
			out[i][index[c]] = []float32{0.6, 0.3, 0.1}[k]
		}
	}
	return out
}

func fit(t require.TestingT, rows int, aspect float64) func(string) float64 {
	r, err := plate.BuiltinRules()
	require.NoError(t, err)
	return func(text string) float64 {
		f, _ := r.Form(text, rows, aspect)
		return f.Fit
	}
}

func TestRulesChooseAmongLookAlikes(t *testing.T) {
	for name, c := range map[string]struct {
		slots []string
		raw   string
		want  string
	}{
		"clear":              {[]string{"1", "2", "C", "1", "2", "3", "4", "5", "_", "_"}, "12C12345", "12C12345"},
		"letter as digit":    {[]string{"1", "2", "8B", "1", "2", "3", "4", "5", "_"}, "12812345", "12B12345"},
		"O is never a plate": {[]string{"1", "2", "OD", "O0", "2", "3", "4", "5", "_"}, "12OO2345", "12D02345"},
		"unused province":    {[]string{"1", "38", "C", "1", "2", "3", "4", "5", "_"}, "13C12345", "18C12345"},
		"length":             {[]string{"1", "2", "C", "1", "2", "3", "_4", "_5", "_"}, "12C123", "12C1234"},
		"Đ kept":             {[]string{"2", "9", "M", "ĐD", "1", "1", "2", "3", "4", "5"}, "29MĐ112345", "29MĐ112345"},
	} {
		t.Run(name, func(t *testing.T) {
			raw, forms, p := plate.Decode(slotsOf(c.slots...), alphabet(), fit(t, 1, 4.7))
			require.Equal(t, c.raw, raw)
			require.NotEmpty(t, forms)
			require.Equal(t, c.want, forms[0])
			require.LessOrEqual(t, p[0], 1.0)
		})
	}
	raw, forms, _ := plate.Decode(slotsOf("X", "X", "X", "_"), alphabet(), fit(t, 1, 4.7))
	require.Equal(t, "XXX", raw)
	require.Empty(t, forms, "nothing is forced into a plate")
}

// The search finds what trying every combination finds.
func TestDecodeIsExact(t *testing.T) {
	small := []string{"", "1", "2", "A"}
	allowed := func(text string) float64 {
		if strings.HasPrefix(text, "1A") {
			return 1
		}
		return 0
	}
	rapid.Check(t, func(t *rapid.T) {
		slots := make([][]float32, 4)
		for i := range slots {
			sum := float32(0)
			slots[i] = make([]float32, len(small))
			for k := range slots[i] {
				slots[i][k] = float32(rapid.IntRange(1, 1000).Draw(t, "p"))
				sum += slots[i][k]
			}
			for k := range slots[i] {
				slots[i][k] /= sum
			}
		}
		best := 0.0
		for n := range 256 {
			text, p := "", 1.0
			for i := range slots {
				k := n >> (2 * i) & 3
				text += small[k]
				p *= float64(slots[i][k])
			}
			if allowed(text) > 0 {
				best = math.Max(best, p)
			}
		}
		top := 1.0
		for i := range slots {
			m := float32(0)
			for _, v := range slots[i] {
				m = max(m, v)
			}
			top *= float64(m)
		}
		_, forms, p := plate.Decode(slots, small, allowed)
		if best < top*1.1e-5 { // below what the search follows
			return
		}
		require.NotEmpty(t, forms)
		require.InEpsilon(t, best, p[0], 1e-4)
	})
}
