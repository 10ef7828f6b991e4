package web

import (
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"unicode/utf8"

	"gatehouse/internal/console/private"
	"gatehouse/internal/console/store"
)

// usersModel is what the supervisor's page of accounts shows.
type usersModel struct {
	Accounts []private.Account
	Form     inviteForm
	Error    string // about a change of an account
	Link     string // set-up link just made, shown once
	LinkOf   string // whose it is
}

// inviteForm is the state of the form for a new account.
type inviteForm struct {
	Login, Name, Error string
	Role               private.Role
}

// maxName bounds an officer's name, in characters.
const maxName = 100

// users serves the supervisor's page of accounts.
func (s *Server) users(w http.ResponseWriter, r *http.Request, p Page) {
	s.showUsers(w, r, p, http.StatusOK, usersModel{})
}

func (s *Server) showUsers(w http.ResponseWriter, r *http.Request, p Page, status int, m usersModel) {
	var err error
	if m.Accounts, err = s.opt.Private.Accounts(r.Context()); err != nil {
		s.fail(w, r, p, err)
		return
	}
	s.show(w, r, status, usersView(p, m))
}

// invite makes an account and shows its set-up link, once.
func (s *Server) invite(w http.ResponseWriter, r *http.Request, p Page) {
	f := inviteForm{
		Login: strings.TrimSpace(r.PostFormValue("login")), Name: strings.TrimSpace(r.PostFormValue("name")),
		Role: private.Role(r.PostFormValue("role")),
	}
	switch {
	case f.Name == "" || utf8.RuneCountInString(f.Name) > maxName:
		f.Error = p.T("users.noname")
	case !f.Role.Known():
		f.Error = p.T("users.norole")
	}
	if f.Error != "" {
		s.showUsers(w, r, p, http.StatusUnprocessableEntity, usersModel{Form: f})
		return
	}
	u, token, err := s.opt.Private.Invite(r.Context(), f.Login, f.Name, f.Role)
	if errors.Is(err, private.ErrBadLogin) {
		f.Error = p.T("setup.login")
	} else if errors.Is(err, private.ErrLoginTaken) {
		f.Error = p.T("users.taken")
	}
	if f.Error != "" {
		s.showUsers(w, r, p, http.StatusUnprocessableEntity, usersModel{Form: f})
		return
	}
	if err == nil {
		err = s.opt.Private.Record(r.Context(), p.User.ID, private.ActUserCreate, u.Login, string(u.Role))
	}
	if err != nil {
		s.fail(w, r, p, err)
		return
	}
	s.showUsers(w, r, p, http.StatusOK, usersModel{Link: s.setupURL(r, token), LinkOf: u.Login})
}

// setupURL is a set-up link as the supervisor's browser reaches the console.
func (s *Server) setupURL(r *http.Request, token string) string {
	u := url.URL{Scheme: "http", Host: r.Host, Path: "/setup", RawQuery: url.Values{"token": {token}}.Encode()}
	if s.opt.Secure {
		u.Scheme = "https"
	}
	return u.String()
}

// resetUser takes a password away and shows the link for another, once.
func (s *Server) resetUser(w http.ResponseWriter, r *http.Request, p Page) {
	var token string
	s.changeUser(w, r, p, private.ActUserReset, "", func(u private.User) error {
		var err error
		token, err = s.opt.Private.Reset(r.Context(), u.ID)
		return err
	}, func(u private.User) {
		s.showUsers(w, r, p, http.StatusOK, usersModel{Link: s.setupURL(r, token), LinkOf: u.Login})
	})
}

func (s *Server) setRole(w http.ResponseWriter, r *http.Request, p Page) {
	role := private.Role(r.PostFormValue("role"))
	if !role.Known() {
		s.showUsers(w, r, p, http.StatusUnprocessableEntity, usersModel{Error: p.T("users.norole")})
		return
	}
	s.changeUser(w, r, p, private.ActUserRole, string(role), func(u private.User) error {
		return s.opt.Private.SetRole(r.Context(), u.ID, role)
	}, nil)
}

func (s *Server) disableUser(w http.ResponseWriter, r *http.Request, p Page) {
	s.changeUser(w, r, p, private.ActUserDisable, "", func(u private.User) error {
		return s.opt.Private.Disable(r.Context(), u.ID)
	}, nil)
}

func (s *Server) enableUser(w http.ResponseWriter, r *http.Request, p Page) {
	s.changeUser(w, r, p, private.ActUserEnable, "", func(u private.User) error {
		return s.opt.Private.Enable(r.Context(), u.ID)
	}, nil)
}

// changeUser changes the account that the path names, records it, ends its
// event streams and answers with done, or with the list when done is nil.
func (s *Server) changeUser(w http.ResponseWriter, r *http.Request, p Page, what private.Action, detail string,
	change func(private.User) error, done func(private.User),
) {
	id, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
	if err != nil {
		s.fail(w, r, p, store.ErrNotFound)
		return
	}
	u, err := s.opt.Private.User(r.Context(), id)
	if err == nil {
		err = change(u)
	}
	if errors.Is(err, private.ErrLastSupervisor) {
		s.showUsers(w, r, p, http.StatusConflict, usersModel{Error: p.T("users.lastone")})
		return
	}
	if err == nil {
		s.streams.end(u.ID)
		err = s.opt.Private.Record(r.Context(), p.User.ID, what, u.Login, detail)
	}
	switch {
	case err != nil:
		s.fail(w, r, p, err)
	case done != nil:
		done(u)
	default:
		http.Redirect(w, r, "/users", http.StatusSeeOther)
	}
}
