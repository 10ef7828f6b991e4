package account

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"gatehouse/internal/event"
	"gatehouse/internal/sim/book"
)

// CodeFigures count what became of one code of finding.
type CodeFigures struct {
	Planted  int `json:"planted"`
	Found    int `json:"found"`    // of those planted
	Missed   int `json:"missed"`   // of those planted
	Invented int `json:"invented"` // found and not planted
	// Misread are those of the missed and the invented for which the plate was
	// read wrong: what follows from the wrong plate is right.
	Misread int `json:"misread"`
	// Learned says that a model concludes it, so that the counts are a rate and
	// not a rule.
	Learned bool `json:"learned,omitempty"`
}

// learned says that a code is what a model concludes.
func learned(code string) bool {
	switch code {
	case event.FindingXrayAnomaly, event.FindingXrayOpaque, event.FindingPlateUnread:
		return true
	}
	return false
}

// fromPlate says that a code follows from what was read of the plates: by
// comparing them, or by looking them up.
func fromPlate(code string) bool {
	switch code {
	case event.FindingPlateMismatch, event.FindingUnexpected, event.FindingWeightDeclared:
		return true
	}
	return false
}

// findings compares what was planted with what the passages say, for vehicles
// and persons of which nothing was missed.
func (j *judge) findings() {
	j.figures.Findings = map[string]CodeFigures{}
	if !j.c.Findings {
		return
	}
	for i, t := range j.c.Books.Truth {
		if !j.regular(i) || len(j.of[t.Vehicle]) == 0 || len(j.of[t.Vehicle]) > tries(t) {
			continue
		}
		j.concluded(t)
	}
}

// concluded judges the findings of one vehicle or person.
func (j *judge) concluded(t book.Truth) {
	found := map[string]bool{}
	for _, id := range j.of[t.Vehicle] {
		for _, f := range j.byID[id].Findings {
			found[f.Code] = true
		}
	}
	codes := maps.Clone(found)
	for _, code := range t.Findings {
		codes[code] = true
	}
	for _, code := range slices.Sorted(maps.Keys(codes)) {
		f := j.figures.Findings[code]
		planted := slices.Contains(t.Findings, code)
		f.Learned = learned(code)
		if planted {
			f.Planted++
		}
		switch {
		case planted && found[code]:
			f.Found++
		case planted:
			f.Missed++
		default:
			f.Invented++
		}
		if planted != found[code] {
			why := j.misread(t)
			if fromPlate(code) && why != "" {
				f.Misread++
			} else if !f.Learned {
				j.wrong(t, code, planted, why)
			}
		}
		j.figures.Findings[code] = f
	}
}

func (j *judge) wrong(t book.Truth, code string, planted bool, why string) {
	kind, what := FindingInvented, "was not planted with %s (%s) and is in %v"
	if planted {
		kind, what = FindingLost, "was planted with %s (%s) and is not in %v"
	}
	text := fmt.Sprintf("%s "+what, code, t.Vehicle, named(t), j.of[t.Vehicle])
	if why != "" {
		text += "; " + why
	}
	if len(t.Faults) > 0 {
		text += "; faults with it: " + strings.Join(t.Faults, ", ")
	}
	j.problem(kind, "%s", text)
}

// misread tells how a vehicle's plates were read wrong, or nothing when they
// were read right.
func (j *judge) misread(t book.Truth) string {
	var all []string
	for _, side := range []struct{ name, plate, photo string }{{front, t.Plate, t.Photo}, {rear, t.RearPlate, t.RearPhoto}} {
		if side.plate == "" || side.photo == "" {
			continue
		}
		for _, id := range j.of[t.Vehicle] {
			if got := bestPlate(j.byID[id], side.name); got != side.plate {
				all = append(all, fmt.Sprintf("the %s plate %s was read as %s", side.name, side.plate, cmp.Or(got, "nothing")))
			}
		}
	}
	return strings.Join(all, " and ")
}

// mergeFindings keeps the worst of the stores.
func (f *Figures) mergeFindings(other map[string]CodeFigures) {
	for code, o := range other {
		into := f.Findings[code]
		into.Learned = o.Learned
		into.Planted, into.Missed, into.Invented = max(into.Planted, o.Planted), max(into.Missed, o.Missed), max(into.Invented, o.Invented)
		into.Found, into.Misread = into.Planted-into.Missed, max(into.Misread, o.Misread)
		f.Findings[code] = into
	}
}
