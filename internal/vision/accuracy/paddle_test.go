//go:build eval

package accuracy_test

import (
	"bufio"
	"image"
	"image/color"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"gocv.io/x/gocv"

	"gatehouse/internal/vision/model"
	"gatehouse/internal/vision/picture"
	"gatehouse/internal/vision/visiontest"
)

// Settings of PP-OCRv4 as its own tools use them.
const (
	paddleSide    = 960 // longest side for detection
	paddleMap     = 0.3 // of the probability map
	paddleBox     = 0.6 // mean probability of a line
	paddleUnclip  = 1.5
	paddleHeight  = 48 // of a line for recognition
	paddleWidth   = 320
	paddleLargest = 1000 // lines in one picture
)

// paddle is PP-OCRv4 detection and recognition.
type paddle struct {
	det, rec *model.Net
	keys     []string
}

// found is a text line.
type found struct {
	text   string
	centre image.Point
}

func newPaddle(t *testing.T) *paddle {
	dir := filepath.Join(visiontest.Root(), "internal", "vision", "accuracy", "peers", "node_modules", "@gutenye", "ocr-models", "assets")
	rt := visiontest.Start(t)
	p := &paddle{keys: []string{""}}
	p.det = foreignNet(t, rt, "pp-ocrv4-det", filepath.Join(dir, "ch_PP-OCRv4_det_infer.onnx"), "x")
	p.rec = foreignNet(t, rt, "pp-ocrv4-rec", filepath.Join(dir, "ch_PP-OCRv4_rec_infer.onnx"), "x")
	f, err := os.Open(filepath.Join(dir, "ppocr_keys_v1.txt"))
	require.NoError(t, err)
	defer f.Close()
	for s := bufio.NewScanner(f); s.Scan(); {
		p.keys = append(p.keys, s.Text())
	}
	p.keys = append(p.keys, " ")
	return p
}

// lines are the texts of a picture from top to bottom.
func (p *paddle) lines(t *testing.T, file string) []string {
	img, err := picture.Open(file, picture.Colour, picture.DefaultLimits())
	require.NoError(t, err)
	defer img.Close()
	var all []found
	for _, r := range p.detect(t, img.Mat) {
		crop := straight(img.Mat, r)
		all = append(all, found{p.recognise(t, crop), r.Center})
		require.NoError(t, crop.Close())
	}
	slices.SortStableFunc(all, byPlace)
	out := make([]string, len(all))
	for i, l := range all {
		out[i] = l.text
	}
	return out
}

// planes are the picture's channels in their order, normalised.
func planes(img gocv.Mat, mean, std [3]float32) []float32 {
	pixels, _ := img.DataPtrUint8()
	n := img.Rows() * img.Cols()
	out := make([]float32, 3*n)
	for i := range n {
		for c := range 3 {
			out[c*n+i] = (float32(pixels[3*i+c])/255 - mean[c]) / std[c]
		}
	}
	return out
}

func (p *paddle) detect(t *testing.T, img gocv.Mat) []gocv.RotatedRect {
	s := min(1, paddleSide/float64(max(img.Cols(), img.Rows())))
	round := func(v int) int { return max(32, int(math.Round(float64(v)*s/32))*32) }
	w, h := round(img.Cols()), round(img.Rows())
	small := gocv.NewMat()
	defer small.Close()
	gocv.Resize(img, &small, image.Pt(w, h), 0, 0, gocv.InterpolationLinear)
	out, err := p.det.Run([]int64{1, 3, int64(h), int64(w)}, planes(small, [3]float32{0.485, 0.456, 0.406}, [3]float32{0.229, 0.224, 0.225}))
	require.NoError(t, err)
	heat, err := model.Output(out, "sigmoid_0.tmp_0", 4)
	require.NoError(t, err)
	bits := make([]byte, w*h)
	for i, v := range heat.Data {
		if v > paddleMap {
			bits[i] = 255
		}
	}
	mask, err := gocv.NewMatFromBytes(h, w, gocv.MatTypeCV8U, bits)
	require.NoError(t, err)
	defer mask.Close()
	contours := gocv.FindContours(mask, gocv.RetrievalList, gocv.ChainApproxSimple)
	defer contours.Close()
	var rects []gocv.RotatedRect
	for i := range min(contours.Size(), paddleLargest) {
		r := gocv.MinAreaRect(contours.At(i))
		if min(r.Width, r.Height) < 3 || score(heat.Data, w, h, r) < paddleBox {
			continue
		}
		d := float64(r.Width*r.Height) * paddleUnclip / float64(2*(r.Width+r.Height))
		sx, sy := float64(img.Cols())/float64(w), float64(img.Rows())/float64(h)
		r.Center = image.Pt(int(float64(r.Center.X)*sx), int(float64(r.Center.Y)*sy))
		r.Width, r.Height = int((float64(r.Width)+2*d)*sx), int((float64(r.Height)+2*d)*sy)
		rects = append(rects, r)
	}
	return rects
}

// score is the mean probability inside a rectangle.
func score(heat []float32, w, h int, r gocv.RotatedRect) float64 {
	a := r.Angle * math.Pi / 180
	c, s := math.Cos(a), math.Sin(a)
	sum, n := 0.0, 0
	b := r.BoundingRect
	for y := max(0, b.Min.Y); y < min(h, b.Max.Y); y++ {
		for x := max(0, b.Min.X); x < min(w, b.Max.X); x++ {
			dx, dy := float64(x-r.Center.X), float64(y-r.Center.Y)
			if math.Abs(dx*c+dy*s) <= float64(r.Width)/2 && math.Abs(dy*c-dx*s) <= float64(r.Height)/2 {
				sum += float64(heat[y*w+x])
				n++
			}
		}
	}
	return sum / float64(max(1, n))
}

// straight cuts a rectangle out, its long side level.
func straight(img gocv.Mat, r gocv.RotatedRect) gocv.Mat {
	angle, w, h := r.Angle, r.Width, r.Height
	if h > w {
		angle, w, h = angle-90, h, w
	}
	turn := gocv.GetRotationMatrix2D(r.Center, angle, 1)
	defer turn.Close()
	turn.SetDoubleAt(0, 2, turn.GetDoubleAt(0, 2)+float64(w)/2-float64(r.Center.X))
	turn.SetDoubleAt(1, 2, turn.GetDoubleAt(1, 2)+float64(h)/2-float64(r.Center.Y))
	out := gocv.NewMat()
	gocv.WarpAffineWithParams(img, &out, turn, image.Pt(max(w, 4), max(h, 4)), gocv.InterpolationCubic, gocv.BorderReplicate, color.RGBA{})
	return out
}

func (p *paddle) recognise(t *testing.T, crop gocv.Mat) string {
	w := max(8, int(math.Ceil(paddleHeight*float64(crop.Cols())/float64(crop.Rows()))))
	small := gocv.NewMat()
	defer small.Close()
	gocv.Resize(crop, &small, image.Pt(w, paddleHeight), 0, 0, gocv.InterpolationLinear)
	half := [3]float32{0.5, 0.5, 0.5}
	data, width := planes(small, half, half), max(w, paddleWidth)
	padded := make([]float32, 3*paddleHeight*width)
	for i := range 3 * paddleHeight {
		copy(padded[i*width:], data[i*w:(i+1)*w])
	}
	out, err := p.rec.Run([]int64{1, 3, paddleHeight, int64(width)}, padded)
	require.NoError(t, err)
	probs, err := model.Output(out, "softmax_11.tmp_0", 3)
	require.NoError(t, err)
	classes, last := probs.Shape[2], 0
	var b strings.Builder
	for row := range slices.Chunk(probs.Data, classes) {
		best := 0
		for k, v := range row {
			if v > row[best] {
				best = k
			}
		}
		if best != 0 && best != last && best < len(p.keys) {
			b.WriteString(p.keys[best])
		}
		last = best
	}
	return b.String()
}
