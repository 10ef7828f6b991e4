package scale_test

import (
	"context"
	"encoding/hex"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"gatehouse/internal/sim/fault"
	"gatehouse/internal/sim/port"
	"gatehouse/internal/sim/scale"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// The vectors stand in the makers' manuals.
func TestFramesAreTheManuals(t *testing.T) {
	for want, got := range map[string][]byte{
		"022A30202031323334302020202020300D0D": scale.Display{KG: 12340, Step: 1}.Encode(scale.Toledo),
		"022A38202031323334302020202020300D05": scale.Display{KG: 12340, Step: 1, Motion: true}.Encode(scale.Toledo),
		"023130202020313233342020202020300D16": scale.Display{KG: 12340, Step: 20}.Encode(scale.Toledo),
		"022B30313233343530314103":             scale.Display{KG: 12345}.Encode(scale.Yaohua),
		"022D30303030323030314603":             scale.Display{KG: -20}.Encode(scale.Yaohua),
	} {
		require.Equal(t, strings.ReplaceAll(want, " ", ""), strings.ToUpper(hex.EncodeToString(got)))
	}
}

// tape reads Toledo frames by itself.
type tape struct {
	mu  sync.Mutex
	all []seen
}

type seen struct {
	kg                      int
	motion, over, notZeroed bool
	passage                 string
}

func (w *tape) Put(f port.Frame) bool {
	b := f.Wire
	sum := 0
	for _, c := range b {
		sum += int(c)
	}
	if len(b) != 18 || sum%128 != 0 {
		panic("not a Toledo frame: " + hex.EncodeToString(b))
	}
	kg, err := strconv.Atoi(strings.TrimSpace(string(b[4:10])))
	if err != nil {
		panic(err)
	}
	if b[1]&7 == 1 {
		kg *= 10
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.all = append(w.all, seen{kg, b[2]&8 != 0, b[2]&4 != 0, b[2]&0x40 != 0, f.Passage})
	return true
}

func (w *tape) take() []seen {
	w.mu.Lock()
	defer w.mu.Unlock()
	all := w.all
	w.all = nil
	return all
}

func play(t *testing.T, do func(ctx context.Context, s *scale.Scale, w *tape, b *fault.Board)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w, b := &tape{}, fault.NewBoard(nil)
		s := scale.New(scale.Settings{Device: "scale", Protocol: scale.Toledo, Pace: 1, Seed: 3}, w, b)
		ctx, end := context.WithCancel(t.Context())
		var jobs sync.WaitGroup
		jobs.Go(func() { require.NoError(t, s.Run(ctx)) })
		do(ctx, s, w, b)
		end()
		jobs.Wait()
		b.Close()
	})
}

func TestALorryIsWeighed(t *testing.T) {
	play(t, func(ctx context.Context, s *scale.Scale, w *tape, _ *fault.Board) {
		time.Sleep(2 * time.Second)
		for _, f := range w.take() {
			require.Equal(t, seen{}, f, "an empty bridge shows a resting zero")
		}
		require.NoError(t, s.Enter(ctx, scale.Vehicle{Passage: "sim-000001", GrossKG: 23456, Axles: 4, Settles: 4 * time.Second}))
		time.Sleep(2 * time.Second)
		on := w.take()
		still := 0
		for i, f := range on {
			require.Equal(t, "sim-000001", f.passage)
			if !f.motion {
				still++
				require.Equal(t, 23460, f.kg, "frame %d", i)
			}
		}
		require.GreaterOrEqual(t, still, 12, "two seconds of rest and what was left of the settling")
		require.Greater(t, len(on)-still, 15)
		require.NoError(t, s.Leave(ctx, 2*time.Second))
		for _, f := range w.take() {
			require.True(t, f.motion || f.kg == 0 || f.kg == 23460)
		}
		time.Sleep(time.Second)
		require.Equal(t, seen{}, w.take()[1])
	})
}

func TestStatesOfTheMenu(t *testing.T) {
	play(t, func(ctx context.Context, s *scale.Scale, w *tape, b *fault.Board) {
		require.NoError(t, s.Enter(ctx, scale.Vehicle{GrossKG: 20000, Settles: time.Second}))
		for name, ok := range map[string]func(seen) bool{
			"overload":     func(f seen) bool { return f.over && f.kg == 61500 },
			"never-stable": func(f seen) bool { return f.motion },
			"not-zeroed":   func(f seen) bool { return f.notZeroed },
		} {
			_, err := b.Set(fault.Order{Name: name, Device: "scale"})
			require.NoError(t, err)
			w.take()
			time.Sleep(time.Second)
			for _, f := range w.take() {
				require.True(t, ok(f), "%s: %+v", name, f)
			}
			b.Clear(name, "")
		}
	})
}
