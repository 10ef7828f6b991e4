package web

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"gatehouse/internal/console/private"
	"gatehouse/internal/console/store"
	"gatehouse/internal/event"
)

const (
	// shownUnapplied is how long the board lists corrections that no version of
	// a passage contains.
	shownUnapplied = 2 * time.Hour
	// refusedAfter is the time after chaining from which a correction without
	// effect reads "not applied": the gate answers within a moment.
	refusedAfter = time.Minute
	// neighbourhood is how far apart two passages may be that an officer joins.
	neighbourhood = 20 * time.Minute
)

// correctForm is what an officer has filled in and what is wrong with it.
type correctForm struct {
	Kind  event.CorrectionKind // whose dialog is open; "" for none
	Error string
	Moment, Other, Reason,
	Lane, // "gate/lane", of a passage entered by hand; "gate/" for one that is typed
	OtherLane string // a lane as it was typed, which goes before the chosen one
	Facts event.Facts
}

func readCorrection(r *http.Request) correctForm {
	text := func(name string) string { return strings.TrimSpace(r.PostFormValue(name)) }
	return correctForm{
		Kind: event.CorrectionKind(text("kind")), Moment: text("moment"), Other: text("other"), Reason: text("reason"), Lane: text("lane"),
		OtherLane: text("other_lane"),
		Facts: event.Facts{
			Kind: event.PassageKind(text("what")), Direction: event.Direction(text("direction")), Flow: event.Flow(text("flow")),
			Plate: canonical(text("plate")), RearPlate: canonical(text("rear_plate")), Container: canonical(text("container")),
			Document: canonical(text("document")), Declaration: canonical(text("declaration")),
		},
	}
}

// canonical is a plate or a number without separators, in upper case.
func canonical(text string) string {
	return strings.Map(func(r rune) rune {
		if r == 'Đ' || r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' {
			return r
		}
		return -1
	}, strings.ToUpper(text))
}

// isContainer tells whether a text has the form of ISO 6346. Its check digit is
// not asked for: a wrong one may be what is painted.
func isContainer(text string) bool {
	if len(text) != 11 || !strings.ContainsRune("UJZ", rune(text[3])) {
		return false
	}
	return strings.Trim(text[:4], "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == "" && isDigits(text[4:], 7)
}

func isDigits(text string, n int) bool {
	return len(text) == n && strings.Trim(text, "0123456789") == ""
}

// checkFacts gives the mistake in what an officer states.
func checkFacts(p Page, f event.Facts) string {
	switch {
	case f.Kind != "" && !slices.Contains(kinds(), f.Kind),
		f.Direction != "" && !slices.Contains(directions(), f.Direction),
		f.Flow != "" && !slices.Contains(flows(), f.Flow):
		return p.T("correct.unknown")
	case f.Container != "" && !isContainer(f.Container):
		return p.T("correct.container")
	case f.Declaration != "" && !isDigits(f.Declaration, 12):
		return p.T("correct.declaration")
	case len(f.Plate) > 16 || len(f.RearPlate) > 16 || len(f.Document) > 24:
		return p.T("correct.long")
	}
	return ""
}

func kinds() []event.PassageKind {
	return []event.PassageKind{event.Vehicle, event.Person, event.Consignment, event.Wagon}
}

func directions() []event.Direction { return []event.Direction{event.Entry, event.Exit} }

func flows() []event.Flow { return []event.Flow{event.Goods, event.Traveller, event.Mixed} }

func checkReason(p Page, reason string) string {
	switch {
	case reason == "":
		return p.T("correct.reason.needed")
	case utf8.RuneCountInString(reason) > maxReason:
		return p.T("verdict.reason.long")
	}
	return ""
}

// enterByHand takes a passage that no device saw.
func (s *Server) enterByHand(w http.ResponseWriter, r *http.Request, p Page) {
	f := readCorrection(r)
	f.Kind = event.CorrectEnter
	moment, err := time.ParseInLocation("2006-01-02T15:04:05", padSeconds(f.Moment), local(p.Now).Location())
	gate, lane, ok := s.laneOf(r, f)
	switch {
	case !ok:
		f.Error = p.T("correct.lane")
	case err != nil || moment.After(p.Now.Add(time.Minute)):
		f.Error = p.T("correct.moment")
	case f.Facts.Kind == "":
		f.Error = p.T("correct.unknown")
	default:
		f.Error = checkFacts(p, f.Facts)
	}
	if f.Error == "" {
		f.Error = checkReason(p, f.Reason)
	}
	if f.Error != "" {
		m, err := s.boardPart(r, p, "")
		if err != nil {
			s.fail(w, r, p, err)
			return
		}
		m.Enter = f
		s.show(w, r, http.StatusUnprocessableEntity, boardView(p, m))
		return
	}
	utc := moment.UTC()
	c := event.Correction{Gate: gate, Lane: lane, Kind: f.Kind, Passage: event.NewID(utc), Moment: &utc, Facts: f.Facts, Reason: f.Reason}
	if err := s.sayCorrection(r, p, c); err != nil {
		s.fail(w, r, p, err)
		return
	}
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

// maxLane bounds the name of a lane that is typed, in characters.
const maxLane = 16

// laneOf is the lane that an officer chose or typed. A lane without devices is
// nowhere in the shared record until its first passage, so one that is typed is
// taken as it is; a gate that has no such lane refuses the passage.
func (s *Server) laneOf(r *http.Request, f correctForm) (gate, lane string, ok bool) {
	gate, lane, ok = strings.Cut(f.Lane, "/")
	if !ok || f.OtherLane == "" {
		known, err := s.opt.Store.Lanes(r.Context())
		return gate, lane, ok && err == nil && slices.Contains(known, store.Lane{Gate: gate, Lane: lane})
	}
	return gate, f.OtherLane, s.hasGate(gate) && utf8.RuneCountInString(f.OtherLane) <= maxLane && !strings.ContainsFunc(f.OtherLane, unfit)
}

// unfit tells whether a character cannot stand in the name of a lane, which a
// gate's configuration makes of letters and digits.
func unfit(r rune) bool { return r > unicode.MaxASCII || !unicode.IsLetter(r) && !unicode.IsDigit(r) }

func (s *Server) hasGate(id string) bool {
	return slices.ContainsFunc(s.opt.Gates, func(g Gate) bool { return g.ID == id })
}

// padSeconds makes what a browser's field of date and time gives complete.
func padSeconds(text string) string {
	if strings.Count(text, ":") == 1 {
		return text + ":00"
	}
	text, _, _ = strings.Cut(text, ".")
	return text
}

// correct takes an officer's correction of a passage.
func (s *Server) correct(w http.ResponseWriter, r *http.Request, p Page) {
	m, err := s.passageModel(r, p, event.ID(r.PathValue("id")))
	if err != nil {
		s.fail(w, r, p, err)
		return
	}
	f := readCorrection(r)
	seen := readVerdict(r) // the same two fields say which version was shown
	c := event.Correction{Gate: m.Gate, Lane: m.Lane, Kind: f.Kind, Passage: m.ID, Reason: f.Reason}
	f.Error = s.fillCorrection(p, &m, f, &c)
	if f.Error == "" {
		f.Error = checkReason(p, f.Reason)
	}
	if f.Error == "" && !m.seen(seen) {
		f.Error = p.T("verdict.changed")
	}
	if f.Error != "" {
		m.Correct = f
		s.show(w, r, http.StatusUnprocessableEntity, passageView(p, m))
		return
	}
	c.Saw = event.SeenVersion{Version: seen.Version, Sequence: seen.Sequence}
	if err := s.sayCorrection(r, p, c); err != nil {
		s.fail(w, r, p, err)
		return
	}
	http.Redirect(w, r, "/passages/"+string(m.ID), http.StatusSeeOther)
}

// fillCorrection puts what the form says into the correction, or tells what is
// wrong with it.
func (s *Server) fillCorrection(p Page, m *passageModel, f correctForm, c *event.Correction) string {
	switch f.Kind {
	case event.CorrectFacts:
		if f.Facts == (event.Facts{}) {
			return p.T("correct.nothing")
		}
		c.Facts = f.Facts
		return checkFacts(p, f.Facts)
	case event.CorrectSplit:
		ms, err := strconv.ParseInt(f.Moment, 10, 64)
		if err != nil || !slices.ContainsFunc(m.cuts(), func(x cut) bool { return x.At.UnixMilli() == ms }) {
			return p.T("correct.moment")
		}
		at := time.UnixMilli(ms).UTC()
		c.Moment = &at
	case event.CorrectMerge:
		if !slices.ContainsFunc(m.Near, func(x store.Hit) bool { return string(x.ID) == f.Other }) {
			return p.T("correct.other")
		}
		c.Other = event.ID(f.Other)
	case event.CorrectCancel:
	default:
		return p.T("correct.unknown")
	}
	return ""
}

func (s *Server) sayCorrection(r *http.Request, p Page, c event.Correction) error {
	at := s.opt.Now().UTC()
	c.ID, c.Agency, c.At, c.Badge = event.NewID(at), p.Agency, at, p.User.Badge
	result, err := s.opt.Store.Correct(r.Context(), c)
	if err == nil {
		err = s.opt.Private.Record(r.Context(), p.User.ID, private.ActCorrection, string(c.Passage), string(c.Kind)+" "+string(c.ID))
	}
	if err != nil {
		return err
	}
	s.opt.Live.Notify(result.Changes)
	s.opt.Uplink.Wake()
	return nil
}

// cut is a moment at which a passage can be split: the first reading that
// would belong to the new one.
type cut struct {
	At    time.Time
	Label string
}

// maxCuts bounds the list of moments.
const maxCuts = 40

// cuts are the moments at which the passage can be split.
func (m *passageModel) cuts() []cut {
	groups := groupReadings(m.Readings)
	var list []cut
	for i, g := range groups {
		if i > 0 && g.From.After(groups[0].From) && len(list) < maxCuts {
			list = append(list, cut{At: g.From.Truncate(time.Millisecond), Label: g.Device + " " + string(g.Kind)})
		}
	}
	return list
}

// cutLabel names a moment for people.
func cutLabel(p Page, m passageModel, i int) string {
	groups := groupReadings(m.Readings)
	at := m.cuts()[i].At
	for _, g := range groups {
		if g.From.Truncate(time.Millisecond).Equal(at) {
			return fmt.Sprintf("%s · %s · %s", local(at).Format("15:04:05.0"), p.DeviceName(g.Device), p.Code("reading", string(g.Kind)))
		}
	}
	return local(at).Format("15:04:05.0")
}

// correctionState is how it stands with a correction: "sending", "waiting",
// "applied" or "refused".
func correctionState(p Page, c store.Correction) string {
	switch {
	case c.Applied:
		return "applied"
	case c.Pending:
		return "sending"
	case p.Now.Sub(c.ChainedAt) > refusedAfter:
		return "refused"
	}
	return "waiting"
}

// stated lists what a correction states, as words and values.
func stated(p Page, f event.Facts) string {
	var parts []string
	add := func(key, value string) {
		if value != "" {
			parts = append(parts, p.Words.T(p.Lang, key)+" "+value)
		}
	}
	if f.Kind != "" {
		parts = append(parts, p.Code("kind", string(f.Kind)))
	}
	if f.Direction != "" {
		parts = append(parts, p.Code("direction", string(f.Direction)))
	}
	if f.Flow != "" {
		parts = append(parts, p.Code("flow", string(f.Flow)))
	}
	add("fact.plate", f.Plate)
	add("fact.rear", f.RearPlate)
	add("fact.container", displayContainer(f.Container))
	if f.Document != "" {
		add("fact.document", mask(f.Document))
	}
	add("fact.declaration", f.Declaration)
	return strings.Join(parts, " · ")
}

// otherOf is the passage at the other end of a correction.
func otherOf(here event.ID, c store.Correction) event.ID {
	if c.Other == here {
		return c.Passage
	}
	return c.Other
}

// or is the first text that is not empty.
func or(a, b string) string { return cmp.Or(a, b) }
