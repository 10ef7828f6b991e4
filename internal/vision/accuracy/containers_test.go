//go:build eval

package accuracy_test

import (
	"bufio"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"gatehouse/internal/vision/lettering"
	"gatehouse/internal/vision/picture"
	"gatehouse/internal/vision/visiontest"
)

// TestEvalContainers prints what is read on the photographs of containers.
func TestEvalContainers(t *testing.T) {
	dir := filepath.Join(visiontest.Data(t), "containers")
	a, err := lettering.New(visiontest.Start(t), filepath.Join(models(t), lettering.Model))
	require.NoError(t, err)
	defer a.Close()
	f, err := os.Open(filepath.Join(dir, "labels.jsonl"))
	require.NoError(t, err)
	defer f.Close()
	images, exact, owner, sizes, sure, wrong := 0, 0, 0, 0, 0, 0
	var ms []float64
	for s := bufio.NewScanner(f); s.Scan(); {
		var l struct {
			File     string `json:"file"`
			Code     string `json:"code"`
			SizeType string `json:"size_type"`
		}
		require.NoError(t, json.Unmarshal(s.Bytes(), &l))
		p, err := picture.Open(filepath.Join(dir, l.File), picture.Colour, picture.DefaultLimits())
		require.NoError(t, err)
		got, err := a.Analyse(p)
		p.Close()
		require.NoError(t, err)
		images++
		ms = append(ms, got.MS["read"])
		hit, head := 0, 0
		for _, c := range got.Codes {
			if c.Text == l.Code {
				hit = 1
				if c.SizeType == l.SizeType {
					sizes++
				}
				if c.CheckOK {
					sure++
				}
			} else if c.CheckOK {
				wrong++
			}
			if c.Text[:10] == l.Code[:10] {
				head = 1
			}
		}
		exact, owner = exact+hit, owner+head
		t.Logf("%s %s %s: %+v", filepath.Base(l.File), l.Code, l.SizeType, got.Codes)
	}
	t.Logf("exact %s, owner and serial %s, with the size and type %s, proven by the check digit %s, proven and wrong %d, median %.0f ms",
		share(exact, images), share(owner, images), share(sizes, images), share(sure, images), wrong, percentile(ms, 0.5))
}
