package accuracy_test

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

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

func load(t *testing.T, rt *model.Runtime, dir string) *xray.Baggage {
	t.Helper()
	b, err := xray.NewBaggage(rt, dir)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, b.Close()) })
	return b
}
