package web

import (
	"errors"
	"net/http"
	"strings"

	"gatehouse/internal/console/private"
	"gatehouse/internal/console/store"
	"gatehouse/internal/console/tip"
)

// withThreat ends the detail of a line of the audit whose picture was not the
// evidence as it is: a trial's threat was projected into it.
const withThreat = " projected"

// looked records that a user is shown a piece of evidence: a whole picture each
// time, a small one once a day and user, since browsers keep it for so long.
// trial is what was drawn for the user on it.
func (s *Server) looked(r *http.Request, p Page, digest, form string, trial *tip.Trial) error {
	passage, err := s.opt.Store.PassageOf(r.Context(), digest)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	act, detail := private.ActImage, digest
	switch form {
	case "original":
		act = private.ActDownload
	case "":
		detail += " full"
	default:
		detail += " " + form
	}
	if trial.Open() && trial.Threat != "" {
		detail += withThreat
	}
	return s.opt.Private.Record(r.Context(), p.User.ID, act, string(passage), detail)
}

// unspoilt takes from the lines that a user is shown of the audit what would
// answer the own trial that is under way: a supervisor reads the audit and is
// tested as others are. The audit itself keeps it, and shows it afterwards.
func (s *Server) unspoilt(p Page, lines []private.Line) {
	for i := range lines {
		l := &lines[i]
		digest, _, _ := strings.Cut(l.Detail, " ")
		if l.User == p.User.ID && strings.HasSuffix(l.Detail, withThreat) && s.opt.Trials.Look(digest, p.User.Badge).Open() {
			l.Detail = strings.TrimSuffix(l.Detail, withThreat)
		}
	}
}
