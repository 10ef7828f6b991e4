package passage

import (
	"slices"
	"time"

	"gatehouse/internal/event"
	"gatehouse/internal/risk"
)

// moveFindings takes findings that no rule over the whole record concludes from
// one passage to another, and tells with their alerts where they are now.
func (e *Engine) moveFindings(from, to *passage, which func(event.Finding) bool) {
	for _, f := range slices.Clone(from.Record.Findings) {
		own := slices.ContainsFunc(from.Derived, func(d derived) bool { return d.Finding == f.ID })
		if own || !which(f) {
			continue
		}
		from.Record.Findings = slices.DeleteFunc(from.Record.Findings, func(o event.Finding) bool { return o.ID == f.ID })
		to.Record.Findings = append(to.Record.Findings, f)
		i := slices.IndexFunc(from.Alerts, func(s sent) bool { return s.Finding == f.ID })
		if i < 0 {
			continue
		}
		s := from.Alerts[i]
		from.Alerts = slices.Delete(from.Alerts, i, i+1)
		rule := e.lane.Policy.Rule(f.Code)
		a := e.newAlert(to, rule, f, risk.Fill(rule.Instruction, e.vars(conclusion{code: f.Code, device: f.Device, score: f.Score})))
		a.ID = event.DeriveID(e.now, "alert.moved", e.lane.Policy.Version(), e.entry, f.ID)
		a.MsgType, a.References = "Update", slices.Clone(s.IDs)
		s.IDs = append(slices.Clone(s.IDs), a.ID)
		to.Alerts = append(to.Alerts, s)
		e.shareAlert(a)
	}
}

// joined puts two lists of what was seen into the order of time.
func joined[T any](a, b []T, at func(T) time.Time) []T {
	all := slices.Concat(a, b)
	if len(all) == 0 {
		return nil
	}
	slices.SortStableFunc(all, func(x, y T) int { return at(x).Compare(at(y)) })
	return all
}

// join takes all that another passage has.
func (p *passage) join(o *passage) {
	r, s := &p.Record, &o.Record
	second := s.OpenedAt.Before(r.OpenedAt) // p comes second
	if second {
		r.OpenedAt = s.OpenedAt
	}
	if r.LeftAt != nil && s.LeftAt != nil && s.LeftAt.After(*r.LeftAt) {
		left := *s.LeftAt
		r.LeftAt = &left
	}
	for _, why := range s.Irregular {
		p.irregular(why)
	}
	r.Plates = slices.Concat(r.Plates, s.Plates)
	r.Containers = slices.Concat(r.Containers, s.Containers)
	r.Photos = joined(r.Photos, s.Photos, func(f event.Photo) time.Time { return f.TakenAt })
	r.Scans = joined(r.Scans, s.Scans, func(v event.ScanView) time.Time { return v.TakenAt })
	r.Documents = joined(r.Documents, s.Documents, func(d event.DocumentReading) time.Time { return d.At })
	r.Barcodes = joined(r.Barcodes, s.Barcodes, func(b event.BarcodeReading) time.Time { return b.At })
	r.Readings = joined(r.Readings, s.Readings, func(x event.ReadingRef) time.Time { return x.ReceivedAt })
	r.Readings = r.Readings[:min(len(r.Readings), readingsPerRecord)]
	p.joinTimes(o, second)
	if second {
		r.Weighings, p.Weighs = slices.Concat(s.Weighings, r.Weighings), slices.Concat(o.Weighs, p.Weighs)
		r.Radiation = joinProfiles(s.Radiation, r.Radiation)
	} else {
		r.Weighings, p.Weighs = slices.Concat(r.Weighings, s.Weighings), slices.Concat(p.Weighs, o.Weighs)
		r.Radiation = joinProfiles(r.Radiation, s.Radiation)
	}
	p.Spans = joined(p.Spans, o.Spans, func(x span) time.Time { return x.Begin })
	p.Scans = joined(p.Scans, o.Scans, func(x scanState) time.Time { return x.At })
	p.Shots = slices.Concat(p.Shots, o.Shots)
	p.Tracks = joined(p.Tracks, o.Tracks, func(x sighting) time.Time { return x.At })
	p.pollAgain()
	p.Blank = slices.Concat(p.Blank, o.Blank)
	p.Fastest = max(p.Fastest, o.Fastest)
	for _, n := range o.Noted {
		p.note(n)
	}
	for _, a := range o.Alarms {
		p.joinAlarm(a)
	}
	for _, w := range o.Watch {
		p.joinWatch(w)
	}
}

// joinTimes joins the times of the radiation samples, before their courses are
// joined.
func (p *passage) joinTimes(o *passage, second bool) {
	switch {
	case o.Record.Radiation == nil:
		return
	case p.Record.Radiation == nil:
		p.GammaAt, p.NeutronAt = o.GammaAt, o.NeutronAt
		return
	}
	a, b := p, o
	if second {
		a, b = o, p
	}
	ago := b.Record.Radiation.StartedAt.Sub(a.Record.Radiation.StartedAt).Milliseconds()
	shifted := func(first, then []int64) []int64 {
		out := slices.Clone(first)
		for _, ms := range then {
			out = append(out, ms+ago)
		}
		return out
	}
	p.GammaAt, p.NeutronAt = shifted(a.GammaAt, b.GammaAt), shifted(a.NeutronAt, b.NeutronAt)
}

func (p *passage) joinAlarm(a alarm) {
	i := slices.IndexFunc(p.Alarms, func(o alarm) bool { return o.Channel == a.Channel })
	if i < 0 {
		p.Alarms = append(p.Alarms, a)
		return
	}
	if a.First.Before(p.Alarms[i].First) {
		p.Alarms[i].First = a.First
	}
	p.Alarms[i].Last = later(p.Alarms[i].Last, a.Last)
}

func (p *passage) joinWatch(w watch) {
	i := slices.IndexFunc(p.Watch, func(o watch) bool { return o.Device == w.Device })
	switch {
	case i < 0:
		p.Watch = append(p.Watch, w)
	case worse(w.Worst.State, p.Watch[i].Worst.State):
		p.Watch[i].Worst = w.Worst
	}
}

// joinProfiles makes one course of two; the time between them is left out.
func joinProfiles(a, b *event.RadiationProfile) *event.RadiationProfile {
	if a == nil || b == nil {
		if a == nil {
			return b
		}
		return a
	}
	out := *a
	out.Gamma, out.Neutron = slices.Concat(a.Gamma, b.Gamma), slices.Concat(a.Neutron, b.Neutron)
	out.GammaAlarm, out.NeutronAlarm = a.GammaAlarm || b.GammaAlarm, a.NeutronAlarm || b.NeutronAlarm
	out.MaxSigma = max(a.MaxSigma, b.MaxSigma)
	if out.SpeedKMH == nil {
		out.SpeedKMH = b.SpeedKMH
	}
	return &out
}

// takeAnalyses takes over the analyses of another passage's images. Those that
// have no answer are asked for again: the answer names the passage.
func (e *Engine) takeAnalyses(p, from *passage, which func(analysis) bool) {
	for _, a := range from.Analyses {
		if !which(a) || p.analysisIndex(a.Evidence, a.Op) >= 0 {
			continue
		}
		a.Passage = p.Record.ID
		p.Analyses = append(p.Analyses, a)
		if e.lane.Vision && !a.final() {
			r := a.Request
			e.later = append(e.later, Effect{Analyse: &r})
		}
	}
}
