// Command gatehouse-console is one agency's console: its store of the shared
// record and its pages.
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
	"syscall"

	"github.com/lmittmann/tint"
	"github.com/mattn/go-isatty"
	"github.com/spf13/cobra"

	"gatehouse/internal/console"
	"gatehouse/internal/console/private"
	"gatehouse/internal/fault"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := root(os.Stdout, logger()).ExecuteContext(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "Error:", err)
		if errors.As(err, new(usageError)) {
			os.Exit(2)
		}
		os.Exit(1)
	}
}

// usageError is a mistake in the command line.
type usageError struct{ error }

func logger() *slog.Logger {
	if isatty.IsTerminal(os.Stderr.Fd()) {
		return slog.New(tint.NewTextHandler(os.Stderr, nil))
	}
	return slog.New(slog.NewJSONHandler(os.Stderr, nil))
}

func root(out io.Writer, log *slog.Logger) *cobra.Command {
	cmd := &cobra.Command{
		Use: "gatehouse-console", Short: "An agency's console of a Gatehouse gate",
		SilenceUsage: true, SilenceErrors: true,
	}
	cmd.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return usageError{fmt.Errorf("%w; see `%s --help`", err, c.CommandPath())}
	})
	cmd.AddCommand(runCmd(out, log), initCmd(out), setupCmd(out), urlCmd(out), exportCmd(out, log), importCmd(out, log), rebuildCmd(out, log), digestCmd(out, log),
		resetCmd(out), auditCmd(out), backupCmd(out), restoreCmd(out), reportCmd(out, log))
	return cmd
}

// withConfig makes a command that works on a configuration file.
func withConfig(use, short string, do func(*cobra.Command, console.Config) error) *cobra.Command {
	var path string
	cmd := &cobra.Command{
		Use: use, Short: short,
		Args: func(c *cobra.Command, args []string) error {
			if err := cobra.NoArgs(c, args); err != nil {
				return usageError{err}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error {
			if path == "" {
				return usageError{errors.New("--config FILE is missing")}
			}
			c, err := console.LoadConfig(path)
			if err != nil {
				return err
			}
			return do(cmd, c)
		},
	}
	cmd.Flags().StringVar(&path, "config", "", "configuration file (YAML)")
	return cmd
}

func runCmd(out io.Writer, log *slog.Logger) *cobra.Command {
	return withConfig("run", "Serve the console until it is told to end", func(cmd *cobra.Command, c console.Config) error {
		faults, err := fault.FromEnv()
		if err != nil {
			return err
		}
		x, err := console.New(cmd.Context(), c, log, faults)
		if err != nil && cmd.Context().Err() != nil {
			log.Info("console ended before its store was ready; the next start goes on", "agency", string(c.Agency))
			return nil
		}
		if err != nil {
			return err
		}
		link, err := x.SetupLink(cmd.Context())
		switch {
		case err == nil:
			fmt.Fprintf(out, "First start: set up the first account within 24 hours at\n  %s\n", link)
		case !errors.Is(err, private.ErrUsersExist):
			return errors.Join(err, x.Close())
		}
		fmt.Fprintf(out, "Console of %s: %s\n", c.Agency, x.URL())
		log.Info("console started", "agency", string(c.Agency), "url", x.URL())
		err = x.Run(cmd.Context())
		log.Info("console ended", "agency", string(c.Agency))
		return err
	})
}

func initCmd(out io.Writer) *cobra.Command {
	return withConfig("init", "Make store folder, signing key and hub identity where they are missing", func(_ *cobra.Command, c console.Config) error {
		public, err := console.Init(c)
		if err != nil {
			return err
		}
		return json.NewEncoder(out).Encode(public)
	})
}

func setupCmd(out io.Writer) *cobra.Command {
	return withConfig("setup-link", "Print a new one-time link for setting up the first account", func(cmd *cobra.Command, c console.Config) error {
		link, err := console.SetupLink(cmd.Context(), c)
		if errors.Is(err, private.ErrUsersExist) {
			return fmt.Errorf("%w: log in at %s", err, c.URL())
		}
		if err != nil {
			return err
		}
		_, err = fmt.Fprintln(out, link)
		return err
	})
}

func urlCmd(out io.Writer) *cobra.Command {
	return withConfig("url", "Print where to go: the set-up link while there is no account, else the console", func(cmd *cobra.Command, c console.Config) error {
		link, err := console.SetupLink(cmd.Context(), c)
		if errors.Is(err, private.ErrUsersExist) {
			link, err = c.URL()+"/", nil
		}
		if err != nil {
			return err
		}
		_, err = fmt.Fprintln(out, link)
		return err
	})
}

func exportCmd(out io.Writer, log *slog.Logger) *cobra.Command {
	var gate, path string
	cmd := withConfig("export", "Write a gate's record as it is stored, for `gatectl verify`", func(cmd *cobra.Command, c console.Config) error {
		if gate == "" || path == "" {
			return usageError{errors.New("--gate and --out are needed")}
		}
		s, err := console.InspectStore(cmd.Context(), c, log)
		if err != nil {
			return err
		}
		n, err := console.Export(cmd.Context(), s, gate, path)
		if err = errors.Join(err, s.Close()); err != nil {
			return err
		}
		return json.NewEncoder(out).Encode(map[string]any{"file": path, "gate": gate, "events": n})
	})
	cmd.Flags().StringVar(&gate, "gate", "", "gate, such as 15BB")
	cmd.Flags().StringVar(&path, "out", "", "file to write")
	return cmd
}

func importCmd(out io.Writer, log *slog.Logger) *cobra.Command {
	var gate, path string
	cmd := withConfig("import", "Take what another console has exported of a gate's record, where the hub no longer keeps all of it; the console must not be running", func(cmd *cobra.Command, c console.Config) error {
		if gate == "" || path == "" {
			return usageError{errors.New("--gate and --in are needed")}
		}
		n, err := console.Import(cmd.Context(), c, gate, path, log)
		if err != nil {
			return err
		}
		return json.NewEncoder(out).Encode(map[string]any{"file": path, "gate": gate, "new": n})
	})
	cmd.Flags().StringVar(&gate, "gate", "", "gate, such as 15BB")
	cmd.Flags().StringVar(&path, "in", "", "file that export has written")
	return cmd
}

func rebuildCmd(out io.Writer, log *slog.Logger) *cobra.Command {
	return withConfig("rebuild", "Make the tables that pages read anew from the stored bytes", func(cmd *cobra.Command, c console.Config) error {
		s, err := console.InspectStore(cmd.Context(), c, log)
		if err != nil {
			return err
		}
		n, err := s.Rebuild(cmd.Context())
		if err = errors.Join(err, s.Close()); err != nil {
			return err
		}
		return json.NewEncoder(out).Encode(map[string]any{"events": n})
	})
}

func digestCmd(out io.Writer, log *slog.Logger) *cobra.Command {
	return withConfig("digest", "Print a digest of each shared table; equal stores have equal digests", func(cmd *cobra.Command, c console.Config) error {
		s, err := console.InspectStore(cmd.Context(), c, log)
		if err != nil {
			return err
		}
		sums, err := s.Digests(cmd.Context())
		if err = errors.Join(err, s.Close()); err != nil {
			return err
		}
		return json.NewEncoder(out).Encode(sums)
	})
}
