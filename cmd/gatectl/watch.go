package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"gatehouse/internal/event"
)

func newWatchCmd(asJSON *bool) *cobra.Command {
	cmd := &cobra.Command{
		Use: "watch LANE DEVICE", Short: "Show a device's readings as they are stored, until Ctrl-C",
		Example: "  gatectl watch 01 rpm",
		Args:    cobra.ExactArgs(2),
	}
	client := stateFlag(cmd)
	count := cmd.Flags().Int("count", 0, "end after so many `READINGS`; 0 never")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		out, seen := cmd.OutOrStdout(), 0
		ctx, cancel := context.WithCancel(cmd.Context())
		defer cancel()
		err := client().Watch(ctx, args[0], args[1], func(r event.Reading) error {
			if seen++; *count > 0 && seen >= *count {
				cancel()
			}
			if *asJSON {
				return printJSON(out, r)
			}
			_, err := fmt.Fprintln(out, line(r))
			return err
		})
		if err != nil {
			return failed(fmt.Errorf("watch device %s of lane %s: %w", args[1], args[0], err))
		}
		return nil
	}
	return cmd
}

// line is a reading in one line for a person at the device.
func line(r event.Reading) string {
	parts := []string{r.ReceivedAt.In(vietnam()).Format("15:04:05.000"), string(r.Kind)}
	if r.Quality != event.Good {
		parts = append(parts, string(r.Quality))
	}
	parts = append(parts, values(r))
	if r.Note != "" {
		parts = append(parts, r.Note)
	}
	if len(r.Raw) > 0 {
		parts = append(parts, fmt.Sprintf("%q", r.Raw))
	}
	return strings.Join(strings.Fields(strings.Join(parts, " ")), " ")
}

// values are the figures of a reading.
func values(r event.Reading) string {
	switch {
	case r.Radiation != nil:
		return fmt.Sprintf("%s %s %v in %d ms alarm=%t", r.Radiation.Record, r.Radiation.Channel, r.Radiation.Counts, r.Radiation.IntervalMS, r.Radiation.Alarm)
	case r.Presence != nil:
		return fmt.Sprintf("occupied=%t %s", r.Presence.Occupied, r.Presence.Number)
	case r.Weight != nil:
		gross := "no weight"
		if r.Weight.Gross != nil {
			gross = fmt.Sprintf("%g kg", *r.Weight.Gross)
		}
		return fmt.Sprintf("%s stable=%t motion=%t", gross, r.Weight.Stable, r.Weight.Motion)
	case r.Capture != nil:
		return fmt.Sprintf("%s %s picture=%t", r.Capture.EventID, r.Capture.View, r.Capture.Image != nil)
	case r.Scan != nil:
		return fmt.Sprintf("%s %s view %d image=%t", r.Scan.ScanID, r.Scan.Event, r.Scan.View, r.Scan.Image != nil)
	case r.Document != nil:
		return fmt.Sprintf("%s %s checks %v", r.Document.Format, r.Document.Issuer, r.Document.Checks)
	case r.Barcode != nil:
		return fmt.Sprintf("%s %s", r.Barcode.Symbology, r.Barcode.Text)
	case r.Barrier != nil:
		return fmt.Sprintf("arm %s lights %v loops %v", r.Barrier.Arm, r.Barrier.Lights, r.Barrier.Loops)
	case r.Report != nil:
		return fmt.Sprintf("%s %s %v", r.Report.State, r.Report.Code, r.Report.Detail)
	case r.Loss != nil:
		return fmt.Sprintf("%d frames lost, %s", r.Loss.Frames, r.Loss.Reason)
	}
	return ""
}
