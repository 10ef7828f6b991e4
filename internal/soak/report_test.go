//go:build soak

package soak_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/stretchr/testify/require"

	"gatehouse/internal/event"
	"gatehouse/internal/smoke/account"
	"gatehouse/internal/soak/trend"
)

// print shows the figures and leaves them in build/soak.json.
func (s *soak) print(r account.Report) {
	f := r.Figures
	hours := s.minutes / 60
	fmt.Printf("\nsoak: %.0f minutes of simulated traffic in %.0f s\n\n", s.minutes, s.ended.Sub(s.began).Seconds())
	for _, id := range slices.Sorted(maps.Keys(f.Lanes)) {
		l := f.Lanes[id]
		fmt.Printf("lane %s  %4d through (%.0f an hour), %d passages, lost %d, doubled %d\n", id, l.Vehicles, float64(l.Vehicles)/hours, l.Passages, l.Lost, l.Doubled)
	}
	fmt.Printf("frames   %d sent, in gaps %d, redelivered %d; lost of anything %d, doubled %d; gaps %d\n", f.Frames, f.InGaps, f.Redelivered, f.Lost, f.Doubled, f.Gaps)
	fmt.Printf("plates   front %d of %d read right, rear %d of %d; threats alerted %d of %d\n", f.PlatesRead, f.Plates, f.RearRead, f.Rear, f.ThreatsAlerted, f.Threats)
	for _, a := range event.Agencies() {
		l := f.Latency[a].All
		fmt.Printf("latency  device to %s p50 %.0f ms, p99 %.0f ms of %d passages\n", a.Account(), l.P50, l.P99, l.N)
	}
	differ := 0
	for _, p := range r.Problems {
		if p.Kind == account.StoresDiffer {
			differ++
		}
	}
	fmt.Printf("consoles equal: %v\n\n", differ == 0)
	printCodes(f.Findings)
	for _, text := range f.Explained {
		fmt.Println("misread:", text)
	}
	if f.Met > 0 {
		s.t.Errorf("%d passages met a fault of a device that nobody planned", f.Met)
	}
	out, err := json.MarshalIndent(r, "", "  ")
	require.NoError(s.t, err)
	require.NoError(s.t, os.MkdirAll(filepath.Join(s.root, "build"), 0o755))
	require.NoError(s.t, os.WriteFile(filepath.Join(s.root, "build", "soak.json"), append(out, '\n'), 0o644))
}

// printCodes prints findings by code: rules, then what models conclude.
func printCodes(codes map[string]account.CodeFigures) {
	fmt.Printf("%-20s %8s %6s %7s %9s\n", "finding", "planted", "found", "missed", "invented")
	for _, learned := range []bool{false, true} {
		for _, code := range slices.Sorted(maps.Keys(codes)) {
			c := codes[code]
			if c.Learned != learned {
				continue
			}
			var note string
			if c.Misread > 0 {
				note = fmt.Sprintf("  %d of them of a plate that was misread", c.Misread)
			}
			if learned {
				note = "  a model's: a rate, not a rule"
				if c.Planted > 0 {
					note += fmt.Sprintf("; %.0f %% found", 100*float64(c.Found)/float64(c.Planted))
				}
			}
			fmt.Printf("%-20s %8d %6d %7d %9d%s\n", code, c.Planted, c.Found, c.Missed, c.Invented, note)
		}
	}
	fmt.Println()
}

// judged is how long a run has to be for its memory to be judged: a shorter one
// shows how programs warm up.
const judged = 5 * time.Minute

// level prints memory, threads and goroutines of each program over time and
// judges whether they stay level.
func (s *soak) level() {
	const mb = 1 << 20
	fmt.Printf("%-34s %s\n", "over six stretches of time", "median of each; slope of the last two thirds")
	for _, name := range []string{"gatehouse", "customs", "borderguard", "gatehouse-vision"} {
		var resident, threads []trend.Point
		for _, p := range s.Stage.Samples()[name] {
			if p.At.Before(s.ended) {
				at := p.At.Sub(s.began)
				resident = append(resident, trend.Point{At: at, Value: float64(p.Resident) / mb})
				threads = append(threads, trend.Point{At: at, Value: float64(p.Threads)})
			}
		}
		// What is resident follows the collector's pace; a leak shows in what is
		// live after a collection.
		s.verdict(name, "resident MB", resident, trend.Limit{By: 16, Share: 0.25})
		s.verdict(name, "threads", threads, trend.Limit{By: 6, Share: 0.2})
		if name == "gatehouse-vision" {
			continue // no goroutines of interest
		}
		heaps, err := s.Stage.Heaps(name)
		require.NoError(s.t, err)
		var live []trend.Point
		for _, h := range heaps {
			live = append(live, trend.Point{At: h.Since, Value: h.MB})
		}
		s.verdict(name, "live heap MB", live, trend.Limit{By: 6, Share: 0.12})
		counts, err := s.Stage.Goroutines(name)
		require.NoError(s.t, err)
		var goroutines []trend.Point
		for _, c := range counts {
			goroutines = append(goroutines, trend.Point{At: c.Since, Value: float64(c.N)})
		}
		s.verdict(name, "goroutines", goroutines, trend.Limit{By: 10, Share: 0.1})
	}
}

func (s *soak) verdict(program, what string, series []trend.Point, limit trend.Limit) {
	got := trend.Of(series, limit)
	var stretches []string
	for i := range 6 {
		part := series[i*len(series)/6 : (i+1)*len(series)/6]
		values := make([]float64, 0, len(part))
		for _, p := range part {
			values = append(values, p.Value)
		}
		if slices.Sort(values); len(values) > 0 {
			stretches = append(stretches, fmt.Sprintf("%5.0f", values[len(values)/2]))
		}
	}
	word := "flat"
	switch {
	case len(series) == 0:
		word = "NOT MEASURED"
		s.t.Errorf("%s of %s were not measured", what, program)
	case s.ended.Sub(s.began) < judged:
		word = "not judged in so short a run"
	case !got.Flat:
		word = "CLIMBS"
		s.t.Errorf("%s of %s climb by %.1f in %s, allowed are %.1f", what, program, max(got.Climb, got.Last-got.First), got.Judged.Round(time.Second), got.Allowed)
	}
	fmt.Printf("%-17s %-12s   %s   %+7.1f an hour, %+5.1f of %.1f allowed: %s\n", program, what, strings.Join(stretches, " "), got.PerHour, got.Climb, got.Allowed, word)
}
