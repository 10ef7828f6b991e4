package xray_test

import (
	"image"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"gatehouse/internal/vision/visiontest"
	"gatehouse/internal/vision/xray"
)

// TestBaggagePlaces: the tiny model finds what is black; its boxes are in
// pixels of the scan whatever was scaled and padded.
func TestBaggagePlaces(t *testing.T) {
	b, err := xray.NewBaggage(visiontest.Start(t), filepath.Join(visiontest.TinyModels(), xray.BaggageModel))
	require.NoError(t, err)
	defer func() { require.NoError(t, b.Close()) }()
	for _, size := range []image.Point{{640, 480}, {300, 500}, {1400, 700}, {3000, 1000}} {
		s := newScanner(5, size.X, size.Y)
		s.put(image.Rect(size.X/10, size.Y/10, size.X*9/10, size.Y*9/10), 0.5)
		want := image.Rect(0, 0, size.X/5, size.Y/5).Add(image.Pt(size.X/2, size.Y/2))
		s.put(want, 6)
		for _, bits := range []int{8, 16} {
			p := s.picture(t, bits)
			got, err := b.Analyse(p)
			p.Close()
			require.NoError(t, err)
			require.Len(t, got.Findings, 1, "%v", size)
			f := got.Findings[0]
			for i, v := range []int{want.Min.X, want.Min.Y, want.Dx(), want.Dy()} {
				require.InDelta(t, v, f.Box[i], float64(max(size.X, size.Y))/30, "%v: %v", size, f.Box)
			}
			require.Equal(t, "anomaly", f.Class)
			require.Equal(t, "XRAY-ANOMALY", f.Code)
			require.GreaterOrEqual(t, f.Score, 0.5)
			require.GreaterOrEqual(t, got.Score, f.Score)
		}
	}
	s := newScanner(5, 640, 480)
	s.put(image.Rect(100, 100, 500, 400), 0.5)
	p := s.picture(t, 8)
	defer p.Close()
	got, err := b.Analyse(p)
	require.NoError(t, err)
	require.NotNil(t, got.Findings)
	require.Empty(t, got.Findings)
	require.Less(t, got.Score, 0.5)
}
