package gate

import (
	"context"
	"fmt"
	"path/filepath"
	"sync"
	"time"

	"gatehouse/internal/config"
	"gatehouse/internal/evidence"
	"gatehouse/internal/lane"
	"gatehouse/internal/passage"
	"gatehouse/internal/vision"
	"gatehouse/internal/vision/wire"

	"log/slog"
)

// probePause is how often one picture is tried while an analysis is down: a
// model that was put in place is only noticed by using it.
const probePause = 5 * time.Second

// eyes lets the lanes use the worker pool on stored evidence.
type eyes struct {
	pool  *vision.Pool
	store *evidence.Store

	mu     sync.Mutex
	probed map[string]time.Time // when an operation that is down was tried last
}

// newEyes is nil when the configuration switches vision off.
func newEyes(g config.Gate, store *evidence.Store, log *slog.Logger) *eyes {
	if len(g.Vision.Command) == 0 {
		return nil
	}
	return &eyes{store: store, probed: map[string]time.Time{}, pool: vision.New(vision.Config{
		Command: g.Vision.Command, Workers: g.Vision.Workers, Deadline: g.Vision.Deadline,
		RecycleAfter: g.Vision.RecycleAfter, MaxRSSMB: int(g.Vision.MaxMemory >> 20),
		Log: log.With("part", "vision"),
	})}
}

// Up implements lane.Vision.
func (e *eyes) Up(op string) bool {
	if up, _ := e.pool.Works(wire.Op(op)); up {
		return true
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if time.Since(e.probed[op]) < probePause {
		return false
	}
	e.probed[op] = time.Now()
	return true
}

// Analyse implements lane.Vision.
func (e *eyes) Analyse(ctx context.Context, r passage.Request) (lane.Outcome, error) {
	var paths [3]string // of the picture and of what belongs to it
	for i, digest := range []string{r.Evidence, r.Low, r.Sidecar} {
		if digest == "" {
			continue
		}
		var err error
		if paths[i], err = filepath.Abs(e.store.Path(digest)); err != nil {
			return lane.Outcome{}, fmt.Errorf("find evidence %s: %w", digest, err)
		}
	}
	got, err := e.pool.Analyse(ctx, vision.Request{
		ID: string(r.Passage), Op: wire.Op(r.Op), Path: paths[0], Low: paths[1], Sidecar: paths[2],
		Kind: r.Kind, Scanner: r.Scanner,
	})
	if err != nil {
		return lane.Outcome{}, err
	}
	return lane.Outcome{Outcome: string(got.Verdict), Result: got.Result, Error: got.Message}, nil
}
