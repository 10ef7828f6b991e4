package picture_test

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/color"
	"image/color/palette"
	"image/draw"
	"image/jpeg"
	"image/png"
	"testing"

	"github.com/stretchr/testify/require"
	"gocv.io/x/gocv"
	"golang.org/x/image/bmp"
	"golang.org/x/image/tiff"

	"gatehouse/internal/vision/picture"
	"gatehouse/internal/vision/wire"
)

// copied is the scene in another colour model.
func copied[M draw.Image](into M) M {
	draw.Draw(into, into.Bounds(), scene(into.Bounds().Dx(), into.Bounds().Dy()), image.Point{}, draw.Src)
	return into
}

func pngOf(t *testing.T, m image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, png.Encode(&b, m))
	return b.Bytes()
}

func bmpOf(t *testing.T, m image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, bmp.Encode(&b, m))
	return b.Bytes()
}

func tiffOf(t *testing.T, m image.Image, o *tiff.Options) []byte {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, tiff.Encode(&b, m, o))
	return b.Bytes()
}

func jpegOf(t *testing.T, m image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, jpeg.Encode(&b, m, &jpeg.Options{Quality: 92}))
	return b.Bytes()
}

// byOpenCV encodes the scene with what the Go libraries cannot write.
func byOpenCV(t *testing.T, ext gocv.FileExt, alpha bool, params ...int) []byte {
	t.Helper()
	mat, err := gocv.ImageToMatRGB(scene(80, 48))
	require.NoError(t, err)
	defer mat.Close()
	if alpha {
		gocv.CvtColor(mat, &mat, gocv.ColorBGRToBGRA)
	}
	buf, err := gocv.IMEncodeWithParams(ext, mat, params)
	require.NoError(t, err)
	defer buf.Close()
	return bytes.Clone(buf.GetBytes())
}

// sheer is the scene with an alpha channel: opaque at the left, half
// transparent at the right.
func sheer[M draw.Image](m M) M {
	copied(m)
	for y := range m.Bounds().Dy() {
		for x := m.Bounds().Dx() / 2; x < m.Bounds().Dx(); x++ {
			m.Set(x, y, color.NRGBA{R: 20, G: 60, B: 200, A: 128})
		}
	}
	return m
}

// stripTIFF is an uncompressed RGB TIFF, by hand, in strips of so many rows and
// with 8 or 16 bit a sample.
func stripTIFF(m *image.RGBA, rows, bits int, order binary.AppendByteOrder, mark string) []byte {
	w, h := m.Rect.Dx(), m.Rect.Dy()
	strips := (h + rows - 1) / rows
	row := w * 3 * bits / 8
	const tags = 10
	bitsAt := 8 + 2 + 12*tags + 4
	offsetsAt := bitsAt + 6
	countsAt := offsetsAt + 4*strips
	dataAt := countsAt + 4*strips
	b := order.AppendUint32(order.AppendUint16([]byte(mark), 42), 8)
	b = order.AppendUint16(b, tags)
	tag := func(id, kind uint16, count, value int) {
		b = order.AppendUint16(order.AppendUint16(b, id), kind)
		b = order.AppendUint32(b, uint32(count))
		if kind == 3 && count == 1 {
			b = order.AppendUint16(order.AppendUint16(b, uint16(value)), 0)
		} else {
			b = order.AppendUint32(b, uint32(value))
		}
	}
	tag(256, 4, 1, w)
	tag(257, 4, 1, h)
	tag(258, 3, 3, bitsAt)
	tag(259, 3, 1, 1)
	tag(262, 3, 1, 2)
	tag(273, 4, strips, offsetsAt)
	tag(277, 3, 1, 3)
	tag(278, 4, 1, rows)
	tag(279, 4, strips, countsAt)
	tag(284, 3, 1, 1)
	b = order.AppendUint32(b, 0)
	for range 3 {
		b = order.AppendUint16(b, uint16(bits))
	}
	for i := range strips {
		b = order.AppendUint32(b, uint32(dataAt+i*rows*row))
	}
	for i := range strips {
		b = order.AppendUint32(b, uint32(min(rows, h-i*rows)*row))
	}
	for i, v := range m.Pix {
		switch {
		case i%4 == 3:
		case bits == 16:
			b = order.AppendUint16(b, uint16(v)*257)
		default:
			b = append(b, v)
		}
	}
	return b
}

// Whatever a camera, a telephone or an office program writes is the same scene.
func TestAnyImage(t *testing.T) {
	box := image.Rect(0, 0, 80, 48)
	m := scene(80, 48)
	for name, data := range map[string][]byte{
		"PNG 8 bit":              pngOf(t, m),
		"PNG 16 bit":             pngOf(t, copied(image.NewRGBA64(box))),
		"PNG palette":            pngOf(t, copied(image.NewPaletted(box, palette.WebSafe))),
		"PNG alpha":              pngOf(t, sheer(image.NewNRGBA(box))),
		"PNG alpha 16 bit":       pngOf(t, sheer(image.NewNRGBA64(box))),
		"BMP 24 bit":             bmpOf(t, m),
		"BMP palette":            bmpOf(t, copied(image.NewPaletted(box, palette.WebSafe))),
		"BMP alpha":              bmpOf(t, sheer(image.NewNRGBA(box))),
		"WebP":                   byOpenCV(t, ".webp", false, gocv.IMWriteWebpQuality, 90),
		"WebP lossless":          byOpenCV(t, ".webp", false, gocv.IMWriteWebpQuality, 101),
		"WebP alpha":             byOpenCV(t, ".webp", true, gocv.IMWriteWebpQuality, 90),
		"TIFF deflate":           tiffOf(t, m, &tiff.Options{Compression: tiff.Deflate, Predictor: true}),
		"TIFF 16 bit":            tiffOf(t, copied(image.NewRGBA64(box)), nil),
		"TIFF palette":           tiffOf(t, copied(image.NewPaletted(box, palette.WebSafe)), nil),
		"TIFF LZW":               byOpenCV(t, ".tiff", false, 259, 5), // compression of OpenCV's encoder
		"TIFF strips":            stripTIFF(m, 7, 8, binary.LittleEndian, "II"),
		"TIFF strips of one row": stripTIFF(m, 1, 8, binary.BigEndian, "MM"),
		"TIFF 16-bit strips":     stripTIFF(m, 5, 16, binary.BigEndian, "MM"),
		"JPEG progressive":       byOpenCV(t, ".jpg", false, gocv.IMWriteJpegProgressive, 1),
		"JPEG and more behind":   append(jpegOf(t, m), "what the camera's maker adds"...),
	} {
		t.Run(name, func(t *testing.T) {
			p := open(t, write(t, "wrong.gif", data), picture.Colour)
			require.Equal(t, image.Pt(80, 48), p.Stored)
			require.Equal(t, gocv.MatTypeCV8UC3, p.Mat.Type(), "8-bit colour for the models")
			near(t, white, bgr(p, 5, 5))
			near(t, red, bgr(p, 10, 40))
			near(t, blue, bgr(p, 70, 40))
		})
	}
}

func TestGreyImagesHaveThreeChannels(t *testing.T) {
	box := image.Rect(0, 0, 80, 48)
	for name, data := range map[string][]byte{
		"PNG 8 bit":   pngOf(t, copied(image.NewGray(box))),
		"PNG 16 bit":  pngOf(t, copied(image.NewGray16(box))),
		"JPEG":        jpegOf(t, copied(image.NewGray(box))),
		"BMP":         bmpOf(t, copied(image.NewGray(box))),
		"TIFF 16 bit": tiffOf(t, copied(image.NewGray16(box)), nil),
	} {
		t.Run(name, func(t *testing.T) {
			p := open(t, write(t, "p", data), picture.Colour)
			require.Equal(t, gocv.MatTypeCV8UC3, p.Mat.Type())
			near(t, white, bgr(p, 5, 5))
			require.InDelta(t, 87, bgr(p, 10, 40)[0], 12, "the red half's brightness")
		})
	}
}

// A telephone's photo and a frame of an old recorder.
func TestSizesOfCameras(t *testing.T) {
	for _, size := range []image.Point{{5184, 3888}, {472, 303}} {
		data := withExif(jpegOf(t, scene(size.X, size.Y)), 6, binary.BigEndian, "MM")
		p := open(t, write(t, "p.jpg", data), picture.Colour)
		require.Equal(t, size, p.Stored)
		require.Equal(t, size, image.Pt(p.Mat.Rows(), p.Mat.Cols()), "upright")
		near(t, white, bgr(p, p.Mat.Cols()-5, 5))
		near(t, blue, bgr(p, 5, p.Mat.Rows()-5))
	}
}

// bomb puts a size into the header of a small sound file.
func bomb(data []byte, at int, put func([]byte, uint32), w, h uint32) []byte {
	out := bytes.Clone(data)
	put(out[at:], w)
	put(out[at+4:], h)
	return out
}

// The sizes that a header says are looked at before anything is decoded: these
// files have no such pixels, and decoding them would say so instead.
func TestBombsOfEveryFormat(t *testing.T) {
	frame := bytes.Index(encoded(t, "jpeg", 80, 48), []byte{0xff, 0xc0}) // ITU-T T.81 B.2.2
	jpegBomb := encoded(t, "jpeg", 80, 48)
	binary.BigEndian.PutUint16(jpegBomb[frame+5:], 60000)
	binary.BigEndian.PutUint16(jpegBomb[frame+7:], 60000)
	tiffBomb := stripTIFF(scene(80, 48), 48, 8, binary.LittleEndian, "II")
	binary.LittleEndian.PutUint32(tiffBomb[8+2+8:], 50000)
	binary.LittleEndian.PutUint32(tiffBomb[8+2+12+8:], 50000)
	// RIFF container with a VP8X chunk: canvas of 16384x16384, in 24 bits less one.
	webpBomb := append([]byte("RIFF\x16\x00\x00\x00WEBPVP8X\x0a\x00\x00\x00\x10\x00\x00\x00"), 0xff, 0x3f, 0, 0xff, 0x3f, 0)
	for name, data := range map[string][]byte{
		"JPEG": jpegBomb,
		"PNG":  hugePNG(t, 60000, 60000),
		"TIFF": tiffBomb,
		"BMP":  bomb(encoded(t, "bmp", 80, 48), 18, binary.LittleEndian.PutUint32, 50000, 50000),
		"WebP": webpBomb,
	} {
		t.Run(name, func(t *testing.T) {
			_, err := picture.Open(write(t, "b", data), picture.Colour, picture.DefaultLimits())
			var e *wire.Error
			require.ErrorAs(t, err, &e)
			require.Equal(t, wire.TooManyPixels, e.Code, e.Message)
			require.Contains(t, e.Message, "60000000 pixels", "what is allowed")
		})
	}
}

// A picture that is cut off anywhere is an error and never half a picture.
func TestCutAnywhere(t *testing.T) {
	for _, format := range []string{"jpeg", "png", "tiff", "bmp", "webp"} {
		data := encoded(t, format, 80, 48)
		if format == "tiff" { // with the pixels behind the directory, so that a cut is one of pixels
			data = stripTIFF(scene(80, 48), 7, 8, binary.LittleEndian, "II")
		}
		for _, share := range []float64{0.05, 0.3, 0.6, 0.9, 0.98} {
			_, err := picture.Decode(data[:int(share*float64(len(data)))], picture.Colour, picture.DefaultLimits())
			var e *wire.Error
			require.ErrorAs(t, err, &e, "%s, %.0f %%", format, 100*share)
			require.NotEmpty(t, e.Message)
		}
	}
}
