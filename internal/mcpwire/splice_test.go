package mcpwire

import (
	stdjson "encoding/json"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// drawn is an object in some spelling, and what it holds.
type drawn struct {
	raw    string
	values map[string]string // name -> value as written
	order  []string
}

var blanks = rapid.SampledFrom([]string{"", "", "", " ", "\n\t", "\r\n  "})

var drawnName = rapid.SampledFrom([]string{"a", "b", "name", "_meta", "k\u00e9", "", "a\"b", "x/y", "\t", "deep"})

func drawValue(t *rapid.T, depth int) string {
	kinds := []string{"1", "-0.50e+2", "9007199254740993", "true", "null", `"t\u00e9xt, }]"`, `""`, "[]", "{ }"}
	if depth > 0 {
		kinds = append(kinds, "object", "array")
	}
	switch kind := rapid.SampledFrom(kinds).Draw(t, "value"); kind {
	case "object":
		return drawObject(t, depth-1).raw
	case "array":
		elements := []string{}
		for range rapid.IntRange(0, 3).Draw(t, "elements") {
			elements = append(elements, blanks.Draw(t, "blank")+drawValue(t, depth-1))
		}
		return "[" + strings.Join(elements, ",") + blanks.Draw(t, "blank") + "]"
	default:
		return kind
	}
}

func drawObject(t *rapid.T, depth int) drawn {
	d := drawn{values: map[string]string{}}
	d.order = rapid.SliceOfNDistinct(drawnName, 0, 5, rapid.ID[string]).Draw(t, "names")
	var b strings.Builder
	b.WriteString("{")
	for i, name := range d.order {
		if i > 0 {
			b.WriteString(",")
		}
		quoted := string(Quote(name))
		if rapid.Bool().Draw(t, "escaped") {
			quoted = strings.Replace(quoted, "a", `\u0061`, 1)
		}
		value := drawValue(t, depth)
		d.values[name] = value
		b.WriteString(blanks.Draw(t, "blank") + quoted + blanks.Draw(t, "blank") + ":" + blanks.Draw(t, "blank") + value + blanks.Draw(t, "blank"))
	}
	if len(d.order) == 0 {
		b.WriteString(blanks.Draw(t, "blank"))
	}
	b.WriteString("}")
	d.raw = b.String()
	return d
}

// checkSplice makes the edits to an object inside something larger, and expects these
// members, as they were written, in this order, and all around it unchanged.
func checkSplice(t *rapid.T, before drawn, edit func(raw []byte, object Span) []Edit, want map[string]string, order []string) {
	t.Helper()
	head, tail := ` {"x":"{",`+"\n"+`"o": `, ` ,"y":1}`
	raw := []byte(head + before.raw + tail)
	object := Span{len(head), len(head) + len(before.raw)}
	out, err := Splice(raw, edit(raw, object)...)
	if err != nil {
		t.Fatal(err)
	}
	if string(raw) != head+before.raw+tail {
		t.Fatal("the original was changed")
	}
	got := string(out)
	inner, found := strings.CutPrefix(got, head)
	inner, ends := strings.CutSuffix(inner, tail)
	if !found || !ends || !stdjson.Valid(out) {
		t.Fatalf("%s\nbecame %s", raw, out)
	}
	values := map[string]string{}
	var names []string
	for key, value := range Members([]byte(inner), Span{0, len(inner)}) {
		name, _ := Unquote([]byte(inner)[key.Start:key.End])
		names = append(names, name)
		values[name] = inner[value.Start:value.End]
	}
	if !reflect.DeepEqual(values, want) || !slices.Equal(names, order) {
		t.Fatalf("%s\nbecame %s\nwith %v in the order %q\nwant %v in the order %q", before.raw, inner, values, names, want, order)
	}
}

func TestSpliceProperties(t *testing.T) {
	t.Parallel()
	rapid.Check(t, spliceProperties)
}

func FuzzSplice(f *testing.F) { f.Fuzz(rapid.MakeFuzz(spliceProperties)) }

func spliceProperties(t *rapid.T) {
	before := drawObject(t, 2)
	name := drawnName.Draw(t, "name")
	value := drawValue(t, 1)

	want := maps.Clone(before.values)
	_, there := want[name]
	want[name] = value
	order := before.order
	if !there {
		order = append([]string{name}, order...)
	}
	checkSplice(t, before, func(raw []byte, object Span) []Edit {
		return []Edit{SetMember(raw, object, name, []byte(value))}
	}, want, order)

	want = maps.Clone(before.values)
	want["new 1"], want["new 2"] = value, "2"
	checkSplice(t, before, func(raw []byte, object Span) []Edit {
		return []Edit{AddMembers(raw, object, Field{"new 1", []byte(value)}, Field{"new 2", []byte("2")})}
	}, want, append([]string{"new 1", "new 2"}, before.order...))

	gone := map[string]bool{}
	for _, n := range before.order {
		gone[n] = rapid.Bool().Draw(t, "gone")
	}
	want = maps.Clone(before.values)
	maps.DeleteFunc(want, func(n, _ string) bool { return gone[n] })
	order = slices.DeleteFunc(slices.Clone(before.order), func(n string) bool { return gone[n] })
	checkSplice(t, before, func(raw []byte, object Span) []Edit {
		return RemoveMembers(raw, object, func(n string) bool { return gone[n] })
	}, want, order)

	// Removing and adding at once, as crossing eras does, the latter in two edits.
	want["new 1"], want["new 2"] = value, value
	checkSplice(t, before, func(raw []byte, object Span) []Edit {
		edits := RemoveMembers(raw, object, func(n string) bool { return gone[n] })
		return append(edits, AddMembers(raw, object), AddMembers(raw, object, Field{"new 1", []byte(value)}), SetMember(raw, object, "new 2", []byte(value)))
	}, want, append([]string{"new 1", "new 2"}, order...))
}

func TestSpliceRefusesOverlap(t *testing.T) {
	t.Parallel()
	for name, edits := range map[string][]Edit{
		"overlap":   {{Span: Span{0, 3}}, {Span: Span{2, 4}}},
		"backwards": {{Span: Span{3, 2}}},
		"outside":   {{Span: Span{2, 9}}},
	} {
		if out, err := Splice([]byte("abcdef"), edits...); err == nil {
			t.Errorf("%s gives %q", name, out)
		}
	}
}
