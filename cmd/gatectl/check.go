package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"gatehouse/drivers"
	"gatehouse/internal/config"
	"gatehouse/internal/gate"
)

func newCheckCmd(asJSON *bool) *cobra.Command {
	var dir string
	cmd := &cobra.Command{
		Use: "check FILE|FOLDER...", Short: "Find every mistake in a gate's configuration, and change nothing",
		Long: `Check configurations without touching a device. Every mistake is told at once,
with its file, line and column, and what was probably meant. Of a folder every
.yaml file is checked.

With --in the files that a configuration names (keys, passwords, folders) are
looked for, too, from the folder in which the daemon works.`,
		Example: `  gatectl check gate.yaml
  gatectl check --in /var/lib/gatehouse /etc/gatehouse/gate.yaml`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			good := true
			for _, arg := range args {
				paths, err := configurations(arg)
				if err != nil {
					good = false
					if err := printCheck(cmd, arg, unreadable(arg, err), *asJSON); err != nil {
						return err
					}
				}
				for _, path := range paths {
					problems := checkFile(path, dir)
					good = good && len(problems) == 0
					if err := printCheck(cmd, path, problems, *asJSON); err != nil {
						return err
					}
				}
			}
			if !good {
				return failed(nil)
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&dir, "in", "", "working `FOLDER` of the daemon, to look for the files that are named")
	return cmd
}

// configurations are the files that an argument stands for.
func configurations(arg string) ([]string, error) {
	info, err := os.Stat(arg)
	if err != nil || !info.IsDir() {
		return []string{arg}, nil // reading it tells what is wrong
	}
	var paths []string
	for _, pattern := range []string{"*.yaml", "*.yml"} {
		found, err := filepath.Glob(filepath.Join(arg, pattern))
		if err != nil {
			return nil, err
		}
		paths = append(paths, found...)
	}
	if len(paths) == 0 {
		return nil, errors.New("the folder has no .yaml file")
	}
	slices.Sort(paths)
	return paths, nil
}

func unreadable(path string, err error) config.Problems {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		err = e.Err
	}
	return config.Problems{{File: path, Scope: config.ScopePlace, Message: err.Error()}}
}

// checkFile finds the mistakes of a file and of the settings that its drivers
// would refuse. Drivers do no I/O when they are made.
func checkFile(path, dir string) config.Problems {
	file, err := config.Open(path)
	var problems config.Problems
	switch {
	case errors.As(err, &problems):
		return problems
	case err != nil:
		return unreadable(path, err)
	}
	problems = config.Sorted(file.Problems(), gate.Check(file, drivers.All()))
	if dir != "" {
		problems = config.Sorted(problems, file.Files(dir), gate.CheckPolicy(file, dir))
	}
	return problems
}

func printCheck(cmd *cobra.Command, path string, problems config.Problems, asJSON bool) error {
	switch {
	case asJSON:
		if problems == nil {
			problems = config.Problems{}
		}
		return printJSON(cmd.OutOrStdout(), map[string]any{"file": path, "ok": len(problems) == 0, "problems": problems})
	case len(problems) == 0:
		fmt.Fprintf(cmd.OutOrStdout(), "%s: no mistakes\n", path)
	default:
		fmt.Fprintln(cmd.OutOrStdout(), problems.Error())
	}
	return nil
}
