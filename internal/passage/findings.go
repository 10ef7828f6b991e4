package passage

import (
	"fmt"
	"slices"
	"strings"

	"gatehouse/internal/event"
	"gatehouse/internal/risk"
)

// ruleName is the source of the findings that this package concludes itself.
const ruleName = "gatehouse.passage"

// conclusion is a finding before the policy has judged it.
type conclusion struct {
	code    string
	device  string
	score   float64
	mark    string // tells findings of one code and device apart
	region  *event.Region
	source  event.Source
	figures map[string]any
	causes  []event.ID
	said    event.Text // the figures in words, for the headline
	reason  event.Text
	// shadow keeps it out of the shared record whatever the policy's mode: the
	// instrument that it comes from is not calibrated.
	shadow bool
}

// raise makes a finding of a conclusion, and an alert when the policy says so.
// Its id is empty in shadow mode; false says that the score is too low.
func (e *Engine) raise(p *passage, c conclusion) (event.ID, bool) {
	rule := e.lane.Policy.Rule(c.code)
	severity, enough := rule.Judge(c.score)
	if !enough {
		return "", false
	}
	if c.source.Kind == "" {
		c.source = event.Source{Kind: "rule", Name: ruleName, Version: e.lane.Policy.Version()}
	}
	f := event.Finding{
		// The entry is among the causes: what is withdrawn and raised again within
		// one millisecond is another finding.
		ID: event.DeriveID(e.now, "finding", e.lane.Policy.Version(),
			p.Record.ID, e.entry, event.ID(c.code), event.ID(c.device), event.ID(c.mark)),
		Code: c.code, Severity: severity, Lead: rule.Lead, Score: c.score, At: e.now, Device: c.device,
		Region: c.region, Source: c.source, Figures: c.figures, Causes: c.causes,
		Headline: risk.Fill(rule.Headline, e.vars(c)),
	}
	if rule.Mode == risk.Shadow || c.shadow {
		if d := (derived{Code: c.code, Device: c.device, Mark: c.mark}); !slices.Contains(p.Shadowed, d) {
			p.Shadowed = append(p.Shadowed, d)
			e.out = append(e.out, Effect{Shadow: &f})
		}
		return "", true
	}
	p.Record.Findings = append(p.Record.Findings, f)
	p.dirty = true
	if rule.Alerts() {
		e.alert(p, rule, f, risk.Fill(rule.Instruction, e.vars(c)))
	}
	return f.ID, true
}

func (e *Engine) vars(c conclusion) risk.Vars {
	return risk.Vars{
		"code": {VI: c.code, EN: c.code}, "lane": {VI: e.lane.ID, EN: e.lane.ID}, "device": e.lane.named(c.device),
		"reason": c.reason, "figures": c.said, "score": decimal("%s", c.score, 2),
	}
}

// decimal writes a number as each language does, into a format with one %s.
func decimal(format string, v float64, places int) event.Text {
	en := fmt.Sprintf("%.*f", places, v)
	return event.Text{VI: fmt.Sprintf(format, strings.Replace(en, ".", ",", 1)), EN: fmt.Sprintf(format, en)}
}

// alert shares a finding at once. A passage has one alert of each code and
// device; a graver finding of the same updates it.
func (e *Engine) alert(p *passage, rule risk.Rule, f event.Finding, instruction event.Text) {
	a := e.newAlert(p, rule, f, instruction)
	i := slices.IndexFunc(p.Alerts, func(s sent) bool { return s.Code == f.Code && s.Device == f.Device })
	if i < 0 {
		p.Alerts = append(p.Alerts, sent{Code: f.Code, Device: f.Device, Finding: f.ID, IDs: []event.ID{a.ID}, Severity: f.Severity})
		e.shareAlert(a)
		return
	}
	s := &p.Alerts[i]
	if risk.Rank(f.Severity) <= risk.Rank(s.Severity) {
		return
	}
	a.MsgType, a.References = "Update", slices.Clone(s.IDs)
	s.IDs, s.Severity = append(s.IDs, a.ID), f.Severity
	e.shareAlert(a)
}

func (e *Engine) newAlert(p *passage, rule risk.Rule, f event.Finding, instruction event.Text) event.Alert {
	return event.Alert{
		ID:     alertID(f, e.lane.Policy.Version()),
		Sender: e.lane.source(), Sent: e.now, Status: e.lane.Status, MsgType: "Alert", Scope: "Restricted",
		Category: rule.Category, EventCode: f.Code, Urgency: rule.Urgency, Severity: f.Severity, Certainty: rule.Certainty,
		Expires: e.now.Add(rule.Expires), Headline: f.Headline, Instruction: instruction,
		Where: e.lane.where(f.Device), Passage: p.Record.ID, Lead: f.Lead, Finding: f, Evidence: p.evidence(f.Region),
	}
}

// alertID is the id of a finding's own alert under a version of the policy.
func alertID(f event.Finding, version string) event.ID {
	return event.DeriveID(f.At, "alert", version, f.ID)
}

// shareAlert shares an alert after the passage's version that holds its finding.
func (e *Engine) shareAlert(a event.Alert) {
	shared := e.out
	e.out = nil
	e.share(event.TypeAlert, a.ID, string(a.ID), e.now, a)
	e.later = append(e.later, e.out...)
	e.out = shared
}

// withdraw removes a finding that no longer holds, and cancels its alert.
func (e *Engine) withdraw(p *passage, f event.Finding) {
	p.Record.Findings = slices.DeleteFunc(p.Record.Findings, func(o event.Finding) bool { return o.ID == f.ID })
	p.dirty = true
	i := slices.IndexFunc(p.Alerts, func(s sent) bool { return s.Finding == f.ID })
	if i < 0 {
		return
	}
	rule := e.lane.Policy.Rule(f.Code)
	a := e.newAlert(p, rule, f, event.Text{
		VI: "Báo động được rút lại: điều kiện của nó không còn.",
		EN: "The alert is withdrawn: what it said no longer holds.",
	})
	a.ID = event.DeriveID(e.now, "alert.cancel", e.lane.Policy.Version(), f.ID)
	a.MsgType, a.References = "Cancel", p.Alerts[i].IDs
	p.Alerts = slices.Delete(p.Alerts, i, i+1)
	e.shareAlert(a)
}

// evidence lists what an alert points to: the image with the region first.
func (p *passage) evidence(region *event.Region) []event.Evidence {
	var all []event.Evidence
	for _, v := range p.Record.Scans {
		all = append(all, v.Image)
	}
	for _, f := range p.Record.Photos {
		all = append(all, f.Image)
	}
	if region != nil {
		slices.SortStableFunc(all, func(a, b event.Evidence) int {
			return marked(b, region) - marked(a, region)
		})
	}
	return all
}

func marked(v event.Evidence, region *event.Region) int {
	if v.SHA256 == region.Evidence {
		return 1
	}
	return 0
}

func (p *passage) finding(code, device string) *event.Finding {
	i := slices.IndexFunc(p.Record.Findings, func(f event.Finding) bool { return f.Code == code && f.Device == device })
	if i < 0 {
		return nil
	}
	return &p.Record.Findings[i]
}

// judge brings the findings that follow from the record as a whole up to date:
// what holds now and was not found is raised, what holds no longer is
// withdrawn, and what still holds gets its present figures.
func (e *Engine) judge(p *passage) {
	hold := e.conclusions(p)
	for _, d := range slices.Clone(p.Derived) {
		if slices.ContainsFunc(hold, d.is) || p.Frozen && !factual(d.Code) {
			continue
		}
		p.Derived = slices.DeleteFunc(p.Derived, func(o derived) bool { return o == d })
		if i := slices.IndexFunc(p.Record.Findings, func(f event.Finding) bool { return f.ID == d.Finding }); i >= 0 {
			e.withdraw(p, p.Record.Findings[i])
		}
	}
	for _, c := range hold {
		i := slices.IndexFunc(p.Derived, func(d derived) bool { return d.is(c) })
		if i >= 0 {
			p.Derived[i].Mark = c.mark
			e.update(p, p.Derived[i].Finding, c)
			continue
		}
		if id, raised := e.raise(p, c); raised {
			p.Derived = append(p.Derived, derived{Code: c.code, Device: c.device, Mark: c.mark, Finding: id})
		}
	}
}

// anyMark stands for the mark of a finding that was read back from the record.
const anyMark = "*"

func (d derived) is(c conclusion) bool {
	return d.Code == c.code && d.Device == c.device && (d.Mark == c.mark || d.Mark == anyMark)
}

// factual findings follow from what an officer can state. They alone are
// judged again when a passage was read back from the shared record.
func factual(code string) bool {
	return slices.Contains([]string{
		event.FindingPlateUnread, event.FindingPlateMismatch, event.FindingUnexpected,
		event.FindingWeightDeclared, event.FindingContainerCheck,
	}, code)
}

// update gives a finding the figures that hold now. Its alert keeps the words
// of its moment.
func (e *Engine) update(p *passage, id event.ID, c conclusion) {
	i := slices.IndexFunc(p.Record.Findings, func(f event.Finding) bool { return f.ID == id })
	if i < 0 {
		return // in shadow mode
	}
	f := &p.Record.Findings[i]
	f.Figures, f.Headline = c.figures, risk.Fill(e.lane.Policy.Rule(c.code).Headline, e.vars(c))
}

// conclusions are all that follows from the record as a whole. Nothing follows
// from what is part of another passage now.
func (e *Engine) conclusions(p *passage) []conclusion {
	if p.Record.State == event.Merged {
		return nil
	}
	if p.Frozen {
		return slices.DeleteFunc(slices.Concat(e.plateFindings(p), e.weightFindings(p), e.containerFindings(p), e.expectedFindings(p)),
			func(c conclusion) bool { return !factual(c.code) })
	}
	return slices.Concat(
		e.coverageGaps(p), e.plateFindings(p), e.notes(p), e.speedFindings(p), e.weightFindings(p),
		e.documentFindings(p), e.containerFindings(p), e.expectedFindings(p), e.lotFindings(p),
	)
}

// coverageGaps are the required sensors that did not look. Of a passage that
// turned back nothing was required.
func (e *Engine) coverageGaps(p *passage) []conclusion {
	if p.Record.State == event.Cancelled {
		return nil
	}
	var gaps []conclusion
	for _, row := range p.Record.Coverage {
		if row.Looked {
			continue
		}
		d, ok := e.lane.device(row.Device)
		overNow := ok && (d.Radiation || d.Role == RolePresence) && p.Record.LeftAt != nil
		if !overNow && !p.ended() {
			continue
		}
		gaps = append(gaps, conclusion{
			code: event.FindingCoverageGap, device: row.Device, score: 1,
			reason: row.Reason, figures: map[string]any{"state": string(row.State)},
		})
	}
	return gaps
}

// raiseTailGate finds that a passage followed another without a gap.
func (e *Engine) raiseTailGate(p, before *passage, d *Device, r *event.Reading) {
	figures := map[string]any{}
	if before != nil {
		figures["followed"] = string(before.Record.ID)
		if s := before.spanOf(d.ID); s != nil && !s.End.IsZero() {
			figures["gap_ms"] = r.ReceivedAt.Sub(s.End).Milliseconds()
		}
	}
	e.raise(p, conclusion{code: event.FindingTailgate, device: d.ID, score: 1, figures: figures, causes: []event.ID{r.ID}})
}
