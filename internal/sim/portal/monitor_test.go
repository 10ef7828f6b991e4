package portal_test

import (
	"context"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"gatehouse/internal/sim/fault"
	"gatehouse/internal/sim/pace"
	"gatehouse/internal/sim/portal"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type record struct {
	at      time.Duration
	name    string
	values  []float64
	line    string
	passage string
}

func (r record) sum() float64 {
	s := 0.0
	for _, v := range r.values {
		s += v
	}
	return s
}

// tape is a wire that keeps what went over it, and reads it by itself.
type tape struct {
	mu    sync.Mutex
	began time.Time
	all   []record
}

func (w *tape) Send(line, passage string) {
	name, rest, _ := strings.Cut(line, ",")
	r := record{at: time.Since(w.began), name: name, line: line, passage: passage}
	for f := range strings.SplitSeq(rest, ",") {
		v, err := strconv.ParseFloat(f, 64)
		if err != nil {
			v = math.NaN()
		}
		r.values = append(r.values, v)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.all = append(w.all, r)
}

func (w *tape) named(names ...string) []record {
	w.mu.Lock()
	defer w.mu.Unlock()
	var out []record
	for _, r := range w.all {
		for _, n := range names {
			if r.name == n {
				out = append(out, r)
			}
		}
	}
	return out
}

// play runs a monitor in simulated time while the test's function goes on.
func play(t *testing.T, seed uint64, p pace.Pace, do func(ctx context.Context, m *portal.Monitor, w *tape, b *fault.Board)) *tape {
	t.Helper()
	w := &tape{}
	synctest.Test(t, func(t *testing.T) {
		w.began = time.Now()
		b := fault.NewBoard(nil)
		m := portal.New(w, seed, p, b)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- m.Run(ctx) }()
		do(ctx, m, w, b)
		cancel()
		require.NoError(t, <-done)
		b.Close()
	})
	return w
}

func lorry(seed uint64) portal.Part {
	return portal.Part{Passage: "sim-000001", Seed: seed, Lasts: 6 * time.Second, SpeedKMH: 4.88, Shielding: 0.2,
		Humps: []portal.Hump{{At: 0.5, Width: 0.1, High: 1}}}
}

func TestWireFormatAndTiming(t *testing.T) {
	w := play(t, 3, 1, func(ctx context.Context, m *portal.Monitor, _ *tape, _ *fault.Board) {
		time.Sleep(20 * time.Second)
		_, err := m.Occupy(ctx, portal.Pass{Parts: []portal.Part{lorry(1)}})
		require.NoError(t, err)
		time.Sleep(10 * time.Second)
	})
	form := regexp.MustCompile(`^(?:(?:GB|NB|GS|GA|NS|NA|GL|GH|NH|GX|TC|TT),\d{6},\d{6},\d{6},\d{6}|SP,\d\.\d{4},\d\d\.\d{3},\d{3}\.\d\d,000000|S[GN]\d,.*)$`)
	for _, r := range w.all {
		require.Regexp(t, form, r.line)
	}
	require.Equal(t, "SP,0.2249,03.032,004.88,000000", w.named("SP")[0].line)

	samples, gx := w.named("GS"), w.named("GX")
	require.Len(t, samples, 30)
	require.Len(t, w.named("NS"), 6)
	require.Len(t, w.named("SP"), 5, "after every sixth gamma record")
	require.Len(t, gx, 1)
	for i := 1; i < len(samples); i++ {
		require.Equal(t, 200*time.Millisecond, samples[i].at-samples[i-1].at)
		require.Equal(t, "sim-000001", samples[i].passage)
	}
	background := w.named("GB")
	require.GreaterOrEqual(t, len(background), 5)
	var last record
	for _, r := range w.all {
		if r.name == "GB" {
			require.Equal(t, "NB", last.name, "NB comes before GB")
			require.Equal(t, r.at, last.at)
			if r.at > gx[0].at {
				break
			}
		}
		last = r
	}
	for i := 1; i < 4; i++ {
		require.Equal(t, 5*time.Second, background[i].at-background[i-1].at)
	}
	for _, r := range background {
		if r.at > gx[0].at {
			pause := r.at - gx[0].at
			require.True(t, pause >= time.Second && pause <= 2*time.Second, "background is back 1 to 2 s after GX, not %s", pause)
			break
		}
		require.Less(t, r.at, samples[0].at, "no background while occupied")
	}
}

// alarms recomputes the alarm flags from the wire alone.
func alarms(w *tape) (flagged, due int, sigma float64) {
	var b float64
	var second []float64
	for _, r := range w.all {
		switch r.name {
		case "GB", "GH", "GL":
			b = r.sum()
		case "GX":
			second = nil
		case "GS", "GA":
			second = append(second, r.sum())
			if len(second) > 5 {
				second = second[1:]
			}
			f := 0.0
			for _, v := range second {
				f += v
			}
			if len(second) == 5 {
				sigma = max(sigma, (f-b)/math.Sqrt(b))
			}
			if r.name == "GA" {
				flagged++
			}
			if len(second) == 5 && f > b+7*math.Sqrt(b) {
				due++
			}
		}
	}
	return flagged, due, sigma
}

func TestGammaAlarm(t *testing.T) {
	for seed := range uint64(8) {
		var out []portal.Outcome
		w := play(t, seed, 1, func(ctx context.Context, m *portal.Monitor, _ *tape, _ *fault.Board) {
			part := lorry(seed)
			part.GammaSigma = 30
			var err error
			out, err = m.Occupy(ctx, portal.Pass{Parts: []portal.Part{part}})
			require.NoError(t, err)
		})
		flagged, due, sigma := alarms(w)
		require.Equal(t, due, flagged, "the flag is what the rule says")
		require.Positive(t, flagged)
		require.InDelta(t, 30, sigma, 6, "a peak of 30 sigma was wanted; one second's own noise is about 1.4 sigma")
		require.Equal(t, sigma, out[0].MaxSigma)
		require.True(t, out[0].GammaAlarm)
		require.False(t, out[0].NeutronAlarm)
	}
}

func TestNeutronAlarm(t *testing.T) {
	var out []portal.Outcome
	w := play(t, 1, 1, func(ctx context.Context, m *portal.Monitor, _ *tape, _ *fault.Board) {
		part := lorry(2)
		part.GammaSigma, part.NeutronSigma = 20, 25
		var err error
		out, err = m.Occupy(ctx, portal.Pass{Parts: []portal.Part{part}})
		require.NoError(t, err)
	})
	require.NotEmpty(t, w.named("NA"))
	require.True(t, out[0].NeutronAlarm && out[0].GammaAlarm)
}

func TestCleanLorriesRaiseNoAlarmAndShadeTheBackground(t *testing.T) {
	w := play(t, 5, 1, func(ctx context.Context, m *portal.Monitor, _ *tape, _ *fault.Board) {
		for i := range uint64(200) {
			_, err := m.Occupy(ctx, portal.Pass{Parts: []portal.Part{lorry(i)}})
			require.NoError(t, err)
			time.Sleep(7 * time.Second)
		}
	})
	require.Empty(t, w.named("GA", "NA"))
	background, middle, n := 0.0, 0.0, 0.0
	for _, r := range w.named("GB") {
		background += r.sum() / float64(len(w.named("GB")))
	}
	for i, r := range w.named("GS") {
		if k := i % 30; k >= 10 && k < 20 {
			middle, n = middle+r.sum(), n+1
		}
	}
	// 2,000 samples of about 150 counts: the mean is good to 0.2 %.
	require.InDelta(t, 0.80, 5*middle/n/background, 0.01)
	// Poisson: the variance of the counts is their mean.
	mean, square := middle/n, 0.0
	for i, r := range w.named("GS") {
		if k := i % 30; k >= 10 && k < 20 {
			square += (r.sum() - mean) * (r.sum() - mean) / n
		}
	}
	require.InDelta(t, 1, square/mean, 0.15)
}

func TestTailGatersShareAnOccupancy(t *testing.T) {
	var out []portal.Outcome
	w := play(t, 1, 1, func(ctx context.Context, m *portal.Monitor, _ *tape, _ *fault.Board) {
		second := lorry(2)
		second.Passage = "sim-000002"
		began := false
		second.Begins = func() { began = true }
		var err error
		out, err = m.Occupy(ctx, portal.Pass{Parts: []portal.Part{lorry(1), second}})
		require.NoError(t, err)
		require.True(t, began)
	})
	require.Len(t, w.named("GX"), 1)
	require.Equal(t, "sim-000002", w.named("GX")[0].passage)
	require.Len(t, w.named("GS"), 60)
	require.Equal(t, out[0].Number, out[1].Number)
}

func TestFaults(t *testing.T) {
	set := func(b *fault.Board, name string, d time.Duration) {
		_, err := b.Set(fault.Order{Name: name, For: d})
		require.NoError(t, err)
	}
	t.Run("dead detector", func(t *testing.T) {
		w := play(t, 1, 1, func(_ context.Context, _ *portal.Monitor, _ *tape, b *fault.Board) {
			time.Sleep(10 * time.Second)
			set(b, "dead-detector", 12*time.Second)
			time.Sleep(30 * time.Second)
		})
		require.NotEmpty(t, w.named("GL"))
		require.Zero(t, w.named("GL")[0].values[2])
		require.Equal(t, "GB", w.all[len(w.all)-1].name, "it recovers")
	})
	t.Run("high background", func(t *testing.T) {
		w := play(t, 1, 1, func(ctx context.Context, m *portal.Monitor, _ *tape, b *fault.Board) {
			time.Sleep(10 * time.Second)
			set(b, "high-background", time.Minute)
			time.Sleep(10 * time.Second)
			_, err := m.Occupy(ctx, portal.Pass{Parts: []portal.Part{lorry(1)}})
			require.NoError(t, err)
		})
		require.NotEmpty(t, w.named("GH"))
		require.NotEmpty(t, w.named("NH"))
		require.Empty(t, w.named("GA"), "rain is no alarm")
	})
	t.Run("tamper", func(t *testing.T) {
		w := play(t, 1, 1, func(_ context.Context, _ *portal.Monitor, _ *tape, b *fault.Board) {
			time.Sleep(10 * time.Second)
			set(b, "tamper", 3*time.Second)
			time.Sleep(10 * time.Second)
		})
		require.Equal(t, "TT,000000,000000,000000,000000", w.named("TT")[0].line)
		require.Equal(t, w.named("TT")[0].at+3*time.Second, w.named("TC")[1].at)
	})
	t.Run("no GX", func(t *testing.T) {
		w := play(t, 1, 1, func(ctx context.Context, m *portal.Monitor, _ *tape, _ *fault.Board) {
			_, err := m.Occupy(ctx, portal.Pass{Parts: []portal.Part{lorry(1)}, NoGX: true})
			require.NoError(t, err)
			time.Sleep(5 * time.Second)
		})
		require.Empty(t, w.named("GX"))
		require.Equal(t, "GB", w.all[len(w.all)-1].name)
	})
	t.Run("power cycle", func(t *testing.T) {
		w := play(t, 1, 1, func(ctx context.Context, m *portal.Monitor, _ *tape, b *fault.Board) {
			for i := range 2 {
				_, err := m.Occupy(ctx, portal.Pass{Parts: []portal.Part{lorry(1)}})
				require.NoError(t, err)
				if i == 0 {
					_, err := b.Set(fault.Order{Name: "unplug", Device: "rpm", For: time.Second})
					require.NoError(t, err)
					time.Sleep(10 * time.Second)
				}
			}
		})
		require.Len(t, w.named("SG1"), 2)
		require.Equal(t, w.named("GX")[0].line[:9], w.named("GX")[1].line[:9], "the counter starts again")
	})
}

func TestSeedDecidesAndPaceChangesOnlyTime(t *testing.T) {
	run := func(seed uint64, p pace.Pace) []string {
		w := play(t, seed, p, func(ctx context.Context, m *portal.Monitor, _ *tape, _ *fault.Board) {
			part := lorry(9)
			part.GammaSigma = 20
			_, err := m.Occupy(ctx, portal.Pass{Parts: []portal.Part{part}})
			require.NoError(t, err)
		})
		var lines []string
		for _, r := range w.all {
			lines = append(lines, r.line)
		}
		return lines
	}
	require.Equal(t, run(1, 1), run(1, 1))
	require.Equal(t, run(1, 1), run(1, 10), "the number of samples stays")
	require.NotEqual(t, run(1, 1), run(2, 1))
	require.Contains(t, fmt.Sprint(run(1, 1)), "GA,")
}
