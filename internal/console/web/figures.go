package web

import (
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"gatehouse/internal/console/web/lang"
)

// figure is one value that a finding compared, as people read it.
type figure struct{ Label, Value string }

// unitOf tells a figure's unit by the end of its key, which is where the
// shared record has it.
func unitOf(key string) string {
	for _, u := range []string{"cps", "sigma", "kg", "kmh", "percent", "ms", "s", "days", "counts"} {
		if strings.HasSuffix(key, "_"+u) {
			return u
		}
	}
	return ""
}

// hiddenFigures are those that say nothing to an officer: they are in the
// record for programs.
func hiddenFigure(key string) bool {
	return key == "evidence" || key == "followed" || strings.HasSuffix(key, "_id")
}

// figuresOf puts a finding's figures into words with units, in the order of
// their keys, each beside what it was compared with.
func figuresOf(p Page, m map[string]any) []figure {
	var list []figure
	for _, key := range slices.Sorted(maps.Keys(m)) {
		base, bound := strings.CutSuffix(key, limitSuffix)
		if _, stands := m[base]; hiddenFigure(key) || bound && stands {
			continue
		}
		f := figure{figureLabel(p, key), figureValue(p, key, m[key])}
		if limit, has := m[key+limitSuffix]; has {
			f.Value += " (" + limitLabel(p, key) + " " + figureValue(p, key, limit) + ")"
		}
		list = append(list, f)
	}
	return list
}

// limitSuffix ends the key of what a figure was compared with.
const limitSuffix = "_limit"

// limitLabel is what a figure was compared with: a limit, where nothing more is
// known of it.
func limitLabel(p Page, key string) string {
	if _, ok := p.Words["figure."+key+limitSuffix]; ok {
		return figureLabel(p, key+limitSuffix)
	}
	return p.T("figure.limit")
}

// figureLabel is a figure's name. One that this console does not know, since
// a newer gate made it, is spelled out without its unit.
func figureLabel(p Page, key string) string {
	if _, ok := p.Words["figure."+key]; ok {
		return p.Words.T(p.Lang, "figure."+key)
	}
	if u := unitOf(key); u != "" {
		key = strings.TrimSuffix(key, "_"+u)
	}
	return strings.ReplaceAll(key, "_", " ")
}

// figureValue is a value with its unit.
func figureValue(p Page, key string, v any) string {
	switch x := v.(type) {
	case string:
		if t, err := time.Parse(time.RFC3339Nano, x); err == nil {
			return p.Full(t)
		}
		if t, err := time.Parse(time.DateOnly, x); err == nil {
			return t.Format("02/01/2006")
		}
		for _, family := range []string{"figurevalue", "device", "class", "direction", "document"} {
			if _, ok := p.Words[family+"."+x]; ok {
				return p.Words.T(p.Lang, family+"."+x)
			}
		}
		if strings.Contains(key, "document") || key == "number" {
			return mask(x)
		}
		return x
	case bool:
		if x {
			return p.T("word.yes")
		}
		return p.T("word.no")
	case []any:
		var parts []string
		for _, one := range x {
			parts = append(parts, figureValue(p, key, one))
		}
		return strings.Join(parts, ", ")
	case float64:
		if unitOf(key) == "ms" {
			return decimal(p.Lang, x/1000, 1) + " " + p.T("unit.s")
		}
		if u := unitOf(key); u != "" {
			return decimal(p.Lang, x, decimalsOf(u)) + " " + p.Words.T(p.Lang, "unit."+u)
		}
		if strings.HasSuffix(key, "score") {
			return decimal(p.Lang, x, 2)
		}
		return decimal(p.Lang, x, 2)
	}
	return number(v)
}

func decimalsOf(unit string) int {
	switch unit {
	case "kg", "cps", "counts", "days":
		return 0
	}
	return 1
}

// decimal writes a number as the language does: 12.345,6 in Vietnamese,
// 12,345.6 in English, with at most so many decimals.
func decimal(l lang.Code, v float64, decimals int) string {
	pow := math.Pow(10, float64(decimals))
	text := strconv.FormatFloat(math.Round(v*pow)/pow, 'f', -1, 64)
	sign := ""
	if rest, ok := strings.CutPrefix(text, "-"); ok {
		sign, text = "−", rest
	}
	whole, part, _ := strings.Cut(text, ".")
	group, point := ".", ","
	if l == lang.EN {
		group, point = ",", "."
	}
	var out []string
	for len(whole) > 3 {
		out = append([]string{whole[len(whole)-3:]}, out...)
		whole = whole[:len(whole)-3]
	}
	text = sign + strings.Join(append([]string{whole}, out...), group)
	if part != "" {
		text += point + part
	}
	return text
}

// kilograms is a weight with its unit.
func kilograms(p Page, v float64) string { return decimal(p.Lang, v, 0) + " " + p.T("unit.kg") }
