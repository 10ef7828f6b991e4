package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/spf13/cobra"

	"gatehouse/internal/control"
	"gatehouse/internal/event"
)

// answerTime bounds how long a daemon may take to answer; a reload waits for
// devices to end.
const answerTime = time.Minute

// installed is where the packaged daemon keeps its state.
const installed = "/var/lib/gatehouse/gate"

// stateFlag adds --state. Without it the daemon of the working directory is
// meant, or the packaged one.
func stateFlag(cmd *cobra.Command) func() *control.Client {
	state := cmd.Flags().String("state", "", "state `FOLDER` of the daemon (gate, or "+installed+")")
	return func() *control.Client {
		folder := *state
		if folder == "" {
			folder = installed
			if _, err := os.Stat(control.Path("gate")); err == nil {
				folder = "gate"
			}
		}
		return control.NewClient(folder)
	}
}

func newStatusCmd(asJSON *bool) *cobra.Command {
	cmd := &cobra.Command{
		Use: "status", Short: "Show what a running gate is doing: devices, hand-over, disk, vision",
		Example: `  gatectl status
  gatectl status --lang vi
  gatectl status --json --state /var/lib/gatehouse/gate`,
		Args: cobra.NoArgs,
	}
	client := stateFlag(cmd)
	lang := cmd.Flags().String("lang", "", "vi or en; else as the environment says (LC_ALL, LC_MESSAGES, LANG)")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		w, err := wordsFor(*lang)
		if err != nil {
			return err
		}
		ctx, cancel := context.WithTimeout(cmd.Context(), answerTime)
		defer cancel()
		s, err := client().Status(ctx)
		if err != nil {
			return failed(err)
		}
		if *asJSON {
			return printJSON(cmd.OutOrStdout(), s)
		}
		printStatus(cmd.OutOrStdout(), s, w)
		return nil
	}
	return cmd
}

// wordsFor picks the language of what people read.
func wordsFor(lang string) (words, error) {
	switch lang {
	case "vi":
		return vietnamese(), nil
	case "en":
		return english(), nil
	case "":
	default:
		return words{}, fmt.Errorf("--lang %s: want vi or en", lang)
	}
	for _, name := range []string{"LC_ALL", "LC_MESSAGES", "LANG"} {
		if value := os.Getenv(name); value != "" {
			if strings.HasPrefix(value, "vi") {
				return vietnamese(), nil
			}
			return english(), nil
		}
	}
	return english(), nil
}

func printStatus(out io.Writer, s control.Status, w words) {
	fmt.Fprintf(out, "%s: %s %s %s\n", strings.TrimSpace(w.gate+" "+s.Gate+" "+w.pick(s.Name)), w.phases[s.Phase], w.since, w.at(s.Started, s.Now))
	fmt.Fprintf(out, "%s: %s (%s), %s %s\n", w.configuration, s.Config.File, short(s.Config.Digest), w.since, w.at(s.Config.Since, s.Now))
	if s.Config.Differs {
		fmt.Fprintf(out, "  ! %s\n", w.differs)
	}
	for _, p := range s.Config.Problems {
		fmt.Fprintf(out, "  ! %s\n", p.Head())
	}
	clock := w.clockFree
	if s.Clock.Synchronised {
		clock = fmt.Sprintf(w.clockGood, s.Clock.OffsetMS)
	}
	fmt.Fprintf(out, "%s: %s\n\n", w.clock, clock)
	printDevices(out, s, w)
	fmt.Fprintln(out)
	printAgencies(out, s, w)
	fmt.Fprintln(out)
	printRoom(out, s, w)
	printVision(out, s.Vision, w)
}

func short(digest string) string { return digest[:min(12, len(digest))] }

func table(out io.Writer, head []string, rows [][]string) {
	t := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, row := range append([][]string{head}, rows...) {
		fmt.Fprintln(t, strings.TrimRight(strings.Join(row, "\t"), "\t"))
	}
	_ = t.Flush()
}

func printDevices(out io.Writer, s control.Status, w words) {
	var rows [][]string
	for _, l := range s.Lanes {
		for _, d := range l.Devices {
			required, reason := "", d.Reason
			if d.State == event.Up {
				reason = ""
			}
			if d.Required {
				required = "*"
			}
			rows = append(rows, []string{
				l.ID, d.ID + required, d.Driver, w.agencies[d.Owner], w.states[d.State],
				w.age(d.Since, s.Now), w.age(d.Heard, s.Now), reason,
			})
		}
		if len(l.Devices) == 0 {
			rows = append(rows, []string{l.ID, w.noDevices})
		}
	}
	table(out, w.deviceHead, rows)
	fmt.Fprintln(out, w.requiredNote)
}

func printAgencies(out io.Writer, s control.Status, w words) {
	var rows [][]string
	for _, a := range s.Agencies {
		trouble := ""
		if a.Error != "" {
			trouble = a.Error + ", " + w.age(a.ErrorSince, s.Now)
		}
		rows = append(rows, []string{
			w.agencies[a.Code], fmt.Sprint(a.Alerts), fmt.Sprint(a.Records), fmt.Sprint(a.Handed), fmt.Sprint(a.Received),
			w.age(a.ReceivedAt, s.Now), trouble,
		})
	}
	table(out, w.agencyHead, rows)
}

func printRoom(out io.Writer, s control.Status, w words) {
	fmt.Fprintf(out, "%s: %s %s, %s %s\n", w.disk, humanize.IBytes(uint64(s.Disk.Free)), w.free, w.reserve, humanize.IBytes(uint64(s.Disk.Reserve)))
	var parts []string
	for _, st := range s.Streams {
		part := fmt.Sprintf("%s %s", st.Name, humanize.IBytes(st.Bytes))
		if st.MaxBytes > 0 {
			part += " / " + humanize.IBytes(uint64(st.MaxBytes))
		}
		parts = append(parts, part)
	}
	fmt.Fprintf(out, "%s: %s\n", w.journal, strings.Join(parts, ", "))
}

func printVision(out io.Writer, v control.Vision, w words) {
	if !v.On {
		fmt.Fprintf(out, "%s: %s\n", w.vision, w.visionOff)
		return
	}
	var parts []string
	for _, op := range v.Operations {
		part := op.Name + " " + w.states[event.Up]
		if !op.Up {
			part = op.Name + " " + w.states[event.Down] + " (" + op.Reason + ")"
		}
		parts = append(parts, part)
	}
	fmt.Fprintf(out, "%s: %s\n", w.vision, strings.Join(parts, ", "))
}
