package tool

import (
	"context"
	"encoding/json"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"sluice/internal/fault"
	"sluice/internal/graph"
	"sluice/internal/graphspec"
)

// Call makes the call of a step and returns its JSON. Hooks and flows use it too, so
// that every request is made of a record: On, Edge and Verb have to be in graphspec.
func (e *Env) Call(ctx context.Context, s Step, extra map[string]any) (any, error) {
	return e.call(ctx, &s, extra)
}

func (e *Env) call(ctx context.Context, s *Step, extra map[string]any) (any, error) {
	r, err := e.request(s, extra)
	if err != nil {
		return nil, err
	}
	return e.Do(ctx, r)
}

// request builds the request of a step: extra are parameters that a hook adds.
func (e *Env) request(s *Step, extra map[string]any) (graph.Request, error) {
	path, at, err := e.path(s)
	if err != nil {
		return graph.Request{}, err
	}
	op := s.op(at)
	if op == nil {
		return graph.Request{}, fault.New(fault.Internal, "no operation %s %s.%s", s.Verb, s.nodes()[at], s.Edge)
	}
	params := map[string]any{}
	for i := range e.Tool.Args {
		a := &e.Tool.Args[i]
		v, given := e.Args[a.Name]
		if !given || a.As == "-" || a.Format == FileFormat || a.Fetch || !e.takes(s, a) {
			continue
		}
		if err := put(params, a, v); err != nil {
			return graph.Request{}, err
		}
	}
	for name, v := range s.Fixed {
		filled, there := e.fill(v)
		if there {
			params[name] = filled
		}
	}
	if s.Fields != "" {
		params["fields"] = s.Fields
	}
	maps.Copy(params, extra)
	values := url.Values{}
	for name, v := range params {
		text, err := parameter(v)
		if err != nil {
			return graph.Request{}, err
		}
		values.Set(name, text)
	}
	r := graph.Request{Method: s.Verb, Path: path, Repeat: e.Tool.Repeat, Token: e.token(s, op, path)}
	if op.Token == graphspec.ThreadsToken {
		r.Host = graph.ThreadsHost
	}
	r.Scopes = e.Tool.scopes(op)
	if len(path) > 0 && strings.HasPrefix(path[0], "act_") && s.Verb != "GET" {
		r.Serial = path[0]
	}
	if s.Verb == "POST" {
		r.Form = values
	} else {
		r.Query = values
	}
	if err := e.attach(s, &r); err != nil {
		return graph.Request{}, err
	}
	return r, nil
}

// path are the segments of a step's address, and which of its node types was meant.
func (e *Env) path(s *Step) (path []string, at int, err error) {
	if s.On == graphspec.Root {
		return strings.Split(s.Edge, "/"), 0, nil
	}
	ids := s.ids()
	for i, name := range ids {
		id, there := "", false
		switch {
		case name == "me":
			id, there = "me", true
		case strings.HasPrefix(name, "$"):
			id, there = e.member(name)
			if there {
				id, there = s.form(i).Parse(id)
			}
		case e.Args.Has(name):
			id, there = e.Args.Str(name), true
		}
		if !there || id == "" {
			continue
		}
		path = []string{id}
		if s.Edge != "" {
			path = append(path, s.Edge)
		}
		return path, min(i, len(s.nodes())-1), nil
	}
	return nil, 0, fault.New(fault.ArgumentInvalid, "%s: one of them is needed", strings.Join(ids, ", ")).
		WithFix("give %s", ids[len(ids)-1])
}

func (s *Step) form(i int) graphspec.Form {
	nodes := s.nodes()
	if n := graphspec.Lookup(nodes[min(i, len(nodes)-1)]); n != nil {
		return n.ID
	}
	return graphspec.NoID
}

// takes reports whether an argument is a parameter of a step.
func (e *Env) takes(s *Step, a *Arg) bool {
	if s.Takes != nil {
		return slices.Contains(s.Takes, a.Name)
	}
	if s != e.Tool.last() && len(e.Tool.Steps) > 0 || e.named(a.Name) {
		return false
	}
	return len(e.Tool.Steps) > 0
}

// named reports whether an argument is the id of a step, or only says whose token to use.
func (e *Env) named(arg string) bool {
	for i := range e.Tool.Steps {
		s := &e.Tool.Steps[i]
		if slices.Contains(s.ids(), arg) || s.PageOf == arg {
			return true
		}
	}
	return false
}

// put sets a parameter; a dot in its name goes into a member.
func put(params map[string]any, a *Arg, v any) error {
	name := a.As
	if name == "" {
		name = a.Name
	}
	if list, ok := v.([]any); ok && a.Join {
		words := make([]string, 0, len(list))
		for _, item := range list {
			text, err := parameter(item)
			if err != nil {
				return err
			}
			words = append(words, text)
		}
		v = strings.Join(words, ",")
	}
	if id, ok := v.(string); ok && a.Bare {
		v = strings.TrimPrefix(id, "act_")
	}
	if a.Alone {
		v = []any{v}
	}
	if a.Word != "" {
		if v == true {
			addWord(params, name, a.Word)
		}
		return nil
	}
	setIn(params, name, v)
	return nil
}

// parameter writes a value as Graph takes it in a form: text as it is, the rest as JSON.
func parameter(v any) (string, error) {
	switch p := v.(type) {
	case string:
		return p, nil
	case json.Number:
		return p.String(), nil
	}
	b, err := encode(v)
	return string(b), err
}

// fill replaces $step.member and {argument} in a fixed value. It reports false where
// what it names is not there.
func (e *Env) fill(v string) (string, bool) {
	if strings.HasPrefix(v, "$") {
		return e.member(v)
	}
	if name, ok := strings.CutPrefix(v, "{"); ok && strings.HasSuffix(name, "}") {
		name = strings.TrimSuffix(name, "}")
		return e.Args.Str(name), e.Args.Has(name)
	}
	return v, true
}

// member is $step.member of an earlier answer.
func (e *Env) member(ref string) (string, bool) {
	path := strings.Split(strings.TrimPrefix(ref, "$"), ".")
	v, ok := e.steps[path[0]]
	if !ok {
		return "", false
	}
	for _, name := range path[1:] {
		if list, isList := v.([]any); isList {
			i, err := strconv.Atoi(name)
			if err != nil || i < 0 || i >= len(list) {
				return "", false
			}
			v = list[i]
			continue
		}
		m, isMap := v.(map[string]any)
		if !isMap {
			return "", false
		}
		v = m[name]
	}
	switch s := v.(type) {
	case string:
		return s, true
	case json.Number:
		return s.String(), true
	}
	return "", false
}

// token says which token a step travels with.
func (e *Env) token(s *Step, op *graphspec.Op, path []string) graph.TokenRef {
	switch op.Token {
	case graphspec.ThreadsToken:
		return graph.TokenRef{Kind: "threads"}
	case graphspec.AppToken:
		return graph.TokenRef{Kind: "app"}
	case graphspec.PageToken:
		if page := e.pageOf(s, path); page != "" {
			return graph.TokenRef{Kind: "page", Page: page}
		}
	}
	return graph.TokenRef{Kind: "user"}
}

// pageOf is the Page that a call is done for: the argument that names it, the object
// itself, or the part of a composite id before the first underscore.
func (e *Env) pageOf(s *Step, path []string) string {
	if s.PageOf != "" && e.Args.Has(s.PageOf) {
		return e.Args.Str(s.PageOf)
	}
	if s.nodes()[0] == "Page" {
		return path[0]
	}
	if e.Args.Has("page_id") {
		return e.Args.Str("page_id")
	}
	if page, _, composite := strings.Cut(path[0], "_"); composite && page != "act" && page != "t" {
		if id, ok := graphspec.Digits.Parse(page); ok {
			return id
		}
	}
	return e.Settings.Page
}

// scopes are the permissions of one operation, with those the record adds.
func (t *Tool) scopes(op *graphspec.Op) []string {
	list := strings.Fields(op.Scopes)
	for _, s := range t.Scopes {
		if !slices.Contains(list, s) {
			list = append(list, s)
		}
	}
	return list
}

// run does the steps of a record.
func (e *Env) run(ctx context.Context) (*Answer, error) {
	if g := e.Tool.Gone; g != nil {
		return nil, g.fault()
	}
	if err := e.choices(); err != nil {
		return nil, err
	}
	if err := e.checkRules(); err != nil {
		return nil, err
	}
	if e.Tool.Check != nil {
		if err := e.Tool.Check(e); err != nil {
			return nil, err
		}
	}
	if err := e.guardKind(ctx); err != nil {
		return nil, err
	}
	if err := e.guardBudget(ctx); err != nil {
		return nil, err
	}
	if err := e.fetch(ctx); err != nil {
		return nil, err
	}
	answer, err := e.answer(ctx)
	if err != nil {
		return nil, err
	}
	if e.Tool.Shape != nil {
		if err := e.Tool.Shape(e, answer); err != nil {
			return nil, err
		}
	}
	answer.Notices = append(e.notices, answer.Notices...)
	return answer, nil
}

func (e *Env) answer(ctx context.Context) (*Answer, error) {
	switch {
	case e.Tool.Run != nil:
		return e.Tool.Run(ctx, e)
	case e.Tool.Flow != nil:
		return e.Tool.Flow.Run(ctx, e)
	}
	e.steps = map[string]any{}
	var body any
	done, made := false, ""
	for i := range e.Tool.Steps {
		s := &e.Tool.Steps[i]
		if !e.applies(s.When) {
			continue
		}
		var err error
		if body, err = e.call(ctx, s, nil); err != nil {
			if done {
				err = after(err, made)
			}
			return nil, err
		}
		if s.Name != "" {
			e.steps[s.Name] = body
		}
		if s.Verb != "GET" {
			done, made = true, s.did(body)
		}
	}
	return e.Tool.read(body), nil
}

// did says in a few words what a step has done: what would be done again by whoever calls
// once more.
func (s *Step) did(answer any) string {
	words := s.Verb + " " + s.Edge
	if m, ok := answer.(map[string]any); ok {
		if id, ok := text(m["id"]); ok {
			words += ": " + id
		}
	}
	return words
}

// after says of an error that an earlier step of the same tool had been done.
func after(err error, earlier string) error {
	f, ok := fault.As(err)
	if !ok {
		return err
	}
	changed := *f
	changed.Message = "an earlier step (" + earlier + ") was done, the next one failed: " + f.Message
	return &changed
}

// Read takes the JSON of an answer apart as the record says: a page of objects, or one.
func (t *Tool) read(body any) *Answer {
	m, _ := body.(map[string]any)
	if !t.list() {
		if inner, ok := m["data"].(map[string]any); ok && len(m) == 1 {
			return &Answer{Data: inner} // an edge with one object: {"data":{…}}
		}
		if list, ok := m["data"].([]any); ok && t.Out.List != nil && len(list) <= 1 {
			m = map[string]any{} // one object in a list: {"data":[{…}]}
			for _, v := range list {
				m, _ = v.(map[string]any)
			}
			return &Answer{Data: m}
		}
		return &Answer{Data: body}
	}
	return Paged(m)
}

// Paged takes a page of objects apart.
func Paged(m map[string]any) *Answer {
	list, _ := m["data"].([]any)
	if list == nil {
		list = []any{}
	}
	a := &Answer{Data: list}
	paging, _ := m["paging"].(map[string]any)
	if _, more := paging["next"]; more {
		a.HasMore = true
		cursors, _ := paging["cursors"].(map[string]any)
		a.Next, _ = cursors["after"].(string)
	}
	return a
}

func (e *Env) applies(when string) bool {
	for _, word := range strings.Fields(when) {
		name, not := strings.CutPrefix(word, "!")
		if e.given(name) == not {
			return false
		}
	}
	return true
}

// given reports whether an argument says something: false and an empty list don't.
func (e *Env) given(name string) bool {
	if name, value, equal := strings.Cut(name, "="); equal {
		return e.Args.Str(name) == value
	}
	switch v := e.Args[name].(type) {
	case nil:
		return false
	case bool:
		return v
	case []any:
		return len(v) > 0
	}
	return true
}

func (g *Gone) fault() error {
	why := g.Why
	if g.Since != "" {
		why += " (since " + g.Since + ")"
	}
	return fault.New(fault.Unsupported, "%s", why).WithFix("%s", g.Instead)
}
