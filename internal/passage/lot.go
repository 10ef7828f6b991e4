package passage

import (
	"slices"
	"strconv"

	"gatehouse/internal/event"
	"gatehouse/internal/lot"
)

// Bounds of what is kept of lots: the declarations seen last, and the newest
// containers of each.
const (
	lotsKept       = 64
	itemsOfALot    = 128
	lotRuleName    = "xray-lot-outlier"
	lotRuleVersion = "1"
)

// cargoLot is the cargo that came on one declaration.
type cargoLot struct {
	Declaration string     `json:"declaration"`
	Items       []cargoBox `json:"items"`
}

// cargoBox is one scan of it.
type cargoBox struct {
	Passage  event.ID `json:"passage"`
	Evidence string   `json:"evidence"`
	lot.Item
}

// inLot remembers what a scan showed of the cargo. Scans that a shadow or a cut
// makes incomparable are left out.
func (e *Engine) inLot(p *passage, evidence string, found answer) {
	if c := found.Cargo; c != nil && !found.Shadow && found.Truncated == nil {
		box := cargoBox{Passage: p.Record.ID, Evidence: evidence, Item: lot.Item{Fill: c.Fill, Load: c.Load}}
		for _, b := range c.Bodies {
			box.KG += b.MassKG
		}
		p.Boxes = append(p.Boxes, box)
	}
}

// lotFindings are the scans of the passage that are unlike those of the other
// containers of its declaration.
func (e *Engine) lotFindings(p *passage) []conclusion {
	x := p.Record.Expected
	if len(p.Boxes) == 0 || x == nil || !x.Found || x.Declaration == "" {
		return nil
	}
	all := e.lot(x.Declaration)
	for _, b := range p.Boxes {
		if !slices.ContainsFunc(all.Items, func(o cargoBox) bool { return o.Passage == b.Passage && o.Evidence == b.Evidence }) {
			all.Items = append(all.Items, b)
		}
	}
	if extra := len(all.Items) - itemsOfALot; extra > 0 {
		all.Items = slices.Delete(all.Items, 0, extra)
	}
	items := make([]lot.Item, len(all.Items))
	for i, b := range all.Items {
		items[i] = b.Item
	}
	var out []conclusion
	for _, o := range lot.Outliers(items) {
		b := all.Items[o.Index]
		if b.Passage != p.Record.ID {
			continue // that passage says so itself, as long as it can be judged
		}
		n := strconv.Itoa(len(items))
		out = append(out, conclusion{
			code: event.FindingXrayAnomaly, device: p.deviceOf(b.Evidence), mark: b.Evidence + "/lot/" + o.Figure, score: o.Score,
			figures: map[string]any{
				"rule": lotRuleName, "declaration": x.Declaration, "containers": len(items), o.Figure: o.Value, o.Figure + "_limit": o.Middle,
			},
			source: event.Source{Kind: "rule", Name: lotRuleName, Version: lotRuleVersion},
			said: event.Text{
				VI: "khác các công-ten-nơ còn lại của tờ khai " + x.Declaration + " (" + n + " chiếc)",
				EN: "unlike the other containers of declaration " + x.Declaration + " (" + n + " in all)",
			},
		})
	}
	return out
}

// lot is what is kept of a declaration; a new one displaces the oldest.
func (e *Engine) lot(declaration string) *cargoLot {
	if i := slices.IndexFunc(e.s.Lots, func(l *cargoLot) bool { return l.Declaration == declaration }); i >= 0 {
		return e.s.Lots[i]
	}
	l := &cargoLot{Declaration: declaration}
	e.s.Lots = append(e.s.Lots, l)
	if extra := len(e.s.Lots) - lotsKept; extra > 0 {
		e.s.Lots = slices.Delete(e.s.Lots, 0, extra)
	}
	return l
}
