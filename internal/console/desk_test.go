package console_test

import (
	"context"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/require"

	"gatehouse/internal/console"
	"gatehouse/internal/console/browsertest"
	"gatehouse/internal/console/consoletest"
	"gatehouse/internal/event"
)

const loaded = `[...document.images].every(i => i.loading === "lazy" || i.offsetParent === null || (i.complete && i.naturalWidth > 0))`

// desk is one agency's console with a browser before it, and the gate.
type desk struct {
	*testing.T
	site    *consoletest.Site
	console *console.Console
	browser context.Context
}

func newDesk(t *testing.T, site *consoletest.Site, agency event.Agency, look browsertest.Look) *desk {
	t.Helper()
	x, _ := browsertest.Start(t, browsertest.Config(t, site, agency))
	d := &desk{T: t, site: site, console: x, browser: browsertest.Browser(t, look)}
	browsertest.SetUp(t, d.browser, x)
	d.until(`document.body.classList.contains("on-line")`)
	return d
}

func (d *desk) until(condition string) { d.Helper(); browsertest.Until(d.T, d.browser, condition) }

func (d *desk) do(actions ...chromedp.Action[chromedp.Void]) {
	d.Helper()
	browsertest.Do(d.T, d.browser, actions...)
}

func (d *desk) run(script string) {
	d.Helper()
	d.do(chromedp.Evaluate[chromedp.Void](script))
}

func (d *desk) key(keys ...string) {
	d.Helper()
	browsertest.Keys(d.T, d.browser, keys...)
}

func (d *desk) open(path string) {
	d.Helper()
	d.do(chromedp.Navigate(d.console.URL() + path))
	d.until(`document.body.classList.contains("on-line") && ` + loaded)
}

// shown checks the page for accessibility and keeps its picture.
func (d *desk) shown(name string) {
	d.Helper()
	d.until(loaded)
	browsertest.Accessible(d.T, d.browser)
	browsertest.Screen(d.T, d.browser, name)
}

// fits checks that neither the page nor a part of it needs scrolling.
func (d *desk) fits() {
	d.Helper()
	over, err := chromedp.Run(d.browser, chromedp.Evaluate[[]float64](`[document.documentElement.scrollWidth - innerWidth, document.documentElement.scrollHeight - innerHeight]`))
	require.NoError(d.T, err)
	require.LessOrEqual(d.T, over[0], 0.0, "wider than the window")
	require.LessOrEqual(d.T, over[1], 0.0, "higher than the window")
	inner, err := chromedp.Run(d.browser, chromedp.Evaluate[[]string](`[...document.querySelectorAll(".who, .what, .concluded, .deciding")]
		.filter(el => el.scrollHeight > el.clientHeight + 1).map(el => el.className + ": " + el.scrollHeight + " in " + el.clientHeight)`))
	require.NoError(d.T, err)
	require.Empty(d.T, inner, "a part of the page scrolls")
}

func (d *desk) language(to string) {
	d.Helper()
	d.do(chromedp.Click(chromedp.CSS(`header button[lang=` + to + `]`)))
	d.until(`document.documentElement.lang === "` + to + `" && document.body.classList.contains("on-line")`)
}

func (d *desk) theme(name string) {
	d.Helper()
	for range 3 {
		var now string
		now, err := chromedp.Run(d.browser, chromedp.Evaluate[string](`document.documentElement.dataset.theme`))
		require.NoError(d.T, err)
		if now == name {
			break
		}
		d.do(chromedp.Click(chromedp.CSS(`header form[action="/theme"] button`)))
		d.until(`document.documentElement.dataset.theme !== "` + now + `" && document.body.classList.contains("on-line")`)
	}
	d.until(`document.documentElement.dataset.theme === "` + name + `" && ` + loaded)
}

// whole fills a gate's record with both lanes' evening and gives the lorry
// that alarms and a traveller.
func whole(t *testing.T, site *consoletest.Site) (odd, traveller event.Passage) {
	t.Helper()
	now := time.Now().UTC()
	for i, d := range consoletest.Instruments() {
		c := site.Change(d, event.Up, now.Add(-time.Duration(80+i)*time.Minute), "")
		site.Share(t, event.TypeDevice, c.ID, d.Name, c)
	}
	publish := func(p event.Passage) {
		site.Share(t, event.TypePassage, p.ID, string(p.ID), p)
		for _, f := range p.Findings {
			a := consoletest.Alert(p, f)
			site.Share(t, event.TypeAlert, a.ID, string(p.ID), a)
		}
	}
	earlier := site.Lorry(7, now.Add(-26*time.Hour), false)
	publish(earlier)
	for i := range 7 {
		p := site.Lorry(i, now.Add(-time.Duration(11-i)*95*time.Second), false)
		switch i {
		case 2:
			p.Coverage[2] = event.Coverage{Device: "xray", State: event.Down, Reason: event.Text{VI: "mất tín hiệu 41 s", EN: "no signal for 41 s"}}
			p.Scans = nil
		case 4:
			p.Plates[0].Text, p.Plates[0].Display, p.Plates[0].Score = "", "", 0.31
			p.Irregular = []string{"tail-gate"}
		}
		publish(p)
	}
	traveller = site.Traveller(1, now.Add(-130*time.Second), true)
	publish(site.Traveller(0, now.Add(-170*time.Second), false))
	publish(traveller)
	odd = site.Lorry(7, now.Add(-100*time.Second), true)
	publish(odd)
	inside := site.Lorry(9, now.Add(-8*time.Second), false)
	inside.State, inside.LeftAt, inside.ClosedAt, inside.Scans, inside.Weighings = event.Open, nil, nil, nil, nil
	for i := range inside.Coverage {
		inside.Coverage[i].Looked = i < 2
	}
	publish(inside)
	for _, i := range consoletest.Instruments() {
		f := site.Log(i, time.Now())
		site.Share(t, event.TypeFrameLog, f.ID, i.Name, f)
	}
	return odd, traveller
}

func serve(t *testing.T, site *consoletest.Site) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	site.Serve(ctx, t)
}

func TestAWholeGateAtADesk(t *testing.T) {
	site := consoletest.NewSite(t, "15BB")
	serve(t, site)
	d := newDesk(t, site, event.Customs, browsertest.Look{Width: 1280, Height: 720, Limit: 8 * time.Minute})
	odd, traveller := whole(t, site)
	d.until(`document.querySelectorAll("#devices .lane-card").length === 2`)
	d.until(`document.querySelectorAll(".device.is-up:not(.silent)").length === 11`)
	d.until(`document.querySelector("#p-` + string(odd.ID) + ` .thumb img")?.naturalWidth > 0`)
	d.until(`document.querySelector("#lane-15BB-01 .barrier").textContent.includes("cần đóng · đèn đỏ")`)
	d.until(`document.querySelectorAll("#queue li").length === 4`)
	d.shown("board-vi-day")

	d.open("/passages/" + string(odd.ID))
	d.until(`!document.querySelector("#verdicts .side.customs .receipt .none")`)
	d.fits()
	d.shown("passage-vi-day")
	d.key("p")
	d.until(`document.querySelector("#provenance").open && document.querySelector("#sources").textContent.includes("plate-reader v1")`)
	d.shown("provenance-vi-day")
	d.open("/passages/" + string(traveller.ID))
	d.fits()
	d.shown("traveller-vi-day")
	d.open("/alerts")
	d.shown("alerts-vi-day")

	d.theme("night")
	d.language("en")
	d.shown("alerts-en-night")
	d.open("/")
	d.shown("board-en-night")
	d.open("/passages/" + string(odd.ID))
	d.fits()
	d.shown("passage-en-night")
	d.open("/passages/" + string(traveller.ID))
	d.shown("traveller-en-night")
	d.key(kb.Escape)
	d.until(`location.pathname === "/" && document.body.classList.contains("on-line")`)
}
