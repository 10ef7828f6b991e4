package passage_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"gatehouse/internal/event"
	"gatehouse/internal/passage"
)

// plateAt is one plate of an answer, so wide and with its left upper corner there.
func plateAt(text string, score float64, x, y, w int) string {
	return fmt.Sprintf(`{"text":%q,"display":%q,"country":"VN","score":%g,"box":[%d,%d,%d,%d]}`, text, text, score, x, y, w, w/4)
}

func answerOf(plates ...string) string {
	return fmt.Sprintf(`{"file":"x","plates":[%s],"model":"plates-1"}`, strings.Join(plates, ","))
}

// shoot takes pictures of one trigger, two tenths of a second apart.
func (s *script) shoot(second float64, device, trigger string, pictures ...string) {
	for i, name := range pictures {
		s.reading(second+0.2*float64(i), device, photoOf(name, trigger))
	}
}

// Five pictures of one trigger are one vehicle with one plate: what most of the
// good ones show.
func TestBurstIsOneResult(t *testing.T) {
	s := play(t, goodsLane(t))
	s.begin(0)
	s.shoot(1, "camera", "t1", "a", "b", "c", "d", "e")
	for i, text := range []string{"12C12845", "12C12345", "12C12345", "12C12345", "12C12345"} {
		score := 0.6 + 0.08*float64(i)
		s.answer(3+float64(i), string(rune('a'+i)), "done", answerOf(plateAt(text, score, 100+5*i, 200+9*i, 80+8*i)))
	}
	s.end(20)
	p := s.one()
	require.Len(t, p.Photos, 5, "every picture is kept")
	require.Len(t, p.Plates, 1)
	pl := p.Plates[0]
	require.Equal(t, "12C12345", pl.Text)
	require.Equal(t, 5, pl.Frames)
	require.Equal(t, 4, pl.Votes)
	require.Equal(t, event.Digest([]byte("e")), pl.Photo, "the best picture")
	require.Equal(t, []int{120, 236, 112, 28}, pl.Box, "its place in that picture")
	require.Equal(t, "front", pl.View)
	require.Equal(t, "plates-1", pl.Model)
	require.Equal(t, "12C12845", pl.Alternates[0].Text)
	require.InDelta(t, 0.92, pl.Score, 0.1)
}

// The answers come in any order, with the same result.
func TestBurstInAnyOrderOfAnswers(t *testing.T) {
	read := map[string]string{"a": "12C12845", "b": "12C12345", "c": "12C12345"}
	results := map[string][]event.PlateReading{}
	for _, order := range []string{"abc", "cba", "bac"} {
		s := play(t, goodsLane(t))
		s.begin(0)
		s.shoot(1, "camera", "t1", "a", "b", "c")
		for i, name := range strings.Split(order, "") {
			at := int(name[0] - 'a')
			s.answer(3+float64(i), name, "done", answerOf(plateAt(read[name], 0.8, 100+5*at, 200, 80)))
		}
		results[order] = s.one().Plates
	}
	require.Len(t, results["abc"], 1)
	require.Equal(t, results["abc"], results["cba"])
	require.Equal(t, results["abc"], results["bac"])
}

// Two lorries in one picture with like plates are two tracks: where they are
// tells them apart, never what is read on them.
func TestBurstOfTwoVehiclesWithLikePlates(t *testing.T) {
	s := play(t, goodsLane(t))
	s.begin(0)
	s.shoot(1, "camera", "t1", "a", "b", "c")
	for i, name := range []string{"a", "b", "c"} {
		near, far := plateAt("12C12345", 0.9, 300+10*i, 600+20*i, 150+10*i), plateAt("12C12346", 0.9, 900+4*i, 250+6*i, 70+3*i)
		plates := []string{near, far}
		if i == 1 { // the order in an answer says nothing; and one is misread as the other
			plates = []string{plateAt("12C12345", 0.6, 904, 256, 73), near}
		}
		s.answer(3+float64(i), name, "done", answerOf(plates...))
	}
	var got []string
	for _, pl := range s.one().Plates {
		got = append(got, fmt.Sprintf("%s %d/%d", pl.Text, pl.Votes, pl.Frames))
	}
	require.ElementsMatch(t, []string{"12C12345 3/3", "12C12346 2/3"}, got)
}

// Readings that contradict each other are no plate.
func TestBurstWithoutMajorityIsUnread(t *testing.T) {
	s := play(t, goodsLane(t))
	s.begin(0)
	s.shoot(1, "camera", "t1", "a", "b")
	s.answer(3, "a", "done", answerOf(plateAt("12C12845", 0.7, 100, 200, 80)))
	require.Equal(t, "12C12845", s.one().Plates[0].Text)
	s.answer(4, "b", "done", answerOf(plateAt("12C12345", 0.7, 102, 200, 80)))
	pl := s.one().Plates
	require.Len(t, pl, 1)
	require.Empty(t, pl[0].Text)
	require.Less(t, pl[0].Score, 0.5)
	require.Len(t, pl[0].Alternates, 2)
}

// Each trigger is a vote of its own, and so is each camera.
func TestTriggersAreNotMixed(t *testing.T) {
	s := play(t, goodsLane(t))
	s.begin(0)
	s.shoot(1, "camera", "t1", "a", "b")
	s.end(4)
	s.shoot(5, "rear", "t1", "c", "d")
	for i, name := range []string{"a", "b", "c", "d"} {
		text := "12C12345"
		if i > 1 {
			text = "12R01234"
		}
		s.answer(6+float64(i), name, "done", answerOf(plateAt(text, 0.9, 100, 200, 80)))
	}
	p := s.one()
	require.Len(t, p.Plates, 2)
	require.Equal(t, "12C12345", p.Plates[0].Text)
	require.Equal(t, "front", p.Plates[0].View)
	require.Equal(t, "12R01234", p.Plates[1].Text)
	require.Equal(t, 2, p.Plates[1].Frames)
}

// A snapshot in the middle of a burst loses no vote.
func TestBurstOverARestart(t *testing.T) {
	s := play(t, goodsLane(t))
	s.begin(0)
	s.shoot(1, "camera", "t1", "a", "b")
	s.answer(3, "a", "done", answerOf(plateAt("12C12345", 0.9, 100, 200, 80)))
	saved, err := s.engine.Snapshot()
	require.NoError(t, err)
	s.engine, err = passage.Restore(goodsLane(t), saved)
	require.NoError(t, err)
	s.answer(4, "b", "done", answerOf(plateAt("12C12345", 0.9, 104, 200, 82)))
	require.Equal(t, 2, s.one().Plates[0].Votes)
}

// A passage that an officer divides divides its bursts: each part votes on what
// it has, and a joined one on all of it.
func TestBurstIsDividedAndJoined(t *testing.T) {
	s := play(t, wholeLane(t))
	s.begin(0)
	s.shoot(1, "camera", "t1", "a", "b")
	s.shoot(6, "camera", "t1", "c", "d", "e")
	s.gamma(7, 45, false)
	s.end(10)
	for i, text := range []string{"12C12345", "12C12345", "29H54321", "29H54321", "29H54321"} {
		s.answer(11+float64(i), string(rune('a'+i)), "done", answerOf(plateAt(text, 0.9, 100, 200, 80)))
	}
	require.Len(t, s.one().Plates, 1)
	c := s.correction(30, event.CorrectSplit, s.one().ID)
	c.Moment = new(at(4))
	s.correct(30, c)
	rs := s.records()
	require.Len(t, rs, 2)
	for i, want := range []string{"12C12345", "29H54321"} {
		require.Len(t, rs[i].Plates, 1)
		require.Equal(t, want, rs[i].Plates[0].Text)
		require.Equal(t, 2+i, rs[i].Plates[0].Votes)
		require.InDelta(t, 0.9, rs[i].Plates[0].Score, 1e-9)
	}
	m := s.correction(40, event.CorrectMerge, rs[0].ID)
	m.Other = rs[1].ID
	require.Empty(t, refused(s.correct(40, m)))
	all := s.records()[0]
	require.Len(t, all.Plates, 1)
	require.Equal(t, 5, all.Plates[0].Frames)
}
