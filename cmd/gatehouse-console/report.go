package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"

	"github.com/spf13/cobra"

	"gatehouse/internal/console"
	"gatehouse/internal/console/store"
	"gatehouse/internal/event"
)

func reportCmd(out io.Writer, log *slog.Logger) *cobra.Command {
	var id, folder string
	cmd := withConfig("report", "Write the DICOS threat detection report (TDR) on each scan of a passage", func(cmd *cobra.Command, c console.Config) error {
		if id == "" || folder == "" {
			return usageError{errors.New("--passage and --out are needed")}
		}
		s, err := console.InspectStore(cmd.Context(), c, log)
		if err != nil {
			return err
		}
		files, err := console.Reports(cmd.Context(), s, event.ID(id), folder)
		if errors.Is(err, store.ErrNotFound) {
			err = fmt.Errorf("there is no passage %s: its number stands in the address of its page", id)
		}
		if err = errors.Join(err, s.Close()); err != nil {
			return err
		}
		return json.NewEncoder(out).Encode(map[string]any{"passage": id, "files": files})
	})
	cmd.Flags().StringVar(&id, "passage", "", "passage, as the address of its page names it")
	cmd.Flags().StringVar(&folder, "out", "", "folder to write into")
	return cmd
}
