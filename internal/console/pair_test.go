package console_test

import (
	"context"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"gatehouse/internal/console"
	"gatehouse/internal/console/browsertest"
	"gatehouse/internal/console/consoletest"
	"gatehouse/internal/console/private"
	"gatehouse/internal/event"
)

// pair is both agencies' consoles at one gate, open at the same time: each with
// a browser of its own before it, and an officer at another desk.
type pair struct {
	*testing.T
	site  *consoletest.Site
	sides [2]*side
}

// side is one agency's half of a pair.
type side struct {
	*desk
	agency event.Agency
	hand   *hand
	links  map[private.Role]string
	known  []string // what nobody of the other agency may learn
}

func newPair(t *testing.T) *pair {
	t.Helper()
	p := &pair{T: t, site: consoletest.NewSite(t, "15BB")}
	serve(t, p.site)
	people := map[event.Agency]struct{ family, login, note string }{
		event.Customs:     {"Hoàng Thị Quan", "hq", "sổ tay kho số bảy"},
		event.BorderGuard: {"Bế Văn Biên", "bp", "trạm gác suối tư"},
	}
	for i, agency := range event.Agencies() {
		x, _ := browsertest.Start(t, browsertest.Config(t, p.site, agency))
		who := people[agency]
		s := &side{
			desk:   &desk{T: t, site: p.site, console: x, browser: browsertest.Browser(t, browsertest.Look{Width: 1280, Height: 720, Limit: 14 * time.Minute})},
			agency: agency, links: map[private.Role]string{}, known: []string{who.family, who.login + ".", who.note},
		}
		s.hand = newHand(t, x, who.login+".chief", who.family+" Trưởng")
		for _, role := range private.Roles() {
			s.links[role] = s.hand.invite(who.login+"."+string(role), who.family+" "+string(role), role)
		}
		p.sides[i] = s
	}
	return p
}

// each does something at both desks at the same time.
func (p *pair) each(name string, do func(s *side)) {
	p.Helper()
	ok := p.Run(name, func(t *testing.T) {
		for _, s := range p.sides {
			t.Run(s.agency.Account(), func(t *testing.T) {
				t.Parallel()
				here := *s
				d := *s.desk
				d.T, here.desk = t, &d
				do(&here)
			})
		}
	})
	require.True(p, ok)
}

// text gives what a page says within a selector, without what goes on counting
// and without what each agency calls its own people.
func (s *side) text(selector string) string {
	s.Helper()
	text, err := chromedp.Run(s.browser, chromedp.Evaluate[string](`[...document.querySelectorAll("`+selector+`")].map(el => {
		const copy = el.cloneNode(true);
		copy.querySelectorAll("[data-age], form, .acked-by strong, .gate-name").forEach(x => x.remove());
		return copy.textContent.replace(/\s+/g, " ").trim();
	}).join("\n")`))
	require.NoError(s.T, err)
	return text
}

// same waits until both consoles say the same within a selector.
func (p *pair) same(selector string) {
	p.Helper()
	var a, b string
	equal := func() bool {
		a, b = p.sides[0].text(selector), p.sides[1].text(selector)
		return a == b && a != ""
	}
	for deadline := time.Now().Add(30 * time.Second); !equal() && time.Now().Before(deadline); {
		time.Sleep(100 * time.Millisecond) // a page is rendered anew when it is
	}
	require.Equal(p, a, b, selector)
	require.NotEmpty(p, a, "both are empty within %s", selector)
}

// hand is an officer of an agency at another desk.
type hand struct {
	*testing.T
	url    string
	client *http.Client
}

// newHand makes the console's first account.
func newHand(t *testing.T, x *console.Console, login, name string) *hand {
	t.Helper()
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	h := &hand{T: t, url: x.URL(), client: &http.Client{Jar: jar}}
	t.Cleanup(h.client.CloseIdleConnections)
	link, err := x.SetupLink(context.Background())
	require.NoError(t, err)
	_, token, ok := strings.Cut(link, "?token=")
	require.True(t, ok)
	h.post("/setup", url.Values{"token": {token}, "login": {login}, "name": {name}, "password": {browsertest.Password}, "repeat": {browsertest.Password}})
	return h
}

func (h *hand) post(path string, form url.Values) string {
	h.Helper()
	res, err := h.client.PostForm(h.url+path, form)
	require.NoError(h.T, err)
	body, err := io.ReadAll(res.Body)
	require.NoError(h.T, err)
	require.NoError(h.T, res.Body.Close())
	require.Equal(h.T, http.StatusOK, res.StatusCode, "%s: %s", path, body)
	return string(body)
}

// invite makes an account and gives the link by which its user sets it up.
func (h *hand) invite(login, name string, role private.Role) string {
	h.Helper()
	body := h.post("/users", url.Values{"login": {login}, "name": {name}, "role": {string(role)}})
	_, rest, ok := strings.Cut(body, "/setup?token=")
	require.True(h.T, ok)
	token, _, _ := strings.Cut(rest, `"`)
	return "/setup?token=" + token
}

// takes acknowledges an alert.
func (h *hand) takes(a event.Alert) {
	h.Helper()
	h.post("/alerts/"+string(a.ID)+"/ack", nil)
}

// decides gives a verdict on the first version of a passage.
func (h *hand) decides(s *side, id event.ID, code event.VerdictCode, reason string) {
	h.Helper()
	p, err := s.console.Store().Passage(context.Background(), id)
	require.NoError(h.T, err)
	h.post("/passages/"+string(id)+"/verdict", url.Values{
		"code": {string(code)}, "reason": {reason}, "version": {itoa(p.Version)}, "sequence": {itoa(int(p.Sequence))},
	})
}

func (h *hand) notes(id event.ID, text string) {
	h.Helper()
	h.post("/passages/"+string(id)+"/notes", url.Values{"text": {text}})
}
