package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"gatehouse/internal/control"
	"gatehouse/internal/event"
)

// controlStatus is what control takes besides the verbs.
const controlStatus = "status"

func newControlCmd(asJSON *bool) *cobra.Command {
	verbs := []string{controlStatus}
	for _, v := range event.ControlVerbs() {
		verbs = append(verbs, string(v))
	}
	cmd := &cobra.Command{
		Use: "control LANE DEVICE " + strings.Join(verbs, "|"), Short: "Control a barrier and its lights from the gate itself",
		Long: `Take the control lease of a device, give it commands, and release it. The lease
has one holder and lasts a minute after its last use; both agencies see on their
consoles who holds it, every command, and what came of it. A technician at the
gate counts as GATE. What the device's interlock refuses nobody can force, and the
light is red when nobody holds control.

The status is 0 when the command was carried out, and 1 when it was refused.`,
		Example: `  gatectl control 01 barrier take
  gatectl control 01 barrier close
  gatectl control 01 barrier release
  gatectl control 01 barrier take --force --reason "arm to be repaired"`,
		Args: cobra.ExactArgs(3),
	}
	client := stateFlag(cmd)
	lang := cmd.Flags().String("lang", "", "vi or en")
	force := cmd.Flags().Bool("force", false, "with take: take the lease from its holder; needs --reason")
	reason := cmd.Flags().String("reason", "", "why the lease is taken from its holder; both agencies read it")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		w, err := wordsFor(*lang)
		if err != nil {
			return err
		}
		verb := event.ControlVerb(args[2])
		switch {
		case !slices.Contains(verbs, args[2]):
			return fmt.Errorf("unknown command %q: want %s", args[2], strings.Join(verbs, ", "))
		case *force && (verb != event.ControlTake || strings.TrimSpace(*reason) == ""):
			return fmt.Errorf("--force is for take, and needs --reason")
		}
		ctx, cancel := context.WithTimeout(cmd.Context(), answerTime)
		defer cancel()
		out := cmd.OutOrStdout()
		if args[2] == controlStatus {
			l, err := client().Lease(ctx, args[0], args[1])
			if err != nil {
				return failed(err)
			}
			if *asJSON {
				return printJSON(out, l)
			}
			printLease(out, l, w)
			return nil
		}
		done, err := client().Command(ctx, event.Command{
			Where: event.Where{Lane: args[0], Device: args[1]}, Verb: verb, Force: *force, Reason: strings.TrimSpace(*reason),
		})
		if err != nil {
			return failed(err)
		}
		if *asJSON {
			if err := printJSON(out, done); err != nil {
				return err
			}
		} else {
			printControl(out, done, w)
		}
		if done.Outcome != event.ControlDone {
			return failed(nil)
		}
		return nil
	}
	return cmd
}

func printLease(out io.Writer, l control.Lease, w words) {
	holder := w.nobody
	if l.Holder != "" {
		holder = fmt.Sprintf("%s, %s %s", w.agencies[l.Holder], w.until, clockAt(l.Until))
	}
	fmt.Fprintf(out, "%s/%s: %s; %s: %s\n", l.Lane, l.Device, w.states[l.State], w.controlOf, holder)
	if len(l.Commands) == 0 {
		fmt.Fprintln(out, w.noCommands)
	}
}

func printControl(out io.Writer, c event.ControlChange, w words) {
	line := fmt.Sprintf("%s/%s %s: %s", c.Lane, c.Device, c.Verb, w.outcomes[c.Outcome])
	if text := w.pick(c.Why); text != "" {
		line += ". " + text
	}
	fmt.Fprintln(out, line)
	if c.Holder != "" {
		fmt.Fprintf(out, "%s: %s, %s %s\n", w.controlOf, w.agencies[c.Holder], w.until, clockAt(c.Until))
	} else {
		fmt.Fprintf(out, "%s: %s\n", w.controlOf, w.nobody)
	}
}

// clockAt is a time of day as people at the gate say it.
func clockAt(t time.Time) string { return t.In(vietnam()).Format("15:04:05 -07") }
