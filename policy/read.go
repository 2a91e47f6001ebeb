package policy

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// How much a document may hold.
const (
	maxTools      = 2000
	maxRules      = 100
	maxConditions = 100
	maxName       = 64 // characters of a counter or id
	maxMax        = 1_000_000_000_000
	maxWindow     = 31 * 86400
	maxTTL        = 7 * 86400
	maxWait       = 25
	maxApprovers  = 100
)

// reader turns the nodes of a document into a model and notes everything that is wrong
// on the way.
type reader struct {
	faults []Fault
}

func (r *reader) fault(code, at, message, fix string) {
	r.faults = append(r.faults, Fault{Code: code, Pointer: at, Message: message, Fix: fix})
}

// The members of each object of the format, in canonical order; the ones behind a dash
// are extensions or shorthands.
var (
	documentFields = []string{"version", "default", "hide", "all_tools", "tools"}
	allToolsFields = []string{"limits"}
	toolFields     = []string{"require", "deny_if", "approve_if", "limits", "action", "reason", "rate_limit"}
	ruleFields     = []string{"id", "conditions", "on_deny"}
	approveFields  = []string{"id", "conditions", "message", "ttl_seconds", "wait_seconds", "approvers"}
	conditionKeys  = []string{"path", "op", "value"}
	limitFields    = []string{"counter", "window", "window_seconds", "max", "scope", "algorithm", "increment_from", "key", "after", "on_deny"}
	afterFields    = []string{"tool", "key", "within_seconds"}
	rateFields     = []string{"max", "window"}
)

// only notes members that are not in the list.
func (r *reader) only(n *node, at string, allowed []string) {
	for _, key := range n.keys {
		known := false
		for _, a := range allowed {
			known = known || a == key
		}
		if known {
			continue
		}
		fix := "leave it out; allowed here are " + strings.Join(allowed, ", ")
		if meant := meant(key, allowed); meant != "" {
			fix = fmt.Sprintf("did you mean `%s`?", meant)
		} else if where := placeOf(key); where != "" {
			fix = where
		}
		r.fault(codeUnknown, at+"/"+escapePointer(key), fmt.Sprintf("the format has no member %s here", strconv.Quote(key)), fix)
	}
}

// otherNames are members under names that others have for them.
var otherNames = map[string][]string{
	"message":  {"on_deny"},
	"reason":   {"on_deny", "message"},
	"on_deny":  {"message"},
	"operator": {"op"},
	"name":     {"counter", "id"},
	"limit":    {"max"},
	"ttl":      {"ttl_seconds"},
	"wait":     {"wait_seconds"},
	"within":   {"within_seconds"},
}

// meant is the member that was probably meant by one that does not exist here.
func meant(key string, allowed []string) string {
	if near := closest(key, allowed); near != "" {
		return near
	}
	for _, other := range otherNames[key] {
		if slices.Contains(allowed, other) {
			return other
		}
	}
	return ""
}

// placeOf says where a member that stands in the wrong place belongs.
func placeOf(key string) string {
	for _, p := range [...]struct {
		fields []string
		where  string
	}{
		{toolFields, "a tool, under tools.<name>"},
		{[]string{"id", "conditions"}, "a rule, under tools.<name>.require, deny_if or approve_if"},
		{ruleFields, "a rule, under tools.<name>.require or deny_if, or a limit"},
		{approveFields, "a rule, under tools.<name>.approve_if"},
		{conditionKeys, "a condition"},
		{limitFields, "a limit, under tools.<name>.limits"},
		{documentFields, "the document itself"},
	} {
		for _, f := range p.fields {
			if f == key {
				return fmt.Sprintf("`%s` belongs to %s", key, p.where)
			}
		}
	}
	return ""
}

// is checks the kind of a value.
func (r *reader) is(n *node, k kind, at string) bool {
	if n.kind == k {
		return true
	}
	r.fault(codeType, at, fmt.Sprintf("%s is needed, not %s", k, n.kind), "")
	return false
}

func (r *reader) document(n *node) *model {
	m := &model{}
	r.only(n, "", documentFields)
	switch v := n.member("version"); {
	case v == nil:
		r.fault(codeVersion, "/version", "the version is missing", `add "version": "1"`)
	case v.kind == kindNumber:
		r.fault(codeVersion, "/version", "the version is a string, not a number", `write "version": "1", with quotes`)
	case v.kind != kindString || v.text != "1":
		r.fault(codeVersion, "/version", "this version is not known", `write "version": "1"`)
	}
	switch v := n.member("default"); {
	case v == nil:
		r.fault(codeDefault, "/default", "the default is missing: what becomes of tools that are not listed", `add "default": "deny"`)
	case v.kind == kindString && (v.text == "allow" || v.text == "deny"):
		m.allow = v.text == "allow"
	default:
		r.fault(codeDefault, "/default", "the default is neither allow nor deny", `write "default": "deny"`)
	}
	if v := n.member("hide"); v != nil && r.is(v, kindArray, "/hide") {
		m.hide = r.hide(v)
	}
	if v := n.member("all_tools"); v != nil && r.is(v, kindObject, "/all_tools") {
		r.only(v, "/all_tools", allToolsFields)
		if l := v.member("limits"); l != nil {
			m.allTools = r.limits(l, "/all_tools/limits", "")
			r.sessionOnly(m.allTools, "/all_tools/limits")
		}
	}
	if v := n.member("tools"); v != nil && r.is(v, kindObject, "/tools") {
		if len(v.keys) > maxTools {
			r.fault(codeSize, "/tools", fmt.Sprintf("%d tools; at most %d are read", len(v.keys), maxTools), "")
		} else {
			for i, name := range v.keys {
				m.tools = append(m.tools, r.tool(name, &v.members[i]))
			}
		}
	}
	r.together(m)
	return m
}

func (r *reader) hide(n *node) []string {
	var hide []string
	if len(n.members) > maxTools {
		r.fault(codeSize, "/hide", fmt.Sprintf("%d entries; at most %d are read", len(n.members), maxTools), "")
		return nil
	}
	seen := map[string]bool{}
	for i := range n.members {
		at, v := "/hide/"+strconv.Itoa(i), &n.members[i]
		switch {
		case !r.is(v, kindString, at):
		case strings.TrimSpace(v.text) == "":
			r.fault(codeHideEmpty, at, "the entry is blank", "name a tool, or leave it out")
		case strings.ContainsFunc(v.text, unicode.IsControl):
			r.fault(codeToolName, at, "the name of a tool has a control character", "")
		case seen[v.text]:
			r.fault(codeHideDup, at, fmt.Sprintf("%s is hidden twice", strconv.Quote(v.text)), "leave one out")
		default:
			seen[v.text] = true
			hide = append(hide, v.text)
		}
	}
	return hide
}

func (r *reader) tool(name string, n *node) toolModel {
	at := "/tools/" + escapePointer(name)
	t := toolModel{name: name}
	switch {
	case name == "*":
		r.fault(codeToolName, at, "a rule can't be for all tools", "use all_tools.limits for quotas, default for the rest")
	case strings.TrimSpace(name) == "":
		r.fault(codeToolName, at, "the name of a tool is blank", "")
	case strings.ContainsFunc(name, unicode.IsControl):
		r.fault(codeToolName, at, "the name of a tool has a control character", "")
	}
	if !r.is(n, kindObject, at) {
		return t
	}
	r.only(n, at, toolFields)
	t.require = r.rules(n, at, "require")
	t.denyIf = r.rules(n, at, "deny_if")
	t.approveIf = r.rules(n, at, "approve_if")
	if l := n.member("limits"); l != nil {
		t.limits = r.limits(l, at+"/limits", name)
	}
	r.shorthands(n, at, &t)
	for _, rules := range [][]ruleModel{t.require, t.denyIf, t.approveIf} {
		r.ids(rules)
	}
	if max(len(t.denyIf), len(t.approveIf), len(t.limits)) > maxRules {
		r.fault(codeSize, at, fmt.Sprintf("with its shorthands written out the tool has more than %d rules of a kind", maxRules), "")
	}
	r.sessionOnly(t.limits, at+"/limits")
	return t
}

// text reads an optional string.
func (r *reader) text(n *node, at, key string) string {
	v := n.member(key)
	if v == nil || !r.is(v, kindString, at+"/"+key) {
		return ""
	}
	return v.text
}

// whole reads an optional whole number in a range.
func (r *reader) whole(n *node, at, key, code string, least, most int64) *int64 {
	v := n.member(key)
	if v == nil {
		return nil
	}
	if v.kind == kindNumber {
		if d, ok := parseDecimal(v.text); ok {
			if i, ok := d.integer(most); ok && i >= least {
				return &i
			}
		}
	}
	r.fault(code, at+"/"+key, fmt.Sprintf("%s is a whole number from %d to %d", key, least, most), "")
	return nil
}

// name says what is wrong with the name of a counter or a rule.
func nameProblem(name string) string {
	switch {
	case strings.TrimSpace(name) == "":
		return "the name is blank"
	case utf8.RuneCountInString(name) > maxName:
		return fmt.Sprintf("the name is longer than %d characters", maxName)
	case strings.ContainsFunc(name, unicode.IsControl):
		return "the name has a control character"
	}
	return ""
}
