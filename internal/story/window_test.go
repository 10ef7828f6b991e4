//go:build story

package story_test

import (
	"bytes"
	"context"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"gatehouse/internal/console/browsertest"
	"gatehouse/internal/event"
)

// window is an officer's screen: a real browser at an agency's console.
type window struct {
	t      *testing.T
	agency event.Agency
	url    string
	ctx    context.Context
	shots  string
}

func (g *gate) window(a event.Agency, dark bool) *window {
	g.t.Helper()
	return &window{
		t: g.t, agency: a, url: g.stage.URL(a), shots: filepath.Join(g.root, "build", "story"),
		ctx: browsertest.Browser(g.t, browsertest.Look{Width: 1280, Height: 720, Dark: dark, Limit: hardLimit}),
	}
}

func (w *window) do(actions ...chromedp.Action[chromedp.Void]) {
	w.t.Helper()
	browsertest.Do(w.t, w.ctx, actions...)
}

// until waits until a JavaScript condition holds in the page.
func (w *window) until(condition string) {
	w.t.Helper()
	browsertest.Until(w.t, w.ctx, condition)
}

// open goes to a page and waits until it is live.
func (w *window) open(path, there string) {
	w.t.Helper()
	w.do(chromedp.Navigate(w.url+path), chromedp.WaitVisible(chromedp.CSS(there)))
	w.until(`document.body.classList.contains("on-line")`)
}

// mark lets the page remember that it is this page and no other: what is
// loaded anew has no mark.
func (w *window) mark() {
	w.t.Helper()
	_, err := chromedp.Run(w.ctx, chromedp.Evaluate[bool](`window.untouched = true`))
	require.NoError(w.t, err)
}

// untouched checks that the page was not loaded anew since mark.
func (w *window) untouched() {
	w.t.Helper()
	same, err := chromedp.Run(w.ctx, chromedp.Evaluate[bool](`window.untouched === true`))
	require.NoError(w.t, err)
	require.True(w.t, same, "the page of %s was loaded anew", w.agency)
}

// see reads what the page shows.
func see[T any](w *window, expression string) T {
	w.t.Helper()
	deadline := time.Now().Add(patience)
	for {
		// While a page is being replaced an evaluation fails, and is tried again.
		v, err := chromedp.Run(w.ctx, chromedp.Evaluate[T](expression))
		if err == nil {
			return v
		}
		require.True(w.t, w.ctx.Err() == nil && time.Now().Before(deadline), "read the page of %s: %v", w.agency, err)
		select {
		case <-w.ctx.Done():
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// loaded waits until all pictures of the page are there.
func (w *window) loaded() {
	w.t.Helper()
	w.until(`[...document.images].every(i => i.loading === "lazy" && !i.complete || i.complete && i.naturalWidth > 0)`)
}

// shot keeps a screenshot in build/story when all pictures are there.
func (w *window) shot(name string) image.Image {
	w.t.Helper()
	w.loaded()
	return w.keep(name)
}

// keep keeps a screenshot of the page as it is.
func (w *window) keep(name string) image.Image {
	w.t.Helper()
	data, err := chromedp.Run(w.ctx, chromedp.CaptureScreenshot())
	require.NoError(w.t, err)
	require.NoError(w.t, os.MkdirAll(w.shots, 0o755))
	require.NoError(w.t, os.WriteFile(filepath.Join(w.shots, name+"-"+w.agency.Account()+".png"), data, 0o644))
	picture, err := png.Decode(bytes.NewReader(data))
	require.NoError(w.t, err)
	return picture
}

// fits checks that no column of the board is hidden beside its card.
func (w *window) fits() {
	w.t.Helper()
	over := see[float64](w, `(() => {
		const table = document.querySelector("table.passages");
		return table.getBoundingClientRect().right - table.parentElement.getBoundingClientRect().right;
	})()`)
	require.LessOrEqual(w.t, over, 0.0, "the board of %s is wider than its card", w.agency)
}

// row is a passage on the board.
type row struct {
	ID       event.ID `json:"id"`
	Plate    string   `json:"plate"`
	Photo    string   `json:"photo"` // digest
	State    string   `json:"state"`
	Alerts   []string `json:"alerts"`
	Looked   []string `json:"looked"` // what is said of each device
	Disagree bool     `json:"disagree"`
}

// board reads the passages that the board shows, newest first.
func (w *window) board() []row {
	w.t.Helper()
	return see[[]row](w, `[...document.querySelectorAll("#passages tr[id^='p-']")].map(r => ({
		id: r.id.slice(2),
		plate: r.querySelector(".plate a").textContent.trim(),
		photo: r.querySelector(".thumb img")?.getAttribute("src").split("/")[2] ?? "",
		state: [...r.classList].find(c => c.startsWith("is-")) ?? "",
		alerts: [...r.querySelectorAll(".alerts .chip")].map(c => c.textContent),
		looked: [...r.querySelectorAll(".dot")].map(d => d.ariaLabel),
		disagree: r.querySelector(".verdicts.disagree") !== null,
	}))`)
}

// page is what a passage's page shows.
type page struct {
	Plate  string   `json:"plate"`
	Votes  string   `json:"votes"` // how many pictures of the front's burst agree
	Photos []figure `json:"photos"`
	Scans  []figure `json:"scans"`
	// Profile is how many points the radiation profile has.
	Profile   int        `json:"profile"`
	Alarm     bool       `json:"alarm"` // the profile is marked as an alarm
	Radiation string     `json:"radiation"`
	Weight    string     `json:"weight"` // settled, digits alone
	Coverage  []looked   `json:"coverage"`
	Findings  []string   `json:"findings"`
	Severe    int        `json:"severe"`   // findings that are severe or extreme
	Versions  [][]string `json:"versions"` // version, state, chain, sequence, head
	Readings  int        `json:"readings"`
	Decisions []string   `json:"decisions"` // Customs', then the Border Guard's
	Disagree  bool       `json:"disagree"`
}

// figure is an image with its marks.
type figure struct {
	Digest string       `json:"digest"`
	W      float64      `json:"w"` // of the image, in its own pixels
	H      float64      `json:"h"`
	Marks  [][4]float64 `json:"marks"` // x, y, w, h
	Labels []string     `json:"labels"`
}

// looked is what the page says of a device while the passage lasted.
type looked struct {
	Device string `json:"device"`
	Text   string `json:"text"`
	Blind  bool   `json:"blind"`
}

// passage reads the passage's page that is open.
func (w *window) passage() page {
	w.t.Helper()
	return see[page](w, `(() => {
		const all = (q, from = document) => [...from.querySelectorAll(q)];
		const text = (q) => document.querySelector(q)?.textContent.trim() ?? "";
		const figure = (f) => ({
			digest: f.querySelector(".stage img")?.getAttribute("src").split("/")[2] ?? "",
			w: f.querySelector("svg.marks")?.viewBox.baseVal.width ?? 0,
			h: f.querySelector("svg.marks")?.viewBox.baseVal.height ?? 0,
			marks: all("svg.marks rect", f).map(r => ["x", "y", "width", "height"].map(a => Number(r.getAttribute(a)))),
			labels: all("svg.marks text", f).map(t => t.textContent),
		});
		return {
			plate: text("#headline h1"),
			votes: text("#plates .votes"),
			photos: all("#photos figure.viewer").map(figure),
			scans: all("#scans figure.viewer").map(figure),
			profile: document.querySelector("#radiation polyline.line")?.points.length ?? 0,
			alarm: document.querySelector("#radiation.alarm") !== null,
			radiation: text("#radiation figcaption"),
			weight: text("#weight figcaption strong").replace(/\D/g, ""),
			coverage: all("#coverage li").map(l => ({
				device: l.querySelector("b").textContent, text: l.lastElementChild.textContent, blind: l.classList.contains("blind"),
			})),
			findings: all("#findings li b").map(b => b.textContent),
			severe: all("#findings li.sev-Severe, #findings li.sev-Extreme").length,
			versions: all("#provenance-body table:first-of-type tbody tr").map(r => all("td", r).slice(0, 5).map(d => d.title || d.textContent.trim())),
			readings: all("#provenance-body table:last-of-type tbody tr").length,
			decisions: [".customs", ".borderguard"].map(a => text("#verdicts .side" + a + " .decision")),
			disagree: document.querySelector("#verdicts .disagreement") !== null,
		};
	})()`)
}

// decide gives a verdict on the open passage: its key, then the reason.
func (w *window) decide(key, reason string) {
	w.t.Helper()
	browsertest.Keys(w.t, w.ctx, key)
	w.do(chromedp.SendKeys(chromedp.CSS(`textarea[name=reason]`), reason),
		chromedp.Click(chromedp.CSS(`form#verdict button.main`)))
	w.until(`document.querySelector("#verdicts .side.` + w.agency.Account() + ` .reason")?.textContent === ` + quoted(reason))
}
