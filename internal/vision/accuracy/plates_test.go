package accuracy_test

import (
	"fmt"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"gatehouse/internal/vision/picture"
	"gatehouse/internal/vision/plate"
	"gatehouse/internal/vision/visiontest"
	"gatehouse/internal/vision/wire"
)

// Floors below which something is broken rather than a little worse; the bars
// of the product are higher and printed figures are compared with them.
const (
	floorParking = 0.80
	floorGate    = 0.85
)

// tally counts whole images, end to end.
type tally struct {
	plates, exact, nearly int // true plates; read in full; with at most one wrong character
	images, wrong         int // texts given out with score >= 0.5 that are on no plate
	sure, sureRight       int // texts with score >= 0.9
	kinds                 map[string]int
	total                 []float64 // milliseconds
	missed                []string
}

func (s *tally) add(l label, got *wire.Plates) {
	s.images++
	s.total = append(s.total, got.MS["detect"]+got.MS["read"])
	for _, truth := range l.Plates {
		s.plates++
		best, read := 99, ""
		for _, p := range got.Plates {
			if p.Score >= 0.5 && p.Text != "" && edits(p.Text, truth.Text) < best {
				best, read = edits(p.Text, truth.Text), p.Text
			}
		}
		if best == 0 {
			s.exact++
		} else {
			s.missed = append(s.missed, fmt.Sprintf("%s: %s read as %q", filepath.Base(l.File), truth.Text, read))
		}
		if best <= 1 {
			s.nearly++
		}
	}
	for _, p := range got.Plates {
		if p.Text == "" || p.Score < 0.5 {
			continue
		}
		right := false
		for _, truth := range l.Plates {
			right = right || truth.Text == p.Text
		}
		if !right {
			s.wrong++
		} else {
			s.kinds[p.Kind]++
		}
		if p.Score >= 0.9 {
			s.sure++
			if right {
				s.sureRight++
			}
		}
	}
}

// TestPlates reads whole images of the dev split. Wild images may show further
// plates, so false readings are not counted there.
func TestPlates(t *testing.T) {
	data := visiontest.Data(t)
	models := visiontest.RealModels(t)
	rules, err := plate.BuiltinRules()
	require.NoError(t, err)
	a, err := plate.New(visiontest.Start(t), models, rules)
	require.NoError(t, err)
	defer func() { require.NoError(t, a.Close()) }()
	t.Log(a.Model())

	exact := map[string]float64{}
	for _, scene := range []string{"parking-handheld", "gate-fixed", "wild"} {
		for _, seen := range []bool{false, true} {
			lines := labels(t, filepath.Join(data, "plates"), func(l label) bool {
				return l.Split == "dev" && l.Scene == scene
			})
			lines = slices.DeleteFunc(lines, func(l label) bool { return l.Seen != seen })
			if len(lines) == 0 {
				continue
			}
			s := tally{kinds: map[string]int{}}
			for _, l := range sample(lines, 50) {
				p, err := picture.Open(l.File, picture.Colour, picture.DefaultLimits())
				require.NoError(t, err, l.File)
				got, err := a.Analyse(p)
				p.Close()
				require.NoError(t, err, l.File)
				s.add(l, got)
			}
			name := scene
			if seen {
				name += " (vehicle seen in training)"
			} else {
				exact[scene] = float64(s.exact) / float64(s.plates)
			}
			t.Logf("%s: %d images, exact %s, at most one wrong %s, false readings %d, of those with score >= 0.9 right %s (they cover %s), kinds %v, median %.1f ms, p95 %.1f ms",
				name, s.images, share(s.exact, s.plates), share(s.nearly, s.plates), s.wrong,
				share(s.sureRight, s.sure), share(s.sureRight, s.plates), s.kinds, percentile(s.total, 0.5), percentile(s.total, 0.95))
			if full() {
				for _, m := range s.missed {
					t.Log("  ", m)
				}
			}
		}
	}
	require.GreaterOrEqual(t, exact["parking-handheld"], floorParking)
	require.GreaterOrEqual(t, exact["gate-fixed"], floorGate)
}

// TestForeign: no plate of another country becomes a Vietnamese text.
func TestForeign(t *testing.T) {
	data := visiontest.Data(t)
	models := visiontest.RealModels(t)
	rules, err := plate.BuiltinRules()
	require.NoError(t, err)
	a, err := plate.New(visiontest.Start(t), models, rules)
	require.NoError(t, err)
	defer func() { require.NoError(t, a.Close()) }()
	files, err := filepath.Glob(filepath.Join(data, "plates", "foreign", "*.jpg"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	foreign := 0
	for _, file := range files {
		p, err := picture.Open(file, picture.Colour, picture.DefaultLimits())
		require.NoError(t, err)
		got, err := a.Analyse(p)
		p.Close()
		require.NoError(t, err)
		if slices.ContainsFunc(got.Plates, func(p wire.Plate) bool { return p.Kind == "foreign" }) {
			foreign++
		}
		for _, one := range got.Plates {
			require.False(t, one.Country == "VN" && one.Score >= 0.5 && one.Text != "", "%s is read as %s", filepath.Base(file), one.Text)
		}
	}
	t.Logf("reported as foreign %s, as Vietnamese none", share(foreign, len(files)))
}
