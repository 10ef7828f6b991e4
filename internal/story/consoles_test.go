//go:build story

package story_test

import (
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"gatehouse/internal/console/browsertest"
	"gatehouse/internal/event"
	"gatehouse/internal/sim/book"
)

// both are the screens of the two agencies.
type both struct {
	*gate
	customs *window
	guard   *window
}

func (s *both) windows() []*window { return []*window{s.customs, s.guard} }

// TestTwoConsoles is what an onlooker of the demo sees, on both screens at once.
func TestTwoConsoles(t *testing.T) {
	t.Parallel()
	const scene = "consoles.yaml"
	g := newGate(t, scene)
	s := &both{gate: g}
	s.customs, s.guard = g.window(event.Customs, false), g.window(event.BorderGuard, true)
	g.start(scene)
	s.firstAccounts()

	hot := s.sameBoards()
	s.sameRecord(hot)
	s.verdicts(hot)
	s.cable()
	s.killedConsole(event.Customs)
	s.restartedDaemon()
	s.end()
}

// firstAccounts follows both set-up links to two empty boards with devices.
func (s *both) firstAccounts() {
	for _, w := range s.windows() {
		link, err := s.stage.Output(s.within(patience), "gatehouse-console", "url", "--config", s.stage.Config(w.agency))
		require.NoError(s.t, err)
		browsertest.FirstAccount(s.t, w.ctx, strings.TrimSpace(string(link)))
		again, err := s.stage.Output(s.within(patience), "gatehouse-console", "url", "--config", s.stage.Config(w.agency))
		require.NoError(s.t, err)
		require.NotContains(s.t, string(again), "token", "the link works once")
	}
	for _, w := range s.windows() {
		w.until(`document.querySelectorAll("#lane-15BB-01 .device.is-up:not(.silent)").length === 7`)
	}
	s.say("both consoles have their first account and show the goods lane's seven devices at work")
}

// sameBoards waits for lorries and a hidden object among them, and checks that
// both boards show the same. It gives the alarming lorry.
func (s *both) sameBoards() subject {
	since := time.Now()
	hot := s.lorry("with a source and a hidden object", func(v book.Truth) bool {
		return v.Began.After(since) && v.Rad.GammaAlarm && v.Scan.Threat && v.Scan.Image != ""
	})
	for _, w := range s.windows() {
		w.until(`document.querySelectorAll("#passages tr.is-closed").length >= 2`)
	}
	found := s.find(hot)
	var customs, guard row
	s.until("the same row on both boards", func() (bool, error) {
		customs, guard = s.rowOf(s.customs, hot), s.rowOf(s.guard, hot)
		return customs.State == "is-closed" && len(customs.Alerts) >= 2 && reflect.DeepEqual(customs, guard), nil
	})
	require.Equal(s.t, hot.Display, customs.Plate, "the plate that the lorry really has")
	for _, said := range customs.Looked {
		require.NotContains(s.t, said, "KHÔNG")
	}
	s.until("equal boards", func() (bool, error) {
		a, b := closed(s.customs.board()), closed(s.guard.board())
		return len(a) >= 2 && reflect.DeepEqual(a, b), nil
	})
	for _, w := range s.windows() {
		w.shot("1-board")
		w.fits()
	}
	s.say("both boards show %s as %s with %s", hot.Vehicle, customs.Plate, strings.Join(customs.Alerts, ", "))
	return found
}

// subject is a lorry and the passage that shows it.
type subject struct {
	truth book.Truth
	id    event.ID
}

// find waits until both boards show the lorry, by its photo, in one and the
// same passage each.
func (s *both) find(v book.Truth) subject {
	s.t.Helper()
	var ids []event.ID
	s.until(v.Vehicle+" on both boards", func() (bool, error) {
		ids = nil
		for _, w := range s.windows() {
			for _, r := range w.board() {
				if _, own := plateAt(v, r.Photo); own {
					ids = append(ids, r.ID)
				}
			}
		}
		return len(ids) >= 2, nil
	})
	require.Len(s.t, ids, 2)
	require.Equal(s.t, ids[0], ids[1])
	return subject{v, ids[0]}
}

// plateAt is where the plate is on a front picture of the lorry; false when the
// picture is of none or of another.
func plateAt(v book.Truth, photo string) ([4]float64, bool) {
	for _, s := range append(slices.Clone(v.Burst), book.Shot{Photo: v.Photo, Box: v.Box}) {
		if s.Photo == photo && len(s.Box) == 4 {
			return [4]float64{float64(s.Box[0]), float64(s.Box[1]), float64(s.Box[2]), float64(s.Box[3])}, true
		}
	}
	return [4]float64{}, false
}

// rowOf is the lorry's row, or none.
func (s *both) rowOf(w *window, v book.Truth) row {
	for _, r := range w.board() {
		if _, own := plateAt(v, r.Photo); own {
			return r
		}
	}
	return row{}
}

func closed(rows []row) []row {
	return slices.DeleteFunc(rows, func(r row) bool { return r.State != "is-closed" })
}

// sameRecord opens the passage on both and compares it with the truth.
func (s *both) sameRecord(x subject) {
	var pages []page
	for _, w := range s.windows() {
		w.open("/passages/"+string(x.id), "#verdicts")
		w.until(`document.querySelectorAll("#scans svg.marks rect").length > 0 && document.querySelectorAll("#photos svg.marks rect").length > 0`)
		w.loaded()
		w.until(`document.querySelectorAll("#verdicts .receipt .tick").length === 2`)
	}
	s.until("the same record on both", func() (bool, error) {
		pages = []page{s.customs.passage(), s.guard.passage()}
		return reflect.DeepEqual(pages[0], pages[1]), nil
	})
	p, truth := pages[0], x.truth
	require.Equal(s.t, truth.Display, p.Plate)
	require.Len(s.t, p.Photos, 2, "front and rear")
	box, own := plateAt(truth, p.Photos[0].Digest)
	require.True(s.t, own, "one of the burst's pictures stands for it")
	require.Equal(s.t, truth.RearPhoto, p.Photos[1].Digest)
	require.Len(s.t, truth.Burst, 2, "the camera takes three pictures of each lorry")
	require.Equal(s.t, "3/3 ảnh đọc như nhau", p.Votes, "the plate was voted on")
	require.Greater(s.t, overlap(p.Photos[0].Marks[0], box), 0.4, "the plate's mark %v, the plate is at %v", p.Photos[0].Marks, box)
	require.Len(s.t, p.Scans, 1)
	require.Equal(s.t, truth.Scan.Image, p.Scans[0].Digest)
	require.NotEmpty(s.t, truth.Scan.Boxes)
	hidden := truth.Scan.Boxes[0]
	best := 0.0
	for _, m := range p.Scans[0].Marks {
		best = max(best, overlap(m, [4]float64{float64(hidden[0]), float64(hidden[1]), float64(hidden[2]), float64(hidden[3])}))
	}
	require.Greater(s.t, best, 0.2, "no mark of %v is on the hidden object at %v", p.Scans[0].Marks, hidden)
	require.True(s.t, p.Alarm, "the radiation profile is marked as an alarm")
	require.Greater(s.t, p.Profile, 5, "the radiation profile has a course")
	require.Len(s.t, p.Coverage, 6, "two cameras, radiation portal, X-ray, weighbridge and image analysis")
	require.Equal(s.t, fmt.Sprintf("%.0f", truth.Weight.GrossKG), p.Weight, "the weight that the lorry really has")
	for _, c := range p.Coverage {
		require.False(s.t, c.Blind, "%s: %s", c.Device, c.Text)
	}
	require.GreaterOrEqual(s.t, len(p.Findings), 2)
	require.GreaterOrEqual(s.t, p.Severe, 1)
	require.NotEmpty(s.t, p.Versions)
	require.Len(s.t, p.Versions[0], 5)
	require.Len(s.t, p.Versions[0][4], 64, "the head is a SHA-256")
	require.Positive(s.t, p.Readings)
	for _, w := range s.windows() {
		w.shot("2-passage")
	}
	s.say("the record of %s is the same on both: plate at %.2f, hidden %v marked at %.2f overlap, %d versions, findings %s",
		truth.Vehicle, overlap(p.Photos[0].Marks[0], box), truth.Scan.Kinds, best, len(p.Versions), strings.Join(p.Findings, "; "))
}

// overlap is how much of two boxes is common: intersection over union.
func overlap(a, b [4]float64) float64 {
	w := min(a[0]+a[2], b[0]+b[2]) - max(a[0], b[0])
	h := min(a[1]+a[3], b[1]+b[3]) - max(a[1], b[1])
	if w <= 0 || h <= 0 {
		return 0
	}
	return w * h / (a[2]*a[3] + b[2]*b[3] - w*h)
}

// verdicts lets both officers decide differently, and each sees the other's on
// the page that is open.
func (s *both) verdicts(x subject) {
	const reason, other = "Đo lại bằng máy cầm tay, kiểm tra thùng hàng", "Kali khai trên tờ khai, người lái có giấy tờ"
	s.guard.mark()
	s.customs.decide("3", reason)
	s.guard.until(`document.querySelector("#verdicts .side.customs .decision:not(.pending)")?.textContent === "Tạm giữ"`)
	s.guard.until(`document.querySelector("#verdicts .side.customs .reason")?.textContent === ` + quoted(reason))
	s.guard.untouched()
	require.Equal(s.t, "Hải quan", see[string](s.guard, `document.querySelector("#verdicts .side.customs h3").textContent`))
	require.Regexp(s.t, `HQ-\d{4}`, see[string](s.guard, `document.querySelector("#verdicts .side.customs").textContent`))
	require.NotContains(s.t, see[string](s.guard, `document.querySelector("#verdicts").textContent`), "Nguyễn Văn An", "names stay with their agency")

	s.customs.mark()
	s.guard.decide("1", other)
	s.customs.until(`document.querySelector("#verdicts .side.borderguard .decision:not(.pending)")?.textContent === "Cho qua"`)
	s.customs.until(`document.querySelector("#verdicts .side.borderguard .reason")?.textContent === ` + quoted(other))
	s.customs.untouched()
	for _, w := range s.windows() {
		w.until(`document.querySelector("#verdicts .disagreement")?.textContent === "Hai cơ quan quyết định khác nhau"`)
		w.until(`document.querySelectorAll("#verdicts .decision:not(.pending)").length === 2`)
		w.until(`document.querySelectorAll("#verdicts .receipt .tick").length === 2`)
		require.Equal(s.t, []string{"Tạm giữ", "Cho qua"}, w.passage().Decisions)
	}
	left := s.customs.shot("3-disagree")
	s.guard.shot("3-disagree")
	s.say("each page showed the other agency's verdict by itself, and both say that they disagree")

	s.language("en", "Hold", "Release", "The agencies disagree")
	right := s.guard.shot("4-english")
	s.language("vi", "Tạm giữ", "Cho qua", "Hai cơ quan quyết định khác nhau")
	if os.Getenv("UPDATE_PICTURE") != "" {
		s.picture(left, right)
	}
	for _, w := range s.windows() {
		w.open("/", "#passages")
		w.until(`document.querySelector("#p-` + string(x.id) + ` .verdicts.disagree") !== null`)
	}
}

// language switches the Border Guard's page.
func (s *both) language(to, hold, release, disagree string) {
	w := s.guard
	w.do(chromedp.Click(chromedp.CSS(`header button[lang=` + to + `]`)))
	w.until(`document.documentElement.lang === "` + to + `" && document.querySelector("#verdicts .disagreement")?.textContent === ` + quoted(disagree))
	w.until(`document.body.classList.contains("on-line")`)
	p := w.passage()
	require.Equal(s.t, []string{hold, release}, p.Decisions)
	s.say("in %q the page says %q, %q and finds: %s", to, hold, release, strings.Join(p.Findings, "; "))
}

// cable pulls the radiation portal's cable and puts it back.
func (s *both) cable() {
	for _, w := range s.windows() {
		w.mark()
	}
	pulled := time.Now()
	s.fault("unplug", "rpm", "--for", "10m")
	for _, w := range s.windows() {
		w.until(`document.querySelector("#device-15BB-01-rpm.is-down") !== null`)
	}
	s.say("both boards show the radiation portal down %.1f s after its cable was pulled", time.Since(pulled).Seconds())
	// The lorry that was in the portal has no end, so the gate waits for one and
	// may take the photo of the next lorry for its own. The one behind is judged.
	const missingEnd = 6 * time.Second
	blind := s.find(s.lorry("that passed while the cable was out", func(v book.Truth) bool { return v.Began.After(pulled.Add(missingEnd)) }))
	for _, w := range s.windows() {
		w.until(`document.querySelector("#p-` + string(blind.id) + ` .dot.blind") !== null`)
		w.untouched()
		w.shot("5-cable")
		w.fits()
		w.open("/passages/"+string(blind.id), "#verdicts")
		w.until(`[...document.querySelectorAll("#coverage li.blind")].some(l => l.textContent.includes("KHÔNG"))`)
		p := w.passage()
		require.Zero(s.t, p.Profile, "nobody measured")
		at := slices.IndexFunc(p.Coverage, func(c looked) bool { return c.Blind })
		s.say("%s says of the lorry meanwhile: %s %s; findings %s", w.agency, p.Coverage[at].Device, p.Coverage[at].Text, strings.Join(p.Findings, "; "))
		require.Contains(s.t, strings.ToLower(p.Coverage[at].Device), "phóng xạ")
		w.shot("6-blind")
		w.open("/", "#passages")
	}
	s.clear("unplug", "rpm")
	for _, w := range s.windows() {
		w.until(`document.querySelector("#device-15BB-01-rpm.is-up") !== null`)
	}
	back := time.Now()
	seen := s.find(s.lorry("after the cable was put back", func(v book.Truth) bool { return v.Began.After(back) }))
	for _, w := range s.windows() {
		w.until(`document.querySelector("#p-` + string(seen.id) + `.is-closed") !== null && document.querySelector("#p-` + string(seen.id) + ` .dot.blind") === null`)
	}
	s.say("the cable is back, and the next lorry was measured")
}

// killedConsole kills a console and starts it again; its page reconnects.
func (s *both) killedConsole(a event.Agency) {
	w := s.customs
	w.mark()
	before := closed(w.board())
	s.consoles[a].Kill()
	w.until(`document.body.classList.contains("cut-off") && getComputedStyle(document.querySelector("#live-lost")).display !== "none"`)
	w.keep("7-console-lost") // what was on its way when the console died never comes
	killed := time.Now()
	s.startConsole(a)
	w.until(`document.body.classList.contains("on-line") && getComputedStyle(document.querySelector("#live-lost")).display === "none"`)
	v := s.lorry("after the console was killed", func(v book.Truth) bool { return v.Began.After(killed) })
	s.find(v)
	s.keeps(w, before)
	w.untouched()
	s.say("a killed console's page came back by itself, with %d passages as before and the next lorry", len(before))
}

// keeps checks that the board still shows what it showed, as far as it reaches.
func (s *both) keeps(w *window, before []row) {
	s.t.Helper()
	now := w.board()
	const reach = 40 // passages on a board
	for _, old := range before {
		at := slices.IndexFunc(now, func(r row) bool { return r.ID == old.ID })
		if at < 0 && len(now) >= reach {
			continue // further down than the board reaches
		}
		require.GreaterOrEqual(s.t, at, 0, "passage %s (%s) is not on the board of %s any more", old.ID, old.Plate, w.agency)
		require.Equal(s.t, old.Plate, now[at].Plate)
		require.Equal(s.t, old.Photo, now[at].Photo)
	}
}

// restartedDaemon ends the daemon in order and starts it again.
func (s *both) restartedDaemon() {
	before := map[*window][]row{}
	for _, w := range s.windows() {
		w.mark()
		before[w] = closed(w.board())
	}
	require.NoError(s.t, s.daemon.Stop(s.within(patience)))
	s.startDaemon()
	ready, err := s.daemon.Ready(s.within(patience))
	require.NoError(s.t, err)
	v := s.lorry("after the daemon was started again", func(v book.Truth) bool { return v.Began.After(ready.Add(2 * time.Second)) })
	s.find(v)
	for _, w := range s.windows() {
		s.until("the devices at work", func() (bool, error) {
			return see[int](w, `document.querySelectorAll("#lane-15BB-01 .device.is-up:not(.silent)").length`) == 7, nil
		})
		w.untouched()
		s.keeps(w, before[w])
	}
	s.until("the same passages on both boards", func() (bool, error) {
		a, b := closed(s.customs.board()), closed(s.guard.board())
		return reflect.DeepEqual(a, b), nil
	})
	s.oncePerLorry()
	for _, w := range s.windows() {
		w.shot("8-after-restart")
		w.fits()
	}
	s.say("the daemon went on where it was: %d passages before, %d now", len(before[s.customs]), len(s.customs.board()))
}

// oncePerLorry checks that no lorry has two rows. Each lorry's photo is its own.
func (s *both) oncePerLorry() {
	s.t.Helper()
	for _, w := range s.windows() {
		seen := map[string]event.ID{}
		for _, r := range w.board() {
			if r.Photo == "" {
				continue
			}
			other, there := seen[r.Photo]
			require.False(s.t, there, "the lorry %s has the passages %s and %s at %s", r.Plate, other, r.ID, w.agency)
			seen[r.Photo] = r.ID
		}
	}
}

// quoted is a text as JavaScript writes it.
func quoted(text string) string {
	b, err := json.Marshal(text)
	if err != nil {
		return `""` // a string always has a JSON form
	}
	return string(b)
}
