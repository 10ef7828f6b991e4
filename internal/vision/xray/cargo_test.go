package xray_test

import (
	"fmt"
	"image"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"gatehouse/internal/vision/wire"
	"gatehouse/internal/vision/xray"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func whole() bool { return os.Getenv("GATEHOUSE_ACCURACY") == "full" }

// sizes of the rendered scans; larger ones in a full run.
func sizes() []image.Point {
	if whole() {
		return []image.Point{{1200, 420}, {640, 300}, {900, 360}}
	}
	return []image.Point{{640, 240}, {560, 220}, {700, 260}}
}

// scan renders and analyses one lorry. The block is empty when none is hidden.
func scan(t *testing.T, seed uint64, fill load, hidden bool) (*wire.Scan, image.Rectangle) {
	t.Helper()
	size := sizes()[seed%3]
	s := newScanner(seed, size.X, size.Y)
	room := s.lorry()
	hole := fill(s, room)
	var block image.Rectangle
	if hidden {
		block = s.hide(hole)
	}
	p := s.picture(t, []int{8, 16}[seed%2])
	defer p.Close()
	got, err := xray.NewCargo().Analyse(p)
	require.NoError(t, err)
	return got, block
}

func anomalies(s *wire.Scan) []wire.Finding {
	var out []wire.Finding
	for _, f := range s.Findings {
		if f.Code == "XRAY-ANOMALY" {
			out = append(out, f)
		}
	}
	return out
}

func hits(f wire.Finding, block image.Rectangle) bool {
	b := image.Rect(f.Box[0], f.Box[1], f.Box[0]+f.Box[2], f.Box[1]+f.Box[3])
	c := image.Pt((b.Min.X+b.Max.X)/2, (b.Min.Y+b.Max.Y)/2)
	return c.In(block.Inset(-4)) && b.Dx() < 3*block.Dx() && b.Dy() < 3*block.Dy()
}

// TestCargoRule measures the rule on rendered lorries: blocks hidden in goods of
// one kind are found, and honest loads of every kind pass.
func TestCargoRule(t *testing.T) {
	perLoad, perHidden := 10, 10
	if whole() {
		perLoad, perHidden = 60, 60
	}
	benign, alarms := 0, 0
	for name, fill := range map[string]load{
		"uniform": uniform, "bulk": bulk, "mixed": mixed, "drums": drums, "few": few, "empty": empty,
	} {
		wrong := 0
		for seed := range perLoad {
			got, _ := scan(t, 20000+uint64(seed), fill, false)
			if len(anomalies(got)) > 0 {
				wrong++
				t.Logf("false alarm: %s, seed %d, %+v", name, 20000+seed, anomalies(got))
			}
		}
		t.Logf("%s: %d alarms on %d honest loads", name, wrong, perLoad)
		benign, alarms = benign+perLoad, alarms+wrong
	}
	found, all := 0, 0
	for name, fill := range map[string]load{"uniform": uniform, "bulk": bulk} {
		right := 0
		for seed := range perHidden {
			got, block := scan(t, 25000+uint64(seed), fill, true)
			for _, f := range anomalies(got) {
				if hits(f, block) {
					right++
					break
				}
			}
		}
		t.Logf("%s: %d of %d hidden blocks found", name, right, perHidden)
		found, all = found+right, all+perHidden
	}
	t.Logf("detection %d/%d = %.1f %%, false alarms %d/%d = %.1f %%", found, all, 100*float64(found)/float64(all),
		alarms, benign, 100*float64(alarms)/float64(benign))
	require.GreaterOrEqual(t, float64(found), 0.8*float64(all))
	require.LessOrEqual(t, float64(alarms), 0.01*float64(benign))
}

func TestCargoState(t *testing.T) {
	for seed := range uint64(6) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			got, _ := scan(t, 100+seed, empty, false)
			require.NotNil(t, got.Cargo)
			require.Equal(t, "empty", got.Cargo.State, "fill %v", got.Cargo.Fill)
			require.Empty(t, got.Findings)

			got, _ = scan(t, 100+seed, few, false)
			require.NotEqual(t, "loaded", got.Cargo.State, "fill %v", got.Cargo.Fill)

			got, _ = scan(t, 100+seed, bulk, false)
			require.NotEqual(t, "empty", got.Cargo.State, "fill %v", got.Cargo.Fill)
			require.Equal(t, "cargo", got.Kind)
			require.Equal(t, "grey", got.Energy)
		})
	}
}

// What lets nothing through could not be inspected, and that is said.
func TestOpaqueLoad(t *testing.T) {
	s := newScanner(3, 900, 360)
	room := s.lorry()
	s.put(image.Rect(room.Min.X+room.Dx()/3, room.Min.Y+room.Dy()/4, room.Max.X-room.Dx()/3, room.Max.Y), 9)
	p := s.picture(t, 8)
	defer p.Close()
	got, err := xray.NewCargo().Analyse(p)
	require.NoError(t, err)
	require.Len(t, got.Findings, 1)
	f := got.Findings[0]
	require.Equal(t, "XRAY-OPAQUE", f.Code)
	require.InDelta(t, room.Min.X+room.Dx()/3, f.Box[0], 8)
	require.InDelta(t, room.Dx()/3, f.Box[2], 16)
}

// Pictures that are no cargo scan give an answer without findings, or an error.
func TestNoCargoAtAll(t *testing.T) {
	for name, a := range map[string]float64{"air only": 0, "all dark": 9, "all grey": 1} {
		s := newScanner(1, 300, 200)
		s.put(image.Rect(0, 0, 300, 200), a)
		p := s.picture(t, 8)
		got, err := xray.NewCargo().Analyse(p)
		p.Close()
		require.NoError(t, err, name)
		require.Empty(t, anomalies(got), name)
	}
	s := newScanner(1, 40, 20)
	p := s.picture(t, 8)
	defer p.Close()
	_, err := xray.NewCargo().Analyse(p)
	require.ErrorContains(t, err, "too few")
}
