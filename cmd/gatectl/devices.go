package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/spf13/cobra"

	"gatehouse/drivers"
	"gatehouse/internal/config"
	"gatehouse/internal/driver"
)

// listenTime is how long a driver listens at one speed: a quiet portal monitor
// says something every 5 s.
const listenTime = 6 * time.Second

// port is a serial port of this machine.
type port struct {
	Path   string `json:"path"`             // the name to configure, permanent where there is one
	Device string `json:"device"`           // what it is now
	UsedBy string `json:"used_by"`          // device of the configuration; empty for none
	Found  *found `json:"answer,omitempty"` // of a probe
}

// found is what a driver understood on a line.
type found struct {
	Driver string `json:"driver"`
	Baud   int    `json:"baud,omitempty"` // serial ports only
	Says   string `json:"says"`
}

func newDevicesCmd(asJSON *bool) *cobra.Command {
	var path string
	var bauds []int
	var only string
	cmd := &cobra.Command{
		Use: "devices [PORT|HOST:PORT...]", Short: "List serial ports by their permanent names, and find out what is behind a line",
		Long: `Without arguments list the serial ports of this machine by the names that stay
the same when devices are plugged elsewhere, and which device of the
configuration uses each.

With arguments listen to these lines, at several speeds, until a driver
understands what comes. A line that the daemon holds must be freed first.`,
		Example: `  gatectl devices --config /etc/gatehouse/gate.yaml
  gatectl devices /dev/serial/by-id/usb-portal-monitor
  gatectl devices 192.168.1.20:4001 --driver rpm`,
		RunE: func(cmd *cobra.Command, args []string) error {
			used, err := usedPorts(path)
			if err != nil {
				return failed(err)
			}
			if len(args) == 0 {
				return printPorts(cmd.OutOrStdout(), ports("/", used), *asJSON)
			}
			p := prober{bauds: bauds, only: only}
			good := true
			for _, line := range args {
				one := port{Path: line, Device: target(line), UsedBy: used[target(line)]}
				one.Found, err = p.probe(cmd.Context(), line)
				if err != nil {
					good = false
					fmt.Fprintf(cmd.ErrOrStderr(), "%s: %v\n", line, err)
				}
				if err := printProbe(cmd.OutOrStdout(), one, *asJSON); err != nil {
					return err
				}
			}
			if !good {
				return failed(nil)
			}
			return nil
		},
	}
	f := cmd.Flags()
	f.StringVar(&path, "config", "", "configuration `FILE`, to tell which ports it uses")
	f.IntSliceVar(&bauds, "baud", []int{9600, 115200, 19200, 4800}, "speeds to try")
	f.StringVar(&only, "driver", "", "try this driver only")
	return cmd
}

// target is the port that a name stands for now.
func target(path string) string {
	if now, err := filepath.EvalSymlinks(path); err == nil {
		return now
	}
	return path
}

// usedPorts are the ports that a configuration names, with its devices.
func usedPorts(path string) (map[string]string, error) {
	used := map[string]string{}
	if path == "" {
		return used, nil
	}
	f, err := config.Open(path)
	if err != nil {
		return nil, err
	}
	for i, l := range f.Gate.Lanes {
		for j, d := range l.Devices {
			if p := f.Setting(i, j, "line.port"); p != "" {
				used[target(p)] = "lane " + l.ID + " " + d.ID
			}
		}
	}
	return used, nil
}

// ports lists the serial ports below root, those with permanent names first.
func ports(root string, used map[string]string) []port {
	out := []port{}
	named := map[string]bool{}
	byID, _ := filepath.Glob(filepath.Join(root, "dev/serial/by-id/*"))
	for _, p := range byID {
		named[target(p)] = true
		out = append(out, port{Path: p, Device: target(p), UsedBy: used[target(p)]})
	}
	for _, kind := range []string{"ttyUSB*", "ttyACM*", "ttyS*"} {
		plain, _ := filepath.Glob(filepath.Join(root, "dev", kind))
		for _, p := range plain {
			// The kernel names four ports that most machines do not have.
			_, err := os.Stat(filepath.Join(root, "sys/class/tty", filepath.Base(p), "device"))
			if err == nil && !named[p] {
				out = append(out, port{Path: p, Device: p, UsedBy: used[p]})
			}
		}
	}
	return out
}

func printPorts(out io.Writer, all []port, asJSON bool) error {
	if asJSON {
		for _, p := range all {
			if err := printJSON(out, p); err != nil {
				return err
			}
		}
		return nil
	}
	if len(all) == 0 {
		fmt.Fprintln(out, "this machine has no serial ports")
		return nil
	}
	var rows [][]string
	for _, p := range all {
		rows = append(rows, []string{p.Path, p.Device, p.UsedBy})
	}
	table(out, []string{"PORT", "NOW", "USED BY"}, rows)
	return nil
}

func printProbe(out io.Writer, p port, asJSON bool) error {
	if asJSON {
		return printJSON(out, p)
	}
	if p.Found == nil {
		return nil
	}
	line := "tcp: " + p.Path
	if p.Found.Baud > 0 {
		line = fmt.Sprintf("port: %s\n            baud: %d", p.Path, p.Found.Baud)
	}
	fmt.Fprintf(out, "%s: %s\n        driver: %s\n        settings:\n          line:\n            %s\n", p.Path, p.Found.Says, p.Found.Driver, line)
	return nil
}

// prober tries drivers on a line.
type prober struct {
	bauds []int
	only  string
}

// probe tries every driver that can probe a line at every speed, until one
// understands it. A line that cannot be opened is tried once.
func (p prober) probe(ctx context.Context, line string) (*found, error) {
	bauds := []int{0}
	if strings.HasPrefix(line, "/") {
		if _, err := os.Stat(line); err != nil {
			return nil, err
		}
		bauds = p.bauds
	}
	kinds := drivers.All()
	if p.only != "" && !slices.ContainsFunc(kinds, func(k driver.Kind) bool { return k.Name == p.only }) {
		return nil, fmt.Errorf("there is no driver %s", p.only)
	}
	for _, baud := range bauds {
		for _, k := range kinds {
			if p.only != "" && k.Name != p.only {
				continue
			}
			if says, err := listen(ctx, k, line, baud); err == nil {
				return &found{Driver: k.Name, Baud: baud, Says: says}, nil
			}
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
		}
	}
	return nil, errors.New("no driver understands what comes, or nothing comes; look at power, cable and speed")
}

// listen has one driver probe the line at one speed.
func listen(ctx context.Context, k driver.Kind, line string, baud int) (string, error) {
	settings := map[string]any{"line": map[string]any{"tcp": line}}
	if baud > 0 {
		settings["line"] = map[string]any{"port": line, "baud": baud}
	}
	text, err := yaml.Marshal(settings)
	if err != nil {
		return "", err
	}
	// Only the line matters here; what else a driver wants stays as it likes.
	decode := func(into any) error { return yaml.Unmarshal(text, into) }
	d, err := k.New(decode, driver.Env{Log: slog.New(slog.DiscardHandler), Now: time.Now})
	if err != nil {
		return "", err
	}
	able, ok := d.(driver.Prober)
	if !ok || k.Name == "camera" { // a camera is behind a broker, not a line
		return "", errors.ErrUnsupported
	}
	ctx, cancel := context.WithTimeout(ctx, listenTime)
	defer cancel()
	return able.Probe(ctx)
}
