package accuracy_test

import (
	"image"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"gocv.io/x/gocv"

	"gatehouse/internal/vision/model"
	"gatehouse/internal/vision/picture"
	"gatehouse/internal/vision/visiontest"
	"gatehouse/internal/vision/wire"
	"gatehouse/internal/vision/xray"
)

// TestContainers tells empty from loaded containers, and counts what the rule
// for foreign density says about real loads, in which nothing is known to hide.
func TestContainers(t *testing.T) {
	data := visiontest.Data(t)
	lines := labels(t, filepath.Join(data, "xray"), func(l label) bool { return l.Kind == wire.KindCargo && l.Split == "dev" })
	right, alarms, opaque := 0, 0, 0
	for _, l := range lines { // few and fast: never a sample
		p, err := picture.Open(l.File, picture.Raw, picture.DefaultLimits())
		require.NoError(t, err)
		got, err := xray.NewCargo().Analyse(p)
		p.Close()
		require.NoError(t, err, l.File)
		state, fill := "no body found", 0.0
		if got.Cargo != nil {
			state, fill = got.Cargo.State, got.Cargo.Fill
		}
		if (state == "empty") == (l.ContainerState == "empty") && got.Cargo != nil {
			right++
		} else {
			t.Logf("%s is %s and called %s, fill %.2f", filepath.Base(l.File), l.ContainerState, state, fill)
		}
		for _, f := range got.Findings {
			switch f.Code {
			case "XRAY-ANOMALY":
				alarms++
				t.Logf("%s (%s): %+v", filepath.Base(l.File), l.Content, f)
			case "XRAY-OPAQUE":
				opaque++
			}
		}
	}
	t.Logf("empty or loaded right %s, anomalies %d, opaque areas %d", share(right, len(lines)), alarms, opaque)
	require.GreaterOrEqual(t, right, len(lines)*9/10)
}

// TestBaggage prints what the net says about real bags. Threat and benign bags
// of this data come from different sources, so only the places of the findings
// and the alarms on benign bags of one kind say something.
func TestBaggage(t *testing.T) {
	data, models := visiontest.Data(t), visiontest.RealModels(t)
	rt := visiontest.Start(t)
	b := load(t, rt, filepath.Join(models, xray.BaggageModel))
	for _, energy := range []string{"pseudocolor", "grey"} {
		lines := labels(t, filepath.Join(data, "xray"), func(l label) bool {
			return l.Kind == wire.KindBaggage && l.Split == "dev" && l.Energy == energy
		})
		benign, alarms, threat, raised, objects, hit := 0, 0, 0, 0, 0, 0
		var ms []float64
		for _, l := range lines {
			p, err := picture.Open(l.File, picture.Raw, picture.DefaultLimits())
			require.NoError(t, err)
			got, err := b.Analyse(p)
			p.Close()
			require.NoError(t, err, l.File)
			ms = append(ms, got.MS["detect"])
			if !l.Threat {
				benign++
				alarms += min(1, len(got.Findings))
				continue
			}
			threat++
			raised += min(1, len(got.Findings))
			for _, o := range l.Labels {
				if len(o.Box) != 4 {
					continue
				}
				objects++
				for _, f := range got.Findings {
					cx, cy := f.Box[0]+f.Box[2]/2, f.Box[1]+f.Box[3]/2
					if cx >= o.Box[0] && cx < o.Box[0]+o.Box[2] && cy >= o.Box[1] && cy < o.Box[1]+o.Box[3] {
						hit++
						break
					}
				}
			}
		}
		t.Logf("%s: threat bags raised %s, objects hit %s, benign bags raised %s, median %.1f ms", energy,
			share(raised, threat), share(hit, objects), share(alarms, benign), percentile(ms, 0.5))
		require.Less(t, alarms, benign, "an alarm on every bag is no alarm")
	}
}

// TestClasses: a gun that the net was never trained on, projected into real
// bags, is told as a firearm or as unknown, and a shuriken as a blade.
func TestClasses(t *testing.T) {
	data, models := visiontest.Data(t), visiontest.RealModels(t)
	b := load(t, visiontest.Start(t), filepath.Join(models, xray.BaggageModel))
	bags := labels(t, filepath.Join(data, "xray"), func(l label) bool {
		return l.Kind == wire.KindBaggage && l.Split == "dev" && l.Energy == "pseudocolor" && !l.Threat
	})
	each := 12
	if full() {
		each = len(bags)
	}
	for object, class := range map[string]string{"gun": "firearm", "shuriken": "blade"} {
		views := labels(t, filepath.Join(data, "xray"), func(l label) bool { return l.Split == "sprite" && l.Labels[0].Class == object })
		told := map[string]int{}
		for i := range each {
			p, at := projected(t, bags[i].File, views[i*5%len(views)].File)
			got, err := b.Analyse(p)
			p.Close()
			require.NoError(t, err)
			for _, f := range got.Findings {
				if (image.Point{X: f.Box[0] + f.Box[2]/2, Y: f.Box[1] + f.Box[3]/2}).In(at) {
					told[f.Class]++
				}
			}
		}
		t.Logf("%s in %d bags, told as %v", object, each, told)
		require.GreaterOrEqual(t, told[class], each/6)
		delete(told, "anomaly")
		right := told[class]
		delete(told, class)
		for other, n := range told {
			require.LessOrEqual(t, n, right/4, "%s told as %s", object, other)
		}
	}
}

// projected is a bag with a thing of a quarter of its length in its middle, as
// one exposure would show both: what comes through the two multiplies.
func projected(t *testing.T, bag, thing string) (*picture.Picture, image.Rectangle) {
	t.Helper()
	g, s := gocv.IMRead(bag, gocv.IMReadGrayScale), gocv.IMRead(thing, gocv.IMReadGrayScale)
	defer func() { _, _ = g.Close(), s.Close() }()
	k := float64(max(g.Cols(), g.Rows())) / 4 / float64(max(s.Cols(), s.Rows()))
	gocv.Resize(s, &s, image.Pt(int(k*float64(s.Cols())), int(k*float64(s.Rows()))), 0, 0, gocv.InterpolationArea)
	at := image.Rect(0, 0, s.Cols(), s.Rows()).Add(image.Pt((g.Cols()-s.Cols())/2, (g.Rows()-s.Rows())/2))
	pixels, err := s.DataPtrUint8()
	require.NoError(t, err)
	pixels = slices.Clone(pixels)
	slices.Sort(pixels)
	air := float64(pixels[len(pixels)*9/10])
	for y := range s.Rows() {
		for x := range s.Cols() {
			if through := float64(s.GetUCharAt(y, x)) / air; through < 0.93 { // else it is the plain ground that the thing lay on
				g.SetUCharAt(at.Min.Y+y, at.Min.X+x, uint8(max(4, through*float64(g.GetUCharAt(at.Min.Y+y, at.Min.X+x)))))
			}
		}
	}
	data, err := gocv.IMEncode(gocv.PNGFileExt, g)
	require.NoError(t, err)
	defer data.Close()
	p, err := picture.Decode(data.GetBytes(), picture.Raw, picture.DefaultLimits())
	require.NoError(t, err)
	return p, at
}

func load(t *testing.T, rt *model.Runtime, dir string) *xray.Baggage {
	t.Helper()
	b, err := xray.NewBaggage(rt, dir)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, b.Close()) })
	return b
}
