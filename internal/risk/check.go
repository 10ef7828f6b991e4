package risk

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"gatehouse/internal/event"
)

// defaultExpires is used by rules that name no expiry: the length of time in
// which a stopped lorry is normally decided on at the gate.
const defaultExpires = 30 * time.Minute

// complete fills what a rule may leave out.
func (r Rule) complete() Rule {
	if r.Mode == "" {
		r.Mode = Live
	}
	if r.Expires == 0 {
		r.Expires = defaultExpires
	}
	return r
}

// check lists every mistake of a document.
func (d document) check() error {
	var errs []error
	if d.Version == "" {
		errs = append(errs, errors.New("version is missing: findings must name the policy they were judged by"))
	}
	seen := map[string]bool{}
	for i, r := range d.Rules {
		switch {
		case r.Code == "":
			errs = append(errs, fmt.Errorf("rule %d has no code", i+1))
		case seen[r.Code]:
			errs = append(errs, fmt.Errorf("rule %s is there twice", r.Code))
		}
		seen[r.Code] = true
		errs = append(errs, r.check(r.Code)...)
	}
	errs = append(errs, d.Fallback.check("fallback")...)
	return errors.Join(errs...)
}

func (r Rule) check(name string) []error {
	var errs []error
	bad := func(field string, got any, want string) {
		errs = append(errs, fmt.Errorf("rule %s: %s is %q, want %s", name, field, got, want))
	}
	if Rank(r.Severity) == 0 && r.Severity != event.SeverityUnknown {
		bad("severity", r.Severity, "Extreme, Severe, Moderate, Minor or Unknown")
	}
	if !slices.Contains(event.Agencies(), r.Lead) {
		bad("lead", r.Lead, "CUSTOMS or BORDERGUARD")
	}
	if !slices.Contains([]Mode{"", Live, Advisory, Shadow}, r.Mode) {
		bad("mode", r.Mode, "live, advisory or shadow")
	}
	// The category, urgency and certainty words are those of CAP 1.2, section 3.2.2.
	if !slices.Contains([]string{"Geo", "Met", "Safety", "Security", "Rescue", "Fire", "Health", "Env", "Transport", "Infra", "CBRNE", "Other"}, r.Category) {
		bad("category", r.Category, "a CAP 1.2 category such as Security, CBRNE or Transport")
	}
	if !slices.Contains([]string{"Immediate", "Expected", "Future", "Past", "Unknown"}, r.Urgency) {
		bad("urgency", r.Urgency, "a CAP 1.2 urgency such as Immediate or Expected")
	}
	if !slices.Contains([]string{"Observed", "Likely", "Possible", "Unlikely", "Unknown"}, r.Certainty) {
		bad("certainty", r.Certainty, "a CAP 1.2 certainty such as Observed or Likely")
	}
	if r.Headline.VI == "" || r.Headline.EN == "" {
		errs = append(errs, fmt.Errorf("rule %s: headline must be given in Vietnamese (vi) and English (en)", name))
	}
	if r.Instruction.VI == "" || r.Instruction.EN == "" {
		errs = append(errs, fmt.Errorf("rule %s: instruction must be given in Vietnamese (vi) and English (en)", name))
	}
	return append(errs, r.checkLevels(name)...)
}

func (r Rule) checkLevels(name string) []error {
	var errs []error
	if r.MinScore < 0 || r.MinScore > 1 {
		errs = append(errs, fmt.Errorf("rule %s: min_score is %g, want 0 to 1", name, r.MinScore))
	}
	score, rank := r.MinScore, Rank(r.Severity)
	for _, l := range r.Levels {
		if l.Score <= score || l.Score > 1 || Rank(l.Severity) <= rank {
			errs = append(errs, fmt.Errorf("rule %s: level %g %s does not rise above the one before it", name, l.Score, l.Severity))
		}
		score, rank = l.Score, Rank(l.Severity)
	}
	if r.Expires < 0 {
		errs = append(errs, fmt.Errorf("rule %s: expires is %s, want a positive time", name, r.Expires))
	}
	return errs
}
