package console_test

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatehouse/internal/console"
	"gatehouse/internal/console/browsertest"
	"gatehouse/internal/console/consoletest"
	"gatehouse/internal/console/store"
	"gatehouse/internal/console/web"
	"gatehouse/internal/console/web/lang"
	"gatehouse/internal/event"
)

// ask gets a page as a browser does.
func ask(t *testing.T, client *http.Client, url string) (int, http.Header, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	require.NoError(t, err)
	r.Header.Set("Accept", "text/html,*/*;q=0.8")
	answer, err := client.Do(r)
	if err != nil {
		return 0, nil, ""
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	require.NoError(t, err)
	return answer.StatusCode, answer.Header, string(body)
}

func TestWhileTheStoreIsMadeReadyBrowsersAreToldSo(t *testing.T) {
	site := consoletest.NewSite(t, "15BB")
	c := browsertest.Config(t, site, event.Customs)
	_, stop := browsertest.Start(t, c)
	stop()
	free, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	c.Listen = free.Addr().String()
	require.NoError(t, free.Close())

	write, read, err := store.OpenDatabase(filepath.Join(c.Store, store.File))
	require.NoError(t, err)
	defer func() { require.NoError(t, write.Close()); require.NoError(t, read.Close()) }()
	hold, err := write.BeginTx(t.Context(), nil) // the next to write waits
	require.NoError(t, err)
	made := make(chan *console.Console, 1)
	go func() {
		x, err := console.New(context.Background(), c, slog.New(slog.DiscardHandler), nil)
		if err != nil {
			t.Error(err)
		}
		made <- x
	}()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	require.Eventually(t, func() bool {
		status, _, _ := ask(t, client, "http://"+c.Listen+"/alerts")
		return status == http.StatusServiceUnavailable
	}, 9*time.Second, 10*time.Millisecond)
	status, _, _ := ask(t, client, "http://"+c.Listen+"/healthz")
	require.Equal(t, http.StatusServiceUnavailable, status)
	require.NoError(t, hold.Rollback())

	x := <-made
	require.NotNil(t, x)
	status, _, body := ask(t, client, "http://"+c.Listen+"/healthz")
	require.Equal(t, http.StatusOK, status)
	require.Contains(t, body, "store: ok")
	require.NoError(t, x.Close())
	status, _, _ = ask(t, client, "http://"+c.Listen+"/healthz")
	require.Zero(t, status, "nothing listens any more")
}

func TestThePageOfABusyStoreTellsHowFarItIsInBothLanguages(t *testing.T) {
	gates := []web.Gate{{ID: "15BB", Name: event.Text{VI: "Cửa khẩu Hữu Nghị", EN: "Huu Nghi gate"}}}
	busy, err := web.NewBusy(event.BorderGuard, gates, lang.VI)
	require.NoError(t, err)
	site := httptest.NewServer(busy.Handler())
	defer site.Close()
	_, _, body := ask(t, site.Client(), site.URL)
	require.Contains(t, body, ": 0 %", "the number of events is not known yet")
	busy.Progress(150_000, 400_000)
	status, h, body := ask(t, site.Client(), site.URL+"/passages/X")
	require.Equal(t, http.StatusServiceUnavailable, status)
	require.NotEmpty(t, h.Get("Refresh"), "the page opens by itself")
	require.Contains(t, h.Get("Content-Security-Policy"), "default-src 'none'")
	for _, text := range []string{"Biên phòng", "Đang chuẩn bị dữ liệu: 37 %", "Không mất gì", "Nothing is lost"} {
		require.Contains(t, body, text)
	}
	require.NotContains(t, body, "<script")
	answer, err := site.Client().Post(site.URL+"/login", "text/plain", nil)
	require.NoError(t, err)
	require.NoError(t, answer.Body.Close())
	require.Equal(t, http.StatusServiceUnavailable, answer.StatusCode)
	require.NotEmpty(t, answer.Header.Get("Retry-After"))
}
