package watch

import (
	"context"
	"errors"
	"fmt"
	"image"
	"io/fs"
	"log/slog"
	"math"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"gocv.io/x/gocv"

	"gatehouse/internal/vision/picture"
	"gatehouse/internal/vision/plate"
	"gatehouse/internal/vision/tracks"
)

// lost is the time without a sight after which a plate has gone.
const lost = 1200 * time.Millisecond

// Config says what to watch.
type Config struct {
	Source string  // a file, rtsp://..., a camera's path under /dev or its number
	Looks  float64 // a second; frames between are passed over
	Log    *slog.Logger
}

// Watcher follows the vehicles of one video.
type Watcher struct {
	cfg     Config
	plates  *plate.Analyser
	tracker tracks.Tracker
	waiting []*tracks.Track // over, while others that may be of the same vehicle are open
	count   int
	seen    Stats
}

// Stats counts what became of the frames.
type Stats struct {
	Frames  int // that came
	Looks   int // that were analysed
	Dropped int // that a live source sent while a look took too long
	// Behind is by how much the looks at a file took longer than its length, or
	// zero.
	Behind time.Duration
}

// New makes a watcher; the analyser stays the caller's.
func New(cfg Config, plates *plate.Analyser) *Watcher {
	if cfg.Looks <= 0 {
		cfg.Looks = 10
	}
	return &Watcher{cfg: cfg, plates: plates, tracker: tracks.Tracker{Lost: lost}}
}

// Name is the source without its password.
func (c Config) Name() string {
	if u, err := url.Parse(c.Source); err == nil && u.Scheme != "" {
		return u.Redacted()
	}
	return c.Source
}

func (c Config) live() bool {
	_, err := strconv.Atoi(c.Source)
	return err == nil || strings.HasPrefix(c.Source, "/dev/") || strings.Contains(c.Source, "://")
}

func (c Config) open() (*gocv.VideoCapture, error) {
	var v *gocv.VideoCapture
	var err error
	// The library is named: left to choose, OpenCV tries all it has and writes
	// the address of what it cannot open to standard error, password included.
	if err := c.reachable(); err != nil {
		return nil, err
	}
	switch n, bad := strconv.Atoi(strings.TrimPrefix(c.Source, "/dev/video")); {
	case bad == nil:
		v, err = gocv.VideoCaptureDeviceWithAPI(n, gocv.VideoCaptureV4L2)
	case strings.HasPrefix(c.Source, "/dev/"):
		v, err = gocv.VideoCaptureFileWithAPI(c.Source, gocv.VideoCaptureV4L2)
	default:
		v, err = gocv.VideoCaptureFileWithAPI(c.Source, gocv.VideoCaptureFFmpeg)
	}
	if err != nil || !v.IsOpened() {
		if v != nil {
			_ = v.Close()
		}
		return nil, fmt.Errorf("open video %s: it is no file, camera or stream that can be read", c.Name())
	}
	return v, nil
}

// reachable says what is wrong with a camera on this machine before OpenCV, which
// only knows that it could not open it.
func (c Config) reachable() error {
	path := c.Source
	if _, err := strconv.Atoi(path); err == nil {
		path = "/dev/video" + path
	}
	if !strings.HasPrefix(path, "/dev/") {
		return nil
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	switch {
	case err == nil:
		return f.Close()
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("open video %s: there is no such camera; plug it in, or take one that is there (ls /dev/video*): %w", path, err)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("open video %s: the camera may not be read; put the user into the group video and log in again: %w", path, err)
	}
	return fmt.Errorf("open video %s: %w", path, err)
}

// Run watches until the video ends or ctx does, and calls each for every
// vehicle that has gone. A live source that fails is opened again for as long as
// ctx lasts.
func (w *Watcher) Run(ctx context.Context, each func(Vehicle) error) (Stats, error) {
	v, err := w.cfg.open()
	if err != nil {
		return w.seen, err
	}
	began := time.Now()
	if w.cfg.live() {
		err = w.follow(ctx, v, each)
	} else {
		var length time.Duration
		length, err = w.play(ctx, v, each)
		w.seen.Behind = max(0, time.Since(began)-length)
		err = errors.Join(err, v.Close())
	}
	if err != nil {
		return w.seen, err
	}
	return w.seen, w.finish(w.tracker.End(), true, each)
}

// play looks at a file, as many times a second of it as asked for.
func (w *Watcher) play(ctx context.Context, v *gocv.VideoCapture, each func(Vehicle) error) (time.Duration, error) {
	fps := v.Get(gocv.VideoCaptureFPS)
	if fps <= 0 || math.IsNaN(fps) || fps > 1000 {
		fps = 25
	}
	step := max(1, int(math.Round(fps/w.cfg.Looks)))
	frame := gocv.NewMat()
	defer frame.Close()
	at := func(n int) time.Duration { return time.Duration(float64(n) / fps * float64(time.Second)) }
	for n := 0; ctx.Err() == nil; n++ {
		if n%step != 0 {
			v.Grab(1)
			w.seen.Frames++
			continue
		}
		if !v.Read(&frame) || frame.Empty() {
			break
		}
		w.seen.Frames++
		if err := w.look(at(n), frame, each); err != nil {
			return at(n), err
		}
	}
	return at(w.seen.Frames), nil
}

// look analyses one frame.
func (w *Watcher) look(at time.Duration, frame gocv.Mat, each func(Vehicle) error) error {
	w.seen.Looks++
	p := &picture.Picture{Mat: frame, Format: "video", Stored: image.Pt(frame.Cols(), frame.Rows())}
	found, err := w.plates.Study(p)
	if err != nil {
		return fmt.Errorf("read plates of %s at %v: %w", w.cfg.Name(), at, err)
	}
	w.tracker.Wide, w.tracker.High = float64(frame.Cols()), float64(frame.Rows())
	var sights []tracks.Sight
	for _, r := range found {
		sights = append(sights, sightOf(at, r, frame))
	}
	return w.finish(w.tracker.Look(at, sights), false, each)
}

func sightOf(at time.Duration, r plate.Reading, frame gocv.Mat) tracks.Sight {
	s := tracks.Sight{At: at, Plate: r.Plate}
	c := r.Corners
	side := func(i, k int) float64 { return math.Hypot(c[i][0]-c[k][0], c[i][1]-c[k][1]) }
	for _, p := range c {
		s.X, s.Y = s.X+p[0]/4, s.Y+p[1]/4
	}
	s.W, s.H = (side(0, 1)+side(3, 2))/2, (side(0, 3)+side(1, 2))/2
	s.Crop = func() []byte { return cut(frame, s) }
	return s
}

// cut is the plate with its surroundings as JPEG; nil when it cannot be made.
func cut(frame gocv.Mat, s tracks.Sight) []byte {
	w, h := int(1.2*s.W)+8, int(1.2*s.W)/2+int(s.H)
	r := image.Rect(int(s.X)-w, int(s.Y)-h, int(s.X)+w, int(s.Y)+h).Intersect(image.Rect(0, 0, frame.Cols(), frame.Rows()))
	if r.Empty() {
		return nil
	}
	part := frame.Region(r)
	defer part.Close()
	b, err := gocv.IMEncodeWithParams(gocv.JPEGFileExt, part, []int{gocv.IMWriteJpegQuality, 85})
	if err != nil {
		return nil
	}
	defer b.Close()
	return append([]byte(nil), b.GetBytes()...)
}

// finish gives out the vehicles whose tracks are over. A vehicle waits for open
// tracks that may be other plates of it.
func (w *Watcher) finish(over []*tracks.Track, all bool, each func(Vehicle) error) error {
	groups := vehicles(append(w.waiting, slices.DeleteFunc(over, nothing)...))
	w.waiting = nil
	for _, group := range groups {
		if !all && slices.ContainsFunc(group, w.pending) {
			w.waiting = append(w.waiting, group...)
			continue
		}
		v := conclude(group)
		w.count++
		v.Source, v.Vehicle = w.cfg.Name(), w.count
		if w.plates != nil {
			v.Model = w.plates.Model()
		}
		if err := each(v); err != nil {
			return err
		}
	}
	return nil
}

// pending says that an open track may be of the same vehicle.
func (w *Watcher) pending(t *tracks.Track) bool {
	return slices.ContainsFunc(w.tracker.Open(), func(o *tracks.Track) bool { return oneVehicle(t, o) && !nothing(o) })
}
