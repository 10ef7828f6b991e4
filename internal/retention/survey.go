package retention

import (
	"context"
	"errors"
	"io/fs"
	"math"
	"slices"
	"time"

	"gatehouse/internal/config"
)

// unnamedMargin is how long after its storing a piece may still be named by a
// record, however slow devices, vision and disk are.
const unnamedMargin = 24 * time.Hour

// survey goes through the store and sorts what is there.
type survey struct {
	*Keeper
	plan  *plan
	rules config.Retention
	sweep bool  // not only a plan
	want  int64 // bytes to make room for
	kept  uint64
	since time.Time // from then on the index knows every record
	told  time.Time // up to then every agency has received them
	stays map[string]*Pile
}

func (s *survey) folder(ctx context.Context, folder string) error {
	digests, err := s.config.Store.List(folder)
	if err != nil {
		return err
	}
	known, err := s.index.between(ctx, folder, folder+"g") // g is behind every digit
	if err != nil {
		return err
	}
	for _, sha := range digests {
		f, named := known[sha]
		if !named {
			if f, err = s.index.unnamed(ctx, sha); err != nil {
				return err
			}
		}
		if err := s.piece(f); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// piece sorts one.
func (s *survey) piece(f facts) error {
	p := piece{facts: f}
	var err error
	var bytes int64
	p.stored, bytes, err = s.config.Store.Stored(f.sha256)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	p.bytes, p.age = bytes, p.stored
	if f.opened.After(p.age) {
		p.age = f.opened
	}
	if s.sweep && f.removed.Equal(p.stored) { // said, and cut off before it was done
		_, err := s.config.Store.Remove(f.sha256, p.stored)
		return err
	}
	if why := s.sort(&p); why != "" {
		if s.stays[why] == nil {
			s.stays[why] = &Pile{}
		}
		s.stays[why].add(p.bytes, p.age)
	}
	return nil
}

// sort puts a piece onto its shelf, or tells why it stays.
func (s *survey) sort(p *piece) string {
	if p.named {
		if why := p.protected(s.kept, s.config.Vision); why != "" {
			return why
		}
	} else {
		switch {
		case s.since.IsZero() || p.stored.Before(s.since.Add(unnamedMargin)):
			return StaysUnknown
		case p.stored.Add(unnamedMargin).After(s.told):
			return StaysUnreceived
		}
	}
	p.rule = slices.IndexFunc(s.rules.Rules, p.fits)
	if p.rule < 0 {
		return StaysNoRule
	}
	rule, days := s.rules.Rules[p.rule], int(s.plan.report.At.Sub(p.age)/(24*time.Hour))
	switch {
	case rule.Until > 0 && days >= rule.Until:
		s.plan.aged[p.rule].put(*p, math.MaxInt64)
	case days < rule.Days:
		return StaysYoung
	default:
		s.plan.report.Rules[p.rule].May.add(p.bytes, p.age)
		if s.want > 0 {
			s.plan.room[p.rule].put(*p, s.want)
		}
	}
	return ""
}

// choose leaves on the shelves what goes: all that is over its time, and as much
// as is wanted of what may go, in the order of the rules.
func (s *survey) choose() {
	report, want := &s.plan.report, s.want
	for i := range s.rules.Rules {
		for _, p := range s.plan.aged[i].pieces {
			report.Rules[i].Goes.add(p.bytes, p.age)
			want -= p.bytes
		}
	}
	for i := range s.rules.Rules {
		pieces := s.plan.room[i].pieces
		slices.SortFunc(pieces, func(a, b piece) int { return a.age.Compare(b.age) })
		n := 0
		for ; n < len(pieces) && want > 0; n++ {
			report.Rules[i].Goes.add(pieces[n].bytes, pieces[n].age)
			want -= pieces[n].bytes
		}
		s.plan.room[i].pieces = pieces[:n]
	}
	for _, why := range []string{StaysHeld, StaysAlert, StaysUnreceived, StaysUnfetched, StaysBusy, StaysYoung, StaysNoRule, StaysUnknown} {
		if pile := s.stays[why]; pile != nil {
			report.Stays = append(report.Stays, StayReport{Why: why, Pile: *pile})
		}
	}
}
