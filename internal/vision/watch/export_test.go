package watch

import (
	"time"

	"gatehouse/internal/vision/tracks"
)

// Track joins the sights of looks to vehicles as Run does, without a video.
func Track(looks map[time.Duration][]tracks.Sight, order []time.Duration) []Vehicle {
	w := New(Config{}, nil)
	var out []Vehicle
	each := func(v Vehicle) error { out = append(out, v); return nil }
	for _, at := range order {
		if err := w.finish(w.tracker.Look(at, looks[at]), false, each); err != nil {
			panic(err)
		}
	}
	if err := w.finish(w.tracker.End(), true, each); err != nil {
		panic(err)
	}
	return out
}
