// Command gatectl is the tool of technicians and auditors: it checks
// configurations, verifies exports and makes keys.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"
)

// Exit statuses of the command-line contract.
const (
	exitOK     = 0
	exitFailed = 1
	exitUsage  = 2
)

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

// run is the program: results go to stdout, everything else to stderr.
func run(args []string, stdout, stderr io.Writer) int {
	root := newRootCmd()
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.Execute()
	var failed *failedError
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &failed):
		if failed.err != nil {
			fmt.Fprintln(stderr, "Error:", failed.err)
		}
		return exitFailed
	default:
		fmt.Fprintln(stderr, "Error:", err)
		fmt.Fprintln(stderr, "Try: gatectl --help")
		return exitUsage
	}
}

// failedError marks a result that could not be made, as against wrong usage. A
// nil cause was told already.
type failedError struct{ err error }

func (e *failedError) Error() string {
	if e.err == nil {
		return "failed"
	}
	return e.err.Error()
}

func (e *failedError) Unwrap() error { return e.err }

func failed(err error) error { return &failedError{err} }

func newRootCmd() *cobra.Command {
	root := &cobra.Command{
		Use:           "gatectl",
		Short:         "Check, set up, look into and verify a Gatehouse gate",
		SilenceErrors: true, SilenceUsage: true,
		CompletionOptions: cobra.CompletionOptions{HiddenDefaultCmd: true},
	}
	// Without a command the help is the answer, but a wrong word is an error.
	root.RunE = func(cmd *cobra.Command, args []string) error {
		if len(args) > 0 {
			return fmt.Errorf("unknown command %q", args[0])
		}
		return cmd.Help()
	}
	root.Args = cobra.ArbitraryArgs
	asJSON := root.PersistentFlags().Bool("json", false, "print results as JSON lines")
	root.AddCommand(newCheckCmd(asJSON), newVerifyCmd(asJSON), newKeysCmd(asJSON), newHubCmd(),
		newStatusCmd(asJSON), newReloadCmd(asJSON), newRetentionCmd(asJSON), newWatchCmd(asJSON), newDevicesCmd(asJSON), newControlCmd(asJSON), newXrayCmd(asJSON))
	return root
}

// printJSON writes one result line.
func printJSON(w io.Writer, value any) error {
	if err := json.NewEncoder(w).Encode(value); err != nil {
		return failed(fmt.Errorf("write result: %w", err))
	}
	return nil
}
