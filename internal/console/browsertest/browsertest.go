// Package browsertest runs consoles and a real browser for tests: each console
// against the hub of a consoletest.Site, the browser by chromedp.
package browsertest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"gatehouse/internal/console"
	"gatehouse/internal/console/consoletest"
	"gatehouse/internal/event"
	"gatehouse/internal/trust"
)

// Config is a configuration of a console of the site, with its keys made, in a
// folder of its own.
func Config(t testing.TB, site *consoletest.Site, agency event.Agency) console.Config {
	t.Helper()
	dir := t.TempDir()
	gate := filepath.Join(dir, "gate.pub")
	require.NoError(t, os.WriteFile(gate, site.Key.Public().PEM(), 0o600))
	c := console.Config{
		Agency: agency, Listen: "127.0.0.1:0", Store: filepath.Join(dir, "store"), Language: "vi",
		Hub:   console.Hub{URL: site.Hub.URL(), NkeySeed: filepath.Join(dir, "hub.nkey")},
		Gates: []console.Gate{{ID: site.Gate, Name: event.Text{VI: "Cửa khẩu Hữu Nghị", EN: "Huu Nghi gate"}, Key: gate, Silence: 45 * time.Second}},
	}
	// The hub knows the site's own seed for the agency.
	site.WriteSeed(t, agency, c.Hub.NkeySeed)
	_, err := console.Init(c)
	require.NoError(t, err)
	_, err = trust.LoadSeed(c.Hub.NkeySeed)
	require.NoError(t, err)
	return c
}

// Start runs a console until the test ends, or until stop is called.
func Start(t testing.TB, c console.Config) (x *console.Console, stop func()) {
	t.Helper()
	x, err := console.New(context.Background(), c, slog.New(slog.DiscardHandler), nil)
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- x.Run(ctx) }()
	stopped := false
	stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		if err := <-done; err != nil {
			t.Errorf("console of %s: %v", c.Agency, err)
		}
	}
	t.Cleanup(stop)
	return x, stop
}

// Look is how a page is shown.
type Look struct {
	Width, Height int64
	Dark          bool
	// Limit is how long the window may be in use; zero means three minutes.
	Limit time.Duration
}

// Browser opens a window of a real browser, or skips the test aloud where
// there is none. The window is closed when the test ends.
func Browser(t testing.TB, look Look) context.Context {
	t.Helper()
	path, err := exec.LookPath("chromium")
	if err != nil {
		t.Skip("SKIPPED: there is no chromium on this machine, so the pages were not tested in a browser")
	}
	opts := []chromedp.ExecAllocatorOption{
		chromedp.ExecPath(path), chromedp.UserDataDir(t.TempDir()), chromedp.WindowSize(int(look.Width), int(look.Height)),
		chromedp.Headless, chromedp.NoSandbox, chromedp.DisableGPU, chromedp.NoFirstRun, chromedp.NoDefaultBrowserCheck,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true), chromedp.Flag("hide-scrollbars", true),
	}
	alloc, cancelAlloc := chromedp.NewExecAllocator(context.Background(), opts...)
	ctx, cancel := chromedp.NewContext(alloc)
	limit, cancelLimit := context.WithTimeout(ctx, cmp.Or(look.Limit, 3*time.Minute))
	t.Cleanup(func() {
		// Cancel waits for the browser to end; it cannot fail when it has.
		_ = chromedp.Cancel(ctx)
		cancelLimit()
		cancel()
		cancelAlloc()
	})
	scheme := "light"
	if look.Dark {
		scheme = "dark"
	}
	Do(t, limit, chromedp.EmulateViewport(look.Width, look.Height))
	_, err = chromedp.Call(limit, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
	})
	require.NoError(t, err)
	return limit
}

// Tab opens another page in the window's browser, as people do with the same
// console. It is closed when the test ends, or by close.
func Tab(t testing.TB, window context.Context, look Look) (tab context.Context, closeTab func()) {
	t.Helper()
	ctx, cancel := chromedp.NewContext(window)
	limit, cancelLimit := context.WithTimeout(ctx, cmp.Or(look.Limit, 3*time.Minute))
	closeTab = sync.OnceFunc(func() {
		// Cancel waits for the page to close; it cannot fail when it has.
		_ = chromedp.Cancel(ctx)
		cancelLimit()
		cancel()
	})
	t.Cleanup(closeTab)
	Do(t, ctx) // makes the page, and binds it to no time limit
	Do(t, limit, chromedp.EmulateViewport(look.Width, look.Height))
	return limit, closeTab
}

// Notices makes every page that the window loads from now on keep a list of its
// desktop notifications in window.notices, and lets the console notify. A
// browser without a screen gives every page the focus, so that Away plays that
// part.
func Notices(t testing.TB, window context.Context, x *console.Console) {
	t.Helper()
	_, err := chromedp.CallBrowser(window, browser.SetPermission, browser.SetPermissionParams{
		Permission: &browser.PermissionDescriptor{Name: "notifications"}, Setting: browser.PermissionSettingGranted, Origin: x.URL(),
	})
	require.NoError(t, err)
	_, err = chromedp.Call(window, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: `
		window.notices = [];
		const Native = window.Notification;
		window.Notification = class extends Native {
			constructor(title, options) {
				super(title, options);
				this.notice = {title, body: options.body, tag: options.tag, open: true};
				window.notices.push(this.notice);
			}
			close() { this.notice.open = false; super.close(); }
		};
		document.hasFocus = () => sessionStorage.getItem("away") !== "yes";`})
	require.NoError(t, err)
}

// Away turns the officer's eyes away from a page, or back to it.
func Away(t testing.TB, tab context.Context, yes bool) {
	t.Helper()
	script := `sessionStorage.removeItem("away"); window.dispatchEvent(new Event("focus"))`
	if yes {
		script = `sessionStorage.setItem("away", "yes"); window.dispatchEvent(new Event("blur"))`
	}
	Do(t, tab, chromedp.Evaluate[chromedp.Void](script))
}

// Do runs browser actions.
func Do(t testing.TB, browser context.Context, actions ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	require.NoError(t, chromedp.Do(browser, actions...))
}

// Keys presses keys one after the other once the page has been painted. Chromium
// throws away what is typed before, so that nobody acts on what is not to be
// seen yet; on a busy machine that is long after the page was loaded.
func Keys(t testing.TB, browser context.Context, keys ...string) {
	t.Helper()
	Until(t, browser, `performance.getEntriesByType("paint").length > 0`)
	for _, k := range keys {
		Do(t, browser, chromedp.KeyEvent(k))
	}
}

// Password is the one that SetUp gives.
const Password = "mật khẩu thử nghiệm"

// SetUp follows the set-up link and makes the first account.
func SetUp(t testing.TB, browser context.Context, x *console.Console) {
	t.Helper()
	link, err := x.SetupLink(t.Context())
	require.NoError(t, err)
	FirstAccount(t, browser, link)
}

// FirstAccount makes the first account of the console whose set-up link it is,
// and leaves the window at its board.
func FirstAccount(t testing.TB, browser context.Context, link string) {
	t.Helper()
	Do(t, browser,
		chromedp.Navigate(link),
		chromedp.SendKeys(chromedp.CSS(`input[name=login]`), "an.nguyen"),
		chromedp.SendKeys(chromedp.CSS(`input[name=name]`), "Nguyễn Văn An"),
		chromedp.SendKeys(chromedp.CSS(`input[name=password]`), Password),
		chromedp.SendKeys(chromedp.CSS(`input[name=repeat]`), Password),
		chromedp.Click(chromedp.CSS(`button.main`)),
		chromedp.WaitVisible(chromedp.CSS(`#passages`)))
}

// Until waits until a JavaScript condition holds in the page, whatever pages
// come and go meanwhile.
func Until(t testing.TB, browser context.Context, condition string) {
	t.Helper()
	deadline := time.Now().Add(60 * time.Second)
	for {
		// While a page is being replaced an evaluation fails, and is tried again.
		ok, err := chromedp.Run(browser, chromedp.Evaluate[bool]("Boolean("+condition+")"))
		if err == nil && ok {
			return
		}
		if browser.Err() != nil || time.Now().After(deadline) {
			text, _ := chromedp.Run(browser, chromedp.Text(chromedp.CSS(`body`))) // only to help whoever reads the failure
			require.FailNow(t, "the page did not come to this", "%s\n(%v)\nthe page says:\n%s", condition, err, text)
		}
		select {
		case <-browser.Done():
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// Shot keeps a screenshot where GATEHOUSE_SCREENSHOTS says; without it nothing
// is kept.
func Shot(t testing.TB, browser context.Context, name string) {
	t.Helper()
	dir := os.Getenv("GATEHOUSE_SCREENSHOTS")
	if dir == "" {
		return
	}
	png, err := chromedp.Run(browser, chromedp.CaptureScreenshot())
	require.NoError(t, err)
	require.NoError(t, os.MkdirAll(dir, 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(dir, fmt.Sprintf("%s.png", name)), png, 0o644))
}

// ErrNoChecker says that the accessibility checker was not installed.
var ErrNoChecker = errors.New("axe-core is not installed; run `npm ci --ignore-scripts` in internal/console/web")

// Accessible checks the page with axe against WCAG 2 AA. Where the checker was
// not installed it says so aloud and goes on.
func Accessible(t testing.TB, browser context.Context) {
	t.Helper()
	found, err := Faults(t, browser)
	if errors.Is(err, ErrNoChecker) {
		t.Log("SKIPPED: accessibility was not checked:", err)
		return
	}
	require.NoError(t, err)
	require.Empty(t, found, "accessibility")
}

// Faults lists what axe finds on the page against WCAG 2 AA; empty when it
// finds nothing.
func Faults(t testing.TB, browser context.Context) (string, error) {
	t.Helper()
	_, here, _, _ := runtime.Caller(0)
	axe, err := os.ReadFile(filepath.Join(filepath.Dir(here), "..", "web", "node_modules", "axe-core", "axe.min.js"))
	if err != nil {
		return "", ErrNoChecker
	}
	if _, err = chromedp.Run(browser, chromedp.Evaluate[bool](string(axe)+"; true")); err != nil {
		return "", err
	}
	return chromedp.Run(browser, chromedp.Evaluate[string](`axe.run(document, {runOnly: ["wcag2a", "wcag2aa", "wcag21aa"]}).then(r =>
		r.violations.map(v => v.id + ": " + v.help + "\n" + v.nodes.map(n => "  " + n.target + "\n    " + n.failureSummary.replace(/\n/g, " ")).join("\n")).join("\n"))`,
		chromedp.EvalAwaitPromise))
}
