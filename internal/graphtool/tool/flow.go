package tool

import (
	"context"
	"net/url"
	"slices"
	"strings"

	"sluice/internal/fault"
	"sluice/internal/graph"
	"sluice/internal/graphspec"
)

// Target is one operation on an object whose id a flow has from somewhere else than an
// argument: a container that was made, a Page that was found. Where an argument names
// the object, Call does the same with a Step.
type Target struct {
	Verb string
	On   string // node type of graphspec
	ID   string // of the object, or "me"; empty with On graphspec.Root
	Edge string
	Page string // whose token is used, where the operation wants a Page's; empty: as a Step would
	// Repeat says that doing it twice does no harm.
	Repeat bool
}

// Ask makes a target's call and gives the object that answers it. Host, token and
// permissions follow from graphspec, and the id is held to the form of its node.
func (e *Env) Ask(ctx context.Context, t Target, params map[string]any) (map[string]any, error) {
	r, err := e.target(t, params)
	if err != nil {
		return nil, err
	}
	return e.Object(ctx, r)
}

func (e *Env) target(t Target, params map[string]any) (graph.Request, error) {
	node := graphspec.Lookup(t.On)
	if node == nil || node.Op(t.Verb, t.Edge) == nil {
		return graph.Request{}, fault.New(fault.Internal, "no operation %s %s.%s", t.Verb, t.On, t.Edge)
	}
	op := node.Op(t.Verb, t.Edge)
	var path []string
	if t.On != graphspec.Root {
		id, ok := node.ID.Parse(t.ID)
		if !ok && t.ID != "me" {
			return graph.Request{}, Bad("id of "+t.On, "is no id", "write it as "+node.ID.Describe())
		}
		if !ok {
			id = t.ID
		}
		path = append(path, id)
	}
	if t.Edge != "" {
		path = append(path, strings.Split(t.Edge, "/")...)
	}
	values := url.Values{}
	for name, v := range params {
		text, err := parameter(v)
		if err != nil {
			return graph.Request{}, err
		}
		values.Set(name, text)
	}
	s := Step{Verb: t.Verb, On: t.On, Edge: t.Edge}
	r := graph.Request{
		Method: t.Verb, Path: path, Repeat: t.Repeat, Token: e.token(&s, op, path), Scopes: e.Tool.scopes(op),
		Urgent: true, // what a flow has begun is not left half done for a pool that is nearly used up
	}
	if t.Page != "" && op.Token == graphspec.PageToken {
		r.Token = graph.TokenRef{Kind: "page", Page: t.Page}
	}
	if op.Token == graphspec.ThreadsToken {
		r.Host = graph.ThreadsHost
	}
	if t.Verb == "POST" {
		r.Form = values
	} else {
		r.Query = values
	}
	return r, nil
}

// Params are the arguments that were given, as parameters, except those that are named:
// what a Step takes when it takes all.
func (e *Env) Params(except ...string) (map[string]any, error) {
	params := map[string]any{}
	for i := range e.Tool.Args {
		a := &e.Tool.Args[i]
		v, given := e.Args[a.Name]
		if !given || a.As == "-" || slices.Contains(except, a.Name) {
			continue
		}
		if err := put(params, a, v); err != nil {
			return nil, err
		}
	}
	return params, nil
}
