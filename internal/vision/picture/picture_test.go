package picture_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"image"
	"image/color"
	"image/draw"
	"image/jpeg"
	"image/png"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"gocv.io/x/gocv"
	"golang.org/x/image/bmp"
	"golang.org/x/image/tiff"
	"golang.org/x/sys/unix"

	"gatehouse/internal/vision/picture"
	"gatehouse/internal/vision/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// scene is red at the left and blue at the right, with white in the top left
// corner, so that no turn of it looks like another.
func scene(w, h int) *image.RGBA {
	m := image.NewRGBA(image.Rect(0, 0, w, h))
	part := func(r image.Rectangle, c color.RGBA) { draw.Draw(m, r, image.NewUniform(c), image.Point{}, draw.Src) }
	part(m.Rect, color.RGBA{R: 200, G: 40, B: 30, A: 255})
	part(image.Rect(w/2, 0, w, h), color.RGBA{R: 20, G: 60, B: 200, A: 255})
	part(image.Rect(0, 0, w/4, h/4), color.RGBA{R: 250, G: 250, B: 250, A: 255})
	return m
}

func encoded(t *testing.T, format string, w, h int) []byte {
	t.Helper()
	var b bytes.Buffer
	m := scene(w, h)
	switch format {
	case "jpeg":
		require.NoError(t, jpeg.Encode(&b, m, &jpeg.Options{Quality: 95}))
	case "png":
		require.NoError(t, png.Encode(&b, m))
	case "tiff":
		require.NoError(t, tiff.Encode(&b, m, &tiff.Options{Compression: tiff.Deflate}))
	case "bmp":
		require.NoError(t, bmp.Encode(&b, m))
	case "webp":
		mat, err := gocv.ImageToMatRGB(m)
		require.NoError(t, err)
		defer mat.Close()
		buf, err := gocv.IMEncode(".webp", mat)
		require.NoError(t, err)
		defer buf.Close()
		b.Write(buf.GetBytes())
	}
	return b.Bytes()
}

func write(t *testing.T, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(path, data, 0o600))
	return path
}

func open(t *testing.T, path string, mode picture.Mode) *picture.Picture {
	t.Helper()
	p, err := picture.Open(path, mode, picture.DefaultLimits())
	require.NoError(t, err)
	t.Cleanup(p.Close)
	return p
}

// bgr is a pixel of a Colour picture.
func bgr(p *picture.Picture, x, y int) [3]int {
	v := p.Mat.GetVecbAt(y, x)
	return [3]int{int(v[0]), int(v[1]), int(v[2])}
}

func near(t *testing.T, want, got [3]int) {
	t.Helper()
	for i := range want {
		require.InDelta(t, want[i], got[i], 40, "want %v, got %v", want, got)
	}
}

var (
	red   = [3]int{30, 40, 200}
	blue  = [3]int{200, 60, 20}
	white = [3]int{250, 250, 250}
)

// The name of a file means nothing: every format opens under a wrong one.
func TestFormats(t *testing.T) {
	for _, format := range []string{"jpeg", "png", "tiff", "bmp", "webp"} {
		t.Run(format, func(t *testing.T) {
			p := open(t, write(t, "picture.txt", encoded(t, format, 80, 48)), picture.Colour)
			require.Equal(t, format, p.Format)
			require.Equal(t, image.Pt(80, 48), p.Stored)
			near(t, white, bgr(p, 5, 5))
			near(t, red, bgr(p, 10, 40))
			near(t, blue, bgr(p, 70, 40))
		})
	}
	for _, name := range []string{"cmyk.jpg", "progressive.jpg"} {
		t.Run(name, func(t *testing.T) {
			p := open(t, filepath.Join("testdata", name), picture.Colour)
			near(t, red, bgr(p, 5, 20))
			near(t, blue, bgr(p, 40, 20))
		})
	}
}

func TestRawKeepsSixteenBit(t *testing.T) {
	m := image.NewGray16(image.Rect(0, 0, 20, 10))
	m.SetGray16(3, 4, color.Gray16{Y: 12345})
	var p, f bytes.Buffer
	require.NoError(t, png.Encode(&p, m))
	require.NoError(t, tiff.Encode(&f, m, nil))
	for name, data := range map[string][]byte{"png": p.Bytes(), "tiff": f.Bytes()} {
		got := open(t, write(t, name, data), picture.Raw)
		require.Equal(t, gocv.MatTypeCV16U, got.Mat.Type(), name)
		pixels, err := got.Mat.DataPtrUint16()
		require.NoError(t, err)
		require.Equal(t, uint16(12345), pixels[4*20+3], name)
		require.False(t, got.Colour)
	}
}

// withExif puts an EXIF segment with the orientation behind the start marker.
func withExif(data []byte, turn uint16, order binary.AppendByteOrder, mark string) []byte {
	block := append([]byte("Exif\x00\x00"), mark...)
	block = order.AppendUint16(block, 42)
	block = order.AppendUint32(block, 8)
	block = order.AppendUint16(block, 2)
	for _, tag := range []struct{ id, value uint16 }{{0x0100, 7}, {0x0112, turn}} {
		block = order.AppendUint16(block, tag.id)
		block = order.AppendUint16(block, 3)
		block = order.AppendUint32(block, 1)
		block = order.AppendUint16(block, tag.value)
		block = order.AppendUint16(block, 0)
	}
	block = order.AppendUint32(block, 0)
	block = append(block, 0xff, 0xd8, 0xff, 0xd9) // as of a thumbnail
	out := append([]byte{0xff, 0xd8, 0xff, 0xe1}, binary.BigEndian.AppendUint16(nil, uint16(len(block)+2))...)
	return append(append(out, block...), data[2:]...)
}

// turnedTIFF is an uncompressed grey TIFF with an orientation, by hand.
func turnedTIFF(turn uint16, m *image.Gray) []byte {
	w, h := m.Rect.Dx(), m.Rect.Dy()
	le := binary.LittleEndian
	b := []byte("II*\x00\x08\x00\x00\x00")
	tags := [][3]uint32{
		{256, 4, uint32(w)}, {257, 4, uint32(h)}, {258, 3, 8}, {259, 3, 1}, {262, 3, 1},
		{273, 4, 0}, {274, 3, uint32(turn)}, {277, 3, 1}, {278, 4, uint32(h)}, {279, 4, uint32(w * h)},
	}
	tags[5][2] = uint32(8 + 2 + 12*len(tags) + 4)
	b = le.AppendUint16(b, uint16(len(tags)))
	for _, tag := range tags {
		b = le.AppendUint16(b, uint16(tag[0]))
		b = le.AppendUint16(b, uint16(tag[1]))
		b = le.AppendUint32(b, 1)
		b = le.AppendUint32(b, tag[2])
	}
	b = le.AppendUint32(b, 0)
	return append(b, m.Pix...)
}

// For each orientation the picture is upright, and a box in it comes back to
// the same pixels of the file as stored.
func TestOrientation(t *testing.T) {
	stored := scene(80, 48)
	for turn := uint16(1); turn <= 8; turn++ {
		files := map[string][]byte{
			"exif-le": withExif(encoded(t, "jpeg", 80, 48), turn, binary.LittleEndian, "II"),
			"exif-be": withExif(encoded(t, "jpeg", 80, 48), turn, binary.BigEndian, "MM"),
		}
		grey := image.NewGray(stored.Rect)
		for i := range grey.Pix {
			c := stored.RGBAAt(i%80, i/80)
			grey.Pix[i] = uint8((int(c.R) + int(c.G) + int(c.B)) / 3)
		}
		files["tiff"] = turnedTIFF(turn, grey)
		for name, data := range files {
			t.Run(fmt.Sprintf("%s-%d", name, turn), func(t *testing.T) {
				p := open(t, write(t, "p", data), picture.Colour)
				require.Equal(t, image.Pt(80, 48), p.Stored)
				want := image.Pt(80, 48)
				if turn > 4 {
					want = image.Pt(48, 80)
				}
				require.Equal(t, want, image.Pt(p.Mat.Cols(), p.Mat.Rows()))
				// The white corner of the stored file is found in the upright picture...
				x, y := brightest(p)
				require.Equal(t, cornerOf(turn), [2]bool{x > want.X/2, y > want.Y/2})
				// ... and its place there is the top left of the file.
				box := p.ToStored(image.Rect(x-4, y-4, x+5, y+5))
				require.Less(t, box[0]+box[2]/2, 20)
				require.Less(t, box[1]+box[3]/2, 12)
			})
		}
	}
}

// cornerOf tells where the stored top left corner belongs, right and low, by
// EXIF 2.3 table 6.
func cornerOf(turn uint16) [2]bool {
	return map[uint16][2]bool{
		1: {false, false}, 2: {true, false}, 3: {true, true}, 4: {false, true},
		5: {false, false}, 6: {true, false}, 7: {true, true}, 8: {false, true},
	}[turn]
}

// brightest is the middle of the white patch.
func brightest(p *picture.Picture) (x, y int) {
	n := 0
	for py := range p.Mat.Rows() {
		for px := range p.Mat.Cols() {
			if v := bgr(p, px, py); v[0] > 230 && v[1] > 230 && v[2] > 230 {
				x, y, n = x+px, y+py, n+1
			}
		}
	}
	return x / max(1, n), y / max(1, n)
}

func TestToStoredClips(t *testing.T) {
	p := open(t, write(t, "p", encoded(t, "png", 80, 48)), picture.Colour)
	require.Equal(t, wire.Box{0, 0, 10, 48}, p.ToStored(image.Rect(-5, -9, 10, 99)))
}

// hugePNG says w x h pixels and has none.
func hugePNG(t *testing.T, w, h uint32) []byte {
	t.Helper()
	data := encoded(t, "png", 8, 8)
	binary.BigEndian.PutUint32(data[16:], w)
	binary.BigEndian.PutUint32(data[20:], h)
	// The header's checksum is not looked at before its size; make it right
	// anyway, so that nothing but the size is wrong.
	binary.BigEndian.PutUint32(data[29:], crc32.ChecksumIEEE(data[12:29]))
	return data
}

func TestRefusals(t *testing.T) {
	jpegData, pngData := encoded(t, "jpeg", 80, 48), encoded(t, "png", 80, 48)
	folder := t.TempDir()
	pipe := filepath.Join(t.TempDir(), "pipe.jpg")
	require.NoError(t, unix.Mkfifo(pipe, 0o600))
	link := filepath.Join(t.TempDir(), "link.png")
	require.NoError(t, os.Symlink(write(t, "p.png", pngData), link))
	thumbnail := withExif(jpegData[:len(jpegData)-40], 1, binary.LittleEndian, "II")

	for name, c := range map[string]struct {
		path string
		code wire.Code
		word string
	}{
		"missing":          {filepath.Join(folder, "no.jpg"), wire.NotRegular, "no such file"},
		"folder":           {folder, wire.NotRegular, "folder"},
		"pipe":             {pipe, wire.NotRegular, "pipe"},
		"link":             {link, wire.NotRegular, "link"},
		"device":           {"/dev/zero", wire.NotRegular, "device"},
		"empty":            {write(t, "e.jpg", nil), wire.Undecodable, "empty"},
		"text":             {write(t, "t.jpg", []byte("not a picture at all")), wire.Unsupported, "no JPEG"},
		"gif":              {write(t, "g.gif", []byte("GIF89a\x01\x00\x01\x00\x00\x00\x00;")), wire.Unsupported, "no JPEG"},
		"cut JPEG":         {write(t, "c.jpg", jpegData[:len(jpegData)-40]), wire.Undecodable, "cut off"},
		"JPEG header only": {write(t, "h.jpg", jpegData[:200]), wire.Undecodable, "jpeg header"},
		"cut in thumbnail": {write(t, "x.jpg", thumbnail), wire.Undecodable, "cut off"},
		"cut PNG":          {write(t, "c.png", pngData[:len(pngData)*2/3]), wire.Undecodable, ""},
		"cut TIFF":         {write(t, "c.tif", encoded(t, "tiff", 80, 48)[:60]), wire.Undecodable, ""},
		"cut BMP":          {write(t, "c.bmp", encoded(t, "bmp", 80, 48)[:900]), wire.Undecodable, ""},
		"cut WebP":         {write(t, "c.webp", encoded(t, "webp", 80, 48)[:60]), wire.Undecodable, ""},
		"200 megapixels":   {write(t, "b.png", hugePNG(t, 20000, 10000)), wire.TooManyPixels, "20000x10000"},
		"long side":        {write(t, "l.png", hugePNG(t, 1<<20, 1)), wire.TooManyPixels, "1048576x1"},
		"overflowing":      {write(t, "o.png", hugePNG(t, 1<<30, 1<<30)), wire.Unsupported, "overflow"},
		"no pixels":        {write(t, "n.png", hugePNG(t, 0, 10)), wire.Undecodable, ""},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := picture.Open(c.path, picture.Colour, picture.DefaultLimits())
			var e *wire.Error
			require.ErrorAs(t, err, &e)
			require.Equal(t, c.code, e.Code, e.Message)
			require.Contains(t, e.Message, c.word)
		})
	}

	small := picture.DefaultLimits()
	small.Bytes = 100
	_, err := picture.Open(write(t, "p.png", pngData), picture.Colour, small)
	require.ErrorContains(t, err, string(wire.TooLarge))
}

// Whatever is done to a file, the answer is a picture or a typed error. A crash
// would end this test.
func FuzzDecode(f *testing.F) {
	t := &testing.T{} // for seeds; nothing below fails it
	for _, format := range []string{"jpeg", "png", "tiff", "bmp", "webp"} {
		f.Add(encoded(t, format, 24, 16))
	}
	limits := picture.Limits{Bytes: 1 << 20, Pixels: 1 << 20, Side: 4096}
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, mode := range []picture.Mode{picture.Colour, picture.Raw} {
			p, err := picture.Decode(data, mode, limits)
			if err != nil {
				var e *wire.Error
				require.ErrorAs(t, err, &e)
				continue
			}
			require.False(t, p.Mat.Empty())
			p.Close()
		}
	})
}
