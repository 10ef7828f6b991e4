package web_test

import (
	"encoding/csv"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatehouse/internal/console/consoletest"
	"gatehouse/internal/console/private"
	"gatehouse/internal/event"
)

// lorry shares a passage with a plate, a document and declared goods.
func (s *site) lorry(t *testing.T, plate string, at time.Time) event.Passage {
	t.Helper()
	p := passage()
	p.ID, p.OpenedAt, p.Kind, p.Direction = event.NewID(at), at.UTC(), event.Vehicle, event.Entry
	p.Plates = []event.PlateReading{{Text: plate, Score: 0.9}}
	p.Documents = []event.DocumentReading{{Document: event.Document{Format: "TD3", Number: "C7654321", Names: []string{"TRAN", "BINH"}}}}
	p.Expected = &event.Expected{Found: true, Goods: "=Gỗ tấm", Declaration: "107500000001"}
	s.share(t, event.TypePassage, p.ID, p)
	return p
}

func (s *site) lines(t *testing.T, act private.Action) []private.Line {
	t.Helper()
	list, err := s.private.Lines(t.Context(), private.AuditFilter{Action: act, Limit: 100})
	require.NoError(t, err)
	return list
}

func TestSearchIsSharedByItsAddressAndAudited(t *testing.T) {
	s := newSite(t)
	s.setUp(t)
	exact := s.lorry(t, "12C12345", time.Now())
	like := s.lorry(t, "1ZCI2345", time.Now().Add(-time.Minute))
	other := s.lorry(t, "98A00000", time.Now().Add(-48*time.Hour))
	has := func(query string, want bool, p event.Passage) {
		t.Helper()
		status, _, body := s.get(t, "/search?"+query)
		require.Equal(t, http.StatusOK, status)
		require.Equal(t, want, strings.Contains(body, `id="h-`+string(p.ID)+`"`), query)
	}
	has("plate=12c-123", true, exact)
	has("plate=12c-123", true, like) // offered beside, and marked
	has("plate=12c-123", false, other)
	_, _, body := s.get(t, "/search?plate=12C12345&alike=1")
	require.Contains(t, body, "dễ nhầm")
	has("words=go+tam", true, other)
	has("words=go+tam&from="+url.QueryEscape(time.Now().Add(-time.Hour).UTC().Add(7*time.Hour).Format("2006-01-02T15:04")), false, other)
	has("lane=15BB%2F01&kind=vehicle&state=closed&decision=undecided", true, other)
	has("lane=15BB%2F02", false, other)
	has("document=C765", true, other)
	for _, bad := range []string{"from=yesterday", "before=x", "before=-4"} {
		status, _, _ := s.get(t, "/search?"+bad)
		require.Equal(t, http.StatusUnprocessableEntity, status, bad)
	}
	lines := s.lines(t, private.ActSearch)
	require.Equal(t, "document=C765", lines[0].Detail)
	require.Equal(t, "an", lines[0].Login)

	tech := s.as(t, private.Technician)
	status, _, body := tech.get(t, "/search?document=C765")
	require.Equal(t, http.StatusForbidden, status)
	require.NotContains(t, body, "98A")
	_, _, body = tech.get(t, "/search")
	require.NotContains(t, body, `name="document"`)
}

func TestExportsAreForWhoMayAndAreAudited(t *testing.T) {
	s := newSite(t)
	s.setUp(t)
	for i := range 3 {
		s.lorry(t, "12C1234"+string(rune('0'+i)), time.Now().Add(-time.Duration(i)*time.Minute))
	}
	auditor := s.as(t, private.Auditor)
	status, h, body := auditor.get(t, "/search/export?plate=12C&format=csv")
	require.Equal(t, http.StatusOK, status)
	require.Contains(t, h.Get("Content-Disposition"), ".csv")
	rows, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(body, "\ufeff"))).ReadAll()
	require.NoError(t, err)
	require.Len(t, rows, 4)
	require.Equal(t, "12C12340", rows[1][8])
	require.Equal(t, "'=Gỗ tấm", rows[1][12], "no spreadsheet runs it")
	require.NotContains(t, body, "C7654321")
	_, _, body = auditor.get(t, "/search/export?plate=12C12341&format=json")
	var one struct {
		Plate    string    `json:"plate"`
		OpenedAt time.Time `json:"opened_at"`
	}
	require.NoError(t, json.Unmarshal([]byte(body), &one))
	require.Equal(t, "12C12341", one.Plate)
	status, _, _ = auditor.get(t, "/search/export?format=exe")
	require.Equal(t, http.StatusBadRequest, status)
	lines := s.lines(t, private.ActExport)
	require.Len(t, lines, 2)
	require.Equal(t, "format=json&plate=12C12341", lines[0].Detail)
	require.Equal(t, "user.auditor", lines[0].Login)
	status, _, _ = s.as(t, private.Officer).get(t, "/search/export?format=csv")
	require.Equal(t, http.StatusForbidden, status)
}

func TestEveryLookIsAudited(t *testing.T) {
	s := newSite(t)
	s.setUp(t)
	digest := s.keep(t, consoletest.Photo(1), "image/jpeg")
	photo, err := s.store.PassageOf(t.Context(), digest)
	require.NoError(t, err)
	p := s.lorry(t, "12C12345", time.Now())
	s.get(t, "/passages/"+string(p.ID))
	s.get(t, "/evidence/"+digest)
	s.get(t, "/evidence/"+digest+"/thumb")
	s.get(t, "/evidence/"+digest+"/original")
	views := s.lines(t, private.ActView)
	require.Len(t, views, 1)
	require.Equal(t, string(p.ID), views[0].About)
	images := s.lines(t, private.ActImage)
	require.Len(t, images, 2)
	require.Equal(t, digest+" thumb", images[0].Detail)
	require.Equal(t, string(photo), images[0].About, "the passage that the picture is of")
	require.Len(t, s.lines(t, private.ActDownload), 1)

	// One picture in full is a view of its own, each time that it is opened.
	full := "/passages/" + string(photo) + "/pictures/" + digest
	for range 2 {
		status, _, body := s.get(t, full)
		require.Equal(t, http.StatusOK, status)
		require.Contains(t, body, `src="/evidence/`+digest+`"`)
	}
	opened := s.lines(t, private.ActPicture)
	require.Len(t, opened, 2)
	for _, l := range opened {
		require.Equal(t, string(photo), l.About)
		require.Equal(t, digest, l.Detail)
		require.Equal(t, "an", l.Login)
	}
	for _, wrong := range []string{"/passages/" + string(p.ID) + "/pictures/" + digest, "/passages/" + string(photo) + "/pictures/" + event.Digest(nil)} {
		status, _, _ := s.get(t, wrong)
		require.Equal(t, http.StatusNotFound, status, "a picture is opened with its own passage")
	}
	require.Len(t, s.lines(t, private.ActPicture), 2)

	// A browser that has a whole picture asks before it shows it again, so that
	// this showing is recorded too.
	_, h, _ := s.get(t, "/evidence/"+digest)
	require.Equal(t, "private, no-cache", h.Get("Cache-Control"))
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url+"/evidence/"+digest, nil)
	require.NoError(t, err)
	r.Header.Set("If-None-Match", h.Get("ETag"))
	res, err := s.browser.Do(r)
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	require.Equal(t, http.StatusNotModified, res.StatusCode)
	require.Len(t, s.lines(t, private.ActImage), 4)
	_, err = s.private.VerifyAudit(t.Context(), private.AuditState{})
	require.NoError(t, err)
}

// A lane without any device is in no shared record until its first passage.
func TestAPassageIsEnteredOnALaneWithoutDevices(t *testing.T) {
	s := newSite(t)
	s.setUp(t)
	_, _, board := s.get(t, "/")
	require.Contains(t, board, `value="15BB/"`)
	enter := func(lane, typed string) (int, string) {
		t.Helper()
		status, _, body := s.post(t, "/passages", url.Values{
			"lane": {lane}, "other_lane": {typed}, "moment": {time.Now().UTC().Add(7*time.Hour - time.Minute).Format("2006-01-02T15:04:05")},
			"what": {"vehicle"}, "direction": {"entry"}, "flow": {"goods"}, "plate": {"12C-123.45"}, "reason": {"Mất điện"},
		})
		return status, body
	}
	for _, wrong := range [][2]string{
		{"15BB/", ""}, {"15BB/99", ""}, {"99XX/", "05"}, {"15BB/", "làn"}, {"15BB/", "a/b"}, {"15BB/", "12345678901234567"}, {"", "05"},
	} {
		status, body := enter(wrong[0], wrong[1])
		require.Equal(t, http.StatusUnprocessableEntity, status, "%v", wrong)
		require.Contains(t, body, "gõ tên làn", "%v", wrong)
	}
	status, body := enter("15BB/", "05")
	require.Equal(t, http.StatusSeeOther, status, body)
	list, err := s.store.OpenCorrections(t.Context(), time.Now().Add(-time.Hour))
	require.NoError(t, err)
	require.Len(t, list, 1)
	require.Equal(t, "05", list[0].Lane)
	require.Equal(t, "12C12345", list[0].Facts.Plate)
}

func TestADevicesReasonIsInTheReadersLanguage(t *testing.T) {
	s := newSite(t)
	s.setUp(t)
	at := time.Now().UTC()
	d := event.DeviceChange{
		ID: event.NewID(at), Where: event.Where{Gate: "15BB", Lane: "01", Device: "scale"}, Driver: "scale", State: event.Faulty, Since: at,
		Reason: "E04", Code: "E04", Words: event.Text{VI: "đầu cân báo lỗi cảm biến", EN: "the indicator reports a load cell fault"},
	}
	s.share(t, event.TypeDevice, d.ID, d)
	for code, words := range map[string][2]string{"vi": {d.Words.VI, d.Words.EN}, "en": {d.Words.EN, d.Words.VI}} {
		status, _, _ := s.post(t, "/language", url.Values{"language": {code}, "back": {"/"}})
		require.Equal(t, http.StatusSeeOther, status)
		for path, tag := range map[string]string{"/": `<span class="why while-heard">`, "/devices": "<b>", "/devices/15BB/01/scale": "<td>"} {
			_, _, body := s.get(t, path)
			require.Contains(t, body, tag+words[0]+"<", "%s in %s", path, code)
			require.NotContains(t, body, words[1], "%s in %s", path, code)
		}
	}
}
