// Command gatehouse is the edge daemon of a border gate.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/coreos/go-systemd/v22/daemon"
	"github.com/lmittmann/tint"
	"github.com/spf13/cobra"

	"gatehouse/drivers"
	"gatehouse/internal/config"
	"gatehouse/internal/fault"
	"gatehouse/internal/gate"
)

// Exit statuses of the command-line contract.
const (
	exitFailed = 1
	exitUsage  = 2
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := newRootCmd().ExecuteContext(ctx)
	stop()
	var problems config.Problems
	switch {
	case err == nil:
	case errors.As(err, &problems):
		fmt.Fprintln(os.Stderr, problems)
		os.Exit(exitFailed)
	case errors.Is(err, errRun):
		fmt.Fprintln(os.Stderr, "Error:", err)
		os.Exit(exitFailed)
	default:
		fmt.Fprintln(os.Stderr, "Error:", err)
		os.Exit(exitUsage)
	}
}

// errRun marks failures of the work itself, as against wrong usage.
var errRun = errors.New("gatehouse cannot go on")

func newRootCmd() *cobra.Command {
	root := &cobra.Command{
		Use: "gatehouse", Short: "The edge daemon of a border gate",
		SilenceErrors: true, SilenceUsage: true,
	}
	var path string
	root.PersistentFlags().StringVar(&path, "config", "gate.yaml", "configuration of the place")
	root.AddCommand(newRunCmd(&path), newInitCmd(&path))
	return root
}

// open reads the configuration. Only what concerns the whole place ends a
// start: a device or lane whose section is wrong is faulty, and the rest runs.
func open(path string) (*config.File, error) {
	file, err := config.Open(path)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errRun, err)
	}
	if len(file.Problems().Of(config.ScopePlace)) > 0 {
		return nil, fmt.Errorf("%w: %w", errRun, file.Problems())
	}
	return file, nil
}

func newRunCmd(path *string) *cobra.Command {
	var level slog.Level
	cmd := &cobra.Command{
		Use: "run", Short: "Run the gate until SIGINT or SIGTERM; SIGHUP reads the configuration again", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			file, err := open(*path)
			if err != nil {
				return err
			}
			points, err := fault.FromEnv()
			if err != nil {
				return err
			}
			hangup := make(chan os.Signal, 1)
			signal.Notify(hangup, syscall.SIGHUP)
			defer signal.Stop(hangup)
			deps := gate.Deps{
				Drivers: drivers.All(), Points: points, Log: newLog(cmd.ErrOrStderr(), level),
				Ready:  func() { notify(daemon.SdNotifyReady) },
				Hangup: hangup, Version: version(),
			}
			if err := gate.Run(cmd.Context(), file, deps); err != nil {
				return fmt.Errorf("%w: %w", errRun, err)
			}
			notify(daemon.SdNotifyStopping)
			return nil
		},
	}
	cmd.Flags().TextVar(&level, "log-level", slog.LevelInfo, "debug, info, warn or error")
	return cmd
}

func newInitCmd(path *string) *cobra.Command {
	return &cobra.Command{
		Use: "init", Short: "Make the gate's keys and passwords that are missing, and print the public parts",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			file, err := open(*path)
			if err != nil {
				return err
			}
			id, err := gate.Init(file.Gate)
			if err != nil {
				return fmt.Errorf("%w: %w", errRun, err)
			}
			return json.NewEncoder(cmd.OutOrStdout()).Encode(map[string]string{
				"gate": file.Gate.ID, "key": id.Key.Public().ID(), "hub_user": id.Seed.Public(),
			})
		},
	}
}

// version is what the build knows of its own.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	version := info.Main.Version
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && (version == "" || version == "(devel)") {
			version = s.Value[:min(12, len(s.Value))]
		}
	}
	return version
}

// newLog writes for people on a terminal, and JSON everywhere else.
func newLog(w io.Writer, level slog.Level) *slog.Logger {
	if f, ok := w.(*os.File); ok {
		if st, err := f.Stat(); err == nil && st.Mode()&os.ModeCharDevice != 0 {
			return slog.New(tint.NewTextHandler(w, &tint.Options{Level: level}))
		}
	}
	return slog.New(slog.NewJSONHandler(w, &slog.HandlerOptions{Level: level}))
}

// notify tells systemd, where it listens. Nothing depends on it being heard.
func notify(state string) { _, _ = daemon.SdNotify(false, state) }
