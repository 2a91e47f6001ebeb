package world

import (
	"net/url"
	"slices"
	"strings"

	"sluice/internal/graphspec"
)

// Serve does one operation: it finds what graphspec says of it, checks token, scopes
// and parameters, and hands it to the behaviour of its name, or does what the record
// alone says. The caller sets World, Verb, On (nil for a call without object), Edge,
// Params and Token.
func (w *World) Serve(c *Call) (any, *Error) {
	c.World = w
	if c.Now.IsZero() {
		c.Now = w.Now()
	}
	if c.Warn == nil {
		c.Warn = func(string) {}
	}
	w.run(c.Now)
	op, err := w.operation(c)
	if err != nil {
		return nil, err
	}
	c.Op = op
	if err := c.permit(); err != nil {
		return nil, err
	}
	if err := c.check(); err != nil {
		return nil, err
	}
	if do := w.behaviours[c.Name()]; do != nil {
		return do(c)
	}
	return c.Generic()
}

// Name is how behaviours are found: "POST Page.feed", "GET Post.".
func (c *Call) Name() string { return c.Verb + " " + c.Kind() + "." + c.Edge }

// Kind is the node type that is called: graphspec.Root without an object.
func (c *Call) Kind() string {
	if c.On == nil {
		return graphspec.Root
	}
	return c.On.Kind
}

// Operation finds the record of a call without doing it; nil where there is none.
func Operation(verb string, on *Object, edge string) *graphspec.Op {
	kind := graphspec.Root
	if on != nil {
		kind = on.Kind
	}
	node := graphspec.Lookup(kind)
	if node == nil {
		return nil
	}
	return node.Op(verb, edge)
}

func (w *World) operation(c *Call) (*graphspec.Op, *Error) {
	if op := Operation(c.Verb, c.On, c.Edge); op != nil {
		return op, nil
	}
	if c.On != nil && c.Verb == "GET" && c.Edge != "" {
		return nil, noField(c.Edge, c.On.Kind)
	}
	return nil, c.NoObject(c.target())
}

// target is what the call names: the object's id, or the path of the root edge.
func (c *Call) target() string {
	if c.On != nil {
		return c.On.ID
	}
	return c.Edge
}

// NoObject is the refusal of an id that does not exist, or that the token can't see.
func (c *Call) NoObject(id string) *Error {
	return Fail("no_object", "method", strings.ToLower(c.Verb), "id", id)
}

func noField(name, kind string) *Error {
	return Fail("no_field", "field", name, "type", kind)
}

// permit checks the kind of token and its permissions.
func (c *Call) permit() *Error {
	t := c.Token
	if t == nil {
		return nil
	}
	switch {
	case (c.Op.Token == graphspec.ThreadsToken) != (t.Kind == KindThreads):
		return Fail("token_foreign")
	case c.Op.Token == graphspec.PageToken && t.Kind != KindPage:
		return Fail("page_token_needed")
	case c.Op.Token == graphspec.AppToken && t.Kind != KindApp:
		return Fail("app_token_needed")
	}
	if t.Kind == KindPage && c.On != nil && c.Kind() != "Application" && c.Kind() != "UploadSession" {
		page := c.World.Above(c.On, "Page")
		if page == nil && c.Op.Token != graphspec.PageToken || page != nil && page.ID != t.Page {
			return Fail("not_this_page")
		}
	}
	return c.scopes()
}

// scopes asks for all permissions of the operation. A Page token has those of the
// person that it was made for.
func (c *Call) scopes() *Error {
	for _, word := range strings.Fields(c.Op.Scopes) {
		oneOf := strings.Split(word, "|")
		if !slices.ContainsFunc(oneOf, func(s string) bool { return slices.Contains(c.Token.Scopes, s) }) {
			name := "permission_missing"
			if c.Verb == "GET" {
				name = "permission_to_read"
			}
			return Fail(name, "scope", strings.Join(oneOf, " or "))
		}
	}
	return nil
}

// Sub does another call with the same token, as a field that is an edge does.
func (c *Call) Sub(verb string, on *Object, edge string, params url.Values) (any, *Error) {
	sub := c.derive(verb, on, edge, params)
	return c.World.Serve(sub)
}

func (c *Call) derive(verb string, on *Object, edge string, params url.Values) *Call {
	if params == nil {
		params = url.Values{}
	}
	sub := &Call{
		World: c.World, Verb: verb, On: on, Edge: edge, Params: params, Token: c.Token, Now: c.Now,
		Base: c.Base, Secret: c.Secret, Warn: c.Warn, depth: c.depth + 1,
	}
	if on != nil {
		sub.Address = c.Base + "/" + on.ID
		if edge != "" {
			sub.Address += "/" + edge
		}
	}
	sub.Carry = url.Values{}
	for name, v := range params {
		sub.Carry[name] = v
	}
	if c.Secret != "" {
		sub.Carry.Set("access_token", c.Secret)
	}
	return sub
}
