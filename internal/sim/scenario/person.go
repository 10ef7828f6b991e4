package scenario

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"time"

	"gatehouse/internal/sim/paper"
	"gatehouse/internal/sim/render"
)

// Person is one traveller's plan.
type Person struct {
	Course
	Document paper.Document
	Bags     []Bag
}

// Bag is one of a traveller's bags.
type Bag struct {
	Seed   uint64
	Kind   string
	Threat string // empty for none
	Tag    string
}

// Visitor says what is fixed about one traveller of the run; the rest is drawn.
type Visitor struct {
	Number   int      `yaml:"number"` // counts from 1 in each run of the lane
	Document string   `yaml:"document"`
	Flaw     string   `yaml:"flaw"`   // expired, check, ocr, extra, or none for certainly none
	Bags     *int     `yaml:"bags"`   // 0 to 2
	Threat   string   `yaml:"threat"` // "none" for certainly none
	Gamma    float64  `yaml:"gamma"`
	Neutron  float64  `yaml:"neutron"`
	Clean    bool     `yaml:"clean"`
	Follows  string   `yaml:"follows"`
	NoGX     bool     `yaml:"no_gx"`
	After    string   `yaml:"headway"`
	Plant    []string `yaml:"plant"` // background, tamper, wrong-way
	Away     []string `yaml:"away"`
}

func personPlants() []string { return []string{"background", "tamper", "wrong-way"} }

func flaws() []string { return []string{paper.Expired, paper.Check, paper.OCR, paper.Extra} }

// Person plans traveller number, which is the nth of this run, as of that day.
func (l *Lane) Person(number, nth int, seed uint64, today time.Time) Person {
	r := rand.New(rand.NewPCG(seed, uint64(number)|1<<40))
	var x Visitor
	if i := slices.IndexFunc(l.Persons, func(v Visitor) bool { return v.Number == nth }); i >= 0 {
		x = l.Persons[i]
	}
	p := Person{Course: l.course(r, number)}
	p.Shielding = 0.01 + 0.02*r.Float64()
	format, flaw := pick(r, l.Mix.Documents), ""
	for _, f := range []struct {
		name   string
		chance float64
	}{{paper.Expired, l.Mix.Expired}, {paper.Check, l.Mix.Check}, {paper.OCR, l.Mix.OCR}, {paper.Extra, l.Mix.Extra}} {
		if r.Float64() < f.chance && flaw == "" {
			flaw = f.name
		}
	}
	count, _ := strconv.Atoi(pick(r, l.Mix.Bags)) // the keys were checked
	kind, hides := pick(r, l.Mix.Threats), r.Float64() < l.Mix.Threat
	l.source(&p.Course, r)
	if r.Float64() < l.Mix.TailGate && nth > 1 {
		p.Follows = TailGate
	}
	if r.Float64() < l.Mix.BackToBack && nth > 1 {
		p.Follows = BackToBack
	}
	p.NoGX = r.Float64() < l.Mix.NoGX
	p.Background, p.Tamper, p.WrongWay = r.Float64() < l.Mix.Background, r.Float64() < l.Mix.Tamper, r.Float64() < l.Mix.WrongWay
	if x.Clean {
		flaw, hides = "", false
		c := &p.Course
		c.GammaSigma, c.NeutronSigma, c.Follows, c.NoGX, c.Background, c.Tamper, c.WrongWay, c.Away = 0, 0, "", false, false, false, false, nil
	}
	if hides {
		p.Threat = kind
	}
	x.apply(&p, &format, &flaw, &count)
	p.document(r, format, flaw, today)
	if p.Follows != "" { // who slips through has nothing to put on the belt
		count, p.Threat = 0, ""
	}
	if p.Threat != "" {
		count = max(1, count)
	}
	for i := range count {
		b := Bag{Seed: r.Uint64(), Kind: render.Bags()[r.IntN(len(render.Bags()))], Tag: paper.Tag(r)}
		if i == 0 {
			b.Threat = p.Threat
		}
		p.Bags = append(p.Bags, b)
	}
	p.SpeedKMH = 1.6 / p.Portal.Seconds() * 3.6 // from edge to edge of the portal
	return p
}

func (x Visitor) apply(p *Person, format, flaw *string, count *int) {
	if x.Document != "" {
		*format = x.Document
	}
	switch x.Flaw {
	case "":
	case "none":
		*flaw = ""
	default:
		*flaw = x.Flaw
	}
	if x.Bags != nil {
		*count = *x.Bags
	}
	switch x.Threat {
	case "":
	case "none":
		p.Threat = ""
	default:
		p.Threat = x.Threat
	}
	if x.Gamma > 0 {
		p.GammaSigma = x.Gamma
	}
	if x.Neutron > 0 {
		p.NeutronSigma = x.Neutron
	}
	if x.Follows != "" {
		p.Follows = x.Follows
	}
	p.NoGX = p.NoGX || x.NoGX
	p.Background = p.Background || slices.Contains(x.Plant, "background")
	p.Tamper = p.Tamper || slices.Contains(x.Plant, "tamper")
	p.WrongWay = p.WrongWay || slices.Contains(x.Plant, "wrong-way")
	p.Away = append(p.Away, x.Away...)
	if d, err := time.ParseDuration(x.After); err == nil {
		p.Headway = d
	}
}

// document draws one that can have the flaw.
func (p *Person) document(r *rand.Rand, format, flaw string, today time.Time) {
	switch {
	case flaw == paper.Extra:
		format = paper.CCCD
	case flaw != "" && format == paper.CCCD:
		format = paper.TD3 // the code has neither an expiry nor check digits
	}
	p.Document = paper.Draw(r, format, flaw, today)
}

// Redo gives the traveller another document, with that flaw.
func (p *Person) Redo(flaw string, today time.Time) {
	p.document(rand.New(rand.NewPCG(p.Seed, 0x646f63)), p.Document.Format, flaw, today)
}

func (x Visitor) check(devices []string) error {
	var errs []error
	one := func(field, value string, known ...string) {
		if value != "" && !slices.Contains(known, value) {
			errs = append(errs, fmt.Errorf("person %d: %s %q is none of %s", x.Number, field, value, strings.Join(known, ", ")))
		}
	}
	if x.Number < 1 {
		errs = append(errs, errors.New("persons: number counts from 1"))
	}
	if x.Bags != nil && (*x.Bags < 0 || *x.Bags > 2) {
		errs = append(errs, fmt.Errorf("person %d: bags is 0, 1 or 2", x.Number))
	}
	if x.After != "" {
		if _, err := time.ParseDuration(x.After); err != nil {
			errs = append(errs, fmt.Errorf("person %d: headway: %w", x.Number, err))
		}
	}
	one("document", x.Document, documents()...)
	one("flaw", x.Flaw, append(flaws(), "none")...)
	one("threat", x.Threat, append(render.BagThreats(), "none")...)
	one("follows", x.Follows, TailGate, BackToBack)
	for _, p := range x.Plant {
		one("plant", p, personPlants()...)
	}
	for _, d := range x.Away {
		one("away", d, devices...)
	}
	return errors.Join(errs...)
}
