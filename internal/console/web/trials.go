package web

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"gatehouse/internal/console/private"
	"gatehouse/internal/console/store"
	"gatehouse/internal/console/tip"
)

// trialsModel is what the supervisor's page of trials shows.
type trialsModel struct {
	Lanes []laneTrials
	Rates []tip.Rates
	Done  []tip.Trial       // the latest that were answered
	Names map[string]string // of the own agency's officers, by badge
	Error string
}

// laneTrials is how a lane's reviewers are tested.
type laneTrials struct {
	store.Lane
	tip.Setting // zero when trials were never on
}

// shares are the shares of scans that pages offer, in percent.
func shares() []int { return []int{1, 2, 5, 10, 20} }

// usualShare is offered first.
const usualShare = 5

// trials serves the supervisor's page of trials. Reading how reviewers did is
// audited.
func (s *Server) trials(w http.ResponseWriter, r *http.Request, p Page) {
	s.showTrials(w, r, p, http.StatusOK, "")
}

func (s *Server) showTrials(w http.ResponseWriter, r *http.Request, p Page, status int, mistake string) {
	m := trialsModel{Rates: s.opt.Trials.Rates(), Done: s.opt.Trials.Answered(listedTrials), Error: mistake}
	err := s.opt.Private.Record(r.Context(), p.User.ID, private.ActTrialsRead, "", "")
	if err == nil {
		m.Names, err = s.opt.Private.Names(r.Context())
	}
	var lanes []store.Lane
	if err == nil {
		lanes, err = s.opt.Store.Lanes(r.Context())
	}
	if err != nil {
		s.fail(w, r, p, err)
		return
	}
	settings := s.opt.Trials.Settings()
	for _, l := range lanes {
		x := laneTrials{Lane: l}
		if i := slices.IndexFunc(settings, func(c tip.Setting) bool { return c.Lane == laneKey(l.Gate, l.Lane) }); i >= 0 {
			x.Setting = settings[i]
		}
		m.Lanes = append(m.Lanes, x)
	}
	s.show(w, r, status, trialsView(p, m))
}

// switchTrials switches trials on a lane on or off. The audit knows of it first.
func (s *Server) switchTrials(w http.ResponseWriter, r *http.Request, p Page) {
	lane, on := r.PostFormValue("lane"), r.PostFormValue("on") == "yes"
	percent, err := strconv.ParseFloat(r.PostFormValue("share"), 64)
	if on && err != nil {
		percent = 0 // which no lane can have
	}
	lanes, err := s.opt.Store.Lanes(r.Context())
	if err != nil {
		s.fail(w, r, p, err)
		return
	}
	gate, name, _ := strings.Cut(lane, "/")
	if !slices.Contains(lanes, store.Lane{Gate: gate, Lane: name}) || on && !tip.ShareFits(percent/100) {
		s.showTrials(w, r, p, http.StatusUnprocessableEntity, p.T("trials.bad"))
		return
	}
	detail := "off"
	if on {
		detail = fmt.Sprintf("on %g %%", percent)
	}
	err = s.opt.Private.Record(r.Context(), p.User.ID, private.ActTrials, lane, detail)
	if err == nil {
		err = s.opt.Trials.Switch(lane, on, percent/100, p.User.Badge)
	}
	if err != nil {
		s.fail(w, r, p, err)
		return
	}
	http.Redirect(w, r, "/trials", http.StatusSeeOther)
}

// shareText is a share as it is shown.
func shareText(v float64) string { return strconv.FormatFloat(v*100, 'f', -1, 64) + " %" }

// rated is a share of trials with its 90 % interval: "4 of 5: 80 % (44–95 %)".
func rated(p Page, k, n int, of func() (rate, low, high float64)) (count, share, interval string) {
	if n == 0 {
		return "–", "", ""
	}
	rate, low, high := of()
	return fmt.Sprintf("%d %s %d", k, p.T("trials.of"), n), fmt.Sprintf("%.0f %%", rate*100), fmt.Sprintf("%.0f–%.0f %%", low*100, high*100)
}

// reviewer is who was tested.
func (m trialsModel) reviewer(badge string) string {
	if name := m.Names[badge]; name != "" {
		return name
	}
	return badge
}
