//go:build torture

package fault

import "os"

// FromEnv arms the points that the environment names; nil when it names none.
func FromEnv() (*Points, error) {
	spec := os.Getenv(Env)
	if spec == "" {
		return nil, nil
	}
	return Parse(spec, os.Getenv(EnvLog))
}
