package watch

import (
	"context"
	"sync/atomic"
	"time"

	"gocv.io/x/gocv"
)

// Waits before a lost source is opened again.
const (
	retryFirst = time.Second
	retryMost  = 30 * time.Second
)

// shot is a frame of a live source; whoever takes it closes it.
type shot struct {
	mat gocv.Mat
	at  time.Time
}

// follow looks at the newest frame of a live source. Frames that come while a
// look is under way are dropped, all but the newest, so that no backlog grows.
func (w *Watcher) follow(ctx context.Context, v *gocv.VideoCapture, each func(Vehicle) error) error {
	ctx, cancel := context.WithCancel(ctx)
	newest := make(chan shot, 1)
	ended := make(chan struct{})
	var frames, dropped atomic.Int64
	go func() {
		defer close(ended)
		w.receive(ctx, v, newest, &frames, &dropped)
	}()
	defer func() {
		cancel()
		<-ended
		select {
		case s := <-newest:
			_ = s.mat.Close()
		default:
		}
		w.seen.Frames, w.seen.Dropped = int(frames.Load()), int(dropped.Load())
	}()
	began := time.Now()
	pause := time.Duration(float64(time.Second) / w.cfg.Looks)
	for {
		select {
		case <-ctx.Done():
			return nil
		case s := <-newest:
			err := w.look(s.at.Sub(began), s.mat, each)
			_ = s.mat.Close()
			if err != nil {
				return err
			}
			select {
			case <-ctx.Done():
				return nil
			case <-time.After(max(0, pause-time.Since(s.at))):
			}
		}
	}
}

// receive takes frames from the source and leaves the newest in the channel.
func (w *Watcher) receive(ctx context.Context, v *gocv.VideoCapture, newest chan shot, frames, dropped *atomic.Int64) {
	defer func() {
		if v != nil {
			_ = v.Close()
		}
	}()
	for ctx.Err() == nil {
		mat := gocv.NewMat()
		if !v.Read(&mat) || mat.Empty() {
			_ = mat.Close()
			_ = v.Close()
			if v = w.reopen(ctx); v == nil {
				return
			}
			continue
		}
		frames.Add(1)
		select { // what nobody has taken is old
		case old := <-newest:
			_ = old.mat.Close()
			dropped.Add(1)
		default:
		}
		newest <- shot{mat, time.Now()}
	}
}

// reopen tries to open the source until it works; nil when ctx ends.
func (w *Watcher) reopen(ctx context.Context) *gocv.VideoCapture {
	w.cfg.Log.Warn("the video is lost; it is opened again until it is back", "device", w.cfg.Name())
	for wait := retryFirst; ; wait = min(2*wait, retryMost) {
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(wait):
		}
		if v, err := w.cfg.open(); err == nil {
			w.cfg.Log.Info("the video is back", "device", w.cfg.Name())
			return v
		}
	}
}
