package policy

import (
	"encoding/json"
	"slices"
	"testing"
)

// definition finds an object schema inside the schema of the format.
func definition(t *testing.T, path ...string) *node {
	t.Helper()
	n, faults := parseNode(schema)
	if n == nil || len(faults) > 0 {
		t.Fatalf("the schema is no JSON: %v", faults)
	}
	for _, p := range path {
		if n.kind == kindArray {
			n = &n.members[p[0]-'0']
		} else {
			n = n.member(p)
		}
		if n == nil {
			t.Fatalf("the schema has no %v", path)
		}
	}
	return n
}

// The schema and the reader know the same members and operators, each with a text.
func TestSchemaHasTheMembersOfTheReader(t *testing.T) {
	t.Parallel()
	long, short := append([]string{}, ruleFields...), slices.Concat(ruleFields[:1], ruleFields[2:], conditionKeys)
	asks, askShort := append([]string{}, approveFields...), slices.Concat(approveFields[:1], approveFields[2:], conditionKeys)
	for _, c := range []struct {
		fields []string
		path   []string
	}{
		{documentFields, nil},
		{allToolsFields, []string{"properties", "all_tools"}},
		{toolFields, []string{"$defs", "tool"}},
		{rateFields, []string{"$defs", "tool", "properties", "rate_limit"}},
		{conditionKeys, []string{"$defs", "condition"}},
		{limitFields, []string{"$defs", "limit"}},
		{afterFields, []string{"$defs", "limit", "properties", "after", "oneOf", "1"}},
		{long, []string{"$defs", "requirement", "oneOf", "0"}},
		{short, []string{"$defs", "requirement", "oneOf", "1"}},
		{long, []string{"$defs", "denial", "oneOf", "0"}},
		{short, []string{"$defs", "denial", "oneOf", "1"}},
		{asks, []string{"$defs", "approval", "oneOf", "0"}},
		{askShort, []string{"$defs", "approval", "oneOf", "1"}},
	} {
		d := definition(t, c.path...)
		properties := d.member("properties")
		have, want := slices.Sorted(slices.Values(properties.keys)), slices.Sorted(slices.Values(c.fields))
		if !slices.Equal(have, want) {
			t.Errorf("%v: the schema has %v, the reader %v", c.path, have, want)
		}
		if closed := d.member("additionalProperties"); closed == nil || closed.text != "false" {
			if len(c.path) > 0 || closed == nil {
				t.Errorf("%v is open to other members", c.path)
			}
		}
		for i, key := range properties.keys {
			if v := properties.members[i].member("description"); v == nil || v.text == "" {
				t.Errorf("%v: %s has no text", c.path, key)
			}
		}
	}
	var names []string
	for _, n := range definition(t, "$defs", "condition", "properties", "op", "enum").members {
		names = append(names, n.text)
	}
	for i, o := range operators {
		if i >= len(names) || names[i] != o.name {
			t.Errorf("operator %s is not in the schema's %v", o.name, names)
		}
	}
	if !json.Valid(Schema()) {
		t.Error("the schema is no JSON")
	}
}
