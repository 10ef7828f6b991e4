// Package album gives the simulated camera real photos with known plates, for
// those who have a folder of them (GATEHOUSE_DATA).
package album

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// Photo is one real photo.
type Photo struct {
	File string // name inside the folder
	Text string // canonical plate
	Rows int
	Box  []int // x, y, w, h

	path string
}

// Read is the photo's JPEG.
func (p Photo) Read() ([]byte, error) {
	b, err := os.ReadFile(p.path)
	if err != nil {
		return nil, fmt.Errorf("read a real photo: %w", err)
	}
	return b, nil
}

// ErrNone says that the folder has no photo of the kind wanted.
var ErrNone = errors.New("no usable photo in the folder")

// Open lists the photos of dev parking-handheld with exactly one plate and a
// box, below data's folder plates.
func Open(data string) ([]Photo, error) {
	folder := filepath.Join(data, "plates")
	f, err := os.Open(filepath.Join(folder, "labels.jsonl"))
	if err != nil {
		return nil, fmt.Errorf("open real photos: %w; set GATEHOUSE_DATA to the folder that has plates/labels.jsonl", err)
	}
	defer func() { _ = f.Close() }() // only read
	var photos []Photo
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		var l struct {
			File, Split, Scene string
			Plates             []struct {
				Text string
				Rows int
				Box  []int
			}
		}
		if err := json.Unmarshal(lines.Bytes(), &l); err != nil {
			return nil, fmt.Errorf("read %s: %w", f.Name(), err)
		}
		if l.Split != "dev" || l.Scene != "parking-handheld" || len(l.Plates) != 1 || len(l.Plates[0].Box) != 4 {
			continue
		}
		p := l.Plates[0]
		photos = append(photos, Photo{File: l.File, Text: p.Text, Rows: p.Rows, Box: p.Box, path: filepath.Join(folder, l.File)})
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("read %s: %w", f.Name(), err)
	}
	if len(photos) == 0 {
		return nil, fmt.Errorf("%w: %s", ErrNone, folder)
	}
	return photos, nil
}
