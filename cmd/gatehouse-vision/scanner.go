package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"gatehouse/internal/vision/picture"
	"gatehouse/internal/vision/wire"
	"gatehouse/internal/vision/xray"
	"gatehouse/internal/vision/xray/intake"
	"gatehouse/internal/vision/xray/physics"
	"gatehouse/internal/vision/xray/scanner"
)

// scannerOptions are the flags of the measurements on a scanner.
type scannerOptions struct {
	name   string
	object string
	save   bool
}

func newScanner(o *options, out io.Writer) *cobra.Command {
	var s scannerOptions
	cmd := &cobra.Command{
		Use: "scanner measure|air", Short: "Measure an X-ray scanner, so that a technician sees it drift", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			return errors.New("say what to measure: measure or air")
		},
	}
	cmd.PersistentFlags().StringVar(&s.name, "scanner", "", "name of the scanner")
	_ = cmd.MarkPersistentFlagRequired("scanner") // fails only for a flag that does not exist
	measure := &cobra.Command{
		Use: "measure --scanner NAME --object FILE SCAN", Short: "Measure image quality and material curves on a scan of the test object", Args: cobra.ExactArgs(1),
		Long: `Measures contrast, resolution, penetration and noise on a scan of the test object,
and compares them with those of the scanner's calibration. FILE describes the
object: {"name","mm_per_pixel","steps":[{"material","mm","box":[x,y,w,h]}],
"opaque":[x,y,w,h],"edge":[x,y,w,h]} with the materials polyethylene, aluminium
and steel. With --save the material curves, the scatter and the quality go into a
new version of the calibration. The exit status is 1 when a measure has drifted.`,
		RunE: func(_ *cobra.Command, args []string) error { return s.measure(o, args[0], out) },
	}
	measure.Flags().StringVar(&s.object, "object", "", "file that describes the test object and where it lies in the scan")
	measure.Flags().BoolVar(&s.save, "save", false, "keep the curves and the quality as a new calibration")
	_ = measure.MarkFlagRequired("object")
	air := &cobra.Command{
		Use: "air --scanner NAME SCAN", Short: "Measure the open beam on a scan of nothing", Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error { return s.air(args[0], out) },
	}
	cmd.AddCommand(measure, air)
	return cmd
}

// read opens a technician's scan and gives its grey values.
func read(file string) (physics.Levels, float64, error) {
	s, err := intake.Open(intake.Find(file), picture.DefaultLimits())
	if err != nil {
		return physics.Levels{}, 0, fmt.Errorf("%w: %s: %w", errWork, file, err)
	}
	defer s.Close()
	l, err := xray.LevelsOf(s)
	if err != nil {
		return l, 0, fmt.Errorf("%w: %s: %w", errWork, file, err)
	}
	return l, s.Side.KV, nil
}

// measured is the line that measure prints.
type measured struct {
	File    string          `json:"file"`
	Scanner string          `json:"scanner"`
	Object  string          `json:"object,omitempty"`
	Quality physics.Quality `json:"quality"`
	Drift   []scanner.Drift `json:"drift,omitempty"`
	Drifted bool            `json:"drifted"`
	Saved   string          `json:"saved,omitempty"` // version of the new calibration
	// Curves says why there are no material curves, when there are none.
	Curves string `json:"curves,omitempty"`
}

func (s *scannerOptions) measure(o *options, file string, out io.Writer) error {
	if err := o.locate(); err != nil {
		return fmt.Errorf("%w: %w", errWork, err)
	}
	text, err := os.ReadFile(s.object)
	if err != nil {
		return fmt.Errorf("%w: read the test object: %w", errWork, err)
	}
	var object physics.TestObject
	if err := json.Unmarshal(text, &object); err != nil {
		return fmt.Errorf("%w: read the test object %s: %w", errWork, s.object, err)
	}
	l, kv, err := read(file)
	if err != nil {
		return err
	}
	known, err := scanner.Load(o.scanners, s.name)
	if err != nil {
		return fmt.Errorf("%w: %w", errWork, err)
	}
	line := measured{File: file, Scanner: s.name, Object: object.Name}
	setup, failed := physics.Measure(l, object)
	if failed != nil { // one energy, say: the quality can be measured all the same
		line.Curves = failed.Error()
	} else {
		setup.Curves.KV = kv
	}
	if line.Quality, err = physics.Assess(l, object, setup); err != nil {
		return fmt.Errorf("%w: %s: %w", errWork, file, err)
	}
	if known != nil && known.Quality != nil {
		line.Drift = scanner.Drifts(*known.Quality, line.Quality)
		for _, d := range line.Drift {
			line.Drifted = line.Drifted || d.Drifted
		}
	}
	if s.save {
		if known == nil {
			known = &scanner.Calibration{Scanner: s.name, Kind: wire.KindBaggage}
		}
		known.MadeAt, known.Quality = time.Now().UTC().Truncate(time.Second), &line.Quality
		if failed == nil {
			known.Curves, known.Scatter = setup.Curves, setup.Scatter
		}
		if _, err := known.Save(o.scanners); err != nil {
			return fmt.Errorf("%w: %w", errWork, err)
		}
		line.Saved = known.Version
	}
	if err := json.NewEncoder(out).Encode(line); err != nil {
		return fmt.Errorf("%w: write result: %w", errWork, err)
	}
	if line.Drifted {
		return fmt.Errorf("%w: %s has drifted since its calibration; have the tube and the detectors looked at", errFailed, s.name)
	}
	return nil
}

func (s *scannerOptions) air(file string, out io.Writer) error {
	l, _, err := read(file)
	if err != nil {
		return err
	}
	beam, err := physics.OpenBeam(l)
	if err != nil {
		return fmt.Errorf("%w: %s: %w", errWork, file, err)
	}
	if err := json.NewEncoder(out).Encode(struct {
		File    string       `json:"file"`
		Scanner string       `json:"scanner"`
		Air     physics.Beam `json:"air"`
	}{file, s.name, beam}); err != nil {
		return fmt.Errorf("%w: write result: %w", errWork, err)
	}
	if len(beam.Dead) > 0 {
		return fmt.Errorf("%w: %d of the detector's channels see nothing", errFailed, len(beam.Dead))
	}
	return nil
}
