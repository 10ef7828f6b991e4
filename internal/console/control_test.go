package console_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/require"

	"gatehouse/internal/console/browsertest"
	"gatehouse/internal/console/consoletest"
	"gatehouse/internal/event"
)

// commanded waits for a command that an officer gave and gives it.
func (d *desk) commanded(v event.ControlVerb) event.Command {
	d.Helper()
	var found event.Command
	require.Eventually(d.T, func() bool {
		for _, e := range d.site.Said() {
			if e.Type == event.TypeCommand && json.Unmarshal(e.Data, &found) == nil && found.Verb == v {
				return true
			}
		}
		return false
	}, time.Minute, 20*time.Millisecond, "no command %s was given", v)
	return found
}

// told answers a command as the gate does.
func told(t *testing.T, site *consoletest.Site, m event.Command, outcome event.ControlOutcome, why event.Text) {
	t.Helper()
	now := time.Now().UTC()
	site.Share(t, event.TypeControl, event.AnswerID(m.ID), "01/barrier", event.ControlChange{
		ID: event.AnswerID(m.ID), Where: m.Where, At: now, Command: m.ID, Asked: m.At, Agency: m.Agency, Badge: m.Badge, Verb: m.Verb,
		Outcome: outcome, Why: why, Holder: m.Agency, Since: now, Until: now.Add(time.Hour),
	})
}

// An officer takes control, closes and reads what came of it with the keyboard
// alone; keys go by their place, so that no input method changes them.
func TestABarrierIsControlledByKeys(t *testing.T) {
	site := consoletest.NewSite(t, "15BB")
	serve(t, site)
	d := newDesk(t, site, event.Customs, browsertest.Look{Width: 1280, Height: 720, Limit: 6 * time.Minute})
	for _, i := range consoletest.Instruments() {
		c := site.Change(i, event.Up, time.Now(), "")
		site.Share(t, event.TypeDevice, c.ID, i.Name, c)
	}
	d.until(`document.querySelector("#control-15BB-01 button") !== null`)
	d.shown("control-board-vi-day")
	d.open("/devices/15BB/01/barrier")
	d.until(`document.querySelector("#control [data-key=KeyL]") !== null`)
	d.key("l")
	take := d.commanded(event.ControlTake)
	told(t, site, take, event.ControlDone, event.Text{})
	d.until(`document.querySelector("#control")?.textContent.includes("Cơ quan bạn giữ quyền") && document.querySelector("#control [data-key=KeyC]") !== null`)
	d.shown("control-device-vi-day")

	d.key("c")
	d.until(`document.querySelector(".control-sure button.main") === document.activeElement`)
	d.shown("control-sure-vi-day")
	d.key(kb.Escape)
	d.until(`document.querySelector("#control [data-key=KeyC]") !== null`)
	d.key("c")
	d.until(`document.querySelector(".control-sure button.main") === document.activeElement`)
	d.key(kb.Enter)
	closing := d.commanded(event.ControlClose)
	told(t, site, closing, event.ControlRefused, event.Text{VI: "Khóa liên động: có xe trên vòng từ an toàn.", EN: "Interlock."})
	d.until(`document.querySelector("#control .outcome.refused")?.textContent.includes("có xe trên vòng từ")`)
	d.until(`document.querySelectorAll("#control-log tbody tr").length === 2`)
	d.shown("control-refused-vi-day")
}
