package policy

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write docs/policy-reference.md anew")

const referenceFile = "../docs/policy-reference.md"

// The reference is made of what the code works with: the schema's texts, the operators
// as they answer, the codes, the bounds.
func TestReference(t *testing.T) {
	t.Parallel()
	want := reference(t)
	if *update {
		if err := os.WriteFile(referenceFile, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile(referenceFile)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(have, want) {
		t.Error("docs/policy-reference.md differs from the code: go test ./policy -run Reference -update")
	}
}

func reference(t *testing.T) []byte {
	var b bytes.Buffer
	p := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	p("# policy.json: reference\n")
	p("<!-- Generated: go test ./policy -run Reference -update -->\n")
	p("How to write a policy is told in [policy.md](policy.md). The format has a JSON Schema for editors: `sluice policy schema`.")
	p("Members marked ᵉ are extensions: a document with one of them is not portable to other gateways that read version 1.\n")
	for _, s := range []struct {
		title string
		path  []string
	}{
		{"Document", nil},
		{"`all_tools`", []string{"properties", "all_tools"}},
		{"Tool", []string{"$defs", "tool"}},
		{"Rule of `require` and `deny_if`", []string{"$defs", "denial", "oneOf", "0"}},
		{"Rule of `approve_if`", []string{"$defs", "approval", "oneOf", "0"}},
		{"Condition", []string{"$defs", "condition"}},
		{"Limit", []string{"$defs", "limit"}},
		{"`after` as an object", []string{"$defs", "limit", "properties", "after", "oneOf", "1"}},
	} {
		p("## %s\n", s.title)
		memberTable(t, p, s.path)
	}
	p("In place of a rule there may be a single condition with the rule's other members beside it; it is written out when the document is stored.\n")

	p("## How a call is decided\n")
	p("In this order, and the first that denies ends it:\n")
	for i, line := range []string{
		"`hide` has the tool, or `*`: denied by `(hidden)`, with the answer that a tool gets that is not there.",
		"`default` is deny and `tools` does not have it: denied by `(default deny)`. Names are exact: `Send` is not `send`.",
		"`require`, in order: a rule that is not true denies.",
		"`deny_if`, in order: a rule that is true or unknown denies.",
		"`approve_if`, in order: a rule that is true or unknown parks the call until a person decides.",
		"`limits` of the tool, then of `all_tools`: all have room, or nothing is counted and the call is denied.",
	} {
		p("%d. %s", i+1, line)
	}
	p("\nA rule is true if all of its conditions are, false if one is false, else unknown. Unknown denies wherever it stands.\n")
	truths(p)

	p("## Paths\n")
	p("| Path | Leads to |\n| --- | --- |")
	for _, row := range [][2]string{
		{"`args.a.b`", "the member `b` of the object `a`. Where there is no such member, or `a` is no object, the argument is absent."},
		{"`args.a[*].b` ᵉ", "`b` in every element of the array `a`. In `require` the condition has to be true for all of them, in `deny_if` and `approve_if` one is enough. Several conditions of one rule look at the elements independently. An empty array is absent; what is no array is unknown."},
		{"`args[\"a.b\"]` ᵉ", "a member whose name has a dot, a space or a bracket."},
		{"`args.a.$length` ᵉ", "how many elements an array, or characters (code points) a text has. Anything else is unknown."},
	} {
		p("| %s | %s |", row[0], row[1])
	}
	p("\nNames of members are exact. But where a member has the same letters in other capitals (`Amount` for `amount`), besides or instead, the argument is unknown: some servers would take it for the one that is meant. This is so for every operator, for `increment_from` and for `key`, and inside an object that is compared.\n")
	p("Numbers are compared as the decimals they were written as: `1e2` is 100, and 100.01 is more. Unknown are an exponent beyond ±%d, and a number that differs from the operand where many servers, which keep numbers as doubles, see no difference: 100.00000000000000000001 is not 100 and not more. Strings are compared character by character: capitals count, and nothing is normalised.\n", int64(maxExponent))

	p("## Limits\n")
	for _, line := range []string{
		"A call takes 1, or what stands at `increment_from`: a number from 0 with at most 12 digits before the point and 6 after it, counted in millionths. Anything else, and an absent one, is denied and counts nothing.",
		"It is admitted if what is used, what is reserved and what it takes is at most `max`, for every limit at once.",
		"Fixed windows begin at full minutes, hours and days in UTC; others at multiples of their length since 1970. So up to twice `max` can pass where two windows meet; `\"algorithm\": \"sliding\"` prevents that.",
		"`key` may be a text, a number or a boolean. Spellings of one value share a counter: `1`, `1.0`, `1e0`, `1.00000000000000000001` and the text `\"1\"`. For `after`, a text is not a number. Apart from that texts differ by every character, spaces too: where a service is lenient, `require` an anchored pattern.",
		"`after` asks that the same scope called the other tool, with the same key, and that this call succeeded. Beside it `max` means nothing.",
		"Counters belong to counter, window, scope and tool (or `all_tools`): editing `max`, rotating a token or attaching another policy does not reset them.",
	} {
		p("- %s", line)
	}

	p("\n## Labels\n")
	p("A denial and the audit log name the rule that decided.\n")
	p("| Rule | Label |\n| --- | --- |")
	for _, row := range [][2]string{
		{"with one condition", "`/tools/<tool>/deny_if/<path>-<op>`"},
		{"with several, or none", "`/tools/<tool>/deny_if/<index>`, from 0"},
		{"with an `id`", "`/tools/<tool>/deny_if/<id>`"},
		{"limit", "`/tools/<tool>/limits/<counter>-per-<window>`, `/all_tools/limits/<counter>-per-<window>`"},
		{"none", "`(no policy)`, `(hidden)`, `(default deny)`"},
	} {
		p("| %s | %s |", row[0], row[1])
	}
	p("\n`require` and `approve_if` are named alike. `~` and `/` in names are written `~0` and `~1` (RFC 6901). A second rule that would have the same label gets its index behind it, a second limit its scope. Windows without a name are written as seconds: `90s`.\n")

	p("## Bounds\n")
	p("A document has at most %d KiB, %d tools, %d rules or limits of a kind in a tool, %d conditions in a rule, and nests at most %d deep. Names of counters and rules have at most %d characters, patterns %d bytes. Windows last at most %d days.\n",
		MaxSize>>10, maxTools, maxRules, maxConditions, maxDepth, maxName, maxRegex, maxWindow/86400)

	p("## Faults\n")
	p("All faults of a document are reported at once, each with a JSON pointer. `E_` refuses the document, `W_` is worth a look, `N_` tells what was rewritten.\n")
	p("| Code | Meaning |\n| --- | --- |")
	for _, c := range Codes() {
		p("| `%s` | %s |", c.Code, c.Meaning)
	}
	return b.Bytes()
}

// memberTable writes the table of an object of the schema.
func memberTable(t *testing.T, p func(string, ...any), path []string) {
	d := definition(t, path...)
	required := map[string]bool{}
	if r := d.member("required"); r != nil {
		for _, n := range r.members {
			required[n.text] = true
		}
	}
	p("| Member | Type | Meaning |\n| --- | --- | --- |")
	properties := d.member("properties")
	for i, key := range properties.keys {
		m := &properties.members[i]
		name := "`" + key + "`"
		if m.member("x-extension") != nil {
			name += " ᵉ"
		}
		text := m.member("description").text
		if v := m.member("default"); v != nil {
			text += " Default: " + v.text + "."
		}
		if required[key] {
			name = "**" + name + "**"
		}
		p("| %s | %s | %s |", name, typeOf(m), strings.ReplaceAll(text, "<", `\<`))
	}
	if len(required) > 0 {
		p("\nMembers in bold are needed.")
	}
	p("")
}

func typeOf(n *node) string {
	if n.member("oneOf") != nil {
		return "string or object"
	}
	if v := n.member("const"); v != nil {
		return "`\"" + v.text + "\"`"
	}
	if v := n.member("enum"); v != nil {
		var names []string
		for _, e := range v.members {
			names = append(names, "`"+e.text+"`")
		}
		return strings.Join(names, ", ")
	}
	if v := n.member("type"); v != nil {
		text := v.text
		if low, high := n.member("minimum"), n.member("maximum"); low != nil && high != nil {
			text += fmt.Sprintf(", %s to %s", low.text, high.text)
		}
		return text
	}
	return "any"
}

// truths writes what each operator says where there is nothing to compare, as it answers.
func truths(p func(string, ...any)) {
	p("## Operators\n")
	p("| `op` | `value` | True if | Absent | `null` | Of another type |\n| --- | --- | --- | --- | --- | --- |")
	for _, o := range operators {
		n, _ := parseNode([]byte(`{"v":` + o.example + `}`))
		if o == &opContains {
			n, _ = parseNode([]byte(`{"v":5}`)) // of which a text and an object are another type
		}
		use := newOperand(n.member("v"))
		if o == &opRegex {
			use.re, _ = compileRegex(n.member("v").text)
		}
		answer := func(kind kind, raw string) string { return o.judge(&use, value{kind, []byte(raw)}).String() }
		other := answer(kindObject, `{}`)
		p("| `%s` | %s, as `%s` | %s | %s | %s | %s |", o.name, o.operand, o.example, o.means, answer(kindAbsent, ``), answer(kindNull, `null`), other)
	}
	p("\nWhere the value is `null`, or a list that has it, `null` equals it. An array is searched by `contains` for an equal element; one of another type is just another element. `exists` with `false` says the opposite.\n")
}
