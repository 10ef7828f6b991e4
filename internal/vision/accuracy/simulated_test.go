package accuracy_test

import (
	"image"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	simplate "gatehouse/internal/sim/plate"
	"gatehouse/internal/sim/render"
	"gatehouse/internal/vision/picture"
	"gatehouse/internal/vision/plate"
	"gatehouse/internal/vision/visiontest"
	"gatehouse/internal/vision/wire"
	"gatehouse/internal/vision/xray"
)

// TestSimulatedScans measures the cargo rules on the simulator's lorries, which
// share no code with them.
func TestSimulatedScans(t *testing.T) {
	each := 3
	if full() {
		each = 40
	}
	honest, alarms, states := 0, 0, 0
	for _, load := range render.Loads() {
		wrong, said := 0, map[string]int{}
		for seed := range uint64(each) {
			scan, got := scanned(t, render.Cargo{Seed: 900 + seed, Layout: layout(seed), Load: load})
			honest++
			for _, f := range got.Findings {
				if f.Code == "XRAY-ANOMALY" {
					wrong++
					break
				}
			}
			if got.Cargo == nil {
				said["no body found"]++
				continue
			}
			said[scan.State+" called "+got.Cargo.State]++
			if (scan.State == "empty") == (got.Cargo.State == "empty") {
				states++
			}
		}
		alarms += wrong
		t.Logf("%s: alarms %s, %v", load, share(wrong, each), said)
	}
	t.Logf("honest loads: alarms %s, empty or not right %s", share(alarms, honest), share(states, honest))
	for _, threat := range render.Threats() {
		for _, load := range []string{render.Boxes, render.Sacks, render.Fruit} {
			found := 0
			for seed := range uint64(each) {
				scan, got := scanned(t, render.Cargo{Seed: 5000 + seed, Layout: layout(seed), Load: load, Threat: threat})
				if located(scan, got) {
					found++
				}
			}
			t.Logf("%s in %s: found %s", threat, load, share(found, each))
		}
	}
	require.LessOrEqual(t, alarms, honest/20)
	require.GreaterOrEqual(t, states, honest*9/10)
}

func layout(seed uint64) string { return []string{render.Rigid, render.Semi}[seed%2] }

func scanned(t *testing.T, c render.Cargo) (render.Scan, *wire.Scan) {
	t.Helper()
	scan, err := render.XRay(c, 1, false)
	require.NoError(t, err)
	p, err := picture.Decode(scan.High, picture.Raw, picture.DefaultLimits())
	require.NoError(t, err)
	defer p.Close()
	got, err := xray.NewCargo().Analyse(p)
	require.NoError(t, err)
	return scan, got
}

func located(scan render.Scan, got *wire.Scan) bool {
	for _, f := range got.Findings {
		if f.Code != "XRAY-ANOMALY" {
			continue
		}
		c := image.Pt(f.Box[0]+f.Box[2]/2, f.Box[1]+f.Box[3]/2)
		for _, b := range scan.Boxes {
			if c.In(b.Inset(-8)) {
				return true
			}
		}
	}
	return false
}

// TestSimulatedPhotos reads the simulator's lorry fronts in every light.
func TestSimulatedPhotos(t *testing.T) {
	models := visiontest.RealModels(t)
	fonts, err := render.LoadFonts()
	if err != nil {
		t.Skip("SKIPPED: the simulator's fonts are not here: ", err)
	}
	rules, err := plate.BuiltinRules()
	require.NoError(t, err)
	a, err := plate.New(visiontest.Start(t), models, rules)
	require.NoError(t, err)
	defer func() { require.NoError(t, a.Close()) }()
	each := 4
	if full() {
		each = 30
	}
	right, all, wrong := 0, 0, 0
	dice := rand.New(rand.NewPCG(4, 4))
	for _, light := range render.Lights() {
		exact := 0
		for i := range each {
			p := simplate.Random(dice, 1+i%2)
			photo, err := render.Photograph(fonts, render.Scene{Seed: uint64(i), Plate: p, Light: light})
			require.NoError(t, err)
			img, err := picture.Decode(photo.JPEG, picture.Colour, picture.DefaultLimits())
			require.NoError(t, err)
			got, err := a.Analyse(img)
			img.Close()
			require.NoError(t, err)
			read := ""
			for _, one := range got.Plates {
				if one.Text == p.Text {
					read = p.Text
				} else if one.Text != "" {
					wrong++
					t.Logf("%s: %s read as %s with %.2f", light, p.Text, one.Text, one.Score)
				}
			}
			if read != "" {
				exact++
			}
		}
		t.Logf("%s: exact %s", light, share(exact, each))
		right, all = right+exact, all+each
	}
	t.Logf("simulated photos: exact %s, false readings %d", share(right, all), wrong)
	require.GreaterOrEqual(t, right, all*8/10)
}
