// Package lang holds every sentence that the console's pages show, in
// Vietnamese and in English.
package lang

import (
	"strings"

	"gatehouse/internal/event"
)

// Code is a language of the console.
type Code string

// Languages.
const (
	VI Code = "vi"
	EN Code = "en"
)

// Parse reads a language code; ok is false when it is neither.
func Parse(s string) (Code, bool) {
	switch c := Code(s); c {
	case VI, EN:
		return c, true
	}
	return "", false
}

// Other is the language to switch to.
func (c Code) Other() Code {
	if c == VI {
		return EN
	}
	return VI
}

// Of picks the sentence in the language; the other one when it is missing.
func (c Code) Of(t event.Text) string {
	if c == EN && t.EN != "" || t.VI == "" {
		return t.EN
	}
	return t.VI
}

// Words is the dictionary.
type Words map[string]event.Text

// T is the sentence of a key. A key that is not in the dictionary is shown as
// it is; a test sees to it that pages use none such.
func (w Words) T(c Code, key string) string {
	t, ok := w[key]
	if !ok {
		return key
	}
	return c.Of(t)
}

// Code is the word for a coded value such as a state or a verdict: the key is
// the family and the value. A value that this console does not know is shown
// as it is, since a newer gate may use it.
func (w Words) Code(c Code, family, value string) string {
	if value == "" {
		return "–"
	}
	t, ok := w[family+"."+value]
	if !ok {
		return strings.ToLower(strings.ReplaceAll(value, "_", " "))
	}
	return c.Of(t)
}

// Dictionary makes the dictionary.
func Dictionary() Words {
	w := Words{}
	for _, part := range []string{pages, codes, records, controls, trials} {
		for line := range strings.Lines(part) {
			key, rest, ok := strings.Cut(strings.TrimSpace(line), " = ")
			if !ok {
				continue
			}
			vi, en, _ := strings.Cut(rest, " | ")
			w[key] = event.Text{VI: strings.TrimSpace(vi), EN: strings.TrimSpace(en)}
		}
	}
	return w
}
