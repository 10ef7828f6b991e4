// Package scanner keeps what was measured of each scanner: the threshold that
// its own benign scans set, and its material curves. A calibration is never
// changed; a new one gets a new version.
package scanner

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"time"

	"gatehouse/internal/vision/xray/physics"
)

// Calibration is one scanner's.
type Calibration struct {
	Scanner string    `json:"scanner"`
	Version string    `json:"version"` // time and digest; set by Save
	MadeAt  time.Time `json:"made_at"` // UTC
	Kind    string    `json:"kind"`    // "baggage" or "cargo"
	// Thresholds are by model or rule set with version: one that is newer than
	// the calibration has none and runs in shadow mode.
	Thresholds map[string]Threshold `json:"thresholds"`
	Curves     *physics.Curves      `json:"curves,omitempty"`
	Scatter    []physics.Scatter    `json:"scatter,omitempty"`
	Quality    *physics.Quality     `json:"quality,omitempty"`  // when the curves were measured
	Template   string               `json:"template,omitempty"` // file of an empty scan, beside this one
}

// Threshold is the score from which a finding counts, and what it stands on.
type Threshold struct {
	Score      float64 `json:"score"`      // 0..1, of a whole image
	Wanted     float64 `json:"wanted"`     // false alarms per scan
	Confidence float64 `json:"confidence"` // that Bound holds
	Bound      float64 `json:"bound"`      // upper bound of the false-alarm rate
	Scans      int     `json:"scans"`      // benign scans that it stands on
	Alarms     int     `json:"alarms"`     // of them, at this threshold
}

// ErrTooFew is wrapped when there are too few scans for the wanted rate.
var ErrTooFew = errors.New("too few benign scans")

// Confidence is that with which a bound holds.
const Confidence = 0.90

// Needed is the least number of benign scans from which a threshold for the
// wanted false-alarm rate can be set: with no alarm among them the rate is
// bounded by it.
func Needed(wanted float64) int {
	return int(math.Ceil(math.Log(1-Confidence) / math.Log(1-wanted)))
}

// Set finds the lowest threshold at which the false-alarm rate is at most the
// wanted one with the Confidence, given the scores of benign scans.
func Set(scores []float64, wanted float64) (Threshold, error) {
	if wanted <= 0 || wanted >= 0.5 {
		return Threshold{}, fmt.Errorf("a false-alarm rate of %g is not possible; use 0.01 to 0.2", wanted)
	}
	n := len(scores)
	if need := Needed(wanted); n < need {
		return Threshold{}, fmt.Errorf("%w: %d for a false-alarm rate of %g %%; %d are needed", ErrTooFew, n, 100*wanted, need)
	}
	k := 0 // alarms that the bound allows
	for k+1 < n && Upper(k+1, n) <= wanted {
		k++
	}
	sorted := slices.Sorted(slices.Values(scores))
	// Above the (k+1)-th highest score: exactly k or fewer alarm.
	t := math.Nextafter(sorted[n-1-k], 2)
	t = min(math.Ceil(t*1e4+0.5)/1e4, 0.9999)
	alarms := 0
	for _, s := range scores {
		if s >= t {
			alarms++
		}
	}
	return Threshold{Score: t, Wanted: wanted, Confidence: Confidence, Bound: Upper(alarms, n), Scans: n, Alarms: alarms}, nil
}

// Upper is the upper bound, one-sided with the Confidence, of a rate of which k
// of n were seen (Clopper and Pearson, 1934).
func Upper(k, n int) float64 {
	if k >= n {
		return 1
	}
	lo, hi := float64(k)/float64(n), 1.0
	for range 60 {
		p := (lo + hi) / 2
		if atMost(k, n, p) > 1-Confidence {
			lo = p
		} else {
			hi = p
		}
	}
	return hi
}

// atMost is the chance of at most k of n at the rate p.
func atMost(k, n int, p float64) float64 {
	term, sum := float64(n)*math.Log1p(-p), 0.0
	for i := 0; i <= k; i++ {
		sum += math.Exp(term)
		term += math.Log(float64(n-i)/float64(i+1)) + math.Log(p) - math.Log1p(-p)
	}
	return sum
}

// ErrName is wrapped for names that cannot be a file's.
var ErrName = errors.New("a scanner's name is letters, digits, - and _")

func folder(dir, name string) (string, error) {
	if !regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$`).MatchString(name) {
		return "", fmt.Errorf("%w: %q", ErrName, name)
	}
	return filepath.Join(dir, name), nil
}

// Save writes the calibration as a new version and makes it the current one.
// It returns the version and the file.
func (c *Calibration) Save(dir string) (string, error) {
	where, err := folder(dir, c.Scanner)
	if err != nil {
		return "", err
	}
	c.Version = ""
	body, err := json.Marshal(c)
	if err != nil {
		return "", fmt.Errorf("save calibration: %w", err)
	}
	sum := sha256.Sum256(body)
	c.Version = c.MadeAt.UTC().Format("20060102T150405Z") + "-" + hex.EncodeToString(sum[:4])
	if body, err = json.MarshalIndent(c, "", " "); err != nil {
		return "", fmt.Errorf("save calibration: %w", err)
	}
	if err := os.MkdirAll(where, 0o755); err != nil {
		return "", fmt.Errorf("save calibration: %w", err)
	}
	path := filepath.Join(where, c.Version+".json")
	for _, to := range []string{path, filepath.Join(where, "current.json")} {
		part := to + ".part"
		if err := os.WriteFile(part, append(body, '\n'), 0o644); err != nil {
			return "", fmt.Errorf("save calibration: %w", err)
		}
		if err := os.Rename(part, to); err != nil {
			return "", fmt.Errorf("save calibration: %w", err)
		}
	}
	return path, nil
}

// Load reads the current calibration of a scanner; nil without an error when
// there is none.
func Load(dir, name string) (*Calibration, error) {
	if dir == "" || name == "" {
		return nil, nil
	}
	where, err := folder(dir, name)
	if err != nil {
		return nil, err
	}
	body, err := os.ReadFile(filepath.Join(where, "current.json"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read calibration of %s: %w", name, err)
	}
	var c Calibration
	if err := json.Unmarshal(body, &c); err != nil {
		return nil, fmt.Errorf("read calibration of %s: %w", name, err)
	}
	if c.Curves != nil {
		if err := c.Curves.Check(); err != nil {
			return nil, fmt.Errorf("read calibration of %s: %w", name, err)
		}
	}
	return &c, nil
}
