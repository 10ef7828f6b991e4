package web

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/a-h/templ"
	"github.com/alexedwards/scs/v2"

	"gatehouse/internal/console/private"
	"gatehouse/internal/console/store"
	"gatehouse/internal/console/tip"
	"gatehouse/internal/console/uplink"
	"gatehouse/internal/console/web/lang"
	"gatehouse/internal/event"
)

// Uplink is what pages need of the link to the hub.
type Uplink interface {
	Status() uplink.Status
	Wake()
}

// Gate is a gate that this console shows.
type Gate struct {
	ID   string
	Name event.Text
	// Silence is how long the gate may say nothing before its devices' states
	// count as unknown.
	Silence time.Duration
}

// Options are what the pages need.
type Options struct {
	Agency   event.Agency
	Gates    []Gate
	Language lang.Code // until a user chooses
	Store    *store.Store
	Private  *private.Store
	Trials   *tip.Engine // of the agency's own reviewers
	Uplink   Uplink
	Live     *Live
	Secure   bool // served over TLS: cookies are marked so
	Log      *slog.Logger
	Now      func() time.Time
}

// Server serves the console's pages.
type Server struct {
	opt      Options
	words    lang.Words
	sessions *scs.SessionManager
	assets   assets
	images   *images
	limiter  *limiter
	streams  *streams
}

// New makes the server of the pages.
func New(opt Options) (*Server, error) {
	a, err := loadAssets()
	if err != nil {
		return nil, err
	}
	s := &Server{
		opt: opt, words: lang.Dictionary(), assets: a, images: newImages(), limiter: newLimiter(), streams: newStreams(),
		sessions: newSessions(opt),
	}
	return s, nil
}

// sessionLife is a long shift.
const sessionLife = 14 * time.Hour

// newSessions does what scs.New does, which would start a goroutine for a
// store in memory that nobody can end in time.
func newSessions(opt Options) *scs.SessionManager {
	return &scs.SessionManager{
		Store:    opt.Private.Sessions(),
		Codec:    scs.GobCodec{},
		Lifetime: sessionLife,
		Cookie: scs.SessionCookie{
			Name: "gatehouse-" + opt.Agency.Account(), Path: "/", HttpOnly: true, Persist: true,
			SameSite: http.SameSiteStrictMode, Secure: opt.Secure,
		},
		ErrorFunc: func(w http.ResponseWriter, _ *http.Request, err error) {
			opt.Log.Error("session", "err", err)
			http.Error(w, "session store failed", http.StatusInternalServerError)
		},
	}
}

// Handler is the whole site.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", s.health)
	mux.HandleFunc("GET /favicon.ico", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	mux.Handle("GET /static/", s.assets.handler())

	mux.Handle("/", s.sessions.LoadAndSave(s.site().mux))
	// The stream lives for hours and must not write the session when it ends.
	mux.Handle("GET /events", s.events())
	return headers(http.NewCrossOriginProtection().Handler(mux))
}

// headers keeps browsers from doing more than the pages need.
func headers(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; "+
			"connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		http.MaxBytesHandler(next, 64<<10).ServeHTTP(w, r)
	})
}

// health answers a watchdog: the store can be read, and the uplink is told of.
func (s *Server) health(w http.ResponseWriter, r *http.Request) {
	if _, err := s.opt.Store.Counts(r.Context()); err != nil {
		s.opt.Log.Error("health check", "err", err)
		http.Error(w, "store: failed", http.StatusServiceUnavailable)
		return
	}
	state := "hub: connected"
	if st := s.opt.Uplink.Status(); !st.Connected {
		state = "hub: lost"
	}
	_, _ = w.Write([]byte("store: ok\n" + state + "\n")) // the watchdog may be gone
}

// nowhere answers for pages that there are not.
func (s *Server) nowhere(w http.ResponseWriter, r *http.Request, p Page) {
	s.fail(w, r, p, store.ErrNotFound)
}

// show renders a page or a fragment of one.
func (s *Server) show(w http.ResponseWriter, r *http.Request, status int, c templ.Component) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	if err := c.Render(r.Context(), w); err != nil && !errors.Is(err, context.Canceled) {
		s.opt.Log.Debug("page not delivered", "path", r.URL.Path, "err", err)
	}
}

// fail shows an error in the user's language; the cause goes to the log.
func (s *Server) fail(w http.ResponseWriter, r *http.Request, p Page, err error) {
	if errors.Is(err, context.Canceled) {
		return
	}
	if errors.Is(err, store.ErrNotFound) {
		s.show(w, r, http.StatusNotFound, errorPage(p, p.T("error.notfound")))
		return
	}
	if errors.Is(err, errForbidden) {
		s.show(w, r, http.StatusForbidden, errorPage(p, p.T("error.forbidden")))
		return
	}
	s.opt.Log.Error("page failed", "path", r.URL.Path, "err", err)
	s.show(w, r, http.StatusInternalServerError, errorPage(p, p.T("error.store")))
}
