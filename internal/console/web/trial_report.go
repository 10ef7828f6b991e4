package web

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"

	"gatehouse/internal/console/private"
	"gatehouse/internal/console/store"
	"gatehouse/internal/console/tip"
	"gatehouse/internal/dicos"
)

// listedTrials is how many answered trials the page of trials lists.
const listedTrials = 25

// trialReport writes a reviewer's answer to a trial as an operator's DICOS
// report. It names no scan, passage or record of real traffic: what was judged
// exists in the record of trials alone.
func (s *Server) trialReport(w http.ResponseWriter, r *http.Request, p Page) {
	t, err := s.opt.Trials.Find(r.PathValue("id"))
	if errors.Is(err, tip.ErrUnknown) || err == nil && t.Answer == "" { // what is under way is not told
		err = store.ErrNotFound
	}
	var report *dicos.TDR
	if err == nil {
		report, err = s.operatorsReport(r.Context(), &t)
	}
	var b bytes.Buffer
	if err == nil {
		err = report.Write(&b)
	}
	if err == nil {
		err = s.opt.Private.Record(r.Context(), p.User.ID, private.ActExport, "trials", "tdr "+t.ID)
	}
	if err != nil {
		s.fail(w, r, p, err)
		return
	}
	w.Header().Set("Content-Type", "application/dicom")
	w.Header().Set("Content-Disposition", fmt.Sprintf("attachment; filename=%q", "trial-"+t.ID+".tdr.dcm"))
	w.Header().Set("Content-Length", strconv.Itoa(b.Len()))
	_, _ = w.Write(b.Bytes()) // the browser may have gone
}

// operatorsReport is what a reviewer said in a trial. The projected threat is
// listed as a threat when it was noticed.
func (s *Server) operatorsReport(ctx context.Context, t *tip.Trial) (*dicos.TDR, error) {
	what := t.Reveal()
	d := &dicos.TDR{
		ScanID: "trial " + t.ID, By: dicos.ByOperator, Trial: true, Maker: "Gatehouse", At: t.Answered, Took: t.Answered.Sub(t.At),
		Decision: dicos.DecisionClear, Algorithms: []string{"operator " + t.Reviewer},
	}
	if t.Answer == tip.Suspect {
		d.Decision = dicos.DecisionAlarm
	}
	if !what.Projected {
		return d, nil
	}
	o := dicos.Object{Class: t.Threat, Rule: "projection", Description: "fictional threat, " + revealOutcome(what), Probability: 1, Threat: what.Hit}
	if path, have := s.opt.Store.EvidencePath(t.Scan); have { // else the scan is not kept any more, and the place is unknown
		box, err := s.images.projection(ctx, path, t)
		if err != nil {
			return nil, err
		}
		o.Box = [4]int{box.Min.X, box.Min.Y, box.Dx(), box.Dy()}
	}
	d.Objects = []dicos.Object{o}
	return d, nil
}

// revealOutcome is "hit", "miss", "alarm" or "right".
func revealOutcome(v tip.Reveal) string {
	switch {
	case v.Hit:
		return "hit"
	case v.Projected:
		return "miss"
	case v.Alarm:
		return "alarm"
	}
	return "right"
}
