package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"

	"github.com/spf13/cobra"

	"gatehouse/internal/vision/model"
	"gatehouse/internal/vision/plate"
	"gatehouse/internal/vision/watch"
)

func newWatch(o *options, out, log io.Writer) *cobra.Command {
	var cfg watch.Config
	cmd := &cobra.Command{
		Use: "watch SOURCE", Short: "Follow vehicles through a video and read their plates", Args: cobra.ExactArgs(1),
		Long: `Follows vehicles through a video: a file, a stream (rtsp://...) or a camera
(/dev/video0). Each vehicle that has gone gives one JSON line with its plates,
each voted on over all frames that showed it. A stream or a camera is watched
until the program is told to end.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			cfg.Source = args[0]
			cfg.Log = slog.New(slog.NewTextHandler(log, nil))
			if err := follow(cmd.Context(), o, cfg, out); err != nil {
				return fmt.Errorf("%w: %w", errWork, err)
			}
			return nil
		},
	}
	cmd.Flags().Float64Var(&cfg.Looks, "looks", 10, "frames a second that are looked at")
	return cmd
}

func follow(ctx context.Context, o *options, cfg watch.Config, out io.Writer) (err error) {
	if err := o.locate(); err != nil {
		return err
	}
	rt, err := model.Start(o.runtime, o.threads)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rt.Close()) }()
	rules, err := plate.BuiltinRules()
	if err != nil {
		return err
	}
	plates, err := plate.New(rt, o.models, rules)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, plates.Close()) }()
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	stats, err := watch.New(cfg, plates).Run(ctx, func(v watch.Vehicle) error { return encoder.Encode(v) })
	cfg.Log.Info("watched", "device", cfg.Name(), "frames", stats.Frames, "looks", stats.Looks, "dropped", stats.Dropped,
		"behind", stats.Behind)
	return err
}
