package passage

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"

	"gatehouse/internal/event"
)

// What is looked up in the lists of expected vehicles; the Kind of a Request.
const (
	ByPlate       = "plate"
	ByContainer   = "container"
	ByDeclaration = "declaration"
)

// lookupsPerPassage bounds what is asked for one passage.
const lookupsPerPassage = 16

// similarShown bounds the look-alikes that a finding names.
const similarShown = 5

// declarationNumber finds VN customs declaration numbers, twelve digits, in
// running text.
var declarationNumber = regexp.MustCompile(`(?:^|\D)(\d{12})(?:$|\D)`)

// lookup is a question to the lists of expected vehicles, with the answer.
type lookup struct {
	Request
	Answer *Listed `json:"answer,omitempty"`
}

// Listed is the answer of the lists of expected vehicles, as the result of a
// look-up holds it. What looks alike is named and never taken for the same.
type Listed struct {
	event.Expected
	Similar []string `json:"similar,omitempty"`
}

// question is something that the passage should be looked up by.
type question struct{ kind, text string }

// questions are what the passage can be looked up by now: the plate once it is
// settled, and each declaration and container number.
func (e *Engine) questions(p *passage) []question {
	if !e.lane.Expected || p.gone() {
		return nil
	}
	var qs []question
	add := func(kind, text string) {
		if q := (question{kind, text}); text != "" && !slices.Contains(qs, q) {
			qs = append(qs, q)
		}
	}
	add(ByPlate, e.settledPlate(p))
	add(ByDeclaration, p.Record.Stated.Declaration)
	add(ByContainer, p.Record.Stated.Container)
	for _, b := range p.Record.Barcodes {
		if p.Record.Stated.Declaration == "" {
			for _, m := range declarationNumber.FindAllStringSubmatch(b.Barcode.Text, -1) {
				add(ByDeclaration, m[1])
			}
		}
	}
	for _, c := range p.Record.Containers {
		if p.Record.Stated.Container == "" && c.CheckOK && c.Score >= codeScore {
			add(ByContainer, c.Text)
		}
	}
	return qs
}

// settledPlate is the plate by which the passage goes: an officer's, or the
// front one once vision has answered every photo of it. In a lane whose cameras
// see no front, any plate is.
func (e *Engine) settledPlate(p *passage) string {
	if stated := p.Record.Stated.Plate; stated != "" {
		return stated
	}
	if p.Frozen {
		return p.Plate
	}
	if plate, settled := e.readPlate(p); settled {
		p.Plate = plate
	}
	return p.Plate
}

// readPlate is the plate that vision has read; false while a photo of it is
// still to be answered.
func (e *Engine) readPlate(p *passage) (string, bool) {
	view := viewFront
	if !slices.ContainsFunc(p.Record.Photos, func(f event.Photo) bool { return f.View == viewFront }) {
		if e.hasFront() || len(p.Record.Photos) == 0 {
			return "", false
		}
		view = p.Record.Photos[0].View
	}
	for _, f := range p.Record.Photos {
		if f.View == view && f.Analysis != outcomeDone && f.Analysis != outcomeUnreadable {
			return "", false
		}
	}
	if pl := p.best(view); pl != nil {
		return pl.Text, true
	}
	return "", true
}

func (e *Engine) hasFront() bool {
	return slices.ContainsFunc(e.lane.Devices, func(d Device) bool { return d.Role == RoleCamera && d.View == viewFront })
}

// lookUp asks what has not been asked, and takes over what the lists said.
func (e *Engine) lookUp(p *passage) {
	asked := e.questions(p)
	for _, q := range asked {
		if p.asked(q) != nil || len(p.Lookups) >= lookupsPerPassage {
			continue
		}
		r := Request{
			Passage: p.Record.ID, Evidence: q.text, Op: OpExpected, Kind: q.kind,
			Direction: p.Record.Direction, Day: reportingDay(p.Record.OpenedAt),
		}
		p.Lookups = append(p.Lookups, lookup{Request: r})
		e.later = append(e.later, Effect{Analyse: &r})
	}
	p.Record.Expected = nil
	if a := p.answer(asked); a != nil {
		expected := a.Expected
		p.Record.Expected = &expected
	}
}

// asked is the look-up of a question for the passage's direction.
func (p *passage) asked(q question) *lookup {
	i := slices.IndexFunc(p.Lookups, func(l lookup) bool {
		return l.Kind == q.kind && l.Evidence == q.text && l.Direction == p.Record.Direction
	})
	if i < 0 {
		return nil
	}
	return &p.Lookups[i]
}

// answer is what the lists say of the passage: the row of its plate, or else
// of a paper, or else that there is none.
func (p *passage) answer(asked []question) *Listed {
	var none *Listed
	for _, q := range asked {
		l := p.asked(q)
		switch {
		case l == nil || l.Answer == nil:
		case l.Answer.Found:
			return l.Answer
		case none == nil:
			none = l.Answer
		}
	}
	return none
}

// listed takes the answer to a look-up.
func (e *Engine) listed(a *event.Analysis) {
	p := e.s.passage(a.Passage)
	if p == nil || a.Outcome != outcomeDone {
		return
	}
	i := slices.IndexFunc(p.Lookups, func(l lookup) bool { return l.Evidence == a.Evidence && l.Answer == nil })
	if i < 0 {
		return
	}
	var answer Listed
	if json.Unmarshal(a.Result, &answer) != nil {
		return
	}
	p.Lookups[i].Answer = &answer
	p.dirty = true
}

// expectedFindings says that the lists lack the passage. A plate that the lists
// lack is not made good by papers of another vehicle.
func (e *Engine) expectedFindings(p *passage) []conclusion {
	plate, papers := (*Listed)(nil), (*Listed)(nil)
	for _, q := range e.questions(p) {
		l := p.asked(q)
		switch {
		case l == nil || l.Answer == nil && q.kind != ByPlate:
		case l.Answer == nil:
			return nil // the plate decides
		case q.kind == ByPlate:
			plate = l.Answer
		case papers == nil || !papers.Found:
			papers = l.Answer
		}
	}
	switch {
	case plate == nil && papers == nil, plate != nil && plate.Found, plate == nil && papers.Found:
		return nil
	case plate != nil && papers != nil && papers.Found && papers.Plate == "":
		return nil // expected by its papers, whatever vehicle brings it
	}
	return []conclusion{unexpected(plate, papers)}
}

func unexpected(plate, papers *Listed) conclusion {
	missing := plate
	if missing == nil {
		missing = papers
	}
	figures := map[string]any{"asked": missing.Asked}
	said := event.Text{VI: missing.Asked, EN: missing.Asked}
	say := func(vi, en string) { said.VI, said.EN = said.VI+", "+vi, said.EN+", "+en }
	if missing.From != "" || missing.To != "" {
		figures["listed_from"], figures["listed_to"] = missing.From, missing.To
		say("danh sách ghi ngày khác", "listed for other days")
	} else if missing.Direction != "" {
		figures["listed_direction"] = missing.Direction
		say("danh sách ghi chiều khác", "listed for the other direction")
	}
	if plate != nil && papers != nil && papers.Found {
		figures["papers_plate"] = papers.Plate
		say("giấy tờ của xe "+papers.Plate, "papers are of "+papers.Plate)
	}
	if len(missing.Similar) > 0 {
		alike := missing.Similar[:min(len(missing.Similar), similarShown)]
		figures["similar"] = alike
		say("gần giống "+strings.Join(alike, " "), "looks like "+strings.Join(alike, " "))
	}
	return conclusion{code: event.FindingUnexpected, mark: missing.Asked, score: 1, figures: figures, said: said}
}

// waitingLookups are the questions without an answer.
func (p *passage) waitingLookups() []Request {
	var rs []Request
	for _, l := range p.Lookups {
		if l.Answer == nil && l.Evidence != "" {
			rs = append(rs, l.Request)
		}
	}
	return rs
}
