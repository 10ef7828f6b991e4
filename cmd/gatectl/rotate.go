package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"
)

func newRotateCmd(asJSON *bool) *cobra.Command {
	cmd := &cobra.Command{
		Use: "rotate", Short: "Have a running gate sign with a new key; the change is signed by the old and the new one",
		Long: `Have the daemon make a new signing key and announce it on the shared record, in an
entry that the old and the new key sign. Consoles follow by themselves. The old
private key is removed; its public half stays beside the new one for auditors.

Back up the keys folder afterwards: a gate that comes back with the old key begins
a new record.`,
		Example: `  gatectl keys rotate --reason "yearly"`,
		Args:    cobra.NoArgs,
	}
	client := stateFlag(cmd)
	reason := cmd.Flags().String("reason", "", "why, for both agencies' records")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if *reason == "" {
			return errors.New("--reason is needed")
		}
		ctx, cancel := context.WithTimeout(cmd.Context(), answerTime)
		defer cancel()
		r, err := client().RotateKey(ctx, *reason)
		if err != nil {
			return failed(err)
		}
		if *asJSON {
			return printJSON(cmd.OutOrStdout(), r)
		}
		fmt.Fprintf(cmd.OutOrStdout(), "old key  %s (%s)\nnew key  %s (%s)\nsaid at  event %d of chain %s\n", r.Old, r.OldPublic, r.New, r.Public, r.Sequence, r.Chain)
		return nil
	}
	return cmd
}
