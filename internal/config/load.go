package config

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	"github.com/go-playground/validator/v10"
	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"

	"gatehouse/internal/event"
)

// File is a loaded configuration together with its source, which later checks
// need in order to point at the place of a mistake.
type File struct {
	Gate Gate

	path     string // as given
	absolute string
	text     []byte
	lines    []string
	anchors  map[string]ast.Node
	places   map[string]*token.Token // of each field that the file has
	rules    *validator.Validate
	problems Problems
}

// Load reads and checks a configuration file and takes no mistake. The error
// is Problems when the file can be read.
func Load(path string) (*File, error) {
	f, err := Open(path)
	if err != nil {
		return nil, err
	}
	if len(f.problems) > 0 {
		return nil, f.problems
	}
	return f, nil
}

// Open reads and checks a configuration file. Its mistakes are in Problems;
// what they concern has its default or is empty. The error is Problems when
// the file is no YAML at all.
func Open(path string) (*File, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read configuration: %w", err)
	}
	absolute, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("read configuration: %w", err)
	}
	f := &File{
		Gate: Default(), path: path, absolute: absolute, text: text,
		lines:  strings.Split(strings.ReplaceAll(string(text), "\r\n", "\n"), "\n"),
		places: map[string]*token.Token{}, anchors: map[string]ast.Node{}, rules: newValidator(),
	}
	body, err := f.parse()
	if err != nil {
		return nil, err
	}
	d := &decoder{file: f, anchors: f.anchors}
	d.value(body, reflect.ValueOf(&f.Gate).Elem(), "", nil)
	f.Gate.complete()
	f.problems = d.problems
	f.problems = append(f.problems, f.broken("", f.Gate, d.problems)...)
	f.problems = append(f.problems, f.meaning()...).sorted()
	return f, nil
}

func (f *File) parse() (ast.Node, error) {
	// Keys that are there twice are told with the other mistakes.
	tree, err := parser.ParseBytes(f.text, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		return nil, Problems{f.syntax(err)}
	}
	var bodies []ast.Node
	for _, doc := range tree.Docs {
		if doc.Body != nil && doc.Body.Type() != ast.CommentType && doc.Body.Type() != ast.CommentGroupType {
			bodies = append(bodies, doc.Body)
		}
	}
	switch len(bodies) {
	case 0:
		return nil, Problems{{File: f.path, Scope: ScopePlace, Message: "the file is empty", Try: "start from configs/gate.yaml, the commented reference"}}
	case 1:
		return bodies[0], nil
	}
	return nil, Problems{f.problemAt(tokenOf(bodies[1]), "", "remove the line ---, or what follows it", "a second configuration begins here; the file must hold one")}
}

// syntax turns the parser's error into a problem with advice.
func (f *File) syntax(err error) Problem {
	var at yaml.Error
	if !errors.As(err, &at) || at.GetToken() == nil {
		return Problem{File: f.path, Scope: ScopePlace, Message: err.Error()}
	}
	return f.problemAt(at.GetToken(), "", f.syntaxAdvice(at.GetToken().Position.Line), "this is no YAML: %s", at.GetMessage())
}

// syntaxAdvice names what is most often wrong with a file that is no YAML. The
// parser notices some slips only lines later.
func (f *File) syntaxAdvice(line int) string {
	lines := f.lines[:min(max(line, 1), len(f.lines))]
	if strings.HasPrefix(strings.TrimLeft(lines[len(lines)-1], " "), "\t") {
		return "indent with spaces, not with tabs"
	}
	for i, text := range lines {
		text, _, _ = strings.Cut(text, " #")
		if strings.HasPrefix(strings.TrimSpace(text), "#") {
			continue
		}
		count := func(s string) int { return strings.Count(text, s) }
		switch {
		case count(`"`)%2 == 1:
			return fmt.Sprintf(`look at line %d: a " needs a second one`, i+1)
		case count("[") > count("]") && i+2 >= len(lines):
			return fmt.Sprintf("look at line %d: a [ needs a ]", i+1)
		case count("{") > count("}") && i+2 >= len(lines):
			return fmt.Sprintf("look at line %d: a { needs a }", i+1)
		}
	}
	return "look at the indent of this line and of the one before, and at colons: they need a space behind them"
}

// Problems are the mistakes that were found, in the order of the file.
func (f *File) Problems() Problems { return f.problems }

// Path is the absolute path of the file.
func (f *File) Path() string { return f.absolute }

// Digest identifies the file's content.
func (f *File) Digest() string { return event.Digest(f.text) }

// Text is the file's content.
func (f *File) Text() []byte { return f.text }

// problemAt is a problem at a token of the file; nil is the file as a whole.
func (f *File) problemAt(at *token.Token, path, try, format string, args ...any) Problem {
	p := Problem{File: f.path, Message: fmt.Sprintf(format, args...), Try: try, Path: path, Scope: scopeOf(path)}
	if at != nil {
		p.Line, p.Column = at.Position.Line, at.Position.Column
		p.Excerpt = excerpt(f.lines, p.Line, p.Column)
	}
	return p
}

// At is a problem at the field with the given path, such as lanes[0].id, or at
// its nearest parent that the file has.
func (f *File) At(path, try, format string, args ...any) Problem {
	return f.problemAt(f.place(path), path, try, format, args...)
}

func (f *File) place(path string) *token.Token {
	for at := path; at != ""; at = parent(at) {
		if t := f.places[at]; t != nil {
			return t
		}
	}
	return nil
}

// Sound tells whether no mistake was found in the field or below it.
func (f *File) Sound(path string) bool {
	return !slices.ContainsFunc(f.problems, func(p Problem) bool { return under(p.Path, path) })
}

// has tells whether the file has the field.
func (f *File) has(path string) bool { return f.places[path] != nil }

func parent(path string) string {
	if i := strings.LastIndexAny(path, ".["); i > 0 {
		return path[:i]
	}
	return ""
}

// devicePath is the path of a device's section.
func devicePath(lane, device int) string { return fmt.Sprintf("lanes[%d].devices[%d]", lane, device) }

// Settings gives the decode function for the device's own section, strict and
// with the driver's validate tags. Its error is Problems.
func (f *File) Settings(lane, device int) func(into any) error {
	return func(into any) error {
		path := devicePath(lane, device) + ".settings"
		d := &decoder{file: f, anchors: f.anchors}
		if n := f.Gate.Lanes[lane].Devices[device].Settings; n != nil {
			above := []level{{"", reflect.TypeFor[Gate]()}, {"", reflect.TypeFor[Lane]()}, {"", reflect.TypeFor[Device]()}}
			d.value(n, reflect.ValueOf(into).Elem(), path, above)
		}
		if ps := Sorted(d.problems, f.broken(path, into, d.problems)); len(ps) > 0 {
			return ps
		}
		return nil
	}
}

// DeviceProblems points at a device whose driver refuses its settings.
func (f *File) DeviceProblems(lane, device int, err error) Problems {
	if ps, ok := errors.AsType[Problems](err); ok {
		return ps
	}
	path := devicePath(lane, device) + ".settings"
	return Problems{f.At(path, "", "%s", err)}
}
