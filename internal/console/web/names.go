package web

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"gatehouse/internal/console/store"
	"gatehouse/internal/event"
)

// mask hides the middle of a number or a name: whoever holds the document can
// still tell that it is the one, and nobody can learn it from the screen.
func mask(text string) string {
	n := utf8.RuneCountInString(text)
	keep := 2
	if n < 6 {
		keep = 1
	}
	if n < 3 {
		return strings.Repeat("•", n)
	}
	runes := []rune(text)
	for i := keep; i < n-keep; i++ {
		if !unicode.IsSpace(runes[i]) {
			runes[i] = '•'
		}
	}
	return string(runes)
}

// maskName keeps the first letter of each part of a name.
func maskName(name string) string {
	var parts []string
	for part := range strings.FieldsSeq(name) {
		first, size := utf8.DecodeRuneInString(part)
		parts = append(parts, string(first)+strings.Repeat("•", utf8.RuneCountInString(part[size:])))
	}
	return strings.Join(parts, " ")
}

// maskDate leaves the year of a date.
func maskDate(date string) string {
	year, _, ok := strings.Cut(date, "-")
	if !ok {
		return mask(date)
	}
	return year + "-••-••"
}

// personNumber is the number of the document by which a traveller goes: the
// one an officer stated, or the first that was read.
func personNumber(x event.Passage) string {
	if x.Stated.Document != "" {
		return x.Stated.Document
	}
	for _, d := range x.Documents {
		if d.Document.Number != "" {
			return d.Document.Number
		}
	}
	return ""
}

// consignmentText is what a consignment goes by: its declaration, or its
// container.
func consignmentText(x event.Passage) string {
	switch {
	case x.Stated.Declaration != "":
		return x.Stated.Declaration
	case x.Expected != nil && x.Expected.Declaration != "":
		return x.Expected.Declaration
	case x.Stated.Container != "":
		return displayContainer(x.Stated.Container)
	case len(x.Containers) > 0:
		return displayContainer(x.Containers[0].Text)
	}
	return ""
}

// displayContainer is a container number as it is painted: CSQU 305438 3.
func displayContainer(text string) string {
	if len(text) != 11 {
		return text
	}
	return text[:4] + " " + text[4:10] + " " + text[10:]
}

// titleOf is what a passage is called in the window's title; a traveller's
// document does not belong there.
func titleOf(p Page, x event.Passage) string {
	switch x.Kind {
	case event.Person:
		return p.Code("kind", string(x.Kind))
	case event.Consignment:
		return consignmentText(x)
	}
	return DisplayPlate(store.BestPlate(&x))
}

// hitName is what a passage in a list is called, as titleOf calls it.
func hitName(p Page, h store.Hit) string {
	switch {
	case h.Plate != "":
		return h.Plate
	case h.Declaration != "" && h.Kind == event.Consignment:
		return h.Declaration
	case len(h.Containers) > 0:
		return displayContainer(h.Containers[0])
	}
	return p.Code("kind", string(h.Kind))
}

// thumbOf is the digest of the picture that stands for a passage in a list.
func thumbOf(x event.Passage) string {
	if len(x.Photos) > 0 {
		return bestOf(bursts(x.Photos)[0], x.Plates).Image.SHA256
	}
	if len(x.Scans) > 0 {
		return x.Scans[0].Image.SHA256
	}
	return ""
}

// refers lists the alerts that an alert updates, for the script.
func refers(a store.Alert) string {
	var ids []string
	for _, id := range a.References {
		ids = append(ids, "a-"+string(id))
	}
	return strings.Join(ids, " ")
}

// Nation is the state that a document's letters name, where the dictionary has
// it.
func (p Page) Nation(code string) string {
	if _, ok := p.Words["nation."+code]; ok {
		return p.Words.T(p.Lang, "nation."+code)
	}
	return code
}
