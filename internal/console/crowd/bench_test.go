//go:build bench

package crowd_test

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"gatehouse/internal/console/browsertest"
	"gatehouse/internal/console/consoletest"
	"gatehouse/internal/console/crowd"
	"gatehouse/internal/console/private"
	"gatehouse/internal/console/store"
	"gatehouse/internal/console/tip"
	"gatehouse/internal/console/uplink"
	"gatehouse/internal/console/web"
	"gatehouse/internal/event"
)

const (
	form    = "2" // of the generated passages; another one is filled anew
	rounds  = 7
	each    = 40 // requests of each kind in a round
	paints  = 15
	login   = "an"
	secret  = "mật khẩu thử nghiệm"
	limitMS = 100.0
)

// TestConsoleAtSize measures the console's pages over a store of many
// passages: PASSAGES says how many, BENCH_DIR where the store is kept between
// runs.
func TestConsoleAtSize(t *testing.T) {
	n, err := strconv.Atoi(cmp.Or(os.Getenv("PASSAGES"), "200000"))
	require.NoError(t, err)
	dir := cmp.Or(os.Getenv("BENCH_DIR"), t.TempDir())
	dir = filepath.Join(dir, fmt.Sprintf("%d-%s", n, form))
	s := filled(t, dir, n)
	x := serve(t, s, dir)
	fmt.Printf("%d passages, %s\n", n, size(t, dir))
	x.measure(t)
	x.paint(t)
}

// filled opens the store in dir and fills it when it is not.
func filled(t *testing.T, dir string, n int) *store.Store {
	t.Helper()
	mark := filepath.Join(dir, "filled")
	if _, err := os.Stat(mark); err == nil {
		return open(context.Background(), t, dir)
	}
	require.NoError(t, os.RemoveAll(dir))
	s := open(context.Background(), t, dir)
	began := time.Now()
	next := n / 10
	require.NoError(t, crowd.New(consoletest.NewChain(t, "15BB"), n, time.Now(), 1).Fill(context.Background(), s, func(done int) {
		if done >= next {
			fmt.Printf("  %d passages stored after %s\n", done, time.Since(began).Round(time.Second))
			next += n / 10
		}
	}))
	require.NoError(t, os.WriteFile(mark, []byte(time.Now().UTC().Format(time.RFC3339)+"\n"), 0o600))
	fmt.Printf("filled once in %s; later runs take the store as it is\n", time.Since(began).Round(time.Second))
	return s
}

func size(t *testing.T, dir string) string {
	t.Helper()
	st, err := os.Stat(filepath.Join(dir, store.File))
	require.NoError(t, err)
	return fmt.Sprintf("database of %.1f GB", float64(st.Size())/1e9)
}

// still is an uplink that does nothing.
type still struct{}

func (still) Status() uplink.Status { return uplink.Status{Connected: true, Since: time.Now()} }
func (still) Wake()                 {}

// server is the console's pages at an address, and a browser's client.
type server struct {
	url      string
	client   *http.Client
	passages []string // ids
	plates   []string
	rand     *rand.Rand
}

// serve puts the pages and, beside them in the same server, a yardstick: a row
// by its primary key, as bare as a page can be.
func serve(t *testing.T, s *store.Store, dir string) *server {
	t.Helper()
	own := t.TempDir() // accounts and audit start empty each time
	p, err := private.Open(context.Background(), own, event.Customs, time.Now)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, p.Close()) })
	trials, err := tip.Open(filepath.Join(own, tip.File), time.Now, nil)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, trials.Close()) })
	pages, err := web.New(web.Options{
		Agency: event.Customs, Gates: []web.Gate{{ID: "15BB", Silence: time.Minute}}, Language: "vi", Store: s, Private: p, Trials: trials,
		Uplink: still{}, Live: web.NewLive(time.Now()), Log: slog.New(slog.DiscardHandler), Now: time.Now,
	})
	require.NoError(t, err)
	w, r, err := store.OpenDatabase(filepath.Join(dir, store.File))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, r.Close()); require.NoError(t, w.Close()) })
	mux := http.NewServeMux()
	mux.Handle("/", pages.Handler())
	mux.HandleFunc("GET /yardstick/{id}", func(w http.ResponseWriter, req *http.Request) {
		var plate string
		if err := r.QueryRowContext(req.Context(), `SELECT plate FROM passages WHERE id = ?`, req.PathValue("id")).Scan(&plate); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		_, _ = w.Write([]byte(plate))
	})
	ts := httptest.NewServer(mux)
	t.Cleanup(ts.Close)
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	x := &server{url: ts.URL, client: &http.Client{Jar: jar}, rand: rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 2))}
	t.Cleanup(x.client.CloseIdleConnections)
	token, err := p.NewSetupLink(context.Background())
	require.NoError(t, err)
	_, err = p.SetUp(context.Background(), token, login, "An", secret)
	require.NoError(t, err)
	res, err := x.client.PostForm(ts.URL+"/login", url.Values{"login": {login}, "password": {secret}})
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	x.sample(t, r)
	return x
}

// sample takes some passages to ask for, from all times.
func (x *server) sample(t *testing.T, r *sql.DB) {
	t.Helper()
	rows, err := r.Query(`SELECT id, plate FROM passages WHERE rowid % 97 = 5 AND plate <> ''`)
	require.NoError(t, err)
	defer rows.Close()
	for rows.Next() {
		var id, plate string
		require.NoError(t, rows.Scan(&id, &plate))
		x.passages, x.plates = append(x.passages, id), append(x.plates, plate)
	}
	require.NoError(t, rows.Err())
}

// kind is a page and how it is asked for; no two addresses are the same.
type kind struct {
	name string
	path func() string
}

func (x *server) kinds() []kind {
	plate := func() []rune { return []rune(x.plates[x.rand.IntN(len(x.plates))]) }
	search := func(key, value string) string { return "/search?" + url.Values{key: {value}}.Encode() }
	id := func() string { return x.passages[x.rand.IntN(len(x.passages))] }
	return []kind{
		{"yardstick: a row by primary key", func() string { return "/yardstick/" + id() }},
		{"search, 5 characters of a plate", func() string { return search("plate", string(plate()[3:])) }},
		{"search, 3 characters of a plate", func() string { return search("plate", string(plate()[4:7])) }},
		{"search, 2 characters of a plate", func() string { return search("plate", string(plate()[6:])) }},
		{"search, a plate that is not there", func() string { return search("plate", fmt.Sprintf("77X%05d", x.rand.IntN(100_000))) }},
		{"search, wildcards 12?-*45", func() string { p := plate(); return search("plate", string(p[:2])+"?*"+string(p[6:])) }},
		{"search, look-alikes", func() string { return search("plate", string(plate()[2:])) + "&alike=1" }},
		{"search, part of a container number", func() string { return search("container", fmt.Sprintf("%05d", x.rand.IntN(100_000))) }},
		{"search, words without accents", func() string { return search("words", []string{"go van ep", "tinh bot", "sau rieng"}[x.rand.IntN(3)]) }},
		{"search, finding and direction", func() string { return search("finding", "RPM-GAMMA") + "&direction=exit" }},
		{"passage page", func() string { return "/passages/" + id() }},
		{"board", func() string { return "/" }},
		{"alert queue", func() string { return "/alerts" }},
		{"devices", func() string { return "/devices" }},
		{"status of the link and the chains", func() string { return "/status" }},
		{"audit", func() string { return "/audit" }},
	}
}

func (x *server) get(t *testing.T, path string) time.Duration {
	t.Helper()
	began := time.Now()
	res, err := x.client.Get(x.url + path)
	require.NoError(t, err)
	n, err := io.Copy(io.Discard, res.Body)
	took := time.Since(began)
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	require.Equal(t, http.StatusOK, res.StatusCode, path)
	require.False(t, strings.Contains(res.Request.URL.Path, "login"), path)
	require.Positive(t, n)
	return took
}

// measure asks for every kind of page in turn, round after round, so that a
// slow moment of the machine meets all of them.
func (x *server) measure(t *testing.T) {
	t.Helper()
	kinds := x.kinds()
	times := make([][][]float64, len(kinds)) // by kind and round, in ms
	for round := range rounds + 1 {
		for k, kind := range kinds {
			var list []float64
			for range each {
				list = append(list, float64(x.get(t, kind.path()).Microseconds())/1000)
			}
			if round > 0 { // the first warms up
				times[k] = append(times[k], list)
			}
		}
	}
	fmt.Printf("%-38s %8s %8s %8s %20s %10s\n", "at the server, ms", "median", "p95", "p99", "medians of rounds", "×yardstick")
	yard := 0.0
	for k, kind := range kinds {
		all := slices.Sorted(slices.Values(slices.Concat(times[k]...)))
		var medians []float64
		for _, r := range times[k] {
			medians = append(medians, at(slices.Sorted(slices.Values(r)), 0.5))
		}
		if k == 0 {
			yard = at(all, 0.5)
		}
		note := ""
		if k > 0 && at(all, 0.99) > limitMS {
			note = fmt.Sprintf("  over %.0f ms at p99", limitMS)
		}
		fmt.Printf("%-38s %8.1f %8.1f %8.1f %9.1f to %7.1f %10.1f%s\n", kind.name, at(all, 0.5), at(all, 0.95), at(all, 0.99),
			slices.Min(medians), slices.Max(medians), at(all, 0.5)/yard, note)
	}
}

// at is a quantile of sorted values.
func at(sorted []float64, q float64) float64 {
	return sorted[min(int(q*float64(len(sorted))), len(sorted)-1)]
}

// paint measures when Chromium first paints the alert queue.
func (x *server) paint(t *testing.T) {
	t.Helper()
	browser := browsertest.Browser(t, browsertest.Look{Width: 1280, Height: 720})
	browsertest.Do(t, browser, chromedp.Navigate(x.url+"/login"),
		chromedp.SendKeys(chromedp.CSS(`input[name=login]`), login), chromedp.SendKeys(chromedp.CSS(`input[name=password]`), secret),
		chromedp.Click(chromedp.CSS(`button.main`)), chromedp.WaitVisible(chromedp.CSS(`#passages`)))
	var first, content, yard []float64
	for range paints {
		yard = append(yard, x.painted(t, browser, "/healthz", "first-paint"))
		browsertest.Do(t, browser, chromedp.Navigate(x.url+"/alerts"), chromedp.WaitVisible(chromedp.CSS(`main`)))
		first = append(first, x.entry(t, browser, "first-paint"))
		content = append(content, x.entry(t, browser, "first-contentful-paint"))
	}
	for _, m := range []struct {
		name string
		list []float64
	}{{"yardstick: first paint of two lines", yard}, {"first paint of the alert queue", first}, {"first contentful paint of it", content}} {
		s := slices.Sorted(slices.Values(m.list))
		fmt.Printf("%-38s median %.0f ms, from %.0f to %.0f over %d loads in Chromium\n", m.name, at(s, 0.5), s[0], s[len(s)-1], len(s))
	}
}

func (x *server) painted(t *testing.T, browser context.Context, path, entry string) float64 {
	t.Helper()
	browsertest.Do(t, browser, chromedp.Navigate(x.url+path))
	return x.entry(t, browser, entry)
}

// entry reads the browser's own record of a paint, once it is there.
func (x *server) entry(t *testing.T, browser context.Context, name string) float64 {
	t.Helper()
	find := `performance.getEntriesByType("paint").find(e => e.name === "` + name + `")`
	browsertest.Until(t, browser, find)
	ms, err := chromedp.Run(browser, chromedp.Evaluate[float64](find+`.startTime`))
	require.NoError(t, err)
	return ms
}
