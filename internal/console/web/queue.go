package web

import (
	"net/http"
	"sort"

	"gatehouse/internal/console/private"
	"gatehouse/internal/console/store"
	"gatehouse/internal/event"
)

// queueReach is how many of the newest alerts the queue is made of.
const queueReach = 200

// ring is an alert that nobody has acknowledged, for the script that sounds.
type ring struct{ ID, Title, Body, Href string }

// queueModel is what the alert page shows.
type queueModel struct {
	Open  []store.Alert
	All   []store.Alert
	Names map[string]string // of the own agency's officers, by badge
}

// rank orders severities, worst first.
func rank(s event.Severity) int {
	for i, known := range []event.Severity{event.Extreme, event.Severe, event.Moderate, event.Minor} {
		if s == known {
			return i
		}
	}
	return 4
}

// waiting picks the alerts that wait for an agency's verdict: worst first,
// then the oldest, which has waited longest.
func waiting(alerts []store.Alert, a event.Agency) []store.Alert {
	var open []store.Alert
	for _, x := range alerts {
		if x.MsgType == "Cancel" || x.Superseded || x.DecidedBy(a) {
			continue
		}
		open = append(open, x)
	}
	sort.SliceStable(open, func(i, j int) bool {
		if a, b := rank(open[i].Severity), rank(open[j].Severity); a != b {
			return a < b
		}
		return open[i].Sent.Before(open[j].Sent)
	})
	return open
}

// rings tells whether an alert asks for an officer's ear: it is in force, came
// in time, and nobody of either agency has acknowledged it.
func rings(a *store.Alert, own event.Agency) bool {
	return a.MsgType != "Cancel" && !a.Superseded && !a.Late && !a.Acked() && !a.DecidedBy(own) && rank(a.Severity) <= rank(event.Moderate)
}

func (s *Server) queueModel(r *http.Request, p Page) (queueModel, error) {
	var m queueModel
	var err error
	if m.All, err = s.opt.Store.Alerts(r.Context(), queueReach); err != nil {
		return m, err
	}
	m.Open = waiting(m.All, p.Agency)
	m.Names, err = s.opt.Private.Names(r.Context())
	return m, err
}

// alerts serves the alert page, or a part of it. The part "queue" is the open
// queue alone, which pages compare with what they show.
func (s *Server) alerts(w http.ResponseWriter, r *http.Request, p Page) {
	m, err := s.queueModel(r, p)
	if err != nil {
		s.fail(w, r, p, err)
		return
	}
	switch r.URL.Query().Get("part") {
	case "queue":
		s.show(w, r, http.StatusOK, queueItems(p, m.Open, m.Names))
	case "list":
		s.show(w, r, http.StatusOK, allAlerts(p, m))
	case "ringing":
		s.show(w, r, http.StatusOK, ringing(p, s.ringList(p, m.Open)))
	default:
		s.show(w, r, http.StatusOK, alertsView(p, m))
	}
}

func (s *Server) ringList(p Page, open []store.Alert) []ring {
	var list []ring
	for i := range open {
		a := &open[i]
		if !rings(a, p.Agency) || !p.May(private.Decide) {
			continue
		}
		body := p.T("board.col.lane") + " " + a.Lane
		if a.Plate != "" {
			body += " · " + a.Plate
		}
		list = append(list, ring{ID: string(a.ID), Title: p.Of(a.Headline), Body: body, Href: "/passages/" + string(a.Passage)})
	}
	return list
}

// acknowledge takes an officer's acknowledgement of an alert.
func (s *Server) acknowledge(w http.ResponseWriter, r *http.Request, p Page) {
	a, err := s.opt.Store.Alert(r.Context(), event.ID(r.PathValue("id")))
	if err != nil {
		s.fail(w, r, p, err)
		return
	}
	if !a.AckedBy(p.Agency, p.User.Badge) {
		if err := s.sayAck(r, p, &a.Alert); err != nil {
			s.fail(w, r, p, err)
			return
		}
	}
	if r.Header.Get("HX-Request") != "" {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	http.Redirect(w, r, backTo(r), http.StatusSeeOther)
}

func (s *Server) sayAck(r *http.Request, p Page, a *event.Alert) error {
	at := s.opt.Now().UTC()
	k := event.Ack{ID: event.NewID(at), Agency: p.Agency, Gate: a.Gate, Alert: a.ID, Passage: a.Passage, Badge: p.User.Badge, At: at}
	result, err := s.opt.Store.Acknowledge(r.Context(), k)
	if err == nil {
		err = s.opt.Private.Record(r.Context(), p.User.ID, private.ActAck, string(a.Passage), string(a.ID))
	}
	if err != nil {
		return err
	}
	s.opt.Live.Notify(result.Changes)
	s.opt.Uplink.Wake()
	return nil
}

// ackName is who acknowledged: by name among one's own, by badge otherwise.
func ackName(p Page, names map[string]string, k store.Ack) string {
	if name := names[k.Badge]; k.Agency == p.Agency && name != "" {
		return name
	}
	return k.Badge
}
