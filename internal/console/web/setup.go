package web

import (
	"errors"
	"net/http"
	"strings"

	"gatehouse/internal/console/private"
)

// setupForm is the set-up page's state.
type setupForm struct {
	Token, Login, Name, Error string
	Invalid                   bool
	Invited                   bool // the account is there; only the password is chosen
}

// setupPage serves a set-up link: of the first account, or of one that a
// supervisor made or reset.
func (s *Server) setupPage(w http.ResponseWriter, r *http.Request) {
	p, err := s.page(r)
	if err != nil {
		s.fail(w, r, p, err)
		return
	}
	f := setupForm{Token: r.URL.Query().Get("token")}
	in, err := s.opt.Private.CheckSetupLink(r.Context(), f.Token)
	if errors.Is(err, private.ErrSetupLink) {
		s.show(w, r, http.StatusForbidden, setupView(p, setupForm{Invalid: true}))
		return
	}
	if err != nil {
		s.fail(w, r, p, err)
		return
	}
	f.of(in)
	s.show(w, r, http.StatusOK, setupView(p, f))
}

func (f *setupForm) of(in private.Invitation) {
	if in.User != nil {
		f.Login, f.Name, f.Invited = in.User.Login, in.User.Name, true
	}
}

// setup takes the set-up form.
func (s *Server) setup(w http.ResponseWriter, r *http.Request) {
	p, err := s.page(r)
	if err != nil {
		s.fail(w, r, p, err)
		return
	}
	f := setupForm{Token: r.PostFormValue("token"), Login: strings.TrimSpace(r.PostFormValue("login")), Name: r.PostFormValue("name")}
	if !s.limiter.allow(r, s.opt.Now()) {
		f.Error = p.T("login.slow")
		s.show(w, r, http.StatusTooManyRequests, setupView(p, f))
		return
	}
	u, err := s.setUp(r, &f)
	if err == nil {
		if err = s.enter(r, u, private.ActSetup); err == nil {
			s.streams.end(u.ID)
			http.Redirect(w, r, "/", http.StatusSeeOther)
			return
		}
	}
	if f.Error = passwordProblem(p, err); f.Error == "" {
		if !errors.Is(err, private.ErrSetupLink) && !errors.Is(err, private.ErrUsersExist) {
			s.fail(w, r, p, err)
			return
		}
		f = setupForm{Invalid: true}
	}
	s.show(w, r, http.StatusUnprocessableEntity, setupView(p, f))
}

// errDiffer says that a password was not repeated as it was.
var errDiffer = errors.New("the passwords differ")

func (s *Server) setUp(r *http.Request, f *setupForm) (private.User, error) {
	in, err := s.opt.Private.CheckSetupLink(r.Context(), f.Token)
	if err != nil {
		return private.User{}, err
	}
	f.of(in)
	password := r.PostFormValue("password")
	if password != r.PostFormValue("repeat") {
		return private.User{}, errDiffer
	}
	if f.Invited {
		return s.opt.Private.Accept(r.Context(), f.Token, password)
	}
	return s.opt.Private.SetUp(r.Context(), f.Token, f.Login, f.Name, password)
}

// passwordProblem is what is wrong with what was typed, in the user's
// language; "" when it is none of that.
func passwordProblem(p Page, err error) string {
	switch {
	case errors.Is(err, errDiffer):
		return p.T("setup.differ")
	case errors.Is(err, private.ErrShortPassword):
		return p.T("setup.short")
	case errors.Is(err, private.ErrBadLogin):
		return p.T("setup.login")
	case errors.Is(err, private.ErrWrong):
		return p.T("account.wrong")
	}
	return ""
}
