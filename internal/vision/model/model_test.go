package model_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"gatehouse/internal/vision/model"
	"gatehouse/internal/vision/visiontest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestRunManyShapes(t *testing.T) {
	rt := visiontest.Start(t)
	n, err := rt.Load(filepath.Join(visiontest.TinyModels(), "plate-detector"))
	require.NoError(t, err)
	defer func() { require.NoError(t, n.Close()) }()
	require.Equal(t, "plate-detector@test", n.Manifest.ID())
	for _, side := range []int64{32, 320, 64} {
		out, err := n.Run([]int64{1, 3, side, side}, make([]float32, 3*side*side))
		require.NoError(t, err)
		heat, err := model.Output(out, "heat", 4)
		require.NoError(t, err)
		require.Equal(t, []int{1, 1, int(side / 8), int(side / 8)}, heat.Shape)
		require.Less(t, heat.Data[0], float32(0.01), "black is no plate")
		_, err = model.Output(out, "heat", 3)
		require.ErrorContains(t, err, "rank 3")
		_, err = model.Output(out, "nothing", 4)
		require.ErrorContains(t, err, "nothing")
	}
	_, err = n.Run([]int64{1, 1, 32, 32}, make([]float32, 32*32))
	require.ErrorContains(t, err, "run plate-detector")
}

// What is wrong with a model folder is said, and nothing half loaded stays.
func TestBadFolders(t *testing.T) {
	rt := visiontest.Start(t)
	text, err := os.ReadFile(filepath.Join(visiontest.TinyModels(), "plate-detector", "manifest.json"))
	require.NoError(t, err)
	for name, c := range map[string]struct {
		files map[string]string
		word  string
	}{
		"empty":           {nil, "read manifest"},
		"no JSON":         {map[string]string{"manifest.json": "{"}, "parse"},
		"no model":        {map[string]string{"manifest.json": string(text)}, "read model"},
		"another model":   {map[string]string{"manifest.json": string(text), "model.onnx": "x"}, "SHA-256"},
		"no model at all": {map[string]string{"manifest.json": `{"file":"model.onnx","sha256":"2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"}`, "model.onnx": "x"}, "cannot be loaded"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			for file, content := range c.files {
				require.NoError(t, os.WriteFile(filepath.Join(dir, file), []byte(content), 0o600))
			}
			_, err := rt.Load(dir)
			require.ErrorContains(t, err, c.word)
		})
	}
	_, err = model.Start(filepath.Join(t.TempDir(), "libonnxruntime.so"), 1)
	require.ErrorContains(t, err, "missing")
}
