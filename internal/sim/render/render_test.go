package render_test

import (
	"bytes"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"gatehouse/internal/sim/plate"
	"gatehouse/internal/sim/render"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func fonts(t *testing.T) *render.Fonts {
	t.Helper()
	f, err := render.LoadFonts()
	require.NoError(t, err)
	return f
}

func TestMissingFontsNameThePackage(t *testing.T) {
	_, err := render.LoadFontsFrom(t.TempDir())
	require.ErrorIs(t, err, render.ErrNoFont)
	require.ErrorContains(t, err, "fonts-dejavu-core")
}

func TestPhotographs(t *testing.T) {
	f := fonts(t)
	r := rand.New(rand.NewPCG(4, 4))
	for i, light := range render.Lights() {
		rows := 1 + i%2
		p := plate.Random(r, rows)
		photo, err := render.Photograph(f, render.Scene{Seed: uint64(i), Plate: p, Light: light})
		require.NoError(t, err)
		img, err := jpeg.Decode(bytes.NewReader(photo.JPEG))
		require.NoError(t, err)
		require.Equal(t, image.Rect(0, 0, render.PhotoWidth, render.PhotoHeight), img.Bounds())
		require.GreaterOrEqual(t, photo.Box.Dx(), 105, "%s", light)
		require.LessOrEqual(t, photo.Box.Dx(), 200, "%s", light)
		aspect := float64(photo.Box.Dx()) / float64(photo.Box.Dy())
		require.InDelta(t, map[int]float64{1: 4.7, 2: 2}[rows], aspect, 0.9, "%s", light)
		// Ink and ground differ well, whatever the weather.
		dark, bright := spread(img, photo.Box.Inset(3))
		require.Greater(t, bright-dark, 45.0, "%s", light)

		if i > 0 {
			continue
		}
		again, err := render.Photograph(f, render.Scene{Seed: uint64(i), Plate: p, Light: light})
		require.NoError(t, err)
		require.Equal(t, photo.JPEG, again.JPEG, "the seed decides")
		other := plate.Random(r, rows)
		changed, err := render.Photograph(f, render.Scene{Seed: uint64(i), Plate: other, Light: light})
		require.NoError(t, err)
		require.NotEqual(t, photo.JPEG, changed.JPEG)
	}
}

// spread is the 10th and 90th percentile of the grey values in a box.
func spread(img image.Image, b image.Rectangle) (dark, bright float64) {
	var v []float64
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			v = append(v, float64(color.GrayModel.Convert(img.At(x, y)).(color.Gray).Y))
		}
	}
	slices.Sort(v)
	return v[len(v)/10], v[len(v)*9/10]
}

func TestADirtyLensSoftensThePicture(t *testing.T) {
	f := fonts(t)
	s := render.Scene{Seed: 3, Plate: plate.Random(rand.New(rand.NewPCG(1, 1)), 1), Light: render.Day}
	edges := func(s render.Scene) float64 {
		photo, err := render.Photograph(f, s)
		require.NoError(t, err)
		img, err := jpeg.Decode(bytes.NewReader(photo.JPEG))
		require.NoError(t, err)
		var sum float64
		for y := photo.Box.Min.Y; y < photo.Box.Max.Y; y++ {
			for x := photo.Box.Min.X; x < photo.Box.Max.X; x++ {
				a, b := color.GrayModel.Convert(img.At(x, y)).(color.Gray).Y, color.GrayModel.Convert(img.At(x+1, y)).(color.Gray).Y
				sum += math.Abs(float64(a) - float64(b))
			}
		}
		return sum
	}
	clean := edges(s)
	s.Dirty = true
	require.Less(t, edges(s), 0.6*clean)
}

// mean and variance of a column range.
func stats(img *image.Gray16, x0, x1 int) (mean, variance float64) {
	n := 0.0
	for y := range img.Rect.Dy() {
		for x := x0; x < x1; x++ {
			v := float64(img.Gray16At(x, y).Y)
			mean, variance, n = mean+v, variance+v*v, n+1
		}
	}
	mean /= n
	return mean, variance/n - mean*mean
}

// A step wedge shows the transmission that the material's tabled coefficient
// gives. The coefficients here are NIST's at 2 MeV, typed in by themselves.
func TestTransmissionOfKnownThickness(t *testing.T) {
	const width = 200
	cases := map[string]struct{ mu, density float64 }{
		"water": {0.04942, 1}, "steel": {0.04265, 7.87}, "lead": {0.04606, 11.35}, "aluminium": {0.04324, 2.7},
	}
	for name, c := range cases {
		m, ok := render.Materials()[name]
		require.True(t, ok)
		// Thicknesses for one, two and three half-values and one mean free path.
		half := math.Ln2 / (c.mu * c.density)
		cm := []float64{half, 2 * half, 3 * half, half / math.Ln2}
		img := render.Phantom(1, m, width, cm...)
		air, noise := stats(img, 20, width-20)
		require.InEpsilon(t, render.AirLevel, air, 0.01, "%s: open beam", name)
		// Poisson noise of 20,000 photons is 0.71 %; dose and gain add 0.5 %.
		require.InDelta(t, 0.0085, math.Sqrt(noise)/air, 0.0025, name)
		for i, want := range []float64{0.5, 0.25, 0.125, 1 / math.E} {
			got, _ := stats(img, width*(i+1)+20, width*(i+2)-20)
			require.InEpsilon(t, want, got/air, 0.02, "%s, %.2f cm", name, cm[i])
		}
	}
}

func scan(t *testing.T, c render.Cargo, share float64) (*image.Gray16, render.Scan) {
	t.Helper()
	s, err := render.XRay(c, share, false)
	require.NoError(t, err)
	img, err := png.Decode(bytes.NewReader(s.High))
	require.NoError(t, err)
	grey, ok := img.(*image.Gray16)
	require.True(t, ok, "16 bit grey")
	require.Equal(t, s.Size.Size(), grey.Rect.Size())
	return grey, s
}

func region(img *image.Gray16, b image.Rectangle) float64 {
	sum := 0.0
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			sum += float64(img.Gray16At(x, y).Y)
		}
	}
	return sum / float64(b.Dx()*b.Dy())
}

func TestThreatsDarkenTheirBox(t *testing.T) {
	for _, threat := range render.Threats() {
		for seed := range uint64(1) {
			c := render.Cargo{Seed: seed, Layout: render.Semi, Load: render.Boxes}
			clean, truth := scan(t, c, 1)
			require.Empty(t, truth.Boxes)
			c.Threat = threat
			img, truth := scan(t, c, 1)
			require.NotEmpty(t, truth.Boxes)
			for _, b := range truth.Boxes {
				require.True(t, b.In(truth.Size))
				require.Less(t, region(img, b), 0.9*region(clean, b), "%s in %v", threat, b)
			}
		}
	}
}

func TestLoadsAndTheirState(t *testing.T) {
	for _, layout := range []string{render.Rigid, render.Semi} {
		for seed := range uint64(1) {
			_, empty := scan(t, render.Cargo{Seed: seed, Layout: layout, Load: render.Empty}, 1)
			require.Equal(t, "empty", empty.State)
			require.Zero(t, empty.Fill)
			for _, load := range []string{render.Boxes, render.Sacks, render.Fruit} {
				_, full := scan(t, render.Cargo{Seed: seed, Layout: layout, Load: load}, 1)
				require.NotEqual(t, "empty", full.State, load)
				require.Greater(t, full.Fill, 0.3, load)
			}
		}
	}
}

func TestSeedDecidesTheScan(t *testing.T) {
	c := render.Cargo{Seed: 8, Layout: render.Rigid, Load: render.Mixed}
	a, err := render.XRay(c, 1, true)
	require.NoError(t, err)
	b, err := render.XRay(c, 1, true)
	require.NoError(t, err)
	require.Equal(t, a, b)
	require.NotEqual(t, a.High, a.Low)
	c.Seed++
	other, err := render.XRay(c, 1, false)
	require.NoError(t, err)
	require.NotEqual(t, a.High, other.High)
}

func TestACutScanIsShorter(t *testing.T) {
	c := render.Cargo{Seed: 2, Layout: render.Semi, Load: render.Boxes, Threat: render.Block}
	_, whole := scan(t, c, 1)
	_, cut := scan(t, c, 0.3)
	require.InDelta(t, 0.3, float64(cut.Size.Dx())/float64(whole.Size.Dx()), 0.01)
	require.Empty(t, cut.Boxes, "what was not scanned is not in the truth of the image")
}

func BenchmarkPhotograph(b *testing.B) {
	f, err := render.LoadFonts()
	require.NoError(b, err)
	p := plate.Random(rand.New(rand.NewPCG(1, 1)), 1)
	for i := 0; b.Loop(); i++ {
		_, err := render.Photograph(f, render.Scene{Seed: uint64(i), Plate: p, Light: render.Day})
		require.NoError(b, err)
	}
}

func BenchmarkXRay(b *testing.B) {
	for i := 0; b.Loop(); i++ {
		_, err := render.XRay(render.Cargo{Seed: uint64(i), Layout: render.Semi, Load: render.Boxes}, 1, false)
		require.NoError(b, err)
	}
}

func TestBagsHideTheirThreatWhereTheySay(t *testing.T) {
	for i, threat := range []string{render.BagPistol, render.BagKnife, render.BagPistol, render.BagKnife} {
		b := render.Bag{Seed: uint64(i), Kind: render.Bags()[i%3]}
		clean, err := render.XRayBag(b, 1)
		require.NoError(t, err)
		require.Empty(t, clean.Boxes)
		b.Threat = threat
		hidden, err := render.XRayBag(b, 1)
		require.NoError(t, err)
		require.Len(t, hidden.Boxes, 1)
		require.Equal(t, clean.Size, hidden.Size, "the same bag around it")
		require.Less(t, region(gray16(t, hidden.High), hidden.Boxes[0]), 0.97*region(gray16(t, clean.High), hidden.Boxes[0]))
	}
}

func gray16(t *testing.T, data []byte) *image.Gray16 {
	t.Helper()
	img, err := png.Decode(bytes.NewReader(data))
	require.NoError(t, err)
	g, ok := img.(*image.Gray16)
	require.True(t, ok)
	return g
}

func TestTheRearBearsAPlate(t *testing.T) {
	pl, err := plate.Parse("98C-204.17", 1, plate.Yellow)
	require.NoError(t, err)
	f := fonts(t)
	front, err := render.Photograph(f, render.Scene{Seed: 4, Plate: pl, Light: render.Day})
	require.NoError(t, err)
	rear, err := render.Photograph(f, render.Scene{Seed: 4, Plate: pl, Light: render.Day, Rear: true})
	require.NoError(t, err)
	require.NotEqual(t, front.JPEG, rear.JPEG)
	img, err := jpeg.Decode(bytes.NewReader(rear.JPEG))
	require.NoError(t, err)
	dark, bright := spread(img, rear.Box)
	require.Greater(t, bright-dark, 40.0)
}
