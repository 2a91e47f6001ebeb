package world

import (
	"encoding/json"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"sluice/internal/graphspec"
)

// everywhere are parameters that every call takes.
var everywhere = []string{
	"access_token", "appsecret_proof", "appsecret_time", "fields", "format", "locale", "method", "metadata",
	"pretty", "suppress_http_code", "date_format", "debug", "include_headers",
}

// ofLists are parameters that every list takes.
var ofLists = []string{"limit", "after", "before", "since", "until", "offset", "summary", "order"}

// check holds the parameters to the operation's record: what is needed is there, and
// each has its type. What the record does not know is passed over, as Meta does, with a
// warning.
func (c *Call) check() *Error {
	params := graphspec.ParseFields(c.Op.Params)
	known := map[string]graphspec.Field{}
	for _, p := range params {
		known[p.Name] = p
		switch {
		case !c.Params.Has(p.Name):
			if p.Needed && c.Files[p.Name] == nil {
				return Bad("The parameter " + p.Name + " is required")
			}
		case p.Needed && c.Param(p.Name) == "":
			return Bad("Param " + p.Name + " must not be empty")
		default:
			if what := wrong(p.Type, c.Param(p.Name)); what != "" {
				return Bad("Param " + p.Name + " " + what)
			}
		}
	}
	for name := range c.Params {
		_, ok := known[name]
		if base, _, bracket := strings.Cut(name, "["); bracket && !ok {
			_, ok = known[base]
		}
		if !ok && !slices.Contains(everywhere, name) && (c.Verb != "GET" || !slices.Contains(ofLists, name)) {
			c.Warn(c.Name() + " does not know the parameter " + name)
		}
	}
	return nil
}

// wrong says what is wrong with a value of a type, "" when nothing is.
func wrong(kind, text string) string {
	inner, list := graphspec.Field{Type: kind}.Elem()
	if list {
		return wrongList(inner, text)
	}
	switch kind {
	case "int", "minor":
		if _, err := strconv.ParseInt(text, 10, 64); err != nil {
			return "must be an integer"
		}
	case "float", "decimal":
		if _, err := strconv.ParseFloat(text, 64); err != nil {
			return "must be a number"
		}
	case "bool":
		if !slices.Contains([]string{"true", "false", "1", "0"}, strings.ToLower(text)) {
			return "must be a boolean"
		}
	case "time", "unix":
		if _, ok := readTime(text); !ok {
			return "must be a valid timestamp"
		}
	case "date":
		if _, err := time.Parse(time.DateOnly, text); err != nil {
			return "must be a date in the format YYYY-MM-DD"
		}
	case "url":
		if u, err := url.Parse(text); err != nil || u.Scheme == "" || u.Host == "" {
			return "must be a valid URI"
		}
	case "id":
		if text == "" {
			return "must be a valid ID string"
		}
	case "map":
		var m map[string]any
		if json.Unmarshal([]byte(text), &m) != nil {
			return "must be a JSON object"
		}
	case "json":
		if !json.Valid([]byte(text)) {
			return "must be valid JSON"
		}
	default:
		if values, enum := graphspec.IsEnum(kind); enum && !slices.Contains(values, text) {
			return "must be one of {" + strings.Join(values, ", ") + "} - got \"" + clip(text) + "\""
		}
	}
	return ""
}

func wrongList(inner, text string) string {
	var list []json.RawMessage
	trimmed := strings.TrimSpace(text)
	switch {
	case strings.HasPrefix(trimmed, "["):
		if json.Unmarshal([]byte(trimmed), &list) != nil {
			return "must be an array"
		}
	case strings.HasPrefix(trimmed, "{"):
		return "must be an array"
	default: // text with commas
		for _, part := range strings.Split(text, ",") {
			if what := wrong(inner, strings.TrimSpace(part)); what != "" && inner != "json" && inner != "map" {
				return "has an element that " + what
			}
		}
		return ""
	}
	for _, item := range list {
		element := string(item)
		var s string
		if json.Unmarshal(item, &s) == nil {
			element = s
		}
		if inner == "json" || graphspec.Lookup(inner) != nil {
			continue
		}
		if what := wrong(inner, element); what != "" {
			return "has an element that " + what
		}
	}
	return ""
}

// readTime reads Unix seconds, RFC 3339, Graph's own form, and a day.
func readTime(text string) (time.Time, bool) {
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return time.Unix(n, 0).UTC(), true
	}
	for _, form := range []string{time.RFC3339, "2006-01-02T15:04:05-0700", "2006-01-02T15:04:05", time.DateOnly} {
		if t, err := time.Parse(form, text); err == nil {
			return t.UTC(), true
		}
	}
	return time.Time{}, false
}

// clip bounds text that is echoed.
func clip(s string) string {
	if len(s) > 200 {
		s = s[:200] + "…"
	}
	return strings.ToValidUTF8(s, "�")
}
