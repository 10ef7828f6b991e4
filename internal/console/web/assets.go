package web

import (
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
)

// dist is what the bundle command has made.
//
//go:embed all:dist
var dist embed.FS

type assets struct {
	files  fs.FS
	script string
	style  string
}

// ErrNotBundled says that the program was built without its scripts.
var ErrNotBundled = errors.New("the pages' scripts and styles are not in this build: run `make web` and build again")

func loadAssets() (assets, error) {
	files, err := fs.Sub(dist, "dist")
	if err != nil {
		return assets{}, fmt.Errorf("open embedded files: %w", err)
	}
	b, err := fs.ReadFile(files, "manifest.json")
	if errors.Is(err, fs.ErrNotExist) {
		return assets{}, ErrNotBundled
	}
	if err != nil {
		return assets{}, fmt.Errorf("read manifest of embedded files: %w", err)
	}
	var names map[string]string
	if err := json.Unmarshal(b, &names); err != nil {
		return assets{}, fmt.Errorf("read manifest of embedded files: %w", err)
	}
	return assets{files: files, script: "/static/" + names["app.ts"], style: "/static/" + names["app.css"]}, nil
}

// handler serves the files. Their names carry a hash of their content.
func (a assets) handler() http.Handler {
	serve := http.StripPrefix("/static/", http.FileServerFS(a.files))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
		serve.ServeHTTP(w, r)
	})
}
