package account

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"gatehouse/internal/event"
	"gatehouse/internal/sim/book"
)

// Kind is what is wrong.
type Kind string

// Kinds of problems.
const (
	FrameLost       Kind = "frame-lost"       // sent, not found, and in no recorded gap
	FrameDoubled    Kind = "frame-doubled"    // found more often than sent
	FrameInvented   Kind = "frame-invented"   // found and never sent
	GapTooLong      Kind = "gap-too-long"     // longer than the fault that it follows from
	StoresDiffer    Kind = "stores-differ"    // a shared table is not the same in both
	EventDoubled    Kind = "event-doubled"    // an event is on the chain twice
	EventSuspect    Kind = "event-suspect"    // quarantined, or beside the chain
	ChainHole       Kind = "chain-hole"       // a store misses a part of a chain
	PassageLost     Kind = "passage-lost"     // a vehicle without its passage
	PassageDoubled  Kind = "passage-doubled"  // a vehicle, or its frames, in two passages
	PassageInvented Kind = "passage-invented" // a passage of nobody
	PassageMixed    Kind = "passage-mixed"    // frames of two vehicles in one passage
	PassageKind     Kind = "passage-kind"     // a person's passage that says vehicle, or the other way round
	VersionHole     Kind = "version-hole"     // versions of a passage are not 1, 2, 3 ...
	AlertLost       Kind = "alert-lost"       // a radiation alarm without its alert
	AlertDoubled    Kind = "alert-doubled"    // two alerts of one finding
	AlertInvented   Kind = "alert-invented"   // a radiation alert without an alarm
	FindingLost     Kind = "finding-lost"     // a planted finding that the passage lacks
	FindingInvented Kind = "finding-invented" // one that was not planted, and that no misreading explains
	VerdictLost     Kind = "verdict-lost"
	VerdictDoubled  Kind = "verdict-doubled"
	EvidenceLost    Kind = "evidence-lost" // named by a passage and not there, or not what it is named
	VisionFailed    Kind = "vision-failed" // a good picture without an answer, or too few plates read
	Weak            Kind = "weak"          // the run proves too little
)

// Problem is one finding of the account.
type Problem struct {
	Kind   Kind         `json:"kind"`
	Agency event.Agency `json:"agency,omitempty"` // in whose store; empty for both
	Text   string       `json:"text"`
	// Device and At are where and when it was, where that is known.
	Device Device    `json:"-"`
	At     time.Time `json:"-"`
}

func (p Problem) String() string {
	if p.Agency == "" {
		return fmt.Sprintf("%s: %s", p.Kind, p.Text)
	}
	return fmt.Sprintf("%s at %s: %s", p.Kind, p.Agency, p.Text)
}

// Window is a time in which the harness itself had something out of order.
type Window struct {
	From, To time.Time
	Device   Device // zero for every device of every lane
	What     string
}

// Said is a verdict that an officer gave on a console's page.
type Said struct {
	Agency  event.Agency
	Passage event.ID
	Code    event.VerdictCode
	Reason  string // no two are the same
}

// Tolerance is how much longer than the fault a recorded gap may be.
const Tolerance = 2 * time.Second

// Case is everything that is judged.
type Case struct {
	Books Books
	// Unsure is how many camera messages were under way when the simulator
	// ended: the broker may have them without the ledger saying so.
	Unsure int
	// Left are digests of files that the simulator left so shortly before its end
	// that the device's line was gone before it could announce them: they still
	// lie in the drop folder.
	Left []string
	// From is when the lane was first watched: what came before is not judged.
	From   time.Time
	Faults []Window
	Stores []*Store
	// Differences between the stores' shared tables, as Compare lists them.
	Differences []string
	Said        []Said
	// Evidence says what is wrong with the file that holds a piece in an
	// agency's store; nil when nothing is. A nil function skips the check.
	Evidence func(event.Agency, string) error
	// Vision says that pictures are analysed, and PlatesWanted the least share
	// of plates of clean vehicles that must be read right.
	Vision       bool
	PlatesWanted float64
	// CleanWanted is the least number of vehicles and persons outside of gaps,
	// in each lane that had any.
	CleanWanted int
	// Lag is how long a frame may have lain unread on the line when the gate gave
	// the line up: the gap begins with the last frame that was read.
	Lag time.Duration
	// Chains is how many chains the stores must hold: one, unless the gate lost
	// its disk. Zero means one.
	Chains int
	// Strict says that a frame in a gap counts as lost where the gap reaches
	// further than the harness's own faults and Tolerance explain.
	Strict bool
	// All tells every problem, not only the first of each kind.
	All bool
	// Findings says that the passages' findings are compared with what was
	// planted.
	Findings bool
}

// Report is the outcome.
type Report struct {
	Problems []Problem `json:"problems"`
	Figures  Figures   `json:"figures"`
}

// Figures are counts of the whole run; where the stores differ the worst.
type Figures struct {
	Frames         int `json:"frames"`          // sent, as the ledger says
	Lost           int `json:"lost"`            // of frames, passages, alerts, verdicts, evidence
	Doubled        int `json:"doubled"`         // of frames, events, passages, alerts, verdicts
	InGaps         int `json:"in_gaps"`         // frames that are missing inside recorded gaps
	Redelivered    int `json:"redelivered"`     // messages that a kill made the sender send again
	Pieces         int `json:"pieces"`          // frames that damaged ones were cut into
	TakenAlong     int `json:"taken_along"`     // sound frames that a damaged one beside them took along
	Superseded     int `json:"superseded"`      // answers that changed again within one look of the gate
	Left           int `json:"left"`            // files that still lie in the drop folder
	Gaps           int `json:"gaps"`            //
	WorstGapExcess int `json:"gap_excess_ms"`   // of a gap over the fault
	Vehicles       int `json:"vehicles"`        // and persons
	Clean          int `json:"clean_vehicles"`  // outside of all gaps
	Wake           int `json:"wake"`            // not clean only since they were in the lane with one that met a gap
	Passages       int `json:"passages"`        //
	Alerts         int `json:"alerts"`          //
	Radiation      int `json:"radiation"`       // vehicles outside of gaps with an alarm
	Verdicts       int `json:"verdicts"`        //
	Pictures       int `json:"pictures"`        // photos and scans of passages
	PlatesRead     int `json:"plates_right"`    // of clean vehicles
	Plates         int `json:"plates"`          // of clean vehicles
	Threats        int `json:"threats"`         // clean vehicles with a threat in the scan
	ThreatsAlerted int `json:"threats_alerted"` // of them
	// Rear plates of clean vehicles, and how many were read right.
	RearRead int `json:"rear_plates_right"`
	Rear     int `json:"rear_plates"`
	// Lanes are the counts of each lane.
	Lanes map[string]LaneFigures `json:"lanes"`
	// Findings are the counts of each code, over clean vehicles and persons.
	Findings map[string]CodeFigures `json:"findings,omitempty"`
	// Met counts clean vehicles and persons that met a fault of a device, and
	// whose findings are therefore not judged.
	Met int `json:"met_faults"`
	// Explained tells which missed and invented findings follow from a plate
	// that was misread, and how it was read.
	Explained []string `json:"explained,omitempty"`
	// Latency from the frame that opened a passage to its first version in each
	// store, in milliseconds.
	Latency map[event.Agency]Latency `json:"latency_ms"`
}

// LaneFigures are counts of one lane.
type LaneFigures struct {
	Vehicles int `json:"vehicles"` // and persons, as the books say
	Clean    int `json:"clean"`    // of them, outside of all gaps
	Passages int `json:"passages"`
	Lost     int `json:"lost"`    // passages
	Doubled  int `json:"doubled"` // passages
}

// Latency in milliseconds. Quiet is over passages outside of the harness's
// faults, All over all.
type Latency struct {
	Quiet Quantiles `json:"quiet"`
	All   Quantiles `json:"all"`
}

// Quantiles of N values.
type Quantiles struct {
	N   int     `json:"n"`
	P50 float64 `json:"p50"`
	P99 float64 `json:"p99"`
	Max float64 `json:"max"`
}

// Judge applies every rule to every store.
func Judge(c Case) Report {
	r := Report{Figures: Figures{Frames: len(c.Books.Ledger), Vehicles: len(c.Books.Truth), Latency: map[event.Agency]Latency{}, Lanes: map[string]LaneFigures{}, Findings: map[string]CodeFigures{}}}
	for _, d := range c.Differences {
		r.Problems = append(r.Problems, Problem{Kind: StoresDiffer, Text: d})
	}
	for _, s := range c.Stores {
		j := judge{c: c, s: s, lanes: map[string]*LaneFigures{}}
		j.frames()
		j.gaps()
		j.chain()
		j.passages()
		j.alerts()
		j.findings()
		j.verdicts()
		j.evidence()
		j.vision()
		j.latency()
		j.totals()
		r.merge(s.Agency, j)
	}
	return r
}

// lost and doubled are the kinds that the two figures count.
func lost() []Kind { return []Kind{FrameLost, PassageLost, AlertLost, VerdictLost, EvidenceLost} }
func doubled() []Kind {
	return []Kind{FrameDoubled, EventDoubled, PassageDoubled, AlertDoubled, VerdictDoubled}
}

func (r *Report) merge(agency event.Agency, j judge) {
	r.Problems = append(r.Problems, j.problems...)
	f, g := &r.Figures, j.figures
	var lostHere, doubledHere int
	for kind, n := range j.counts {
		if slices.Contains(lost(), kind) {
			lostHere += n
		}
		if slices.Contains(doubled(), kind) {
			doubledHere += n
		}
	}
	f.Lost, f.Doubled = max(f.Lost, lostHere), max(f.Doubled, doubledHere)
	for _, m := range []struct{ into, from *int }{
		{&f.InGaps, &g.InGaps}, {&f.Redelivered, &g.Redelivered}, {&f.Pieces, &g.Pieces}, {&f.TakenAlong, &g.TakenAlong}, {&f.Left, &g.Left}, {&f.Superseded, &g.Superseded}, {&f.Wake, &g.Wake}, {&f.Gaps, &g.Gaps}, {&f.WorstGapExcess, &g.WorstGapExcess},
		{&f.Clean, &g.Clean}, {&f.Passages, &g.Passages}, {&f.Alerts, &g.Alerts}, {&f.Radiation, &g.Radiation},
		{&f.Verdicts, &g.Verdicts}, {&f.Pictures, &g.Pictures}, {&f.PlatesRead, &g.PlatesRead}, {&f.Plates, &g.Plates}, {&f.RearRead, &g.RearRead}, {&f.Rear, &g.Rear},
		{&f.Threats, &g.Threats}, {&f.ThreatsAlerted, &g.ThreatsAlerted},
	} {
		*m.into = max(*m.into, *m.from)
	}
	f.mergeLanes(j.lanes)
	f.mergeFindings(g.Findings)
	f.Met = max(f.Met, g.Met)
	for _, text := range g.Explained {
		if !slices.Contains(f.Explained, text) {
			f.Explained = append(f.Explained, text)
		}
	}
	f.Latency[agency] = g.Latency[agency]
}

func (f *Figures) mergeLanes(lanes map[string]*LaneFigures) {
	for id, l := range lanes {
		into := f.Lanes[id]
		into.Vehicles, into.Clean, into.Passages = max(into.Vehicles, l.Vehicles), max(into.Clean, l.Clean), max(into.Passages, l.Passages)
		into.Lost, into.Doubled = max(into.Lost, l.Lost), max(into.Doubled, l.Doubled)
		f.Lanes[id] = into
	}
}

// judge is the account of one store.
type judge struct {
	c        Case
	s        *Store
	problems []Problem
	counts   map[Kind]int
	device   Device // of the problem that is being told
	at       time.Time
	figures  Figures
	lanes    map[string]*LaneFigures
	unsure   map[string]bool   // vehicles of which nothing is certain
	convoy   map[string]string // those who followed too closely, to the first of them
	damaged  map[Device][]book.Frame
	taken    map[Device]int        // frames that were explained by damage beside them
	owners   map[event.ID]string   // passage to vehicle
	of       map[string][]event.ID // vehicle to passages, cancelled ones left out
	byID     map[event.ID]*event.Passage
}

// lane are the counts of a lane.
func (j *judge) lane(id string) *LaneFigures {
	if j.lanes[id] == nil {
		j.lanes[id] = &LaneFigures{}
	}
	return j.lanes[id]
}

// many is how many problems of one kind are told one by one.
const many = 5

func (j *judge) problem(kind Kind, format string, args ...any) { j.problemN(kind, 1, format, args...) }

// problemN counts n and tells it, if not many of the kind were told.
func (j *judge) problemN(kind Kind, n int, format string, args ...any) {
	if j.counts == nil {
		j.counts = map[Kind]int{}
	}
	j.counts[kind] += n
	told := 0
	for _, p := range j.problems {
		if p.Kind == kind {
			told++
		}
	}
	if told < many || j.c.All {
		j.problems = append(j.problems, Problem{Kind: kind, Agency: j.s.Agency, Text: fmt.Sprintf(format, args...), Device: j.device, At: j.at})
	}
}

// problemAt is problemN of a device at a moment.
func (j *judge) problemAt(d Device, at time.Time, kind Kind, n int, format string, args ...any) {
	j.device, j.at = d, at
	j.problemN(kind, n, format, args...)
	j.device, j.at = Device{}, time.Time{}
}

// totals adds a line for each kind of which not every problem was told.
func (j *judge) totals() {
	for _, kind := range slices.Sorted(maps.Keys(j.counts)) {
		if n := j.counts[kind]; n > many && !j.c.All {
			j.problems = append(j.problems, Problem{Kind: kind, Agency: j.s.Agency, Text: fmt.Sprintf("%d in all", n)})
		}
	}
}

// chain finds doubled and suspect events, and holes.
func (j *judge) chain() {
	for _, id := range j.s.Doubles {
		j.problem(EventDoubled, "event %s is on the chain twice", id)
	}
	for _, text := range j.s.Suspects {
		j.problem(EventSuspect, "%s", text)
	}
	for _, h := range j.s.Heads {
		if h.Sequence != h.Highest {
			j.problem(ChainHole, "chain %s is whole up to %d and goes on to %d", h.Chain, h.Sequence, h.Highest)
		}
	}
	if want := max(1, j.c.Chains); len(j.s.Heads) != want {
		j.problem(ChainHole, "the store holds %d chains, expected %d", len(j.s.Heads), want)
	}
}

// verdicts compares what officers said with what is stored.
func (j *judge) verdicts() {
	j.figures.Verdicts = len(j.s.Verdicts)
	for _, said := range j.c.Said {
		found := 0
		for _, v := range j.s.Verdicts {
			if v.Agency == said.Agency && v.Reason == said.Reason && v.Passage == said.Passage && v.Code == said.Code {
				found++
			}
		}
		switch {
		case found == 0:
			j.problem(VerdictLost, "%s %s on %s (%s)", said.Agency, said.Code, said.Passage, said.Reason)
		case found > 1:
			j.problemN(VerdictDoubled, found-1, "%s %s on %s (%s) is there %d times", said.Agency, said.Code, said.Passage, said.Reason, found)
		}
	}
	if extra := len(j.s.Verdicts) - len(j.c.Said); extra > 0 && j.counts[VerdictDoubled] == 0 {
		j.problemN(VerdictDoubled, extra, "%d verdicts are stored, %d were given", len(j.s.Verdicts), len(j.c.Said))
	}
}

// within says whether t lies in [from, to].
func within(t, from, to time.Time) bool { return !t.Before(from) && !t.After(to) }
