package passage

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"gatehouse/internal/event"
)

const (
	analysisPending = "pending"
	// plateScore is the score from which a plate reading stands; below it the
	// text is only one of the alternates (the vision tool's contract).
	plateScore = 0.5
	// regionsPerImage bounds the findings of one image.
	regionsPerImage = 32
	viewFront       = "front"
	viewRear        = "rear"
)

// analyse asks for vision on an image of the passage, once per image and
// operation, and says how far its analysis is.
func (e *Engine) analyse(p *passage, r Request) string {
	if i := p.analysisIndex(r.Evidence, r.Op); i >= 0 {
		return cmp.Or(p.Analyses[i].Outcome, analysisPending)
	}
	r.Passage, r.Due = p.Record.ID, e.now.Add(e.lane.Join.Vision)
	p.Analyses = append(p.Analyses, analysis{Request: r})
	if !e.lane.Vision {
		p.Analyses[len(p.Analyses)-1].Outcome = outcomeUnavailable
		return outcomeUnavailable
	}
	e.later = append(e.later, Effect{Analyse: &r})
	return analysisPending
}

func (p *passage) analysisIndex(evidence, op string) int {
	return slices.IndexFunc(p.Analyses, func(a analysis) bool { return a.Evidence == evidence && a.Op == op })
}

// awaitsVision says whether a result may still come.
func (e *Engine) awaitsVision(p *passage) bool {
	return e.lane.Vision && slices.ContainsFunc(p.Analyses, func(a analysis) bool { return !a.final() })
}

// pending lists the images that vision has not answered.
func (p *passage) pending() []string {
	var digests []string
	for _, a := range p.Analyses {
		if !a.final() && !slices.Contains(digests, a.Evidence) {
			digests = append(digests, a.Evidence)
		}
	}
	return digests
}

// dispatched counts an attempt, so that an image that kills workers is known
// after a restart too.
func (e *Engine) dispatched(a *event.Analysis) {
	if a != nil && a.Op == OpExpected {
		return // a look-up harms nobody
	}
	if _, known := e.known(a); known != nil {
		known.Attempts = max(known.Attempts+1, a.Attempt)
	}
}

// known finds the passage and the state of an analysis that is not final.
func (e *Engine) known(a *event.Analysis) (*passage, *analysis) {
	if a == nil {
		return nil, nil
	}
	p := e.s.passage(a.Passage)
	if p == nil {
		return nil, nil
	}
	i := p.analysisIndex(a.Evidence, a.Op)
	if i < 0 || p.Analyses[i].final() {
		return nil, nil
	}
	return p, &p.Analyses[i]
}

// answer is a worker's result for one file, in the form of the vision tool's
// command-line contract.
type answer struct {
	Plates []struct {
		Text       string            `json:"text"`
		Display    string            `json:"display"`
		Country    string            `json:"country"`
		Kind       string            `json:"kind"`
		Rows       int               `json:"rows"`
		Box        []int             `json:"box"`
		Score      float64           `json:"score"`
		Alternates []event.Alternate `json:"alternates"`
	} `json:"plates"`
	Codes []struct {
		Text     string  `json:"text"`
		CheckOK  bool    `json:"check_ok"`
		Repaired bool    `json:"repaired"`
		SizeType string  `json:"size_type"`
		Box      []int   `json:"box"`
		Score    float64 `json:"score"`
	} `json:"codes"`
	Score float64 `json:"score"`
	Model string  `json:"model"`
	scanned
}

// result takes what vision made of an image. The first final result counts.
func (e *Engine) result(a *event.Analysis) {
	if a != nil && a.Op == OpExpected {
		e.listed(a)
		return
	}
	p, known := e.known(a)
	if p == nil {
		return
	}
	outcome := a.Outcome
	var found answer
	if outcome == outcomeDone && json.Unmarshal(a.Result, &found) != nil {
		outcome = outcomeUnavailable // the image is not at fault
	}
	switch outcome {
	case outcomeDone, outcomeUnreadable, outcomeUnavailable:
	default:
		return
	}
	if outcome == known.Outcome {
		return
	}
	known.Outcome = outcome
	p.dirty = true
	p.mark(known.Request, outcome)
	switch {
	case outcome == outcomeUnreadable:
		e.unreadable(p, known.Request, a.Error)
	case outcome == outcomeDone && known.Op == OpPlate:
		p.plates(known.Evidence, found)
	case outcome == outcomeDone && known.Op == OpContainer:
		p.containers(known.Evidence, found)
	case outcome == outcomeDone && known.Op == OpXray:
		e.xray(p, known.Evidence, found)
	}
}

// mark writes an outcome to every picture with the analysed content.
func (p *passage) mark(r Request, outcome string) {
	for i := range p.Record.Photos {
		if f := &p.Record.Photos[i]; r.Op == OpPlate && f.Image.SHA256 == r.Evidence {
			f.Analysis = outcome
		}
	}
	for i := range p.Record.Scans {
		if v := &p.Record.Scans[i]; r.Op == OpXray && v.Image.SHA256 == r.Evidence {
			v.Analysis = outcome
		}
	}
}

func (e *Engine) unreadable(p *passage, r Request, why string) {
	e.raise(p, conclusion{
		code: event.FindingUnreadableImage, device: p.deviceOf(r.Evidence), score: 1, mark: r.Evidence,
		figures: map[string]any{"evidence": r.Evidence, "attempts": r.Attempts, "error": why},
	})
}

// deviceOf is the device that an image came from.
func (p *passage) deviceOf(evidence string) string {
	for _, f := range p.Record.Photos {
		if f.Image.SHA256 == evidence {
			return f.Device
		}
	}
	for _, v := range p.Record.Scans {
		if v.Image.SHA256 == evidence {
			return v.Device
		}
	}
	return ""
}

// plates adds the plates that were read on a photo.
func (p *passage) plates(evidence string, found answer) {
	i := slices.IndexFunc(p.Record.Photos, func(f event.Photo) bool { return f.Image.SHA256 == evidence })
	if i < 0 {
		return
	}
	var read []event.PlateReading
	for _, pl := range found.Plates {
		reading := event.PlateReading{
			Text: pl.Text, Display: pl.Display, Country: pl.Country, Kind: pl.Kind, Rows: pl.Rows, Box: pl.Box,
			Score: pl.Score, Alternates: pl.Alternates, Photo: evidence, View: p.Record.Photos[i].View, Model: found.Model,
		}
		if pl.Score < plateScore && pl.Text != "" {
			reading.Text, reading.Display = "", ""
			reading.Alternates = append([]event.Alternate{{Text: pl.Text, Score: pl.Score}}, pl.Alternates...)
		}
		read = append(read, reading)
	}
	p.poll(evidence, read)
}

// containers adds the container numbers that were read on a photo.
func (p *passage) containers(evidence string, found answer) {
	for _, c := range found.Codes {
		p.Record.Containers = append(p.Record.Containers, event.ContainerReading{
			Text: c.Text, CheckOK: c.CheckOK, Repaired: c.Repaired, SizeType: c.SizeType, Box: c.Box, Score: c.Score,
			Photo: evidence, Model: found.Model,
		})
	}
}

// plateFindings are the conclusions from all plates of a passage together.
func (e *Engine) plateFindings(p *passage) []conclusion {
	var found []conclusion
	front, rear := p.plate(viewFront), p.plate(viewRear)
	if device, all := p.frontAnswered(); all && front == nil {
		found = append(found, conclusion{code: event.FindingPlateUnread, device: device, score: 1})
	}
	if p.Record.Stated.Plate == "" && p.Record.Stated.RearPlate == "" {
		front, rear = p.unpaired(front, rear)
	}
	if front != nil && rear != nil && front.Text != rear.Text && !trailer(front) && !trailer(rear) && !p.listedRear(rear.Text) {
		said := fmt.Sprintf("%s / %s", cmp.Or(front.Display, front.Text), cmp.Or(rear.Display, rear.Text))
		found = append(found, conclusion{
			code: event.FindingPlateMismatch, score: min(front.Score, rear.Score), said: event.Text{VI: said, EN: said},
			figures: map[string]any{"front": front.Text, "rear": rear.Text},
		})
	}
	return found
}

// unpaired are the surest readings to compare. Of two vehicles in one occupancy
// each rear plate is compared with the front plate that no other rear bears.
func (p *passage) unpaired(front, rear *event.PlateReading) (f, r *event.PlateReading) {
	if !p.tailed() {
		return front, rear
	}
	lacks := func(view, other string) (best *event.PlateReading) {
		for i := range p.Record.Plates {
			pl := &p.Record.Plates[i]
			paired := slices.ContainsFunc(p.Record.Plates, func(o event.PlateReading) bool { return o.View == other && o.Text == pl.Text })
			if pl.View == view && pl.Text != "" && !paired && (best == nil || pl.Score > best.Score) {
				best = pl
			}
		}
		return best
	}
	return lacks(viewFront, viewRear), lacks(viewRear, viewFront)
}

// plate is the plate of a view: what an officer stated, or the surest reading.
func (p *passage) plate(view string) *event.PlateReading {
	stated := map[string]string{viewFront: p.Record.Stated.Plate, viewRear: p.Record.Stated.RearPlate}[view]
	if stated != "" {
		return &event.PlateReading{Text: stated, Score: 1, View: view}
	}
	return p.best(view)
}

// listedRear says that the list of expected vehicles has this plate on the
// rear, such as a trailer's.
func (p *passage) listedRear(plate string) bool {
	x := p.Record.Expected
	return x != nil && x.Found && x.RearPlate == plate
}

// frontAnswered says whether the passage has a front photo and vision has
// answered all of them, and which camera took it.
func (p *passage) frontAnswered() (device string, all bool) {
	for _, f := range p.Record.Photos {
		if f.View != viewFront {
			continue
		}
		if f.Analysis != outcomeDone && f.Analysis != outcomeUnreadable {
			return "", false
		}
		device = cmp.Or(device, f.Device)
	}
	return device, device != ""
}

// best is the surest standing plate reading of a view.
func (p *passage) best(view string) *event.PlateReading {
	var best *event.PlateReading
	for i := range p.Record.Plates {
		pl := &p.Record.Plates[i]
		if pl.View == view && pl.Text != "" && (best == nil || pl.Score > best.Score) {
			best = pl
		}
	}
	return best
}

// trailer says whether a plate is a trailer's, which rightly differs from its
// tractor's: Vietnamese series R and RM, or as vision says.
func trailer(pl *event.PlateReading) bool {
	series := strings.TrimLeft(pl.Text, "0123456789")
	return pl.Kind == "trailer" || (pl.Country == "VN" || pl.Country == "") && strings.HasPrefix(series, "R")
}
