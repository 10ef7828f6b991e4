// Command gatesim is the simulated gate: lorries and travellers, their photos
// and X-ray images, portals, scanners, a weighbridge, readers and a barrier on
// real pseudo-terminals, plate cameras on real MQTT, and every fault that these
// have.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := newRootCmd().ExecuteContext(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "Error:", err)
		os.Exit(exitStatus(err))
	}
}

func newRootCmd() *cobra.Command {
	root := &cobra.Command{
		Use:           "gatesim",
		Short:         "Simulate a border gate's lanes with their instruments and their faults",
		SilenceUsage:  true,
		SilenceErrors: true,
		Args:          usageArgs(cobra.NoArgs),
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	root.AddCommand(newRunCmd(), newFaultCmd(), newClearCmd(), newStatusCmd(), newScansCmd())
	return root
}
