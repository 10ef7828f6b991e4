package xray_test

import (
	"image"
	"testing"

	"github.com/stretchr/testify/require"

	"gatehouse/internal/vision/wire"
	"gatehouse/internal/vision/xray"
)

// van draws a vehicle whose body has engine, wheels and tank within, and returns
// where its load lies and where its parts are.
func (s *scanner) van() (room image.Rectangle, parts map[string]image.Rectangle) {
	w, h := float64(s.w), float64(s.h)
	ground, r := int(h*s.between(0.88, 0.95)), int(h*s.between(0.075, 0.10))
	under := ground - int(float64(r)*s.between(1.0, 1.4))
	roof, left, right := int(h*s.between(0.06, 0.12)), int(w*s.between(0.04, 0.07)), int(w*s.between(0.92, 0.96))
	s.put(image.Rect(left, roof, right, under), s.between(0.06, 0.16))
	s.put(image.Rect(left, roof, right, roof+max(2, s.h/80)), s.between(0.3, 0.8))
	s.put(image.Rect(left, under-max(3, s.h/45), right, under), s.between(0.4, 0.8))
	engine := image.Rect(left+s.w/80, under-int(float64(r)*s.between(1.8, 2.6)), left+s.w/80+int(float64(r)*s.between(2.5, 4)), under+r/4)
	s.put(engine, s.between(2, 4))
	front, rear := left+int(w*s.between(0.10, 0.14)), right-int(w*s.between(0.18, 0.24))
	for _, x := range []int{front, rear} {
		s.disc(x, ground-r, r, 1.4, true)
		s.disc(x, ground-r, r/2, 1.6, true)
	}
	tank := image.Rect(front+3*r, under+1, front+3*r+int(float64(r)*s.between(2, 4)), under+int(float64(r)*s.between(0.6, 0.8)))
	s.put(tank, s.between(0.8, 1.5))
	room = image.Rect(engine.Max.X+r, roof+s.h/30, right-s.w/100, under-s.h/45)
	return room, map[string]image.Rectangle{
		"engine": engine, "tank": tank, "wheel": image.Rect(rear-r, ground-2*r, rear+r, ground),
	}
}

// TestVehicleParts: what belongs to a van is told from its load, an empty one is
// empty, an honest load raises no alarm, and most that is hidden in one is found.
func TestVehicleParts(t *testing.T) {
	vans := 4
	if whole() {
		vans = 100
	}
	known, empties, alarms, found := map[string]int{}, 0, 0, 0
	look := func(s *scanner, seed int) *wire.Scan {
		p := s.picture(t, []int{8, 16}[seed%2])
		defer p.Close()
		got, err := xray.NewCargo().Analyse(p)
		require.NoError(t, err)
		require.NotNil(t, got.Cargo)
		return got
	}
	for seed := range vans {
		size := sizes()[seed%3]
		s := newScanner(40000+uint64(seed), size.X, size.Y)
		_, parts := s.van()
		got := look(s, seed)
		for kind, where := range parts {
			for _, p := range got.Cargo.Parts {
				if p.Kind == kind && overlap(image.Rect(p.Box[0], p.Box[1], p.Box[0]+p.Box[2], p.Box[1]+p.Box[3]), where) > 0.5 {
					known[kind]++
					break
				}
			}
		}
		if got.Cargo.State == "empty" {
			empties++
		}
		s = newScanner(45000+uint64(seed), size.X, size.Y)
		room, _ := s.van()
		hole := []load{uniform, bulk}[seed%2](s, room)
		honest := *s
		honest.a = append([]float64(nil), s.a...)
		if len(anomalies(look(&honest, seed))) > 0 {
			alarms++
		}
		block := s.hide(hole)
		for _, f := range anomalies(look(s, seed)) {
			if hits(f, block) {
				found++
				break
			}
		}
	}
	t.Logf("of %d vans: parts known %v, empty ones empty %d, false alarms on honest loads %d, hidden blocks found %d", vans, known, empties, alarms, found)
	for _, kind := range []string{"wheel", "engine", "tank"} {
		require.GreaterOrEqual(t, float64(known[kind]), 0.8*float64(vans), kind)
	}
	require.GreaterOrEqual(t, float64(empties), 0.95*float64(vans))
	require.GreaterOrEqual(t, float64(found), 0.6*float64(vans))
	require.LessOrEqual(t, float64(alarms), max(0.01*float64(vans), 0.5))
}

// overlap is the common part of two rectangles over all that they cover.
func overlap(a, b image.Rectangle) float64 {
	c := a.Intersect(b)
	common := c.Dx() * c.Dy()
	return float64(common) / float64(a.Dx()*a.Dy()+b.Dx()*b.Dy()-common)
}
