package web

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"unicode/utf8"

	"gatehouse/internal/console/private"
	"gatehouse/internal/console/store"
	"gatehouse/internal/console/tip"
	"gatehouse/internal/event"
)

// passageModel is what a passage's page shows.
type passageModel struct {
	store.Passage
	Plate    event.PlateReading
	Photos   []photoView
	Scans    []scanView
	Chart    *chart
	Weight   *weightChart
	Earlier  []store.Hit       // of the same plate, newest first
	Near     []store.Hit       // of the same lane about the same time; only for who may correct
	Names    map[string]string // of the own agency's officers, by badge
	Correct  correctForm
	Versions []store.Version
	Receipts []store.Reach
	Notes    []private.Note
	Form     verdictForm
	Trial    *tip.Trial   // what was drawn for the user; nil when nothing was
	Reveal   *reveal      // of a trial whose real scan is to be decided
	Holds    []store.Hold // what both agencies said about legal holds, oldest first
	Hold     holdForm
	SignedBy store.KeyUse // the gate's key under the newest version
}

// imageView is a piece of evidence and how it stands with it.
type imageView struct {
	Digest string
	Stored bool
	// Missing is why the gate cannot send it, as it says; "" while it is on its
	// way.
	Missing string
	Removed *store.Removed // how the gate has removed it by its rules; nil when it has not
	W, H    int            // pixels as stored; 0 when not known
	Marks   []mark
	Real    bool // a trial showed something else before
}

// mark is a region on an image.
type mark struct {
	X, Y, W, H int
	Label      string
	Class      string
}

// viewerModel is an image in a viewer.
type viewerModel struct {
	ID, Title string
	View      imageView
	Analysis  string
	Burst     int // how many pictures the camera took of the same
	Scan      bool
	Folded    bool   // another one is shown in its place
	Whole     string // where it is shown in full; "" where it is
	Report    string // where the report on a scan is got; "" where there is none
	Heat      string // where its heat map is shown; "" where there is none
}

type photoView struct {
	event.Photo
	imageView
	Burst int // how many the camera took of the same; 1 for a single one
}

type scanView struct {
	event.ScanView
	imageView
}

// verdictForm is the form's state.
type verdictForm struct {
	Code, Reason, About, Error string
	Look                       string // what the page showed of the scans
	Version                    int
	Sequence                   uint64
}

// passage serves a passage's page, or its live part.
func (s *Server) passage(w http.ResponseWriter, r *http.Request, p Page) {
	part := r.URL.Query().Get("part")
	m, err := s.drawnModel(r, p, event.ID(r.PathValue("id")), part == "" || part == "live")
	if err != nil {
		s.fail(w, r, p, err)
		return
	}
	switch part {
	case "live":
		s.show(w, r, http.StatusOK, passageLive(p, m))
		return
	case "verdicts":
		s.show(w, r, http.StatusOK, decided(p, m))
		return
	case "provenance":
		s.show(w, r, http.StatusOK, provenance(p, m))
		return
	}
	if err := s.opt.Private.Record(r.Context(), p.User.ID, "view", string(m.ID), ""); err != nil {
		s.fail(w, r, p, err)
		return
	}
	s.show(w, r, http.StatusOK, passageView(p, m))
	s.seen(p, &m)
}

func (s *Server) passageModel(r *http.Request, p Page, id event.ID) (passageModel, error) {
	return s.drawnModel(r, p, id, false)
}

// drawnModel is the passage's model; with draw it is drawn whether the user gets
// to see a trial.
func (s *Server) drawnModel(r *http.Request, p Page, id event.ID, draw bool) (passageModel, error) {
	ctx := r.Context()
	var m passageModel
	var err error
	if m.Passage, err = s.opt.Store.Passage(ctx, id); err != nil {
		return m, err
	}
	if m.Versions, err = s.opt.Store.Versions(ctx, id); err != nil {
		return m, err
	}
	if m.Receipts, err = s.opt.Store.ReceiptsFor(ctx, m.Place); err != nil {
		return m, err
	}
	if m.SignedBy, err = s.opt.Store.KeyOf(ctx, m.Place); err != nil {
		return m, err
	}
	if m.Holds, err = s.opt.Store.HoldsOf(ctx, id); err != nil {
		return m, err
	}
	if m.Notes, err = s.opt.Private.Notes(ctx, id); err != nil {
		return m, err
	}
	m.Plate = store.BestPlate(&m.Passage.Passage)
	m.Chart, m.Weight = newChart(m.Radiation, m.Findings), newWeightChart(p, &m.Passage.Passage)
	if m.Earlier, err = s.opt.Store.SamePlate(ctx, m.Plate.Text, m.OpenedAt, 4); err != nil {
		return m, err
	}
	if p.May(private.Correct) {
		if m.Near, err = s.opt.Store.Neighbours(ctx, &m.Passage.Passage, neighbourhood); err != nil {
			return m, err
		}
	}
	if m.Names, err = s.opt.Private.Names(ctx); err != nil {
		return m, err
	}
	if m.Trial, err = s.trial(p, &m.Passage, draw); err != nil {
		return m, err
	}
	m.Reveal = revealOf(m.Trial)
	m.Form = verdictForm{Version: m.Version, Sequence: m.Sequence}
	for _, a := range m.Alerts {
		if !a.DecidedBy(p.Agency) {
			m.Form.About = string(a.ID)
			break
		}
	}
	for _, burst := range bursts(m.Passage.Photos) {
		ph := bestOf(burst, m.Plates)
		v := photoView{Photo: ph, Burst: len(burst)}
		if v.imageView, err = s.imageView(r, p, m.Passage.Passage, ph.Image); err != nil {
			return m, err
		}
		m.Photos = append(m.Photos, v)
	}
	for _, sc := range m.Passage.Scans {
		v := scanView{ScanView: sc}
		if v.imageView, err = s.imageView(r, p, m.Passage.Passage, sc.Image); err != nil {
			return m, err
		}
		if err := s.asTrial(r, p, m.Trial, &v.imageView); err != nil {
			return m, err
		}
		m.Scans = append(m.Scans, v)
	}
	return m, nil
}

// imageView looks a piece of evidence up and gathers what is marked on it.
func (s *Server) imageView(r *http.Request, p Page, passage event.Passage, ev event.Evidence) (imageView, error) {
	v := imageView{Digest: ev.SHA256}
	state, err := s.opt.Store.Evidence(r.Context(), ev.SHA256)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return v, err
	}
	path, have := s.opt.Store.EvidencePath(ev.SHA256)
	v.Stored, v.Missing = have, state.Missing
	if !have {
		v.Removed, err = s.opt.Store.RemovedAt(r.Context(), ev.SHA256)
		return v, err
	}
	size := s.images.dimensions(path, ev.SHA256)
	v.W, v.H = size.X, size.Y
	for _, pl := range passage.Plates {
		if x, y, w, h, ok := boxed(pl.Box); ok && pl.Photo == ev.SHA256 {
			v.Marks = append(v.Marks, mark{x, y, w, h, DisplayPlate(pl), "plate"})
		}
	}
	for _, f := range passage.Findings {
		if f.Region == nil || f.Region.Evidence != ev.SHA256 {
			continue
		}
		if x, y, w, h, ok := boxed(f.Region.Box); ok {
			v.Marks = append(v.Marks, mark{x, y, w, h, p.Code("finding", f.Code) + " " + Score(f.Score), "finding"})
		}
	}
	return v, nil
}

// maxReason bounds a verdict's reason and a note, in characters.
const maxReason = 2000

// decide takes an officer's verdict.
func (s *Server) decide(w http.ResponseWriter, r *http.Request, p Page) {
	m, err := s.passageModel(r, p, event.ID(r.PathValue("id")))
	if err != nil {
		s.fail(w, r, p, err)
		return
	}
	m.Form = readVerdict(r)
	if m.Form.Error = s.checkVerdict(p, &m); m.Form.Error != "" {
		m.Form.Version, m.Form.Sequence = m.Version, m.Sequence // what the page now shows
		s.show(w, r, http.StatusUnprocessableEntity, passageView(p, m))
		return
	}
	if answers(m.Trial, m.Form.Look) {
		s.answer(w, r, p, &m)
		return
	}
	at := s.opt.Now().UTC()
	v := event.Verdict{
		ID: event.NewID(at), Agency: p.Agency, Gate: m.Gate, Alert: event.ID(m.Form.About), Passage: m.ID,
		Code: event.VerdictCode(m.Form.Code), Reason: m.Form.Reason, Badge: p.User.Badge, At: at,
		Saw: event.SeenVersion{Version: m.Form.Version, Sequence: m.Form.Sequence},
	}
	result, err := s.opt.Store.Decide(r.Context(), v)
	if err == nil {
		err = s.opt.Private.Record(r.Context(), p.User.ID, "verdict", string(m.ID), string(v.Code)+" "+string(v.ID))
	}
	if err != nil {
		s.fail(w, r, p, err)
		return
	}
	s.decidedOn(m.Trial, v.Code)
	s.opt.Live.Notify(result.Changes)
	s.opt.Uplink.Wake()
	http.Redirect(w, r, "/passages/"+string(m.ID), http.StatusSeeOther)
}

func readVerdict(r *http.Request) verdictForm {
	f := verdictForm{Code: r.PostFormValue("code"), Reason: strings.TrimSpace(r.PostFormValue("reason")), About: r.PostFormValue("about"), Look: r.PostFormValue("look")}
	// What cannot be read stays zero, which no record's version is.
	f.Version, _ = strconv.Atoi(r.PostFormValue("version"))
	f.Sequence, _ = strconv.ParseUint(r.PostFormValue("sequence"), 10, 64)
	return f
}

// checkVerdict gives the mistake in a verdict, in the user's language.
func (s *Server) checkVerdict(p Page, m *passageModel) string {
	f := m.Form
	known := false
	for _, c := range event.VerdictCodes() {
		known = known || string(c) == f.Code
	}
	about := f.About == ""
	for _, a := range m.Alerts {
		about = about || string(a.ID) == f.About
	}
	switch {
	case !known:
		return p.T("verdict.missing")
	case !m.seen(f) || !about:
		return p.T("verdict.changed")
	case utf8.RuneCountInString(f.Reason) > maxReason:
		return p.T("verdict.reason.long")
	case f.Reason == "" && f.Code != string(event.Release):
		return p.T("verdict.reason.needed")
	}
	return ""
}

// seen tells whether the form names a version of the record. It need not be
// the newest: the verdict says which one the officer saw.
func (m *passageModel) seen(f verdictForm) bool {
	for _, v := range m.Versions {
		if v.Version == f.Version && v.Sequence == f.Sequence {
			return true
		}
	}
	return false
}

// addNote stores a private note.
func (s *Server) addNote(w http.ResponseWriter, r *http.Request, p Page) {
	id := event.ID(r.PathValue("id"))
	if _, err := s.opt.Store.Passage(r.Context(), id); err != nil {
		s.fail(w, r, p, err)
		return
	}
	text := strings.TrimSpace(r.PostFormValue("text"))
	if text != "" && utf8.RuneCountInString(text) <= maxReason {
		if err := s.opt.Private.AddNote(r.Context(), p.User.ID, id, text); err != nil {
			s.fail(w, r, p, err)
			return
		}
		s.opt.Live.Notify([]store.Change{{Topic: "passage", Key: string(id)}})
	}
	http.Redirect(w, r, fmt.Sprintf("/passages/%s#notes", id), http.StatusSeeOther)
}

// documents shows a passage's documents in full to those who may see them, and
// writes down who did.
func (s *Server) documents(w http.ResponseWriter, r *http.Request, p Page) {
	m, err := s.passageModel(r, p, event.ID(r.PathValue("id")))
	if err == nil {
		err = s.opt.Private.Record(r.Context(), p.User.ID, private.ActDocument, string(m.ID), "")
	}
	if err != nil {
		s.fail(w, r, p, err)
		return
	}
	s.show(w, r, http.StatusOK, documents(p, m, true))
}
