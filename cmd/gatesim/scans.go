package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"gatehouse/internal/sim/render"
)

func newScansCmd() *cobra.Command {
	var kind, threat string
	var count int
	var seed uint64
	cmd := &cobra.Command{
		Use:   "scans --kind cargo|baggage DIR",
		Short: "Write scans to calibrate the simulated scanners with, or with --threat to try them",
		Args:  usageArgs(cobra.ExactArgs(1)),
		RunE: func(_ *cobra.Command, args []string) error {
			if err := os.MkdirAll(args[0], 0o755); err != nil {
				return fmt.Errorf("make the scans' folder: %w", err)
			}
			for i := range count {
				scan, err := scanOf(kind, threat, seed+uint64(i), i)
				if err != nil {
					return err
				}
				path := filepath.Join(args[0], fmt.Sprintf("%s-%04d.png", kind, i))
				if err := os.WriteFile(path, scan.High, 0o644); err != nil {
					return fmt.Errorf("write a scan: %w", err)
				}
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&kind, "kind", "cargo", "what is scanned: cargo or baggage")
	cmd.Flags().StringVar(&threat, "threat", "", "what is hidden in each (default: nothing)")
	cmd.Flags().IntVar(&count, "count", 240, "how many")
	cmd.Flags().Uint64Var(&seed, "seed", 700_000, "of the first")
	return cmd
}

// scanOf draws the i-th scan: every load, layout and kind of bag in turn.
func scanOf(kind, threat string, seed uint64, i int) (render.Scan, error) {
	switch kind {
	case "cargo":
		loads := render.Loads()
		return render.XRay(render.Cargo{
			Seed: seed, Layout: []string{render.Rigid, render.Semi}[i%2], Load: loads[i/2%len(loads)], Threat: threat,
		}, 1, false)
	case "baggage":
		bags := render.Bags()
		return render.XRayBag(render.Bag{Seed: seed, Kind: bags[i%len(bags)], Threat: threat}, 1)
	}
	return render.Scan{}, usageError{fmt.Errorf("--kind is %q; it must be cargo or baggage", kind)}
}
