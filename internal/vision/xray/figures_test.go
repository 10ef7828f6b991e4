package xray_test

import (
	"image"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"gatehouse/internal/lot"
	"gatehouse/internal/sidecar"
	"gatehouse/internal/vision/picture"
	"gatehouse/internal/vision/wire"
	"gatehouse/internal/vision/xray"
	"gatehouse/internal/vision/xray/cargotest"
	"gatehouse/internal/vision/xray/intake"
	"gatehouse/internal/vision/xray/scantest"
)

// wilson is the 90 % interval of a share, in percent.
func wilson(k, n int) (lo, hi float64) {
	const z = 1.645
	p, d := float64(k)/float64(n), 1+z*z/float64(n)
	c, r := p+z*z/(2*float64(n)), z*math.Sqrt(p*(1-p)/float64(n)+z*z/(4*float64(n*n)))
	return 100 * (c - r) / d, 100 * (c + r) / d
}

// template renders the machine's empty container into a file.
func template(t *testing.T) string {
	t.Helper()
	v := cargotest.Render(cargotest.Case{Seed: 1, Load: "empty"}, true)
	data, _, err := scantest.File("png16", v.Plane, v.Plane)
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), "empty.png")
	require.NoError(t, os.WriteFile(path, data, 0o600))
	return path
}

// looked renders a case and analyses it as the worker would.
func looked(t *testing.T, cargo *xray.Cargo, c cargotest.Case, site xray.Site) (*wire.Scan, cargotest.View) {
	t.Helper()
	v := cargotest.Render(c, false)
	data, _, err := scantest.File("png16", v.Plane, v.Plane)
	require.NoError(t, err)
	p, err := picture.DecodeScan(data, picture.DefaultLimits())
	require.NoError(t, err)
	s := &intake.Scan{Scan: p, Lit: 1, Rows: 1, Side: sidecar.Description{PixelMM: cargotest.MMPerPixel, Declared: c.Declared}}
	defer s.Close()
	if c.Rule == "mass" {
		s.Side.DeclaredKG = v.KG
		if c.Positive {
			s.Side.DeclaredKG = v.KG / c.Amount
		}
	}
	got, err := cargo.Scan(s, site)
	require.NoError(t, err)
	return got, v
}

func cases(t *testing.T, rule string) []cargotest.Case {
	t.Helper()
	all, err := cargotest.Cases(rule)
	require.NoError(t, err)
	if whole() {
		return all
	}
	var some []cargotest.Case // a few, with negatives and positives
	for i := range all {
		if i%160 < 4 {
			some = append(some, all[i])
		}
	}
	return some
}

// TestCargoRulesFigures measures each rule on its frozen cases: what it finds,
// and how often it alarms on honest ones. The foreign-density rule is measured by
// TestCargoRule.
func TestCargoRulesFigures(t *testing.T) {
	cargo, site := xray.NewCargo(), xray.Site{TemplateFile: template(t)}
	only := os.Getenv("GATEHOUSE_RULE") // one rule alone
	for rule, prefix := range map[string][]string{
		"hidden-volume": {"xray-hidden-volume", "xray-false-wall"}, "mass": {"xray-mass"},
		"declared-empty": {"xray-declared"}, "declared-uniform": {"xray-declared"},
		"declared-liquid": {"xray-declared"}, "declared-metal": {"xray-declared"},
	} {
		if only != "" && rule != only {
			continue
		}
		found, positives, alarms, negatives := 0, 0, 0, 0
		place := map[string][2]int{}
		for _, c := range cases(t, rule) {
			got, v := looked(t, cargo, c, site)
			said := false
			for _, f := range got.Findings {
				for _, p := range prefix {
					if strings.HasPrefix(f.Rule, p) {
						r := image.Rect(f.Box[0], f.Box[1], f.Box[0]+f.Box[2], f.Box[1]+f.Box[3])
						said = said || !c.Positive || v.Hidden.Empty() || r.Overlaps(v.Hidden.Inset(-4))
						require.NotEmpty(t, f.Figures)
					}
				}
			}
			switch {
			case c.Positive:
				positives++
				n := place[c.Place]
				n[1]++
				if said {
					found++
					n[0]++
				}
				place[c.Place] = n
			default:
				negatives++
				if said {
					alarms++
					t.Logf("   false alarm of %s: seed %d, %s, %.2f, top %.2f", rule, c.Seed, c.Load, c.Level, c.Top)
				}
			}
		}
		lo, hi := wilson(found, positives)
		alo, ahi := wilson(alarms, negatives)
		t.Logf("%s: detection %d/%d = %.0f %% (%.0f-%.0f) %v, false alarms %d/%d = %.1f %% (%.1f-%.1f)", rule, found, positives,
			100*float64(found)/float64(positives), lo, hi, place, alarms, negatives, 100*float64(alarms)/float64(negatives), alo, ahi)
		require.GreaterOrEqual(t, float64(found), 0.8*float64(positives), rule)
		require.LessOrEqual(t, float64(alarms), max(0.01*float64(negatives), 0.5), rule)
	}
}

// TestTwinsFigures: two twenties are two bodies, one forty is one.
func TestTwinsFigures(t *testing.T) {
	cargo := xray.NewCargo()
	found, positives, alarms, negatives, states := 0, 0, 0, 0, 0
	for _, c := range cases(t, "twins") {
		got, v := looked(t, cargo, c, xray.Site{})
		n := 0
		if got.Cargo != nil {
			n = len(got.Cargo.Bodies)
			if (got.Cargo.State == "empty") == (c.Load == "empty") {
				states++
			}
		}
		if c.Positive {
			positives++
			if n == len(v.Rooms) {
				found++
			}
			continue
		}
		negatives++
		if n != 1 {
			alarms++
		}
	}
	t.Logf("two twenties seen as two %d/%d, one body not seen as one %d/%d, empty or not right %d/%d", found, positives, alarms, negatives, states, positives+negatives)
	require.GreaterOrEqual(t, float64(found), 0.8*float64(positives))
	require.LessOrEqual(t, float64(alarms), max(0.01*float64(negatives), 0.5))
}

// TestLotFigures: one container in eight that is filled otherwise than its lot.
func TestLotFigures(t *testing.T) {
	cargo := xray.NewCargo()
	all := cases(t, "lot")
	var honest, other []cargotest.Case
	for _, c := range all {
		if c.Positive {
			other = append(other, c)
		} else {
			honest = append(honest, c)
		}
	}
	item := func(c cargotest.Case) lot.Item {
		got, _ := looked(t, cargo, c, xray.Site{})
		require.NotNil(t, got.Cargo)
		return xray.LotOf(got)
	}
	var items []lot.Item
	for _, c := range honest {
		items = append(items, item(c))
	}
	alarms, negatives, found := 0, 0, 0
	for i := 0; i+8 <= len(items); i += 8 {
		flagged := map[int]bool{}
		for _, o := range lot.Outliers(items[i : i+8]) {
			flagged[o.Index] = true
		}
		negatives, alarms = negatives+8, alarms+len(flagged)
	}
	for i, c := range other {
		from := i * 7 % max(1, len(items)-7)
		others := append([]lot.Item{item(c)}, items[from:from+7]...)
		for _, o := range lot.Outliers(others) {
			if o.Index == 0 {
				found++
				break
			}
		}
	}
	t.Logf("lot outliers found %d/%d, false alarms %d/%d", found, len(other), alarms, negatives)
	require.GreaterOrEqual(t, float64(found), 0.8*float64(len(other)))
	require.LessOrEqual(t, float64(alarms), max(0.01*float64(negatives), 0.5))
	require.Empty(t, lot.Outliers(items[:4]), "four are no lot")
}
