package plate

import (
	_ "embed"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"
)

//go:embed rules.yaml
var builtin []byte

// Rules say which texts are plates of a country and how people write them.
type Rules struct {
	Country   string            `yaml:"country"`
	MotoBelow float64           `yaml:"moto_below"`
	Sets      map[string]string `yaml:"sets"`
	Kinds     []Kind            `yaml:"kinds"`
	// Foreign are patterns, by country, of what can be spelled of its plates.
	Foreign map[string][]string `yaml:"foreign"`

	foreign map[string][]*regexp.Regexp
}

// Kind is one form of plate.
type Kind struct {
	Name    string `yaml:"name"`
	Pattern string `yaml:"pattern"`
	Display string `yaml:"display"`
	Rows    []int  `yaml:"rows"`
	Shape   string `yaml:"shape"`

	match *regexp.Regexp
}

// Form is what the rules say about a text.
type Form struct {
	Kind    string
	Display string
	// Fit is 1 when rows and proportions are those of the kind, less otherwise.
	Fit float64
}

// BuiltinRules are the rules for Vietnamese plates that ship with Gatehouse.
func BuiltinRules() (*Rules, error) { return ParseRules(builtin) }

// ParseRules reads rules from YAML. An unknown field, set or group is an error.
func ParseRules(text []byte) (*Rules, error) {
	var r Rules
	if err := yaml.UnmarshalWithOptions(text, &r, yaml.Strict()); err != nil {
		return nil, fmt.Errorf("parse plate rules: %w", err)
	}
	for i := range r.Kinds {
		k := &r.Kinds[i]
		pattern := k.Pattern
		for name, set := range r.Sets {
			pattern = strings.ReplaceAll(pattern, "{"+name+"}", set)
		}
		re, err := regexp.Compile("^(?:" + pattern + ")$")
		if err != nil {
			return nil, fmt.Errorf("plate rules, kind %s: %w", k.Name, err)
		}
		k.match = re
		for _, g := range group.FindAllStringSubmatch(k.Display, -1) {
			if n, _ := strconv.Atoi(g[1]); n > re.NumSubexp() {
				return nil, fmt.Errorf("plate rules, kind %s: display names group %d of %d", k.Name, n, re.NumSubexp())
			}
		}
	}
	return &r, r.compileForeign()
}

// compileForeign prepares the patterns of other countries.
func (r *Rules) compileForeign() error {
	r.foreign = map[string][]*regexp.Regexp{}
	for country, patterns := range r.Foreign {
		for _, pattern := range patterns {
			re, err := regexp.Compile("^(?:" + pattern + ")$")
			if err != nil {
				return fmt.Errorf("plate rules, country %s: %w", country, err)
			}
			r.foreign[country] = append(r.foreign[country], re)
		}
	}
	return nil
}

// Spelled says whether a text can be the Latin letters and digits of another
// country's plate. What is not known of a country is allowed.
func (r *Rules) Spelled(country, text string) bool {
	known := r.foreign[country]
	return len(known) == 0 || slices.ContainsFunc(known, func(re *regexp.Regexp) bool { return re.MatchString(text) })
}

// group is a place in a display template.
var group = regexp.MustCompile(`\{(\d+)(:n)?\}`)

// Form tells the kind of a canonical text. rows is 0 when unknown; aspect is
// width over height of the plate, 0 when unknown. ok is false when no kind
// of the country is written like this.
func (r *Rules) Form(text string, rows int, aspect float64) (f Form, ok bool) {
	for _, k := range r.Kinds {
		m := k.match.FindStringSubmatch(text)
		if m == nil {
			continue
		}
		if fit := r.fit(k, rows, aspect); fit > f.Fit {
			f = Form{Kind: k.Name, Display: display(k.Display, m), Fit: fit}
			ok = true
		}
	}
	return f, ok
}

// fit weighs rows and proportions. They are measured, so a plate that does not
// fit is unlikely but not impossible.
func (r *Rules) fit(k Kind, rows int, aspect float64) float64 {
	fit := 1.0
	if rows != 0 && !slices.Contains(k.Rows, rows) {
		fit *= 0.3
	}
	if rows == 2 && aspect > 0 && (k.Shape == "moto") != (aspect < r.MotoBelow) {
		fit *= 0.6
	}
	return fit
}

func display(template string, groups []string) string {
	return group.ReplaceAllStringFunc(template, func(place string) string {
		g := group.FindStringSubmatch(place)
		n, _ := strconv.Atoi(g[1])
		if text := groups[n]; g[2] == "" || len(text) != 5 {
			return text
		}
		return groups[n][:3] + "." + groups[n][3:]
	})
}
