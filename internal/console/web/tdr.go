package web

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"strconv"

	"gatehouse/internal/console/private"
	"gatehouse/internal/console/report"
	"gatehouse/internal/console/store"
	"gatehouse/internal/event"
)

// exportReport writes the DICOS threat detection report on one scan of a
// passage. It says what the shared record says.
func (s *Server) exportReport(w http.ResponseWriter, r *http.Request, p Page) {
	digest := r.PathValue("digest")
	x, err := s.opt.Store.Passage(r.Context(), event.ID(r.PathValue("id")))
	if err != nil {
		s.fail(w, r, p, err)
		return
	}
	path, have := s.opt.Store.EvidencePath(digest)
	if !have {
		path = ""
	}
	t, err := report.Of(&x.Passage, digest, path)
	if errors.Is(err, report.ErrNoScan) {
		err = errors.Join(store.ErrNotFound, err)
	}
	var b bytes.Buffer
	if err == nil {
		err = t.Write(&b)
	}
	if err == nil {
		err = s.opt.Private.Record(r.Context(), p.User.ID, private.ActExport, string(x.ID), "tdr "+digest)
	}
	if err != nil {
		s.fail(w, r, p, err)
		return
	}
	w.Header().Set("Content-Type", "application/dicom")
	w.Header().Set("Content-Disposition", fmt.Sprintf("attachment; filename=%q", report.FileName(&x.Passage, digest)))
	w.Header().Set("Content-Length", strconv.Itoa(b.Len()))
	_, _ = w.Write(b.Bytes()) // the browser may have gone
}

// reportURL is where the report on a scan is got; "" for who may not.
func reportURL(p Page, id event.ID, digest string) string {
	if !p.May(private.Export) {
		return ""
	}
	return "/passages/" + string(id) + "/scans/" + digest + "/report"
}
