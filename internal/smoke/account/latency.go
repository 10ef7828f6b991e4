package account

import (
	"slices"
	"time"

	"gatehouse/internal/event"
)

// settled is how long after a fault began or ended a passage counts as under
// its influence: the backlog has to drain.
const settled = 2 * time.Second

// latency measures from the moment at which the frame that opened a passage had
// left the device to the store's commit of the passage's first version.
func (j *judge) latency() {
	sent := map[frameKey][]time.Time{}
	for _, f := range j.c.Books.Ledger {
		key := keyOf(f)
		sent[key] = append(sent[key], f.At)
	}
	var quiet, all []time.Duration
	for id, a := range j.s.Received {
		// One that no presence device saw begins with hindsight.
		if j.byID[id] == nil || slices.Contains(j.byID[id].Irregular, "no-presence") {
			continue
		}
		at, known := opened(j.byID[id], sent)
		if !known {
			continue
		}
		took := a.At.Sub(at)
		all = append(all, took)
		disturbed := slices.ContainsFunc(j.c.Faults, func(w Window) bool {
			return w.Device == Device{} && !a.At.Before(w.From.Add(-settled)) && !at.After(w.To.Add(settled))
		})
		if !disturbed {
			quiet = append(quiet, took)
		}
	}
	j.figures.Latency = map[event.Agency]Latency{j.s.Agency: {Quiet: quantiles(quiet), All: quantiles(all)}}
}

// opened is when the device had sent the frame that opened the passage: the
// one that was received when it opened, sent at the latest moment before.
func opened(p *event.Passage, sent map[frameKey][]time.Time) (time.Time, bool) {
	for _, r := range p.Readings {
		if !r.ReceivedAt.Equal(p.OpenedAt) {
			continue
		}
		for _, d := range r.Frames {
			times := sent[frameKey{Device{p.Lane, r.Device}, short(d)}]
			var best time.Time
			for _, t := range times {
				// The ledger's time is taken after the write, so it may be a little
				// later than the reader's.
				if t.Sub(r.ReceivedAt) < settled && t.After(best) {
					best = t
				}
			}
			if !best.IsZero() {
				return best, true
			}
		}
	}
	return time.Time{}, false
}

func quantiles(list []time.Duration) Quantiles {
	if len(list) == 0 {
		return Quantiles{}
	}
	slices.Sort(list)
	at := func(q float64) float64 {
		i := min(int(q*float64(len(list))), len(list)-1)
		return float64(list[i].Microseconds()) / 1000
	}
	return Quantiles{N: len(list), P50: at(0.5), P99: at(0.99), Max: at(1)}
}
