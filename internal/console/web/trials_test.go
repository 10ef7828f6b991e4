package web_test

import (
	"bytes"
	"encoding/json"
	"image"
	"image/png"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"gatehouse/internal/console/consoletest"
	"gatehouse/internal/console/private"
	"gatehouse/internal/console/store"
	"gatehouse/internal/event"
)

// draws decides what the trials of a test are: the next one, or none.
type draws struct {
	next string // "threat", "control" or "" for a scan that stays as it is
	step int
	seed uint64
}

// draw gives what an engine asks for: whether it is a trial, the seed, whether
// there is a threat, and which.
func (d *draws) draw() uint64 {
	d.step++
	switch d.step {
	case 1:
		if d.next == "" {
			d.step = 0
			return ^uint64(0)
		}
		return 0
	case 2:
		d.seed++
		return d.seed
	case 3:
		if d.next == "control" {
			d.step = 0
			return 0
		}
		return 1
	}
	d.step = 0
	return 0
}

// scanned shares a closed passage of lane 01 with a scan that is stored, and
// with an alert on it.
func (s *site) scanned(t *testing.T, seed int) event.Passage {
	t.Helper()
	data := consoletest.Scan(seed)
	scan := event.Evidence{SHA256: event.Digest(data), MediaType: "image/png", Bytes: int64(len(data))}
	p := passage()
	p.Scans = []event.ScanView{{ScanID: "S1", View: 1, Kind: "cargo", Image: scan, Device: "xray", TakenAt: p.OpenedAt, Analysis: "done", Model: "cargo v1", Calibration: "c1", Heat: &event.Heat{Width: 12, Height: 4, Step: 100, Cells: append(make([]byte, 47), 255)}}}
	p.Findings = []event.Finding{{
		ID: event.NewID(p.OpenedAt), Code: event.FindingXrayAnomaly, Severity: event.Moderate, Lead: event.Customs, Score: 0.91, At: p.OpenedAt, Device: "xray",
		Region: &event.Region{Evidence: scan.SHA256, Box: consoletest.ScanBox()}, Source: event.Source{Kind: "model", Name: "cargo", Version: "v1", Calibration: "c1"},
		Headline: event.Text{VI: "Vùng đặc", EN: "Dense region"},
	}}
	s.share(t, event.TypePassage, p.ID, p)
	a := consoletest.Alert(p, p.Findings[0])
	s.share(t, event.TypeAlert, a.ID, a)
	_, err := s.store.TakeChunk(t.Context(), store.Chunk{SHA256: scan.SHA256, Size: int64(len(data)), Data: data})
	require.NoError(t, err)
	return p
}

// form is what a page's form of verdicts would send.
func form(t *testing.T, page, code string) url.Values {
	t.Helper()
	v := url.Values{"code": {code}, "reason": {"xem"}}
	for _, name := range []string{"version", "sequence", "look"} {
		m := regexp.MustCompile(`name="` + name + `" value="([^"]*)"`).FindStringSubmatch(page)
		require.NotNil(t, m, name)
		v.Set(name, m[1])
	}
	return v
}

// shared is everything of the store that a decision could change.
func (s *site) shared(t *testing.T) string {
	t.Helper()
	digests, err := s.store.Digests(t.Context())
	require.NoError(t, err)
	outbox, err := s.store.Outbox(t.Context(), 1000)
	require.NoError(t, err)
	b, err := json.Marshal([]any{digests, outbox})
	require.NoError(t, err)
	return string(b)
}

// acts are the lines of the audit of an action, newest first.
func (s *site) acts(t *testing.T, action private.Action) []private.Line {
	t.Helper()
	lines, err := s.private.Lines(t.Context(), private.AuditFilter{Action: action, Limit: 1000})
	require.NoError(t, err)
	return lines
}

// looks are the pictures of a scan in every form in which pages fetch it.
func (s *site) looks(t *testing.T, digest string) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, form := range []string{"", "/deep", "/heat", "/thumb", "/crop?box=100,100,900,250"} {
		status, h, body := s.get(t, "/evidence/"+digest+form)
		require.Equal(t, http.StatusOK, status, form)
		all[form] = h.Get("Content-Type") + " " + h.Get("Cache-Control") + " " + body
	}
	return all
}

// TestATrialLooksLikeWorkAndLeavesNoTrace takes an officer through a trial:
// what is shown, to whom, what is told, and what the shared record has of it.
func TestATrialLooksLikeWorkAndLeavesNoTrace(t *testing.T) {
	s := newSite(t)
	s.setUp(t)
	officer, colleague, auditor := s.as(t, private.Officer), s.followInvited(t, "hoa", private.Officer), s.as(t, private.Auditor)
	status, _, body := s.post(t, "/trials", url.Values{"lane": {"15BB/01"}, "on": {"yes"}, "share": {"10"}})
	require.Equal(t, http.StatusUnprocessableEntity, status, "the lane is not known yet: %s", body)
	p := s.scanned(t, 1)
	digest, path := p.Scans[0].Image.SHA256, "/passages/"+string(p.ID)

	plain := officer.looks(t, digest)
	status, _, _ = s.post(t, "/trials", url.Values{"lane": {"15BB/01"}, "on": {"yes"}, "share": {"30"}})
	require.Equal(t, http.StatusUnprocessableEntity, status)
	status, _, _ = s.post(t, "/trials", url.Values{"lane": {"15BB/01"}, "on": {"yes"}, "share": {"10"}})
	require.Equal(t, http.StatusSeeOther, status)
	require.Equal(t, "15BB/01", s.acts(t, private.ActTrials)[0].About)
	require.Equal(t, "on 10 %", s.acts(t, private.ActTrials)[0].Detail)

	s.draws.next = "threat"
	before := s.shared(t)
	_, _, page := officer.get(t, path)
	require.NotContains(t, page, `id="trial"`)
	require.Contains(t, page, `class="finding"`, "what was really found stays marked")
	trial := officer.looks(t, digest)
	s.draws.next = ""
	_, _, others := colleague.get(t, path)
	work := colleague.looks(t, digest)
	require.Equal(t, hush(page), hush(others), "nothing on the page tells a trial from work")
	for form := range trial {
		require.False(t, work[form] == trial[form], form)
		require.Equal(t, head(work[form]), head(trial[form]), "neither does the way in which its pictures come")
	}
	said := map[string][]string{}
	for _, l := range s.acts(t, private.ActImage) {
		said[l.Login] = append(said[l.Login], l.Detail)
	}
	require.Equal(t, []string{digest + " crop projected", digest + " thumb projected", digest + " heat projected", digest + " deep projected", digest + " full projected"}, said["user.officer"][:5],
		"the audit tells that this was not the evidence as it is")
	require.Equal(t, []string{digest + " crop", digest + " thumb", digest + " heat", digest + " deep", digest + " full"}, said["user.officer"][5:], "as it was before")
	require.Equal(t, said["user.officer"][5:], said["hoa"])
	_, _, whole := officer.get(t, path+"/pictures/"+digest)
	require.Contains(t, whole, "/evidence/"+digest+"/heat")
	require.False(t, strip(plain["/heat"]) == strip(plain[""]), "the map is drawn")
	require.Equal(t, digest+" projected", s.acts(t, private.ActPicture)[0].Detail)
	_, _, lines := auditor.get(t, "/audit?action=image")
	require.Contains(t, lines, "có vật giả của bài thử")
	again := officer.looks(t, digest)
	for form := range trial {
		require.True(t, trial[form] == again[form], "shown again it is the same: %s", form)
		require.True(t, strip(plain[form]) == strip(work[form]), "a scan that is no trial is shown as it is: %s", form)
	}
	for who, browser := range map[string]*site{"officer": officer, "colleague": colleague} {
		_, _, original := browser.get(t, "/evidence/"+digest+"/original")
		require.Equal(t, digest, event.Digest([]byte(original)), "what %s downloads is the evidence", who)
	}
	require.True(t, strip(plain["/deep"]) == strip(auditor.looks(t, digest)["/deep"]), "who decides nothing sees no trial")
	_, h, _ := officer.get(t, "/evidence/"+digest)
	tag := h.Get("ETag")
	require.Equal(t, http.StatusNotModified, conditional(t, officer, "/evidence/"+digest, tag))

	// The answer is no verdict, wherever it is sent from, and is revealed.
	for _, page := range []string{page, page} { // sent twice, as by a double click
		status, h, body = officer.post(t, path+"/verdict", form(t, page, "HOLD"))
		require.Equal(t, http.StatusSeeOther, status, body)
		require.Equal(t, path, h.Get("Location"))
	}
	_, _, page = officer.get(t, path)
	require.Contains(t, page, "Bạn đã nhận ra vật giả")
	require.Contains(t, page, "Vật giả: ")
	require.Contains(t, page, `class="trial"`, "its place is marked")
	require.Contains(t, page, "/evidence/"+digest+"?real")
	require.NotEqual(t, http.StatusNotModified, conditional(t, officer, "/evidence/"+digest, tag), "a browser does not keep the other one")
	require.True(t, work["/deep"] == officer.looks(t, digest)["/deep"], "the real scan is shown now")
	require.Equal(t, before, s.shared(t), "the shared tables and the outbox are as they were")
	require.Empty(t, s.acts(t, private.ActVerdict))
	require.Empty(t, s.acts(t, private.ActAck))
	_, _, others = colleague.get(t, path)
	require.NotContains(t, others, `id="trial"`)

	status, _, body = officer.post(t, path+"/verdict", form(t, page, "RELEASE"))
	require.Equal(t, http.StatusSeeOther, status, body)
	got, err := s.store.Passage(t.Context(), p.ID)
	require.NoError(t, err)
	require.Len(t, got.Verdicts, 1)
	require.Equal(t, event.Release, got.Latest(event.Customs).Code)
	require.Len(t, s.acts(t, private.ActVerdict), 1)
	_, _, page = officer.get(t, path)
	require.NotContains(t, page, `id="trial"`, "it is over")

	_, _, rates := s.get(t, "/trials")
	require.Contains(t, rates, "Người officer")
	require.Regexp(t, `· <(time|span)`, rates, "a space stands before the time")
	require.Regexp(t, `100 %</b>\s*1 trên 1`, rates)
	require.NotEmpty(t, s.acts(t, private.ActTrialsRead))
	report := regexp.MustCompile(`/trials/[0-9A-Z]{26}/report`).FindString(rates)
	require.NotEmpty(t, report)
	status, _, _ = officer.get(t, report)
	require.Equal(t, http.StatusForbidden, status)
	status, h, tdr := s.get(t, report)
	require.Equal(t, http.StatusOK, status)
	require.Equal(t, "application/dicom", h.Get("Content-Type"))
	for _, word := range []string{"OPERATOR", "ALARM", "TEST", "fictional threat, hit"} {
		require.Contains(t, tdr, word)
	}
	for _, word := range []string{digest, string(p.ID), "S1", "OPERATIONAL"} {
		require.NotContains(t, tdr, word, "it speaks of no real traffic")
	}
	require.Equal(t, "tdr "+strings.Split(report, "/")[2], s.acts(t, private.ActExport)[0].Detail)
	status, _, _ = s.get(t, "/trials/"+strings.Repeat("A", 26)+"/report")
	require.Equal(t, http.StatusNotFound, status)
	status, _, export := auditor.get(t, "/search/export?format=csv&lane=15BB/01")
	require.Equal(t, http.StatusOK, status)
	require.Contains(t, export, string(p.ID))
	require.NotContains(t, export, "HOLD")
}

// A supervisor is tested as others are, and reads the audit: it answers no trial
// that is under way.
func TestTheAuditDoesNotAnswerTheReadersOwnTrial(t *testing.T) {
	s := newSite(t)
	s.setUp(t)
	auditor, p := s.as(t, private.Auditor), s.scanned(t, 1)
	digest, path := p.Scans[0].Image.SHA256, "/passages/"+string(p.ID)
	status, _, _ := s.post(t, "/trials", url.Values{"lane": {"15BB/01"}, "on": {"yes"}, "share": {"10"}})
	require.Equal(t, http.StatusSeeOther, status)
	s.draws.next = "threat"
	_, _, page := s.get(t, path)
	s.looks(t, digest)
	told := func(who *site) (in []string) {
		for _, at := range []string{"/audit?action=image", "/audit/export?format=csv&action=image", "/audit/export?format=json&action=image"} {
			status, _, body := who.get(t, at)
			require.Equal(t, http.StatusOK, status, at)
			require.Contains(t, body, digest[:16], at)
			if strings.Contains(body, "projected") || strings.Contains(body, "có vật giả của bài thử") {
				in = append(in, at)
			}
		}
		return in
	}
	require.Empty(t, told(s))
	require.Len(t, told(auditor), 3)
	_, _, _ = s.post(t, path+"/verdict", form(t, page, "HOLD"))
	require.Len(t, told(s), 3, "afterwards it is no secret")
}

// A page that still shows a trial decides nothing, whoever or whatever has ended
// the trial meanwhile.
func TestWhatATrialShowedIsNeverADecision(t *testing.T) {
	s := newSite(t)
	s.setUp(t)
	officer, colleague := s.as(t, private.Officer), s.followInvited(t, "hoa", private.Officer)
	first := s.scanned(t, 1)
	at := func(p event.Passage) string { return "/passages/" + string(p.ID) }
	on := func(yes string) {
		t.Helper()
		status, _, _ := s.post(t, "/trials", url.Values{"lane": {"15BB/01"}, "on": {yes}, "share": {"5"}})
		require.Equal(t, http.StatusSeeOther, status)
	}
	decided := func(p event.Passage) int {
		t.Helper()
		got, err := s.store.Passage(t.Context(), p.ID)
		require.NoError(t, err)
		return len(got.Verdicts)
	}
	_, _, early := officer.get(t, at(first)) // from before trials were on
	on("yes")
	s.draws.next = "control"
	_, _, page := officer.get(t, at(first))

	// Switched off under the officer's eyes.
	on("no")
	_, _, _ = officer.post(t, at(first)+"/verdict", form(t, page, "RELEASE"))
	require.Zero(t, decided(first))
	_, _, again := officer.get(t, at(first))
	require.Contains(t, again, "đã dừng trước khi bạn trả lời")
	_, _, _ = officer.post(t, at(first)+"/verdict", form(t, early, "RELEASE"))
	require.Zero(t, decided(first), "nor from a page of before")
	_, _, _ = officer.post(t, at(first)+"/verdict", form(t, again, "RELEASE"))
	require.Equal(t, 1, decided(first))
	status, _, body := officer.post(t, at(first)+"/verdict", form(t, page, "HOLD"))
	require.Equal(t, http.StatusUnprocessableEntity, status)
	require.Contains(t, body, "còn hiện ảnh của bài thử")
	require.Equal(t, 1, decided(first))

	// A colleague decides; the officer learns what it was and sees the real scan.
	on("yes")
	second := s.scanned(t, 2)
	s.draws.next = "threat"
	_, _, page = officer.get(t, at(second))
	shown := officer.looks(t, second.Scans[0].Image.SHA256)["/deep"]
	s.draws.next = ""
	_, _, others := colleague.get(t, at(second))
	_, _, _ = colleague.post(t, at(second)+"/verdict", form(t, others, "INSPECT"))
	require.Equal(t, 1, decided(second))
	require.False(t, shown == officer.looks(t, second.Scans[0].Image.SHA256)["/deep"])
	_, _, _ = officer.post(t, at(second)+"/verdict", form(t, page, "HOLD"))
	require.Equal(t, 1, decided(second))
	_, _, live := officer.get(t, at(second)+"?part=live")
	require.Contains(t, live, "Vật giả: ")
	_, _, page = officer.get(t, at(second))
	require.Contains(t, page, `id="trial"`)
	_, _, page = officer.get(t, at(second))
	require.NotContains(t, page, `id="trial"`, "once is enough")

	// A scan in which there is no place for anything stays no trial.
	var b bytes.Buffer
	require.NoError(t, png.Encode(&b, image.NewGray16(image.Rect(0, 0, 1200, 420))))
	third := passage()
	third.Scans = []event.ScanView{{ScanID: "S3", Image: event.Evidence{SHA256: event.Digest(b.Bytes()), Bytes: int64(b.Len())}, Analysis: "done"}}
	s.share(t, event.TypePassage, third.ID, third)
	_, err := s.store.TakeChunk(t.Context(), store.Chunk{SHA256: third.Scans[0].Image.SHA256, Size: int64(b.Len()), Data: b.Bytes()})
	require.NoError(t, err)
	s.draws.next = "threat"
	_, _, page = officer.get(t, at(third))
	_, _, _ = officer.get(t, "/evidence/"+third.Scans[0].Image.SHA256)
	status, _, _ = officer.get(t, "/evidence/"+third.Scans[0].Image.SHA256+"/heat")
	require.Equal(t, http.StatusNotFound, status, "no model made a map of it")
	_, _, _ = officer.post(t, at(third)+"/verdict", form(t, page, "RELEASE"))
	require.Equal(t, 1, decided(third))
	_, _, rates := s.get(t, "/trials")
	require.Contains(t, rates, "Chưa có bài thử nào được trả lời", "none of these counts")
}

// followInvited is another user of a role in a browser of its own.
func (s *site) followInvited(t *testing.T, login string, role private.Role) *site {
	t.Helper()
	_, token, err := s.private.Invite(t.Context(), login, login, role)
	require.NoError(t, err)
	return s.follow(t, token)
}

// hush takes out of a page what differs from officer to officer and from minute
// to minute.
func hush(page string) string {
	for _, p := range []string{`name="look" value="[0-9A-Z]{26}"`, `data-live="[^"]*"`, `class="badge"[^>]*>[^<]*`, `data-clock[^>]*>[^<]*`, `data-age[^>]*>[^<]*`} {
		page = regexp.MustCompile(p).ReplaceAllString(page, "")
	}
	return page
}

// head is how a picture came, before its bytes.
func head(look string) string {
	i := strings.Index(look, "\x89PNG")
	if j := strings.Index(look, "\xff\xd8"); i < 0 || j >= 0 && j < i {
		i = j
	}
	return look[:i]
}

func strip(look string) string { return look[len(head(look)):] }

func conditional(t *testing.T, s *site, path, tag string) int {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url+path, nil)
	require.NoError(t, err)
	r.Header.Set("If-None-Match", tag)
	status, _, _ := s.do(t, r)
	return status
}

// TestAReportOnAScanIsExported is what the auditor takes away and the officer
// may not.
func TestAReportOnAScanIsExported(t *testing.T) {
	s := newSite(t)
	s.setUp(t)
	p := s.scanned(t, 1)
	path := "/passages/" + string(p.ID) + "/scans/" + p.Scans[0].Image.SHA256 + "/report"
	officer := s.as(t, private.Officer)
	status, _, _ := officer.get(t, path)
	require.Equal(t, http.StatusForbidden, status)
	_, _, page := officer.get(t, "/passages/"+string(p.ID))
	require.NotContains(t, page, path)
	_, _, page = s.get(t, "/passages/"+string(p.ID))
	require.Contains(t, page, path)
	status, h, body := s.get(t, path)
	require.Equal(t, http.StatusOK, status)
	require.Equal(t, "application/dicom", h.Get("Content-Type"))
	require.Equal(t, "DICM", body[128:132])
	require.Contains(t, body, "cargo@v1")
	require.Contains(t, body, "calibration c1")
	lines := s.acts(t, private.ActExport)
	require.Equal(t, string(p.ID), lines[0].About)
	require.Equal(t, "tdr "+p.Scans[0].Image.SHA256, lines[0].Detail)
	status, _, _ = s.get(t, strings.Replace(path, p.Scans[0].Image.SHA256, event.Digest([]byte("x")), 1))
	require.Equal(t, http.StatusNotFound, status)
}
