package account

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"gatehouse/internal/event"
	"gatehouse/internal/sim/book"
)

// passages compares vehicles and persons with passages. Which passage is whose
// follows from the frames: the ledger says of which vehicle or person a frame
// was.
func (j *judge) passages() {
	j.figures.Passages = len(j.s.Passages)
	j.certain()
	j.convoys()
	j.assign()
	j.versions()
	j.sharedReadings()
	for i, t := range j.c.Books.Truth {
		lane := j.lane(t.Lane)
		lane.Vehicles++
		if j.clean(t) {
			j.figures.Clean++
			lane.Clean++
		}
		if !j.regular(i) {
			continue
		}
		switch mine := j.of[t.Vehicle]; {
		case len(mine) == 0:
			lane.Lost++
			j.problem(PassageLost, "%s (lane %s, %s, %s to %s) has no passage", t.Vehicle, t.Lane, named(t), t.Began.Format("15:04:05.000"), t.Ended.Format("15:04:05.000"))
		case len(mine) > tries(t):
			lane.Doubled += len(mine) - tries(t)
			j.problemN(PassageDoubled, len(mine)-tries(t), "%s (lane %s, %s) has the passages %v", t.Vehicle, t.Lane, named(t), mine)
		}
		for _, id := range j.of[t.Vehicle] {
			if p := j.byID[id]; (p.Kind == event.Person) != isPerson(t) {
				j.problem(PassageKind, "passage %s of %s, a %s, says %q", id, t.Vehicle, t.Kind, p.Kind)
			}
		}
	}
	for _, id := range slices.Sorted(maps.Keys(j.lanes)) {
		if l := j.lanes[id]; l.Vehicles > 0 && l.Clean < j.c.CleanWanted {
			j.problem(Weak, "only %d of %d vehicles or persons of lane %q are outside of gaps, %d are wanted", l.Clean, l.Vehicles, id, j.c.CleanWanted)
		}
	}
	for _, p := range j.s.Passages {
		j.lane(p.Lane).Passages++
		if j.owners[p.ID] == "" && !p.OpenedAt.Before(j.c.From) && !j.inGap(Device{Lane: p.Lane}, p.OpenedAt, p.OpenedAt) {
			j.problem(PassageInvented, "passage %s of lane %s, %s, holds no frame of anybody", p.ID, p.Lane, p.OpenedAt.Format("15:04:05.000"))
		}
	}
}

// isPerson says that it was no vehicle.
func isPerson(t book.Truth) bool { return t.Kind == string(event.Person) }

// named is what people would call a vehicle or a person.
func named(t book.Truth) string {
	if t.Document != nil {
		return t.Document.Number
	}
	return t.Plate
}

// tries is how often a vehicle went into the portal: one that backs out and
// comes again is photographed and measured twice, and nothing on the wire says
// that it was the same.
func tries(t book.Truth) int {
	if t.Reverse {
		return 2
	}
	return 1
}

// margin is how long before its first frame and after its last a vehicle is
// still judged by the gaps: the gap's ends are only as sharp as the devices'
// pauses between frames.
const margin = 500 * time.Millisecond

// clean says that it is certain what happened to a vehicle: there was no gap
// from its begin to its end, nor while anybody was in the lane with it, or with
// those, and so on back to when the lane was empty. Vehicles keep their order,
// so of one that went by unseen the next may be taken for it.
func (j *judge) clean(t book.Truth) bool { return !j.unsure[t.Vehicle] }

// certain finds those of whom it is not certain what happened.
func (j *judge) certain() {
	j.unsure = map[string]bool{}
	lanes := map[string][]book.Truth{}
	for _, t := range j.c.Books.Truth {
		lanes[t.Lane] = append(lanes[t.Lane], t)
	}
	for _, list := range lanes {
		slices.SortFunc(list, func(a, b book.Truth) int { return a.Began.Compare(b.Began) })
		var emptied time.Time // when all before have ended
		wake := false
		for _, t := range list {
			if !t.Began.Before(emptied) {
				wake = false
			}
			gone := t.Ended
			if gone.IsZero() {
				gone = t.Began.Add(time.Hour) // it never ended
			}
			if gone.After(emptied) {
				emptied = gone
			}
			met := t.Cut || t.Ended.IsZero() || t.Began.Before(j.c.From) || j.inGap(Device{Lane: t.Lane}, t.Began.Add(-margin), t.Ended.Add(margin))
			if wake && !met {
				j.figures.Wake++
			}
			wake = wake || met
			j.unsure[t.Vehicle] = wake
		}
	}
}

// regular says that the vehicle is clean and that none followed another too
// closely.
func (j *judge) regular(i int) bool { return j.clean(j.c.Books.Truth[i]) && !j.shares(i) }

// shares says that a vehicle followed another too closely, or was followed:
// which of the two a reading is of, nobody can always say.
func (j *judge) shares(i int) bool { return j.convoy[j.c.Books.Truth[i].Vehicle] != "" }

// convoys finds those who were in one occupancy, or came without a pause: the
// gate has to tell that, as tail-gating. Each is named by its first.
func (j *judge) convoys() {
	j.convoy = map[string]string{}
	before := map[string]book.Truth{} // by lane
	all := slices.SortedFunc(slices.Values(j.c.Books.Truth), func(a, b book.Truth) int { return a.Began.Compare(b.Began) })
	for _, t := range all {
		last, there := before[t.Lane]
		if there && (t.Follows || slices.Contains(t.Findings, event.FindingTailgate)) && t.Began.Sub(last.Began) < time.Minute {
			first := cmp.Or(j.convoy[last.Vehicle], last.Vehicle)
			j.convoy[last.Vehicle], j.convoy[t.Vehicle] = first, first
		}
		before[t.Lane] = t
	}
}

// assign finds out whose each passage is: of the vehicle to which most of its
// frames belong. Contents that several vehicles sent say nothing.
func (j *judge) assign() {
	vehicle := map[frameKey]string{} // "" when ambiguous
	for _, f := range j.c.Books.Ledger {
		d := keyOf(f)
		if known, there := vehicle[d]; there && known != f.Passage {
			vehicle[d] = ""
			continue
		}
		vehicle[d] = f.Passage
	}
	j.owners, j.of, j.byID = map[event.ID]string{}, map[string][]event.ID{}, map[event.ID]*event.Passage{}
	for i := range j.s.Passages {
		p := &j.s.Passages[i]
		j.byID[p.ID] = p
		votes := map[string]int{}
		for _, r := range p.Readings {
			for _, d := range r.Frames {
				if v := vehicle[frameKey{Device{p.Lane, r.Device}, short(d)}]; v != "" {
					votes[v]++
				}
			}
		}
		owner := winner(votes)
		j.owners[p.ID] = owner
		if owner != "" && p.State != event.Cancelled {
			j.of[owner] = append(j.of[owner], p.ID)
		}
		delete(votes, owner)
		if other := winner(votes); other != "" && j.isClean(owner) && j.isClean(other) {
			j.problem(PassageMixed, "passage %s of %s holds %d frames of %s", p.ID, owner, votes[other], other)
		}
	}
}

func (j *judge) isClean(vehicle string) bool {
	i := slices.IndexFunc(j.c.Books.Truth, func(t book.Truth) bool { return t.Vehicle == vehicle })
	return i >= 0 && j.regular(i)
}

func winner(votes map[string]int) string {
	best := ""
	for _, v := range slices.Sorted(maps.Keys(votes)) {
		if best == "" || votes[v] > votes[best] {
			best = v
		}
	}
	return best
}

// versions finds holes in the versions of a passage.
func (j *judge) versions() {
	have := map[event.ID][]int{}
	for _, v := range j.s.Versions {
		have[v.ID] = append(have[v.ID], v.Version)
	}
	for _, p := range j.s.Passages {
		list := have[p.ID]
		slices.Sort(list)
		for i, v := range list {
			if v != i+1 {
				j.problem(VersionHole, "passage %s has the versions %v", p.ID, list)
				break
			}
		}
		if len(list) == 0 || list[len(list)-1] != p.Version {
			j.problem(VersionHole, "passage %s is stored as version %d of %v", p.ID, p.Version, list)
		}
	}
}

// sharedReadings finds readings, or frames that were sent once, in two
// passages. That is wrong whatever happened.
func (j *judge) sharedReadings() {
	count := map[frameKey]int{}
	for _, f := range j.c.Books.Ledger {
		count[keyOf(f)]++
	}
	reading, frame := map[event.ID]event.ID{}, map[frameKey]event.ID{}
	for _, p := range j.s.Passages {
		for _, r := range p.Readings {
			if other, there := reading[r.ID]; there {
				j.problem(PassageDoubled, "reading %s (%s) is in the passages %s and %s", r.ID, r.Kind, other, p.ID)
			}
			reading[r.ID] = p.ID
			for _, d := range r.Frames {
				key := frameKey{Device{p.Lane, r.Device}, short(d)}
				if count[key] != 1 {
					continue
				}
				if other, there := frame[key]; there && other != p.ID {
					j.problem(PassageDoubled, "frame %s %s (%s) is in the passages %s and %s", key.Device, key.digest, r.Kind, other, p.ID)
				}
				frame[key] = p.ID
			}
		}
	}
}
