package web

import (
	"context"
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
	sessionUser  = "user"
	sessionEpoch = "epoch"    // of the user when the session began
	languageKey  = "language" // also the cookie before log-in
)

// errForbidden says that the user's role has not the right.
var errForbidden = errors.New("the role has not the right")

// userHandler serves somebody who is logged in.
type userHandler func(http.ResponseWriter, *http.Request, Page)

// user lets only users through who have the right; whoever is not logged in
// gets the log-in page, and whoever has not the right is told so and recorded.
func (s *Server) user(right private.Right, next userHandler) http.Handler {
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
		if !p.User.May(right) {
			s.deny(w, r, p)
			return
		}
		next(w, r, p)
	})
}

// deny tells a user that the role has not the right, and records the attempt.
func (s *Server) deny(w http.ResponseWriter, r *http.Request, p Page) {
	err := s.opt.Private.Record(r.Context(), p.User.ID, private.ActDenied, r.Method+" "+r.URL.Path, "")
	if err == nil {
		err = errForbidden
	}
	s.fail(w, r, p, err)
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
		Link: s.opt.Uplink.Status(), Place: s.opt.Live.Here(), Script: s.assets.script, Style: s.assets.style, Theme: themeOf(r),
	}
	if c, err := r.Cookie(languageKey); err == nil {
		if l, ok := lang.Parse(c.Value); ok {
			p.Lang = l
		}
	}
	u, err := s.sessionOf(r.Context())
	p.User = u
	return p, err
}

// sessionOf is who is logged in; nil when nobody is, or when something ended
// the user's sessions since this one began.
func (s *Server) sessionOf(ctx context.Context) (*private.User, error) {
	id := s.sessions.GetInt64(ctx, sessionUser)
	if id == 0 {
		return nil, nil
	}
	u, err := s.opt.Private.User(ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if !u.Disabled.IsZero() || u.Epoch != s.sessions.GetInt64(ctx, sessionEpoch) {
		return nil, nil
	}
	return &u, nil
}

// events serves the event stream to logged-in users, until the session ends.
func (s *Server) events() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var token string
		if c, err := r.Cookie(s.sessions.Cookie.Name); err == nil {
			token = c.Value
		}
		ctx, err := s.sessions.Load(r.Context(), token)
		var u *private.User
		var end func()
		if err == nil {
			// Registered before it is looked up, so that no end goes unnoticed.
			ctx, end = s.streams.add(ctx, s.sessions.GetInt64(ctx, sessionUser))
			defer end()
			u, err = s.sessionOf(ctx)
		}
		if err != nil {
			s.opt.Log.Error("session of an event stream", "err", err)
			http.Error(w, "session store failed", http.StatusInternalServerError)
			return
		}
		if u == nil || !u.May(private.Own) {
			http.Error(w, "log in first", http.StatusUnauthorized)
			return
		}
		s.opt.Live.stream(w, r.WithContext(ctx), s.opt.Now)
	})
}

// streams ends the event streams of users whose sessions end.
type streams struct {
	mu   sync.Mutex
	next int64
	by   map[int64]map[int64]context.CancelFunc // by user
}

func newStreams() *streams { return &streams{by: map[int64]map[int64]context.CancelFunc{}} }

// add gives a context that ends with the user's sessions; done must be called.
func (x *streams) add(ctx context.Context, user int64) (_ context.Context, done func()) {
	ctx, cancel := context.WithCancel(ctx)
	x.mu.Lock()
	defer x.mu.Unlock()
	x.next++
	n := x.next
	if x.by[user] == nil {
		x.by[user] = map[int64]context.CancelFunc{}
	}
	x.by[user][n] = cancel
	return ctx, func() {
		cancel()
		x.mu.Lock()
		defer x.mu.Unlock()
		delete(x.by[user], n)
		if len(x.by[user]) == 0 {
			delete(x.by, user)
		}
	}
}

// end ends a user's streams.
func (x *streams) end(user int64) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, cancel := range x.by[user] {
		cancel()
	}
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
	if why := loginProblem(p, err); why != "" {
		if err = s.opt.Private.Record(r.Context(), 0, private.ActLoginFailed, short(name, 64), remote(r)); err == nil {
			s.show(w, r, http.StatusUnauthorized, loginView(p, name, why, false))
			return
		}
	}
	if err == nil {
		err = s.enter(r, u, private.ActLogin)
	}
	if err != nil {
		s.fail(w, r, p, err)
		return
	}
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

// loginProblem is what a user is told whose log-in failed; "" when it did not,
// or when the store did.
func loginProblem(p Page, err error) string {
	switch {
	case errors.Is(err, private.ErrWrong):
		return p.T("login.wrong")
	case errors.Is(err, private.ErrDisabled):
		return p.T("login.disabled")
	}
	return ""
}

// enter begins a session under a new token.
func (s *Server) enter(r *http.Request, u private.User, how private.Action) error {
	if err := s.sessions.RenewToken(r.Context()); err != nil {
		return err
	}
	s.sessions.Put(r.Context(), sessionUser, u.ID)
	s.sessions.Put(r.Context(), sessionEpoch, u.Epoch)
	return s.opt.Private.Record(r.Context(), u.ID, how, u.Login, remote(r))
}

func (s *Server) logout(w http.ResponseWriter, r *http.Request, p Page) {
	err := s.opt.Private.Record(r.Context(), p.User.ID, private.ActLogout, p.User.Login, remote(r))
	if err = errors.Join(err, s.sessions.Destroy(r.Context())); err != nil {
		s.fail(w, r, p, err)
		return
	}
	http.Redirect(w, r, "/login", http.StatusSeeOther)
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
	http.Redirect(w, r, backTo(r), http.StatusSeeOther)
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
