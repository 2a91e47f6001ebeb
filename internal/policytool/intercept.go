package policytool

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// The format that Import reads: Intercept's policies in YAML, version 1.

// everyTool is the entry for rules of all tools.
const everyTool = "*"

type interceptFile struct {
	defaultAllow bool
	hide         []string
	tools        []interceptTool // in the order of the file
}

type interceptTool struct {
	name  string
	line  int
	rules []interceptRule
}

type interceptRule struct {
	line       int
	deny       bool
	conditions []interceptCondition
	rate       *interceptRate
	state      *interceptState
	onDeny     string
}

type interceptCondition struct {
	line int
	path string
	op   string
	// value as JSON.
	value json.RawMessage
}

type interceptRate struct {
	max    string
	window string
}

type interceptState struct {
	counter, window string
	increment       int64
	incrementFrom   string
}

var (
	interceptWindows   = []string{"minute", "hour", "day"}
	interceptOperators = []string{"eq", "neq", "in", "not_in", "lt", "lte", "gt", "gte", "regex", "contains", "exists"}
)

// interceptReader reads the tree. The original ignores keys it does not know, so that a
// misspelt `default: deny` leaves everything open; here each one is a trouble.
type interceptReader struct{ troubles []Trouble }

func (r *interceptReader) say(n *node, fix, format string, args ...any) {
	r.troubles = append(r.troubles, Trouble{n.line, n.col, fmt.Sprintf(format, args...), fix})
}

// object checks that a node is an object with no other keys than these.
func (r *interceptReader) object(n *node, what string, keys ...string) bool {
	if n.kind != objectNode {
		r.say(n, "the keys are "+strings.Join(keys, ", "), "%s has to be an object, not %s", what, nodeNames[n.kind])
		return false
	}
	for _, m := range n.members {
		if !slices.Contains(keys, m.key) {
			r.troubles = append(r.troubles, Trouble{m.line, m.col, fmt.Sprintf("%s has no key %q", what, m.key), unknownKeyFix(m.key, keys)})
		}
	}
	return true
}

// textOf reads a member that holds text; a number will do where a version is meant.
func (r *interceptReader) textOf(n *node, key string) string {
	v := n.get(key)
	if v == nil {
		return ""
	}
	if v.kind != textNode && v.kind != numberNode {
		r.say(v, "write text", "%s has to be text, not %s", key, nodeNames[v.kind])
		return ""
	}
	return v.text
}

func (r *interceptReader) file(n *node) *interceptFile {
	f := &interceptFile{defaultAllow: true}
	if !r.object(n, "the file", "version", "description", "default", "hide", "tools") {
		return f
	}
	if v := r.textOf(n, "version"); v != "1" {
		r.say(n, `write version: "1"`, "only version \"1\" can be imported")
	}
	switch v := r.textOf(n, "default"); {
	case v == "deny":
		f.defaultAllow = false
	case v != "allow" && n.get("default") != nil:
		r.say(n.get("default"), "write allow or deny", "default is neither allow nor deny")
	}
	if h := n.get("hide"); h != nil && h.kind != nullNode {
		f.hide = r.names(h)
	}
	tools := n.get("tools")
	if tools == nil || tools.kind == nullNode {
		return f
	}
	if tools.kind != objectNode {
		r.say(tools, "write one key for each tool", "tools has to be an object, not %s", nodeNames[tools.kind])
		return f
	}
	for _, m := range tools.members {
		t := interceptTool{name: m.key, line: m.line}
		if m.value.kind != nullNode && r.object(m.value, "a tool", "rules") {
			rules := m.value.get("rules")
			switch {
			case rules == nil || rules.kind == nullNode:
			case rules.kind != listNode:
				r.say(rules, "write a list", "rules has to be a list, not %s", nodeNames[rules.kind])
			default:
				for _, item := range rules.items {
					t.rules = append(t.rules, r.rule(item))
				}
			}
		}
		f.tools = append(f.tools, t)
	}
	return f
}

func (r *interceptReader) names(n *node) (list []string) {
	if n.kind != listNode {
		r.say(n, "write a list of names", "hide has to be a list, not %s", nodeNames[n.kind])
		return nil
	}
	for _, item := range n.items {
		switch {
		case item.kind != textNode && item.kind != numberNode || strings.TrimSpace(item.text) == "":
			r.say(item, "write the name of a tool", "hide holds something that is no name")
		case slices.Contains(list, item.text):
			r.say(item, "keep one of the two", "hide names %q twice", item.text)
		default:
			list = append(list, item.text)
		}
	}
	return list
}

func (r *interceptReader) rule(n *node) interceptRule {
	out := interceptRule{line: n.line}
	if !r.object(n, "a rule", "name", "action", "conditions", "rate_limit", "state", "on_deny") {
		return out
	}
	out.onDeny = r.textOf(n, "on_deny")
	_ = r.textOf(n, "name")
	switch a := n.get("action"); {
	case a == nil || a.text == "evaluate":
	case a.text == "deny":
		out.deny = true
	case a.text == "require_approval":
		r.say(a, "leave the rule out and write approve_if into what was imported", "action require_approval is not of version 1")
	default:
		r.say(a, "write evaluate or deny", "action is neither evaluate nor deny")
	}
	if c := n.get("conditions"); c != nil && c.kind != nullNode {
		if c.kind != listNode {
			r.say(c, "write a list", "conditions has to be a list, not %s", nodeNames[c.kind])
		}
		for _, item := range c.items {
			out.conditions = append(out.conditions, r.condition(item))
		}
	}
	if v := n.get("rate_limit"); v != nil {
		out.rate = r.rate(v)
		if out.deny || len(out.conditions) > 0 || n.get("state") != nil {
			r.say(v, "make two rules of it", "rate_limit can't stand beside conditions, state or action: deny")
		}
	}
	if s := n.get("state"); s != nil {
		out.state = r.state(s)
	}
	switch {
	case out.deny && (len(out.conditions) > 0 || out.state != nil):
		r.say(n, "leave the conditions or the action out", "action: deny can't have conditions or state")
	case !out.deny && out.rate == nil && len(out.conditions) == 0 && n.get("rate_limit") == nil:
		r.say(n, "give it conditions, rate_limit or action: deny", "the rule says nothing")
	}
	return out
}

func (r *interceptReader) condition(n *node) interceptCondition {
	c := interceptCondition{line: n.line}
	if !r.object(n, "a condition", "path", "op", "value") {
		return c
	}
	c.path, c.op = r.textOf(n, "path"), r.textOf(n, "op")
	if !strings.HasPrefix(c.path, "args.") && !strings.HasPrefix(c.path, "state.") {
		r.say(n, "write args.… or state.…", "path has to start with args. or state.")
	}
	if !slices.Contains(interceptOperators, c.op) {
		r.say(n, "one of "+strings.Join(interceptOperators, ", "), "there is no operator %q", c.op)
	}
	v := n.get("value")
	if v == nil {
		r.say(n, "write value: …", "the condition has no value")
		return c
	}
	c.value = r.json(v)
	return c
}

// json writes a value as JSON. Numbers stay as they were written, as far as JSON has
// that notation.
func (r *interceptReader) json(n *node) json.RawMessage {
	var out bytes.Buffer
	var write func(n *node)
	write = func(n *node) {
		switch n.kind {
		case nullNode:
			out.WriteString("null")
		case textNode:
			out.Write(quote(n.text))
		case boolNode:
			out.WriteString(strings.ToLower(n.text))
		case numberNode:
			text := strings.TrimPrefix(n.text, "+")
			if !json.Valid([]byte(text)) {
				r.say(n, "write it as a decimal number", "the number is not written as JSON has it")
				text = "null"
			}
			out.WriteString(text)
		case listNode:
			out.WriteByte('[')
			for i, item := range n.items {
				if i > 0 {
					out.WriteByte(',')
				}
				write(item)
			}
			out.WriteByte(']')
		case objectNode:
			out.WriteByte('{')
			for i, m := range n.members {
				if i > 0 {
					out.WriteByte(',')
				}
				out.Write(quote(m.key))
				out.WriteByte(':')
				write(m.value)
			}
			out.WriteByte('}')
		}
	}
	write(n)
	return out.Bytes()
}

func (r *interceptReader) rate(n *node) *interceptRate {
	count, window, ok := strings.Cut(n.text, "/")
	if v, err := strconv.ParseInt(strings.TrimSpace(count), 10, 64); !ok || err != nil || v < 0 || !slices.Contains(interceptWindows, strings.TrimSpace(window)) {
		r.say(n, "such as 30/minute", "rate_limit is not NUMBER/minute, NUMBER/hour or NUMBER/day")
		return nil
	}
	return &interceptRate{strings.TrimSpace(count), strings.TrimSpace(window)}
}

func (r *interceptReader) state(n *node) *interceptState {
	s := &interceptState{increment: 1}
	if !r.object(n, "state", "counter", "window", "increment", "increment_from") {
		return nil
	}
	s.counter, s.window, s.incrementFrom = r.textOf(n, "counter"), r.textOf(n, "window"), r.textOf(n, "increment_from")
	if s.counter == "" {
		r.say(n, "name the counter", "state has no counter")
	}
	if !slices.Contains(interceptWindows, s.window) {
		r.say(n, "minute, hour or day", "state has no window that is known")
	}
	if v := n.get("increment"); v != nil {
		by, err := strconv.ParseInt(v.text, 10, 64)
		if err != nil || by < 0 {
			r.say(v, "write a whole number from 1 on; what gives quota back can't be imported", "increment is not a whole number from 0 on")
		}
		s.increment = max(by, 1) // 0 counts as 1 in the original
	}
	if s.incrementFrom != "" && !strings.HasPrefix(s.incrementFrom, "args.") {
		r.say(n, "write args.…", "increment_from has to start with args.")
	}
	return s
}
