package config

import (
	"encoding"
	"errors"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"
)

// isScalar says whether the value is written as one word.
func isScalar(v reflect.Value) bool {
	if _, ok := reflect.TypeAssert[encoding.TextUnmarshaler](v.Addr()); ok {
		return true
	}
	switch v.Kind() {
	case reflect.String, reflect.Bool, reflect.Float64, reflect.Float32,
		reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return true
	}
	return false
}

func isScalarNode(n ast.Node) bool {
	_, ok := n.(ast.ScalarNode)
	return ok
}

// textOf is a scalar as it is written, so that the lane 01 is not the number 1.
func textOf(n ast.Node) string {
	switch v := n.(type) {
	case *ast.StringNode:
		return v.Value
	case *ast.LiteralNode:
		return v.Value.Value
	}
	return n.GetToken().Value
}

// scalar decodes one word.
func (d *decoder) scalar(n ast.Node, into reflect.Value, path string) {
	name := last(path)
	if !isScalarNode(n) {
		d.problem(n, path, "", "%s must be a single value", name)
		return
	}
	text := textOf(n)
	var wrong *scalarError
	if err := setScalar(into, text); errors.As(err, &wrong) {
		d.problem(n, path, wrong.try, "%s is %q and must be %s%s", name, text, wrong.want, wrong.meant)
	} else if err != nil {
		d.problem(n, path, "", "%s: %s", name, err)
	}
}

// scalarError says what a word should have been.
type scalarError struct{ want, meant, try string }

func (e *scalarError) Error() string { return "must be " + e.want }

func setScalar(into reflect.Value, text string) error {
	if into.Type() == reflect.TypeFor[time.Duration]() {
		return setDuration(into, text)
	}
	if v, ok := reflect.TypeAssert[encoding.TextUnmarshaler](into.Addr()); ok {
		return v.UnmarshalText([]byte(text))
	}
	switch into.Kind() {
	case reflect.String:
		into.SetString(text)
	case reflect.Bool:
		return setBool(into, text)
	case reflect.Float32, reflect.Float64:
		v, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return &scalarError{want: "a number", meant: meantNumber(text)}
		}
		into.SetFloat(v)
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		v, err := strconv.ParseUint(text, base(text), into.Type().Bits())
		if err != nil {
			return wholeNumber(err, text, "0", strconv.FormatUint(1<<into.Type().Bits()-1, 10))
		}
		into.SetUint(v)
	default:
		v, err := strconv.ParseInt(text, base(text), into.Type().Bits())
		if err != nil {
			most := int64(1)<<(into.Type().Bits()-1) - 1
			return wholeNumber(err, text, strconv.FormatInt(-most-1, 10), strconv.FormatInt(most, 10))
		}
		into.SetInt(v)
	}
	return nil
}

// base keeps 0600 from being octal.
func base(text string) int {
	if strings.Trim(text, "+-0123456789") == "" {
		return 10
	}
	return 0
}

// number finds the number at the beginning of a word such as 9600bd.
var number = regexp.MustCompile(`^[+-]?[0-9]+([.,][0-9]+)?`)

func wholeNumber(err error, text, least, most string) error {
	if errors.Is(err, strconv.ErrRange) || strings.HasPrefix(text, "-") {
		return &scalarError{want: "a whole number from " + least + " to " + most}
	}
	return &scalarError{want: "a whole number", meant: meantNumber(text)}
}

func meantNumber(text string) string {
	if n := number.FindString(text); n != "" && n != text || strings.Contains(n, ",") {
		return ", did you mean " + strings.ReplaceAll(n, ",", ".") + "?"
	}
	return ""
}

func setBool(into reflect.Value, text string) error {
	switch text {
	case "true", "false":
		into.SetBool(text == "true")
		return nil
	}
	e := &scalarError{want: "true or false"}
	switch strings.ToLower(text) {
	case "yes", "on", "1", "y", "có":
		e.meant = ", did you mean true?"
	case "no", "off", "0", "n", "không":
		e.meant = ", did you mean false?"
	default:
		e.meant = DidYouMean(text, []string{"true", "false"})
	}
	return e
}

// days and words are how people write times that Go does not take.
var (
	days  = regexp.MustCompile(`^([0-9]+) *(d|day|days)$`)
	words = regexp.MustCompile(`^([0-9]+(?:\.[0-9]+)?) *(s|sec|secs|second|seconds|m|min|mins|minute|minutes|h|hr|hour|hours|ms)$`)
)

func setDuration(into reflect.Value, text string) error {
	v, err := time.ParseDuration(text)
	if err == nil {
		into.SetInt(int64(v))
		return nil
	}
	e := &scalarError{want: "a time with its unit, such as 500ms, 10s, 2m or 48h"}
	if n, err := strconv.ParseFloat(text, 64); err == nil {
		e.meant = ", did you mean " + strconv.FormatFloat(n, 'f', -1, 64) + "s?"
	} else if m := days.FindStringSubmatch(text); m != nil {
		n, _ := strconv.Atoi(m[1])
		e.meant = ", did you mean " + strconv.Itoa(n*24) + "h?"
	} else if m := words.FindStringSubmatch(text); m != nil {
		unit := m[2][:1]
		if m[2] == "ms" {
			unit = "ms"
		}
		e.meant = ", did you mean " + m[1] + unit + "?"
	}
	return e
}
