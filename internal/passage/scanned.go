package passage

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"gatehouse/internal/event"
)

// scanned is what a worker's answer says of an X-ray view.
type scanned struct {
	Findings []region `json:"findings"`
	Cargo    *loaded  `json:"cargo"`
	// Truncated says that only a part of a scan could be analysed.
	Truncated *struct {
		Analysed float64 `json:"analysed"`
	} `json:"truncated"`
	// Shadow says that the scanner is not calibrated, Calibration by which
	// version of its calibration it was judged.
	Shadow      bool        `json:"shadow"`
	Calibration string      `json:"calibration"`
	Heat        *event.Heat `json:"heat"`
}

// loaded is the state of a cargo body with what lots are compared by.
type loaded struct {
	event.Cargo
	Load   float64 `json:"load"` // mean log attenuation of the goods
	Bodies []struct {
		MassKG float64 `json:"mass_kg"`
	} `json:"bodies"`
}

type region struct {
	Code    string      `json:"code"`
	Class   string      `json:"class"`
	Box     []int       `json:"box"`
	Score   float64     `json:"score"`
	Rule    string      `json:"rule"` // rule or model, with its version behind an @
	Figures []figure    `json:"figures"`
	Text    *event.Text `json:"text"`
}

// figure is a value that a rule compared with a limit.
type figure struct {
	Name  string  `json:"name"`
	Value float64 `json:"value"`
	Limit float64 `json:"limit"`
	Unit  string  `json:"unit"`
}

// xray adds what was seen in a scan, the gravest first.
func (e *Engine) xray(p *passage, evidence string, found answer) {
	device := p.deviceOf(evidence)
	for i := range p.Record.Scans {
		if v := &p.Record.Scans[i]; v.Image.SHA256 == evidence {
			v.Score, v.Model = found.Score, found.Model
			v.Shadow, v.Calibration = found.Shadow, found.Calibration
			if found.Cargo != nil {
				v.Cargo = &found.Cargo.Cargo
			}
			if found.Heat.Fits() && !found.Shadow {
				v.Heat = found.Heat
			}
			if found.Truncated != nil {
				v.Analysed = found.Truncated.Analysed
			}
		}
	}
	e.inLot(p, evidence, found)
	slices.SortStableFunc(found.Findings, func(a, b region) int { return cmp.Compare(b.Score, a.Score) })
	for i, f := range found.Findings[:min(len(found.Findings), regionsPerImage)] {
		c := f.conclusion(found)
		c.device, c.mark = device, evidence+"/"+strconv.Itoa(i)
		c.region = &event.Region{Evidence: evidence, Box: f.Box}
		c.shadow = found.Shadow
		e.raise(p, c)
	}
}

// conclusion says by which rule, figures and calibration a region was marked.
func (f region) conclusion(found answer) conclusion {
	figures := map[string]any{"image_score": found.Score}
	if f.Class != "" {
		figures["class"] = f.Class
	}
	for _, v := range f.Figures {
		name := v.Name
		if v.Unit != "" && !strings.HasSuffix(name, v.Unit) {
			name += "_" + v.Unit
		}
		figures[name], figures[name+"_limit"] = v.Value, v.Limit
	}
	c := conclusion{
		code: cmp.Or(f.Code, event.FindingXrayAnomaly), score: f.Score, figures: figures,
		source: event.Source{Kind: "model", Name: OpXray, Version: found.Model, Calibration: found.Calibration},
	}
	if f.Text != nil {
		c.said = *f.Text
	}
	if rule, version, ok := strings.Cut(f.Rule, "@"); ok && f.Rule != found.Model {
		c.source.Kind, c.source.Name, c.source.Version = "rule", rule, version
	}
	return c
}
