package console_test

import (
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"gatehouse/internal/console/browsertest"
	"gatehouse/internal/console/consoletest"
	"gatehouse/internal/event"
)

const (
	rings  = `document.querySelectorAll("#ringing [data-ring]").length === `
	sounds = `document.body.classList.contains("sounding")`
)

// notice is a desktop notification that a page has given.
type notice struct {
	Title, Body, Tag string
	Open             bool
}

func (d *desk) notices() []notice {
	d.Helper()
	list, err := chromedp.Run(d.browser, chromedp.Evaluate[[]notice](`window.notices`))
	require.NoError(d.T, err)
	return list
}

// beside opens the same console in another tab of the same browser.
func (d *desk) beside(path string) (other *desk, leave func()) {
	d.Helper()
	tab, leave := browsertest.Tab(d.T, d.browser, browsertest.Look{Width: 1280, Height: 720})
	other = &desk{T: d.T, site: d.site, console: d.console, browser: tab}
	browsertest.Notices(d.T, tab, d.console)
	other.open(path)
	return other, leave
}

func (d *desk) away(yes bool) { d.Helper(); browsertest.Away(d.T, d.browser, yes) }

// late shares an alarm that reaches the agencies an hour after it was raised.
func late(t *testing.T, site *consoletest.Site) event.Alert {
	t.Helper()
	p := site.Lorry(5, time.Now().UTC().Add(-time.Hour), false)
	p.Findings = site.Lorry(6, p.OpenedAt, true).Findings[:1]
	a := consoletest.Alert(p, p.Findings[0])
	l, err := site.Add(event.TypeAlert, a.ID, string(p.ID), time.Now().Add(-time.Hour), a)
	require.NoError(t, err)
	for _, to := range event.Agencies() {
		require.NoError(t, site.HandOver(to, l))
	}
	return a
}

func TestADesktopNotificationIsGivenOnceForEachNewAlert(t *testing.T) {
	site := consoletest.NewSite(t, "15BB")
	serve(t, site)
	d := newDesk(t, site, event.Customs, browsertest.Look{Width: 1280, Height: 720, Limit: 5 * time.Minute})
	browsertest.Notices(t, d.browser, d.console)
	d.open("/alerts")
	d.until(`document.querySelector("#notify").dataset.state === "granted" && !document.querySelector("#notify").hidden`)

	// The officer turns to another window; a late alert comes first.
	d.away(true)
	old := late(t, site)
	d.until(`document.querySelector("#a-` + string(old.ID) + `") !== null`)
	p, alerts := alarm(t, site, 1, time.Now().UTC().Add(-5*time.Second))
	d.until(rings + `3`)
	d.until(`window.notices.length >= 3`)
	given := d.notices()
	require.Len(t, given, 3, "one for each alert that rings, none for the late one")
	for i, a := range []event.Alert{alerts[0], alerts[1], alerts[2]} {
		n := given[i]
		require.Equal(t, notice{Title: a.Headline.VI, Body: "Làn 01 · " + p.Plates[0].Text, Tag: string(a.ID), Open: true}, n)
	}

	// What somebody has acknowledged is taken away.
	guard, _ := browsertest.Start(t, browsertest.Config(t, site, event.BorderGuard))
	require.Eventually(t, func() bool {
		_, err := guard.Store().Alert(t.Context(), alerts[0].ID)
		return err == nil
	}, time.Minute, 20*time.Millisecond)
	newHand(t, guard, "chief", "Chief").takes(alerts[0])
	d.until(rings + `2`)
	d.until(`window.notices.filter(n => !n.open).length === 1`)
	require.False(t, d.notices()[0].Open)

	// A page that is opened anew tells nothing twice, and nothing of what was
	// acknowledged before.
	d.do(chromedp.Reload())
	d.until(`document.body.classList.contains("on-line")`)
	d.until(rings + `2`)
	_, more := alarm(t, site, 2, time.Now().UTC().Add(-4*time.Second))
	d.until(`window.notices.length >= 3`)
	for i, n := range d.notices() {
		require.Equal(t, string(more[i].ID), n.Tag)
	}
	require.Len(t, d.notices(), 3)

	// Whoever looks at the console needs no notification.
	d.away(false)
	alarm(t, site, 3, time.Now().UTC().Add(-3*time.Second))
	d.until(rings + `8`)
	d.until(`localStorage.getItem("gatehouse.told").split(" ").length >= 9`)
	require.Len(t, d.notices(), 3)
}

func TestOfSeveralTabsOneSoundsAndOneNotifies(t *testing.T) {
	site := consoletest.NewSite(t, "15BB")
	serve(t, site)
	d := newDesk(t, site, event.Customs, browsertest.Look{Width: 1280, Height: 720, Limit: 5 * time.Minute})
	browsertest.Notices(t, d.browser, d.console)
	d.open("/")
	second, leave := d.beside("/alerts")
	for _, tab := range []*desk{d, second} {
		tab.until(`document.querySelector("#sound").dataset.state === "locked" || document.querySelector("#sound").dataset.state === "on"`)
		tab.touch()
		tab.until(`document.querySelector("#sound").dataset.state === "on"`)
	}
	tabs := []*desk{d, second}
	for _, tab := range tabs {
		tab.away(true)
	}

	alarm(t, site, 1, time.Now().UTC().Add(-5*time.Second))
	for _, tab := range tabs {
		tab.until(rings + `3 && document.querySelector("#sound").dataset.state === "ringing"`)
	}
	d.until(sounds)
	d.until(`window.notices.length === 3`)
	quiet := func(tab *desk) bool {
		v, err := chromedp.Run(tab.browser, chromedp.Evaluate[bool](`!(`+sounds+`) && window.notices.length === 0`))
		require.NoError(t, err)
		return v
	}
	require.True(t, quiet(second), "the tab that was first leads")

	// The leading tab goes elsewhere: the other one takes over, and tells nothing
	// twice.
	d.do(chromedp.Navigate("about:blank"))
	second.until(sounds)
	require.Empty(t, second.notices())

	// It comes back, and stands behind.
	d.open("/")
	d.touch()
	d.until(rings + `3 && document.querySelector("#sound").dataset.state === "ringing"`)
	require.True(t, quiet(d))

	// Switched off in one tab, it is off in all.
	d.key("m")
	second.until(`document.querySelector("#sound").dataset.state === "off" && !(` + sounds + `)`)
	d.key("m")
	d.until(sounds + ` || document.querySelector("#sound").dataset.state === "ringing"`)
	second.until(`document.querySelector("#sound").dataset.state === "ringing"`)
	leave()
	d.until(sounds)
}

// touch is a click on nothing, which lets a page sound.
func (d *desk) touch() {
	d.Helper()
	d.do(chromedp.MouseEvent("mousePressed", 640, 715, chromedp.ButtonLeft, chromedp.ClickCount(1)))
}
