package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"gatehouse/internal/sim/control"
	"gatehouse/internal/sim/fault"
)

// where finds the socket of a running simulator.
type where struct{ state, control string }

func (w *where) flags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&w.state, "state", "", "state folder of the running gatesim")
	cmd.Flags().StringVar(&w.control, "control", "", "its control socket, when it is elsewhere")
}

func (w *where) ask(cmd *cobra.Command, r control.Request) (control.Answer, error) {
	socket := w.control
	if socket == "" {
		if w.state == "" {
			return control.Answer{}, usageError{errors.New("name the running gatesim's folder with --state")}
		}
		socket = control.Socket(w.state)
	}
	return control.Ask(cmd.Context(), socket, r)
}

func newFaultCmd() *cobra.Command {
	var w where
	r := control.Request{Op: "fault"}
	cmd := &cobra.Command{
		Use:   "fault NAME",
		Short: "Play a fault now (gatesim fault list names them)",
		Args:  usageArgs(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			r.Fault = args[0]
			a, err := w.ask(cmd, r)
			if err != nil {
				return err
			}
			return json.NewEncoder(cmd.OutOrStdout()).Encode(a.Active)
		},
	}
	w.flags(cmd)
	cmd.Flags().StringVar(&r.Lane, "lane", "", "its lane (default: the first that has the fault)")
	cmd.Flags().StringVar(&r.Device, "device", "", "its device (default: the lane's first that has the fault)")
	cmd.Flags().DurationVar(&r.For, "for", 0, "how long, in real time (default: the fault's own)")
	cmd.Flags().IntVar(&r.Vehicle, "vehicle", 0, "only with this vehicle or person number")
	cmd.Flags().IntVar(&r.Count, "times", 1, "how many times, for faults that happen once")
	cmd.AddCommand(newListCmd())
	return cmd
}

func newClearCmd() *cobra.Command {
	var w where
	r := control.Request{Op: "clear"}
	cmd := &cobra.Command{
		Use:   "clear [NAME]",
		Short: "End a fault early, or all of them",
		Args:  usageArgs(cobra.MaximumNArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				r.Fault = args[0]
			}
			_, err := w.ask(cmd, r)
			return err
		},
	}
	w.flags(cmd)
	cmd.Flags().StringVar(&r.Lane, "lane", "", "only in this lane")
	cmd.Flags().StringVar(&r.Device, "device", "", "only on this device")
	return cmd
}

func newStatusCmd() *cobra.Command {
	var w where
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Show how a running gatesim is, as one JSON line",
		Args:  usageArgs(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			a, err := w.ask(cmd, control.Request{Op: "status"})
			if err != nil {
				return err
			}
			return json.NewEncoder(cmd.OutOrStdout()).Encode(a.Status)
		},
	}
	w.flags(cmd)
	return cmd
}

func newListCmd() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the fault menu: what each does, to which kinds of device, and for how long",
		Args:  usageArgs(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if asJSON {
				return listJSON(cmd.OutOrStdout())
			}
			return listTable(cmd.OutOrStdout())
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "one JSON object per line")
	return cmd
}

func listJSON(w io.Writer) error {
	e := json.NewEncoder(w)
	for _, s := range fault.Menu() {
		if err := e.Encode(s); err != nil {
			return fmt.Errorf("print the menu: %w", err)
		}
	}
	return nil
}

func listTable(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(t, "FAULT\tDEVICE KINDS\tLASTS\tWHAT\tNGHĨA")
	for _, s := range fault.Menu() {
		lasts := "once"
		if !s.Occasion() {
			lasts = s.Window.Round(time.Second).String()
		}
		_, _ = fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\n", s.Name, strings.Join(s.Devices, ","), lasts, s.EN, s.VI)
	}
	if err := t.Flush(); err != nil {
		return fmt.Errorf("print the menu: %w", err)
	}
	return nil
}
