// Package worker is the inside of a vision worker process: it answers requests
// one at a time with the analysers that its models allow.
package worker

import (
	"bufio"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"time"

	"gatehouse/internal/vision/lettering"
	"gatehouse/internal/vision/model"
	"gatehouse/internal/vision/picture"
	"gatehouse/internal/vision/plate"
	"gatehouse/internal/vision/wire"
	"gatehouse/internal/vision/xray"
	"gatehouse/internal/vision/xray/intake"
	"gatehouse/internal/vision/xray/scanner"
)

// Config says where a worker finds its parts.
type Config struct {
	Models  string // folder with one folder per model
	Runtime string // path of libonnxruntime.so
	Threads int    // of one inference
	Limits  picture.Limits
	// Scanners is the folder of the scanners' calibrations; may be empty.
	Scanners string
}

// Worker holds the loaded models.
type Worker struct {
	cfg     Config
	runtime *model.Runtime
	plates  *plate.Analyser
	codes   *lettering.Analyser
	baggage *xray.Baggage
	cargo   *xray.Cargo
	ready   wire.Ready
}

// New loads what there is. A missing model is no error: what needs it answers
// model-missing and the rest works. A missing ONNX Runtime leaves the analyses
// that need no net.
func New(cfg Config) (*Worker, error) {
	w := &Worker{cfg: cfg, cargo: xray.NewCargo(), ready: wire.Ready{
		Ready: true, Models: map[string]string{"xray-cargo": xray.CargoVersion}, Missing: map[string]string{},
	}}
	rules, err := plate.BuiltinRules()
	if err != nil {
		return nil, err
	}
	if w.runtime, err = model.Start(cfg.Runtime, cfg.Threads); err != nil {
		for _, name := range []string{plate.DetectorModel, plate.ReaderModel, lettering.Model, xray.BaggageModel} {
			w.ready.Missing[name] = err.Error()
		}
		return w, nil
	}
	if w.plates, err = plate.New(w.runtime, cfg.Models, rules); err != nil {
		w.ready.Missing["plate"] = err.Error()
	} else {
		maps.Copy(w.ready.Models, w.plates.Versions())
	}
	if w.codes, err = lettering.New(w.runtime, filepath.Join(cfg.Models, lettering.Model)); err != nil {
		w.ready.Missing[lettering.Model] = err.Error()
	} else {
		w.ready.Models[lettering.Model] = w.codes.Version()
	}
	if w.baggage, err = xray.NewBaggage(w.runtime, filepath.Join(cfg.Models, xray.BaggageModel)); err != nil {
		w.ready.Missing[xray.BaggageModel] = err.Error()
	} else {
		w.ready.Models[xray.BaggageModel] = w.baggage.Version()
	}
	return w, nil
}

// Close frees the models.
func (w *Worker) Close() error {
	var errs []error
	if w.plates != nil {
		errs = append(errs, w.plates.Close())
	}
	if w.codes != nil {
		errs = append(errs, w.codes.Close())
	}
	if w.baggage != nil {
		errs = append(errs, w.baggage.Close())
	}
	if w.runtime != nil {
		errs = append(errs, w.runtime.Close())
	}
	return errors.Join(errs...)
}

// Serve answers the requests on in until it ends. Every answer is one line.
func (w *Worker) Serve(in io.Reader, out io.Writer) error {
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(w.ready); err != nil {
		return fmt.Errorf("say ready: %w", err)
	}
	lines := bufio.NewScanner(in)
	lines.Buffer(make([]byte, 0, 64<<10), wire.MaxLine)
	for lines.Scan() {
		if len(lines.Bytes()) == 0 {
			continue
		}
		if err := encoder.Encode(w.answer(lines.Bytes())); err != nil {
			return fmt.Errorf("write answer: %w", err)
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("read requests: %w", err)
	}
	return nil
}

func (w *Worker) answer(line []byte) wire.Response {
	var req wire.Request
	if err := json.Unmarshal(line, &req); err != nil {
		return wire.Response{Error: wire.Errorf(wire.Internal, "request is not understood: %v", err)}
	}
	result, err := w.do(req)
	if err != nil {
		return failed(req.ID, err)
	}
	body, err := json.Marshal(result)
	if err != nil {
		return failed(req.ID, fmt.Errorf("encode result: %w", err))
	}
	return wire.Response{ID: req.ID, Result: body}
}

func failed(id string, err error) wire.Response {
	if e, ok := errors.AsType[*wire.Error](err); ok {
		return wire.Response{ID: id, Error: e}
	}
	return wire.Response{ID: id, Error: wire.Errorf(wire.Internal, "%v", err)}
}

func (w *Worker) do(req wire.Request) (any, error) {
	switch req.Op {
	case wire.OpPlate:
		return w.plate(req)
	case wire.OpXray:
		return w.xray(req)
	case wire.OpContainer:
		return w.container(req)
	case wire.OpCanary:
		return w.canary(req.Kind)
	}
	return nil, wire.Errorf(wire.Internal, "there is no operation %q", req.Op)
}

func (w *Worker) missing(names ...string) error {
	for _, n := range names {
		if why, ok := w.ready.Missing[n]; ok {
			return wire.Errorf(wire.ModelMissing, "%s: %s", n, why)
		}
	}
	return wire.Errorf(wire.ModelMissing, "%v", names)
}

func (w *Worker) plate(req wire.Request) (*wire.Plates, error) {
	if w.plates == nil {
		return nil, w.missing("plate", plate.DetectorModel)
	}
	start := time.Now()
	p, err := picture.Open(req.Path, picture.Colour, w.cfg.Limits)
	if err != nil {
		return nil, err
	}
	defer p.Close()
	decoded := time.Since(start)
	result, err := w.plates.Analyse(p)
	if err != nil {
		return nil, err
	}
	result.File = req.Path
	finish(result.MS, start, decoded)
	return result, nil
}

func (w *Worker) container(req wire.Request) (*wire.Codes, error) {
	if w.codes == nil {
		return nil, w.missing(lettering.Model)
	}
	start := time.Now()
	p, err := picture.Open(req.Path, picture.Colour, w.cfg.Limits)
	if err != nil {
		return nil, err
	}
	defer p.Close()
	decoded := time.Since(start)
	result, err := w.codes.Analyse(p)
	if err != nil {
		return nil, err
	}
	result.File = req.Path
	finish(result.MS, start, decoded)
	return result, nil
}

func (w *Worker) xray(req wire.Request) (*wire.Scan, error) {
	analyse, err := w.scanner(req.Kind)
	if err != nil {
		return nil, err
	}
	start := time.Now()
	site := xray.Site{Name: req.Scanner}
	site.Calibration, err = scanner.Load(w.cfg.Scanners, req.Scanner)
	if c := site.Calibration; c != nil && c.Template != "" {
		site.TemplateFile = filepath.Join(w.cfg.Scanners, req.Scanner, filepath.Base(c.Template))
	}
	broken := err // the scan is looked at all the same, in shadow mode
	files := intake.Find(req.Path)
	files.Low, files.Sidecar = cmp.Or(req.Low, files.Low), cmp.Or(req.Sidecar, files.Sidecar)
	s, err := intake.Open(files, w.cfg.Limits)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	decoded := time.Since(start)
	result, err := analyse(s, site)
	if err != nil {
		return nil, err
	}
	if broken != nil {
		result.Notes = append(result.Notes, wire.Text{VI: "Không đọc được hiệu chuẩn: " + broken.Error(), EN: "The calibration cannot be used: " + broken.Error()})
	}
	result.File = req.Path
	finish(result.MS, start, decoded)
	return result, nil
}

// scanner is the analysis of a kind of scan.
func (w *Worker) scanner(kind string) (func(*intake.Scan, xray.Site) (*wire.Scan, error), error) {
	switch kind {
	case wire.KindCargo:
		return w.cargo.Scan, nil
	case wire.KindBaggage:
		if w.baggage == nil {
			return nil, w.missing(xray.BaggageModel)
		}
		return w.baggage.Scan, nil
	}
	return nil, wire.Errorf(wire.Internal, "there is no kind of scan %q; use baggage or cargo", kind)
}

func finish(ms wire.Times, start time.Time, decoded time.Duration) {
	ms["decode"] = float64(decoded.Microseconds()) / 1000
	ms["total"] = float64(time.Since(start).Microseconds()) / 1000
}
