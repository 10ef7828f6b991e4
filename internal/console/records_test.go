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

// month gives some devices a history.
func month(t *testing.T, site *consoletest.Site) {
	t.Helper()
	now := time.Now().UTC()
	days := func(n float64) time.Time { return now.Add(-time.Duration(n * 24 * float64(time.Hour))) }
	for _, d := range consoletest.Instruments() {
		if d.Name == "barrier" {
			c := site.Change(d, event.Up, now.Add(-time.Hour), "")
			c.Barrier.Watchdog = "none"
			site.Share(t, event.TypeDevice, c.ID, d.Name, c)
		}
		if d.Name != "xray" || d.Lane != "01" {
			continue
		}
		for _, c := range []struct {
			at     float64
			state  event.DeviceState
			reason string
		}{
			{26, event.Up, ""}, {21.4, event.Down, "link"}, {21.1, event.Up, ""}, {14, event.Degraded, "detector 3 weak"}, {12.2, event.Up, ""},
			{9, event.InTest, "daily test"}, {8.9, event.Up, ""}, {3.5, event.Faulty, "INTERLOCK"}, {3.2, event.Up, ""},
		} {
			change := site.Change(d, c.state, days(c.at), c.reason)
			site.Share(t, event.TypeDevice, change.ID, d.Name, change)
		}
		for i := range 24 {
			f := site.Log(d, days(float64(i)+0.3))
			f.Digests = nil
			for n := range 20 + i*7%23 {
				f.Digests = append(f.Digests, event.Digest([]byte{byte(i), byte(n)})[:16])
			}
			f.Count = len(f.Digests)
			site.Share(t, event.TypeFrameLog, f.ID, d.Name, f)
		}
		g := event.Gap{ID: event.NewID(now), Where: event.Where{Gate: site.Gate, Lane: d.Lane, Device: d.Name}, From: days(0.5), To: days(0.499), Frames: 431, Reason: "overflow"}
		site.Share(t, event.TypeGap, g.ID, d.Name, g)
	}
}

func TestRecordsAreReadBySearchDevicesAndAudit(t *testing.T) {
	site := consoletest.NewSite(t, "15BB")
	serve(t, site)
	d := newDesk(t, site, event.Customs, browsertest.Look{Width: 1280, Height: 720, Limit: 10 * time.Minute})
	odd, _ := whole(t, site)
	month(t, site)
	d.until(`document.querySelector("#p-` + string(odd.ID) + `") !== null`)

	// Search by keyboard: S opens it, the field has the focus, Enter asks, J goes
	// to the first passage and Enter opens it.
	plate := odd.Plates[0].Text
	d.key("s")
	d.until(`location.pathname === "/search" && document.activeElement.name === "plate" && document.body.classList.contains("on-line")`)
	d.theme("day")
	d.open("/search")
	d.key(plate[3:])
	d.key(kb.Enter)
	d.until(`document.querySelectorAll(".hits tbody tr").length >= 2 && location.search.includes("plate=` + plate[3:] + `")`)
	d.shown("search-vi-day")
	d.run(`document.activeElement.blur()`)
	d.key("j", kb.Enter)
	d.until(`location.pathname.startsWith("/passages/")`)
	d.open("/search?plate=" + plate[:2] + "*" + plate[6:])
	d.until(`document.querySelectorAll(".hits tbody tr").length >= 2`)
	d.open("/search?plate=I2C")
	d.until(`document.querySelector(".alike .tag.like") !== null`)
	d.shown("search-alike-vi-day")
	d.open("/search?words=xyz")
	d.shown("search-none-vi-day")

	d.open("/devices")
	d.until(`document.querySelectorAll(".device-row").length >= 8`)
	d.shown("devices-vi-day")
	d.open("/devices/15BB/01/xray")
	d.until(`document.querySelectorAll(".history .seg").length >= 9`)
	d.shown("device-vi-day")
	d.open("/devices/15BB/01/barrier")
	d.until(`document.querySelector(".barrier-now .error") !== null`)
	d.shown("device-barrier-vi-day")

	d.open("/audit")
	d.until(`document.querySelectorAll(".audit tbody tr").length > 10`)
	d.shown("audit-vi-day")
	d.do(chromedp.Click(chromedp.CSS(`form[action="/audit/verify"] button`)))
	d.until(`document.querySelector(".audit-state .done") !== null`)
	d.open("/audit?action=search")
	d.until(`[...document.querySelectorAll(".audit .detail")].some(e => e.textContent.includes("` + plate[3:] + `"))`)

	// A supervisor makes an account; its link is shown once, and followed.
	d.open("/users")
	d.do(chromedp.SendKeys(chromedp.CSS(`form.stack input[name=name]`), "Phạm Thị Lan"), chromedp.SendKeys(chromedp.CSS(`form.stack input[name=login]`), "lan.pham"))
	d.do(chromedp.Click(chromedp.CSS(`form.stack button.main`)))
	d.until(`document.querySelector(".handed input")?.value.includes("/setup?token=")`)
	d.shown("users-link-vi-day")
	link, err := chromedp.Run(d.browser, chromedp.Evaluate[string](`document.querySelector(".handed input").value`))
	require.NoError(t, err)
	d.open("/users")
	d.shown("users-vi-day")
	d.visit(link[len(d.console.URL()):])
	d.shown("setup-invited-vi-day")
	d.open("/account")
	d.shown("account-vi-day")
	d.theme("night")
	d.language("en")
	for name, path := range map[string]string{
		"search-en-night": "/search?plate=" + plate[3:], "devices-en-night": "/devices", "device-en-night": "/devices/15BB/01/xray",
		"audit-en-night": "/audit", "users-en-night": "/users", "status-en-night": "/status",
	} {
		d.open(path)
		d.shown(name)
	}

	// A device goes down while its page is open.
	d.open("/devices/15BB/01/rpm")
	for _, i := range consoletest.Instruments() {
		if i.Name == "rpm" && i.Lane == "01" {
			c := site.Change(i, event.Down, time.Now(), "link")
			site.Share(t, event.TypeDevice, c.ID, i.Name, c)
		}
	}
	d.until(`document.querySelector(".headline.device.is-down") !== null && document.querySelector(".instruction") !== null`)
	browsertest.Accessible(t, d.browser)
}

// visit opens a page that may have no event stream.
func (d *desk) visit(path string) {
	d.Helper()
	d.do(chromedp.Navigate(d.console.URL() + path))
	d.until(`document.readyState === "complete" && ` + loaded)
}

// A technician stands at a device in the rain with a phone.
func TestATechnicianReadsDevicesOnAPhone(t *testing.T) {
	site := consoletest.NewSite(t, "15BB")
	serve(t, site)
	d := newDesk(t, site, event.BorderGuard, browsertest.Look{Width: 390, Height: 844, Limit: 8 * time.Minute})
	whole(t, site)
	month(t, site)
	for _, i := range consoletest.Instruments() {
		if i.Name == "scale" {
			c := site.Change(i, event.Down, time.Now().Add(-7*time.Minute), "LINK")
			c.Words = event.Text{VI: "mất kết nối với đầu cân", EN: "link to the indicator lost"}
			site.Share(t, event.TypeDevice, c.ID, i.Name, c)
		}
	}
	d.theme("day")
	d.open("/devices")
	d.until(`document.querySelector("#row-15BB-01-scale.is-down .why")?.textContent.includes("mất kết nối với đầu cân")`)
	d.slim()
	d.shown("phone-devices-vi-day")
	d.do(chromedp.Click(chromedp.CSS(`#row-15BB-01-scale td.why`))) // anywhere on the card
	d.until(`location.pathname === "/devices/15BB/01/scale" && document.body.classList.contains("on-line") && document.querySelector(".instruction") !== null`)
	d.slim()
	d.shown("phone-device-vi-day")
	d.theme("night")
	d.language("en")
	d.open("/devices/15BB/01/xray")
	d.until(`document.querySelectorAll(".history .seg").length >= 9`)
	d.slim()
	d.shown("phone-device-en-night")
}

// slim checks that a page is no wider than the screen, and that what is tapped
// to get about is large enough for a thumb.
func (d *desk) slim() {
	d.Helper()
	over, err := chromedp.Run(d.browser, chromedp.Evaluate[float64](`document.documentElement.scrollWidth - innerWidth`))
	require.NoError(d.T, err)
	require.LessOrEqual(d.T, over, 0.0, "wider than the screen")
	small, err := chromedp.Run(d.browser, chromedp.Evaluate[[]string](`[...document.querySelectorAll("nav a, .back, .tools button, tr.device-row")].filter(el => el.offsetParent)
		.filter(el => el.getBoundingClientRect().height < 40).map(el => el.outerHTML.slice(0, 80))`))
	require.NoError(d.T, err)
	require.Empty(d.T, small, "too small for a thumb")
}
