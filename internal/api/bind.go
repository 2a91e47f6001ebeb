package api

import (
	"errors"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"sluice/internal/fault"
	"sluice/internal/strictjson"
	"sluice/internal/suggest"
)

// param is a field of an input that does not come in the body.
type param struct {
	in, name string // path, query or header
	index    []int
	kind     reflect.Type
	doc      string
}

// params lists the parameters of an input type: fields tagged path, query or
// header, each with json:"-".
func params(t reflect.Type) (list []param) {
	if t.Kind() != reflect.Struct {
		return nil
	}
	for _, f := range reflect.VisibleFields(t) {
		for _, in := range []string{"path", "query", "header"} {
			if name := f.Tag.Get(in); name != "" {
				list = append(list, param{in, name, f.Index, f.Type, f.Tag.Get("doc")})
			}
		}
	}
	return list
}

// bind fills an input from path, query, headers and body, and refuses what it does
// not know by name.
func bind(r *http.Request, body []byte, into any) error {
	v := reflect.ValueOf(into).Elem()
	if v.Kind() != reflect.Struct {
		return unmarshal(body, into)
	}
	if len(body) > 0 {
		if err := unmarshal(body, into); err != nil {
			return err
		}
	}
	query := r.URL.Query()
	var known []string
	for _, p := range params(v.Type()) {
		var text string
		switch p.in {
		case "path":
			text = r.PathValue(p.name)
		case "header":
			text = r.Header.Get(p.name)
		case "query":
			known = append(known, p.name)
			if len(query[p.name]) > 1 && p.kind.Kind() != reflect.Slice {
				return fault.New(fault.Usage, "the parameter %s comes more than once", p.name)
			}
			text = strings.Join(query[p.name], ",")
		}
		if err := assign(v.FieldByIndex(p.index), p.name, text); err != nil {
			return err
		}
	}
	for name := range query {
		if !slices.Contains(known, name) {
			f := fault.New(fault.Usage, "this route has no such query parameter").With("parameters", known)
			if near := suggest.Closest(name, known); near != "" {
				f = f.WithFix("did you mean %s?", near)
			}
			return f
		}
	}
	return nil
}

func assign(field reflect.Value, name, text string) error {
	if text == "" {
		return nil
	}
	switch field.Kind() {
	case reflect.String:
		field.SetString(text)
	case reflect.Int, reflect.Int64:
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil || n < 0 {
			return fault.New(fault.Usage, "the parameter %s must be a number, 0 or more", name)
		}
		field.SetInt(n)
	case reflect.Bool:
		b, err := strconv.ParseBool(text)
		if err != nil {
			return fault.New(fault.Usage, "the parameter %s must be true or false", name)
		}
		field.SetBool(b)
	case reflect.Slice:
		field.Set(reflect.ValueOf(strings.Split(text, ",")))
	default:
		return errors.New("api: the parameter " + name + " has a type that can't be bound")
	}
	return nil
}

// unmarshal reads one JSON value strictly. Messages name the member and never its
// value.
func unmarshal(body []byte, into any) error {
	err := strictjson.Unmarshal(body, into)
	var bad *strictjson.Error
	switch {
	case err == nil:
		return nil
	case asError(err, &bad) && bad.Pointer != "":
		return fault.New(fault.Usage, "%v", bad).With("member", bad.Pointer)
	default:
		return fault.New(fault.Usage, "the body: %v", err)
	}
}
