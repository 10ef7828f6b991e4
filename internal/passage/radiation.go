package passage

import (
	"math"
	"slices"
	"time"

	"gatehouse/internal/event"
	"gatehouse/internal/risk"
)

const (
	channelGamma   = "gamma"
	channelNeutron = "neutron"
	// slidingWindow is the time over which gamma counts are compared with the
	// background (TSA/Rapiscan alarm arithmetic: five samples of 200 ms).
	slidingWindow = time.Second
	// stragglers is how long after an occupancy its last samples may come.
	stragglers = 2 * time.Second
)

// sample takes one interval of a radiation measurement.
func (e *Engine) sample(d *Device, ds *deviceState, r *event.Reading) {
	m := r.Radiation
	if m == nil {
		return
	}
	p := e.measuring(d, ds, r)
	if p == nil {
		return
	}
	p.attach(r)
	if s := p.openSpan(d.ID); s != nil {
		s.Heard = r.ReceivedAt
		if s.Broken { // the same occupancy goes on after a break
			s.Broken = false
			p.irregular(irregularRestart)
		}
		e.expect(p, TimerMissingEnd, e.lane.Join.MissingEnd)
	}
	if r.Quality == event.Bad {
		return
	}
	if p.Record.State != event.Open {
		p.dirty = true
	}
	p.profile(r)
	if m.Alarm {
		e.radiationAlarm(p, d, r)
	}
}

// measuring is the passage that a sample belongs to. Samples without the begin
// of an occupancy open a passage: an alarm is never dropped for want of an edge.
func (e *Engine) measuring(d *Device, ds *deviceState, r *event.Reading) *passage {
	if d.Role != RolePresence {
		if p := e.newest(event.Open); p != nil {
			return p
		}
		if p := e.newest(event.Waiting); p != nil || !r.Radiation.Alarm {
			return p
		}
	}
	if p := e.occupant(d.ID); p != nil {
		return p
	}
	if since := r.ReceivedAt.Sub(ds.LastEnd); !ds.LastEnd.IsZero() && since >= 0 && since <= stragglers {
		return e.lastIn(d.ID)
	}
	if len(r.Radiation.Counts) == 0 {
		return nil // a speed alone is no vehicle
	}
	p := e.open(r.ReceivedAt, r.ID)
	p.irregular(irregularNoPresence)
	e.adopt(p, r.ReceivedAt)
	p.Spans = append(p.Spans, span{Device: d.ID, Begin: r.ReceivedAt, Heard: r.ReceivedAt, Assumed: true})
	return p
}

// profile adds a sample to the passage's radiation profile.
func (p *passage) profile(r *event.Reading) {
	m := r.Radiation
	f := p.Record.Radiation
	if f == nil {
		f = &event.RadiationProfile{StartedAt: r.ReceivedAt, Gamma: []float64{}, Neutron: []float64{}}
		p.Record.Radiation = f
	}
	if m.SpeedKMH != nil && finite(*m.SpeedKMH) {
		speed := *m.SpeedKMH
		f.SpeedKMH = &speed
		p.Fastest = max(p.Fastest, speed)
	}
	if finite(m.GammaBackgroundCPS) && m.GammaBackgroundCPS > 0 {
		f.GammaBackgroundCPS = m.GammaBackgroundCPS
	}
	if finite(m.NeutronBackgroundCPS) && m.NeutronBackgroundCPS > 0 {
		f.NeutronBackgroundCPS = m.NeutronBackgroundCPS
	}
	sum := 0.0
	for _, c := range m.Counts {
		sum += c
	}
	if len(m.Counts) == 0 || !finite(sum) {
		return
	}
	switch m.Channel {
	case channelGamma:
		f.Gamma, f.GammaIntervalMS = append(f.Gamma, sum), m.IntervalMS
		p.GammaAt = append(p.GammaAt, r.ReceivedAt.Sub(f.StartedAt).Milliseconds())
		f.GammaAlarm = f.GammaAlarm || m.Alarm
		p.slide(sum, m.IntervalMS)
	case channelNeutron:
		f.Neutron, f.NeutronIntervalMS = append(f.Neutron, sum), m.IntervalMS
		p.NeutronAt = append(p.NeutronAt, r.ReceivedAt.Sub(f.StartedAt).Milliseconds())
		f.NeutronAlarm = f.NeutronAlarm || m.Alarm
	}
}

// slide moves the sliding second on by one gamma sample and keeps the largest
// sigma = (F - B) / sqrt(B) of the passage.
func (p *passage) slide(sum float64, intervalMS int) {
	if intervalMS <= 0 {
		return
	}
	size := max(int(slidingWindow/time.Millisecond)/intervalMS, 1)
	p.Gamma = appendBounded(p.Gamma, sum, size)
	f := p.Record.Radiation
	if len(p.Gamma) < size || f.GammaBackgroundCPS <= 0 {
		return
	}
	counts := 0.0
	for _, c := range p.Gamma {
		counts += c
	}
	sigma := (counts - f.GammaBackgroundCPS) / math.Sqrt(f.GammaBackgroundCPS)
	f.MaxSigma = max(f.MaxSigma, sigma)
}

// radiationAlarm takes the monitor's own alarm flag, which is authoritative.
func (e *Engine) radiationAlarm(p *passage, d *Device, r *event.Reading) {
	p.alarmed(r)
	source := event.Source{Kind: "device", Name: d.Driver, Version: r.Radiation.Record}
	e.concludeAlarm(p, d, r.Radiation.Channel, source, []event.ID{r.ID})
}

// concludeAlarm raises the alarm of a channel, once for a passage.
func (e *Engine) concludeAlarm(p *passage, d *Device, channel string, source event.Source, causes []event.ID) {
	f, code := p.Record.Radiation, event.FindingRadiationGamma
	figures := map[string]any{"gamma_background_cps": f.GammaBackgroundCPS, "max_sigma": f.MaxSigma}
	said := event.Text{}
	if f.MaxSigma > 0 {
		// The alert goes out in the first moment and keeps its words: they say
		// what stays true while the lorry rolls on.
		figure := decimal("%s", f.MaxSigma, 1)
		said = event.Text{VI: ", ít nhất " + figure.VI + " sigma", EN: ", at least " + figure.EN + " sigma"}
	}
	if channel == channelNeutron {
		code, said = event.FindingRadiationNeutron, event.Text{}
		figures = map[string]any{"neutron_background_cps": f.NeutronBackgroundCPS}
		if len(f.Neutron) > 0 {
			figures["neutron_counts"] = slices.Max(f.Neutron)
		}
	}
	if p.finding(code, d.ID) != nil {
		return
	}
	e.raise(p, conclusion{code: code, device: d.ID, score: 1, figures: figures, said: said, causes: causes, source: source})
}

// alarmed notes when a channel was flagged, for a passage that is split later.
func (p *passage) alarmed(r *event.Reading) {
	i := slices.IndexFunc(p.Alarms, func(a alarm) bool { return a.Channel == r.Radiation.Channel })
	if i < 0 {
		p.Alarms = append(p.Alarms, alarm{Channel: r.Radiation.Channel, First: r.ReceivedAt, Last: r.ReceivedAt})
		return
	}
	p.Alarms[i].Last = r.ReceivedAt
}

// settleRadiation gives the gamma finding the figures of the whole occupancy
// once it is over.
func (e *Engine) settleRadiation(p *passage) {
	r := p.Record.Radiation
	if r == nil || r.MaxSigma <= 0 {
		return
	}
	for i := range p.Record.Findings {
		f := &p.Record.Findings[i]
		if f.Code != event.FindingRadiationGamma {
			continue
		}
		f.Figures = map[string]any{"gamma_background_cps": r.GammaBackgroundCPS, "max_sigma": r.MaxSigma}
		f.Headline = risk.Fill(e.lane.Policy.Rule(f.Code).Headline, e.vars(conclusion{
			code: f.Code, device: f.Device, score: f.Score, said: decimal(", %s sigma", r.MaxSigma, 1),
		}))
	}
}

func finite(f float64) bool { return !math.IsNaN(f) && !math.IsInf(f, 0) }
