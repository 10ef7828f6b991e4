package web

import (
	"fmt"
	"net/http"
	"slices"

	"gatehouse/internal/console/private"
	"gatehouse/internal/console/store"
	"gatehouse/internal/event"
)

// pictureModel is one picture of a passage, as large as the window.
type pictureModel struct {
	Passage store.Passage
	View    imageView
	Title   string
	State   string        // of its analysis
	Burst   []event.Photo // all that the camera took of the same, this one too
	Scan    bool
	Heat    string // where its heat map is shown; "" where there is none
	With    string // withThreat when a trial's threat is projected into it
}

// picture shows one picture of a passage in full. Each opening is a line of
// the audit of its own, which names the passage and the picture.
func (s *Server) picture(w http.ResponseWriter, r *http.Request, p Page) {
	m, err := s.pictureModel(r, p, event.ID(r.PathValue("id")), r.PathValue("digest"))
	if err == nil {
		err = s.opt.Private.Record(r.Context(), p.User.ID, private.ActPicture, string(m.Passage.ID), m.View.Digest+m.With)
	}
	if err != nil {
		s.fail(w, r, p, err)
		return
	}
	s.show(w, r, http.StatusOK, pictureView(p, m))
}

func (s *Server) pictureModel(r *http.Request, p Page, id event.ID, digest string) (pictureModel, error) {
	var m pictureModel
	var err error
	if m.Passage, err = s.opt.Store.Passage(r.Context(), id); err != nil {
		return m, err
	}
	for _, burst := range bursts(m.Passage.Photos) {
		if i := slices.IndexFunc(burst, func(ph event.Photo) bool { return ph.Image.SHA256 == digest }); i >= 0 {
			ph := burst[i]
			m.Title, m.State, m.Burst = p.Code("view", ph.View), ph.Analysis, burst
			m.View, err = s.imageView(r, p, m.Passage.Passage, ph.Image)
			return m, err
		}
	}
	for _, sc := range m.Passage.Scans {
		if sc.Image.SHA256 == digest {
			m.Title, m.State, m.Scan = p.T("passage.scan.short")+scanTitle(p, scanView{ScanView: sc}), sc.Analysis, true
			if m.View, err = s.imageView(r, p, m.Passage.Passage, sc.Image); err != nil {
				return m, err
			}
			t, err := s.trial(p, &m.Passage, true)
			if err == nil {
				err = s.asTrial(r, p, t, &m.View)
			}
			m.Heat = heatURL(sc, m.View)
			if t.Open() && t.Scan == digest && t.Threat != "" {
				m.With = withThreat
			}
			return m, err
		}
	}
	return m, fmt.Errorf("picture %s of passage %s: %w", digest, id, store.ErrNotFound)
}

// pictureURL is where one picture of a passage is shown in full.
func pictureURL(id event.ID, digest string) string {
	return "/passages/" + string(id) + "/pictures/" + digest
}
