package web

import (
	"maps"
	"slices"
	"strings"
	"time"

	"gatehouse/internal/console/store"
	"gatehouse/internal/event"
)

// figures are the values that a finding compared, in the order of their names.
func figures(m map[string]any) string {
	var parts []string
	for _, key := range slices.Sorted(maps.Keys(m)) {
		parts = append(parts, key+" "+number(m[key]))
	}
	return strings.Join(parts, " · ")
}

// earlier lists an agency's verdicts before the one that counts, newest first.
func earlier(all []store.Verdict, last *store.Verdict) []store.Verdict {
	var list []store.Verdict
	for _, v := range slices.Backward(all) {
		if v.Agency == last.Agency && v.Verdict.ID != last.Verdict.ID {
			list = append(list, v)
		}
	}
	return list
}

// receivedAt is when an agency had stored a record; zero when it has not said
// so.
func receivedAt(list []store.Reach, a event.Agency) time.Time {
	for _, r := range list {
		if r.Agency == a {
			return r.At
		}
	}
	return time.Time{}
}

// scanTitle adds what is known of a scan beside its image.
func scanTitle(p Page, sc scanView) string {
	text := ""
	if sc.Cargo != nil {
		text += " · " + p.Code("cargo", sc.Cargo.State)
	}
	if sc.Score > 0 {
		text += " · " + p.T("passage.score") + " " + Score(sc.Score)
	}
	return text
}
