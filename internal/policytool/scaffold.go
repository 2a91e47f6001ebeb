package policytool

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"sluice/policy"
)

// Scaffolded is a first document and the reason of each of its rules.
type Scaffolded struct {
	Document json.RawMessage `json:"document"`
	Tools    []Choice        `json:"tools"`
}

// Choice is the rule of one tool, and why.
type Choice struct {
	Tool string `json:"tool"`
	Judgement
	Rule string `json:"rule"` // in words
}

// Scaffold writes a first document for tools: default deny, and for each tool the rule
// that its kind usually needs. What moves money stays blocked until somebody writes a
// rule for it; what destroys is hidden.
func Scaffold(tools []Tool) (*Scaffolded, error) {
	tools = slices.Clone(tools)
	slices.SortStableFunc(tools, func(a, b Tool) int { return strings.Compare(a.Name, b.Name) })
	tools = slices.CompactFunc(tools, func(a, b Tool) bool { return a.Name == b.Name })
	doc := document{Version: "1", Default: "deny", Tools: map[string]toolRule{}}
	s := &Scaffolded{}
	for _, t := range tools {
		c := Choice{Tool: t.Name, Judgement: Classify(t)}
		kind := c.Kind
		if kind == Read && c.Review { // the rule is as strict as doubt wants it
			kind = Write
		}
		switch kind {
		case Read:
			doc.Tools[t.Name] = toolRule{}
			c.Rule = "allowed"
		case Write:
			doc.Tools[t.Name] = toolRule{Limits: []limitRule{rate(t.Name, 30)}}
			c.Rule = "30 calls a minute"
		case Execute:
			doc.Tools[t.Name] = toolRule{Limits: []limitRule{rate(t.Name, 10)}}
			c.Rule = "10 calls a minute"
		case Financial:
			doc.Tools[t.Name] = toolRule{DenyIf: []argumentRule{{Conditions: []condition{}, OnDeny: "This tool moves money: nobody has written a rule for it yet."}}}
			c.Rule = "denied"
		case Destructive:
			doc.Hide = append(doc.Hide, t.Name)
			c.Rule = "hidden"
		}
		s.Tools = append(s.Tools, c)
	}
	text, err := doc.canonical()
	s.Document = text
	return s, err
}

// rate is so many calls a minute for each grant.
func rate(tool string, n int64) limitRule {
	return limitRule{Counter: counterName(tool, "_rate"), Window: "minute", Max: json.Number(fmt.Sprint(n)), Scope: string(policy.PerGrant)}
}

// maxCounter is how long the name of a counter may be (E_COUNTER).
const maxCounter = 64

// counterName names a counter after its tool; the tool is part of its identity anyway,
// so that one which is too long may lose its end.
func counterName(tool, suffix string) string {
	for len(tool)+len(suffix) > maxCounter {
		r := []rune(tool)
		tool = string(r[:len(r)-1])
	}
	return tool + suffix
}
