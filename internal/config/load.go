package config

import (
	"errors"
	"fmt"
	"net"
	"os"
	"reflect"
	"strconv"
	"strings"

	"github.com/go-playground/validator/v10"
	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"gatehouse/internal/event"
)

// Problem is one mistake in a configuration file.
type Problem struct {
	File    string `json:"file"`
	Line    int    `json:"line"` // from 1; 0 when the place is not known
	Column  int    `json:"column"`
	Message string `json:"message"`
	Excerpt string `json:"excerpt,omitempty"` // the lines around the mistake
}

// Error is the problem in one line and its excerpt below.
func (p Problem) Error() string {
	place := p.File
	if p.Line > 0 {
		place = fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Column)
	}
	return strings.TrimRight(place+": "+p.Message+"\n"+p.Excerpt, "\n")
}

// Problems are all mistakes of a file that could be told at once.
type Problems []Problem

// Error lists the problems, one after the other.
func (ps Problems) Error() string {
	lines := make([]string, len(ps))
	for i, p := range ps {
		lines[i] = p.Error()
	}
	return strings.Join(lines, "\n")
}

// File is a loaded configuration together with its source, which later checks
// need in order to point at the place of a mistake.
type File struct {
	Gate Gate
	path string
	tree *ast.File
}

// Load reads and checks a configuration file. The error is Problems when the
// file can be read.
func Load(path string) (*File, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read configuration: %w", err)
	}
	f := &File{Gate: Default(), path: path}
	if f.tree, err = parser.ParseBytes(text, 0); err != nil {
		return nil, Problems{f.problem(err)}
	}
	if len(f.tree.Docs) != 1 || f.tree.Docs[0].Body == nil {
		return nil, Problems{{File: path, Message: "the file must hold exactly one YAML document"}}
	}
	body := f.tree.Docs[0].Body
	// Two passes: defaults of lanes depend on what the file says, and the field
	// rules hold for the result.
	if err := yaml.NodeToValue(body, &f.Gate, yaml.Strict()); err != nil {
		return nil, Problems{f.problem(err)}
	}
	for i := range f.Gate.Lanes {
		defaultLane(&f.Gate.Lanes[i])
	}
	if f.Gate.Hub.Embedded != nil {
		defaultHub(f.Gate.Hub.Embedded)
	}
	if ps := append(f.fields(), f.meaning()...); len(ps) > 0 {
		return nil, ps
	}
	return f, nil
}

// problem turns a decoder's error into one with a place.
func (f *File) problem(err error) Problem {
	var at yaml.Error
	if !errors.As(err, &at) || at.GetToken() == nil {
		return Problem{File: f.path, Message: err.Error()}
	}
	pos := at.GetToken().Position
	_, excerpt, _ := strings.Cut(yaml.FormatError(err, false, true), "\n")
	return Problem{File: f.path, Line: pos.Line, Column: pos.Column, Message: at.GetMessage(), Excerpt: excerpt}
}

// at is a problem at the node with the given YAML path, such as
// "$.lanes[0].id", or at its nearest parent that the file has.
func (f *File) at(path, format string, args ...any) Problem {
	p := Problem{File: f.path, Message: fmt.Sprintf(format, args...)}
	for at := path; at != "" && at != "$"; at = parent(at) {
		query, err := yaml.PathString(at)
		if err != nil {
			continue
		}
		node, err := query.FilterFile(f.tree)
		if err != nil || node == nil {
			continue
		}
		pos := node.GetToken().Position
		p.Line, p.Column = pos.Line, pos.Column
		return p
	}
	return p
}

func parent(path string) string {
	if i := strings.LastIndexAny(path, ".["); i > 0 {
		return path[:i]
	}
	return ""
}

// fields checks the rules in the validate tags.
func (f *File) fields() Problems {
	err := newValidator().Struct(f.Gate)
	var failed validator.ValidationErrors
	if err == nil {
		return nil
	}
	if !errors.As(err, &failed) {
		return Problems{{File: f.path, Message: err.Error()}}
	}
	var ps Problems
	for _, e := range failed {
		_, path, _ := strings.Cut(e.Namespace(), ".") // the type's name stands first
		ps = append(ps, f.at("$."+path, "%s %s", path, rule(e)))
	}
	return ps
}

// rule says in words which rule a field broke.
func rule(e validator.FieldError) string {
	switch e.Tag() {
	case "required":
		return "is missing"
	case "oneof":
		return fmt.Sprintf("is %q and must be one of: %s", fmt.Sprint(e.Value()), strings.ReplaceAll(e.Param(), " ", ", "))
	case "len":
		return "must have exactly " + e.Param() + " entries"
	case "min":
		return "must be at least " + e.Param()
	case "max":
		return "must be at most " + e.Param()
	case "gt":
		return "must be more than " + e.Param()
	case "lte":
		return "must be at most " + e.Param()
	case "unique":
		return "names something twice"
	case "gte":
		return "must not be less than " + e.Param()
	case "alphanum":
		return fmt.Sprintf("is %q and may hold only letters and digits", fmt.Sprint(e.Value()))
	case "listen":
		return fmt.Sprintf("is %q and must be of the form host:port; 127.0.0.1 is this machine alone, 0.0.0.0 all networks", fmt.Sprint(e.Value()))
	}
	return "breaks the rule " + e.Tag() + " " + e.Param()
}

func newValidator() *validator.Validate {
	v := validator.New(validator.WithRequiredStructEnabled())
	v.RegisterTagNameFunc(func(f reflect.StructField) string {
		name, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		return name
	})
	// The only error of registering is an empty tag or function.
	_ = v.RegisterValidation("listen", func(fl validator.FieldLevel) bool { return isListen(fl.Field().String()) })
	return v
}

// isListen accepts host:port with a named host and any port; 0 takes a free one.
func isListen(address string) bool {
	host, port, err := net.SplitHostPort(address)
	if err != nil || host == "" {
		return false
	}
	_, err = strconv.ParseUint(port, 10, 16)
	return err == nil
}

// meaning checks what no single field can tell.
func (f *File) meaning() Problems {
	var ps Problems
	seen := map[event.Agency]bool{}
	for i, a := range f.Gate.Agencies {
		if seen[a.Code] {
			ps = append(ps, f.at(fmt.Sprintf("$.agencies[%d].code", i), "agency %s is listed twice", a.Code))
		}
		seen[a.Code] = true
	}
	if f.Gate.Hub.Embedded == nil && f.Gate.Hub.URL == "" {
		ps = append(ps, f.at("$.hub", "the hub needs either url or embedded"))
	}
	lanes := map[string]bool{}
	for i, l := range f.Gate.Lanes {
		if lanes[l.ID] {
			ps = append(ps, f.at(fmt.Sprintf("$.lanes[%d].id", i), "lane %s is listed twice", l.ID))
		}
		lanes[l.ID] = true
		ps = append(ps, f.devices(i, l)...)
	}
	return ps
}

func (f *File) devices(lane int, l Lane) Problems {
	var ps Problems
	seen := map[string]bool{}
	for i, d := range l.Devices {
		if seen[d.ID] {
			ps = append(ps, f.at(fmt.Sprintf("$.lanes[%d].devices[%d].id", lane, i), "device %s is listed twice in lane %s", d.ID, l.ID))
		}
		seen[d.ID] = true
	}
	return ps
}

// Settings gives the decode function for the device's own section, strict and
// with the driver's validate tags.
func (f *File) Settings(lane, device int) func(into any) error {
	d := f.Gate.Lanes[lane].Devices[device]
	return func(into any) error {
		if d.Settings == nil {
			return newValidator().Struct(into)
		}
		if err := yaml.NodeToValue(d.Settings, into, yaml.Strict(), yaml.Validator(newValidator())); err != nil {
			return f.problem(err)
		}
		return nil
	}
}

// DeviceProblem points at a device whose driver refuses its settings.
func (f *File) DeviceProblem(lane, device int, err error) Problem {
	if p, ok := errors.AsType[Problem](err); ok {
		return p
	}
	return f.at(fmt.Sprintf("$.lanes[%d].devices[%d].settings", lane, device), "%s", err.Error())
}

// Digest identifies the file's content.
func (f *File) Digest() string { return event.Digest([]byte(f.tree.String())) }
