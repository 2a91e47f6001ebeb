package govern

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Difference is one place where two documents differ.
type Difference struct {
	Change string          `json:"change"`  // added, removed, changed; moved, without a place, when only the order differs
	Place  string          `json:"pointer"` // RFC 6901; limits and rules are named as they are in denials where they can be
	Before json.RawMessage `json:"before,omitempty"`
	After  json.RawMessage `json:"after,omitempty"`
}

// The kinds of Difference.
const (
	added   = "added"
	removed = "removed"
	changed = "changed"
	moved   = "moved" // only the order differs: of names, of limits, of tools
)

// Diff compares two canonical documents rule by rule; before may be nil. Names, limits
// and tools that only moved are a difference of their own, once; rules that changed
// places are always shown, since they are judged in another order: the first that denies
// is the one that is named.
func Diff(before, after json.RawMessage) []Difference {
	var d differ
	d.object("", members(before), members(after))
	if len(d.list) == 0 && !bytes.Equal(before, after) {
		d.list = []Difference{{Change: moved}}
	}
	return d.list
}

type differ struct{ list []Difference }

func (d *differ) say(change, place string, before, after json.RawMessage) {
	d.list = append(d.list, Difference{change, place, before, after})
}

// members are those of an object; nil of anything else.
func members(raw json.RawMessage) map[string]json.RawMessage {
	var m map[string]json.RawMessage
	if json.Unmarshal(raw, &m) != nil {
		return nil
	}
	return m
}

func elements(raw json.RawMessage) []json.RawMessage {
	var list []json.RawMessage
	if json.Unmarshal(raw, &list) != nil {
		return nil
	}
	return list
}

// order is that in which members are compared: as a document has them.
var order = []string{"version", "default", "hide", "all_tools", "tools", "require", "deny_if", "approve_if", "limits"}

func keys(a, b map[string]json.RawMessage) []string {
	all := map[string]bool{}
	for k := range a {
		all[k] = true
	}
	for k := range b {
		all[k] = true
	}
	rank := func(k string) int {
		if i := slices.Index(order, k); i >= 0 {
			return i
		}
		return len(order)
	}
	return slices.SortedFunc(maps.Keys(all), func(x, y string) int {
		if rx, ry := rank(x), rank(y); rx != ry {
			return rx - ry
		}
		return strings.Compare(x, y)
	})
}

// object compares two objects of a document: the document, `tools`, `all_tools`, a tool.
func (d *differ) object(place string, before, after map[string]json.RawMessage) {
	for _, key := range keys(before, after) {
		at := place + "/" + escape(key)
		b, a := before[key], after[key]
		switch {
		case bytes.Equal(b, a):
		case key == "hide" && place == "":
			d.names(at, elements(b), elements(a))
		case key == "limits" || key == "require" || key == "deny_if" || key == "approve_if":
			d.rules(at, key, elements(b), elements(a))
		case (key == "tools" || key == "all_tools") && place == "":
			d.object(at, members(b), members(a))
		case place == "/tools" && b != nil && a != nil:
			d.object(at, members(b), members(a))
		case b == nil:
			d.say(added, at, nil, a)
		case a == nil:
			d.say(removed, at, b, nil)
		default:
			d.say(changed, at, b, a)
		}
	}
}

// names compares two sets of names.
func (d *differ) names(place string, before, after []json.RawMessage) {
	in := func(list []json.RawMessage, x json.RawMessage) bool {
		return slices.ContainsFunc(list, func(y json.RawMessage) bool { return bytes.Equal(x, y) })
	}
	for _, b := range before {
		if !in(after, b) {
			d.say(removed, place, b, nil)
		}
	}
	for _, a := range after {
		if !in(before, a) {
			d.say(added, place, nil, a)
		}
	}
}

// rules compares two lists of rules or limits. Those that have a name of their own are
// compared with the one of that name, the rest with what stands in their place.
func (d *differ) rules(place, kind string, before, after []json.RawMessage) {
	type side struct {
		raw   json.RawMessage
		label string
		done  bool
	}
	label := func(raw json.RawMessage, i int, all []json.RawMessage) string {
		name := ruleName(raw, kind)
		same := 0
		for _, other := range all {
			if ruleName(other, kind) == name {
				same++
			}
		}
		if name == "" || same > 1 {
			name = strconv.Itoa(i)
		}
		return place + "/" + escape(name)
	}
	var b, a []side
	for i, raw := range before {
		b = append(b, side{raw: raw, label: label(raw, i, before)})
	}
	for i, raw := range after {
		a = append(a, side{raw: raw, label: label(raw, i, after)})
	}
	pair := func(fits func(x, y *side) bool, say bool) {
		for i := range a {
			for j := range b {
				if a[i].done || b[j].done || !fits(&a[i], &b[j]) {
					continue
				}
				a[i].done, b[j].done = true, true
				if say {
					d.say(changed, a[i].label, b[j].raw, a[i].raw)
				}
			}
		}
	}
	kept := func(list []side) (out []json.RawMessage) {
		for i := range list {
			if list[i].done {
				out = append(out, list[i].raw)
			}
		}
		return out
	}
	pair(func(x, y *side) bool { return bytes.Equal(x.raw, y.raw) }, false)
	if kind != "limits" && !slices.EqualFunc(kept(b), kept(a), func(x, y json.RawMessage) bool { return bytes.Equal(x, y) }) {
		d.say(changed, place, joined(kept(b)), joined(kept(a)))
	}
	pair(func(x, y *side) bool { return x.label == y.label }, true)
	for i := range b {
		if !b[i].done {
			d.say(removed, b[i].label, b[i].raw, nil)
		}
	}
	for i := range a {
		if !a[i].done {
			d.say(added, a[i].label, nil, a[i].raw)
		}
	}
}

func joined(list []json.RawMessage) json.RawMessage {
	return slices.Concat([]byte("["), bytes.Join(func() (parts [][]byte) {
		for _, raw := range list {
			parts = append(parts, raw)
		}
		return parts
	}(), []byte(",")), []byte("]"))
}

// ruleName is how denials name a limit or a rule of one condition, or the name that its
// author gave it.
func ruleName(raw json.RawMessage, kind string) string {
	var r struct {
		ID            string `json:"id"`
		Counter       string `json:"counter"`
		Window        string `json:"window"`
		WindowSeconds int64  `json:"window_seconds"`
		Conditions    []struct {
			Path string `json:"path"`
			Op   string `json:"op"`
		} `json:"conditions"`
	}
	if json.Unmarshal(raw, &r) != nil {
		return ""
	}
	switch {
	case r.ID != "":
		return r.ID
	case kind == "limits" && r.Window != "":
		return r.Counter + "-per-" + r.Window
	case kind == "limits":
		return r.Counter + "-per-" + strconv.FormatInt(r.WindowSeconds, 10) + "s"
	case len(r.Conditions) == 1:
		return r.Conditions[0].Path + "-" + r.Conditions[0].Op
	default:
		return ""
	}
}

// escape writes a name as one step of a JSON pointer.
func escape(name string) string {
	return strings.NewReplacer("~", "~0", "/", "~1").Replace(name)
}
