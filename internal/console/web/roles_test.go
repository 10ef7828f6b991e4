package web_test

import (
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"gatehouse/internal/console/private"
	"gatehouse/internal/event"
)

// as gives a user of a role a browser of its own, logged in by a set-up link.
func (s *site) as(t *testing.T, role private.Role) *site {
	t.Helper()
	_, token, err := s.private.Invite(t.Context(), "user."+string(role), "Người "+string(role), role)
	require.NoError(t, err)
	return s.follow(t, token)
}

// follow chooses a password by a set-up link in a browser of its own.
func (s *site) follow(t *testing.T, token string) *site {
	t.Helper()
	other := s.stranger(t)
	status, _, body := other.post(t, "/setup", url.Values{"token": {token}, "password": {password}, "repeat": {password}})
	require.Equal(t, http.StatusSeeOther, status, body)
	return other
}

// stranger is the same console in the browser of somebody who is not logged in.
func (s *site) stranger(t *testing.T) *site {
	t.Helper()
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	other := *s
	other.browser = &http.Client{Jar: jar, CheckRedirect: s.browser.CheckRedirect}
	t.Cleanup(other.browser.CloseIdleConnections)
	return &other
}

func TestEveryRouteAsksForItsRight(t *testing.T) {
	s := newSite(t)
	s.setUp(t)
	p := passage()
	s.share(t, event.TypePassage, p.ID, p)
	victim, _, err := s.private.Invite(t.Context(), "victim", "Victim", private.Officer)
	require.NoError(t, err)
	fill := strings.NewReplacer("{$}", "", "{digest}", event.Digest([]byte("x")), "{form}", "thumb")
	path := func(pattern string) (method, path string) {
		method, path, _ = strings.Cut(fill.Replace(pattern), " ")
		id := string(p.ID)
		if strings.HasPrefix(path, "/users/") {
			id = strconv.FormatInt(victim.ID, 10)
		}
		return method, strings.ReplaceAll(path, "{id}", id)
	}
	routes := s.pages.Routes()
	require.Greater(t, len(routes), 20)
	nobody := s.stranger(t)
	for _, r := range routes {
		method, path := path(r.Pattern)
		require.True(t, r.Right == "" || private.Supervisor.May(r.Right), "%s asks for a right that nobody has", r.Pattern)
		status, h, _ := nobody.ask(t, method, path)
		if r.Right == "" {
			require.NotEqual(t, "/login", h.Get("Location"), r.Pattern)
			continue
		}
		require.True(t, status == http.StatusUnauthorized || h.Get("Location") == "/login", "%s lets a stranger in: %d", r.Pattern, status)
	}
	for _, role := range private.Roles() {
		user := s.as(t, role)
		for _, r := range routes {
			method, path := path(r.Pattern)
			if r.Pattern == "POST /logout" || r.Right == "" {
				continue
			}
			status, h, body := user.ask(t, method, path)
			require.NotEqual(t, http.StatusUnauthorized, status, r.Pattern)
			require.NotEqual(t, "/login", h.Get("Location"), r.Pattern)
			if role.May(r.Right) {
				require.NotEqual(t, http.StatusForbidden, status, "%s %s", role, r.Pattern)
				require.Less(t, status, 500, "%s %s", role, r.Pattern)
				continue
			}
			require.Equal(t, http.StatusForbidden, status, "%s %s", role, r.Pattern)
			require.NotContains(t, body, "12C", r.Pattern)
		}
		status, h, _ := user.ask(t, http.MethodPost, "/logout")
		require.Equal(t, http.StatusSeeOther, status)
		require.Equal(t, "/login", h.Get("Location"))
	}
	denied, err := s.private.Lines(t.Context(), private.AuditFilter{Action: private.ActDenied, Limit: 100})
	require.NoError(t, err)
	require.NotEmpty(t, denied, "attempts are recorded")
}

func (s *site) ask(t *testing.T, method, path string) (int, http.Header, string) {
	t.Helper()
	if method == http.MethodPost {
		return s.post(t, path, nil)
	}
	return s.get(t, path)
}

func TestASupervisorKeepsAccounts(t *testing.T) {
	s := newSite(t)
	s.setUp(t)
	status, _, body := s.post(t, "/users", url.Values{"login": {"binh"}, "name": {"Trần Thị Bình"}, "role": {"officer"}})
	require.Equal(t, http.StatusOK, status)
	_, rest, ok := strings.Cut(body, "/setup?token=")
	require.True(t, ok, "the link is shown")
	token, _, _ := strings.Cut(rest, `"`)
	_, _, again := s.get(t, "/users")
	require.NotContains(t, again, token, "and only once")
	status, _, _ = s.post(t, "/users", url.Values{"login": {"binh"}, "name": {"Khác"}, "role": {"officer"}})
	require.Equal(t, http.StatusUnprocessableEntity, status)

	status, _, page := s.stranger(t).get(t, "/setup?token="+token)
	require.Equal(t, http.StatusOK, status)
	require.Contains(t, page, "Trần Thị Bình")
	binh := s.follow(t, token)
	status, _, _ = binh.get(t, "/")
	require.Equal(t, http.StatusOK, status)
	status, _, _ = s.stranger(t).get(t, "/setup?token="+token)
	require.Equal(t, http.StatusForbidden, status, "a link works once")
	u, err := s.private.UserByLogin(t.Context(), "binh")
	require.NoError(t, err)
	at := "/users/" + strconv.FormatInt(u.ID, 10)

	// What ends a session ends it at once, the event stream too.
	login := func() (int, string) {
		t.Helper()
		status, _, body := binh.post(t, "/login", url.Values{"login": {"binh"}, "password": {password}})
		return status, body
	}
	ends := func(act string, form url.Values) string {
		t.Helper()
		live := binh.stream(t, "")
		live.next(t)
		status, _, body := s.post(t, at+act, form)
		require.Less(t, status, 400, act)
		for live.scan.Scan() { // until the server ends the stream
			continue
		}
		status, h, _ := binh.get(t, "/")
		require.Equal(t, http.StatusSeeOther, status, act)
		require.Equal(t, "/login", h.Get("Location"), act)
		return body
	}
	ends("/role", url.Values{"role": {"auditor"}})
	status, _ = login()
	require.Equal(t, http.StatusSeeOther, status)
	status, _, _ = binh.get(t, "/account")
	require.Equal(t, http.StatusOK, status)
	ends("/disable", nil)
	status, said := login()
	require.Equal(t, http.StatusUnauthorized, status)
	require.Contains(t, said, "đã bị khoá")
	_, err = s.private.LogIn(t.Context(), "binh", password+"x")
	require.ErrorIs(t, err, private.ErrWrong, "a guess is not told that the account is disabled")
	status, _, _ = s.post(t, at+"/enable", nil)
	require.Equal(t, http.StatusSeeOther, status)
	status, _ = login()
	require.Equal(t, http.StatusSeeOther, status)
	require.Contains(t, ends("/reset", nil), "/setup?token=")
	status, _ = login()
	require.Equal(t, http.StatusUnauthorized, status, "the old password is gone")

	// Nobody can be left without a supervisor.
	me, err := s.private.UserByLogin(t.Context(), "an")
	require.NoError(t, err)
	own := "/users/" + strconv.FormatInt(me.ID, 10)
	for act, form := range map[string]url.Values{"/disable": nil, "/role": {"role": {"officer"}}} {
		status, _, body = s.post(t, own+act, form)
		require.Equal(t, http.StatusConflict, status, act)
		require.Contains(t, body, "chỉ huy cuối cùng")
	}
}

func TestAUserChangesThePassword(t *testing.T) {
	s := newSite(t)
	s.setUp(t)
	elsewhere := s.stranger(t)
	status, _, _ := elsewhere.post(t, "/login", url.Values{"login": {"an"}, "password": {password}})
	require.Equal(t, http.StatusSeeOther, status)
	const next = "mật khẩu thứ hai"
	try := func(old, password, repeat string) (int, string) {
		status, _, body := s.post(t, "/account/password", url.Values{"old": {old}, "password": {password}, "repeat": {repeat}})
		return status, body
	}
	for want, c := range map[string][3]string{
		"hiện tại không đúng": {"sai", next, next}, "không giống nhau": {password, next, next + "x"}, "ít nhất 12": {password, "ngắn", "ngắn"},
	} {
		status, body := try(c[0], c[1], c[2])
		require.Equal(t, http.StatusUnprocessableEntity, status)
		require.Contains(t, body, want)
	}
	status, _ = try(password, next, next)
	require.Equal(t, http.StatusSeeOther, status)
	status, _, body := s.get(t, "/account?changed=1")
	require.Equal(t, http.StatusOK, status, "the own session goes on")
	require.Contains(t, body, "Đã đổi mật khẩu")
	status, _, _ = elsewhere.get(t, "/")
	require.Equal(t, http.StatusSeeOther, status, "other sessions end")
	_, err := s.private.LogIn(t.Context(), "an", password)
	require.ErrorIs(t, err, private.ErrWrong)
	_, err = s.private.LogIn(t.Context(), "an", next)
	require.NoError(t, err)
}
