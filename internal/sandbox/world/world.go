// Package world is the objects behind the sandbox's Graph surface: Pages, posts,
// campaigns, containers, conversations, with their edges and states. What each type
// looks like is read from graphspec; where data is not enough, a behaviour in Go says
// what an operation does.
//
// It knows nothing about HTTP and has no lock: the sandbox holds one.
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
}

// Token is an access token of the world.
type Token struct {
	Kind   string // SYSTEM_USER, USER, PAGE, APP, THREADS
	Scopes []string
	Page   string // of a Page token
	User   string
}

// Behaviour does one operation, in place of what graphspec alone would do. It returns
// what the JSON of the answer holds.
type Behaviour func(*Call) (any, *Error)

// Error is a refusal, as one row of graphspec's catalogue of errors.
type Error struct {
	Row  *graphspec.ErrorRow
	Args []string // pairs of placeholder and text
}
