//go:build story

package story_test

import (
	"os"
	"path/filepath"
)

// copyVision makes a folder of the vision worker, its models and its library
// that a test may spoil. The worker looks for them beside itself.
func copyVision(from, to string) error {
	if err := os.CopyFS(filepath.Join(to, "models"), os.DirFS(filepath.Join(from, "models"))); err != nil {
		return err
	}
	if err := os.Symlink(filepath.Join(from, "lib"), filepath.Join(to, "lib")); err != nil {
		return err
	}
	program, err := os.ReadFile(filepath.Join(from, "gatehouse-vision"))
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(to, "gatehouse-vision"), program, 0o755)
}
