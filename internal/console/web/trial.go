package web

import (
	"context"
	"errors"
	"hash/fnv"
	"net/http"
	"slices"

	"gatehouse/internal/console/private"
	"gatehouse/internal/console/store"
	"gatehouse/internal/console/tip"
	"gatehouse/internal/event"
)

// afterTrial ends the look of a page that shows the real scan of a trial that
// is settled. A decision counts only from such a page.
const afterTrial = "-real"

// answerOf is what a verdict says of a scan: whatever stops or inspects calls
// it suspect.
func answerOf(c event.VerdictCode) tip.Answer {
	switch c {
	case event.Release, event.FalseAlarm:
		return tip.Clear
	}
	return tip.Suspect
}

// laneKey names a lane in the record of trials; a console may have more gates
// than one.
func laneKey(gate, lane string) string { return gate + "/" + lane }

// trial is what was drawn for the user on a passage's scans, nil when nothing
// was. With draw it is drawn now if the user may decide on the passage and the
// agency has not. A colleague's decision ends a trial that is under way.
func (s *Server) trial(p Page, x *store.Passage, draw bool) (*tip.Trial, error) {
	if !p.May(private.Decide) || len(x.Scans) == 0 {
		return nil, nil
	}
	t, last := s.drawn(p, x), x.Latest(p.Agency)
	var err error
	switch {
	case t == nil && draw && last == nil:
		if scan := s.showable(x); scan != "" {
			_, err = s.opt.Trials.Offer(laneKey(x.Gate, x.Lane), scan, p.User.Badge)
		}
	case t.Open() && last != nil:
		err = s.opt.Trials.Void(t.ID, t.Reviewer)
	case t.Settled() && !t.Done && last != nil && last.Badge == t.Reviewer && last.At.After(t.At):
		// The console ended between the decision and the note of it.
		err = s.opt.Trials.Decided(t.ID, t.Reviewer, answerOf(last.Code) == tip.Suspect)
	default:
		return t, nil
	}
	return s.drawn(p, x), err
}

// drawn is what was drawn already; what is under way goes first.
func (s *Server) drawn(p Page, x *store.Passage) *tip.Trial {
	var found *tip.Trial
	for _, sc := range x.Scans {
		t := s.opt.Trials.Look(sc.Image.SHA256, p.User.Badge)
		if t.Open() {
			return t
		}
		if found == nil || t.Settled() {
			found = t
		}
	}
	return found
}

// showable picks one of a passage's scans that are here and can be shown; ""
// when there is none. Of several it is not always the first.
func (s *Server) showable(x *store.Passage) string {
	var list []string
	for _, sc := range x.Scans {
		if path, have := s.opt.Store.EvidencePath(sc.Image.SHA256); have && s.images.dimensions(path, sc.Image.SHA256).X > 0 {
			list = append(list, sc.Image.SHA256)
		}
	}
	if len(list) == 0 {
		return ""
	}
	h := fnv.New32a()
	_, _ = h.Write([]byte(x.ID)) // never fails
	return list[int(h.Sum32()%uint32(len(list)))]
}

// lookOf names what a page shows of a passage's scans, for its form. Of a trial
// under way and of a scan that was left as it is it has the same form.
func lookOf(t *tip.Trial) string {
	switch {
	case t == nil:
		return ""
	case t.Settled():
		return t.ID + afterTrial
	}
	return t.ID
}

// answers tells whether what a user sends from a look is the answer to a trial,
// or comes from a page that showed one. It is no decision then.
func answers(t *tip.Trial, look string) bool {
	switch {
	case t.Open():
		return true
	case !t.Settled() || look == lookOf(t):
		return false
	}
	return !t.Done || look == t.ID
}

// answer takes a verdict as the answer to a trial. Nothing of it is recorded,
// shared or released; the passage's page reveals what it was.
func (s *Server) answer(w http.ResponseWriter, r *http.Request, p Page, m *passageModel) {
	if m.Trial.Done { // the page is from before the answer
		m.Form.Error, m.Form.Version, m.Form.Sequence = p.T("trial.stale"), m.Version, m.Sequence
		s.show(w, r, http.StatusUnprocessableEntity, passageView(p, *m))
		return
	}
	if _, err := s.opt.Trials.Answer(m.Trial.ID, m.Trial.Reviewer, answerOf(event.VerdictCode(m.Form.Code))); err != nil {
		s.fail(w, r, p, err)
		return
	}
	http.Redirect(w, r, "/passages/"+string(m.ID), http.StatusSeeOther)
}

// seen notes that a user was told what a trial was that a colleague's decision
// has made needless.
func (s *Server) seen(p Page, m *passageModel) {
	if last := m.Latest(p.Agency); m.Reveal != nil && last != nil {
		s.decidedOn(m.Trial, last.Code)
	}
}

// decidedOn notes that the real scan of a trial was decided on. The decision
// stands by now: where the note fails it is made when the page is opened again.
func (s *Server) decidedOn(t *tip.Trial, c event.VerdictCode) {
	if !t.Settled() || t.Done {
		return
	}
	if err := s.opt.Trials.Decided(t.ID, t.Reviewer, answerOf(c) == tip.Suspect); err != nil {
		s.opt.Log.Error("note of a trial failed", "err", err)
	}
}

// shownScan is what was drawn for the user on a piece of evidence, nil for what
// is no scan or concerns no trial.
func (s *Server) shownScan(ctx context.Context, p Page, digest string) (*tip.Trial, error) {
	if !p.May(private.Decide) || !s.opt.Trials.Any() && s.opt.Trials.Look(digest, p.User.Badge) == nil {
		return nil, nil
	}
	id, err := s.opt.Store.PassageOf(ctx, digest)
	if err != nil {
		if errors.Is(err, store.ErrNotFound) {
			err = nil
		}
		return nil, err
	}
	x, err := s.opt.Store.Passage(ctx, id)
	if err != nil {
		return nil, err
	}
	if !slices.ContainsFunc(x.Scans, func(sc event.ScanView) bool { return sc.Image.SHA256 == digest }) {
		return nil, nil
	}
	t, err := s.trial(p, &x, true)
	if t != nil && t.Scan != digest {
		t = &tip.Trial{Plain: true} // another view of the passage: shown as it is
	}
	return t, err
}

// scanPicture makes a picture of a piece of evidence as the user gets to see
// it, and tells what of a trial it shows.
func (s *Server) scanPicture(ctx context.Context, path, digest string, want picture) (made, *tip.Trial, error) {
	pic, err := s.images.get(ctx, path, digest, want)
	if !want.trial.Open() || err == nil {
		return pic, want.trial, err
	}
	// There is nothing to put a threat into, or no picture at all.
	if err := s.opt.Trials.Spare(want.trial.ID, want.trial.Reviewer); err != nil {
		return made{}, nil, err
	}
	want.trial = &tip.Trial{Plain: true}
	pic, err = s.images.get(ctx, path, digest, want)
	return pic, want.trial, err
}

// reveal is what the page of a passage says of a trial that is settled.
type reveal struct {
	tip.Reveal
	Outcome string // "hit", "miss", "alarm", "right" or "void"
}

func revealOf(t *tip.Trial) *reveal {
	if !t.Settled() || t.Done {
		return nil
	}
	v := &reveal{Reveal: t.Reveal()}
	v.Outcome = revealOutcome(v.Reveal)
	if t.Answer == "" {
		v.Outcome = "void"
	}
	return v
}

// asTrial says in a view of a scan what a settled trial was: the real scan is
// shown under an address of its own, so that no browser keeps the other one,
// and while it is to be decided the place of the projection is marked.
func (s *Server) asTrial(r *http.Request, p Page, t *tip.Trial, v *imageView) error {
	if !t.Settled() || t.Scan != v.Digest || !v.Stored {
		return nil
	}
	v.Real = true
	if t.Done || t.Threat == "" {
		return nil
	}
	path, _ := s.opt.Store.EvidencePath(v.Digest)
	box, err := s.images.projection(r.Context(), path, t)
	if err != nil {
		return err
	}
	v.Marks = append(v.Marks, mark{box.Min.X, box.Min.Y, box.Dx(), box.Dy(), p.T("trial.mark"), "trial"})
	return nil
}
