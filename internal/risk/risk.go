// Package risk is the policy on findings: how grave each code is, which agency
// leads, whether it is shared as an alert, and in which words. The policy is a
// versioned table of data, not code; a gate may replace the built-in one by a
// file.
package risk

import (
	_ "embed"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml"

	"gatehouse/internal/event"
)

//go:embed policy.yaml
var builtin []byte

// Mode says what is done with the findings of one code.
type Mode string

const (
	// Live findings are shared in the passage record and, where the rule says
	// so, as alerts.
	Live Mode = "live"
	// Advisory findings are shared in the passage record and never as alerts.
	Advisory Mode = "advisory"
	// Shadow findings are concluded and counted at the gate, and not shared.
	Shadow Mode = "shadow"
)

// ErrPolicy is wrapped by every error about a policy's content.
var ErrPolicy = errors.New("risk policy is not usable")

// Level raises the severity from a score on.
type Level struct {
	Score    float64        `yaml:"score"` // 0..1
	Severity event.Severity `yaml:"severity"`
}

// Rule is the policy on one finding code.
type Rule struct {
	Code     string         `yaml:"code"`
	Severity event.Severity `yaml:"severity"`
	Lead     event.Agency   `yaml:"lead"`
	Alert    bool           `yaml:"alert"`
	Mode     Mode           `yaml:"mode"`
	// MinScore is the score, 0..1, below which there is no finding.
	MinScore float64 `yaml:"min_score"`
	// Levels raise Severity by score, in rising order of both.
	Levels    []Level `yaml:"levels"`
	Category  string  `yaml:"category"`  // CAP 1.2: Security, CBRNE, Transport, Infra ...
	Urgency   string  `yaml:"urgency"`   // CAP 1.2: Immediate, Expected, Future, Past, Unknown
	Certainty string  `yaml:"certainty"` // CAP 1.2: Observed, Likely, Possible, Unlikely, Unknown
	// Expires is how long after it was sent an alert still asks for action.
	Expires     time.Duration `yaml:"expires"`
	Headline    event.Text    `yaml:"headline"`    // may hold {placeholders}
	Instruction event.Text    `yaml:"instruction"` // may hold {placeholders}
}

// Table is a whole policy. It is not changed after it was made and may be read
// from several goroutines.
type Table struct {
	version  string
	fallback Rule
	rules    map[string]Rule
}

// document is the file form of a table.
type document struct {
	Version  string `yaml:"version"`
	Fallback Rule   `yaml:"fallback"`
	Rules    []Rule `yaml:"rules"`
}

// Default is the policy that ships with Gatehouse.
func Default() (*Table, error) { return Parse(builtin) }

// Load reads a policy from a file.
func Load(path string) (*Table, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read risk policy: %w", err)
	}
	t, err := Parse(b)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return t, nil
}

// Parse reads a policy from its YAML form. Every mistake is reported at once;
// the error wraps ErrPolicy.
func Parse(b []byte) (*Table, error) {
	var d document
	if err := yaml.UnmarshalWithOptions(b, &d, yaml.Strict()); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrPolicy, err)
	}
	if err := d.check(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrPolicy, err)
	}
	t := &Table{version: d.Version, fallback: d.Fallback.complete(), rules: make(map[string]Rule, len(d.Rules))}
	for _, r := range d.Rules {
		t.rules[r.Code] = r.complete()
	}
	return t, nil
}

// Version is the table's own version; findings and alerts name it.
func (t *Table) Version() string { return t.version }

// Codes lists the codes that have a rule of their own, sorted.
func (t *Table) Codes() []string {
	codes := make([]string, 0, len(t.rules))
	for c := range t.rules {
		codes = append(codes, c)
	}
	slices.Sort(codes)
	return codes
}

// Rule is the policy on a code. A code that the table does not know gets the
// table's fallback under its own name, so that no finding is ever dropped for
// want of a rule.
func (t *Table) Rule(code string) Rule {
	if r, ok := t.rules[code]; ok {
		return r
	}
	r := t.fallback
	r.Code = code
	return r
}

// Judge is the severity of a finding with this score, 0..1; false when the
// score is too low for a finding.
func (r Rule) Judge(score float64) (event.Severity, bool) {
	if score < r.MinScore {
		return "", false
	}
	severity := r.Severity
	for _, l := range r.Levels {
		if score >= l.Score {
			severity = l.Severity
		}
	}
	return severity, true
}

// Alerts says whether findings of this rule are shared as alerts.
func (r Rule) Alerts() bool { return r.Alert && r.Mode == Live }

// Vars are the values of a text's {placeholders}, in both languages.
type Vars map[string]event.Text

// Fill puts values into a text's placeholders. One without a value is left as
// it stands, which the tests of the built-in table rule out.
func Fill(text event.Text, vars Vars) event.Text {
	keys := make([]string, 0, len(vars))
	for k := range vars {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	vi, en := make([]string, 0, 2*len(keys)), make([]string, 0, 2*len(keys))
	for _, k := range keys {
		vi = append(vi, "{"+k+"}", vars[k].VI)
		en = append(en, "{"+k+"}", vars[k].EN)
	}
	return event.Text{
		VI: strings.NewReplacer(vi...).Replace(text.VI),
		EN: strings.NewReplacer(en...).Replace(text.EN),
	}
}

// Rank orders severities: a graver one has a higher rank.
func Rank(s event.Severity) int {
	switch s {
	case event.Extreme:
		return 4
	case event.Severe:
		return 3
	case event.Moderate:
		return 2
	case event.Minor:
		return 1
	default:
		return 0
	}
}
