package web

import (
	"errors"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"gatehouse/internal/console/private"
	"gatehouse/internal/console/store"
	"gatehouse/internal/console/web/lang"
)

// Keys of a session.
const (
	sessionUser = "user"
	languageKey = "language" // also the cookie before log-in
)

// userHandler serves somebody who is logged in.
type userHandler func(http.ResponseWriter, *http.Request, Page)

// user lets only logged-in users through; others get the log-in page.
func (s *Server) user(next userHandler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p, err := s.page(r)
		if err != nil {
			s.fail(w, r, p, err)
			return
		}
		if p.User == nil {
			s.toLogin(w, r)
			return
		}
		next(w, r, p)
	})
}

func (s *Server) toLogin(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("HX-Request") != "" {
		w.Header().Set("HX-Redirect", "/login")
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	if r.Method != http.MethodGet || strings.HasPrefix(r.URL.Path, "/evidence/") {
		http.Error(w, "log in first", http.StatusUnauthorized)
		return
	}
	http.Redirect(w, r, "/login", http.StatusSeeOther)
}

// page is what every page knows, for one request.
func (s *Server) page(r *http.Request) (Page, error) {
	p := Page{
		Lang: s.opt.Language, Words: s.words, Agency: s.opt.Agency, Gates: s.opt.Gates, Path: r.URL.Path, Now: s.opt.Now(),
		Link: s.opt.Uplink.Status(), Place: s.opt.Live.Here(), Script: s.assets.script, Style: s.assets.style,
	}
	if c, err := r.Cookie(languageKey); err == nil {
		if l, ok := lang.Parse(c.Value); ok {
			p.Lang = l
		}
	}
	id := s.sessions.GetInt64(r.Context(), sessionUser)
	if id == 0 {
		return p, nil
	}
	u, err := s.opt.Private.User(r.Context(), id)
	if errors.Is(err, store.ErrNotFound) {
		return p, nil
	}
	if err != nil {
		return p, err
	}
	p.User = &u
	return p, nil
}

// events serves the event stream to logged-in users.
func (s *Server) events() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var token string
		if c, err := r.Cookie(s.sessions.Cookie.Name); err == nil {
			token = c.Value
		}
		ctx, err := s.sessions.Load(r.Context(), token)
		if err != nil {
			s.opt.Log.Error("session of an event stream", "err", err)
			http.Error(w, "session store failed", http.StatusInternalServerError)
			return
		}
		if s.sessions.GetInt64(ctx, sessionUser) == 0 {
			http.Error(w, "log in first", http.StatusUnauthorized)
			return
		}
		s.opt.Live.stream(w, r, s.opt.Now)
	})
}

func (s *Server) loginPage(w http.ResponseWriter, r *http.Request) {
	p, err := s.page(r)
	if err != nil {
		s.fail(w, r, p, err)
		return
	}
	if p.User != nil {
		http.Redirect(w, r, "/", http.StatusSeeOther)
		return
	}
	has, err := s.opt.Private.HasUsers(r.Context())
	if err != nil {
		s.fail(w, r, p, err)
		return
	}
	s.show(w, r, http.StatusOK, loginView(p, "", "", !has))
}

func (s *Server) login(w http.ResponseWriter, r *http.Request) {
	p, err := s.page(r)
	if err != nil {
		s.fail(w, r, p, err)
		return
	}
	name := strings.TrimSpace(r.PostFormValue("login"))
	if !s.limiter.allow(r, s.opt.Now()) {
		s.opt.Log.Warn("log-in held back, too many tries", "from", remote(r))
		s.show(w, r, http.StatusTooManyRequests, loginView(p, name, p.T("login.slow"), false))
		return
	}
	u, err := s.opt.Private.LogIn(r.Context(), name, r.PostFormValue("password"))
	if errors.Is(err, private.ErrWrong) {
		err = s.opt.Private.Record(r.Context(), 0, "login-failed", name, remote(r))
		if err == nil {
			s.show(w, r, http.StatusUnauthorized, loginView(p, name, p.T("login.wrong"), false))
			return
		}
	}
	if err == nil {
		err = s.enter(r, u, "login")
	}
	if err != nil {
		s.fail(w, r, p, err)
		return
	}
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

// enter begins a session under a new token.
func (s *Server) enter(r *http.Request, u private.User, how string) error {
	if err := s.sessions.RenewToken(r.Context()); err != nil {
		return err
	}
	s.sessions.Put(r.Context(), sessionUser, u.ID)
	return s.opt.Private.Record(r.Context(), u.ID, how, u.Login, remote(r))
}

func (s *Server) logout(w http.ResponseWriter, r *http.Request, p Page) {
	err := s.opt.Private.Record(r.Context(), p.User.ID, "logout", p.User.Login, remote(r))
	if err = errors.Join(err, s.sessions.Destroy(r.Context())); err != nil {
		s.fail(w, r, p, err)
		return
	}
	http.Redirect(w, r, "/login", http.StatusSeeOther)
}

func (s *Server) setupPage(w http.ResponseWriter, r *http.Request) {
	p, err := s.page(r)
	if err != nil {
		s.fail(w, r, p, err)
		return
	}
	token := r.URL.Query().Get("token")
	err = s.opt.Private.CheckSetupLink(r.Context(), token)
	switch {
	case errors.Is(err, private.ErrSetupLink):
		s.show(w, r, http.StatusForbidden, setupView(p, setupForm{Invalid: true}))
	case err != nil:
		s.fail(w, r, p, err)
	default:
		s.show(w, r, http.StatusOK, setupView(p, setupForm{Token: token}))
	}
}

// setupForm is the set-up page's state.
type setupForm struct {
	Token, Login, Name, Error string
	Invalid                   bool
}

func (s *Server) setup(w http.ResponseWriter, r *http.Request) {
	p, err := s.page(r)
	if err != nil {
		s.fail(w, r, p, err)
		return
	}
	f := setupForm{Token: r.PostFormValue("token"), Login: strings.TrimSpace(r.PostFormValue("login")), Name: r.PostFormValue("name")}
	password := r.PostFormValue("password")
	if !s.limiter.allow(r, s.opt.Now()) {
		f.Error = p.T("login.slow")
		s.show(w, r, http.StatusTooManyRequests, setupView(p, f))
		return
	}
	if password != r.PostFormValue("repeat") {
		f.Error = p.T("setup.differ")
		s.show(w, r, http.StatusUnprocessableEntity, setupView(p, f))
		return
	}
	u, err := s.opt.Private.SetUp(r.Context(), f.Token, f.Login, f.Name, password)
	switch {
	case errors.Is(err, private.ErrShortPassword):
		f.Error = p.T("setup.short")
	case errors.Is(err, private.ErrBadLogin):
		f.Error = p.T("setup.login")
	case errors.Is(err, private.ErrSetupLink), errors.Is(err, private.ErrUsersExist):
		f = setupForm{Invalid: true}
	case err != nil:
		s.fail(w, r, p, err)
		return
	default:
		if err := s.enter(r, u, "setup"); err != nil {
			s.fail(w, r, p, err)
			return
		}
		http.Redirect(w, r, "/", http.StatusSeeOther)
		return
	}
	s.show(w, r, http.StatusUnprocessableEntity, setupView(p, f))
}

// language switches the language and goes back to where the user was.
func (s *Server) language(w http.ResponseWriter, r *http.Request) {
	l, ok := lang.Parse(r.PostFormValue("language"))
	if !ok {
		http.Error(w, "unknown language", http.StatusBadRequest)
		return
	}
	http.SetCookie(w, &http.Cookie{
		Name: languageKey, Value: string(l), Path: "/", MaxAge: int((365 * 24 * time.Hour).Seconds()),
		HttpOnly: true, SameSite: http.SameSiteStrictMode, Secure: s.opt.Secure,
	})
	back := r.PostFormValue("back")
	if !strings.HasPrefix(back, "/") || strings.HasPrefix(back, "//") || strings.Contains(back, "\\") {
		back = "/"
	}
	http.Redirect(w, r, back, http.StatusSeeOther)
}

func remote(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}

// limiter slows down guessing: by address, and in all.
type limiter struct {
	mu  sync.Mutex
	all *rate.Limiter
	by  map[string]*rate.Limiter
}

func newLimiter() *limiter {
	return &limiter{all: rate.NewLimiter(rate.Every(500*time.Millisecond), 60), by: map[string]*rate.Limiter{}}
}

func (l *limiter) allow(r *http.Request, now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.by) > 10_000 {
		clear(l.by) // addresses are cheap; memory is not
	}
	from := remote(r)
	one, ok := l.by[from]
	if !ok {
		one = rate.NewLimiter(rate.Every(5*time.Second), 10)
		l.by[from] = one
	}
	return one.AllowN(now, 1) && l.all.AllowN(now, 1)
}
