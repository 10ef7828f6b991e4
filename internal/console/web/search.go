package web

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"gatehouse/internal/console/private"
	"gatehouse/internal/console/store"
	"gatehouse/internal/event"
)

// searchRows is how many passages one page of a search shows.
const searchRows = 40

// likeRows is how many look-alikes are offered beside a search that found few.
const likeRows = 10

// searchForm is a search as it stands in the address: it can be shared.
type searchForm struct {
	Plate, Container, Document, Declaration, Words string
	From, To                                       string // local, 2006-01-02T15:04 or 2006-01-02
	Lane                                           string // gate/lane
	Direction, Kind, State, Finding                string
	// Decision is a verdict's code, AGENCY:code, "disagree" or "undecided".
	Decision       string
	Blind, Invalid string // gate/lane/device
	Alike          bool
	Before         string
}

// searchModel is what the search page shows.
type searchModel struct {
	Form     searchForm
	Asked    bool // something was asked for
	Error    string
	Found    store.Found
	Like     []store.Hit // look-alikes, where little was found
	Lanes    []store.Lane
	Findings []string // codes
	Took     time.Duration
}

func readSearch(v url.Values) searchForm {
	text := func(key string) string { return short(strings.TrimSpace(v.Get(key)), 100) }
	return searchForm{
		Plate: text("plate"), Container: text("container"), Document: text("document"), Declaration: text("declaration"), Words: text("words"),
		From: text("from"), To: text("to"), Lane: text("lane"), Direction: text("direction"), Kind: text("kind"), State: text("state"),
		Finding: text("finding"), Decision: text("decision"), Blind: text("blind"), Invalid: text("invalid"),
		Alike: v.Get("alike") != "", Before: v.Get("before"),
	}
}

// values are the form as an address has it, without the page.
func (f searchForm) values() url.Values {
	v := url.Values{}
	for key, value := range map[string]string{
		"plate": f.Plate, "container": f.Container, "document": f.Document, "declaration": f.Declaration, "words": f.Words,
		"from": f.From, "to": f.To, "lane": f.Lane, "direction": f.Direction, "kind": f.Kind, "state": f.State,
		"finding": f.Finding, "decision": f.Decision, "blind": f.Blind, "invalid": f.Invalid,
	} {
		if value != "" {
			v.Set(key, value)
		}
	}
	if f.Alike && f.Plate != "" {
		v.Set("alike", "1")
	}
	return v
}

// searchError is a mistake in a search, as a key of the dictionary.
type searchError struct{ key string }

func (e searchError) Error() string { return e.key }

// query turns the form into a query of the store.
func (f searchForm) query() (store.Query, error) {
	q := store.Query{
		Plate: f.Plate, Alike: f.Alike, Container: f.Container, Document: f.Document, Declaration: f.Declaration, Words: f.Words,
		Direction: event.Direction(f.Direction), Kind: event.PassageKind(f.Kind), State: event.PassageState(f.State), Finding: f.Finding,
		Blind: f.Blind, Invalid: f.Invalid, Limit: searchRows,
	}
	var ok bool
	if q.From, ok = localMoment(f.From, 0); !ok {
		return q, searchError{"search.badtime"}
	}
	if q.To, ok = localMoment(f.To, 1); !ok {
		return q, searchError{"search.badtime"}
	}
	if f.Lane != "" {
		q.Gate, q.Lane, _ = strings.Cut(f.Lane, "/")
	}
	switch agency, code, both := strings.Cut(f.Decision, ":"); {
	case f.Decision == "disagree":
		q.Disagree = true
	case f.Decision == "undecided":
		q.Undecided = true
	case both:
		q.By, q.Verdict = event.Agency(agency), event.VerdictCode(code)
	default:
		q.Verdict = event.VerdictCode(f.Decision)
	}
	if f.Before != "" {
		n, err := strconv.ParseInt(f.Before, 10, 64)
		if err != nil || n <= 0 {
			return q, searchError{"search.badpage"}
		}
		q.Before = n
	}
	return q, nil
}

// localMoment reads a local time; with after, the end of the minute or the day
// that it names.
func localMoment(text string, after int) (time.Time, bool) {
	if text == "" {
		return time.Time{}, true
	}
	zone := time.FixedZone("+07", 7*3600)
	if t, err := time.ParseInLocation("2006-01-02T15:04", text, zone); err == nil {
		return t.Add(time.Duration(after) * time.Minute), true
	}
	if t, err := time.ParseInLocation(time.DateOnly, text, zone); err == nil {
		return t.AddDate(0, 0, after), true
	}
	return time.Time{}, false
}

// search serves the search page.
func (s *Server) search(w http.ResponseWriter, r *http.Request, p Page) {
	f := readSearch(r.URL.Query())
	if f.Document != "" && !p.May(private.Documents) {
		s.deny(w, r, p)
		return
	}
	m := searchModel{Form: f, Asked: len(f.values()) > 0, Findings: s.findingCodes()}
	var err error
	if m.Lanes, err = s.opt.Store.Lanes(r.Context()); err != nil {
		s.fail(w, r, p, err)
		return
	}
	q, err := f.query()
	if wrong, ok := err.(searchError); ok { //nolint:errorlint // made by query, never wrapped
		m.Error = p.T(wrong.key)
		s.show(w, r, http.StatusUnprocessableEntity, searchView(p, m))
		return
	}
	if m.Asked {
		if err := s.opt.Private.Record(r.Context(), p.User.ID, private.ActSearch, "", f.values().Encode()); err != nil {
			s.fail(w, r, p, err)
			return
		}
	}
	if err := s.find(r, q, &m); err != nil {
		s.fail(w, r, p, err)
		return
	}
	s.show(w, r, http.StatusOK, searchView(p, m))
}

// find runs a query, and where it finds few plates looks for similar ones.
func (s *Server) find(r *http.Request, q store.Query, m *searchModel) error {
	began := time.Now()
	var err error
	if m.Found, err = s.opt.Store.Search(r.Context(), q); err != nil {
		return err
	}
	if q.Plate != "" && !q.Alike && q.Before == 0 && len(m.Found.Hits) < likeRows && !m.Found.Cut {
		q.Alike, q.Limit = true, likeRows+len(m.Found.Hits)
		like, err := s.opt.Store.Search(r.Context(), q)
		if err != nil {
			return err
		}
		m.Like = slices.DeleteFunc(like.Hits, func(h store.Hit) bool { return !h.Similar })
	}
	m.Took = time.Since(began)
	return nil
}

// findingCodes lists the codes that have a word, in the order of the codes.
func (s *Server) findingCodes() []string {
	var list []string
	for key := range s.words {
		if code, ok := strings.CutPrefix(key, "finding."); ok {
			list = append(list, code)
		}
	}
	slices.Sort(list)
	return list
}

// next is the address of the next page.
func (m searchModel) next() string {
	v := m.Form.values()
	v.Set("before", strconv.FormatInt(m.Found.Next, 10))
	return "/search?" + v.Encode()
}

// export is the address of the found passages as a file.
func (m searchModel) export(format string) string {
	v := m.Form.values()
	v.Set("format", format)
	return "/search/export?" + v.Encode()
}

// within says what was asked for beside the form's own fields.
func (m searchModel) within(p Page) string {
	switch {
	case m.Form.Blind != "":
		return p.T("search.blind") + " " + m.Form.Blind
	case m.Form.Invalid != "":
		return p.T("search.invalid") + " " + m.Form.Invalid
	}
	return ""
}

// counted says how many passages the page shows.
func (m searchModel) counted(p Page) string {
	n := fmt.Sprint(len(m.Found.Hits))
	if m.Found.Next != 0 {
		n += "+"
	}
	return n + " " + p.T("search.found")
}
