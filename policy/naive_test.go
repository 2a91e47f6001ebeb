package policy_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/big"
	"regexp"
	"strings"
	"unicode/utf8"
)

// The evaluator of this file knows nothing of the package: it decodes documents and
// arguments with encoding/json, computes with math/big, and follows the tables of the
// specification word by word. Slow and plain is what it is for.

const (
	no    = "false"
	yes   = "true"
	maybe = "unknown"
)

type naiveRule struct {
	ID         string `json:"id"`
	Conditions []struct {
		Path  string          `json:"path"`
		Op    string          `json:"op"`
		Value json.RawMessage `json:"value"`
	} `json:"conditions"`
}

type naiveDocument struct {
	Default string   `json:"default"`
	Hide    []string `json:"hide"`
	Tools   map[string]struct {
		Require   []naiveRule `json:"require"`
		DenyIf    []naiveRule `json:"deny_if"`
		ApproveIf []naiveRule `json:"approve_if"`
	} `json:"tools"`
}

// absent stands for no value, spoiled for one that two readers would take for two things.
type (
	absent  struct{}
	spoiled struct{}
)

func decodeNaive(raw []byte) any {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		panic(err)
	}
	return v
}

// naive decides a call: verdict, code and the id of the rule.
func naive(document, arguments []byte, tool string) (verdict, code, id string) {
	var doc naiveDocument
	if err := json.Unmarshal(document, &doc); err != nil {
		panic(err)
	}
	for _, h := range doc.Hide {
		if h == "*" || h == tool {
			return "deny", "hidden", ""
		}
	}
	rules, listed := doc.Tools[tool]
	if !listed {
		if doc.Default == "deny" {
			return "deny", "default_deny", ""
		}
		return "allow", "", ""
	}
	var args any = map[string]any{}
	if len(arguments) > 0 {
		args = decodeNaive(arguments)
	}
	for _, r := range rules.Require {
		if r.naive(args, true) != yes {
			return "deny", "require_failed", r.ID
		}
	}
	for _, r := range rules.DenyIf {
		if r.naive(args, false) != no {
			return "deny", "denied", r.ID
		}
	}
	for _, r := range rules.ApproveIf {
		if r.naive(args, false) != no {
			return "approve", "approval_pending", r.ID
		}
	}
	return "allow", "", ""
}

func (r naiveRule) naive(args any, all bool) string {
	seen := map[string]bool{}
	for _, c := range r.Conditions {
		operand := decodeNaive(c.Value)
		seen[walkNaive(args, segments(c.Path), all, func(v any) string { return naiveOp(c.Op, operand, v) })] = true
	}
	switch {
	case seen[no]:
		return no
	case seen[maybe]:
		return maybe
	}
	return yes
}

var segment = regexp.MustCompile(`^(\[\*\]|\["(?:[^"\\]|\\.)*"\]|\.[^.\[]+)`)

func segments(path string) (out []string) {
	rest := strings.TrimPrefix(path, "args")
	for rest != "" {
		s := segment.FindString(rest)
		if s == "" {
			panic("no path: " + path)
		}
		rest = rest[len(s):]
		switch {
		case s == "[*]", s == ".$length":
		case s[0] == '[':
			var name string
			if err := json.Unmarshal([]byte(s[1:len(s)-1]), &name); err != nil {
				panic(err)
			}
			s = "=" + name
		default:
			s = "=" + s[1:]
		}
		out = append(out, s)
	}
	return out
}

func walkNaive(v any, rest []string, all bool, judge func(any) string) string {
	if _, bad := v.(spoiled); bad {
		return maybe
	}
	if len(rest) == 0 {
		return judge(v)
	}
	switch rest[0] {
	case "[*]":
		list, ok := v.([]any)
		if !ok && v != nil && v != (absent{}) {
			return maybe
		}
		if len(list) == 0 {
			return judge(absent{})
		}
		seen := map[string]bool{}
		for _, e := range list {
			seen[walkNaive(e, rest[1:], all, judge)] = true
		}
		first, last := yes, no
		if all {
			first, last = no, yes
		}
		switch {
		case seen[first]:
			return first
		case seen[maybe]:
			return maybe
		}
		return last
	case ".$length":
		switch v := v.(type) {
		case nil, absent:
			return judge(absent{})
		case []any:
			return judge(json.Number(fmt.Sprint(len(v))))
		case string:
			return judge(json.Number(fmt.Sprint(utf8.RuneCountInString(v))))
		}
		return maybe
	}
	object, ok := v.(map[string]any)
	if !ok {
		return walkNaive(absent{}, rest[1:], all, judge)
	}
	var next any = absent{}
	for key, value := range object {
		if key == rest[0][1:] {
			next = value
		}
	}
	for key := range object {
		if key != rest[0][1:] && strings.EqualFold(key, rest[0][1:]) {
			next = spoiled{}
		}
	}
	return walkNaive(next, rest[1:], all, judge)
}

func typeName(v any) string {
	switch v.(type) {
	case absent:
		return "absent"
	case nil:
		return "null"
	case bool:
		return "boolean"
	case json.Number:
		return "number"
	case string:
		return "string"
	case []any:
		return "array"
	}
	return "object"
}

func boolean(b bool) string {
	if b {
		return yes
	}
	return no
}

func opposite(s string) string {
	return map[string]string{yes: no, no: yes, maybe: maybe}[s]
}

// naiveOp is the table of §3, row by row.
func naiveOp(op string, operand, v any) string {
	there := typeName(v) != "absent" && v != nil
	switch {
	case op == "exists":
		return boolean(there == operand.(bool))
	case !there && (op == "lt" || op == "lte" || op == "gt" || op == "gte"):
		return maybe
	case typeName(v) == "absent" && (op == "neq" || op == "not_in"):
		return maybe
	case typeName(v) == "absent":
		return no
	case v == nil:
		null := operand == nil
		if list, ok := operand.([]any); ok && (op == "in" || op == "not_in") {
			null = false
			for _, e := range list {
				null = null || e == nil
			}
		}
		switch op {
		case "eq", "in", "contains", "regex":
			return boolean(null)
		}
		if null {
			return no
		}
		return maybe
	}
	switch op {
	case "eq":
		return naiveEqual(operand, v)
	case "neq":
		return opposite(naiveEqual(operand, v))
	case "in", "not_in":
		seen := map[string]bool{}
		for _, e := range operand.([]any) {
			if typeName(e) == typeName(v) {
				seen[naiveEqual(e, v)] = true
			}
		}
		result := maybe
		switch {
		case seen[yes]:
			result = yes
		case seen[no] && !seen[maybe]:
			result = no
		}
		if op == "not_in" {
			return opposite(result)
		}
		return result
	case "regex":
		if s, ok := v.(string); ok {
			return boolean(regexp.MustCompile(operand.(string)).MatchString(s))
		}
		return maybe
	case "contains":
		switch v := v.(type) {
		case string:
			if s, ok := operand.(string); ok {
				return boolean(strings.Contains(v, s))
			}
		case []any:
			result := no
			for _, e := range v {
				switch t := naiveOp("eq", operand, e); {
				case t == yes:
					return yes
				case t == maybe:
					result = maybe
				}
			}
			return result
		}
		return maybe
	}
	if typeName(v) != "number" {
		return maybe
	}
	c, fine := compareNaive(v.(json.Number), operand.(json.Number))
	if !fine {
		return maybe
	}
	return boolean(map[string]bool{"lt": c < 0, "lte": c <= 0, "gt": c > 0, "gte": c >= 0}[op])
}

// compareNaive is false where two numbers differ and are one double.
func compareNaive(a, b json.Number) (int, bool) {
	x, y := rational(a), rational(b)
	f, _ := x.Float64()
	g, _ := y.Float64()
	c := x.Cmp(y)
	return c, c == 0 || f != g
}

func rational(n json.Number) *big.Rat {
	r, ok := new(big.Rat).SetString(n.String())
	if !ok {
		panic("no number: " + n.String())
	}
	return r
}

func naiveEqual(a, b any) string {
	if typeName(a) != typeName(b) {
		return maybe
	}
	return deepNaive(a, b)
}

// deepNaive compares an operand with a value; unknown where something inside is written
// in other capitals.
func deepNaive(a, b any) string {
	if typeName(a) != typeName(b) {
		return no
	}
	var parts []string
	switch a := a.(type) {
	case json.Number:
		c, fine := compareNaive(a, b.(json.Number))
		if !fine {
			return maybe
		}
		return boolean(c == 0)
	case []any:
		list := b.([]any)
		for i := range min(len(a), len(list)) {
			parts = append(parts, deepNaive(a[i], list[i]))
		}
		parts = append(parts, boolean(len(a) == len(list)))
	case map[string]any:
		object := b.(map[string]any)
		for key := range a {
			for other := range object {
				if other != key && strings.EqualFold(other, key) {
					return maybe
				}
			}
			if other, ok := object[key]; ok {
				parts = append(parts, deepNaive(a[key], other))
			}
		}
		for key := range object {
			_, ok := a[key]
			parts = append(parts, boolean(ok))
		}
		parts = append(parts, boolean(len(object) == len(a)))
	default:
		return boolean(a == b)
	}
	switch all := strings.Join(parts, " "); {
	case strings.Contains(all, maybe):
		return maybe
	case strings.Contains(all, no):
		return no
	}
	return yes
}
