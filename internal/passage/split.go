package passage

import (
	"math"
	"slices"
	"time"

	"gatehouse/internal/event"
)

// splitRule is the version of the rule that derives a split-off passage's id.
const splitRule = "1"

// SplitID is the id of the passage that a correction splits off.
func SplitID(c event.Correction) event.ID {
	at := c.At
	if c.Moment != nil {
		at = *c.Moment
	}
	return event.DeriveID(at, "split", splitRule, c.ID)
}

// split cuts the passage in two: what was read from the moment on belongs to
// the new one.
func (e *Engine) split(p *passage, c *event.Correction) string {
	if c.Moment == nil {
		return "the moment is missing"
	}
	at := wall(*c.Moment)
	id := SplitID(*c)
	before := slices.ContainsFunc(p.Record.Readings, func(r event.ReadingRef) bool { return r.ReceivedAt.Before(at) })
	after := slices.ContainsFunc(p.Record.Readings, func(r event.ReadingRef) bool { return !r.ReceivedAt.Before(at) })
	switch {
	case p.gone():
		return "the passage is " + string(p.Record.State)
	case !at.After(p.Record.OpenedAt) || !before || !after:
		return "the moment is outside of the passage"
	case e.s.passage(id) != nil:
		return "there is a passage with this id"
	}
	n := p.cut(id, at)
	e.takeAnalyses(n, p, n.has)
	p.Analyses = slices.DeleteFunc(p.Analyses, func(a analysis) bool { return n.has(a) && !p.has(a) })
	p.Plate, n.Plate = "", ""
	e.s.Passages = slices.Insert(e.s.Passages, slices.Index(e.s.Passages, p)+1, n)
	for _, ds := range e.s.Devices {
		if w := n.weighing(ds.ID); ds.Load.Passage == p.Record.ID && w != nil && w.Ended.IsZero() {
			ds.Load.Passage = id
		}
	}
	e.moveFindings(p, n, func(f event.Finding) bool { return n.concerns(f, at) })
	e.cutState(p, n, at)
	e.settleRadiation(p)
	e.settleRadiation(n)
	e.alarmsAfterCut(n)
	e.record(n, c, p.Record.ID)
	return ""
}

// cut divides what was seen; the later part is the new passage's.
func (p *passage) cut(id event.ID, at time.Time) *passage {
	r := &p.Record
	n := &passage{Record: event.Passage{
		ID: id, Where: r.Where, Kind: r.Kind, Direction: r.Direction, Flow: r.Flow, State: r.State, OpenedAt: at,
		Irregular: []string{irregularByHand}, Coverage: r.Coverage, Clock: r.Clock,
	}, Watch: slices.Clone(p.Watch), Noted: slices.Clone(p.Noted), JoinOver: p.JoinOver, VisionOver: p.VisionOver, Aside: p.Aside, Frozen: p.Frozen}
	s := &n.Record
	r.Readings, s.Readings = divided(r.Readings, func(x event.ReadingRef) bool { return x.ReceivedAt.Before(at) })
	r.Photos, s.Photos = divided(r.Photos, func(f event.Photo) bool { return f.TakenAt.Before(at) })
	r.Documents, s.Documents = divided(r.Documents, func(d event.DocumentReading) bool { return d.At.Before(at) })
	r.Barcodes, s.Barcodes = divided(r.Barcodes, func(b event.BarcodeReading) bool { return b.At.Before(at) })
	p.Shots, n.Shots = divided(p.Shots, func(x shot) bool { return !n.shot(x.Photo) })
	p.Tracks, n.Tracks = divided(p.Tracks, func(t sighting) bool { return t.At.Before(at) })
	p.Scans, n.Scans = divided(p.Scans, func(x scanState) bool { return x.At.Before(at) })
	r.Scans, s.Scans = divided(r.Scans, func(v event.ScanView) bool { return n.scanState(scanKey{v.Device, v.ScanID}) == nil })
	r.Plates, s.Plates = divided(r.Plates, func(pl event.PlateReading) bool { return !n.shot(pl.Photo) })
	r.Containers, s.Containers = divided(r.Containers, func(c event.ContainerReading) bool {
		coded := slices.ContainsFunc(s.Barcodes, func(b event.BarcodeReading) bool { return b.Reading == c.Reading })
		return !n.shot(c.Photo) && (c.Reading == "" || !coded)
	})
	p.pollAgain()
	n.pollAgain()
	first := slices.IndexFunc(p.Weighs, func(w weighing) bool { return !w.Began.Before(at) })
	if first >= 0 {
		p.Weighs, n.Weighs = slices.Clone(p.Weighs[:first]), slices.Clone(p.Weighs[first:])
		r.Weighings, s.Weighings = slices.Clone(r.Weighings[:first]), slices.Clone(r.Weighings[first:])
	}
	p.cutSpans(n, at)
	p.cutRadiation(n, at)
	return n
}

// divided is a list's part that stays and the part that does not.
func divided[T any](list []T, stays func(T) bool) (left, right []T) {
	for _, x := range list {
		if stays(x) {
			left = append(left, x)
		} else {
			right = append(right, x)
		}
	}
	return left, right
}

func (p *passage) shot(photo string) bool {
	return photo != "" && slices.ContainsFunc(p.Record.Photos, func(f event.Photo) bool { return f.Image.SHA256 == photo })
}

// has says whether the passage has the image of an analysis.
func (p *passage) has(a analysis) bool {
	return p.shot(a.Evidence) || slices.ContainsFunc(p.Record.Scans, func(v event.ScanView) bool { return v.Image.SHA256 == a.Evidence })
}

// concerns says whether a finding is about what the passage has got of one that
// was cut at this moment.
func (p *passage) concerns(f event.Finding, at time.Time) bool {
	evidence, _ := f.Figures["evidence"].(string)
	if f.Region != nil {
		evidence = f.Region.Evidence
	}
	switch {
	case evidence != "":
		return p.has(analysis{Request: Request{Evidence: evidence}})
	case len(f.Causes) > 0:
		return slices.ContainsFunc(p.Record.Readings, func(r event.ReadingRef) bool { return r.ID == f.Causes[0] })
	default:
		return !f.At.Before(at)
	}
}

func (p *passage) cutSpans(n *passage, at time.Time) {
	var stay []span
	for _, s := range p.Spans {
		switch {
		case !s.Begin.Before(at):
			n.Spans = append(n.Spans, s)
			continue
		case s.open() || s.End.After(at):
			rest := s
			rest.Begin = at
			rest.Heard = later(rest.Heard, at)
			n.Spans = append(n.Spans, rest)
			s.End, s.Broken, s.Assumed, s.Inferred = at, false, false, false
		}
		stay = append(stay, s)
	}
	p.Spans = stay
}

// cutRadiation divides the course of the occupancy at a moment.
func (p *passage) cutRadiation(n *passage, at time.Time) {
	r := p.Record.Radiation
	if r == nil {
		return
	}
	first, second := *r, *r
	i := cutIndex(len(r.Gamma), p.GammaAt, r.StartedAt, r.GammaIntervalMS, at)
	j := cutIndex(len(r.Neutron), p.NeutronAt, r.StartedAt, r.NeutronIntervalMS, at)
	first.Gamma, second.Gamma = cutList(r.Gamma, i)
	first.Neutron, second.Neutron = cutList(r.Neutron, j)
	second.StartedAt = later(at, r.StartedAt)
	ago := second.StartedAt.Sub(r.StartedAt).Milliseconds()
	p.GammaAt, n.GammaAt = cutTimes(p.GammaAt, i, ago)
	p.NeutronAt, n.NeutronAt = cutTimes(p.NeutronAt, j, ago)
	first.MaxSigma, second.MaxSigma = maxSigma(&first), maxSigma(&second)
	second.SpeedKMH = nil
	if !p.Frozen {
		first.GammaAlarm, second.GammaAlarm = p.flagged(channelGamma, at)
		first.NeutronAlarm, second.NeutronAlarm = p.flagged(channelNeutron, at)
	}
	p.Gamma = nil
	p.Record.Radiation = &first
	if len(second.Gamma)+len(second.Neutron) > 0 {
		n.Record.Radiation = &second
	}
	for i := range p.Alarms {
		if a := &p.Alarms[i]; !a.Last.Before(at) {
			n.Alarms = append(n.Alarms, alarm{Channel: a.Channel, First: later(a.First, at), Last: a.Last})
			a.Last = a.First
		}
	}
	p.Alarms = slices.DeleteFunc(p.Alarms, func(a alarm) bool { return !a.First.Before(at) })
}

// flagged says whether the monitor flagged a channel before and after a moment.
func (p *passage) flagged(channel string, at time.Time) (before, after bool) {
	for _, a := range p.Alarms {
		if a.Channel == channel {
			return a.First.Before(at), !a.Last.Before(at)
		}
	}
	return false, false
}

// cutIndex is the first sample of a course from the moment on: by when the
// samples came, or of a course that was read back from the record by its
// interval.
func cutIndex(length int, times []int64, began time.Time, intervalMS int, at time.Time) int {
	after := at.Sub(began).Milliseconds()
	if len(times) == length {
		if i := slices.IndexFunc(times, func(ms int64) bool { return ms >= after }); i >= 0 {
			return i
		}
		return length
	}
	if intervalMS <= 0 {
		return length
	}
	i := int(math.Ceil(float64(after) / float64(intervalMS)))
	return min(max(i, 0), length)
}

func cutList(list []float64, i int) (before, after []float64) {
	return append([]float64{}, list[:i]...), append([]float64{}, list[i:]...)
}

// cutTimes divides the times of a course; those of the later part count from
// its own start.
func cutTimes(times []int64, i int, ago int64) (before, after []int64) {
	if i > len(times) {
		return nil, nil
	}
	for _, ms := range times[i:] {
		after = append(after, ms-ago)
	}
	return slices.Clone(times[:i]), after
}

// maxSigma is the largest sigma of a whole course, as slide finds it sample by
// sample.
func maxSigma(f *event.RadiationProfile) float64 {
	p := passage{Record: event.Passage{Radiation: &event.RadiationProfile{GammaBackgroundCPS: f.GammaBackgroundCPS}}}
	for _, sum := range f.Gamma {
		p.slide(sum, f.GammaIntervalMS)
	}
	return p.Record.Radiation.MaxSigma
}

// cutState gives both parts the state that follows from their stays.
func (e *Engine) cutState(p, n *passage, at time.Time) {
	if p.ended() {
		end := *p.Record.ClosedAt
		n.Record.ClosedAt, n.Record.LeftAt = &end, p.Record.LeftAt
		left := at
		p.Record.LeftAt = &left
		p.dirty, n.dirty = true, true
		if n.Record.LeftAt == nil || n.Record.LeftAt.Before(at) {
			n.Record.LeftAt = &left
		}
		return
	}
	n.Record.LeftAt = p.Record.LeftAt
	e.reopen(p)
	e.reopen(n)
	for _, x := range []*passage{p, n} {
		if x.Record.LeftAt == nil && x.Record.State != event.Open {
			left := at
			x.Record.LeftAt = &left
		}
		if x.Record.State == event.Waiting {
			e.expect(x, TimerJoin, e.lane.Join.After)
		}
	}
}

// alarmsAfterCut raises the alarms of a part that the monitor flagged too and
// whose finding stayed with the other part.
func (e *Engine) alarmsAfterCut(p *passage) {
	for _, a := range p.Alarms {
		for i := range e.lane.Devices {
			d := &e.lane.Devices[i]
			if d.Radiation && p.Record.Radiation != nil {
				e.concludeAlarm(p, d, a.Channel, event.Source{Kind: "device", Name: d.Driver, Version: a.Channel}, nil)
			}
		}
	}
}
