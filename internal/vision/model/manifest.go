package model

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
)

// Input is a model's one input. Mean and Std are per channel, after division
// by the largest pixel value; empty means 0 and 1.
type Input struct {
	Name     string    `json:"name"`
	Width    int       `json:"width"`  // pixels; of the long side where the shape is free
	Height   int       `json:"height"` // pixels; 0 where the shape is free
	Channels int       `json:"channels"`
	Mean     []float32 `json:"mean"`
	Std      []float32 `json:"std"`
}

// Calibration turns a model's product of probabilities or its highest heat
// into a score that means what it says.
type Calibration struct {
	Temperature float64 `json:"temperature"` // 1 leaves scores as they are
	// Scale and Shift are of a logistic calibration: sigmoid(Scale*logit(p)+Shift).
	Scale float64 `json:"scale"`
	Shift float64 `json:"shift"`
}

// Manifest describes a model.
type Manifest struct {
	Name        string      `json:"name"`
	Version     string      `json:"version"`
	File        string      `json:"file"`
	SHA256      string      `json:"sha256"`
	Task        string      `json:"task"`
	Input       Input       `json:"input"`
	Calibration Calibration `json:"calibration"`

	Threshold float64   `json:"threshold"` // of heat, 0..1
	Alphabet  []string  `json:"alphabet"`  // of the reader; the first is "no character"
	Countries []string  `json:"countries"`
	Margins   []float64 `json:"margins"` // fractions of a plate's size to add on each side
	Grey      string    `json:"grey"`    // "luma", "max" or "min"
	Classes   []string  `json:"classes"`
}

// ID is the model's name and version, as results carry it.
func (m Manifest) ID() string { return m.Name + "@" + m.Version }

// readModel reads a model's folder and checks that the file is the one that
// the manifest was written for.
func readModel(dir string) (Manifest, []byte, error) {
	text, err := os.ReadFile(filepath.Join(dir, "manifest.json"))
	if err != nil {
		return Manifest{}, nil, fmt.Errorf("read manifest: %w", err)
	}
	var m Manifest
	if err := json.Unmarshal(text, &m); err != nil {
		return Manifest{}, nil, fmt.Errorf("parse %s: %w", filepath.Join(dir, "manifest.json"), err)
	}
	if m.Calibration.Temperature == 0 {
		m.Calibration.Temperature = 1
	}
	file := filepath.Join(dir, filepath.Base(m.File))
	net, err := os.ReadFile(file)
	if err != nil {
		return Manifest{}, nil, fmt.Errorf("read model: %w", err)
	}
	sum := sha256.Sum256(net)
	if got := hex.EncodeToString(sum[:]); got != m.SHA256 {
		return Manifest{}, nil, fmt.Errorf("%s is not the file its manifest names: SHA-256 is %s, want %s", file, got, m.SHA256)
	}
	return m, net, nil
}
