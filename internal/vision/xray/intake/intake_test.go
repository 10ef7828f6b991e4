package intake_test

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"gocv.io/x/gocv"

	"gatehouse/internal/vision/picture"
	"gatehouse/internal/vision/wire"
	"gatehouse/internal/vision/xray/intake"
	"gatehouse/internal/vision/xray/scantest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// planes are a step in air, with noise; less comes through at the low energy.
func planes(w, h int) (high, low scantest.Plane) {
	dice := rand.New(rand.NewPCG(1, 2))
	high, low = scantest.Plane{W: w, H: h, V: make([]float32, w*h)}, scantest.Plane{W: w, H: h, V: make([]float32, w*h)}
	for i := range high.V {
		a, b := 0.9, 0.9
		if x := i % w; x > w/3 && x < 2*w/3 {
			a, b = 0.5-0.3*float64(i/w)/float64(h), 0.4-0.3*float64(i/w)/float64(h)
		}
		high.V[i], low.V[i] = float32(a+0.01*dice.NormFloat64()), float32(b+0.01*dice.NormFloat64())
	}
	return high, low
}

func put(t *testing.T, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(path, data, 0o600))
	return path
}

func open(t *testing.T, path string) *intake.Scan {
	t.Helper()
	s, err := intake.Open(intake.Find(path), picture.DefaultLimits())
	require.NoError(t, err)
	t.Cleanup(s.Close)
	return s
}

// same compares a matrix with the first rows of a plane.
func same(t *testing.T, want scantest.Plane, m gocv.Mat, slack float64) {
	t.Helper()
	require.Equal(t, want.W, m.Cols())
	for y := range m.Rows() {
		for x := range m.Cols() {
			got := 0.0
			if m.Type() == gocv.MatTypeCV16U {
				got = float64(uint16(m.GetShortAt(y, x))) / 65535
			} else {
				got = float64(m.GetUCharAt(y, x)) / 255
			}
			v := float64(want.V[y*want.W+x])
			if math.Abs(got-min(max(v, 0), 1)) > slack {
				require.InDelta(t, v, got, slack, "%d,%d", x, y)
			}
		}
	}
}

func TestEveryForm(t *testing.T) {
	high, low := planes(90, 70)
	dual, single := scantest.Forms()
	for _, form := range append(dual, single...) {
		t.Run(form, func(t *testing.T) {
			data, ext, err := scantest.File(form, high, low)
			require.NoError(t, err)
			s := open(t, put(t, "a"+ext, data))
			slack := map[string]float64{"jpeg": 0.06, "png8": 0.003}[form] + 1e-4
			same(t, high, s.Mat, slack)
			require.Equal(t, 1.0, s.Rows)
			require.Nil(t, s.Truncated())
			require.Len(t, s.Sources, 1)
			if len(form) > 4 && contains(dual, form) {
				require.NotNil(t, s.Low)
				same(t, low, *s.Low, 1e-4)
				return
			}
			require.Nil(t, s.Low)
		})
	}
}

func contains(all []string, one string) bool {
	for _, s := range all {
		if s == one {
			return true
		}
	}
	return false
}

// A pair in two files is one scan, whichever is named, and the planes are told
// apart by what comes through even when their names are the wrong way round.
func TestPairOfFiles(t *testing.T) {
	high, low := planes(64, 48)
	folder := t.TempDir()
	for name, p := range map[string]scantest.Plane{"x_high.png": high, "x_low.png": low, "y_high.png": low, "y_low.png": high} {
		data, _, err := scantest.File("png16", p, p)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(folder, name), data, 0o600))
	}
	side, err := json.Marshal(map[string]any{"scan_id": "S-1", "view": 2, "kv": 160, "air_level": 59000, "mm_per_pixel": 1.5, "time": "2026-11-22T01:02:03Z"})
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(folder, "x.json"), side, 0o600))
	for _, name := range []string{"x_high.png", "x_low.png", "y_low.png", "y_high.png"} {
		s := open(t, filepath.Join(folder, name))
		require.NotNil(t, s.Low, name)
		same(t, high, s.Mat, 1e-4)
		same(t, low, *s.Low, 1e-4)
		if name[0] == 'x' {
			require.Equal(t, "S-1", s.Side.ScanID)
			require.Equal(t, 59000.0, s.Side.AirLevel)
			require.Equal(t, 1.5, s.Side.PixelMM)
			require.Len(t, s.Sources, 3)
		}
	}
	// A low energy that cannot be used is told and does not stop the rest.
	require.NoError(t, os.WriteFile(filepath.Join(folder, "x_low.png"), []byte("nothing"), 0o600))
	s := open(t, filepath.Join(folder, "x_high.png"))
	require.Nil(t, s.Low)
	require.Contains(t, s.Notes[0].EN, "low-energy")
}

// What a transfer cut off is read as far as it goes, and that is said.
func TestCutOff(t *testing.T) {
	high, low := planes(120, 160)
	for _, form := range []string{"png16", "png8", "png-alpha", "tiff16", "tiff-samples", "jpeg", "dicos-one"} {
		t.Run(form, func(t *testing.T) {
			data, ext, err := scantest.File(form, high, low)
			require.NoError(t, err)
			s := open(t, put(t, "a"+ext, data[:len(data)*2/3]))
			require.Greater(t, s.Rows, 0.3)
			require.Less(t, s.Rows, 0.8)
			require.Equal(t, "file-cut", s.Truncated().Why)
			require.InDelta(t, s.Rows, s.Truncated().Analysed, 1e-9)
			slack := map[string]float64{"jpeg": 0.06, "png8": 0.003}[form] + 1e-4
			same(t, high, s.Mat, slack)
			require.Equal(t, 160, s.Stored.Y)
			require.NotEmpty(t, s.Notes)
		})
		t.Run(form+" at once", func(t *testing.T) {
			data, ext, err := scantest.File(form, high, low)
			require.NoError(t, err)
			_, err = intake.Open(intake.Files{High: put(t, "a"+ext, data[:40])}, picture.DefaultLimits())
			var e *wire.Error
			require.ErrorAs(t, err, &e)
		})
	}
}

// A door that was opened leaves columns without beam: they are not analysed.
func TestBeamOff(t *testing.T) {
	high, _ := planes(200, 60)
	for i := range high.V {
		if i%200 >= 150 {
			high.V[i] = 0
		}
	}
	data, _, err := scantest.File("png16", high, high)
	require.NoError(t, err)
	s := open(t, put(t, "a.png", data))
	require.InDelta(t, 0.75, s.Lit, 1e-9)
	require.Equal(t, 150, s.Mat.Cols())
	require.Equal(t, "no-signal", s.Truncated().Why)
	require.Contains(t, s.Notes[0].EN, "75 %")
}
