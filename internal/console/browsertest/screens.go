package browsertest

import (
	"bytes"
	"cmp"
	"context"
	"image"
	"image/color"
	"image/png"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
	"golang.org/x/image/draw"
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
	keep(t, capture(t, browser), name, maxScreen)
}

func capture(t testing.TB, browser context.Context) image.Image {
	t.Helper()
	data, err := chromedp.Run(browser, chromedp.CaptureScreenshot())
	require.NoError(t, err)
	img, err := png.Decode(bytes.NewReader(data))
	require.NoError(t, err)
	return img
}

// keep writes a picture into the folder screens of the console.
func keep(t testing.TB, img image.Image, name string, limit int) {
	t.Helper()
	var out bytes.Buffer
	require.NoError(t, (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&out, paletted(img)))
	require.Less(t, out.Len(), limit, name)
	_, here, _, _ := runtime.Caller(0)
	dir := filepath.Join(filepath.Dir(here), "..", "screens")
	require.NoError(t, os.MkdirAll(dir, 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(dir, name+".png"), out.Bytes(), 0o644))
}

// Sheet is a picture of several windows, half as large, in rows and columns.
type Sheet struct {
	mu    sync.Mutex
	cells map[image.Point]image.Image
}

// maxSheet bounds a sheet that is kept as documentation, in bytes.
const maxSheet = 400_000

// Put takes a window's picture into the sheet, when UPDATE_SCREENSHOTS is set.
func (s *Sheet) Put(t testing.TB, browser context.Context, row, column int) {
	t.Helper()
	if os.Getenv("UPDATE_SCREENSHOTS") == "" {
		return
	}
	img := capture(t, browser)
	half := image.NewRGBA(image.Rect(0, 0, img.Bounds().Dx()/2, img.Bounds().Dy()/2))
	draw.CatmullRom.Scale(half, half.Bounds(), img, img.Bounds(), draw.Src, nil)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cells == nil {
		s.cells = map[image.Point]image.Image{}
	}
	s.cells[image.Pt(column, row)] = half
}

// Keep writes the sheet into the folder screens of the console. Rows without a
// window are left out.
func (s *Sheet) Keep(t testing.TB, name string) {
	t.Helper()
	rows := map[int]int{} // as they were put in -> as they are drawn
	var size, cell image.Point
	for _, at := range slices.SortedFunc(maps.Keys(s.cells), func(a, b image.Point) int { return cmp.Compare(a.Y, b.Y) }) {
		if _, ok := rows[at.Y]; !ok {
			rows[at.Y] = len(rows)
		}
		cell = s.cells[at].Bounds().Size().Add(image.Pt(4, 4))
		size = image.Pt(max(size.X, (at.X+1)*cell.X), len(rows)*cell.Y)
	}
	if len(rows) == 0 {
		return
	}
	out := image.NewRGBA(image.Rectangle{Max: size.Sub(image.Pt(4, 4))})
	for at, img := range s.cells {
		draw.Copy(out, image.Pt(at.X*cell.X, rows[at.Y]*cell.Y), img, img.Bounds(), draw.Src, nil)
	}
	keep(t, out, name, maxSheet)
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
