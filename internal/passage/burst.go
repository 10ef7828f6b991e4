package passage

import (
	"slices"
	"time"

	"gatehouse/internal/event"
	"gatehouse/internal/vision/tracks"
	"gatehouse/internal/vision/wire"
)

// betweenShots is the time that is taken to lie between two pictures of a burst
// when their plates are followed. What cameras say of it is not used: some send
// a vehicle's pictures with one time, or without.
const betweenShots = time.Second

// poll takes what was read on a photo. Photos of one track of a camera are put
// to a vote plate by plate; one without a track stands for itself.
func (p *passage) poll(photo string, read []event.PlateReading) {
	i := slices.IndexFunc(p.Shots, func(s shot) bool { return s.Photo == photo })
	if i < 0 { // of a passage that was read back from the shared record
		p.Record.Plates = append(p.Record.Plates, read...)
		return
	}
	s := &p.Shots[i]
	s.Read, s.Plates = true, read
	p.settle(p.series(s.track, photo))
}

// series are the photos of a track that were read, in the order of their taking.
func (p *passage) series(t track, photo string) []shot {
	var all []shot
	for _, s := range p.Shots {
		if s.Read && (s.Photo == photo || t.Event != "" && s.track == t) {
			all = append(all, s)
		}
	}
	slices.SortStableFunc(all, func(a, b shot) int { return a.At.Compare(b.At) })
	return all
}

// settle puts the plates of a burst in the place of what its photos said so far.
func (p *passage) settle(shots []shot) {
	var own []event.PlateReading
	if len(shots) == 1 {
		own = shots[0].Plates
	} else {
		own = ballot(shots)
	}
	at := len(p.Record.Plates)
	of := func(pl event.PlateReading) bool {
		return slices.ContainsFunc(shots, func(s shot) bool { return s.Photo == pl.Photo })
	}
	if i := slices.IndexFunc(p.Record.Plates, of); i >= 0 {
		at = i
	}
	p.Record.Plates = slices.Insert(slices.DeleteFunc(slices.Clone(p.Record.Plates), of), at, own...)
}

// pollAgain votes again, after photos of a burst came from or went to another
// passage.
func (p *passage) pollAgain() {
	for i, s := range p.Shots {
		first := s.Event == "" || !slices.ContainsFunc(p.Shots[:i], func(o shot) bool { return o.Read && o.track == s.track })
		if s.Read && first {
			p.settle(p.series(s.track, s.Photo))
		}
	}
}

// ballot follows the plates through the photos of a burst and votes on each.
func ballot(shots []shot) []event.PlateReading {
	var k tracks.Tracker
	var out []event.PlateReading
	read := map[time.Duration]shot{}
	for i, s := range shots {
		at := time.Duration(i) * betweenShots
		read[at] = s
		var sights []tracks.Sight
		for _, pl := range s.Plates {
			if len(pl.Box) == 4 {
				sights = append(sights, sightOf(at, pl))
			} else { // nobody knows which plate of the other photos it is
				out = append(out, pl)
			}
		}
		k.Look(at, sights)
	}
	for _, t := range k.End() {
		voted, votes := tracks.Vote(t.Sights)
		best := read[t.Best.At]
		pl := event.PlateReading{
			Text: voted.Text, Display: voted.Display, Country: voted.Country, Kind: voted.Kind, Rows: voted.Rows,
			Box: voted.Box[:], Score: voted.Score, Photo: best.Photo, View: best.View, Model: best.Plates[0].Model,
			Frames: len(t.Sights), Votes: votes,
		}
		for _, a := range voted.Alternates {
			pl.Alternates = append(pl.Alternates, event.Alternate{Text: a.Text, Score: a.Score})
		}
		out = append(out, pl)
	}
	return out
}

// sightOf is a plate of a photo as a track has it.
func sightOf(at time.Duration, pl event.PlateReading) tracks.Sight {
	x, y, w, h := float64(pl.Box[0]), float64(pl.Box[1]), float64(pl.Box[2]), float64(pl.Box[3])
	s := tracks.Sight{At: at, X: x + w/2, Y: y + h/2, W: w, H: h, Plate: wire.Plate{
		Text: pl.Text, Display: pl.Display, Country: pl.Country, Kind: pl.Kind, Rows: pl.Rows,
		Box: wire.Box(pl.Box), Score: pl.Score,
	}}
	for _, a := range pl.Alternates {
		s.Plate.Alternates = append(s.Plate.Alternates, wire.Alternate{Text: a.Text, Score: a.Score})
	}
	return s
}
