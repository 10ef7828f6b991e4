package console

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"gatehouse/internal/console/report"
	"gatehouse/internal/console/store"
	"gatehouse/internal/event"
)

// Reports writes the DICOS threat detection report on each scan of a passage
// into a folder, and gives the files' names. A file that is there is replaced.
func Reports(ctx context.Context, s *store.Store, id event.ID, folder string) ([]string, error) {
	x, err := s.Passage(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("report on passage %s: %w", id, err)
	}
	if len(x.Scans) == 0 {
		return nil, fmt.Errorf("report on passage %s: it has no scan", id)
	}
	var files []string
	for _, sc := range x.Scans {
		path, have := s.EvidencePath(sc.Image.SHA256)
		if !have {
			path = ""
		}
		t, err := report.Of(&x.Passage, sc.Image.SHA256, path)
		var b bytes.Buffer
		if err == nil {
			err = t.Write(&b)
		}
		name := filepath.Join(folder, report.FileName(&x.Passage, sc.Image.SHA256))
		if err = errors.Join(err, os.MkdirAll(folder, 0o755)); err == nil {
			err = os.WriteFile(name, b.Bytes(), 0o644)
		}
		if err != nil {
			return files, fmt.Errorf("report on passage %s: %w", id, err)
		}
		files = append(files, name)
	}
	return files, nil
}
