package console_test

import (
	"encoding/json"
	"strconv"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"gatehouse/internal/console/browsertest"
	"gatehouse/internal/console/consoletest"
	"gatehouse/internal/event"
)

func itoa(n int) string { return strconv.Itoa(n) }

// said waits for a correction of a kind and gives it.
func (d *desk) said(kind event.CorrectionKind) event.Correction {
	d.Helper()
	var found event.Correction
	require.Eventually(d.T, func() bool {
		for _, e := range d.site.Said() {
			var c event.Correction
			if e.Type == event.TypeCorrection && json.Unmarshal(e.Data, &c) == nil && c.Kind == kind {
				found = c
				return true
			}
		}
		return false
	}, time.Minute, 20*time.Millisecond)
	return found
}

// apply is what a gate does with a correction: a new version that contains it.
func apply(t *testing.T, site *consoletest.Site, p event.Passage, c event.Correction) event.Passage {
	t.Helper()
	p.Version++
	p.Corrections = append(p.Corrections, event.Correcting{ID: c.ID, Agency: c.Agency, Kind: c.Kind, Facts: c.Facts, Reason: c.Reason, Badge: c.Badge, At: c.At})
	site.Share(t, event.TypePassage, p.ID, string(p.ID), p)
	return p
}

func TestAnOfficerCorrectsAPassage(t *testing.T) {
	site := consoletest.NewSite(t, "15BB")
	serve(t, site)
	d := newDesk(t, site, event.Customs, browsertest.Look{Width: 1280, Height: 720, Limit: 5 * time.Minute})
	for _, i := range consoletest.Instruments() {
		c := site.Change(i, event.Up, time.Now(), "")
		site.Share(t, event.TypeDevice, c.ID, i.Name, c)
	}
	now := time.Now().UTC()
	near := site.Lorry(2, now.Add(-4*time.Minute), false)
	site.Share(t, event.TypePassage, near.ID, string(near.ID), near)
	p := site.Lorry(1, now.Add(-2*time.Minute), false)
	site.Share(t, event.TypePassage, p.ID, string(p.ID), p)
	d.until(`document.querySelector("#p-` + string(p.ID) + `") !== null && document.querySelectorAll(".lane-card").length === 2`)
	d.open("/passages/" + string(p.ID))

	fill := func(form, field, text string) {
		d.Helper()
		d.run(`{ const f = document.querySelector('` + form + ` [name=` + field + `]'); f.value = ` + strconv.Quote(text) + `; }`)
	}
	send := func(form string) { d.Helper(); d.run(`document.querySelector('` + form + ` button.main').click()`) }
	const facts = `#correct form:has([name=kind][value=facts])`
	d.key("o")
	d.until(`document.querySelector("#correct").open`)
	d.shown("correct-vi-day")
	fill(facts, "container", "CSQU30")
	fill(facts, "reason", "Biển bị bùn che")
	send(facts)
	d.until(`document.querySelector("#correct").open && document.querySelector("#correct .error")?.textContent.includes("container")`)
	fill(facts, "container", "csqu 305438-3")
	fill(facts, "plate", "29h-861.20")
	send(facts)
	d.until(`document.querySelector("#corrected li.is-waiting, #corrected li.is-sending") !== null && document.body.classList.contains("on-line")`)
	c := d.said(event.CorrectFacts)
	require.Equal(t, event.Facts{Plate: "29H86120", Container: "CSQU3054383"}, c.Facts)
	require.Equal(t, 1, c.Saw.Version)
	require.Regexp(t, `^HQ-\d{4}$`, c.Badge)
	d.until(`document.querySelector("#corrected li.is-waiting")?.textContent.includes("chờ cửa khẩu")`)
	d.shown("correct-waiting-vi-day")
	p.Stated = c.Facts
	p = apply(t, site, p, c)
	d.until(`document.querySelector("#corrected li.is-applied") !== null && document.querySelector("#headline h1").textContent.includes("29H86120")`)

	d.until(`document.querySelector("#correct").open === false && document.readyState === "complete"`)
	const split = `#correct form:has([name=kind][value=split])`
	fill(split, "reason", "Hai xe liền nhau")
	send(split)
	cut := d.said(event.CorrectSplit)
	require.NotNil(t, cut.Moment)
	require.True(t, cut.Moment.After(p.OpenedAt.Add(-time.Minute)))
	d.until(`document.querySelectorAll("#corrected li").length === 2 && document.body.classList.contains("on-line")`)
	const merge = `#correct form:has([name=kind][value=merge])`
	fill(merge, "reason", "Đầu kéo và rơ-moóc")
	send(merge)
	require.Equal(t, near.ID, d.said(event.CorrectMerge).Other)
	d.until(`document.querySelectorAll("#corrected li").length === 3 && document.body.classList.contains("on-line")`)
	const cancel = `#correct form:has([name=kind][value=cancel])`
	fill(cancel, "reason", "Người đi bộ qua làn")
	send(cancel)
	d.said(event.CorrectCancel)
	d.until(`document.querySelectorAll("#corrected li").length === 4 && document.body.classList.contains("on-line")`)

	d.open("/")
	d.until(`document.querySelectorAll("#corrections .correcting").length === 3`)
	d.key("e")
	d.until(`document.querySelector("#enter").open`)
	d.shown("enter-vi-day")
	fill("#enter", "plate", "51D-660.12")
	fill("#enter", "reason", "Mất điện, ghi tay")
	send("#enter")
	entered := d.said(event.CorrectEnter)
	require.Equal(t, "51D66012", entered.Facts.Plate)
	require.Equal(t, event.Vehicle, entered.Facts.Kind)
	require.NotNil(t, entered.Moment)
	require.Equal(t, "01", entered.Lane)
	d.until(`[...document.querySelectorAll("#corrections .correcting")].some(c => c.textContent.includes("Mất điện"))`)
	byHand := event.Passage{
		ID: entered.Passage, Where: event.Where{Gate: "15BB", Lane: "01"}, Kind: event.Vehicle, Direction: event.Entry, Flow: event.Goods,
		State: event.Closed, OpenedAt: *entered.Moment, Irregular: []string{"by-hand"}, Stated: entered.Facts,
	}
	apply(t, site, byHand, entered)
	d.until(`document.querySelector("#p-` + string(entered.Passage) + ` .plate a")?.textContent.includes("51D66012")`)
	d.until(`![...document.querySelectorAll("#corrections .correcting")].some(c => c.textContent.includes("Mất điện"))`)

	// A lane without devices is in no list; its name is typed.
	d.key("e")
	d.until(`document.querySelector("#enter").open`)
	fill("#enter", "other_lane", "07")
	fill("#enter", "plate", "29H-861.20")
	fill("#enter", "reason", "Làn phụ không thiết bị")
	send("#enter")
	d.until(`[...document.querySelectorAll("#corrections .correcting")].some(c => c.textContent.includes("Làn 07") && c.textContent.includes("Làn phụ"))`)
}

func TestEveryKindOfPassageReadsWell(t *testing.T) {
	site := consoletest.NewSite(t, "15BB")
	serve(t, site)
	d := newDesk(t, site, event.BorderGuard, browsertest.Look{Width: 1280, Height: 720})
	now := time.Now().UTC()
	kinds := map[string]event.Passage{
		"consignment": site.Consignment(1, now.Add(-4*time.Minute)), "wagon": site.Wagon(2, now.Add(-3*time.Minute)), "person": site.Traveller(0, now.Add(-time.Minute), false),
	}
	for _, p := range kinds {
		site.Share(t, event.TypePassage, p.ID, string(p.ID), p)
	}
	d.until(`document.querySelectorAll("#passages tr[id^=p-]").length === 3`)
	for name, says := range map[string]string{"consignment": "307123456789", "wagon": "31 54 1234 567-8", "person": "C1••••67"} {
		p := kinds[name]
		d.open("/passages/" + string(p.ID))
		d.until(`document.querySelector("#headline h1").textContent.includes("` + says + `") && document.querySelector("#headline .kind.` + name + `") !== null`)
		d.fits()
		d.shown(name + "-vi-day")
	}

	// Documents are masked until an officer asks, which is written down.
	person := kinds["person"]
	d.open("/passages/" + string(person.ID))
	body, err := chromedp.Run(d.browser, chromedp.Evaluate[string](`document.documentElement.outerHTML`))
	require.NoError(t, err)
	require.NotContains(t, body, "C1234567")
	require.NotContains(t, body, "MINH ANH")
	d.key("f")
	d.until(`document.querySelector("#documents").textContent.includes("C1234567") && document.querySelector("#documents").textContent.includes("MINH ANH")`)
}

func TestADozenLanesAreSeenAtOnce(t *testing.T) {
	site := consoletest.NewSite(t, "15BB")
	d := newDesk(t, site, event.Customs, browsertest.Look{Width: 1280, Height: 720})
	for lane := range 12 {
		name := []string{"01", "02", "03", "04", "05", "06", "07", "08", "09", "10", "11", "12"}[lane]
		for _, i := range consoletest.Instruments()[:7] {
			i.Lane = name
			state := event.Up
			if lane == 4 && i.Name == "xray" {
				state = event.Faulty
			}
			c := site.Change(i, state, time.Now().Add(-time.Hour), "")
			if c.Barrier != nil && lane%3 == 1 {
				c.Barrier = &event.Barrier{Arm: "up", Lights: []string{"green"}, Watchdog: "none"}
			}
			site.Share(t, event.TypeDevice, c.ID, i.Name, c)
		}
		p := site.Lorry(lane, time.Now().UTC().Add(-time.Duration(lane*7)*time.Second), lane == 7)
		p.Lane = name
		if lane%2 == 0 {
			p.State, p.LeftAt, p.ClosedAt = event.Open, nil, nil
		}
		site.Share(t, event.TypePassage, p.ID, string(p.ID), p)
	}
	d.until(`document.querySelectorAll(".lane-card").length === 12 && document.querySelectorAll(".lane-line .plate-text").length === 12`)
	d.until(`document.querySelectorAll("#devices .device").length === 84`)
	over, err := chromedp.Run(d.browser, chromedp.Evaluate[float64](`document.querySelector("#lane-grid").getBoundingClientRect().bottom - innerHeight`))
	require.NoError(t, err)
	require.LessOrEqual(t, over, 0.0, "all lanes without scrolling")
	wide, err := chromedp.Run(d.browser, chromedp.Evaluate[int](`[...document.querySelectorAll(".lane-card")].filter(c => c.scrollWidth > c.clientWidth + 1).length`))
	require.NoError(t, err)
	require.Zero(t, wide, "no card is wider than its place")
	d.shown("lanes-12-vi-day")
}
