package web

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"gatehouse/internal/console/private"
	"gatehouse/internal/console/store"
	"gatehouse/internal/event"
)

const (
	// controlLines is how many lines of the hand-over log a device's page shows.
	controlLines = 50
	// controlNews is how long the card of a lane tells of the last command.
	controlNews = time.Minute
	// takeOver is a take that takes the lease from its holder, as pages name it.
	takeOver = "takeover"
)

// controlModel is who controls a device, and what became of commands.
type controlModel struct {
	deviceRow
	Now   event.ControlChange // newest line of the log; zero when there is none
	Log   []event.ControlChange
	Open  []event.Command // own ones that were not answered
	Form  event.ID        // makes what is sent from this page one command
	Error string
}

// holder is who has control as far as this console knows, "" for nobody. A
// lease whose time is over is nobody's, whatever came or did not.
func (m controlModel) holder(p Page) event.Agency {
	if m.Now.Holder == "" || !p.Now.Before(m.Now.Until) {
		return ""
	}
	return m.Now.Holder
}

// recent tells whether there is something new to tell of commands.
func (m controlModel) recent(p Page) bool {
	return len(m.Open) > 0 || m.Now.ID != "" && p.Now.Sub(m.Now.At) < controlNews
}

// at is the address to which commands go.
func (m controlModel) at() string {
	return "/control/" + url.PathEscape(m.Gate) + "/" + url.PathEscape(m.Lane) + "/" + url.PathEscape(m.Device.Device)
}

// mayControl tells whether the user may command the device as it is now.
func mayControl(p Page, d deviceView) bool {
	return p.May(private.Control) && (p.User.Role != private.Technician || d.State == event.InTest)
}

// controlVerb is a command as pages offer it.
type controlVerb struct {
	Verb string
	Key  string // place on the keyboard, as event.code names it
	Cap  string // what is printed on it
	Sure bool   // asked for again before it is sent
}

// deviceVerbs are what the holder can ask of a barrier. What makes things safer
// is done at once.
func deviceVerbs() []controlVerb {
	return []controlVerb{
		{string(event.ControlOpen), "KeyO", "O", true}, {string(event.ControlClose), "KeyC", "C", true},
		{string(event.ControlStop), "KeyX", "X", false}, {string(event.ControlRed), "KeyR", "R", false},
		{string(event.ControlGreen), "KeyG", "G", true},
	}
}

// leaseVerbs are what can be done about the lease now.
func (m controlModel) leaseVerbs(p Page) []controlVerb {
	switch holder := m.holder(p); {
	case holder == p.Agency:
		return []controlVerb{{"renew", "KeyL", "L", false}, {string(event.ControlRelease), "KeyU", "U", false}}
	case holder == "":
		return []controlVerb{{string(event.ControlTake), "KeyL", "L", false}}
	case p.May(private.TakeOver):
		return []controlVerb{{takeOver, "KeyL", "L", true}}
	}
	return nil
}

// needsSure tells whether a verb is asked for again.
func needsSure(verb string) bool {
	return verb == takeOver || slices.ContainsFunc(deviceVerbs(), func(v controlVerb) bool { return v.Verb == verb && v.Sure })
}

// controlOf reads who controls a device; log for its page.
func (s *Server) controlOf(r *http.Request, d deviceRow, log bool) (controlModel, error) {
	m := controlModel{deviceRow: d, Form: event.NewID(s.opt.Now())}
	id := store.DeviceID{Gate: d.Gate, Lane: d.Lane, Device: d.Device.Device}
	limit := 1
	if log {
		limit = controlLines
	}
	var err error
	if m.Log, err = s.opt.Store.ControlLog(r.Context(), id, limit); err != nil {
		return m, err
	}
	if len(m.Log) > 0 {
		m.Now = m.Log[0]
	}
	m.Open, err = s.opt.Store.OpenCommands(r.Context(), id)
	return m, err
}

// barrierOf finds the device of a request, which has to be a barrier.
func (s *Server) barrierOf(r *http.Request, p Page) (controlModel, error) {
	views, err := s.deviceViews(r, p)
	if err != nil {
		return controlModel{}, err
	}
	for _, l := range views {
		for _, d := range l.Devices {
			if d.Gate == r.PathValue("gate") && d.Lane == r.PathValue("lane") && d.Device.Device == r.PathValue("device") && d.Barrier != nil {
				return s.controlOf(r, deviceRow{deviceView: d}, false)
			}
		}
	}
	return controlModel{}, fmt.Errorf("barrier of %s: %w", r.URL.Path, store.ErrNotFound)
}

// confirmControl asks whether a command is meant. The button has the focus, so
// that Enter does it and Escape goes back, whatever input method is on.
func (s *Server) confirmControl(w http.ResponseWriter, r *http.Request, p Page) {
	m, err := s.barrierOf(r, p)
	if err != nil {
		s.fail(w, r, p, err)
		return
	}
	verb := r.PathValue("verb")
	if !needsSure(verb) {
		s.fail(w, r, p, store.ErrNotFound)
		return
	}
	if !mayControl(p, m.deviceView) {
		m.Error = p.T("control.intest")
	}
	s.show(w, r, http.StatusOK, controlConfirm(p, m, verb))
}

// control takes an officer's command.
func (s *Server) control(w http.ResponseWriter, r *http.Request, p Page) {
	m, err := s.barrierOf(r, p)
	if err != nil {
		s.fail(w, r, p, err)
		return
	}
	verb := r.PostFormValue("verb")
	c, mistake := commandOf(p, m, verb, strings.TrimSpace(r.PostFormValue("reason")))
	if mistake != "" {
		m.Error = mistake
		s.show(w, r, http.StatusUnprocessableEntity, controlConfirm(p, m, verb))
		return
	}
	form := event.ID(r.PostFormValue("form"))
	if form.Time().IsZero() {
		form = m.Form
	}
	c.ID, c.At = event.CommandID(form, event.ControlVerb(verb)), s.opt.Now().UTC()
	if err := s.sayCommand(r, p, c); err != nil {
		s.fail(w, r, p, err)
		return
	}
	back := backTo(r)
	if back == "/" && r.PostFormValue("back") == "" {
		back = m.deviceRow.at()
	}
	http.Redirect(w, r, back, http.StatusSeeOther)
}

// commandOf makes a command of what a page asks for, or tells why it may not.
func commandOf(p Page, m controlModel, verb, reason string) (c event.Command, mistake string) {
	c = event.Command{
		Agency: p.Agency, Where: event.Where{Gate: m.Gate, Lane: m.Lane, Device: m.Device.Device}, Verb: event.ControlVerb(verb), Badge: p.User.Badge,
	}
	switch verb {
	case "renew":
		c.Verb = event.ControlTake
	case takeOver:
		c.Verb, c.Force, c.Reason = event.ControlTake, true, reason
	}
	switch {
	case !mayControl(p, m.deviceView):
		return c, p.T("control.intest")
	case !slices.Contains(event.ControlVerbs(), c.Verb):
		return c, p.T("correct.unknown")
	case c.Force && !p.May(private.TakeOver):
		return c, p.T("error.forbidden")
	case c.Force && c.Reason == "":
		return c, p.T("control.reason.needed")
	case utf8.RuneCountInString(c.Reason) > maxReason:
		return c, p.T("verdict.reason.long")
	}
	return c, ""
}

func (s *Server) sayCommand(r *http.Request, p Page, c event.Command) error {
	// The audit first: no command leaves that it does not know of.
	about := c.Gate + "/" + c.Lane + "/" + c.Device
	if err := s.opt.Private.Record(r.Context(), p.User.ID, private.ActControl, about, string(c.Verb)+" "+string(c.ID)); err != nil {
		return err
	}
	result, err := s.opt.Store.Command(r.Context(), c)
	if err != nil {
		return err
	}
	s.opt.Live.Notify(result.Changes)
	s.opt.Uplink.Wake()
	return nil
}

// voidCommand tells whether a command is too old for the gate to carry it out.
func voidCommand(p Page, c event.Command) bool {
	return p.Now.Sub(c.At) > event.CommandValidity+5*time.Second
}

// holderWords says who has control and until when.
func holderWords(p Page, m controlModel) string {
	switch holder := m.holder(p); holder {
	case "":
		return p.T("control.nobody")
	case p.Agency:
		return p.T("control.yours") + " · " + p.T("control.until") + " " + p.Clock(m.Now.Until)
	default:
		return p.T("agency."+string(holder)) + " · " + p.T("control.until") + " " + p.Clock(m.Now.Until)
	}
}

// verbWords is a command in words.
func verbWords(p Page, c event.ControlChange) string {
	text := p.T("verb." + string(c.Verb))
	if c.Force {
		text = p.T("verb." + takeOver)
	}
	return text
}

// sureWords is the question before a command.
func sureWords(p Page, verb string) string {
	if needsSure(verb) {
		return p.T("control.sure." + verb)
	}
	return p.T("control.sure")
}
