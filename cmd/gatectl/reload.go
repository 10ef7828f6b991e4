package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

func newReloadCmd(asJSON *bool) *cobra.Command {
	cmd := &cobra.Command{
		Use: "reload", Short: "Have a running gate read its configuration again; a bad file changes nothing",
		Long: `Have the daemon check its configuration file wholly and put it in force. Devices
whose settings are the same go on without missing a frame; changed ones end and
begin with their new settings. A file with mistakes changes nothing, and the
mistakes are printed.`,
		Args: cobra.NoArgs,
	}
	client := stateFlag(cmd)
	lang := cmd.Flags().String("lang", "", "vi or en")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		w, err := wordsFor(*lang)
		if err != nil {
			return err
		}
		ctx, cancel := context.WithTimeout(cmd.Context(), answerTime)
		defer cancel()
		r, err := client().Reload(ctx)
		if err != nil {
			return failed(err)
		}
		out := cmd.OutOrStdout()
		switch {
		case *asJSON:
			if err := printJSON(out, r); err != nil {
				return err
			}
		case len(r.Problems) > 0:
			fmt.Fprintln(out, r.Problems.Error())
			fmt.Fprintln(out, w.refused)
		case len(r.Restart) > 0:
			fmt.Fprintln(out, w.restart)
			fmt.Fprintln(out, "  "+strings.Join(r.Restart, "\n  "))
		default:
			for _, c := range r.Changes {
				fmt.Fprintf(out, "%s %s %s\n", c.Lane, c.Device, w.changes[c.What])
			}
			if len(r.Changes) == 0 {
				fmt.Fprintln(out, w.unchanged)
			}
			fmt.Fprintln(out, w.reloaded)
		}
		if !r.OK() {
			return failed(nil)
		}
		return nil
	}
	return cmd
}
