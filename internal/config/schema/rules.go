package schema

import (
	"encoding/json"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/invopop/jsonschema"

	"gatehouse/internal/config"
)

// rules puts the validate tag of a field into the schema.
type rules struct {
	def      *jsonschema.Schema // of the struct
	name     string
	property *jsonschema.Schema
}

func (r rules) apply(f reflect.StructField) {
	t := f.Type
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	to, optional := r.property, false
	for rule := range strings.SplitSeq(f.Tag.Get("validate"), ",") {
		word, param, _ := strings.Cut(rule, "=")
		switch word {
		case "dive":
			if to = r.property.Items; to == nil {
				to = r.property.AdditionalProperties
			}
			t = t.Elem()
		case "omitempty":
			optional = true
		case "required":
			if to == r.property {
				r.require()
			}
		case "required_without":
			r.alternative()
		case "oneof":
			r.words(to, t, strings.Fields(param), optional)
		case "unique":
			r.property.UniqueItems = true
		default:
			bound(to, t, word, param)
		}
	}
	if needed(f.Type) {
		r.require()
	}
}

func (r rules) require() {
	if !slices.Contains(r.def.Required, r.name) {
		r.def.Required = append(r.def.Required, r.name)
	}
}

// alternative adds the field to those of which exactly one is there.
func (r rules) alternative() {
	r.def.OneOf = append(r.def.OneOf, &jsonschema.Schema{Required: []string{r.name}})
}

// needed tells whether a section cannot be left out, because one of its fields
// cannot.
func needed(t reflect.Type) bool {
	if t.Kind() != reflect.Struct {
		return false
	}
	for f := range t.Fields() {
		if strings.HasPrefix(f.Tag.Get("validate"), "required") || needed(f.Type) {
			return true
		}
	}
	return false
}

// words limits a text to some words. Without a default one must be given.
func (r rules) words(to *jsonschema.Schema, t reflect.Type, words []string, optional bool) {
	for _, w := range words {
		if n, err := strconv.Atoi(w); err == nil && t.Kind() != reflect.String {
			to.Enum = append(to.Enum, n)
		} else {
			to.Enum = append(to.Enum, w)
		}
	}
	if optional && to == r.property {
		if t.Kind() == reflect.String {
			to.Enum = append(to.Enum, "")
		} else {
			to.Enum = append(to.Enum, 0)
		}
	}
}

// bound puts a limit of a number, a text or a list into the schema. Limits of
// times and sizes cannot be said in one.
func bound(to *jsonschema.Schema, t reflect.Type, word, param string) {
	if t == reflect.TypeFor[time.Duration]() || t == reflect.TypeFor[config.Size]() {
		return
	}
	n, err := strconv.ParseUint(param, 10, 64)
	switch t.Kind() {
	case reflect.String:
		switch {
		case word == "alphanum":
			to.Pattern = "^[A-Za-z0-9]+$"
		case word == "max" && err == nil:
			to.MaxLength = &n
		}
	case reflect.Slice:
		switch {
		case err != nil:
		case word == "min":
			to.MinItems = &n
		case word == "max":
			to.MaxItems = &n
		case word == "len":
			to.MinItems, to.MaxItems = &n, &n
		}
	case reflect.Struct, reflect.Map, reflect.Bool:
	default:
		number(to, word, json.Number(param))
	}
}

func number(to *jsonschema.Schema, word string, n json.Number) {
	switch word {
	case "min", "gte":
		to.Minimum = n
	case "max", "lte":
		to.Maximum = n
	case "gt":
		to.ExclusiveMinimum = n
	}
}

// preset names the field's default. A choice without one has to be made.
func (r rules) preset(v reflect.Value) {
	switch value := v.Interface().(type) {
	case time.Duration:
		r.property.Default = config.Brief(value)
		return
	case config.Size:
		r.property.Default = value.String()
		return
	}
	switch v.Kind() {
	case reflect.String:
		if v.String() != "" {
			r.property.Default = v.String()
		} else if len(r.property.Enum) > 0 && !slices.Contains(r.property.Enum, any("")) {
			r.require()
		}
	case reflect.Bool, reflect.Float64, reflect.Int, reflect.Int64, reflect.Uint8:
		if !slices.Contains(r.def.Required, r.name) {
			r.property.Default = v.Interface()
		}
	case reflect.Slice:
		if v.Len() > 0 {
			r.property.Default = v.Interface()
		}
	}
}
