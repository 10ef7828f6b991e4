package config

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"
)

// decoder fills Go values from the tree and notes every mistake on the way, not
// only the first. What it cannot fill keeps its default.
type decoder struct {
	file     *File
	anchors  map[string]ast.Node
	problems Problems
	merges   int // that are under way
}

// defaulter is a type that knows what its fields are when the file leaves them
// out.
type defaulter interface{ defaults() }

// level is a struct on the way to what is being decoded, innermost last.
type level struct {
	name string
	typ  reflect.Type
}

func (d *decoder) problem(n ast.Node, path, try, format string, args ...any) {
	d.problems = append(d.problems, d.file.problemAt(tokenOf(n), path, try, format, args...))
}

// value decodes a node into a settable value.
func (d *decoder) value(n ast.Node, into reflect.Value, path string, above []level) {
	d.file.places[path] = tokenOf(n)
	if v, ok := reflect.TypeAssert[defaulter](into.Addr()); ok {
		v.defaults()
	}
	n = d.resolve(n)
	if n == nil || n.Type() == ast.NullType {
		return
	}
	if into.Type() == reflect.TypeFor[ast.Node]() {
		into.Set(reflect.ValueOf(n))
		return
	}
	if isScalar(into) {
		d.scalar(n, into, path)
		return
	}
	switch into.Kind() {
	case reflect.Pointer:
		fresh := reflect.New(into.Type().Elem())
		d.value(n, fresh.Elem(), path, above)
		into.Set(fresh)
	case reflect.Struct:
		d.object(n, into, path, above)
	case reflect.Slice:
		d.list(n, into, path, above)
	case reflect.Map:
		d.table(n, into, path, above)
	}
}

// resolve follows anchors, aliases and tags to the node that holds the value.
func (d *decoder) resolve(n ast.Node) ast.Node {
	for range 100 { // an alias inside its own anchor would go round for ever
		switch v := n.(type) {
		case *ast.AnchorNode:
			d.anchors[v.Name.GetToken().Value] = v.Value
			n = v.Value
		case *ast.AliasNode:
			n = d.anchors[v.Value.GetToken().Value]
		case *ast.TagNode:
			n = v.Value
		default:
			return n
		}
	}
	return nil
}

// fieldsOf are the settable fields of a struct by the names that the file uses.
func fieldsOf(t reflect.Type) map[string]int {
	fields := map[string]int{}
	for i := range t.NumField() {
		if f := t.Field(i); f.IsExported() && f.Tag.Get("yaml") != "-" {
			fields[nameOf(f)] = i
		}
	}
	return fields
}

// nameOf is the name of a field in the file.
func nameOf(f reflect.StructField) string {
	if name, _, _ := strings.Cut(f.Tag.Get("yaml"), ","); name != "" {
		return name
	}
	return strings.ToLower(f.Name)
}

func (d *decoder) object(n ast.Node, into reflect.Value, path string, above []level) {
	pairs, ok := n.(ast.MapNode)
	if !ok {
		d.problem(n, path, "", "%s must hold fields of its own: %s", last(path), listed(names(fieldsOf(into.Type()))))
		return
	}
	above = append(slices.Clip(above), level{last(path), into.Type()})
	fields := fieldsOf(into.Type())
	d.pairs(pairs, path, func(key, value ast.Node) {
		name := key.GetToken().Value
		at, known := fields[name]
		if !known {
			d.unknown(key, path, above)
			return
		}
		d.value(value, into.Field(at), join(path, name), above)
	})
}

// pairs calls each for every key, those of merged mappings first, and notes
// keys that are there twice.
func (d *decoder) pairs(m ast.MapNode, path string, each func(key, value ast.Node)) {
	seen := map[string]*token.Token{}
	for it := m.MapRange(); it.Next(); {
		key := it.Key()
		if key.IsMergeKey() {
			d.merge(it.Value(), path, each)
			continue
		}
		name := key.GetToken().Value
		if first := seen[name]; first != nil {
			d.problem(key, join(path, name), "keep one of the two", "%s is given twice, first in line %d", name, first.Position.Line)
			continue
		}
		seen[name] = key.GetToken()
		each(key, it.Value())
	}
}

// maxMerges bounds how deep merged mappings may merge others; one that merges
// itself would never end.
const maxMerges = 8

func (d *decoder) merge(from ast.Node, path string, each func(key, value ast.Node)) {
	merged, ok := d.resolve(from).(ast.MapNode)
	switch {
	case !ok:
		d.problem(from, path, "write <<: *name, with &name at the section that is meant", "<< must name a section that stands further up")
	case d.merges >= maxMerges:
		d.problem(from, path, "", "sections are merged into each other more than %d deep", maxMerges)
	default:
		d.merges++
		d.pairs(merged, path, each)
		d.merges--
	}
}

// unknown notes a field that the struct does not have, and looks where it
// belongs.
func (d *decoder) unknown(key ast.Node, path string, above []level) {
	name, here := key.GetToken().Value, above[len(above)-1]
	known := names(fieldsOf(here.typ))
	if meant := near(name, known); meant != "" {
		// With the path of what was meant it is not told as missing, too.
		d.problem(key, join(path, meant), "", "unknown field %s, did you mean %s?", name, meant)
		return
	}
	path = join(path, name)
	for field, at := range fieldsOf(here.typ) { // one level too far out
		t := elem(here.typ.Field(at).Type)
		if t.Kind() != reflect.Struct || !slices.Contains(names(fieldsOf(t)), name) {
			continue
		}
		d.problem(key, path, "indent it below "+field, "unknown field %s here; it belongs into %s", name, field)
		return
	}
	for _, outer := range slices.Backward(above[:len(above)-1]) { // too far in
		if slices.Contains(names(fieldsOf(outer.typ)), name) {
			d.problem(key, path, "indent it less", "unknown field %s here; it belongs %s", name, outer.place())
			return
		}
	}
	d.problem(key, path, "fields here are: "+listed(known), "unknown field %s", name)
}

// place says in words where the fields of the level stand.
func (l level) place() string {
	switch l.typ {
	case reflect.TypeFor[Gate]():
		return "to the whole place, without indent"
	case reflect.TypeFor[Lane]():
		return "to the lane"
	case reflect.TypeFor[Device]():
		return "to the device, beside settings"
	}
	return "into " + l.name
}

func (d *decoder) list(n ast.Node, into reflect.Value, path string, above []level) {
	seq, ok := n.(*ast.SequenceNode)
	if !ok {
		try := "put \"- \" in front of each entry"
		if isScalarNode(n) {
			try = fmt.Sprintf("write [%s]", n.GetToken().Value)
		}
		d.problem(n, path, try, "%s must be a list", last(path))
		return
	}
	out := reflect.MakeSlice(into.Type(), len(seq.Values), len(seq.Values))
	for i, v := range seq.Values {
		d.value(v, out.Index(i), fmt.Sprintf("%s[%d]", path, i), above)
	}
	into.Set(out)
}

func (d *decoder) table(n ast.Node, into reflect.Value, path string, above []level) {
	pairs, ok := n.(ast.MapNode)
	if !ok {
		d.problem(n, path, "write a line \"name: value\" for each, indented", "%s must hold names with values", last(path))
		return
	}
	out := reflect.MakeMap(into.Type())
	d.pairs(pairs, path, func(key, value ast.Node) {
		name := key.GetToken().Value
		one := reflect.New(into.Type().Elem()).Elem()
		d.value(value, one, fmt.Sprintf("%s[%s]", path, name), above)
		out.SetMapIndex(reflect.ValueOf(name).Convert(into.Type().Key()), one)
	})
	into.Set(out)
}

// elem looks through pointers and lists.
func elem(t reflect.Type) reflect.Type {
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	return t
}

func names(fields map[string]int) []string {
	out := make([]string, 0, len(fields))
	for name := range fields {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

// last is the last name of a path: owner of lanes[0].devices[1].owner.
func last(path string) string {
	if path == "" {
		return "the file"
	}
	return path[strings.LastIndex(path, ".")+1:]
}

// tokenOf is where a node begins for people: at its first key, not at its first
// colon.
func tokenOf(n ast.Node) *token.Token {
	switch v := n.(type) {
	case nil:
		return nil
	case *ast.MappingNode:
		if len(v.Values) > 0 && !v.IsFlowStyle {
			return tokenOf(v.Values[0].Key)
		}
	case *ast.MappingValueNode:
		return tokenOf(v.Key)
	}
	return n.GetToken()
}
