package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"gatehouse/internal/vision/model"
	"gatehouse/internal/vision/wire"
)

var (
	// errFailed means that some result could not be made and its line says why.
	errFailed = errors.New("some files could not be analysed")
	// errWork is in errors that are no mistake in the command line.
	errWork = errors.New("the worker failed")
)

// options are the flags that all commands share.
type options struct {
	models   string
	runtime  string
	scanners string
	threads  int
	memoryMB int
	deadline time.Duration
	tdr      string // folder for DICOS reports; empty for none
}

func newRoot(out, log io.Writer) *cobra.Command {
	var o options
	root := &cobra.Command{
		Use:   "gatehouse-vision",
		Short: "Reads plates and X-ray scans",
		Long: `Reads plates, container numbers and X-ray scans. Each file gives one JSON line on
standard output; a file that cannot be analysed gives {"file","error"} and the
exit status 1. The pictures are decoded in a process of their own, so a bad
file never stops the rest.`,
		Args: cobra.NoArgs, SilenceErrors: true, SilenceUsage: true,
		RunE: func(*cobra.Command, []string) error {
			return errors.New("say what to read: plate, container, xray or watch")
		},
	}
	root.SetOut(log)
	root.SetErr(log)
	f := root.PersistentFlags()
	f.StringVar(&o.models, "models", "", "folder of the models (default: $GATEHOUSE_MODELS, or models beside the program)")
	f.StringVar(&o.runtime, "runtime", "", "path of libonnxruntime.so (default: $GATEHOUSE_ONNXRUNTIME, or lib/libonnxruntime.so* beside the program)")
	f.StringVar(&o.scanners, "scanners", "", "folder of the X-ray scanners' calibrations (default: $GATEHOUSE_SCANNERS, or scanners beside the program)")
	f.IntVar(&o.threads, "threads", 2, "threads of one analysis")
	f.IntVar(&o.memoryMB, "memory-mb", 1500, "limit of the worker's data segment in megabytes; 0 for none")
	f.DurationVar(&o.deadline, "deadline", 30*time.Second, "time that one file may take")
	root.AddCommand(newPlate(&o, out, log), newContainer(&o, out, log), newXray(&o, out, log), newScanner(&o, out),
		newWatch(&o, out, log), newWorker(&o))
	return root
}

func newPlate(o *options, out, log io.Writer) *cobra.Command {
	return &cobra.Command{
		Use: "plate FILE...", Short: "Read licence plates", Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, files []string) error {
			return analyse(cmd.Context(), o, wire.Request{Op: wire.OpPlate}, files, out, log)
		},
	}
}

func newContainer(o *options, out, log io.Writer) *cobra.Command {
	return &cobra.Command{
		Use: "container FILE...", Short: "Read container numbers (ISO 6346)", Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, files []string) error {
			return analyse(cmd.Context(), o, wire.Request{Op: wire.OpContainer}, files, out, log)
		},
	}
}

func newXray(o *options, out, log io.Writer) *cobra.Command {
	req := wire.Request{Op: wire.OpXray}
	cmd := &cobra.Command{
		Use: "xray --kind baggage|cargo FILE...", Short: "Analyse X-ray scans", Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, files []string) error {
			if req.Kind != wire.KindBaggage && req.Kind != wire.KindCargo {
				return fmt.Errorf("--kind is %q; it must be baggage or cargo", req.Kind)
			}
			return analyse(cmd.Context(), o, req, files, out, log)
		},
	}
	cmd.Flags().StringVar(&o.tdr, "tdr", "", "also write a DICOS threat detection report per scan into this folder")
	cmd.Flags().StringVar(&req.Kind, "kind", "", "what was scanned: baggage or cargo")
	cmd.Flags().StringVar(&req.Scanner, "scanner", "", "name of the scanner, whose calibration is used; without one the result says shadow")
	_ = cmd.MarkFlagRequired("kind") // fails only for a flag that does not exist
	return cmd
}

// locate fills in the paths that no flag gave.
func (o *options) locate() error {
	program, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find the program's folder: %w", err)
	}
	folder := filepath.Dir(program)
	o.models = firstOf(o.models, os.Getenv("GATEHOUSE_MODELS"), filepath.Join(folder, "models"))
	o.runtime = firstOf(o.runtime, os.Getenv("GATEHOUSE_ONNXRUNTIME"), model.FindLibrary(filepath.Join(folder, "lib")),
		filepath.Join(folder, "lib", "libonnxruntime.so"))
	o.scanners = firstOf(o.scanners, os.Getenv("GATEHOUSE_SCANNERS"), filepath.Join(folder, "scanners"))
	return nil
}

func firstOf(values ...string) string {
	for _, v := range values {
		if v != "" {
			return v
		}
	}
	return ""
}
