package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"gatehouse/internal/console"
	"gatehouse/internal/console/private"
	"gatehouse/internal/console/store"
)

// resetCmd is the way back in when the last supervisor has forgotten the
// password: whoever may read the store's folder may reset an account.
func resetCmd(out io.Writer) *cobra.Command {
	var login string
	cmd := withConfig("reset-link", "End an account's sessions and print a one-time link for choosing another password", func(cmd *cobra.Command, c console.Config) error {
		if login == "" {
			return usageError{errors.New("--login NAME is missing")}
		}
		link, err := console.ResetLink(cmd.Context(), c, login)
		if errors.Is(err, store.ErrNotFound) {
			return fmt.Errorf("there is no account %q: the accounts page of a supervisor lists all", login)
		}
		if err != nil {
			return err
		}
		_, err = fmt.Fprintln(out, link)
		return err
	})
	cmd.Flags().StringVar(&login, "login", "", "log-in name of the account")
	return cmd
}

func auditCmd(out io.Writer) *cobra.Command {
	cmd := &cobra.Command{Use: "audit", Short: "Work on the audit of views and actions"}
	cmd.AddCommand(auditVerifyCmd(out))
	return cmd
}

// auditVerifyCmd prints how far the audit reaches, so that what was printed
// today can be given as --lines and --head in a year.
func auditVerifyCmd(out io.Writer) *cobra.Command {
	var known private.AuditState
	cmd := withConfig("verify", "Tell whether the audit is whole, and how far it reaches", func(cmd *cobra.Command, c console.Config) error {
		if (known.Lines == 0) != (known.Head == "") {
			return usageError{errors.New("--lines and --head go together: both are what an earlier run printed")}
		}
		state, err := console.VerifyAudit(cmd.Context(), c, known)
		if broken, ok := errors.AsType[*private.BrokenAuditError](err); ok {
			return errors.Join(json.NewEncoder(out).Encode(map[string]any{"whole": false, "line": broken.Line, "why": broken.Why}), err)
		}
		if err != nil {
			return err
		}
		return json.NewEncoder(out).Encode(map[string]any{"whole": true, "lines": state.Lines, "head": state.Head})
	})
	cmd.Flags().Int64Var(&known.Lines, "lines", 0, "lines that an earlier run printed")
	cmd.Flags().StringVar(&known.Head, "head", "", "head that the same run printed")
	return cmd
}
