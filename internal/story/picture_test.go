//go:build story

package story_test

import (
	"bytes"
	"image"
	"image/png"
	"os"
	"path/filepath"

	"github.com/stretchr/testify/require"
	"golang.org/x/image/draw"
)

const (
	// pictureWidth is that of the README's picture in pixels.
	pictureWidth = 1520
	// pictureLimit is how many bytes it may have.
	pictureLimit = 400_000
)

// picture sets two screens side by side, for the README.
func (s *both) picture(left, right image.Image) {
	w := pictureWidth / 2
	h := left.Bounds().Dy() * w / left.Bounds().Dx()
	out := image.NewRGBA(image.Rect(0, 0, pictureWidth, h))
	draw.CatmullRom.Scale(out, image.Rect(0, 0, w, h), left, left.Bounds(), draw.Src, nil)
	draw.CatmullRom.Scale(out, image.Rect(w, 0, pictureWidth, h), right, right.Bounds(), draw.Src, nil)
	var data bytes.Buffer
	require.NoError(s.t, (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&data, out))
	require.Less(s.t, data.Len(), pictureLimit, "the picture is too large for a README")
	path := filepath.Join(s.root, "deploy", "demo", "consoles.png")
	require.NoError(s.t, os.WriteFile(path, data.Bytes(), 0o644))
	s.say("%s has %d bytes", path, data.Len())
}
