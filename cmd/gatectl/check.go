package main

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"gatehouse/drivers"
	"gatehouse/internal/config"
	"gatehouse/internal/driver"
)

func newCheckCmd(asJSON *bool) *cobra.Command {
	return &cobra.Command{
		Use: "check FILE...", Short: "Find every mistake in a gate's configuration, and change nothing",
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			good := true
			for _, path := range args {
				problems, err := checkFile(path)
				if err != nil {
					problems = config.Problems{{File: path, Message: err.Error()}}
				}
				good = good && len(problems) == 0
				if err := printCheck(cmd, path, problems, *asJSON); err != nil {
					return err
				}
			}
			if !good {
				return failed(nil)
			}
			return nil
		},
	}
}

// checkFile finds the mistakes of a file and of the settings that its drivers
// would refuse. Drivers do no I/O when they are made.
func checkFile(path string) (config.Problems, error) {
	file, err := config.Load(path)
	var problems config.Problems
	if errors.As(err, &problems) {
		return problems, nil
	}
	if err != nil {
		return nil, err
	}
	kinds := drivers.All()
	for i, lane := range file.Gate.Lanes {
		for j, d := range lane.Devices {
			if err := checkDevice(file, i, j, kinds, d.Driver); err != nil {
				problems = append(problems, file.DeviceProblem(i, j, err))
			}
		}
	}
	return problems, nil
}

func checkDevice(file *config.File, lane, device int, kinds []driver.Kind, name string) error {
	at := slices.IndexFunc(kinds, func(k driver.Kind) bool { return k.Name == name })
	if at < 0 {
		return fmt.Errorf("there is no driver %q", name)
	}
	env := driver.Env{Log: slog.New(slog.DiscardHandler), Now: time.Now}
	if file.Gate.Field != nil {
		env.Broker = &driver.Broker{URL: "tcp://" + file.Gate.Field.Listen, User: "gatehouse", Password: func() string { return "" }}
	}
	_, err := kinds[at].New(file.Settings(lane, device), env)
	return err
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
