package render

import (
	"errors"
	"fmt"
	"image"
	"math"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/image/draw"
	"golang.org/x/image/font"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
)

// ErrNoFont says that no usable font is installed.
var ErrNoFont = errors.New("no font to paint plates with; install one: apt-get install fonts-dejavu-core fonts-liberation")

// Fonts are the typefaces that plates and lettering are painted with.
type Fonts struct {
	plates []*sfnt.Font // bold and narrow
	signs  *sfnt.Font   // has Vietnamese letters
	han    *sfnt.Font   // has Chinese characters; nil when none is installed
}

const fontRoot = "/usr/share/fonts/truetype"

// LoadFonts reads the fonts of Debian's fonts-dejavu and fonts-liberation
// packages, and a Chinese one if there is one.
func LoadFonts() (*Fonts, error) { return LoadFontsFrom(fontRoot) }

// LoadFontsFrom is LoadFonts with another folder.
func LoadFontsFrom(root string) (*Fonts, error) {
	f := &Fonts{}
	for _, name := range []string{"liberation/LiberationSansNarrow-Bold.ttf", "dejavu/DejaVuSansCondensed-Bold.ttf", "dejavu/DejaVuSans-Bold.ttf", "liberation/LiberationSans-Bold.ttf"} {
		parsed, err := loadFont(filepath.Join(root, name))
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		// The wide ones only serve when no narrow one is there.
		if len(f.plates) < 2 {
			f.plates = append(f.plates, parsed)
		}
		if f.signs == nil || strings.HasPrefix(name, "dejavu") {
			f.signs = parsed
		}
	}
	if len(f.plates) == 0 {
		return nil, fmt.Errorf("%w (looked in %s)", ErrNoFont, root)
	}
	for _, name := range []string{"wqy/wqy-zenhei.ttc", "wqy/wqy-microhei.ttc", "droid/DroidSansFallbackFull.ttf", "arphic/uming.ttc"} {
		if parsed, err := loadFont(filepath.Join(root, name)); err == nil {
			f.han = parsed
			break
		}
	}
	return f, nil
}

// Chinese says whether Chinese plates can be painted.
func (f *Fonts) Chinese() bool { return f.han != nil }

func loadFont(path string) (*sfnt.Font, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read font: %w", err)
	}
	collection, err := opentype.ParseCollection(data) // takes single fonts too
	if err != nil {
		return nil, fmt.Errorf("read font %s: %w", path, err)
	}
	parsed, err := collection.Font(0)
	if err != nil {
		return nil, fmt.Errorf("read font %s: %w", path, err)
	}
	return parsed, nil
}

// lettering is a line of text as a mask that fits its ink exactly; each letter
// comes from the first font that has it.
func lettering(text string, size float64, fonts ...*sfnt.Font) (*image.Alpha, error) {
	faces := make([]font.Face, 0, len(fonts))
	defer func() {
		for _, f := range faces {
			_ = f.Close() // nothing is written
		}
	}()
	var known []*sfnt.Font
	for _, f := range fonts {
		if f == nil {
			continue
		}
		face, err := opentype.NewFace(f, &opentype.FaceOptions{Size: size, DPI: 72, Hinting: font.HintingNone})
		if err != nil {
			return nil, fmt.Errorf("make a face: %w", err)
		}
		faces, known = append(faces, face), append(known, f)
	}
	width := int(math.Ceil(size * 1.3 * float64(len([]rune(text))+1)))
	canvas := image.NewAlpha(image.Rect(0, 0, width, int(2.5*size)))
	pen := fixed.P(int(size/2), int(1.8*size))
	var buf sfnt.Buffer
	for _, r := range text {
		pick := 0
		for i, f := range known {
			if g, err := f.GlyphIndex(&buf, r); err == nil && g != 0 {
				pick = i
				break
			}
		}
		d := font.Drawer{Dst: canvas, Src: image.Opaque, Face: faces[pick], Dot: pen}
		d.DrawString(string(r))
		pen = d.Dot
	}
	return canvas.SubImage(ink(canvas)).(*image.Alpha), nil
}

// ink is the smallest rectangle around what is drawn.
func ink(m *image.Alpha) image.Rectangle {
	box := image.Rectangle{}
	for y := m.Rect.Min.Y; y < m.Rect.Max.Y; y++ {
		for x := m.Rect.Min.X; x < m.Rect.Max.X; x++ {
			if m.AlphaAt(x, y).A > 16 {
				box = box.Union(image.Rect(x, y, x+1, y+1))
			}
		}
	}
	return box
}

// fit is the mask scaled to exactly w by h.
func fit(m *image.Alpha, w, h int) *image.Alpha {
	out := image.NewAlpha(image.Rect(0, 0, w, h))
	draw.CatmullRom.Scale(out, out.Rect, m, m.Bounds(), draw.Src, nil)
	return out
}
