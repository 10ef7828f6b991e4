package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/spf13/cobra"

	"gatehouse/internal/retention"
)

// sweepTime bounds how long the daemon may take to go through its evidence.
const sweepTime = 30 * time.Minute

func newRetentionCmd(asJSON *bool) *cobra.Command {
	cmd := &cobra.Command{
		Use: "retention", Short: "Remove the evidence that the gate's rules let go, or show what would go and why the rest stays",
		Long: `Have the daemon remove what its rules of retention let go now: what is over its
time, and, where room on the disk runs short, as much as is needed of what may go.
The daemon does the same by itself. Every removal is said on the shared record.

With --dry-run nothing is removed: for each rule the pieces that would go now and
those that may go when room runs short, and for the rest why it stays.`,
		Example: `  gatectl retention --dry-run
  gatectl retention --dry-run --json --state /var/lib/gatehouse/gate`,
		Args: cobra.NoArgs,
	}
	client := stateFlag(cmd)
	lang := cmd.Flags().String("lang", "", "vi or en")
	dry := cmd.Flags().Bool("dry-run", false, "remove nothing, only tell")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		w, err := wordsFor(*lang)
		if err != nil {
			return err
		}
		ctx, cancel := context.WithTimeout(cmd.Context(), sweepTime)
		defer cancel()
		r, err := client().Retention(ctx, *dry)
		if err != nil {
			return failed(err)
		}
		if *asJSON {
			return printJSON(cmd.OutOrStdout(), r)
		}
		printRetention(cmd.OutOrStdout(), r, *dry, w)
		return nil
	}
	return cmd
}

func printRetention(out io.Writer, r retention.Report, dry bool, w words) {
	room := w.roomOff
	if r.Low > 0 {
		room = fmt.Sprintf(w.roomRule, humanize.IBytes(uint64(r.Low)), humanize.IBytes(uint64(r.Enough)))
	}
	fmt.Fprintf(out, "%s: %s %s, %s\n\n", w.disk, humanize.IBytes(uint64(r.Free)), w.free, room)
	goes := w.went
	if dry {
		goes = w.goes
	}
	rows := [][]string{}
	for _, rule := range r.Rules {
		rows = append(rows, pileRow(rule.Rule, goes, rule.Goes), pileRow("", w.mayGo, rule.May))
	}
	table(out, w.ruleHead, rows)
	fmt.Fprintln(out)
	rows = nil
	for _, s := range r.Stays {
		rows = append(rows, pileRow(w.stays[s.Why], "", s.Pile))
	}
	table(out, w.stayHead, rows)
}

func pileRow(first, second string, p retention.Pile) []string {
	row := []string{first, second, fmt.Sprint(p.Count), "", "", ""}
	if second == "" {
		row = append(row[:1], row[2:]...)
	}
	if p.Count > 0 {
		n := len(row)
		row[n-3], row[n-2], row[n-1] = humanize.IBytes(uint64(p.Bytes)), day(p.Oldest), day(p.Newest)
	}
	return row
}

// day is a date and time as people at the gate have it.
func day(t time.Time) string {
	return t.In(vietnam()).Format("02/01/2006 15:04")
}
