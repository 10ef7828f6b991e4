package watch_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"gatehouse/internal/vision/watch"
	"gatehouse/internal/vision/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// drive is where a plate is over time: x, y and width in pixels; ok is false
// while it is not in view.
type drive func(seconds float64) (x, y, w float64, ok bool)

// clip plays drives at ten looks a second. Every plate reads as its text, each
// fourth time as misread.
func clip(seconds float64, drives map[string]drive) []watch.Vehicle {
	looks := map[time.Duration][]watch.Sight{}
	var order []time.Duration
	random := rand.New(rand.NewPCG(1, 2))
	for n := range int(10 * seconds) {
		at := time.Duration(n) * 100 * time.Millisecond
		order = append(order, at)
		for text, d := range drives {
			x, y, w, ok := d(at.Seconds())
			if !ok {
				continue
			}
			read := wire.Plate{Text: text, Country: "VN", Score: 0.9}
			if n%4 == 3 {
				read.Text, read.Score = text[:7]+"0", 0.6
			}
			looks[at] = append(looks[at], watch.Sight{
				At: at, X: x + random.NormFloat64(), Y: y + random.NormFloat64(), W: w, H: w / 4.7, Plate: read,
			})
		}
	}
	return watch.Track(looks, order)
}

// coming comes towards the camera from a second on, for four seconds.
func coming(from float64) drive {
	return func(s float64) (x, y, w float64, ok bool) {
		t := s - from
		return 900 + 20*t, 300 + 170*t, 70 + 35*t, t >= 0 && t < 4
	}
}

func texts(all []watch.Vehicle) (out []string) {
	for _, v := range all {
		for _, p := range v.Plates {
			out = append(out, p.Text)
		}
	}
	return out
}

func TestOneAfterAnother(t *testing.T) {
	got := clip(20, map[string]drive{"12C12345": coming(1), "12C12346": coming(7), "12C12348": coming(13)})
	require.Equal(t, []string{"12C12345", "12C12346", "12C12348"}, texts(got), "like plates stay apart")
	for i, v := range got {
		require.Equal(t, i+1, v.Vehicle)
		require.Equal(t, watch.Approaching, v.Direction)
		require.Equal(t, "front", v.Plates[0].Facing)
		require.Equal(t, 40, v.Frames)
		require.False(t, v.Reversed)
		require.Equal(t, 30, v.Plates[0].Votes)
		require.NotEmpty(t, v.Plates[0].Alternates)
		require.Greater(t, v.Plates[0].Score, 0.5)
	}
}

// The second follows so closely that both are in view at once.
func TestTailgating(t *testing.T) {
	got := clip(12, map[string]drive{"12C12345": coming(1), "12C12346": coming(2.6)})
	require.Len(t, got, 2)
	require.ElementsMatch(t, []string{"12C12345", "12C12346"}, texts(got))
}

// The second stands hidden behind the first and shows when that has gone.
func TestTailgatingUnseen(t *testing.T) {
	behind := coming(3.2)
	got := clip(12, map[string]drive{"12C12345": coming(1), "12C12346": func(s float64) (x, y, w float64, ok bool) {
		x, y, w, ok = behind(s)
		return x, y, w, ok && s >= 5
	}})
	require.Equal(t, []string{"12C12345", "12C12346"}, texts(got))
}

// A sign that looks like a plate is no vehicle.
func TestScenery(t *testing.T) {
	looks := map[time.Duration][]watch.Sight{}
	var order []time.Duration
	for n := range 50 {
		at := time.Duration(n) * 100 * time.Millisecond
		order = append(order, at)
		looks[at] = []watch.Sight{{At: at, X: 300, Y: 200, W: 90, H: 20, Plate: wire.Plate{
			Country: "VN", Score: 0.3, Alternates: []wire.Alternate{{Text: "33B33333", Score: 0.3}},
		}}}
	}
	require.Empty(t, watch.Track(looks, order))
}

func TestReversing(t *testing.T) {
	way := coming(0)
	got := clip(12, map[string]drive{"12C12345": func(s float64) (x, y, w float64, ok bool) {
		switch { // two seconds forward, one back, and on
		case s < 2:
			return way(s)
		case s < 3:
			return way(2 - 0.9*(s-2))
		}
		x, y, w, _ = way(1.1 + (s - 3))
		return x, y, w, s < 6
	}})
	require.Len(t, got, 1)
	require.True(t, got[0].Reversed)
	require.Equal(t, watch.Approaching, got[0].Direction)
	require.Equal(t, []string{"12C12345"}, texts(got))
}

// A wiper or a barrier hides the plate for a while.
func TestHidden(t *testing.T) {
	way := coming(1)
	got := clip(9, map[string]drive{"12C12345": func(s float64) (x, y, w float64, ok bool) {
		x, y, w, ok = way(s)
		return x, y, w, ok && (s < 2.5 || s > 3.2)
	}})
	require.Len(t, got, 1)
}

// Two plates on one bumper are one vehicle with two plates.
func TestTwoPlatesOfOneVehicle(t *testing.T) {
	left := coming(1)
	got := clip(9, map[string]drive{"12C12345": left, "20R01234": func(s float64) (x, y, w float64, ok bool) {
		x, y, w, ok = left(s)
		return x + 2*w, y, w, ok
	}})
	require.Len(t, got, 1)
	require.Len(t, got[0].Plates, 2)
}

func TestGlint(t *testing.T) {
	got := clip(9, map[string]drive{"12C12345": func(s float64) (x, y, w float64, ok bool) {
		return 100, 100, 80, s > 1.05 && s < 1.25
	}})
	require.Empty(t, got)
}

// What no frame could read is a plate without a text, not a failure.
func TestUnread(t *testing.T) {
	looks := map[time.Duration][]watch.Sight{}
	var order []time.Duration
	for n := range 20 {
		at := time.Duration(n) * 100 * time.Millisecond
		order = append(order, at)
		looks[at] = []watch.Sight{{At: at, X: 300, Y: float64(200 + 20*n), W: 90, H: 20, Plate: wire.Plate{
			Country: "VN", Alternates: []wire.Alternate{{Text: "1234"}},
		}}}
	}
	require.Empty(t, watch.Track(looks, order), "nothing was ever read alike")
	for at := range looks {
		looks[at][0].Plate.Score, looks[at][0].Plate.Alternates[0].Score = 0.2, 0.2
	}
	got := watch.Track(looks, order)
	require.Len(t, got, 1)
	require.Empty(t, got[0].Plates[0].Text)
	require.InDelta(t, 0.2, got[0].Plates[0].Score, 1e-9)
	require.Equal(t, "1234", got[0].Plates[0].Alternates[0].Text)
}

func TestGone(t *testing.T) {
	way := coming(0)
	got := clip(9, map[string]drive{"12C12345": func(s float64) (x, y, w float64, ok bool) {
		x, y, w, ok = way(4 - s)
		return x, y, w, ok && s < 4
	}})
	require.Len(t, got, 1)
	require.Equal(t, watch.Receding, got[0].Direction)
	require.Equal(t, "rear", got[0].Plates[0].Facing)
}
