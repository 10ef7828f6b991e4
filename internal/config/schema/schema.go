// Package schema makes the JSON Schema with which editors complete and check a
// gate's configuration, from the Go types, their rules and their comments.
package schema

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"path"
	"reflect"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"
	"github.com/invopop/jsonschema"

	"gatehouse/internal/config"
	"gatehouse/internal/driver"
	"gatehouse/internal/event"
	"gatehouse/internal/link"
)

// Make makes the schema for these drivers. It reads the sources' comments from
// below the working directory, which is the module's root.
func Make(kinds []driver.Kind) ([]byte, error) {
	m := &maker{reflector: &jsonschema.Reflector{
		FieldNameTag: "yaml", KeyNamer: strings.ToLower, RequiredFromJSONSchemaTags: true,
		Namer: nameOf, Mapper: scalars, Anonymous: true,
	}, done: map[string]bool{}}
	for _, folder := range []string{"internal/config", "internal/event", "internal/link", "drivers"} {
		if err := m.reflector.AddGoComments("gatehouse", "./"+folder, jsonschema.WithFullComment()); err != nil {
			return nil, fmt.Errorf("read comments of %s: %w", folder, err)
		}
	}
	root := m.add(config.Default())
	m.add(config.DefaultLane())
	m.add(config.DefaultDevice())
	m.add(config.DefaultEmbeddedHub())
	if err := m.drivers(kinds); err != nil {
		return nil, err
	}
	root.Definitions = m.defs
	root.Title = "Gatehouse: configuration of a border gate"
	b, err := json.MarshalIndent(root, "", "  ")
	return append(b, '\n'), err
}

type maker struct {
	reflector *jsonschema.Reflector
	defs      jsonschema.Definitions
	done      map[string]bool
}

// nameOf names types with their package, but for those of the configuration.
func nameOf(t reflect.Type) string {
	if t.PkgPath() != "" && t.PkgPath() != reflect.TypeFor[config.Gate]().PkgPath() {
		return path.Base(t.PkgPath()) + "." + t.Name()
	}
	return t.Name()
}

// scalars are the types that are written as one word.
func scalars(t reflect.Type) *jsonschema.Schema {
	switch t {
	case reflect.TypeFor[time.Duration]():
		return &jsonschema.Schema{Type: "string", Pattern: `^0$|^([0-9]+(\.[0-9]+)?(ns|us|µs|ms|s|m|h))+$`, Description: "A time with its unit, such as 500ms, 10s, 2m or 48h."}
	case reflect.TypeFor[config.Size]():
		return &jsonschema.Schema{AnyOf: []*jsonschema.Schema{
			{Type: "integer"}, {Type: "string", Pattern: `^[0-9]+(\.[0-9]+)? *([kKmMgGtT][iI]?)?[bB]?$`},
		}, Description: "A size such as 256 MiB."}
	case reflect.TypeFor[ast.Node]():
		return &jsonschema.Schema{Type: "object", Description: "What the driver needs to know; its example.yaml explains each setting."}
	}
	return nil
}

// add defines the type of a value, with the value's fields as defaults.
func (m *maker) add(value any) *jsonschema.Schema {
	root := m.reflector.Reflect(value)
	if m.defs == nil {
		m.defs = jsonschema.Definitions{}
	}
	for name, def := range root.Definitions {
		if m.defs[name] == nil {
			m.defs[name] = def
		}
	}
	v := reflect.ValueOf(value)
	for v.Kind() == reflect.Pointer {
		v = v.Elem()
	}
	m.refine(v)
	return root
}

// refine gives the definitions of a struct and of what it holds their rules.
func (m *maker) refine(v reflect.Value) {
	t := v.Type()
	def := m.defs[nameOf(t)]
	if def == nil || m.done[nameOf(t)] {
		return
	}
	m.done[nameOf(t)] = true
	for i := range t.NumField() {
		f := t.Field(i)
		property, ok := def.Properties.Get(fieldName(f))
		if !ok {
			continue
		}
		if inner := structOf(f.Type); inner != nil && nameOf(inner) != "" && own(inner) {
			held := reflect.New(inner).Elem()
			if f.Type == inner {
				held = v.Field(i)
			}
			m.refine(held)
		}
		r := rules{def, fieldName(f), property}
		r.apply(f)
		if t != reflect.TypeFor[link.Config]() { // each driver has its own usual speed
			r.preset(v.Field(i))
		}
	}
}

// own tells whether the type's definition follows from its own zero value;
// those with defaults are added with them.
func own(t reflect.Type) bool {
	switch t {
	case reflect.TypeFor[config.Lane](), reflect.TypeFor[config.Device](), reflect.TypeFor[config.EmbeddedHub]():
		return false
	}
	return true
}

// structOf looks through pointers and lists for a struct.
func structOf(t reflect.Type) reflect.Type {
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct || t == reflect.TypeFor[event.Text]() {
		return nil
	}
	return t
}

func fieldName(f reflect.StructField) string {
	if name, _, _ := strings.Cut(f.Tag.Get("yaml"), ","); name != "" {
		return name
	}
	return strings.ToLower(f.Name)
}

// errSeen ends a driver's construction once its settings are known.
var errSeen = errors.New("settings seen")

// drivers adds each driver's settings, and has a device's settings follow from
// the driver that it names.
func (m *maker) drivers(kinds []driver.Kind) error {
	device := m.defs["Device"]
	word, _ := device.Properties.Get("driver")
	for _, k := range kinds {
		var settings any
		_, err := k.New(func(into any) error { settings = into; return errSeen }, driver.Env{Log: slog.New(slog.DiscardHandler)})
		if !errors.Is(err, errSeen) {
			return fmt.Errorf("driver %s does not decode its settings: %w", k.Name, err)
		}
		ref := m.add(settings)
		word.Enum = append(word.Enum, k.Name)
		is := jsonschema.NewProperties()
		is.Set("driver", &jsonschema.Schema{Const: k.Name})
		has := jsonschema.NewProperties()
		has.Set("settings", &jsonschema.Schema{Ref: ref.Ref})
		device.AllOf = append(device.AllOf, &jsonschema.Schema{
			If:   &jsonschema.Schema{Properties: is, Required: []string{"driver"}},
			Then: &jsonschema.Schema{Properties: has, Required: []string{"settings"}},
		})
	}
	return nil
}
