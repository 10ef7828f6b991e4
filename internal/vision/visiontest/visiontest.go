// Package visiontest finds what the tests of vision need and the repository
// does not hold: ONNX Runtime's library and the photographs.
package visiontest

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"gatehouse/internal/vision/model"
)

// Root is the project's folder.
func Root() string {
	_, file, _, _ := runtime.Caller(0)
	return filepath.Join(filepath.Dir(file), "..", "..", "..")
}

// Library is the path of libonnxruntime.so; without it the test is skipped.
func Library(t testing.TB) string {
	t.Helper()
	if path := os.Getenv("GATEHOUSE_ONNXRUNTIME"); path != "" {
		return path
	}
	arch := map[string]string{"amd64": "x64"}[runtime.GOARCH]
	if arch == "" {
		arch = runtime.GOARCH
	}
	for _, dir := range []string{
		filepath.Join(Root(), "bin", "lib"),
		filepath.Join(Root(), "deploy", "vision", "node_modules", "onnxruntime-node", "bin", "napi-v6", "linux", arch),
	} {
		if path := model.FindLibrary(dir); path != "" {
			return path
		}
	}
	t.Skip("SKIPPED: ONNX Runtime's library is not here; run npm ci --ignore-scripts in deploy/vision or set GATEHOUSE_ONNXRUNTIME")
	return ""
}

// Start loads ONNX Runtime for a test.
func Start(t testing.TB) *model.Runtime {
	t.Helper()
	rt, err := model.Start(Library(t), 2)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := rt.Close(); err != nil {
			t.Error(err)
		}
	})
	return rt
}

// TinyModels are models with simple known answers.
func TinyModels() string { return filepath.Join(Root(), "internal", "vision", "testdata", "models") }

// RealModels are the trained ones; without them the test is skipped.
func RealModels(t testing.TB) string {
	t.Helper()
	dir := filepath.Join(Root(), "internal", "vision", "models")
	if _, err := os.Stat(filepath.Join(dir, "plate-reader", "manifest.json")); err != nil {
		t.Skip("SKIPPED: there are no trained models in internal/vision/models")
	}
	return dir
}

// Data is the folder of real images with truth; without it the test is skipped.
func Data(t testing.TB) string {
	t.Helper()
	dir := os.Getenv("GATEHOUSE_DATA")
	if dir == "" {
		dir = filepath.Join(Root(), "..", "shared", "data")
	}
	if _, err := os.Stat(filepath.Join(dir, "plates", "labels.jsonl")); err != nil {
		t.Skip("SKIPPED: no real images at " + dir + "; set GATEHOUSE_DATA to measure on them")
	}
	return dir
}
