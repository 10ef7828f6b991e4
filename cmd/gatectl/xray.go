package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"gatehouse/internal/vision/wire"
	"gatehouse/internal/vision/xray/scanner"
)

// xrayOptions are the flags of the X-ray commands.
type xrayOptions struct {
	scanner string
	store   string
	program string
	kind    string
	alarms  float64
	// template is a scan of an empty container to keep with the calibration.
	template string
}

func newXrayCmd(asJSON *bool) *cobra.Command {
	var o xrayOptions
	cmd := &cobra.Command{
		Use: "xray", Short: "Calibrate X-ray scanners",
		Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	f := cmd.PersistentFlags()
	f.StringVar(&o.scanner, "scanner", "", "name of the scanner")
	f.StringVar(&o.store, "store", "", "folder of the calibrations (default: $GATEHOUSE_SCANNERS, or scanners beside the program)")
	_ = cmd.MarkPersistentFlagRequired("scanner") // fails only for a flag that does not exist
	cmd.AddCommand(newXrayCalibrateCmd(&o, asJSON), newXrayShowCmd(&o, asJSON))
	return cmd
}

func newXrayCalibrateCmd(o *xrayOptions, asJSON *bool) *cobra.Command {
	cmd := &cobra.Command{
		Use: "calibrate --scanner NAME DIR", Short: "Set a scanner's threshold from its own benign scans",
		Long: `Analyses every scan in DIR, all of which must be of traffic in which nothing was
found, and sets the threshold at which at most the wanted share of them alarms,
with a bound that holds with 90 % confidence. With too few scans it refuses and
says how many are needed. Each run makes a new version; the worker uses it for
scans of that scanner from the next one on.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, path, err := o.calibrate(cmd.Context(), args[0])
			if err != nil {
				return failed(err)
			}
			if *asJSON {
				return printJSON(cmd.OutOrStdout(), c)
			}
			for model, t := range c.Thresholds {
				fmt.Fprintf(cmd.OutOrStdout(), "%s, %s: threshold %.4f; %d of %d benign scans alarm; false-alarm rate at most %.1f %% with %.0f %% confidence\n",
					c.Scanner, model, t.Score, t.Alarms, t.Scans, 100*t.Bound, 100*t.Confidence)
			}
			fmt.Fprintf(cmd.OutOrStdout(), "version %s in %s\n", c.Version, path)
			return nil
		},
	}
	cmd.Flags().StringVar(&o.kind, "kind", wire.KindBaggage, "what the scanner scans: baggage or cargo")
	cmd.Flags().Float64Var(&o.alarms, "false-alarms", 0.05, "wanted share of benign scans that alarm")
	cmd.Flags().StringVar(&o.template, "template", "", "cargo: a scan of an empty container, which the hidden-volume rule compares with")
	cmd.Flags().StringVar(&o.program, "vision", "", "path of gatehouse-vision (default: beside this program)")
	return cmd
}

func newXrayShowCmd(o *xrayOptions, asJSON *bool) *cobra.Command {
	return &cobra.Command{
		Use: "show --scanner NAME", Short: "Print a scanner's current calibration", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			dir, err := o.folder()
			if err != nil {
				return failed(err)
			}
			c, err := scanner.Load(dir, o.scanner)
			if err != nil {
				return failed(err)
			}
			if c == nil {
				return failed(fmt.Errorf("%s has no calibration in %s: it runs in shadow mode; make one with gatectl xray calibrate", o.scanner, dir))
			}
			if *asJSON {
				return printJSON(cmd.OutOrStdout(), c)
			}
			text, err := json.MarshalIndent(c, "", " ")
			if err != nil {
				return failed(err)
			}
			fmt.Fprintln(cmd.OutOrStdout(), string(text))
			return nil
		},
	}
}

// folder is where the calibrations lie.
func (o *xrayOptions) folder() (string, error) {
	if o.store != "" {
		return o.store, nil
	}
	if dir := os.Getenv("GATEHOUSE_SCANNERS"); dir != "" {
		return dir, nil
	}
	return beside("scanners")
}

func beside(name string) (string, error) {
	program, err := os.Executable()
	if err != nil {
		return "", fmt.Errorf("find the program's folder: %w", err)
	}
	return filepath.Join(filepath.Dir(program), name), nil
}

// calibrate analyses the scans without a calibration and saves a new one. What
// the last one knew of materials is kept.
func (o *xrayOptions) calibrate(ctx context.Context, dir string) (*scanner.Calibration, string, error) {
	if o.kind != wire.KindBaggage && o.kind != wire.KindCargo {
		return nil, "", fmt.Errorf("--kind is %q; it must be baggage or cargo", o.kind)
	}
	store, err := o.folder()
	if err != nil {
		return nil, "", err
	}
	c, err := scanner.Load(store, o.scanner)
	if err != nil {
		return nil, "", err
	}
	if c == nil {
		c = &scanner.Calibration{Scanner: o.scanner}
	}
	files, err := scansIn(dir)
	if err != nil {
		return nil, "", err
	}
	if need := scanner.Needed(o.alarms); len(files) < need { // before hours of work
		return nil, "", fmt.Errorf("%w: %d in %s for a false-alarm rate of %g %%; %d are needed", scanner.ErrTooFew, len(files), dir, 100*o.alarms, need)
	}
	model, scores, err := o.scores(ctx, files)
	if err != nil {
		return nil, "", err
	}
	t, err := scanner.Set(scores, o.alarms)
	if err != nil {
		return nil, "", err
	}
	c.Kind, c.MadeAt = o.kind, time.Now().UTC().Truncate(time.Second)
	c.Thresholds = map[string]scanner.Threshold{model: t}
	if o.template != "" {
		if c.Template, err = keepTemplate(filepath.Join(store, o.scanner), o.template); err != nil {
			return nil, "", err
		}
	}
	path, err := c.Save(store)
	return c, path, err
}

// keepTemplate copies the empty scan beside the calibrations, under a name of
// its content, and returns that name.
func keepTemplate(dir, file string) (string, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("read the template: %w", err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", fmt.Errorf("keep the template: %w", err)
	}
	sum := sha256.Sum256(data)
	name := "template-" + hex.EncodeToString(sum[:8]) + filepath.Ext(file)
	if err := os.WriteFile(filepath.Join(dir, name), data, 0o644); err != nil {
		return "", fmt.Errorf("keep the template: %w", err)
	}
	return name, nil
}

// scansIn are the scans in a folder, one a view: the low energy comes along
// with the high one.
func scansIn(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("read the scans: %w", err)
	}
	var files []string
	for _, e := range entries {
		name := strings.ToLower(e.Name())
		ext := filepath.Ext(name)
		if !e.Type().IsRegular() || !slices.Contains([]string{".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".webp", ".dcm", ".dcs"}, ext) ||
			strings.HasSuffix(strings.TrimSuffix(name, ext), "_low") {
			continue
		}
		files = append(files, filepath.Join(dir, e.Name()))
	}
	return files, nil
}

// scores runs gatehouse-vision over the files and returns the raw scores of the
// whole images and the model that gave them.
func (o *xrayOptions) scores(ctx context.Context, files []string) (model string, scores []float64, err error) {
	program := o.program
	if program == "" {
		if program, err = beside("gatehouse-vision"); err != nil {
			return "", nil, err
		}
	}
	var errOut bytes.Buffer
	var bad []string
	for part := range slices.Chunk(files, 500) { // a command line has its limit
		cmd := exec.CommandContext(ctx, program, append([]string{"xray", "--kind", o.kind, "--deadline", "120s", "--"}, part...)...)
		cmd.Stderr = &errOut
		out, err := cmd.Output()
		if err != nil && len(out) == 0 {
			return "", nil, fmt.Errorf("run %s: %w: %s", program, err, strings.TrimSpace(errOut.String()))
		}
		lines := bufio.NewScanner(bytes.NewReader(out))
		lines.Buffer(nil, wire.MaxLine)
		for lines.Scan() {
			var r struct {
				wire.Scan
				Error *wire.Error `json:"error"`
			}
			if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
				return "", nil, fmt.Errorf("read the results of %s: %w", program, err)
			}
			if r.Error != nil {
				bad = append(bad, fmt.Sprintf("%s: %s", r.File, r.Error.Message))
				continue
			}
			model = r.Model
			scores = append(scores, r.Scores["image"])
		}
		if err := lines.Err(); err != nil {
			return "", nil, fmt.Errorf("read the results of %s: %w", program, err)
		}
	}
	if len(bad) > 0 {
		return "", nil, fmt.Errorf("%d of %d scans cannot be analysed; take them out or mend them: %w", len(bad), len(files), errors.New(strings.Join(bad, "; ")))
	}
	return model, scores, nil
}
