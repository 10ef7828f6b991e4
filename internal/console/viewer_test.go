package console_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"gatehouse/internal/console/browsertest"
	"gatehouse/internal/console/consoletest"
	"gatehouse/internal/event"
)

func TestAScanIsReadInItsFullDepth(t *testing.T) {
	site := consoletest.NewSite(t, "15BB")
	serve(t, site)
	p := site.Lorry(1, time.Now().UTC(), true)
	big := site.Keep(consoletest.BigScan(), "image/png", "scan")
	p.Scans[0].Image = big
	p.Findings[1].Region = &event.Region{Evidence: big.SHA256, Box: []int{1900, 600, 200, 300}}
	site.Share(t, event.TypePassage, p.ID, string(p.ID), p)
	d := newDesk(t, site, event.Customs, browsertest.Look{Width: 1280, Height: 720})
	d.until(`document.querySelector("#p-` + string(p.ID) + `") !== null`)
	d.open("/passages/" + string(p.ID))
	d.until(`document.querySelector("#scans .stage img")?.naturalWidth === 4000`)

	// pixel gives the red of a picture's pixel, from the canvas that is shown.
	pixel := func(x, y int) string {
		return `(() => { const c = document.querySelector("#scans canvas"); return c && [...c.getContext("2d").getImageData(` + itoa(x) + `, ` + itoa(y) + `, 1, 1).data].slice(0, 3); })()`
	}
	value := func(x, y int) []int {
		v, err := chromedp.Run(d.browser, chromedp.Evaluate[[]int](pixel(x, y)))
		require.NoError(t, err)
		return v
	}
	tones := func(part string) {
		d.Helper()
		d.until(`document.querySelector("#scans canvas")?.dataset.tones.includes('` + part + `')`)
	}

	d.key("i")
	tones(`"invert":true`)
	left, right := value(100, 100)[0], value(3900, 100)[0]
	require.Greater(t, left, 200, "dark is bright when inverted")
	require.Less(t, right, 55)
	d.key("i")
	d.until(`document.querySelector("#scans canvas") === null`) // as the server draws it

	// A step of 200 in 65535 is less than one of 256 brightnesses: a narrow
	// window around it must show it.
	at := consoletest.BigStep().Min
	d.run(`(() => { const w = document.querySelector("[data-tone=width]"); w.value = 2; w.dispatchEvent(new Event("input", {bubbles: true})); })()`)
	tones(`"width":0.02`)
	below, above := value(at.X+100, at.Y-20)[0], value(at.X+100, at.Y+20)[0]
	require.Greater(t, above, below+20, "the step shows in a narrow window")
	d.key("]")
	tones(`"level":0.54`)
	d.run(`for (const [n, v] of [["width", 100], ["level", 50]]) { const r = document.querySelector("[data-tone=" + n + "]"); r.value = v; r.dispatchEvent(new Event("input", {bubbles: true})); }`)

	d.key("x", "c")
	tones(`"edge":true,"colour":true`)
	c := value(2000, 100)
	require.False(t, c[0] == c[1] && c[1] == c[2], "colours: %v", c)
	d.shown("viewer-colour-vi-day")

	d.key("+", "+")
	d.until(`document.querySelector("#scans .frame").dataset.scale === "2.25"`)
	d.run(`document.querySelector("#scans .frame").focus()`)
	before, err := chromedp.Run(d.browser, chromedp.Evaluate[string](`document.querySelector("#scans .stage").style.transform`))
	require.NoError(t, err)
	d.press("ArrowRight")
	d.until(`document.querySelector("#scans .stage").style.transform !== "` + before + `"`)
	d.key("0")
	d.until(`document.querySelector("#scans .frame").dataset.scale === "1.00"`)
	d.key("g")
	d.until(`document.querySelector("#scan-0").classList.contains("no-regions") && getComputedStyle(document.querySelector("#scans .marks")).display === "none"`)

	// A new version of the passage leaves the viewer as it was set.
	p.Version = 2
	site.Share(t, event.TypePassage, p.ID, string(p.ID), p)
	d.until(`document.querySelector("#headline").textContent.includes("bản 2")`)
	d.until(`document.querySelector("#scan-0").classList.contains("no-regions")`)
	tones(`"colour":true`)
}

// The map of what is suspect lies over the scan when an officer asks for it, and
// shows what is suspect where it is.
func TestTheHeatMapLiesOverItsScan(t *testing.T) {
	site := consoletest.NewSite(t, "15BB")
	serve(t, site)
	p := site.Lorry(1, time.Now().UTC(), true)
	cells := make([]byte, 40*15)
	cells[10*40+30] = 250
	p.Scans[0].Image = site.Keep(consoletest.BigScan(), "image/png", "scan")
	p.Scans[0].Heat = &event.Heat{Width: 40, Height: 15, Step: 100, Cells: cells}
	p.Findings[1].Region = &event.Region{Evidence: p.Scans[0].Image.SHA256, Box: []int{2900, 900, 300, 300}}
	site.Share(t, event.TypePassage, p.ID, string(p.ID), p)
	d := newDesk(t, site, event.Customs, browsertest.Look{Width: 1280, Height: 720})
	d.until(`document.querySelector("#p-` + string(p.ID) + `") !== null`)
	d.open("/passages/" + string(p.ID) + "/pictures/" + p.Scans[0].Image.SHA256)
	d.until(`document.querySelector("#scans .stage img")?.naturalWidth === 4000`)
	d.until(`document.querySelector("img.heat").hidden && !document.querySelector("img.heat").getAttribute("src")`)

	d.key("y")
	d.until(`document.querySelector("[data-act=heat]").getAttribute("aria-pressed") === "true" && document.querySelector("img.heat").checkVisibility() && document.querySelector("img.heat").naturalWidth > 0`)
	red := func(x, y float64) int {
		v, err := chromedp.Run(d.browser, chromedp.Evaluate[int](fmt.Sprintf(`(() => {
			const i = document.querySelector("img.heat"), c = document.createElement("canvas"), g = c.getContext("2d");
			[c.width, c.height] = [i.naturalWidth, i.naturalHeight];
			g.drawImage(i, 0, 0);
			const [r, , b] = g.getImageData(%f * c.width, %f * c.height, 1, 1).data;
			return r - b;
		})()`, x, y)))
		require.NoError(t, err)
		return v
	}
	require.Greater(t, red(30.5/40, 10.5/15), 60, "where it is suspect")
	require.Zero(t, red(5.5/40, 10.5/15), "where it is not")
	d.fits()
	d.shown("heat-vi-day")

	d.key("y")
	d.until(`document.querySelector("img.heat").hidden`)
}
