package config

import (
	"errors"
	"fmt"
	"net"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-playground/validator/v10"
)

func newValidator() *validator.Validate {
	v := validator.New(validator.WithRequiredStructEnabled())
	v.RegisterTagNameFunc(nameOf)
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

// broken checks the rules in the validate tags of a decoded section. A field
// that could not be decoded was told of already.
func (f *File) broken(base string, value any, told Problems) Problems {
	err := f.rules.Struct(value)
	var failed validator.ValidationErrors
	if err == nil {
		return nil
	}
	if !errors.As(err, &failed) {
		return Problems{f.At(base, "", "%s", err)}
	}
	var ps Problems
	for _, e := range failed {
		_, path, _ := strings.Cut(e.Namespace(), ".") // the type's name stands first
		path = strings.TrimPrefix(base+"."+path, ".")
		if slices.ContainsFunc(told, func(p Problem) bool { return under(path, p.Path) || under(p.Path, path) }) {
			continue
		}
		ps = append(ps, f.breach(path, e))
	}
	return ps
}

// under tells whether a path is the other or lies inside of it.
func under(path, other string) bool {
	rest, ok := strings.CutPrefix(path, other)
	return ok && other != "" && (rest == "" || rest[0] == '.' || rest[0] == '[')
}

// breach says in words which rule a field broke.
func (f *File) breach(path string, e validator.FieldError) Problem {
	name := last(path)
	value := fmt.Sprint(e.Value())
	switch e.Tag() {
	case "required":
		return f.missing(path)
	case "required_without", "excluded_with":
		return f.either(path, e)
	case "oneof":
		if value == "" {
			return f.missing(path)
		}
		words := strings.Fields(e.Param())
		return f.At(path, "", "%s is %q and must be %s%s", name, value, either(words), DidYouMean(value, words))
	case "len":
		return f.At(path, "", "%s must have exactly %s entries and has %d", name, e.Param(), lengthOf(e))
	case "unique":
		return f.At(path, "", "%s names something twice", name)
	case "alphanum":
		return f.At(path, "", "%s is %q and may hold only letters and digits without accents", name, value)
	case "listen":
		return f.At(path, "127.0.0.1 is this machine alone, 0.0.0.0 all networks", "%s is %q and must be host:port", name, value)
	case "hostname_port":
		return f.At(path, "", "%s is %q and must be host:port, such as 192.168.1.20:4001", name, value)
	case "uri":
		return f.At(path, "", "%s is %q and must be an address such as tcp://192.168.1.20:1883", name, value)
	case "datetime":
		return f.At(path, "", "%s is %q and must be a day such as 2027-03-31", name, value)
	case "excludesall":
		return f.At(path, "", "%s is %q and must be without any of the characters %q", name, value, e.Param())
	}
	return f.At(path, "", "%s", bound(name, e))
}

// missing is told at the section that lacks the field.
func (f *File) missing(path string) Problem {
	if f.has(path) {
		return f.At(path, "", "%s is empty", last(path))
	}
	at := path
	for at != "" && !f.has(at) {
		at = parent(at)
	}
	return f.At(path, "", "%s is missing", strings.TrimPrefix(strings.TrimPrefix(path, at), "."))
}

// either tells of two fields of which one must be set, the same for both.
func (f *File) either(path string, e validator.FieldError) Problem {
	pair := []string{last(path), strings.ToLower(e.Param())}
	slices.Sort(pair)
	section := parent(path)
	try := "set one of them"
	if slices.Equal(pair, []string{"port", "tcp"}) {
		try = "set port for a serial port, or tcp for the host:port of a terminal server"
	}
	if e.Tag() == "excluded_with" {
		return f.At(section, "remove one of them", "%s and %s cannot both be set", pair[0], pair[1])
	}
	return f.At(section, try, "neither %s nor %s is set in %s", pair[0], pair[1], last(section))
}

// bound says which limit of a number, a time, a text or a list was passed.
func bound(name string, e validator.FieldError) string {
	how := map[string]string{"min": "at least", "gte": "at least", "max": "at most", "lte": "at most", "gt": "more than", "lt": "less than"}[e.Tag()]
	switch {
	case how == "":
		return fmt.Sprintf("%s breaks the rule %s %s", name, e.Tag(), e.Param())
	case e.Kind() == reflect.Slice || e.Kind() == reflect.Map:
		return fmt.Sprintf("%s must have %s %s, and has %d", name, how, entries(e.Param()), lengthOf(e))
	case e.Kind() == reflect.String:
		return fmt.Sprintf("%s must be %s %s characters long", name, how, e.Param())
	}
	return fmt.Sprintf("%s is %v and must be %s %s", name, shown(e.Value()), how, e.Param())
}

// shown is a value as people write it: 1m, not 1m0s.
func shown(v any) any {
	if d, ok := v.(time.Duration); ok {
		return Brief(d)
	}
	return v
}

// Brief is a time without its empty parts.
func Brief(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

func entries(n string) string {
	if n == "1" {
		return "1 entry"
	}
	return n + " entries"
}

func lengthOf(e validator.FieldError) int { return reflect.ValueOf(e.Value()).Len() }
