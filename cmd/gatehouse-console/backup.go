package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"gatehouse/internal/console"
)

func backupCmd(out io.Writer) *cobra.Command {
	var path string
	cmd := withConfig("backup", "Write accounts, notes, audit, the record of trials and keys into one file; the console may be running", func(cmd *cobra.Command, c console.Config) error {
		if path == "" {
			return usageError{errors.New("--out FILE is missing")}
		}
		if err := console.Backup(cmd.Context(), c, path); err != nil {
			return err
		}
		return json.NewEncoder(out).Encode(map[string]any{"file": path, "agency": c.Agency})
	})
	cmd.Flags().StringVar(&path, "out", "", "file to write; it holds secret keys, and only its owner may read it")
	return cmd
}

func restoreCmd(out io.Writer) *cobra.Command {
	var path string
	cmd := withConfig("restore", "Put a backup into an empty store; the shared record comes back from the hub", func(cmd *cobra.Command, c console.Config) error {
		if path == "" {
			return usageError{errors.New("--in FILE is missing")}
		}
		names, err := console.Restore(cmd.Context(), c, path)
		if errors.Is(err, console.ErrNotEmpty) {
			return fmt.Errorf("%w; move it away if it is to be replaced", err)
		}
		if err != nil {
			return err
		}
		return json.NewEncoder(out).Encode(map[string]any{"store": c.Store, "files": names})
	})
	cmd.Flags().StringVar(&path, "in", "", "file that backup has written")
	return cmd
}
