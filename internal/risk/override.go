package risk

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strings"

	"gatehouse/internal/event"
)

// Override is a lane's own change to one row of the policy. Fields that are
// empty stay as the row has them.
type Override struct {
	Code     string
	Severity event.Severity
	Lead     event.Agency
	Alert    *bool
	Mode     Mode
}

// ErrOverride is wrapped for each override that cannot be used.
var ErrOverride = errors.New("change of the finding policy is not usable")

// With is the policy as one lane has it: with its overrides, and with all rules
// in shadow mode when shadow is set. Its version names the changes, so that a
// finding tells by which policy it was judged. All mistakes are reported at
// once.
func (t *Table) With(overrides []Override, shadow bool) (*Table, error) {
	if len(overrides) == 0 && !shadow {
		return t, nil
	}
	own := &Table{fallback: t.fallback, rules: maps.Clone(t.rules)}
	var errs []error
	seen := map[string]bool{}
	for _, o := range overrides {
		rule, known := t.rules[o.Code]
		switch {
		case !known:
			errs = append(errs, fmt.Errorf("%w: there is no finding code %q; the policy has %s", ErrOverride, o.Code, strings.Join(t.Codes(), ", ")))
			continue
		case seen[o.Code]:
			errs = append(errs, fmt.Errorf("%w: %s is there twice", ErrOverride, o.Code))
			continue
		}
		seen[o.Code] = true
		rule = o.apply(rule)
		for _, err := range rule.check(o.Code) {
			errs = append(errs, fmt.Errorf("%w: %w", ErrOverride, err))
		}
		own.rules[o.Code] = rule
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	if shadow {
		own.shadow()
	}
	own.version = t.version + "+" + changes(overrides, shadow)
	return own, nil
}

// apply is the rule with what the override names. A severity of the lane's own
// holds for every score.
func (o Override) apply(r Rule) Rule {
	if o.Severity != "" {
		r.Severity, r.Levels = o.Severity, nil
	}
	if o.Lead != "" {
		r.Lead = o.Lead
	}
	if o.Alert != nil {
		r.Alert = *o.Alert
	}
	if o.Mode != "" {
		r.Mode = o.Mode
	}
	return r
}

func (t *Table) shadow() {
	t.fallback.Mode = Shadow
	for code, r := range t.rules {
		r.Mode = Shadow
		t.rules[code] = r
	}
}

// changes is a short name of the changes: the same ones have the same name.
func changes(overrides []Override, shadow bool) string {
	b, err := json.Marshal(struct {
		Overrides []Override
		Shadow    bool
	}{overrides, shadow})
	if err != nil {
		return "lane" // strings and booleans can be encoded
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:4])
}
