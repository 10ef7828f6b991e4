//go:build torture

package fault

import "os"

// Planted says whether the environment plants a bug: whoever judges a gate shows
// with it that they notice.
func Planted(name string) bool { return os.Getenv(EnvPlant) == name }
