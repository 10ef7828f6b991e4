package model

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	ort "github.com/yalue/onnxruntime_go"
)

// Runtime is the process-wide ONNX Runtime. There can be one at a time.
type Runtime struct {
	threads int
}

// Start loads libonnxruntime.so from path. threads is the number that one
// inference uses.
func Start(path string, threads int) (*Runtime, error) {
	if info, err := os.Stat(path); err != nil {
		return nil, fmt.Errorf("ONNX Runtime's library is missing: %w", err)
	} else if info.IsDir() {
		return nil, fmt.Errorf("ONNX Runtime's library %s is a folder", path)
	}
	ort.SetSharedLibraryPath(path)
	if err := ort.InitializeEnvironment(ort.WithLogLevelError()); err != nil {
		return nil, fmt.Errorf("start ONNX Runtime from %s: %w", path, err)
	}
	return &Runtime{threads: max(1, threads)}, nil
}

// FindLibrary is the first libonnxruntime.so* in dir, or "".
func FindLibrary(dir string) string {
	found, _ := filepath.Glob(filepath.Join(dir, "libonnxruntime.so*"))
	if len(found) == 0 {
		return ""
	}
	slices.Sort(found)
	return found[0]
}

// Close ends ONNX Runtime; every Net must be closed before.
func (r *Runtime) Close() error { return ort.DestroyEnvironment() }

// Net is a loaded model. One call of Run at a time.
type Net struct {
	Manifest Manifest
	outputs  []string
	session  *ort.DynamicAdvancedSession
}

// Load reads the model in dir.
func (r *Runtime) Load(dir string) (*Net, error) {
	m, data, err := readModel(dir)
	if err != nil {
		return nil, err
	}
	inputs, outputs, err := ort.GetInputOutputInfoWithONNXData(data)
	if err != nil {
		return nil, fmt.Errorf("model %s cannot be loaded: %w", m.ID(), err)
	}
	if len(inputs) != 1 || inputs[0].Name != m.Input.Name {
		return nil, fmt.Errorf("model %s has not the one input %q that its manifest names", m.ID(), m.Input.Name)
	}
	options, err := r.options()
	if err != nil {
		return nil, err
	}
	defer options.Destroy()
	n := &Net{Manifest: m}
	for _, o := range outputs {
		n.outputs = append(n.outputs, o.Name)
	}
	n.session, err = ort.NewDynamicAdvancedSessionWithONNXData(data, []string{m.Input.Name}, n.outputs, options)
	if err != nil {
		return nil, fmt.Errorf("model %s cannot be loaded: %w", m.ID(), err)
	}
	return n, nil
}

// options keep a worker's memory flat over pictures of many sizes: the memory
// pattern remembers a plan per shape. Spinning threads would take the cores
// that the rest of the gate needs.
func (r *Runtime) options() (*ort.SessionOptions, error) {
	o, err := ort.NewSessionOptions()
	if err != nil {
		return nil, fmt.Errorf("make session options: %w", err)
	}
	err = errors.Join(
		o.SetIntraOpNumThreads(r.threads),
		o.SetInterOpNumThreads(1),
		o.SetMemPattern(false),
		o.AddSessionConfigEntry("session.intra_op.allow_spinning", "0"),
	)
	if err != nil {
		_ = o.Destroy()
		return nil, fmt.Errorf("set session options: %w", err)
	}
	return o, nil
}

// Close frees the model.
func (n *Net) Close() error { return n.session.Destroy() }

// Tensor is one output.
type Tensor struct {
	Shape []int
	Data  []float32
}

// Run puts data of the shape through the net and returns its outputs by name.
func (n *Net) Run(shape []int64, data []float32) (map[string]Tensor, error) {
	in, err := ort.NewTensor(ort.NewShape(shape...), data)
	if err != nil {
		return nil, fmt.Errorf("input of %s: %w", n.Manifest.ID(), err)
	}
	defer in.Destroy()
	values := make([]ort.Value, len(n.outputs))
	if err := n.session.Run([]ort.Value{in}, values); err != nil {
		return nil, fmt.Errorf("run %s: %w", n.Manifest.ID(), err)
	}
	defer func() {
		for _, v := range values {
			_ = v.Destroy()
		}
	}()
	out := make(map[string]Tensor, len(values))
	for i, v := range values {
		t, ok := v.(*ort.Tensor[float32])
		if !ok {
			return nil, fmt.Errorf("run %s: the output %q is a %T, and only 32-bit floats are read", n.Manifest.ID(), n.outputs[i], v)
		}
		s := t.GetShape()
		tensor := Tensor{Shape: make([]int, len(s)), Data: slices.Clone(t.GetData())}
		for k, d := range s {
			tensor.Shape[k] = int(d)
		}
		out[n.outputs[i]] = tensor
	}
	return out, nil
}

// Output is the tensor of a name with the wanted rank.
func Output(out map[string]Tensor, name string, rank int) (Tensor, error) {
	t, ok := out[name]
	if !ok || len(t.Shape) != rank {
		return Tensor{}, fmt.Errorf("the model's output %q is missing or has not rank %d: %v", name, rank, t.Shape)
	}
	return t, nil
}
