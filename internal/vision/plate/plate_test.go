package plate_test

import (
	"bytes"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"testing"

	"github.com/stretchr/testify/require"

	"gatehouse/internal/vision/picture"
	"gatehouse/internal/vision/plate"
	"gatehouse/internal/vision/visiontest"
	"gatehouse/internal/vision/wire"
)

func tiny(t *testing.T) *plate.Analyser {
	t.Helper()
	a, err := plate.New(visiontest.Start(t), visiontest.TinyModels(), rules(t))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, a.Close()) })
	return a
}

// paint is a dark picture with white rectangles, which the tiny detector takes
// for plates.
func paint(t *testing.T, w, h int, plates ...image.Rectangle) *picture.Picture {
	t.Helper()
	m := image.NewRGBA(image.Rect(0, 0, w, h))
	draw.Draw(m, m.Rect, image.NewUniform(color.RGBA{R: 30, G: 30, B: 30, A: 255}), image.Point{}, draw.Src)
	for _, r := range plates {
		draw.Draw(m, r, image.White, image.Point{}, draw.Src)
	}
	var b bytes.Buffer
	require.NoError(t, png.Encode(&b, m))
	p, err := picture.Decode(b.Bytes(), picture.Colour, picture.DefaultLimits())
	require.NoError(t, err)
	t.Cleanup(p.Close)
	return p
}

func centre(b wire.Box) image.Point { return image.Pt(b[0]+b[2]/2, b[1]+b[3]/2) }

// Boxes come back in pixels of the picture, whatever was scaled and padded.
func TestPlaces(t *testing.T) {
	a := tiny(t)
	for _, size := range []image.Point{{640, 480}, {472, 303}, {1920, 1080}, {400, 644}, {300, 200}, {641, 77}} {
		spot := image.Rect(0, 0, size.X/40, size.X/40).Add(image.Pt(size.X/2, size.Y/2))
		got, err := a.Analyse(paint(t, size.X, size.Y, spot))
		require.NoError(t, err)
		require.Len(t, got.Plates, 1, "%v", size)
		c := centre(got.Plates[0].Box)
		require.InDelta(t, spot.Min.X+spot.Dx()/2, c.X, float64(size.X)/40, "%v", size)
		if size.Y > 100 { // else the plate is cut by the edges
			require.InDelta(t, spot.Min.Y+spot.Dy()/2, c.Y, float64(size.X)/40, "%v", size)
		}
	}
}

func TestSeveralAndNone(t *testing.T) {
	a := tiny(t)
	got, err := a.Analyse(paint(t, 640, 480, image.Rect(96, 96, 112, 112), image.Rect(480, 352, 496, 368)))
	require.NoError(t, err)
	require.Len(t, got.Plates, 2)

	got, err = a.Analyse(paint(t, 640, 480))
	require.NoError(t, err)
	require.NotNil(t, got.Plates, "an empty list in JSON, not null")
	require.Empty(t, got.Plates)
}

// The tiny reader is the surer the brighter: the same text is given out or held
// back by its score alone.
func TestWeakReadingHasNoText(t *testing.T) {
	a := tiny(t)
	strong, err := a.Analyse(paint(t, 640, 480, image.Rect(200, 200, 424, 264)))
	require.NoError(t, err)
	require.NotEmpty(t, strong.Plates)
	require.Equal(t, "12C12345", strong.Plates[0].Text)
	require.Equal(t, "12C-123.45", strong.Plates[0].Display)
	require.Equal(t, "car", strong.Plates[0].Kind)
	require.Greater(t, strong.Plates[0].Score, 0.9)

	weak, err := a.Analyse(paint(t, 640, 480, image.Rect(200, 200, 216, 216)))
	require.NoError(t, err)
	require.Len(t, weak.Plates, 1)
	one := weak.Plates[0]
	require.Empty(t, one.Text)
	require.Empty(t, one.Display)
	require.Less(t, one.Score, 0.5)
}

func TestMissingModel(t *testing.T) {
	rt := visiontest.Start(t)
	_, err := plate.New(rt, t.TempDir(), rules(t))
	require.ErrorContains(t, err, "manifest")
}
