package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"sluice/internal/graphspec"
)

// theirNames are node types that the specification calls otherwise.
var theirNames = map[string]string{"Post": "PagePost", "Album": "Album", "Video": "AdVideo"}

// generic are parameters of every call or list, which the specification mostly leaves out.
var generic = []string{"fields", "limit", "after", "before", "since", "until", "summary", "order", "offset"}

// report is what differs, in the order of the records.
type report struct {
	here     []string // here and not there
	needed   []string // needed there, optional here
	there    []string // there and not here
	unknown  []string // node types without a file
	compared int
}

// ours are the records, by name.
func ours() []*graphspec.Compiled {
	var list []*graphspec.Compiled
	names := graphspec.Names()
	slices.Sort(names)
	for _, name := range names {
		list = append(list, graphspec.Lookup(name))
	}
	return list
}

func compare(spec *specification, records []*graphspec.Compiled) *report {
	r := &report{}
	for _, n := range records {
		name := n.Name
		if other, ok := theirNames[name]; ok {
			name = other
		}
		their := spec.nodes[name]
		// The specification is of graph.facebook.com; Threads has another host.
		if their == nil || strings.HasPrefix(n.Name, "Threads") {
			r.unknown = append(r.unknown, n.Name)
			continue
		}
		r.compared++
		r.fields(spec, n, their)
		r.operations(spec, n, their)
	}
	return r
}

func (r *report) fields(spec *specification, n *graphspec.Compiled, their *specNode) {
	known := map[string]string{}
	for _, f := range their.Fields {
		known[f.Name] = f.Type
		if _, ok := n.Field(f.Name); !ok {
			r.there = append(r.there, fmt.Sprintf("%s: field %s", n.Name, f.Name))
		}
	}
	for _, f := range n.AllFields() {
		kind, ok := known[f.Name]
		if !ok {
			r.here = append(r.here, fmt.Sprintf("%s: field %s", n.Name, f.Name))
			continue
		}
		r.values(spec, n.Name+": field "+f.Name, f, kind)
	}
}

func (r *report) operations(spec *specification, n *graphspec.Compiled, their *specNode) {
	type place struct{ method, edge string }
	seen := map[place]bool{}
	look := func(method, edge string, op *graphspec.Op) {
		if op == nil {
			return
		}
		seen[place{method, edge}] = true
		at := n.Name + "." + edge + " " + method
		if edge == "" {
			at = n.Name + " " + method
		}
		a := their.api(method, edge)
		if a == nil {
			r.here = append(r.here, at+": operation")
			return
		}
		r.params(spec, at, op, a)
	}
	look("GET", "", n.Read)
	look("POST", "", n.Update)
	look("DELETE", "", n.Delete)
	for _, e := range n.Edges {
		look("GET", e.Name, e.Get)
		look("POST", e.Name, e.Post)
		look("DELETE", e.Name, e.Delete)
	}
	for _, a := range their.APIs {
		if !seen[place{a.Method, a.Endpoint}] {
			r.there = append(r.there, fmt.Sprintf("%s.%s %s: operation", n.Name, a.Endpoint, a.Method))
		}
	}
}

func (r *report) params(spec *specification, at string, op *graphspec.Op, a *specAPI) {
	known := map[string]specParam{}
	for _, p := range a.Params {
		known[p.Name] = p
	}
	mine := map[string]bool{}
	for _, f := range graphspec.ParseFields(op.Params) {
		mine[f.Name] = true
		p, ok := known[f.Name]
		switch {
		case !ok:
			if !slices.Contains(generic, f.Name) {
				r.here = append(r.here, at+": parameter "+f.Name)
			}
		case p.Required && !f.Needed:
			r.needed = append(r.needed, at+": parameter "+f.Name)
		}
		if ok {
			r.values(spec, at+": parameter "+f.Name, f, p.Type)
		}
	}
	for _, p := range a.Params {
		switch {
		case mine[p.Name]:
		case p.Required:
			r.needed = append(r.needed, at+": parameter "+p.Name+" (missing here)")
		case !slices.Contains(generic, p.Name):
			r.there = append(r.there, at+": parameter "+p.Name)
		}
	}
}

// values compares the values of an enum, where both sides have one. Tools offer fewer
// values than there are: those are only counted.
func (r *report) values(spec *specification, at string, f graphspec.Field, kind string) {
	own, _ := f.Elem()
	have, isEnum := graphspec.IsEnum(own)
	want, theirs := spec.enums[elem(kind)]
	if !isEnum || !theirs {
		return
	}
	within := func(list []string, v string) bool {
		return slices.ContainsFunc(list, func(o string) bool { return strings.EqualFold(o, v) }) // the host doesn't mind the case
	}
	for _, v := range have {
		if !within(want, v) {
			r.here = append(r.here, at+": value "+v)
		}
	}
	for _, v := range want {
		if !within(have, v) {
			r.there = append(r.there, at+": value "+v)
		}
	}
}

func (r *report) print(out io.Writer, all bool) error {
	var b strings.Builder
	part := func(title string, list []string, show bool) {
		list = slices.Compact(slices.Sorted(slices.Values(list)))
		fmt.Fprintf(&b, "%s: %d\n", title, len(list))
		if show {
			for _, line := range list {
				b.WriteString("  " + line + "\n")
			}
		}
	}
	fmt.Fprintf(&b, "node types compared: %d\n", r.compared)
	part("here and not in the specification", r.here, true)
	part("needed there and not here", r.needed, true)
	part("in the specification and not here", r.there, all)
	part("node types without a file there", r.unknown, true)
	_, err := io.WriteString(out, b.String())
	return err
}
