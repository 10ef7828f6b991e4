package web

import (
	"fmt"
	"slices"
	"strings"

	"gatehouse/internal/event"
)

// wrongChecks counts the check digits of a document that are wrong.
func wrongChecks(d event.Document) int {
	n := 0
	for _, c := range d.Checks {
		if c == "wrong" {
			n++
		}
	}
	return n
}

// expired tells whether a document is past its last day in the place's time.
func expired(p Page, d event.Document) bool {
	return len(d.Expiry) == len("2006-01-02") && !strings.Contains(d.Expiry, "X") && d.Expiry < local(p.Now).Format("2006-01-02")
}

// shown is a text in full, or as much of it as anybody may see.
func shown(text string, full bool, masked func(string) string) string {
	if full || text == "" {
		return or(text, "–")
	}
	return masked(text)
}

// containerSource says where a container number was read.
func containerSource(p Page, c event.ContainerReading) string {
	switch {
	case c.Photo != "":
		return p.T("passage.photo") + " " + Score(c.Score)
	case c.Reading != "":
		return p.T("barcode.one")
	}
	return p.T("plate.stated")
}

// axleText lists the axles' loads.
func axleText(p Page, axles []float64) string {
	var parts []string
	for _, a := range axles {
		parts = append(parts, decimal(p.Lang, a, 0))
	}
	return strings.Join(parts, " + ") + " " + p.T("unit.kg")
}

// weightWords says what the chart of a weighing shows.
func weightWords(p Page, c *weightChart) string {
	text := p.T("weight.title") + ": "
	if c.Settled == nil {
		return text + p.T("weight.unsettled")
	}
	return text + kilograms(p, *c.Settled)
}

// sources are the models and rules that had a part in a passage, with their
// versions.
func sources(p Page, x *event.Passage) []figure {
	var list []figure
	add := func(label, value string) {
		if value != "" && !slices.Contains(list, figure{label, value}) {
			list = append(list, figure{label, value})
		}
	}
	for _, r := range x.Plates {
		add(p.T("source.plate"), r.Model)
	}
	for _, c := range x.Containers {
		add(p.T("source.container"), c.Model)
	}
	for _, sc := range x.Scans {
		add(p.T("source.scan"), sc.Model)
	}
	for _, f := range x.Findings {
		add(p.Code("finding", f.Code), fmt.Sprintf("%s %s", f.Source.Name, f.Source.Version))
	}
	if x.Expected != nil {
		add(p.T("declared.title"), x.Expected.List+" "+short(x.Expected.SHA256, 16))
	}
	if x.Clock != nil {
		add(p.T("source.clock"), clockText(p, *x.Clock))
	}
	return list
}

// clockText says what the gate's clock was.
func clockText(p Page, c event.Clock) string {
	text := c.Source + " · " + p.T("source.clock.offset") + " " + decimal(p.Lang, c.OffsetMS, 1) + " ms"
	if c.MaxErrorMS > 0 {
		text += " (± " + decimal(p.Lang, c.MaxErrorMS, 1) + " ms)"
	}
	if c.SteppedMS != 0 {
		text += " · " + p.T("source.clock.stepped") + " " + decimal(p.Lang, c.SteppedMS/1000, 1) + " s"
	}
	return text
}

// bySeverity orders findings, the worst first.
func bySeverity(list []event.Finding) []event.Finding {
	list = slices.Clone(list)
	slices.SortStableFunc(list, func(a, b event.Finding) int { return rank(a.Severity) - rank(b.Severity) })
	return list
}

// phrases are reasons that one key writes.
func phrases(p Page) []string {
	return []string{p.T("phrase.asalert"), p.T("phrase.recheck"), p.T("phrase.documents"), p.T("phrase.cleared")}
}

// marked tells whether something was found on an image.
func marked(v imageView) bool {
	return slices.ContainsFunc(v.Marks, func(k mark) bool { return k.Class == "finding" })
}

// url is where a form of an image is got; "" is the whole picture.
func (v imageView) url(form string) string {
	url := "/evidence/" + v.Digest + form
	if v.Real {
		url += "?real"
	}
	return url
}

// scanViewer is the name of a scan's viewer on the page; another one when it
// shows the real scan after a trial, so that nothing is left of the one before.
func scanViewer(i int, v imageView) string {
	if v.Real {
		return fmt.Sprintf("scan-%d-real", i)
	}
	return fmt.Sprintf("scan-%d", i)
}

// deepURL is where the script gets a scan in its full depth.
func deepURL(v imageView, scan bool) string {
	if !scan {
		return ""
	}
	return v.url("/deep")
}

// spanOf lets what only the list knows, such as the goods, take the place of
// the measured column.
func spanOf(r compared) string {
	if r.Measured == "" && len(r.Declared) > 12 {
		return "2"
	}
	return "1"
}

// frontName is what the first plate of a passage is: of a wagon it is its
// number.
func frontName(p Page, kind event.PassageKind) string {
	if kind == event.Wagon {
		return p.T("plate.wagon")
	}
	return p.T("plate.front")
}

// codeText is the text of a barcode. The code of an identity card and the
// lines of a passport are documents, whatever reader they were held to, and are
// masked as such.
func codeText(text string) string {
	number, _, fields := strings.Cut(text, "|")
	if fields && isDigits(number, 12) || strings.Contains(text, "<<") {
		return mask(short(text, 12))
	}
	return text
}
