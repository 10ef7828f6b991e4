package tip

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"sync"
	"time"
)

// mostShare is the largest share of scans that may be trials.
const mostShare = 0.2

// Errors of an Engine.
var (
	ErrShare   = errors.New("the share of trials must be above 0 and at most 0.2")
	ErrUnknown = errors.New("there is no such trial of this reviewer")
	ErrAnswer  = errors.New("an answer is clear or suspect")
	ErrSettled = errors.New("the trial is not answered yet")
)

// look is a scan that a reviewer has opened.
type look struct{ scan, reviewer string }

// Engine decides which scans are trials, keeps the answers and counts. It is
// safe for concurrent use.
type Engine struct {
	now  func() time.Time
	draw func() uint64 // uniform; decides what nobody must be able to guess

	mu       sync.Mutex
	book     *book
	settings map[string]Setting // by lane
	trials   map[string]*Trial  // by id
	looks    map[look]string    // the trial of a scan and reviewer
	order    []string
}

// Open reads the record at path, or begins one. now tells the time. draw gives
// uniform random numbers; nil takes them from the system.
func Open(path string, now func() time.Time, draw func() uint64) (*Engine, error) {
	if draw == nil {
		draw = random
	}
	e := &Engine{now: now, draw: draw, settings: map[string]Setting{}, trials: map[string]*Trial{}, looks: map[look]string{}}
	b, err := open(path, e.take)
	if err != nil {
		return nil, err
	}
	e.book = b
	return e, nil
}

func random() uint64 {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails: crypto/rand ends the program instead
	return binary.LittleEndian.Uint64(b[:])
}

// Close closes the record.
func (e *Engine) Close() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.book.file.Close()
}

// take applies a line of the record.
func (e *Engine) take(l line) {
	if l.Setting != nil {
		e.settings[l.Setting.Lane] = *l.Setting
	}
	if l.Trial != nil {
		if _, known := e.trials[l.Trial.ID]; !known {
			e.order = append(e.order, l.Trial.ID)
			e.looks[look{l.Trial.Scan, l.Trial.Reviewer}] = l.Trial.ID
		}
		e.trials[l.Trial.ID] = l.Trial
	}
}

// put writes a line and then applies it.
func (e *Engine) put(l line) error {
	if err := e.book.write(l); err != nil {
		return err
	}
	e.take(l)
	return nil
}

// ShareFits tells whether scans of a share can be trials.
func ShareFits(share float64) bool { return share > 0 && share <= mostShare }

// Switch turns projection on a lane on or off; who may is the caller's matter.
// Trials that are being looked at when it goes off are void.
func (e *Engine) Switch(lane string, on bool, share float64, by string) error {
	if on && !ShareFits(share) {
		return fmt.Errorf("%w, not %g", ErrShare, share)
	}
	if !on {
		share = 0
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if err := e.put(line{Setting: &Setting{Lane: lane, On: on, Share: share, By: by, At: e.now().UTC()}}); err != nil {
		return err
	}
	if on {
		return nil
	}
	for _, id := range e.order {
		if t := *e.trials[id]; t.Lane == lane && t.Answer == "" && !t.Void {
			t.Void = true
			if err := e.put(line{Trial: &t}); err != nil {
				return err
			}
		}
	}
	return nil
}

// Settings are those of all lanes that ever had one, by lane.
func (e *Engine) Settings() []Setting {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.SortedFunc(maps.Values(e.settings), func(a, b Setting) int {
		if a.Lane < b.Lane {
			return -1
		}
		return 1
	})
}

// Offer says what a reviewer who opens a scan that is not decided yet gets to
// see: nil for the real scan, or a trial. A scan is drawn for once per reviewer,
// so opening it again shows the same and tells nothing; after the answer it is
// the real scan.
func (e *Engine) Offer(lane, scan, reviewer string) (*Trial, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if t := e.trials[e.looks[look{scan, reviewer}]]; t != nil {
		if !t.Open() {
			return nil, nil
		}
		shown := *t
		return &shown, nil
	}
	s := e.settings[lane]
	if !s.On {
		return nil, nil
	}
	if float64(e.draw()>>11)/(1<<53) >= s.Share {
		t := Trial{ID: rand.Text(), Lane: lane, Scan: scan, Reviewer: reviewer, At: e.now().UTC(), Void: true, Done: true, Plain: true}
		return nil, e.put(line{Trial: &t}) // remembered, so that it stays no trial
	}
	t := Trial{ID: rand.Text(), Lane: lane, Scan: scan, Reviewer: reviewer, At: e.now().UTC(), Seed: e.draw()}
	if e.draw()&1 == 1 {
		kinds := Threats()
		t.Threat = kinds[e.draw()%uint64(len(kinds))]
	}
	if err := e.put(line{Trial: &t}); err != nil {
		return nil, err
	}
	shown := t
	return &shown, nil
}

// Any tells whether there is a lane on which projection is on.
func (e *Engine) Any() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, s := range e.settings {
		if s.On {
			return true
		}
	}
	return false
}

// Look is what was drawn for a scan and a reviewer; nil when nothing was.
func (e *Engine) Look(scan, reviewer string) *Trial {
	e.mu.Lock()
	defer e.mu.Unlock()
	known := e.trials[e.looks[look{scan, reviewer}]]
	if known == nil {
		return nil
	}
	t := *known
	return &t
}

// Void ends a trial that the reviewer has not answered, as when a colleague has
// decided on the real scan meanwhile. One that was answered stays as it is.
func (e *Engine) Void(id, reviewer string) error {
	return e.end(id, reviewer, func(t *Trial) { t.Void = true })
}

// Spare takes back a trial of which nothing was shown: ErrNoItem.
func (e *Engine) Spare(id, reviewer string) error {
	return e.end(id, reviewer, func(t *Trial) { t.Threat, t.Void, t.Done, t.Plain = "", true, true, true })
}

func (e *Engine) end(id, reviewer string, how func(*Trial)) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	known := e.trials[id]
	if known == nil || known.Reviewer != reviewer {
		return ErrUnknown
	}
	if !known.Open() {
		return nil
	}
	t := *known
	how(&t)
	return e.put(line{Trial: &t})
}

// Reveal tells a reviewer what a trial was. The real scan is to be decided now.
type Reveal struct {
	Trial     Trial
	Projected bool
	Hit       bool // projected and called suspect
	Alarm     bool // nothing projected and called suspect
}

// Answer takes a reviewer's answer to a trial and reveals it at once. The first
// answer counts; asked again it reveals the same.
func (e *Engine) Answer(id, reviewer string, a Answer) (Reveal, error) {
	if a != Clear && a != Suspect {
		return Reveal{}, fmt.Errorf("%w, not %q", ErrAnswer, a)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	known := e.trials[id]
	if known == nil || known.Reviewer != reviewer || known.Plain {
		return Reveal{}, ErrUnknown
	}
	t := *known
	if t.Answer == "" && !t.Void {
		t.Answer, t.Answered = a, e.now().UTC()
		if err := e.put(line{Trial: &t}); err != nil {
			return Reveal{}, err
		}
	}
	return t.Reveal(), nil
}

// Reveal is what a trial was. It is for trials that are settled.
func (t *Trial) Reveal() Reveal {
	return Reveal{
		Trial: *t, Projected: t.Threat != "",
		Hit: t.Threat != "" && t.Answer == Suspect, Alarm: t.Threat == "" && t.Answer == Suspect,
	}
}

// Decided tells that the reviewer has decided on the real scan of a trial. What
// was decided stays where it is; here it only says whether the trial can be
// counted: a scan that is suspect by itself says nothing of a control.
func (e *Engine) Decided(id, reviewer string, suspect bool) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	known := e.trials[id]
	switch {
	case known == nil || known.Reviewer != reviewer:
		return ErrUnknown
	case known.Done:
		return nil
	case known.Answer == "" && !known.Void:
		return ErrSettled
	}
	t := *known
	t.Done, t.Void = true, t.Void || suspect
	return e.put(line{Trial: &t})
}

// Answered are the trials that were answered, newest first, n at most.
func (e *Engine) Answered(n int) []Trial {
	e.mu.Lock()
	defer e.mu.Unlock()
	var out []Trial
	for _, id := range slices.Backward(e.order) {
		if len(out) == n {
			break
		}
		if t := e.trials[id]; t.Answer != "" {
			out = append(out, *t)
		}
	}
	return out
}

// Find is a trial by its name; ErrUnknown when there is none.
func (e *Engine) Find(id string) (Trial, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	t := e.trials[id]
	if t == nil {
		return Trial{}, ErrUnknown
	}
	return *t, nil
}

// Rates are a reviewer's figures over the trials that count.
type Rates struct {
	Reviewer  string
	Projected int // trials with a threat
	Hits      int
	Controls  int // trials without
	Alarms    int // of them called suspect
}

// Rates are those of all reviewers with a trial that counts, by name.
func (e *Engine) Rates() []Rates {
	e.mu.Lock()
	defer e.mu.Unlock()
	all := map[string]*Rates{}
	for _, t := range e.trials {
		if t.Void || t.Answer == "" {
			continue
		}
		r := all[t.Reviewer]
		if r == nil {
			r = &Rates{Reviewer: t.Reviewer}
			all[t.Reviewer] = r
		}
		suspect := 0
		if t.Answer == Suspect {
			suspect = 1
		}
		if t.Threat != "" {
			r.Projected, r.Hits = r.Projected+1, r.Hits+suspect
		} else {
			r.Controls, r.Alarms = r.Controls+1, r.Alarms+suspect
		}
	}
	var out []Rates
	for _, name := range slices.Sorted(maps.Keys(all)) {
		out = append(out, *all[name])
	}
	return out
}

// HitRate is hits over projected threats with its 90 % interval; 0 of 0 is any.
func (r Rates) HitRate() (rate, low, high float64) { return interval(r.Hits, r.Projected) }

// AlarmRate is alarms over controls with its 90 % interval.
func (r Rates) AlarmRate() (rate, low, high float64) { return interval(r.Alarms, r.Controls) }

// interval is a share with its 90 % interval (Wilson, 1927).
func interval(k, n int) (rate, low, high float64) {
	if n == 0 {
		return 0, 0, 1
	}
	const z = 1.645
	p, d := float64(k)/float64(n), 1+z*z/float64(n)
	c, r := p+z*z/(2*float64(n)), z*math.Sqrt(p*(1-p)/float64(n)+z*z/(4*float64(n)*float64(n)))
	return p, max(0, (c-r)/d), min(1, (c+r)/d)
}
