package torture

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"

	"gatehouse/internal/event"
)

// Row is one fault of the table.
type Row struct {
	Fault    string         `json:"fault"`
	Runs     int            `json:"runs"`
	Failed   int            `json:"failed"`
	Points   map[string]int `json:"points"`
	Lost     int            `json:"lost"`
	Doubled  int            `json:"doubled"`
	Delay    float64        `json:"worst_delay_s"`
	Recovery float64        `json:"worst_recovery_s"`
	Seeds    []uint64       `json:"failed_seeds"`
	Apart    bool           `json:"apart"`
}

// Series is what became of several runs.
type Series struct {
	Runs []Run `json:"runs"`
	Rows []Row `json:"rows"`
}

// Sum makes the rows, in the order of the menu.
func Sum(menu []Fault, runs []Run) Series {
	rows := map[string]*Row{}
	s := Series{Runs: runs}
	for _, r := range runs {
		for i, e := range r.Faults {
			row := rows[e.Name]
			if row == nil {
				row = &Row{Fault: e.Name, Points: map[string]int{}, Apart: e.fault.Apart}
				rows[e.Name] = row
			}
			row.Runs++
			row.Lost += e.Lost
			row.Doubled += e.Doubled
			row.Recovery = max(row.Recovery, e.Recovery)
			if i == 0 {
				for _, l := range r.Figures.Latency {
					if !e.fault.Clock {
						row.Delay = max(row.Delay, l.All.Max/1000)
					}
				}
				if r.Failed() {
					row.Failed++
					row.Seeds = append(row.Seeds, r.Seed)
				}
			}
			for name, n := range r.Hits {
				if strings.HasSuffix(e.Name, " at "+name) {
					row.Points[name] += n
				}
			}
		}
	}
	for _, f := range menu {
		if row := rows[f.Name]; row != nil {
			s.Rows = append(s.Rows, *row)
		}
	}
	return s
}

// Points are the points that were reached, over all runs.
func (s Series) Points() map[string]int {
	all := map[string]int{}
	for _, r := range s.Runs {
		for name, n := range r.Hits {
			all[name] += n
		}
	}
	return all
}

// Failed are the seeds of the runs that failed.
func (s Series) Failed() []uint64 {
	var all []uint64
	for _, r := range s.Runs {
		if r.Failed() {
			all = append(all, r.Seed)
		}
	}
	return all
}

// Markdown writes the table.
func (s Series) Markdown(w io.Writer) error {
	var b strings.Builder
	lost, doubled, frames := 0, 0, 0
	fmt.Fprintf(&b, "| fault | runs | failed | points hit | lost | doubled | worst delay (s) | recovery (s) |\n|---|---|---|---|---|---|---|---|\n")
	for _, r := range s.Rows {
		points := 0
		for _, n := range r.Points {
			points += n
		}
		fmt.Fprintf(&b, "| %s | %d | %d | %d | %d | %d | %.1f | %.1f |\n", r.Fault, r.Runs, r.Failed, points, r.Lost, r.Doubled, r.Delay, r.Recovery)
		if !r.Apart {
			lost, doubled = lost+r.Lost, doubled+r.Doubled
		}
	}
	verdicts, alerts, passages, seconds := 0, 0, 0, 0.0
	for _, r := range s.Runs {
		seconds += r.Seconds
		frames += r.Figures.Frames
		passages += r.Figures.Passages
		alerts += r.Figures.Alerts
		verdicts += r.Figures.Verdicts
	}
	fmt.Fprintf(&b, "\n%d runs, %d frames, %d passages, %d alerts, %d verdicts: lost %d, doubled %d; runs that failed: %v; %.0f s a run in the mean\n",
		len(s.Runs), frames, passages, alerts, verdicts, lost, doubled, s.Failed(), seconds/float64(max(1, len(s.Runs))))
	points := s.Points()
	fmt.Fprintf(&b, "Fault points reached:")
	for _, name := range slices.Sorted(maps.Keys(points)) {
		fmt.Fprintf(&b, " %s %d", name, points[name])
	}
	b.WriteString("\n\n")
	for _, r := range s.Runs {
		for _, note := range r.Notes {
			fmt.Fprintf(&b, "- seed %d: %s\n", r.Seed, note)
		}
	}
	for _, r := range s.Runs {
		if len(r.Problems) == 0 {
			continue
		}
		fmt.Fprintf(&b, "Seed %d (%s):\n", r.Seed, names(r.Faults))
		for _, p := range r.Problems[:min(12, len(r.Problems))] {
			fmt.Fprintf(&b, "- %s\n", p)
		}
		b.WriteString("\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func names(list []Episode) string {
	var all []string
	for _, e := range list {
		all = append(all, e.Name)
	}
	return strings.Join(all, ", ")
}

// Write leaves the table in a folder, for people and for machines.
func (s Series) Write(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	var b strings.Builder
	if err := s.Markdown(&b); err != nil {
		return err
	}
	if err := os.WriteFile(dir+"/torture.md", []byte(b.String()), 0o644); err != nil {
		return err
	}
	j, err := json.MarshalIndent(s, "", " ")
	if err != nil {
		return err
	}
	return os.WriteFile(dir+"/torture.json", append(j, '\n'), 0o644)
}

// Line is a run in one line.
func (r Run) Line() string {
	quiet := 0.0
	for _, a := range event.Agencies() {
		quiet = max(quiet, r.Figures.Latency[a].Quiet.P50)
	}
	return fmt.Sprintf("seed %d: %s: %.0f s, frames %d (in gaps %d), passages %d, alerts %d, verdicts %d, receipts %d, pictures %d, lost %d, doubled %d, reordered %d, quiet p50 %.0f ms, problems %d",
		r.Seed, names(r.Faults), r.Seconds, r.Figures.Frames, r.Figures.InGaps, r.Figures.Passages, r.Figures.Alerts, r.Figures.Verdicts, r.Extra.Receipts, r.Figures.Pictures,
		r.Lost, r.Doubled, r.Extra.Reordered+r.Extra.PassagesSwapped, quiet, len(r.Problems))
}
