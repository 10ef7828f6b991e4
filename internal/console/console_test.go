package console_test

import (
	"context"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"gatehouse/internal/console/browsertest"
	"gatehouse/internal/console/consoletest"
	"gatehouse/internal/event"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// traffic fills a gate's record with an evening's traffic and gives the
// passage that alarms.
func traffic(t *testing.T, site *consoletest.Site) event.Passage {
	t.Helper()
	now := time.Now().UTC()
	for i, d := range []struct{ name, driver string }{{"camera", "camera"}, {"rpm", "rpm"}, {"xray", "xray"}} {
		c := site.Device(d.name, d.driver, event.Up, now.Add(-time.Duration(80+i)*time.Minute), "")
		site.Share(t, event.TypeDevice, c.ID, d.name, c)
	}
	var hot event.Passage
	for i := range 9 {
		p := site.Passage(i, now.Add(-time.Duration(9-i)*95*time.Second), i == 7)
		switch i {
		case 2:
			p.Coverage[2] = event.Coverage{Device: "xray", State: event.Down, Reason: event.Text{VI: "mất tín hiệu 41 s", EN: "no signal for 41 s"}}
			p.Scans = nil
			p.Findings = append(p.Findings, event.Finding{
				ID: event.NewID(now), Code: event.FindingCoverageGap, Severity: event.Minor, Lead: event.Customs, Score: 1, At: p.OpenedAt, Device: "xray",
				Source:   event.Source{Kind: "rule", Name: "coverage", Version: "1"},
				Headline: event.Text{VI: "Máy soi X-quang không kiểm lượt này", EN: "The X-ray scanner did not look at this passage"},
			})
		case 4:
			p.Plates[0].Text, p.Plates[0].Display, p.Plates[0].Score = "", "", 0.31
			p.Irregular = []string{"tail-gate"}
		case 8:
			p.State, p.LeftAt, p.ClosedAt, p.Scans, p.Pending = event.Waiting, nil, nil, nil, []string{p.Photos[0].Image.SHA256}
		}
		site.Share(t, event.TypePassage, p.ID, string(p.ID), p)
		for _, f := range p.Findings {
			a := consoletest.Alert(p, f)
			site.Share(t, event.TypeAlert, a.ID, string(p.ID), a)
		}
		if i == 7 {
			hot = p
		}
	}
	for _, d := range []string{"camera", "rpm", "xray"} {
		f := site.FrameLog(d, time.Now(), "a", "b")
		site.Share(t, event.TypeFrameLog, f.ID, d, f)
	}
	return hot
}

// decide gives a verdict on the passage that the browser shows, by keyboard
// alone.
func decide(t *testing.T, browser context.Context, key, reason string) {
	t.Helper()
	browsertest.Until(t, browser, `document.body.classList.contains("on-line")`)
	browsertest.Keys(t, browser, key, "r")
	browsertest.Until(t, browser, `document.activeElement.name === "reason" && document.querySelector("#verdict input[name=code]:checked") !== null`)
	browsertest.Keys(t, browser, reason, kb.F9)
}

func TestAnOfficerDecidesByKeyboard(t *testing.T) {
	site := consoletest.NewSite(t, "15BB")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	site.Serve(ctx, t)
	x, _ := browsertest.Start(t, browsertest.Config(t, site, event.Customs))
	browser := browsertest.Browser(t, browsertest.Look{Width: 1280, Height: 720})
	browsertest.SetUp(t, browser, x)

	// The board is open while the traffic comes: it must show it by itself.
	hot := traffic(t, site)
	browsertest.Until(t, browser, `document.querySelectorAll("#passages tr.is-closed").length >= 8`)
	browsertest.Until(t, browser, `document.querySelectorAll("#open-alerts li").length === 3`)
	browsertest.Until(t, browser, `document.querySelectorAll(".device.is-up:not(.silent)").length === 3`)
	browsertest.Until(t, browser, `[...document.images].every(i => i.complete && i.naturalWidth > 0) && document.images.length >= 16`)
	browsertest.Shot(t, browser, "board-vi-light")
	browsertest.Accessible(t, browser)

	browsertest.Do(t, browser,
		chromedp.Evaluate[chromedp.Void](`document.querySelector("#p-`+string(hot.ID)+` a").focus()`))
	browsertest.Keys(t, browser, kb.Enter)
	browsertest.Do(t, browser, chromedp.WaitVisible(chromedp.CSS(`#verdicts`)))
	browsertest.Until(t, browser, `document.querySelectorAll("#scans .marks rect.finding").length === 1`)
	browsertest.Until(t, browser, `[...document.images].every(i => i.complete && i.naturalWidth > 0)`)
	browsertest.Until(t, browser, `!document.querySelector("#verdicts .side.customs .receipt .none")`)
	browsertest.Shot(t, browser, "passage-vi-light")

	// 3 is HOLD; r goes to the reason; F9 records it.
	decide(t, browser, "3", "Đo lại bằng máy cầm tay")
	browsertest.Until(t, browser, `document.querySelector("#verdicts .side.customs .decision:not(.pending)")?.textContent === "Tạm giữ"`)
	browsertest.Until(t, browser, `document.querySelector("#verdicts .side.customs").textContent.includes("Đo lại bằng máy cầm tay")`)
	got, err := x.Store().Passage(t.Context(), hot.ID)
	require.NoError(t, err)
	v := got.Latest(event.Customs)
	require.Equal(t, event.Hold, v.Code)
	require.Equal(t, "Đo lại bằng máy cầm tay", v.Reason)
	require.Equal(t, event.SeenVersion{Version: 1, Sequence: got.Sequence}, v.Saw)
	require.Regexp(t, `^HQ-\d{4}$`, v.Badge)
	browsertest.Shot(t, browser, "passage-decided-vi-light")
	browsertest.Accessible(t, browser)

	browsertest.Do(t, browser, chromedp.Navigate(x.URL()+"/alerts"))
	browsertest.Accessible(t, browser)
	browsertest.Shot(t, browser, "alerts-vi-light")
	browsertest.Do(t, browser, chromedp.Navigate(x.URL()+"/status"))
	browsertest.Accessible(t, browser)
	browsertest.Shot(t, browser, "status-vi-light")
	browsertest.Do(t, browser, chromedp.Navigate(x.URL()+"/"), chromedp.WaitVisible(chromedp.CSS(`.dot.blind`)),
		chromedp.Evaluate[chromedp.Void](`document.querySelector("tr.blind a").click()`), chromedp.WaitVisible(chromedp.CSS(`#coverage li.blind`)))
	browsertest.Until(t, browser, `document.querySelector("#findings .warn") !== null || document.querySelectorAll("#findings li").length > 0`)
	browsertest.Accessible(t, browser)
	browsertest.Shot(t, browser, "passage-blind-vi-light")
	browsertest.Do(t, browser, chromedp.Click(chromedp.CSS(`form[action="/logout"] button`)), chromedp.WaitVisible(chromedp.CSS(`input[name=password]`)))
	browsertest.Accessible(t, browser)
	browsertest.Shot(t, browser, "login-vi-light")
}

func TestADisagreementStandsOutInBothLanguagesAndThemes(t *testing.T) {
	site := consoletest.NewSite(t, "15BB")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	site.Serve(ctx, t)
	customs, _ := browsertest.Start(t, browsertest.Config(t, site, event.Customs))
	guard, _ := browsertest.Start(t, browsertest.Config(t, site, event.BorderGuard))
	hot := traffic(t, site)
	own := browsertest.Browser(t, browsertest.Look{Width: 1280, Height: 720})
	browsertest.SetUp(t, own, customs)
	browsertest.Until(t, own, `document.querySelector("#p-`+string(hot.ID)+`") !== null`)
	browser := browsertest.Browser(t, browsertest.Look{Width: 1280, Height: 720, Dark: true})
	browsertest.SetUp(t, browser, guard)
	browsertest.Until(t, browser, `document.querySelector("#p-`+string(hot.ID)+`") !== null`)

	for _, at := range []struct {
		browser          context.Context
		url, key, reason string
	}{{own, customs.URL(), "3", "Đo lại bằng máy cầm tay"}, {browser, guard.URL(), "1", "Potash, declared"}} {
		browsertest.Do(t, at.browser, chromedp.Navigate(at.url+"/passages/"+string(hot.ID)))
		decide(t, at.browser, at.key, at.reason)
	}
	for _, b := range []context.Context{own, browser} {
		browsertest.Until(t, b, `document.querySelector(".disagreement") !== null`)
		browsertest.Until(t, b, `document.querySelectorAll("#verdicts .decision:not(.pending)").length === 2`)
		browsertest.Until(t, b, `document.querySelectorAll("#verdicts .receipt .tick").length === 2`)
		browsertest.Until(t, b, `[...document.images].every(i => i.complete && i.naturalWidth > 0)`)
	}
	browsertest.Shot(t, own, "disagree-customs-vi-light")
	browsertest.Do(t, browser, chromedp.Click(chromedp.CSS(`header button[lang=en]`)))
	browsertest.Until(t, browser, `document.documentElement.lang === "en" && document.body.textContent.includes("The agencies disagree")`)
	browsertest.Until(t, browser, `[...document.images].every(i => i.complete && i.naturalWidth > 0)`)
	browsertest.Accessible(t, browser)
	browsertest.Shot(t, browser, "disagree-borderguard-en-dark")
	browsertest.Do(t, browser, chromedp.Click(chromedp.CSS(`nav a[href="/"]`)), chromedp.WaitVisible(chromedp.CSS(`#passages`)))
	browsertest.Until(t, browser, `[...document.images].every(i => i.complete && i.naturalWidth > 0)`)

	// A pulled cable, then a lost hub.
	d := site.Device("rpm", "rpm", event.Down, time.Now(), "no line for 12 s")
	site.Share(t, event.TypeDevice, d.ID, "rpm", d)
	browsertest.Until(t, browser, `document.querySelector("#device-15BB-01-rpm.is-down") !== null`)
	browsertest.Accessible(t, browser)
	browsertest.Shot(t, browser, "board-en-dark")
	site.StopHub()
	browsertest.Until(t, browser, `document.querySelector("#link .lost") !== null`)
	browsertest.Accessible(t, browser)
	browsertest.Shot(t, browser, "hub-lost-en-dark")
	site.StartHub(t)
	browsertest.Until(t, browser, `document.querySelector("#link .lost") === null`)
}

func TestThePageSaysWhenItIsCutOffAndCatchesUp(t *testing.T) {
	site := consoletest.NewSite(t, "15BB")
	c := browsertest.Config(t, site, event.Customs)
	x, stop := browsertest.Start(t, c)
	browser := browsertest.Browser(t, browsertest.Look{Width: 1280, Height: 720})
	browsertest.SetUp(t, browser, x)
	browsertest.Until(t, browser, `document.body.classList.contains("on-line")`)
	c.Listen = x.URL()[len("http://"):]
	stop()
	browsertest.Until(t, browser, `getComputedStyle(document.querySelector("#live-lost")).display !== "none"`)
	browsertest.Shot(t, browser, "console-lost-vi-light")
	p := site.Passage(1, time.Now().UTC(), false)
	site.Share(t, event.TypePassage, p.ID, string(p.ID), p)
	browsertest.Start(t, c)
	browsertest.Until(t, browser, `document.querySelector("#p-`+string(p.ID)+`") !== null`)
	browsertest.Until(t, browser, `document.body.classList.contains("on-line")`)
}
