package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"gatehouse/internal/vision/picture"
	"gatehouse/internal/vision/worker"
)

func newWorker(o *options) *cobra.Command {
	return &cobra.Command{
		Use: "worker", Short: "Answer the daemon's requests on standard input", Args: cobra.NoArgs,
		Long: `Answers requests, one JSON line each, until standard input ends. Standard output
carries the answers only. The daemon starts this; people rarely do.`,
		RunE: func(*cobra.Command, []string) error { return work(o) },
	}
}

func work(o *options) (err error) {
	if err := o.locate(); err != nil {
		return fmt.Errorf("%w: %w", errWork, err)
	}
	out, err := worker.Isolate(o.memoryMB, o.threads)
	if err != nil {
		return fmt.Errorf("%w: %w", errWork, err)
	}
	w, err := worker.New(worker.Config{
		Models: o.models, Runtime: o.runtime, Threads: o.threads, Limits: picture.DefaultLimits(),
		Scanners: o.scanners,
	})
	if err != nil {
		return fmt.Errorf("%w: %w", errWork, err)
	}
	if err := errors.Join(w.Serve(worker.Input(), out), w.Close()); err != nil {
		return fmt.Errorf("%w: %w", errWork, err)
	}
	return nil
}
