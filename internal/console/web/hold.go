package web

import (
	"net/http"
	"strings"

	"gatehouse/internal/console/private"
	"gatehouse/internal/console/store"
	"gatehouse/internal/event"
)

// holdForm is what a supervisor has filled in and what is wrong with it.
type holdForm struct{ Reason, Error string }

// holdOf is an agency's last word on a legal hold; nil when it said none.
func (m *passageModel) holdOf(a event.Agency) *store.Hold {
	var last *store.Hold
	for i := range m.Holds {
		if m.Holds[i].Agency == a {
			last = &m.Holds[i]
		}
	}
	return last
}

// held lists the agencies whose hold on the passage is set.
func (m *passageModel) held() []event.Agency {
	var all []event.Agency
	for _, a := range event.Agencies() {
		if h := m.holdOf(a); h != nil && h.Set {
			all = append(all, a)
		}
	}
	return all
}

// holds tells whether the own agency's hold is set.
func holds(p Page, m passageModel) bool {
	h := m.holdOf(p.Agency)
	return h != nil && h.Set
}

// hold sets or lifts the own agency's legal hold on a passage. Which of both is in
// the form, so that two supervisors do not undo each other.
func (s *Server) hold(w http.ResponseWriter, r *http.Request, p Page) {
	m, err := s.passageModel(r, p, event.ID(r.PathValue("id")))
	if err != nil {
		s.fail(w, r, p, err)
		return
	}
	f := holdForm{Reason: strings.TrimSpace(r.PostFormValue("reason"))}
	set := r.PostFormValue("set") == "true"
	switch {
	case r.PostFormValue("set") != "true" && r.PostFormValue("set") != "false" || set == holds(p, m):
		f.Error = p.T("verdict.changed")
	case f.Reason == "":
		f.Error = p.T("hold.reason.needed")
	default:
		f.Error = checkReason(p, f.Reason)
	}
	if f.Error != "" {
		m.Hold = f
		s.show(w, r, http.StatusUnprocessableEntity, passageView(p, m))
		return
	}
	at := s.opt.Now().UTC()
	h := event.LegalHold{
		ID: event.NewID(at), Agency: p.Agency, Gate: m.Gate, Passage: m.ID, Set: set, Reason: f.Reason, Badge: p.User.Badge, At: at,
	}
	result, err := s.opt.Store.SetHold(r.Context(), h)
	if err == nil {
		err = s.opt.Private.Record(r.Context(), p.User.ID, private.ActHold, string(h.Passage), holdWord(set)+" "+string(h.ID))
	}
	if err != nil {
		s.fail(w, r, p, err)
		return
	}
	s.opt.Live.Notify(result.Changes)
	s.opt.Uplink.Wake()
	http.Redirect(w, r, "/passages/"+string(m.ID), http.StatusSeeOther)
}

// holdWord is what a line of the audit says of a hold.
func holdWord(set bool) string {
	if set {
		return "set"
	}
	return "lifted"
}
