package passage

import (
	"encoding/json"

	"gatehouse/internal/event"
)

// recall makes a passage of its last shared version, so that an officer can
// correct it. No reading can be its own any more, and coverage stays as it was
// shared: what it follows from is not in the record.
func (e *Engine) recall(given event.Passage) (*passage, error) {
	// A copy through its JSON form: what is kept must not reach into the entry.
	var record event.Passage
	b, err := json.Marshal(given)
	if err == nil {
		err = json.Unmarshal(b, &record)
	}
	if err != nil {
		return nil, err
	}
	p := &passage{Record: record, Aside: true, Frozen: true, JoinOver: true, VisionOver: true}
	for _, f := range record.Findings {
		if !factual(f.Code) {
			continue // which of several had an alert is not in the record
		}
		p.Derived = append(p.Derived, derived{Code: f.Code, Device: f.Device, Mark: anyMark, Finding: f.ID})
		if !e.lane.Policy.Rule(f.Code).Alerts() {
			continue
		}
		version := e.lane.Policy.Version()
		if f.Source.Name == ruleName {
			version = f.Source.Version
		}
		p.Alerts = append(p.Alerts, sent{
			Code: f.Code, Device: f.Device, Finding: f.ID, Severity: f.Severity, IDs: []event.ID{alertID(f, version)},
		})
	}
	for _, w := range record.Weighings {
		doubt := ""
		if f := p.finding(event.FindingWeightUncertain, w.Device); f != nil {
			doubt = doubtQuality
		}
		p.Weighs = append(p.Weighs, weighing{
			Device: w.Device, Began: w.At, Ended: w.At, Downs: max(1, len(w.AxlesKG)), Settled: w.Weight != nil || len(w.AxlesKG) > 0,
			Axles: w.AxlesKG, Stride: 1, Doubt: doubt,
		})
	}
	for _, s := range record.Scans {
		key := scanKey{Device: s.Device, ID: s.ScanID}
		if p.scanState(key) == nil {
			p.Scans = append(p.Scans, scanState{scanKey: key, At: s.TakenAt, Ended: true, Cut: s.Cut})
		}
	}
	if best := p.best(viewFront); best != nil {
		p.Plate = best.Text
	}
	return p, nil
}
