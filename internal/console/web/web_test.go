package web_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/image/tiff"

	"gatehouse/internal/console/consoletest"
	"gatehouse/internal/console/private"
	"gatehouse/internal/console/store"
	"gatehouse/internal/console/tip"
	"gatehouse/internal/console/uplink"
	"gatehouse/internal/console/web"
	"gatehouse/internal/event"
	"gatehouse/internal/trust"
)

// still is an uplink that does nothing.
type still struct{}

func (still) Status() uplink.Status { return uplink.Status{Connected: true} }
func (still) Wake()                 {}

// site is a console's pages over a real store, without a hub.
type site struct {
	*consoletest.Chain
	store   *store.Store
	private *private.Store
	trials  *tip.Engine
	draws   *draws
	live    *web.Live
	pages   *web.Server
	url     string
	dir     string
	close   func()
	browser *http.Client
}

func newSite(t *testing.T) *site {
	t.Helper()
	s := &site{Chain: consoletest.NewChain(t, "15BB"), dir: t.TempDir()}
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	s.browser = &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	s.reopen(t)
	return s
}

// reopen serves the pages of the site's folder, until close is called or the
// test ends.
func (s *site) reopen(t *testing.T) {
	t.Helper()
	key, err := trust.NewPrivate()
	require.NoError(t, err)
	log := slog.New(slog.DiscardHandler)
	s.live = web.NewLive(time.Now())
	s.store, err = store.Open(t.Context(), store.Options{Dir: s.dir, Agency: event.Customs, Seal: uplink.Sealer(event.Customs, key), Log: log})
	require.NoError(t, err)
	s.private, err = private.Open(t.Context(), s.dir, event.Customs, time.Now)
	require.NoError(t, err)
	s.draws = &draws{}
	s.trials, err = tip.Open(filepath.Join(s.dir, tip.File), time.Now, s.draws.draw)
	require.NoError(t, err)
	s.pages, err = web.New(web.Options{
		Agency: event.Customs, Gates: []web.Gate{{ID: "15BB", Silence: time.Minute}}, Language: "vi", Store: s.store, Private: s.private, Trials: s.trials,
		Uplink: still{}, Live: s.live, Log: log, Now: time.Now,
	})
	require.NoError(t, err)
	server := httptest.NewServer(s.pages.Handler())
	s.url = server.URL
	s.close = sync.OnceFunc(func() {
		s.browser.CloseIdleConnections()
		server.Close()
		require.NoError(t, s.trials.Close())
		require.NoError(t, s.private.Close())
		require.NoError(t, s.store.Close())
	})
	t.Cleanup(s.close)
}

const password = "mật khẩu thử nghiệm"

func (s *site) setUp(t *testing.T) {
	t.Helper()
	token, err := s.private.NewSetupLink(t.Context())
	require.NoError(t, err)
	status, _, _ := s.post(t, "/setup", url.Values{"token": {token}, "login": {"an"}, "name": {"An"}, "password": {password}, "repeat": {password}})
	require.Equal(t, http.StatusSeeOther, status)
}

func (s *site) do(t *testing.T, r *http.Request) (int, http.Header, string) {
	t.Helper()
	res, err := s.browser.Do(r)
	require.NoError(t, err)
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	return res.StatusCode, res.Header, string(b)
}

func (s *site) get(t *testing.T, path string) (int, http.Header, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url+path, nil)
	require.NoError(t, err)
	return s.do(t, r)
}

func (s *site) post(t *testing.T, path string, form url.Values, header ...string) (int, http.Header, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url+path, strings.NewReader(form.Encode()))
	require.NoError(t, err)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	return s.do(t, r)
}

func (s *site) share(t *testing.T, typ event.Type, id event.ID, value any) {
	t.Helper()
	l, err := s.Add(typ, id, string(id), time.Now(), value)
	require.NoError(t, err)
	keys := uplink.Keys{Gates: map[string][]trust.Public{"15BB": {s.Key.Public()}}}
	e, stray := keys.Read("inbox.record.15BB", l.NATSHeader(), l.Payload)
	require.Nil(t, stray)
	r, err := s.store.Commit(t.Context(), store.Batch{Events: []store.Event{e}})
	require.NoError(t, err)
	s.live.Notify(r.Changes)
}

func passage() event.Passage {
	return event.Passage{
		ID: event.NewID(time.Now()), Version: 1, Where: event.Where{Gate: "15BB", Lane: "01"}, State: event.Closed, OpenedAt: time.Now().UTC(),
		Plates: []event.PlateReading{{Text: "12C12345", Display: `12C-<b>"123.45`, Score: 0.9}},
	}
}

func TestNothingIsShownWithoutLogIn(t *testing.T) {
	s := newSite(t)
	p := passage()
	s.share(t, event.TypePassage, p.ID, p)
	for _, path := range []string{"/", "/alerts", "/status", "/passages/" + string(p.ID), "/nowhere"} {
		status, h, body := s.get(t, path)
		require.Equal(t, http.StatusSeeOther, status, path)
		require.Equal(t, "/login", h.Get("Location"))
		require.NotContains(t, body, "12C")
	}
	for _, path := range []string{"/events", "/evidence/" + event.Digest(nil)} {
		status, _, _ := s.get(t, path)
		require.Equal(t, http.StatusUnauthorized, status, path)
	}
	status, _, _ := s.post(t, "/passages/"+string(p.ID)+"/verdict", url.Values{"code": {"RELEASE"}})
	require.Equal(t, http.StatusUnauthorized, status)
	status, _, body := s.get(t, "/healthz")
	require.Equal(t, http.StatusOK, status)
	require.Equal(t, "store: ok\nhub: connected\n", body)
}

func TestSetUpWorksOnceAndLogInIsSlowedDown(t *testing.T) {
	s := newSite(t)
	_, _, body := s.get(t, "/login")
	require.Contains(t, body, "setup-link", "nobody can log in yet, and the page says what to do")
	status, _, _ := s.get(t, "/setup?token=guess")
	require.Equal(t, http.StatusForbidden, status)
	token, err := s.private.NewSetupLink(t.Context())
	require.NoError(t, err)
	form := url.Values{"token": {token}, "login": {"an"}, "name": {"An"}, "password": {"ngắn"}, "repeat": {"ngắn"}}
	status, _, body = s.post(t, "/setup", form)
	require.Equal(t, http.StatusUnprocessableEntity, status)
	require.Contains(t, body, "ít nhất 12 ký tự")
	form.Set("password", password)
	form.Set("repeat", password)
	status, h, _ := s.post(t, "/setup", form)
	require.Equal(t, http.StatusSeeOther, status)
	cookie := h.Get("Set-Cookie")
	require.Contains(t, cookie, "HttpOnly")
	require.Contains(t, cookie, "SameSite=Strict")
	status, _, _ = s.post(t, "/setup", form)
	require.Equal(t, http.StatusUnprocessableEntity, status)

	s.post(t, "/logout", nil)
	status, _, _ = s.get(t, "/")
	require.Equal(t, http.StatusSeeOther, status)
	status, _, _ = s.post(t, "/login", url.Values{"login": {"an"}, "password": {password}})
	require.Equal(t, http.StatusSeeOther, status)
	held := false
	for range 15 {
		status, _, _ := s.post(t, "/login", url.Values{"login": {"an"}, "password": {"guess"}})
		held = held || status == http.StatusTooManyRequests
	}
	require.True(t, held, "guessing is slowed down")
}

func TestOtherSitesCanDoNothing(t *testing.T) {
	s := newSite(t)
	s.setUp(t)
	p := passage()
	s.share(t, event.TypePassage, p.ID, p)
	form := url.Values{"code": {"RELEASE"}, "version": {"1"}, "sequence": {"1"}}
	status, _, _ := s.post(t, "/passages/"+string(p.ID)+"/verdict", form, "Sec-Fetch-Site", "cross-site", "Origin", "https://evil.example")
	require.Equal(t, http.StatusForbidden, status)
	_, h, body := s.get(t, "/passages/"+string(p.ID))
	csp := h.Get("Content-Security-Policy")
	require.Contains(t, csp, "default-src 'none'")
	require.NotContains(t, csp, "unsafe")
	require.NotRegexp(t, `<script[^>]*>[^<]`, body, "no inline script")
	require.NotRegexp(t, `\son[a-z]+=|\sstyle=`, body)
	require.Contains(t, body, `12C-&lt;b&gt;&#34;123.45`, "what a gate sends is text")
	status, h, _ = s.post(t, "/language", url.Values{"language": {"en"}, "back": {"//evil.example"}})
	require.Equal(t, http.StatusSeeOther, status)
	require.Equal(t, "/", h.Get("Location"))
}

func TestAVerdictNamesWhatTheOfficerSaw(t *testing.T) {
	s := newSite(t)
	s.setUp(t)
	p := passage()
	s.share(t, event.TypePassage, p.ID, p)
	path := "/passages/" + string(p.ID) + "/verdict"
	try := func(want string, form url.Values) {
		t.Helper()
		status, _, body := s.post(t, path, form)
		require.Equal(t, http.StatusUnprocessableEntity, status)
		require.Contains(t, body, want)
	}
	saw := func(code, reason string) url.Values {
		return url.Values{"code": {code}, "reason": {reason}, "version": {"1"}, "sequence": {"1"}}
	}
	try("Chọn một quyết định", saw("NONSENSE", "x"))
	try("cần có lý do", saw("HOLD", "  "))
	try("dài quá", saw("HOLD", strings.Repeat("đ", 2001)))
	try("Bản ghi đã đổi", url.Values{"code": {"RELEASE"}, "version": {"7"}, "sequence": {"1"}})
	try("Bản ghi đã đổi", url.Values{"code": {"RELEASE"}, "version": {"1"}, "sequence": {"1"}, "about": {"other"}})

	p.Version = 2 // a late result comes while the officer writes
	s.share(t, event.TypePassage, p.ID, p)
	status, _, _ := s.post(t, path, saw("HOLD", "đo lại"))
	require.Equal(t, http.StatusSeeOther, status)
	got, err := s.store.Passage(t.Context(), p.ID)
	require.NoError(t, err)
	require.Equal(t, event.SeenVersion{Version: 1, Sequence: 1}, got.Latest(event.Customs).Saw)
	_, _, body := s.get(t, "/passages/"+string(p.ID))
	require.Contains(t, body, "quyết định trên bản cũ hơn")
}

// stream reads server-sent events.
type stream struct {
	scan *bufio.Scanner
	end  func()
}

func (s *site) stream(t *testing.T, last string) *stream {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url+"/events", nil)
	require.NoError(t, err)
	if last != "" {
		r.Header.Set("Last-Event-ID", last)
	}
	res, err := s.browser.Do(r) //nolint:bodyclose // closed by the stream's end
	require.NoError(t, err)
	require.Equal(t, "text/event-stream", res.Header.Get("Content-Type"))
	st := &stream{scan: bufio.NewScanner(res.Body), end: func() { cancel(); _ = res.Body.Close() }}
	t.Cleanup(st.end)
	return st
}

func (st *stream) next(t *testing.T) (name, id, data string) {
	t.Helper()
	for st.scan.Scan() {
		key, value, _ := strings.Cut(st.scan.Text(), ": ")
		switch key {
		case "event":
			name = value
		case "id":
			id = value
		case "data":
			data = value
		case "":
			if name != "pulse" || id != "" {
				return name, id, data
			}
		}
	}
	require.Fail(t, "the stream ended", "%v", st.scan.Err())
	return "", "", ""
}

func TestTheStreamResumesWhereItStopped(t *testing.T) {
	s := newSite(t)
	s.setUp(t)
	first := s.stream(t, "")
	name, start, _ := first.next(t)
	require.Equal(t, "pulse", name)
	p := passage()
	s.share(t, event.TypePassage, p.ID, p)
	name, _, data := first.next(t)
	require.Equal(t, "change", name)
	require.Contains(t, data, `"passage-`+string(p.ID)+`"`)
	first.end()

	again := s.stream(t, start)
	name, here, data := again.next(t)
	require.Equal(t, "change", name, "what was missed is told")
	require.Contains(t, data, `"passage-`+string(p.ID)+`"`)
	again.end()

	name, _, _ = s.stream(t, here).next(t)
	require.Equal(t, "pulse", name, "nothing was missed")

	_, _, body := s.get(t, "/")
	_, rest, ok := strings.Cut(body, `data-live="`)
	require.True(t, ok)
	rendered, _, _ := strings.Cut(rest, `"`)
	s.share(t, event.TypePassage, p.ID, func() event.Passage { p.Version++; return p }())
	name, _, data = s.stream(t, rendered).next(t)
	require.Equal(t, "change", name, "what came between the page and its stream is told")
	require.Contains(t, data, `"passage-`+string(p.ID)+`"`)
	name, _, _ = s.stream(t, "another-run-5").next(t)
	require.Equal(t, "reset", name, "a place of another run means everything anew")
	for range 3000 {
		s.live.Notify([]store.Change{{Topic: "passage", Key: string(event.NewID(time.Now()))}})
	}
	name, _, _ = s.stream(t, here).next(t)
	require.Equal(t, "reset", name, "too much was missed to be listed")
}

// keep puts a piece of evidence into the store as a record names it.
func (s *site) keep(t *testing.T, data []byte, media string) string {
	t.Helper()
	digest := event.Digest(data)
	p := passage()
	p.Photos = []event.Photo{{Image: event.Evidence{SHA256: digest, MediaType: media, Bytes: int64(len(data))}}}
	s.share(t, event.TypePassage, p.ID, p)
	_, err := s.store.TakeChunk(t.Context(), store.Chunk{SHA256: digest, Size: int64(len(data)), Data: data})
	require.NoError(t, err)
	return digest
}

func TestEvidenceIsShownAsBrowsersCan(t *testing.T) {
	s := newSite(t)
	s.setUp(t)
	deep := image.NewGray16(image.Rect(0, 0, 64, 32))
	for i := range 64 * 32 {
		deep.SetGray16(i%64, i/64, color.Gray16{Y: uint16(20_000 + i)})
	}
	var asPNG, asTIFF bytes.Buffer
	require.NoError(t, png.Encode(&asPNG, deep))
	require.NoError(t, tiff.Encode(&asTIFF, deep, nil))
	for media, data := range map[string][]byte{"image/png": asPNG.Bytes(), "image/tiff": asTIFF.Bytes()} {
		digest := s.keep(t, data, media)
		status, h, body := s.get(t, "/evidence/"+digest)
		require.Equal(t, http.StatusOK, status, media)
		require.Equal(t, "image/png", h.Get("Content-Type"))
		shown, err := png.Decode(strings.NewReader(body))
		require.NoError(t, err)
		gray, ok := shown.(*image.Gray)
		require.True(t, ok, "%T has 8 bits", shown)
		require.Less(t, gray.GrayAt(0, 0).Y, uint8(8), "the window is stretched")
		require.Greater(t, gray.GrayAt(63, 31).Y, uint8(247))

		_, h, body = s.get(t, "/evidence/"+digest+"/original")
		require.Equal(t, string(data), body, "the original is the stored bytes")
		require.Contains(t, h.Get("Content-Disposition"), "attachment")
		status, _, _ = s.get(t, "/evidence/"+digest+"/crop?box=10,10,20,10")
		require.Equal(t, http.StatusOK, status)
		for _, bad := range []string{"crop?box=900,900,10,10", "crop?box=1,2", "crop?box=0,0,99999999,1", "nonsense"} {
			status, _, _ = s.get(t, "/evidence/"+digest+"/"+bad)
			require.GreaterOrEqual(t, status, 400, bad)
		}
	}
	for name, data := range map[string][]byte{
		"empty": {}, "noise": []byte("not a picture"), "html": []byte("<script>alert(1)</script>"), "cut": asPNG.Bytes()[:60],
		"huge": hugePNG(t),
	} {
		status, h, _ := s.get(t, "/evidence/"+s.keep(t, data, "image/png"))
		require.Equal(t, http.StatusUnprocessableEntity, status, name)
		require.Contains(t, h.Get("Content-Type"), "text/plain", name)
	}
	status, _, _ := s.get(t, "/evidence/"+event.Digest([]byte("unknown")))
	require.Equal(t, http.StatusNotFound, status)
	status, _, _ = s.get(t, "/evidence/..%2f..%2fshared.db")
	require.Equal(t, http.StatusNotFound, status)
}

// hugePNG claims 30,000 by 30,000 pixels in its header.
func hugePNG(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, png.Encode(&b, image.NewGray(image.Rect(0, 0, 1, 1))))
	data := b.Bytes()
	copy(data[16:24], []byte{0, 0, 0x75, 0x30, 0, 0, 0x75, 0x30})
	return fixCRC(data)
}

func TestASilentGateHasNoDeviceStates(t *testing.T) {
	s := newSite(t)
	s.setUp(t)
	long := time.Now().Add(-time.Hour)
	d := event.DeviceChange{ID: event.NewID(long), Where: event.Where{Gate: "15BB", Lane: "01", Device: "rpm"}, State: event.Up, Since: long.UTC()}
	l, err := s.Add(event.TypeDevice, d.ID, "rpm", long, d)
	require.NoError(t, err)
	keys := uplink.Keys{Gates: map[string][]trust.Public{"15BB": {s.Key.Public()}}}
	e, _ := keys.Read("inbox.record.15BB", l.NATSHeader(), l.Payload)
	_, err = s.store.Commit(t.Context(), store.Batch{Events: []store.Event{e}})
	require.NoError(t, err)
	_, _, body := s.get(t, "/")
	require.Regexp(t, `class="device is-up silent" id="device-15BB-01-rpm"`, body)
	require.Contains(t, body, "Cửa khẩu không gửi gì")
}

func TestPagesAreCompleteInBothLanguages(t *testing.T) {
	s := newSite(t)
	s.setUp(t)
	p := passage()
	p.Radiation = consoletest.Profile(time.Now(), true)
	s.share(t, event.TypePassage, p.ID, p)
	for _, language := range []string{"vi", "en"} {
		s.post(t, "/language", url.Values{"language": {language}, "back": {"/"}})
		for _, path := range []string{"/", "/alerts", "/status", "/passages/" + string(p.ID)} {
			status, _, body := s.get(t, path)
			require.Equal(t, http.StatusOK, status)
			require.Contains(t, body, `<html lang="`+language+`"`)
			require.NotContains(t, body, "@clock", path)
			require.NotContains(t, body, "@age", path)
			require.NotContains(t, body, "%!", path)
		}
	}
	status, _, body := s.get(t, "/passages/none")
	require.Equal(t, http.StatusNotFound, status)
	require.Contains(t, body, "There is no such page")
}

func TestTheFrontEndIsEmbedded(t *testing.T) {
	s := newSite(t)
	_, _, body := s.get(t, "/login")
	for _, part := range []string{`src="`, `rel="stylesheet" href="`} {
		_, rest, ok := strings.Cut(body, part)
		require.True(t, ok, part)
		path, _, _ := strings.Cut(rest, `"`)
		status, h, content := s.get(t, path)
		require.Equal(t, http.StatusOK, status, path)
		require.Contains(t, h.Get("Cache-Control"), "immutable")
		require.NotContains(t, content, "https://fonts.", path)
	}
	entries, err := os.ReadDir("dist")
	require.NoError(t, err)
	var fonts int
	for _, e := range entries {
		if filepath.Ext(e.Name()) == ".woff2" {
			fonts++
		}
	}
	require.Positive(t, fonts, fmt.Sprint(entries))
}
