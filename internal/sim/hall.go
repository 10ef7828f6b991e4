package sim

import (
	"context"

	"gatehouse/internal/sim/reader"
	"gatehouse/internal/sim/render"
	"gatehouse/internal/sim/scanner"
	"gatehouse/internal/sim/scenario"
)

// baggage is a traveller's bag as the scanner sees it.
func (l *lane) baggage(j *journey, i int) scanner.Job {
	c, b := j.course, j.person.Bags[i]
	return scanner.Job{
		Vehicle: c.Number, Passage: j.name, Lasts: c.Beam, Cut: c.Cut,
		Render: func(share float64) (scanner.Image, error) {
			scan, err := render.XRayBag(render.Bag{Seed: b.Seed, Kind: b.Kind, Threat: b.Threat}, share)
			return l.developed(scan, &j.truth.Bags[i].Scan, b.Threat, render.BagMMPerPixel), err
		},
	}
}

// collect reads the tags of the bags as they are taken off the belt.
func (l *lane) collect(ctx context.Context, j *journey) error {
	if l.tags == nil || j.away(scenario.Barcode) {
		return nil
	}
	for _, b := range j.person.Bags {
		taken, err := l.tags.Read(ctx, j.name, reader.ITF, b.Tag)
		if err != nil {
			return err
		}
		if !taken {
			j.touched(scenario.Barcode, "not-taken")
		}
	}
	return nil
}
