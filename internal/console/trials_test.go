package console_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/require"

	"gatehouse/internal/console/browsertest"
	"gatehouse/internal/console/consoletest"
	"gatehouse/internal/console/tip"
	"gatehouse/internal/event"
)

// A supervisor switches trials on with the keyboard; a reviewer answers one, is
// told what it was, and decides on the real scan.
func TestATrialAtADesk(t *testing.T) {
	site := consoletest.NewSite(t, "15BB")
	serve(t, site)
	c := browsertest.Config(t, site, event.Customs)
	x, stop := browsertest.Start(t, c)
	d := &desk{T: t, site: site, console: x, browser: browsertest.Browser(t, browsertest.Look{Width: 1280, Height: 720, Limit: 8 * time.Minute})}
	browsertest.SetUp(t, d.browser, x)
	p := site.Passage(1, time.Now().UTC().Add(-time.Minute), true)
	site.Share(t, event.TypePassage, p.ID, string(p.ID), p)
	for _, f := range p.Findings {
		a := consoletest.Alert(p, f)
		site.Share(t, event.TypeAlert, a.ID, string(p.ID), a)
	}
	d.open("/")
	d.until(`document.querySelector('a[href="/passages/` + string(p.ID) + `"]') !== null`)
	d.open("/passages/" + string(p.ID))
	d.until(`document.querySelector("#scans .stage img")?.naturalWidth > 0`)

	d.key("q")
	d.until(`document.querySelector("#trials select") !== null`)
	d.run(`document.querySelector("#trials select").focus()`)
	d.key(kb.Tab, kb.Enter)
	d.until(`document.querySelector("#trials .warn")?.textContent.includes("5 %")`)
	badge, err := chromedp.Run(d.browser, chromedp.Evaluate[string](`document.querySelector("header .badge").textContent`))
	require.NoError(t, err)

	// Chance cannot be waited for: the record gets a trial of this scan.
	stop()
	line, err := json.Marshal(map[string]any{"trial": tip.Trial{
		ID: strings.Repeat("A", 26), Lane: "15BB/01", Scan: p.Scans[0].Image.SHA256, Reviewer: badge, At: time.Now().UTC(), Threat: "revolver", Seed: 4,
	}})
	require.NoError(t, err)
	record, err := os.OpenFile(filepath.Join(c.Store, tip.File), os.O_APPEND|os.O_WRONLY, 0)
	require.NoError(t, err)
	_, err = record.Write(append(line, '\n'))
	require.NoError(t, err)
	require.NoError(t, record.Close())
	d.console, _ = browsertest.Start(t, c)

	d.open("/passages/" + string(p.ID))
	d.until(`document.querySelector("#scans .stage img")?.naturalWidth > 0`)
	d.fits()
	browsertest.Shot(t, d.browser, "trial-under-way-vi-day")
	d.key("1")
	d.key(kb.F9)
	d.until(`document.querySelector("#trial.is-miss") !== null && ` + loaded)
	d.fits()
	d.shown("trial-vi-day")
	d.open("/trials")
	d.shown("trials-vi-day")
	d.theme("night")
	d.language("en")
	d.shown("trials-en-night")
	d.open("/passages/" + string(p.ID))
	d.shown("trial-en-night")
	d.key("1")
	d.key(kb.F9)
	d.until(`document.querySelector("#trial") === null && document.querySelector("#verdicts .side.customs .decision") !== null`)
}
