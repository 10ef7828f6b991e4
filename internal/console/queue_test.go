package console_test

import (
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/require"

	"gatehouse/internal/console/browsertest"
	"gatehouse/internal/console/consoletest"
	"gatehouse/internal/event"
)

// alarm shares a lorry that alarms and gives its alerts.
func alarm(t *testing.T, site *consoletest.Site, n int, at time.Time) (event.Passage, []event.Alert) {
	t.Helper()
	p := site.Lorry(n, at, true)
	site.Share(t, event.TypePassage, p.ID, string(p.ID), p)
	var list []event.Alert
	for _, f := range p.Findings {
		a := consoletest.Alert(p, f)
		site.Share(t, event.TypeAlert, a.ID, string(p.ID), a)
		list = append(list, a)
	}
	return p, list
}

func (d *desk) order() []string {
	d.Helper()
	ids, err := chromedp.Run(d.browser, chromedp.Evaluate[[]string](`[...document.querySelectorAll("#queue li")].map(l => l.id)`))
	require.NoError(d.T, err)
	return ids
}

func TestTheQueueDoesNotMoveUnderTheCursor(t *testing.T) {
	site := consoletest.NewSite(t, "15BB")
	serve(t, site)
	now := time.Now().UTC()
	alarm(t, site, 1, now.Add(-30*time.Second))
	d := newDesk(t, site, event.Customs, browsertest.Look{Width: 1280, Height: 720})
	d.until(`document.querySelectorAll("#queue li").length === 3`)
	d.run(`document.querySelector("#queue li:nth-child(2) [data-row]").focus()`)
	before := d.order()
	const top = `document.querySelector("#queue li:nth-child(2)").getBoundingClientRect().top`
	y, err := chromedp.Run(d.browser, chromedp.Evaluate[float64](top))
	require.NoError(t, err)

	_, fresh := alarm(t, site, 2, now.Add(-20*time.Second))
	d.until(`!document.querySelector("#show-new").hidden && document.querySelector("#show-new").textContent.includes("3 cảnh báo mới")`)
	require.Equal(t, before, d.order(), "what is new is only announced")
	again, err := chromedp.Run(d.browser, chromedp.Evaluate[float64](top))
	require.NoError(t, err)
	require.InDelta(t, y, again, 0.01, "not a pixel")

	// What is over stays in its place, marked, while somebody is in the list.
	gone := fresh[0]
	gone.ID, gone.MsgType, gone.References = event.NewID(time.Now()), "Cancel", []event.ID{event.ID(before[0][2:])}
	site.Share(t, event.TypeAlert, gone.ID, string(gone.Passage), gone)
	d.until(`document.querySelector("#queue li.gone") !== null`)
	require.Equal(t, before, d.order())
	d.shown("queue-new-vi-day")

	d.key("v")
	d.until(`document.querySelectorAll("#queue li").length === 5 && document.querySelector("#show-new").hidden`)

	// With neither pointer nor focus in the list, new alerts go in by themselves.
	d.run(`document.activeElement.blur()`)
	alarm(t, site, 3, now.Add(-10*time.Second))
	d.until(`document.querySelectorAll("#queue li").length === 8`)

	// The pointer alone holds the list still, too.
	d.do(chromedp.MouseEvent("mouseMoved", 1100, 300))
	d.until(`document.querySelector("#open-alerts").matches(":hover")`)
	before = d.order()
	alarm(t, site, 4, now.Add(-5*time.Second))
	d.until(`!document.querySelector("#show-new").hidden`)
	require.Equal(t, before, d.order())
	d.do(chromedp.MouseEvent("mouseMoved", 300, 500))
	d.until(`document.querySelectorAll("#queue li").length === 11`)

	d.do(chromedp.Click(chromedp.CSS(`[data-filter=severe]`)))
	d.until(`[...document.querySelectorAll("#queue li")].filter(l => l.offsetParent).length === 3`)
}

// press sends a key by its place alone, as an input method leaves it.
func (d *desk) press(codes ...string) {
	d.Helper()
	for _, code := range codes {
		d.run(`(document.activeElement ?? document.body).dispatchEvent(new KeyboardEvent("keydown", {code: "` + code + `", key: "Process", keyCode: 229, bubbles: true, cancelable: true}))`)
	}
}

func TestAnAlertIsDecidedWithFiveKeysUnderAnyInputMethod(t *testing.T) {
	site := consoletest.NewSite(t, "15BB")
	serve(t, site)
	p, alerts := alarm(t, site, 1, time.Now().UTC().Add(-20*time.Second))
	d := newDesk(t, site, event.Customs, browsertest.Look{Width: 1280, Height: 720})
	d.until(`document.querySelectorAll("#queue li").length === 3`)

	// J and Enter open the first alert; 3 is hold, 6 the first ready reason, F9
	// records: five keys.
	d.key("j", kb.Enter)
	d.until(`location.pathname === "/passages/` + string(p.ID) + `" && document.body.classList.contains("on-line")`)
	d.key("3", "6", kb.F9)
	d.until(`document.querySelector("#verdicts .side.customs .decision:not(.pending)")?.textContent === "Tạm giữ"`)
	got, err := d.console.Store().Passage(t.Context(), p.ID)
	require.NoError(t, err)
	v := got.Latest(event.Customs)
	require.Equal(t, alerts[0].ID, v.Alert, "the verdict is about the alert")
	require.Equal(t, "Theo nội dung cảnh báo", v.Reason)

	// The same keys as Telex and VNI leave them: only their places are known.
	d.open("/")
	d.until(`document.querySelectorAll("#queue li").length === 2`)
	d.press("KeyJ")
	d.until(`document.activeElement.dataset.row === "alert"`)
	d.run(`document.activeElement.click()`) // Enter is the browser's own
	d.until(`location.pathname.startsWith("/passages/") && document.body.classList.contains("on-line")`)
	d.press("Digit2", "Digit7", "F9")
	d.until(`document.querySelector("#verdicts .side.customs .decision:not(.pending)")?.textContent === "Kiểm tra"`)

	d.press("KeyH")
	d.until(`document.querySelector("#keys").open`)
	d.shown("keys-vi-day")
}

func TestAcknowledgingStopsTheSoundOnBothConsolesAndShowsWhoTookIt(t *testing.T) {
	site := consoletest.NewSite(t, "15BB")
	serve(t, site)
	customs := newDesk(t, site, event.Customs, browsertest.Look{Width: 1280, Height: 720})
	guard := newDesk(t, site, event.BorderGuard, browsertest.Look{Width: 1280, Height: 720})
	for _, d := range []*desk{customs, guard} {
		d.open("/")
		d.until(`document.querySelector("#sound").dataset.state === "locked"`)
		d.key("m") // any touch unlocks it, and M does so by name
		d.until(`document.querySelector("#sound").dataset.state === "on"`)
	}
	late := site.Lorry(5, time.Now().UTC().Add(-time.Hour), false)
	late.Findings = site.Lorry(6, late.OpenedAt, true).Findings[:1]
	a := consoletest.Alert(late, late.Findings[0])
	l, err := site.Add(event.TypeAlert, a.ID, string(late.ID), time.Now().Add(-time.Hour), a)
	require.NoError(t, err)
	for _, to := range event.Agencies() {
		require.NoError(t, site.HandOver(to, l))
	}
	customs.until(`document.querySelector("#queue li") !== null`)
	customs.until(`document.querySelector("#queue li").textContent.includes("đến muộn")`)

	p, alerts := alarm(t, site, 1, time.Now().UTC().Add(-10*time.Second))
	for _, d := range []*desk{customs, guard} {
		d.until(`document.querySelector("#sound").dataset.state === "ringing" && document.body.classList.contains("sounding")`)
		d.until(`document.querySelectorAll("#ringing [data-ring]").length === 3`) // the late one is silent
	}
	for _, alert := range alerts {
		id := string(alert.ID)
		customs.until(`document.querySelector("#a-` + id + ` [data-row]") !== null`)
		customs.run(`document.querySelector("#a-` + id + ` [data-row]").focus()`)
		customs.key("n")
		customs.until(`document.querySelector("#a-` + id + ` .acked-by:not(.pending)") !== null`)
	}
	for _, d := range []*desk{customs, guard} {
		d.until(`document.querySelector("#sound").dataset.state === "on" && document.querySelectorAll("#ringing [data-ring]").length === 0`)
	}
	guard.until(`document.querySelectorAll("#queue .acked-by.customs").length === 3`)
	own, err := chromedp.Run(customs.browser, chromedp.Evaluate[string](`document.querySelector("#queue .acked-by").textContent`))
	require.NoError(t, err)
	require.Contains(t, own, "Nguyễn Văn An")
	other, err := chromedp.Run(guard.browser, chromedp.Evaluate[string](`document.querySelector("#queue .acked-by").textContent`))
	require.NoError(t, err)
	require.Regexp(t, `HQ-\d{4}`, other)
	require.NotContains(t, other, "Nguyễn")
	guard.shown("acknowledged-borderguard-vi-day")
	guard.open("/passages/" + string(p.ID))
	guard.until(`document.querySelectorAll("#findings .acked-by.customs").length === 3`)

	customs.key("m")
	customs.until(`document.querySelector("#sound").dataset.state === "off"`)
}

func TestTheAccessibilityCheckCatchesAFault(t *testing.T) {
	site := consoletest.NewSite(t, "15BB")
	d := newDesk(t, site, event.Customs, browsertest.Look{Width: 1280, Height: 720})
	faults, err := browsertest.Faults(d.T, d.browser)
	require.NoError(t, err)
	require.Empty(t, faults)
	d.run(`document.querySelector("main").insertAdjacentHTML("beforeend", '<button></button><p id="pale">pale</p>')`)
	d.run(`document.querySelector("#pale").style.color = "#c4cbd0"`)
	faults, err = browsertest.Faults(d.T, d.browser)
	require.NoError(t, err)
	require.Contains(t, faults, "button-name")
	require.Contains(t, faults, "color-contrast")
}
