package browsertest

import (
	"bytes"
	"cmp"
	"context"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// maxScreen bounds a screenshot that is kept as documentation, in bytes.
const maxScreen = 150_000

// Screen keeps a screenshot of the page as documentation in the folder screens
// of the console, when UPDATE_SCREENSHOTS is set.
func Screen(t testing.TB, browser context.Context, name string) {
	t.Helper()
	Shot(t, browser, name)
	if os.Getenv("UPDATE_SCREENSHOTS") == "" {
		return
	}
	data, err := chromedp.Run(browser, chromedp.CaptureScreenshot())
	require.NoError(t, err)
	img, err := png.Decode(bytes.NewReader(data))
	require.NoError(t, err)
	var out bytes.Buffer
	require.NoError(t, (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&out, paletted(img)))
	require.Less(t, out.Len(), maxScreen, name)
	_, here, _, _ := runtime.Caller(0)
	dir := filepath.Join(filepath.Dir(here), "..", "screens")
	require.NoError(t, os.MkdirAll(dir, 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(dir, name+".png"), out.Bytes(), 0o644))
}

// bucket is a range of colours of 5 bits a channel, with their sum.
type bucket struct{ n, r, g, b int }

func keyOf(c color.NRGBA) int { return int(c.R>>3)<<10 | int(c.G>>3)<<5 | int(c.B>>3) }

// paletted draws a picture with its 256 commonest colours.
func paletted(img image.Image) *image.Paletted {
	bounds := img.Bounds()
	at := func(x, y int) color.NRGBA {
		c, _ := color.NRGBAModel.Convert(img.At(x, y)).(color.NRGBA)
		return c
	}
	buckets := map[int]*bucket{}
	for y := bounds.Min.Y; y < bounds.Max.Y; y++ {
		for x := bounds.Min.X; x < bounds.Max.X; x++ {
			c := at(x, y)
			k := buckets[keyOf(c)]
			if k == nil {
				k = &bucket{}
				buckets[keyOf(c)] = k
			}
			k.n, k.r, k.g, k.b = k.n+1, k.r+int(c.R), k.g+int(c.G), k.b+int(c.B)
		}
	}
	list := make([]*bucket, 0, len(buckets))
	for _, k := range buckets {
		list = append(list, k)
	}
	slices.SortFunc(list, func(a, b *bucket) int {
		return cmp.Or(cmp.Compare(b.n, a.n), cmp.Compare(a.r, b.r), cmp.Compare(a.g, b.g), cmp.Compare(a.b, b.b))
	})
	var colours color.Palette
	for _, k := range list[:min(256, len(list))] {
		colours = append(colours, color.NRGBA{uint8(k.r / k.n), uint8(k.g / k.n), uint8(k.b / k.n), 255})
	}
	out := image.NewPaletted(bounds, colours)
	nearest := map[int]uint8{}
	for y := bounds.Min.Y; y < bounds.Max.Y; y++ {
		for x := bounds.Min.X; x < bounds.Max.X; x++ {
			c := at(x, y)
			i, ok := nearest[keyOf(c)]
			if !ok {
				i = uint8(colours.Index(c))
				nearest[keyOf(c)] = i
			}
			out.SetColorIndex(x, y, i)
		}
	}
	return out
}
