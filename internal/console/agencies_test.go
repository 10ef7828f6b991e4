package console_test

import (
	"context"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gatehouse/internal/console/browsertest"
	"gatehouse/internal/console/consoletest"
	"gatehouse/internal/console/private"
	"gatehouse/internal/console/web"
	"gatehouse/internal/event"
)

// evening is what happens at the gate while both agencies look on.
type evening struct {
	*pair
	routes         []web.Route
	rights         *http.ServeMux
	odd, traveller event.Passage
	n              int           // of the role that looks
	fresh          event.Passage // that alarmed while the role looked
	alerts         []event.Alert // of it
	sheets         map[string]*browsertest.Sheet

	mu   sync.Mutex
	sums map[event.Agency]string // of the newest file that was fetched
}

// page is a row of the table: a route, and what it has to show on both
// consoles.
type page struct {
	name, pattern string
	path          func(e *evening) string
	// shared selects what both agencies are shown alike; "" where all is the
	// agency's own.
	shared string
	// own tells what the agency's own people see here and the others do not.
	own func(s *side) string
	// change happens elsewhere while the page is open, and gives the condition
	// by which the page shows it. It is nil where nothing on the page is live.
	change func(e *evening) string
	// file says that it is no page; its content is the same on both unless it is
	// the agency's own.
	file bool
	// gone says that nothing is there, which only those who may see it are told;
	// what is in a file of an own trial, the tests of web tell.
	gone bool
}

func at(path string) func(*evening) string { return func(*evening) string { return path } }

// pages has a row for every route that is looked at.
func pages() []page {
	scan := func(e *evening) string { return e.odd.Scans[0].Image.SHA256 }
	name := func(s *side) string { return s.known[0] }
	note := func(s *side) string { return s.known[2] }
	return []page{
		{name: "login", pattern: "GET /login", path: at("/login")},
		{name: "setup", pattern: "GET /setup", path: at("/setup")},
		{name: "board", pattern: "GET /{$}", path: at("/"), shared: "#lane-grid, #passages, #queue", change: (*evening).alarmAndCut},
		{name: "alerts", pattern: "GET /alerts", path: at("/alerts"), shared: "#queue, #all-alerts td:nth-child(-n+4)", change: (*evening).taken},
		{
			name: "passage", pattern: "GET /passages/{id}", path: func(e *evening) string { return "/passages/" + string(e.fresh.ID) },
			shared: "#passage, #verdicts, #earlier", own: note, change: (*evening).decided,
		},
		{
			name: "picture", pattern: "GET /passages/{id}/pictures/{digest}", shared: "#headline, figcaption .title",
			path: func(e *evening) string { return "/passages/" + string(e.odd.ID) + "/pictures/" + scan(e) },
		},
		{name: "traveller", pattern: "GET /passages/{id}", path: func(e *evening) string { return "/passages/" + string(e.traveller.ID) }, shared: "#passage, #verdicts"},
		{name: "search", pattern: "GET /search", path: func(e *evening) string { return "/search?plate=" + e.odd.Plates[0].Text[3:] }, shared: ".hits tbody tr"},
		{name: "devices", pattern: "GET /devices", path: at("/devices"), shared: ".device-list", change: (*evening).pulled},
		{
			name: "device", pattern: "GET /devices/{gate}/{lane}/{device}", path: at("/devices/15BB/01/scale"),
			shared: ".figures .figure:nth-child(n+2), #device-page td:nth-child(-n+3)", change: (*evening).limited,
		},
		{name: "control", pattern: "GET /control/{gate}/{lane}/{device}/{verb}", path: at("/control/15BB/01/barrier/open"), shared: "main h1"},
		{name: "status", pattern: "GET /status", path: at("/status"), shared: "#status td:nth-child(-n+5)", change: (*evening).lost},
		{name: "audit", pattern: "GET /audit", path: at("/audit"), own: name},
		{name: "trials", pattern: "GET /trials", path: at("/trials")},
		{name: "users", pattern: "GET /users", path: at("/users"), own: name},
		{name: "account", pattern: "GET /account", path: at("/account"), own: name},
		{name: "nowhere", pattern: "GET /", path: at("/nowhere"), shared: "#main"},
		{pattern: "GET /evidence/{digest}", path: func(e *evening) string { return "/evidence/" + scan(e) }, shared: "bytes", file: true},
		{pattern: "GET /evidence/{digest}/{form}", path: func(e *evening) string { return "/evidence/" + scan(e) + "/original" }, shared: "bytes", file: true},
		{
			pattern: "GET /passages/{id}/scans/{digest}/report", file: true, shared: "bytes",
			path: func(e *evening) string { return "/passages/" + string(e.odd.ID) + "/scans/" + scan(e) + "/report" },
		},
		{pattern: "GET /trials/{id}/report", path: at("/trials/01KJPENQ4RH0GHD0N4AHZATRC0/report"), file: true, gone: true},
		{pattern: "GET /search/export", path: func(e *evening) string { return "/search/export?format=csv&plate=" + e.odd.Plates[0].Text[3:] }, shared: "bytes", file: true},
		{pattern: "GET /audit/export", path: at("/audit/export?format=csv"), own: name, file: true},
	}
}

// TestBothAgenciesSeeEachPageInEachRole opens every page for every role on both
// agencies' consoles at once: what a role may see opens on both and what it may
// not is refused on both; what is shared is the same and what is private stays;
// and what happens elsewhere shows on both without loading the page again.
func TestBothAgenciesSeeEachPageInEachRole(t *testing.T) {
	e := &evening{pair: newPair(t), sheets: map[string]*browsertest.Sheet{}}
	e.know(t)
	e.odd, e.traveller = whole(t, e.site)
	e.each("strangers", e.stranger)
	for n, role := range roles() {
		e.n = n
		e.rested()
		e.each(string(role)+" enters", func(s *side) { s.enter(role) })
		for _, row := range pages() {
			if right, _ := e.right(t, row.pattern); right != "" {
				e.walk(role, row)
			}
		}
		e.each(string(role)+" leaves", func(s *side) {
			s.visit("/account")
			s.do(chromedp.Click(chromedp.CSS(`form[action="/logout"] button`)), chromedp.WaitVisible(chromedp.CSS(`input[name=password]`)))
		})
	}
	for name, sheet := range e.sheets {
		sheet.Keep(t, "both-"+name+"-vi-day")
	}
	e.apart()
}

// roles are those that look on: all, or with BROWSER=short the one that may most
// and the one that may least.
func roles() []private.Role {
	all := private.Roles()
	if os.Getenv("BROWSER") == "short" {
		return []private.Role{private.Supervisor, private.Technician}
	}
	return all
}

// know takes the routes of both consoles and sees that each has its row.
func (e *evening) know(t *testing.T) {
	e.routes, e.rights = e.sides[0].console.Routes(), http.NewServeMux()
	require.Equal(t, e.routes, e.sides[1].console.Routes())
	rows := pages()
	for _, r := range e.routes {
		e.rights.HandleFunc(r.Pattern, func(http.ResponseWriter, *http.Request) {})
		if strings.HasPrefix(r.Pattern, http.MethodGet) {
			require.True(t, slices.ContainsFunc(rows, func(p page) bool { return p.pattern == r.Pattern }), "no row for %s", r.Pattern)
		}
	}
	for _, row := range rows {
		_, ok := e.right(t, row.pattern)
		require.True(t, ok, "no route for %s", row.pattern)
	}
}

func (e *evening) right(_ *testing.T, pattern string) (private.Right, bool) {
	i := slices.IndexFunc(e.routes, func(r web.Route) bool { return r.Pattern == pattern })
	if i < 0 {
		return "", false
	}
	return e.routes[i].Right, true
}

// stranger sees the log-in page and nothing else.
func (e *evening) stranger(s *side) {
	s.visit("/login")
	browsertest.Accessible(s.T, s.browser)
	e.picture(s, "login", "")
	require.Contains(s.T, s.text("main h1"), map[event.Agency]string{event.Customs: "Hải quan", event.BorderGuard: "Biên phòng"}[s.agency])
	for _, row := range pages() {
		if right, _ := e.right(s.T, row.pattern); right == "" {
			continue
		}
		got := s.fetch(row.path(e))
		require.True(s.T, got.Type == "opaqueredirect" || got.Status == http.StatusUnauthorized, "%s lets a stranger in: %+v", row.pattern, got)
	}
}

// enter follows an invitation, chooses a password and is in.
func (s *side) enter(role private.Role) {
	s.visit(s.links[role])
	browsertest.Accessible(s.T, s.browser)
	s.do(
		chromedp.SendKeys(chromedp.CSS(`input[name=password]`), browsertest.Password), chromedp.SendKeys(chromedp.CSS(`input[name=repeat]`), browsertest.Password),
		chromedp.Click(chromedp.CSS(`button.main`)), chromedp.WaitVisible(chromedp.CSS(`#passages`)))
}

// walk opens a row's page at both desks.
func (e *evening) walk(role private.Role, row page) {
	e.Helper()
	right, _ := e.right(e.T, row.pattern)
	name := string(role) + " " + row.pattern
	switch {
	case row.file:
		e.sums = map[event.Agency]string{}
		e.each(name, func(s *side) { s.gets(e, row, role.May(right)) })
		require.Equal(e, e.sums[event.Customs], e.sums[event.BorderGuard], "the shared file is the same")
	case !role.May(right):
		e.each(name+" is refused", func(s *side) { e.refused(s, row) })
	default:
		e.each(name, func(s *side) { e.opens(s, role, row) })
		if row.shared != "" {
			e.same(row.shared)
		}
		if row.change != nil {
			shows := row.change(e)
			e.each(name+" changes", func(s *side) {
				s.until(shows)
				s.until(`window.stayed === true`) // the same page as before
			})
			e.same(row.shared)
		}
		e.each(name+" pictured", func(s *side) { e.picture(s, row.name, role) })
	}
}

func (s *side) status() int {
	s.Helper()
	code, err := chromedp.Run(s.browser, chromedp.Evaluate[int](`performance.getEntriesByType("navigation")[0].responseStatus`))
	require.NoError(s.T, err)
	return code
}

func (e *evening) refused(s *side, row page) {
	s.visit(row.path(e))
	require.Equal(s.T, http.StatusForbidden, s.status())
	s.until(`document.body.textContent.includes("không được mở trang này")`)
	e.private(s, s.html())
}

func (e *evening) opens(s *side, role private.Role, row page) {
	s.visit(row.path(e))
	want := http.StatusOK
	if row.name == "nowhere" {
		want = http.StatusNotFound
	}
	require.Equal(s.T, want, s.status())
	s.until(`document.body.dataset.live === undefined || document.body.classList.contains("on-line")`)
	s.run(`window.stayed = true`)
	browsertest.Accessible(s.T, s.browser)
	body := s.html()
	e.private(s, body)
	if row.own != nil {
		require.Contains(s.T, body, row.own(s), "what is the agency's own is here")
	}
	e.offers(s, role)
}

func (s *side) html() string {
	s.Helper()
	body, err := chromedp.Run(s.browser, chromedp.Evaluate[string](`document.documentElement.outerHTML`))
	require.NoError(s.T, err)
	return body
}

// private sees that a text holds nothing of the other agency's own, and no
// document in full that nobody has asked for.
func (e *evening) private(s *side, text string) {
	s.Helper()
	for _, other := range e.sides {
		for _, secret := range other.known {
			require.True(s.T, other.agency == s.agency || !strings.Contains(text, secret), "the other agency's %q leaks", secret)
		}
	}
	for _, secret := range []string{"C1234567", "MINH ANH"} {
		require.NotContains(s.T, text, secret)
	}
}

// offers sees that a page has no link and no form that the role may not use.
func (e *evening) offers(s *side, role private.Role) {
	s.Helper()
	list, err := chromedp.Run(s.browser, chromedp.Evaluate[[][2]string](`[...document.querySelectorAll("a[href]:not(.skip), form:not([method=dialog])")].map(el => el.matches("a")
		? ["GET", el.pathname] : [(el.getAttribute("method") ?? "get").toUpperCase(), new URL(el.getAttribute("action"), location).pathname])`))
	require.NoError(s.T, err)
	require.NotEmpty(s.T, list)
	for _, x := range list {
		r, err := http.NewRequest(x[0], x[1], nil)
		require.NoError(s.T, err)
		_, pattern := e.rights.Handler(r)
		right, ok := e.right(s.T, pattern)
		require.True(s.T, ok && pattern != "GET /", "%v leads nowhere", x)
		require.True(s.T, right == "" || role.May(right), "%v is offered", x)
	}
}

// fetched is an answer as the page's own script gets it.
type fetched struct {
	Status          int
	Type, Sum, Text string
}

func (s *side) fetch(path string) fetched {
	s.Helper()
	got, err := chromedp.Run(s.browser, chromedp.Evaluate[fetched](`fetch("`+path+`", {redirect: "manual"}).then(async r => {
		const body = await r.arrayBuffer();
		const sum = [...new Uint8Array(await crypto.subtle.digest("SHA-256", body))].map(b => b.toString(16).padStart(2, "0")).join("");
		const type = r.headers.get("content-type") ?? "";
		return {Status: r.status, Type: r.type === "opaqueredirect" ? r.type : type, Sum: sum, Text: type.startsWith("text") ? new TextDecoder().decode(body) : ""};
	})`, chromedp.EvalAwaitPromise))
	require.NoError(s.T, err)
	return got
}

// gets asks for a file.
func (s *side) gets(e *evening, row page, may bool) {
	got := s.fetch(row.path(e))
	if !may {
		require.Equal(s.T, http.StatusForbidden, got.Status)
		return
	}
	if row.gone {
		require.Equal(s.T, http.StatusNotFound, got.Status)
		return
	}
	require.Equal(s.T, http.StatusOK, got.Status)
	e.private(s, got.Text)
	if row.own != nil {
		require.Contains(s.T, got.Text, row.own(s))
	}
	if row.shared != "" {
		e.mu.Lock()
		defer e.mu.Unlock()
		e.sums[s.agency] = got.Sum
	}
}

// picture keeps a picture of a page for the documentation: a row for each role,
// a column for each agency.
func (e *evening) picture(s *side, name string, role private.Role) {
	s.Helper()
	e.mu.Lock()
	sheet := e.sheets[name]
	if sheet == nil {
		sheet = &browsertest.Sheet{}
		e.sheets[name] = sheet
	}
	e.mu.Unlock()
	sheet.Put(s.T, s.browser, slices.Index(private.Roles(), role), slices.Index(event.Agencies(), s.agency))
}

// tell shares a device's new state.
func (e *evening) tell(lane, device string, state event.DeviceState, why event.Text) {
	e.Helper()
	for _, i := range consoletest.Instruments() {
		if i.Lane == lane && i.Name == device {
			c := e.site.Change(i, state, time.Now(), "")
			c.Words = why
			e.site.Share(e.T, event.TypeDevice, c.ID, i.Name, c)
		}
	}
}

// rested puts every device up again, and tells that all are heard of.
func (e *evening) rested() {
	e.Helper()
	for _, i := range consoletest.Instruments() {
		e.tell(i.Lane, i.Name, event.Up, event.Text{})
		f := e.site.Log(i, time.Now())
		e.site.Share(e.T, event.TypeFrameLog, f.ID, i.Name, f)
	}
}

func lost() event.Text {
	return event.Text{VI: "mất tín hiệu lúc nửa đêm", EN: "no signal since midnight"}
}

// alarmAndCut lets a lorry alarm and a device of its lane go down.
func (e *evening) alarmAndCut() string {
	// Its last alert is sent 22 s after it came in: before it is decided.
	e.fresh, e.alerts = alarm(e.T, e.site, 20+e.n, time.Now().UTC().Add(-24*time.Second))
	for _, s := range e.sides {
		require.Eventually(e, func() bool {
			_, err := s.console.Store().Passage(context.Background(), e.fresh.ID)
			for _, a := range e.alerts { // a verdict is on those that were there
				if err == nil {
					_, err = s.console.Store().Alert(context.Background(), a.ID)
				}
			}
			return err == nil
		}, time.Minute, 20*time.Millisecond)
		s.hand.notes(e.fresh.ID, s.known[2])
	}
	e.tell("01", "camera2", event.Down, lost())
	return `document.querySelector("#p-` + string(e.fresh.ID) + ` .chip.sev-Severe") !== null
		&& document.querySelector("#a-` + string(e.alerts[0].ID) + `") !== null
		&& document.querySelector("#device-15BB-01-camera2.is-down .why")?.textContent === "` + lost().VI + `"`
}

// taken lets each agency acknowledge an alert; both see both.
func (e *evening) taken() string {
	e.sides[0].hand.takes(e.alerts[0])
	e.sides[1].hand.takes(e.alerts[1])
	return `document.querySelector("#a-` + string(e.alerts[0].ID) + ` .acked-by.customs:not(.pending)") !== null
		&& document.querySelector("#a-` + string(e.alerts[1].ID) + ` .acked-by.borderguard:not(.pending)") !== null`
}

// decided lets the agencies decide differently.
func (e *evening) decided() string {
	e.sides[0].hand.decides(e.sides[0], e.fresh.ID, event.Hold, "Đo lại bằng máy cầm tay")
	e.sides[1].hand.decides(e.sides[1], e.fresh.ID, event.Release, "")
	return `document.querySelector("#verdicts .customs .decision:not(.pending)")?.textContent === "Tạm giữ"
		&& document.querySelector("#verdicts .borderguard .decision:not(.pending)")?.textContent === "Cho qua" && document.querySelector(".disagreement") !== null`
}

func (e *evening) pulled() string {
	e.tell("02", "xray", event.Down, lost())
	return `document.querySelector("#row-15BB-02-xray.is-down .why")?.textContent.includes("` + lost().VI + `")`
}

func (e *evening) limited() string {
	e.tell("01", "scale", event.Degraded, event.Text{VI: "cân hết hạn kiểm định", EN: "past its verification"})
	return `document.querySelector(".headline.is-degraded") !== null && document.querySelector("#device-page").textContent.includes("cân hết hạn kiểm định")`
}

func (e *evening) lost() string {
	now := time.Now().UTC()
	g := event.Gap{
		ID: event.NewID(now), Where: event.Where{Gate: e.site.Gate, Lane: "01", Device: "rpm"}, From: now.Add(-3 * time.Second), To: now, Frames: 7001 + e.n, Reason: "overflow",
	}
	e.site.Share(e.T, event.TypeGap, g.ID, "rpm", g)
	return `document.querySelector("#status").textContent.includes("` + itoa(g.Frames) + `")`
}

// apart sees that nothing private has left its agency, and that both stores
// hold the same.
func (e *evening) apart() {
	for _, said := range e.site.Said() {
		for _, s := range e.sides {
			for _, secret := range s.known {
				require.NotContains(e, string(said.Data), secret, "%s has left the agency in a %s", secret, said.Type)
			}
		}
	}
	require.EventuallyWithT(e, func(c *assert.CollectT) {
		a, err := e.sides[0].console.Store().Digests(context.Background())
		require.NoError(c, err)
		b, err := e.sides[1].console.Store().Digests(context.Background())
		require.NoError(c, err)
		require.Equal(c, a, b)
	}, 30*time.Second, 200*time.Millisecond)
}
