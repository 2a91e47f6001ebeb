package tool

import (
	"fmt"
	"slices"
	"strings"

	"sluice/internal/graphspec"
)

// Sets are the sets that tools belong to.
var Sets = []string{
	"pages.read", "pages.write", "messages.read", "messages.write", "instagram.read", "instagram.write",
	"threads.read", "threads.write", "ads.read", "ads.write", "audiences.read", "audiences.write", "insights",
	"commerce.read", "commerce.write", "conversions", "business.read", "utility", "charts",
}

// verifier collects what is wrong with a record.
type verifier struct {
	t        *Tool
	problems []string
}

func (v *verifier) say(format string, args ...any) {
	v.problems = append(v.problems, v.t.Name+": "+fmt.Sprintf(format, args...))
}

// Problems are the mistakes in a record: operations, parameters and fields that
// graphspec does not have, words that are missing, cases that are missing. Tests read
// them of every record.
func (t *Tool) Problems() []string {
	v := &verifier{t: t}
	v.words()
	v.means()
	for i := range t.Steps {
		v.step(&t.Steps[i])
	}
	for _, o := range t.Operations() {
		v.operation(o)
	}
	for _, f := range t.outFields() {
		v.field(f)
	}
	v.cases()
	return v.problems
}

func (v *verifier) words() {
	t := v.t
	if t.Title == "" || t.Does == "" || t.Use == "" && t.Gone == nil {
		v.say("Title, Does and Use are needed")
	}
	if strings.EqualFold(strings.TrimSuffix(t.Does, "."), t.Title) {
		v.say("Does only repeats the title")
	}
	for _, text := range []string{t.Does, t.Use, t.Note} {
		if text != "" && !strings.HasSuffix(text, ".") {
			v.say("%q ends without a full stop", text)
		}
	}
	if !slices.Contains(Sets, t.Set) {
		v.say("there is no set %q", t.Set)
	}
	if t.Category == "" || t.Severity == "" {
		v.say("Category and Severity are needed")
	}
	if strings.HasSuffix(t.Set, ".read") && t.Category != Read {
		v.say("is %s in set %s", t.Category, t.Set)
	}
	v.args(t.Args, "")
}

func (v *verifier) args(args []Arg, at string) {
	seen := map[string]bool{}
	for i := range args {
		a := &args[i]
		if seen[a.Name] {
			v.say("two arguments %s%s", at, a.Name)
		}
		seen[a.Name] = true
		if a.describe() == "" {
			v.say("argument %s%s has no Doc", at, a.Name)
		}
		if a.Format == IDFormat {
			for _, of := range strings.Split(a.Of, "|") {
				if graphspec.Lookup(of) == nil {
					v.say("argument %s%s: no node type %q", at, a.Name, of)
				}
			}
		}
		v.args(a.Props, at+a.Name+".")
		if a.Items != nil {
			v.args(a.Items.Props, at+a.Name+"[].")
		}
	}
}

func (v *verifier) means() {
	t := v.t
	ways := 0
	for _, has := range []bool{len(t.Steps) > 0, t.Flow != nil, t.Run != nil, t.Gone != nil} {
		if has {
			ways++
		}
	}
	if ways != 1 {
		v.say("has %d of Steps, Flow, Run and Gone; it needs one", ways)
	}
	if g := t.Gone; g != nil && (g.Why == "" || g.Instead == "") {
		v.say("Gone needs Why and Instead")
	}
}

// step checks that what a step sends is in graphspec.
func (v *verifier) step(s *Step) {
	for i, on := range s.nodes() {
		n := graphspec.Lookup(on)
		if n == nil {
			v.say("no node type %q", on)
			continue
		}
		op := n.Op(s.Verb, s.Edge)
		if op == nil {
			v.say("graphspec has no %s %s.%s", s.Verb, on, s.Edge)
			continue
		}
		if i == 0 {
			v.sent(s, op)
		}
	}
}

func (v *verifier) sent(s *Step, op *graphspec.Op) {
	known := map[string]bool{"fields": true, "limit": s.Verb == "GET", "after": s.Verb == "GET"}
	for _, f := range graphspec.ParseFields(op.Params) {
		known[f.Name] = true
	}
	e := &Env{Tool: v.t, Args: Args{}}
	for i := range v.t.Args {
		a := &v.t.Args[i]
		if a.As == "-" || !e.takes(s, a) {
			continue
		}
		name := a.As
		if name == "" {
			name = a.Name
		}
		if name, _, _ = strings.Cut(name, "."); !known[name] {
			v.say("%s %s.%s takes no parameter %q (argument %s)", s.Verb, s.nodes()[0], s.Edge, name, a.Name)
		}
	}
	for name := range s.Fixed {
		if !known[name] {
			v.say("%s %s.%s takes no parameter %q (fixed)", s.Verb, s.nodes()[0], s.Edge, name)
		}
	}
	if s.Fields == "" {
		return
	}
	of := op.Returns
	if s.Edge == "" && of == "" {
		of = s.nodes()[0]
	}
	if v.t.Out.Of != "" && s == v.t.last() {
		of = v.t.Out.Of
	}
	v.selection(of, s.Fields)
}

func (v *verifier) selection(node, fields string) {
	n := graphspec.Lookup(node)
	if n == nil {
		v.say("fields of %q, which is no node type", node)
		return
	}
	for _, sel := range parseSelection(fields) {
		f, isField := n.Field(sel.name)
		e := n.Edge(sel.name)
		switch {
		case !isField && (e == nil || e.Get == nil):
			v.say("%s has no field %q", node, sel.name)
		case sel.sub != "" && isField:
			if elem, _ := f.Elem(); graphspec.Lookup(elem) != nil {
				v.selection(elem, sel.sub)
			}
		case sel.sub != "" && e.Get.Returns != "":
			v.selection(e.Get.Returns, sel.sub)
		}
	}
}

func (v *verifier) operation(o Operation) {
	n := graphspec.Lookup(o.On)
	if n == nil || n.Op(o.Verb, o.Edge) == nil {
		v.say("graphspec has no %s %s.%s", o.Verb, o.On, o.Edge)
	}
}

var types = []string{"string", "text", "id", "int", "float", "bool", "time", "unix", "date", "url", "minor", "decimal", "json", "map"}

func (v *verifier) field(f outField) {
	elem, _ := graphspec.Field{Type: f.typ}.Elem()
	_, isEnum := graphspec.IsEnum(elem)
	if !isEnum && graphspec.Lookup(elem) == nil && !slices.Contains(types, elem) {
		v.say("the answer's %s has no known type: %s", f.name, f.typ)
	}
	for _, sub := range f.sub {
		v.field(sub)
	}
}

func (v *verifier) cases() {
	good, bad := 0, 0
	names := map[string]bool{}
	for _, c := range v.t.Cases {
		if names[c.Name] || c.Name == "" {
			v.say("case %q: names have to be there and differ", c.Name)
		}
		names[c.Name] = true
		if c.Error == "" {
			good++
		} else {
			bad++
		}
	}
	if good == 0 && v.t.Gone == nil {
		v.say("no case shows a good call")
	}
	if bad == 0 {
		v.say("no case shows a bad call")
	}
}
