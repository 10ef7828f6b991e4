package watch_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"gatehouse/internal/vision/tracks"
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
	looks := map[time.Duration][]tracks.Sight{}
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
			looks[at] = append(looks[at], tracks.Sight{
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
	looks := map[time.Duration][]tracks.Sight{}
	var order []time.Duration
	for n := range 50 {
		at := time.Duration(n) * 100 * time.Millisecond
		order = append(order, at)
		looks[at] = []tracks.Sight{{At: at, X: 300, Y: 200, W: 90, H: 20, Plate: wire.Plate{
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
	looks := map[time.Duration][]tracks.Sight{}
	var order []time.Duration
	for n := range 20 {
		at := time.Duration(n) * 100 * time.Millisecond
		order = append(order, at)
		looks[at] = []tracks.Sight{{At: at, X: 300, Y: float64(200 + 20*n), W: 90, H: 20, Plate: wire.Plate{
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

// unreadable is what the reader makes of lettering or a dirty plate.
func unreadable(n int, score float64) wire.Plate {
	text := fmt.Sprintf("%05d", n*7919%100000)
	return wire.Plate{Country: "CN", Kind: "foreign", Score: score, Alternates: []wire.Alternate{{Text: text, Score: score}}}
}

// ahead is a plate of a width in millimetres at a distance from the camera, so
// far across and below it.
func ahead(z, across, below, wide float64) (x, y, w float64) {
	const focal = 2500
	return 960 + focal*across/z, 540 + focal*below/z, focal * wide / z
}

// play is a lorry that comes from 14 to 3.6 metres, beside what else a look shows.
func play(also func(n int, z float64, at time.Duration) (tracks.Sight, bool)) []watch.Vehicle {
	looks := map[time.Duration][]tracks.Sight{}
	var order []time.Duration
	for n := range 60 {
		at := time.Duration(n) * 100 * time.Millisecond
		order = append(order, at)
		z := 14000 - 2200*at.Seconds()
		if z > 4200 {
			x, y, w := ahead(z, -300, 900, 330)
			looks[at] = append(looks[at], tracks.Sight{At: at, X: x, Y: y, W: w, H: w / 2, Plate: wire.Plate{Text: "12C12845", Country: "VN", Score: 0.97}})
		}
		if s, ok := also(n, z, at); ok {
			s.At = at
			looks[at] = append(looks[at], s)
		}
	}
	return watch.Track(looks, order)
}

// A company's name on the cab is neither a vehicle nor a plate, though the
// detector takes more or less of it for one.
func TestLettering(t *testing.T) {
	got := play(func(n int, z float64, _ time.Duration) (tracks.Sight, bool) {
		x, y, w := ahead(z, -400+60*math.Sin(float64(7*n)), -160, 600+150*math.Sin(float64(5*n)))
		return tracks.Sight{X: x, Y: y, W: w, H: w / 4.5, Plate: unreadable(n, 0.1+0.3*float64(n%4/3))}, n%3 != 1 && z > 3600
	})
	require.Len(t, got, 1)
	require.Equal(t, []string{"12C12845"}, texts(got))
}

// A lorry behind whose plate is too dirty to be read is a vehicle all the same.
func TestDirtyPlateBehind(t *testing.T) {
	got := play(func(n int, z float64, _ time.Duration) (tracks.Sight, bool) {
		x, y, w := ahead(z+3300, -300, 900, 520)
		return tracks.Sight{X: x, Y: y, W: w, H: w / 4.7, Plate: unreadable(n, 0.2)}, z > 1500
	})
	require.Equal(t, []string{"12C12845", ""}, texts(got))
	require.Len(t, got, 2)
}

// A row of windows of which passing lorries hide more and less.
func TestSceneryBehindTraffic(t *testing.T) {
	got := play(func(n int, _ float64, _ time.Duration) (tracks.Sight, bool) {
		w := 260 + 118*math.Sin(float64(n)/9)
		return tracks.Sight{X: 1294 - w/2, Y: 218, W: w, H: 203, Plate: unreadable(n, 0.01+0.25*float64(n%5/4))}, true
	})
	require.Len(t, got, 1)
	require.Equal(t, []string{"12C12845"}, texts(got))
}
