package accuracy_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// label is a line of labels.jsonl, of plates and of scans.
type label struct {
	File  string `json:"file"`
	Split string `json:"split"`
	Scene string `json:"scene"`
	Seen  bool   `json:"seen"`

	Plates []truth `json:"plates"`

	Effect   string `json:"effect"`   // of a rendered picture
	Severity int    `json:"severity"` // 1 to 3

	Kind           string `json:"kind"`
	Energy         string `json:"energy"`
	Threat         bool   `json:"threat"`
	ContainerState string `json:"container_state"`
	Content        string `json:"content"`
	Labels         []struct {
		Class string `json:"class"`
		Box   []int  `json:"box"`
	} `json:"labels"`
}

// truth is a labelled plate. Country and Corners are known for rendered ones.
type truth struct {
	Text    string        `json:"text"`
	Box     box           `json:"box"`
	Country string        `json:"country"`
	Corners [4][2]float64 `json:"corners"`
}

// box is x, y, width, height in whole pixels, or nil. Labels may hold fractions.
type box []int

func (b *box) UnmarshalJSON(text []byte) error {
	var v []float64
	if err := json.Unmarshal(text, &v); err != nil || v == nil {
		return err
	}
	*b = make(box, len(v))
	for i := range v {
		(*b)[i] = int(v[i] + 0.5)
	}
	return nil
}

func full() bool { return os.Getenv("GATEHOUSE_ACCURACY") == "full" }

// labels reads the lines of a folder that are wanted, with absolute file names.
func labels(t *testing.T, dir string, want func(label) bool) []label {
	t.Helper()
	f, err := os.Open(filepath.Join(dir, "labels.jsonl"))
	require.NoError(t, err)
	defer f.Close()
	var out []label
	for s := bufio.NewScanner(f); s.Scan(); {
		var l label
		require.NoError(t, json.Unmarshal(s.Bytes(), &l))
		if want(l) {
			l.File = filepath.Join(dir, l.File)
			out = append(out, l)
		}
	}
	require.NotEmpty(t, out)
	return out
}

// sample keeps about n of the values, evenly spread; all of them in a full run.
func sample[T any](all []T, n int) []T {
	if full() || len(all) <= n {
		return all
	}
	var out []T
	for i := range n {
		out = append(out, all[i*len(all)/n])
	}
	return out
}

func share(n, of int) string {
	if of == 0 {
		return "-"
	}
	return fmt.Sprintf("%d/%d = %.1f %%", n, of, 100*float64(n)/float64(of))
}

func percentile(values []float64, p float64) float64 {
	if len(values) == 0 {
		return 0
	}
	s := slices.Sorted(slices.Values(values))
	return s[min(len(s)-1, int(p*float64(len(s))))]
}

// edits is the Levenshtein distance of two texts.
func edits(a, b string) int {
	x, y := []rune(a), []rune(b)
	row := make([]int, len(y)+1)
	for k := range row {
		row[k] = k
	}
	for i := range x {
		diagonal := row[0]
		row[0] = i + 1
		for k := range y {
			cost := 1
			if x[i] == y[k] {
				cost = 0
			}
			diagonal, row[k+1] = row[k+1], min(diagonal+cost, row[k]+1, row[k+1]+1)
		}
	}
	return row[len(y)]
}
