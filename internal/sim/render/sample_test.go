package render_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"gatehouse/internal/sim/plate"
	"gatehouse/internal/sim/render"
)

// TestSamples writes pictures for people to look at when GATESIM_SAMPLES names
// a folder.
func TestSamples(t *testing.T) {
	dir := os.Getenv("GATESIM_SAMPLES")
	if dir == "" {
		t.Skip("GATESIM_SAMPLES names no folder")
	}
	fonts, err := render.LoadFonts()
	require.NoError(t, err)
	r := rand.New(rand.NewPCG(1, 2))
	for i, l := range append(render.Lights(), render.Day, render.Sun) {
		p := plate.Random(r, 1+i%2)
		if i == 7 && fonts.Chinese() {
			p = plate.RandomChinese(r)
		}
		ph, err := render.Photograph(fonts, render.Scene{Seed: uint64(i), Plate: p, Light: l})
		require.NoError(t, err)
		t.Log(p.Display, ph.Box)
		require.NoError(t, os.WriteFile(filepath.Join(dir, fmt.Sprintf("scene-%d-%s.jpg", i, l)), ph.JPEG, 0o644))
	}
	for i, load := range append(render.Loads(), render.Boxes, render.Sacks, render.Fruit) {
		c := render.Cargo{Seed: uint64(i), Layout: []string{render.Rigid, render.Semi}[i%2], Load: load}
		if i >= 7 {
			c.Threat = render.Threats()[i-7]
		}
		scan, err := render.XRay(c, 1, false)
		require.NoError(t, err)
		t.Log(load, c.Threat, scan.Boxes, scan.State, scan.Fill, scan.Size, len(scan.High))
		require.NoError(t, os.WriteFile(filepath.Join(dir, fmt.Sprintf("scan-%d-%s%s.png", i, load, c.Threat)), scan.High, 0o644))
	}
	for i := range 30 {
		b := render.Bag{Seed: uint64(i), Kind: render.Bags()[i%3]}
		if i%2 == 1 {
			b.Threat = render.BagThreats()[i/2%2]
		}
		scan, err := render.XRayBag(b, 1)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(dir, fmt.Sprintf("bag-%02d-%s.png", i, b.Threat)), scan.High, 0o644))
	}
	for i, l := range render.Lights() {
		p := plate.Random(r, 1+i%2)
		ph, err := render.Photograph(fonts, render.Scene{Seed: uint64(i), Plate: p, Light: l, Rear: true})
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(dir, fmt.Sprintf("rear-%d-%s-%s.jpg", i, l, p.Text)), ph.JPEG, 0o644))
	}
}
