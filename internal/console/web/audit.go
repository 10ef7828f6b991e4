package web

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"gatehouse/internal/console/private"
)

// auditRows is how many lines one page of the audit shows.
const auditRows = 100

// auditForm is a filter of the audit as it stands in the address.
type auditForm struct {
	User, Action, About, From, To, Before string
}

// auditModel is what the audit page shows.
type auditModel struct {
	Form   auditForm
	Error  string
	Lines  []private.Line
	Next   int64
	Users  []private.Account
	State  private.AuditState
	Broken *private.BrokenAuditError // what was found, when it was checked
	Sound  bool                      // it was checked and is whole
}

func readAudit(v url.Values) auditForm {
	text := func(key string) string { return short(strings.TrimSpace(v.Get(key)), 100) }
	return auditForm{User: text("user"), Action: text("action"), About: text("about"), From: text("from"), To: text("to"), Before: text("before")}
}

func (f auditForm) values() url.Values {
	v := url.Values{}
	for key, value := range map[string]string{"user": f.User, "action": f.Action, "about": f.About, "from": f.From, "to": f.To} {
		if value != "" {
			v.Set(key, value)
		}
	}
	return v
}

func (f auditForm) filter() (private.AuditFilter, bool) {
	x := private.AuditFilter{Action: private.Action(f.Action), About: f.About, Limit: auditRows}
	var a, b, c, d bool
	x.User, a = whole(f.User)
	x.Before, b = whole(f.Before)
	x.From, c = localMoment(f.From, 0)
	x.To, d = localMoment(f.To, 1)
	return x, a && b && c && d
}

// whole reads a number that is not negative; an empty text is 0.
func whole(text string) (int64, bool) {
	if text == "" {
		return 0, true
	}
	n, err := strconv.ParseInt(text, 10, 64)
	return n, err == nil && n >= 0
}

// audit serves the audit. Reading it is audited too.
func (s *Server) audit(w http.ResponseWriter, r *http.Request, p Page) {
	m := auditModel{Form: readAudit(r.URL.Query())}
	f, ok := m.Form.filter()
	if !ok {
		m.Error = p.T("audit.bad")
		s.show(w, r, http.StatusUnprocessableEntity, auditView(p, m))
		return
	}
	if err := s.auditPage(r, p, f, &m); err != nil {
		s.fail(w, r, p, err)
		return
	}
	s.show(w, r, http.StatusOK, auditView(p, m))
}

func (s *Server) auditPage(r *http.Request, p Page, f private.AuditFilter, m *auditModel) error {
	if err := s.opt.Private.Record(r.Context(), p.User.ID, private.ActAuditRead, "", m.Form.values().Encode()); err != nil {
		return err
	}
	f.Limit++ // to know whether there is more
	var err error
	if m.Lines, err = s.opt.Private.Lines(r.Context(), f); err != nil {
		return err
	}
	if len(m.Lines) > auditRows {
		m.Lines = m.Lines[:auditRows]
		m.Next = m.Lines[auditRows-1].ID
	}
	s.unspoilt(p, m.Lines)
	if m.Users, err = s.opt.Private.Accounts(r.Context()); err != nil {
		return err
	}
	m.State, err = s.opt.Private.AuditHead(r.Context())
	return err
}

// verifyAudit goes through the whole audit and says whether it is whole.
func (s *Server) verifyAudit(w http.ResponseWriter, r *http.Request, p Page) {
	state, err := s.opt.Private.VerifyAudit(r.Context(), private.AuditState{})
	var m auditModel
	if broken, ok := errors.AsType[*private.BrokenAuditError](err); ok {
		s.opt.Log.Error("audit is not whole", "err", err)
		m.Broken, err = broken, nil
	} else {
		m.Sound = err == nil
	}
	if err == nil {
		err = s.auditPage(r, p, private.AuditFilter{Limit: auditRows}, &m)
	}
	if err != nil {
		s.fail(w, r, p, err)
		return
	}
	m.State = state
	s.show(w, r, http.StatusOK, auditView(p, m))
}

// exportAudit writes the filtered audit into a file, hashes included.
func (s *Server) exportAudit(w http.ResponseWriter, r *http.Request, p Page) {
	form, format := readAudit(r.URL.Query()), r.URL.Query().Get("format")
	f, ok := form.filter()
	if !ok || format != "csv" && format != "json" {
		http.Error(w, "want a filter and format=csv or format=json", http.StatusBadRequest)
		return
	}
	v := form.values()
	v.Set("format", format)
	if err := s.opt.Private.Record(r.Context(), p.User.ID, private.ActExport, "audit", v.Encode()); err != nil {
		s.fail(w, r, p, err)
		return
	}
	out := newExport(w, fmt.Sprintf("audit-%s.%s", local(p.Now).Format("20060102-150405"), format), format,
		[]string{"line", "at_utc", "at_local", "login", "name", "badge", "action", "about", "detail", "hash"})
	f.Limit = 1000
	for {
		lines, err := s.opt.Private.Lines(r.Context(), f)
		out.fail(err)
		s.unspoilt(p, lines)
		for _, l := range lines {
			e := auditLine{l.ID, l.At, l.Login, l.Name, l.Badge, l.Action, l.About, l.Detail, l.Hash}
			out.put(e, []string{
				strconv.FormatInt(l.ID, 10), l.At.UTC().Format(time.RFC3339Nano), local(l.At).Format("2006-01-02 15:04:05"), l.Login, l.Name, l.Badge,
				string(l.Action), l.About, l.Detail, l.Hash,
			})
		}
		if len(lines) < f.Limit || out.err != nil {
			break
		}
		f.Before = lines[len(lines)-1].ID
	}
	s.ended(r, out)
}

// auditLine is a line of the audit in an export.
type auditLine struct {
	Line   int64          `json:"line"`
	At     time.Time      `json:"at"` // UTC
	Login  string         `json:"login"`
	Name   string         `json:"name"`
	Badge  string         `json:"badge"`
	Action private.Action `json:"action"`
	About  string         `json:"about"`
	Detail string         `json:"detail"`
	Hash   string         `json:"hash"` // of the line and all before it
}

func (m auditModel) next() string {
	v := m.Form.values()
	v.Set("before", strconv.FormatInt(m.Next, 10))
	return "/audit?" + v.Encode()
}

func (m auditModel) export(format string) string {
	v := m.Form.values()
	v.Set("format", format)
	return "/audit/export?" + v.Encode()
}

// aboutPassage tells whether a line is about a passage, which has a page.
func aboutPassage(l private.Line) bool {
	return slices.Contains([]private.Action{
		private.ActView, private.ActDocument, private.ActPicture, private.ActImage, private.ActDownload, private.ActVerdict, private.ActAck, private.ActCorrection, private.ActHold, private.ActNote,
	}, l.Action) && l.About != ""
}

// detailOf is what a line's detail says to people: what was asked for, which
// picture, what was decided. The stored words stand in its title.
func detailOf(p Page, l private.Line) string {
	first, rest, _ := strings.Cut(l.Detail, " ")
	switch l.Action {
	case private.ActPicture, private.ActImage, private.ActDownload:
		said := []string{short(first, 16)}
		for form := range strings.FieldsSeq(rest) {
			said = append(said, p.Code("form", form))
		}
		return strings.Join(said, " ")
	case private.ActVerdict:
		return p.Code("verdict", first)
	case private.ActCorrection:
		return p.Code("correction", first)
	case private.ActHold:
		return p.Code("hold", first)
	case private.ActUserCreate, private.ActUserRole:
		return p.Code("role", l.Detail)
	case private.ActSearch, private.ActExport, private.ActAuditRead:
		if asked, err := url.ParseQuery(l.Detail); err == nil {
			return askedFor(p, asked)
		}
	}
	return l.Detail
}

// askedFor says a query in words.
func askedFor(p Page, asked url.Values) string {
	var parts []string
	for _, key := range slices.Sorted(maps.Keys(asked)) {
		value := asked.Get(key)
		switch key {
		case "direction", "kind", "state", "finding":
			value = p.Code(key, value)
		case "action":
			value = p.Code("act", value)
		case "decision":
			agency, code, both := strings.Cut(value, ":")
			if both {
				value = p.T("agency."+agency) + " " + p.Code("verdict", code)
			} else {
				value = p.Code("verdict", value)
			}
		case "alike":
			value = ""
		}
		parts = append(parts, strings.TrimSpace(p.Code("asked", key)+" "+value))
	}
	return strings.Join(parts, " · ")
}
