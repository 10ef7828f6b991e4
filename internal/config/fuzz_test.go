package config_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"gatehouse/drivers"
	"gatehouse/internal/config"
	"gatehouse/internal/gate"
)

// FuzzCheck gives the check whatever a technician may write: it must neither
// fail nor point outside of the file.
func FuzzCheck(f *testing.F) {
	f.Add(good)
	f.Add(minimal)
	for _, name := range []string{reference, "../../cmd/gatectl/testdata/good.yaml"} {
		text, err := os.ReadFile(name)
		require.NoError(f, err)
		f.Add(string(text))
	}
	for _, text := range []string{
		"a: &a [*a]", "lanes: {<<: *x}", "lanes: [{devices: [{settings: &s {line: *s}}]}]", "gate: !!binary x", "? {a: b}\n: c",
		"lanes:\n - devices:\n   - settings:\n      <<: [1]", "gate: |\n  x\n", "lanes: [&l {<<: *l}]", "lanes: [&l {<<: *l, <<: *l, <<: *l}]", "field_mqtt: {users: [{topics: [#]}]}",
	} {
		f.Add(text)
	}
	path := filepath.Join(f.TempDir(), "gate.yaml")
	f.Fuzz(func(t *testing.T, text string) {
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		file, err := config.Open(path)
		ps, wrong := errors.AsType[config.Problems](err)
		if err != nil {
			require.True(t, wrong)
		} else {
			ps = config.Sorted(file.Problems(), gate.Check(file, drivers.All()), file.Files(t.TempDir()))
		}
		for _, p := range ps {
			require.NotEmpty(t, p.Message)
			require.NotEmpty(t, p.Scope)
			require.GreaterOrEqual(t, p.Line, 0)
		}
	})
}
