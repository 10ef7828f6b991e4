package drivers_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"gatehouse/drivers"
	"gatehouse/drivers/drivertest"
)

// Every driver folder is listed, and is a whole product unit.
func TestEveryFolderIsADriver(t *testing.T) {
	listed := map[string]bool{}
	for _, k := range drivers.All() {
		require.False(t, listed[k.Name], "%s is listed twice", k.Name)
		listed[k.Name] = true
	}
	entries, err := os.ReadDir(".")
	require.NoError(t, err)
	for _, e := range entries {
		if !e.IsDir() || e.Name() == "drivertest" {
			continue
		}
		require.True(t, listed[e.Name()], "folder %s is not in All", e.Name())
		delete(listed, e.Name())
		for _, file := range []string{"doc.go", "driver.go", "codec.go", "example.yaml", "README.md", "testdata/cases", "testdata/fuzz"} {
			_, err := os.Stat(e.Name() + "/" + file)
			require.NoError(t, err)
		}
	}
	require.Empty(t, listed, "listed without a folder")
}

// READMEs have the same sections in the same order, and name every setting.
func TestReadmesAreComplete(t *testing.T) {
	key := regexp.MustCompile(`(?m)^\s*([a-z_]+):`)
	for _, k := range drivers.All() {
		text, err := os.ReadFile(k.Name + "/README.md")
		require.NoError(t, err)
		readme := string(text)
		at := 0
		for _, section := range []string{
			"# " + k.Name, "## What it drives", "## Wiring", "## Settings", "## What it emits", "## Faults and what to do",
			"## Dành cho kỹ thuật viên",
		} {
			i := strings.Index(readme[at:], "\n"+section)
			if at == 0 && strings.HasPrefix(readme, section) {
				i = 0
			}
			require.GreaterOrEqual(t, i, 0, "%s: section %q is missing or out of order", k.Name, section)
			at += i + 1
		}
		for _, m := range key.FindAllStringSubmatch(string(k.Example), -1) {
			require.Contains(t, readme, "`"+m[1]+"`", "%s does not name the setting", k.Name)
		}
	}
}

// The examples are what a technician starts from: each decodes and builds.
func TestExamplesBuild(t *testing.T) {
	for _, k := range drivers.All() {
		_, err := k.New(drivertest.Decode(k.Example), drivertest.Env(nil))
		require.NoError(t, err, k.Name)
	}
}
