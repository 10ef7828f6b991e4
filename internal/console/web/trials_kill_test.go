package web_test

import (
	"bufio"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"gatehouse/internal/console/private"
	"gatehouse/internal/console/store"
	"gatehouse/internal/console/tip"
	"gatehouse/internal/console/uplink"
	"gatehouse/internal/console/web"
	"gatehouse/internal/event"
	"gatehouse/internal/trust"
)

// childEnv makes this test binary a console's pages over the store of a folder,
// which serve until they are killed.
const childEnv = "GATEHOUSE_TEST_PAGES_CHILD"

func TestMain(m *testing.M) {
	if dir := os.Getenv(childEnv); dir != "" {
		fmt.Fprintln(os.Stderr, child(dir))
		os.Exit(1)
	}
	goleak.VerifyTestMain(m)
}

// child serves pages on which every scan is a trial with a threat, and prints
// where they are.
func child(dir string) error {
	ctx, log := context.Background(), slog.New(slog.DiscardHandler)
	key, err := trust.NewPrivate()
	if err != nil {
		return err
	}
	shared, err := store.Open(ctx, store.Options{Dir: dir, Agency: event.Customs, Seal: uplink.Sealer(event.Customs, key), Log: log})
	if err != nil {
		return err
	}
	own, err := private.Open(ctx, dir, event.Customs, time.Now)
	if err != nil {
		return err
	}
	trials, err := tip.Open(filepath.Join(dir, tip.File), time.Now, (&draws{next: "threat"}).draw)
	if err != nil {
		return err
	}
	pages, err := web.New(web.Options{
		Agency: event.Customs, Gates: []web.Gate{{ID: "15BB", Silence: time.Minute}}, Language: "vi", Store: shared, Private: own,
		Trials: trials, Uplink: still{}, Live: web.NewLive(time.Now()), Log: log, Now: time.Now,
	})
	if err != nil {
		return err
	}
	fmt.Println(httptest.NewServer(pages.Handler()).URL)
	select {}
}

// TestKilledInATrialThePassageIsUndecidedAndTheRecordWhole kills the console
// after each step of a trial, and goes on with the next one after a new start.
func TestKilledInATrialThePassageIsUndecidedAndTheRecordWhole(t *testing.T) {
	s := newSite(t)
	s.setUp(t)
	officer := s.as(t, private.Officer)
	p := s.scanned(t, 1)
	status, _, _ := s.post(t, "/trials", url.Values{"lane": {"15BB/01"}, "on": {"yes"}, "share": {"20"}})
	require.Equal(t, http.StatusSeeOther, status)
	before := s.shared(t)
	s.close()

	path, digest := "/passages/"+string(p.ID), p.Scans[0].Image.SHA256
	var killed func()
	start := func() {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), os.Args[0])
		cmd.Env = append(os.Environ(), childEnv+"="+s.dir)
		cmd.Stderr = os.Stderr
		out, err := cmd.StdoutPipe()
		require.NoError(t, err)
		require.NoError(t, cmd.Start())
		line, err := bufio.NewReader(out).ReadString('\n')
		require.NoError(t, err)
		officer.url = strings.TrimSpace(line) // its session goes on: cookies know no ports
		killed = func() {
			officer.browser.CloseIdleConnections()
			require.NoError(t, cmd.Process.Kill())
			require.Error(t, cmd.Wait(), "it was killed")
		}
	}
	again := func() { t.Helper(); killed(); start() }
	undecided := func() {
		t.Helper()
		killed()
		s.reopen(t)
		require.Equal(t, before, s.shared(t), "the shared tables and the outbox are as they were")
		s.close()
		start()
	}
	start()
	_, _, page := officer.get(t, path)
	shown := officer.looks(t, digest)
	undecided()
	require.True(t, strip(shown["/deep"]) == strip(officer.looks(t, digest)["/deep"]), "the trial goes on, and shows the same")
	status, _, body := officer.post(t, path+"/verdict", form(t, page, "RELEASE"))
	require.Equal(t, http.StatusSeeOther, status, body)
	undecided()
	_, _, page = officer.get(t, path)
	require.Contains(t, page, "Bạn đã bỏ qua vật giả", "what it was is told after the new start")
	require.False(t, strip(shown["/deep"]) == strip(officer.looks(t, digest)["/deep"]), "and the real scan is shown")
	undecided()
	status, _, body = officer.post(t, path+"/verdict", form(t, page, "RELEASE"))
	require.Equal(t, http.StatusSeeOther, status, body)
	again()
	_, _, page = officer.get(t, path)
	require.NotContains(t, page, `id="trial"`)
	killed()

	s.reopen(t)
	got, err := s.store.Passage(t.Context(), p.ID)
	require.NoError(t, err)
	require.Len(t, got.Verdicts, 1, "the real decision, once")
	require.Equal(t, []tip.Rates{{Reviewer: got.Verdicts[0].Badge, Projected: 1}}, s.trials.Rates())
}
