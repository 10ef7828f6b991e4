package web

import (
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"

	"gatehouse/internal/console/web/lang"
	"gatehouse/internal/event"
)

// busyRefresh is after how many seconds a browser asks again.
const busyRefresh = 5

// Busy answers for a console whose store makes its tables anew, so that an
// officer who comes to work after an update sees that it is on its way and how
// far. Its methods may be called at the same time.
type Busy struct {
	page      Page
	assets    assets
	done, all atomic.Int64
}

// NewBusy makes the page for an agency's console.
func NewBusy(agency event.Agency, gates []Gate, language lang.Code) (*Busy, error) {
	a, err := loadAssets()
	if err != nil {
		return nil, err
	}
	return &Busy{assets: a, page: Page{Lang: language, Words: lang.Dictionary(), Agency: agency, Gates: gates, Style: a.style}}, nil
}

// Progress tells how many of the store's events have been gone through.
func (b *Busy) Progress(done, all int) {
	b.done.Store(int64(done))
	b.all.Store(int64(all))
}

// percent is how far the store is, 0 to 100.
func (b *Busy) percent() int {
	all := b.all.Load()
	if all == 0 {
		return 0
	}
	return int(min(100, 100*b.done.Load()/all))
}

// Handler is the whole site meanwhile. All but the style answers 503.
func (b *Busy) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /static/", b.assets.handler())
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "store: being made ready, "+strconv.Itoa(b.percent())+" %", http.StatusServiceUnavailable)
	})
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Retry-After", strconv.Itoa(busyRefresh))
		if r.Method != http.MethodGet || !strings.Contains(r.Header.Get("Accept"), "text/html") {
			http.Error(w, "the console is being made ready", http.StatusServiceUnavailable)
			return
		}
		h.Set("Refresh", strconv.Itoa(busyRefresh))
		h.Set("Content-Type", "text/html; charset=utf-8")
		w.WriteHeader(http.StatusServiceUnavailable)
		_ = busyView(b.page, b.percent()).Render(r.Context(), w) // the browser may be gone
	})
	return headers(mux)
}
