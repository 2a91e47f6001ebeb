package world

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"sluice/internal/graphspec"
)

// Fail makes a refusal of a row of graphspec's catalogue; pairs fill its placeholders.
func Fail(name string, pairs ...string) *Error {
	return &Error{Row: graphspec.ErrorNamed(name), Args: pairs}
}

// Bad is the refusal of a parameter: (#100) what.
func Bad(what string) *Error { return Fail("parameter", "what", what) }

// Has reports whether a parameter was given.
func (c *Call) Has(name string) bool { return c.Params.Has(name) }

// Param is a parameter, "" when it was not given.
func (c *Call) Param(name string) string { return c.Params.Get(name) }

// Bool reads a yes or no.
func (c *Call) Bool(name string) bool {
	v := strings.ToLower(c.Param(name))
	return v == "true" || v == "1"
}

// Int reads a whole number; otherwise is for one that was not given.
func (c *Call) Int(name string, otherwise int64) (int64, *Error) {
	if !c.Has(name) {
		return otherwise, nil
	}
	n, err := strconv.ParseInt(c.Param(name), 10, 64)
	if err != nil {
		return 0, Bad("Param " + name + " must be an integer")
	}
	return n, nil
}

// When reads a time: Unix seconds, RFC 3339, or Graph's own form.
func (c *Call) When(name string) (time.Time, *Error) {
	text := c.Param(name)
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return time.Unix(n, 0).UTC(), nil
	}
	for _, form := range []string{time.RFC3339, "2006-01-02T15:04:05-0700"} {
		if t, err := time.Parse(form, text); err == nil {
			return t.UTC(), nil
		}
	}
	return time.Time{}, Bad("Param " + name + " must be a valid timestamp")
}

// JSON reads a parameter that holds JSON.
func (c *Call) JSON(name string, into any) *Error {
	d := json.NewDecoder(strings.NewReader(c.Param(name)))
	d.UseNumber()
	if d.Decode(into) != nil {
		return Bad("Param " + name + " must be valid JSON")
	}
	return nil
}

// Strings reads a list: a JSON list, or text with commas.
func (c *Call) Strings(name string) []string {
	text := c.Param(name)
	var list []string
	if json.Unmarshal([]byte(text), &list) == nil {
		return list
	}
	for _, part := range strings.Split(text, ",") {
		if part = strings.TrimSpace(part); part != "" {
			list = append(list, part)
		}
	}
	return list
}

// GraphTime is how Graph writes times: no colon in the zone.
func GraphTime(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05-0700") }

// OK is the answer of a write that creates nothing.
func OK() map[string]any { return map[string]any{"success": true} }

// ID is the answer of a write that created an object.
func ID(o *Object) map[string]any { return map[string]any{"id": o.ID} }
