package web

import (
	"net/http"

	"gatehouse/internal/console/private"
)

// accountModel is what a user's own page shows.
type accountModel struct {
	Error   string
	Changed bool
}

// account serves a user's own page.
func (s *Server) account(w http.ResponseWriter, r *http.Request, p Page) {
	s.show(w, r, http.StatusOK, accountView(p, accountModel{Changed: r.URL.Query().Get("changed") != ""}))
}

// changePassword changes a user's own password and ends the user's other
// sessions.
func (s *Server) changePassword(w http.ResponseWriter, r *http.Request, p Page) {
	if !s.limiter.allow(r, s.opt.Now()) {
		s.show(w, r, http.StatusTooManyRequests, accountView(p, accountModel{Error: p.T("login.slow")}))
		return
	}
	u, err := *p.User, errDiffer
	if password := r.PostFormValue("password"); password == r.PostFormValue("repeat") {
		u, err = s.opt.Private.ChangePassword(r.Context(), u, r.PostFormValue("old"), password)
	}
	if why := passwordProblem(p, err); why != "" {
		s.show(w, r, http.StatusUnprocessableEntity, accountView(p, accountModel{Error: why}))
		return
	}
	if err == nil {
		s.streams.end(u.ID)
		err = s.enter(r, u, private.ActPassword)
	}
	if err != nil {
		s.fail(w, r, p, err)
		return
	}
	http.Redirect(w, r, "/account?changed=1", http.StatusSeeOther)
}
