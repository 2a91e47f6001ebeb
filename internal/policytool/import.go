package policytool

import (
	"encoding/json"
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"strings"

	"sluice/policy"
)

// ImportOptions are what the original does not say.
type ImportOptions struct {
	// Scope of the limits. The original counts all clients of one process together,
	// which is policy.PerServer, the default; policy.PerGrant lets each have as much.
	Scope policy.Scope
}

// Imported is a document made of another format, and how far it reaches.
type Imported struct {
	Document json.RawMessage `json:"document"`
	Reach    []Reach         `json:"reach"`
	Notes    []Note          `json:"notes"` // what differs from the original
}

// Note is one difference.
type Note struct {
	Line    int    `json:"line"`
	Tool    string `json:"tool,omitempty"`
	Message string `json:"message"`
}

// Import makes a document of an Intercept policy (YAML, version 1). Rules, which are
// assertions there, become require; action: deny becomes a deny_if without conditions
// and never an approval; counters become limits. What has no counterpart blocks its
// tool, and a note says so.
func Import(text []byte, o ImportOptions) (*Imported, []Trouble) {
	tree, troubles := parseYAML(text)
	if len(troubles) > 0 {
		return nil, troubles
	}
	r := &interceptReader{}
	f := r.file(tree)
	if len(r.troubles) > 0 {
		return nil, r.troubles
	}
	if o.Scope == "" {
		o.Scope = policy.PerServer
	}
	c := &carrier{file: f, o: o, lines: map[string]int{}, doc: document{Version: "1", Default: "deny", Hide: f.hide, Tools: map[string]toolRule{}}}
	c.carry()
	if len(c.troubles) > 0 {
		return nil, c.troubles
	}
	canonical, err := c.doc.canonical()
	if err != nil {
		return nil, c.place(err)
	}
	return &Imported{Document: canonical, Reach: reach(f, canonical), Notes: append([]Note{}, c.notes...)}, nil
}

// carrier writes the document.
type carrier struct {
	file     *interceptFile
	o        ImportOptions
	doc      document
	lines    map[string]int // of what was written, by pointer
	notes    []Note
	troubles []Trouble
}

func (c *carrier) note(line int, tool, format string, args ...any) {
	c.notes = append(c.notes, Note{line, tool, fmt.Sprintf(format, args...)})
}

func (c *carrier) trouble(line int, fix, format string, args ...any) {
	c.troubles = append(c.troubles, Trouble{line, 1, fmt.Sprintf(format, args...), fix})
}

func (c *carrier) carry() {
	var every []interceptRule
	for _, t := range c.file.tools {
		if t.name == everyTool {
			every = t.rules
		}
	}
	everyDenied := slices.ContainsFunc(every, func(r interceptRule) bool { return r.deny })
	if c.file.defaultAllow && !everyDenied {
		c.doc.Default = "allow"
	}
	forEach := c.carryEvery(every)
	for _, t := range c.file.tools {
		if t.name == everyTool {
			continue
		}
		rule := toolRule{}
		for _, r := range append(slices.Clone(t.rules), forEach...) {
			c.rule(t.name, &rule, r)
		}
		c.doc.Tools[t.name] = rule
		c.lines[pointer("tools", t.name)] = t.line
	}
	if c.typed() {
		c.note(1, "", "eq, neq, in and not_in compare within one type: where the original took \"5\" for 5, the call is denied now")
	}
}

// carryEvery writes the limits of all tools, and returns the rules that each tool needs
// a copy of.
func (c *carrier) carryEvery(every []interceptRule) (forEach []interceptRule) {
	var limits toolRule
	for _, r := range every {
		if r.state != nil && r.state.incrementFrom != "" {
			c.trouble(r.line, "give the rule to each tool that it is meant for", "a sum over the calls of all tools has no counterpart")
			continue
		}
		own := r
		own.conditions = nil
		args := r
		args.conditions, args.state, args.rate = nil, nil, nil
		for _, cond := range r.conditions {
			if strings.HasPrefix(cond.path, "args.") {
				args.conditions = append(args.conditions, cond)
			} else {
				own.conditions = append(own.conditions, cond)
			}
		}
		if own.rate != nil || len(own.conditions) > 0 {
			before := len(limits.DenyIf)
			own.deny = false
			c.rule(everyTool, &limits, own)
			if len(limits.DenyIf) > before {
				c.trouble(r.line, "write it as limits of all_tools", "a condition over counters that the rule does not keep has no counterpart for all tools")
			}
		}
		if args.deny || len(args.conditions) > 0 {
			if c.file.defaultAllow && !r.deny {
				c.trouble(r.line, "list the tools and set default: deny, or give the rule to each tool that it is meant for",
					"a rule about the arguments of every tool can't be kept under default: allow")
				continue
			}
			forEach = append(forEach, args)
		}
	}
	if len(limits.Limits) > 0 {
		c.doc.AllTools = &allTools{Limits: limits.Limits}
	}
	return forEach
}

// rule adds one rule to a tool.
func (c *carrier) rule(tool string, to *toolRule, r interceptRule) {
	if r.deny {
		c.lines[pointer("tools", tool, "deny_if", strconv.Itoa(len(to.DenyIf)))] = r.line
		to.DenyIf = append(to.DenyIf, argumentRule{Conditions: []condition{}, OnDeny: r.onDeny})
		return
	}
	if r.rate != nil {
		c.limit(tool, to, r, limitRule{Counter: rateCounter(tool), Window: r.rate.window, Max: json.Number(r.rate.max)})
		return
	}
	var args []condition
	var state []interceptCondition
	for _, cond := range r.conditions {
		if strings.HasPrefix(cond.path, "args.") {
			args = append(args, condition{Path: cond.path, Op: cond.op, Value: cond.value})
		} else {
			state = append(state, cond)
		}
	}
	if len(args) > 0 {
		c.lines[pointer("tools", tool, "require", strconv.Itoa(len(to.Require)))] = r.line
		to.Require = append(to.Require, argumentRule{Conditions: args, OnDeny: r.onDeny})
	}
	if len(state) > 0 {
		c.counter(tool, to, r, state)
	} else if r.state != nil {
		c.note(r.line, tool, "the counter %q has no lt or lte condition in its rule and counted nothing; it is left out", r.state.counter)
	}
}

func rateCounter(tool string) string {
	if tool == everyTool {
		return "all_rate"
	}
	return counterName(tool, "_rate")
}

// counter turns the conditions of a rule over its own counter into a limit. Others
// block the tool: a limit that is not there must not let more through.
func (c *carrier) counter(tool string, to *toolRule, r interceptRule, state []interceptCondition) {
	own := ""
	if r.state != nil {
		own = "state." + tool + "." + r.state.counter
		if tool == everyTool {
			own = "state._global." + r.state.counter
		}
	}
	var most *big.Int
	for _, cond := range state {
		limit, ok := ceiling(cond)
		if cond.path != own || !ok {
			c.note(cond.line, tool, "a condition over a counter that this rule does not keep with lt or lte has no counterpart: the tool is denied")
			to.DenyIf = append(to.DenyIf, argumentRule{Conditions: []condition{}, OnDeny: "Denied: a rule of this tool could not be imported."})
			return
		}
		if most != nil {
			c.note(cond.line, tool, "several ceilings for one counter: the lowest counts")
		}
		if most == nil || limit.Cmp(most) < 0 {
			most = limit
		}
	}
	l := limitRule{Counter: r.state.counter, Window: r.state.window, IncrementFrom: r.state.incrementFrom}
	switch {
	case r.state.incrementFrom != "":
		c.note(r.line, tool, "amounts of %q are summed exactly: fractions count, and negative or absent ones are denied", l.Counter)
	case r.state.increment > 1:
		most = new(big.Int).Div(most, big.NewInt(r.state.increment))
		c.note(r.line, tool, "each call counted %d of %q; it counts 1 of %s now", r.state.increment, l.Counter, most)
	}
	if most.Sign() < 0 {
		most.SetInt64(0)
	}
	l.Max = json.Number(most.String())
	c.limit(tool, to, r, l)
}

func (c *carrier) limit(tool string, to *toolRule, r interceptRule, l limitRule) {
	l.Scope, l.OnDeny = string(c.o.Scope), r.onDeny
	at := pointer("tools", tool, "limits", strconv.Itoa(len(to.Limits)))
	if tool == everyTool {
		at = pointer("all_tools", "limits", strconv.Itoa(len(to.Limits)))
	}
	c.lines[at] = r.line
	to.Limits = append(to.Limits, l)
}

// ceiling is the limit that a condition sets: N for lte N, N-1 for lt N, each truncated
// as the original does.
func ceiling(cond interceptCondition) (*big.Int, bool) {
	n, ok := new(big.Rat).SetString(shortNumber(cond.value))
	if !ok || cond.op != "lt" && cond.op != "lte" {
		return nil, false
	}
	whole := new(big.Int).Quo(n.Num(), n.Denom())
	if cond.op == "lt" {
		whole.Sub(whole, big.NewInt(1))
	}
	return whole, true
}

// shortNumber is the text of a number that is safe to expand.
func shortNumber(value json.RawMessage) string {
	if len(value) > 30 || strings.ContainsAny(string(value), `eE"`) {
		return ""
	}
	return string(value)
}

// typed reports whether a rule compares with an operand whose type now matters.
func (c *carrier) typed() bool {
	for _, t := range c.doc.Tools {
		for _, r := range t.Require {
			if slices.ContainsFunc(r.Conditions, func(k condition) bool {
				return k.Op == "eq" || k.Op == "neq" || k.Op == "in" || k.Op == "not_in"
			}) {
				return true
			}
		}
	}
	return false
}

// place gives the errors of the document the lines of the rules they come from.
func (c *carrier) place(err error) []Trouble {
	invalid, ok := err.(*InvalidError) //nolint:errorlint // canonical returns it as it is
	if !ok {
		return []Trouble{{1, 1, err.Error(), ""}}
	}
	var out []Trouble
	for _, f := range invalid.Findings {
		if !f.Serious() {
			continue
		}
		line := 1
		for at := f.Pointer; at != ""; at = parent(at) {
			if l, ok := c.lines[at]; ok {
				line = l
				break
			}
		}
		out = append(out, Trouble{line, 1, f.Message + " (" + f.Code + ")", f.Fix})
	}
	return out
}
