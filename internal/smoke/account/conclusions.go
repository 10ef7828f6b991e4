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
// and persons of which nothing was missed. Those that followed each other too closely
// are one case: nobody can tell whose each finding is. What a fault of a device leads to
// is not planted, so whoever met one is left out and counted.
func (j *judge) findings() {
	j.figures.Findings = map[string]CodeFigures{}
	if !j.c.Findings {
		return
	}
	for _, group := range j.groups() {
		spoilt := 0
		for _, t := range group {
			if len(t.Faults) > 0 {
				spoilt++
			}
		}
		if spoilt > 0 {
			j.figures.Met += spoilt
			continue
		}
		j.concluded(group)
	}
}

// groups are the clean vehicles and persons, those that followed each other too
// closely together.
func (j *judge) groups() [][]book.Truth {
	convoys := map[string][]book.Truth{}
	var order []string
	var all [][]book.Truth
	for i, t := range j.c.Books.Truth {
		switch first := j.convoy[t.Vehicle]; {
		case j.regular(i):
			if n := len(j.of[t.Vehicle]); n > 0 && n <= tries(t) {
				all = append(all, []book.Truth{t})
			}
		case first != "":
			if len(convoys[first]) == 0 {
				order = append(order, first)
			}
			convoys[first] = append(convoys[first], t)
		}
	}
	for _, first := range order {
		group := convoys[first]
		if slices.ContainsFunc(group, func(t book.Truth) bool { return !j.clean(t) }) {
			continue
		}
		occupancies, passages := map[string]bool{}, 0
		for _, t := range group {
			occupancies[t.Rad.Occupancy] = true
			passages += len(j.of[t.Vehicle])
		}
		if passages < len(occupancies) {
			j.problem(PassageLost, "the %d that followed each other from %s on in lane %s had %d occupancies and have %d passages", len(group), first, group[0].Lane, len(occupancies), passages)
			continue
		}
		all = append(all, group)
	}
	return all
}

// concluded judges the findings of one vehicle or person, or of those that
// shared an occupancy.
func (j *judge) concluded(group []book.Truth) {
	found, planted := map[string]bool{}, map[string]bool{}
	for _, t := range group {
		for _, id := range j.of[t.Vehicle] {
			for _, f := range j.byID[id].Findings {
				found[f.Code] = true
			}
		}
		for _, code := range t.Findings {
			planted[code] = true
		}
	}
	codes := maps.Clone(found)
	maps.Copy(codes, planted)
	for _, code := range slices.Sorted(maps.Keys(codes)) {
		// Who went in behind another was not measured alone, and the first try of
		// one that backed out was looked at by nothing behind the portal: passages
		// rightly say so.
		if code == event.FindingCoverageGap && !planted[code] && (len(group) > 1 || group[0].Reverse) {
			continue
		}
		f := j.figures.Findings[code]
		f.Learned = learned(code)
		if planted[code] {
			f.Planted++
		}
		switch {
		case planted[code] && found[code]:
			f.Found++
		case planted[code]:
			f.Missed++
		default:
			f.Invented++
		}
		if planted[code] != found[code] {
			why := cmp.Or(j.misread(group), j.faint(group, code))
			if fromPlate(code) && why != "" {
				f.Misread++
				j.explain(group, code, planted[code], why)
			} else if !f.Learned {
				j.wrong(group, code, planted[code], why)
			}
		}
		j.figures.Findings[code] = f
	}
}

// explain keeps what a misread plate led to, for the report.
func (j *judge) explain(group []book.Truth, code string, planted bool, why string) {
	what := "invented"
	if planted {
		what = "missed"
	}
	j.figures.Explained = append(j.figures.Explained, fmt.Sprintf("%s %s of %s: %s", code, what, group[0].Vehicle, why))
}

func (j *judge) wrong(group []book.Truth, code string, planted bool, why string) {
	kind, what := FindingInvented, "was not planted with %s and is in %v"
	if planted {
		kind, what = FindingLost, "was planted with %s and is not in %v"
	}
	var names []string
	var passages []event.ID
	for _, t := range group {
		names = append(names, fmt.Sprintf("%s (lane %s, %s)", t.Vehicle, t.Lane, named(t)))
		passages = append(passages, j.of[t.Vehicle]...)
	}
	text := fmt.Sprintf("%s "+what, code, strings.Join(names, ", "), passages)
	if why != "" {
		text += "; " + why
	}
	j.problem(kind, "%s", text)
}

// misread tells how vehicles' plates were read wrong, or nothing when they were
// read right.
func (j *judge) misread(group []book.Truth) string {
	var all []string
	for _, t := range group {
		for _, side := range []struct{ name, plate, photo string }{{front, t.Plate, t.Photo}, {rear, t.RearPlate, t.RearPhoto}} {
			if side.plate == "" || side.photo == "" {
				continue
			}
			if got := j.readings(group, side.name); !slices.Contains(got, side.plate) || len(got) > len(group) {
				all = append(all, fmt.Sprintf("the %s plate %s was read as %s", side.name, side.plate, cmp.Or(strings.Join(got, ", "), "nothing")))
			}
		}
	}
	return strings.Join(all, " and ")
}

// compared is the least score at which the published policy concludes from
// comparing two plates.
const compared = 0.8

// faint tells of a plate that was read right, but not surely enough to be
// compared with another.
func (j *judge) faint(group []book.Truth, code string) string {
	if code != event.FindingPlateMismatch {
		return ""
	}
	for _, t := range group {
		for _, id := range j.of[t.Vehicle] {
			for _, r := range j.byID[id].Plates {
				if (r.Text == t.Plate || r.Text == t.RearPlate) && r.Score < compared {
					return fmt.Sprintf("the plate %s was read with a score of %.2f, too little to compare it", r.Text, r.Score)
				}
			}
		}
	}
	return ""
}

// readings are the plates that were read of a group on a side: the surest of
// each picture.
func (j *judge) readings(group []book.Truth, side string) []string {
	best := map[string]event.PlateReading{}
	for _, t := range group {
		for _, id := range j.of[t.Vehicle] {
			for _, r := range j.byID[id].Plates {
				if r.Text != "" && cmp.Or(r.View, front) == side && r.Score >= best[r.Photo].Score {
					best[r.Photo] = r
				}
			}
		}
	}
	var all []string
	for _, photo := range slices.Sorted(maps.Keys(best)) {
		all = append(all, best[photo].Text)
	}
	return all
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
