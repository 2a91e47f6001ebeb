// Package world is the objects behind the sandbox's Graph surface: Pages, posts,
// campaigns, containers, conversations, with their edges and states. What each type
// looks like is read from graphspec; where data is not enough, a behaviour in Go says
// what an operation does.
//
// It knows nothing about HTTP and has no lock: the sandbox holds one.
//
// Serve finds the operation in graphspec, checks token, scopes and parameters, and calls
// the behaviour "VERB Node.edge". A behaviour that only adds checks ends with c.Generic(),
// or with the part of it that fits:
//
//	c.Create()          makes the object from the parameters: object, answer, error
//	c.Update()          sets the fields that are given
//	c.Given(kind)       the parameters as typed fields, to change before World.Add
//	c.Show(o)           an object with the fields that are asked for
//	c.List(objects)     a page of objects; c.Rows(kind, maps) of what are no objects
//	c.Value(o, name)    a field as it would be shown; c.Sub(…) another operation
//	c.ValidateOnly()    execution_options has validate_only (Create and Update heed it)
//	World.At(t, do)     something that happens when the clock gets there
//	World.Delete(o)     an object and what belongs to it
//
// Parameters were checked against the operation's Params before. Fields that are a Ref,
// a []Ref or a node's type are expanded; times are time.Time; an edge can be asked for as
// a field. Multipart files are in c.Files by name; a raw body is c.Files[""], with the
// upload headers in c.Header.
package world

import (
	"net/url"
	"time"

	"sluice/internal/graphspec"
)

// Attrs are the fields of an object: strings, bools, json.Number, int, float64,
// time.Time, Ref, []string, []any, map[string]any.
type Attrs map[string]any

// Ref is a field that points at another object.
type Ref string

// Object is one node of the graph.
type Object struct {
	ID    string
	Kind  string // name of the graphspec node
	Attrs Attrs
	// Made is when it was created, by the sandbox's clock.
	Made time.Time
	// Owner is the object it belongs to: the Page of a post, the account of a campaign.
	Owner string
}

// Call is one operation on its way.
type Call struct {
	World  *World
	Verb   string // GET, POST, DELETE
	On     *Object
	Edge   string
	Params url.Values
	// Files are the parts of a multipart form with a file name, and under "" a raw body.
	Files map[string][]byte
	// Header are the request's headers that uploads need, in lower case.
	Header map[string]string
	Token  *Token
	Now    time.Time
	// Op is the operation as graphspec has it.
	Op *graphspec.Op
	// Warn notes what Meta would pass over in silence: an unknown parameter.
	Warn func(string)
	// Base is scheme, host and version of the call, Address that with its path, and
	// Carry the query that the addresses of further pages repeat.
	Base, Address string
	Carry         url.Values
	// Secret is the token where it came in the query: it comes back in addresses.
	Secret string

	depth int
}

// Token is an access token of the world.
type Token struct {
	Kind   string // one of the constants
	Scopes []string
	Page   string // of a Page token
	User   string
	// Sees reports whether its user is assigned to an object; nil: to all.
	Sees func(id string) bool
	// PageToken gives the token of a Page that its user works for, "" where it may not.
	PageToken func(page string) string
}

// Kinds of tokens.
const (
	KindSystemUser = "SYSTEM_USER"
	KindUser       = "USER"
	KindPage       = "PAGE"
	KindApp        = "APP"
	KindThreads    = "THREADS"
)

// Behaviour does one operation, in place of what graphspec alone would do. It returns
// what the JSON of the answer holds.
type Behaviour func(*Call) (any, *Error)

// Error is a refusal, as one row of graphspec's catalogue of errors.
type Error struct {
	Row  *graphspec.ErrorRow
	Args []string // pairs of placeholder and text
}
