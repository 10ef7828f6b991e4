package web

import (
	"fmt"
	"math"
	"strconv"
	"time"

	"gatehouse/internal/console/private"
	"gatehouse/internal/console/store"
	"gatehouse/internal/console/uplink"
	"gatehouse/internal/console/web/lang"
	"gatehouse/internal/event"
)

// Page is what every page knows: who looks, in which language, and how things
// stand.
type Page struct {
	Lang   lang.Code
	Words  lang.Words
	Agency event.Agency
	Gates  []Gate
	User   *private.User
	Path   string
	Now    time.Time
	Link   uplink.Status
	Place  string // of the event stream, from before the store was read
	Script string
	Style  string
	Theme  Theme
}

// May tells whether the user has a right.
func (p Page) May(right private.Right) bool { return p.User != nil && p.User.May(right) }

// T is the sentence of a key in the page's language.
func (p Page) T(key string) string { return p.Words.T(p.Lang, key) }

// Code is the word for a coded value in the page's language.
func (p Page) Code(family, value string) string { return p.Words.Code(p.Lang, family, value) }

// Of is a shared sentence in the page's language.
func (p Page) Of(t event.Text) string { return p.Lang.Of(t) }

// Title is the page's title in the browser: agency first, so that windows of
// two agencies cannot be mistaken for one another.
func (p Page) Title(what string) string {
	return p.T("agency."+string(p.Agency)) + " · " + what
}

// local is the time zone of the pages. Viet Nam has had no other since 1975,
// and a fixed offset needs no zone files.
func local(t time.Time) time.Time { return t.In(time.FixedZone("+07", 7*3600)) }

// Clock is a local time of day, with the date when it is not today's.
func (p Page) Clock(t time.Time) string {
	if t.IsZero() {
		return "–"
	}
	at, now := local(t), local(p.Now)
	if at.YearDay() == now.YearDay() && at.Year() == now.Year() {
		return at.Format("15:04:05")
	}
	return at.Format("02/01 15:04:05")
}

// Full is the local date and time.
func (p Page) Full(t time.Time) string {
	if t.IsZero() {
		return "–"
	}
	return local(t).Format("02/01/2006 15:04:05")
}

// UTC is the stored time, for titles.
func UTC(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02 15:04:05.000 UTC")
}

// ISO is a time for scripts.
func ISO(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02T15:04:05.000Z")
}

// Age is how long ago t was, in words.
func (p Page) Age(t time.Time) string {
	s := int64(p.Now.Sub(t).Seconds())
	switch {
	case s < 60:
		return fmt.Sprintf("%d %s", max(s, 0), p.T("unit.s"))
	case s < 3600:
		return fmt.Sprintf("%d %s", s/60, p.T("unit.min"))
	case s < 86400:
		return fmt.Sprintf("%d %s", s/3600, p.T("unit.h"))
	}
	return fmt.Sprintf("%d %s", s/86400, p.T("unit.d"))
}

// DeviceName is a device's name for people.
func (p Page) DeviceName(name string) string {
	if _, ok := p.Words["devicename."+name]; ok {
		return p.T("devicename." + name)
	}
	return name
}

// Reason is why a device is in its state: in the gate's words for people where
// it has some, a known code in the console's, and what the device says
// otherwise as it is.
func (p Page) Reason(text string, words event.Text) string {
	if said := p.Of(words); said != "" {
		return said
	}
	if _, ok := p.Words["loss."+text]; ok {
		return p.T("loss." + text)
	}
	return text
}

// Score is a score of 0..1 as it is shown.
func Score(v float64) string { return strconv.FormatFloat(v, 'f', 2, 64) }

// number is a figure with its decimals only where it has some.
func number(v any) string {
	f, ok := v.(float64)
	if !ok {
		return fmt.Sprint(v)
	}
	if f == math.Trunc(f) {
		return strconv.FormatFloat(f, 'f', 0, 64)
	}
	return strconv.FormatFloat(f, 'g', 4, 64)
}

// DisplayPlate is a plate as people write it.
func DisplayPlate(r event.PlateReading) string {
	if r.Text == "" {
		return ""
	}
	if r.Display != "" {
		return r.Display
	}
	return r.Text
}

// looked sums up a coverage for its dot: "ok", "poor" (looked, but not at its
// best), "blind" (was not looking), "awaited" (its turn has not come).
func looked(x event.Passage, c event.Coverage) string {
	under := x.State == event.Open || x.State == event.Waiting
	switch {
	case !c.Looked && under && c.Reason == event.Text{}:
		return "awaited"
	case !c.Looked:
		return "blind"
	case c.State == event.Up || c.State == "":
		return "ok"
	}
	return "poor"
}

// blind tells whether a required sensor was not looking.
func blind(p event.Passage) bool {
	for _, c := range p.Coverage {
		if looked(p, c) == "blind" {
			return true
		}
	}
	return false
}

// disagree tells whether the agencies have decided differently: one lets go
// what the other keeps.
func disagree(p *store.Passage) bool {
	a, b := p.Latest(event.Customs), p.Latest(event.BorderGuard)
	return a != nil && b != nil && a.Code != b.Code
}

// tone is the colour of a verdict.
func tone(c event.VerdictCode) string {
	switch c {
	case event.Release, event.FalseAlarm:
		return "go"
	case event.Hold, event.Confirmed:
		return "stop"
	}
	return "look"
}

// short is the beginning of an id or a hash.
func short(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return s[:n] + "…"
}

// lookedText says what a coverage dot shows.
func lookedText(p Page, x event.Passage, c event.Coverage) string {
	text := p.T("passage.looked")
	switch looked(x, c) {
	case "awaited":
		text = p.T("passage.awaited")
	case "blind":
		text = p.T("passage.notlooked")
	}
	if c.State != event.Up && c.State != "" {
		text += " · " + p.Code("device", string(c.State))
	}
	if why := p.Of(c.Reason); why != "" {
		text += " · " + why
	}
	return text
}

// linkWord says how the link to the hub stands.
func linkWord(p Page) string {
	if p.Link.Connected {
		return p.T("link.up")
	}
	return p.T("link.down")
}
