// Command bundle makes the console's scripts, styles and fonts from src and
// node_modules into dist, from where they are embedded. It needs no Node.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/evanw/esbuild/pkg/api"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "bundle:", err)
		os.Exit(1)
	}
}

func run() error {
	root, err := webFolder()
	if err != nil {
		return err
	}
	dist := filepath.Join(root, "dist")
	if err := clean(dist); err != nil {
		return err
	}
	result := api.Build(api.BuildOptions{
		AbsWorkingDir:     root,
		EntryPoints:       []string{"src/app.ts", "src/app.css"},
		Outdir:            "dist",
		EntryNames:        "[name]-[hash]",
		AssetNames:        "[name]-[hash]",
		Bundle:            true,
		MinifyWhitespace:  true,
		MinifyIdentifiers: true,
		MinifySyntax:      true,
		LegalComments:     api.LegalCommentsEndOfFile,
		Target:            api.ES2022,
		Format:            api.FormatESModule,
		Loader:            map[string]api.Loader{".woff2": api.LoaderFile},
		Metafile:          true,
		Write:             true,
		LogLevel:          api.LogLevelWarning,
	})
	if len(result.Errors) > 0 {
		return errors.New("the front end could not be bundled; run `npm ci --ignore-scripts` in internal/console/web first")
	}
	return writeManifest(dist, result.Metafile)
}

// webFolder finds internal/console/web from the module's root or from itself.
func webFolder() (string, error) {
	for _, dir := range []string{"internal/console/web", ".", ".."} {
		if _, err := os.Stat(filepath.Join(dir, "package-lock.json")); err == nil {
			return filepath.Abs(dir)
		}
	}
	return "", errors.New("run it from the module's root")
}

// clean removes what an earlier run has made. The folder's .gitignore is
// committed; it is written again if somebody removed the whole folder.
func clean(dist string) error {
	if err := os.MkdirAll(dist, 0o755); err != nil {
		return fmt.Errorf("make dist: %w", err)
	}
	if err := os.WriteFile(filepath.Join(dist, ".gitignore"), []byte("# Made by internal/console/web/bundle.\n*\n!.gitignore\n"), 0o644); err != nil {
		return fmt.Errorf("make dist: %w", err)
	}
	entries, err := os.ReadDir(dist)
	if err != nil {
		return fmt.Errorf("read dist: %w", err)
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), ".") {
			continue
		}
		if err := os.Remove(filepath.Join(dist, e.Name())); err != nil {
			return fmt.Errorf("clear dist: %w", err)
		}
	}
	return nil
}

// writeManifest tells which file an entry point has become.
func writeManifest(dist, metafile string) error {
	var meta struct {
		Outputs map[string]struct {
			EntryPoint string `json:"entryPoint"`
		} `json:"outputs"`
	}
	if err := json.Unmarshal([]byte(metafile), &meta); err != nil {
		return fmt.Errorf("read what was bundled: %w", err)
	}
	names := map[string]string{}
	for out, o := range meta.Outputs {
		if o.EntryPoint != "" {
			names[strings.TrimPrefix(o.EntryPoint, "src/")] = filepath.Base(out)
		}
	}
	b, err := json.MarshalIndent(names, "", "  ")
	if err != nil {
		return fmt.Errorf("encode manifest: %w", err)
	}
	return os.WriteFile(filepath.Join(dist, "manifest.json"), append(b, '\n'), 0o644)
}
