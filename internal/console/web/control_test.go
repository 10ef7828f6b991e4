package web_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatehouse/internal/console/private"
	"gatehouse/internal/event"
)

// barrier shares a barrier's state.
func (s *site) barrier(t *testing.T, state event.DeviceState, at time.Time) {
	t.Helper()
	c := event.DeviceChange{
		ID: event.NewID(at), Where: event.Where{Gate: "15BB", Lane: "01", Device: "barrier"}, Driver: "barrier", State: state, Since: at,
		Barrier: &event.Barrier{Arm: "down", Lights: []string{"red"}, Loops: []string{}, Watchdog: "board"},
	}
	s.share(t, event.TypeDevice, c.ID, c)
}

// told shares what came of a command.
func (s *site) told(t *testing.T, c event.ControlChange) {
	t.Helper()
	c.ID, c.Where = event.NewID(c.At), event.Where{Gate: "15BB", Lane: "01", Device: "barrier"}
	s.share(t, event.TypeControl, c.ID, c)
}

// said are the commands that wait for the gate.
func (s *site) commands(t *testing.T) (list []event.Command) {
	t.Helper()
	queued, err := s.store.Outbox(t.Context(), 1000)
	require.NoError(t, err)
	for _, q := range queued {
		if q.Type == event.TypeCommand {
			list = append(list, decodeCommand(t, q.Data))
		}
	}
	return list
}

const (
	barrierPage = "/devices/15BB/01/barrier"
	controlPath = "/control/15BB/01/barrier"
)

func TestAnOfficerControlsABarrier(t *testing.T) {
	s := newSite(t)
	s.setUp(t)
	now := time.Now().UTC()
	s.barrier(t, event.Up, now.Add(-time.Minute))
	_, _, page := s.get(t, barrierPage)
	require.Contains(t, page, "Không ai giữ quyền")
	require.Contains(t, page, `data-key="KeyL"`)
	require.NotContains(t, page, controlPath+"/open", "commands need the lease")

	form := string(event.NewID(now))
	for range 2 {
		status, h, body := s.post(t, controlPath, url.Values{"verb": {"take"}, "form": {form}, "back": {barrierPage}})
		require.Equal(t, http.StatusSeeOther, status, body)
		require.Equal(t, barrierPage, h.Get("Location"))
	}
	list := s.commands(t)
	require.Len(t, list, 1, "a form sent twice is one command")
	require.Equal(t, event.ControlTake, list[0].Verb)
	require.Equal(t, event.Customs, list[0].Agency)
	require.Regexp(t, `^HQ-\d{4}$`, list[0].Badge)
	require.WithinDuration(t, time.Now(), list[0].At, time.Minute)
	_, _, page = s.get(t, barrierPage)
	require.Contains(t, page, "đang gửi…")

	until := now.Add(time.Hour) // as seen from a slow test
	s.told(t, event.ControlChange{
		At: now, Command: list[0].ID, Agency: event.Customs, Badge: list[0].Badge, Verb: event.ControlTake, Outcome: event.ControlDone,
		Holder: event.Customs, Since: now, Until: until,
	})
	_, _, page = s.get(t, barrierPage)
	require.Contains(t, page, "Cơ quan bạn giữ quyền")
	require.Contains(t, page, until.In(time.FixedZone("+07", 7*3600)).Format("15:04:05"))
	for _, key := range []string{"KeyL", "KeyU", "KeyO", "KeyC", "KeyX", "KeyR", "KeyG"} {
		require.Contains(t, page, `data-key="`+key+`"`)
	}
	_, _, board := s.get(t, "/")
	require.Contains(t, board, "Cơ quan bạn giữ quyền")

	status, _, sure := s.get(t, controlPath+"/close")
	require.Equal(t, http.StatusOK, status)
	require.Contains(t, sure, "Hạ cần barie?")
	require.Contains(t, sure, "autofocus", "Enter does it")
	require.Contains(t, sure, `data-key="Escape"`)
	status, _, _ = s.get(t, controlPath+"/stop")
	require.Equal(t, http.StatusNotFound, status, "what makes things safer is not asked for twice")
	status, _, _ = s.post(t, controlPath, url.Values{"verb": {"close"}})
	require.Equal(t, http.StatusSeeOther, status)
	s.told(t, event.ControlChange{
		At: now.Add(time.Second), Command: s.commands(t)[1].ID, Agency: event.Customs, Verb: event.ControlClose, Outcome: event.ControlRefused, Code: "OBSTRUCTED",
		Why: event.Text{VI: "Khóa liên động: có xe", EN: "Interlock: a vehicle"}, Holder: event.Customs, Since: now, Until: until,
	})
	_, _, page = s.get(t, barrierPage)
	require.Contains(t, page, "TỪ CHỐI")
	require.Contains(t, page, "Khóa liên động: có xe")
	require.NotContains(t, page, "đang gửi…")
	lines, err := s.private.Lines(t.Context(), private.AuditFilter{Action: private.ActControl, Limit: 10})
	require.NoError(t, err)
	require.NotEmpty(t, lines)
	require.Equal(t, "15BB/01/barrier", lines[0].About)
	status, _, _ = s.post(t, controlPath, url.Values{"verb": {"fly"}})
	require.Equal(t, http.StatusUnprocessableEntity, status)
	status, _, _ = s.post(t, "/control/15BB/01/rpm", url.Values{"verb": {"take"}})
	require.Equal(t, http.StatusNotFound, status)
}

func TestWhoMayControl(t *testing.T) {
	s := newSite(t)
	s.setUp(t)
	now := time.Now().UTC()
	s.barrier(t, event.Up, now.Add(-time.Minute))
	s.told(t, event.ControlChange{
		At: now, Agency: event.BorderGuard, Badge: "BP-1", Verb: event.ControlTake, Outcome: event.ControlDone,
		Holder: event.BorderGuard, Since: now, Until: now.Add(time.Hour),
	})
	try := func(user *site, verb, reason string) int {
		status, _, _ := user.post(t, controlPath, url.Values{"verb": {verb}, "reason": {reason}})
		return status
	}
	officer, technician, auditor := s.as(t, private.Officer), s.as(t, private.Technician), s.as(t, private.Auditor)
	_, _, page := officer.get(t, barrierPage)
	require.Contains(t, page, "Biên phòng")
	require.NotContains(t, page, "takeover")
	require.Equal(t, http.StatusUnprocessableEntity, try(officer, "takeover", "vội"))
	require.Equal(t, http.StatusForbidden, try(auditor, "take", ""))
	require.Equal(t, http.StatusUnprocessableEntity, try(technician, "take", ""))
	require.Empty(t, s.commands(t))
	_, _, page = auditor.get(t, barrierPage)
	require.Contains(t, page, "Nhật ký bàn giao", "who may not command still sees the log")

	_, _, page = s.get(t, barrierPage)
	require.Contains(t, page, controlPath+"/takeover")
	require.Equal(t, http.StatusUnprocessableEntity, try(s, "takeover", " "))
	require.Equal(t, http.StatusSeeOther, try(s, "takeover", "xe bị giữ"))
	list := s.commands(t)
	require.Len(t, list, 1)
	require.True(t, list[0].Force)
	require.Equal(t, "xe bị giữ", list[0].Reason)

	s.barrier(t, event.InTest, now)
	require.Equal(t, http.StatusSeeOther, try(technician, "take", ""), "a technician may, in test")
	require.False(t, strings.Contains(s.commands(t)[1].Badge, "Người"))
}

func decodeCommand(t *testing.T, data []byte) (c event.Command) {
	t.Helper()
	env, err := event.ParseEnvelope(data)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(env.Data, &c))
	return c
}
