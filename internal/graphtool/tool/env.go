package tool

import (
	"bytes"
	"context"
	"encoding/json"
	"slices"
	"time"

	"sluice/internal/fault"
	"sluice/internal/graph"
)

// Args are the checked arguments of a call: string, bool, json.Number, map[string]any,
// []any; times are Unix seconds as json.Number; ids are in their usual form; defaults
// are filled in.
type Args map[string]any

// Has reports whether an argument was given, or has a default.
func (a Args) Has(name string) bool { _, ok := a[name]; return ok }

// Str is a text argument, "" without one.
func (a Args) Str(name string) string {
	switch v := a[name].(type) {
	case string:
		return v
	case json.Number:
		return v.String()
	}
	return ""
}

// Int is a whole number, 0 without one.
func (a Args) Int(name string) int64 {
	n, _ := a[name].(json.Number)
	v, _ := n.Int64()
	return v
}

// Float is a number, 0 without one.
func (a Args) Float(name string) float64 {
	n, _ := a[name].(json.Number)
	v, _ := n.Float64()
	return v
}

// Bool is a yes or no, false without one.
func (a Args) Bool(name string) bool { v, _ := a[name].(bool); return v }

// List is a list, nil without one.
func (a Args) List(name string) []any { v, _ := a[name].([]any); return v }

// Strings is a list of texts.
func (a Args) Strings(name string) []string {
	var out []string
	for _, v := range a.List(name) {
		if s, ok := v.(string); ok {
			out = append(out, s)
		}
	}
	return out
}

// Map is an object, nil without one.
func (a Args) Map(name string) map[string]any { v, _ := a[name].(map[string]any); return v }

// Notice adds a line that the caller should know.
func (e *Env) Notice(text string) { e.notices = append(e.notices, text) }

// Do makes a call and decodes its JSON, numbers as json.Number.
func (e *Env) Do(ctx context.Context, r graph.Request) (any, error) {
	res, err := e.Graph.Do(ctx, r)
	if err != nil {
		return nil, err
	}
	if res.Warning != "" && !slices.Contains(e.notices, res.Warning) {
		e.Notice(res.Warning) // a version of Meta's API that ends
	}
	return decode(res.Body)
}

// Object is Do for an answer that is an object.
func (e *Env) Object(ctx context.Context, r graph.Request) (map[string]any, error) {
	v, err := e.Do(ctx, r)
	if err != nil {
		return nil, err
	}
	m, ok := v.(map[string]any)
	if !ok {
		return nil, fault.New(fault.MetaRefused, "the answer of the Graph API is no object")
	}
	return m, nil
}

// Wait sleeps, unless the context ends first.
func (e *Env) Wait(ctx context.Context, d time.Duration) error { return e.Sleep(ctx, d) }

// Bad refuses an argument: name it, say what is wrong and what would be right.
func Bad(argument, problem, fix string) error {
	return fault.New(fault.ArgumentInvalid, "%s: %s", argument, problem).WithFix("%s", fix)
}

func decode(body []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, fault.New(fault.MetaRefused, "the answer of the Graph API can't be read").Wrap(err)
	}
	return v, nil
}

// DecodeObject reads JSON that is an object, numbers with their digits.
func DecodeObject(text []byte) (map[string]any, error) {
	v, err := decode(text)
	if err != nil {
		return nil, err
	}
	m, _ := v.(map[string]any)
	return m, nil
}
