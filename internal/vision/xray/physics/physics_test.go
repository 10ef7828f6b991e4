package physics_test

import (
	"fmt"
	"maps"
	"math"
	"os"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"gatehouse/internal/vision/xray/matter"
	"gatehouse/internal/vision/xray/phantom"
	"gatehouse/internal/vision/xray/physics"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func levels(s phantom.Scanner, scene *phantom.Scene, seed uint64) physics.Levels {
	high, low := s.Expose(scene, seed)
	return physics.Levels{W: scene.W, H: scene.H, High: high.V, Low: low.V, Steps: 65536}
}

// object is the wedge as a technician would describe it.
func object() (*phantom.Scene, physics.TestObject) {
	scene, steps, places := phantom.Wedge()
	o := physics.TestObject{Name: "wedge", Opaque: &[4]int{460, 20, 40, 240}, MM: 1, Edge: &[4]int{448, 60, 26, 100}}
	i := 0
	for _, name := range []string{"polyethylene", "aluminium", "steel"} {
		for _, mm := range steps[name] {
			o.Steps = append(o.Steps, physics.Step{Material: name, MM: mm, Box: places[i]})
			i++
		}
	}
	return scene, o
}

func measured(t testing.TB, s phantom.Scanner) physics.Setup {
	t.Helper()
	scene, o := object()
	setup, err := physics.Measure(levels(s, scene, 1), o)
	require.NoError(t, err)
	return setup
}

// tile is a place of the chart with what is there.
type tile struct {
	material matter.Material
	steelMM  float64
	x, y     int
}

const side = 36

// chart has every material in plates of 2 to 30 mm steel-equivalent.
func chart(s phantom.Scanner) (*phantom.Scene, []tile) {
	depth := []float64{2, 3, 5, 8, 12, 16, 20, 25, 30}
	var all []tile
	scene := phantom.NewScene(len(depth)*48+24, 9*48+24)
	row := 0
	for _, m := range matter.Materials() {
		if m.Name == "lead" {
			continue
		}
		for k, mm := range depth {
			x, y := 24+k*48, 24+row*48
			scene.Put(m, phantom.Box(float64(x), float64(y), float64(x+side), float64(y+side), s.Equivalent(m, mm)))
			all = append(all, tile{m, mm, x, y})
		}
		row++
	}
	return scene, all
}

// TestMaterialFigures measures the material and the mass on phantoms of
// scanners whose spectrum, scatter and noise the analysis does not know but
// from a scan of the wedge.
func TestMaterialFigures(t *testing.T) {
	names := []string{"160kV"}
	if os.Getenv("GATEHOUSE_ACCURACY") == "full" {
		names = slices.Sorted(maps.Keys(phantom.Scanners()))
	}
	for _, name := range names {
		s := phantom.Scanners()[name]
		setups := map[string]physics.Setup{"calibrated with the wedge": measured(t, s)}
		nominal, err := physics.Nominal(s.KV)
		require.NoError(t, err)
		setups["nominal curves"] = physics.Setup{Curves: nominal}
		for _, how := range slices.Sorted(maps.Keys(setups)) {
			right, all, worst, copper := 0, 0, 0.0, 0.0
			byClass := map[matter.Class][2]int{}
			scene, tiles := chart(s)
			v := physics.Calibrate(levels(s, scene, 7), setups[how])
			m := v.Materials()
			off := ""
			for _, at := range tiles {
				mass := 0.0
				good := 0
				for y := at.y + 2; y < at.y+side-2; y++ {
					for x := at.x + 2; x < at.x+side-2; x++ {
						i := y*v.W + x
						mass += float64(m.Areal[i])
						all++
						count := byClass[at.material.Class]
						count[1]++
						if m.Class[i] == at.material.Class {
							right++
							good++
							count[0]++
						}
						byClass[at.material.Class] = count
					}
				}
				n := (side - 4) * (side - 4)
				want := s.Equivalent(at.material, at.steelMM) / 10 * at.material.Density
				miss := mass/float64(n)/want - 1
				if at.material.Name == "copper" {
					copper = max(copper, math.Abs(miss))
				} else {
					worst = max(worst, math.Abs(miss))
				}
				if good < n*95/100 || math.Abs(miss) > 0.1 {
					off += at.material.Name + " "
					t.Logf("   %s, %s: %s of %g mm steel-equivalent: class right %d %%, mass %+.0f %%", name, how, at.material.Name, at.steelMM, 100*good/n, 100*miss)
				}
			}
			share := float64(right) / float64(all)
			t.Logf("%s, %s: class right %.2f %% of %d pixels (organic %s, inorganic %s, metal %s), worst mass of a plate %.1f %%, of copper %.1f %%, scatter %.4v, noise %.4f, penetration %.0f mm",
				name, how, 100*share, all, of(byClass[matter.Organic]), of(byClass[matter.Inorganic]), of(byClass[matter.Metal]),
				100*worst, 100*copper, setups[how].Scatter, v.Noise, v.PenetrationMM())
			if how != "nominal curves" {
				require.GreaterOrEqual(t, share, 0.95)
				require.LessOrEqual(t, worst, 0.10)
				// The weakest tube cannot tell copper from steel.
				if s.KV >= 160 {
					require.LessOrEqual(t, copper, 0.10)
				}
			}
		}
	}
}

func of(n [2]int) string { return fmt.Sprintf("%.1f %%", 100*float64(n[0])/float64(max(1, n[1]))) }

// A scanner whose tube and detector have aged is seen by the test object.
func TestQuality(t *testing.T) {
	scene, o := object()
	s := phantom.Scanners()["160kV"]
	setup := measured(t, s)
	good, err := physics.Assess(levels(s, scene, 3), o, setup)
	require.NoError(t, err)
	worn := s
	worn.Photons, worn.Blur, worn.Read = s.Photons/40, 1.8, 6e-4
	bad, err := physics.Assess(levels(worn, scene, 3), o, setup)
	require.NoError(t, err)
	t.Logf("new %+v", good)
	t.Logf("worn %+v", bad)
	require.Greater(t, bad.AirNoise, 3*good.AirNoise)
	require.Less(t, bad.PenetrationMM, good.PenetrationMM)
	require.Greater(t, bad.ResolutionMM, 1.5*good.ResolutionMM)
	require.Greater(t, bad.ContrastPercent["6 mm"], 2*good.ContrastPercent["6 mm"])
}

// What is no test object makes no curves.
func TestMeasureRefuses(t *testing.T) {
	_, o := object()
	s := phantom.Scanners()["160kV"]
	air := phantom.NewScene(520, 300)
	_, err := physics.Measure(levels(s, air, 1), o)
	require.ErrorIs(t, err, physics.ErrTestObject)
	scene, _ := object()
	l := levels(s, scene, 1)
	l.Low = l.High // one energy twice
	_, err = physics.Measure(l, o)
	require.ErrorIs(t, err, physics.ErrTestObject)
	o.Steps[0].Box[0] = 5000
	_, err = physics.Measure(levels(s, scene, 1), o)
	require.ErrorIs(t, err, physics.ErrTestObject)
}

// Lead that nothing passes is opaque, and air is air.
func TestOpaqueAndAir(t *testing.T) {
	s := phantom.Scanners()["160kV"]
	lead, _ := matter.Named("lead")
	scene := phantom.NewScene(200, 120)
	scene.Put(lead, phantom.Box(60, 30, 140, 90, 25))
	v := physics.Calibrate(levels(s, scene, 2), measured(t, s))
	m := v.Materials()
	opaque, air := 0, 0
	for y := range 120 {
		for x := range 200 {
			switch {
			case x > 64 && x < 136 && y > 34 && y < 86 && m.Class[y*200+x] == matter.Opaque:
				opaque++
			case (x < 55 || x > 145) && m.Class[y*200+x] == matter.Air:
				air++
			}
		}
	}
	require.GreaterOrEqual(t, opaque, 71*51*98/100)
	require.GreaterOrEqual(t, air, 109*120*98/100)
}
