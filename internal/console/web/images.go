package web

import (
	"bytes"
	"container/list"
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	_ "image/gif" // decoder
	"image/jpeg"
	"image/png"
	"io"
	"os"
	"sync"

	_ "golang.org/x/image/bmp" // decoder
	"golang.org/x/image/draw"
	_ "golang.org/x/image/tiff" // decoder
	_ "golang.org/x/image/webp" // decoder
	"golang.org/x/sync/semaphore"
	"golang.org/x/sync/singleflight"

	"gatehouse/internal/console/tip"
	"gatehouse/internal/event"
)

const (
	// maxPixels is the largest picture that is decoded here: a cargo scan of
	// 12,000 by 3,000 still fits. Larger evidence can be downloaded.
	maxPixels = 40_000_000
	// maxCache bounds the memory for pictures that were made, in bytes.
	maxCache = 96 << 20
	// thumbWidth is the width of a small picture, for screens with two pixels
	// per unit.
	thumbWidth = 208
)

// ErrPixels says that a picture is too large to be decoded here.
var ErrPixels = errors.New("picture has too many pixels")

// picture says what is wanted of a piece of evidence.
type picture struct {
	form string
	box  image.Rectangle
	// trial is what was drawn for the user who looks at a scan; nil where
	// nothing was. With one, a picture is always made anew, so that a projection
	// does not show by its kind.
	trial *tip.Trial
	heat  *event.Heat // of the form "heat"
}

// key tells pictures of one piece of evidence apart.
func (w picture) key() string {
	key := fmt.Sprintf("%s/%v", w.form, w.box)
	if w.heat != nil {
		key += "/" + event.Digest(w.heat.Cells)
	}
	switch {
	case w.trial.Open():
		key += "/" + w.trial.ID
	case w.trial != nil:
		key += "/anew"
	}
	return key
}

// made is a picture ready for a browser, and how large its source is.
type made struct {
	data  []byte
	media string
}

// images makes pictures, few at a time, and keeps the latest ones.
type images struct {
	once  singleflight.Group
	slots *semaphore.Weighted

	mu    sync.Mutex
	order *list.List // of cached, newest first
	byKey map[string]*list.Element
	size  int
	dims  map[string]image.Point
	boxes map[string]image.Rectangle // where something was projected, by trial
}

type cached struct {
	key string
	pic made
}

func newImages() *images {
	return &images{slots: semaphore.NewWeighted(2), order: list.New(), byKey: map[string]*list.Element{}, dims: map[string]image.Point{}, boxes: map[string]image.Rectangle{}}
}

// get makes a picture of the file, or takes it from the cache.
func (x *images) get(ctx context.Context, path, digest string, want picture) (made, error) {
	key := digest + "/" + want.key()
	if pic, ok := x.lookup(key); ok {
		return pic, nil
	}
	v, err, _ := x.once.Do(key, func() (any, error) {
		// Others may wait for the same picture, so one that leaves does not end it.
		if err := x.slots.Acquire(context.WithoutCancel(ctx), 1); err != nil {
			return nil, err
		}
		defer x.slots.Release(1)
		pic, err := render(path, want)
		if err == nil {
			x.keep(key, pic)
		}
		return pic, err
	})
	if err != nil {
		return made{}, err
	}
	pic, ok := v.(made)
	if !ok {
		return made{}, fmt.Errorf("picture of %s: unexpected %T", digest, v)
	}
	return pic, nil
}

func (x *images) lookup(key string) (made, bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	el, ok := x.byKey[key]
	if !ok {
		return made{}, false
	}
	x.order.MoveToFront(el)
	c, ok := el.Value.(cached)
	return c.pic, ok
}

func (x *images) keep(key string, pic made) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if _, ok := x.byKey[key]; ok {
		return
	}
	x.byKey[key] = x.order.PushFront(cached{key, pic})
	x.size += len(pic.data)
	for x.size > maxCache && x.order.Len() > 1 {
		last := x.order.Back()
		c, ok := x.order.Remove(last).(cached)
		if !ok {
			return
		}
		delete(x.byKey, c.key)
		x.size -= len(c.pic.data)
	}
}

// dimensions tells the size of a picture as stored; zero when it cannot be
// told.
func (x *images) dimensions(path, digest string) image.Point {
	x.mu.Lock()
	d, ok := x.dims[digest]
	x.mu.Unlock()
	if ok {
		return d
	}
	f, err := os.Open(path)
	if err != nil {
		return image.Point{}
	}
	defer f.Close()
	cfg, _, err := image.DecodeConfig(f)
	if err != nil {
		return image.Point{}
	}
	d = image.Pt(cfg.Width, cfg.Height)
	x.mu.Lock()
	defer x.mu.Unlock()
	if len(x.dims) > 50_000 {
		clear(x.dims)
	}
	x.dims[digest] = d
	return d
}

// render makes a picture that browsers show. The number of pixels is checked
// before anything is decoded.
func render(path string, want picture) (made, error) {
	f, err := os.Open(path)
	if err != nil {
		return made{}, fmt.Errorf("open picture: %w", err)
	}
	defer f.Close()
	cfg, format, err := image.DecodeConfig(f)
	if err != nil {
		return made{}, fmt.Errorf("read picture: %w", err)
	}
	if cfg.Width <= 0 || cfg.Height <= 0 || cfg.Width > maxPixels/cfg.Height {
		return made{}, fmt.Errorf("%w: %d x %d", ErrPixels, cfg.Width, cfg.Height)
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return made{}, fmt.Errorf("read picture: %w", err)
	}
	deep := is16bit(cfg.ColorModel)
	if want.form == "" && want.trial == nil && !deep && (format == "jpeg" || format == "png" || format == "webp") {
		data, err := io.ReadAll(f)
		return made{data, "image/" + format}, err
	}
	img, _, err := image.Decode(f)
	if err != nil {
		return made{}, fmt.Errorf("decode picture: %w", err)
	}
	if want.trial.Open() {
		if img, _, err = projected(img, want.trial); err != nil {
			return made{}, err
		}
	}
	if want.form == "deep" {
		return encodePNG(packed(img))
	}
	if deep {
		img = window8(img)
	}
	switch want.form {
	case "thumb":
		return encodeJPEG(scale(img, img.Bounds(), thumbWidth))
	case "heat":
		return encodePNG(heated(img, want.heat))
	case "crop":
		box := want.box.Add(img.Bounds().Min).Intersect(img.Bounds())
		if box.Empty() {
			return made{}, errors.New("the box lies outside the picture")
		}
		return encodeJPEG(scale(img, box, 400))
	}
	return encodePNG(img)
}

func encodePNG(img image.Image) (made, error) {
	var b bytes.Buffer
	if err := (&png.Encoder{CompressionLevel: png.BestSpeed}).Encode(&b, img); err != nil {
		return made{}, fmt.Errorf("encode picture: %w", err)
	}
	return made{b.Bytes(), "image/png"}, nil
}

// packed makes a picture whose red is the upper and whose green is the lower
// half of 16-bit grey values: browsers decode 8 bits a channel alone, and the
// script puts the halves together again.
func packed(img image.Image) image.Image {
	b := img.Bounds()
	out := image.NewNRGBA(image.Rect(0, 0, b.Dx(), b.Dy()))
	gray, isGray := img.(*image.Gray16)
	for y := range b.Dy() {
		row := out.Pix[y*out.Stride:]
		for x := range b.Dx() {
			var v uint16
			if isGray {
				v = gray.Gray16At(b.Min.X+x, b.Min.Y+y).Y
			} else {
				g, _ := color.Gray16Model.Convert(img.At(b.Min.X+x, b.Min.Y+y)).(color.Gray16)
				v = g.Y
			}
			row[4*x], row[4*x+1], row[4*x+3] = uint8(v>>8), uint8(v&0xff), 255
		}
	}
	return out
}

func is16bit(m color.Model) bool {
	return m == color.Gray16Model || m == color.RGBA64Model || m == color.NRGBA64Model
}

// window8 makes 8 bits of 16: the darkest and brightest half per cent are cut
// off, so that a scan that uses a part of the range can be seen. Colours keep
// their balance, since all channels share the window.
func window8(img image.Image) image.Image {
	b := img.Bounds()
	lo, hi := percentiles(img, 0.005)
	out := image.NewNRGBA(b)
	span := float64(max(1, int(hi)-int(lo)))
	fit := func(v uint32) uint8 {
		return uint8(max(0, min(255, (float64(v)-float64(lo))*255/span)))
	}
	gray, isGray := img.(*image.Gray16)
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			if isGray {
				v := fit(uint32(gray.Gray16At(x, y).Y))
				out.SetNRGBA(x, y, color.NRGBA{v, v, v, 255})
				continue
			}
			r, g, bl, _ := img.At(x, y).RGBA()
			out.SetNRGBA(x, y, color.NRGBA{fit(r), fit(g), fit(bl), 255})
		}
	}
	if !isGray {
		return out
	}
	flat := image.NewGray(b)
	for i := range flat.Pix {
		flat.Pix[i] = out.Pix[i*4]
	}
	return flat
}

// percentiles finds the values below and above which a share of the pixels lie.
func percentiles(img image.Image, share float64) (lo, hi uint16) {
	var bins [1 << 16]int
	b := img.Bounds()
	n := 0
	gray, isGray := img.(*image.Gray16)
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			if isGray {
				bins[gray.Gray16At(x, y).Y]++
			} else {
				_, g, _, _ := img.At(x, y).RGBA()
				bins[g]++
			}
			n++
		}
	}
	cut := int(float64(n) * share)
	low, high := 0, len(bins)-1
	for sum := bins[low]; sum <= cut && low < len(bins)-1; sum += bins[low] {
		low++
	}
	for sum := bins[high]; sum <= cut && high > low; sum += bins[high] {
		high--
	}
	return uint16(low), uint16(high)
}

// scale makes a part of a picture width pixels wide, never larger than it is
// by more than a factor of three.
func scale(img image.Image, part image.Rectangle, width int) image.Image {
	width = min(width, part.Dx()*3)
	height := max(1, part.Dy()*width/part.Dx())
	out := image.NewRGBA(image.Rect(0, 0, width, min(height, 4*width)))
	draw.ApproxBiLinear.Scale(out, out.Bounds(), img, part, draw.Src, nil)
	return out
}

func encodeJPEG(img image.Image) (made, error) {
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, &jpeg.Options{Quality: 82}); err != nil {
		return made{}, fmt.Errorf("encode picture: %w", err)
	}
	return made{b.Bytes(), "image/jpeg"}, nil
}
