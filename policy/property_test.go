package policy_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"sluice/policy"
)

var (
	drawnPaths = []string{"args.a", "args.a.b", "args.b", "args.b.c", "args.e[*]", "args.e[*].a", "args.e[*].a[*]", "args.e.$length", `args["x.y"]`, "args.a.b.$length"}
	drawnNames = []string{"a", "b", "c", "e", "A", "B", "x.y", "E"}
	drawnOps   = []string{"eq", "neq", "in", "not_in", "lt", "lte", "gt", "gte", "regex", "contains", "exists"}
)

// drawRules draws a list of rules, each with an id.
func drawRules(t *rapid.T, list string) string {
	least := 0
	if list == "require" {
		least = 1
	}
	var rules []string
	for i := range rapid.IntRange(0, 3).Draw(t, list) {
		var conditions []string
		for range rapid.IntRange(least, 3).Draw(t, "conditions") {
			op := rapid.SampledFrom(drawnOps).Draw(t, "op")
			conditions = append(conditions, fmt.Sprintf(`{"path":%q,"op":%q,"value":%s}`, rapid.SampledFrom(drawnPaths).Draw(t, "path"), op, rapid.SampledFrom(operandsOf[op]).Draw(t, "value")))
		}
		rules = append(rules, fmt.Sprintf(`{"id":"r%d","conditions":[%s]}`, i, strings.Join(conditions, ",")))
	}
	return fmt.Sprintf("%q:[%s]", list, strings.Join(rules, ","))
}

// drawValue draws a JSON value, written with or without spaces.
func drawValue(t *rapid.T, depth int) string {
	space := rapid.SampledFrom([]string{"", "", " ", "\n\t"}).Draw(t, "space")
	kind := rapid.IntRange(0, 8).Draw(t, "kind")
	switch {
	case kind >= 7 && depth > 0:
		var parts []string
		seen := map[string]bool{}
		for range rapid.IntRange(0, 4).Draw(t, "members") {
			name := rapid.SampledFrom(drawnNames).Draw(t, "name")
			if seen[name] {
				continue
			}
			seen[name] = true
			key, _ := json.Marshal(name)
			if rapid.IntRange(0, 9).Draw(t, "escaped") == 0 {
				key = fmt.Appendf(nil, `"\u%04x%s"`, name[0], name[1:])
			}
			parts = append(parts, space+string(key)+space+":"+drawValue(t, depth-1))
		}
		return "{" + strings.Join(parts, ",") + space + "}"
	case kind >= 5 && depth > 0:
		var parts []string
		for range rapid.IntRange(0, 3).Draw(t, "elements") {
			parts = append(parts, drawValue(t, depth-1))
		}
		return space + "[" + strings.Join(parts, ",") + "]"
	}
	return space + rapid.SampledFrom([]string{`1`, `100`, `100.0`, `1e2`, `-1`, `2`, `5`, `1.5`, `99.999999999999999999999`, `null`, `true`, `false`, `"EUR"`, `"USD"`, `"\u0045UR"`, `"100"`, `""`, `"xU}]\""`}).Draw(t, "scalar") + space
}

func drawArguments(t *rapid.T) string {
	var parts []string
	for _, name := range rapid.SliceOfDistinct(rapid.SampledFrom(drawnNames), rapid.ID[string]).Draw(t, "arguments") {
		parts = append(parts, fmt.Sprintf("%q:%s", name, drawValue(t, 3)))
	}
	return "{" + strings.Join(parts, ",") + "}"
}

// Whatever the document and the call: the decision is that of the naive evaluator, the
// explanation and the canonical form agree with it, and deciding twice says the same.
func TestDecisionsOfDrawnDocuments(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		document := fmt.Sprintf(`{"version":"1","default":%q,"hide":[%s],"tools":{"t":{%s,%s,%s},"h":{}}}`,
			rapid.SampledFrom([]string{"allow", "deny"}).Draw(r, "default"), rapid.SampledFrom([]string{``, `"h"`, `"h"`}).Draw(r, "hide"),
			drawRules(r, "require"), drawRules(r, "deny_if"), drawRules(r, "approve_if"))
		d, faults := policy.Parse([]byte(document))
		if d == nil {
			r.Fatalf("%s: %+v", document, faults)
		}
		again, _ := policy.Parse(d.Canonical())
		if again == nil || !bytes.Equal(again.Canonical(), d.Canonical()) {
			r.Fatalf("the canonical form of %s is no fixed point", document)
		}
		p, q := d.Compile(), again.Compile()
		for range 8 {
			c := policy.Call{Tool: rapid.SampledFrom([]string{"t", "t", "t", "h", "u"}).Draw(r, "tool"), Arguments: []byte(drawArguments(r))}
			got := p.Decide(c)
			verdict, code, id := naive([]byte(document), c.Arguments, c.Tool)
			if verdictNames[got.Verdict] != verdict || string(got.Code) != code || ruleID(got) != id {
				r.Fatalf("%s\n%s\n%s %q by %q; the naive evaluator says %s %q by %q", document, c.Arguments, verdictNames[got.Verdict], got.Code, got.Rule, verdict, code, id)
			}
			other := q.Decide(c)
			if other.Verdict != got.Verdict || other.Rule != got.Rule || other.Message != got.Message {
				r.Fatalf("the canonical form decides otherwise: %+v, %+v", got, other)
			}
			agree(t, p, c)
		}
	})
}

// Rules only ever narrow: what a document with more of them allows, the one with fewer
// allows as well.
func TestRulesOnlyNarrow(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		require, denyIf, approveIf := drawRules(r, "require"), drawRules(r, "deny_if"), drawRules(r, "approve_if")
		whole := compile(t, tool(`{`+require+`,`+denyIf+`,`+approveIf+`}`))
		c := policy.Call{Tool: "t", Arguments: []byte(drawArguments(r))}
		if whole.Decide(c).Verdict != policy.Allow {
			return
		}
		for _, part := range []string{require, denyIf, approveIf} {
			if d := compile(t, tool(`{`+part+`}`)).Decide(c); d.Verdict != policy.Allow {
				r.Fatalf("%s: allowed by all rules, not by %s alone", c.Arguments, part)
			}
		}
	})
}

// A server that keeps numbers as doubles gets no call that the policy denies, however the
// numbers were written.
func TestNobodyGetsPastByDigits(tt *testing.T) {
	tt.Parallel()
	ops := []string{"eq", "neq", "in", "not_in", "lt", "lte", "gt", "gte", "contains"}
	rapid.Check(tt, func(t *rapid.T) {
		operand := rapid.SampledFrom([]string{"0", "100", "-1.5", "1e20", "9007199254740992", "0.1", "1e-300"}).Draw(t, "operand")
		op, list := rapid.SampledFrom(ops).Draw(t, "op"), rapid.SampledFrom([]string{"require", "deny_if"}).Draw(t, "list")
		value := operand
		if op == "in" || op == "not_in" {
			value = rapid.SampledFrom([]string{"[%s]", "[7,%s]", `["x",{"a":1},%s,7]`}).Draw(t, "list of operands")
			value = fmt.Sprintf(value, operand)
		}
		p := compile(tt, tool(fmt.Sprintf(`{%q:[{"conditions":[{"path":"args.a","op":%q,"value":%s}]}]}`, list, op, value)))
		mantissa, exponent, _ := strings.Cut(operand, "e")
		digits := rapid.SampledFrom([]string{"%s", "%s0", "%s1", "%s.0", "%s.5", "%s." + strings.Repeat("0", 40) + "1", "%s" + strings.Repeat("0", 40) + "1"}).Draw(t, "digits")
		if strings.Contains(mantissa, ".") {
			digits = strings.ReplaceAll(digits, ".", "")
		}
		argument := fmt.Sprintf(digits, mantissa)
		if exponent != "" {
			argument += "e" + exponent
		}
		if op == "contains" {
			argument = "[5," + argument + "]"
		}
		call := `{"a":` + argument + `}`
		var read map[string]any // numbers are doubles
		if err := json.Unmarshal([]byte(call), &read); err != nil {
			t.Skip("no JSON")
		}
		taken, err := json.Marshal(read)
		if err != nil {
			t.Fatal(err)
		}
		said, meant := p.Decide(policy.Call{Tool: "t", Arguments: []byte(call)}), p.Decide(policy.Call{Tool: "t", Arguments: taken})
		if said.Verdict == policy.Allow && meant.Verdict == policy.Deny {
			t.Fatalf("%s %s %s: %s is allowed, and the server reads %s", list, op, value, call, taken)
		}
	})
}
