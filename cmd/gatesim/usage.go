package main

import (
	"errors"

	"github.com/spf13/cobra"
)

// usageError is a call that cannot be understood; the exit status is then 2.
type usageError struct{ error }

func (u usageError) Unwrap() error { return u.error }

func usageArgs(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if err := check(cmd, args); err != nil {
			return usageError{err}
		}
		return nil
	}
}

func exitStatus(err error) int {
	if _, ok := errors.AsType[usageError](err); ok {
		return 2
	}
	return 1
}
